"""Which of the ledger's pages and sheets answer a question, and what is counted from rows beside them."""

from collections import Counter
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cached_property
from typing import Any

import numpy as np

from facilities.engine.ages import as_number
from facilities.engine.ledger import (
    BITS,
    CELL,
    COUNTS_SIZE,
    FACT,
    RESIDENT,
    SESSION,
    Array,
    Facts,
    Ints,
    Page,
    opened,
)
from facilities.engine.profiles import Table
from facilities.engine.spans import (
    Length,
    around,
    dekad_of,
    dekads_of,
    month_of,
    months_between,
    months_of,
    quarter_of,
    year_of,
)
from facilities.statistics import facts
from facilities.statistics.pages import ALL, OF_BOTH, Key, Reach, ask, days_of, listed, sessions_of

Groupings = tuple[int, int]  # the first and the last, both included
KEY, NOTHING = "period, facility_id, programme_id", "CAST(NULL AS bytea)"
FEW = 6  # places, or programmes: their pages are less than the days of everybody


@dataclass(frozen=True, slots=True)
class Needed:
    """What a question tells apart or narrows: the less, the fewer sheets answer it.

    `time`: the finest length that it tells apart, of a year, a quarter or a month. `merged`: a group of its answer
    joins several places or programmes. `counts`: the groupings that it asks; without any, people are told apart in more
    than one way, and are counted by cells and bits. `disabled`: nobody else counts. `sessions`: down to each of them,
    `facts`: and to whoever was there.
    """

    places: bool = True
    programmes: bool = True
    time: Length | None = None
    merged: bool = True
    counts: Groupings | None = None
    disabled: bool = False
    sessions: bool = False
    facts: bool = False

    @property
    def both(self) -> bool:
        return self.places and self.programmes


@dataclass(slots=True)
class Rows:
    """Of each page or sheet its key and what was asked of it.

    `joined`: it shares its group, so that people are told apart; else `counts` tells how many they are.
    """

    keys: list[Key] = field(default_factory=list)
    joined: list[bool] = field(default_factory=list)
    counts: list[bytes] = field(default_factory=list)
    cells: list[bytes] = field(default_factory=list)
    bits: list[bytes] = field(default_factory=list)
    people: list[bytes] = field(default_factory=list)
    runs: list[bytes] = field(default_factory=list)
    sessions: list[bytes] = field(default_factory=list)

    @classmethod
    def of(cls, found: Sequence[Sequence[Any]]) -> "Rows":
        """Period, facility, programme, then in the order of the fields. What is empty is nothing on SQLite."""
        if not found:
            return cls()
        period, facility, programme, joined, *packed = zip(*found, strict=True)
        return cls(list(zip(period, facility, programme, strict=True)), [bool(one) for one in joined],
                   *([one or b"" for one in column] for column in packed))


@dataclass(slots=True)
class Found:
    """What answers a question: rows, and sessions one by one.

    `place`: of each fact, the row of its session.
    """

    rows: Rows = field(default_factory=Rows)
    sessions: Array = field(default_factory=lambda: np.zeros(0, SESSION))
    facts: Facts = field(default_factory=lambda: Facts.of(np.zeros(0, FACT)))
    place: Ints = field(default_factory=lambda: np.zeros(0, np.int64))

    def add_loose(self, sessions: Array, happened: Facts, place: Ints) -> None:
        if len(self.sessions):
            place = np.concatenate([self.place, place + len(self.sessions)])
            sessions = np.concatenate([self.sessions, sessions])
            happened = Facts.joined([self.facts, happened])
        self.sessions, self.facts, self.place = sessions, happened, place

    def only(self, who: Table) -> "Found":
        """The rows as they are, and of sessions one by one those who count."""
        counts = who[self.facts["profile"]]
        if counts.all():
            return self
        place, facts = self.place[counts], self.facts.only(counts)
        there = np.zeros(len(self.sessions), np.bool_)
        there[place] = True
        return Found(self.rows, self.sessions[there], facts, (np.cumsum(there) - 1)[place])


@dataclass(frozen=True, slots=True)
class Plan:
    """Of which periods sheets answer, of which months the pages do, and which sheets of all are opened.

    Opened are days, and months where only residents with a disability count. `joined`: what has something else in its
    group, so that people have to be told apart.
    """

    sheets: list[int] = field(default_factory=list)
    pages: list[int] = field(default_factory=list)
    opened: list[int] = field(default_factory=list)
    joined: set[int] = field(default_factory=set)


class Reading:
    """What happened within reach, for as many questions as are asked of it.

    The marks are read first: what loses its mark afterwards has been made anew in between.
    """

    def __init__(self, reach: Reach) -> None:
        self.reach = reach
        low, high = reach.months
        cut = sorted({period for month in (low, high) for period in (*around(month), month, *dekads_of(month))})
        rows = ask(
            f"SELECT 0, month, facility_id, programme_id FROM stale_pages WHERE month BETWEEN {low} AND {high}"
            f"{_narrowed(reach)} UNION SELECT 1, period, 0, 0 FROM stale_sheets UNION ALL "
            f"SELECT 2, period, first_day, last_day FROM ledger_pages WHERE period IN {listed(cut)} "
            f"AND facility_id = {ALL} AND programme_id = {ALL}")
        self.stale = {(month, facility, programme) for kind, month, facility, programme in rows if kind == 0}
        self.unsettled = {period for kind, period, *_ in rows if kind == 1}
        self.unsettled |= {period for month, *_ in self.stale for period in (month, *around(month))}
        self._days = {period: (first, last) for kind, period, first, last in rows if kind == 2}

    def find(self, needed: Needed) -> Found:
        found = self._read(needed, self._plan(needed))
        if self.stale:
            found.add_loose(*self._counted)
        return found

    # -- planned

    def _plan(self, needed: Needed) -> Plan:
        months = list(months_between(*self.reach.months))
        if needed.sessions:
            return Plan(pages=months)
        plan = Plan()
        while months:
            longer = self._longer(needed, months[0])
            if longer is not None:
                plan.sheets.append(longer)
                months = [month for month in months if month > months_of(longer)[-1]]
                continue
            month = months.pop(0)
            is_whole = self._is_whole(month)
            if month in self.unsettled or (self._is_narrow and (needed.both or not is_whole)):
                plan.pages.append(month)
            elif not is_whole:
                self._cut(needed, month, plan)
            elif not needed.both:
                plan.sheets.append(month)
            else:
                (plan.opened if needed.disabled else plan.pages).append(month)
        plan.joined.update(self._joined(needed, plan))
        return plan

    def _cut(self, needed: Needed, month: int, plan: Plan) -> None:
        """What of a month is within reach: its dekads, and the days of those that are cut."""
        start, after = days_of(month)
        first, last = max(start, self.reach.first), min(after - timedelta(days=1), self.reach.last)
        for day in range(as_number(first), as_number(last) + 1):
            dekad = dekad_of(day)
            if not self._is_whole(dekad):
                (plan.opened if needed.places or needed.programmes else plan.sheets).append(day)
            elif dekad not in plan.sheets:
                plan.sheets.append(dekad)

    @cached_property
    def _is_narrow(self) -> bool:
        return any(ids is not None and len(ids) <= FEW for ids in (self.reach.facility_ids, self.reach.programme_ids))

    def _longer(self, needed: Needed, month: int) -> int | None:
        """The longest period from this month on that answers as a whole."""
        quarter, year = around(month)
        for period, length in ((year, Length.YEAR), (quarter, Length.QUARTER)):
            starts = month in (months_of(period)[0], self.reach.months[0])
            if starts and (needed.time is None or needed.time <= length) and self._is_whole(period):
                return period
        return None

    def _is_whole(self, period: int) -> bool:
        """Nothing has happened in it outside of what is asked, as in a year that ends today."""
        if period in self.unsettled:
            return False
        first, last = self.reach.days
        days = self._days.get(period)
        return days is None or (first <= days[0] and days[1] <= last)

    def _joined(self, needed: Needed, plan: Plan) -> set[int]:
        group: Callable[[int], int] = {
            None: lambda _: 0, Length.YEAR: year_of, Length.QUARTER: quarter_of, Length.MONTH: month_of}[needed.time]
        stale = {month for month, *_ in self.stale}
        many = Counter([group(period) for period in (*plan.sheets, *plan.pages, *plan.opened)])
        for month in plan.pages:
            if not needed.both or month in stale or not self._is_whole(month):
                many[group(month)] += 1
        return {period for period in (*plan.sheets, *plan.pages) if needed.merged or many[group(period)] > 1}

    # -- read

    def _read(self, needed: Needed, plan: Plan) -> Found:
        """In one statement, so that all of it is of one moment."""
        columns, parts = _columns(needed, plan), list[str]()
        if plan.sheets:
            of_place = _those("facility_id", needed.places, self.reach.facility_ids)
            of_programme = _those("programme_id", needed.programmes, self.reach.programme_ids)
            parts.append(f"SELECT {columns}, {NOTHING}, {NOTHING} FROM ledger_pages "
                         f"WHERE period IN {listed(plan.sheets)} AND {of_place} AND {of_programme}")
        if plan.pages:
            first, last = self.reach.days
            is_cut = "TRUE" if needed.facts else f"(first_day < {first} OR last_day > {last})"
            sessions = "sessions" if needed.sessions else f"CASE WHEN {is_cut} THEN sessions END"
            parts.append(f"SELECT {columns}, {sessions}, CASE WHEN {is_cut} THEN facts END "
                         f"FROM ledger_pages WHERE period IN {listed(plan.pages)} AND first_day <= {last} "
                         f"AND last_day >= {first} AND {OF_BOTH}{_narrowed(self.reach)}")
        if plan.opened:
            parts.append(f"SELECT {KEY}, FALSE, {', '.join([NOTHING] * 5)}, sessions, facts FROM ledger_pages "
                         f"WHERE period IN {listed(plan.opened)} AND facility_id = {ALL} AND programme_id = {ALL}")
        rows = ask(" UNION ALL ".join(parts)) if parts else []
        if self.stale:
            rows = [row for row in rows if row[:3] not in self.stale]
        found = Found(Rows.of([row[:-1] for row in rows if row[-1] is None]))
        if cut := [Page(row[-2], row[-1], b"", b"", b"", b"", b"", (0, 0)) for row in rows if row[-1] is not None]:
            found.add_loose(*self._within(*opened(cut, *self.reach.days)))
        return found

    def _within(self, sessions: Array, happened: Facts, place: Ints) -> tuple[Array, Facts, Ints]:
        """Sheets of all have those of every place and programme."""
        wanted = np.ones(len(sessions), np.bool_)
        for name, ids in (("facility", self.reach.facility_ids), ("programme", self.reach.programme_ids)):
            if ids is not None:
                wanted &= np.isin(sessions[name], list(ids))
        if wanted.all():
            return sessions, happened, place
        inside = wanted[place]
        return sessions[wanted], happened.only(inside), (np.cumsum(wanted) - 1)[place[inside]]

    @cached_property
    def _counted(self) -> tuple[Array, Facts, Ints]:
        """What is stale, from the rows themselves: the sessions, the facts and whose."""
        sessions, happened = facts.read(sessions_of(self.reach, self.stale))
        wanted = np.array([key in self.stale for key in map(tuple, keys_of(sessions).tolist())], np.bool_)
        wanted &= np.isin(sessions["id"], happened["session"])
        sessions = sessions[wanted]
        happened = happened[np.isin(happened["session"], sessions["id"])]
        return sessions, Facts.of(happened), np.searchsorted(sessions["id"], happened["session"])


def keys_of(sessions: Array) -> Ints:
    """Of each session its month, facility and programme."""
    return np.stack([sessions["day"] // 100, sessions["facility"], sessions["programme"]], axis=1).astype(np.int64)


def _narrowed(reach: Reach) -> str:
    found = ""
    if reach.facility_ids is not None:
        found += f" AND facility_id IN {listed(sorted(reach.facility_ids))}"
    if reach.programme_ids is not None:
        found += f" AND programme_id IN {listed(sorted(reach.programme_ids))}"
    return found


def _those(column: str, needed: bool, ids: Collection[int] | None) -> str:
    if not needed:
        return f"{column} = {ALL}"
    return f"{column} > {ALL}" if ids is None else f"{column} IN {listed(sorted(ids))}"


def _columns(needed: Needed, plan: Plan) -> str:
    """The key, whether it is joined, counts, cells, bits, people, runs; nothing in place of what is not asked."""
    cells, bits, people = (_first(name, dtype.itemsize, disabled=needed.disabled)
                           for name, dtype in (("cells", CELL), ("bits", BITS), ("people", RESIDENT)))
    if needed.sessions:
        return f"{KEY}, FALSE, {NOTHING}, {NOTHING}, bits, {NOTHING}, {NOTHING}"
    if needed.counts is None:
        return f"{KEY}, TRUE, {NOTHING}, {cells}, {bits}, {people}, runs"
    low, high = needed.counts
    counts = f"substr(counts, {low * COUNTS_SIZE + 1}, {(high - low + 1) * COUNTS_SIZE})"
    joined = "TRUE" if needed.merged else f"(part > 0 OR period IN {listed(sorted(plan.joined) or [0])})"
    runs = f"CASE WHEN {joined} THEN runs END" if high else NOTHING
    return f"{KEY}, {joined}, {counts}, {NOTHING}, {NOTHING}, CASE WHEN {joined} THEN {people} END, {runs}"


def _first(column: str, size: int, *, disabled: bool) -> str:
    """All of it, or what comes first."""
    return f"substr({column}, 1, {size} * disabled_{column})" if disabled else column
