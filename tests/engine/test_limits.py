"""How much one person or one household may take."""

from datetime import date, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from facilities.engine.limits import Limits, check_household, check_week, week_of
from facilities.kernel.refusals import Refusal

unhurried = settings(deadline=None)  # a busy machine is no failure


@pytest.mark.parametrize(
    ("day", "monday", "sunday"),
    [
        pytest.param(date(2026, 9, 14), date(2026, 9, 14), date(2026, 9, 20), id="Monday"),
        pytest.param(date(2026, 9, 16), date(2026, 9, 14), date(2026, 9, 20), id="Wednesday"),
        pytest.param(date(2026, 9, 20), date(2026, 9, 14), date(2026, 9, 20), id="Sunday, a make-up workday"),
        pytest.param(date(2026, 9, 21), date(2026, 9, 21), date(2026, 9, 27), id="the next Monday"),
        pytest.param(date(2026, 10, 1), date(2026, 9, 28), date(2026, 10, 4), id="across the month"),
        pytest.param(date(2027, 1, 1), date(2026, 12, 28), date(2027, 1, 3), id="across the year"),
    ],
)
def test_a_week_runs_from_monday_to_sunday(day: date, monday: date, sunday: date) -> None:
    assert week_of(day) == (monday, sunday)


@unhurried
@given(st.dates(date(2000, 1, 1), date(2100, 1, 1)), st.integers(-20, 20))
def test_two_days_share_a_week_where_each_is_in_the_week_of_the_other(day: date, later: int) -> None:
    other = day + timedelta(days=later)
    monday, sunday = week_of(day)
    assert monday <= day <= sunday
    assert (monday.isoweekday(), sunday.isoweekday()) == (1, 7)
    assert (monday <= other <= sunday) is (week_of(other) == (monday, sunday))


@pytest.mark.parametrize(
    ("most", "held", "reached"),
    [
        pytest.param(None, 0, False, id="no limit, none held"),
        pytest.param(None, 99, False, id="no limit, many held"),
        pytest.param(2, 0, False, id="none held"),
        pytest.param(2, 1, False, id="the last one that is allowed"),
        pytest.param(2, 2, True, id="as many as are allowed are held"),
        pytest.param(2, 3, True, id="more, from before the limit was lowered"),
        pytest.param(1, 1, True, id="one a week"),
    ],
)
def test_the_limit_counts_what_is_held_already(most: int | None, held: int, reached: bool) -> None:
    week, household = check_week(Limits(per_resident_per_week=most), held), check_household(Limits(None, most), held)
    if not reached:
        assert (week, household) == (None, None)
    else:
        assert week == Refusal("limit_reached", {"rule": "per_resident_per_week", "limit": most})
        assert household == Refusal("limit_reached", {"rule": "per_household_per_session", "limit": most})


def test_one_limit_says_nothing_about_the_other() -> None:
    assert check_week(Limits(per_household_per_session=1), 9) is None
    assert check_household(Limits(per_resident_per_week=1), 9) is None


@pytest.mark.parametrize(
    ("limits", "any_limit"),
    [(Limits(), False), (Limits(1), True), (Limits(None, 1), True), (Limits(2, 3), True)],
    ids=["none", "a week", "a household", "both"],
)
def test_limits_without_a_limit_are_none(limits: Limits, any_limit: bool) -> None:
    assert bool(limits) is any_limit
