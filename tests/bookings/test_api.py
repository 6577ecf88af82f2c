"""Places over the API: promised once, refused with a code that says why, given back once."""

import csv
import io
from datetime import date, timedelta
from typing import Any

import pytest
from openpyxl import load_workbook

from facilities.engine.eligibility import Audience, Sex
from facilities.engine.roll_call import EventKind
from facilities.households.models import Relation
from facilities.kernel import clock
from facilities.places.models import Facility
from facilities.programmes.models import ActivitySession
from tests.client import Caller
from tests.conftest import NOW
from tests.world import Someone, World

CSV = "text/csv"
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


def wish(session: ActivitySession, resident_id: int, **more: Any) -> dict[str, Any]:
    return {"session_id": str(session.id), "resident_ids": [str(resident_id)], **more}


def ask(someone: Someone, session: ActivitySession, status: int = 201, resident_id: int | None = None) -> Any:
    return someone.api.post("/bookings", wish(session, resident_id or someone.resident_id), status=status)


def places(caller: Caller, session: ActivitySession) -> tuple[int, int]:
    seen = caller.get(f"/sessions/{session.id}")
    return seen["places_taken"], seen["places_left"]


# -- booking


@pytest.mark.parametrize("party", ["together", "separately", None])
def test_a_booking_is_confirmed_and_counted(world: World, anyone: Caller, party: str | None) -> None:
    resident, session = world.resident(), world.session(capacity=3)
    more = {} if party is None else {"party": party, "if_full": "refuse"}
    answer = resident.api.post("/bookings", wish(session, resident.resident_id, **more))
    assert answer["refused"] == []
    (booking,) = answer["items"]
    assert (booking["session_id"], booking["resident_id"], booking["status"]) == (
        str(session.id),
        str(resident.resident_id),
        "confirmed",
    )
    assert booking["reference"].isalnum()
    assert resident.api.get(f"/bookings/{booking['id']}") == booking
    assert resident.api.get("/bookings") == {"items": [booking], "next": None}
    assert places(anyone, session) == (1, 2)


def test_a_parent_books_for_a_child_and_a_neighbour_sees_nothing_of_it(world: World) -> None:
    mother, neighbour, session = world.resident(), world.resident(), world.session()
    child = world.member(mother)
    (booking,) = ask(mother, session, resident_id=child)["items"]
    assert booking["resident_id"] == str(child)
    assert neighbour.api.get("/bookings")["items"] == []
    neighbour.api.get(f"/bookings/{booking['id']}", status=404)
    neighbour.api.post(f"/bookings/{booking['id']}/cancel", status=404)
    assert mother.api.get(f"/bookings/{booking['id']}")["status"] == "confirmed"


def test_several_of_a_household_take_one_place_each(world: World, anyone: Caller) -> None:
    mother, session = world.resident(), world.session(capacity=3)
    residents = [mother.resident_id, world.member(mother), world.member(mother)]
    for resident_id in residents:
        ask(mother, session, resident_id=resident_id)
    assert places(anyone, session) == (3, 0)
    assert len({row["reference"] for row in mother.api.get("/bookings")["items"]}) == 3


# -- refusals; each leaves the places and the list of bookings as they were

REFUSALS = [
    pytest.param({"capacity": 1}, "full", "session_full", id="the last place is gone"),
    pytest.param({}, "booked", "already_booked", id="booked already"),
    pytest.param({"capacity": 1}, "booked", "already_booked", id="booked already, and full by that"),
    pytest.param({}, "elsewhere", "overlaps_own_booking", id="elsewhere at the time"),
    pytest.param({"booking_opens_at": NOW + timedelta(seconds=1)}, None, "booking_not_open", id="opens in a second"),
    pytest.param({"booking_closes_at": NOW}, None, "booking_closed", id="closes now"),
    pytest.param({"starts_in": timedelta(0)}, None, "booking_closed", id="starts now"),
    pytest.param({"starts_in": timedelta(days=-1)}, None, "booking_closed", id="was yesterday"),
    pytest.param({}, "called off", "session_cancelled", id="called off"),
    pytest.param({"booking_closes_at": NOW}, "called off", "session_cancelled", id="called off, and closed"),
    pytest.param({"audience": Audience(sex=Sex.MALE)}, None, "not_eligible", id="for men and boys"),
]


@pytest.mark.parametrize(("offered", "before", "code"), REFUSALS)
def test_a_place_that_cannot_be_had_is_refused_with_its_code(
    world: World, offered: dict[str, Any], before: str | None, code: str
) -> None:
    facility, resident = world.facility(), world.resident()
    session = world.session(facility, **offered)
    if before == "full":
        world.book(world.resident(), session)
    elif before == "booked":
        world.book(resident, session)
    elif before == "elsewhere":
        world.book(resident, world.session(starts_in=timedelta(days=3, minutes=60)))
    elif before == "called off":
        world.manager(facility).api.post(f"/sessions/{session.id}/cancel", {"reason": "停电"}, status=200)
    taken, held = places(resident.api, session), resident.api.get("/bookings")
    refused = ask(resident, session, status=409)
    assert (refused["code"], refused["status"]) == (code, 409)
    assert places(resident.api, session) == taken
    assert resident.api.get("/bookings") == held


@pytest.mark.parametrize(
    ("offered", "fact", "instant"),
    [
        pytest.param(
            {"booking_opens_at": NOW + timedelta(hours=1)}, "booking_opens_at", "2026-09-16T11:00:00+08:00", id="opens"
        ),
        pytest.param(
            {"booking_closes_at": NOW - timedelta(hours=1)},
            "booking_closes_at",
            "2026-09-16T09:00:00+08:00",
            id="closed",
        ),
    ],
)
def test_an_instant_among_the_facts_is_in_the_districts_time(
    world: World, offered: dict[str, Any], fact: str, instant: str
) -> None:
    refused = ask(world.resident(), world.session(**offered), status=409)
    assert refused["facts"][fact] == instant


@pytest.mark.parametrize(
    ("offered", "booked"),
    [
        pytest.param({"booking_opens_at": NOW}, True, id="opens now"),
        pytest.param({"booking_closes_at": NOW + timedelta(seconds=1)}, True, id="closes in a second"),
        pytest.param({"booking_closes_at": NOW - timedelta(seconds=1)}, False, id="closed a second ago"),
        pytest.param(
            {"starts_in": timedelta(minutes=-10), "booking_closes_at": NOW + timedelta(minutes=10)},
            True,
            id="has begun, and says that late-comers are welcome",
        ),
    ],
)
def test_booking_is_open_from_its_opening_up_to_its_closing(
    world: World, offered: dict[str, Any], booked: bool
) -> None:
    ask(world.resident(), world.session(**offered), status=201 if booked else 409)


SESSION_DAY = date(2026, 9, 19)  # three days ahead


@pytest.mark.parametrize(
    ("audience", "birth_date", "sex", "facts"),
    [
        pytest.param(Audience(min_age=6), date(2020, 9, 19), Sex.MALE, None, id="turns 6 on the day"),
        pytest.param(
            Audience(min_age=6),
            date(2020, 9, 20),
            Sex.MALE,
            {"rule": "min_age", "min_age": 6, "age": 5},
            id="turns 6 a day late",
        ),
        pytest.param(Audience(max_age=12), date(2013, 9, 20), Sex.MALE, None, id="still 12 on the day"),
        pytest.param(
            Audience(max_age=12),
            date(2013, 9, 19),
            Sex.MALE,
            {"rule": "max_age", "max_age": 12, "age": 13},
            id="turns 13 on the day",
        ),
        pytest.param(Audience(min_age=60, max_age=60), date(1966, 9, 19), Sex.FEMALE, None, id="60 and nothing else"),
        pytest.param(Audience(sex=Sex.FEMALE), date(2013, 1, 1), Sex.FEMALE, None, id="a girl among women"),
        pytest.param(
            Audience(sex=Sex.FEMALE),
            date(2013, 1, 1),
            Sex.MALE,
            {"rule": "sex", "sex": "female"},
            id="a boy among women",
        ),
    ],
)
def test_ages_hold_for_the_day_of_the_session_and_facts_name_the_rule(
    world: World, audience: Audience, birth_date: date, sex: Sex, facts: dict[str, Any] | None
) -> None:
    parent, session = world.resident(), world.session(audience=audience)
    assert clock.local_date(session.starts_at) == SESSION_DAY
    someone = world.member(parent, birth_date=birth_date, sex=sex, relation=Relation.OTHER)
    answer = ask(parent, session, status=409 if facts else 201, resident_id=someone)
    assert (answer.get("code"), answer.get("facts")) == (("not_eligible", facts) if facts else (None, None))


def test_the_day_of_a_session_is_the_districts(world: World) -> None:
    """At 16:30Z on the 19th it is half past midnight on the 20th there."""
    parent = world.resident()
    child = world.member(parent, birth_date=date(2020, 9, 20))
    starts_at = NOW.replace(day=19, hour=16, minute=30)
    ask(parent, world.session(starts_at=starts_at, audience=Audience(min_age=6)), resident_id=child)


@pytest.mark.parametrize(
    ("moved_by", "lasts", "in_the_way"),
    [
        pytest.param(timedelta(minutes=90), timedelta(minutes=30), False, id="begins as the other ends"),
        pytest.param(timedelta(minutes=-30), timedelta(minutes=30), False, id="ends as the other begins"),
        pytest.param(timedelta(minutes=89), timedelta(minutes=30), True, id="crosses the end"),
        pytest.param(timedelta(minutes=-30), timedelta(minutes=31), True, id="crosses the start"),
        pytest.param(timedelta(minutes=30), timedelta(minutes=10), True, id="lies inside"),
        pytest.param(timedelta(hours=-1), timedelta(hours=4), True, id="swallows it"),
    ],
)
def test_nobody_is_promised_two_places_at_once(
    world: World, moved_by: timedelta, lasts: timedelta, in_the_way: bool
) -> None:
    resident, first = world.resident(), world.session()
    second = world.session(starts_at=first.starts_at + moved_by, lasts=lasts)
    ask(resident, first)
    answer = ask(resident, second, status=409 if in_the_way else 201)
    assert answer.get("code") == ("overlaps_own_booking" if in_the_way else None)
    ask(resident, second, resident_id=world.member(resident))  # somebody else of the household may


def test_a_cancelled_booking_is_in_nobodys_way(world: World) -> None:
    resident, first, second = world.resident(), world.session(), world.session()
    (booking,) = ask(resident, first)["items"]
    ask(resident, second, status=409)
    resident.api.post(f"/bookings/{booking['id']}/cancel", status=200)
    ask(resident, second)
    assert ask(resident, first, status=409)["code"] == "overlaps_own_booking"


def test_a_session_and_a_resident_must_be_there_and_ones_own(world: World) -> None:
    resident, neighbour, session = world.resident(), world.resident(), world.session(booking_closes_at=NOW)
    ask(resident, session, status=404, resident_id=neighbour.resident_id)
    ask(resident, session, status=404, resident_id=987654)
    body = {"session_id": "987654", "resident_ids": [str(resident.resident_id)]}
    resident.api.post("/bookings", body, status=404)
    for staff in (world.manager(world.facility()), world.administrator()):
        ask(staff, session, status=404, resident_id=resident.resident_id)


# -- cancelling


def test_cancelling_twice_frees_exactly_one_place(world: World, anyone: Caller) -> None:
    session, resident, neighbour = world.session(capacity=2), world.resident(), world.resident()
    (booking,) = ask(resident, session)["items"]
    ask(neighbour, session)
    first = resident.api.post(f"/bookings/{booking['id']}/cancel", status=200)
    assert first["status"] == "cancelled"
    assert places(anyone, session) == (1, 1)
    for _ in range(3):
        assert resident.api.post(f"/bookings/{booking['id']}/cancel", status=200) == first
    assert places(anyone, session) == (1, 1)


def test_a_freed_place_is_for_the_next_and_for_oneself_again(world: World, anyone: Caller) -> None:
    session, resident = world.session(capacity=1), world.resident()
    (booking,) = ask(resident, session)["items"]
    ask(world.resident(), session, status=409)
    resident.api.post(f"/bookings/{booking['id']}/cancel", status=200)
    (again,) = ask(resident, session)["items"]
    assert again["id"] != booking["id"]
    assert again["reference"] != booking["reference"]
    resident.api.post(f"/bookings/{booking['id']}/cancel", status=200)  # the old one frees nothing of the new one
    assert places(anyone, session) == (1, 0)
    assert resident.api.get(f"/bookings/{again['id']}")["status"] == "confirmed"


@pytest.mark.parametrize(
    ("offered", "asked_at", "cancelled"),
    [
        pytest.param({}, timedelta(days=3, seconds=-1), True, id="a second before the start"),
        pytest.param({}, timedelta(days=3), False, id="as it starts"),
        pytest.param(
            {"cancellation_closes_at": NOW + timedelta(days=1)},
            timedelta(days=1, seconds=-1),
            True,
            id="a second before the deadline",
        ),
        pytest.param(
            {"cancellation_closes_at": NOW + timedelta(days=1)}, timedelta(days=1), False, id="at the deadline"
        ),
        pytest.param(
            {"booking_closes_at": NOW + timedelta(days=1)},
            timedelta(days=2),
            True,
            id="booking is closed, cancelling is not",
        ),
    ],
)
def test_a_place_is_given_back_before_cancelling_closes(
    world: World, offered: dict[str, Any], asked_at: timedelta, cancelled: bool
) -> None:
    resident, session = world.resident(), world.session(**offered)
    (booking,) = ask(resident, session)["items"]
    with clock.frozen(NOW + asked_at):
        answer = resident.api.post(f"/bookings/{booking['id']}/cancel", status=200 if cancelled else 409)
        assert answer.get("code") == (None if cancelled else "cancellation_closed")
        assert places(resident.api, session)[0] == (0 if cancelled else 1)
    if not cancelled:
        closes_at = clock.local(offered.get("cancellation_closes_at", session.starts_at)).isoformat()
        assert answer["facts"]["cancellation_closes_at"] == closes_at


def test_a_second_cancel_answers_the_same_after_cancelling_has_closed(world: World) -> None:
    resident, session = world.resident(), world.session()
    (booking,) = ask(resident, session)["items"]
    first = resident.api.post(f"/bookings/{booking['id']}/cancel", status=200)
    with clock.frozen(session.ends_at):
        assert resident.api.post(f"/bookings/{booking['id']}/cancel", status=200) == first


def test_a_booking_of_a_session_that_was_called_off_is_cancelled_and_stays_so(world: World, anyone: Caller) -> None:
    facility, resident = world.facility(), world.resident()
    session = world.session(facility)
    (booking,) = ask(resident, session)["items"]
    world.manager(facility).api.post(f"/sessions/{session.id}/cancel", {"reason": "停电"}, status=200)
    answer = resident.api.post(f"/bookings/{booking['id']}/cancel", status=200)
    assert (answer["status"], answer["cancel_reason"]) == ("cancelled", "停电")
    assert places(anyone, session)[0] == 0


def test_who_was_ticked_present_before_the_start_is_not_told_that_the_place_is_given_back(world: World) -> None:
    """The roll opens an hour before the start; a cancel that changes nothing is no 200 of a confirmed cancel."""
    facility = world.facility()
    session, resident = world.session(facility, starts_in=timedelta(minutes=30)), world.resident()
    booking = world.book(resident, session)
    world.record(world.manager(facility), session, EventKind.PRESENT, resident.resident_id, occurred_at=NOW)
    response = resident.api.call("POST", f"/bookings/{booking.id}/cancel")
    assert response.status_code == 409 or response.get_json()["status"] == "cancelled"


# -- lists


@pytest.mark.parametrize("limit", [1, 2, 3, 5, 6])
def test_pages_hold_each_booking_exactly_once_where_all_start_together(world: World, limit: int) -> None:
    mother, facility, programme = world.resident(), world.facility(), world.programme()
    household = [mother.resident_id, *(world.member(mother) for _ in range(4))]
    wanted = [str(world.book(mother, world.session(facility, programme), resident_id).id) for resident_id in household]
    seen, cursor = [], None
    for _ in range(10):
        query = {"limit": limit, **({"cursor": cursor} if cursor else {})}
        answer = mother.api.call("GET", "/bookings", query_string=query, status=200).get_json()
        seen += [row["id"] for row in answer["items"]]
        cursor = answer["next"]
        if cursor is None:
            break
    assert seen == wanted


# -- the roster


@pytest.fixture
def facility(world: World) -> Facility:
    return world.facility()


@pytest.fixture
def session(world: World, facility: Facility) -> ActivitySession:
    """Three came to a roster: one whose name would be a formula, one who cancelled, one who turned 61 that day."""
    session = world.session(facility)
    elder = world.resident(name="张桂芳", birth_date=date(1965, 9, 19))
    formula = world.resident(name="=HYPERLINK(1)", birth_date=date(2000, 1, 1), sex=Sex.MALE)
    gone = world.resident(name="走了")
    world.book(elder, session)
    world.book(formula, session)
    gone.api.post(f"/bookings/{world.book(gone, session).id}/cancel", status=200)
    return session


def test_a_roster_names_those_who_hold_a_place_and_masks_their_phones(
    world: World, facility: Facility, session: ActivitySession
) -> None:
    items = world.manager(facility).api.get(f"/sessions/{session.id}/roster")["items"]
    by_name = {row["name"]: row for row in items}
    assert set(by_name) == {"=HYPERLINK(1)", "张桂芳"}
    row = by_name["张桂芳"]
    assert set(row) >= {
        "booking_id",
        "reference",
        "resident_id",
        "name",
        "age",
        "sex",
        "phone_masked",
        "status",
        "party",
    }
    assert (row["age"], row["sex"], row["status"]) == (61, "female", "confirmed")
    assert row["phone_masked"].startswith("139****")
    assert not any(key in row for key in ("phone", "birth_date", "id_number"))


@pytest.mark.parametrize("accept", [CSV, XLSX, f"{CSV}, application/json;q=0.5"])
def test_a_roster_is_the_same_as_a_file(
    world: World, facility: Facility, session: ActivitySession, accept: str
) -> None:
    manager = world.manager(facility)
    items = manager.api.get(f"/sessions/{session.id}/roster")["items"]
    response = manager.api.call("GET", f"/sessions/{session.id}/roster", headers={"Accept": accept}, status=200)
    rows: list[tuple[Any, ...]]
    if accept == XLSX:
        assert response.mimetype == XLSX
        rows = list(load_workbook(io.BytesIO(response.data)).active.values)
    else:
        assert response.content_type.replace(" ", "") == "text/csv;charset=utf-8"
        rows = [tuple(row) for row in csv.reader(io.StringIO(response.data.decode("utf-8-sig")))]
    assert "attachment" in response.headers["Content-Disposition"]
    assert len(rows) == 1 + len(items)
    for row, item in zip(rows[1:], items, strict=True):
        cells = [str(cell) for cell in row]
        for wanted in (item["reference"], str(item["age"]), item["phone_masked"]):
            assert wanted in cells
        assert not any(cell.startswith(("=", "+", "-", "@")) for cell in cells), "a spreadsheet would run it"
        assert any(item["name"] in cell for cell in cells)


@pytest.mark.parametrize("accept", ["application/json", "*/*", "text/html", "application/json, text/csv;q=0.5"])
def test_a_roster_is_json_where_no_file_is_asked_for(
    world: World, facility: Facility, session: ActivitySession, accept: str
) -> None:
    path = f"/sessions/{session.id}/roster"
    response = world.administrator().api.call("GET", path, headers={"Accept": accept}, status=200)
    assert response.mimetype == "application/json"


def test_roster_of_another_facility_is_not_permitted_in_any_form(world: World, session: ActivitySession) -> None:
    stranger = world.manager(world.facility())
    for accept in ("application/json", CSV, XLSX):
        stranger.api.call("GET", f"/sessions/{session.id}/roster", headers={"Accept": accept}, status=403)
