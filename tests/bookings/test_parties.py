"""Several people at once: together, all or none; separately, those who can."""

from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import func, select

from facilities.background import do_what_is_due
from facilities.bookings.models import Booking
from facilities.engine.eligibility import Audience
from facilities.infra.db import db
from facilities.kernel import clock
from facilities.programmes.models import ActivitySession
from tests.world import Someone, World

TOGETHER, SEPARATELY = {"party": "together"}, {"party": "separately"}
OR_WAIT = {"if_full": "waitlist"}


def rows() -> int:
    db.session.rollback()
    return db.session.scalar(select(func.count()).select_from(Booking)) or 0


def counters(someone: Someone, session: ActivitySession) -> tuple[int, int]:
    """Places taken, people waiting."""
    seen = someone.api.get(f"/sessions/{session.id}")
    return seen["places_taken"], seen["waitlist_length"]


def statuses(answer: dict[str, Any]) -> list[str]:
    return [item["status"] for item in answer["items"]]


def codes(answer: dict[str, Any]) -> dict[str, str]:
    return {row["resident_id"]: row["code"] for row in answer["refused"]}


# -- together


@pytest.mark.parametrize("more", [{}, TOGETHER, TOGETHER | OR_WAIT], ids=["by default", "said", "would wait"])
def test_together_all_get_places_where_there_are_enough(world: World, more: dict[str, str]) -> None:
    mother, people = world.family(3)
    session = world.session(capacity=3)
    answer = mother.ask(session, *people, **more)
    assert statuses(answer) == ["confirmed"] * 3
    assert [item["resident_id"] for item in answer["items"]] == [str(p) for p in people]
    assert len({item["reference"] for item in answer["items"]}) == 3
    (party,) = {item["party"] for item in answer["items"]}
    assert party
    assert answer["refused"] == []
    assert counters(mother, session) == (3, 0)


def test_somebody_alone_is_no_party(world: World) -> None:
    someone = world.resident()
    (item,) = someone.ask(world.session(), **TOGETHER)["items"]
    assert item["party"] is None


def test_together_nobody_gets_a_place_where_one_is_missing(world: World) -> None:
    mother, people = world.family(3)
    session = world.session(capacity=2)
    assert mother.ask(session, *people, status=409)["code"] == "session_full"
    assert (rows(), counters(mother, session)) == (0, (0, 0))


@pytest.mark.parametrize(
    ("audience", "before", "code"),
    [
        pytest.param(Audience(max_age=17), None, "not_eligible", id="one is too old"),
        pytest.param(None, "booked", "already_booked", id="one is booked already"),
        pytest.param(None, "elsewhere", "overlaps_own_booking", id="one is elsewhere"),
    ],
)
def test_together_one_who_cannot_come_keeps_all_at_home_and_is_named(
    world: World, audience: Audience | None, before: str | None, code: str
) -> None:
    mother, (owner, *children) = world.family(3)
    session = world.session(audience=audience)
    if before == "booked":
        world.book(mother, session)
    elif before == "elsewhere":
        world.book(mother, world.session())
    held = rows()
    refused = mother.ask(session, *children, owner, status=409, **OR_WAIT)
    assert (refused["code"], refused["facts"]["resident_id"]) == (code, str(owner))
    assert rows() == held
    mother.ask(session, *children)


def test_together_the_whole_party_waits_and_is_promoted_whole(world: World) -> None:
    session, holders = world.full_session(capacity=3)
    mother, people = world.family(2)
    answer = mother.ask(session, *people, **OR_WAIT)
    assert statuses(answer) == ["waitlisted"] * 2
    assert [item["waitlist_position"] for item in answer["items"]] == [1, 2]
    first, second = (item["id"] for item in answer["items"])
    holders[0][0].cancel(holders[0][1])
    assert [mother.state(first), mother.state(second)] == ["waitlisted"] * 2
    assert counters(mother, session) == (2, 2)
    holders[1][0].cancel(holders[1][1])
    assert [mother.state(first), mother.state(second)] == ["confirmed"] * 2
    assert counters(mother, session) == (3, 0)


def test_together_a_party_with_too_few_places_waits_whole_and_takes_none_of_them(world: World) -> None:
    mother, people = world.family(3)
    session = world.session(capacity=3)
    world.book(world.resident(), session)
    assert statuses(mother.ask(session, *people, **OR_WAIT)) == ["waitlisted"] * 3
    assert counters(mother, session) == (1, 3)


def test_a_party_that_the_session_could_never_hold_is_not_put_on_the_list(world: World) -> None:
    mother, people = world.family(3)
    session = world.session(capacity=2)
    refused = mother.ask(session, *people, status=409, **OR_WAIT)
    assert refused["code"] == "session_full"
    assert rows() == 0


def test_a_place_that_is_kept_for_a_party_is_nobody_elses(world: World) -> None:
    """A newcomer is refused while it stands empty, and may stand behind the party."""
    session, holders = world.full_session(capacity=2)
    mother, people = world.family(2)
    mother.wait(session, *people)
    holders[0][0].cancel(holders[0][1])
    newcomer = world.resident()
    assert counters(newcomer, session) == (1, 2)
    assert newcomer.ask(session, status=409)["code"] == "session_full"
    (item,) = newcomer.ask(session, **OR_WAIT)["items"]
    assert (item["status"], item["waitlist_position"]) == ("waitlisted", 3)
    holders[1][0].cancel(holders[1][1])
    assert counters(newcomer, session) == (2, 1)
    assert newcomer.state(item["id"]) == "waitlisted"


def test_at_last_call_a_smaller_party_gets_what_would_stay_empty(world: World) -> None:
    session, holders = world.full_session(capacity=2)
    mother, people = world.family(2)
    family = mother.wait(session, *people)
    single = world.resident()
    (alone,) = single.wait(session)
    holders[0][0].cancel(holders[0][1])
    with clock.frozen(session.starts_at - timedelta(hours=2, seconds=1)):
        list(do_what_is_due())
        assert single.state(alone) == "waitlisted"
    with clock.frozen(session.starts_at - timedelta(hours=2)):
        list(do_what_is_due())
        assert single.state(alone) == "confirmed"
        assert {mother.state(booking) for booking in family} == {"waitlisted"}
        assert counters(single, session) == (2, 2)


def test_of_a_party_that_waits_one_may_leave_and_what_is_left_fits(world: World) -> None:
    session, holders = world.full_session(capacity=2)
    mother, people = world.family(2)
    first, second = mother.wait(session, *people)
    holders[0][0].cancel(holders[0][1])
    mother.cancel(first)
    assert [mother.state(first), mother.state(second)] == ["cancelled", "confirmed"]
    assert counters(mother, session) == (2, 0)


def test_of_a_party_that_has_places_one_may_cancel_alone(world: World) -> None:
    mother, people = world.family(3)
    session = world.session(capacity=3)
    ids = [item["id"] for item in mother.ask(session, *people)["items"]]
    mother.cancel(ids[1])
    assert [mother.state(i) for i in ids] == ["confirmed", "cancelled", "confirmed"]
    assert counters(mother, session) == (2, 0)


def test_a_party_of_which_one_cannot_come_any_more_is_passed_over_whole(world: World) -> None:
    session, holders = world.full_session(capacity=2)
    mother, people = world.family(2)
    family = mother.wait(session, *people)
    single = world.resident()
    (alone,) = single.wait(session)
    world.book(mother, world.session(), people[1])
    for someone, booking in holders:
        someone.cancel(booking)
    assert {mother.state(booking) for booking in family} == {"waitlisted"}
    assert single.state(alone) == "confirmed"
    assert counters(mother, session) == (1, 2)


def test_the_roster_says_who_came_together(world: World) -> None:
    facility = world.facility()
    session = world.session(facility)
    mother, people = world.family(2)
    mother.ask(session, *people)
    world.book(world.resident(), session)
    parties = [r["party"] for r in world.manager(facility).api.get(f"/sessions/{session.id}/roster")["items"]]
    assert len(parties) == 3
    assert parties.count(None) == 1
    assert len(set(parties)) == 2


# -- separately


def test_separately_the_first_in_the_list_get_what_is_free_and_the_others_are_told_why(world: World) -> None:
    mother, people = world.family(3)
    session = world.session(capacity=2)
    answer = mother.ask(session, *people, **SEPARATELY)
    assert [(i["resident_id"], i["status"], i["party"]) for i in answer["items"]] == [
        (str(people[0]), "confirmed", None),
        (str(people[1]), "confirmed", None),
    ]
    assert codes(answer) == {str(people[2]): "session_full"}
    assert counters(mother, session) == (2, 0)


def test_separately_the_others_wait_where_they_would(world: World) -> None:
    mother, people = world.family(3)
    session = world.session(capacity=1)
    answer = mother.ask(session, *people, **SEPARATELY, **OR_WAIT)
    assert statuses(answer) == ["confirmed", "waitlisted", "waitlisted"]
    assert [i["waitlist_position"] for i in answer["items"]] == [None, 1, 2]
    assert answer["refused"] == []
    mother.cancel(answer["items"][0]["id"])
    assert mother.state(answer["items"][1]["id"]) == "confirmed"
    assert mother.state(answer["items"][2]["id"]) == "waitlisted"


def test_separately_each_is_refused_for_a_reason_of_their_own(world: World) -> None:
    mother = world.resident()
    baby = world.member(mother, birth_date=date(2025, 1, 1))
    booked, elsewhere, fine = (world.member(mother) for _ in range(3))
    session = world.session(audience=Audience(3, 17))
    world.book(mother, session, booked)
    world.book(mother, world.session(), elsewhere)
    answer = mother.ask(session, baby, booked, elsewhere, fine, **SEPARATELY)
    assert [item["resident_id"] for item in answer["items"]] == [str(fine)]
    assert codes(answer) == {
        str(baby): "not_eligible",
        str(booked): "already_booked",
        str(elsewhere): "overlaps_own_booking",
    }
    facts = {row["resident_id"]: row["facts"] for row in answer["refused"]}
    assert facts[str(baby)] == {"rule": "min_age", "min_age": 3, "age": 1}


def test_separately_it_is_a_refusal_only_where_nobody_can(world: World) -> None:
    mother = world.resident()
    babies = [world.member(mother, birth_date=date(2025, 1, 1)) for _ in range(2)]
    session = world.session(audience=Audience(min_age=3))
    assert mother.ask(session, *babies, status=409, **SEPARATELY)["code"] == "not_eligible"
    full, _ = world.full_session(starts_in=timedelta(days=4))
    assert mother.ask(full, *babies, status=409, **SEPARATELY)["code"] == "session_full"
    assert rows() == 1


def test_separately_as_many_wait_as_the_list_has_room_for(world: World) -> None:
    """`separately`: those who can; 409 only if nobody can."""
    session, _ = world.full_session(waitlist_capacity=1)
    mother, people = world.family(2)
    answer = mother.ask(session, *people, **SEPARATELY, **OR_WAIT)
    assert statuses(answer) == ["waitlisted"]
    assert codes(answer) == {str(people[1]): "waitlist_full"}


def test_separately_those_with_places_keep_them_where_the_list_is_full_for_the_rest(world: World) -> None:
    mother, people = world.family(3)
    session = world.session(capacity=1, waitlist_capacity=0)
    answer = mother.ask(session, *people, **SEPARATELY, **OR_WAIT)
    assert statuses(answer) == ["confirmed"]
    assert codes(answer) == {str(p): "waitlist_full" for p in people[1:]}


# -- who may be named


@pytest.mark.parametrize("more", [TOGETHER, SEPARATELY], ids=["together", "separately"])
def test_who_is_named_twice_gets_one_place(world: World, more: dict[str, str]) -> None:
    mother, (owner, child) = world.family(2)
    session = world.session()
    answer = mother.ask(session, child, owner, child, **more)
    assert [item["resident_id"] for item in answer["items"]] == [str(child), str(owner)]
    assert counters(mother, session) == (2, 0)


@pytest.mark.parametrize("more", [TOGETHER, SEPARATELY], ids=["together", "separately"])
def test_a_foreign_resident_among_ones_own_does_not_exist_and_nobody_is_booked(
    world: World, more: dict[str, str]
) -> None:
    mother, people = world.family(2)
    session = world.session()
    for stranger in (world.resident().resident_id, 987654):
        mother.ask(session, *people, stranger, status=404, **more)
    assert rows() == 0


@pytest.mark.parametrize("more", [TOGETHER, SEPARATELY], ids=["together", "separately"])
def test_a_whole_household_of_twelve_comes_and_a_thirteenth_is_one_too_many(world: World, more: dict[str, str]) -> None:
    mother, people = world.family(12)
    session = world.session(capacity=20)
    thirteen = [*people, people[0]]
    refused = mother.ask(session, *thirteen, status=422, **more)
    assert list(refused["fields"]) == ["resident_ids"]
    mother.api.post("/bookings", {"session_id": str(session.id), "resident_ids": [], **more}, status=422)
    assert statuses(mother.ask(session, *people, **more)) == ["confirmed"] * 12


@pytest.mark.parametrize("field", [{"party": "alone"}, {"if_full": "offer"}, {"party": None}, {"if_full": ""}], ids=str)
def test_an_unknown_way_of_asking_is_bad_input(world: World, field: dict[str, Any]) -> None:
    refused = world.resident().ask(world.session(), status=422, **field)
    assert list(refused["fields"]) == list(field)
