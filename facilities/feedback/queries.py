"""Reads about what people said, and where they have not been asked yet."""

from datetime import datetime

from sqlalchemy import ColumnElement, exists, select

from facilities.bookings.models import Booking, BookingState
from facilities.engine.feedback import ASKED_FROM, ASKED_UNTIL, Answer
from facilities.feedback.models import Feedback
from facilities.infra.db import db
from facilities.programmes.models import ActivitySession, SessionStatus


def given(booking_id: int) -> Feedback | None:
    return db.session.get(Feedback, booking_id, populate_existing=True)


def answers(session_id: int) -> list[Answer]:
    """Of those who were there. Whose attendance was taken back since, or counts for another record, says nothing."""
    rows = db.session.execute(
        select(Feedback.rating, Feedback.words).join(Booking, Booking.id == Feedback.booking_id)
        .where(Booking.session_id == session_id, Booking.state == BookingState.ATTENDED))
    return [Answer(*row) for row in rows]


def has_not_answered() -> ColumnElement[bool]:
    """Of bookings."""
    return ~exists().where(Feedback.booking_id == Booking.id)


def sessions_to_ask(now: datetime) -> list[int]:
    """Over for a while and not for long, with people there who booked, and not asked yet."""
    attended = exists().where(Booking.session_id == ActivitySession.id, Booking.state == BookingState.ATTENDED)
    return list(db.session.scalars(
        select(ActivitySession.id).where(
            ActivitySession.ends_at <= now - ASKED_FROM, ActivitySession.ends_at >= now - ASKED_UNTIL,
            ActivitySession.status == SessionStatus.HELD, ActivitySession.feedback_asked_at.is_(None), attended)
        .order_by(ActivitySession.id)))
