"""The household over the API: whom a caller may act for, and nobody else."""

from typing import Any

import pytest

from facilities.engine.eligibility import Sex
from facilities.households.services import LARGEST_HOUSEHOLD
from tests.world import World

CHILD = {"name": "陈思涵", "birth_date": "2019-05-01", "sex": "female", "relation": "child"}


def test_a_household_shows_oneself_first_and_then_the_others(world: World) -> None:
    resident = world.resident()
    child = resident.api.post("/residents", CHILD)
    unsaid = dict.fromkeys(("phone", "disability", "community_code", "id_number_masked", "certificate_masked"))
    assert {**CHILD, **unsaid, "id": child["id"]} == child
    assert [row["relation"] for row in resident.api.get("/residents")["items"]] == ["self", "child"]
    assert resident.api.get("/residents")["items"] == resident.api.get("/me")["residents"]
    assert resident.api.get(f"/residents/{child['id']}") == child
    assert resident.api.get("/residents")["next"] is None


@pytest.mark.parametrize("relation", ["child", "parent", "spouse", "grandchild", "grandparent", "other"])
def test_each_relation_of_the_contract_can_be_entered(world: World, relation: str) -> None:
    assert world.resident().api.post("/residents", {**CHILD, "relation": relation})["relation"] == relation


def test_a_phone_is_kept_in_one_form(world: World) -> None:
    assert world.resident().api.post("/residents", {**CHILD, "phone": "+86 138 0000 1234"})["phone"] == "13800001234"


@pytest.mark.parametrize(
    ("change", "field"),
    [
        pytest.param({"birth_date": "2026-09-17"}, "birth_date", id="born tomorrow"),
        pytest.param({"birth_date": "1890-01-01"}, "birth_date", id="136 years old"),
        pytest.param({"phone": "12345"}, "phone", id="no mobile number"),
        pytest.param({"relation": "neighbour"}, "relation", id="no such relation"),
        pytest.param({"sex": "x"}, "sex", id="no such sex"),
        pytest.param({"name": "名" * 65}, "name", id="a name of 65 characters"),
    ],
)
def test_a_resident_who_cannot_be_is_neither_added_nor_made_by_a_change(
    world: World, change: dict[str, Any], field: str
) -> None:
    resident = world.resident()
    child = resident.api.post("/residents", CHILD)
    assert set(resident.api.post("/residents", {**CHILD, **change}, status=422)["fields"]) == {field}
    assert set(resident.api.patch(f"/residents/{child['id']}", change, status=422)["fields"]) == {field}
    assert len(resident.api.get("/residents")["items"]) == 2
    assert resident.api.get(f"/residents/{child['id']}") == child


def test_a_name_of_64_characters_beyond_the_basic_plane_is_kept_whole(world: World) -> None:
    name = "𠮷" * 64
    assert world.resident().api.post("/residents", {**CHILD, "name": name})["name"] == name


@pytest.mark.parametrize(
    "change",
    [
        {"name": "陈思思"},
        {"birth_date": "2019-05-02"},
        {"sex": "male"},
        {"relation": "grandchild"},
        {"phone": "13800001234"},
        {"name": "陈思思", "sex": "male"},
        {},
    ],
    ids=lambda change: " and ".join(change) or "nothing",
)
def test_a_change_changes_what_it_says_and_nothing_else(world: World, change: dict[str, Any]) -> None:
    resident = world.resident()
    child = resident.api.post("/residents", CHILD)
    assert resident.api.patch(f"/residents/{child['id']}", change) == {**child, **change}
    assert resident.api.get(f"/residents/{child['id']}") == {**child, **change}


def test_a_household_has_one_self_and_keeps_it(world: World) -> None:
    resident = world.resident()
    child = resident.api.post("/residents", CHILD)
    own = f"/residents/{resident.resident_id}"
    assert resident.api.post("/residents", {**CHILD, "relation": "self"}, status=409)["code"] == "self_exists"
    assert resident.api.patch(f"/residents/{child['id']}", {"relation": "self"}, status=409)["code"] == "self_exists"
    assert resident.api.patch(own, {"relation": "child"}, status=409)["code"] == "self_exists"
    assert resident.api.delete(own, status=409)["code"] == "cannot_remove_self"
    assert [row["relation"] for row in resident.api.get("/residents")["items"]] == ["self", "child"]


def test_who_leaves_the_household_is_no_longer_there_for_it(world: World) -> None:
    resident = world.resident()
    child, session = world.member(resident), world.session()
    booking = world.book(resident, session, child)
    resident.api.delete(f"/residents/{child}")
    resident.api.get(f"/residents/{child}", status=404)
    resident.api.delete(f"/residents/{child}", status=404)
    resident.api.get(f"/bookings/{booking.id}", status=404)
    assert world.fresh(session).places_taken == 0  # nobody would be left who could give the place back
    resident.api.post("/bookings", {"session_id": str(session.id), "resident_ids": [str(child)]}, status=404)


def test_the_same_person_in_two_households_is_two_residents(world: World) -> None:
    """Whoever knows a name and a birth date does not get at another household's child."""
    mother, father = world.resident(), world.resident(sex=Sex.MALE)
    ids = {parent.api.post("/residents", CHILD)["id"] for parent in (mother, father)}
    assert len(ids) == 2


def test_a_household_has_a_largest_size(world: World) -> None:
    resident = world.resident()
    for n in range(LARGEST_HOUSEHOLD - 1):
        resident.api.post("/residents", {**CHILD, "name": f"孩子{n}"})
    refused = resident.api.post("/residents", CHILD, status=409)
    assert (refused["code"], refused["facts"]) == ("too_many_members", {"most": LARGEST_HOUSEHOLD})
    assert len(resident.api.get("/residents")["items"]) == LARGEST_HOUSEHOLD
