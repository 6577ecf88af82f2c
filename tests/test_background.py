"""What time alone brings about: one thing that fails keeps no other from its turn, and a run is carried out once."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from functools import partial
from threading import Barrier

import pytest
from flask import Flask
from sqlalchemy import select, text

from facilities import background
from facilities.background import Job, jobs, run
from facilities.engine.roll_call import EventKind
from facilities.infra.db import db, unit_of_work
from facilities.jobs import services
from facilities.jobs.models import Job as Row
from facilities.jobs.models import JobRun
from facilities.jobs.services import Outcome
from facilities.kernel import clock
from facilities.web.parts import WORDS
from tests.conftest import NOW
from tests.world import World

MOMENT = datetime(2026, 9, 16, 19, 0, tzinfo=UTC)  # three in the morning in the district


def test_a_session_that_cannot_be_settled_keeps_no_other_from_it(
    world: World, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    sessions = [
        world.full_session(waitlist_mode="offer", offer_minutes=10, starts_in=timedelta(days=n))[0] for n in (3, 4)
    ]
    for session in sessions:
        world.resident().wait(session)
        world.administrator().api.patch(f"/sessions/{session.id}", {"capacity": 2})
    settle = background.settle_session

    def stumbles(session_id: int) -> None:
        if session_id == sessions[0].id:
            raise ZeroDivisionError("somebody's name")
        settle(session_id)

    monkeypatch.setattr(background, "settle_session", stumbles)
    with clock.frozen(NOW + timedelta(minutes=11)):
        done = list(background.do_what_is_due())
    assert ("sessions_settled", 1, 2) in done, "as long as anything is done, everything is tried again"
    assert [world.fresh(session).places_taken for session in sessions] == [2, 1]
    assert "ZeroDivisionError" in caplog.text
    assert "somebody's name" not in caplog.text


def test_what_one_job_brings_about_is_the_next_ones_work_in_the_same_run(
    app: Flask, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An offer runs out, the next is offered the place, and is told."""
    session, ((first, held),) = world.full_session(waitlist_mode="offer", offer_minutes=10)
    people = [world.resident() for _ in range(2)]
    turns = [someone.wait(session)[0] for someone in people]
    first.cancel(held)
    with clock.frozen(NOW + timedelta(minutes=11)):
        assert sum(done for name, done, _ in background.do_what_is_due() if name == "sessions_settled") == 1
        assert [someone.state(turn) for someone, turn in zip(people, turns, strict=True)] == ["expired", "offered"]
        assert sum(done for _, done, _ in background.do_what_is_due()) == 0, "a second time there is nothing to do"


def test_every_job_has_a_word(app: Flask) -> None:
    from_the_app = {job.name for job in jobs(app.config["HUIMIN_SETTINGS"])}
    assert from_the_app <= set(WORDS["job"])
    assert {f"messages_{channel}" for channel in ("sms", "email", "wechat", "platform")} <= set(WORDS["job"])


@pytest.mark.parametrize(
    ("every", "offset", "slots"),
    [
        pytest.param(timedelta(seconds=20), timedelta(), 3, id="three times a minute"),
        pytest.param(timedelta(minutes=1), timedelta(), 1, id="once a minute"),
        pytest.param(timedelta(days=1), background.NIGHT, 0, id="at night"),
    ],
)
def test_slots_follow_each_other(every: timedelta, offset: timedelta, slots: int) -> None:
    job = Job("any", every, Outcome, offset)
    first = job.slot(MOMENT)
    assert job.starts(first) == MOMENT, "three in the morning is the beginning of one"
    assert job.slot(MOMENT - timedelta(seconds=1)) == first - 1
    assert job.slot(MOMENT + timedelta(minutes=1)) - first == slots


def counted(world: World, workers: int) -> Counter[int]:
    """Several workers who all have the same three runs to do: how often each was done."""
    ran: Counter[int] = Counter()
    together = Barrier(workers)
    app = world.app

    def counts(slot: int) -> Outcome:
        ran.update([slot])
        return Outcome(1)

    def work(_: int) -> None:
        for slot in (1, 2, 3):
            with app.app_context():
                together.wait()
                background._running.clear()  # as in processes of their own
                run(Job("counting", timedelta(minutes=1), partial(counts, slot)), slot)
            together.wait()

    db.session.rollback()
    with ThreadPoolExecutor(workers) as pool:
        list(pool.map(work, range(workers)))
    return ran


def test_of_several_workers_one_has_each_run(world: World) -> None:
    assert counted(world, 4) == {1: 1, 2: 1, 3: 1}
    row = db.session.scalars(select(Row)).one()
    assert (row.name, row.slot, row.done, row.failed) == ("counting", 3, 1, 0)
    assert len(db.session.scalars(select(JobRun)).all()) == 3


def test_without_the_claim_the_same_would_be_done_several_times(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The control: the harness can see what the claim prevents."""
    monkeypatch.setattr(background, "claim", lambda *_: True)
    assert max(counted(world, 4).values()) > 1


def test_a_run_that_was_cut_off_blocks_no_later_one(world: World) -> None:
    job = Job("cut_off", timedelta(minutes=1), lambda: Outcome(1))
    assert unit_of_work(lambda: services.claim(job.name, job.every, 7, MOMENT)), "and then the worker was killed"
    run(job, 7)
    assert db.session.scalars(select(JobRun)).all() == []
    run(job, 8)
    assert db.session.scalars(select(Row.slot)).one() == 8
    assert len(db.session.scalars(select(JobRun)).all()) == 1


def test_a_job_that_fails_is_on_record_by_its_kind_alone(world: World, caplog: pytest.LogCaptureFixture) -> None:
    def stumbles() -> Outcome:
        raise ZeroDivisionError("somebody's name")

    run(Job("stumbling", timedelta(minutes=1), stumbles), 1)
    found = db.session.scalars(select(JobRun)).one()
    assert (found.failed, found.failure) == (1, "ZeroDivisionError")
    assert "somebody's name" not in caplog.text


def test_what_finds_nothing_to_do_leaves_no_entry(world: World) -> None:
    run(Job("idle", timedelta(minutes=1), Outcome), 1)
    assert db.session.scalars(select(JobRun)).all() == []
    assert db.session.scalars(select(Row.done)).one() == 0


def test_a_hanging_provider_keeps_no_other_job_from_its_turn(world: World) -> None:
    """The same job is not started beside itself in one worker; others are."""
    started, go_on = Barrier(2), Barrier(2)

    def hangs() -> Outcome:
        started.wait()
        go_on.wait()
        return Outcome(1)

    slow, quick = Job("slow", timedelta(minutes=1), hangs), Job("quick", timedelta(minutes=1), lambda: Outcome(1))

    def in_a_thread() -> None:
        with world.app.app_context():
            run(slow, 1)

    db.session.rollback()
    with ThreadPoolExecutor(1) as pool:
        hanging = pool.submit(in_a_thread)
        started.wait()
        run(slow, 2)
        run(quick, 1)
        db.session.rollback()
        assert db.session.scalars(select(JobRun.job)).all() == ["quick"]
        db.session.rollback()
        go_on.wait()
        hanging.result()


def test_old_entries_are_forgotten(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    job = Job("counting", timedelta(minutes=1), lambda: Outcome(1))
    monkeypatch.setattr(clock, "machine_time", lambda: MOMENT - timedelta(days=31))
    run(job, 1)
    monkeypatch.setattr(clock, "machine_time", lambda: MOMENT)
    run(job, 2)
    run(next(job for job in jobs(world.app.config["HUIMIN_SETTINGS"]) if job.name == "runs_forgotten"), 1)
    assert [found.job for found in db.session.scalars(select(JobRun).order_by(JobRun.id))] == [
        "counting",
        "runs_forgotten",
    ]


def test_figures_that_differ_are_a_failure(world: World) -> None:
    facility = world.facility()
    world.record(world.manager(facility), world.session(facility), EventKind.WALK_IN)
    check = next(job for job in jobs(world.app.config["HUIMIN_SETTINGS"]) if job.name == "figures_checked")
    assert check.do() == Outcome(2), "a session, and its page of the ledger"
    db.session.rollback()
    with db.engine.begin() as connection:
        connection.execute(text("UPDATE head_counts SET unnamed_walk_ins = 7"))
    assert check.do() == Outcome(1, 1, "Difference")
