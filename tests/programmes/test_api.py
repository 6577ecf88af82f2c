"""Programmes and sessions over the API: public to read, their facility's manager's to change."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from facilities.engine.eligibility import Audience, Sex
from facilities.engine.roll_call import EventKind
from facilities.kernel import clock
from facilities.places.models import Facility, FacilityKind
from facilities.programmes.models import Programme
from tests.client import Caller
from tests.conftest import NOW
from tests.world import Someone, World

CONTRACT_FIELDS = {
    "id",
    "title",
    "programme",
    "facility",
    "space",
    "starts_at",
    "ends_at",
    "status",
    "capacity",
    "places_taken",
    "places_left",
    "waitlist_length",
    "booking_opens_at",
    "booking_closes_at",
    "cancellation_closes_at",
    "audience",
}


def offer(facility: Facility, programme: Programme, **more: Any) -> dict[str, Any]:
    return {
        "programme_id": str(programme.id),
        "facility_id": str(facility.id),
        "title": "非遗竹编",
        "starts_at": "2026-09-20T09:00:00+08:00",
        "ends_at": "2026-09-20T10:30:00+08:00",
        "capacity": 12,
        **more,
    }


@pytest.fixture
def facility(world: World) -> Facility:
    return world.facility()


@pytest.fixture
def manager(world: World, facility: Facility) -> Someone:
    return world.manager(facility)


# -- programmes


def test_programmes_are_public(world: World, anyone: Caller) -> None:
    made = world.administrator().api.post(
        "/programmes",
        {"name": "书法", "facility_kind": "yuhao_space", "audience": {"min_age": 6, "max_age": 12, "sex": "female"}},
    )
    assert made["audience"] == {"min_age": 6, "max_age": 12, "sex": "female"}
    assert anyone.get("/programmes")["items"] == [made]


def test_a_programme_for_anyone_has_an_empty_audience(world: World) -> None:
    made = world.administrator().api.post("/programmes", {"name": "书法", "facility_kind": "yuhao_space"})
    assert made["audience"] == {}


def test_a_programme_has_its_name_once_and_ages_in_order(world: World, anyone: Caller) -> None:
    administrator = world.administrator()
    body = {"name": "书法", "facility_kind": "yuhao_space"}
    administrator.api.post("/programmes", body)
    assert administrator.api.post("/programmes", body, status=409)["code"] == "name_taken"
    backwards = {**body, "name": "竹编", "audience": {"min_age": 9, "max_age": 8}}
    administrator.api.post("/programmes", backwards, status=422)
    assert len(anyone.get("/programmes")["items"]) == 1


# -- announcing


def test_a_session_that_its_manager_announces_is_public_and_whole(
    world: World, anyone: Caller, facility: Facility, manager: Someone
) -> None:
    programme, space = world.programme(), world.space(facility)
    made = manager.api.post(
        "/sessions",
        offer(
            facility,
            programme,
            space_id=str(space.id),
            booking_opens_at="2026-09-17T00:00:00Z",
            booking_closes_at="2026-09-19T18:00:00+08:00",
            cancellation_closes_at="2026-09-19T12:00:00+09:00",
        ),
    )
    seen = anyone.get(f"/sessions/{made['id']}")
    assert seen == made
    assert set(seen) >= CONTRACT_FIELDS
    assert (seen["programme"]["id"], seen["facility"]["id"], seen["space"]["id"]) == (
        str(programme.id),
        str(facility.id),
        str(space.id),
    )
    assert (seen["status"], seen["capacity"], seen["places_taken"], seen["places_left"], seen["waitlist_length"]) == (
        "scheduled",
        12,
        0,
        12,
        0,
    )
    assert (seen["starts_at"], seen["ends_at"]) == ("2026-09-20T09:00:00+08:00", "2026-09-20T10:30:00+08:00")
    assert (seen["booking_opens_at"], seen["booking_closes_at"], seen["cancellation_closes_at"]) == (
        "2026-09-17T08:00:00+08:00",
        "2026-09-19T18:00:00+08:00",
        "2026-09-19T11:00:00+08:00",
    )


def test_booking_and_cancelling_are_open_until_the_start_where_nothing_else_is_said(
    world: World, facility: Facility, manager: Someone
) -> None:
    made = manager.api.post("/sessions", offer(facility, world.programme()))
    assert (made["booking_opens_at"], made["booking_closes_at"], made["cancellation_closes_at"]) == (
        None,
        made["starts_at"],
        made["starts_at"],
    )
    assert made["space"] is None


@pytest.mark.parametrize(
    "typed",
    [
        "2026-09-20T09:00:00+08:00",
        "2026-09-20T01:00:00Z",
        "2026-09-20t01:00:00z",
        "2026-09-20T01:00:00+00:00",
        "2026-09-19T15:00:00-10:00",
        "2026-09-20T06:30:00+05:30",
        "2026-09-20T09:00:00.000000+08:00",
    ],
)
def test_the_same_instant_is_shown_in_the_districts_time_however_it_was_sent(
    world: World, facility: Facility, manager: Someone, typed: str
) -> None:
    assert manager.api.post("/sessions", offer(facility, world.programme(), starts_at=typed))["starts_at"] == (
        "2026-09-20T09:00:00+08:00"
    )


def test_a_session_takes_its_programmes_audience_or_says_its_own(
    world: World, facility: Facility, manager: Someone
) -> None:
    programme = world.programme(Audience(min_age=6, max_age=12))
    assert manager.api.post("/sessions", offer(facility, programme))["audience"] == {"min_age": 6, "max_age": 12}
    own = manager.api.post("/sessions", offer(facility, programme, audience={"sex": "female"}))
    assert own["audience"] == {"sex": "female"}
    assert manager.api.post("/sessions", offer(facility, programme, audience={}))["audience"] == {}


def test_a_session_in_the_past_can_be_entered_afterwards(world: World, facility: Facility, manager: Someone) -> None:
    made = manager.api.post(
        "/sessions",
        offer(facility, world.programme(), starts_at="2025-03-01T09:00:00+08:00", ends_at="2025-03-01T10:00:00+08:00"),
    )
    assert made["status"] == "scheduled"


@pytest.mark.parametrize(
    ("change", "fields"),
    [
        pytest.param({"ends_at": "2026-09-20T09:00:00+08:00"}, {"ends_at"}, id="ends as it begins"),
        pytest.param({"ends_at": "2026-09-20T08:00:00+08:00"}, {"ends_at"}, id="ends before it begins"),
        pytest.param({"ends_at": "2026-09-21T09:00:01+08:00"}, {"ends_at"}, id="lasts more than a day"),
        pytest.param({"booking_opens_at": "2026-09-20T09:00:00+08:00"}, {"booking_opens_at"}, id="opens as it starts"),
        pytest.param(
            {"booking_opens_at": "2026-09-19T09:00:00+08:00", "booking_closes_at": "2026-09-18T09:00:00+08:00"},
            {"booking_opens_at"},
            id="opens after it closes",
        ),
        pytest.param({"capacity": 0}, {"capacity"}, id="for nobody"),
        pytest.param({"audience": {"min_age": 9, "max_age": 8}}, {"max_age"}, id="ages out of order"),
        pytest.param({"space_id": "987654"}, {"space_id"}, id="a space that there is not"),
        pytest.param({"space_id": "{foreign}"}, {"space_id"}, id="another facility's space"),
    ],
)
def test_a_session_that_cannot_be_is_neither_announced_nor_made_by_a_change(
    world: World, anyone: Caller, facility: Facility, manager: Someone, change: dict[str, Any], fields: set[str]
) -> None:
    programme, foreign = world.programme(), world.space(world.facility())
    if change.get("space_id") == "{foreign}":
        change = {"space_id": str(foreign.id)}
    good = manager.api.post("/sessions", offer(facility, programme))
    assert set(manager.api.post("/sessions", offer(facility, programme, **change), status=422)["fields"]) == fields
    assert set(manager.api.patch(f"/sessions/{good['id']}", change, status=422)["fields"]) == fields
    assert anyone.get("/sessions")["items"] == [good]


def test_a_session_is_announced_at_ones_own_facility_only(world: World, anyone: Caller, manager: Someone) -> None:
    foreign, programme = world.facility(), world.programme()
    assert manager.api.post("/sessions", offer(foreign, programme), status=403)["code"] == "not_permitted"
    assert world.resident().api.post("/sessions", offer(foreign, programme), status=403)["code"] == "not_permitted"
    assert anyone.get("/sessions")["items"] == []
    world.administrator().api.post("/sessions", offer(foreign, programme))


@pytest.mark.parametrize("where", ["facility_id", "programme_id"])
def test_what_a_session_refers_to_must_be_there(world: World, facility: Facility, manager: Someone, where: str) -> None:
    assert (
        manager.api.post("/sessions", offer(facility, world.programme(), **{where: "987654"}), status=404)["code"]
        == "not_found"
    )


# -- changing


@pytest.mark.parametrize(
    "change",
    [
        {"title": "书法"},
        {"capacity": 30},
        {"starts_at": "2026-09-20T08:00:00+08:00"},
        {"ends_at": "2026-09-20T11:00:00+08:00"},
        {
            "starts_at": "2026-10-01T09:00:00+08:00",
            "ends_at": "2026-10-01T10:00:00+08:00",
            "booking_closes_at": "2026-09-30T09:00:00+08:00",
            "cancellation_closes_at": "2026-09-30T10:00:00+08:00",
        },
        {"booking_opens_at": "2026-09-18T09:00:00+08:00"},
        {"audience": {"min_age": 60}},
        {"audience": {}},
    ],
    ids=" and ".join,
)
def test_a_change_changes_what_it_says_and_nothing_else(
    world: World, facility: Facility, manager: Someone, change: dict[str, Any]
) -> None:
    made = manager.api.post(
        "/sessions",
        offer(
            facility,
            world.programme(Audience(sex=Sex.FEMALE)),
            booking_closes_at="2026-09-19T18:00:00+08:00",
            cancellation_closes_at="2026-09-19T18:00:00+08:00",
        ),
    )
    expected = {**made, **change}
    expected["places_left"] = expected["capacity"]
    assert manager.api.patch(f"/sessions/{made['id']}", change) == expected


def test_the_facility_of_a_session_is_among_what_can_be_changed(world: World) -> None:
    """PATCH takes any of the fields that POST takes; whoever may run both facilities may move a session."""
    here, there = world.facility(), world.facility()
    manager = world.manager(here, there)
    made = manager.api.post("/sessions", offer(here, world.programme()))
    moved = manager.api.patch(f"/sessions/{made['id']}", {"facility_id": str(there.id)})
    assert moved["facility"]["id"] == str(there.id)


def test_a_session_moves_to_another_space_and_gives_the_old_one_back(
    world: World, facility: Facility, manager: Someone
) -> None:
    programme, east, west = world.programme(), world.space(facility), world.space(facility)
    first = manager.api.post("/sessions", offer(facility, programme, space_id=str(east.id)))
    manager.api.patch(f"/sessions/{first['id']}", {"space_id": str(west.id)})
    second = manager.api.post("/sessions", offer(facility, programme, space_id=str(east.id)))
    refused = manager.api.patch(f"/sessions/{first['id']}", {"space_id": str(east.id)}, status=409)
    assert refused["code"] == "space_taken"
    assert manager.api.get(f"/sessions/{first['id']}")["space"]["id"] == str(west.id)
    assert manager.api.patch(f"/sessions/{first['id']}", {"space_id": None})["space"] is None
    manager.api.patch(f"/sessions/{second['id']}", {"space_id": str(west.id)})


def test_a_session_does_not_move_into_a_span_in_which_its_space_is_taken(
    world: World, facility: Facility, manager: Someone
) -> None:
    programme, space = world.programme(), world.space(facility)
    first = manager.api.post("/sessions", offer(facility, programme, space_id=str(space.id)))
    later = {"starts_at": "2026-09-20T14:00:00+08:00", "ends_at": "2026-09-20T15:00:00+08:00"}
    second = manager.api.post("/sessions", offer(facility, programme, space_id=str(space.id), **later))
    refused = manager.api.patch(f"/sessions/{second['id']}", {"starts_at": "2026-09-20T10:29:00+08:00"}, status=409)
    assert refused["code"] == "space_taken"
    assert manager.api.get(f"/sessions/{second['id']}") == second
    manager.api.patch(f"/sessions/{second['id']}", {"starts_at": "2026-09-20T10:30:00+08:00"})
    manager.api.patch(f"/sessions/{first['id']}", {"starts_at": "2026-09-20T08:00:00+08:00"})  # its own span is no bar


def test_capacity_never_falls_below_the_places_taken(world: World, facility: Facility, manager: Someone) -> None:
    session = world.session(facility, capacity=3)
    for _ in range(2):
        world.book(world.resident(), session)
    refused = manager.api.patch(f"/sessions/{session.id}", {"capacity": 1}, status=409)
    assert (refused["code"], refused["facts"]["places_taken"]) == ("capacity_below_bookings", 2)
    changed = manager.api.patch(f"/sessions/{session.id}", {"capacity": 2})
    assert (changed["capacity"], changed["places_taken"], changed["places_left"]) == (2, 2, 0)


def test_a_refused_change_leaves_every_field_as_it_was(world: World, facility: Facility, manager: Someone) -> None:
    session = world.session(facility, capacity=3)
    for _ in range(2):
        world.book(world.resident(), session)
    before = manager.api.get(f"/sessions/{session.id}")
    change = {"title": "书法", "capacity": 1, "audience": {"min_age": 99}}
    manager.api.patch(f"/sessions/{session.id}", change, status=409)
    assert manager.api.get(f"/sessions/{session.id}") == before


def test_bookings_move_with_their_session(world: World, facility: Facility, manager: Someone) -> None:
    session, resident = world.session(facility), world.resident()
    booking = world.book(resident, session)
    manager.api.patch(
        f"/sessions/{session.id}", {"starts_at": "2026-10-01T09:00:00+08:00", "ends_at": "2026-10-01T10:00:00+08:00"}
    )
    seen = resident.api.get(f"/bookings/{booking.id}")
    assert (seen["starts_at"], seen["ends_at"]) == ("2026-10-01T09:00:00+08:00", "2026-10-01T10:00:00+08:00")


def test_a_session_does_not_move_to_where_somebody_booked_is_elsewhere(
    world: World, facility: Facility, manager: Someone
) -> None:
    resident = world.resident()
    other = world.session(starts_in=timedelta(days=5))
    session = world.session(facility)
    world.book(resident, other)
    world.book(resident, session)
    before = manager.api.get(f"/sessions/{session.id}")
    manager.api.patch(
        f"/sessions/{session.id}",
        {"starts_at": other.starts_at.isoformat(), "ends_at": other.ends_at.isoformat()},
        status=409,
    )
    assert manager.api.get(f"/sessions/{session.id}") == before


@pytest.mark.parametrize("role", ["a resident", "another facility's manager"])
def test_only_those_who_run_a_session_change_it(world: World, facility: Facility, role: str) -> None:
    session = world.session(facility)
    someone = world.resident() if role == "a resident" else world.manager(world.facility())
    before = someone.api.get(f"/sessions/{session.id}")
    someone.api.patch(f"/sessions/{session.id}", {"title": "书法"}, status=403)
    someone.api.post(f"/sessions/{session.id}/cancel", {"reason": "停电"}, status=403)
    someone.api.delete(f"/sessions/{session.id}", status=403)
    someone.api.get(f"/sessions/{session.id}/roster", status=403)
    someone.api.get(f"/sessions/{session.id}/attendance", status=403)
    assert someone.api.get(f"/sessions/{session.id}") == before


# -- cancelling and deleting


def test_cancelling_a_session_cancels_every_booking_and_frees_space_and_people(
    world: World, facility: Facility, manager: Someone
) -> None:
    space, programme = world.space(facility), world.programme()
    session = world.session(facility, programme, space_id=space.id)
    first, second = world.resident(), world.resident()
    bookings = [(someone, world.book(someone, session)) for someone in (first, second)]
    cancelled = manager.api.post(f"/sessions/{session.id}/cancel", {"reason": "停电"}, status=200)
    assert (cancelled["status"], cancelled["places_taken"], cancelled["cancel_reason"]) == ("cancelled", 0, "停电")
    for someone, booking in bookings:
        seen = someone.api.get(f"/bookings/{booking.id}")
        assert (seen["status"], seen["cancel_reason"]) == ("cancelled", "停电")
    again = world.session(facility, programme, space_id=space.id)
    world.book(first, again)
    assert manager.api.get(f"/sessions/{session.id}/roster")["items"] == []


def test_cancelling_a_session_twice_answers_the_same(world: World, facility: Facility, manager: Someone) -> None:
    session = world.session(facility)
    first = manager.api.post(f"/sessions/{session.id}/cancel", {"reason": "停电"}, status=200)
    assert manager.api.post(f"/sessions/{session.id}/cancel", {"reason": "下雨"}, status=200) == first


def test_a_cancelled_session_is_listed_with_its_status_and_changed_no_more(
    world: World, anyone: Caller, facility: Facility, manager: Someone
) -> None:
    session = world.session(facility)
    manager.api.post(f"/sessions/{session.id}/cancel", {"reason": "停电"}, status=200)
    assert [row["status"] for row in anyone.get("/sessions")["items"]] == ["cancelled"]
    assert manager.api.patch(f"/sessions/{session.id}", {"title": "书法"}, status=409)["code"] == "session_cancelled"


def test_a_session_is_deleted_only_without_bookings(world: World, facility: Facility, manager: Someone) -> None:
    space, programme = world.space(facility), world.programme()
    booked, free = world.session(facility, programme), world.session(facility, programme, space_id=space.id)
    world.book(world.resident(), booked)
    assert manager.api.delete(f"/sessions/{booked.id}", status=409)["code"] == "has_bookings"
    path = f"/sessions/{free.id}"
    manager.api.delete(path)
    manager.api.get(path, status=404)
    manager.api.delete(path, status=404)
    world.session(facility, programme, space_id=space.id)  # and its space is free again


@pytest.mark.parametrize("what", [EventKind.WALK_IN, EventKind.PRESENT])
def test_a_session_to_which_people_came_unbooked_is_not_deleted(
    world: World, facility: Facility, manager: Someone, what: EventKind
) -> None:
    session = world.session(facility, starts_in=timedelta(minutes=30))
    world.record(manager, session, what, world.resident().resident_id)
    assert manager.api.delete(f"/sessions/{session.id}", status=409)["code"] in ("in_use", "has_bookings")
    assert manager.api.get(f"/sessions/{session.id}")["status"] == "held"


# -- looking


def test_no_name_of_any_person_is_in_a_session(world: World, anyone: Caller, facility: Facility) -> None:
    manager = world.manager(facility)
    made = manager.api.post(
        "/sessions",
        offer(
            facility,
            world.programme(),
            starts_at=(NOW + timedelta(minutes=30)).isoformat(),
            ends_at=(NOW + timedelta(hours=2)).isoformat(),
        ),
    )
    resident = world.resident(name="欧阳无名")
    resident.api.post("/bookings", {"session_id": made["id"], "resident_ids": [str(resident.resident_id)]})
    for path in (f"/sessions/{made['id']}", "/sessions"):
        for caller in (anyone, resident.api, manager.api):
            text = caller.call("GET", path, status=200).get_data(as_text=True).encode().decode("unicode_escape")
            for secret in ("欧阳", resident.login, manager.login):
                assert secret not in text
            assert made["title"] in text


def test_a_list_begins_now_where_nothing_else_is_said(world: World, anyone: Caller) -> None:
    world.session(starts_in=timedelta(minutes=-1))
    now, later = world.session(starts_in=timedelta(0)), world.session(starts_in=timedelta(days=400))
    assert [row["id"] for row in anyone.get("/sessions")["items"]] == [str(now.id), str(later.id)]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        pytest.param(
            {"from": "2026-09-20"}, ["midnight", "noon", "last minute", "next day"], id="from the district's midnight"
        ),
        pytest.param(
            {"from": "2026-09-20", "to": "2026-09-21"},
            ["midnight", "noon", "last minute"],
            id="to midnight, not included",
        ),
        pytest.param({"from": "2026-09-19", "to": "2026-09-20"}, ["minute before"], id="the day before"),
        pytest.param(
            {"from": "2026-09-20T00:00:00Z", "to": "2026-09-21T00:00:00Z"},
            ["noon", "last minute", "next day"],
            id="an instant is an instant",
        ),
        pytest.param(
            {"from": "2026-09-19T16:00:00Z", "to": "2026-09-19T16:00:01Z"}, ["midnight"], id="the first second"
        ),
        pytest.param({"from": "2026-09-21", "to": "2026-09-20"}, [], id="backwards"),
    ],
)
def test_bare_dates_mean_the_districts_midnight(
    world: World, anyone: Caller, query: dict[str, str], found: list[str]
) -> None:
    moments = {
        "minute before": (19, 23, 59),
        "midnight": (20, 0, 0),
        "noon": (20, 12, 0),
        "last minute": (20, 23, 59),
        "next day": (21, 0, 0),
    }
    names = {}
    for name, (day, hour, minute) in moments.items():
        starts_at = datetime(2026, 9, day, hour, minute, tzinfo=clock.DISTRICT).astimezone(UTC)
        names[str(world.session(starts_at=starts_at).id)] = name
    answer = anyone.call("GET", "/sessions", query_string=query, status=200).get_json()
    assert [names[row["id"]] for row in answer["items"]] == found


@pytest.mark.parametrize(
    ("query", "found"),
    [
        pytest.param({"facility": "{space}"}, ["full", "free"], id="by facility"),
        pytest.param({"programme": "{yoga}"}, ["park"], id="by programme"),
        pytest.param({"kind": "park"}, ["park"], id="by kind of facility"),
        pytest.param({"facility": "{space}", "kind": "park"}, [], id="conditions add up"),
        pytest.param({"available": "true"}, ["free", "park"], id="with a place that can be booked now"),
        pytest.param({"available": "false"}, ["full", "free", "park", "cancelled", "not yet", "no more"], id="any"),
    ],
)
def test_sessions_are_found_by_facility_programme_kind_and_places_left(
    world: World, anyone: Caller, query: dict[str, str], found: list[str]
) -> None:
    space, park, other = world.facility(), world.facility(FacilityKind.PARK), world.facility()
    calligraphy, yoga = world.programme(), world.programme()
    sessions = {
        "full": world.session(space, calligraphy, capacity=1),
        "free": world.session(space, calligraphy),
        "park": world.session(park, yoga),
        "cancelled": world.session(other, calligraphy),
        "not yet": world.session(other, calligraphy, booking_opens_at=NOW + timedelta(days=1)),
        "no more": world.session(other, calligraphy, booking_closes_at=NOW),
    }
    world.book(world.resident(), sessions["full"])
    world.manager(other).api.post(f"/sessions/{sessions['cancelled'].id}/cancel", {"reason": "停电"}, status=200)
    wanted = {key: value.format(space=space.id, yoga=yoga.id) for key, value in query.items()}
    names = {str(session.id): name for name, session in sessions.items()}
    answer = anyone.call("GET", "/sessions", query_string=wanted, status=200).get_json()
    assert [names[row["id"]] for row in answer["items"]] == found


@pytest.mark.parametrize("limit", [1, 2, 4, 5, 6])
def test_pages_hold_each_session_exactly_once_where_all_start_together(
    world: World, anyone: Caller, limit: int
) -> None:
    facility, programme = world.facility(), world.programme()
    wanted = [str(world.session(facility, programme).id) for _ in range(5)]
    seen, cursor = [], None
    for _ in range(10):
        query = {"limit": limit, **({"cursor": cursor} if cursor else {})}
        answer = anyone.call("GET", "/sessions", query_string=query, status=200).get_json()
        assert len(answer["items"]) <= limit
        seen += [row["id"] for row in answer["items"]]
        cursor = answer["next"]
        if cursor is None:
            break
    assert seen == wanted


def test_a_page_goes_on_behind_its_last_row_though_rows_came_and_went(world: World, anyone: Caller) -> None:
    facility, programme = world.facility(), world.programme()
    first, second, third = (str(world.session(facility, programme).id) for _ in range(3))
    page = anyone.get("/sessions?limit=2")
    world.manager(facility).api.delete(f"/sessions/{second}")
    fourth = str(world.session(facility, programme).id)
    rest = anyone.call("GET", "/sessions", query_string={"limit": 2, "cursor": page["next"]}, status=200).get_json()
    assert [row["id"] for row in page["items"]] == [first, second]
    assert [row["id"] for row in rest["items"]] == [third, fourth]
