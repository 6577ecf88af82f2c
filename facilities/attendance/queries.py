"""Reads about what happened."""

from collections import defaultdict
from collections.abc import Collection, Iterable
from datetime import date, datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import and_, select
from sqlalchemy.orm import joinedload

from facilities.accounts.models import User
from facilities.attendance.models import (
    Attendance,
    AttendanceEvent,
    AttendanceRule,
    HeadCount,
    Poster,
    ReopenedDay,
    counts_of,
)
from facilities.engine.eligibility import Sex
from facilities.engine.roll_call import (
    LATE_ARRIVAL_LIMIT,
    AttendanceState,
    Event,
    EventKind,
)
from facilities.households.models import Merge, Resident
from facilities.infra.db import db
from facilities.kernel import clock
from facilities.programmes.models import ActivitySession


def logs(session_ids: Iterable[int]) -> dict[int, list[Event]]:
    """Every event of these sessions, as the engine reads them. Those of a merged record are the person's."""
    found: defaultdict[int, list[Event]] = defaultdict(list)
    e = AttendanceEvent
    for row in db.session.execute(  # columns, for a log is long and read with each tick
            select(e.session_id, Merge.kept_id, e.id, e.kind, e.occurred_at, e.resident_id, e.voids, e.device, e.late,
                   e.women, e.children, e.men, e.elders, e.disabled)
            .outerjoin(Merge, and_(Merge.gone_id == e.resident_id, Merge.undone_at.is_(None)))
            .where(e.session_id.in_(list(session_ids)))):
        event = Event(row.id, row.kind, row.occurred_at, row.kept_id or row.resident_id, row.voids, row.device,
                      counts_of(row), row.late, row.resident_id if row.kept_id else None)
        found[row.session_id].append(event)
    return dict(found)


def attendance_rows(session_id: int, resident_ids: Collection[int]) -> dict[int, Attendance]:
    """Of these residents, by resident; to be changed."""
    rows = db.session.scalars(
        select(Attendance).where(Attendance.session_id == session_id, Attendance.resident_id.in_(resident_ids)))
    return {row.resident_id: row for row in rows}


def standing_rows(session_id: int) -> dict[int, tuple[object, ...]]:
    """Of each resident what is kept: event, state, late, minutes, walk-in."""
    a = Attendance
    return {resident_id: tuple(kept) for resident_id, *kept in db.session.execute(
        select(a.resident_id, a.event_id, a.state, a.late, a.minutes, a.walk_in).where(a.session_id == session_id))}


def authors(event_ids: Collection[UUID]) -> dict[UUID, int | None]:
    """Who recorded these events."""
    rows = db.session.execute(
        select(AttendanceEvent.id, AttendanceEvent.recorded_by).where(AttendanceEvent.id.in_(event_ids)))
    return dict(rows.tuples().all())


def which_exist(event_ids: Iterable[UUID]) -> dict[UUID, tuple[int, EventKind]]:
    """Of these ids, those that are taken: by which session, and for what."""
    rows = db.session.execute(
        select(AttendanceEvent.id, AttendanceEvent.session_id, AttendanceEvent.kind)
        .where(AttendanceEvent.id.in_(list(event_ids))))
    return {event_id: (session_id, kind) for event_id, session_id, kind in rows}


def recorded_by(session_ids: Iterable[int]) -> dict[UUID, int | None]:
    """Who recorded each event of these sessions."""
    rows = db.session.execute(
        select(AttendanceEvent.id, AttendanceEvent.recorded_by)
        .where(AttendanceEvent.session_id.in_(list(session_ids))))
    return dict(rows.tuples().all())


def attendances(session_ids: Iterable[int]) -> list[Attendance]:
    return list(db.session.scalars(
        select(Attendance).where(Attendance.session_id.in_(list(session_ids))).options(joinedload(Attendance.resident))
        .order_by(Attendance.session_id, Attendance.resident_id)))


def head_counts(session_ids: Iterable[int]) -> dict[int, HeadCount]:
    rows = db.session.scalars(select(HeadCount).where(HeadCount.session_id.in_(list(session_ids))))
    return {row.session_id: row for row in rows}


class Seen(NamedTuple):
    """Somebody named who was there, as far as figures ask."""

    session_id: int
    sex: Sex
    birth_date: date | None
    is_disabled: bool


def seen(session_ids: Iterable[int]) -> list[Seen]:
    """Everybody named who was there, by session; a resident once for each."""
    rows = db.session.execute(
        select(Attendance.session_id, Resident.sex, Resident.birth_date, Resident.disability_category.is_not(None))
        .join(Resident, Resident.id == Attendance.resident_id)
        .where(Attendance.session_id.in_(list(session_ids)), Attendance.state == AttendanceState.PRESENT))
    return [Seen(*row) for row in rows]


def is_present(session_id: int, resident_id: int) -> bool:
    row = db.session.get(Attendance, (session_id, resident_id))
    return row is not None and row.state is AttendanceState.PRESENT


def manager_limit() -> timedelta:
    """How long after a session's end its managers may enter what happened."""
    days = db.session.scalar(select(AttendanceRule.manager_days))
    return LATE_ARRIVAL_LIMIT if days is None else timedelta(days=days)


def reopened(sessions: Iterable[ActivitySession], now: datetime) -> set[int]:
    """Of these, the sessions on days that an administrator has reopened for their facility."""
    by_day = {session.id: (session.facility_id, clock.local_date(session.starts_at)) for session in sessions}
    open_days = {(row.facility_id, row.day) for row in reopened_days(now, {place for place, _ in by_day.values()})}
    return {session_id for session_id, day in by_day.items() if day in open_days}


def reopened_days(now: datetime, facility_ids: Iterable[int] | None = None) -> list[ReopenedDay]:
    """Those that are open now, the latest day first."""
    found = (select(ReopenedDay).where(ReopenedDay.until > now).options(joinedload(ReopenedDay.facility))
             .order_by(ReopenedDay.day.desc(), ReopenedDay.id))
    if facility_ids is not None:
        found = found.where(ReopenedDay.facility_id.in_(list(facility_ids)))
    return list(db.session.scalars(found))


def poster(facility_id: int) -> Poster | None:
    return db.session.get(Poster, facility_id)


def poster_by(code: str) -> Poster | None:
    return db.session.scalar(select(Poster).where(Poster.code == code))


def who_is_present(pairs: Collection[tuple[int, int]]) -> set[tuple[int, int]]:
    """Of these (session, resident), those who are ticked as there."""
    rows = db.session.execute(
        select(Attendance.session_id, Attendance.resident_id).where(
            Attendance.session_id.in_({session_id for session_id, _ in pairs}),
            Attendance.resident_id.in_({resident_id for _, resident_id in pairs}),
            Attendance.state == AttendanceState.PRESENT))
    return {(session_id, resident_id) for session_id, resident_id in rows} & set(pairs)


class Entered(NamedTuple):
    """An entry of the log with its people: about whom, by whom, and how it was taken back, where it was."""

    event: AttendanceEvent
    resident: Resident | None
    by: str | None
    taken_back: AttendanceEvent | None
    taken_back_by: str | None


def history(session_id: int) -> list[Entered]:
    """Every entry of a session, the latest first. A void stands with what it takes back, unless that has not come."""
    rows = db.session.execute(
        select(AttendanceEvent, Resident, User.display_name)
        .outerjoin(Resident, Resident.id == AttendanceEvent.resident_id)
        .outerjoin(User, User.id == AttendanceEvent.recorded_by)
        .where(AttendanceEvent.session_id == session_id)
        .order_by(AttendanceEvent.occurred_at.desc(), AttendanceEvent.id.desc())).tuples().all()
    voids = {event.voids: (event, by) for event, _, by in reversed(rows) if event.kind is EventKind.VOID}
    here = {event.id for event, _, _ in rows}
    return [Entered(event, resident, by, *voids.get(event.id, (None, None))) for event, resident, by in rows
            if event.kind is not EventKind.VOID or event.voids not in here]
