"""When a space is free: what the API says, for one space and for the soonest of many."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.dialects import postgresql

from facilities.engine.opening import SpaceRules
from facilities.infra.db import db
from facilities.kernel import clock
from facilities.places.models import Facility, Space, SpaceKind
from facilities.reservations import queries
from tests.client import Caller, Counter
from tests.reservations.rooms import NINE_TO_SIX, RULES, at, close, reserve, room
from tests.world import World


def free(caller: Caller, space: Space, start: str, end: str) -> list[str]:
    """As `17 09:00-18:00`; what ends on another day says so."""
    answer = caller.call(
        "GET", f"/spaces/{space.id}/availability", query_string={"from": start, "to": end}, status=200
    ).get_json()
    return [said(row) for row in answer["free"]]


def said(row: dict[str, str]) -> str:
    first, last = datetime.fromisoformat(row["starts_at"]), datetime.fromisoformat(row["ends_at"])
    day = "" if first.date() == last.date() else f"{last.day} "
    return f"{first.day} {first:%H:%M}-{day}{last:%H:%M}"


def first_free(caller: Caller, minutes: int, **query: Any) -> list[tuple[str, str]]:
    """(space id, span), soonest first."""
    items = caller.call("GET", "/spaces/free", query_string={"minutes": minutes, **query}, status=200).get_json()
    return [(row["space"]["id"], said(row)) for row in items["items"]]


# -- one space


def test_a_space_is_free_while_it_is_open_and_nobody_holds_it(world: World, anyone: Caller) -> None:
    facility = world.facility(hours=NINE_TO_SIX)
    space = room(world, facility)
    reserve(world.resident(), space, "17 10:00-11:00")
    reserve(world.resident(), space, "17 11:00-12:00")
    world.session(facility, starts_at=at("17 14:00"), lasts=timedelta(hours=2), space_id=space.id)
    close(facility, "18 09:00-12:00")
    close(facility, "18 16:00-20:00", space)
    assert free(anyone, space, "2026-09-17", "2026-09-19") == [
        "17 09:00-10:00",
        "17 12:00-14:00",
        "17 16:00-18:00",
        "18 12:00-16:00",
    ]


def test_a_bare_date_is_the_districts_midnight_and_the_end_does_not_belong_to_it(world: World, anyone: Caller) -> None:
    space = room(world, world.facility())
    assert free(anyone, space, "2026-09-17", "2026-09-18") == ["17 00:00-18 00:00"]
    assert free(anyone, space, "2026-09-16T16:00:00Z", "2026-09-17T16:00:00Z") == ["17 00:00-18 00:00"]
    assert free(anyone, space, "2026-09-17T10:00:00+08:00", "2026-09-17T11:30:00+08:00") == ["17 10:00-11:30"]


def test_what_touches_the_period_takes_nothing_from_it(world: World, anyone: Caller) -> None:
    space = room(world)
    reserve(world.resident(), space, "17 09:00-10:00")
    reserve(world.resident(), space, "17 12:00-13:00")
    period = "2026-09-17T10:00:00+08:00", "2026-09-17T12:00:00+08:00"
    assert free(anyone, space, *period) == ["17 10:00-12:00"]


def test_a_space_is_not_free_while_what_lies_around_or_inside_it_is_held(world: World, anyone: Caller) -> None:
    facility = world.facility(hours=NINE_TO_SIX)
    hall = room(world, facility, kind=SpaceKind.HALL)
    inside, beside = room(world, facility, parent=hall), room(world, facility, parent=hall)
    reserve(world.resident(), hall, "17 09:00-10:00")
    reserve(world.resident(), inside, "17 11:00-12:00")
    close(facility, "17 15:00-18:00", hall)
    close(facility, "17 13:00-14:00", beside)
    day = "2026-09-17", "2026-09-18"
    assert free(anyone, hall, *day) == ["17 10:00-11:00", "17 12:00-13:00", "17 14:00-15:00"]
    assert free(anyone, inside, *day) == ["17 10:00-11:00", "17 12:00-15:00"]
    assert free(anyone, beside, *day) == ["17 10:00-13:00", "17 14:00-15:00"]


def test_what_is_cancelled_or_open_again_is_free(world: World, anyone: Caller) -> None:
    someone, facility = world.resident(), world.facility(hours=NINE_TO_SIX)
    space = room(world, facility)
    made = reserve(someone, space, "17 10:00-11:00")
    closure = close(facility, "17 12:00-13:00")
    closure.lifted_at = clock.now()
    db.session.commit()
    someone.api.post(f"/reservations/{made.id}/cancel", status=200)
    assert free(anyone, space, "2026-09-17", "2026-09-18") == ["17 09:00-18:00"]


def test_nothing_is_said_of_who_holds_it(world: World, anyone: Caller) -> None:
    space = room(world)
    reserve(world.resident(), space, "17 10:00-11:00")
    answer = anyone.get(f"/spaces/{space.id}/availability?from=2026-09-17&to=2026-09-18")
    assert set(answer) == {"free"}
    assert all(set(row) == {"starts_at", "ends_at"} for row in answer["free"])


@pytest.mark.parametrize(
    ("start", "end", "field"),
    [
        pytest.param("2026-09-18", "2026-09-17", "to", id="backwards"),
        pytest.param("2026-09-17", "2026-09-17", "to", id="empty"),
        pytest.param("2026-09-17", "2026-11-18T00:00:01+08:00", "to", id="a second over 62 days"),
        pytest.param(None, "2026-09-17", "from", id="from nowhere"),
        pytest.param("2026-09-17", None, "to", id="without end"),
        pytest.param("2026-09-17T10:00:00", "2026-09-18", "from", id="without offset"),
        pytest.param("0001-01-01", "2026-09-18", "from", id="from the first day"),
        pytest.param("yesterday", "2026-09-18", "from", id="words"),
    ],
)
def test_a_period_that_cannot_be_asked_about_is_invalid(
    world: World, anyone: Caller, start: str | None, end: str | None, field: str
) -> None:
    space = room(world)
    query = {name: value for name, value in (("from", start), ("to", end)) if value}
    path = f"/spaces/{space.id}/availability"
    assert set(anyone.call("GET", path, query_string=query, status=422).get_json()["fields"]) == {field}
    assert free(anyone, space, "2026-09-17", "2026-11-18")


def test_a_space_that_is_not_there_is_not_found_before_anything_else(anyone: Caller) -> None:
    for number in ("1", "0", "abc", "9" * 30):
        anyone.get(f"/spaces/{number}/availability", status=404)


# -- the soonest of many


def test_each_space_is_shown_with_its_first_free_span_soonest_first(world: World, anyone: Caller) -> None:
    facility, other = world.facility(hours=NINE_TO_SIX), world.facility(hours=NINE_TO_SIX)
    busy, late, now = room(world, facility), room(world, other), room(world, facility)
    reserve(world.resident(), busy, "16 10:00-11:30")
    reserve(world.resident(), busy, "16 12:00-13:00")
    close(other, "16 09:00-18:00")
    assert first_free(anyone, 60) == [
        (str(now.id), "16 10:00-11:00"),
        (str(busy.id), "16 13:00-14:00"),
        (str(late.id), "17 09:00-10:00"),
    ]
    assert first_free(anyone, 30)[1] == (str(busy.id), "16 11:30-12:00")
    (item,) = anyone.get(f"/spaces/free?minutes=60&facility={other.id}")["items"]
    assert item["facility"] == {"id": str(other.id), "name": other.name, "name_en": other.name_en}
    assert item["space"]["name"] == late.name


def test_what_is_offered_can_be_reserved_as_it_is(world: World, anyone: Caller) -> None:
    facility = world.facility(hours=NINE_TO_SIX)
    always = world.facility()
    rules = [
        RULES,
        replace(RULES, notice_minutes=45),
        replace(RULES, grid_minutes=50, min_minutes=None),
        replace(RULES, grid_minutes=None),
        SpaceRules(),
    ]
    for kept in rules:
        room(world, facility, rules=kept)
        room(world, always, rules=kept)
    with clock.frozen(at("16 23:07") + timedelta(seconds=42)):
        for minutes in (30, 50, 60, 100):
            items = anyone.get(f"/spaces/free?minutes={minutes}")["items"]
            assert items
            for row in items:
                someone = world.resident()
                wish = {
                    "space_id": row["space"]["id"],
                    "resident_id": str(someone.resident_id),
                    "purpose": "排练",
                    "starts_at": row["starts_at"],
                    "ends_at": row["ends_at"],
                }
                someone.api.post("/reservations", wish)


@pytest.mark.parametrize(
    ("rules", "minutes"),
    [
        (replace(RULES), 15),
        (replace(RULES), 210),
        (replace(RULES), 45),
        (replace(RULES, days_ahead=0, notice_minutes=24 * 60), 60),
    ],
    ids=["too short", "too long", "beside the grid", "never in time"],
)
def test_a_space_whose_rules_do_not_allow_it_is_left_out(
    world: World, anyone: Caller, rules: SpaceRules, minutes: int
) -> None:
    room(world, rules=rules)
    assert first_free(anyone, minutes) == []


@pytest.mark.parametrize("more", [{"reservable": False}, {"quantity": 3}], ids=["not for residents", "several"])
def test_a_space_that_cannot_be_reserved_is_left_out(world: World, anyone: Caller, more: dict[str, Any]) -> None:
    room(world, **more)
    assert first_free(anyone, 60) == []


def test_a_grid_that_does_not_divide_the_day_begins_anew_at_midnight(world: World, anyone: Caller) -> None:
    """From 23:20 on, fifty minutes reach over midnight and end beside the grid of the next day."""
    space = room(world, world.facility(), rules=SpaceRules(grid_minutes=50))
    with clock.frozen(at("16 23:15")):
        assert first_free(anyone, 50) == [(str(space.id), "17 00:00-00:50")]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        pytest.param({}, ["hall", "room"], id="everything"),
        pytest.param({"kind": "hall"}, ["hall"], id="by kind"),
        pytest.param({"facility": "{home}"}, ["room"], id="by facility"),
        pytest.param({"facility": "abc"}, [], id="by what is no facility"),
        pytest.param({"sub_district": "500104004"}, ["hall", "room"], id="by sub-district"),
        pytest.param({"sub_district": "500104005"}, [], id="by a sub-district without any"),
        pytest.param({"from": "2026-09-17", "to": "2026-09-17T09:30:00+08:00"}, [], id="by a time that is too short"),
        pytest.param({"from": "2026-09-20", "to": "2026-09-21"}, [], id="on a Sunday"),
        pytest.param({"from": "2026-09-10", "to": "2026-09-16"}, [], id="in the past"),
    ],
)
def test_the_search_is_narrowed(world: World, anyone: Caller, query: dict[str, str], found: list[str]) -> None:
    facility, home = world.facility(hours=NINE_TO_SIX), world.facility(hours=NINE_TO_SIX)
    names = {str(room(world, facility, kind=SpaceKind.HALL).id): "hall", str(room(world, home).id): "room"}
    asked = {name: value.format(home=home.id) for name, value in query.items()}
    assert [names[space_id] for space_id, _ in first_free(anyone, 60, **asked)] == found


@pytest.mark.parametrize(
    "query",
    [
        pytest.param({}, id="for how long"),
        pytest.param({"minutes": "0"}, id="for no time"),
        pytest.param({"minutes": "-30"}, id="for less than no time"),
        pytest.param({"minutes": "1.5"}, id="for a fraction"),
        pytest.param({"minutes": "44641"}, id="for over a month"),
        pytest.param({"minutes": "9" * 30}, id="for ever"),
        pytest.param({"minutes": "60", "kind": "purple"}, id="no kind of space"),
        pytest.param({"minutes": "60", "from": "2026-09-18", "to": "2026-09-17"}, id="backwards"),
        pytest.param({"minutes": "60", "to": "2026-09-15"}, id="until yesterday"),
        pytest.param({"minutes": "60", "to": "2027-09-15"}, id="for a year"),
        pytest.param({"minutes": "60", "cursor": "x"}, id="a cursor that was not given out"),
    ],
)
def test_a_search_that_cannot_be_is_invalid(anyone: Caller, query: dict[str, str]) -> None:
    assert anyone.call("GET", "/spaces/free", query_string=query, status=422).get_json()["fields"]


def test_pages_of_free_spaces_hold_each_once(world: World, anyone: Caller) -> None:
    facility = world.facility(hours=NINE_TO_SIX)
    wanted = [str(room(world, facility).id) for _ in range(3)]
    one = anyone.get("/spaces/free?minutes=60&limit=2")
    two = anyone.get(f"/spaces/free?minutes=60&limit=2&cursor={one['next']}")
    assert [row["space"]["id"] for row in one["items"] + two["items"]] == wanted
    assert two["next"] is None


def test_a_search_of_many_spaces_asks_no_more_than_one_of_few(world: World, anyone: Caller, queries: Counter) -> None:
    def grow() -> None:
        facility = world.facility(hours=NINE_TO_SIX)
        hall = room(world, facility)
        reserve(world.resident(), room(world, facility, parent=hall), "17 10:00-11:00")
        close(facility, "18 09:00-12:00", hall)

    grow()
    costs = []
    for _ in range(2):
        queries.clear()
        assert first_free(anyone, 60)
        costs.append(len(queries))
        for _ in range(4):
            grow()
    assert costs == [5, 5]  # spaces, hours, families, what holds them, closures


# -- how the database finds it


@pytest.mark.parametrize("kind", ["postgresql"])
def test_what_holds_a_space_is_found_by_its_index(world: World) -> None:
    """With the planner's own choice over many rows: a parameter of a smaller type would only filter."""
    facility = world.facility()
    spaces = [room(world, facility) for _ in range(20)]
    fill(facility, spaces)
    wanted = queries.held_rows([spaces[3].id, spaces[7].id], at("17 00:00"), at("18 00:00"))
    statement = wanted.compile(dialect=postgresql.psycopg.dialect(), compile_kwargs={"render_postcompile": True})
    assert "::BIGINT" in str(statement)
    with db.engine.connect() as connection:
        compiled = wanted.compile(connection, compile_kwargs={"render_postcompile": True})
        lines = connection.exec_driver_sql(
            f"EXPLAIN {compiled}", {name: bound(value) for name, value in compiled.params.items()}
        ).scalars()
        plan = "\n".join(lines)
    assert "occupancies" in plan
    assert "Seq Scan" not in plan, plan
    assert "Index Cond: ((space_id = ANY" in plan or "Index Cond: (space_id = ANY" in plan, plan


def bound(value: object) -> object:
    return value.astimezone(clock.DISTRICT) if isinstance(value, datetime) else value


def fill(facility: Facility, spaces: list[Space]) -> None:
    """Three hundred days of half hours in each space, written without asking anybody."""
    ids = ", ".join(str(space.id) for space in spaces)
    with db.engine.begin() as connection:
        connection.execute(text("INSERT INTO residents (name, sex, created_at) VALUES ('某人', 'female', now())"))
        connection.execute(
            text(
                "INSERT INTO reservations (reference, facility_id, space_id, resident_id, state, starts_at, ends_at, "
                "purpose, created_at) "
                f"SELECT 'R' || s.id || '-' || n, {facility.id}, s.id, (SELECT min(id) FROM residents), 'confirmed', "
                "timestamptz '2026-01-01' + n * interval '8 hours', "
                "timestamptz '2026-01-01' + n * interval '8 hours' + interval '30 minutes', 'x', now() "
                f"FROM spaces s, generate_series(1, 1000) n WHERE s.id IN ({ids})"
            )
        )
        connection.execute(
            text(
                "INSERT INTO occupancies (space_id, held_space_id, reservation_id, starts_at, ends_at) "
                "SELECT space_id, space_id, id, starts_at, ends_at FROM reservations"
            )
        )
    with db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("ANALYZE"))
