from datetime import date, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from facilities.engine.working_days import Day, DayKind, by_weekday

unhurried = settings(deadline=None)  # a busy machine is no failure


@pytest.mark.parametrize(
    ("day", "kind"),
    [
        pytest.param(date(2027, 3, 1), DayKind.WORKDAY, id="Monday"),
        pytest.param(date(2027, 3, 2), DayKind.WORKDAY, id="Tuesday"),
        pytest.param(date(2027, 3, 3), DayKind.WORKDAY, id="Wednesday"),
        pytest.param(date(2027, 3, 4), DayKind.WORKDAY, id="Thursday"),
        pytest.param(date(2027, 3, 5), DayKind.WORKDAY, id="Friday"),
        pytest.param(date(2027, 3, 6), DayKind.REST, id="Saturday"),
        pytest.param(date(2027, 3, 7), DayKind.REST, id="Sunday"),
        pytest.param(date(2027, 10, 1), DayKind.WORKDAY, id="a holiday that no notice has named yet"),
    ],
)
def test_without_a_notice_the_weekday_is_taken_for_the_time_being(day: date, kind: DayKind) -> None:
    assert by_weekday(day) == Day(day, kind, name=None, provisional=True)


@unhurried
@given(st.dates(date(2004, 1, 1), date(2190, 1, 1)))
def test_any_seven_days_in_a_row_have_five_workdays(first: date) -> None:
    week = [by_weekday(first + timedelta(days=n)).kind for n in range(7)]
    assert week.count(DayKind.WORKDAY) == 5
    assert week.count(DayKind.REST) == 2


def test_a_day_from_a_notice_is_not_provisional() -> None:
    assert not Day(date(2026, 9, 20), DayKind.WORKDAY).provisional
