"""Periods that can be closed, and what differs between two states of their figures."""

from datetime import date

import pytest

from facilities.engine.official_reports import Delta, Period, PeriodKind, deltas, period_from, periods_over

MONTH, QUARTER, YEAR = PeriodKind


@pytest.mark.parametrize(
    ("kind", "first", "last", "code"),
    [
        pytest.param(MONTH, date(2024, 9, 1), date(2024, 9, 30), "2024-09", id="a month"),
        pytest.param(MONTH, date(2024, 2, 1), date(2024, 2, 29), "2024-02", id="February of a leap year"),
        pytest.param(MONTH, date(2024, 12, 1), date(2024, 12, 31), "2024-12", id="a month that ends the year"),
        pytest.param(QUARTER, date(2024, 7, 1), date(2024, 9, 30), "2024-Q3", id="a quarter"),
        pytest.param(QUARTER, date(2024, 10, 1), date(2024, 12, 31), "2024-Q4", id="the last quarter"),
        pytest.param(YEAR, date(2024, 1, 1), date(2024, 12, 31), "2024", id="a year"),
    ],
)
def test_a_period_ends_with_the_calendars(kind: PeriodKind, first: date, last: date, code: str) -> None:
    period = period_from(kind, first)
    assert period is not None
    assert (period.last, period.code) == (last, code)
    assert (period.is_over(last), period.is_over(date(last.year + 1, 1, 1))) == (False, True)


@pytest.mark.parametrize(
    ("kind", "first"),
    [(MONTH, date(2024, 9, 2)), (QUARTER, date(2024, 8, 1)), (QUARTER, date(2024, 7, 2)), (YEAR, date(2024, 2, 1))],
    ids=str,
)
def test_no_period_begins_in_the_middle_of_one(kind: PeriodKind, first: date) -> None:
    assert period_from(kind, first) is None


def test_what_is_over_is_listed_latest_first_and_shortest_first() -> None:
    codes = [period.code for period in periods_over(date(2023, 11, 1), date(2024, 4, 1))]
    assert codes == ["2024-03", "2024-Q1", "2024-02", "2024-01", "2023-12", "2023-Q4", "2023", "2023-11"]
    assert "2024-03" not in [period.code for period in periods_over(date(2024, 1, 1), date(2024, 3, 31))]
    assert periods_over(date(2024, 3, 1), date(2024, 3, 15)) == []


NOTHING = {"persons": 0, "rate": None}


def test_what_differs_is_said_cell_by_cell_and_a_row_that_is_missing_is_one_of_nothing() -> None:
    same, grown, gone, come = ((("facility", (name,), "persons")) for name in "1234")
    rate = ("facility", ("3",), "rate")
    published = {same: 5, grown: 5, gone: 2, rate: 0.5}
    now = {same: 5, grown: 6, come: 1}
    assert deltas(published, now, NOTHING) == [
        Delta(grown, 5, 6), Delta(gone, 2, 0), Delta(rate, 0.5, None), Delta(come, 0, 1)
    ]  # fmt: skip
    assert deltas(now, now, NOTHING) == []
    assert deltas({gone: 0, rate: None}, {}, NOTHING) == []


def test_periods_of_one_day_are_told_apart_by_their_kind() -> None:
    assert Period(MONTH, date(2024, 1, 1)) != Period(YEAR, date(2024, 1, 1))
