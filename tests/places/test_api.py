"""Facilities, spaces and the working calendar over the API."""

from datetime import timedelta
from typing import Any

import pytest

from facilities.places.models import FacilityKind
from tests.client import Caller
from tests.world import World

HOME = {
    "kind": "yuxin_home",
    "name": "渝馨家园·阳光里",
    "name_en": "Yuxin Home Sunshine Lane",
    "address": "春晖路街道阳光里 8 号",
    "sub_district_code": "500104005",
}
SESSION_TIMES = {"starts_at": "2026-09-20T09:00:00+08:00", "ends_at": "2026-09-20T10:30:00+08:00"}


# -- facilities


def test_a_facility_that_an_administrator_opens_is_public(world: World, anyone: Caller) -> None:
    hours = {"mon": [["09:00", "12:00"], ["14:00", "18:00"]], "sat": [["10:00", "24:00"]]}
    made = world.administrator().api.post("/facilities", {**HOME, "opening_hours": hours})
    seen = anyone.get(f"/facilities/{made['id']}")
    assert seen == made
    assert {"id", "kind", "name", "address", "sub_district", "accessibility", "opening_hours", "spaces"} <= set(seen)
    assert (seen["kind"], seen["name"], seen["address"]) == (HOME["kind"], HOME["name"], HOME["address"])
    assert seen["sub_district"]["code"] == "500104005"
    assert seen["opening_hours"] == hours
    assert (seen["accessibility"], seen["spaces"]) == ([], [])
    assert isinstance(seen["id"], str)


def test_a_facility_without_hours_says_so(world: World) -> None:
    """Without opening hours it is always open: that is not the same as closed on every day."""
    assert world.administrator().api.post("/facilities", HOME)["opening_hours"] is None


@pytest.mark.parametrize(
    "intervals",
    [
        pytest.param([["12:00", "09:00"]], id="backwards"),
        pytest.param([["09:00", "09:00"]], id="empty"),
        pytest.param([["09:00", "12:00"], ["11:00", "13:00"]], id="overlapping"),
        pytest.param([["09:00"]], id="no end"),
        pytest.param([["09:00", "10:00", "11:00"]], id="three times"),
        pytest.param([["9 o'clock", "12:00"]], id="words"),
        pytest.param([["24:00", "10:00"]], id="opens when the day is over"),
        pytest.param([["09:00", "25:00"]], id="beyond the day"),
    ],
)
def test_hours_that_cannot_be_are_invalid(world: World, anyone: Caller, intervals: list[list[str]]) -> None:
    refused = world.administrator().api.post("/facilities", {**HOME, "opening_hours": {"mon": intervals}}, status=422)
    assert set(refused["fields"]) == {"opening_hours"}
    assert anyone.get("/facilities")["items"] == []


def test_intervals_that_touch_do_not_overlap(world: World) -> None:
    hours = {"mon": [["09:00", "12:00"], ["12:00", "13:00"]]}
    assert world.administrator().api.post("/facilities", {**HOME, "opening_hours": hours})["opening_hours"] == hours


@pytest.mark.parametrize("code", ["500104006", "5001040", "", "50010400٣"])
def test_a_sub_district_that_is_not_the_districts_is_invalid(world: World, code: str) -> None:
    refused = world.administrator().api.post("/facilities", {**HOME, "sub_district_code": code}, status=422)
    assert set(refused["fields"]) == {"sub_district_code"}


def test_a_name_is_given_once(world: World) -> None:
    administrator = world.administrator()
    administrator.api.post("/facilities", HOME)
    assert administrator.api.post("/facilities", HOME, status=409)["code"] == "name_taken"


@pytest.mark.parametrize(
    ("query", "found"),
    [
        pytest.param({}, ["home", "space", "park"], id="everything"),
        pytest.param({"kind": "park"}, ["park"], id="by kind"),
        pytest.param({"kind": "doctor_station"}, [], id="by a kind that there is none of"),
        pytest.param({"sub_district": "500104005"}, ["home"], id="by sub-district"),
        pytest.param({"sub_district": "999999999"}, [], id="by a sub-district that there is not"),
        pytest.param({"q": "渝好"}, ["space"], id="by a word of the name"),
        pytest.param({"q": "SUNSHINE lane"}, ["home"], id="by English words in any case"),
        pytest.param({"q": "ＳＵＮＳＨＩＮＥ"}, ["home"], id="by full-width letters"),
        pytest.param({"q": "lane park"}, [], id="each word must be found"),
        pytest.param({"q": ""}, ["home", "space", "park"], id="by nothing"),
        pytest.param({"q": "%"}, [], id="a per cent sign is itself"),
        pytest.param({"q": "_"}, [], id="an underscore is itself"),
        pytest.param({"q": "' OR 1=1 --"}, [], id="a quotation mark is itself"),
        pytest.param({"q": "\\"}, [], id="a backslash is itself"),
        pytest.param({"kind": "park", "q": "渝好"}, [], id="conditions add up"),
    ],
)
def test_facilities_are_found_by_kind_word_and_sub_district(
    world: World, anyone: Caller, query: dict[str, str], found: list[str]
) -> None:
    home = world.administrator().api.post("/facilities", HOME)
    space = world.facility(name="桥口社区渝好空间", name_en="Bridge Mouth")
    park = world.facility(FacilityKind.PARK, name="公园", name_en="Park")
    names = {home["id"]: "home", str(space.id): "space", str(park.id): "park"}
    answer = anyone.call("GET", "/facilities", query_string=query, status=200).get_json()
    assert [names[row["id"]] for row in answer["items"]] == found
    assert answer["next"] is None


@pytest.mark.parametrize("limit", [1, 2, 3, 7, 8])
def test_pages_of_facilities_hold_each_exactly_once(world: World, anyone: Caller, limit: int) -> None:
    wanted = [str(world.facility().id) for _ in range(7)]
    seen, cursor = [], None
    while True:
        query = {"limit": limit, **({"cursor": cursor} if cursor else {})}
        answer = anyone.call("GET", "/facilities", query_string=query, status=200).get_json()
        assert len(answer["items"]) <= limit
        seen += [row["id"] for row in answer["items"]]
        cursor = answer["next"]
        if cursor is None:
            break
    assert seen == wanted


# -- spaces


def test_a_space_is_shown_with_its_facility(world: World, anyone: Caller) -> None:
    facility, administrator = world.facility(), world.administrator()
    hall = administrator.api.post(f"/facilities/{facility.id}/spaces", {"name": "大厅", "kind": "hall", "capacity": 80})
    room = administrator.api.post(
        f"/facilities/{facility.id}/spaces", {"name": "东间", "kind": "room", "parent_id": hall["id"]}
    )
    assert (hall["parent_id"], hall["capacity"]) == (None, 80)
    assert (room["parent_id"], room["capacity"]) == (hall["id"], None)
    assert anyone.get(f"/facilities/{facility.id}")["spaces"] == [hall, room]


@pytest.mark.parametrize("parent", ["foreign", "987654", "abc"])
def test_a_parent_space_is_one_of_the_same_facility(world: World, anyone: Caller, parent: str) -> None:
    facility = world.facility()
    foreign = world.space(world.facility())
    body = {"name": "东间", "kind": "room", "parent_id": str(foreign.id) if parent == "foreign" else parent}
    refused = world.administrator().api.post(f"/facilities/{facility.id}/spaces", body, status=422)
    assert set(refused["fields"]) == {"parent_id"}
    assert anyone.get(f"/facilities/{facility.id}")["spaces"] == []


def test_a_space_has_its_name_once_in_a_facility_and_again_in_another(world: World) -> None:
    first, second, administrator = world.facility(), world.facility(), world.administrator()
    body = {"name": "大厅", "kind": "hall"}
    administrator.api.post(f"/facilities/{first.id}/spaces", body)
    administrator.api.post(f"/facilities/{second.id}/spaces", body)
    assert administrator.api.post(f"/facilities/{first.id}/spaces", body, status=409)["code"] == "name_taken"


# what is held, what is asked for, whether the two are in each other's way
NESTED = [
    pytest.param("hall", "hall", True, id="the same hall"),
    pytest.param("hall", "east", True, id="a room of a hall that is taken"),
    pytest.param("hall", "corner", True, id="a corner of a room of a hall that is taken"),
    pytest.param("east", "hall", True, id="a hall of which a room is taken"),
    pytest.param("corner", "hall", True, id="a hall of which a corner of a room is taken"),
    pytest.param("corner", "east", True, id="a room of which a corner is taken"),
    pytest.param("east", "corner", True, id="a corner of a room that is taken"),
    pytest.param("east", "west", False, id="the room beside"),
    pytest.param("corner", "window", False, id="the corner beside"),
    pytest.param("corner", "west", False, id="a corner of the room beside"),
    pytest.param("hall", "yard", False, id="another space"),
    pytest.param(None, None, False, id="no space at all"),
]


@pytest.mark.parametrize("furnished", ["before", "after"])
@pytest.mark.parametrize(("held", "wanted", "in_the_way"), NESTED)
def test_a_space_inside_a_space_is_taken_with_it(
    world: World, held: str | None, wanted: str | None, in_the_way: bool, furnished: str
) -> None:
    """Also where the inner spaces are entered when the outer one is held already."""
    facility, programme = world.facility(), world.programme()
    manager = world.manager(facility)
    spaces: dict[str | None, str | None] = {None: None}

    def hold(name: str | None, status: int) -> Any:
        return manager.api.post(
            "/sessions",
            {
                "programme_id": str(programme.id),
                "facility_id": str(facility.id),
                "title": "竹编",
                "capacity": 5,
                **SESSION_TIMES,
                "space_id": spaces[name],
            },
            status=status,
        )

    made: dict[str, Any] = {}
    session = None
    for name, parent in {
        "hall": None,
        "yard": None,
        "east": "hall",
        "west": "hall",
        "corner": "east",
        "window": "east",
    }.items():
        made[name] = world.space(facility, name, made.get(parent) if parent else None)
        spaces[name] = str(made[name].id)
        if furnished == "after" and name == held:
            session = hold(held, 201)
    session = session or hold(held, 201)
    if in_the_way:
        assert hold(wanted, 409)["code"] == "space_taken"
        manager.api.call("POST", f"/sessions/{session['id']}/cancel", json={"reason": "停电"}, status=200)
    hold(wanted, 201)


@pytest.mark.parametrize(
    ("moved_by", "minutes", "in_the_way"),
    [
        pytest.param(timedelta(minutes=90), 30, False, id="begins as it ends"),
        pytest.param(timedelta(minutes=-30), 30, False, id="ends as it begins"),
        pytest.param(timedelta(minutes=89), 30, True, id="crosses its end"),
        pytest.param(timedelta(minutes=-29), 30, True, id="crosses its start"),
        pytest.param(timedelta(minutes=30), 30, True, id="lies inside"),
        pytest.param(timedelta(minutes=-30), 180, True, id="swallows it"),
        pytest.param(timedelta(0), 90, True, id="the same span"),
        pytest.param(timedelta(days=1), 90, False, id="the day after"),
    ],
)
def test_spans_that_touch_are_not_in_each_others_way(
    world: World, moved_by: timedelta, minutes: int, in_the_way: bool
) -> None:
    facility, programme = world.facility(), world.programme()
    space, manager = world.space(facility), world.manager(facility)
    first = world.session(facility, programme, space_id=space.id)
    starts_at = first.starts_at + moved_by
    body = {
        "programme_id": str(programme.id),
        "facility_id": str(facility.id),
        "space_id": str(space.id),
        "title": "竹编",
        "capacity": 5,
        "starts_at": starts_at.isoformat(),
        "ends_at": (starts_at + timedelta(minutes=minutes)).isoformat(),
    }
    answer = manager.api.post("/sessions", body, status=409 if in_the_way else 201)
    assert answer.get("code") == ("space_taken" if in_the_way else None)


# -- the working calendar


def test_the_calendar_knows_the_holidays_that_were_announced(world: World) -> None:
    days = world.resident().api.get("/calendar/days?from=2026-09-30&to=2026-10-10")["items"]
    assert [day["date"] for day in days] == [
        f"2026-{d}"
        for d in ("09-30", "10-01", "10-02", "10-03", "10-04", "10-05", "10-06", "10-07", "10-08", "10-09", "10-10")
    ]
    assert {day["date"]: day["kind"] for day in days}["2026-10-01"] == "rest"
    assert all(day["provisional"] is False for day in days)
    assert {"date", "kind", "provisional"} <= set(days[0])


def test_days_of_a_year_without_a_notice_are_provisional(world: World) -> None:
    days = world.resident().api.get("/calendar/days?from=2028-01-01&to=2028-01-07")["items"]
    assert [(day["kind"], day["provisional"]) for day in days] == [
        ("rest", True),
        ("rest", True),
        *[("workday", True)] * 5,
    ]  # 1 January 2028 is a Saturday


def test_an_administrator_corrects_a_day(world: World) -> None:
    administrator = world.administrator()
    changed = administrator.api.put("/calendar/days/2028-01-03", {"kind": "rest", "name": "元旦"})
    assert changed == {"date": "2028-01-03", "kind": "rest", "name": "元旦", "provisional": False}
    assert administrator.api.get("/calendar/days?from=2028-01-03&to=2028-01-03")["items"] == [changed]


def test_a_day_can_be_put_back_in_the_form_in_which_it_was_got(world: World) -> None:
    """The contract gives one form for both: `{date, kind, name?, provisional}`."""
    administrator = world.administrator()
    (day,) = administrator.api.get("/calendar/days?from=2026-10-08&to=2026-10-08")["items"]
    assert administrator.api.put("/calendar/days/2026-10-08", {**day, "kind": "rest"})["kind"] == "rest"


@pytest.mark.parametrize("role", ["a resident", "a manager"])
def test_only_administrators_open_furnish_and_correct(world: World, anyone: Caller, role: str) -> None:
    facility = world.facility()
    someone = world.resident() if role == "a resident" else world.manager(facility)
    someone.api.post("/facilities", HOME, status=403)
    someone.api.post(f"/facilities/{facility.id}/spaces", {"name": "大厅", "kind": "hall"}, status=403)
    someone.api.put("/calendar/days/2026-10-08", {"kind": "rest"}, status=403)
    assert [row["id"] for row in anyone.get("/facilities")["items"]] == [str(facility.id)]
    assert anyone.get(f"/facilities/{facility.id}")["spaces"] == []
