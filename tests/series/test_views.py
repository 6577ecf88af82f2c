"""The pages of a series: planned, looked at, announced; changed and called off from a date on."""

from datetime import UTC, date, datetime, time
from typing import Any

import pytest
from sqlalchemy import func, select

from facilities.infra.db import db
from facilities.kernel import clock
from facilities.programmes.models import ActivitySession, LeftOutDate, Series
from tests.client import Browser, Page
from tests.world import World

NEW = "/desk/series/new"


class Desk:
    def __init__(self, world: World) -> None:
        self.world = world
        self.facility = world.facility()
        self.space = world.space(self.facility)
        self.programme = world.programme()
        self.manager = world.manager(self.facility)
        self.browser: Browser = world.browser(self.manager)

    def fields(self, **more: Any) -> dict[str, Any]:
        return {
            "programme_id": self.programme.id,
            "title": "书法",
            "title_en": "Calligraphy",
            "day": "2026-09-21",
            "starts": "09:00",
            "ends": "10:30",
            "repeat": "weekly",
            "times": "4",
            "on_rest_days": "skip",
            "space_id": self.space.id,
            "capacity": 8,
            "waitlist_mode": "confirm",
            **more,
        }

    def send(self, status: int = 200, **fields: Any) -> Page:
        return self.browser.send(NEW, status=status, token_from=NEW, **self.fields(**fields))

    def announced(self) -> int:
        self.send(step="announce")
        db.session.rollback()
        return db.session.scalar(select(func.max(Series.id))) or 0


@pytest.fixture
def desk(world: World) -> Desk:
    return Desk(world)


def count(model: type[Any]) -> int:
    db.session.rollback()
    return db.session.scalar(select(func.count()).select_from(model)) or 0


def sessions() -> list[ActivitySession]:
    db.session.rollback()
    return list(
        db.session.scalars(
            select(ActivitySession)
            .where(ActivitySession.series_id.is_not(None))
            .order_by(ActivitySession.starts_at)
            .execution_options(populate_existing=True)
        )
    )


def test_the_dates_are_shown_with_their_gaps_before_anything_is_saved(world: World, desk: Desk) -> None:
    world.session(desk.facility, starts_at=clock.at(date(2026, 9, 28), time(9)), space_id=desk.space.id)
    page = desk.send(step="preview", repeat="weekly", weekdays=["0", "4"], times="6")
    assert "2 sessions will be announced. 4 dates are left out." in page.text
    assert "Announce these 2 sessions" in page.text
    assert "The space is already taken at that time" in page.text
    assert "This is a rest day" in page.text  # Friday 25 September, the Mid-Autumn Festival
    assert count(Series) == 0
    carried = {
        str(field.get("name")): str(field.get("value"))
        for field in page.tree.xpath("//main//input[@type='hidden']")
        if field.get("name") not in ("csrf_token", "weekdays")
    }
    weekdays = [str(value) for value in page.tree.xpath("//input[@name='weekdays']/@value")]
    back = desk.browser.send(NEW, token_from=NEW, **carried, weekdays=weekdays, step="edit")
    assert back.tree.xpath("//input[@name='title']/@value") == ["书法"]
    assert len(back.tree.xpath("//input[@name='weekdays'][@checked]")) == 2
    announced = desk.browser.send(NEW, token_from=NEW, **carried, weekdays=weekdays, step="announce")
    assert "Residents can book it now" in announced.text
    assert [clock.local_date(s.starts_at) for s in sessions()] == [date(2026, 9, 21), date(2026, 10, 9)]
    assert count(LeftOutDate) == 4


def test_what_was_taken_meanwhile_is_left_out_when_it_is_announced(world: World, desk: Desk) -> None:
    assert "Announce these 4 sessions" in desk.send(step="preview", on_rest_days="hold").text
    world.session(desk.facility, starts_at=clock.at(date(2026, 9, 28), time(9)), space_id=desk.space.id)
    page = desk.send(step="announce", on_rest_days="hold")
    assert "The space is already taken" in page.text
    assert len(sessions()) == 3


@pytest.mark.parametrize(
    ("repeat", "first", "rule"),
    [
        pytest.param("daily", "2026-09-21", "FREQ=DAILY;COUNT=4", id="every day"),
        pytest.param("weekly", "2026-09-21", "FREQ=WEEKLY;BYDAY=MO;COUNT=4", id="every week on the first day's"),
        pytest.param("monthly", "2026-10-13", "FREQ=MONTHLY;BYDAY=2TU;COUNT=4", id="second Tuesdays"),
        pytest.param("monthly", "2026-09-30", "FREQ=MONTHLY;BYDAY=-1WE;COUNT=4", id="a fifth is the last"),
    ],
)
def test_the_choices_become_a_rule(desk: Desk, repeat: str, first: str, rule: str) -> None:
    desk.send(step="announce", repeat=repeat, day=first, on_rest_days="hold")
    db.session.rollback()
    assert db.session.scalar(select(Series.rrule)) == rule
    assert sessions()[0].starts_at == clock.at(date.fromisoformat(first), time(9))


def test_a_last_day_is_held_too(desk: Desk) -> None:
    desk.send(step="announce", times="", last_day="2026-09-28", on_rest_days="hold")
    assert [clock.local_date(s.starts_at) for s in sessions()] == [date(2026, 9, 21), date(2026, 9, 28)]


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        pytest.param({"times": ""}, "one of the two", id="no end"),
        pytest.param({"last_day": "2026-12-31"}, "one of the two", id="two ends"),
        pytest.param({"times": "", "last_day": "2026-09-01"}, "no day in it", id="it ends before it begins"),
        pytest.param({"times": "400"}, "from 1 to 366", id="too often"),
        pytest.param({"title": ""}, "This is needed", id="no title"),
        pytest.param({"day": "1900-01-01"}, "too far away", id="a day of long ago"),
        pytest.param({"min_age": "9", "max_age": "3"}, "must not be below", id="ages out of order"),
    ],
)
def test_what_is_not_right_is_said_beside_its_field(desk: Desk, fields: dict[str, str], words: str) -> None:
    for step in ("preview", "announce"):
        page = desk.send(422, step=step, **fields)
        assert words in page.text
        assert page.tree.xpath("//*[@class='wrong']")
    assert count(Series) == 0


def test_a_series_of_which_nothing_can_be_held_is_not_offered_to_be_announced(desk: Desk) -> None:
    page = desk.send(step="preview", day="2026-10-01", repeat="daily", times="3")
    assert "None of these dates can be held" in page.text
    assert not page.tree.xpath("//button[@value='announce']")


def test_sent_twice_it_is_one_series(desk: Desk) -> None:
    for _ in range(2):
        desk.send(step="announce", idempotency_key="one")
    assert count(Series) == 1


def test_the_series_has_a_page_that_its_sessions_lead_to(world: World, desk: Desk) -> None:
    number = desk.announced()
    first = sessions()[0]
    world.book(world.resident(), first)
    assert f"/desk/series/{number}" in desk.browser.get(f"/sessions/{first.id}").links
    page = desk.browser.get(f"/desk/series/{number}")
    assert "1 / 8" in page.text
    assert page.tree.xpath("string(//select[@name='from']/option[1])").endswith("09:00")
    world.browser(world.manager(world.facility())).get(f"/desk/series/{number}", status=403)
    desk.browser.get("/desk/series/999", status=404)
    assert NEW in desk.browser.get("/desk").links


def form_of(page: Page) -> dict[str, Any]:
    """What the page's form holds, as a browser would send it back."""
    fields: dict[str, Any] = {}
    for control in page.tree.xpath("//main//form[@method='post']")[0].xpath(".//input | .//select | .//textarea"):
        name = control.get("name")
        if control.tag == "select":
            fields[name] = control.xpath("./option[@selected]/@value | ./option[1]/@value")[0]
            if chosen := control.xpath("./option[@selected]/@value"):
                fields[name] = chosen[0]
        elif control.tag == "textarea":
            fields[name] = control.text_content().strip()
        elif control.get("type") != "checkbox" and name not in ("csrf_token", "idempotency_key"):
            fields[name] = control.get("value") or ""
    return {name: str(value) for name, value in fields.items()}


def test_this_and_the_following_are_changed_and_only_in_what_was_changed(world: World, desk: Desk) -> None:
    number = desk.announced()
    first, second, *_ = sessions()
    last = sessions()[-1]
    desk.manager.api.patch(f"/sessions/{last.id}", {"title": "结业展"})
    path = f"/desk/series/{number}/change?from={second.id}"
    page = desk.browser.get(path)
    fields = {**form_of(page), "starts": "10:00", "ends": "11:00", "capacity": "9"}
    said = desk.browser.send(path, token_from=path, **fields)
    assert "sessions are changed" in said.text
    now = sessions()
    assert (now[0].starts_at, now[0].capacity) == (first.starts_at, 8)
    assert {(clock.local(s.starts_at).hour, s.capacity) for s in now[1:]} == {(10, 9)}
    assert now[-1].title == "结业展"


def test_who_cannot_follow_is_said_with_the_reason(world: World, desk: Desk) -> None:
    number = desk.announced()
    second = sessions()[1]
    world.session(
        desk.facility, starts_at=clock.at(clock.local_date(second.starts_at), time(12)), space_id=desk.space.id
    )
    path = f"/desk/series/{number}/change"
    fields = {**form_of(desk.browser.get(path)), "starts": "11:00", "ends": "12:30"}
    page = desk.browser.send(path, token_from=path, **fields)
    assert "stays as it was: The space is already taken" in page.text


def test_a_session_of_the_past_is_not_where_a_change_can_start(world: World, desk: Desk) -> None:
    number = desk.announced()
    first = sessions()[0]
    with clock.frozen(datetime(2026, 9, 21, 3, tzinfo=UTC)):
        browser = world.browser(world.manager(desk.facility))
        for verb in ("change", "cancel", "remove"):
            browser.get(f"/desk/series/{number}/{verb}?from={first.id}", status=404)
            browser.get(f"/desk/series/{number}/{verb}?from=nonsense", status=404)
            browser.get(f"/desk/series/{number}/{verb}")


def test_what_follows_is_called_off_with_a_reason(world: World, desk: Desk) -> None:
    number = desk.announced()
    second = sessions()[1]
    world.book(world.resident(), second)
    path = f"/desk/series/{number}/cancel?from={second.id}"
    assert "1 booking is cancelled" in desk.browser.get(path).text
    assert "This is needed" in desk.browser.send(path, status=422, token_from=path, reason="").text
    page = desk.browser.send(path, token_from=path, reason="老师生病")
    assert "every booking in them" in page.text
    assert [s.is_cancelled for s in sessions()] == [False] + [True] * (len(sessions()) - 1)


def test_a_date_is_taken_out_or_the_page_says_what_to_do_instead(world: World, desk: Desk) -> None:
    number = desk.announced()
    first, second, *_ = sessions()
    path = f"/desk/series/{number}/remove?from={second.id}"
    desk.browser.get(path)
    world.book(world.resident(), second)
    page = desk.browser.send(path, status=409, token_from=path)
    assert "People have booked" in page.text
    assert f"/desk/sessions/{second.id}/cancel" in page.links
    path = f"/desk/series/{number}/remove?from={first.id}"
    before = len(sessions())
    assert "is taken out" in desk.browser.send(path, token_from=path).text
    assert len(sessions()) == before - 1


def test_days_whose_holidays_are_not_announced_are_marked(desk: Desk) -> None:
    page = desk.send(step="preview", day="2026-12-21", repeat="weekly", times="4")
    rows = [row.text_content() for row in page.tree.xpath("//ol[@class='spaces']/li")]
    assert ["provisional" in row for row in rows] == [False, False, True, True]
    assert "not announced yet" in page.text
    assert "provisional" not in desk.send(step="preview").text
