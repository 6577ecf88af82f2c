"""When a message goes out: quiet hours, another attempt after a failure, a receipt that does not come."""

from dataclasses import dataclass
from datetime import datetime, time, timedelta

from facilities.engine.messages import DIRECTED, TOPIC_OF, Topic
from facilities.kernel import clock

# A provider that is down for a night is back for the last ones; what is worth nothing by then is dropped, not sent.
GAPS = tuple(timedelta(minutes=m) for m in (1, 2, 5, 15, 30, 60, 120, 240, 480))
LEASE = timedelta(minutes=3)  # how long one attempt may take before another worker takes over
RECEIPT_WITHIN = timedelta(minutes=15)  # of a provider that reports delivery: afterwards it may have lost the message

HEAD_START = timedelta(hours=2)  # (our choice) what is needed sooner than this after the quiet hours cannot wait


def next_attempt(attempts: int, now: datetime) -> datetime | None:
    """After so many that failed; None where it is given up."""
    return now + GAPS[attempts - 1] if attempts <= len(GAPS) else None


@dataclass(frozen=True, slots=True)
class Quiet:
    """From one time on the district's wall clock to another, mostly over midnight; none where they are equal."""

    begins: time
    ends: time

    def end(self, now: datetime) -> datetime | None:
        """When the quiet that holds at `now` is over; None where it does not hold."""
        wall, day = clock.local(now).time(), clock.local_date(now)
        if self.begins < self.ends:
            return clock.at(day, self.ends) if self.begins <= wall < self.ends else None
        if wall >= self.begins and self.begins != self.ends:
            return clock.at(day + timedelta(days=1), self.ends)
        return clock.at(day, self.ends) if wall < self.ends and self.begins != self.ends else None


# (our choice, domain facts section 8: no binding rule was found)
QUIET = Quiet(time(21), time(8))

_SAME_DAY = ("session_cancelled", "reservation_cancelled", "moved", "reservation_moved")
_PRESSING = (*_SAME_DAY, "booked", "promoted", "offered", "drawn", "reserved")


def held_until(kind: str, now: datetime, quiet: Quiet, starts_at: datetime | None, answer_by: datetime | None = None,
               ) -> datetime | None:
    """When a message that is ready at `now` may go, where quiet hours hold it; None where it goes at once.

    Not held: what concerns the account's safety, what is called off or moved on its own day, and what somebody has to
    know, or answer, within two hours of the end of the quiet. A reminder is never that: it was sent before, or not.
    """
    ends = quiet.end(now)
    if ends is None or kind in DIRECTED or TOPIC_OF[kind] is Topic.SECURITY:
        return None
    if kind in _SAME_DAY and starts_at is not None and clock.local_date(starts_at) == clock.local_date(now):
        return None
    needed = min((moment for moment in (starts_at, answer_by) if moment), default=None)
    return None if kind in _PRESSING and needed is not None and needed < ends + HEAD_START else ends
