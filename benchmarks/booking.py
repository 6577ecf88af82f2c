"""What a booking costs: requests per second of the app over those of the floor, in turns within the same minute.

    python -m benchmarks.booking [--quick] [--check] [--database postgresql|sqlite] [--scenario hot|spread]

`hot`: every client wants a place in the one session that everybody wants. `spread`: a thousand sessions. Places are
plenty, so each request must be answered 201; the counters are compared with the answers afterwards. PostgreSQL is
POSTGRESQL_URL's where that is set, else one of our own, with fsync in either case; SQLite has synchronous=FULL.
"""

import argparse
import json
import os
import platform
import random
import statistics
import subprocess
import sys
import tempfile
from abc import ABC, abstractmethod
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, create_engine, text

from benchmarks import people, postgresql
from benchmarks.floor import app as floor
from benchmarks.processes import Server, environment, hard_deadline, manage
from config import ROOT
from facilities.kernel import clock

SCENARIOS = {"hot": 1, "spread": 1000}  # how many sessions
TARGETS = {"postgresql": 0.5, "sqlite": 0.4}
CAPACITY = 10_000_000
WARM_UP = 1.5  # seconds
FIRST_PEOPLE = 3000
MARGIN = 1.6  # residents that are prepared, over what the warm-up says will be booked


class Failed(Exception):
    """The figures mean nothing; the text says why."""


class Side(ABC):
    """The floor or the app: its database, its server, and how rows come into it."""

    name: str
    tables = ("activity_sessions", "bookings")
    command: tuple[str, ...] = ("facilities.cli", "serve")

    def __init__(self, url: str, folder: Path) -> None:
        self.url = url
        environ = environment(url, folder / self.name)
        self.server = Server(environ, folder / f"{self.name}.log", self.command)
        self.engine: Engine = create_engine(url)
        self.people = self.used = 0
        self.booked = 0
        self.random = random.Random(1)
        self.prepare()

    @abstractmethod
    def prepare(self) -> None:
        """Schema, and the sessions of both scenarios."""

    @abstractmethod
    def add_people(self, first: int, count: int) -> None:
        """Residents who can sign in, numbered from `first`."""

    def have_people(self, wanted: int) -> None:
        """As many residents as that who never booked anything."""
        if (missing := wanted - (self.people - self.used)) > 0:
            self.add_people(people.FIRST + self.people, missing)
            self.people += missing
        with self.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(text("ANALYZE"))

    def plan(self, sessions: Sequence[int]) -> str:
        return "\n".join(f"{people.token_of(n)} {self.random.choice(sessions)} {n}"
                         for n in range(people.FIRST + self.used, people.FIRST + self.people))

    def load(self, sessions: Sequence[int], seconds: float, clients: int) -> float:
        """Bookings per second. Failed where one of them was not answered 201."""
        done = subprocess.run(
            [sys.executable, "-m", "benchmarks.load", str(self.server.port), "--seconds", str(seconds),
             "--clients", str(clients)],
            cwd=ROOT, input=self.plan(sessions), stdout=subprocess.PIPE, text=True, check=True, timeout=seconds + 60)
        outcome: dict[str, Any] = json.loads(done.stdout)
        created = outcome["statuses"].pop("201", 0)
        if outcome["statuses"] or not created:
            raise Failed(f"{self.name}: {created} were booked, but not all: {outcome['statuses']}\n{outcome['bad']}\n"
                         f"{self.server.words()}")
        self.used += created
        self.booked += created
        return float(created / outcome["seconds"])

    def verify(self) -> None:
        """What was answered is what is there."""
        counters, rows = self.tables
        with self.engine.connect() as connection:
            taken = connection.scalar(text(f"SELECT sum(places_taken) FROM {counters}"))
            kept = connection.scalar(text(f"SELECT count(*) FROM {rows}"))
        if not taken == kept == self.booked:
            raise Failed(f"{self.name}: {self.booked} were answered 201, {taken} places are taken, {kept} rows kept")

    def close(self) -> None:
        self.server.stop()
        self.engine.dispose()


def session_ids(scenario: str) -> range:
    first = people.FIRST + (0 if scenario == "hot" else 1)
    return range(first, first + SCENARIOS[scenario])


class Floor(Side):
    name = "floor"
    tables = ("sessions", "bookings")
    command = ("benchmarks.floor.serve",)

    def prepare(self) -> None:
        floor.create_schema(self.url)
        floor.add_sessions(self.url, [(n, CAPACITY) for scenario in SCENARIOS for n in session_ids(scenario)])

    def add_people(self, first: int, count: int) -> None:
        floor.add_users(self.url, ((n, people.token_of(n)) for n in range(first, first + count)))


class App(Side):
    name = "app"

    def prepare(self) -> None:
        manage(self.server.environment, "db", "upgrade")
        starts_at, lasts = clock.now() + timedelta(days=7), timedelta(hours=1)
        with self.engine.begin() as connection:
            facility = people.add_facility(connection)
            people.add_sessions(connection, facility, [
                (n, CAPACITY, starts_at + timedelta(minutes=n - people.FIRST), lasts)
                for scenario in SCENARIOS for n in session_ids(scenario)])

    def add_people(self, first: int, count: int) -> None:
        with self.engine.begin() as connection:
            people.add_people(connection, first, count)


def compare(sides: tuple[Side, Side], scenario: str, rounds: int, seconds: float, clients: int) -> list[float]:
    """The app's rate over the floor's, one for each round; which of them is first changes with each round."""
    sessions = session_ids(scenario)
    for side in sides:
        side.have_people(FIRST_PEOPLE)
        rate = side.load(sessions, WARM_UP, clients)
        side.have_people(int(rate * seconds * rounds * MARGIN) + FIRST_PEOPLE)
    ratios = []
    rates: dict[str, list[float]] = {side.name: [] for side in sides}
    for number in range(rounds):
        for side in sides if number % 2 == 0 else sides[::-1]:
            rates[side.name].append(side.load(sessions, seconds, clients))
        ratios.append(rates["app"][-1] / rates["floor"][-1])
    for side in sides:
        side.verify()
        print(f"  {side.name:5} {statistics.median(rates[side.name]):7.0f}/s  "
              f"({min(rates[side.name]):.0f}–{max(rates[side.name]):.0f})")
    return ratios


def measure(database: str, scenarios: Sequence[str], rounds: int, seconds: float, clients: int,
            urls: tuple[str, str], folder: Path) -> bool:
    """True where each scenario meets the database's target."""
    sides: list[Side] = []
    good = True
    try:
        for kind, url in zip((Floor, App), urls, strict=True):
            sides.append(kind(url, folder))
            sides[-1].server.start()
        for side in sides:
            side.server.wait()
        if sides[0].server.ask("/readyz")[1] != b"floor":
            raise Failed("the floor's server serves the app: see benchmarks/floor/serve.py")
        for scenario in scenarios:
            print(f"{database} {scenario}", flush=True)
            ratios = compare((sides[0], sides[1]), scenario, rounds, seconds, clients)
            median, target = statistics.median(ratios), TARGETS[database]
            good &= median >= target
            print(f"  ratio {median:.2f} ({min(ratios):.2f}–{max(ratios):.2f}), wanted {target}: "
                  f"{'met' if median >= target else 'NOT MET'}", flush=True)
    finally:
        for side in sides:
            side.close()
    return good


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--database", action="append", choices=sorted(TARGETS), help="one of them only")
    parser.add_argument("--scenario", action="append", choices=sorted(SCENARIOS), help="one of them only")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=6.0, help="of each run")
    parser.add_argument("--clients", type=int, default=8)
    parser.add_argument("--quick", action="store_true", help="two rounds of two seconds")
    parser.add_argument("--check", action="store_true", help="exit 1 where a target is not met")
    chosen = parser.parse_args()
    rounds, seconds = (2, 2.0) if chosen.quick else (chosen.rounds, chosen.seconds)
    databases, scenarios = chosen.database or list(TARGETS), chosen.scenario or list(SCENARIOS)
    longest = 60 + len(databases) * (60 + len(scenarios) * (90 + rounds * (seconds + 5) * 2))
    print(f"{os.cpu_count()} cores, Python {platform.python_version()}, {chosen.clients} clients, "
          f"{rounds} rounds of {seconds:g} s", flush=True)
    good = True
    try:
        with hard_deadline(longest), tempfile.TemporaryDirectory(prefix="huimin-booking.") as folder:
            for database in databases:
                place = Path(folder) / database
                place.mkdir()
                if database == "sqlite":
                    urls = (f"sqlite:///{place / 'floor.sqlite3'}", f"sqlite:///{place / 'app.sqlite3'}")
                    good &= measure(database, scenarios, rounds, seconds, chosen.clients, urls, place)
                    continue
                names = ("huimin_benchmark_floor", "huimin_benchmark_app")
                with postgresql.server() as url:
                    made = (postgresql.create_database(url, names[0]), postgresql.create_database(url, names[1]))
                    try:
                        good &= measure(database, scenarios, rounds, seconds, chosen.clients, made, place)
                    finally:
                        for name in names:
                            postgresql.drop_database(url, name)
    except Failed as failed:
        print(f"FAILED: {failed}", file=sys.stderr)
        return 1
    return 0 if good or not chosen.check else 1


if __name__ == "__main__":
    sys.exit(main())
