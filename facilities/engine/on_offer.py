"""Whether somebody may book at all: a session's state, its window, its audience. Places are another matter."""

from dataclasses import dataclass
from datetime import datetime

from facilities.engine.deadlines import BookingWindow, check_bookable
from facilities.engine.eligibility import Audience, Candidate, check_eligible
from facilities.kernel import clock
from facilities.kernel.refusals import Refusal


@dataclass(frozen=True, slots=True)
class OnOffer:
    """A session as far as it decides who may book. The audience holds for the day on which it starts."""

    window: BookingWindow
    ends_at: datetime
    audience: Audience
    is_cancelled: bool = False
    awaits_draw: bool = False


def check_offer(offer: OnOffer, candidate: Candidate, now: datetime, *, by_hand: bool = False) -> Refusal | None:
    """`by_hand`: a manager sets window and audience aside, with a reason on record, until the session is over."""
    if offer.is_cancelled:
        return Refusal("session_cancelled")
    if offer.awaits_draw:
        return Refusal("draw_pending")
    if by_hand:
        return check_bookable(BookingWindow(offer.ends_at), now)
    return (check_bookable(offer.window, now)
            or check_eligible(offer.audience, candidate, clock.local_date(offer.window.starts_at)))
