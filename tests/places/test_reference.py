"""Reference data: the official codes, and the working calendar with its provisional years."""

from datetime import date, timedelta

import pytest

from facilities.engine.working_days import DayKind
from facilities.infra.db import db, unit_of_work
from facilities.kernel import clock
from facilities.places import queries
from facilities.places.reference import load_reference_data
from facilities.places.services import set_calendar_day
from tests.world import World

CODES = {"500104001", "500104002", "500104003", "500104004", "500104005", "500104101", "500104102", "500104103"}


def test_the_district_has_eight_sub_districts_with_their_official_codes(world: World) -> None:
    assert {s.code for s in queries.sub_districts()} == CODES
    assert next(s.name for s in queries.sub_districts() if s.code == "500104004") == "茄子溪街道"


@pytest.mark.parametrize(
    ("day", "day_kind", "name", "provisional"),
    [
        (date(2026, 9, 20), DayKind.WORKDAY, None, False),
        (date(2026, 10, 1), DayKind.REST, "国庆节", False),
        (date(2026, 10, 10), DayKind.WORKDAY, None, False),
        (date(2026, 9, 19), DayKind.REST, None, False),
        (date(2027, 10, 1), DayKind.WORKDAY, None, True),
        (date(2027, 10, 2), DayKind.REST, None, True),
    ],
    ids=[
        "a make-up Sunday",
        "a holiday",
        "a make-up Saturday",
        "a Saturday",
        "a Friday not known yet",
        "a Saturday not known yet",
    ],
)
def test_days_follow_the_notice_and_else_the_weekday(
    world: World, day: date, day_kind: DayKind, name: str | None, provisional: bool
) -> None:
    row = queries.calendar_day(day)
    assert row is not None
    assert (row.kind, row.provisional) == (day_kind, provisional)
    if day_kind is DayKind.REST and not provisional and day.month == 10:
        assert row.name == name


def test_filling_again_changes_nothing_and_leaves_edited_days_alone(world: World) -> None:
    assert unit_of_work(load_reference_data) == (0, 0)
    holiday = date(2027, 10, 1)
    unit_of_work(lambda: set_calendar_day(holiday, DayKind.REST, "国庆节"))
    assert unit_of_work(load_reference_data) == (0, 0)
    db.session.rollback()
    row = queries.calendar_day(holiday)
    assert row is not None
    assert (row.kind, row.name, row.provisional) == (DayKind.REST, "国庆节", False)


def test_a_stay_over_new_year_is_always_inside_the_calendar(world: World) -> None:
    with clock.frozen(clock.now() + timedelta(days=365)):
        unit_of_work(load_reference_data)
        last = date(clock.today().year + 2, 12, 31)
        assert queries.calendar_day(last) is not None
    days = queries.calendar_days(date(2026, 12, 31), date(2027, 1, 3))
    assert [d.date for d in days] == [date(2026, 12, 31) + timedelta(days=n) for n in range(4)]
