"""Reads about what was promised, through who may see it."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import ColumnElement, Select, and_, literal, or_, select, tuple_
from sqlalchemy.orm import contains_eager, joinedload

from facilities.bookings.models import LIVE, OCCUPYING, Booking, BookingState
from facilities.households.models import Guardianship, Resident
from facilities.infra.db import db
from facilities.kernel.actors import Actor
from facilities.programmes.models import ActivitySession


class Clash(NamedTuple):
    """A live booking of the resident that stands in the way."""

    session_id: int
    same_session: bool


def clash(resident_id: int, session: ActivitySession) -> Clash | None:
    """The booking of the same session before any that overlaps."""
    found = db.session.scalars(
        select(Booking.session_id).where(
            Booking.resident_id == resident_id,
            or_(
                and_(Booking.session_id == session.id, Booking.state.in_(LIVE)),
                and_(Booking.state.in_(OCCUPYING), Booking.starts_at < session.ends_at,
                     Booking.ends_at > session.starts_at),
            ))).all()
    if not found:
        return None
    same = session.id in found
    return Clash(session.id if same else found[0], same)


def _acted_for(actor: Actor) -> ColumnElement[bool]:
    return Booking.resident_id.in_(select(Guardianship.resident_id).where(Guardianship.user_id == actor.user_id))


def _whole() -> Select[tuple[Booking]]:
    return (select(Booking).join(Booking.session)
            .options(contains_eager(Booking.session).joinedload(ActivitySession.facility),
                     contains_eager(Booking.session).joinedload(ActivitySession.programme),
                     contains_eager(Booking.session).joinedload(ActivitySession.space),
                     joinedload(Booking.resident))
            .execution_options(populate_existing=True))


def own_booking(actor: Actor, booking_id: int) -> Booking | None:
    return db.session.scalar(_whole().where(Booking.id == booking_id, _acted_for(actor)))


def own_bookings(actor: Actor, *, limit: int | None = None, after: tuple[datetime, int] | None = None,
                 ) -> list[Booking]:
    """By the sessions' start, soonest first, past and cancelled ones too."""
    found = _whole().where(_acted_for(actor)).order_by(Booking.starts_at, Booking.id)
    if after is not None:
        moment, number = after
        found = found.where(tuple_(Booking.starts_at, Booking.id) > tuple_(
            literal(moment, Booking.starts_at.type), literal(number, Booking.id.type)))
    return list(db.session.scalars(found.limit(limit)))


def next_booking(actor: Actor, now: datetime) -> Booking | None:
    return db.session.scalar(
        _whole().where(_acted_for(actor), Booking.state == BookingState.CONFIRMED, Booking.ends_at > now)
        .order_by(Booking.starts_at, Booking.id).limit(1))


def places_ahead(actor: Actor, resident_id: int, now: datetime) -> list[Booking]:
    """In the order of their sessions' ids, which is the order of locking."""
    return list(db.session.scalars(
        _whole().where(Booking.resident_id == resident_id, Booking.state.in_(LIVE), Booking.ends_at > now,
                       _acted_for(actor)).order_by(Booking.session_id)))


def live_in_session(actor: Actor, session_id: int) -> dict[int, Booking]:
    """The household's live bookings in one session, by resident."""
    rows = db.session.scalars(
        select(Booking).where(Booking.session_id == session_id, Booking.state.in_(LIVE), _acted_for(actor)))
    return {row.resident_id: row for row in rows}


def roster(session_id: int) -> list[Booking]:
    """Everyone who holds a place, by name."""
    return list(db.session.scalars(
        select(Booking).join(Booking.resident).options(contains_eager(Booking.resident))
        .where(Booking.session_id == session_id, Booking.state.in_(OCCUPYING))
        .order_by(Resident.name, Booking.id)))


def has_any(session_id: int) -> bool:
    return db.session.scalar(select(Booking.id).where(Booking.session_id == session_id).limit(1)) is not None


def of_sessions(session_ids: Sequence[int]) -> list[Booking]:
    """The places that the roll call is about."""
    return list(db.session.scalars(
        select(Booking).where(Booking.session_id.in_(session_ids), Booking.state.in_(OCCUPYING))))


def residents_by_reference(wanted: Iterable[tuple[int, str]]) -> dict[tuple[int, str], int]:
    """From (session, reference) to the resident whose booking it is."""
    references = {reference.upper() for _, reference in wanted}
    rows = db.session.execute(
        select(Booking.session_id, Booking.reference, Booking.resident_id)
        .where(Booking.reference.in_(references), Booking.state.in_(OCCUPYING)))
    return {(session_id, reference): resident_id for session_id, reference, resident_id in rows}
