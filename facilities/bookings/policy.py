"""Who sees whose booking: those who may act for the resident, and those who run the session."""

from facilities.bookings.models import Booking, BookingState
from facilities.engine.deadlines import check_cancellable
from facilities.engine.waitlist import WaitlistMode
from facilities.kernel import clock
from facilities.programmes.models import ActivitySession


def can_still_cancel(booking: Booking) -> bool:
    """For showing the button; the service asks again. A list can be left at any time."""
    if booking.state is BookingState.WAITLISTED:
        return not booking.session.is_cancelled
    return (booking.state is BookingState.CONFIRMED and not booking.session.is_cancelled
            and check_cancellable(booking.session.booking_window, clock.now()) is None)


def has_list(session: ActivitySession) -> bool:
    """For showing the button: somebody can still be put on the waitlist."""
    longest = session.waitlist_capacity
    return session.waitlist_mode is not WaitlistMode.OFF and (longest is None or session.waiting < longest)


def is_full_for_newcomers(session: ActivitySession) -> bool:
    """Whoever waits comes first: a place that is kept for a party is nobody else's."""
    return session.places_left == 0 or session.waiting > 0
