"""A programme's limits over the API: places of a person in a week, of a household in a session."""

from datetime import date, datetime, timedelta
from typing import Any

import pytest

from facilities.engine.limits import Limits
from facilities.engine.roll_call import EventKind
from facilities.kernel import clock
from facilities.programmes.models import Programme
from tests.conftest import NOW
from tests.world import World

OR_WAIT, SEPARATELY = {"if_full": "waitlist"}, {"party": "separately"}
WEEK = {"rule": "per_resident_per_week", "limit": 2}
HOUSEHOLD = {"rule": "per_household_per_session", "limit": 2}
SUNDAY, NEXT_MONDAY = date(2026, 9, 20), date(2026, 9, 21)


@pytest.fixture
def twice_a_week(world: World) -> Programme:
    return world.programme(limits=Limits(per_resident_per_week=2))


@pytest.fixture
def two_of_a_household(world: World) -> Programme:
    return world.programme(limits=Limits(per_household_per_session=2))


def in_days(*days: float) -> list[timedelta]:
    return [timedelta(days=d) for d in days]


# -- of a person in a week


def test_a_third_place_in_the_week_is_refused_and_others_are_not_concerned(
    world: World, twice_a_week: Programme
) -> None:
    mother, (_, child) = world.family(2)
    first, second, third = (world.session(programme=twice_a_week, starts_in=d) for d in in_days(1, 2, 3))
    mother.ask(first)
    mother.ask(second)
    refused = mother.ask(third, status=409)
    assert refused["code"] == "limit_reached"
    assert {name: refused["facts"][name] for name in WEEK} == WEEK
    mother.ask(third, child)
    mother.ask(world.session(starts_in=timedelta(days=3)))


@pytest.mark.parametrize(
    ("starts_at", "allowed"),
    [
        pytest.param(clock.at(SUNDAY, datetime.min.time().replace(hour=23, minute=30)), False, id="late on Sunday"),
        pytest.param(clock.at(NEXT_MONDAY), True, id="as Monday begins"),
        pytest.param(
            clock.at(NEXT_MONDAY, datetime.min.time().replace(hour=7)), True, id="Monday, in UTC still Sunday"
        ),
    ],
)
def test_the_week_ends_with_the_districts_sunday(
    world: World, twice_a_week: Programme, starts_at: datetime, allowed: bool
) -> None:
    someone = world.resident()
    for days in in_days(1, 2):
        someone.ask(world.session(programme=twice_a_week, starts_in=days))
    last = world.session(programme=twice_a_week, starts_at=starts_at, lasts=timedelta(minutes=60))
    someone.ask(last, status=201 if allowed else 409)


def test_the_week_begins_on_monday_also_where_that_is_over(world: World, twice_a_week: Programme) -> None:
    """Two places of Monday and Tuesday, both attended or not, count on Wednesday."""
    facility, someone = world.facility(), world.resident()
    manager = world.manager(facility)
    sessions = [world.session(facility, twice_a_week, starts_in=d) for d in in_days(0.1, 0.2)]
    for session in sessions:
        someone.ask(session)
    with clock.frozen(sessions[1].ends_at):
        world.record(manager, sessions[0], EventKind.PRESENT, someone.resident_id)
        world.record(manager, sessions[1], EventKind.ABSENT, someone.resident_id)
        refused = someone.ask(world.session(facility, twice_a_week, starts_in=timedelta(days=2)), status=409)
    assert refused["code"] == "limit_reached"


def test_a_place_that_is_given_back_no_longer_counts(world: World, twice_a_week: Programme) -> None:
    someone = world.resident()
    first, second, third = (world.session(programme=twice_a_week, starts_in=d) for d in in_days(1, 2, 3))
    (held,) = someone.ask(first)["items"]
    someone.ask(second)
    someone.cancel(held["id"])
    someone.ask(third)


def test_waiting_does_not_count_before_it_is_a_place(world: World, twice_a_week: Programme) -> None:
    someone = world.resident()
    full, ((holder, held),) = world.full_session(programme=twice_a_week, starts_in=timedelta(days=1))
    (turn,) = someone.wait(full)
    second, third, fourth = (world.session(programme=twice_a_week, starts_in=d) for d in in_days(2, 3, 4))
    someone.ask(second)
    holder.cancel(held)
    assert someone.state(turn) == "confirmed"
    assert someone.ask(third, status=409)["code"] == "limit_reached"
    assert someone.ask(fourth, status=409, **OR_WAIT)["code"] == "limit_reached"


def test_a_session_that_is_moved_to_another_week_counts_there(world: World, twice_a_week: Programme) -> None:
    someone, administrator = world.resident(), world.administrator()
    moved = world.session(programme=twice_a_week, starts_in=timedelta(days=1))
    someone.ask(moved)
    someone.ask(world.session(programme=twice_a_week, starts_in=timedelta(days=2)))
    third = world.session(programme=twice_a_week, starts_in=timedelta(days=3))
    someone.ask(third, status=409)
    later = {"starts_at": (NOW + timedelta(days=7)).isoformat(), "ends_at": (NOW + timedelta(days=7.1)).isoformat()}
    administrator.api.patch(f"/sessions/{moved.id}", later)
    someone.ask(third)


# -- of a household in a session


def test_a_third_of_a_household_is_refused(world: World, two_of_a_household: Programme) -> None:
    mother, people = world.family(3)
    session = world.session(programme=two_of_a_household)
    mother.ask(session, people[0])
    (second,) = mother.ask(session, people[1])["items"]
    refused = mother.ask(session, people[2], status=409)
    assert refused["code"] == "limit_reached"
    assert {name: refused["facts"][name] for name in HOUSEHOLD} == HOUSEHOLD
    world.resident().ask(session)
    mother.ask(world.session(programme=two_of_a_household, starts_in=timedelta(days=4)), people[2])
    mother.cancel(second["id"])
    mother.ask(session, people[2])


def test_those_who_wait_count_in_a_household(world: World, two_of_a_household: Programme) -> None:
    session, _ = world.full_session(programme=two_of_a_household)
    mother, people = world.family(3)
    mother.wait(session, people[0])
    mother.wait(session, people[1])
    assert mother.ask(session, people[2], status=409, **OR_WAIT)["code"] == "limit_reached"


@pytest.mark.parametrize(
    ("more", "status"), [({"party": "together"}, 409), (SEPARATELY, 201)], ids=["together", "separately"]
)
def test_those_of_one_request_count_each_other(
    world: World, two_of_a_household: Programme, more: dict[str, str], status: int
) -> None:
    mother, people = world.family(3)
    session = world.session(programme=two_of_a_household)
    answer = mother.ask(session, *people, status=status, **more)
    if status == 409:
        assert (answer["code"], answer["facts"]) == ("limit_reached", {**HOUSEHOLD, "resident_id": str(people[2])})
        assert mother.api.get("/bookings")["items"] == []
    else:
        assert [item["resident_id"] for item in answer["items"]] == [str(p) for p in people[:2]]
        assert answer["refused"] == [{"resident_id": str(people[2]), "code": "limit_reached", "facts": HOUSEHOLD}]


def test_two_accounts_that_act_for_one_child_are_one_household(world: World, two_of_a_household: Programme) -> None:
    mother, (_, child) = world.family(2)
    father = world.resident(name="陈建国")
    world.also_acts_for(father, child)
    session = world.session(programme=two_of_a_household)
    mother.ask(session)
    father.ask(session)
    assert mother.ask(session, child, status=409)["code"] == "limit_reached"
    assert father.ask(session, child, status=409)["code"] == "limit_reached"


def test_the_order_of_the_list_makes_no_household_smaller(world: World, two_of_a_household: Programme) -> None:
    """The child's household has the father in it, the mother's own has not."""
    mother, (owner, child) = world.family(2)
    father, (_, other) = world.family(2)
    world.also_acts_for(father, child)
    session = world.session(programme=two_of_a_household)
    father.ask(session)
    father.ask(session, other)
    assert mother.ask(session, child, owner, status=409)["facts"]["resident_id"] == str(child)
    mother.ask(session, owner, child, status=409)


# -- what a programme says


def test_an_administrator_sets_limits_and_a_programme_without_them_has_none(world: World) -> None:
    administrator = world.administrator()
    body: dict[str, Any] = {"name": "亲子共读", "facility_kind": "yuhao_space"}
    limits = {"per_resident_per_week": 1, "per_household_per_session": 3}
    assert administrator.api.post("/programmes", {**body, "limits": limits})["limits"] == limits
    none = {"per_resident_per_week": None, "per_household_per_session": None}
    assert administrator.api.post("/programmes", {**body, "name": "晨练"})["limits"] == none
    for wrong in ({"per_resident_per_week": 0}, {"per_household_per_session": -1}, {"per_day": 1}):
        administrator.api.post("/programmes", {**body, "name": "夜读", "limits": wrong}, status=422)


def test_the_words_of_a_limit_say_how_many_and_what_to_do(world: World, two_of_a_household: Programme) -> None:
    mother, people = world.family(3)
    session = world.session(programme=two_of_a_household)
    mother.ask(session, *people[:2])
    said = mother.api.call(
        "POST",
        "/bookings",
        json={"session_id": str(session.id), "resident_ids": [str(people[2])]},
        headers={"Accept-Language": "en"},
        status=409,
    ).get_json()["detail"]
    assert "household" in said
    assert "2" in said
