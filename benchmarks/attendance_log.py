"""The event log: one log of five devices with wrong clocks, sent several times and in no order, is always one state.

    python -m benchmarks.attendance_log [--events 10000] [--shuffles 100] [--database sqlite|postgresql|both] [--seed N]

Each shuffle goes through the app's own service in batches of at most 1,000, into a database as it was before. What
the app makes of it is read by SQL and compared with a recount that shares no code with it. The last line is `log`, a
tab, and name=value pairs separated by tabs. Exit 0: no violation; 1: violations, listed. `--sabotage` changes one row
of one projection in each database before it is read for the last time: exit 1 where it was seen, 3 where it was not.
"""

import argparse
import hashlib
import random
import shutil
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from flask import Flask

from benchmarks import people, processes
from benchmarks.postgresql import Cluster, create_database
from benchmarks.roll import log as logs
from benchmarks.roll import scene
from benchmarks.roll.recount import State, recount
from config import Settings
from facilities.app import create_app
from facilities.infra.db import db
from facilities.kernel import clock

DATABASES = ("sqlite", "postgresql")
MOST = 1000  # events of one call
SHOWN = 20
TOLD_EVERY = 60.0  # seconds, so that a long drill is seen to go on


@dataclass
class Findings:
    """What was seen in one database; `states` are the distinct ones, by their digest."""

    shuffles: int = 0
    sends: int = 0
    outcomes: Counter[str] = field(default_factory=Counter)
    states: Counter[str] = field(default_factory=Counter)
    violations: list[str] = field(default_factory=list)


def digest(state: State) -> str:
    return hashlib.sha256(repr(sorted(state.items())).encode()).hexdigest()[:12]


def differences(found: State, wanted: State) -> list[str]:
    return [f"{what} of session {session}, resident {resident}: {found.get(key)}; recounted: {wanted.get(key)}"
            for key in sorted(found.keys() | wanted.keys()) if found.get(key) != wanted.get(key)
            for what, session, resident in [key]]


def play(reset: Callable[[], None], log: logs.Log, shuffles: int, chance: random.Random, most: int = MOST,
         last: Callable[[], None] = lambda: None) -> Findings:
    """Every shuffle into the database as `reset` leaves it; inside the app's context. `last`: before the last look."""
    findings, wanted, told = Findings(), recount(log), time.monotonic()
    for number in range(1, shuffles + 1):
        if time.monotonic() > told + TOLD_EVERY:
            told = time.monotonic()
            print(f"{number - 1} of {shuffles} shuffles, {len(findings.violations)} violations", flush=True)
        db.session.remove()
        db.engine.dispose()
        reset()
        with clock.frozen(logs.NOW):
            with db.engine.begin() as connection:
                scene.set_the_scene(connection, log)
            arrivals = logs.sent(log.happenings, chance)
            outcomes, wrong = scene.tell(log, logs.batches(arrivals, most, chance))
        if number == shuffles:
            last()
        with db.engine.connect() as connection:
            found = scene.read_state(connection)
        findings.shuffles, findings.sends = number, findings.sends + len(arrivals)
        findings.outcomes += outcomes
        findings.states[digest(found)] += 1
        findings.violations += [f"shuffle {number}: {w}" for w in wrong + differences(found, wanted)]
    return findings


@contextmanager
def database(kind: str, folder: Path) -> Iterator[tuple[Flask, Callable[[], None]]]:
    """The app on a database that its migrations made, and how it becomes again as they left it."""
    cluster = Cluster() if kind == "postgresql" else None
    try:
        if cluster is not None:
            cluster.start()
            empty, url = create_database(cluster.url, "huimin_empty"), create_database(cluster.url, "huimin_log")
        else:
            empty, url = f"sqlite:///{folder}/empty.sqlite3", f"sqlite:///{folder}/log.sqlite3"
        environment = processes.environment(empty, folder / "instance")
        processes.manage(environment, "db", "upgrade")

        def reset() -> None:
            if cluster is not None:
                create_database(cluster.url, "huimin_log", template="huimin_empty")
                return
            for leftover in folder.glob("log.sqlite3*"):
                leftover.unlink()
            shutil.copyfile(folder / "empty.sqlite3", folder / "log.sqlite3")

        app = create_app(replace(Settings.read(environment), database_url=url))
        with app.app_context():
            try:
                yield app, reset
            finally:
                db.session.remove()
                db.engine.dispose()
    finally:
        if cluster is not None:
            cluster.remove()


def drill(kind: str, log: logs.Log, shuffles: int, seed: int, *, sabotage: bool) -> tuple[Findings, bool]:
    """What was found; and whether damage was done that nobody saw."""
    chance = random.Random(f"{seed} {kind}")

    def damage() -> None:
        with db.engine.begin() as connection:
            print(f"damaged: {scene.damage(connection, chance.choice(list(scene.DAMAGES)), chance)}", flush=True)

    with tempfile.TemporaryDirectory(prefix="huimin-log.") as folder, database(kind, Path(folder)) as (_, reset):
        began = time.monotonic()
        findings = play(reset, log, shuffles, chance, last=damage if sabotage else lambda: None)
    took = time.monotonic() - began
    for violation in findings.violations[:SHOWN]:
        print(f"violation: {kind}: {violation}")
    if len(findings.violations) > SHOWN:
        print(f"… and {len(findings.violations) - SHOWN} more")
    print(f"{kind}: {shuffles} shuffles, {findings.sends} events sent, {dict(findings.outcomes)}, "
          f"states {dict(findings.states)}, {took:.0f} s ({took / shuffles:.2f} s each)", flush=True)
    return findings, sabotage and not findings.violations


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--events", type=int, default=10_000)
    parser.add_argument("--shuffles", type=int, default=100)
    parser.add_argument("--database", choices=(*DATABASES, "both"), default="both")
    parser.add_argument("--seed", type=int, default=None, help="of the log, the shuffles and the damage")
    parser.add_argument("--sabotage", action="store_true", help="prove that violations are seen: must exit 1")
    chosen = parser.parse_args()
    seed = random.SystemRandom().randrange(10**6) if chosen.seed is None else chosen.seed
    kinds = DATABASES if chosen.database == "both" else (chosen.database,)
    log = logs.make(chosen.events, people.FIRST, random.Random(seed))
    print(f"seed {seed}: {len(log.meetings)} sessions, {len(log.residents)} residents, {dict(log.kinds())}", flush=True)
    print(f"recount: {digest(recount(log))}", flush=True)
    with processes.hard_deadline(len(kinds) * (120 + chosen.shuffles * (2 + chosen.events / 200))):
        done = [drill(kind, log, chosen.shuffles, seed, sabotage=chosen.sabotage) for kind in kinds]
    states = {state for findings, _ in done for state in findings.states}
    violations = sum(len(findings.violations) for findings, _ in done)
    unseen = any(not_seen for _, not_seen in done)
    if unseen:
        print("SABOTAGE NOT SEEN")
    print("log", *(f"{name}={value}" for name, value in {
        "database": chosen.database, "seed": seed, "events": chosen.events, "shuffles": chosen.shuffles,
        "sessions": len(log.meetings), "devices": len(logs.DEVICES), "sends": sum(f.sends for f, _ in done),
        "states": len(states), "violations": violations}.items()), sep="\t", flush=True)
    if unseen:
        return 3
    return 1 if violations else 0


if __name__ == "__main__":
    sys.exit(main())
