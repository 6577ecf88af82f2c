"""What the app counts itself: a line for each measure, which a part that arrives later adds to.

A measure gives the year's total by the end of each month that has begun. The ledger is asked once for all of them.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import cached_property
from itertools import accumulate

from sqlalchemy import select

from facilities.engine.beneficiaries import SPLITTING, Category
from facilities.engine.projects import MONTHS
from facilities.infra.db import db
from facilities.kernel import clock
from facilities.places.models import Facility, FacilityKind
from facilities.places.queries import stalls_shared
from facilities.statistics.dimensions import Dimension, Scope
from facilities.statistics.queries import beneficiaries
from facilities.statistics.rows import Row

ByMonth = Mapping[int, Decimal]


class Counted:
    """A year until a day, read when a measure first needs it: at most four queries, however many measures there are."""

    def __init__(self, year: int, day: date) -> None:
        self.year = year
        self.day = min(day, date(year, MONTHS, 31))

    @cached_property
    def facilities(self) -> dict[str, FacilityKind]:
        rows = db.session.execute(select(Facility.id, Facility.kind)).tuples()
        return {str(facility_id): kind for facility_id, kind in rows}

    @cached_property
    def sessions(self) -> list[Row]:
        return beneficiaries(self._scope, [Dimension.MONTH, Dimension.FACILITY])

    @cached_property
    def groups(self) -> list[Row]:
        return beneficiaries(self._scope, [Dimension.MONTH, Dimension.FACILITY, Dimension.CATEGORY])

    @cached_property
    def stalls(self) -> int:
        return stalls_shared()

    @property
    def _scope(self) -> Scope:
        return Scope(date(self.year, 1, 1), self.day)

    def at_kind(self, rows: Iterable[Row], kind: FacilityKind | None) -> list[Row]:
        return [row for row in rows if kind in (None, self.facilities.get(row.of[Dimension.FACILITY]))]

    def summed(self, months: Iterable[tuple[str, int]]) -> ByMonth:
        """Nothing at all in a year is not zero: the app did not count then."""
        in_month: dict[int, int] = {}
        for month, number in months:
            in_month[int(month[-2:])] = in_month.get(int(month[-2:]), 0) + number
        if not in_month:
            return {}
        totals = accumulate(in_month.get(month, 0) for month in range(1, self.day.month + 1))
        return {month: Decimal(total) for month, total in enumerate(totals, start=1)}

    def at_present(self, number: int) -> ByMonth:
        """What is there now says nothing of another day: no history of places is kept."""
        return {self.day.month: Decimal(number)} if self.day == clock.today() else {}


@dataclass(frozen=True, slots=True)
class Measure:
    """`of`: what narrows the year's figures to the sessions that it counts; None where it counts no sessions."""

    count: Callable[[Counted], ByMonth]
    of: Mapping[Dimension, str] | None = None


def _sessions_held(kind: FacilityKind | None = None) -> Measure:
    return Measure(lambda counted: counted.summed(
        (row.of[Dimension.MONTH], row.figures.sessions_held) for row in counted.at_kind(counted.sessions, kind)),
        _narrowed(kind))


def _person_times(kind: FacilityKind | None = None, category: Category | None = None) -> Measure:
    wanted = {one.value for one in ((category,) if category else SPLITTING)}
    return Measure(lambda counted: counted.summed(
        (row.of[Dimension.MONTH], row.figures.person_times) for row in counted.at_kind(counted.groups, kind)
        if row.of[Dimension.CATEGORY] in wanted), _narrowed(kind, category))


def _narrowed(kind: FacilityKind | None, category: Category | None = None) -> Mapping[Dimension, str]:
    asked = {Dimension.FACILITY_KIND: kind, Dimension.CATEGORY: category}
    return {dimension: value.value for dimension, value in asked.items() if value is not None}


def _places_open(kind: FacilityKind) -> Measure:
    return Measure(lambda counted: counted.at_present(list(counted.facilities.values()).count(kind)))


MEASURES: dict[str, Measure] = {
    "sessions_held": _sessions_held(),
    "person_times": _person_times(),
    "yuhao_sessions_held": _sessions_held(FacilityKind.YUHAO_SPACE),
    "yuhao_women": _person_times(FacilityKind.YUHAO_SPACE, Category.WOMEN),
    "yuhao_children": _person_times(FacilityKind.YUHAO_SPACE, Category.CHILDREN),
    "yuhao_spaces_open": _places_open(FacilityKind.YUHAO_SPACE),
    "yuxin_homes_open": _places_open(FacilityKind.YUXIN_HOME),
    "doctor_stations_open": _places_open(FacilityKind.DOCTOR_STATION),
    "stalls_shared": Measure(lambda counted: counted.at_present(counted.stalls)),
}


def count(keys: Iterable[str | None], year: int, day: date) -> dict[str, ByMonth]:
    """By measure; none of a year that has not begun, or of a key that this version does not know."""
    wanted = {key for key in keys if key in MEASURES}
    if not wanted or day < date(year, 1, 1):
        return {}
    counted = Counted(year, day)
    return {key: MEASURES[key].count(counted) for key in sorted(wanted)}
