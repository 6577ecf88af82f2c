"""The verbs about feedback: ask those who were there, take what they say, tell staff what was said."""

from facilities.bookings import queries as bookings
from facilities.bookings.models import Booking, BookingState
from facilities.bookings.promotion import facts_of
from facilities.engine.feedback import Summary, check_changeable, summarise
from facilities.feedback import queries
from facilities.feedback.models import Feedback
from facilities.households import queries as households
from facilities.households.models import Guardianship
from facilities.infra.db import db
from facilities.infra.outbox import tell
from facilities.kernel import clock
from facilities.kernel.actors import Actor
from facilities.kernel.refusals import NotVisible, Refused, raise_if
from facilities.programmes import queries as programmes


def attended(actor: Actor, booking_id: int) -> Booking:
    """A booking of the actor's household that can have feedback. NotVisible; Refused `not_attended`."""
    booking = bookings.own_booking(actor, booking_id)
    if booking is None:
        raise NotVisible
    if booking.state is not BookingState.ATTENDED:
        raise Refused("not_attended")
    return booking


def give(actor: Actor, booking_id: int, rating: int, words: str | None) -> Feedback:
    """Said for the first time, or instead of what was said. Refused `not_attended`, `feedback_closed`.

    Who acts for the resident is locked before the booking: an account that is being erased leaves no words behind.
    """
    booking = bookings.own_booking(actor, booking_id)
    if booking is None or not households.residents_of(actor, [booking.resident_id], to_promise=True):
        raise NotVisible
    bookings.lock_booking(booking_id)  # said twice at once, it is one answer
    attended(actor, booking_id)
    now, given = clock.now(), queries.given(booking_id)
    if given is None:
        given = Feedback(booking_id=booking_id, created_at=now)
        db.session.add(given)
    raise_if(check_changeable(given.created_at, now))
    given.rating, given.words = rating, words
    db.session.flush()
    return given


def ask(session_id: int) -> None:
    """Once for each session, under its lock: whoever is ticked off later is not asked.

    Who has said something already is left alone, and so is who has no account: nobody could answer.
    """
    session = programmes.session_to_book(session_id, lock=True)
    if session is None or session.feedback_asked_at is not None:
        return
    session.feedback_asked_at = clock.now()
    whom = bookings.whom(Booking.session_id == session_id, Booking.state == BookingState.ATTENDED,
                         Guardianship.user_id.is_not(None), queries.has_not_answered())
    tell("feedback", "booking", whom, facts_of(session))
    db.session.flush()


def said_of(session_id: int) -> Summary | None:
    """For who runs the session; None where it is too little to show."""
    return summarise(queries.answers(session_id))
