"""A calendar as somebody else's program reads it: by vobject, which has nothing in common with what wrote it."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import vobject


@dataclass
class Event:
    uid: str
    sequence: int
    status: str
    summary: str
    starts_at: datetime
    ends_at: datetime
    location: str
    description: str
    url: str
    alarms: int


def read(content: bytes) -> list[Event]:
    """Also what the standard asks of the bytes: CR LF, lines of 75 octets at most, no character cut in two."""
    lines = content.split(b"\r\n")
    assert lines[-1] == b""
    assert not [line for line in lines if b"\n" in line or b"\r" in line or len(line) > 75]
    assert all(line.decode("utf-8") is not None for line in lines)
    calendar: Any = vobject.readOne(content.decode("utf-8"))
    return [_event(event) for event in calendar.contents.get("vevent", [])]


def method(content: bytes) -> str:
    calendar: Any = vobject.readOne(content.decode("utf-8"))
    return str(calendar.method.value)


def _event(event: Any) -> Event:
    def said(name: str) -> str:
        return str(event.contents[name][0].value) if name in event.contents else ""

    return Event(
        said("uid"),
        int(said("sequence")),
        said("status"),
        said("summary"),
        event.dtstart.value,
        event.dtend.value,
        said("location"),
        said("description"),
        said("url"),
        len(event.contents.get("valarm", [])),
    )


@dataclass
class Client:
    """A calendar that follows: of each UID it keeps what has the highest SEQUENCE, and shows what is not cancelled."""

    kept: dict[str, Event] = field(default_factory=dict)

    def get(self, content: bytes) -> "Client":
        for event in read(content):
            known = self.kept.get(event.uid)
            if known is None or event.sequence >= known.sequence:
                self.kept[event.uid] = event
        return self

    @property
    def shown(self) -> list[Event]:
        return [event for event in self.kept.values() if event.status != "CANCELLED"]
