"""What a device at the desk asks for besides pages."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest

from facilities.attendance import queries
from facilities.kernel import clock
from facilities.places.models import Facility
from facilities.programmes.models import ActivitySession
from tests.client import Browser
from tests.world import Someone, World


def walk_in(session: ActivitySession, **more: Any) -> dict[str, Any]:
    event = {"id": str(uuid4()), "session_id": str(session.id), "kind": "walk_in", "device": "desk-1"}
    return {**event, "occurred_at": session.starts_at.isoformat(), **more}


def post(browser: Browser, events: list[dict[str, Any]], token: str | None = None) -> Any:
    given = browser.client.get("/desk/pass").get_json()["csrf_token"] if token is None else token
    return browser.client.post("/desk/events", json={"events": events}, headers={"X-CSRFToken": given})


def test_a_device_sends_with_the_token_it_was_given_and_hears_what_became_of_each(
    world: World, manager: Someone, session: ActivitySession
) -> None:
    browser, good = world.browser(manager, "zh"), walk_in(session)
    foreign = walk_in(world.session(starts_in=timedelta(minutes=30)))
    answer = post(browser, [good, foreign, good])
    results = answer.get_json()["results"]
    assert [r["outcome"] for r in results] == ["recorded", "refused", "duplicate"]
    assert results[1]["said"] == "内容不存在，或不对您开放。"
    assert queries.head_counts([session.id])[session.id].unnamed_walk_ins == 1


def test_without_the_token_nothing_is_recorded(
    world: World, manager: Someone, session: ActivitySession, monkeypatch: pytest.MonkeyPatch
) -> None:
    browser = world.browser(manager)
    assert post(browser, [walk_in(session)], token="made up").status_code == 400
    assert queries.head_counts([session.id]) == {}


def test_what_is_not_understood_says_where(world: World, manager: Someone, session: ActivitySession) -> None:
    answer = post(world.browser(manager), [walk_in(session, kind="dance")])
    assert (answer.status_code, list(answer.get_json()["fields"])) == (422, ["events"])
    assert post(world.browser(manager), []).status_code == 422


def test_the_pass_says_who_is_signed_in_and_what_time_it_is_here(world: World, manager: Someone) -> None:
    found = world.browser(manager).client.get("/desk/pass").get_json()
    assert found["user"] == str(manager.user.id)
    assert clock.parse_instant(found["now"]) == clock.now()
    assert world.browser(world.resident()).client.get("/desk/pass").status_code == 403
    assert world.browser().client.get("/desk/pass").status_code == 302


def test_the_desk_is_an_app_that_may_be_kept(world: World) -> None:
    browser = world.browser()
    manifest = browser.client.get("/manifest.webmanifest")
    assert manifest.mimetype == "application/manifest+json"
    assert (manifest.get_json()["start_url"], manifest.get_json()["display"]) == ("/desk", "standalone")
    worker = browser.client.get("/service-worker.js")
    assert worker.mimetype == "text/javascript"
    assert worker.headers["Content-Security-Policy"] == "default-src 'none'; connect-src 'self'"
    assert worker.headers["Cache-Control"] == "no-cache"


def test_the_page_for_being_offline_is_nobodys(world: World, manager: Someone) -> None:
    page = world.browser().get("/desk/waiting")
    assert manager.user.display_name not in page.text


def test_only_the_roll_may_use_the_camera(world: World, manager: Someone, session: ActivitySession) -> None:
    browser = world.browser(manager)
    roll = browser.client.get(f"/desk/sessions/{session.id}/roll")
    assert "camera=(self)" in roll.headers["Permissions-Policy"]
    assert "camera=()" in browser.client.get("/desk").headers["Permissions-Policy"]


def test_only_pages_of_the_day_may_be_kept(world: World, facility: Facility, manager: Someone) -> None:
    today, tomorrow = world.session(facility, starts_in=timedelta(hours=5)), world.session(facility)
    client = world.browser(manager).client
    assert client.get(f"/desk/sessions/{today.id}/roll").headers["X-Huimin-Keep"] == "today"
    assert "X-Huimin-Keep" in client.get("/desk").headers
    assert "X-Huimin-Keep" not in client.get(f"/desk/sessions/{tomorrow.id}/roll").headers
    assert "X-Huimin-Keep" not in client.get("/desk?date=2026-09-01").headers
