"""Joining by invitation: who acts for a resident says a code to one other person, whose account confirms with it.

That is how a second parent, a brother, or the grandson of a grandmother without a telephone comes to act for somebody.
A code is known to who made it and to whom it was said; what is kept is a keyed hash.
"""

import unicodedata
from collections.abc import Callable
from datetime import timedelta
from typing import NamedTuple, TypeVar

from facilities.accounts.services import note_failure, refuse_if_too_many_failures
from facilities.engine.ages import age_on
from facilities.engine.guardians import CONSENT_AGE
from facilities.households import policy, queries, services
from facilities.households.models import Guardianship, Invitation, Relation, Resident
from facilities.infra import audit
from facilities.infra.db import db, unit_of_work
from facilities.infra.encryption import cipher
from facilities.infra.outbox import tell
from facilities.kernel import clock
from facilities.kernel.actors import Actor
from facilities.kernel.ids import new_reference
from facilities.kernel.refusals import Invalid, NotPermitted, NotVisible, Refused, raise_if

LASTS = timedelta(days=7)
MOST_OPEN = 5  # for one resident
_BLANKS = str.maketrans("", "", " -")

T = TypeVar("T")


class Made(NamedTuple):
    """`code` is shown once and kept nowhere."""

    code: str
    invitation: Invitation


class Found(NamedTuple):
    """What a code is about. Names are shown masked: whoever guesses a code learns little."""

    invitation: Invitation
    resident: Resident
    invited_by: str


def invite(actor: Actor, resident_id: int) -> Made:
    """NotVisible; NotPermitted where the resident is a grown-up with an account of their own; Refused
    `too_many_invitations`.
    """
    link = queries.guardianship_of(actor, resident_id)
    if link is None:
        raise NotVisible
    if not policy.may_invite(link, queries.owner_of(resident_id)):
        raise NotPermitted
    queries.lock_who_acts_for(resident_id)
    now = clock.now()
    if len(queries.open_invitations(resident_id, now)) >= MOST_OPEN:
        raise Refused("too_many_invitations", most=MOST_OPEN)
    code = new_reference()
    invitation = Invitation(resident_id=resident_id, invited_by=actor.user_id, code_hash=cipher().lookup(code),
                            created_at=now, ends_at=now + LASTS)
    db.session.add(invitation)
    db.session.flush()
    audit.note(actor, "invited", "resident", [resident_id])
    return Made(code, invitation)


def withdraw(actor: Actor, invitation_id: int) -> int:
    """By whoever may invite for the resident; a second time, or too late, changes nothing. The resident's id."""
    invitation = queries.invitation(invitation_id)
    link = queries.guardianship_of(actor, invitation.resident_id) if invitation else None
    if invitation is None or link is None:
        raise NotVisible
    if not policy.may_invite(link, queries.owner_of(link.resident_id)):
        raise NotPermitted
    queries.lock_who_acts_for(invitation.resident_id)
    db.session.refresh(invitation)
    if invitation.accepted_at is None and invitation.withdrawn_at is None:
        invitation.withdrawn_at = clock.now()
        audit.note(actor, "invitation_withdrawn", "resident", [invitation.resident_id])
    db.session.flush()
    return invitation.resident_id


def find(actor: Actor, code: str) -> Found:
    """Whom it is about. Refused `invitation_unknown`: wrong, used, withdrawn and ended are all alike."""
    return _counted(actor, lambda: _find(code))


def accept(actor: Actor, code: str, relation: Relation) -> Guardianship:
    """From now on the actor acts for the resident as well, as `relation`; everybody who does is told.

    Refused `invitation_unknown`, `already_in_household`, `too_many_members`, `self_exists`. Invalid where the resident
    is 18 and no child any more, or under 14 and not yet a person with an account.
    """
    return _counted(actor, lambda: unit_of_work(lambda: _accept(actor, code, relation)))


def _counted(actor: Actor, work: Callable[[], T]) -> T:
    """Guesses are counted for each account, like wrong passwords. Refused `too_many_attempts`."""
    attempts = f"invitation of {actor.user_id}"
    raise_if(refuse_if_too_many_failures(attempts))
    try:
        return work()
    except Refused as refused:
        if refused.refusal.code == "invitation_unknown":
            unit_of_work(lambda: note_failure(attempts))
        raise


def read_code(text: str) -> str:
    """Blanks, dashes, small and full-width letters are forgiven."""
    return unicodedata.normalize("NFKC", text).upper().translate(_BLANKS)


def _find(code: str) -> Found:
    invitation = queries.invitation_by(cipher().lookup(read_code(code)))
    now = clock.now()
    if (invitation is None or invitation.accepted_at is not None or invitation.withdrawn_at is not None
            or invitation.ends_at <= now):
        raise Refused("invitation_unknown")
    who = next((one for one in queries.everyone_who_acts_for([invitation.resident_id])[invitation.resident_id]
                if one.user_id == invitation.invited_by), None)
    resident = queries.residents([invitation.resident_id])[invitation.resident_id]
    if who is None or resident.erased_at is not None:  # nobody gives a right that is no longer theirs
        raise Refused("invitation_unknown")
    return Found(invitation, resident, who.name)


def _accept(actor: Actor, code: str, relation: Relation) -> Guardianship:
    resident_id = _find(code).resident.id
    queries.lock_who_acts_for(resident_id)
    invitation, resident, _ = _find(code)  # again: of two who are as fast, one comes second
    before = queries.link(actor.user_id, resident_id)
    if before is not None and (before.until is None or before.until > clock.today()):
        raise Refused("already_in_household")
    services.check_relation(relation, resident.birth_date, field="relation")
    services.check_room_for(actor, relation)
    if relation is Relation.SELF:
        _check_own(resident)
    if before is not None:
        services.untie(before, "came_of_age")
    link = services.tie(actor.user_id, resident, relation)
    services.consent_as_guardian(link)
    if relation is Relation.SELF:
        services.consent_for_oneself(link)
    invitation.accepted_by, invitation.accepted_at = actor.user_id, clock.now()
    db.session.flush()
    tell("guardian_joined", "resident", queries.those_who_act_for(resident_id), {}, by=actor.user_id)
    audit.note(actor, "joined", "resident", [resident_id], {"invitation_id": invitation.id})
    return link


def _check_own(resident: Resident) -> None:
    """Somebody takes over their own record."""
    if queries.owner_of(resident.id) is not None:
        raise Refused("self_exists")
    if resident.birth_date is None or age_on(resident.birth_date, clock.today()) < CONSENT_AGE:
        raise Invalid(relation="self_from_14")

