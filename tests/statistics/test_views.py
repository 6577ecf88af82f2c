"""The page of figures: a sentence, numbers beside those of before, charts with their tables, paper, files."""

import io
import re
from datetime import date, timedelta
from decimal import Decimal
from urllib.parse import parse_qs, urlsplit

import pytest
from lxml import etree
from openpyxl import load_workbook

from facilities.engine.roll_call import Counts, EventKind
from facilities.kernel import clock
from facilities.places.models import Facility
from facilities.statistics.dimensions import Dimension
from facilities.statistics.presentation import CHARTS
from facilities.statistics.targets import Against, provide_targets
from tests.client import Page
from tests.world import World

YEAR = "from=2026-01-01&to=2026-12-31"
DRAWN = ("trend", "groups", "hours", "facilities", "categories")  # without targets, which nobody has set


def figures(world: World) -> tuple[Facility, Facility]:
    """Two facilities, each with one session held."""
    one, two = world.facility(), world.facility()
    administrator = world.administrator()
    for facility, women in ((one, 5), (two, 7)):
        session = world.session(facility, starts_in=timedelta(hours=1))
        world.record(administrator, session, EventKind.HEAD_COUNT, counts=Counts(women=women, children=2))
        world.record(administrator, session, EventKind.WALK_IN, world.resident(birth_date=date(1990, 1, 1)).resident_id)
    return one, two


def held(world: World, facility: Facility, day: date, **counts: int) -> None:
    session = world.session(facility, starts_at=clock.at(day) + timedelta(hours=9))
    world.record(world.administrator(), session, EventKind.HEAD_COUNT, counts=Counts(**counts))


def cells(page: Page, inside: str = "//tfoot") -> list[str]:
    return [cell.text_content() for cell in page.tree.xpath(f"{inside}//td")]


# -- the page


def test_an_administrator_sees_all_and_filters_by_link(world: World) -> None:
    one, _ = figures(world)
    browser = world.browser(world.administrator())
    page = browser.get(f"/statistics?{YEAR}&by=category")
    assert "2 sessions held, 14 person-times of women, 4 of children" in page.text
    assert cells(page)[:5] == ["2", "18", "2", "16", "27"]
    assert page.tree.xpath("//figure//*[name()='rect'][contains(@class, 'series-women')]")
    narrowed = browser.get(f"/statistics?{YEAR}&by=month&facility={one.id}")
    assert cells(narrowed)[:5] == ["1", "8", "1", "7", "12"]


def test_a_manager_sees_the_own_facility_alone(world: World) -> None:
    one, two = figures(world)
    browser = world.browser(world.manager(one))
    for path in ("/statistics", "/statistics/print", "/statistics/charts/trend.svg"):
        assert browser.raw(f"{path}?facility={two.id}").status_code == 403
        assert browser.raw(f"{path}?facility=999").status_code == 404
    page = browser.get(f"/statistics?{YEAR}")
    assert cells(page)[:5] == ["1", "8", "1", "7", "12"]
    assert "All facilities that you manage" in page.text
    assert str(two.name_en) not in page.text


def test_each_chart_answers_a_question_in_a_sentence_with_its_table_behind_one_tap(world: World) -> None:
    figures(world)
    page = world.browser(world.administrator()).get(f"/statistics?{YEAR}")
    charts = page.tree.xpath("//figure")
    assert tuple(figure.get("id") for figure in charts) == DRAWN
    for figure in charts:
        question, sentence = figure.findtext("figcaption/h2"), figure.findtext("figcaption/p")
        assert question.endswith("?")
        assert re.search(r"\d", sentence), sentence
        (drawing,) = figure.xpath(".//*[name()='svg'][@role='img']")
        assert drawing.get("aria-label") == sentence
        assert figure.xpath("details/summary")
        assert figure.xpath("details//table/caption")
        assert figure.xpath("details//tbody/tr")
    assert "Most person-times were in Sep 2026: 18" in page.text
    assert "The largest group is women with 78% of all person-times, then children with 22%" in page.text
    assert "The busiest start is Wednesday at 11:00 with 18 person-times. 0% come at weekends." in page.text
    assert "has the most: 10 person-times, 56% of all" in page.text


def test_groups_that_overlap_are_said_to_wherever_they_are_shown(world: World) -> None:
    figures(world)
    page = world.browser(world.administrator()).get(f"/statistics?{YEAR}&by=category")
    note = "overlap with the other groups"
    for name in ("groups", "categories"):
        (figure,) = page.tree.xpath(f"//figure[@id='{name}']")
        assert note in figure.xpath("p[@class='quiet']")[0].text_content()
        assert note in figure.xpath("details//caption")[0].text_content()
    assert note in page.tree.xpath("//table[tfoot]/caption")[0].text_content()


def test_every_number_of_a_table_leads_to_its_sessions_with_the_same_filters(world: World) -> None:
    one, _ = figures(world)
    browser = world.browser(world.administrator())
    page = browser.get(f"/statistics?from=2026-09-10&to=2026-12-31&by=month&facility={one.id}&sex=female")
    (row,) = page.tree.xpath("//table[tfoot]/tbody/tr")
    links = [(a.text, parse_qs(urlsplit(a.get("href")).query)) for a in row.xpath("td/a")]
    wanted = {"from": ["2026-09-10"], "to": ["2026-09-30"], "facility": [str(one.id)], "sex": ["female"]}
    assert [text for text, _ in links][:2] == ["1", "6"]
    assert all(question == wanted for _, question in links)
    (total,) = {a.get("href") for a in page.tree.xpath("//tfoot//a")}
    assert total.startswith("/statistics/sessions?from=2026-09-10&to=2026-12-31")
    page = browser.get(f"/statistics?{YEAR}&by=quarter")
    (link,) = set(page.tree.xpath("//table[tfoot]/tbody//a/@href"))
    assert link == "/statistics/sessions?from=2026-07-01&to=2026-09-30"
    (group,) = set(page.tree.xpath("//figure[@id='groups']//tr[th='Sep 2026']/td[1]/a/@href"))
    assert group == "/statistics/sessions?from=2026-09-01&to=2026-09-30&category=women"


def test_filters_stand_in_words_and_are_taken_away_one_by_one(world: World) -> None:
    one, _ = figures(world)
    programme = world.programme()
    page = world.browser(world.administrator()).get(
        f"/statistics?{YEAR}&by=sex&facility={one.id}&programme={programme.id}&category=elders&age_band=60-69"
    )
    words = page.tree.xpath("string(//details/summary)")
    for part in (one.name_en, programme.name_en, "Group: of whom elders", "Age: 60–69 years"):
        assert part in words
    chips = {a.text_content().strip(): a.get("href") for a in page.tree.xpath("//nav[@class='filters']/a")}
    (away,) = [href for text, href in chips.items() if text.startswith("60–69 years")]
    assert "age_band" not in away
    assert "category=elders" in away
    assert page.tree.xpath("//select[@id='age_band']/option[@selected]/@value") == ["60-69"]
    for link in page.tree.xpath("//a[contains(@href, '/statistics/print')]/@href"):
        assert "age_band=60-69" in link


@pytest.mark.parametrize(
    ("question", "numbers"),
    [
        ("category=women", ["2", "14", "2", "12"]),
        ("category=children", ["2", "4", "0", "4"]),
        ("sex=female", ["2", "14", "2", "12"]),
        ("age_band=35-59", ["2", "2", "2", "0"]),
        ("category=nonsense", ["2", "18", "2", "16"]),
        ("sex=&age_band=x&disability_grade=9", ["2", "18", "2", "16"]),
    ],
)
def test_a_filter_narrows_every_number_and_nonsense_narrows_nothing(
    world: World, question: str, numbers: list[str]
) -> None:
    figures(world)
    assert cells(world.browser(world.administrator()).get(f"/statistics?{YEAR}&{question}"))[:4] == numbers


def test_a_single_group_is_not_divided_and_a_single_place_not_ranked(world: World) -> None:
    one, two = figures(world)
    browser = world.browser(world.administrator())
    page = browser.get(f"/statistics?{YEAR}&category=women")
    assert page.tree.xpath("//figure/@id") == ["trend", "hours", "facilities"]
    page = browser.get(f"/statistics?{YEAR}&facility={one.id}")
    assert page.tree.xpath("//figure/@id") == ["trend", "groups", "hours", "categories"]
    for places, is_ranked in (((one,), False), ((one, two), True)):
        page = world.browser(world.manager(*places)).get(f"/statistics?{YEAR}")
        assert ("facilities" in page.tree.xpath("//figure/@id")) is is_ranked


def test_numbers_are_compared_with_the_period_before_and_the_year_before_in_words(world: World) -> None:
    facility = world.facility()
    held(world, facility, date(2026, 9, 2), women=30)
    held(world, facility, date(2026, 8, 20), women=40)
    held(world, facility, date(2025, 9, 2), women=15, children=5)
    page = world.browser(world.administrator()).get("/statistics?from=2026-09-01&to=2026-09-14&by=month")
    changes = {div.findtext("dt"): [dd.text for dd in div.findall("dd")] for div in page.tree.xpath("//dl/div")}
    assert changes["Person-times"] == ["30", "↓ down 25% on the period before (40)", "↑ up 50% on a year before (20)"]
    assert changes["Sessions held"] == ["1", "= the same as in the period before", "= the same as a year before"]
    assert "The period before: 18 August 2026 to 31 August 2026." in page.text
    assert "A year before: 1 September 2025 to 14 September 2025." in page.text
    assert "Altogether 50% more than in the same months a year before." in page.text


def test_days_to_come_are_not_compared_with_days_that_were(world: World) -> None:
    """Today is 16 September: of the year before it ends there too."""
    facility = world.facility()
    held(world, facility, date(2026, 9, 2), women=30)
    held(world, facility, date(2025, 12, 2), women=15)
    page = world.browser(world.administrator()).get(f"/statistics?{YEAR}")
    assert "A year before: 1 January 2025 to 16 September 2025." in page.text
    assert "none a year before" in page.text


def test_a_period_of_several_years_has_no_year_before_but_a_line_for_it(world: World) -> None:
    facility = world.facility()
    held(world, facility, date(2025, 2, 2), women=10)
    held(world, facility, date(2026, 2, 3), women=20)
    page = world.browser(world.administrator()).get("/statistics")
    assert "A year before: " not in page.text
    (row,) = page.tree.xpath("//figure[@id='trend']//tr[th='Feb 2026']")
    assert [cell.text_content() for cell in row.findall("td")] == ["20", "10"]
    assert row.xpath("td/a/@href") == [
        "/statistics/sessions?from=2026-02-01&to=2026-02-28",
        "/statistics/sessions?from=2025-02-01&to=2025-02-28",
    ]
    (first,) = page.tree.xpath("//figure[@id='trend']//tr[th='Feb 2025']")
    assert [cell.text_content() for cell in first.findall("td")] == ["10", "–"]


def test_ten_places_are_ranked_and_the_others_taken_together(world: World) -> None:
    for number in range(13):
        held(world, world.facility(), date(2026, 9, 1), women=20 - number)
    page = world.browser(world.administrator()).get(f"/statistics?{YEAR}")
    (figure,) = page.tree.xpath("//figure[@id='facilities']")
    drawn = figure.xpath(".//*[name()='text']/text()")
    assert "3 others together" in drawn
    assert "27" in drawn, "10 + 9 + 8"
    numbers = [int(cell.text_content()) for cell in figure.xpath("details//tbody/tr/td[1]")]
    assert numbers == sorted(numbers, reverse=True)
    assert len(numbers) == 13


def test_figures_stand_against_the_targets_of_the_year_for_the_whole_district_alone(world: World) -> None:
    from_facility = figures(world)[0]
    of_women = {Dimension.FACILITY_KIND: "yuhao_space", Dimension.CATEGORY: "women"}
    found = [
        Against("服务妇女", "14 人次", "10 人次", Decimal("1.4"), Decimal("0.7"), "green", of_women),
        Against("开放站点", "2 个", "100 个", Decimal("0.02"), Decimal("0.7"), "red", None),
    ]
    asked: list[tuple[int, date]] = []

    def provider(year: int, day: date) -> list[Against]:
        asked.append((year, day))
        return found

    kept = world.app.extensions["statistics.targets"]
    provide_targets(world.app, provider)
    try:
        browser = world.browser(world.administrator())
        page = browser.get(f"/statistics?{YEAR}")
        assert asked == [(2026, date(2026, 9, 16))]
        (figure,) = page.tree.xpath("//figure[@id='targets']")
        assert "1 of 2 targets of the year are reached. Behind schedule: 1." in figure.text_content()
        rows = [[cell.text_content() for cell in row] for row in figure.xpath("details//tbody/tr")]
        assert rows[0] == ["服务妇女", "14 人次", "10 人次", "140%", "70%", "On schedule"]
        (link,) = figure.xpath("details//tbody//a/@href")
        assert "from=2026-01-01&to=2026-09-16&facility_kind=yuhao_space&category=women" in link
        assert browser.get(link).status == 200
        assert not browser.get(f"/statistics?{YEAR}&facility={from_facility.id}").tree.xpath("//figure[@id='targets']")
        manager = world.browser(world.manager(from_facility)).get(f"/statistics?{YEAR}")
        assert not manager.tree.xpath("//figure[@id='targets']")
    finally:
        provide_targets(world.app, kept)


def test_an_empty_period_says_so(world: World) -> None:
    browser = world.browser(world.administrator())
    page = browser.get("/statistics?from=2020-01-01&to=2020-12-31&by=age_band")
    assert "Nothing was held in this period" in page.text
    assert page.tree.xpath("//figure") == []
    assert "Nothing was held" in browser.get("/statistics/print?from=2020-01-01&to=2020-12-31").text
    assert browser.raw("/statistics/charts/trend.svg?from=2020-01-01&to=2020-12-31").status_code == 404
    file = browser.raw("/statistics?from=2020-01-01&to=2020-12-31&format=xlsx").get_data()
    assert [cell.value for cell in load_workbook(io.BytesIO(file))["Month"][2]][:3] == ["Total", 0, 0]


def test_nonsense_in_the_address_is_read_as_nothing(world: World) -> None:
    page = world.browser(world.administrator()).get("/statistics?from=x&to=9999-12-31&by=x&format=x")
    assert page.status == 200


# -- paper


def test_the_sheet_of_paper_has_what_the_page_has_and_nothing_to_press(world: World) -> None:
    one, _ = figures(world)
    browser = world.browser(world.administrator())
    sheet = browser.get(f"/statistics/print?{YEAR}&facility={one.id}")
    page = browser.get(f"/statistics?{YEAR}&facility={one.id}")
    assert [d.text_content() for d in sheet.tree.xpath("//dl")] == [d.text_content() for d in page.tree.xpath("//dl")]
    assert sheet.tree.xpath("//figcaption/h2/text()") == page.tree.xpath("//figcaption/h2/text()")
    assert not sheet.tree.xpath("//form | //button | //details | //main//a | //nav")
    assert f"1 January 2026 to 31 December 2026 · {one.name_en}" in sheet.text
    assert "Made on 2026-09-16 10:00" in sheet.text


# -- files


@pytest.mark.parametrize("name", DRAWN)
def test_a_chart_is_saved_as_svg_and_as_png(world: World, name: str) -> None:
    figures(world)
    browser = world.browser(world.administrator())
    page = browser.get(f"/statistics?{YEAR}&sex=female")
    svg_link, png_link = page.tree.xpath(f"//figure[@id='{name}']//a[contains(@href, '/charts/')]/@href")
    svg, png = browser.raw(svg_link), browser.raw(png_link)
    assert (svg.mimetype, png.mimetype) == ("image/svg+xml", "image/png")
    assert f'filename="{name}-2026-01-01-2026-12-31.svg"' in svg.headers["Content-Disposition"]
    tree = etree.fromstring(svg.data)
    (figure,) = page.tree.xpath(f"//figure[@id='{name}']")
    assert tree.findtext("{*}title") == figure.findtext("figcaption/h2")
    assert tree.findtext("{*}desc") == figure.findtext("figcaption/p")
    assert "Sex: Female" in "".join(tree.itertext()), "the filters are stated"
    assert png.data.startswith(b"\x89PNG")


def test_there_are_no_other_charts_and_no_other_kinds(world: World) -> None:
    figures(world)
    browser = world.browser(world.administrator())
    for name in ("x.svg", "trend.gif", "targets.svg", "trend"):
        assert browser.raw(f"/statistics/charts/{name}?{YEAR}").status_code == 404
    assert set(CHARTS) == {*DRAWN, "targets"}


def test_csv_holds_the_rows_of_the_page(world: World) -> None:
    figures(world)
    browser = world.browser(world.administrator())
    text = browser.raw(f"/statistics?{YEAR}&by=category&format=csv").get_data().decode("utf-8-sig").splitlines()
    assert text[0] == "Group,Sessions held,Person-times,Persons,Person-times without a name,Hours"
    assert text[1] == "Women,2,14,2,12,21.0"
    assert text[-1] == "Total,2,18,2,16,27.0"


def test_the_workbook_has_an_overview_and_a_sheet_for_each_division_with_typed_cells(world: World) -> None:
    one, _ = figures(world)
    browser = world.browser(world.administrator())
    book = load_workbook(io.BytesIO(browser.raw(f"/statistics?{YEAR}&sex=female&format=xlsx").get_data()))
    assert book.sheetnames == ["Overview", "Month", "Facility", "Programme", "Sub-district", "Group", "Sex", "Age"]
    for sheet in book.worksheets:
        assert sheet.freeze_panes == "A2"
        assert sheet["A1"].font.bold
        assert sheet.column_dimensions["A"].width >= 8
    overview = {row[0].value: [cell.value for cell in row[1:4]] for row in book["Overview"].iter_rows()}
    assert overview["Person-times"] == [14, 0, 0]
    assert overview["From"][0] == "2026-01-01"
    assert overview["Sex"][0] == "Female"
    assert overview["Made"][0] == "2026-09-16 10:00"
    month = [cell.value for cell in book["Month"][2]]
    assert month[:6] == ["2026-09", 2, 14, 2, 12, 21]
    assert [cell.value for cell in book["Facility"]["A"]][1] == one.name_en
    assert any("overlap" in str(row[0].value) for row in book["Group"].iter_rows())


def test_shares_in_a_workbook_are_percentages(world: World) -> None:
    session, someone = world.session(starts_in=timedelta(hours=1), capacity=4), world.resident()
    world.book(someone, session)
    administrator = world.administrator()
    world.record(administrator, session, EventKind.PRESENT, someone.resident_id)
    file = world.browser(administrator).raw(f"/statistics?{YEAR}&format=xlsx").get_data()
    book = load_workbook(io.BytesIO(file))
    (row,) = [row for row in book["Overview"].iter_rows() if row[0].value == "Places filled"]
    assert (row[1].value, row[1].number_format) == (0.25, "0.0%")
