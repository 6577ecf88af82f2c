"""Who may change what is on offer."""

from facilities.kernel.actors import Actor
from facilities.programmes.models import ActivitySession


def can_run(actor: Actor, session: ActivitySession) -> bool:
    """Change it, see its roster, take its roll: the facility's manager, or an administrator."""
    return actor.manages(session.facility_id)


def can_offer_at(actor: Actor, facility_id: int) -> bool:
    return actor.manages(facility_id)
