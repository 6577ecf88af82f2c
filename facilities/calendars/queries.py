"""Reads for calendars: what a household has ahead, what a facility offers."""

from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import contains_eager, joinedload

from facilities.accounts.models import User
from facilities.bookings.models import Booking
from facilities.calendars.models import CalendarFeed
from facilities.households import queries as households
from facilities.households.models import Guardianship
from facilities.infra.db import db
from facilities.kernel.actors import Actor
from facilities.programmes.models import ActivitySession
from facilities.reservations.models import Reservation

BACK, AHEAD = timedelta(days=30), timedelta(days=365)


def feed_of(user_id: int) -> CalendarFeed | None:
    return db.session.get(CalendarFeed, user_id)


def feed_by(token_hash: str) -> tuple[CalendarFeed, User] | None:
    """None where it was taken back, or its owner can no longer sign in."""
    row = db.session.execute(
        select(CalendarFeed, User).join(User, User.id == CalendarFeed.user_id)
        .where(CalendarFeed.token_hash == token_hash, User.disabled.is_(False), User.erased_at.is_(None))).one_or_none()
    return (row[0], row[1]) if row else None


def bookings(actor: Actor, now: datetime) -> list[Booking]:
    """Of everyone for whom the actor acts, cancelled ones too, so that calendars take them away."""
    mine = select(Guardianship.resident_id).where(households.acted_for_by(actor))
    return list(db.session.scalars(
        select(Booking).join(Booking.session)
        .where(Booking.resident_id.in_(mine), Booking.starts_at > now - BACK)
        .options(contains_eager(Booking.session).joinedload(ActivitySession.facility),
                 contains_eager(Booking.session).joinedload(ActivitySession.space))
        .order_by(Booking.starts_at, Booking.id)))


def reservations(actor: Actor, now: datetime) -> list[Reservation]:
    mine = select(Guardianship.resident_id).where(households.acted_for_by(actor))
    return list(db.session.scalars(
        select(Reservation).where(Reservation.resident_id.in_(mine), Reservation.starts_at > now - BACK)
        .options(joinedload(Reservation.facility), joinedload(Reservation.space))
        .order_by(Reservation.starts_at, Reservation.id)))


def sessions_of(facility_id: int, now: datetime) -> list[ActivitySession]:
    return list(db.session.scalars(
        select(ActivitySession)
        .where(ActivitySession.facility_id == facility_id, ActivitySession.starts_at > now - BACK,
               ActivitySession.starts_at < now + AHEAD)
        .options(joinedload(ActivitySession.space), joinedload(ActivitySession.facility))
        .order_by(ActivitySession.starts_at, ActivitySession.id)))
