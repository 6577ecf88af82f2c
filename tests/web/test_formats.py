"""Dates as a reader of either language writes them."""

from datetime import date

import pytest
from flask import Flask
from flask_babel import force_locale

from facilities.web.formats import day


@pytest.mark.parametrize(
    ("locale", "value", "says"),
    [
        ("zh", date(2026, 11, 28), "11月28日 周六"),
        ("zh", date(2027, 1, 5), "2027年1月5日 周二"),
        ("en", date(2026, 11, 28), "Sat 28 Nov"),
        ("en", date(2027, 1, 5), "Tue 5 Jan 2027"),
    ],
)
def test_a_day_of_another_year_says_so(app: Flask, now: object, locale: str, value: date, says: str) -> None:
    with force_locale(locale):
        assert day(value) == says
