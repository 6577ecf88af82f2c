"""Reads about what is on offer. Everyone may see it, the cancelled too, with their status."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import ColumnElement, Select, and_, false, func, literal, or_, select, tuple_
from sqlalchemy.orm import contains_eager, joinedload

from facilities.engine.search_words import Wish
from facilities.infra.db import db
from facilities.infra.sql import says
from facilities.kernel import clock
from facilities.places import queries as places
from facilities.places.models import Facility, FacilityKind, SubDistrict
from facilities.programmes.models import ActivitySession, Programme, SessionStatus

SEARCH_REACHES = timedelta(weeks=8)  # a wish for 'Saturday' means the Saturdays of the next eight weeks


@dataclass(frozen=True, slots=True)
class SessionFilter:
    """What a list of sessions is narrowed to; None narrows nothing. `start` and `end` bound the start, half-open."""

    facility_id: int | None = None
    programme_id: int | None = None
    kind: FacilityKind | None = None
    start: datetime | None = None
    end: datetime | None = None
    available: bool = False
    facility_ids: frozenset[int] | None = None


def sessions(wanted: SessionFilter, *, limit: int | None = None, after: tuple[datetime, int] | None = None,
             ) -> list[ActivitySession]:
    """Soonest first, with programme, facility and space."""
    found = _listed().where(*_conditions(wanted))
    if after is not None:
        moment, number = after
        found = found.where(tuple_(ActivitySession.starts_at, ActivitySession.id) > tuple_(
            literal(moment, ActivitySession.starts_at.type), literal(number, ActivitySession.id.type)))
    return list(db.session.scalars(found.limit(limit)))


def search(wish: Wish, limit: int, kind: FacilityKind | None = None) -> list[ActivitySession]:
    """Coming sessions in which each word is found, on one of the days that were named."""
    now = clock.now()
    found = _listed().where(ActivitySession.starts_at >= now, ActivitySession.status == SessionStatus.SCHEDULED)
    if kind is not None:
        found = found.where(Facility.kind == kind)
    for word in wish.words:
        found = found.where(says(
            word, ActivitySession.title, ActivitySession.title_en, ActivitySession.details, Programme.name,
            Programme.name_en, Facility.name, Facility.name_en, SubDistrict.name, SubDistrict.name_en))
    if wish.weekdays or wish.day:
        found = found.where(_on_days(wish, clock.local_date(now)))
    return list(db.session.scalars(found.limit(limit)))


def _on_days(wish: Wish, today: date) -> ColumnElement[bool]:
    days = (today + timedelta(days=n) for n in range(SEARCH_REACHES.days))
    spans = [clock.day_span(day, day) for day in days if wish.admits(day)]
    return or_(false(), *(
        and_(ActivitySession.starts_at >= start, ActivitySession.starts_at < end) for start, end in spans))


def _listed() -> Select[tuple[ActivitySession]]:
    return (
        select(ActivitySession)
        .join(ActivitySession.programme).join(ActivitySession.facility).join(Facility.sub_district)
        .options(contains_eager(ActivitySession.programme),
                 contains_eager(ActivitySession.facility).contains_eager(Facility.sub_district),
                 joinedload(ActivitySession.space))
        .order_by(ActivitySession.starts_at, ActivitySession.id))


def _conditions(wanted: SessionFilter) -> Sequence[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    if wanted.facility_id is not None:
        conditions.append(ActivitySession.facility_id == wanted.facility_id)
    if wanted.facility_ids is not None:
        conditions.append(ActivitySession.facility_id.in_(wanted.facility_ids))
    if wanted.programme_id is not None:
        conditions.append(ActivitySession.programme_id == wanted.programme_id)
    if wanted.kind is not None:
        conditions.append(Facility.kind == wanted.kind)
    if wanted.start is not None:
        conditions.append(ActivitySession.starts_at >= wanted.start)
    if wanted.end is not None:
        conditions.append(ActivitySession.starts_at < wanted.end)
    if wanted.available:
        now = clock.now()
        conditions += [
            ActivitySession.status == SessionStatus.SCHEDULED,
            ActivitySession.places_taken < ActivitySession.capacity, ActivitySession.waiting == 0,
            ActivitySession.awaits_draw.is_(False),
            func.coalesce(ActivitySession.booking_closes_at, ActivitySession.starts_at) > now,
            or_(ActivitySession.booking_opens_at.is_(None), ActivitySession.booking_opens_at <= now),
        ]
    return conditions


def session(session_id: int) -> ActivitySession | None:
    return db.session.scalar(
        _listed().where(ActivitySession.id == session_id).execution_options(populate_existing=True))


def sessions_of_series(series_id: int) -> list[ActivitySession]:
    """All its occurrences, the cancelled too, as they stand now."""
    return list(db.session.scalars(
        _listed().where(ActivitySession.series_id == series_id).execution_options(populate_existing=True)))


def session_to_book(session_id: int, *, lock: bool = False) -> ActivitySession | None:
    """With its programme, for its limits. The lock is the one that taking a place in it takes."""
    found = (select(ActivitySession).join(ActivitySession.programme)
             .options(contains_eager(ActivitySession.programme)).where(ActivitySession.id == session_id)
             .execution_options(populate_existing=True))
    if lock:
        found = found.with_for_update(key_share=True, of=ActivitySession)
    return db.session.scalar(found)


def lock_its_place(session_id: int) -> None:
    """Before a session that holds or releases a space is locked: nobody divides or closes its facility meanwhile."""
    facility_id = db.session.scalar(select(ActivitySession.facility_id).where(ActivitySession.id == session_id))
    if facility_id is not None:
        places.lock_layout(facility_id, to_change=False)


def session_for_update(session_id: int) -> ActivitySession | None:
    """Locked and read afresh: for those who change the session itself, not for those who take a place in it."""
    return db.session.scalar(
        select(ActivitySession).where(ActivitySession.id == session_id)
        .with_for_update().execution_options(populate_existing=True))


def sessions_for_update(ids: Iterable[int]) -> dict[int, ActivitySession]:
    """Several, locked in id order, so that two batches never wait for each other."""
    rows = db.session.scalars(
        select(ActivitySession).where(ActivitySession.id.in_(sorted(ids))).order_by(ActivitySession.id)
        .with_for_update(key_share=True).execution_options(populate_existing=True))
    return {row.id: row for row in rows}


def programmes() -> list[Programme]:
    return list(db.session.scalars(select(Programme).order_by(Programme.id)))


def programme(programme_id: int) -> Programme | None:
    return db.session.get(Programme, programme_id)


def programmes_at(facility_id: int) -> list[Programme]:
    """The service lines that have sessions at a facility."""
    used = select(ActivitySession.programme_id).where(ActivitySession.facility_id == facility_id)
    return list(db.session.scalars(select(Programme).where(Programme.id.in_(used)).order_by(Programme.id)))
