"""Reads about messages: one's own, whose name may stand on them, and whether they are still true."""

from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import Select, and_, func, literal, null, select
from sqlalchemy.orm import InstrumentedAttribute, joinedload

from facilities.bookings.models import LIVE, Booking, BookingState
from facilities.draws.models import Draw
from facilities.engine.messages import CODES, Channel
from facilities.households import queries as households
from facilities.households.models import Guardianship, Resident
from facilities.infra.db import db
from facilities.infra.outbox import Notice
from facilities.kernel import clock
from facilities.kernel.actors import Actor
from facilities.notices.models import OPEN, Delivery, DeliveryState
from facilities.places.models import DISCREET_KINDS, Facility
from facilities.programmes.models import ActivitySession
from facilities.reservations.models import Reservation, ReservationState

# What a message says holds while what it is about is in one of these states.
_OF_BOOKINGS: Mapping[str, tuple[BookingState, ...]] = {
    "booked": (BookingState.CONFIRMED,), "promoted": (BookingState.CONFIRMED,), "offered": (BookingState.OFFERED,),
    "waitlisted": (BookingState.WAITLISTED,), "moved": LIVE, "offer_expired": (BookingState.EXPIRED,),
    "session_cancelled": (BookingState.CANCELLED,), "reminder_day": (BookingState.CONFIRMED,),
    "reminder_hour": (BookingState.CONFIRMED,), "feedback": (BookingState.ATTENDED,),
    "no_show_warned": (BookingState.NO_SHOW,), "no_show_paused": (BookingState.NO_SHOW,),
    "no_show_pause_lifted": tuple(BookingState), "appeal_answered": tuple(BookingState),
}
_OF_RESERVATIONS: Mapping[str, tuple[ReservationState, ...]] = {
    "reserved": (ReservationState.CONFIRMED,), "reservation_moved": (ReservationState.CONFIRMED,),
    "reservation_cancelled": (ReservationState.CANCELLED,), "reminder_day": (ReservationState.CONFIRMED,),
    "reminder_hour": (ReservationState.CONFIRMED,),
}
CODES_HOLD_FOR = timedelta(minutes=10)
_WORTH_TELLING_AFTERWARDS = ("session_cancelled", "reservation_cancelled", "offer_expired", "feedback",
                             "no_show_warned", "no_show_paused", "no_show_pause_lifted", "appeal_answered")
WITH_ENTRY = ("booked", "promoted", "moved", "session_cancelled", "reserved", "reservation_moved",
              "reservation_cancelled")
_STATES: Mapping[str, Mapping[str, tuple[object, ...]]] = {"booking": _OF_BOOKINGS, "reservation": _OF_RESERVATIONS}

_THINGS: Mapping[str, Select[Any]] = {
    "booking": select(Booking.id, Booking.state, Booking.starts_at, Booking.reference, Facility.kind)
    .join(ActivitySession, ActivitySession.id == Booking.session_id)
    .join(Facility, Facility.id == ActivitySession.facility_id),
    "reservation": select(
        Reservation.id, Reservation.state, Reservation.starts_at, Reservation.reference, Facility.kind)
    .join(Facility, Facility.id == Reservation.facility_id),
    "draw": select(Draw.id, null(), null(), literal(""), Facility.kind)
    .join(Facility, Facility.id == Draw.facility_id),
}
_NUMBERS: Mapping[str, InstrumentedAttribute[int]] = {"booking": Booking.id, "reservation": Reservation.id,
                                                      "draw": Draw.id}

# Codes are for the phone, not for whoever is signed in already.
SHOWN = Notice.kind.not_in(CODES)


class Message(NamedTuple):
    """`name` of the resident whom it is about, while the reader acts for them; None afterwards."""

    notice: Notice
    name: str | None


def inbox(actor: Actor, *, limit: int | None = None, before: int | None = None) -> list[Message]:
    """Newest first; `before` is the last one of the page before."""
    found = (
        select(Notice, Resident.name)
        .outerjoin(Guardianship, and_(Guardianship.resident_id == Notice.resident_id,
                                      households.acted_for_by(actor)))
        .outerjoin(Resident, Resident.id == Guardianship.resident_id)
        .where(Notice.user_id == actor.user_id, SHOWN).order_by(Notice.id.desc()))
    if before is not None:
        found = found.where(Notice.id < before)
    return [Message(*row) for row in db.session.execute(found.limit(limit))]


def unread(actor: Actor) -> int:
    """Answered by a partial index and the few rows in it, so that every page may ask."""
    return db.session.scalar(
        select(func.count()).select_from(Notice)
        .where(Notice.user_id == actor.user_id, Notice.read_at.is_(None), SHOWN)) or 0


def own_among(actor: Actor, notice_ids: Collection[int]) -> set[int]:
    return set(db.session.scalars(
        select(Notice.id).where(Notice.user_id == actor.user_id, Notice.id.in_(notice_ids), SHOWN)))


class Thing(NamedTuple):
    """What a message is about, as it stands. `discreet`: where it takes place says something about somebody's health.
    """

    state: object
    starts_at: datetime | None
    reference: str
    discreet: bool


Things = Mapping[tuple[str, int], Thing]


def things(notices: Collection[Notice]) -> Things:
    """By kind and number; one query for each kind."""
    found: dict[tuple[str, int], Thing] = {}
    for kind, statement in _THINGS.items():
        if ids := {n.about_id for n in notices if n.about_kind == kind}:
            rows = db.session.execute(statement.where(_NUMBERS[kind].in_(ids))).tuples()
            found |= {(kind, number): Thing(state, starts_at, reference, place in DISCREET_KINDS)
                      for number, state, starts_at, reference, place in rows}
    return found


def is_true(notice: Notice, thing: Thing | None, now: datetime) -> bool:
    """Whether its news is what holds at present: the thing is in that state, at that time, and not over."""
    if notice.kind in CODES:
        return now - notice.created_at < CODES_HOLD_FOR
    if notice.about_kind not in _STATES:
        return True
    if thing is None or thing.starts_at is None or thing.state not in _STATES[notice.about_kind].get(notice.kind, ()):
        return False
    if notice.kind in _WORTH_TELLING_AFTERWARDS:
        return True
    told = notice.facts.get("starts_at")
    return thing.starts_at > now and (told is None or datetime.fromisoformat(str(told)) == thing.starts_at)


def is_still_true(notice_id: int) -> bool:
    """Asked at the last moment before it is sent."""
    notice = db.session.get(Notice, notice_id, populate_existing=True)
    if notice is None:
        return False
    return is_true(notice, things([notice]).get((notice.about_kind, notice.about_id)), clock.now())


def entries(notices: Collection[Notice]) -> Mapping[tuple[str, int], Booking | Reservation]:
    """What letters bring for a calendar, by kind and number."""
    ids = {kind: {n.about_id for n in notices if n.about_kind == kind and n.kind in WITH_ENTRY} for kind in _STATES}
    bookings = db.session.scalars(
        select(Booking).where(Booking.id.in_(ids["booking"])).options(
            joinedload(Booking.session).options(joinedload(ActivitySession.facility),
                                                joinedload(ActivitySession.space)))).all() if ids["booking"] else ()
    reservations = db.session.scalars(
        select(Reservation).where(Reservation.id.in_(ids["reservation"])).options(
            joinedload(Reservation.facility), joinedload(Reservation.space))).all() if ids["reservation"] else ()
    return {**{("booking", row.id): row for row in bookings}, **{("reservation", row.id): row for row in reservations}}


def given_up(limit: int, before: int | None = None) -> list[Delivery]:
    """For administrators, newest first."""
    found = select(Delivery).where(Delivery.state == DeliveryState.DEAD).order_by(Delivery.id.desc()).limit(limit)
    if before is not None:
        found = found.where(Delivery.id < before)
    return list(db.session.scalars(found.options(joinedload(Delivery.notice))))


def how_many_wait() -> dict[Channel, int]:
    """Messages on their way, by channel."""
    rows = db.session.execute(
        select(Delivery.channel, func.count()).where(Delivery.state.in_(OPEN)).group_by(Delivery.channel))
    return dict(rows.tuples().all())
