"""Reminded the day before and an hour before: once, of what is so, and not of what they were told just now."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from threading import Barrier

import pytest
from flask import Flask
from sqlalchemy import select

from facilities.infra.db import db, unit_of_work
from facilities.infra.outbox import Notice
from facilities.kernel import clock
from facilities.notices.reminders import remind
from tests.client import Counter as Queries
from tests.notices.ways import Kept, out
from tests.world import Someone, World


def reminders() -> Counter[tuple[str, str, int | None]]:
    db.session.rollback()
    rows = db.session.execute(select(Notice.kind, Notice.about_kind, Notice.user_id).where(
        Notice.kind.in_(("reminder_day", "reminder_hour"))))  # fmt: skip
    return Counter((kind, about, user) for kind, about, user in rows)


def at(moment: datetime) -> int:
    with clock.frozen(moment):
        return unit_of_work(remind)


def reserved(world: World, someone: Someone, starts_at: datetime) -> str:
    facility = world.facility()
    space = world.space(facility)
    wish = {"space_id": str(space.id), "resident_id": str(someone.resident_id), "purpose": "排练"}
    wish |= {"starts_at": starts_at.isoformat(), "ends_at": (starts_at + timedelta(hours=1)).isoformat()}
    return str(someone.api.post("/reservations", wish)["id"])


@pytest.mark.parametrize("about", ["booking", "reservation"])
def test_the_day_before_and_an_hour_before_and_each_once(world: World, now: datetime, about: str) -> None:
    someone, starts_at = world.resident(), now + timedelta(days=3, hours=4)  # 14:00
    if about == "booking":
        someone.ask(world.session(starts_at=starts_at))
    else:
        reserved(world, someone, starts_at)
    day, hour = starts_at - timedelta(days=1), starts_at - timedelta(hours=1)
    minute = timedelta(minutes=1)
    done = [at(moment) for moment in (now, day - minute, day, day + minute, hour - minute, hour, hour + minute)]
    assert done == [0, 0, 1, 0, 0, 1, 0]
    assert at(starts_at) == 0
    mine = someone.user.id
    assert reminders() == {("reminder_day", about, mine): 1, ("reminder_hour", about, mine): 1}


def test_a_reminder_has_the_code_for_the_door(world: World, now: datetime) -> None:
    someone, session = world.resident(), world.session(starts_at=now + timedelta(days=2), title="太极")
    booking = someone.ask(session)["items"][0]
    way = Kept()
    out(way)
    with clock.frozen(now + timedelta(days=1)):
        unit_of_work(remind)
        out(way)
    assert way.kinds == ["booked", "reminder_day"]
    assert booking["reference"] in way.sent[1].text
    assert "太极" in way.sent[1].text


def test_whoever_books_late_is_reminded_only_of_what_lies_ahead(world: World, now: datetime) -> None:
    someone = world.resident()
    someone.ask(world.session(starts_at=now + timedelta(hours=4)))
    assert at(now + timedelta(minutes=1)) == 0
    assert at(now + timedelta(hours=3)) == 1
    assert [kind for kind, *_ in reminders()] == ["reminder_hour"]


def test_whoever_was_given_a_place_within_the_day_is_not_told_twice(world: World, now: datetime) -> None:
    session, ((first, held),) = world.full_session(starts_at=now + timedelta(days=2))
    someone = world.resident()
    someone.wait(session)
    with clock.frozen(now + timedelta(days=1, minutes=30)):
        first.cancel(held)
    assert at(now + timedelta(days=1, minutes=31)) == 0
    assert reminders() == {}
    assert at(now + timedelta(days=2) - timedelta(hours=1)) == 1


def test_who_waits_or_has_cancelled_is_not_reminded(world: World, now: datetime) -> None:
    _, ((first, held),) = world.full_session(starts_at=now + timedelta(days=2), waitlist_mode="off")
    first.cancel(held)
    waiting, _ = world.full_session(starts_at=now + timedelta(days=2))
    world.resident().wait(waiting)
    assert at(now + timedelta(days=1)) == 1, "the one who has the place"


def test_what_moved_is_reminded_of_anew(world: World, now: datetime) -> None:
    someone, session = world.resident(), world.session(starts_at=now + timedelta(days=2))
    someone.ask(session)
    assert at(now + timedelta(days=1)) == 1
    later = clock.local(now + timedelta(days=4))
    with clock.frozen(now + timedelta(days=1, hours=1)):
        world.administrator().api.patch(
            f"/sessions/{session.id}",
            {"starts_at": later.isoformat(), "ends_at": (later + timedelta(hours=1)).isoformat()},
        )
    assert at(now + timedelta(days=3)) == 1
    assert reminders()[("reminder_day", "booking", someone.user.id)] == 2


def test_everyone_who_acts_for_a_child_is_reminded(world: World, now: datetime) -> None:
    mother, father = world.resident(), world.resident()
    child = world.member(mother)
    world.also_acts_for(father, child)
    mother.ask(world.session(starts_at=now + timedelta(days=2)), child)
    assert at(now + timedelta(days=1)) == 1
    assert {user for _, _, user in reminders()} == {mother.user.id, father.user.id}


def test_several_workers_at_once_remind_once(app: Flask, world: World, now: datetime) -> None:
    session = world.session(starts_at=now + timedelta(days=2), capacity=20)
    for _ in range(12):
        world.resident().ask(session)
    db.session.rollback()
    together = Barrier(4)

    def work(_: int) -> int:
        with app.app_context():
            together.wait()
            return unit_of_work(remind)

    with clock.frozen(now + timedelta(days=1)), ThreadPoolExecutor(4) as pool:
        assert sum(pool.map(work, range(4))) == 12
    assert sum(reminders().values()) == 12


def test_a_reminder_that_is_late_is_not_sent_for_what_was_cancelled_meanwhile(world: World, now: datetime) -> None:
    someone = world.resident()
    booking = someone.ask(world.session(starts_at=now + timedelta(days=2)))["items"][0]["id"]
    way = Kept()
    out(way)
    with clock.frozen(now + timedelta(days=1)):
        unit_of_work(remind)
        someone.cancel(booking)
        out(way)
    assert way.kinds == ["booked"]


def test_reminding_asks_no_more_because_there_is_more(world: World, now: datetime, queries: Queries) -> None:
    counts = []
    for day, people in ((2, 2), (4, 9)):
        sessions = [world.session(starts_at=now + timedelta(days=day, hours=n)) for n in range(people)]
        for session in sessions:
            world.resident().ask(session)
        queries.clear()
        assert at(now + timedelta(days=day - 1, hours=people)) == people
        counts.append(len(queries))
    assert counts[0] == counts[1]
