"""Figures for anyone: whole months that are over, small numbers hidden, the same on page, file, API and feed."""

import csv
import io
from datetime import UTC, date, datetime
from typing import Any

import pytest
from openpyxl import load_workbook

from facilities.background import publish_open_data
from facilities.kernel import clock
from tests.client import Caller, Counter
from tests.statistics.summer import Summer
from tests.world import World

AUGUST = "from=2026-08-01&to=2026-08-31"
MEASURES = ("sessions_held", "person_times", "persons", "unidentified_person_times")


@pytest.fixture
def summer(world: World) -> Summer:
    return Summer(world)


def ask(anyone: Caller, query: str = AUGUST, by: str = "", **more: Any) -> Any:
    return anyone.get(
        f"/public/statistics/beneficiaries?{query}&by={by}" if by else f"/public/statistics/beneficiaries?{query}",
        **more,
    )


def times(answer: Any, dimension: str) -> dict[str, int | None]:
    return {row[dimension]: row["person_times"] for row in answer["rows"]}


def test_large_numbers_are_exact_and_the_same_as_staff_see(summer: Summer, anyone: Caller) -> None:
    crowd = [summer.world.resident() for _ in range(5)]
    summer.held(women=20, children=8, men=6, named=crowd)
    summer.held(women=12, children=9, men=5, month=7)
    publish_open_data()
    query = "from=2026-07-01&to=2026-08-31&by="
    for by in ("category", "month", "facility,programme", "sub_district,sex"):
        known = summer.administrator.api.get(f"/statistics/beneficiaries?{query}{by}")
        told = anyone.get(f"/public/statistics/beneficiaries?{query}{by}")
        for row in known["rows"]:
            for of_staff in ("hours", "fill_rate", "no_show_rate", "waiting_hours"):
                row.pop(of_staff)
        assert told["rows"] == [{**row, "suppressed": False} for row in known["rows"]]
        assert [told["total"][name] for name in MEASURES] == [known["total"][name] for name in MEASURES]


def test_a_small_row_alone_takes_the_total_or_another_row_with_it(summer: Summer, anyone: Caller) -> None:
    summer.held(women=20, children=3)
    publish_open_data()
    answer = ask(anyone, by="category")
    (children,) = [row for row in answer["rows"] if row["category"] == "children"]
    assert children["suppressed"]
    assert [children[name] for name in MEASURES] == [None] * 4
    hidden = [row for row in answer["rows"] if row["person_times"] is None]
    assert len(hidden) > 1 or answer["total"]["person_times"] is None
    assert ask(anyone)["total"]["person_times"] == answer["total"]["person_times"]


def test_a_month_that_is_small_is_hidden_and_so_is_every_period_with_it(summer: Summer, anyone: Caller) -> None:
    summer.held(women=2, month=7)
    summer.held(women=30)
    publish_open_data()
    assert ask(anyone)["total"]["person_times"] == 30
    assert ask(anyone, "from=2026-07-01&to=2026-08-31")["total"]["person_times"] is None
    assert times(ask(anyone, "from=2026-07-01&to=2026-08-31", "month"), "month") == {"2026-07": None, "2026-08": 30}


def test_nothing_is_zero_and_no_secret(summer: Summer, anyone: Caller) -> None:
    publish_open_data()
    answer = ask(anyone)
    assert answer["total"] == dict.fromkeys(MEASURES, 0) | {"suppressed": False}
    assert ask(anyone, by="facility")["rows"] == []


def test_what_happens_this_month_changes_no_answer_about_the_last(summer: Summer, anyone: Caller) -> None:
    summer.held(women=20, children=3, men=9)
    publish_open_data()
    before = ask(anyone, by="category,facility")
    summer.held(women=1, children=4, month=9, day=2)
    publish_open_data()
    assert ask(anyone, by="category,facility") == before


def test_elders_are_of_whom_and_hidden_where_they_are_few(summer: Summer, anyone: Caller) -> None:
    summer.held(women=20, elders=2)
    publish_open_data()
    answer = times(ask(anyone, by="category"), "category")
    assert answer == {"women": 20, "elders": None}
    summer.held(women=20, elders=7, day=20)
    publish_open_data()
    assert times(ask(anyone, by="category"), "category") == {"women": 40, "elders": 9}


def test_persons_are_hidden_where_a_programme_had_a_few_of_them(summer: Summer, anyone: Caller) -> None:
    """However often they came."""
    crowd = [summer.world.resident() for _ in range(6)]
    other = summer.world.programme()
    for day in (3, 10, 17):
        summer.held(women=10, named=crowd, day=day)
        summer.held(women=10, named=crowd[:2], day=day + 1, programme=other)
    publish_open_data()
    rows = {row["programme"]: row for row in ask(anyone, by="programme")["rows"]}
    assert rows[str(summer.programme.id)]["persons"] == 6
    assert rows[str(other.id)]["persons"] is None
    assert rows[str(other.id)]["person_times"] == 36
    assert ask(anyone)["total"]["persons"] is None


def test_persons_of_a_year_are_told_where_no_month_differs_by_a_few(summer: Summer, anyone: Caller) -> None:
    crowd = [summer.world.resident() for _ in range(11)]
    for month, named in ((10, crowd[:5]), (11, crowd[:6])):
        summer.held(named=named, month=month)
    with clock.frozen(datetime(2027, 2, 1, tzinfo=UTC)):
        year, autumn = "from=2026-01-01&to=2026-12-31", "from=2026-10-01&to=2026-11-30"
        publish_open_data()
        assert ask(anyone, year)["total"]["persons"] is None  # one person came in November and not in October
        assert ask(anyone, "from=2026-11-01&to=2026-11-30")["total"]["persons"] == 6
        summer.held(named=crowd, month=12)
        publish_open_data()
        assert ask(anyone, year)["total"]["persons"] == 11
        assert ask(anyone, autumn)["total"]["persons"] is None
        assert ask(anyone, autumn)["total"]["person_times"] == 11


@pytest.mark.parametrize(
    ("query", "fields"),
    [
        pytest.param("from=2026-08-02&to=2026-08-31", {"from"}, id="begins on the second"),
        pytest.param("from=2026-08-01&to=2026-08-30", {"to"}, id="ends a day early"),
        pytest.param("from=2026-08-05&to=2026-08-20", {"from", "to"}, id="within a month"),
        pytest.param("from=2026-09-01&to=2026-09-30", {"to"}, id="the month that is not over"),
        pytest.param("from=2026-08-01&to=2026-07-31", {"to"}, id="backwards"),
        pytest.param("from=2026-08-01", {"to"}, id="without an end"),
        pytest.param("from=2026-08-01&to=2026-08-31&by=height", {"by"}, id="by height"),
    ],
)
def test_only_whole_months_that_are_over_are_told(anyone: Caller, query: str, fields: set[str]) -> None:
    problem = anyone.get(f"/public/statistics/beneficiaries?{query}", status=422)
    assert (problem["code"], set(problem["fields"])) == ("invalid", fields)


def test_a_month_is_over_at_the_districts_midnight(anyone: Caller) -> None:
    publish_open_data()
    for minute, status in ((59, 422), (60, 200)):
        with clock.frozen(datetime(2026, 8, 31, 15 + minute // 60, minute % 60, tzinfo=UTC)):
            anyone.get(f"/public/statistics/beneficiaries?{AUGUST}", status=status)


def test_a_facility_that_is_not_there_is_not_found(world: World, anyone: Caller) -> None:
    anyone.get(f"/public/statistics/beneficiaries?{AUGUST}&facility=999", status=404)
    world.browser().get("/open-data?facility=999", status=404)


def test_the_page_files_api_and_feed_hide_the_same(summer: Summer, anyone: Caller) -> None:
    summer.held(women=20, children=3)
    summer.held(women=30, children=12, men=9, facility=summer.world.facility())
    query = f"{AUGUST}&facility={summer.facility.id}"
    publish_open_data()
    said = [[row[name] for name in MEASURES] for row in ask(anyone, query, "category")["rows"]]
    assert [None] * 4 in said
    browser = summer.world.browser()
    page = browser.get(f"/open-data?{query}&by=category")
    cells = [[cell.text_content() for cell in row.findall("td")] for row in page.tree.xpath("//tbody/tr")]
    assert cells == [["hidden" if n is None else str(n) for n in row] for row in said]
    assert "Numbers from 1 to 4 are hidden" in page.text
    accept = {"Accept": "text/csv"}
    for file in (
        browser.raw(f"/open-data?{query}&by=category&format=csv"),
        anyone.call("GET", f"/public/statistics/beneficiaries?{query}&by=category", headers=accept),
    ):
        lines = list(csv.reader(io.StringIO(file.get_data().decode("utf-8-sig"))))
        assert [line[1:5] for line in lines[1:-1]] == [["" if n is None else str(n) for n in row] for row in said]
    book = load_workbook(io.BytesIO(browser.raw(f"/open-data?{query}&by=category&format=xlsx").get_data()))
    assert [list(row[1:5]) for row in book.worksheets[0].iter_rows(min_row=2, values_only=True)][:-1] == said
    groups = browser.raw("/open-data.json").get_json()["groups"]
    assert groups == ask(anyone, by="month,category")["rows"]


def test_the_feed_has_all_months_and_is_kept_until_it_changes(summer: Summer) -> None:
    summer.held(women=30, month=6)
    summer.held(women=9, children=2)
    client = summer.world.browser().client
    publish_open_data()
    first = client.get("/open-data.json")
    assert first.get_json()["months"] == ["2026-06", "2026-07", "2026-08"]
    assert {row["month"] for row in first.get_json()["places"]} == {"2026-06", "2026-08"}
    same = client.get("/open-data.json", headers={"If-None-Match": first.headers["ETag"]})
    assert (same.status_code, same.get_data()) == (304, b"")
    summer.held(women=7, month=7)
    publish_open_data()
    changed = client.get("/open-data.json", headers={"If-None-Match": first.headers["ETag"]})
    assert (changed.status_code, changed.headers["ETag"] != first.headers["ETag"]) == (200, True)


def test_an_empty_district_and_nonsense_in_the_address_give_a_page(world: World) -> None:
    browser = world.browser()
    assert "not published yet" in browser.get("/open-data").text
    publish_open_data()
    assert "Nothing was held in this period" in browser.get("/open-data").text
    assert browser.get("/open-data?from=x&to=9999-12-31&by=x&format=x&programme=x&sub_district=%20").status == 200
    assert browser.raw("/open-data.json").get_json()["months"] == ["2026-08"]
    assert "/open-data" in browser.get("/").links


def test_no_answer_asks_more_because_there_is_more_to_show(summer: Summer, anyone: Caller, queries: Counter) -> None:
    asked = []
    for _ in range(3):
        for month in (6, 7, 8):
            summer.held(women=11, children=3, month=month, facility=summer.world.facility())
        publish_open_data()
        queries.clear()
        anyone.get("/public/statistics/beneficiaries?from=2026-06-01&to=2026-08-31&by=facility,month")
        asked.append(len(queries))
    assert asked == [asked[0]] * 3
    assert asked[0] <= 5


def test_who_looks_at_open_data_in_chinese_reads_chinese_names(summer: Summer) -> None:
    summer.held(women=9)
    publish_open_data()
    page = summer.world.browser(language="zh-CN").get(f"/open-data?{AUGUST}&by=facility")
    assert summer.facility.name in page.text
    assert date(2026, 8, 1).isoformat() in page.html


def test_who_asks_for_no_months_sees_the_last_in_which_there_was_anything(summer: Summer, world: World) -> None:
    summer.held(women=20, children=8, month=7)
    with clock.frozen(datetime(2027, 11, 5, 2, 0, tzinfo=UTC)):
        publish_open_data()
        page = world.browser().get("/open-data").text
        assert "Nothing was held in this period" not in page
        assert "31 July 2026" in page
        asked = world.browser().get("/open-data?from=2027-10-01&to=2027-10-31").text
        assert "Nothing was held in this period" in asked
