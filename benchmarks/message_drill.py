"""The message drill: people book and cancel while the provider of text messages has a bad day and the worker is killed.

    python -m benchmarks.message_drill [--database postgresql|sqlite] [--messages 1000] [--hang 60] [--sabotage]

Afterwards every message of a booking that stands has reached its phone, all repeats of one had the same reference,
nothing was sent for a booking after its cancelling was answered, and no booking took a second. The app's clock runs
faster than the machine's, so that what is tried again after an hour comes within the drill. The last line is `drill`,
a tab, and name=value pairs. Exit 0: no violation; 1: violations, listed. `--sabotage` tampers with what is looked at:
exit 1 where all of it was seen, 3 where some was not.
"""

import argparse
import http.client
import json
import os
import random
import sys
import tempfile
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

from sqlalchemy import Engine, create_engine, text

from benchmarks import people, processes
from benchmarks.messages.gateway import KEY, Arrival, Gateway
from benchmarks.postgresql import Cluster, create_database
from benchmarks.processes import Server
from facilities.kernel import clock

CLIENTS, KILLS = 4, 10
IN_FLIGHT = 1.0  # seconds that a message may be on its way when the cancelling is answered
CANCELLED, CANCELS_WITHIN = 0.15, 6.0  # of the bookings; seconds afterwards
ENDS_WITHIN = 330.0  # seconds, once nobody books or kills any more
HURRY = 2.5  # how much faster the clock runs from then on: what failed often waits for hours
SHOWN = 20


@dataclass
class Ledger:
    """What the clients were told: bookings by phone, when a cancelling was answered, how long a booking took."""

    bookings: dict[str, str] = field(default_factory=dict)
    cancelled_at: dict[str, float] = field(default_factory=dict)
    took: list[float] = field(default_factory=list)


@dataclass
class FastClock:
    """The app's 'now' from nine in the morning on, so many times as fast as the machine's."""

    file: Path
    factor: float

    def __post_init__(self) -> None:
        self._now = clock.at(clock.today()) + timedelta(hours=9)
        self._last, self._over = time.monotonic(), threading.Event()
        self._write()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        while not self._over.wait(0.05):
            self._write()

    def _write(self) -> None:
        now = time.monotonic()
        self._now += timedelta(seconds=self.factor * (now - self._last))
        self._last = now
        part = self.file.with_suffix(".part")
        part.write_text(self._now.isoformat(), encoding="ascii")
        part.replace(self.file)

    def stop(self) -> None:
        self._over.set()
        self._thread.join()


def phone_of(person: int) -> str:
    return f"139{person - people.FIRST:08}"


def set_the_scene(engine: Engine, messages: int) -> int:
    """Residents with phones, and a session with room for all."""
    session = people.FIRST
    starts_at = clock.at(clock.today() + timedelta(days=30)) + timedelta(hours=10)
    with engine.begin() as connection:
        people.add_people(connection, people.FIRST, messages)
        connection.execute(text("UPDATE users SET login = :phone WHERE id = :id"), [
            {"phone": phone_of(n), "id": n} for n in range(people.FIRST, people.FIRST + messages)])
        facility = people.add_facility(connection)
        people.add_sessions(connection, facility, [(session, messages, starts_at, timedelta(hours=1))])
    return session


class Client:
    """Somebody after somebody else books, and some of them cancel a little later."""

    def __init__(self, port: int, session: int, ledger: Ledger, chance: random.Random) -> None:
        self.port, self.session, self.ledger, self.chance = port, session, ledger, chance

    def run(self, residents: range, pause: float) -> None:
        for person in residents:
            began = time.monotonic()
            answer = self._post(person, "/bookings", {
                "session_id": str(self.session), "resident_ids": [str(person)]})
            self.ledger.took.append(time.monotonic() - began)
            booking = answer["items"][0]["id"]
            self.ledger.bookings[phone_of(person)] = booking
            if self.chance.random() < CANCELLED:
                threading.Timer(self.chance.uniform(0, CANCELS_WITHIN), self._cancel, (person, booking)).start()
            time.sleep(self.chance.uniform(0, 2 * pause))

    def _cancel(self, person: int, booking: str) -> None:
        self._post(person, f"/bookings/{booking}/cancel", None)
        self.ledger.cancelled_at[phone_of(person)] = time.monotonic()

    def _post(self, person: int, path: str, body: object) -> dict[str, list[dict[str, str]]]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        try:
            connection.request("POST", f"/api/v1{path}", json.dumps(body) if body else None, {
                "Content-Type": "application/json", "Authorization": f"Bearer {people.token_of(person)}"})
            response = connection.getresponse()
            said: dict[str, list[dict[str, str]]] = json.loads(response.read())
            if response.status >= 300:
                raise RuntimeError(f"POST {path}: {response.status} {said}")
            return said
        finally:
            connection.close()


def kill_the_worker(worker: Server, times: int, seconds: float, chance: random.Random) -> int:
    """So often within so many seconds, and always started again."""
    for _ in range(times):
        time.sleep(chance.uniform(0.5, 1.5) * seconds / times)
        worker.kill()
        worker.start()
    return times


def states(engine: Engine) -> Counter[str]:
    with engine.connect() as connection:
        rows = connection.execute(text("SELECT state, count(*) FROM deliveries GROUP BY state")).all()
        undispatched = connection.execute(text("SELECT count(*) FROM notices WHERE dispatched_at IS NULL")).scalar_one()
    return Counter(dict(map(tuple, rows)) | {"undispatched": undispatched})


def violations(ledger: Ledger, gateway: Gateway, ends: Counter[str], slowest: float) -> list[tuple[str, str]]:
    found = [("unsigned", reference) for reference in gateway.wrong]
    found += [("not ended", f"{state}: {ends[state]}") for state in ("waiting", "accepted", "dead", "undispatched")
              if ends[state]]
    reached = set(gateway.delivered.values())
    found += [("lost", phone) for phone in ledger.bookings if phone not in reached and phone not in ledger.cancelled_at]
    references: dict[str, set[str]] = {}
    for arrival in gateway.arrivals:
        references.setdefault(arrival.recipient, set()).add(arrival.reference)
        cancelled = ledger.cancelled_at.get(arrival.recipient)
        if cancelled is not None and arrival.at > cancelled + IN_FLIGHT:
            found.append(("sent after it was cancelled", f"{arrival.recipient}, {arrival.at - cancelled:.1f} s"))
    found += [("another reference", phone) for phone, known in references.items() if len(known) > 1]
    found += [("slow", f"{took:.2f} s") for took in ledger.took if took > slowest]
    return found


def tamper(ledger: Ledger, gateway: Gateway) -> set[str]:
    """With what is looked at: each kind of violation once."""
    stands = [phone for phone in ledger.bookings if phone not in ledger.cancelled_at]
    gateway.delivered = {r: phone for r, phone in gateway.delivered.items() if phone != stands[0]}
    gateway.arrivals.append(Arrival(0.0, stands[1], "another"))
    gone = next(iter(ledger.cancelled_at))
    gateway.arrivals.append(Arrival(time.monotonic() + 60, gone, "late"))
    ledger.took.append(3600.0)
    return {"lost", "another reference", "sent after it was cancelled", "slow"}


def drill(options: argparse.Namespace, seed: int) -> int:
    chance, ledger = random.Random(seed), Ledger()
    cluster = Cluster() if options.database == "postgresql" else None
    server = worker = gateway = hands = None
    expected: set[str] = set()
    with tempfile.TemporaryDirectory(prefix="huimin-messages.") as folder:
        try:
            url = f"sqlite:///{folder}/drill.sqlite3"
            if cluster is not None:
                cluster.start()
                url = create_database(cluster.url, "huimin_messages")
            environ = processes.environment(url, Path(folder) / "instance", workers=2)
            processes.manage(environ, "db", "upgrade")
            engine = create_engine(url)
            session = set_the_scene(engine, options.messages)
            gateway = Gateway(int(environ["PORT"]), random.Random(f"{seed} gateway"))
            environ |= {"HUIMIN_SMS_URL": gateway.address, "HUIMIN_SMS_KEY": KEY,
                        "HUIMIN_CLOCK_FILE": os.path.join(folder, "now")}
            hands = FastClock(Path(folder) / "now", options.factor)
            server = Server(environ, Path(folder) / "server.log")
            worker = Server(environ, Path(folder) / "worker.log", ("facilities.cli", "worker"))
            server.start()
            server.wait()
            worker.start()
            kills = run(options, session, ledger, gateway, worker, server.port, chance)
            hands.factor *= HURRY
            ends = wait_for_the_end(engine)
            say_what_is_open(engine)
            worker.stop()
            server.stop()
            if options.sabotage:
                expected = tamper(ledger, gateway)
            found = violations(ledger, gateway, ends, options.slowest)
            engine.dispose()
        finally:
            for process in (worker, server):
                if process is not None:
                    process.stop()
            if gateway is not None:
                gateway.stop()
            if hands is not None:
                hands.stop()
            if cluster is not None:
                cluster.remove()
    return report(options, seed, ledger, gateway, ends, kills, found, expected)


def run(options: argparse.Namespace, session: int, ledger: Ledger, gateway: Gateway, worker: Server, port: int,
        chance: random.Random) -> int:
    each = options.messages // CLIENTS
    pause = options.seconds / max(each, 1)
    with ThreadPoolExecutor(CLIENTS) as pool:
        clients = [pool.submit(
            Client(port, session, ledger, random.Random(f"{chance.random()}")).run,
            range(people.FIRST + n * each, people.FIRST + (n + 1) * each), pause) for n in range(CLIENTS)]
        hang = threading.Timer(options.seconds / 3, lambda: setattr(
            gateway, "hangs_until", time.monotonic() + options.hang))
        hang.start()
        kills = kill_the_worker(worker, options.kills, max(options.seconds, options.hang), chance)
        for client in clients:
            client.result()
    time.sleep(CANCELS_WITHIN + 1)
    return kills


def wait_for_the_end(engine: Engine) -> Counter[str]:
    deadline = time.monotonic() + ENDS_WITHIN
    while time.monotonic() < deadline:
        ends = states(engine)
        if not any(ends[state] for state in ("waiting", "accepted", "undispatched")):
            return ends
        time.sleep(0.5)
    return states(engine)


def say_what_is_open(engine: Engine) -> None:
    with engine.connect() as connection:
        for row in connection.execute(text(
                "SELECT id, state, attempts, due_at, failure FROM deliveries WHERE ended_at IS NULL LIMIT 5")):
            print("open:", *row)


def report(options: argparse.Namespace, seed: int, ledger: Ledger, gateway: Gateway, ends: Counter[str], kills: int,
           found: list[tuple[str, str]], expected: set[str]) -> int:
    for rule, what in found[:SHOWN]:
        print(f"violation: {rule}: {what}")
    unseen = expected - {rule for rule, _ in found}
    if expected:
        print(f"SABOTAGE NOT SEEN: {', '.join(sorted(unseen))}" if unseen else "sabotage seen")
    took = sorted(ledger.took)
    print("drill", *(f"{name}={value}" for name, value in {
        "database": options.database, "seed": seed, "messages": len(ledger.bookings),
        "cancelled": len(ledger.cancelled_at), "arrivals": len(gateway.arrivals),
        "repeats": len(gateway.arrivals) - len({a.reference for a in gateway.arrivals}),
        "delivered": len(gateway.delivered), "receipts": gateway.receipts, "kills": kills,
        **{f"gateway_{fault}": number for fault, number in sorted(gateway.faults.items())},
        **{f"ended_{state}": number for state, number in sorted(ends.items()) if number},
        "median_ms": round(took[len(took) // 2] * 1000), "slowest_ms": round(took[-1] * 1000),
        "violations": len(found),
    }.items()), sep="\t", flush=True)
    if unseen:
        return 3
    return 1 if found else 0


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--database", choices=("sqlite", "postgresql"), default="postgresql")
    parser.add_argument("--messages", type=int, default=1000)
    parser.add_argument("--seconds", type=float, default=90.0, help="in which people book and the worker is killed")
    parser.add_argument("--kills", type=int, default=KILLS, help="how often the worker is killed meanwhile")
    parser.add_argument("--hang", type=float, default=60.0, help="seconds for which the provider answers nobody")
    parser.add_argument("--factor", type=float, default=40.0, help="how fast the app's clock runs")
    parser.add_argument("--slowest", type=float, default=1.0, help="seconds that a booking may take")
    parser.add_argument("--seed", type=int, default=None)
    parser.add_argument("--sabotage", action="store_true", help="prove that violations are seen: must exit 1")
    options = parser.parse_args()
    seed = random.SystemRandom().randrange(10**6) if options.seed is None else options.seed
    with processes.hard_deadline(options.seconds + options.hang + ENDS_WITHIN + 120):
        return drill(options, seed)


if __name__ == "__main__":
    sys.exit(main())
