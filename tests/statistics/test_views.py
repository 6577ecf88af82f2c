"""The page of figures: filters in the address, a sentence, numbers, a chart beside its table, files."""

import io
from datetime import date, timedelta

from openpyxl import load_workbook

from facilities.engine.roll_call import Counts, EventKind
from facilities.places.models import Facility
from tests.world import World


def figures(world: World) -> tuple[Facility, Facility]:
    """Two facilities, each with one session held."""
    one, two = world.facility(), world.facility()
    administrator = world.administrator()
    for facility, women in ((one, 5), (two, 7)):
        session = world.session(facility, starts_in=timedelta(hours=1))
        world.record(administrator, session, EventKind.HEAD_COUNT, counts=Counts(women=women, children=2))
        world.record(administrator, session, EventKind.WALK_IN, world.resident(birth_date=date(1990, 1, 1)).resident_id)
    return one, two


def test_an_administrator_sees_all_and_filters_by_link(world: World) -> None:
    one, _ = figures(world)
    browser = world.browser(world.administrator())
    page = browser.get("/statistics?from=2026-01-01&to=2026-12-31&by=category")
    assert "2 sessions held, 14 person-times of women, 4 of children" in page.text
    assert [cell.text for cell in page.tree.xpath("//tfoot//td")] == ["2", "18", "2", "16", "27"]
    assert page.tree.xpath("//figure//*[name()='rect'][contains(@class, 'series-women')]")
    narrowed = browser.get(f"/statistics?from=2026-01-01&to=2026-12-31&by=month&facility={one.id}")
    assert [cell.text for cell in narrowed.tree.xpath("//tfoot//td")] == ["1", "8", "1", "7", "12"]


def test_a_manager_sees_the_own_facility_alone(world: World) -> None:
    one, two = figures(world)
    browser = world.browser(world.manager(one))
    page = browser.get("/statistics?from=2026-01-01&to=2026-12-31")
    assert [cell.text for cell in page.tree.xpath("//tfoot//td")] == ["1", "8", "1", "7", "12"]
    browser.get(f"/statistics?facility={two.id}", status=403)
    browser.get("/statistics?facility=999", status=404)


def test_csv_and_xlsx_hold_the_rows_of_the_page(world: World) -> None:
    figures(world)
    browser = world.browser(world.administrator())
    address = "/statistics?from=2026-01-01&to=2026-12-31&by=category"
    text = browser.raw(f"{address}&format=csv").get_data().decode("utf-8-sig").splitlines()
    assert text[0] == "Group,Sessions held,Person-times,Persons,Person-times without a name,Hours"
    assert text[1] == "Women,2,14,2,12,21.0"
    assert text[-1] == "Total,2,18,2,16,27.0"
    book = load_workbook(io.BytesIO(browser.raw(f"{address}&format=xlsx").get_data()))
    assert [cell.value for cell in book.worksheets[0][2]] == ["Women", 2, 14, 2, 12, 21]
    assert book["About"]["B1"].value == "2026-01-01"


def test_an_empty_period_says_so(world: World) -> None:
    page = world.browser(world.administrator()).get("/statistics?from=2020-01-01&to=2020-12-31&by=age_band")
    assert "Nothing was held in this period" in page.text
    assert page.tree.xpath("//figure") == []


def test_nonsense_in_the_address_is_read_as_nothing(world: World) -> None:
    page = world.browser(world.administrator()).get("/statistics?from=x&to=9999-12-31&by=x&format=x")
    assert page.status == 200
