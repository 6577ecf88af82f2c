"""What the roll-call, and its end, says of promises: who came, and who did not."""

from collections.abc import Mapping

from sqlalchemy import select, update

from facilities.bookings import queries
from facilities.bookings.models import FOLLOWS_THE_ROLL, ROLL_TAKEN, Booking, BookingState
from facilities.engine.roll_call import is_ticking_over
from facilities.infra import audit
from facilities.infra.db import db
from facilities.kernel import clock
from facilities.programmes import queries as programmes
from facilities.programmes.models import ActivitySession, SessionStatus


def follow_the_roll(session: ActivitySession, states: Mapping[int, BookingState]) -> None:
    """After roll-call, with the session's status as it says: who came has attended.

    Who is not in `states` has the place until ticking is over, and did not come from then on. So the last entry leaves
    the same whether it arrives before or after the roll is closed. The session is locked.
    """
    booked = db.session.scalars(
        select(Booking).where(Booking.session_id == session.id,
                              Booking.state.in_((*FOLLOWS_THE_ROLL, BookingState.OFFERED)))).all()
    is_taken = any(states.get(booking.resident_id) in ROLL_TAKEN for booking in booked)
    otherwise = BookingState.NO_SHOW if is_taken and _is_roll_over(session) else BookingState.CONFIRMED
    for booking in booked:
        said = states.get(booking.resident_id, otherwise)
        if booking.offer_expires_at is not None:  # an offer that nobody has answered: who is there has, by coming
            said = BookingState.ATTENDED if said is BookingState.ATTENDED else BookingState.OFFERED
        booking.state = said
    db.session.flush()


def _is_roll_over(session: ActivitySession) -> bool:
    """It was held, and nobody can be ticked off any more."""
    return session.status is SessionStatus.HELD and is_ticking_over(session.ends_at, clock.now())


def close_the_roll(session_id: int) -> None:
    """By time alone: whoever holds a place and was not ticked off did not come.

    Where nobody of those booked was ticked off, the roll was not taken, and nobody is accused. Excused stays excused.
    """
    session = programmes.session_to_book(session_id, lock=True)
    if session is None or not _is_roll_over(session) or not queries.is_roll_taken(session_id):
        return
    stayed_away = db.session.scalars(
        update(Booking).where(Booking.session_id == session_id, queries.unticked())
        .values(state=BookingState.NO_SHOW).returning(Booking.id),
        execution_options={"synchronize_session": False}).all()
    if stayed_away:
        audit.note(None, "no_show", "booking", sorted(stayed_away))
