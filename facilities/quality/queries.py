"""What makes figures wrong, found anew each time: nothing of it is stored, so what was mended is gone."""

from collections.abc import Sequence
from datetime import timedelta
from enum import StrEnum
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Select, and_, exists, func, select
from sqlalchemy.orm import joinedload

from facilities.attendance.models import Attendance, HeadCount
from facilities.engine.likeness import Likeness, Record, likely_pairs
from facilities.engine.roll_call import AttendanceState
from facilities.households.models import DifferentPersons, Merge, Resident
from facilities.infra.db import db
from facilities.kernel import clock
from facilities.programmes.models import ActivitySession, SessionStatus
from facilities.quality.models import Accepted

OVER_SINCE = timedelta(days=1)  # (our choice) until then the roll may still be on its way
FAR_ABOVE = 1.5  # (our choice) times the capacity
AT_LEAST_ABOVE = 10  # (our choice) people: a small group is soon half as large again


class Finding(StrEnum):
    NO_BIRTH_DATE = "no_birth_date"
    NO_ROLL = "no_roll"
    CROWDED = "crowded"
    LIKELY_TWICE = "likely_twice"


OF_SESSIONS = (Finding.NO_ROLL, Finding.CROWDED)
Reach = frozenset[int] | None  # facilities; None is all of them


class Unborn(NamedTuple):
    """A resident without birth date, and how often they were somewhere."""

    resident: Resident
    times: int


class Crowd(NamedTuple):
    session: ActivitySession
    people: int


class Twice(NamedTuple):
    """Two records that may be one person's, the older first."""

    first: Resident
    second: Resident
    likeness: Likeness


def numbers(findings: Sequence[Finding], reach: Reach) -> dict[Finding, int]:
    """How many rows each finding has: one query each, and for records that look alike one read of those that might."""
    return {finding: _number(finding, reach) for finding in findings}


def _number(finding: Finding, reach: Reach) -> int:
    found: Select[Any]
    if finding is Finding.LIKELY_TWICE:
        return len(_pairs())
    if finding is Finding.NO_BIRTH_DATE:
        found = select(Resident.id).where(*_without_birth_date())
    elif finding is Finding.NO_ROLL:
        found = select(ActivitySession.id).where(*_without_roll(reach))
    else:
        found = _crowded(reach, ActivitySession.id)
    return db.session.scalar(select(func.count()).select_from(found.subquery())) or 0


# -- residents without birth date


def _is_there() -> tuple[ColumnElement[bool], ...]:
    """Neither erased nor gone into another record."""
    gone = select(Merge.gone_id).where(Merge.undone_at.is_(None))
    return Resident.erased_at.is_(None), Resident.id.not_in(gone)


def _without_birth_date() -> tuple[ColumnElement[bool], ...]:
    came = exists().where(Attendance.resident_id == Resident.id, Attendance.state == AttendanceState.PRESENT)
    return Resident.birth_date.is_(None), *_is_there(), came


def without_birth_date(start: int, limit: int) -> list[Unborn]:
    """Those first who came most often: they change the figures most."""
    times = select(func.count()).where(Attendance.resident_id == Resident.id,
                                       Attendance.state == AttendanceState.PRESENT).scalar_subquery()
    rows = db.session.execute(
        select(Resident, times.label("times")).where(*_without_birth_date())
        .order_by(times.desc(), Resident.id).offset(start).limit(limit))
    return [Unborn(resident, number) for resident, number in rows]


def one_without_birth_date(resident_id: int) -> Resident | None:
    return db.session.scalar(select(Resident).where(Resident.id == resident_id, *_without_birth_date()))


# -- sessions without a roll


def _within(reach: Reach) -> tuple[ColumnElement[bool], ...]:
    return () if reach is None else (ActivitySession.facility_id.in_(reach),)


def _without_roll(reach: Reach) -> tuple[ColumnElement[bool], ...]:
    """Over, and neither cancelled nor held. Where everybody was entered as absent, the roll was taken."""
    return (ActivitySession.status == SessionStatus.SCHEDULED, ActivitySession.ends_at < clock.now() - OVER_SINCE,
            *_within(reach), ~exists().where(Attendance.session_id == ActivitySession.id))


def without_roll(reach: Reach, start: int, limit: int) -> list[ActivitySession]:
    """The latest first: who was there is best known of these."""
    return list(db.session.scalars(
        select(ActivitySession).where(*_without_roll(reach)).options(joinedload(ActivitySession.facility))
        .order_by(ActivitySession.starts_at.desc(), ActivitySession.id.desc()).offset(start).limit(limit)))


# -- far more people than places


def _crowded(reach: Reach, *columns: Any) -> Select[Any]:  # noqa: ANN401 - columns, or a model
    """Heads that were counted, and those who are named beside them. Without a head count nothing was miscounted."""
    heads = HeadCount.women + HeadCount.children + HeadCount.men + HeadCount.unnamed_walk_ins
    named = (select(func.count()).where(Attendance.session_id == ActivitySession.id,
                                        Attendance.state == AttendanceState.PRESENT).scalar_subquery())
    people = heads + named
    accepted = exists().where(Accepted.session_id == ActivitySession.id, Accepted.people == people)
    return (
        select(*columns, people.label("people")).join(HeadCount, HeadCount.session_id == ActivitySession.id)
        .where(ActivitySession.status != SessionStatus.CANCELLED, *_within(reach), heads > 0,
               people > ActivitySession.capacity * FAR_ABOVE, people >= ActivitySession.capacity + AT_LEAST_ABOVE,
               ~accepted))


def crowded(reach: Reach, start: int, limit: int) -> list[Crowd]:
    """The latest first."""
    rows = db.session.execute(
        _crowded(reach, ActivitySession).options(joinedload(ActivitySession.facility))
        .order_by(ActivitySession.starts_at.desc(), ActivitySession.id.desc()).offset(start).limit(limit))
    return [Crowd(session, people) for session, people in rows]


def people_of(session_id: int) -> int | None:
    """How many were there, where the session is one of the crowded; else None."""
    row = db.session.execute(_crowded(None, ActivitySession.id).where(ActivitySession.id == session_id)).first()
    return row.people if row else None


# -- records that look alike


def _pairs() -> list[tuple[int, int, Likeness]]:
    """Only records that share a birth date and sex, or a phone, are read; what is known to be two is left out."""
    shared_day = (select(Resident.birth_date, Resident.sex).where(Resident.birth_date.is_not(None), *_is_there())
                  .group_by(Resident.birth_date, Resident.sex).having(func.count() > 1).subquery())
    shared_phone = (select(Resident.phone).where(Resident.phone.is_not(None), *_is_there())
                    .group_by(Resident.phone).having(func.count() > 1).subquery())
    columns = select(Resident.id, Resident.name, Resident.sex, Resident.birth_date, Resident.phone).where(*_is_there())
    by_day = columns.join(shared_day, and_(shared_day.c.birth_date == Resident.birth_date,
                                           shared_day.c.sex == Resident.sex))
    by_phone = columns.join(shared_phone, shared_phone.c.phone == Resident.phone)
    connection = db.session.connection()  # rows, and nothing that the session looks after: there are many
    records = {row[0]: Record(*row) for found in (by_day, by_phone) for row in connection.execute(found)}
    told = {(row.first_id, row.second_id)
            for row in db.session.execute(select(DifferentPersons.first_id, DifferentPersons.second_id))}
    return [(pair.first, pair.second, pair.likeness) for pair in likely_pairs(records.values())
            if (pair.first, pair.second) not in told]


def _twice(pairs: Sequence[tuple[int, int, Likeness]], start: int, limit: int) -> list[Twice]:
    """The newest records first: whoever entered them may remember."""
    shown = sorted(pairs, key=lambda pair: (pair[1], pair[0]), reverse=True)[start:start + limit]
    ids = {number for first, second, _ in shown for number in (first, second)}
    people = {row.id: row for row in db.session.scalars(select(Resident).where(Resident.id.in_(ids)))}
    return [Twice(people[first], people[second], likeness) for first, second, likeness in shown]


class Part(NamedTuple):
    """Some rows of a finding, in the order of its page, and how many it has altogether."""

    number: int
    rows: Sequence[Unborn | ActivitySession | Crowd | Twice]


def part(finding: Finding, reach: Reach, start: int, limit: int) -> Part:
    if finding is Finding.LIKELY_TWICE:  # found once for both: that takes longest
        pairs = _pairs()
        return Part(len(pairs), _twice(pairs, start, limit))
    number = _number(finding, reach)
    if finding is Finding.NO_BIRTH_DATE:
        return Part(number, without_birth_date(start, limit))
    rows = without_roll(reach, start, limit) if finding is Finding.NO_ROLL else crowded(reach, start, limit)
    return Part(number, rows)
