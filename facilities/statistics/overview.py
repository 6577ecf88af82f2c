"""All that the page of figures shows of a scope, each read once, when it is first needed: a fixed number of queries."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from functools import cached_property
from typing import Any

from facilities.engine.beneficiaries import SPLITTING, Category
from facilities.engine.profiles import NOT_KNOWN
from facilities.kernel import clock
from facilities.statistics import queries
from facilities.statistics.addresses import narrowed_to
from facilities.statistics.dimensions import Dimension, Scope
from facilities.statistics.periods import period_before, year_before
from facilities.statistics.queries import Ledger
from facilities.statistics.rows import Figures, Row
from facilities.statistics.targets import Against, targets
from facilities.statistics.wording import word_for
from facilities.web.language import in_language

MOST_DAYS_OF_A_YEAR = 366
NAMED = (Dimension.FACILITY, Dimension.PROGRAMME, Dimension.SUB_DISTRICT, Dimension.COMMUNITY)


class Overview:
    def __init__(self, scope: Scope) -> None:
        self.scope = scope
        self._rows: dict[tuple[Dimension, ...], list[Row]] = {}
        self._names: dict[Dimension, dict[str, str]] = {}

    @cached_property
    def ledger(self) -> Ledger:
        return Ledger(self.scope)

    @cached_property
    def ledger_a_year_before(self) -> Ledger:
        return Ledger(self.a_year_earlier)

    def rows(self, *by: Dimension) -> list[Row]:
        if by not in self._rows:
            self._rows[by] = self.ledger.rows(by)
        return self._rows[by]

    def name(self, dimension: Dimension, value: str) -> str:
        """A value as a reader says it; all names that rows of the dimension need are read together."""
        if dimension not in NAMED or value == NOT_KNOWN:
            return word_for(dimension, value)
        known = self._names.get(dimension, {})
        if value not in known:
            wanted = {row.of[dimension] for row in self.rows(dimension)} if (dimension,) in self._rows else set()
            found: Mapping[str, Any] = queries.names(dimension, (wanted | {value}) - {NOT_KNOWN})
            known = self._names[dimension] = {**known, **{id_: in_language(thing) for id_, thing in found.items()}}
        return known.get(value, value)

    # -- altogether, and against what was before

    @cached_property
    def total(self) -> Figures:
        return self.ledger.total()

    @cached_property
    def so_far(self) -> Scope:
        """Without the days that are still to come, which nothing before can be compared with."""
        return replace(self.scope, last=max(self.scope.first, min(self.scope.last, clock.today())))

    @property
    def scope_before(self) -> Scope:
        return period_before(self.so_far)

    @property
    def a_year_earlier(self) -> Scope:
        return year_before(self.so_far)

    @property
    def scope_a_year_before(self) -> Scope | None:
        """None of a period that the year before would overlap."""
        return self.a_year_earlier if self._is_within_a_year else None

    @property
    def _is_within_a_year(self) -> bool:
        return (self.so_far.last - self.so_far.first).days < MOST_DAYS_OF_A_YEAR

    @cached_property
    def before(self) -> Figures:
        return queries.total(self.scope_before)

    @cached_property
    def a_year_before(self) -> Figures | None:
        return self.ledger_a_year_before.total() if self.scope_a_year_before else None

    # -- by month

    @cached_property
    def months(self) -> list[str]:
        """Every month of the period up to now, from the first to the last that has figures, those without too."""
        found = [row.of[Dimension.MONTH] for row in self.rows(Dimension.MONTH)]
        if not found:
            return []
        first, last = min(found), max(found)
        if self._is_within_a_year:
            first, last = _month(self.so_far.first), max(last, _month(self.so_far.last))
        return _months(first, last)

    @cached_property
    def by_month(self) -> list[int]:
        found = {row.of[Dimension.MONTH]: row.figures.person_times for row in self.rows(Dimension.MONTH)}
        return [found.get(month, 0) for month in self.months]

    @cached_property
    def by_month_a_year_before(self) -> list[int | None]:
        """None where there were no figures at all yet."""
        found = {row.of[Dimension.MONTH]: row.figures.person_times
                 for row in self.ledger_a_year_before.rows([Dimension.MONTH])}
        start = min(found, default="")
        months = [f"{int(month[:4]) - 1}-{month[5:]}" for month in self.months]
        return [found.get(month, 0) if start and month >= start else None for month in months]

    # -- by group

    @cached_property
    def by_month_and_group(self) -> dict[tuple[str, str], int]:
        return {(row.of[Dimension.MONTH], row.of[Dimension.CATEGORY]): row.figures.person_times
                for row in self.rows(Dimension.MONTH, Dimension.CATEGORY)}

    @cached_property
    def by_group(self) -> dict[str, int]:
        found = {row.of[Dimension.CATEGORY]: row.figures.person_times for row in self.rows(Dimension.CATEGORY)}
        return {category.value: found.get(category.value, 0) for category in Category}

    @property
    def splitting(self) -> dict[str, int]:
        return {category.value: self.by_group[category.value] for category in SPLITTING}

    # -- by hour, by place, against targets

    @cached_property
    def busy_hours(self) -> dict[tuple[int, int], int]:
        return self.ledger.busy_hours()

    @cached_property
    def places(self) -> list[tuple[str, Figures]]:
        """Facilities, the one with most person-times first."""
        rows = sorted(self.rows(Dimension.FACILITY), key=lambda row: -row.figures.person_times)
        return [(row.of[Dimension.FACILITY], row.figures) for row in rows]

    @cached_property
    def targets(self) -> Sequence[Against]:
        """The whole district's: nothing where the figures are of a part of it."""
        if self.scope.facility_ids is not None or narrowed_to(self.scope):
            return ()
        day = self.so_far.last
        return targets(day.year, day)


def _month(day: date) -> str:
    return f"{day:%Y-%m}"


def _months(first: str, last: str) -> list[str]:
    start, end = (int(text[:4]) * 12 + int(text[5:]) - 1 for text in (first, last))
    return [f"{number // 12}-{number % 12 + 1:02}" for number in range(start, end + 1)]
