"""Numbers of years, quarters, months, dekads and days."""

from datetime import date, timedelta

import pytest

from facilities.engine.ages import as_number
from facilities.engine.spans import (
    Length,
    around,
    dekad_of,
    dekads_of,
    length_of,
    month_of,
    months_between,
    months_of,
    quarter_of,
    year_of,
)


def test_every_day_is_in_one_month_quarter_and_year_and_all_of_them_say_so() -> None:
    day = date(2023, 1, 1)
    while day.year < 2026:
        number, month = as_number(day), day.year * 100 + day.month
        quarter = day.year * 10 + (day.month + 2) // 3
        dekad = dekad_of(number)
        assert [length_of(period) for period in (number, dekad, month, quarter, day.year)] == [
            Length.DAY, Length.DEKAD, Length.MONTH, Length.QUARTER, Length.YEAR
        ]  # fmt: skip
        assert dekads_of(month)[sum(day.day > last for last in (10, 20))] == dekad
        assert month_of(number) == month_of(dekad) == month_of(month) == month
        assert {quarter_of(period) for period in (number, dekad, month, quarter)} == {quarter}
        assert {year_of(period) for period in (number, dekad, month, quarter, day.year)} == {day.year}
        assert around(month) == (quarter, day.year)
        day += timedelta(days=1)


def test_a_year_is_its_quarters_and_a_quarter_its_months() -> None:
    assert [month for quarter in range(20261, 20265) for month in months_of(quarter)] == months_of(2026)
    assert months_of(2026) == list(range(202601, 202613))
    assert months_of(202602) == [202602]


def test_months_run_on_over_the_end_of_a_year() -> None:
    assert list(months_between(202511, 202602)) == [202511, 202512, 202601, 202602]
    assert list(months_between(202602, 202602)) == [202602]
    assert list(months_between(202603, 202602)) == []


def test_another_number_of_digits_is_no_period() -> None:
    with pytest.raises(ValueError, match="9 is not a valid Length"):
        length_of(202609160)
