"""GET /projects: what was published, word for word; what was not is null; what is computed follows from it."""

from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import select

from facilities.engine.projects import Kind, SetBy
from facilities.infra.db import db, unit_of_work
from facilities.projects.loading import load_projects
from facilities.projects.models import ReportedFigure
from facilities.projects.services import Details
from tests.client import Caller, Counter
from tests.projects.year import Year
from tests.world import World

CONTRACT = {"code", "name", "unit", "target", "done", "rate", "expected_rate", "light", "source_of_figure"}


@pytest.fixture
def year(world: World) -> Year:
    return Year.of(world)


def figure(answer: dict[str, Any], code: str) -> dict[str, Any]:
    found: dict[str, Any] = next(row for row in answer["not_placed"] if row["published"]["code"] == code)
    return found


def test_there_are_as_many_as_were_published_and_none_has_a_name_that_was_not(year: Year, anyone: Caller) -> None:
    answer = anyone.get("/projects?year=2024")
    projects = answer["items"]
    assert "20件63个子项目" in answer["quote"]
    assert "12件37个子项目" in answer["quote"]
    assert "8件26个子项目" in answer["quote"]
    for source, number, subprojects in (("municipal", 12, 37), ("voted", 8, 26)):
        those = [project for project in projects if project["source"] == source]
        assert len(those) == number
        assert sum(len(project["subprojects"]) for project in those) == subprojects
    every = [subproject for project in projects for subproject in project["subprojects"]]
    assert (len(projects), len(every)) == (20, 63)
    assert all(set(subproject) >= CONTRACT for subproject in every)
    assert all(value is None for subproject in every for name, value in subproject.items() if name != "code")
    assert len({subproject["code"] for subproject in every}) == 63
    assert {project["name"] for project in projects} == {None}


def test_a_published_figure_stands_there_with_its_quote_and_no_project_is_invented(year: Year, anyone: Caller) -> None:
    answer = anyone.get("/projects?year=2024")
    assert len(answer["not_placed"]) == 30
    stalls = figure(answer, "F35")
    assert set(stalls) >= CONTRACT
    assert (stalls["name"], stalls["done"], stalls["unit"]) == ("新增错时共享停车位", 1723, "个")
    assert (stalls["code"], stalls["target"], stalls["rate"], stalls["light"]) == (None, None, None, None)
    assert stalls["source_of_figure"] == "published"
    assert stalls["published"]["quote"] == "新增错时共享停车位1723个"
    assert "大渡口" in stalls["published"]["source"]
    for row in answer["not_placed"]:
        assert row["published"]["as_printed"] in row["published"]["quote"]


# As printed → an exact number, a lower bound, and how it is qualified.
PRINTED = {
    "F31": ("8.4公里", 8.4, None, None),
    "F17": ("1500余人次", None, 1500, "more_than"),
    "F48": ("76%以上", None, 76, "at_least"),
    "F51": ("不少于10小时", None, 10, "at_least"),
    "F36": ("全面消除", None, None, None),
    "F40": ("17万余人", None, None, "more_than"),  # not confirmed
}


def test_a_number_is_as_exact_as_it_was_printed(year: Year, anyone: Caller) -> None:
    answer = anyone.get("/projects?year=2024")
    rows = {code: figure(answer, code) for code in PRINTED}
    shown = {
        code: (row["published"]["as_printed"], row["done"], row["done_at_least"], row["published"]["qualifier"])
        for code, row in rows.items()
    }
    assert shown == PRINTED
    doubtful = [row["published"]["code"] for row in answer["not_placed"] if not row["published"]["confirmed"]]
    assert doubtful == ["F40"]


def test_a_figure_that_is_put_in_its_place_counts_there_against_the_target(year: Year, anyone: Caller) -> None:
    subproject = year.named("M03-01", Kind.CUMULATIVE, figure="F35")
    year.target(subproject, 1500)
    year.target(subproject, 1600, SetBy.DISTRICT)
    answer = anyone.get("/projects?year=2024")
    (project,) = [project for project in answer["items"] if project["code"] == "M03"]
    row = project["subprojects"][0]
    assert (row["target"], row["target_set_by"], row["done"]) == (1600, "district", 1723)
    assert (row["rate"], row["expected_rate"], row["light"]) == (1.0769, 1, "green")
    assert row["source_of_figure"] == "published"
    assert row["published"]["code"] == "F35"
    assert len(answer["not_placed"]) == 29


def test_a_qualified_figure_in_its_place_has_no_rate_and_no_light(year: Year, anyone: Caller) -> None:
    subproject = year.named("M03-01", Kind.CUMULATIVE, figure="F40")
    year.target(subproject, 100)
    row = next(p for p in anyone.get("/projects?year=2024")["items"] if p["code"] == "M03")["subprojects"][0]
    assert (row["done"], row["done_at_least"], row["rate"], row["light"]) == (None, None, None, None)
    assert row["published"]["as_printed"] == "17万余人"


def test_loading_again_writes_nothing_over(year: Year, anyone: Caller) -> None:
    subproject = year.named("M03-01", Kind.CUMULATIVE, figure="F35")
    year.change(subproject, Details(name="停车", kind=Kind.CUMULATIVE, figure_id=None))
    placed = db.session.scalar(select(ReportedFigure).where(ReportedFigure.code == "F30"))
    assert placed is not None
    assert placed.number == Decimal(7900)
    before = anyone.get("/projects?year=2024")
    assert unit_of_work(lambda: load_projects(2024)) == (0, 0, 0)
    assert anyone.get("/projects?year=2024") == before


def test_a_year_of_which_nothing_is_known_is_empty(year: Year, anyone: Caller) -> None:
    assert anyone.get("/projects?year=2023")["items"] == []
    assert anyone.get("/projects")["year"] == 2026
    for nonsense in ("0", "3000", "x", "2024.5", "-1"):
        anyone.get(f"/projects?year={nonsense}", status=422)


def test_the_whole_year_takes_the_same_few_queries_whatever_is_counted(
    year: Year, anyone: Caller, queries: Counter
) -> None:
    anyone.get("/projects?year=2024")
    queries.clear()
    anyone.get("/projects?year=2024")
    few = len(queries)
    assert few <= 12
    for number in range(1, 9):
        subproject = year.named(f"V0{number}-01", Kind.CUMULATIVE, measure="sessions_held")
        year.target(subproject, 10)
    queries.clear()
    anyone.get("/projects?year=2024")
    assert len(queries) == few
