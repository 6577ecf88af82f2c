"""Behind every figure stand the sessions that it counts, and behind each of those the ticks on its list."""

from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import func, select

from facilities.engine.eligibility import Sex
from facilities.engine.roll_call import Counts, EventKind
from facilities.infra.audit import AuditEntry
from facilities.infra.db import db
from facilities.places.models import Facility
from facilities.programmes.models import ActivitySession
from tests.world import Someone, World

YEAR = {"from": "2026-01-01", "to": "2026-12-31"}


class Scene:
    """Two sessions: a woman and a girl at the first with three more women counted, the woman again at the second."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.facility: Facility = world.facility()
        self.manager, self.administrator = world.manager(self.facility), world.administrator()
        self.woman = world.resident(birth_date=date(1988, 4, 12), sex=Sex.FEMALE, name="罗玉兰")
        self.girl = world.resident(birth_date=date(2016, 1, 1), sex=Sex.FEMALE, name="李诗悦")
        programme = world.programme()
        self.first, self.second = (
            world.session(self.facility, programme, starts_in=timedelta(minutes=minutes)) for minutes in (5, 50)
        )
        for session, people in ((self.first, (self.woman, self.girl)), (self.second, (self.woman,))):
            for someone in people:
                world.record(self.manager, session, EventKind.WALK_IN, someone.resident_id)
        world.record(self.manager, self.first, EventKind.HEAD_COUNT, counts=Counts(women=3, elders=2))

    def ask(self, path: str, who: Someone | None = None, status: int = 200, **query: str) -> Any:
        caller = (who or self.administrator).api
        return caller.call("GET", path, query_string=query, status=status).get_json()


@pytest.fixture
def scene(world: World) -> Scene:
    return Scene(world)


def ids(answer: dict[str, Any]) -> list[str]:
    return [item["id"] for item in answer["items"]]


def of(session: ActivitySession) -> str:
    return str(session.id)


def test_the_sessions_of_a_figure_add_up_to_it(scene: Scene) -> None:
    total = scene.ask("/statistics/beneficiaries", **YEAR)["total"]
    found = scene.ask("/statistics/sessions", **YEAR)
    assert ids(found) == [of(scene.second), of(scene.first)]
    assert sum(item["figures"]["person_times"] for item in found["items"]) == total["person_times"] == 6
    assert len(found["items"]) == total["sessions_held"]


def test_a_filter_reaches_down_to_the_list(scene: Scene) -> None:
    children = {**YEAR, "category": "children"}
    assert scene.ask("/statistics/beneficiaries", **children)["total"]["person_times"] == 1
    assert ids(scene.ask("/statistics/sessions", **children)) == [of(scene.first)]
    everybody = scene.ask(f"/statistics/sessions/{scene.first.id}/attendance", category="children")
    assert [(p["resident_id"], p["name"]) for p in everybody["people"]] == [(str(scene.girl.resident_id), "李**")]
    assert everybody["without_names"] == []


def test_each_name_stands_for_an_entry_in_the_log_and_nothing_else_is_told(scene: Scene) -> None:
    everybody = scene.ask(f"/statistics/sessions/{scene.first.id}/attendance")
    assert {p["resident_id"] for p in everybody["people"]} == {
        str(scene.woman.resident_id), str(scene.girl.resident_id)
    }  # fmt: skip
    assert everybody["without_names"] == [{"of": "women", "number": 3}]
    assert len({p["event_id"] for p in everybody["people"]}) == 2
    assert {p["recorded_by"] for p in everybody["people"]} == {scene.manager.actor.display_name}
    assert "罗玉兰" not in str(everybody)


def test_who_looks_at_a_list_is_on_record(scene: Scene) -> None:
    def looks() -> int:
        db.session.rollback()
        return db.session.scalar(select(func.count()).select_from(AuditEntry)) or 0

    before = looks()
    scene.ask("/statistics/sessions", **YEAR)
    assert looks() == before, "sessions name nobody"
    scene.ask(f"/statistics/sessions/{scene.first.id}/attendance")
    assert looks() == before + 1


def test_a_manager_reaches_the_own_places_only(scene: Scene) -> None:
    stranger = scene.world.manager(scene.world.facility())
    assert ids(scene.ask("/statistics/sessions", stranger, **YEAR)) == []
    assert scene.ask("/statistics/sessions", stranger, 403, **YEAR, facility=str(scene.facility.id))["code"] == (
        "not_permitted"
    )
    scene.ask(f"/statistics/sessions/{scene.first.id}/attendance", stranger, 403)
    assert len(ids(scene.ask("/statistics/sessions", scene.manager, **YEAR))) == 2


def test_the_list_comes_in_pages(scene: Scene) -> None:
    first = scene.ask("/statistics/sessions", **YEAR, limit="1")
    rest = scene.ask("/statistics/sessions", **YEAR, limit="1", cursor=first["next"])
    assert ids(first) + ids(rest) == [of(scene.second), of(scene.first)]
    assert rest["next"] is None


def test_figures_are_compared_with_the_period_before_and_the_year_before(scene: Scene) -> None:
    october = {"from": "2026-10-01", "to": "2026-10-31"}
    before = scene.ask("/statistics/beneficiaries", **october, compare="before")["compared"]
    assert (before["from"], before["to"], before["total"]["person_times"]) == ("2026-09-01", "2026-09-30", 6)
    year = scene.ask(
        "/statistics/beneficiaries", **{"from": "2027-09-01", "to": "2027-09-30"}, compare="year_before"
    )["compared"]  # fmt: skip
    assert (year["from"], year["to"], year["total"]["persons"]) == ("2026-09-01", "2026-09-30", 2)


def test_the_pages_lead_from_a_number_to_its_sessions_and_from_there_to_names(scene: Scene) -> None:
    browser = scene.world.browser(scene.administrator)
    figures = browser.get("/statistics?from=2026-01-01&to=2026-12-31&by=category")
    links = [link for link in figures.tree.xpath("//tbody//a/@href") if "/statistics/sessions?" in link]
    assert any("category=children" in link for link in links)
    of_the_year = next(
        link for link in links if "category=children" in link and "from=2026-01-01&to=2026-12-31" in link
    )
    listed = browser.get(of_the_year)
    (session,) = set(listed.tree.xpath("//main//li//a[contains(@href, '/statistics/sessions/')]/@href"))
    assert f"/statistics/sessions/{scene.first.id}?" in session
    everybody = browser.get(session).tree.text_content()
    assert "李**" in everybody
    assert "罗" not in everybody


def test_the_hours_of_a_week_lead_to_the_sessions_that_start_then(scene: Scene) -> None:
    browser = scene.world.browser(scene.administrator)
    page = browser.get("/statistics?from=2026-01-01&to=2026-12-31")
    (link,) = page.tree.xpath("//figure[@id='hours']//td/a/@href")
    assert "at=2-10" in link, "both start on Wednesday between ten and eleven"
    listed = browser.get(link)
    assert len(listed.tree.xpath("//main//li//a[contains(@href, '/statistics/sessions/')]")) == 2
    assert "2 sessions, with 6 person-times" in listed.text
    assert "at=2-10" in listed.tree.xpath("//main//li//a/@href")[0], "and the way back leads here"
    other_hour = browser.get(link.replace("at=2-10", "at=2-11"))
    assert "0 sessions, with 0 person-times" in other_hour.text
    nonsense = browser.get(link.replace("at=2-10", "at=9-99"))
    assert "2 sessions, with 6 person-times" in nonsense.text


def test_the_hours_of_a_week_are_those_of_the_people_who_were_asked_for(scene: Scene) -> None:
    browser = scene.world.browser(scene.administrator)
    page = browser.get("/statistics?from=2026-01-01&to=2026-12-31&category=children")
    (cell,) = page.tree.xpath("//figure[@id='hours']//td/a")
    assert cell.text_content() == "1"
    listed = browser.get(cell.get("href"))
    assert "1 session, with 1 person-times" in listed.text


def test_figures_are_divided_by_and_narrowed_to_kinds_of_places(scene: Scene) -> None:
    divided = scene.ask("/statistics/beneficiaries", **YEAR, by="facility_kind")["rows"]
    assert [(row["facility_kind"], row["person_times"]) for row in divided] == [("yuhao_space", 6)]
    narrowed = scene.ask("/statistics/beneficiaries", **YEAR, facility_kind="yuxin_home")
    assert narrowed["total"]["person_times"] == 0
    assert scene.ask("/statistics/beneficiaries", None, 422, **YEAR, facility_kind="castle")["code"] == "invalid"
