"""Years, quarters, months and days as numbers: 2024, 20243, 202409, 20240916. Each tells by its digits what it is."""

from collections.abc import Iterator
from enum import IntEnum

MONTHS = 12
QUARTERS = 4


class Length(IntEnum):
    """The number of digits."""

    YEAR = 4
    QUARTER = 5
    MONTH = 6
    DAY = 8


def length_of(period: int) -> Length:
    return Length(len(str(period)))


def year_of(period: int) -> int:
    return period // {Length.YEAR: 1, Length.QUARTER: 10, Length.MONTH: 100, Length.DAY: 10_000}[length_of(period)]


def quarter_of(period: int) -> int:
    """Of a quarter, a month or a day."""
    if length_of(period) is Length.QUARTER:
        return period
    month = month_of(period)
    return month // 100 * 10 + (month % 100 + 2) // 3


def month_of(period: int) -> int:
    """Of a month or a day."""
    return period if length_of(period) is Length.MONTH else period // 100


def around(month: int) -> tuple[int, int]:
    """The quarter and the year that a month is in."""
    return quarter_of(month), year_of(month)


def quarters_of(year: int) -> list[int]:
    return [year * 10 + number for number in range(1, QUARTERS + 1)]


def months_of(period: int) -> list[int]:
    """Of a year or a quarter; a month is its own."""
    if length_of(period) is Length.MONTH:
        return [period]
    numbers = range(1, MONTHS + 1)
    if length_of(period) is Length.QUARTER:
        numbers = range(period % 10 * 3 - 2, period % 10 * 3 + 1)
    return [year_of(period) * 100 + number for number in numbers]


def months_between(first: int, last: int) -> Iterator[int]:
    """Both included."""
    month = first
    while month <= last:
        yield month
        month += 1 if month % 100 < MONTHS else 100 - MONTHS + 1
