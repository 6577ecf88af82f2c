"""What the app counts itself, against the targets of the year."""

from datetime import date, datetime
from decimal import Decimal

import pytest

from facilities.engine.roll_call import Counts, EventKind
from facilities.kernel import clock
from facilities.places.models import FacilityKind
from facilities.projects.counted import against_targets
from tests.projects.year import Year
from tests.world import World

YEAR_END = date(2024, 12, 31)


@pytest.fixture
def year(world: World) -> Year:
    return Year.of(world)


def held(year: Year, day: str, **counts: int) -> None:
    world = year.world
    with clock.frozen(datetime.fromisoformat(f"{day}T09:00:00+08:00")):
        session = world.session(world.facility(FacilityKind.YUHAO_SPACE))
        world.record(year.administrator, session, EventKind.HEAD_COUNT, counts=Counts(**counts))


def test_what_is_counted_here_stands_against_its_target(year: Year) -> None:
    held(year, "2024-05-04", women=30, children=10)
    number = year.named("M03-01", measure="yuhao_women")
    year.target(number, 40)
    (row,) = against_targets(2024, YEAR_END)
    assert (row.name, row.done, row.target) == ("子项目M03-01", "30 个", "40 个")
    assert (row.rate, row.expected_rate, row.light) == (Decimal("0.75"), 1, "yellow")


def test_what_is_reported_by_others_or_has_no_target_is_left_out(year: Year) -> None:
    held(year, "2024-05-04", women=30)
    year.named("M03-01", measure="yuhao_women")
    reported = year.named("M03-02")
    year.target(reported, 10)
    year.locked(reported, 6, 5)
    assert against_targets(2024, YEAR_END) == []


def test_of_a_year_that_nobody_knows_there_is_nothing(world: World) -> None:
    assert against_targets(2019, YEAR_END) == []


def test_the_page_of_figures_shows_them(year: Year) -> None:
    held(year, "2024-05-04", women=30)
    number = year.named("M03-01", measure="yuhao_women")
    year.target(number, 20)
    browser = year.world.browser(year.administrator)
    page = browser.get("/statistics?from=2024-01-01&to=2024-12-31")
    assert "1 of 1 targets of the year are reached. None is behind schedule." in page.text
    assert browser.raw("/statistics/charts/targets.png?from=2024-01-01&to=2024-12-31").mimetype == "image/png"
