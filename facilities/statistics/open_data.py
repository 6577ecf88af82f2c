"""Figures for anyone: what may be asked, and which numbers of the answer are shown (decision 16).

What is hidden is decided for each month by itself, from all that happened in it, whatever was asked: so the same number
is shown or hidden in every answer, and a month that is over keeps its answer when new months come. A period is the sum
of its months, and is shown where each of them is.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache

from facilities.engine.ages import ELDER_AGE
from facilities.engine.beneficiaries import OF_WHOM, Category
from facilities.engine.suppression import Box, Cell, cover, is_small
from facilities.kernel import clock
from facilities.kernel.refusals import Invalid
from facilities.statistics import queries
from facilities.statistics.queries import NOT_KNOWN, Dimension, Figures, Row, Scope

MEASURES = ("sessions_held", "person_times", "persons", "unidentified_person_times")
WHO = (Dimension.CATEGORY, Dimension.SEX, Dimension.AGE_BAND)
_ANY = "*"
_PLACE = (Dimension.MONTH, Dimension.SUB_DISTRICT, Dimension.FACILITY, Dimension.PROGRAMME)
_KEPT_MONTHS = 600  # months whose cover a process keeps: it follows from the month's figures alone

Values = dict[Dimension, str]


@dataclass(frozen=True, slots=True)
class OpenRow:
    """Figures as anyone sees them: None is hidden. Hours are never public: beside the sessions' lengths they would give
    away how many came to which."""

    of: Values
    figures: dict[str, int | None]

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


def answer(scope: Scope, by: Sequence[Dimension]) -> Answer:
    """The rows of `queries.beneficiaries` with what is hidden left out, for whole months that are over."""
    public = _Public(scope)
    narrowed = _values_of(scope)
    monthly = _by_month(scope, by)
    rows = [OpenRow(row.of, public.shown({**narrowed, **row.of}, row.figures, monthly.get(_key(row.of), ())))
            for row in queries.beneficiaries(scope, by)]
    whole = queries.total(scope)
    total = public.shown(narrowed, whole, monthly.get((), ()) if not by else _by_month(scope, ()).get((), ()))
    for measure in MEASURES:
        if [row.figures[measure] for row in rows].count(None) == 1:  # else it is the total less the others
            total[measure] = None
    return Answer(scope, tuple(by), tuple(rows), OpenRow({}, total))


class _Public:
    """The months of a period: their covers, and how many persons each programme had at each place."""

    def __init__(self, scope: Scope) -> None:
        everything = Scope(scope.first, scope.last)
        tables: dict[str, dict[Cell, int]] = {}
        self.crowds: list[tuple[Values, int]] = []  # persons in the finest cells, who they are included
        for row in queries.beneficiaries(everything, (*_PLACE, *WHO)):
            table = tables.setdefault(row.of[Dimension.MONTH], {})
            for cell, number in _cells(row):
                table[cell] = table.get(cell, 0) + number
            self.crowds.append((row.of, row.figures.persons))
        self.gatherings = [(row.of, row.figures.persons) for row in queries.beneficiaries(everything, _PLACE)]
        self.hidden = {month: _hidden(tuple(sorted(table.items()))) for month, table in tables.items()}

    def shown(self, values: Values, figures: Figures, monthly: Sequence[int]) -> dict[str, int | None]:
        """What of these figures, of the box that `values` says, anyone may see."""
        times = self._is_shown(values, _ANY)
        unnamed = times and self._is_shown(values, "counted")
        split = any(dimension in values for dimension in WHO)
        # neither adds up over groups, so that decoys do not speak for them: no group in these places may be small
        alike = times and (not split or self._is_open(values))
        told = alike and not self._is_any_small(self.gatherings, values) and _is_steady(figures.persons, monthly)
        persons = unnamed and (told or not figures.persons)  # nobody is named: the other two numbers say so already
        return {
            "sessions_held": figures.sessions_held if alike else None,
            "person_times": figures.person_times if times else None,
            "persons": figures.persons if persons else None,
            "unidentified_person_times": figures.unidentified_person_times if unnamed else None,
        }

    def _is_shown(self, values: Values, kind: str) -> bool:
        box = _box(values, kind)
        months = [values[Dimension.MONTH]] if Dimension.MONTH in values else self.hidden
        return not any(box in self.hidden.get(month, ()) for month in months)

    def _is_open(self, values: Values) -> bool:
        """Nothing is hidden of the groups at these places, and none of them has a few persons only."""
        places = {d: v for d, v in values.items() if d not in WHO}
        return not self._is_any_small(self.crowds, places) and all(
            self._is_shown(of, kind) for of, _ in self.crowds if _is_within(of, places) for kind in (_ANY, "counted"))

    @staticmethod
    def _is_any_small(persons: Iterable[tuple[Values, int]], values: Values) -> bool:
        places = {d: v for d, v in values.items() if d not in WHO}
        return any(is_small(number) and _is_within(of, places) for of, number in persons)


def _is_within(of: Values, places: Values) -> bool:
    return all(of[dimension] == value for dimension, value in places.items())


def _is_steady(persons: int, monthly: Sequence[int]) -> bool:
    """Persons are told of a month, and of a calendar year from which no month differs by a few: of two periods, one a
    month longer, one could read how many came in that month and in no other. `monthly` is empty for other periods."""
    return bool(monthly) and not any(is_small(persons - month) for month in monthly)


def _by_month(scope: Scope, by: Sequence[Dimension]) -> dict[tuple[str, ...], list[int]]:
    """For each row, the persons of each of its months that have any; nothing where the period is not told persons of:
    it is one month, one month alone has named persons, or it is a calendar year."""
    found: dict[tuple[str, ...], list[int]] = {}
    if Dimension.MONTH in by:
        return {_key(row.of): [row.figures.persons] for row in queries.beneficiaries(scope, by)}
    for row in queries.beneficiaries(scope, (*by, Dimension.MONTH)):
        if row.figures.persons:
            found.setdefault(_key({d: row.of[d] for d in by}), []).append(row.figures.persons)
    a_year = scope.first == date(scope.first.year, 1, 1) and scope.last == date(scope.first.year, 12, 31)
    return found if a_year else {key: months for key, months in found.items() if len(months) == 1}


def _key(of: Values) -> tuple[str, ...]:
    return tuple(of.values())


def _values_of(scope: Scope) -> Values:
    narrowed = {Dimension.FACILITY: scope.facility_id, Dimension.PROGRAMME: scope.programme_id,
                Dimension.SUB_DISTRICT: scope.sub_district_code}
    return {dimension: str(value) for dimension, value in narrowed.items() if value is not None}


@lru_cache(maxsize=_KEPT_MONTHS)
def _hidden(table: tuple[tuple[Cell, int], ...]) -> frozenset[Box]:
    return cover(dict(table)).hidden


def _cells(row: Row) -> Iterator[tuple[Cell, int]]:
    """Person-times with and without a name. Elders and disabled are of whom: only what nobody named is a cell more."""
    of, unnamed = row.of, row.figures.unidentified_person_times
    category, band = of[Dimension.CATEGORY], of[Dimension.AGE_BAND]
    place = ((of[Dimension.FACILITY], f"in {of[Dimension.SUB_DISTRICT]}", _ANY), (of[Dimension.PROGRAMME], _ANY))
    who = ((of[Dimension.SEX], _ANY), (band, _ANY))
    if category in OF_WHOM:
        yield (*place, (_ANY,), (category,), *who, ("counted", _ANY)), unnamed
        return
    is_elder = band != NOT_KNOWN and int(band.rstrip("+").split("-")[0]) >= ELDER_AGE
    of_whom = (Category.ELDERS.value, _ANY) if is_elder else (_ANY,)
    yield (*place, (category, _ANY), of_whom, *who, ("named", _ANY)), row.figures.person_times - unnamed
    yield (*place, (category, _ANY), (_ANY,), *who, ("counted", _ANY)), unnamed


def _box(values: Values, kind: str) -> Box:
    """The box of the table that these values say; the axes are those of `_cells`."""
    place = values.get(Dimension.FACILITY)
    if place is None and Dimension.SUB_DISTRICT in values:
        place = f"in {values[Dimension.SUB_DISTRICT]}"
    category = values.get(Dimension.CATEGORY, _ANY)
    split, of_whom = (_ANY, category) if category in OF_WHOM else (category, _ANY)
    return (place or _ANY, values.get(Dimension.PROGRAMME, _ANY), split, of_whom,
            values.get(Dimension.SEX, _ANY), values.get(Dimension.AGE_BAND, _ANY), kind)
