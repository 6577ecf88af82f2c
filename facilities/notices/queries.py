"""Reads about messages: one's own, whose name may stand on them, and whether they are still true."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from sqlalchemy import and_, func, select

from facilities.accounts.models import User
from facilities.bookings.models import LIVE, Booking, BookingState
from facilities.engine.phones import read_phone
from facilities.households import queries as households
from facilities.households.models import Guardianship, Resident
from facilities.infra.db import db
from facilities.infra.outbox import Notice
from facilities.kernel.actors import Actor
from facilities.notices.models import Delivery, DeliveryState
from facilities.reservations.models import Reservation, ReservationState

# What a message says holds while what it is about is in one of these states.
_OF_BOOKINGS: Mapping[str, tuple[BookingState, ...]] = {
    "booked": (BookingState.CONFIRMED,), "promoted": (BookingState.CONFIRMED,), "offered": (BookingState.OFFERED,),
    "waitlisted": (BookingState.WAITLISTED,), "moved": LIVE, "offer_expired": (BookingState.EXPIRED,),
    "session_cancelled": (BookingState.CANCELLED,),
}
_OF_RESERVATIONS: Mapping[str, tuple[ReservationState, ...]] = {
    "reserved": (ReservationState.CONFIRMED,), "reservation_moved": (ReservationState.CONFIRMED,),
    "reservation_cancelled": (ReservationState.CANCELLED,),
}
CODES_HOLD_FOR = timedelta(minutes=10)
_WORTH_TELLING_AFTERWARDS = ("session_cancelled", "reservation_cancelled", "offer_expired")

# Codes are for the phone, not for whoever is signed in already.
SHOWN = Notice.kind != "code"


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


def still_true(notices: Sequence[Notice], now: datetime) -> set[int]:
    """The ids of those whose news is what holds at present: the thing is in that state, at that time, and not over."""
    bookings = _spans(Booking, [n.about_id for n in notices if n.about_kind == "booking"])
    reservations = _spans(Reservation, [n.about_id for n in notices if n.about_kind == "reservation"])
    found = set()
    for notice in notices:
        states: tuple[object, ...]
        if notice.kind == "code":
            if now - notice.created_at < CODES_HOLD_FOR:
                found.add(notice.id)
            continue
        if notice.about_kind == "booking":
            states, row = _OF_BOOKINGS.get(notice.kind, ()), bookings.get(notice.about_id)
        elif notice.about_kind == "reservation":
            states, row = _OF_RESERVATIONS.get(notice.kind, ()), reservations.get(notice.about_id)
        else:
            found.add(notice.id)
            continue
        if row is None or row[0] not in states:
            continue
        told = notice.facts.get("starts_at")
        if notice.kind in _WORTH_TELLING_AFTERWARDS or (
                row[1] > now and (told is None or datetime.fromisoformat(str(told)) == row[1])):
            found.add(notice.id)
    return found


def _spans(model: type[Booking] | type[Reservation], ids: Collection[int]) -> dict[int, tuple[object, datetime]]:
    """State and start, by id."""
    if not ids:
        return {}
    rows = db.session.execute(select(model.id, model.state, model.starts_at).where(model.id.in_(ids)))
    return {number: (state, starts_at) for number, state, starts_at in rows}


def phones(notices: Sequence[Notice]) -> dict[int, str]:
    """By message: the number of the account that it is for, else of the resident whom no account acts for."""
    rows = db.session.execute(
        select(Notice.id, User.login, Resident.phone)
        .outerjoin(User, and_(User.id == Notice.user_id, User.disabled.is_(False)))
        .outerjoin(Resident, and_(Resident.id == Notice.resident_id, Notice.user_id.is_(None)))
        .where(Notice.id.in_([n.id for n in notices])))
    found = {number: read_phone(login or phone or "") for number, login, phone in rows}
    return {number: phone for number, phone in found.items() if phone}


def given_up(limit: int) -> list[Delivery]:
    """For administrators, newest first."""
    return list(db.session.scalars(
        select(Delivery).where(Delivery.state == DeliveryState.DEAD).order_by(Delivery.id.desc()).limit(limit)))
