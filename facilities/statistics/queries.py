"""The ledger of beneficiaries: one question, and its answer for page, export and API alike.

Answers come from the ledger's pages (`statistics.pages`), by the arithmetic of engine.ledger; pages come from the facts
(`statistics.facts`). Nothing else counts anybody.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from enum import StrEnum
from functools import cache, cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import func, select

from facilities.engine.ages import AGE_BANDS, band_of
from facilities.engine.beneficiaries import OF_WHOM, Category
from facilities.engine.ledger import Ints, Question, Sums, Total, by_hour, groupings, value_of
from facilities.engine.profiles import NOT_KNOWN, SIZE, Table, all_profiles, counts_for, table
from facilities.infra.db import db
from facilities.kernel import clock
from facilities.places.models import Community, Facility, SubDistrict
from facilities.programmes.models import ActivitySession, Programme, SessionStatus
from facilities.statistics.pages import LAST_YEAR, Key, Reach
from facilities.statistics.reading import Found, Needed, Reading


class Dimension(StrEnum):
    MONTH = "month"
    QUARTER = "quarter"
    YEAR = "year"
    FACILITY = "facility"
    PROGRAMME = "programme"
    SUB_DISTRICT = "sub_district"
    COMMUNITY = "community"  # where the place is
    PROVIDER_TYPE = "provider_type"
    VOLUNTEER = "volunteer"
    CATEGORY = "category"
    SEX = "sex"
    AGE_BAND = "age_band"
    DISABILITY_CATEGORY = "disability_category"
    DISABILITY_GRADE = "disability_grade"


OF_PLACES = (Dimension.FACILITY, Dimension.SUB_DISTRICT, Dimension.COMMUNITY)
OF_PROGRAMMES = (Dimension.PROGRAMME, Dimension.PROVIDER_TYPE, Dimension.VOLUNTEER)
OF_PEOPLE = (Dimension.CATEGORY, Dimension.SEX, Dimension.AGE_BAND, Dimension.DISABILITY_CATEGORY,
             Dimension.DISABILITY_GRADE)


@dataclass(frozen=True, slots=True)
class Scope:
    """Local days, both included, and what the figures are narrowed to; `facility_ids` is the actor's own reach.

    Words narrow to the rows that have them: `disability_category` 'unknown' to people of whom no disability is known.
    """

    first: date
    last: date
    facility_id: int | None = None
    programme_id: int | None = None
    sub_district_code: str | None = None
    facility_ids: frozenset[int] | None = None
    community_id: int | None = None
    provider_type: str | None = None
    volunteer: str | None = None
    category: str | None = None
    sex: str | None = None
    age_band: str | None = None
    disability_category: str | None = None
    disability_grade: str | None = None

    @property
    def of_people(self) -> bool:
        """Narrowed to some of those who were there."""
        return any(getattr(self, dimension.value) is not None for dimension in OF_PEOPLE)

    @property
    def group(self) -> Category | None:
        return Category(self.category) if self.category else None


@dataclass(frozen=True, slots=True)
class Figures:
    """`persons` are distinct residents: not additive over rows, never more than person-times.

    `hours`: spent by everybody together. Where going was written down, from coming to going; else the session's length.
    `fill_rate`: places taken of those on offer, in sessions that were held; None where people are told apart, for a
    place on offer is nobody's yet. `no_show_rate`: of bookings whose outcome is known, those without anybody coming.
    `waiting_hours`: how long who was on a waitlist waited for their place, on average. None: there were none.
    """

    sessions_held: int = 0
    person_times: int = 0
    persons: int = 0
    unidentified_person_times: int = 0
    hours: float = 0.0
    fill_rate: float | None = None
    no_show_rate: float | None = None
    waiting_hours: float | None = None


@dataclass(frozen=True, slots=True)
class Row:
    of: dict[Dimension, str]
    figures: Figures = field(default_factory=Figures)


def beneficiaries(scope: Scope, by: Sequence[Dimension] = ()) -> list[Row]:
    """One row for each combination that has a person-time; a single row where `by` is empty."""
    return Ledger(scope).rows(by)


def total(scope: Scope) -> Figures:
    return Ledger(scope).total()


@dataclass(frozen=True, slots=True)
class Place:
    sub_district_code: str
    community_id: int | None


@dataclass(frozen=True, slots=True)
class Provided:
    provider_type: str
    volunteer: str


def who_counts(scope: Scope, category: Category | None) -> Table:
    """Which profiles count, in this group, for what was asked."""
    who = counts_for(category)
    narrowed = {d: word for d in OF_PEOPLE if (word := getattr(scope, d.value)) and d is not Dimension.CATEGORY}
    if not narrowed:
        return who
    return who & table(lambda profile: all(value_of(profile, d.value) == word for d, word in narrowed.items()))


Kinds = list[dict[Dimension, str]]  # of each part of those who count, what they have in common


class Ledger:
    """What happened within a scope, for as many divisions of it as are asked."""

    def __init__(self, scope: Scope) -> None:
        self.scope = scope
        self._found: dict[Needed, Found] = {}

    @cached_property
    def places(self) -> dict[int, Place]:
        rows = db.session.execute(select(Facility.id, Facility.sub_district_code, Facility.community_id)).tuples()
        return {number: Place(code, community) for number, code, community in rows}

    @cached_property
    def programmes(self) -> dict[int, Provided]:
        rows = db.session.execute(select(Programme.id, Programme.provider_type, Programme.volunteer)).tuples()
        return {number: Provided(provider.value, "yes" if volunteer else "no") for number, provider, volunteer in rows}

    @cached_property
    def reading(self) -> Reading:
        return Reading(self._reach())

    def rows(self, by: Sequence[Dimension]) -> list[Row]:
        sought = self._sought(by)
        rows: list[Row] = []
        for category in self._passes(by):
            question, kinds = self._question(by, category)
            sums = self._sum(sought, question)
            entries = np.flatnonzero(sums.times)
            figures = _figures(sums, entries, len(kinds), divides_people=self._divides_people(by))
            for entry, one in zip(entries.tolist(), figures, strict=True):
                values = sought.groups.values[entry // len(kinds)]
                if kinds[0]:
                    both = values | kinds[entry % len(kinds)]
                    values = {d: both[d] for d in by}
                rows.append(Row(values, one))
        return sorted(rows, key=lambda row: [_rank(d, v) for d, v in row.of.items()])

    def total(self) -> Figures:
        question, _ = self._question((), self.scope.group)
        sums = self._sum(self._sought(()), question)
        (figures,) = _figures(sums, np.zeros(1, np.int64), 1, divides_people=self._divides_people(()))
        return figures

    def _sum(self, sought: "_Sought", question: Question) -> Sums:
        total, found = Total(question, len(sought.groups.values)), sought.found
        counted = sought.alone if question.grouped is not None else np.zeros_like(sought.alone)
        total.add_pages(found.cells, found.counts, sought.of_pages, counted)
        total.add_bits(found.bits, sought.of_bits)
        total.add_facts(found.loose_sessions, found.loose_facts, found.loose_place, sought.of_loose)
        people, of_people = sought.people(counted)
        total.add_people(people, of_people)
        return total.result()

    def _sought(self, by: Sequence[Dimension]) -> "_Sought":
        scope = self.scope
        of_people = {d for d in OF_PEOPLE if d in by or getattr(scope, d.value) is not None}
        reach = self.reading.reach
        needed = Needed(
            places=reach.facility_ids is not None or any(d in OF_PLACES for d in by),
            programmes=reach.programme_ids is not None or any(d in OF_PROGRAMMES for d in by),
            months=any(d in (Dimension.MONTH, Dimension.QUARTER) for d in by), bits=len(of_people) > 1)
        return _Sought(self, self._find(needed), [d for d in by if d not in OF_PEOPLE])

    def _find(self, needed: Needed) -> Found:
        if needed not in self._found:
            self._found[needed] = self.reading.find(needed)
        return self._found[needed]

    def opened(self) -> Found:
        """Down to the sessions."""
        return self._find(Needed(sessions=True))

    def busy_hours(self) -> dict[tuple[int, int], int]:
        """(weekday from Monday, local hour at which the session starts) → person-times, whoever was there."""
        found, busy = self.opened(), Counter[tuple[int, int]]()
        everybody = counts_for(None)
        loose = Counter[int]()
        for session, profile, times in found.loose_facts[["session", "profile", "times"]].tolist():
            loose[session] += times if everybody[profile] else 0
        starts = list(by_hour(found.sessions))
        starts += [(minutes, loose[number]) for number, minutes in found.loose_sessions[["id", "starts"]].tolist()]
        for minutes, times in starts:
            start = clock.local(datetime.fromtimestamp(minutes * 60, UTC))
            busy[(start.weekday(), start.hour)] += times
        return {at: times for at, times in busy.items() if times}

    def _divides_people(self, by: Sequence[Dimension]) -> bool:
        return self.scope.of_people or any(d in OF_PEOPLE for d in by)

    def _reach(self) -> Reach:
        scope = self.scope
        facility_ids: set[int] | None = None
        programme_ids: set[int] | None = None
        if any(v is not None for v in (scope.facility_ids, scope.facility_id, scope.sub_district_code,
                                       scope.community_id)):
            facility_ids = {i for i, place in self.places.items() if _is_meant(scope, i, place)}
        if any(v is not None for v in (scope.programme_id, scope.provider_type, scope.volunteer)):
            programme_ids = {i for i, programme in self.programmes.items()
                             if scope.programme_id in (None, i)
                             and scope.provider_type in (None, programme.provider_type)
                             and scope.volunteer in (None, programme.volunteer)}
        return Reach(scope.first, scope.last, facility_ids, programme_ids)

    def _passes(self, by: Sequence[Dimension]) -> Sequence[Category | None]:
        """Groups that overlap are counted each by itself."""
        if self.scope.group is not None or Dimension.CATEGORY not in by:
            return (self.scope.group,)
        return (None, *OF_WHOM)

    def _question(self, by: Sequence[Dimension], category: Category | None) -> tuple[Question, Kinds]:
        parts, kinds = _parts([d for d in by if d in OF_PEOPLE], category)
        ways = {d: None for d in OF_PEOPLE if d in by}
        narrowed = {d: word for d in OF_PEOPLE if (word := getattr(self.scope, d.value)) is not None}
        grouped: list[int | None] | None = None
        if len(ways | narrowed) <= 1:
            (dimension,) = ways or narrowed or (None,)
            grouped = [_grouping(dimension, of.get(dimension) or narrowed.get(dimension)) if dimension else 0
                       for of in kinds]
        return Question(who_counts(self.scope, category), parts, len(kinds), grouped), kinds


@cache
def _grouping(dimension: Dimension, value: str | None) -> int | None:
    """Where sessions held are counted for a value; None where nobody counts by it."""
    return next((number for number, grouping in enumerate(groupings())
                 if (grouping.dimension, grouping.value) == (dimension.value, value)), None)


class _Sought:
    """What was found for a question, and which group each part of it belongs to."""

    def __init__(self, ledger: Ledger, found: Found, by: Sequence[Dimension]) -> None:
        self.ledger, self.found, self.groups = ledger, found, _Groups(by, ledger)
        self.of_pages, self.of_loose, self.of_bits = (
            self.groups.of(keys) for keys in (found.keys, found.loose_keys, found.bit_keys))
        pages = np.bincount(self.of_pages, minlength=len(self.groups.values))
        loose = np.bincount(self.of_loose, minlength=len(self.groups.values))
        self.alone = (pages == 1) & (loose == 0)

    def people(self, counted: NDArray[np.bool_]) -> tuple[list[bytes], Ints]:
        """Of the groups whose persons are not counted beforehand."""
        keys = {key for key, group in zip(self.found.keys, self.of_pages.tolist(), strict=True) if not counted[group]}
        rows = self.ledger.reading.people(keys) if keys else []
        return [people for _, people in rows], self.groups.of([key for key, _ in rows])


class _Groups:
    """What pages have in common as far as a question tells them apart: `values` of each group, in order of number."""

    def __init__(self, by: Sequence[Dimension], ledger: Ledger) -> None:
        self.by, self.ledger = by, ledger
        self.values: list[dict[Dimension, str]] = [] if by else [{}]
        self._numbers: dict[tuple[str, ...], int] = {} if by else {(): 0}
        self._known: dict[Key, int] = {}

    def of(self, keys: Sequence[Key]) -> Ints:
        return np.fromiter((self._number(key) for key in keys), np.int64, len(keys))

    def _number(self, key: Key) -> int:
        if key not in self._known:
            values = tuple(OF_A_PAGE[d](*key, self.ledger) for d in self.by)
            if values not in self._numbers:
                self._numbers[values] = len(self.values)
                self.values.append(dict(zip(self.by, values, strict=True)))
            self._known[key] = self._numbers[values]
        return self._known[key]


OF_A_PAGE: dict[Dimension, Callable[[int, int, int, Ledger], str]] = {
    Dimension.MONTH: lambda month, _f, _p, _l: f"{month // 100}-{month % 100:02}",
    Dimension.QUARTER: lambda month, _f, _p, _l: f"{month // 100}-Q{(month % 100 + 2) // 3}",
    Dimension.YEAR: lambda period, _f, _p, _l: str(period if period <= LAST_YEAR else period // 100),
    Dimension.FACILITY: lambda _m, facility, _p, _l: str(facility),
    Dimension.PROGRAMME: lambda _m, _f, programme, _l: str(programme),
    Dimension.SUB_DISTRICT: lambda _m, facility, _p, ledger: ledger.places[facility].sub_district_code,
    Dimension.COMMUNITY: lambda _m, facility, _p, ledger: str(ledger.places[facility].community_id or NOT_KNOWN),
    Dimension.PROVIDER_TYPE: lambda _m, _f, programme, ledger: ledger.programmes[programme].provider_type,
    Dimension.VOLUNTEER: lambda _m, _f, programme, ledger: ledger.programmes[programme].volunteer,
}


def _is_meant(scope: Scope, number: int, place: Place) -> bool:
    return ((scope.facility_ids is None or number in scope.facility_ids)
            and scope.facility_id in (None, number)
            and scope.sub_district_code in (None, place.sub_district_code)
            and scope.community_id in (None, place.community_id))


def _parts(by: Sequence[Dimension], category: Category | None) -> tuple[Ints, Kinds]:
    """What the profiles have in common, and of each profile which of them; `category` stands for itself."""
    known: dict[tuple[str, ...], int] = {}
    parts = np.zeros(SIZE, np.int64)
    for code, profile in enumerate(all_profiles()):
        values = tuple(category.value if category and d is Dimension.CATEGORY else value_of(profile, d.value)
                       for d in by)
        parts[code] = known.setdefault(values, len(known))
    return parts, [dict(zip(by, values, strict=True)) for values in known]


def _figures(sums: Sums, entries: Ints, kinds: int, *, divides_people: bool) -> Iterator[Figures]:
    """Of these entries, in their order."""
    places = np.zeros(len(entries), np.int64) if divides_people else sums.room[1][entries // kinds]
    capacity = np.zeros(len(entries), np.int64) if divides_people else sums.room[0][entries // kinds]
    columns = (sums.held, sums.times, sums.persons, sums.unnamed, sums.minutes, sums.missed, sums.came, sums.waited,
               sums.waits)
    for held, times, persons, unnamed, minutes, missed, came, waited, waits, taken, room in zip(
            *(column[entries].tolist() for column in columns), places.tolist(), capacity.tolist(), strict=True):
        yield Figures(held, times, persons, unnamed, round(minutes / 60, 1), round(taken / room, 4) if room else None,
                      round(missed / (came + missed), 4) if came + missed else None,
                      round(waited / waits / 60, 1) if waits else None)


_CATEGORY_ORDER = [c.value for c in Category]
_BAND_ORDER = [band_of(start) for start in AGE_BANDS]


@cache
def _rank(dimension: Dimension, value: str) -> tuple[int, str]:
    order = {Dimension.CATEGORY: _CATEGORY_ORDER, Dimension.AGE_BAND: _BAND_ORDER}.get(dimension)
    if order is not None:
        return (order.index(value) if value in order else len(order), value)
    return (int(value), "") if value.isdigit() else (0, value)


def names(dimension: Dimension, values: Iterable[str]) -> dict[str, Any]:
    """The things behind ids in rows: facilities, programmes, sub-districts, communities."""
    wanted = set(values)
    if dimension is Dimension.SUB_DISTRICT:
        return {s.code: s for s in db.session.scalars(select(SubDistrict).where(SubDistrict.code.in_(wanted)))}
    models: dict[Dimension, type[Facility] | type[Programme] | type[Community]] = {
        Dimension.FACILITY: Facility, Dimension.PROGRAMME: Programme, Dimension.COMMUNITY: Community}
    numbers = [int(value) for value in wanted if value.isdigit()]
    if dimension not in models or not numbers:
        return {}
    model: Any = models[dimension]
    return {str(row.id): row for row in db.session.scalars(select(model).where(model.id.in_(numbers)))}


def first_day_with_figures(scope: Scope) -> date | None:
    """The district's day of the first session that was held."""
    found = select(func.min(ActivitySession.starts_at)).where(ActivitySession.status == SessionStatus.HELD)
    if scope.facility_ids is not None:
        found = found.where(ActivitySession.facility_id.in_(scope.facility_ids))
    start = db.session.scalar(found)
    return clock.local_date(start) if start else None
