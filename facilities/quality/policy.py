"""Who sees which findings: administrators all, managers those about sessions of their own facilities."""

from facilities.kernel.actors import Actor
from facilities.quality.queries import OF_SESSIONS, Finding, Reach


def findings(actor: Actor) -> tuple[Finding, ...]:
    return tuple(Finding) if actor.is_administrator else OF_SESSIONS


def reach(actor: Actor) -> Reach:
    return None if actor.is_administrator else actor.managed_facility_ids
