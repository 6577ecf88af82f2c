"""What the clients asked for and what they were told: the drill's own book, against which the database is read."""

import random
import threading
from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum


class Kind(StrEnum):
    BOOKING = "bookings"
    RESERVATION = "reservations"


class Cancel(StrEnum):
    NO = "no"
    SENT = "sent"
    ACKNOWLEDGED = "acknowledged"


@dataclass
class Promise:
    """One request for a place or a space, with one key, however often it was sent.

    `number` is set: acknowledged. `refusal` is set: refused for good. Neither: nobody knows.
    """

    kind: Kind
    key: str
    target: int  # the session or the space
    resident: int
    starts_at: datetime | None = None  # of a reservation
    ends_at: datetime | None = None
    tries: int = 0
    number: int | None = None
    reference: str | None = None
    status: str | None = None
    refusal: str | None = None
    cancel: Cancel = Cancel.NO

    def __str__(self) -> str:
        return f"{self.kind} {self.number} {self.reference} of {self.resident} for {self.target}, key {self.key}"


@dataclass
class Ledger:
    """Used by all clients at once."""

    promises: list[Promise] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    complaints: list[str] = field(default_factory=list)  # what no client may ever be answered
    _live: dict[Kind, list[Promise]] = field(default_factory=lambda: {kind: [] for kind in Kind})
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def open(self, promise: Promise) -> None:
        with self._lock:
            self.promises.append(promise)

    def acknowledge(self, promise: Promise, number: int, reference: str | None, status: str) -> None:
        with self._lock:
            promise.number, promise.reference, promise.status = number, reference, status
            self._live[promise.kind].append(promise)
            self.counts[promise.kind] += 1

    def take_live(self, kind: Kind, chance: random.Random) -> Promise | None:
        """An acknowledged promise that nobody has cancelled; from now on it is the caller's to cancel."""
        with self._lock:
            live = self._live[kind]
            if not live:
                return None
            place = chance.randrange(len(live))
            live[place], live[-1] = live[-1], live[place]
            promise = live.pop()
            promise.cancel = Cancel.SENT
            return promise

    def count(self, what: str) -> None:
        with self._lock:
            self.counts[what] += 1

    def complain(self, what: str) -> None:
        with self._lock:
            self.complaints.append(what)

    @property
    def acknowledged(self) -> int:
        """Answers that must be true afterwards: promises and cancellations."""
        return sum(self.counts[what] for what in (*Kind, "cancels"))
