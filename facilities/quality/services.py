"""How what makes figures wrong is mended: one verb for each finding that has none elsewhere."""

from datetime import date

from facilities.engine.eligibility import Sex
from facilities.households import identity
from facilities.households import queries as households
from facilities.households import services as people
from facilities.households.models import DifferentPersons
from facilities.infra import audit
from facilities.infra.db import db
from facilities.kernel import clock
from facilities.kernel.actors import Actor
from facilities.kernel.refusals import NotPermitted, NotVisible
from facilities.programmes import policy as programmes_policy
from facilities.programmes import queries as programmes
from facilities.quality import queries
from facilities.quality.models import Accepted, WhyRight


def complete(actor: Actor, resident_id: int, birth_date: date, sex: Sex) -> None:
    """Birth date and sex of somebody whose birth date is not known; from now on figures know them by their age.

    NotPermitted; NotVisible: nobody whom this finding lists. Invalid: what contradicts a stored number, or is no birth
    date of anybody.
    """
    if not actor.is_administrator:
        raise NotPermitted
    households.lock_residents([resident_id])
    resident = queries.one_without_birth_date(resident_id)
    if resident is None:
        raise NotVisible
    people.check_birth_date(birth_date)
    changes, _ = identity.agreed_change(resident, {"birth_date": birth_date, "sex": sex})
    changed = sorted(name for name, value in changes.items() if getattr(resident, name) != value)
    for name in changed:
        setattr(resident, name, changes[name])
    people.follow_birth_date(resident.id, birth_date)
    audit.note(actor, "changed", "resident", [resident.id], {"fields": changed})
    db.session.flush()


def accept(actor: Actor, session_id: int, why: WhyRight) -> None:
    """So many were there indeed. A second time changes nothing; once the number changes, it is asked about again."""
    session = programmes.session_for_update(session_id)
    if session is None:
        raise NotVisible
    if not programmes_policy.can_run(actor, session):
        raise NotPermitted
    number = queries.people_of(session_id)
    if number is None:
        return
    row = db.session.get(Accepted, session_id) or Accepted(session_id=session_id)
    row.people, row.why, row.accepted_at, row.accepted_by = number, why, clock.now(), actor.user_id
    db.session.add(row)
    audit.note(actor, "accepted_count", "session", [session_id], {"people": number, "why": why.value})
    db.session.flush()


def tell_apart(actor: Actor, one_id: int, other_id: int) -> None:
    """Two records of two persons, however alike they look. A second time changes nothing."""
    if not actor.is_administrator:
        raise NotPermitted
    first, second = min(one_id, other_id), max(one_id, other_id)
    if len(households.residents([first, second])) != 2:
        raise NotVisible
    households.lock_residents([first, second])
    if db.session.get(DifferentPersons, (first, second)) is not None:
        return
    db.session.add(DifferentPersons(first_id=first, second_id=second, said_at=clock.now(), said_by=actor.user_id))
    audit.note(actor, "told_apart", "resident", [first, second])
    db.session.flush()
