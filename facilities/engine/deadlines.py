"""When a place can be booked and given back."""

from dataclasses import dataclass
from datetime import datetime

from facilities.kernel import clock
from facilities.kernel.refusals import Refusal


@dataclass(frozen=True, slots=True)
class BookingWindow:
    """The instants that bound a session's bookings. None opens: always; None closes: at the start."""

    starts_at: datetime
    booking_opens_at: datetime | None = None
    booking_closes_at: datetime | None = None
    cancellation_closes_at: datetime | None = None

    @property
    def closes_at(self) -> datetime:
        return self.booking_closes_at or self.starts_at

    @property
    def last_cancellation_at(self) -> datetime:
        return self.cancellation_closes_at or self.starts_at


def _shown(instant: datetime) -> str:
    """As clients see instants: in the district's time."""
    return clock.local(instant).isoformat()


def check_bookable(window: BookingWindow, now: datetime) -> Refusal | None:
    if window.booking_opens_at is not None and now < window.booking_opens_at:
        return Refusal("booking_not_open", {"booking_opens_at": _shown(window.booking_opens_at)})
    if now >= window.closes_at:
        return Refusal("booking_closed", {"booking_closes_at": _shown(window.closes_at)})
    return None


def check_cancellable(window: BookingWindow, now: datetime, *, roll_taken: bool = False) -> Refusal | None:
    """A place is given back before the deadline, and not after somebody has been ticked on it."""
    if roll_taken or now >= window.last_cancellation_at:
        return Refusal("cancellation_closed", {"cancellation_closes_at": _shown(window.last_cancellation_at)})
    return None


def check_ordered(window: BookingWindow) -> dict[str, str]:
    """What is wrong with a window that a manager typed: field → message key."""
    wrong: dict[str, str] = {}
    if window.booking_opens_at is not None and window.booking_opens_at >= window.closes_at:
        wrong["booking_opens_at"] = "opens_after_it_closes"
    return wrong
