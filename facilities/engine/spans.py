"""Years, quarters, months, dekads and days as numbers: 2024, 20243, 202409, 2024092, 20240916.

Each tells by its digits what it is. A dekad (旬) is the first ten days of a month, the second ten, or the rest.
"""

from collections.abc import Iterator
from enum import IntEnum

MONTHS = 12
DEKADS = 3


class Length(IntEnum):
    """The number of digits."""

    YEAR = 4
    QUARTER = 5
    MONTH = 6
    DEKAD = 7
    DAY = 8


def length_of(period: int) -> Length:
    return Length(len(str(period)))


def year_of(period: int) -> int:
    if length_of(period) is Length.QUARTER:
        return period // 10
    return period if length_of(period) is Length.YEAR else month_of(period) // 100


def quarter_of(period: int) -> int:
    """Of a quarter, or of what lies within one."""
    if length_of(period) is Length.QUARTER:
        return period
    month = month_of(period)
    return month // 100 * 10 + (month % 100 + 2) // 3


def month_of(period: int) -> int:
    """Of a month, a dekad or a day."""
    return period // {Length.MONTH: 1, Length.DEKAD: 10, Length.DAY: 100}[length_of(period)]


def dekad_of(day: int) -> int:
    month, number = divmod(day, 100)
    return month * 10 + min((number - 1) // 10 + 1, DEKADS)


def dekads_of(month: int) -> list[int]:
    return [month * 10 + number for number in range(1, DEKADS + 1)]


def around(month: int) -> tuple[int, int]:
    """The quarter and the year that a month is in."""
    return quarter_of(month), year_of(month)


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
