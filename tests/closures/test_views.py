"""The pages of closing a place: asked, shown with what falls inside, closed, opened again."""

from datetime import date, time
from typing import Any

import pytest
from sqlalchemy import func, select

from facilities.infra.db import db
from facilities.kernel import clock
from facilities.places.models import Closure
from facilities.programmes.models import ActivitySession
from tests.client import Page
from tests.world import World

NEW = "/desk/closures/new"
DAY = date(2026, 9, 18)


class Desk:
    def __init__(self, world: World) -> None:
        self.world = world
        self.facility = world.facility()
        self.room, self.annexe = world.space(self.facility, "一室"), world.space(self.facility, "附楼")
        self.programme = world.programme()
        self.browser = world.browser(world.manager(self.facility))

    def session(self, **more: Any) -> ActivitySession:
        return self.world.session(
            self.facility, self.programme, starts_at=clock.at(DAY, time(9)), space_id=self.room.id, **more
        )

    def send(self, status: int = 200, **more: Any) -> Page:
        fields = {
            "space_id": self.room.id,
            "first_day": "2026-09-18",
            "starts": "08:00",
            "last_day": "2026-09-18",
            "ends": "18:00",
            "reason": "管道维修",
            **more,
        }
        return self.browser.send(NEW, status=status, token_from=NEW, **fields)


@pytest.fixture
def desk(world: World) -> Desk:
    return Desk(world)


def closures() -> int:
    db.session.rollback()
    return db.session.scalar(select(func.count()).select_from(Closure)) or 0


def fresh(session: ActivitySession) -> ActivitySession:
    db.session.rollback()
    return db.session.execute(
        select(ActivitySession).where(ActivitySession.id == session.id).execution_options(populate_existing=True)
    ).scalar_one()


def test_what_falls_inside_is_shown_settled_and_told(world: World, desk: Desk) -> None:
    session = desk.session(title_en="Calligraphy")
    world.book(world.resident(), session)
    page = desk.send(step="preview")
    assert "1 session falls inside, 0 reservations too; 1 person is concerned" in page.text
    assert "Calligraphy" in page.text
    assert closures() == 0
    options = page.tree.xpath(f"//select[@name='session-{session.id}']/option")
    assert [option.text_content() for option in options] == ["Cancel it", "Move it to 附楼"]
    said = desk.send(step="close", **{f"session-{session.id}": str(desk.annexe.id)})
    assert "Everyone concerned is told" in said.text
    assert "管道维修" in said.text
    assert fresh(session).space_id == desk.annexe.id


def test_what_is_not_moved_is_cancelled(desk: Desk) -> None:
    session = desk.session()
    desk.send(step="close", **{f"session-{session.id}": ""})
    assert fresh(session).cancel_reason == "管道维修"


def test_what_came_in_after_the_look_is_not_cancelled_unseen(desk: Desk) -> None:
    desk.send(step="preview")
    session = desk.session(title_en="Calligraphy")
    page = desk.send(409, step="close")
    assert "Something was booked there meanwhile" in page.text
    assert "Calligraphy" in page.text
    assert (closures(), fresh(session).is_cancelled) == (0, False)
    desk.send(step="close", **{f"session-{session.id}": ""})
    assert closures() == 1


def test_a_move_that_cannot_be_is_said_with_its_session_and_nothing_happens(world: World, desk: Desk) -> None:
    session = desk.session()
    world.session(desk.facility, starts_at=clock.at(DAY, time(9)), space_id=desk.annexe.id)
    page = desk.send(409, step="close", **{f"session-{session.id}": str(desk.annexe.id)})
    assert "09:00: The space is already taken" in page.text
    assert page.tree.xpath(f"//select[@name='session-{session.id}']/option[@selected]/@value") == [str(desk.annexe.id)]
    assert closures() == 0


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        pytest.param({"first_day": ""}, "Say from when", id="no day"),
        pytest.param({"starts": ""}, "Say from when", id="no time"),
        pytest.param({"first_day": "2026-09-15"}, "already past", id="yesterday"),
        pytest.param({"ends": "08:00"}, "must be after the start", id="no length"),
        pytest.param({"last_day": "1900-01-01"}, "too far away", id="long ago"),
        pytest.param({"reason": ""}, "This is needed", id="no reason"),
    ],
)
def test_what_is_not_right_is_said_beside_its_field(desk: Desk, fields: dict[str, str], words: str) -> None:
    for step in ("preview", "close"):
        page = desk.send(422, step=step, **fields)
        assert words in page.text
        assert page.tree.xpath("//*[@class='wrong']")
    assert closures() == 0


def test_at_once_needs_no_start(desk: Desk) -> None:
    desk.send(step="close", at_once="y", first_day="", starts="")
    db.session.rollback()
    assert db.session.scalar(select(Closure.starts_at)) == clock.now()
    assert "Closed now" in desk.browser.get("/desk/closures").text


def test_back_and_change_keeps_what_was_typed(desk: Desk) -> None:
    page = desk.send(step="edit", reason="粉刷")
    assert page.tree.xpath("//textarea[@name='reason'] | //input[@name='reason']")
    assert "粉刷" in page.html


def test_residents_read_it_on_the_page_of_the_place_until_it_is_open_again(world: World, desk: Desk) -> None:
    desk.send(step="close")
    path = f"/facilities/{desk.facility.id}"
    page = world.browser().get(path)
    assert "一室 is closed from" in page.text
    assert "管道维修" in page.text
    listed = desk.browser.get("/desk/closures")
    action = listed.tree.xpath("//form[contains(@action, '/lift')]/@action")[0]
    said = desk.browser.send(action, token_from="/desk/closures")
    assert "Open again. What was cancelled stays cancelled." in said.text
    assert "Nothing is closed, now or later." in said.text
    assert "管道维修" not in world.browser().get(path).text


def test_only_who_runs_a_place_closes_it(world: World, desk: Desk) -> None:
    stranger = world.browser(world.manager(world.facility()))
    stranger.get(f"/desk/closures?facility={desk.facility.id}", status=403)
    stranger.get(f"{NEW}?facility={desk.facility.id}", status=403)
    stranger.get(f"{NEW}?facility=999", status=404)
    desk.send(step="close")
    stranger.send("/desk/closures/1/lift", status=403, token_from=NEW)
    stranger.send("/desk/closures/999/lift", status=404, token_from=NEW)
    assert "/desk/closures" in desk.browser.get("/desk").links
    world.browser(world.administrator()).get(f"/desk/closures?facility={desk.facility.id}")
