"""Several at once: a draw is held once, and who entered in time is in it."""

from collections.abc import Callable
from datetime import timedelta
from threading import Event, Thread

from flask import Flask
from sqlalchemy import func, select

from facilities.background import do_what_is_due
from facilities.bookings.models import Booking
from facilities.draws import services
from facilities.draws.models import Draw, DrawEntry
from facilities.engine.draws import WeightRule
from facilities.infra.db import db, unit_of_work
from facilities.infra.outbox import Notice
from facilities.kernel import clock
from tests.conftest import NOW
from tests.world import World

CLOSES = NOW + timedelta(days=1)
PATIENCE = 30.0  # seconds


def opened(world: World, capacity: int) -> Draw:
    session, manager = world.session(capacity=capacity), world.administrator()
    return unit_of_work(lambda: services.open_draw(manager.actor, [session.id], "秋季书法", CLOSES, WeightRule()))


def started(app: Flask, work: Callable[[], object], errors: list[BaseException]) -> Thread:
    def run() -> None:
        with app.app_context():
            try:
                work()
            except BaseException as error:  # noqa: BLE001 - told by the test
                errors.append(error)
            finally:
                db.session.remove()

    thread = Thread(target=run)
    thread.start()
    return thread


def test_two_workers_hold_a_draw_once(world: World) -> None:
    draw = opened(world, capacity=3)
    for _ in range(8):
        someone = world.resident()
        unit_of_work(lambda who=someone: services.enter(who.actor, draw.id, [who.resident_id]))  # type: ignore[misc]
    errors: list[BaseException] = []
    with clock.frozen(CLOSES):
        threads = [started(world.app, lambda: list(do_what_is_due()), errors) for _ in range(4)]
        for thread in threads:
            thread.join(PATIENCE)
    assert errors == []
    db.session.rollback()
    count = select(func.count())
    assert db.session.scalar(count.select_from(Booking)) == 8
    assert db.session.scalar(count.select_from(Notice).where(Notice.about_kind == "draw")) == 8
    assert db.session.scalar(count.select_from(DrawEntry).where(DrawEntry.won)) == 3


def test_who_is_still_entering_as_entries_close_is_waited_for(world: World) -> None:
    draw_id, someone = opened(world, capacity=1).id, world.resident()
    entered, may_commit = Event(), Event()
    errors: list[BaseException] = []

    def enter() -> None:
        services.enter(someone.actor, draw_id, [someone.resident_id])
        entered.set()
        assert may_commit.wait(PATIENCE)

    with clock.frozen(CLOSES - timedelta(microseconds=1)):
        entering = started(world.app, lambda: unit_of_work(enter), errors)
        assert entered.wait(PATIENCE)
    with clock.frozen(CLOSES):
        holding = started(world.app, lambda: unit_of_work(lambda: services.hold(draw_id)), errors)
        holding.join(0.5)
        assert holding.is_alive(), "it waits for the entry"
        may_commit.set()
        for thread in (entering, holding):
            thread.join(PATIENCE)
    assert errors == []
    db.session.rollback()
    assert [(e.rank, e.won) for e in db.session.scalars(select(DrawEntry))] == [(1, True)]
