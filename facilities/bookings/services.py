"""The verbs about promises: book a place, give it back, call a session off. Every way to a place goes through here."""

from collections.abc import Mapping

from sqlalchemy import insert, select, update

from facilities.bookings import queries
from facilities.bookings.models import FOLLOWS_THE_ROLL, LIVE, ROLL_TAKEN, Booking, BookingState
from facilities.engine.deadlines import check_bookable, check_cancellable
from facilities.engine.eligibility import Candidate, check_eligible
from facilities.households import queries as households
from facilities.households import services as households_services
from facilities.households.models import Resident
from facilities.infra.db import db
from facilities.kernel import clock
from facilities.kernel.actors import Actor
from facilities.kernel.ids import new_reference
from facilities.kernel.refusals import NotVisible, Refusal, Refused, raise_if
from facilities.programmes import queries as programmes
from facilities.programmes import services as sessions
from facilities.programmes.models import ActivitySession, SessionStatus


def book_place(actor: Actor, session_id: int, resident_id: int) -> Booking:
    """One place for one resident of the actor's household.

    NotVisible where the session or the resident is not the actor's to name. Refused: `session_cancelled`,
    `booking_not_open`, `booking_closed`, `not_eligible`, `already_booked`, `overlaps_own_booking`, `session_full`.
    """
    link = households.guardianship_of(actor, resident_id)
    session = programmes.session(session_id)
    if link is None or session is None:
        raise NotVisible
    raise_if(why_not(session, link.resident))
    if clash := queries.clash(resident_id, session):
        raise Refused("already_booked" if clash.same_session else "overlaps_own_booking")
    _take_place(session)
    session = programmes.session(session_id) or session  # its row is ours now: what it says holds until the commit
    raise_if(why_not(session, link.resident))
    return _promise(actor, session, resident_id)


def why_not(session: ActivitySession, resident: Resident) -> Refusal | None:
    """Why this resident cannot book this session now, other bookings and free places left aside."""
    if session.is_cancelled:
        return Refusal("session_cancelled")
    day = clock.local_date(session.starts_at)
    return (check_bookable(session.booking_window, clock.now())
            or check_eligible(session.audience, Candidate(resident.birth_date, resident.sex), day))


def _take_place(session: ActivitySession) -> None:
    """One conditional statement, so that the last place goes to one taker however many come at once."""
    taken = db.session.execute(
        update(ActivitySession)
        .where(ActivitySession.id == session.id, ActivitySession.status != SessionStatus.CANCELLED,
               ActivitySession.places_taken < ActivitySession.capacity)
        .values(places_taken=ActivitySession.places_taken + 1)
        .returning(ActivitySession.starts_at), execution_options={"synchronize_session": False}).first()
    if taken is None:
        status = db.session.scalar(select(ActivitySession.status).where(ActivitySession.id == session.id))
        raise Refused("session_cancelled" if status is SessionStatus.CANCELLED else "session_full")


def _promise(actor: Actor, session: ActivitySession, resident_id: int) -> Booking:
    """The span is read by the database from the session's own row: it may have moved a moment ago."""
    span = select(
        ActivitySession.id, ActivitySession.starts_at, ActivitySession.ends_at).where(ActivitySession.id == session.id)
    session_id, starts_at, ends_at = db.session.execute(span).one()
    booking_id = db.session.execute(insert(Booking).values(
        reference=new_reference(), session_id=session_id, starts_at=starts_at, ends_at=ends_at,
        resident_id=resident_id, state=BookingState.CONFIRMED, created_at=clock.now(), booked_by=actor.user_id,
    ).returning(Booking.id)).scalar_one()
    booking = queries.own_booking(actor, booking_id)
    if booking is None:
        raise NotVisible
    return booking


def cancel_booking(actor: Actor, booking_id: int) -> Booking:
    """Give the place back. A second time answers the same and frees nothing more. Refused `cancellation_closed`."""
    booking = queries.own_booking(actor, booking_id)
    if booking is None:
        raise NotVisible
    if not booking.is_live:
        return booking
    programmes.sessions_for_update([booking.session_id])  # the session before what hangs on it: docs/locking.md
    booking = queries.own_booking(actor, booking_id) or booking
    if not booking.is_live:
        return booking
    raise_if(check_cancellable(booking.session.booking_window, clock.now(), roll_taken=booking.state in ROLL_TAKEN))
    freed = db.session.execute(
        update(Booking).where(Booking.id == booking_id, Booking.state == BookingState.CONFIRMED)
        .values(state=BookingState.CANCELLED, cancelled_at=clock.now())
        .returning(Booking.session_id), execution_options={"synchronize_session": False}).scalar()
    if freed is not None:
        db.session.execute(
            update(ActivitySession).where(ActivitySession.id == freed)
            .values(places_taken=ActivitySession.places_taken - 1),
            execution_options={"synchronize_session": False})
    return queries.own_booking(actor, booking_id) or booking


def leave_household(actor: Actor, resident_id: int, *, give_back: bool) -> None:
    """Afterwards nobody may be left who could give the resident's places back, so that is settled first.

    With `give_back` the places ahead are given back, as far as their deadlines allow; without, they refuse the leave
    (`has_places_ahead`), which is what a page does that has not asked.
    """
    ahead = queries.places_ahead(actor, resident_id, clock.now())
    if ahead and not give_back:
        raise Refused("has_places_ahead")
    for booking in ahead:
        window, ticked = booking.session.booking_window, booking.state in ROLL_TAKEN
        if check_cancellable(window, clock.now(), roll_taken=ticked) is None:
            cancel_booking(actor, booking.id)
    households_services.remove_resident(actor, resident_id)


def cancel_session(session_id: int, reason: str) -> ActivitySession:
    """Call the session off: every booking is cancelled with the reason, and the space is free again."""
    session = programmes.session_for_update(session_id)
    if session is None:
        raise NotVisible
    if session.is_cancelled:
        return session
    sessions.call_off(session, reason)
    db.session.execute(
        update(Booking).where(Booking.session_id == session_id, Booking.state.in_(LIVE))
        .values(state=BookingState.CANCELLED, cancelled_at=session.cancelled_at, cancel_reason=reason))
    session.places_taken = 0
    db.session.flush()
    return session


def delete_session(session_id: int) -> None:
    """Only what nobody has booked; anything else is cancelled, with a reason."""
    session = programmes.session_for_update(session_id)
    if session is None:
        raise NotVisible
    if queries.has_any(session_id):
        raise Refused("has_bookings")
    sessions.remove(session)


def follow_the_roll(session_id: int, states: Mapping[int, BookingState]) -> None:
    """After roll-call: who came has attended; who is not in `states` is back to confirmed."""
    for booking in db.session.scalars(
            select(Booking).where(Booking.session_id == session_id, Booking.state.in_(FOLLOWS_THE_ROLL))):
        booking.state = states.get(booking.resident_id, BookingState.CONFIRMED)
    db.session.flush()
