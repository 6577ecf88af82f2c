"""Reservations over the API: made once, refused with a code that says why, moved, given back."""

from dataclasses import replace
from datetime import date, timedelta
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import func, select

from facilities.engine.opening import SpaceRules
from facilities.infra.audit import AuditEntry
from facilities.infra.db import db
from facilities.infra.outbox import Notice
from facilities.kernel import clock
from facilities.places.models import Occupancy, Space, SpaceKind
from facilities.reservations.models import Reservation
from tests.client import Caller
from tests.conftest import NOW
from tests.reservations.rooms import NINE_TO_SIX, RULES, at, close, facility_of, reserve, room, span, wish
from tests.world import Someone, World

TOMORROW = "17 14:00-15:30"


def rows(model: type[Any]) -> int:
    db.session.rollback()
    return db.session.scalar(select(func.count()).select_from(model)) or 0


def held(space: Space) -> list[tuple[str, str]]:
    """When the leaf is held, as the API would say it."""
    db.session.rollback()
    found = db.session.execute(
        select(Occupancy.starts_at, Occupancy.ends_at)
        .where(Occupancy.space_id == space.id)
        .order_by(Occupancy.starts_at)
    )
    return [(clock.local(a).isoformat(), clock.local(b).isoformat()) for a, b in found]


def times(when: str) -> tuple[str, str]:
    found = span(when)
    return found["starts_at"], found["ends_at"]


def ask(someone: Someone, space: Space, when: str, status: int = 201, **more: Any) -> Any:
    return someone.api.post("/reservations", wish(space, someone, when, **more), status=status)


# -- reserving


def test_a_reservation_is_confirmed_shown_and_holds_its_space(world: World) -> None:
    someone, space = world.resident(), room(world)
    made = ask(someone, space, TOMORROW)
    assert made["status"] == "confirmed"
    assert (made["space_id"], made["resident_id"]) == (str(space.id), str(someone.resident_id))
    assert (made["starts_at"], made["ends_at"]) == times(TOMORROW)
    assert made["purpose"] == "居民合唱排练"
    assert made["reference"].isalnum()
    assert isinstance(made["id"], str)
    assert held(space) == [times(TOMORROW)]
    assert someone.api.get(f"/reservations/{made['id']}") == made
    assert someone.api.get("/reservations") == {"items": [made], "next": None}


def test_it_is_noted_and_told_to_everyone_who_acts_for_the_resident(world: World) -> None:
    someone, space = world.resident(), room(world)
    made = ask(someone, space, TOMORROW)
    (notice,) = db.session.scalars(select(Notice))
    assert (notice.kind, notice.about_kind, str(notice.about_id)) == ("reserved", "reservation", made["id"])
    assert (notice.user_id, notice.resident_id) == (someone.user.id, someone.resident_id)
    assert notice.read_at is not None  # who did it has read it
    assert notice.facts == {
        "space": space.name,
        "space_en": space.name_en,
        "facility": facility_of(space).name,
        "facility_en": facility_of(space).name_en,
        **span(TOMORROW),
    }
    (entry,) = db.session.scalars(select(AuditEntry))
    assert (entry.verb, entry.about_kind, str(entry.about_id)) == ("reserved", "reservation", made["id"])


def test_a_parent_reserves_for_a_child_and_a_neighbour_sees_nothing_of_it(world: World) -> None:
    mother, neighbour, space = world.resident(), world.resident(), room(world)
    child = world.member(mother)
    made = ask(mother, space, TOMORROW, resident_id=str(child))
    assert made["resident_id"] == str(child)
    assert neighbour.api.get("/reservations")["items"] == []
    neighbour.api.get(f"/reservations/{made['id']}", status=404)
    neighbour.api.patch(f"/reservations/{made['id']}", span("18 09:00-10:00"), status=404)
    neighbour.api.patch(f"/reservations/{made['id']}", {"starts_at": "never"}, status=404)
    neighbour.api.post(f"/reservations/{made['id']}/cancel", status=404)
    ask(neighbour, space, "18 09:00-10:00", status=404, resident_id=str(child))
    assert mother.api.get(f"/reservations/{made['id']}") == made


def test_staff_see_no_reservation_that_is_not_their_households(world: World) -> None:
    someone, space = world.resident(), room(world)
    made = ask(someone, space, TOMORROW)
    for staff in (world.manager(facility_of(space)), world.administrator()):
        staff.api.get(f"/reservations/{made['id']}", status=404)
        staff.api.post(f"/reservations/{made['id']}/cancel", status=404)


def test_without_a_token_nothing_is_reserved(world: World, anyone: Caller) -> None:
    someone, space = world.resident(), room(world)
    anyone.post("/reservations", wish(space, someone, TOMORROW), status=401)
    anyone.get("/reservations", status=401)
    assert rows(Reservation) == 0


def test_the_same_request_twice_makes_one_reservation(world: World) -> None:
    someone, space = world.resident(), room(world)
    key = {"Idempotency-Key": str(uuid4())}
    body = wish(space, someone, TOMORROW)
    one = someone.api.call("POST", "/reservations", json=body, headers=key, status=201)
    two = someone.api.call("POST", "/reservations", json=body, headers=key, status=201)
    assert two.get_json() == one.get_json()
    assert (rows(Reservation), rows(Occupancy), rows(Notice)) == (1, 1, 1)
    other = {**body, **span("18 09:00-10:00")}
    refused = someone.api.call("POST", "/reservations", json=other, headers=key, status=422).get_json()
    assert refused["code"] == "idempotency_key_reused"
    assert rows(Reservation) == 1


def test_a_refusal_is_kept_under_its_key_too(world: World) -> None:
    someone, space = world.resident(), room(world)
    taken = reserve(world.resident(), space, TOMORROW)
    key = {"Idempotency-Key": str(uuid4())}
    body = wish(space, someone, TOMORROW)
    for _ in range(2):
        refused = someone.api.call("POST", "/reservations", json=body, headers=key, status=409).get_json()
        assert refused["code"] == "space_taken"
    assert held(space) == [times(TOMORROW)]
    assert world.fresh(taken).state.value == "confirmed"


@pytest.mark.parametrize("limit", [1, 2, 3, 4, 5, 200])
def test_pages_of_reservations_hold_each_exactly_once_though_they_tie(world: World, limit: int) -> None:
    someone = world.resident()
    facility = world.facility(hours=NINE_TO_SIX)
    made = [ask(someone, room(world, facility), TOMORROW)["id"] for _ in range(4)]
    seen, cursor = [], None
    while True:
        query = {"limit": limit, **({"cursor": cursor} if cursor else {})}
        answer = someone.api.call("GET", "/reservations", query_string=query, status=200).get_json()
        seen += [row["id"] for row in answer["items"]]
        cursor = answer["next"]
        if cursor is None:
            break
    assert seen == made


# -- what is refused, and leaves nothing

RULED_OUT = [
    pytest.param("17 14:00-14:30", None, None, id="the shortest"),
    pytest.param("17 14:00-17:00", None, None, id="the longest"),
    pytest.param("17 09:00-10:00", None, None, id="as it opens"),
    pytest.param("17 17:00-18:00", None, None, id="until it closes"),
    pytest.param("16 10:00-11:00", None, None, id="this very moment"),
    pytest.param("16 09:30-10:30", "too_late", {"notice_minutes": 0}, id="begun already"),
    pytest.param("15 14:00-15:00", "too_late", {"notice_minutes": 0}, id="yesterday"),
    pytest.param("17 14:00-14:29", "too_short", {"min_minutes": 30}, id="a minute too short"),
    pytest.param("17 14:00-17:01", "too_long", {"max_minutes": 180}, id="a minute too long"),
    pytest.param("17 14:10-15:10", "off_grid", {"grid_minutes": 30}, id="beside the grid"),
    pytest.param("17 14:00-15:10", "off_grid", {"grid_minutes": 30}, id="ends beside the grid"),
    pytest.param("17 08:30-09:30", "outside_opening_hours", {}, id="before it opens"),
    pytest.param("17 17:30-18:30", "outside_opening_hours", {}, id="after it closes"),
    pytest.param("17 22:30-00:30", "outside_opening_hours", {}, id="over midnight"),
    pytest.param("20 10:00-11:00", "outside_opening_hours", {}, id="on a Sunday"),
]


@pytest.mark.parametrize(("when", "code", "facts"), RULED_OUT)
def test_the_rules_of_the_space_are_kept(world: World, when: str, code: str | None, facts: dict[str, Any]) -> None:
    someone, space = world.resident(), room(world)
    answer = ask(someone, space, when, status=409 if code else 201)
    if code:
        assert (answer["code"], answer["facts"]) == (code, facts)
    assert rows(Reservation) == rows(Occupancy) == rows(Notice) == rows(AuditEntry) == (0 if code else 1)


@pytest.mark.parametrize(
    ("days", "allowed"), [(30, True), (31, False)], ids=["on the last day that is open", "a day too far ahead"]
)
def test_how_far_ahead_is_counted_in_days_of_the_district(world: World, days: int, allowed: bool) -> None:
    someone, space = world.resident(), room(world, world.facility())
    start = clock.at(clock.local_date(NOW) + timedelta(days=days)) + timedelta(hours=23, minutes=30)
    body = wish(space, someone, TOMORROW)
    body |= {"starts_at": start.isoformat(), "ends_at": (start + timedelta(hours=1)).isoformat()}
    answer = someone.api.post("/reservations", body, status=201 if allowed else 409)
    assert allowed or (answer["code"], answer["facts"]) == ("too_far_ahead", {"days_ahead": 30})


def test_notice_is_asked_for_where_the_space_needs_it(world: World) -> None:
    someone, space = world.resident(), room(world, rules=replace(RULES, notice_minutes=60))
    refused = ask(someone, space, "16 10:30-11:30", status=409)
    assert (refused["code"], refused["facts"]) == ("too_late", {"notice_minutes": 60})
    ask(someone, space, "16 11:00-12:00")


def test_a_space_without_rules_is_reserved_to_the_minute_and_over_midnight(world: World) -> None:
    someone, space = world.resident(), room(world, world.facility(), rules=None)
    ask(someone, space, "17 22:07-01:13")
    assert held(space) == [times("17 22:07-01:13")]


def test_no_reservation_is_longer_than_a_month_where_nothing_else_is_said(world: World) -> None:
    someone, space = world.resident(), room(world, world.facility(), rules=None)
    start = at("17 00:00")
    body = wish(space, someone, TOMORROW)
    for minutes, status in ((31 * 24 * 60, 201), (31 * 24 * 60 + 1, 409)):
        body |= {"starts_at": start.isoformat(), "ends_at": (start + timedelta(minutes=minutes)).isoformat()}
        answer = someone.api.post("/reservations", body, status=status)
    assert answer["code"] == "too_long"


@pytest.mark.parametrize(
    "more", [{"reservable": False}, {"quantity": 12}], ids=["not for residents", "several that are alike"]
)
def test_not_every_space_can_be_reserved(world: World, more: dict[str, Any]) -> None:
    someone, space = world.resident(), room(world, kind=SpaceKind.STALL, **more)
    assert ask(someone, space, TOMORROW, status=409)["code"] == "not_reservable"
    assert rows(Reservation) == 0


@pytest.mark.parametrize(
    ("when", "allowed"),
    [
        ("17 12:30-14:00", True),
        ("17 12:30-14:30", False),
        ("17 14:00-15:30", False),
        ("17 14:30-15:00", False),
        ("17 13:00-16:00", False),
        ("17 15:00-16:00", False),
        ("17 15:30-16:30", True),
    ],
    ids=["ends as it begins", "reaches into it", "the same", "inside", "around", "begins inside", "begins as it ends"],
)
def test_a_space_is_reserved_once_at_a_time(world: World, when: str, allowed: bool) -> None:
    someone, space = world.resident(), room(world)
    reserve(world.resident(), space, TOMORROW)
    answer = ask(someone, space, when, status=201 if allowed else 409)
    assert allowed or answer["code"] == "space_taken"
    assert rows(Reservation) == rows(Occupancy) == (2 if allowed else 1)


@pytest.mark.parametrize("first", ["session", "reservation"])
def test_a_session_and_a_reservation_never_share_a_space(world: World, first: str) -> None:
    facility = world.facility(hours=NINE_TO_SIX)
    someone, space, manager = world.resident(), room(world, facility), world.manager(facility)
    programme = world.programme()
    announced = {
        "programme_id": str(programme.id),
        "facility_id": str(facility.id),
        "space_id": str(space.id),
        "title": "竹编",
        "capacity": 10,
        **span("17 15:00-16:00"),
    }
    if first == "session":
        manager.api.post("/sessions", announced)
        assert ask(someone, space, TOMORROW, status=409)["code"] == "space_taken"
        ask(someone, space, "17 16:00-17:00")
    else:
        ask(someone, space, TOMORROW)
        assert manager.api.post("/sessions", announced, status=409)["code"] == "space_taken"
        manager.api.post("/sessions", {**announced, **span("17 15:30-16:30")})


def test_a_session_that_moves_onto_a_reservation_stays_where_it_was(world: World) -> None:
    facility = world.facility(hours=NINE_TO_SIX)
    space, manager = room(world, facility), world.manager(facility)
    session = world.session(facility, starts_at=at("17 09:00"), space_id=space.id)
    reserve(world.resident(), space, TOMORROW)
    refused = manager.api.patch(f"/sessions/{session.id}", span(TOMORROW), status=409)
    assert refused["code"] == "space_taken"
    assert world.fresh(session).starts_at == at("17 09:00")


@pytest.mark.parametrize("outer_first", [True, False], ids=["the hall, then its room", "the room, then its hall"])
def test_a_hall_and_the_rooms_in_it_are_one(world: World, outer_first: bool) -> None:
    facility = world.facility(hours=NINE_TO_SIX)
    hall = room(world, facility, kind=SpaceKind.HALL)
    inside, beside = room(world, facility, parent=hall), room(world, facility, parent=hall)
    someone = world.resident()
    first, second = (hall, inside) if outer_first else (inside, hall)
    ask(someone, first, TOMORROW)
    assert ask(someone, second, "17 15:00-16:00", status=409)["code"] == "space_taken"
    ask(someone, beside, TOMORROW, status=409 if outer_first else 201)


@pytest.mark.parametrize("closed", ["facility", "space", "hall around it", "room inside it", "another space"])
def test_nothing_is_reserved_where_it_is_closed(world: World, closed: str) -> None:
    facility = world.facility(hours=NINE_TO_SIX)
    hall = room(world, facility)
    space = room(world, facility, parent=hall)
    inside = room(world, facility, parent=space)
    other = room(world, facility)
    where = {"facility": None, "space": space, "hall around it": hall, "room inside it": inside, "another space": other}
    close(facility, "17 12:00-15:00", where[closed])
    someone = world.resident()
    if closed == "another space":
        ask(someone, space, TOMORROW)
        return
    refused = ask(someone, space, TOMORROW, status=409)
    assert (refused["code"], refused["facts"]) == ("closed", {"until": clock.local(at("17 15:00")).isoformat()})
    ask(someone, space, "17 15:00-16:00")


def test_what_is_open_again_can_be_reserved(world: World) -> None:
    facility = world.facility(hours=NINE_TO_SIX)
    someone, space = world.resident(), room(world, facility)
    closure = close(facility, "17 09:00-18:00")
    closure.lifted_at = clock.now()
    db.session.commit()
    ask(someone, space, TOMORROW)


def test_a_resident_has_so_many_reservations_ahead_in_a_space_and_no_more(world: World) -> None:
    mother, space = world.resident(), room(world)
    child, other = world.member(mother), room(world, facility_of(space))
    one = ask(mother, space, "17 09:00-10:00")
    ask(mother, space, "17 10:00-11:00")
    refused = ask(mother, space, "17 11:00-12:00", status=409)
    assert (refused["code"], refused["facts"]) == ("limit_reached", {"rule": "per_resident", "limit": 2})
    ask(mother, other, "17 11:00-12:00")
    ask(mother, space, "17 11:00-12:00", resident_id=str(child))
    mother.api.post(f"/reservations/{one['id']}/cancel", status=200)
    ask(mother, space, "17 12:00-13:00")
    ask(mother, space, "17 13:00-14:00", status=409)
    with clock.frozen(at("17 11:00")):  # the second one is over, the third still ahead
        ask(mother, space, "17 15:00-16:00")
        ask(mother, space, "17 16:00-17:00", status=409)


@pytest.mark.parametrize("when", ["17 15:00-15:00", "backwards"])
def test_a_span_that_is_none_is_invalid(world: World, when: str) -> None:
    someone, space = world.resident(), room(world)
    ends = span(TOMORROW)
    ends = {"starts_at": ends["ends_at"], "ends_at": ends["starts_at" if when == "backwards" else "ends_at"]}
    refused = someone.api.post("/reservations", {**wish(space, someone, TOMORROW), **ends}, status=422)
    assert set(refused["fields"]) == {"ends_at"}


# -- moving


@pytest.mark.parametrize(
    "when",
    ["17 15:30-17:00", "17 12:30-14:00", "17 14:30-16:00", "17 14:00-17:00", "17 14:30-15:00", "18 09:00-10:00"],
    ids=["touches its end", "touches its start", "overlaps itself", "grows", "shrinks", "another day"],
)
def test_a_reservation_moves_and_its_own_old_span_is_in_no_way(world: World, when: str) -> None:
    someone, space = world.resident(), room(world)
    made = ask(someone, space, TOMORROW)
    moved = someone.api.patch(f"/reservations/{made['id']}", span(when))
    assert moved == {**made, **span(when)}
    assert someone.api.get(f"/reservations/{made['id']}") == moved
    assert held(space) == [times(when)]
    other = world.resident()
    if when.startswith("18"):
        ask(other, space, TOMORROW)
    notice = db.session.scalars(select(Notice).where(Notice.kind == "reservation_moved")).one()
    assert notice.facts["starts_at"] == times(when)[0]
    assert notice.facts["was"] == {**notice.facts["was"], **span(TOMORROW)}  # type: ignore[dict-item]


def test_a_reservation_of_a_hall_moves_in_all_its_rooms(world: World) -> None:
    facility = world.facility(hours=NINE_TO_SIX)
    hall = room(world, facility)
    inside = [room(world, facility, parent=hall) for _ in range(2)]
    someone = world.resident()
    made = ask(someone, hall, TOMORROW)
    someone.api.patch(f"/reservations/{made['id']}", span("17 15:00-16:30"))
    assert [held(space) for space in inside] == [[times("17 15:00-16:30")]] * 2


REFUSED_MOVES = [
    pytest.param("17 10:00-11:00", "space_taken", id="onto another reservation"),
    pytest.param("17 09:00-10:30", "space_taken", id="into another reservation"),
    pytest.param("17 12:00-13:00", "space_taken", id="onto a session"),
    pytest.param("18 09:00-10:00", "closed", id="into a closure"),
    pytest.param("17 17:30-18:30", "outside_opening_hours", id="after it closes"),
    pytest.param("16 09:00-10:00", "too_late", id="into the past"),
    pytest.param("17 15:00-15:10", "too_short", id="too short"),
    pytest.param("17 14:00-17:30", "too_long", id="too long"),
    pytest.param("17 14:10-15:10", "off_grid", id="beside the grid"),
]


@pytest.mark.parametrize(("when", "code"), REFUSED_MOVES)
def test_a_refused_move_leaves_everything_as_it_was(world: World, when: str, code: str) -> None:
    facility = world.facility(hours=NINE_TO_SIX)
    space, someone = room(world, facility), world.resident()
    reserve(world.resident(), space, "17 10:00-11:00")
    world.session(facility, starts_at=at("17 12:00"), lasts=timedelta(hours=1), space_id=space.id)
    close(facility, "18 09:00-18:00")
    made = ask(someone, space, TOMORROW)
    before = held(space), rows(Notice), rows(AuditEntry)
    assert someone.api.patch(f"/reservations/{made['id']}", span(when), status=409)["code"] == code
    assert someone.api.get(f"/reservations/{made['id']}") == made
    assert (held(space), rows(Notice), rows(AuditEntry)) == before


def test_two_reservations_that_touch_do_not_swap_but_go_around_each_other(world: World) -> None:
    someone, space = world.resident(), room(world)
    one, two = ask(someone, space, "17 14:00-15:00"), ask(someone, space, "17 15:00-16:00")
    assert someone.api.patch(f"/reservations/{one['id']}", span("17 15:00-16:00"), status=409)["code"] == "space_taken"
    someone.api.patch(f"/reservations/{one['id']}", span("17 16:00-17:00"))
    someone.api.patch(f"/reservations/{two['id']}", span("17 14:00-15:00"))
    someone.api.patch(f"/reservations/{one['id']}", span("17 15:00-16:00"))
    assert held(space) == [times("17 14:00-15:00"), times("17 15:00-16:00")]


def test_who_has_all_that_is_allowed_can_still_move(world: World) -> None:
    someone, space = world.resident(), room(world)
    one = ask(someone, space, "17 09:00-10:00")
    ask(someone, space, "17 10:00-11:00")
    someone.api.patch(f"/reservations/{one['id']}", span("17 16:00-17:00"))


def test_one_end_moves_alone_and_nothing_to_move_is_no_mistake(world: World) -> None:
    someone, space = world.resident(), room(world)
    made = ask(someone, space, TOMORROW)
    moved = someone.api.patch(f"/reservations/{made['id']}", {"ends_at": times("17 14:00-16:30")[1]})
    assert (moved["starts_at"], moved["ends_at"]) == times("17 14:00-16:30")
    before = rows(Notice)
    assert someone.api.patch(f"/reservations/{made['id']}", {}) == moved
    assert someone.api.patch(f"/reservations/{made['id']}", span("17 14:00-16:30")) == moved
    assert rows(Notice) == before
    refused = someone.api.patch(f"/reservations/{made['id']}", {"ends_at": moved["starts_at"]}, status=422)
    assert set(refused["fields"]) == {"ends_at"}


def test_what_has_begun_or_was_cancelled_does_not_move(world: World) -> None:
    someone, space = world.resident(), room(world)
    made = ask(someone, space, TOMORROW)
    with clock.frozen(at("17 14:00")):
        refused = someone.api.patch(f"/reservations/{made['id']}", span("18 09:00-10:00"), status=409)
    assert refused["code"] == "reservation_begun"
    someone.api.post(f"/reservations/{made['id']}/cancel", status=200)
    refused = someone.api.patch(f"/reservations/{made['id']}", span("18 09:00-10:00"), status=409)
    assert refused["code"] == "reservation_cancelled"
    assert held(space) == []


# -- cancelling


def test_cancelling_frees_the_space_once_however_often_it_is_sent(world: World) -> None:
    someone, other, space = world.resident(), world.resident(), room(world)
    made = ask(someone, space, TOMORROW)
    gone = someone.api.post(f"/reservations/{made['id']}/cancel", status=200)
    assert gone == {**made, "status": "cancelled"}
    assert held(space) == []
    ask(other, space, TOMORROW)
    before = rows(Notice), rows(AuditEntry)
    assert someone.api.post(f"/reservations/{made['id']}/cancel", status=200) == gone
    assert held(space) == [times(TOMORROW)]
    assert (rows(Notice), rows(AuditEntry)) == before


def test_a_reservation_is_given_back_until_it_begins(world: World) -> None:
    someone, space = world.resident(), room(world)
    made = ask(someone, space, TOMORROW)
    with clock.frozen(at("17 14:00")):
        refused = someone.api.post(f"/reservations/{made['id']}/cancel", status=409)
    assert refused["code"] == "cancellation_closed"
    assert refused["facts"] == {"cancellation_closes_at": times(TOMORROW)[0]}
    assert held(space) == [times(TOMORROW)]
    with clock.frozen(at("17 13:59")):
        someone.api.post(f"/reservations/{made['id']}/cancel", status=200)


def test_a_late_second_cancel_still_answers_the_same(world: World) -> None:
    someone, space = world.resident(), room(world)
    made = ask(someone, space, TOMORROW)
    gone = someone.api.post(f"/reservations/{made['id']}/cancel", status=200)
    with clock.frozen(at("18 09:00")):
        assert someone.api.post(f"/reservations/{made['id']}/cancel", status=200) == gone


# -- spaces that an administrator furnishes


def test_a_space_is_added_with_its_rules(world: World, anyone: Caller) -> None:
    facility = world.facility()
    rules = {
        "min_minutes": 30,
        "max_minutes": 180,
        "grid_minutes": 30,
        "notice_minutes": 0,
        "days_ahead": 0,
        "per_resident": 2,
    }
    add = f"/facilities/{facility.id}/spaces"
    made = world.administrator().api.post(add, {"name": "排练厅", "kind": "hall", "rules": rules, "reservable": False})
    assert (made["rules"], made["reservable"]) == (rules, False)
    plain = world.administrator().api.post(add, {"name": "活动室", "kind": "room"})
    assert (plain["rules"], plain["reservable"]) == (dict.fromkeys(rules), True)
    assert anyone.get(f"/facilities/{facility.id}")["spaces"] == [made, plain]


@pytest.mark.parametrize(
    "rules",
    [
        {"min_minutes": 0},
        {"max_minutes": 0},
        {"grid_minutes": 0},
        {"per_resident": 0},
        {"notice_minutes": -1},
        {"days_ahead": -1},
        {"min_minutes": 60, "max_minutes": 30},
        {"max_minutes": 10**9},
        {"grid_minutes": 1441},
    ],
    ids=str,
)
def test_rules_that_cannot_be_are_invalid(world: World, rules: dict[str, int]) -> None:
    body = {"name": "排练厅", "kind": "hall", "rules": rules}
    refused = world.administrator().api.post(f"/facilities/{world.facility().id}/spaces", body, status=422)
    assert set(refused["fields"]) == {"rules"}
    assert rows(Space) == 0


def test_a_rule_of_the_same_day_only_is_a_rule(world: World) -> None:
    someone, space = world.resident(), room(world, rules=SpaceRules(days_ahead=0))
    assert ask(someone, space, "17 09:00-10:00", status=409)["facts"] == {"days_ahead": 0}
    ask(someone, space, "16 11:00-12:00")
    assert date(2026, 9, 16) == clock.local_date(NOW)
