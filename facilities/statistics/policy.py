"""Who sees which figures: administrators all, managers those of their own facilities."""

from facilities.kernel.actors import Actor


def reach(actor: Actor) -> frozenset[int] | None:
    """The facilities whose figures the actor may see; None is all of them."""
    return None if actor.is_administrator else actor.managed_facility_ids


def can_see_figures_of(actor: Actor, facility_id: int) -> bool:
    return actor.manages(facility_id)
