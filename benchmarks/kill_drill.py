"""The kill drill: clients book, cancel and reserve, while the server and the database are killed under them.

    python -m benchmarks.kill_drill [--database postgresql|sqlite] [--seconds 60] [--seed N] [--sabotage]

Afterwards the database is read by SQL: whatever was acknowledged is there, nothing is there twice, nothing is over.
The last line is `drill`, a tab, and name=value pairs separated by tabs. Exit 0: no violation; 1: violations, listed.
`--sabotage` then damages the database and reads it again: exit 3 where some of the damage is not seen.
"""

import argparse
import json
import random
import sys
import tempfile
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

from sqlalchemy import Engine, create_engine

from benchmarks import people, processes
from benchmarks.drill.check import violations
from benchmarks.drill.clients import Client, Ending, Scene, find_abilities
from benchmarks.drill.ledger import Ledger
from benchmarks.drill.sabotage import damage
from benchmarks.postgresql import Cluster, create_database
from benchmarks.processes import Server
from facilities.kernel import clock

RESIDENTS, SLOTS, SPACES = 48, 12, 4
CLIENTS = 12
PAUSES = (0.3, 1.5)  # seconds between two kills
QUIET = 25.0  # seconds in which everything must be answered once the killing is over
SHOWN = 20


@dataclass
class Killer:
    """Kills by a shuffled deck, so that a short drill meets every kind too."""

    server: Server
    cluster: Cluster | None
    chance: random.Random
    kills: Counter[str] = field(default_factory=Counter)
    restarts: int = 0

    def run(self, seconds: float, at_least: int) -> None:
        """For so long, and on a slow machine until so many kills are done."""
        until = time.monotonic() + seconds
        deck: list[str] = []
        while True:
            time.sleep(self.chance.uniform(*PAUSES))
            if time.monotonic() >= until and self.kills.total() >= at_least:
                return
            if not deck:
                deck = ["worker"] * 4 + ["server"] + (["backend", "backend", "postmaster"] if self.cluster else [])
                self.chance.shuffle(deck)
            what = deck.pop()
            if getattr(self, f"kill_{what}")():
                self.kills[what] += 1

    def kill_worker(self) -> bool:
        workers = self.server.workers()
        return bool(workers) and processes.kill(self.chance.choice(workers))

    def kill_server(self) -> bool:
        self.server.kill()
        time.sleep(self.chance.uniform(0, 0.3))
        self.server.start()
        self.server.wait()
        self.restarts += 1
        return True

    def kill_backend(self) -> bool:
        """PostgreSQL then throws out every client and recovers from its log."""
        backends = self.cluster.backends() if self.cluster else []
        return bool(backends) and processes.kill(self.chance.choice(backends))

    def kill_postmaster(self) -> bool:
        if self.cluster is None:
            return False
        self.cluster.kill()
        time.sleep(self.chance.uniform(0, 0.3))
        self.cluster.start()
        self.restarts += 1
        return True


def set_the_scene(engine: Engine) -> tuple[Scene, int, tuple[int, int]]:
    """Fewer places than residents, two sessions at each time, a hall with two rooms beside two rooms.

    The scene; and a session with one place and two residents that are used to ask what the server can do.
    """
    first, probe = people.FIRST, people.FIRST + 900
    first_day = clock.at(clock.today() + timedelta(days=3))
    hour = timedelta(hours=1)
    sessions = [(first + 2 * slot + twin, 1 + (slot + 2 * twin) % 5,
                 first_day + timedelta(days=slot % 7, hours=9 + slot // 7 * 3, minutes=30 * twin), hour)
                for slot in range(SLOTS) for twin in (0, 1)]
    spaces: list[tuple[int, int | None]] = [(first, None), (first + 1, first), (first + 2, first)]
    spaces += [(first + n, None) for n in range(3, 3 + SPACES - 2)]
    with engine.begin() as connection:
        people.add_people(connection, first, RESIDENTS)
        people.add_people(connection, probe, 2)
        facility = people.add_facility(connection)
        people.add_sessions(connection, facility, [*sessions, (probe, 1, first_day + timedelta(days=20), hour)])
        people.add_spaces(connection, facility, spaces)
    scene = Scene(range(first, first + RESIDENTS), [n for n, *_ in sessions], [n for n, _ in spaces], first_day)
    return scene, probe, (probe, probe + 1)


def drill(database: str, seconds: float, seed: int, *, kills: int, workers: int, sabotage: bool,
          complete: bool) -> int:
    chance = random.Random(f"{seed} {database}")
    ledger, ending = Ledger(), Ending()
    cluster = Cluster() if database == "postgresql" else None
    server: Server | None = None
    with tempfile.TemporaryDirectory(prefix="huimin-drill.") as folder:
        try:
            url = f"sqlite:///{folder}/drill.sqlite3"
            if cluster is not None:
                cluster.start()
                url = create_database(cluster.url, "huimin_drill")
            server = Server(processes.environment(url, Path(folder) / "instance", workers=workers),
                            Path(folder) / "server.log")
            processes.manage(server.environment, "db", "upgrade")
            engine = create_engine(url)
            scene, probe_session, probe_residents = set_the_scene(engine)
            engine.dispose()
            server.start()
            server.wait()
            paths = set(json.loads(server.ask("/api/v1/openapi.json")[1])["paths"])
            abilities = find_abilities(server.port, paths, ledger, scene, probe_session, probe_residents)
            if abilities.missing:
                print(f"not there yet, and left out: {', '.join(abilities.missing)}", flush=True)
            killer = Killer(server, cluster, chance)
            clients = [Client(server.port, ledger, ending, scene, abilities, f"{seed} {n}") for n in range(CLIENTS)]
            with ThreadPoolExecutor(CLIENTS) as pool:
                running = [pool.submit(client.run) for client in clients]
                try:
                    killer.run(seconds, kills)
                finally:
                    ending.give_up_at = time.monotonic() + QUIET
                    ending.stop.set()
                for client in running:
                    client.result()
            server.stop()
            if ledger.counts["unanswered"]:
                ledger.complain(f"{ledger.counts['unanswered']} requests had no answer although nothing was killed "
                                f"for {QUIET:.0f} s; the server says:\n{server.words()}")
            found = violations(engine, ledger, keys=abilities.keys)
            expected = damage(engine, ledger, chance) if sabotage else set()
            unseen = expected - {seen.rule for seen in violations(engine, ledger, keys=abilities.keys)}
            engine.dispose()
        finally:
            if server is not None:
                server.stop()
            if cluster is not None:
                cluster.remove()
    for rule, what in found[:SHOWN]:
        print(f"violation: {rule}: {what}")
    if len(found) > SHOWN:
        print(f"… and {len(found) - SHOWN} more: {dict(Counter(v.rule for v in found))}")
    if unseen:
        print(f"SABOTAGE NOT SEEN: {', '.join(sorted(unseen))}")
    elif sabotage:
        print(f"sabotage seen: {', '.join(sorted(expected)) or 'none could be done'}")
    counts = ledger.counts
    print("drill", *(f"{name}={value}" for name, value in {
        "database": database, "seed": seed, "seconds": f"{seconds:g}",
        "acknowledged": ledger.acknowledged, "bookings": counts["bookings"], "cancels": counts["cancels"],
        "reservations": counts["reservations"], "refused": counts["refused"], "broken": counts["broken"],
        "5xx": counts["5xx"], "replays": counts["replays"], "kills": killer.kills.total(),
        **{f"{what}_kills": number for what, number in sorted(killer.kills.items())},
        "restarts": killer.restarts, "violations": len(found), "missing": ", ".join(abilities.missing) or "nothing",
    }.items()), sep="\t", flush=True)
    if found or (complete and abilities.missing):
        return 1
    return 3 if sabotage and (unseen or not expected) else 0


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--database", choices=("sqlite", "postgresql"), default="postgresql")
    parser.add_argument("--seconds", type=float, default=60.0, help="how long it is killed")
    parser.add_argument("--kills", type=int, default=0, help="how many at least, however long that takes")
    parser.add_argument("--seed", type=int, default=None, help="of what is asked and killed; when, is the machine's")
    parser.add_argument("--workers", type=int, default=2, help="processes of the server")
    parser.add_argument("--sabotage", action="store_true", help="prove that violations are seen: else exit 3")
    parser.add_argument("--complete", action="store_true", help="exit 1 where the server lacks a part of the contract")
    chosen = parser.parse_args()
    seed = random.SystemRandom().randrange(10**6) if chosen.seed is None else chosen.seed
    with processes.hard_deadline(chosen.seconds + QUIET + 150):
        return drill(chosen.database, chosen.seconds, seed, kills=chosen.kills, workers=chosen.workers,
                     sabotage=chosen.sabotage, complete=chosen.complete)


if __name__ == "__main__":
    sys.exit(main())
