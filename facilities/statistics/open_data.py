"""Figures for anyone: what may be asked, and the answer, made of what is published alone (decision 16).

Nothing is counted here and nothing is decided: that was done when the month was published (`publishing`). A period is
the sum of its months, and is shown where each of them is.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import chain, combinations

from sqlalchemy import func, select

from facilities.engine.ages import AGE_BANDS, band_of
from facilities.engine.beneficiaries import Category
from facilities.infra.db import db
from facilities.kernel import clock
from facilities.kernel.refusals import Invalid, Refused
from facilities.statistics.dimensions import Dimension, Scope
from facilities.statistics.models import OpenFigures, OpenPeriod

MEASURES = ("sessions_held", "person_times", "persons", "unidentified_person_times")
WHO = (Dimension.CATEGORY, Dimension.SEX, Dimension.AGE_BAND)
_PLACES = ((), (Dimension.SUB_DISTRICT,), (Dimension.SUB_DISTRICT, Dimension.FACILITY))  # a place lies where it lies
_OTHERS = (Dimension.PROGRAMME, *WHO)
_WAYS = [(*place, *others) for place in _PLACES
         for others in chain.from_iterable(combinations(_OTHERS, n) for n in range(len(_OTHERS) + 1))]
SPLITS: dict[str, tuple[Dimension, ...]] = {",".join(way): way for way in _WAYS}
LABELS = (*_PLACES[-1], *_OTHERS)

Values = dict[Dimension, str]
Said = dict[str, int | None]  # by measure; None is hidden


@dataclass(frozen=True, slots=True)
class OpenRow:
    """Figures as anyone sees them: None is hidden. Hours are never public: beside the sessions' lengths they would give
    away how many came to which."""

    of: Values
    figures: Said

    @property
    def suppressed(self) -> bool:
        return None in self.figures.values()


@dataclass(frozen=True, slots=True)
class Answer:
    scope: Scope
    by: tuple[Dimension, ...]
    rows: tuple[OpenRow, ...]
    total: OpenRow


def last_day_over() -> date:
    """The last day of the last month that is over."""
    return clock.today().replace(day=1) - timedelta(days=1)


def check_whole_months(first: date, last: date) -> None:
    """Invalid unless the period is of whole months that are over: a day more or less would tell that day apart."""
    if last < first:
        raise Invalid(to="period_backwards")
    wrong = {}
    if first.day != 1:
        wrong["from"] = "not_first_of_a_month"
    if (last + timedelta(days=1)).day != 1:
        wrong["to"] = "not_last_of_a_month"
    elif last > last_day_over():
        wrong["to"] = "month_not_over"
    if wrong:
        raise Invalid(**wrong)


def published() -> list[str]:
    """All that is published, the months and the years, in order."""
    return list(db.session.scalars(select(OpenPeriod.name).order_by(OpenPeriod.name)))


def months_of(periods: Iterable[str]) -> list[str]:
    return [name for name in periods if not is_year(name)]


def last_month_with_figures() -> str | None:
    """Of the published ones."""
    months = func.length(OpenFigures.period) == len("2026-08")
    return db.session.scalar(select(func.max(OpenFigures.period)).where(months))


def is_year(period: str) -> bool:
    return len(period) == len("2026")


def first_not_published(first: date, last: date, periods: Sequence[str]) -> str | None:
    """The first month that an answer would need and does not have. Before the first of all, nothing was held."""
    there = set(months_of(periods))
    start = max(f"{first:%Y-%m}", min(there)) if there else f"{first:%Y-%m}"
    return next((month for month in months_between(start, f"{last:%Y-%m}") if month not in there), None)


def months_between(first: str, last: str) -> list[str]:
    """Both included."""
    start, end = ((int(year), int(month)) for year, month in (first.split("-"), last.split("-")))
    return [f"{n // 12:04}-{n % 12 + 1:02}" for n in range(start[0] * 12 + start[1] - 1, end[0] * 12 + end[1])]


def answer(scope: Scope, by: Sequence[Dimension]) -> Answer:
    """Of whole months that are over; Refused where one of them is not published yet."""
    periods = published()
    if (missing := first_not_published(scope.first, scope.last, periods)) is not None:
        raise Refused("not_published_yet", month=missing)
    narrowed = _values_of(scope)
    rows = _rows(_parts(scope, by, periods), narrowed, by)
    whole = _rows(_parts(scope, (), periods), narrowed, ()) if by else rows
    total: Said = dict(whole[0].figures) if whole else dict.fromkeys(MEASURES, 0)
    for measure in MEASURES:
        if by and [row.figures[measure] for row in rows].count(None) == 1:  # else it is the total less the others
            total[measure] = None
    return Answer(scope, tuple(by), tuple(rows), OpenRow({}, total))


def rows_of(months: Sequence[str], by: Sequence[Dimension]) -> list[OpenRow]:
    """Of these months, whatever lies between them."""
    return _rows(months, {}, by)


def _parts(scope: Scope, by: Sequence[Dimension], periods: Sequence[str]) -> list[str]:
    """The published periods that make up the one that is asked for: itself, where it is a calendar year."""
    year = f"{scope.first:%Y}"
    if Dimension.MONTH not in by and year in periods and (scope.first, scope.last) == (
            date(scope.first.year, 1, 1), date(scope.first.year, 12, 31)):
        return [year]
    return [month for month in months_of(periods) if f"{scope.first:%Y-%m}" <= month <= f"{scope.last:%Y-%m}"]


def _rows(parts: Sequence[str], narrowed: Values, by: Sequence[Dimension]) -> list[OpenRow]:
    found = select(*OpenFigures.__table__.columns).where(
        OpenFigures.split_by == _split({*by, *narrowed}), OpenFigures.period.in_(parts),
        *(getattr(OpenFigures, dimension) == value for dimension, value in narrowed.items()))
    added: dict[tuple[str, ...], list[Said]] = {}
    for row in db.session.execute(found):
        key = tuple(row.period if dimension is Dimension.MONTH else getattr(row, dimension) for dimension in by)
        added.setdefault(key, []).append({measure: getattr(row, measure) for measure in MEASURES})
    rows = [OpenRow(dict(zip(by, key, strict=True)), add_up(parts_of_it)) for key, parts_of_it in added.items()]
    return sorted(rows, key=lambda row: [_rank(dimension, value) for dimension, value in row.of.items()])


def _split(dimensions: Iterable[Dimension]) -> str:
    asked = set(dimensions)
    if Dimension.FACILITY in asked:
        asked.add(Dimension.SUB_DISTRICT)
    return ",".join(dimension for dimension in LABELS if dimension in asked)


def add_up(parts: Sequence[Said]) -> Said:
    """A period's figures from those of its parts: hidden where one of them is. Persons do not add up: they are told
    where one part alone has any."""
    total: Said = {}
    for measure in MEASURES:
        numbers = [part[measure] for part in parts if part[measure] != 0]
        several = measure == "persons" and len(numbers) > 1
        total[measure] = None if several else _sum(numbers)
    return total


def _sum(numbers: Iterable[int | None]) -> int | None:
    total = 0
    for number in numbers:
        if number is None:
            return None
        total += number
    return total


def _values_of(scope: Scope) -> Values:
    narrowed = {Dimension.SUB_DISTRICT: scope.sub_district_code, Dimension.FACILITY: scope.facility_id,
                Dimension.PROGRAMME: scope.programme_id}
    return {dimension: str(value) for dimension, value in narrowed.items() if value is not None}


_CATEGORIES = [category.value for category in Category]
_BANDS = [band_of(start) for start in AGE_BANDS]


def _rank(dimension: Dimension, value: str) -> tuple[int, str]:
    """The order of the figures for staff."""
    order = {Dimension.CATEGORY: _CATEGORIES, Dimension.AGE_BAND: _BANDS}.get(dimension)
    if order is not None:
        return (order.index(value) if value in order else len(order), value)
    return (int(value), "") if value.isdigit() else (0, value)
