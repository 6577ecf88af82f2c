"""Clients that do as a telephone does whose connection breaks: the same request again, under the same key."""

import contextlib
import http.client
import json
import random
import threading
import time
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from benchmarks.drill.ledger import Cancel, Kind, Ledger, Promise
from benchmarks.people import token_of

API = "/api/v1"
PATIENCE = 15.0  # seconds for one answer
REPLAYS = 0.1  # of the answered requests are sent again, as if the answer had been lost
DOUBLE_TAPS = 0.1  # of the promises are asked for on two connections at once, with one key
BOOKING_REFUSALS = {"session_full", "waitlist_full", "already_booked", "overlaps_own_booking"}
RESERVATION_REFUSALS = {"space_taken"}
AGAIN = {"idempotency_in_progress"}


@dataclass(frozen=True)
class Abilities:
    """What the server can do today of what the contract says; the drill does without the rest and says so."""

    keys: bool
    waitlist: bool
    reservations: bool

    @property
    def missing(self) -> list[str]:
        have = {"Idempotency-Key": self.keys, "if_full: waitlist": self.waitlist,
                "POST /reservations": self.reservations}
        return [name for name, there in have.items() if not there]


@dataclass(frozen=True)
class Scene:
    """Who books what: ids, and the first of the days on which spaces are reserved."""

    residents: Sequence[int]
    sessions: Sequence[int]
    spaces: Sequence[int]
    first_day: datetime


@dataclass
class Ending:
    """When clients begin nothing new, and when they give up even on what they began."""

    stop: threading.Event = field(default_factory=threading.Event)
    give_up_at: float = float("inf")  # time.monotonic()


@dataclass(frozen=True)
class Answer:
    status: int
    body: dict[str, Any]
    tries: int

    @property
    def code(self) -> str:
        return str(self.body.get("code", ""))

    def __str__(self) -> str:
        return f"{self.status} {json.dumps(self.body, ensure_ascii=False)[:300]}"


class Caller:
    """One kept-alive connection."""

    def __init__(self, port: int, ledger: Ledger, ending: Ending, chance: random.Random) -> None:
        self.port, self.ledger, self.ending, self.chance = port, ledger, ending, chance
        self.connection: http.client.HTTPConnection | None = None

    def close(self) -> None:
        if self.connection is not None:
            self.connection.close()
            self.connection = None

    def once(self, path: str, body: dict[str, Any], resident: int, key: str) -> tuple[int, dict[str, Any]]:
        """OSError or HTTPException where the connection breaks, ValueError where the answer is no JSON."""
        if self.connection is None:
            self.connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
        self.connection.request("POST", API + path, json.dumps(body), _headers(resident, key))
        answer = self.connection.getresponse()
        return answer.status, json.loads(answer.read())

    def tap(self, path: str, body: dict[str, Any], resident: int, key: str) -> http.client.HTTPConnection:
        """The same on a connection of its own, whose answer nobody reads."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
        with contextlib.suppress(OSError):
            connection.request("POST", API + path, json.dumps(body), _headers(resident, key))
        return connection

    def insist(self, path: str, body: dict[str, Any], resident: int, key: str) -> Answer | None:
        """Until there is an answer that counts; None where the drill ends before."""
        tries = 0
        while time.monotonic() < self.ending.give_up_at:
            tries += 1
            try:
                status, content = self.once(path, body, resident, key)
            except (OSError, http.client.HTTPException, ValueError):
                self.close()
                self.ledger.count("broken")
            else:
                if status < 500 and content.get("code") not in AGAIN:
                    return Answer(status, content, tries)
                self.ledger.count("5xx" if status >= 500 else "in progress")
            time.sleep(self.chance.uniform(0.02, 0.3))
        return None


def _headers(resident: int, key: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token_of(resident)}", "Content-Type": "application/json",
            "Idempotency-Key": key}


class Client:
    """Books, cancels and reserves at random until told to stop."""

    def __init__(self, port: int, ledger: Ledger, ending: Ending, scene: Scene, abilities: Abilities,
                 seed: str) -> None:
        self.chance = random.Random(seed)
        self.ledger, self.ending, self.scene, self.abilities = ledger, ending, scene, abilities
        self.caller = Caller(port, ledger, ending, self.chance)

    def run(self) -> None:
        verbs: list[tuple[Callable[[], object], int]] = [(self.book, 10), (self.cancel_booking, 5)]
        if self.abilities.reservations:
            verbs += [(self.reserve, 4), (self.cancel_reservation, 2)]
        try:
            while not self.ending.stop.is_set():
                self.chance.choices([v for v, _ in verbs], [weight for _, weight in verbs])[0]()
        finally:
            self.caller.close()

    # -- the verbs

    def book(self, session: int | None = None, resident: int | None = None, if_full: str | None = None) -> Promise:
        promise = Promise(Kind.BOOKING, str(uuid.uuid4()), session or self.chance.choice(self.scene.sessions),
                          resident or self.chance.choice(self.scene.residents))
        body: dict[str, Any] = {"session_id": str(promise.target), "resident_ids": [str(promise.resident)]}
        if if_full or self.abilities.waitlist:
            body["if_full"] = if_full or self.chance.choice(("refuse", "waitlist"))
        self._promise(promise, "/bookings", body, BOOKING_REFUSALS, lambda content: content["items"][0])
        return promise

    def reserve(self) -> Promise:
        """On the half-hour, for an hour or two, so that spans touch and overlap."""
        starts_at = self.scene.first_day + timedelta(days=self.chance.randrange(7),
                                                     minutes=30 * self.chance.randrange(18, 36))
        promise = Promise(Kind.RESERVATION, str(uuid.uuid4()), self.chance.choice(self.scene.spaces),
                          self.chance.choice(self.scene.residents), starts_at,
                          starts_at + timedelta(hours=self.chance.choice((1, 2))))
        body = {"space_id": str(promise.target), "resident_id": str(promise.resident), "purpose": "排练",
                "starts_at": starts_at.isoformat(), "ends_at": (promise.ends_at or starts_at).isoformat()}
        self._promise(promise, "/reservations", body, RESERVATION_REFUSALS, lambda content: content)
        return promise

    def cancel_booking(self) -> None:
        self._cancel(Kind.BOOKING)

    def cancel_reservation(self) -> None:
        self._cancel(Kind.RESERVATION)

    # -- how they are sent

    def _promise(self, promise: Promise, path: str, body: dict[str, Any], refusals: set[str],
                 made: Callable[[dict[str, Any]], dict[str, Any]]) -> None:
        self.ledger.open(promise)
        other = None
        if self.abilities.keys and self.chance.random() < DOUBLE_TAPS:
            other = self.caller.tap(path, body, promise.resident, promise.key)
        answer = self.caller.insist(path, body, promise.resident, promise.key)
        if other is not None:
            other.close()
        if answer is None:
            self.ledger.count("unanswered")
            return
        promise.tries = answer.tries
        if answer.status == 201:
            shown = made(answer.body)
            self.ledger.acknowledge(promise, int(shown["id"]), shown.get("reference"), shown["status"])
        elif answer.status == 409 and answer.code in refusals:
            promise.refusal = answer.code
            self.ledger.count("refused")
        else:
            promise.refusal = answer.code or str(answer.status)
            self.ledger.complain(f"unexpected answer to {promise}: {answer}")
        self._replay(answer, path, body, promise)

    def _cancel(self, kind: Kind) -> None:
        promise = self.ledger.take_live(kind, self.chance)
        if promise is None:
            return
        path, key = f"/{kind.value}/{promise.number}/cancel", str(uuid.uuid4())
        answer = self.caller.insist(path, {}, promise.resident, key)
        if answer is None:
            self.ledger.count("unanswered")
            return
        if answer.status == 200 and answer.body.get("status") == "cancelled":
            promise.cancel = Cancel.ACKNOWLEDGED
            self.ledger.count("cancels")
        else:
            self.ledger.complain(f"unexpected answer to the cancellation of {promise}: {answer}")
        self._replay(answer, path, {}, promise, key)

    def _replay(self, first: Answer, path: str, body: dict[str, Any], promise: Promise, key: str | None = None) -> None:
        """The stored answer again, or the key has done something twice."""
        if not self.abilities.keys or self.chance.random() > REPLAYS or self.ending.stop.is_set():
            return
        again = self.caller.insist(path, body, promise.resident, key or promise.key)
        if again is None:
            return
        self.ledger.count("replays")
        same = (again.status, again.code) == (first.status, first.code)
        if not same or (first.status < 300 and again.body != first.body):
            self.ledger.complain(f"{promise}: the key answered {first}, and later {again}")


def find_abilities(port: int, paths: set[str], ledger: Ledger, scene: Scene, session: int, residents: tuple[int, int],
                   ) -> Abilities:
    """Ask for what may not be there yet, on a session with one place and by residents who do nothing else."""
    ending = Ending(give_up_at=time.monotonic() + PATIENCE)
    client = Client(port, ledger, ending, scene, Abilities(keys=False, waitlist=False, reservations=False), "probe")
    first = client.book(session, residents[0], "refuse")
    if first.number is None:
        raise RuntimeError(f"POST /bookings does not work: {ledger.complaints or first.refusal}")
    body = {"session_id": str(session), "resident_ids": [str(residents[0])], "if_full": "refuse"}
    again = client.caller.insist("/bookings", body, residents[0], first.key)
    listed = client.book(session, residents[1], "waitlist")
    client.caller.close()
    ledger.complaints.clear()  # what is not there is no violation
    return Abilities(keys=again is not None and again.status == 201, waitlist=listed.number is not None,
                     reservations=any(path.endswith("/reservations") for path in paths))
