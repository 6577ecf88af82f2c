"""Closing a place: what falls inside is shown, then cancelled or moved, and everybody is told exactly once."""

from collections import Counter as Multiset
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import pytest
from sqlalchemy import select

from facilities.engine.roll_call import EventKind
from facilities.infra.db import Model, db, unit_of_work
from facilities.infra.outbox import Notice
from facilities.kernel import clock
from facilities.kernel.refusals import Refused
from facilities.places.models import Space
from facilities.programmes.models import ActivitySession
from facilities.reservations import services as reservations
from facilities.reservations.models import Reservation
from tests.client import Caller
from tests.world import Someone, World

DAY = date(2026, 9, 18)


def at(wall: str, day: date = DAY) -> str:
    return f"{day.isoformat()}T{wall}:00+08:00"


class Town:
    """A hall with two rooms in it, and a room of its own, with whoever runs them."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.facility = world.facility()
        self.hall = world.space(self.facility, "大厅")
        self.room = world.space(self.facility, "一室", self.hall)
        self.next_room = world.space(self.facility, "二室", self.hall)
        self.annexe = world.space(self.facility, "附楼")
        self.programme = world.programme()
        self.manager = world.manager(self.facility)

    def session(self, space: Space | None = None, wall: int = 9, **more: Any) -> ActivitySession:
        starts_at = clock.at(DAY, time(wall))
        return self.world.session(
            self.facility, self.programme, starts_at=starts_at, space_id=space.id if space else None, **more
        )

    def reserve(self, someone: Someone, space: Space, wall: int = 9) -> Reservation:
        start = clock.at(DAY, time(wall))
        return unit_of_work(
            lambda: reservations.reserve(
                someone.actor, space.id, someone.resident_id, start, start + timedelta(hours=1), "合唱排练"
            )
        )

    def path(self, under: str = "") -> str:
        return f"/facilities/{self.facility.id}/closures{under}"

    def body(self, space: Space | None = None, **more: Any) -> dict[str, Any]:
        span = {"starts_at": at("08:00"), "ends_at": at("18:00")}
        return {**span, **({"space_id": str(space.id)} if space else {}), **more}

    def preview(self, space: Space | None = None, **more: Any) -> Any:
        return self.manager.api.post(self.path("/preview"), self.body(space, **more), status=200)

    def close(self, space: Space | None = None, status: int = 201, **more: Any) -> Any:
        return self.manager.api.post(self.path(), self.body(space, reason="管道维修", **more), status=status)


@pytest.fixture
def town(world: World) -> Iterator[Town]:
    yield Town(world)
    db.session.rollback()


def fresh(row: ActivitySession | Reservation) -> Any:
    db.session.rollback()
    return db.session.execute(
        select(type(row)).where(type(row).id == row.id).execution_options(populate_existing=True)
    ).scalar_one()


def told(someone: Someone) -> list[str]:
    db.session.rollback()
    return list(db.session.scalars(select(Notice.kind).where(Notice.user_id == someone.user.id).order_by(Notice.id)))


def rows(*tables: str) -> list[Any]:
    db.session.rollback()
    found = []
    for name in tables:
        table = Model.metadata.tables[name]
        found += [tuple(row) for row in db.session.execute(select(table).order_by(*table.primary_key.columns))]
    return found


# -- what falls inside


def inside(answer: dict[str, Any]) -> set[str]:
    return {row["title"] for row in answer["sessions"]}


SPACES = ("hall", "room", "next_room", "annexe")


@pytest.mark.parametrize(
    ("closed", "expected"),
    [
        pytest.param("hall", {"hall", "room", "next_room"}, id="what lies inside"),
        pytest.param("room", {"hall", "room"}, id="what lies around"),
        pytest.param("annexe", {"annexe"}, id="nothing beside"),
        pytest.param(None, {*SPACES, "nowhere"}, id="the whole facility"),
    ],
)
def test_a_closure_concerns_what_lies_in_a_space_and_around_it(
    world: World, town: Town, closed: str | None, expected: set[str]
) -> None:
    for hour, name in enumerate(SPACES, start=9):
        town.session(getattr(town, name), hour, title=name, lasts=timedelta(hours=1))
    town.session(None, title="nowhere")
    world.session(world.facility(), starts_at=clock.at(DAY, time(9)), title="elsewhere")
    space = getattr(town, closed) if closed else None
    assert inside(town.preview(space)) == expected
    town.close(space)
    db.session.rollback()
    called_off = select(ActivitySession.title).where(ActivitySession.cancelled_at.is_not(None))
    assert set(db.session.scalars(called_off)) == expected


@pytest.mark.parametrize(
    ("starts", "ends", "touched"),
    [
        pytest.param("07:00", "09:00", False, id="ends as it starts"),
        pytest.param("07:00", "09:01", True, id="touches the start"),
        pytest.param("09:30", "09:40", True, id="lies within"),
        pytest.param("07:00", "20:00", True, id="swallows it"),
        pytest.param("10:29", "20:00", True, id="touches the end"),
        pytest.param("10:30", "20:00", False, id="starts as it ends"),
    ],
)
def test_spans_that_only_meet_do_not_touch(world: World, town: Town, starts: str, ends: str, touched: bool) -> None:
    session = town.session(town.room)
    span = {"starts_at": at(starts), "ends_at": at(ends)}
    assert bool(town.preview(town.room, **span)["sessions"]) is touched
    town.close(town.room, **span)
    assert fresh(session).is_cancelled is touched


def test_the_preview_says_how_many_people_are_concerned_and_saves_nothing(world: World, town: Town) -> None:
    session, someone, other = town.session(town.room, capacity=1), world.resident(), world.resident()
    world.book(someone, session)
    body = {"session_id": str(session.id), "resident_ids": [str(other.resident_id)], "if_full": "waitlist"}
    other.api.post("/bookings", body)
    reservation = town.reserve(other, town.next_room)
    before = rows("closures", "activity_sessions", "bookings", "reservations", "notices", "audit_entries")
    answer = town.preview(town.hall)
    assert answer["people"] == 3
    (shown,) = answer["sessions"]
    assert (shown["id"], shown["people"], shown["space"]["name"]) == (str(session.id), 2, "一室")
    assert [row["reference"] for row in answer["reservations"]] == [reservation.reference]
    assert rows("closures", "activity_sessions", "bookings", "reservations", "notices", "audit_entries") == before


def test_what_has_taken_place_or_is_over_is_not_touched(world: World, town: Town) -> None:
    held, over, called_off = town.session(town.room, 8), town.session(town.annexe, 8), town.session(town.next_room, 8)
    running = town.session(None, 11)
    town.manager.api.post(f"/sessions/{called_off.id}/cancel", {"reason": "停电"}, status=200)
    with clock.frozen(datetime(2026, 9, 18, 3, 15, tzinfo=UTC)):  # 11:15: one runs, the others are over
        manager = world.manager(town.facility)
        world.record(manager, held, EventKind.WALK_IN, occurred_at=clock.at(DAY, time(8)))
        before = rows("attendance_events")
        answer = manager.api.post(town.path(), {"ends_at": at("18:00"), "reason": "停水"})
    assert answer["starts_at"] == at("11:15")
    assert [fresh(s).status.value for s in (held, over, running)] == ["held", "scheduled", "cancelled"]
    assert fresh(called_off).cancel_reason == "停电"
    assert rows("attendance_events") == before


# -- closing


def test_everything_inside_is_cancelled_with_the_reason_and_told_once(world: World, town: Town) -> None:
    first, second = world.resident(), world.resident()
    session, untouched = town.session(town.room), town.session(town.annexe, 14)
    for someone in (first, second):
        world.book(someone, session)
    world.book(first, untouched)
    reservation = town.reserve(second, town.next_room)
    before = Multiset(told(first)), Multiset(told(second))
    closure = town.close(town.hall)
    assert (closure["space_id"], closure["reason"], closure["lifted_at"]) == (str(town.hall.id), "管道维修", None)
    assert (fresh(session).cancel_reason, fresh(untouched).is_cancelled) == ("管道维修", False)
    assert (fresh(reservation).state.value, fresh(reservation).cancel_reason) == ("cancelled", "管道维修")
    assert {row["status"] for row in second.api.get("/bookings")["items"]} == {"cancelled"}
    assert Multiset(told(first)) - before[0] == {"session_cancelled": 1}
    assert Multiset(told(second)) - before[1] == {"session_cancelled": 1, "reservation_cancelled": 1}
    assert rows("occupancies") == [row for row in rows("occupancies") if row[1] == town.annexe.id]


def test_what_is_to_be_moved_is_moved_and_told_once(world: World, town: Town) -> None:
    first, second = world.resident(), world.resident()
    session, dropped = town.session(town.room), town.session(town.next_room, 9)
    world.book(first, session)
    reservation = town.reserve(second, town.room, 14)
    before = Multiset(told(first)), Multiset(told(second))
    town.close(
        town.room,
        moves={str(session.id): str(town.annexe.id)},
        reservation_moves={str(reservation.id): str(town.annexe.id)},
    )
    assert (fresh(session).space_id, fresh(session).status.value) == (town.annexe.id, "scheduled")
    assert (fresh(reservation).space_id, fresh(reservation).state.value) == (town.annexe.id, "confirmed")
    assert not fresh(dropped).is_cancelled
    assert Multiset(told(first)) - before[0] == {"moved": 1}
    assert Multiset(told(second)) - before[1] == {"reservation_moved": 1}
    assert [row["status"] for row in first.api.get("/bookings")["items"]] == ["confirmed"]


def test_a_space_that_a_cancelled_session_leaves_can_be_moved_to(town: Town) -> None:
    """The hall is cancelled because one of its rooms closes; at another hour the other room takes what moves."""
    hall, session = town.session(town.hall, 9), town.session(town.room, 14)
    town.close(town.room, moves={str(session.id): str(town.next_room.id)})
    assert (fresh(hall).is_cancelled, fresh(session).space_id) == (True, town.next_room.id)


@pytest.mark.parametrize(
    ("target", "code"),
    [("annexe", "space_taken"), ("next_room", "closed"), ("hall", "closed"), ("room", "closed")],
)
def test_where_a_move_cannot_be_nothing_happens_at_all(world: World, town: Town, target: str, code: str) -> None:
    session, other = town.session(town.room), town.session(town.next_room)
    world.book(world.resident(), other)
    town.session(town.annexe)
    before = rows("closures", "activity_sessions", "bookings", "occupancies", "notices")
    refused = town.close(town.hall, status=409, moves={str(session.id): str(getattr(town, target).id)})
    assert (refused["code"], refused["facts"]["session_id"]) == (code, str(session.id))
    assert rows("closures", "activity_sessions", "bookings", "occupancies", "notices") == before


def test_a_reservation_that_cannot_move_keeps_the_place_open(world: World, town: Town) -> None:
    someone = world.resident()
    reservation = town.reserve(someone, town.room)
    town.session(town.annexe)
    refused = town.close(town.room, status=409, reservation_moves={str(reservation.id): str(town.annexe.id)})
    assert (refused["code"], refused["facts"]["reservation_id"]) == ("space_taken", str(reservation.id))
    assert rows("closures") == []
    assert fresh(reservation).space_id == town.room.id


def test_only_what_falls_inside_can_be_moved(world: World, town: Town) -> None:
    outside, session = town.session(town.annexe), town.session(town.room)
    foreign = world.space(world.facility())
    for moves in (
        {str(outside.id): str(town.annexe.id)},
        {"999": str(town.annexe.id)},
        {"x": "y"},
        {str(session.id): str(foreign.id)},
        {str(session.id): "999"},
    ):
        problem = town.close(town.room, status=422, moves=moves)
        assert problem["fields"]
    town.close(town.room, status=422, reservation_moves={"1": str(town.annexe.id)})
    assert rows("closures") == []


def test_a_closure_starts_at_once_or_later_and_ends_after_that(town: Town) -> None:
    for span, field in (
        ({"starts_at": "2026-09-16T09:58:59+08:00"}, "starts_at"),
        ({"ends_at": at("08:00")}, "ends_at"),
        ({"ends_at": at("07:00")}, "ends_at"),
        ({"starts_at": None, "ends_at": "2026-09-16T10:00:00+08:00"}, "ends_at"),
    ):
        for path, more in (("/preview", {}), ("", {"reason": "维修"})):
            problem = town.manager.api.post(town.path(path), {**town.body(**span), **more}, status=422)
            assert set(problem["fields"]) == {field}
    assert town.close(starts_at="2026-09-16T09:59:30+08:00")["starts_at"] == "2026-09-16T10:00:00+08:00"


def test_nothing_new_is_held_inside_until_it_is_lifted(world: World, town: Town, anyone: Caller) -> None:
    closure = town.close(town.hall)
    someone = world.resident()
    wanted = {
        "programme_id": str(town.programme.id),
        "facility_id": str(town.facility.id),
        "space_id": str(town.room.id),
        "title": "书法",
        "starts_at": at("09:00"),
        "ends_at": at("10:00"),
        "capacity": 5,
    }
    assert town.manager.api.post("/sessions", wanted, status=409)["code"] == "closed"
    elsewhere = town.session(town.annexe)
    move = {"space_id": str(town.room.id)}
    assert town.manager.api.patch(f"/sessions/{elsewhere.id}", move, status=409)["code"] == "closed"
    with pytest.raises(Refused, match="closed"):
        town.reserve(someone, town.next_room)
    assert anyone.get(town.path())["items"] == [closure]
    path = f"/closures/{closure['id']}/lift"
    lifted = town.manager.api.post(path, status=200)
    assert lifted["lifted_at"] == "2026-09-16T10:00:00+08:00"
    with clock.frozen(clock.now() + timedelta(hours=1)):
        assert town.manager.api.post(path, status=200) == lifted
    assert anyone.get(town.path()) == {"items": [], "next": None}
    town.manager.api.post("/sessions", wanted)


def test_what_was_cancelled_stays_cancelled_when_it_is_lifted(town: Town) -> None:
    session = town.session(town.room)
    closure = town.close(town.room)
    town.manager.api.post(f"/closures/{closure['id']}/lift", status=200)
    assert fresh(session).is_cancelled


def test_what_lies_beside_a_closure_can_be_booked_as_before(world: World, town: Town) -> None:
    session = town.session(town.annexe)
    town.close(town.hall)
    assert world.book(world.resident(), session).id


def test_who_does_not_run_the_place_sees_closures_and_makes_none(world: World, town: Town, anyone: Caller) -> None:
    closure = town.close(town.annexe)
    stranger, resident = world.manager(world.facility()), world.resident()
    lift = f"/closures/{closure['id']}/lift"
    for path, body in (
        (town.path(), {**town.body(), "reason": "x"}),
        (town.path("/preview"), town.body()),
        (lift, None),
    ):
        anyone.post(path, body, status=401)
        stranger.api.post(path, body, status=403)
        resident.api.post(path, body, status=403)
        stranger.api.post(path.replace(str(town.facility.id), "999", 1) if body else "/closures/999/lift", body, 404)
    assert stranger.api.get(town.path())["items"] == [closure]
    assert world.administrator().api.post(lift, status=200)["lifted_at"]


def test_closures_are_listed_by_their_start_and_only_those_ahead(town: Town, anyone: Caller) -> None:
    later = town.close(town.room, starts_at=at("08:00", date(2026, 12, 1)), ends_at=at("08:00", date(2026, 12, 2)))
    sooner = town.close(town.annexe)
    assert [row["id"] for row in anyone.get(town.path())["items"]] == [sooner["id"], later["id"]]
    first = anyone.get(town.path() + "?limit=1")
    assert [row["id"] for row in anyone.get(f"{town.path()}?cursor={first['next']}")["items"]] == [later["id"]]
    with clock.frozen(clock.at(DAY, time(18))):
        assert [row["id"] for row in anyone.get(town.path())["items"]] == [later["id"]]
