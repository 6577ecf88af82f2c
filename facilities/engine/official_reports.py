"""Official reports: the periods that can be closed, and what differs between two states of their figures.

A period is a month, a quarter or a year of the calendar, in the district's days.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

Number = int | float | None
Cell = tuple[str, tuple[str, ...], str]  # the table ("" is the total), the row's values in it, the measure


class PeriodKind(StrEnum):
    MONTH = "month"
    QUARTER = "quarter"
    YEAR = "year"


_MONTHS = {PeriodKind.MONTH: 1, PeriodKind.QUARTER: 3, PeriodKind.YEAR: 12}


@dataclass(frozen=True, slots=True)
class Period:
    """`first` is a day on which such a period begins (`period_from`)."""

    kind: PeriodKind
    first: date

    @property
    def last(self) -> date:
        months = self.first.year * 12 + self.first.month - 1 + _MONTHS[self.kind]
        return date(months // 12, months % 12 + 1, 1) - timedelta(days=1)

    @property
    def code(self) -> str:
        """`2024-09`, `2024-Q3`, `2024`."""
        if self.kind is PeriodKind.YEAR:
            return f"{self.first.year}"
        if self.kind is PeriodKind.QUARTER:
            return f"{self.first.year}-Q{(self.first.month + 2) // 3}"
        return f"{self.first:%Y-%m}"

    def is_over(self, today: date) -> bool:
        return self.last < today


def period_from(kind: PeriodKind, first: date) -> Period | None:
    """None where no such period begins on that day."""
    begins = first.day == 1 and (first.month - 1) % _MONTHS[kind] == 0
    return Period(kind, first) if begins else None


def periods_over(since: date, today: date) -> list[Period]:
    """Those that ended between the two days, the latest first; of those that end together the shortest first."""
    firsts = [date(year, month, 1) for year in range(since.year, today.year + 1) for month in range(1, 13)]
    found = [period for first in firsts for kind in PeriodKind if (period := period_from(kind, first))]
    over = [period for period in found if since <= period.last < today]
    return sorted(over, key=lambda period: (period.last, period.first), reverse=True)


@dataclass(frozen=True, slots=True)
class Delta:
    cell: Cell
    old: Number
    new: Number


def deltas(published: Mapping[Cell, Number], now: Mapping[Cell, Number], nothing: Mapping[str, Number]) -> list[Delta]:
    """What is not the same any more. `nothing`: what a measure is of a row that one of the two does not have."""
    found = []
    for cell in sorted({*published, *now}):
        old, new = published.get(cell, nothing[cell[2]]), now.get(cell, nothing[cell[2]])
        if old != new:
            found.append(Delta(cell, old, new))
    return found
