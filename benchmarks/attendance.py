"""What it costs to send what happened: 500 events in one call, and 50 calls of one event each, over the app's server.

    python -m benchmarks.attendance [--rounds 7] [--database postgresql|sqlite] [--check]

`one session`: 500 booked, and a tick for each. `ten sessions`: the same, with 50 booked in each. `one by one`: a desk
with a network, which sends each tick as it is made, in a session with 50 booked; `the last fifty`: in one with 500 of
whom 450 are ticked off. The floor, on the same database and in the same round: one hand-written INSERT of the same
events into the same table, and a commit; for single ones, 50 of both. `--check`: exit 1 where 500 events take a second.
"""

import argparse
import http.client
import json
import os
import platform
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import Engine, create_engine, insert, text

from benchmarks import people, postgresql
from benchmarks.processes import Server, environment, hard_deadline, manage
from facilities.accounts.models import Grant
from facilities.bookings.models import Booking, BookingState
from facilities.engine.roll_call import EventKind
from facilities.kernel import clock
from facilities.kernel.actors import Role

DATABASES = ("sqlite", "postgresql")
AT_ONCE, SINGLE, SESSIONS = 500, 50, 10
LIMIT = 1.0  # seconds
MANAGER = people.FIRST - 1
KINDS = ("present",) * 17 + ("absent",) * 2 + ("excused",)
COLUMNS = ("id", "session_id", "kind", "resident_id", "late", "device", "occurred_at", "received_at", "recorded_by")
CASES = ("one session", "ten sessions", "one by one", "the last fifty")


class Failed(Exception):
    """The figures mean nothing; the text says why."""


@dataclass
class Times:
    """Seconds of each round."""

    app: list[float] = field(default_factory=list)
    floor: list[float] = field(default_factory=list)

    @property
    def ratios(self) -> list[float]:
        return [app / floor for app, floor in zip(self.app, self.floor, strict=True)]


class Desk:
    """Sessions that go on right now, each with residents of its own; what a manager sends for them."""

    def __init__(self, server: Server, engine: Engine) -> None:
        self.server, self.engine = server, engine
        self.started = clock.now() - timedelta(minutes=30)
        self.number = people.FIRST
        self.chance = random.Random(1)
        with engine.begin() as connection:
            people.add_people(connection, MANAGER, 1)
            self.facility = people.add_facility(connection)
            connection.execute(insert(Grant), [{"user_id": MANAGER, "role": Role.MANAGER, "facility_id": self.facility,
                                                "starts_at": self.started}])

    def session(self, booked: int) -> tuple[int, list[int]]:
        """A session, and the residents who are booked."""
        first, lasts = self.number, timedelta(hours=2)
        self.number += booked
        with self.engine.begin() as connection:
            people.add_people(connection, first, booked)
            people.add_sessions(connection, self.facility, [(first, booked, self.started, lasts)])
            connection.execute(text("UPDATE activity_sessions SET places_taken = capacity WHERE id = :n"), {"n": first})
            connection.execute(insert(Booking), [
                {"reference": f"B{n}", "session_id": first, "resident_id": n, "state": BookingState.CONFIRMED,
                 "starts_at": self.started, "ends_at": self.started + lasts, "created_at": self.started}
                for n in range(first, self.number)])
        return first, list(range(first, self.number))

    def ticks(self, session: int, residents: Sequence[int]) -> list[dict[str, Any]]:
        ticks = []
        for resident in residents:
            kind = self.chance.choice(KINDS)
            ticks.append({
                "id": str(uuid4()), "session_id": str(session), "kind": kind, "resident_id": str(resident),
                "late": kind == "present" and self.chance.random() < 0.1, "device": "tablet",
                "occurred_at": (self.started + timedelta(seconds=self.chance.randrange(1800))).isoformat()})
        return ticks

    def send(self, events: list[dict[str, Any]]) -> float:
        """Seconds of one call, from the first byte sent to the last one read."""
        body = json.dumps({"events": events})
        headers = {"Content-Type": "application/json", "Authorization": f"Bearer {people.token_of(MANAGER)}"}
        connection = http.client.HTTPConnection("127.0.0.1", self.server.port, timeout=60)
        try:
            connection.connect()
            began = time.perf_counter()
            connection.request("POST", "/api/v1/attendance/events", body, headers)
            response = connection.getresponse()
            said = response.read()
            took = time.perf_counter() - began
        finally:
            connection.close()
        results = json.loads(said).get("results", ())
        if response.status != 200 or [r["outcome"] for r in results] != ["recorded"] * len(events):
            raise Failed(f"{response.status} {said[:500]!r}\n{self.server.words()}")
        return took

    def insert(self, events: list[dict[str, Any]]) -> float:
        """Seconds of the floor: the same rows by one statement, and nothing follows from them."""
        marks = ", ".join(f"({', '.join(f':{column}{n}' for column in COLUMNS)})" for n in range(len(events)))
        statement = text(f"INSERT INTO attendance_events ({', '.join(COLUMNS)}) VALUES {marks}")
        values = {f"{column}{n}": value for n, event in enumerate(events)
                  for column, value in zip(COLUMNS, self._row(event), strict=True)}
        with self.engine.connect() as connection:
            statement.compile(connection)
            began = time.perf_counter()
            with connection.begin():
                connection.execute(statement, values)
            return time.perf_counter() - began

    def _row(self, event: dict[str, Any]) -> tuple[object, ...]:
        moment: object = datetime.fromisoformat(event["occurred_at"])
        number: object = UUID(event["id"])
        if self.engine.dialect.name == "sqlite":
            moment, number = event["occurred_at"][:26].replace("T", " "), UUID(event["id"]).hex
        return (number, int(event["session_id"]), event["kind"], int(event["resident_id"]), event["late"],
                event["device"], moment, moment, MANAGER)

    def verify(self, sessions: Sequence[int]) -> None:
        """Everybody who was ticked off stands in the roll, and their bookings have followed."""
        wanted = {BookingState.ATTENDED: EventKind.PRESENT, BookingState.NO_SHOW: EventKind.ABSENT,
                  BookingState.CONFIRMED: EventKind.EXCUSED}
        with self.engine.connect() as connection:
            rows = connection.execute(text(
                "SELECT b.state, a.state FROM bookings b LEFT JOIN attendances a "
                "ON a.session_id = b.session_id AND a.resident_id = b.resident_id "
                f"WHERE b.session_id IN ({', '.join(map(str, sessions))})")).all()
        wrong = [(booking, state) for booking, state in rows if wanted[booking] != state]
        if wrong or not rows:
            raise Failed(f"{len(wrong)} of {len(rows)} bookings differ from the roll, such as {wrong[:3]}")


def one_round(desk: Desk, times: dict[str, Times]) -> None:
    """Each case with sessions of its own, and its floor with others right after it."""
    sizes = {"one session": [AT_ONCE], "ten sessions": [AT_ONCE // SESSIONS] * SESSIONS}
    for case, booked in sizes.items():
        app, floor = ([desk.session(number) for number in booked] for _ in range(2))
        times[case].app.append(desk.send([tick for session in app for tick in desk.ticks(*session)]))
        times[case].floor.append(desk.insert([tick for session in floor for tick in desk.ticks(*session)]))
        desk.verify([session for session, _ in app])
    for case, booked_in_it in (("one by one", SINGLE), ("the last fifty", AT_ONCE)):
        session, residents = desk.session(booked_in_it)
        if before := residents[SINGLE:]:
            desk.send(desk.ticks(session, before))
        times[case].app.append(_each(desk.send, desk.ticks(session, residents[:SINGLE])))
        times[case].floor.append(_each(desk.insert, desk.ticks(*desk.session(SINGLE))))
        desk.verify([session])


def _each(send: Callable[[list[dict[str, Any]]], float], ticks: list[dict[str, Any]]) -> float:
    return sum(send([tick]) for tick in ticks)


def measure(database: str, url: str, rounds: int, folder: Path) -> dict[str, Times]:
    server = Server(environment(url, folder / "instance"), folder / "server.log")
    manage(server.environment, "db", "upgrade")
    engine = create_engine(url)
    try:
        server.start()
        server.wait()
        desk = Desk(server, engine)
        one_round(desk, {case: Times() for case in CASES})  # every worker warm, every statement known
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(text("ANALYZE"))
        times = {case: Times() for case in CASES}
        for _ in range(rounds):
            one_round(desk, times)
    finally:
        server.stop()
        engine.dispose()
    for case, found in times.items():
        print(f"{database:10} {case:14} {_spread(found.app)}  floor {_spread(found.floor)}  "
              f"ratio {statistics.median(found.ratios):5.1f}", flush=True)
    return times


def _spread(seconds: Sequence[float]) -> str:
    return f"{statistics.median(seconds):7.4f} s ({min(seconds):.4f}–{max(seconds):.4f})"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--database", action="append", choices=DATABASES, help="one of them only")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--check", action="store_true", help=f"exit 1 where 500 events take {LIMIT:g} s or longer")
    chosen = parser.parse_args()
    print(f"{os.cpu_count()} cores, Python {platform.python_version()}, {chosen.rounds} rounds; medians", flush=True)
    good, summary = True, {}
    try:
        with hard_deadline(120 + 60 * chosen.rounds), tempfile.TemporaryDirectory(prefix="huimin-roll.") as folder:
            for database in chosen.database or DATABASES:
                place = Path(folder) / database
                place.mkdir()
                if database == "sqlite":
                    times = measure(database, f"sqlite:///{place / 'app.sqlite3'}", chosen.rounds, place)
                else:
                    with postgresql.server() as server:
                        url = postgresql.create_database(server, "huimin_benchmark_roll")
                        try:
                            times = measure(database, url, chosen.rounds, place)
                        finally:
                            postgresql.drop_database(server, "huimin_benchmark_roll")
                for case, found in times.items():
                    summary[f"{database}_{case.replace(' ', '_')}"] = statistics.median(found.app)
                good &= all(statistics.median(times[case].app) < LIMIT for case in ("one session", "ten sessions"))
    except Failed as failed:
        print(f"FAILED: {failed}", file=sys.stderr)
        return 1
    print("roll", *(f"{name}={seconds:.4f}" for name, seconds in summary.items()), sep="\t", flush=True)
    return 0 if good or not chosen.check else 1


if __name__ == "__main__":
    sys.exit(main())
