"""What is corrected: taken back with a reason, entered late, by whom; and the history that keeps all of it."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest

from facilities.attendance import queries
from facilities.engine.roll_call import EventKind
from facilities.infra.db import unit_of_work
from facilities.kernel import clock
from facilities.places.models import Facility
from facilities.programmes.models import ActivitySession
from tests.world import Someone, World

SOON, DAY = timedelta(minutes=30), timedelta(days=1)


def outcome(world: World, someone: Someone, session: ActivitySession) -> str | None:
    """Of one more walk-in, entered as having happened in time."""
    return world.record(someone, session, EventKind.WALK_IN).code


# -- late, and in and out


def event(session: ActivitySession, kind: str, minute: int, **more: Any) -> dict[str, Any]:
    moment = session.starts_at + timedelta(minutes=minute)
    return {"id": str(uuid4()), "session_id": str(session.id), "kind": kind, "occurred_at": moment.isoformat(), **more}


def send(someone: Someone, *events: dict[str, Any]) -> list[str]:
    results = someone.api.post("/attendance/events", {"events": list(events)}, status=200)["results"]
    return [row["outcome"] for row in results]


def row_of(someone: Someone, session: ActivitySession) -> dict[str, Any]:
    (row,) = someone.api.get(f"/sessions/{session.id}/attendance")["residents"]
    return dict(row)


def test_who_comes_late_is_there_and_late(world: World, manager: Someone, session: ActivitySession) -> None:
    resident_id = str(world.resident().resident_id)
    send(manager, event(session, "present", 20, resident_id=resident_id, late=True))
    assert (row_of(manager, session)["state"], row_of(manager, session)["late"]) == ("present", True)
    send(manager, event(session, "present", 25, resident_id=resident_id))
    assert row_of(manager, session)["late"] is False


@pytest.mark.parametrize(
    ("entries", "minutes"),
    [
        pytest.param([("present", 0)], None, id="nobody wrote down when they went"),
        pytest.param([("present", 0), ("leave", 40)], 40, id="came and went"),
        pytest.param([("present", 0), ("present", 10), ("leave", 40)], 40, id="ticked twice"),
        pytest.param([("present", 0), ("leave", 20), ("present", 60), ("leave", 85)], 45, id="came back"),
        pytest.param([("present", 0), ("leave", 20), ("present", 60)], 20, id="is back, and still there"),
        pytest.param([("leave", 20), ("present", 60)], None, id="went before coming"),
        pytest.param([("present", 0), ("absent", 5), ("present", 30), ("leave", 40)], 10, id="ticked wrongly first"),
        pytest.param([("present", -30), ("leave", 100)], 130, id="longer than the session"),
    ],
)
def test_time_spent_is_from_coming_to_going_in_whatever_order_it_arrives(
    world: World, manager: Someone, session: ActivitySession, entries: list[tuple[str, int]], minutes: int | None
) -> None:
    resident_id = str(world.resident().resident_id)
    events = [event(session, kind, minute, resident_id=resident_id) for kind, minute in entries]
    for one in reversed(events):
        assert send(manager, one, one) == ["recorded", "duplicate"]
    assert (row_of(manager, session)["state"], row_of(manager, session)["minutes"]) == ("present", minutes)


def test_going_alone_makes_nobody_present(world: World, manager: Someone, session: ActivitySession) -> None:
    send(manager, event(session, "leave", 20, resident_id=str(world.resident().resident_id)))
    assert manager.api.get(f"/sessions/{session.id}/attendance")["residents"] == []
    assert manager.api.get(f"/sessions/{session.id}")["status"] == "scheduled"


@pytest.mark.parametrize(
    "more",
    [
        {"kind": "absent", "late": True},
        {"kind": "present", "reason": "mistake"},
        {"kind": "leave", "resident_id": None},
    ],
)
def test_what_makes_no_sense_is_bad_input(
    world: World, manager: Someone, session: ActivitySession, more: dict[str, Any]
) -> None:
    body = {**event(session, "present", 0, resident_id=str(world.resident().resident_id)), **more}
    assert manager.api.post("/attendance/events", {"events": [body]}, status=422)["code"] == "invalid"


# -- taking back


def test_an_entry_is_taken_back_with_a_reason_and_both_stay_in_the_history(
    world: World, manager: Someone, session: ActivitySession
) -> None:
    someone = world.resident(name="罗玉兰")
    world.record(manager, session, EventKind.WALK_IN, someone.resident_id)
    browser = world.browser(manager)
    page = browser.get(f"/desk/sessions/{session.id}/history")
    assert "罗**: walk-in" in page.text
    (address,) = page.tree.xpath("//main//li//a/@href")
    assert "Choose one." in browser.send(address, status=422).text
    page = browser.send(address, reason="wrong_person")
    assert "It was somebody else" in page.text
    assert not page.tree.xpath("//main//li//a"), "for good"
    assert queries.attendances([session.id]) == []
    (entry,) = manager.api.get(f"/sessions/{session.id}/attendance/history")["items"]
    assert (entry["kind"], entry["by"]) == ("walk_in", manager.user.display_name)
    assert (entry["taken_back"]["reason"], entry["taken_back"]["by"]) == ("wrong_person", manager.user.display_name)


def test_a_void_that_came_first_stands_in_the_history_until_its_entry_arrives(
    world: World, manager: Someone, session: ActivitySession
) -> None:
    walk_in = event(session, "walk_in", 0)
    send(manager, event(session, "void", 1, voids=walk_in["id"], reason="counted_twice"))
    (alone,) = queries.history(session.id)
    assert alone.event.kind is EventKind.VOID
    send(manager, walk_in)
    (together,) = queries.history(session.id)
    assert (together.event.kind, together.taken_back is not None) == (EventKind.WALK_IN, True)


def test_the_history_is_for_those_who_run_the_session(world: World, manager: Someone, session: ActivitySession) -> None:
    other = world.manager(world.facility())
    other.api.get(f"/sessions/{session.id}/attendance/history", status=403)
    world.browser(other).get(f"/desk/sessions/{session.id}/history", status=403)
    world.browser(manager).get(f"/desk/sessions/{session.id}/history/{uuid4()}", status=404)


# -- days


def test_the_limit_for_managers_is_the_districts_own(world: World, manager: Someone, session: ActivitySession) -> None:
    administrator = world.administrator()
    world.browser(administrator).send("/desk/reopened/limit", token_from="/desk/reopened", manager_days="3")
    with clock.frozen(session.ends_at + 3 * DAY):
        assert outcome(world, manager, session) is None
    with clock.frozen(session.ends_at + 3 * DAY + timedelta(seconds=1)):
        assert outcome(world, manager, session) == "not_in_attendance_window"
        assert outcome(world, administrator, session) is None
        page = world.browser(manager).get(f"/desk/sessions/{session.id}/roll")
        assert "The days for entering are over" in page.text


def test_an_administrator_reopens_a_day_for_its_managers_and_closes_it_again(
    world: World, facility: Facility, manager: Someone, session: ActivitySession
) -> None:
    day, long_ago = str(clock.local_date(session.starts_at)), session.ends_at + 60 * DAY
    elsewhere = world.facility()
    neighbour = world.session(elsewhere, starts_in=SOON)
    with clock.frozen(long_ago):
        browser = world.browser(world.administrator())
        wish = {"facility_id": facility.id, "day": day, "days": 3, "reason": "平板坏了"}
        page = browser.send("/desk/reopened", **wish)
        assert "平板坏了" in page.text
        assert outcome(world, manager, session) is None
        assert outcome(world, world.manager(elsewhere), neighbour) == "not_in_attendance_window"
        later = world.session(facility, starts_at=session.starts_at + DAY)
        assert outcome(world, manager, later) == "not_in_attendance_window"
    with clock.frozen(long_ago + 3 * DAY + timedelta(seconds=1)):
        assert outcome(world, manager, session) == "not_in_attendance_window"
    with clock.frozen(long_ago + DAY):
        (row,) = unit_of_work(lambda: queries.reopened_days(clock.now()))
        page = browser.send(f"/desk/reopened/{row.id}/close", token_from="/desk/reopened")
        assert "No day is open" in page.text
        assert outcome(world, manager, session) == "not_in_attendance_window"


def test_a_day_is_reopened_over_the_api_by_administrators_alone(
    world: World, facility: Facility, manager: Someone, session: ActivitySession
) -> None:
    wish = {"day": str(clock.local_date(session.starts_at)), "reason": "停电"}
    manager.api.post(f"/facilities/{facility.id}/reopened-days", wish, status=403)
    with clock.frozen(session.ends_at + 40 * DAY):
        administrator = world.administrator()
        made = administrator.api.post(f"/facilities/{facility.id}/reopened-days", wish, status=201)
        assert (made["facility_id"], made["day"]) == (str(facility.id), wish["day"])
        assert outcome(world, manager, session) is None
        to_come = {**wish, "day": "2030-01-01"}
        answer = administrator.api.post(f"/facilities/{facility.id}/reopened-days", to_come, status=422)
        assert set(answer["fields"]) == {"day"}


# -- people who are named by a number alone


def test_whoever_is_ticked_by_a_number_without_being_known_there_can_read_of_it(
    world: World, manager: Someone, session: ActivitySession
) -> None:
    stranger, booked = world.resident(), world.resident()
    world.book(booked, session)
    for someone in (stranger, booked):
        world.record(manager, session, EventKind.PRESENT, someone.resident_id)
    said = "Ticked you as there, without you having booked"
    assert said in world.browser(stranger).get("/me/looked-at").text
    assert said not in world.browser(booked).get("/me/looked-at").text
