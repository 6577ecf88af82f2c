"""The verbs about entering late: a day is reopened, closed again, and the limit that holds for managers."""

from datetime import date, timedelta

from facilities.attendance.models import AttendanceRule, Poster, ReopenedDay
from facilities.infra import audit
from facilities.infra.db import db
from facilities.kernel import clock
from facilities.kernel.actors import Actor
from facilities.kernel.ids import new_reference
from facilities.kernel.refusals import Invalid, NotVisible
from facilities.places import queries as places

LONGEST = timedelta(days=31)
LONGEST_AGO = timedelta(days=5 * 366)  # (our choice) what was before is history
POSTER_CODE = 10  # characters: 31^10, and it says nothing


def reopen(actor: Actor, facility_id: int, day: date, lasts: timedelta, reason: str) -> ReopenedDay:
    """Until then the facility's managers may enter what happened on that day, whatever their limit says.

    NotVisible: no such facility. Invalid `day`: it is still to come, or long gone; `days`: not up to `LONGEST`.
    """
    now = clock.now()
    if places.facility(facility_id) is None:
        raise NotVisible
    if day > clock.today():
        raise Invalid(day="day_to_come")
    if day < clock.today() - LONGEST_AGO:
        raise Invalid(day="out_of_range")
    if not timedelta(hours=1) <= lasts <= LONGEST:
        raise Invalid(days="out_of_range")
    row = ReopenedDay(facility_id=facility_id, day=day, until=now + lasts, reason=reason, reopened_at=now,
                      reopened_by=actor.user_id)
    db.session.add(row)
    db.session.flush()
    audit.note(actor, "reopened", "facility", [facility_id], {"day": str(day), "until": row.until.isoformat()})
    return row


def close(actor: Actor, reopened_id: int) -> None:
    """Before its time; a second time changes nothing."""
    row = db.session.get(ReopenedDay, reopened_id, with_for_update=True, populate_existing=True)
    if row is None:
        raise NotVisible
    now = clock.now()
    if row.until > now > row.reopened_at:
        row.until = now
        audit.note(actor, "closed_again", "facility", [row.facility_id], {"day": str(row.day)})
        db.session.flush()


def set_limit(actor: Actor, manager_days: int) -> None:
    """For how many days after a session's end its managers may enter or correct."""
    if not 1 <= manager_days <= 365:
        raise Invalid(manager_days="out_of_range")
    rule = db.session.get(AttendanceRule, 1, with_for_update=True, populate_existing=True)
    if rule is None:
        rule = AttendanceRule(id=1)
        db.session.add(rule)
    rule.manager_days, rule.changed_at, rule.changed_by = manager_days, clock.now(), actor.user_id
    db.session.flush()
    audit.note(actor, "set_attendance_limit", "rule", [rule.id], {"manager_days": manager_days})


def make_poster(actor: Actor, facility_id: int, instead_of: str | None = None) -> Poster:
    """A code of its own for the facility's door. The one before, wherever it was photographed, checks nobody in.

    `instead_of`: the code that is replaced. Where another one hangs by now, that one stays: the wish was sent twice.
    """
    poster = db.session.get(Poster, facility_id, with_for_update=True, populate_existing=True)
    if poster is None:
        poster = Poster(facility_id=facility_id)
        db.session.add(poster)
    elif poster.code != instead_of:
        return poster
    poster.code, poster.made_at, poster.made_by = new_reference(POSTER_CODE), clock.now(), actor.user_id
    db.session.flush()
    audit.note(actor, "made_poster", "facility", [facility_id])
    return poster
