"""Reads about places."""

from collections.abc import Iterable, Sequence
from datetime import date, datetime

from sqlalchemy import Select, func, select
from sqlalchemy.orm import joinedload, selectinload

from facilities.engine.eligibility import is_community_code
from facilities.engine.search_words import Wish
from facilities.infra.db import db
from facilities.infra.sql import says
from facilities.kernel.actors import Actor
from facilities.places.models import (
    CalendarDay,
    Closure,
    Community,
    Facility,
    FacilityKind,
    Occupancy,
    Space,
    SubDistrict,
)


def facilities(*, kind: FacilityKind | None = None, words: Iterable[str] = (), sub_district: str | None = None,
               after: int = 0, limit: int | None = None) -> list[Facility]:
    """In the order in which they were entered; whole, with spaces, hours and access features."""
    found = _whole().where(Facility.id > after).order_by(Facility.id)
    if kind is not None:
        found = found.where(Facility.kind == kind)
    if sub_district:
        found = found.where(Facility.sub_district_code == sub_district)
    for word in words:
        found = found.where(says(word, Facility.name, Facility.name_en, Facility.address, Facility.summary,
                                 Facility.summary_en, SubDistrict.name, SubDistrict.name_en))
    return list(db.session.scalars(found.limit(limit)))


def matching(wish: Wish, limit: int) -> list[Facility]:
    return facilities(words=wish.words, limit=limit) if wish.words else []


def facility(facility_id: int) -> Facility | None:
    return db.session.scalar(_whole().where(Facility.id == facility_id))


def _whole() -> Select[tuple[Facility]]:
    return (select(Facility).join(Facility.sub_district)
            .options(joinedload(Facility.sub_district), joinedload(Facility.community), selectinload(Facility.spaces),
                     selectinload(Facility.hours), selectinload(Facility.access_features)))


def facility_names(ids: Iterable[int] | None = None) -> list[Facility]:
    """For choosing: names alone."""
    found = select(Facility).order_by(Facility.kind, Facility.id)
    if ids is not None:
        found = found.where(Facility.id.in_(list(ids)))
    return list(db.session.scalars(found))


def managed_facilities(actor: Actor) -> list[Facility]:
    return facility_names(None if actor.is_administrator else actor.managed_facility_ids)


def count_by_kind() -> dict[FacilityKind, int]:
    rows = db.session.execute(select(Facility.kind, func.count()).group_by(Facility.kind))
    return dict(rows.tuples().all())


def stalls_shared() -> int:
    """Stalls of all parking lots; a space of the kind `stall` may stand for several that are alike."""
    return db.session.scalar(
        select(func.coalesce(func.sum(Space.quantity), 0)).join(Facility, Facility.id == Space.facility_id)
        .where(Facility.kind == FacilityKind.PARKING_LOT)) or 0


def sub_districts() -> list[SubDistrict]:
    return list(db.session.scalars(select(SubDistrict).order_by(SubDistrict.code)))


def sub_district(code: str) -> SubDistrict | None:
    return db.session.get(SubDistrict, code)


def is_part_of_the_district(code: str) -> bool:
    """The code of a community in one of our sub-districts, or of a sub-district itself."""
    return (is_community_code(code) or len(code) == 9) and sub_district(code[:9]) is not None


def community_in(sub_district_code: str, name: str) -> Community | None:
    return db.session.scalar(
        select(Community).where(Community.sub_district_code == sub_district_code, Community.name == name))


def space_in(facility_id: int, space_id: int) -> Space | None:
    return db.session.scalar(select(Space).where(Space.facility_id == facility_id, Space.id == space_id))


def lock_layout(facility_id: int, *, to_change: bool) -> None:
    """Which space lies in which stays as it is while one is held; who holds shares the lock, who builds does not."""
    db.session.execute(select(Facility.id).where(Facility.id == facility_id).with_for_update(read=not to_change))


def lock_spaces(space_ids: Sequence[int]) -> None:
    """In id order: who is about to hold one of them waits here, where nobody can wait in a circle."""
    db.session.execute(
        select(Space.id).where(Space.id.in_(space_ids)).order_by(Space.id).with_for_update(key_share=True))


def closures(facility_id: int, start: datetime, end: datetime) -> list[Closure]:
    """Those in force that overlap the span, in the order of their start."""
    return list(db.session.scalars(
        select(Closure).where(Closure.facility_id == facility_id, Closure.lifted_at.is_(None),
                              Closure.starts_at < end, Closure.ends_at > start)
        .order_by(Closure.starts_at, Closure.id)))


def spaces_of(facility_id: int) -> list[Space]:
    return list(db.session.scalars(select(Space).where(Space.facility_id == facility_id).order_by(Space.id)))


def held_under(space_ids: Iterable[int]) -> list[Occupancy]:
    """The rows by which these spaces themselves were asked for."""
    return list(db.session.scalars(
        select(Occupancy).where(Occupancy.held_space_id.in_(list(space_ids))).order_by(Occupancy.id)))


def calendar_days(first: date, last: date) -> list[CalendarDay]:
    return list(db.session.scalars(
        select(CalendarDay).where(CalendarDay.date.between(first, last)).order_by(CalendarDay.date)))


def calendar_day(day: date) -> CalendarDay | None:
    return db.session.get(CalendarDay, day)
