"""When a message that could not be sent is tried again, and when it is given up."""

from datetime import datetime, timedelta

# A provider that is down for a night is back for the last ones; what is worth nothing by then is dropped, not sent.
GAPS = tuple(timedelta(minutes=m) for m in (1, 2, 5, 15, 30, 60, 120, 240, 480))
LEASE = timedelta(minutes=3)  # how long one attempt may take before another worker takes over


def next_attempt(attempts: int, now: datetime) -> datetime | None:
    """After so many that failed; None where it is given up."""
    return now + GAPS[attempts - 1] if attempts <= len(GAPS) else None
