from calendar import isleap
from datetime import date, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from facilities.engine.ages import ADULT_AGE, AGE_BANDS, ELDER_AGE, age_on, as_number, band_of, coarsened

unhurried = settings(deadline=None)  # a busy machine is no failure
days = st.dates(date(1900, 1, 1), date(2190, 12, 31))
leap_days = st.sampled_from([date(year, 2, 29) for year in range(1904, 2100) if isleap(year)])


def birthday_in(birth_date: date, year: int) -> date:
    """In a common year those of 29 February have theirs on 1 March."""
    if (birth_date.month, birth_date.day) == (2, 29) and not isleap(year):
        return date(year, 3, 1)
    return birth_date.replace(year=year)


def counted_age(birth_date: date, day: date) -> int:
    """Birthdays one by one, as on one's fingers."""
    return sum(birthday_in(birth_date, year) <= day for year in range(birth_date.year + 1, day.year + 1))


@pytest.mark.parametrize(
    ("birth_date", "day", "age"),
    [
        pytest.param(date(2020, 6, 15), date(2020, 6, 15), 0, id="day of birth"),
        pytest.param(date(2020, 6, 15), date(2021, 6, 14), 0, id="day before the first birthday"),
        pytest.param(date(2020, 6, 15), date(2021, 6, 15), 1, id="first birthday"),
        pytest.param(date(2008, 9, 18), date(2026, 9, 17), 17, id="day before coming of age"),
        pytest.param(date(2008, 9, 18), date(2026, 9, 18), 18, id="coming of age"),
        pytest.param(date(1966, 9, 18), date(2026, 9, 17), 59, id="day before sixty"),
        pytest.param(date(1966, 9, 18), date(2026, 9, 18), 60, id="sixty"),
        pytest.param(date(2020, 12, 31), date(2021, 1, 1), 0, id="crosses the year"),
        pytest.param(date(2020, 1, 1), date(2020, 12, 31), 0, id="end of the year of birth"),
        pytest.param(date(2020, 1, 1), date(2021, 1, 1), 1, id="born on new year's day"),
        pytest.param(date(1910, 3, 1), date(2026, 2, 28), 115, id="very old"),
    ],
)
def test_one_grows_older_on_the_birthday(birth_date: date, day: date, age: int) -> None:
    assert age_on(birth_date, day) == age


@pytest.mark.parametrize(
    ("day", "age"),
    [
        pytest.param(date(2025, 2, 28), 0, id="last of February, common year"),
        pytest.param(date(2025, 3, 1), 1, id="first of March, common year"),
        pytest.param(date(2028, 2, 28), 3, id="day before, leap year"),
        pytest.param(date(2028, 2, 29), 4, id="29 February, leap year"),
        pytest.param(date(2100, 2, 28), 75, id="last of February, 2100 is common"),
        pytest.param(date(2100, 3, 1), 76, id="first of March, 2100 is common"),
    ],
)
def test_who_is_born_on_29_february_grows_older_on_1_march_of_a_common_year(day: date, age: int) -> None:
    assert age_on(date(2024, 2, 29), day) == age


@unhurried
@given(st.one_of(days, leap_days), days)
def test_an_age_is_the_number_of_birthdays_that_have_come(birth_date: date, day: date) -> None:
    first, last = sorted([birth_date, day])
    assert age_on(first, last) == counted_age(first, last)


@pytest.mark.parametrize("year", [2026, 2028], ids=["common year", "leap year"])
@pytest.mark.parametrize(
    "birth_date",
    [
        pytest.param(date(2008, 2, 28), id="28 February"),
        pytest.param(date(2008, 2, 29), id="29 February"),
        pytest.param(date(2008, 3, 1), id="1 March"),
        pytest.param(date(2008, 1, 1), id="1 January"),
        pytest.param(date(2008, 12, 31), id="31 December"),
    ],
)
def test_on_every_day_of_a_year_the_age_is_right(birth_date: date, year: int) -> None:
    all_days = [date(year, 1, 1) + timedelta(days=n) for n in range(366 if isleap(year) else 365)]
    assert all_days[-1] == date(year, 12, 31)
    assert [age_on(birth_date, day) for day in all_days] == [counted_age(birth_date, day) for day in all_days]


@unhurried
@given(days, st.integers(1, 40_000))
def test_before_birth_the_age_is_below_zero(birth_date: date, earlier: int) -> None:
    assert age_on(birth_date, birth_date - timedelta(days=earlier)) < 0


@unhurried
@given(days, days)
def test_nobody_grows_younger(birth_date: date, day: date) -> None:
    assert age_on(birth_date, day + timedelta(days=1)) - age_on(birth_date, day) in (0, 1)


def test_a_day_as_a_number_reads_like_the_day() -> None:
    assert as_number(date(2024, 5, 1)) == 20240501
    assert as_number(date(999, 12, 31)) == 9991231


@unhurried
@given(days, days)
def test_numbers_of_days_sort_like_days(one: date, other: date) -> None:
    assert (as_number(one) < as_number(other)) is (one < other)


@pytest.mark.parametrize(
    ("age", "band"),
    [
        (0, "0-2"),
        (2, "0-2"),
        (3, "3-6"),
        (6, "3-6"),
        (7, "7-17"),
        (17, "7-17"),
        (18, "18-34"),
        (34, "18-34"),
        (35, "35-59"),
        (59, "35-59"),
        (60, "60-69"),
        (69, "60-69"),
        (70, "70-79"),
        (79, "70-79"),
        (80, "80+"),
        (130, "80+"),
    ],
)
def test_each_band_begins_and_ends_where_its_label_says(age: int, band: str) -> None:
    assert band_of(age) == band


def test_before_birth_the_youngest_band_is_taken() -> None:
    assert band_of(-1) == "0-2"


def test_bands_cover_every_age_exactly_once() -> None:
    labels = list(dict.fromkeys(band_of(age) for age in range(131)))
    covered: list[int] = []
    for label in labels:
        first, last = (label[:-1], "130") if label.endswith("+") else label.split("-")
        covered += range(int(first), int(last) + 1)
    assert covered == list(range(131))
    assert len(labels) == len(AGE_BANDS)


@pytest.mark.parametrize("threshold", [ADULT_AGE, ELDER_AGE], ids=["adults", "elders"])
def test_no_band_mixes_those_below_a_threshold_with_those_above(threshold: int) -> None:
    assert band_of(threshold - 1) != band_of(threshold)


@pytest.mark.parametrize(
    ("birth_date", "on", "left"),
    [
        pytest.param(date(1966, 9, 18), [], None, id="never came"),
        pytest.param(None, [date(2026, 9, 17)], None, id="was never known"),
        pytest.param(date(1988, 4, 12), [date(2026, 9, 17)], date(1988, 1, 1), id="the year is enough"),
        pytest.param(date(1966, 9, 18), [date(2026, 7, 17)], date(1966, 9, 1), id="sixty in the year, not yet"),
        pytest.param(date(1966, 9, 18), [date(2026, 9, 10)], date(1966, 9, 11), id="sixty in the month, not yet"),
        pytest.param(date(1966, 9, 18), [date(2026, 9, 10), date(2026, 9, 18)], date(1966, 9, 11), id="before, after"),
        pytest.param(date(2008, 3, 1), [date(2026, 2, 28)], date(2008, 3, 1), id="to the day, by chance"),
        pytest.param(date(1940, 5, 5), [date(2026, 2, 28)], date(1940, 1, 1), id="no band above"),
        pytest.param(date(2020, 3, 5), [date(2020, 2, 29)], date(2020, 1, 1), id="before birth"),
        pytest.param(date(1966, 3, 5), [date(2024, 2, 29), date(2026, 3, 4)], date(1966, 3, 5), id="leap day"),
    ],
)
def test_what_is_left_of_a_birth_date_says_no_more_than_figures_need(
    birth_date: date | None, on: list[date], left: date | None
) -> None:
    assert coarsened(birth_date, on) == left


@unhurried
@given(days, st.lists(days, min_size=1, max_size=6))
def test_a_coarser_birth_date_leaves_every_counted_day_in_its_band(birth_date: date, on: list[date]) -> None:
    left = coarsened(birth_date, on)
    assert left is not None
    assert left <= birth_date
    for day in on:
        assert band_of(age_on(left, day)) == band_of(age_on(birth_date, day))
        for threshold in (ADULT_AGE, ELDER_AGE):
            assert (age_on(left, day) < threshold) == (age_on(birth_date, day) < threshold)
