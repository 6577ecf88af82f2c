"""Many people at the same moment, over HTTP against several server processes, and what is left in the tables."""

import http.cookiejar
import json
import threading
import urllib.error
import urllib.parse
import urllib.request
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import lxml.html
from sqlalchemy import select, text

from facilities.bookings.models import OCCUPYING, Booking, BookingState
from facilities.infra.db import db
from facilities.kernel import clock
from facilities.programmes.models import ActivitySession
from tests.servers import Server, running
from tests.stores import Store

T = TypeVar("T")


@contextmanager
def served(store: Store, folder: Path, *, workers: int = 4) -> Iterator[Server]:
    """The app in several processes, at the test's hour."""
    db.session.remove()
    clock_file = folder / "clock"
    clock_file.write_text(clock.now().isoformat())
    with running(store.url, folder, workers=workers, HUIMIN_CLOCK_FILE=str(clock_file)) as server:
        yield server


def all_at_once(calls: Sequence[Callable[[], T]]) -> list[T]:
    """Everybody at once: the barrier opens when all are ready."""
    barrier = threading.Barrier(len(calls))

    def one(call: Callable[[], T]) -> T:
        barrier.wait(timeout=30)
        return call()

    with ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(one, calls))


def send(server: Server, token: str, method: str, path: str, body: Any = None) -> tuple[int, dict[str, Any]]:
    """Status and what was said."""
    request = urllib.request.Request(  # noqa: S310 - our own address
        f"{server.address}/api/v1{path}",
        json.dumps(body).encode() if body is not None else None,
        {"Authorization": f"Bearer {token}", "Content-Type": "application/json"},
        method=method,
    )
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310 - our own address
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as refused:
        return refused.code, json.load(refused)


def book(server: Server, token: str, session_id: int, *resident_ids: int, **more: str) -> str:
    """What became of the wish: the states of the bookings, or the code of the refusal."""
    body = {"session_id": str(session_id), "resident_ids": [str(r) for r in resident_ids], **more}
    _, said = send(server, token, "POST", "/bookings", body)
    return str(said.get("code") or "+".join(sorted(item["status"] for item in said["items"])))


class Browser:
    """Somebody who is signed in and has a session's page open."""

    def __init__(self, server: Server, login: str, password: str) -> None:
        self.address = server.address
        self.opener = urllib.request.build_opener(
            urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar()), urllib.request.ProxyHandler({})
        )
        page = self.get("/sign-in")
        self.post("/sign-in", csrf_token=self.hidden(page, "csrf_token"), login=login, password=password)

    def get(self, path: str) -> Any:
        with self.opener.open(f"{self.address}{path}", timeout=60) as answer:
            return lxml.html.document_fromstring(answer.read())

    def post(self, path: str, **fields: Any) -> str:
        """Where one lands, or the status of a refusal."""
        try:
            with self.opener.open(
                f"{self.address}{path}", urllib.parse.urlencode(fields).encode(), timeout=60
            ) as answer:
                return str(urllib.parse.urlparse(answer.url).path)
        except urllib.error.HTTPError as refused:
            return str(refused.code)

    @staticmethod
    def hidden(page: Any, name: str) -> str:
        return str(page.xpath(f"//main//input[@name='{name}']/@value")[0])


# -- what is left


@dataclass(frozen=True)
class Left:
    """A session and its live bookings, as the database has them after the storm."""

    capacity: int
    taken: int
    waiting: int
    rows: Sequence[Booking]

    @property
    def holding(self) -> list[Booking]:
        return [row for row in self.rows if row.state in OCCUPYING]

    @property
    def queue(self) -> list[Booking]:
        return [row for row in self.rows if row.state is BookingState.WAITLISTED]

    def faults(self) -> list[str]:
        """What may never be so; the negative controls show that each is seen where it is."""
        by_party: dict[str, set[bool]] = defaultdict(set)
        for row in self.rows:
            if row.party:
                by_party[row.party].add(row.state in OCCUPYING)
        residents = [row.resident_id for row in self.rows]
        wrong = {
            "over capacity": len(self.holding) > self.capacity,
            "the counter is not the rows": self.taken != len(self.holding),
            "the list's counter is not the rows": self.waiting != len(self.queue),
            "a party is split": any(len(found) > 1 for found in by_party.values()),
            "two bookings of one resident": len(residents) != len(set(residents)),
            "a place stays empty while somebody waits": bool(self.queue) and len(self.holding) < self.capacity,
        }
        return [name for name, found in wrong.items() if found]


def left_of(session_id: int) -> Left:
    db.session.rollback()
    session = db.session.get_one(ActivitySession, session_id, populate_existing=True)
    live = (*OCCUPYING, BookingState.WAITLISTED)
    rows = db.session.scalars(
        select(Booking)
        .where(Booking.session_id == session_id, Booking.state.in_(live))
        .order_by(Booking.id)
        .execution_options(populate_existing=True)
    ).all()
    return Left(session.capacity, session.places_taken, session.waiting, rows)


def forget_the_counter(column: str) -> None:
    """For a negative control: the counter of a session stays at nought, whatever the app writes into it."""
    if db.engine.dialect.name == "postgresql":
        body = f"BEGIN NEW.{column} := 0; RETURN NEW; END"
        statements = [
            f"CREATE FUNCTION forgets() RETURNS trigger LANGUAGE plpgsql AS $$ {body} $$",
            "CREATE TRIGGER forgets BEFORE UPDATE ON activity_sessions FOR EACH ROW EXECUTE FUNCTION forgets()",
        ]
    else:
        body = f"BEGIN UPDATE activity_sessions SET {column} = 0 WHERE id = NEW.id; END"
        statements = [f"CREATE TRIGGER forgets AFTER UPDATE ON activity_sessions {body}"]
    for statement in statements:
        db.session.execute(text(statement))
    db.session.commit()
