"""Reads about reservations, through who may see them, and about what makes a space busy."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, func, literal, or_, select, tuple_
from sqlalchemy.orm import contains_eager, joinedload, selectinload

from facilities.households import queries as households
from facilities.households.models import Guardianship
from facilities.infra.db import db
from facilities.kernel.actors import Actor
from facilities.places.models import Closure, Facility, Occupancy, Space, SpaceKind
from facilities.reservations.models import Reservation, ReservationState


@dataclass(frozen=True, slots=True)
class SpaceFilter:
    """What the spaces that residents may reserve are narrowed to; None narrows nothing."""

    kind: SpaceKind | None = None
    facility_id: int | None = None
    sub_district: str | None = None


def _with_hours() -> Select[tuple[Space]]:
    return (select(Space).join(Space.facility)
            .options(contains_eager(Space.facility).options(
                joinedload(Facility.sub_district), selectinload(Facility.hours))))


def space(space_id: int) -> Space | None:
    """With its facility, and when that is open."""
    return db.session.scalar(_with_hours().where(Space.id == space_id))


def reservable_spaces(wanted: SpaceFilter) -> list[Space]:
    """As `policy.can_be_reserved` says, in the order in which they were entered."""
    found = _with_hours().where(Space.reservable, Space.quantity == 1).order_by(Space.facility_id, Space.id)
    if wanted.kind is not None:
        found = found.where(Space.kind == wanted.kind)
    if wanted.facility_id is not None:
        found = found.where(Space.facility_id == wanted.facility_id)
    if wanted.sub_district:
        found = found.where(Facility.sub_district_code == wanted.sub_district)
    return list(db.session.scalars(found))


def families(facility_ids: Collection[int]) -> dict[int, list[Space]]:
    """All spaces of these facilities, by facility: which lies in which."""
    found: dict[int, list[Space]] = {facility_id: [] for facility_id in facility_ids}
    for row in db.session.scalars(select(Space).where(Space.facility_id.in_(facility_ids)).order_by(Space.id)):
        found[row.facility_id].append(row)
    return found


def held(leaf_ids: Collection[int], start: datetime, end: datetime, *, but_for: int | None = None,
         ) -> Sequence[tuple[int, datetime, datetime]]:
    """(leaf, start, end) of what holds these leaves at some moment of the span; `but_for` a reservation."""
    rows = held_rows(leaf_ids, start, end)
    if but_for is not None:
        rows = rows.where(or_(Occupancy.reservation_id.is_(None), Occupancy.reservation_id != but_for))
    return db.session.execute(rows).tuples().all()


def held_rows(leaf_ids: Collection[int], start: datetime, end: datetime) -> Select[tuple[int, datetime, datetime]]:
    """The ids go in as the column's own type: as small integers they would only filter what another index finds."""
    return select(Occupancy.space_id, Occupancy.starts_at, Occupancy.ends_at).where(
        Occupancy.space_id.in_(leaf_ids), Occupancy.ends_at > start, Occupancy.starts_at < end)


def closures(facility_ids: Collection[int], start: datetime, end: datetime) -> list[Closure]:
    """As `places.queries.closures`, of many facilities at once."""
    return list(db.session.scalars(
        select(Closure).where(Closure.facility_id.in_(facility_ids), Closure.lifted_at.is_(None),
                              Closure.starts_at < end, Closure.ends_at > start)))


def _acted_for(actor: Actor) -> ColumnElement[bool]:
    return Reservation.resident_id.in_(select(Guardianship.resident_id).where(households.acted_for_by(actor)))


def facilities_ahead(resident_ids: Collection[int], now: datetime) -> list[int]:
    """Where these residents have reservations ahead, in id order."""
    return list(db.session.scalars(
        select(Reservation.facility_id).where(*_has_ahead(resident_ids, now)).distinct()
        .order_by(Reservation.facility_id)))


def ahead_of(resident_ids: Collection[int], now: datetime) -> list[Reservation]:
    """Those that have not begun, locked in id order."""
    return list(db.session.scalars(
        select(Reservation).where(*_has_ahead(resident_ids, now)).order_by(Reservation.id).with_for_update()
        .execution_options(populate_existing=True)))


def _has_ahead(resident_ids: Collection[int], now: datetime) -> tuple[ColumnElement[bool], ...]:
    return (Reservation.resident_id.in_(resident_ids), Reservation.state == ReservationState.CONFIRMED,
            Reservation.starts_at > now)


def _whole() -> Select[tuple[Reservation]]:
    return (select(Reservation)
            .options(joinedload(Reservation.facility), joinedload(Reservation.space),
                     joinedload(Reservation.resident))
            .execution_options(populate_existing=True))


def own_reservation(actor: Actor, reservation_id: int, *, lock: bool = False) -> Reservation | None:
    found = _whole().where(Reservation.id == reservation_id, _acted_for(actor))
    return db.session.scalar(found.with_for_update(of=Reservation) if lock else found)


def own_reservations(actor: Actor, *, limit: int | None = None, after: tuple[datetime, int] | None = None,
                     ) -> list[Reservation]:
    """By their start, soonest first, past and cancelled ones too."""
    found = _whole().where(_acted_for(actor)).order_by(Reservation.starts_at, Reservation.id)
    if after is not None:
        moment, number = after
        found = found.where(tuple_(Reservation.starts_at, Reservation.id) > tuple_(
            literal(moment, Reservation.starts_at.type), literal(number, Reservation.id.type)))
    return list(db.session.scalars(found.limit(limit)))


def reservations(reservation_ids: Collection[int], *, lock: bool = False) -> list[Reservation]:
    """Whoever's they are, in id order: for services that settle who asks."""
    found = _whole().where(Reservation.id.in_(reservation_ids)).order_by(Reservation.id)
    return list(db.session.scalars(found.with_for_update(of=Reservation) if lock else found))


def own_ahead(actor: Actor, resident_id: int, now: datetime) -> list[Reservation]:
    """The resident's that have not begun, in id order."""
    return list(db.session.scalars(
        _whole().where(Reservation.resident_id == resident_id, Reservation.state == ReservationState.CONFIRMED,
                       Reservation.starts_at > now, _acted_for(actor)).order_by(Reservation.id)))


def ahead(resident_id: int, space_id: int, now: datetime, *, but_for: int | None = None) -> int:
    """How many reservations of the space the resident has that are not over; `but_for` one of them."""
    others = [] if but_for is None else [Reservation.id != but_for]
    return db.session.scalar(
        select(func.count()).select_from(Reservation).where(
            Reservation.resident_id == resident_id, Reservation.space_id == space_id,
            Reservation.state == ReservationState.CONFIRMED, Reservation.ends_at > now, *others)) or 0


def whom(*conditions: ColumnElement[bool]) -> Select[Any]:
    """For the outbox: (reservation, resident, account that acts for the resident or null)."""
    return (select(Reservation.id, Reservation.resident_id, Guardianship.user_id)
            .outerjoin(Guardianship, households.who_acts_for(Reservation.resident_id))
            .where(*conditions))
