"""Whoever has a place, or a room, is reminded of it: the day before, and an hour before (engine.reminders).

That somebody was reminded is a row whose key is what, of which kind, for which time: two workers at once remind once,
and what is moved is reminded of anew.
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Select, exists, func, select
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.orm import InstrumentedAttribute, joinedload

from facilities.bookings import queries as bookings
from facilities.bookings.models import Booking, BookingState
from facilities.bookings.promotion import facts_of
from facilities.engine import reminders as engine
from facilities.infra.db import db
from facilities.infra.outbox import Notice, tell_each
from facilities.kernel import clock
from facilities.notices.models import Reminder
from facilities.programmes.models import ActivitySession
from facilities.reservations import queries as reservations
from facilities.reservations.models import Reservation, ReservationState
from facilities.reservations.services import facts_of as facts_of_reservation

KINDS = (engine.DAY, engine.HOUR)
# Whoever was told of it since the moment for the reminder needs none.
TOLD = ("booked", "promoted", "offered", "moved", "reserved", "reservation_moved")


@dataclass(frozen=True, slots=True)
class _Promise:
    """`starts`: where to look which times come; `facts`: what is said of each, by number."""

    about_kind: str
    model: type[Booking] | type[Reservation]
    holds: BookingState | ReservationState
    starts: InstrumentedAttribute[datetime]
    whom: Callable[..., Select[Any]]
    facts: Callable[[Collection[int]], Mapping[int, Mapping[str, object]]]


def _facts_of_bookings(numbers: Collection[int]) -> Mapping[int, Mapping[str, object]]:
    rows = db.session.execute(
        select(Booking.id, ActivitySession).join(ActivitySession, ActivitySession.id == Booking.session_id)
        .where(Booking.id.in_(numbers))).tuples()
    return {number: facts_of(session) for number, session in rows}


def _facts_of_reservations(numbers: Collection[int]) -> Mapping[int, Mapping[str, object]]:
    rows = db.session.scalars(
        select(Reservation).where(Reservation.id.in_(numbers))
        .options(joinedload(Reservation.facility), joinedload(Reservation.space)))
    return {row.id: facts_of_reservation(row, row.space) for row in rows}


_PROMISES = (
    _Promise("booking", Booking, BookingState.CONFIRMED, ActivitySession.starts_at, bookings.whom, _facts_of_bookings),
    _Promise("reservation", Reservation, ReservationState.CONFIRMED, Reservation.starts_at, reservations.whom,
             _facts_of_reservations),
)


def remind() -> int:
    """Of all that is due now: how many promises that were."""
    return sum(_remind(promise, kind) for promise in _PROMISES for kind in KINDS)


def _remind(promise: _Promise, kind: str) -> int:
    made = _new(promise, kind)
    if not made:
        return 0
    rows = db.session.execute(promise.whom(promise.model.id.in_(made))).tuples().all()
    told, facts = _told_since(made, rows), promise.facts(made)
    tell_each(kind, promise.about_kind, [
        (number, resident_id, user_id, facts[number]) for number, resident_id, user_id in rows if number not in told])
    return len(made.keys() - told)


def _new(promise: _Promise, kind: str) -> dict[int, datetime]:
    """Promises whose reminder is due and not noted yet, with the moment when it was; they are noted now."""
    now, model = clock.now(), promise.model
    starts = db.session.scalars(
        select(promise.starts).where(promise.starts > now, promise.starts <= engine.furthest(now)).distinct())
    due = {starts_at: engine.remind_at(kind, starts_at) for starts_at in starts if engine.is_due(kind, starts_at, now)}
    if not due:
        return {}
    noted = exists().where(Reminder.about_kind == promise.about_kind, Reminder.about_id == model.id,
                           Reminder.kind == kind, Reminder.starts_at == model.starts_at)
    rows = db.session.execute(
        select(model.id, model.starts_at, model.created_at)
        .where(model.starts_at.in_(due), model.state == promise.holds, ~noted)).tuples().all()
    if not rows:
        return {}
    insert = postgresql_insert if db.engine.dialect.name == "postgresql" else sqlite_insert
    mine = set(db.session.scalars(
        insert(Reminder).on_conflict_do_nothing().returning(Reminder.about_id),
        [{"about_kind": promise.about_kind, "about_id": number, "kind": kind, "starts_at": starts_at}
         for number, starts_at, _ in rows]))
    return {number: due[starts_at] for number, starts_at, created_at in rows
            if number in mine and created_at < due[starts_at]}


def _told_since(made: Mapping[int, datetime], rows: Collection[tuple[Any, ...]]) -> set[int]:
    """By their readers' messages, which an index finds."""
    readers = {user_id for _, _, user_id in rows if user_id is not None}
    last = db.session.execute(
        select(Notice.about_id, func.max(Notice.created_at))
        .where(Notice.user_id.in_(readers), Notice.about_id.in_(made), Notice.kind.in_(TOLD))
        .group_by(Notice.about_id)).tuples()
    return {number for number, at in last if at >= made[number]}
