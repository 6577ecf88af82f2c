"""The ledger of beneficiaries: one question, and its answer for page, export and API alike.

Answers come from the ledger's pages (`statistics.pages`), by the arithmetic of engine.ledger; pages come from the facts
(`statistics.facts`). Nothing else counts anybody.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from functools import cache, cached_property
from itertools import compress
from typing import Any

import numpy as np
from sqlalchemy import func, select

from facilities.engine.beneficiaries import OF_WHOM, Category
from facilities.engine.ledger import Ints, by_hour, groupings, numbered, value_of
from facilities.engine.profiles import DISABILITY, NOT_KNOWN, SIZE, Table, all_profiles
from facilities.engine.spans import month_of, quarter_of, year_of
from facilities.engine.tally import Loose, People, Question, Sums, Total
from facilities.infra.db import db
from facilities.infra.prepared import Prepared
from facilities.kernel import clock
from facilities.places.models import Community, Facility, SubDistrict
from facilities.programmes.models import ActivitySession, Programme, SessionStatus
from facilities.statistics.dimensions import (
    OF_PEOPLE,
    OF_PLACES,
    OF_PROGRAMMES,
    TIME,
    Dimension,
    Scope,
    who_counts,
)
from facilities.statistics.pages import Reach
from facilities.statistics.reading import Found, Groupings, Needed, Reading, keys_of
from facilities.statistics.rows import Figures, Row, as_rows, figures_of


def beneficiaries(scope: Scope, by: Sequence[Dimension] = ()) -> list[Row]:
    """One row for each combination that has a person-time; a single row where `by` is empty."""
    return Ledger(scope).rows(by)


def total(scope: Scope) -> Figures:
    return Ledger(scope).total()


@dataclass(frozen=True, slots=True)
class Place:
    kind: str
    sub_district_code: str
    community_id: int | None


@dataclass(frozen=True, slots=True)
class Provided:
    provider_type: str
    volunteer: str


_PLACES = Prepared(lambda: select(Facility.id, Facility.kind, Facility.sub_district_code, Facility.community_id))
_PROGRAMMES = Prepared(lambda: select(Programme.id, Programme.provider_type, Programme.volunteer))

Start = tuple[int, int]  # weekday from Monday, local hour


def start_of(minutes: int) -> Start:
    """Of minutes since 1970."""
    start = clock.local(datetime.fromtimestamp(minutes * 60, UTC))
    return start.weekday(), start.hour


Kinds = list[dict[Dimension, str]]  # of each part of those who count, what they have in common


class Ledger:
    """What happened within a scope, for as many divisions of it as are asked."""

    def __init__(self, scope: Scope) -> None:
        self.scope = scope
        self._found: dict[Needed, Found] = {}

    @cached_property
    def places(self) -> dict[int, Place]:
        return {number: Place(kind.value, code, community)
                for number, kind, code, community in _PLACES.rows(db.session.connection(), {})}

    @cached_property
    def programmes(self) -> dict[int, Provided]:
        return {number: Provided(provider.value, "yes" if volunteer else "no")
                for number, provider, volunteer in _PROGRAMMES.rows(db.session.connection(), {})}

    @cached_property
    def reading(self) -> Reading:
        return Reading(self._reach())

    def rows(self, by: Sequence[Dimension]) -> list[Row]:
        questions = [self._question(by, category) for category in self._passes(by)]
        sought = self._sought(by, [question for question, _ in questions])
        return as_rows(by, sought.groups.values, [(sought.sum(question), kinds) for question, kinds in questions],
                       divides_people=self._divides_people(by))

    def total(self) -> Figures:
        question, _ = self._question((), self.scope.group)
        sums = self._sought((), [question]).sum(question)
        (figures,) = figures_of(sums, np.zeros(1, np.int64), 1, divides_people=self._divides_people(()))
        return figures

    def _sought(self, by: Sequence[Dimension], questions: Sequence[Question]) -> "_Sought":
        reach, of_pages = self.reading.reach, [d for d in by if d not in OF_PEOPLE]
        needed = Needed(
            places=reach.facility_ids is not None or any(d in OF_PLACES for d in by),
            programmes=reach.programme_ids is not None or any(d in OF_PROGRAMMES for d in by),
            time=max((TIME[d] for d in by if d in TIME), default=None), counts=_counted(questions),
            disabled=not any(question.who[:DISABILITY].any() for question in questions))
        merged = ((needed.places and Dimension.FACILITY not in by and len(reach.facility_ids or ()) != 1)
                  or (needed.programmes and Dimension.PROGRAMME not in by and len(reach.programme_ids or ()) != 1))
        needed = replace(needed, merged=merged)
        who = np.logical_or.reduce([question.who for question in questions])
        return _Sought(self, needed, who, of_pages)

    def find(self, needed: Needed) -> Found:
        if needed not in self._found:
            self._found[needed] = self.reading.find(needed)
        return self._found[needed]

    def opened(self) -> Found:
        """Down to the sessions."""
        return self.find(Needed(sessions=True))

    def busy_hours(self) -> dict[Start, int]:
        """Person-times by when the session starts."""
        busy, of_people = Counter[Start](), self.scope.of_people
        found = self.find(Needed(sessions=True, facts=of_people))  # what a session has in all stands in its page
        who = who_counts(self.scope, self.scope.group)
        times = np.where(who[found.facts["profile"]], found.facts["times"], 0)
        of_each = np.bincount(found.place, times, len(found.sessions)).astype(np.int64)
        starts = [*by_hour(found.rows.sessions),
                  *zip(found.sessions["starts"].tolist(), of_each.tolist(), strict=True)]
        for minutes, people in starts:
            busy[start_of(minutes)] += people
        return {at: people for at, people in busy.items() if people}

    def _divides_people(self, by: Sequence[Dimension]) -> bool:
        return self.scope.of_people or any(d in OF_PEOPLE for d in by)

    def _reach(self) -> Reach:
        scope = self.scope
        facility_ids = scope.facility_ids
        programme_ids = None if scope.programme_id is None else frozenset({scope.programme_id})
        if scope.facility_id is not None:
            only = frozenset({scope.facility_id})
            facility_ids = only if facility_ids is None else facility_ids & only
        if any(v is not None for v in (scope.facility_kind, scope.sub_district_code, scope.community_id)):
            facility_ids = frozenset(i for i, place in self.places.items() if _is_meant(scope, i, place))
        if scope.provider_type is not None or scope.volunteer is not None:
            programme_ids = frozenset(i for i, programme in self.programmes.items()
                                      if scope.programme_id in (None, i)
                                      and scope.provider_type in (None, programme.provider_type)
                                      and scope.volunteer in (None, programme.volunteer))
        return Reach(scope.first, scope.last, facility_ids, programme_ids)

    def _passes(self, by: Sequence[Dimension]) -> Sequence[Category | None]:
        """Groups that overlap are counted each by itself."""
        if self.scope.group is not None or Dimension.CATEGORY not in by:
            return (self.scope.group,)
        return (None, *OF_WHOM)

    def _question(self, by: Sequence[Dimension], category: Category | None) -> tuple[Question, Kinds]:
        parts, kinds = _parts(tuple(d for d in by if d in OF_PEOPLE), category)
        ways = {d: None for d in OF_PEOPLE if d in by}
        narrowed = {d: word for d in OF_PEOPLE if (word := getattr(self.scope, d.value)) is not None}
        grouped: list[int | None] | None = None
        if len(ways | narrowed) <= 1:
            (dimension,) = ways or narrowed or (None,)
            grouped = [_grouping(dimension, of.get(dimension), narrowed.get(dimension)) if dimension else 0
                       for of in kinds]
        return Question(who_counts(self.scope, category), parts, len(kinds), grouped), kinds


@cache
def _grouping(dimension: Dimension, value: str | None, only: str | None) -> int | None:
    """Where people with a value, or those that it is narrowed to, are counted beforehand; None where nobody counts."""
    if value is not None and only not in (None, value):
        return None
    return next((number for number, grouping in enumerate(groupings())
                 if (grouping.dimension, grouping.value) == (dimension.value, value or only)), None)


def _counted(questions: Sequence[Question]) -> Groupings | None:
    """The groupings that are asked; None where some are in none of them."""
    if any(question.grouped is None for question in questions):
        return None
    asked = {number for question in questions for number in question.grouped or () if number is not None} or {0}
    return min(asked), max(asked)


class _Sought:
    """What was found for a question, and which group each part of it belongs to."""

    def __init__(self, ledger: Ledger, needed: Needed, who: Table, by: Sequence[Dimension]) -> None:
        """`who` counts in any of its parts."""
        self.needed, self.found = needed, ledger.find(needed).only(who)
        of_rows = np.array(self.found.rows.keys, np.int64).reshape(-1, len(PARTS_OF_A_KEY))
        self.groups = _Groups(by, ledger, np.concatenate([of_rows, keys_of(self.found.sessions)]))
        self.of_rows, self.of_loose = np.split(self.groups.numbers, [len(of_rows)])

    def sum(self, question: Question) -> Sums:
        total, rows = Total(question, len(self.groups.values)), self.found.rows
        if self.needed.counts is None:
            total.add_cells(rows.cells, self.of_rows)
            total.add_bits(rows.bits, self.of_rows)
        elif rows.keys:
            total.add_counts(rows.counts, self.needed.counts[0], self.of_rows, ~np.array(rows.joined))
        if self._loose:
            total.add_loose(self._loose)
        return total.result(self._people)

    @cached_property
    def _loose(self) -> Loose | None:
        found = self.found
        if not len(found.sessions):
            return None
        return Loose(found.sessions, found.facts, found.place, self.of_loose, len(self.groups.values))

    @cached_property
    def _people(self) -> People:
        found, people, rows = self.found, People(len(self.groups.values)), self.found.rows
        if any(rows.joined):
            joined = np.array(rows.joined)
            people.add_pages(list(compress(rows.people, rows.joined)),
                             None if self.needed.counts == (0, 0) else list(compress(rows.runs, rows.joined)),
                             self.of_rows[joined], disabled=self.needed.disabled)
        if len(found.sessions):
            people.add_facts(found.facts, self.of_loose[found.place])
        return people


class _Groups:
    """What pages have in common as far as a question tells them apart: `values` of each group, in order of number.

    `numbers`: of each key, its group.
    """

    def __init__(self, by: Sequence[Dimension], ledger: Ledger, keys: Ints) -> None:
        self.values: list[dict[Dimension, str]] = [{}]
        self.numbers = np.zeros(len(keys), np.int64)
        for column, dimensions in zip(keys.T, PARTS_OF_A_KEY, strict=True):
            if asked := [d for d in by if d in dimensions]:
                self._divide(column, asked, ledger)
        self.values = [{d: values[d] for d in by} for values in self.values]

    def _divide(self, column: Ints, by: Sequence[Dimension], ledger: Ledger) -> None:
        """Groups by one part of the keys as well, as many as occur."""
        different, row = numbered(column)
        known: dict[tuple[str, ...], int] = {}
        of_each = [known.setdefault(tuple(OF_A_PAGE[d](number, ledger) for d in by), len(known))
                   for number in different.tolist()]
        both, self.numbers = numbered(self.numbers * len(known) + np.array(of_each, np.int64)[row])
        words = list(known)
        self.values = [self.values[number // len(known)] | dict(zip(by, words[number % len(known)], strict=True))
                       for number in both.tolist()]


# of a key, the dimensions that its period, its facility and its programme have a value in
PARTS_OF_A_KEY = (tuple(TIME), OF_PLACES, OF_PROGRAMMES)
OF_A_PAGE: dict[Dimension, Callable[[int, Ledger], str]] = {
    Dimension.MONTH: lambda period, _: "{}-{:02}".format(*divmod(month_of(period), 100)),
    Dimension.QUARTER: lambda period, _: "{}-Q{}".format(*divmod(quarter_of(period), 10)),
    Dimension.YEAR: lambda period, _: str(year_of(period)),
    Dimension.FACILITY: lambda facility, _: str(facility),
    Dimension.FACILITY_KIND: lambda facility, ledger: ledger.places[facility].kind,
    Dimension.PROGRAMME: lambda programme, _: str(programme),
    Dimension.SUB_DISTRICT: lambda facility, ledger: ledger.places[facility].sub_district_code,
    Dimension.COMMUNITY: lambda facility, ledger: str(ledger.places[facility].community_id or NOT_KNOWN),
    Dimension.PROVIDER_TYPE: lambda programme, ledger: ledger.programmes[programme].provider_type,
    Dimension.VOLUNTEER: lambda programme, ledger: ledger.programmes[programme].volunteer,
}


def _is_meant(scope: Scope, number: int, place: Place) -> bool:
    return ((scope.facility_ids is None or number in scope.facility_ids)
            and scope.facility_id in (None, number)
            and scope.facility_kind in (None, place.kind)
            and scope.sub_district_code in (None, place.sub_district_code)
            and scope.community_id in (None, place.community_id))


@cache
def _parts(by: Sequence[Dimension], category: Category | None) -> tuple[Ints, Kinds]:
    """What the profiles have in common, and of each profile which of them; `category` stands for itself."""
    known: dict[tuple[str, ...], int] = {}
    parts = np.zeros(SIZE, np.int64)
    for code, profile in enumerate(all_profiles()):
        values = tuple(category.value if category and d is Dimension.CATEGORY else value_of(profile, d.value)
                       for d in by)
        parts[code] = known.setdefault(values, len(known))
    return parts, [dict(zip(by, values, strict=True)) for values in known]


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
