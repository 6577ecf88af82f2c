"""Livelihood projects: the target that holds, completion, the plan, lights, the forecast; each at its boundaries."""

from datetime import date
from decimal import Decimal

import pytest

from facilities.engine.projects import (
    Amount,
    Kind,
    Light,
    Qualifier,
    SetBy,
    TargetVersion,
    Thresholds,
    completion,
    expected,
    forecast,
    in_month,
    light,
    target_on,
    wrong_plan,
)

JANUARY, JULY = date(2024, 1, 1), date(2024, 7, 1)
CITY, DISTRICT = SetBy.MUNICIPAL, SetBy.DISTRICT
EVENLY = [8, 17, 25, 33, 42, 50, 58, 67, 75, 83, 92, 100]
AT_THE_END = [0] * 11 + [100]


def targets(*versions: tuple[date, int, SetBy]) -> list[TargetVersion]:
    return [TargetVersion(day, Decimal(value), who) for day, value, who in versions]


@pytest.mark.parametrize(
    ("versions", "day", "value"),
    [
        pytest.param([], JULY, None, id="nobody set one"),
        pytest.param([(JULY, 5, CITY)], date(2024, 6, 30), None, id="the day before it holds"),
        pytest.param([(JULY, 5, CITY)], JULY, 5, id="from the day on"),
        pytest.param([(JANUARY, 5, CITY)], JULY, 5, id="unset, the district follows the city"),
        pytest.param([(JANUARY, 5, CITY), (JANUARY, 3, DISTRICT)], JULY, 5, id="the city's is the higher"),
        pytest.param([(JANUARY, 3, CITY), (JANUARY, 5, DISTRICT)], JULY, 5, id="the district's is the higher"),
        pytest.param([(JANUARY, 9, CITY), (JULY, 4, CITY)], JULY, 4, id="a later version lowers it"),
        pytest.param([(JULY, 4, CITY), (JANUARY, 9, CITY)], JULY, 4, id="in whatever order they stand"),
        pytest.param(
            [(JANUARY, 9, CITY), (JULY, 4, CITY), (JANUARY, 6, DISTRICT)], JULY, 6, id="lowered below the district's"
        ),
    ],
)
def test_of_two_targets_that_hold_the_higher_one_applies(
    versions: list[tuple[date, int, SetBy]], day: date, value: int | None
) -> None:
    found = target_on(targets(*versions), day)
    assert (found.value if found else None) == value


@pytest.mark.parametrize(
    ("kind", "done", "target", "rate"),
    [
        pytest.param(Kind.CUMULATIVE, Amount(Decimal(30)), Decimal(40), Decimal("0.75"), id="on the way"),
        pytest.param(Kind.CUMULATIVE, Amount(Decimal(50)), Decimal(40), Decimal("1.25"), id="more than all is not cut"),
        pytest.param(Kind.CUMULATIVE, Amount(Decimal(0)), Decimal(40), Decimal(0), id="nothing yet"),
        pytest.param(Kind.RATE, Amount(Decimal(76)), Decimal(80), Decimal("0.95"), id="a rate"),
        pytest.param(Kind.MILESTONE, Amount(Decimal(1)), Decimal(2), Decimal("0.5"), id="begun is not finished"),
        pytest.param(Kind.CUMULATIVE, Amount(Decimal(50)), None, None, id="without a target"),
        pytest.param(Kind.CUMULATIVE, Amount(Decimal(50)), Decimal(0), None, id="a target of nothing"),
        pytest.param(Kind.CUMULATIVE, None, Decimal(40), None, id="without a number"),
        pytest.param(Kind.IN_WORDS, Amount(Decimal(1)), Decimal(1), None, id="in words"),
    ],
)
def test_completion_is_a_share_of_the_target_and_has_no_upper_end(
    kind: Kind, done: Amount | None, target: Decimal | None, rate: Decimal | None
) -> None:
    assert completion(kind, done, target) == rate


@pytest.mark.parametrize("qualifier", list(Qualifier))
def test_a_qualified_number_is_never_taken_for_exact(qualifier: Qualifier) -> None:
    done = Amount(Decimal(170000), qualifier)
    assert done.exact is None
    assert completion(Kind.CUMULATIVE, done, Decimal(100)) is None
    assert done.lower_bound == (None if qualifier is Qualifier.ABOUT else 170000)


@pytest.mark.parametrize(
    ("kind", "day", "plan", "share"),
    [
        pytest.param(Kind.CUMULATIVE, date(2024, 12, 31), None, Decimal(1), id="the year's last day"),
        pytest.param(Kind.CUMULATIVE, JANUARY, None, Decimal(1) / 366, id="the first of a leap year"),
        pytest.param(Kind.CUMULATIVE, date(2023, 12, 31), None, Decimal(0), id="before the year"),
        pytest.param(Kind.CUMULATIVE, date(2026, 9, 16), None, Decimal(1), id="after the year"),
        pytest.param(Kind.MILESTONE, date(2024, 6, 30), EVENLY, Decimal("0.5"), id="a month's end is the plan's"),
        pytest.param(Kind.CUMULATIVE, date(2024, 1, 31), EVENLY, Decimal("0.08"), id="the first month's end"),
        pytest.param(Kind.CUMULATIVE, date(2024, 6, 15), EVENLY, Decimal("0.46"), id="within a month it rises evenly"),
        pytest.param(Kind.CUMULATIVE, date(2024, 11, 30), AT_THE_END, Decimal(0), id="all of it in December: before"),
        pytest.param(Kind.RATE, date(2024, 12, 31), AT_THE_END, Decimal(1), id="a rate with a plan"),
        pytest.param(Kind.RATE, JULY, None, None, id="a rate without one"),
        pytest.param(Kind.IN_WORDS, JULY, EVENLY, None, id="in words"),
    ],
)
def test_the_plan_says_how_far_it_should_be(
    kind: Kind, day: date, plan: list[int] | None, share: Decimal | None
) -> None:
    assert expected(kind, 2024, day, plan) == share


@pytest.mark.parametrize(
    ("plan", "wrong"),
    [
        pytest.param(EVENLY, False, id="evenly"),
        pytest.param(AT_THE_END, False, id="all at the end"),
        pytest.param(EVENLY[:11], True, id="eleven months"),
        pytest.param([*EVENLY[:11], 99], True, id="not all of it"),
        pytest.param([8, 7, *EVENLY[2:]], True, id="a step back"),
        pytest.param([-1, *EVENLY[1:]], True, id="below nothing"),
    ],
)
def test_a_plan_has_twelve_months_and_ends_at_all_of_it(plan: list[int], wrong: bool) -> None:
    assert wrong_plan(plan) is wrong


@pytest.mark.parametrize(
    ("rate", "should_be", "shows"),
    [
        pytest.param("0.60", "0.50", Light.GREEN, id="ahead"),
        pytest.param("0.40", "0.50", Light.GREEN, id="ten points behind is still green"),
        pytest.param("0.399", "0.50", Light.YELLOW, id="just more than ten"),
        pytest.param("0.20", "0.50", Light.YELLOW, id="thirty points behind is still yellow"),
        pytest.param("0.199", "0.50", Light.RED, id="just more than thirty"),
        pytest.param("1.25", "1", Light.GREEN, id="more than all of it, not accepted yet"),
        pytest.param(None, "0.50", None, id="no rate, no light"),
        pytest.param("0.50", None, None, id="no plan, no light"),
    ],
)
def test_lights_by_points_behind_the_plan(rate: str | None, should_be: str | None, shows: Light | None) -> None:
    rates = Decimal(rate) if rate else None, Decimal(should_be) if should_be else None
    assert light(*rates, is_accepted=False) is shows
    assert light(*rates, is_accepted=True) is Light.BLUE


def test_a_district_can_be_stricter() -> None:
    rates = Decimal("0.45"), Decimal("0.50")
    assert light(*rates, is_accepted=False, thresholds=Thresholds(2, 4)) is Light.RED
    assert light(*rates, is_accepted=False, thresholds=Thresholds(5, 6)) is Light.GREEN


@pytest.mark.parametrize(
    ("kind", "by_month", "year_end"),
    [
        pytest.param(Kind.CUMULATIVE, {4: 40, 5: 50, 6: 60, 7: 70}, 120, id="at an even pace"),
        pytest.param(Kind.CUMULATIVE, {1: 60, 7: 60, 8: 70, 9: 80}, 110, id="the last months count, the first do not"),
        pytest.param(Kind.CUMULATIVE, {7: 30, 9: 60}, 105, id="a month is missing between"),
        pytest.param(Kind.CUMULATIVE, {11: 100, 12: 130}, 130, id="the year is over"),
        pytest.param(Kind.CUMULATIVE, {5: 50}, None, id="one month is no pace"),
        pytest.param(Kind.CUMULATIVE, {1: 10, 9: 60}, None, id="too far apart"),
        pytest.param(Kind.CUMULATIVE, {}, None, id="nothing known"),
        pytest.param(Kind.RATE, {4: 40, 5: 50}, None, id="a rate has no pace"),
        pytest.param(Kind.MILESTONE, {4: 1, 5: 2}, None, id="nor have milestones"),
    ],
)
def test_the_forecast_follows_the_last_months(kind: Kind, by_month: dict[int, int], year_end: int | None) -> None:
    assert forecast(kind, {month: Decimal(value) for month, value in by_month.items()}) == year_end


def test_what_a_month_added_is_known_where_the_month_before_is() -> None:
    totals = {1: Decimal(3), 2: Decimal(8), 4: Decimal(9)}
    assert [in_month(totals, month) for month in (1, 2, 3, 4)] == [3, 5, None, None]
