"""Whose turn it is when a place comes free (decision 7)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from facilities.engine.deadlines import BookingWindow

OFFER_MINUTES = 120  # (our choice) how long an offered place is kept where the session does not say
LAST_CALL = timedelta(hours=2)  # (our choice) before booking closes, an empty place helps nobody


class WaitlistMode(StrEnum):
    CONFIRM = "confirm"  # the next who can be there has the place and is told
    OFFER = "offer"  # the next is asked, and the place is held meanwhile
    OFF = "off"  # nobody joins; who is on the list already keeps the turn, as with CONFIRM


@dataclass(frozen=True, slots=True)
class Party:
    """Those who are promoted together or not at all; somebody alone is a party of one. In the order of the list."""

    bookings: tuple[int, ...]
    can_come: bool = True

    @property
    def size(self) -> int:
        return len(self.bookings)


@dataclass(frozen=True, slots=True)
class Promotion:
    """`kept`: the places left are kept for a party at the head that needs more of them."""

    promoted: tuple[Party, ...] = ()
    kept: bool = False


def may_promote(window: BookingWindow, now: datetime) -> bool:
    """After booking has closed nobody is promoted but by a manager's hand."""
    return now < window.closes_at


def is_last_call(window: BookingWindow, now: datetime) -> bool:
    return now >= window.closes_at - LAST_CALL


def promote(queue: Sequence[Party], free: int, capacity: int, *, last_call: bool = False) -> Promotion:
    """In order. Who cannot come is passed over and keeps the turn; so is a party that the session could never hold.

    A party that needs more places than are free is not overtaken: what is free is kept until it fits. Only at last
    call do smaller ones behind it get what would stay empty.
    """
    promoted: list[Party] = []
    for party in queue:
        if free == 0:
            break
        if not party.can_come or party.size > capacity:
            continue
        if party.size <= free:
            promoted.append(party)
            free -= party.size
        elif not last_call:
            return Promotion(tuple(promoted), kept=True)
    return Promotion(tuple(promoted))


def offered_until(minutes: int | None, window: BookingWindow, now: datetime) -> datetime:
    return min(now + timedelta(minutes=minutes or OFFER_MINUTES), window.closes_at)
