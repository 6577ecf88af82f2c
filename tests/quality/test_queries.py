"""Each thing that makes figures wrong is found; what is no such thing is not."""

from datetime import date, timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import update

from facilities.bookings.sessions import cancel_session
from facilities.engine.eligibility import Sex
from facilities.engine.likeness import Likeness
from facilities.engine.roll_call import Counts, EventKind
from facilities.households.models import Resident
from facilities.households.services import register_at_desk
from facilities.infra.db import db, unit_of_work
from facilities.kernel import clock
from facilities.people.services import merge
from facilities.privacy.services import erase_residents
from facilities.programmes.models import ActivitySession
from facilities.quality import queries, services
from facilities.quality.models import WhyRight
from facilities.quality.queries import Finding
from tests.world import Someone, World

DAY = date(1961, 5, 2)


@pytest.fixture
def administrator(world: World) -> Someone:
    return world.administrator()


def at_desk(name: str = "周桂芳", born: date | None = None, phone: str | None = None, sex: Sex = Sex.FEMALE) -> int:
    return unit_of_work(lambda: register_at_desk(name, sex, born, phone)).id


def over(world: World, days: int = 3, **more: object) -> ActivitySession:
    return world.session(starts_in=-timedelta(days=days), **more)  # type: ignore[arg-type]


def number(finding: Finding, reach: frozenset[int] | None = None) -> int:
    db.session.rollback()
    return queries.numbers([finding], reach)[finding]


def listed(finding: Finding, start: int = 0, limit: int = 25) -> list[Any]:
    db.session.rollback()
    return list(queries.part(finding, None, start, limit).rows)


def ageless() -> list[tuple[int, int]]:
    db.session.rollback()
    return [(row.resident.id, row.times) for row in queries.without_birth_date(0, 25)]


def test_whoever_came_and_has_no_birth_date_is_found_the_most_frequent_first(
    world: World, administrator: Someone
) -> None:
    once, twice, never, absent = at_desk(), at_desk(), at_desk(), at_desk()
    known = world.resident()
    for session in (over(world), over(world, 4)):
        world.record(administrator, session, EventKind.WALK_IN, twice)
        world.record(administrator, session, EventKind.ABSENT, absent)
    world.record(administrator, over(world), EventKind.WALK_IN, once)
    world.record(administrator, over(world), EventKind.WALK_IN, known.resident_id)
    assert ageless() == [(twice, 2), (once, 1)]
    assert number(Finding.NO_BIRTH_DATE) == 2
    assert never not in dict(ageless())


def test_who_was_erased_or_went_into_another_record_is_not_asked_for(world: World, administrator: Someone) -> None:
    kept, gone, erased = at_desk(born=DAY), at_desk(), at_desk()
    for resident_id in (gone, erased):
        world.record(administrator, over(world), EventKind.WALK_IN, resident_id)
    assert number(Finding.NO_BIRTH_DATE) == 2
    unit_of_work(lambda: merge(administrator.actor, kept, gone, "同一人"))
    unit_of_work(lambda: erase_residents(administrator.actor, [erased]))
    assert ageless() == []


def test_a_session_that_is_over_without_a_roll_is_found_whether_booked_or_not(
    world: World, administrator: Someone
) -> None:
    booked, empty = world.session(starts_in=timedelta(hours=1)), over(world, 9)
    world.book(world.resident(), booked)
    attended, all_absent, counted, cancelled = (over(world, n) for n in (4, 5, 6, 7))
    someone = world.resident().resident_id
    world.record(administrator, attended, EventKind.WALK_IN, someone)
    world.record(administrator, all_absent, EventKind.ABSENT, someone)
    world.record(administrator, counted, EventKind.HEAD_COUNT, counts=Counts(women=3))
    unit_of_work(lambda: cancel_session(administrator.actor, cancelled.id, "停电"))
    assert [s.id for s in queries.without_roll(None, 0, 25)] == [empty.id]
    with clock.frozen(booked.ends_at + queries.OVER_SINCE):
        assert number(Finding.NO_ROLL) == 1, "until then it may still be on its way"
    with clock.frozen(booked.ends_at + queries.OVER_SINCE + timedelta(seconds=1)):
        assert [s.id for s in queries.without_roll(None, 0, 25)] == [booked.id, empty.id], "the latest first"
    here = frozenset({booked.facility_id})
    assert queries.without_roll(here, 0, 25) == [], "of other facilities nothing"


@pytest.mark.parametrize(
    ("capacity", "heads", "named", "is_found"),
    [
        pytest.param(20, 31, 0, True, id="half as many again and one"),
        pytest.param(20, 30, 0, False, id="exactly half as many again"),
        pytest.param(20, 29, 2, True, id="with those who are named"),
        pytest.param(10, 20, 0, True, id="ten above"),
        pytest.param(10, 19, 0, False, id="nine above a small group"),
        pytest.param(100, 140, 0, False, id="forty above a large one"),
    ],
)
def test_far_more_people_than_places_are_found_from_where_the_constants_say(
    world: World, administrator: Someone, capacity: int, heads: int, named: int, is_found: bool
) -> None:
    session = over(world, capacity=capacity)
    world.record(administrator, session, EventKind.HEAD_COUNT, counts=Counts(women=heads - 5, children=3, men=2))
    for _ in range(named):
        world.record(administrator, session, EventKind.WALK_IN, world.resident().resident_id)
    found = [(row.session.id, row.people) for row in queries.crowded(None, 0, 25)]
    assert found == ([(session.id, heads + named)] if is_found else [])
    assert number(Finding.CROWDED) == is_found
    assert number(Finding.CROWDED, frozenset()) == 0


def test_what_was_accepted_is_asked_about_again_once_the_number_changes(world: World, administrator: Someone) -> None:
    session = over(world, capacity=10)
    world.record(administrator, session, EventKind.HEAD_COUNT, counts=Counts(women=30))
    unit_of_work(lambda: services.accept(administrator.actor, session.id, WhyRight.OPEN_EVENT))
    assert number(Finding.CROWDED) == 0
    world.record(administrator, session, EventKind.WALK_IN, world.resident().resident_id)
    assert number(Finding.CROWDED) == 1
    unit_of_work(lambda: services.accept(administrator.actor, session.id, WhyRight.OTHER))
    assert number(Finding.CROWDED) == 0


def pairs() -> list[tuple[int, int, Likeness]]:
    return [(row.first.id, row.second.id, row.likeness) for row in listed(Finding.LIKELY_TWICE)]


def test_records_that_look_alike_are_found_by_birth_date_and_by_phone(world: World, administrator: Someone) -> None:
    one, two = at_desk("陈晓梅", DAY), at_desk("陈小梅", DAY)
    three, four = at_desk("张建国", None, "13900001111"), at_desk("张建国", date(1950, 1, 1), "13900001111")
    at_desk("陈晓梅", DAY, sex=Sex.MALE)
    at_desk("陈晓梅", date(1961, 5, 3))
    at_desk("张小妹", None, "13900001111")
    assert pairs() == [(three, four, Likeness.SAME_PHONE), (one, two, Likeness.SAME_SOUND)], "the newest first"
    assert number(Finding.LIKELY_TWICE) == 2
    unit_of_work(lambda: services.tell_apart(administrator.actor, two, one))
    assert pairs() == [(three, four, Likeness.SAME_PHONE)]
    unit_of_work(lambda: merge(administrator.actor, three, four, "同一人"))
    assert pairs() == []


def test_who_was_told_apart_is_forgotten_with_the_record(world: World, administrator: Someone) -> None:
    one, two = at_desk("陈晓梅", DAY), at_desk("陈晓梅", DAY)
    unit_of_work(lambda: services.tell_apart(administrator.actor, one, two))
    unit_of_work(lambda: erase_residents(administrator.actor, [one]))
    assert db.session.query(services.DifferentPersons).count() == 0


def test_lists_come_in_parts_and_each_row_once(world: World, app: Flask) -> None:
    for _ in range(4):
        at_desk("陈晓梅", DAY)
    parts = [[(r.first.id, r.second.id) for r in listed(Finding.LIKELY_TWICE, start, 4)] for start in (0, 4)]
    assert [len(part) for part in parts] == [4, 2]
    assert len({pair for part in parts for pair in part}) == 6
    unit_of_work(lambda: db.session.execute(update(Resident).values(birth_date=None)))
    assert pairs() == []
