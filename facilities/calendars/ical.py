"""iCalendar (RFC 5545): entries in, a calendar out, as the phones and mail programs of people read it.

An entry keeps its UID for life, and SEQUENCE goes up with each change that matters: a calendar replaces the old by the
new, and takes away what is cancelled. Instants are UTC, which every calendar shows in its own time.
"""

import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from icalendar import Alarm, Calendar, Event

PRODUCT = "-//Huimin//Community services of Dadukou//EN"
DOMAIN = "huimin.dadukou"  # of UIDs: the same whatever address the app has
LOOK_AGAIN = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Entry:
    """`status` is CONFIRMED, TENTATIVE or CANCELLED. `reminds`: an hour before."""

    uid: str
    sequence: int
    starts_at: datetime
    ends_at: datetime
    summary: str
    status: str = "CONFIRMED"
    location: str = ""
    description: str = ""
    url: str | None = None
    reminds: bool = False

    @property
    def is_cancelled(self) -> bool:
        return self.status == "CANCELLED"


def write(entries: Iterable[Entry], now: datetime, name: str | None = None) -> bytes:
    """`name`: of a calendar that is subscribed to. One entry alone that is cancelled says so by its method."""
    rows = list(entries)
    calendar = Calendar()
    calendar.add("prodid", PRODUCT)
    calendar.add("version", "2.0")
    calendar.add("method", "CANCEL" if name is None and all(row.is_cancelled for row in rows) else "PUBLISH")
    if name is not None:
        calendar.add("x-wr-calname", _clean(name))
        calendar.add("refresh-interval", LOOK_AGAIN, parameters={"VALUE": "DURATION"})
        calendar.add("x-published-ttl", "PT1H")
    for row in rows:
        calendar.add_component(_event(row, now))
    return bytes(calendar.to_ical())


def _event(row: Entry, now: datetime) -> Event:
    event = Event()
    event.add("uid", f"{row.uid}@{DOMAIN}")
    event.add("sequence", row.sequence)
    event.add("dtstamp", now)
    event.add("dtstart", row.starts_at)
    event.add("dtend", row.ends_at)
    event.add("summary", _clean(row.summary))
    event.add("status", row.status)
    for field, text in (("location", row.location), ("description", row.description), ("url", row.url)):
        if text:
            event.add(field, text if field == "url" else _clean(text))
    if row.reminds and not row.is_cancelled:
        alarm = Alarm()
        alarm.add("action", "DISPLAY")
        alarm.add("description", _clean(row.summary))
        alarm.add("trigger", timedelta(hours=-1))
        event.add_component(alarm)
    return event


def _clean(text: str) -> str:
    """Line ends of one kind, and no other control characters: the library escapes the rest."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n")
    return "".join(c for c in lines if c == "\n" or unicodedata.category(c) not in ("Cc", "Cs"))
