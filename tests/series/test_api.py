"""Series over the API: announced whole or with gaps that are named, changed from a date on, called off."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import pytest
from sqlalchemy import select

from facilities.engine.waitlist import WaitlistMode
from facilities.engine.working_days import DayKind
from facilities.infra.db import Model, db, unit_of_work
from facilities.infra.outbox import Notice
from facilities.kernel import clock
from facilities.places import services as places
from facilities.places.models import Closure
from facilities.programmes.models import ActivitySession
from tests.client import Caller, Counter
from tests.world import Someone, World

MONDAY = date(2026, 9, 21)


def at(day: date, wall: str = "09:00") -> str:
    return f"{day.isoformat()}T{wall}:00+08:00"


class Town:
    """A facility with a space and whoever runs it."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.facility = world.facility()
        self.space = world.space(self.facility)
        self.programme = world.programme()
        self.manager = world.manager(self.facility)

    def body(self, **more: Any) -> dict[str, Any]:
        return {
            "programme_id": str(self.programme.id),
            "facility_id": str(self.facility.id),
            "space_id": str(self.space.id),
            "title": "书法",
            "rrule": "FREQ=WEEKLY;COUNT=4",
            "starts_at": at(MONDAY),
            "duration_minutes": 90,
            "capacity": 8,
            "on_rest_days": "hold",
            **more,
        }

    def announce(self, **more: Any) -> dict[str, Any]:
        return self.manager.api.post("/series", self.body(**more))  # type: ignore[no-any-return]

    def change(self, series: dict[str, Any], since: str | None = None, status: int = 200, **changes: Any) -> Any:
        return self.manager.api.call(
            "PATCH",
            f"/series/{series['id']}",
            status=status,
            json=changes,
            query_string={"from": since} if since else {},
        ).get_json()

    def close(self, start: str, end: str, space_id: int | None = None) -> None:
        unit_of_work(
            lambda: db.session.add(
                Closure(
                    facility_id=self.facility.id,
                    space_id=space_id,
                    starts_at=datetime.fromisoformat(start),
                    ends_at=datetime.fromisoformat(end),
                    reason="装修",
                    created_at=clock.now(),
                )
            )
        )


@pytest.fixture
def town(world: World) -> Iterator[Town]:
    yield Town(world)
    db.session.rollback()


def starts(answer: dict[str, Any]) -> list[str]:
    return [session["starts_at"] for session in answer["sessions"]]


def days(answer: dict[str, Any]) -> list[str]:
    return [text[5:10] for text in starts(answer)]


def gaps(answer: dict[str, Any]) -> list[tuple[str, str]]:
    return [(row["starts_at"][5:16], row["code"]) for row in answer["left_out"]]


def fresh(session: dict[str, Any]) -> ActivitySession:
    db.session.rollback()
    return db.session.execute(
        select(ActivitySession)
        .where(ActivitySession.id == int(session["id"]))
        .execution_options(populate_existing=True)
    ).scalar_one()


def rows(table: str, *conditions: Any) -> list[tuple[Any, ...]]:
    """Every column of the rows, as the database has them."""
    db.session.rollback()
    what = Model.metadata.tables[table]
    found = db.session.execute(select(what).where(*conditions).order_by(*what.primary_key.columns))
    return [tuple(row) for row in found]


# -- announcing


def test_a_series_is_a_session_for_each_date(town: Town, anyone: Caller) -> None:
    series = town.announce(audience={"min_age": 6}, waitlist={"mode": "off"})
    assert starts(series) == [at(MONDAY + timedelta(weeks=n)) for n in range(4)]
    assert series["left_out"] == []
    first = anyone.get(f"/sessions/{series['sessions'][0]['id']}")
    assert (first["series_id"], first["ends_at"], first["capacity"]) == (series["id"], at(MONDAY, "10:30"), 8)
    assert (first["audience"], first["waitlist"]["mode"]) == ({"min_age": 6}, "off")
    assert anyone.get(f"/series/{series['id']}") == series


def test_the_hour_is_the_wall_clocks_and_the_rule_is_kept_in_capitals(town: Town) -> None:
    series = town.announce(rrule="freq=monthly;byday=-1fr;until=20261231", starts_at=at(date(2026, 9, 25), "19:30"))
    assert days(series) == ["09-25", "10-30", "11-27", "12-25"]
    assert series["rrule"] == "FREQ=MONTHLY;BYDAY=-1FR;UNTIL=20261231"


def test_without_an_audience_it_is_for_those_whom_the_programme_is_for(world: World, town: Town) -> None:
    assert town.announce(audience=None)["audience"] == {}
    assert town.announce(space_id=None, audience={"sex": "female"})["audience"] == {"sex": "female"}


NATIONAL_DAYS = {"rrule": "FREQ=DAILY;COUNT=21", "starts_at": at(date(2026, 9, 20)), "capacity": 5}


def test_the_national_holidays_are_skipped_and_make_up_workdays_held(town: Town) -> None:
    """2026: rest from 1 to 7 October; Sunday 20 September and Saturday 10 October are workdays."""
    series = town.announce(**NATIONAL_DAYS, on_rest_days="skip")
    left_out = {day for day, code in gaps(series) if code == "rest_day"}
    assert left_out == {
        f"{day} 09:00".replace(" ", "T")
        for day in ("09-25", "09-26", "09-27", "10-01", "10-02", "10-03", "10-04", "10-05", "10-06", "10-07")
    }
    assert {"09-20", "10-08", "10-10"} <= set(days(series)) | {"10-10"}
    assert "09-20" in days(series)
    assert len(series["sessions"]) + len(series["left_out"]) == 21


def test_the_make_up_saturday_after_the_holidays_is_held(town: Town) -> None:
    series = town.announce(rrule="FREQ=WEEKLY;BYDAY=SA;COUNT=4", starts_at=at(date(2026, 9, 26)), on_rest_days="skip")
    assert days(series) == ["10-10"]
    assert [day[:5] for day, _ in gaps(series)] == ["09-26", "10-03", "10-17"]


def test_rest_days_are_held_where_the_series_says_so(town: Town) -> None:
    series = town.announce(**NATIONAL_DAYS, on_rest_days="hold")
    assert (len(series["sessions"]), series["left_out"]) == (21, [])


def test_a_day_that_an_administrator_made_a_rest_day_is_skipped(world: World, town: Town) -> None:
    unit_of_work(lambda: places.set_calendar_day(MONDAY, DayKind.REST, "停电"))
    series = town.announce(rrule="FREQ=WEEKLY;COUNT=2", on_rest_days="skip")
    assert gaps(series) == [("09-21T09:00", "rest_day")]


def test_where_the_calendar_does_not_reach_the_weekday_decides(town: Town) -> None:
    series = town.announce(rrule="FREQ=DAILY;COUNT=7", starts_at=at(date(2040, 1, 2)), on_rest_days="skip")
    assert (len(series["sessions"]), [code for _, code in gaps(series)]) == (5, ["rest_day", "rest_day"])


def test_every_gap_has_its_reason(world: World, town: Town) -> None:
    """In the order of the dates, whatever the reasons are."""
    world.session(town.facility, starts_at=clock.at(MONDAY + timedelta(days=2), time(10)), space_id=town.space.id)
    town.close(at(MONDAY + timedelta(days=1), "08:00"), at(MONDAY + timedelta(days=1), "09:30"))
    plan = town.body(rrule="FREQ=DAILY;COUNT=7", on_rest_days="skip")
    expected = [
        ("09-22T09:00", "closed"),
        ("09-23T09:00", "space_taken"),
        ("09-25T09:00", "rest_day"),
        ("09-26T09:00", "rest_day"),
        ("09-27T09:00", "rest_day"),
    ]
    before = rows("activity_sessions"), rows("series"), rows("left_out_dates")
    preview = town.manager.api.post("/series/preview", plan, status=200)
    assert (rows("activity_sessions"), rows("series"), rows("left_out_dates")) == before
    assert gaps(preview) == expected
    assert preview["sessions"][0] == {"starts_at": at(MONDAY), "ends_at": at(MONDAY, "10:30")}
    series = town.manager.api.post("/series", plan)
    assert gaps(series) == expected
    assert starts(series) == starts(preview) == [at(MONDAY), at(MONDAY + timedelta(days=3))]
    assert gaps(town.manager.api.get(f"/series/{series['id']}")) == expected


@pytest.mark.parametrize(
    ("held", "wanted", "taken"),
    [
        pytest.param("hall", "room", True, id="the hall around it is taken"),
        pytest.param("room", "hall", True, id="a room inside it is taken"),
        pytest.param("room", "other room", False, id="the room beside it is taken"),
        pytest.param("other room", None, False, id="it needs no space"),
    ],
)
def test_a_space_is_taken_by_what_lies_in_it_and_around_it(
    world: World, town: Town, held: str, wanted: str | None, taken: bool
) -> None:
    hall = world.space(town.facility, "大厅")
    spaces = {"hall": hall, "room": world.space(town.facility, "一室", hall)}
    spaces["other room"] = world.space(town.facility, "二室", hall)
    world.session(town.facility, starts_at=clock.at(MONDAY, time(9)), space_id=spaces[held].id)
    series = town.announce(space_id=str(spaces[wanted].id) if wanted else None)
    assert gaps(series) == ([("09-21T09:00", "space_taken")] if taken else [])


@pytest.mark.parametrize(
    ("closed", "wanted", "code"),
    [
        pytest.param(None, "room", "closed", id="the facility"),
        pytest.param(None, None, "closed", id="the facility, and no space is needed"),
        pytest.param("hall", "room", "closed", id="what lies around"),
        pytest.param("room", "hall", "closed", id="what lies inside"),
        pytest.param("other room", "room", None, id="the room beside"),
        pytest.param("hall", None, None, id="a space, and none is needed"),
    ],
)
def test_what_is_closed_is_left_out(
    world: World, town: Town, closed: str | None, wanted: str | None, code: str | None
) -> None:
    hall = world.space(town.facility, "大厅")
    spaces = {"hall": hall, "room": world.space(town.facility, "一室", hall)}
    spaces["other room"] = world.space(town.facility, "二室", hall)
    town.close(at(MONDAY, "10:00"), at(MONDAY, "22:00"), spaces[closed].id if closed else None)
    series = town.announce(space_id=str(spaces[wanted].id) if wanted else None)
    assert gaps(series) == ([("09-21T09:00", code)] if code else [])


@pytest.mark.parametrize("end", ["08:00", "09:00"])
def test_a_closure_that_ends_as_the_session_starts_is_in_nobodys_way(town: Town, end: str) -> None:
    town.close(at(MONDAY, "07:00"), at(MONDAY, end))
    assert town.announce()["left_out"] == []


def test_a_series_of_which_nothing_can_be_held_says_so(town: Town) -> None:
    town.close(at(MONDAY), at(MONDAY + timedelta(days=60)))
    series = town.announce()
    assert (series["sessions"], [code for _, code in gaps(series)]) == ([], ["closed"] * 4)


def test_what_was_held_weekly_without_the_app_is_entered_afterwards(town: Town) -> None:
    town.close(at(date(2026, 8, 1)), at(date(2026, 8, 30)))
    series = town.announce(starts_at=at(date(2026, 8, 3)))
    assert len(series["sessions"]) == 4


@pytest.mark.parametrize(
    ("rrule", "message"),
    [
        ("FREQ=HOURLY;COUNT=3", "cannot be read"),
        ("every Monday", "cannot be read"),
        ("FREQ=DAILY;COUNT=367", "at most 366"),
        ("FREQ=DAILY;UNTIL=20290101", "at most 366"),
        ("FREQ=WEEKLY;UNTIL=20200101", "no day in it"),
    ],
)
def test_a_rule_that_cannot_be_is_invalid_and_leaves_no_trace(town: Town, rrule: str, message: str) -> None:
    for path in ("/series", "/series/preview"):
        problem = town.manager.api.call(
            "POST", path, json=town.body(rrule=rrule), status=422, headers={"Accept-Language": "en"}
        ).get_json()
        assert message in problem["fields"]["rrule"][0]
    assert (rows("series"), rows("activity_sessions")) == ([], [])


def test_what_is_asked_for_is_checked_in_the_contracts_order(world: World, town: Town) -> None:
    elsewhere = world.facility()
    foreign_space = world.space(elsewhere)
    resident = world.resident()
    for path in ("/series", "/series/preview"):
        Caller(world.app).post(path, town.body(), status=401)
        resident.api.post(path, town.body(), status=403)
        town.manager.api.post(path, town.body(facility_id="999"), status=404)
        town.manager.api.post(path, town.body(programme_id="999"), status=404)
        town.manager.api.post(path, town.body(facility_id=str(elsewhere.id)), status=403)
        problem = town.manager.api.post(path, town.body(space_id=str(foreign_space.id)), status=422)
        assert set(problem["fields"]) == {"space_id"}
        town.manager.api.post(path, town.body(audience={"min_age": 9, "max_age": 3}), status=422)
    assert rows("series") == []


def test_a_series_of_others_is_seen_and_not_changed(world: World, town: Town, anyone: Caller) -> None:
    series = town.announce()
    other = world.manager(world.facility())
    path = f"/series/{series['id']}"
    for method, under, body in (
        ("PATCH", "", {"title": "x"}),
        ("POST", "/cancel", {"reason": "x"}),
        ("POST", "/remove", {"starts_at": at(MONDAY)}),
    ):
        anyone.call(method, path + under, json=body, status=401)
        other.api.call(method, path + under, json=body, status=403)
        other.api.call(method, f"/series/999{under}", json=body, status=404)
        world.resident().api.call(method, path + under, json=body, status=403)
    other.api.get(path)
    anyone.get("/series/999", status=404)
    assert anyone.get(path) == series


def test_a_year_of_weeks_is_announced_in_few_statements(town: Town, queries: Counter) -> None:
    queries.clear()
    town.announce(rrule="FREQ=WEEKLY;COUNT=52", on_rest_days="hold")
    assert len(queries) <= 52 * 7 + 25, len(queries)


def test_the_preview_asks_the_same_however_long_the_series_is(town: Town, queries: Counter) -> None:
    counted = []
    for count in (3, 300):
        queries.clear()
        plan = town.body(rrule=f"FREQ=DAILY;COUNT={count}", on_rest_days="skip")
        town.manager.api.post("/series/preview", plan, status=200)
        counted.append(len(queries))
    assert counted[0] == counted[1]


# -- changing from a date on


def moved_notices(someone: Someone) -> list[Notice]:
    db.session.rollback()
    return list(db.session.scalars(select(Notice).where(Notice.user_id == someone.user.id, Notice.kind == "moved")))


def test_all_that_is_to_come_has_the_new_title_and_capacity(town: Town) -> None:
    series = town.announce()
    answer = town.change(series, title="国画", title_en="Painting", capacity=12, details="自带笔墨")
    assert [(s["title"], s["title_en"], s["capacity"]) for s in answer["sessions"]] == [("国画", "Painting", 12)] * 4
    assert (answer["title"], answer["capacity"], answer["details"]) == ("国画", 12, "自带笔墨")
    assert answer["left_out"] == []


def test_this_and_the_following_move_by_as_much_and_the_rest_stays(world: World, town: Town) -> None:
    series = town.announce()
    someone = world.resident()
    world.book(someone, fresh(series["sessions"][0]))
    third = world.book(someone, fresh(series["sessions"][2]))
    answer = town.change(series, since=series["sessions"][2]["starts_at"], starts_at=at(date(2026, 10, 6), "14:00"))
    assert starts(answer) == [
        at(MONDAY),
        at(date(2026, 9, 28)),
        at(date(2026, 10, 6), "14:00"),
        at(date(2026, 10, 13), "14:00"),
    ]
    assert answer["sessions"][2]["ends_at"] == at(date(2026, 10, 6), "15:30")
    assert someone.api.get(f"/bookings/{third.id}")["starts_at"] == at(date(2026, 10, 6), "14:00")
    (notice,) = moved_notices(someone)
    assert notice.about_id == third.id
    assert notice.facts["starts_at"] == at(date(2026, 10, 6), "14:00")


def test_a_series_moves_twice_as_if_it_had_always_been_there(town: Town) -> None:
    series = town.announce()
    town.change(series, starts_at=at(MONDAY, "10:00"))
    answer = town.change(series, starts_at=at(MONDAY, "08:00"), duration_minutes=60)
    assert starts(answer) == [at(MONDAY + timedelta(weeks=n), "08:00") for n in range(4)]
    assert {s["ends_at"][11:16] for s in answer["sessions"]} == {"09:00"}


@pytest.mark.parametrize("days_", [1, -1, 7, -2])
def test_occurrences_make_way_for_each_other(world: World, town: Town, days_: int) -> None:
    """Each moves to where another one stands, in the same room and with the same person booked."""
    step = 7 if abs(days_) == 7 else 1
    rule = "FREQ=WEEKLY;COUNT=4" if step == 7 else "FREQ=DAILY;COUNT=4"
    series = town.announce(rrule=rule)
    someone = world.resident()
    for session in series["sessions"]:
        world.book(someone, fresh(session))
    answer = town.change(series, starts_at=at(MONDAY + timedelta(days=days_)))
    assert answer["left_out"] == []
    assert starts(answer) == [at(MONDAY + timedelta(days=days_ + n * step)) for n in range(4)]
    assert {fresh(s).occurs_at == fresh(s).starts_at for s in answer["sessions"]} == {True}


def test_a_called_off_date_does_not_hold_up_those_that_move_onto_it(town: Town) -> None:
    series = town.announce(rrule="FREQ=DAILY;COUNT=4")
    gone = series["sessions"][2]
    town.manager.api.post(f"/sessions/{gone['id']}/cancel", {"reason": "停电"}, status=200)
    before = rows("activity_sessions", ActivitySession.id == int(gone["id"]))
    for n in (1, 2):  # the second time all of them, whom nobody moved by hand, move again
        answer = town.change(series, starts_at=at(MONDAY + timedelta(days=n)))
        live = [s["starts_at"][5:10] for s in answer["sessions"] if s["status"] == "scheduled"]
        assert live == [f"09-{21 + n}", f"09-{22 + n}", f"09-{24 + n}"]
    assert rows("activity_sessions", ActivitySession.id == int(gone["id"])) == before


def test_what_was_moved_by_hand_keeps_its_own_time_and_has_the_new_title(town: Town) -> None:
    series = town.announce()
    second = series["sessions"][1]
    own = {"starts_at": at(date(2026, 9, 29), "15:00"), "ends_at": at(date(2026, 9, 29), "16:00")}
    town.manager.api.patch(f"/sessions/{second['id']}", own)
    answer = town.change(series, starts_at=at(MONDAY, "10:00"), duration_minutes=30, title="国画")
    by_id = {s["id"]: s for s in answer["sessions"]}
    assert {name: by_id[second["id"]][name] for name in own} == own
    assert by_id[second["id"]]["title"] == "国画"
    others = [s for s in answer["sessions"] if s["id"] != second["id"]]
    assert {(s["starts_at"][11:16], s["ends_at"][11:16]) for s in others} == {("10:00", "10:30")}


def test_a_booking_window_of_its_own_moves_along(town: Town) -> None:
    series = town.announce()
    second = series["sessions"][1]
    window = {"booking_opens_at": at(date(2026, 9, 27)), "booking_closes_at": at(date(2026, 9, 28), "08:00")}
    town.manager.api.patch(f"/sessions/{second['id']}", window)
    answer = town.change(series, starts_at=at(MONDAY - timedelta(days=3)))
    moved = next(s for s in answer["sessions"] if s["id"] == second["id"])
    assert (moved["booking_opens_at"], moved["booking_closes_at"]) == (
        at(date(2026, 9, 24)),
        at(date(2026, 9, 25), "08:00"),
    )


def test_who_cannot_follow_stays_and_is_named_with_the_reason(world: World, town: Town) -> None:
    series = town.announce(rrule="FREQ=WEEKLY;COUNT=5")
    sessions = series["sessions"]
    someone = world.resident()
    world.session(town.facility, starts_at=clock.at(date(2026, 9, 28), time(11)), space_id=town.space.id)
    town.close(at(date(2026, 10, 5), "11:00"), at(date(2026, 10, 5), "20:00"))
    world.book(someone, fresh(sessions[3]))
    world.book(someone, world.session(starts_at=clock.at(date(2026, 10, 12), time(11, 15))))
    stays = [int(sessions[n]["id"]) for n in (1, 2, 3)]
    before = rows("activity_sessions", ActivitySession.id.in_(stays)), rows("bookings"), rows("notices")
    answer = town.change(series, starts_at=at(MONDAY, "11:00"))
    assert gaps(answer) == [
        ("09-28T09:00", "space_taken"),
        ("10-05T09:00", "closed"),
        ("10-12T09:00", "residents_elsewhere"),
    ]
    assert starts(answer) == [
        at(MONDAY, "11:00"),
        at(date(2026, 9, 28)),
        at(date(2026, 10, 5)),
        at(date(2026, 10, 12)),
        at(date(2026, 10, 19), "11:00"),
    ]
    assert (rows("activity_sessions", ActivitySession.id.in_(stays)), rows("bookings"), rows("notices")) == before
    assert town.manager.api.get(f"/series/{series['id']}")["left_out"] == []


def test_a_capacity_below_the_places_taken_leaves_that_one_out(world: World, town: Town) -> None:
    series = town.announce()
    for _ in range(2):
        world.book(world.resident(), fresh(series["sessions"][1]))
    answer = town.change(series, capacity=1)
    assert gaps(answer) == [("09-28T09:00", "capacity_below_bookings")]
    assert [s["capacity"] for s in answer["sessions"]] == [1, 8, 1, 1]


def test_more_places_go_to_those_who_wait(world: World, town: Town) -> None:
    series = town.announce(capacity=1)
    first, second = world.resident(), world.resident()
    world.book(first, fresh(series["sessions"][0]))
    body = {"session_id": series["sessions"][0]["id"], "resident_ids": [str(second.resident_id)]}
    second.api.post("/bookings", {**body, "if_full": "waitlist"})
    town.change(series, capacity=2)
    assert second.api.get("/bookings")["items"][0]["status"] == "confirmed"


def test_another_space_is_held_instead_and_those_booked_are_told(world: World, town: Town) -> None:
    series, room = town.announce(), world.space(town.facility, "新活动室")
    someone = world.resident()
    world.book(someone, fresh(series["sessions"][0]))
    answer = town.change(series, space_id=str(room.id))
    assert {s["space"]["name"] for s in answer["sessions"]} == {"新活动室"}
    assert len(moved_notices(someone)) == 1
    assert {row[1] for row in rows("occupancies")} == {room.id}
    town.change(series, status=422, space_id=str(world.space(world.facility()).id))
    town.change(series, status=422, space_id="nowhere")


def test_the_past_the_called_off_and_what_is_held_elsewhere_stay_byte_for_byte(world: World, town: Town) -> None:
    series = town.announce(rrule="FREQ=WEEKLY;COUNT=6")
    sessions, someone, neighbour = series["sessions"], world.resident(), world.resident()
    for n in (0, 1, 4):
        world.book(someone, fresh(sessions[n]))
        world.book(neighbour, fresh(sessions[n]))
    town.manager.api.post(f"/sessions/{sessions[3]['id']}/cancel", {"reason": "停电"}, status=200)
    town.manager.api.post(f"/series/{series['id']}/remove", {"starts_at": sessions[2]["starts_at"]}, status=200)
    elsewhere = world.facility()
    world.administrator().api.patch(f"/sessions/{sessions[5]['id']}", {"facility_id": str(elsewhere.id)})
    untouched = [int(sessions[n]["id"]) for n in (0, 3, 5)]
    coming = {int(sessions[n]["id"]) for n in (1, 4)}

    def kept() -> list[list[tuple[Any, ...]]]:
        bookings = Model.metadata.tables["bookings"]
        spans = (bookings.c.starts_at.name, bookings.c.ends_at.name)
        position = [n for n, column in enumerate(bookings.columns) if column.name not in spans]
        return [
            rows("activity_sessions", ActivitySession.id.in_(untouched)),
            rows("bookings", bookings.c.session_id.in_(untouched)),
            [tuple(row[n] for n in position) for row in rows("bookings", bookings.c.session_id.in_(coming))],
            rows("left_out_dates"),
            rows("attendance_events"),
        ]

    with clock.frozen(datetime(2026, 9, 21, 1, 0, tzinfo=UTC)):  # the first one starts just now
        manager = world.manager(town.facility)
        before = kept()
        answer = manager.api.patch(
            f"/series/{series['id']}", {"starts_at": at(date(2026, 9, 29), "10:00"), "title": "国画", "capacity": 20}
        )
    assert answer["left_out"] == []
    assert kept() == before
    changed = {int(s["id"]) for s in answer["sessions"] if s["title"] == "国画"}
    assert changed == coming
    booked = [row for row in someone.api.get("/bookings")["items"] if int(row["session_id"]) in coming]
    assert [row["starts_at"] for row in booked] == [at(date(2026, 9, 29), "10:00"), at(date(2026, 10, 20), "10:00")]


def test_a_change_that_changes_nothing_touches_nothing(world: World, town: Town) -> None:
    series = town.announce()
    world.book(world.resident(), fresh(series["sessions"][0]))
    before = rows("activity_sessions"), rows("bookings"), rows("notices")
    town.change(series, title="书法", capacity=8, starts_at=at(MONDAY), duration_minutes=90)
    town.change(series)
    town.change(series, since=at(date(2027, 1, 1)), title="国画", starts_at=at(date(2027, 2, 1)))
    assert (rows("activity_sessions"), rows("bookings"), rows("notices")) == before
    assert town.manager.api.get(f"/series/{series['id']}")["title"] == "书法"


def test_a_from_without_an_offset_is_refused_and_a_bare_date_is_midnight(town: Town) -> None:
    series = town.announce()
    problem = town.change(series, since="2026-09-28T00:00:00", status=422, title="国画")
    assert problem["code"] == "naive_datetime"
    answer = town.change(series, since="2026-09-28", title="国画")
    assert [s["title"] for s in answer["sessions"]] == ["书法", "国画", "国画", "国画"]


# -- calling off, taking a date out


def test_what_is_still_to_come_is_called_off_and_everyone_told(world: World, town: Town) -> None:
    series = town.announce()
    someone = world.resident()
    first, third = (world.book(someone, fresh(series["sessions"][n])) for n in (0, 2))
    answer = town.manager.api.call(
        "POST",
        f"/series/{series['id']}/cancel",
        json={"reason": "老师生病"},
        query_string={"from": series["sessions"][1]["starts_at"]},
        status=200,
    ).get_json()
    assert [s["status"] for s in answer["sessions"]] == ["scheduled", "cancelled", "cancelled", "cancelled"]
    assert {s["cancel_reason"] for s in answer["sessions"][1:]} == {"老师生病"}
    held = {row["id"]: row["status"] for row in someone.api.get("/bookings")["items"]}
    assert held == {str(first.id): "confirmed", str(third.id): "cancelled"}
    told = list(db.session.scalars(select(Notice).where(Notice.kind == "session_cancelled")))
    assert [notice.about_id for notice in told] == [third.id]
    town.manager.api.post(f"/series/{series['id']}/cancel", {"reason": "再说一次"}, status=200)
    assert fresh(series["sessions"][2]).cancel_reason == "老师生病"


def test_a_date_is_taken_out_where_nobody_has_booked_it(world: World, town: Town) -> None:
    series = town.announce()
    world.book(world.resident(), fresh(series["sessions"][0]))
    path = f"/series/{series['id']}/remove"
    problem = town.manager.api.post(path, {"starts_at": series["sessions"][0]["starts_at"]}, status=409)
    assert problem["code"] == "has_bookings"
    for _ in range(2):
        answer = town.manager.api.post(path, {"starts_at": series["sessions"][1]["starts_at"]}, status=200)
        assert days(answer) == ["09-21", "10-05", "10-12"]
        assert gaps(answer) == [("09-28T09:00", "removed")]
    problem = town.manager.api.post(path, {"starts_at": at(date(2026, 9, 22))}, status=422)
    assert set(problem["fields"]) == {"starts_at"}
    assert gaps(town.change(series, title="国画")) == []
    assert gaps(town.manager.api.get(f"/series/{series['id']}")) == [("09-28T09:00", "removed")]


def test_a_date_that_was_left_out_and_moved_onto_can_be_taken_out_as_well(town: Town) -> None:
    unit_of_work(lambda: places.set_calendar_day(MONDAY + timedelta(days=1), DayKind.REST, None))
    series = town.announce(rrule="FREQ=DAILY;COUNT=2", on_rest_days="skip")
    assert gaps(series) == [("09-22T09:00", "rest_day")]
    town.change(series, starts_at=at(MONDAY + timedelta(days=1)))
    answer = town.manager.api.post(
        f"/series/{series['id']}/remove", {"starts_at": at(MONDAY + timedelta(days=1))}, status=200
    )
    assert gaps(answer) == [("09-22T09:00", "removed")]


def test_a_series_sent_twice_with_one_key_is_one_series(town: Town) -> None:
    answers = [
        town.manager.api.call("POST", "/series", json=town.body(), status=201, headers={"Idempotency-Key": "once"})
        for _ in range(2)
    ]
    assert answers[0].get_json() == answers[1].get_json()
    assert len(rows("series")) == 1


def test_sessions_of_a_series_say_how_they_wait(town: Town) -> None:
    series = town.announce(waitlist={"mode": "offer", "capacity": 3, "offer_minutes": 30})
    assert fresh(series["sessions"][3]).waitlist_mode is WaitlistMode.OFFER
    answer = town.change(series, waitlist={"mode": "off"})
    assert {s["waitlist"]["mode"] for s in answer["sessions"]} == {"off"}
