"""When somebody is reminded: the day before, and an hour before, and never in quiet hours."""

from datetime import datetime, timedelta

from facilities.engine.deliveries import QUIET, Quiet
from facilities.kernel import clock

DAY, HOUR = "reminder_day", "reminder_hour"
BEFORE = {DAY: timedelta(days=1), HOUR: timedelta(hours=1)}
# Nobody who books within the last day is reminded a day later than they should have been, or at the door.
AT_THE_LATEST = {DAY: timedelta(hours=3), HOUR: timedelta(minutes=10)}
EVENING = timedelta(minutes=30)  # before the quiet hours begin: what would come too late in the morning


def remind_at(kind: str, starts_at: datetime, quiet: Quiet = QUIET) -> datetime:
    """A day's reminder waits for the end of the quiet; an hour's would come too late, and goes the evening before."""
    moment = starts_at - BEFORE[kind]
    ends = quiet.end(moment)
    if ends is None:
        return moment
    if kind == DAY:
        return ends
    evening = clock.at(clock.local_date(ends), quiet.begins) - EVENING
    return evening if evening < moment else evening - timedelta(days=1)


def is_due(kind: str, starts_at: datetime, now: datetime, quiet: Quiet = QUIET) -> bool:
    return remind_at(kind, starts_at, quiet) <= now < starts_at - AT_THE_LATEST[kind]


def furthest(now: datetime) -> datetime:
    """Nothing that starts later is due yet."""
    return now + BEFORE[DAY]
