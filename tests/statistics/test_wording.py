"""How figures are compared and narrowed, in words and in addresses."""

from collections.abc import Iterator
from datetime import date

import pytest

from facilities.statistics.addresses import arguments, days_of
from facilities.statistics.dimensions import Dimension, Scope
from facilities.statistics.rows import Figures
from facilities.statistics.wording import (
    FILL_RATE,
    HOURS,
    TIMES,
    Measure,
    changes_in_words,
    groups_in_words,
    share,
    trend_in_words,
    word_for,
)
from tests.conftest import Apps


@pytest.fixture(autouse=True)
def english(apps: Apps) -> Iterator[None]:
    """Words need a reader; nothing here needs a database."""
    app, _ = apps.get("sqlite")
    with app.test_request_context(headers={"Accept-Language": "en"}):
        yield


@pytest.mark.parametrize(
    ("measure", "now", "then", "said"),
    [
        (TIMES, 30, 40, "↓ down 25% on the period before (40)"),
        (TIMES, 1000, 999, "↑ up 0.1% on the period before (999)"),
        (TIMES, 40, 40, "= the same as in the period before"),
        (TIMES, 40, 0, "none in the period before"),
        (TIMES, 0, 40, "↓ down 100% on the period before (40)"),
        (HOURS, 1.5, 1.0, "↑ up 50% on the period before (1)"),
        (FILL_RATE, 0.5, 0.468, "↑ up 3.2 points on the period before (46.8%)"),
        (FILL_RATE, 0.5, 0.0, "↑ up 50 points on the period before (0%)"),
        (FILL_RATE, 0.5, None, "none in the period before"),
    ],
)
def test_a_change_is_said_in_words_with_its_sign(measure: Measure, now: float, then: float | None, said: str) -> None:
    present, before = (Figures(**{measure.field: value}) for value in (now, then))
    assert changes_in_words(measure, present, before, None) == [said]


def test_what_makes_no_sense_now_is_not_compared() -> None:
    assert changes_in_words(FILL_RATE, Figures(), Figures(fill_rate=0.5), Figures(fill_rate=0.5)) == []
    assert FILL_RATE.said(Figures()) == "–"


def test_a_share_of_nothing_is_nothing() -> None:
    assert share(0, 0) == "0%"
    assert share(1, 3) == "33%"
    assert share(1, 1000) == "0.1%"


def test_months_whose_year_before_nobody_knows_are_not_compared() -> None:
    said = trend_in_words(["2025-01", "2026-01"], [500, 20], [None, 10])
    assert "Altogether 100% more than in the same months a year before." in said
    assert "there are no figures" in trend_in_words(["2025-01"], [500], [None])


def test_one_group_alone_is_said_to_be_all() -> None:
    assert groups_in_words({"women": 0, "children": 7, "men": 0}) == "All person-times are of one group: Children."


@pytest.mark.parametrize(
    ("dimension", "value", "first", "last"),
    [
        (Dimension.MONTH, "2024-02", date(2024, 2, 1), date(2024, 2, 29)),
        (Dimension.QUARTER, "2024-Q1", date(2024, 1, 1), date(2024, 3, 31)),
        (Dimension.QUARTER, "2024-Q4", date(2024, 10, 1), date(2024, 12, 31)),
        (Dimension.YEAR, "2023", date(2023, 1, 1), date(2023, 12, 31)),
    ],
)
def test_the_days_of_a_row_are_all_of_its_days(dimension: Dimension, value: str, first: date, last: date) -> None:
    assert days_of(dimension, value) == (first, last)


def test_an_address_keeps_what_was_narrowed_and_never_leaves_the_period() -> None:
    scope = Scope(date(2024, 2, 10), date(2024, 12, 5), facility_id=3, sex="female")
    month = {Dimension.MONTH: "2024-02", Dimension.CATEGORY: "women"}
    assert arguments(scope, month) == {
        "from": "2024-02-10",
        "to": "2024-02-29",
        "facility": "3",
        "sex": "female",
        "category": "women",
    }
    assert arguments(scope, {Dimension.YEAR: "2024"})["to"] == "2024-12-05"


@pytest.mark.parametrize(
    ("dimension", "value", "said"),
    [
        (Dimension.QUARTER, "2024-Q3", "Q3 2024"),
        (Dimension.YEAR, "2024", "2024"),
        (Dimension.DISABILITY_CATEGORY, "4", "Body"),
        (Dimension.DISABILITY_GRADE, "2", "Grade 2"),
        (Dimension.AGE_BAND, "3-6", "3–6 years"),
        (Dimension.SEX, "unknown", "Not known"),
        (Dimension.PROVIDER_TYPE, "something new", "something new"),
    ],
)
def test_a_value_has_its_words(dimension: Dimension, value: str, said: str) -> None:
    assert word_for(dimension, value) == said


def test_every_division_has_a_name() -> None:
    assert all(word_for(dimension) for dimension in Dimension)
