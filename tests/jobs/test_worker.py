"""The worker as it is run: processes of their own, on both databases, killed and ended."""

import os
import signal
import time
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import select

from facilities.infra.db import db
from facilities.infra.outbox import Notice
from facilities.jobs.models import Job, JobRun
from facilities.kernel import clock
from tests import commands
from tests.conftest import NOW
from tests.stores import Store
from tests.world import World

WITHIN = 60.0  # seconds: a busy machine starts Python slowly

Start = Callable[[], commands.Running]


@pytest.fixture
def start(app: Flask, store: Store, tmp_path: Path) -> Iterator[Start]:
    """Workers at the app's 'now', which stands still; each is ended by its own process id.

    They are given keys: started in the same moment, both would make them.
    """
    (tmp_path / "now").write_text(NOW.isoformat())
    environment = {**os.environ, "DATABASE_URL": store.url, "HUIMIN_ENV": "test", "HUIMIN_INSTANCE": str(tmp_path)}
    environment |= {"HUIMIN_NOTICE_DIR": str(tmp_path / "out"), "HUIMIN_CLOCK_FILE": str(tmp_path / "now")}
    environment["IDENTITY_KEYS"] = ",".join(app.config["HUIMIN_SETTINGS"].identity_keys)
    started: list[commands.Running] = []

    def begin() -> commands.Running:
        process = commands.start("worker", environment=environment, log=tmp_path / f"worker-{len(started)}.log")
        started.append(process)
        return process

    yield begin
    for process in started:
        if process.poll() is None:
            process.kill()
        process.wait(timeout=WITHIN)


def until(what: Callable[[], bool]) -> None:
    deadline = time.monotonic() + WITHIN
    while not what():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.1)
        db.session.rollback()


def sent(folder: Path) -> list[str]:
    return [path.name for path in (folder / "out").glob("*.json")]


def test_two_workers_at_once_do_each_thing_once_and_a_frozen_clock_stops_nobody(
    world: World, start: Start, tmp_path: Path
) -> None:
    with clock.frozen(NOW - timedelta(days=1)):
        session = world.session(capacity=8, starts_at=NOW + timedelta(hours=23))
        for _ in range(8):
            world.resident().ask(session)
    db.session.rollback()
    first, second = start(), start()
    until(lambda: len(sent(tmp_path)) == 16)
    time.sleep(6)  # one more turn of each job
    db.session.rollback()
    told = Counter(db.session.scalars(select(Notice.kind)))
    assert told == {"booked": 8, "reminder_day": 8}
    assert len(sent(tmp_path)) == 16
    runs = db.session.scalars(select(JobRun).where(JobRun.job == "reminders")).all()
    assert [run.done for run in runs] == [8]
    rows = {row.name: row for row in db.session.scalars(select(Job))}
    assert {"sessions_settled", "messages_sms", "data_forgotten", "reminders"} <= set(rows)
    db.session.rollback()
    for process in (first, second):
        process.send_signal(signal.SIGTERM)
    assert [process.wait(timeout=WITHIN) for process in (first, second)] == [0, 0]


def test_a_worker_that_was_killed_is_followed_by_one_that_goes_on(world: World, start: Start, tmp_path: Path) -> None:
    db.session.rollback()
    killed = start()
    until(lambda: len(db.session.scalars(select(Job)).all()) > 5)
    killed.kill()
    killed.wait(timeout=WITHIN)
    world.resident().ask(world.session())
    db.session.rollback()
    start()
    until(lambda: len(sent(tmp_path)) == 1)
