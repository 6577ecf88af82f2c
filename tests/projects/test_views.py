"""The page for everyone, and the pages on which administrators enter, review and lock."""

import io
from datetime import UTC, date, datetime
from typing import Any

import pytest
from openpyxl import load_workbook
from sqlalchemy import select

from facilities.engine.projects import Kind, Qualifier
from facilities.infra.db import db
from facilities.kernel import clock
from facilities.projects import queries
from facilities.projects.measures import MEASURES
from facilities.projects.models import MonthlyReport, ProjectYear, ReportState, Subproject
from tests.client import Browser, Counter, Page
from tests.projects.year import Year
from tests.world import World

NOTHING = dict.fromkeys(
    ("project_name", "name", "kind", "unit", "lead_unit", "partner_units", "measure", "plan", "figure_id"), ""
)


@pytest.fixture
def year(world: World) -> Year:
    return Year.of(world)


def card(page: Page, heading: str) -> str:
    """The text of the card with this heading."""
    found = page.tree.xpath(f"//li[.//*[self::h3 or self::strong][contains(., '{heading}')]]")
    return " ".join(found[-1].text_content().split())


def details(**more: Any) -> dict[str, Any]:
    return NOTHING | {"name": "口袋公园", "kind": "cumulative", "unit": "个"} | more


# -- for everyone


def test_anybody_sees_what_was_published_as_it_was_printed(year: Year, world: World) -> None:
    page = world.browser().get("/projects")
    assert "20 projects with 63 parts: 12 with 37 set by the city, 8 with 26 voted" in page.text
    assert "“实施民生实事20件63个子项目" in page.text
    employment = card(page, "全年城镇新增就业")
    assert "17万余人" in employment
    assert "Not confirmed" in employment
    assert "170" not in employment
    assert page.text.count("Not confirmed") == 1
    assert "Name not published" in card(page, "M07")
    assert "3 parts whose names are not published" in card(page, "M07")
    assert "20 projects of which only the number was published" in page.text
    headings = [heading.text for heading in page.tree.xpath("//h3[@class='published-heading']")]
    assert headings[0] == "关注居民生活品质"  # in the order of the article
    assert headings[-1] == "义务教育更加优质"
    assert "新增错时共享停车位1723个" in card(page, "新增错时共享停车位")


def test_a_subproject_shows_number_bar_light_in_words_and_where_the_number_is_from(year: Year, world: World) -> None:
    number = year.named("M03-01", lead_unit="区城管局", partner_units="各镇街")
    year.target(number, 4)
    year.locked(number, 11, 4)
    year.locked(number, 12, 5)
    page = world.browser().get("/projects?year=2024")
    said = card(page, "子项目M03-01")
    for words in (
        "5 个",
        "125% of the target of 4 个",
        "should be at 100%",
        "On schedule",
        "Reported by the unit in charge, and reviewed · Dec 2024",
        "In charge: 区城管局 · with 各镇街",
        "at this pace 5 by the end of the year",
    ):
        assert words in said
    assert page.tree.xpath("//*[@class='bar-done'][@width='100.0' or @width='100']")


def test_in_chinese_it_says_the_same(year: Year, world: World) -> None:
    page = world.browser(language="zh").get("/projects")
    assert "17万余人" in page.text


def test_without_a_year_it_says_so(world: World) -> None:
    assert "Nothing has been published here yet" in world.browser().get("/projects").text
    assert "bin/manage projects load" in world.browser(world.administrator()).get("/staff/projects").text


def test_a_report_with_a_qualifier_is_said_with_it(year: Year, world: World) -> None:
    number = year.named("M03-01")
    year.target(number, 4)
    year.locked(number, 12, 5, qualifier=Qualifier.AT_LEAST)
    said = card(world.browser().get("/projects"), "子项目M03-01")
    assert "at least 5 个" in said
    assert "125%" not in said


def test_the_page_takes_the_same_few_queries_however_much_is_known(year: Year, world: World, queries: Counter) -> None:
    browser = world.browser()
    browser.get("/projects")
    queries.clear()
    browser.get("/projects")
    few = len(queries)
    assert few <= 13
    for code in ("M01-01", "M02-01", "M03-01", "V01-01"):
        number = year.named(code, measure="person_times" if code == "M01-01" else None)
        year.target(number, 10)
        year.locked(number, 12, 8)
    queries.clear()
    browser.get("/projects")
    assert len(queries) == few


# -- for administrators


def enter(browser: Browser, number: int, status: int = 200, **more: Any) -> Page:
    said = {"month": "5", "value": "3", "qualifier": "", "evidence": "验收单", "answer": "submit"} | more
    return browser.send(f"/staff/projects/{number}/reports", status, **said)


def test_from_an_empty_place_to_a_locked_report(year: Year, world: World) -> None:
    number = year.place("M03-01")
    browser, other = world.browser(year.administrator), world.browser(year.other)
    page = browser.send(
        f"/staff/projects/{number}", **details(lead_unit="区城管局", plan="0 0 0 0 50 50 50 50 50 50 50 100")
    )
    assert "Changed." in page.text
    page = browser.send(f"/staff/projects/{number}/targets", set_by="municipal", from_day="2024-01-01", target="6")
    assert "The city · 6 个" in page.text
    assert "Handed in" in enter(browser, number).text
    assert "You entered this one" in browser.get("/staff/projects").text
    report = db.session.scalars(select(MonthlyReport.id)).one()
    refused = browser.send(f"/staff/projects/reports/{report}/review", 409, answer="lock", because="")
    assert "Ask another administrator" in refused.text
    page = other.send(f"/staff/projects/reports/{report}/review", 422, answer="return", because="")
    assert "Say why" in page.text
    page = other.send(f"/staff/projects/reports/{report}/review", answer="return", because="缺照片")
    assert "Sent back." in page.text
    assert "Sent back: 缺照片" in browser.get(f"/staff/projects/{number}").text
    enter(browser, number, evidence="验收单和照片")
    assert "Locked." in other.send(f"/staff/projects/reports/{report}/review", answer="lock", because="").text
    db.session.rollback()
    assert db.session.get_one(MonthlyReport, report).state is ReportState.LOCKED
    assert "report is locked" in enter(browser, number, 409, value="4").text
    assert "Locked" in browser.get(f"/staff/projects/{number}").text
    found = db.session.get_one(Subproject, number)
    assert (found.name, found.lead_unit, found.kind) == ("口袋公园", "区城管局", Kind.CUMULATIVE)


# What is wrong → where it is sent, with what, and what the page says of it.
WRONG: dict[str, tuple[str, dict[str, Any], str]] = {
    "a plan of letters": ("", details(plan="1 2 x"), "twelve whole numbers"),
    "a plan of three months": ("", details(plan="1 2 3"), "twelve whole numbers"),
    "a kind of nothing": ("", details(name=""), "Enter the name first"),
    "accepted far ahead": ("", details(accepted_on="2199-01-01"), "too far away"),
    "no such measure": ("", details(measure="steps"), "Not a valid choice"),
    "a target of nothing": (
        "/targets",
        {"set_by": "district", "from_day": "2024-01-01", "target": "0"},
        "more or less",
    ),
    "set by nobody": ("/targets", {"from_day": "2024-01-01", "target": "5"}, "This is needed"),
    "set long ago": ("/targets", {"set_by": "district", "from_day": "0001-01-01", "target": "5"}, "too far"),
    "not a number": ("/reports", {"month": "5", "value": "NaN", "answer": "draft"}, "more or less"),
    "a thirteenth month": ("/reports", {"month": "13", "value": "5"}, "Not a valid choice"),
    "a script": ("/reports", {"month": "5", "value": "5", "link": "javascript:x"}, "begins with https"),
    "no evidence": ("/reports", {"month": "5", "value": "5", "answer": "submit"}, "Say what shows it"),
}


def test_what_cannot_be_is_said_beside_its_field(year: Year, world: World) -> None:
    number, browser = year.named("M03-01"), world.browser(year.administrator)
    for name, (path, fields, words) in WRONG.items():
        page = browser.send(f"/staff/projects/{number}{path}", 422, **fields)
        wrong = page.tree.xpath("//main//p[@class='wrong']")
        assert [words in " ".join(found.text_content().split()) for found in wrong] == [True], name


def test_every_measure_has_words(year: Year, world: World) -> None:
    page = world.browser(year.administrator).get(f"/staff/projects/{year.place('M03-01')}")
    said = {option.get("value"): option.text for option in page.tree.xpath("//select[@name='measure']/option")}
    assert set(said) == {"", *MEASURES}
    assert not {value for value, words in said.items() if value == words}


def test_a_draft_is_there_to_go_on_with(year: Year, world: World) -> None:
    number = year.named("M03-01")
    browser = world.browser(year.administrator)
    assert "Kept as a draft" in enter(browser, number, answer="draft", value="8.4").text
    page = browser.get(f"/staff/projects/{number}")
    assert page.tree.xpath("//input[@name='value'][@value='8.4']")
    enter(browser, number, value="8.4")
    page = browser.get(f"/staff/projects/{number}")
    assert page.tree.xpath("//select[@name='month']/option[@selected]/@value") == ["6"]


def test_the_district_says_when_lights_turn(year: Year, world: World) -> None:
    browser = world.browser(year.administrator)
    assert (
        "Red must come after" in browser.send("/staff/projects/thresholds?year=2024", 422, yellow="30", red="30").text
    )
    browser.send("/staff/projects/thresholds?year=2024", yellow="5", red="20")
    db.session.rollback()
    found = db.session.get_one(ProjectYear, 2024)
    assert (found.yellow_points, found.red_points) == (5, 20)


def test_what_is_not_there_is_not_found(year: Year, world: World) -> None:
    browser = world.browser(year.administrator)
    for path in ("/staff/projects/9999", "/staff/projects/x"):
        browser.get(path, 404)
    for path in ("9999", "9999/targets", "9999/reports", "reports/9999/review"):
        browser.send(f"/staff/projects/{path}", 404, **details(), month="5", value="1", set_by="district",
                     from_day="2024-01-01", answer="draft")  # fmt: skip


# -- the monthly form


def sheet(browser: Browser, query: str) -> list[list[Any]]:
    answer = browser.raw(f"/staff/projects/monthly-form?{query}")
    assert answer.status_code == 200
    book = load_workbook(io.BytesIO(answer.get_data()))
    return [list(row) for row in book.worksheets[0].iter_rows(values_only=True)]


def test_the_monthly_form_has_the_columns_of_the_citys_and_a_row_for_each_subproject(year: Year, world: World) -> None:
    number = year.named("M01-01", lead_unit="区城管局", plan=(0, 0, 0, 0, 50, 50, 50, 50, 50, 50, 50, 100))
    year.target(number, 8)
    year.locked(number, 4, 1)
    year.locked(number, 5, 3, problems="雨季", remedies="=加班")
    year.locked(number, 6, 7)
    rows = sheet(world.browser(year.administrator), "year=2024&month=5")
    assert "May 2024" in rows[0][0]
    assert [cell for cell in rows[1] if cell] == [
        "Reporting unit (seal):", "Filled in by:", "Reviewed by:", "Date:"
    ]  # fmt: skip
    assert rows[2] == [
        "No.", "Project", "Subproject", "Unit in charge", "Partner units", "Target", "Unit", "Done this month",
        "Done so far", "Completion", "Should be", "Light", "Problems", "What is done about it",
    ]  # fmt: skip
    assert rows[3] == [
        1, "M01", "子项目M01-01", "区城管局", None, 8, "个", 2, 3, "37.5%", "50%", "Behind", "雨季", "'=加班",
    ]  # fmt: skip
    assert rows[4][:3] == [2, "M01", "M01-02 (name not published)"]
    assert [row[0] for row in rows[3:66]] == list(range(1, 64))
    published = {row[2]: row[8] for row in rows[66:]}
    assert len(published) == 30
    assert published["全年城镇新增就业"] == "17万余人 (not confirmed)"
    assert published["绿道建设"] == "8.4公里"


def test_the_form_is_of_the_present_month_where_none_is_named(year: Year, world: World) -> None:
    number = year.named("M01-01", figure="F40")
    rows = sheet(world.browser(year.administrator), "month=x")
    assert "Dec 2024" in rows[0][0]
    assert rows[3][8:10] == ["17万余人 (not confirmed)", None]
    with clock.frozen(datetime(2024, 6, 10, 2, tzinfo=UTC)):
        found = queries.overview(2024, date(2024, 6, 10))
        assert found is not None
        assert queries.month_of(2024, found.day) == 6
    assert number
