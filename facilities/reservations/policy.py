"""What residents may reserve, and what they may still change."""

from facilities.engine.deadlines import BookingWindow, check_cancellable
from facilities.kernel import clock
from facilities.kernel.refusals import Refusal
from facilities.places.models import Space
from facilities.reservations.models import Reservation, ReservationState


def can_be_reserved(space: Space) -> bool:
    """Not where a row stands for several that are alike: somebody would have to say which."""
    return space.reservable and space.quantity == 1


def why_not_cancel(reservation: Reservation) -> Refusal | None:
    """It can be given back until it begins."""
    return check_cancellable(BookingWindow(reservation.starts_at), clock.now())


def can_still_change(reservation: Reservation) -> bool:
    """For showing the buttons; the services ask again."""
    return reservation.state is ReservationState.CONFIRMED and why_not_cancel(reservation) is None
