"""Who may close a place and open it again: whoever runs it."""

from facilities.kernel.actors import Actor


def can_close(actor: Actor, facility_id: int) -> bool:
    return actor.manages(facility_id)
