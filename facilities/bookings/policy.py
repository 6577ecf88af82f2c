"""Who sees whose booking: those who may act for the resident, and those who run the session."""

from facilities.bookings.models import Booking, BookingState
from facilities.engine.deadlines import check_cancellable
from facilities.kernel import clock


def can_still_cancel(booking: Booking) -> bool:
    """For showing the button; the service asks again."""
    return (booking.state is BookingState.CONFIRMED and not booking.session.is_cancelled
            and check_cancellable(booking.session.booking_window, clock.now()) is None)
