"""The ledger's pages and sheets: which of them answer a question, and how they are made anew.

Pages are of one month, place and programme; sheets of a month or a year gather them. A mark says that a page is stale,
another that the sheets of a period are: then the question goes to what they are made from, down to the rows. So figures
are never behind, and keeping them costs what the rounds of a job cost.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cached_property
from typing import Any

import numpy as np
from sqlalchemy import ColumnElement, and_, delete, insert, or_, select, text, tuple_

from facilities.engine.ages import as_number
from facilities.engine.ledger import FACT, SESSION, Array, Ints, Page, gather, pack
from facilities.infra.db import db
from facilities.infra.prepared import packed_rows
from facilities.infra.sql import local_day
from facilities.kernel import clock
from facilities.programmes.models import ActivitySession
from facilities.statistics import facts
from facilities.statistics.models import LedgerPage, StalePage, StaleSheets

Key = tuple[int, int, int]  # period (202409, or 2024), facility, programme; 0 is all of them
ALL = 0
MARKS_AT_ONCE = 2_000
KEYS_AT_ONCE = 200
MONTHS = 12
LAST_YEAR = 9999  # periods above are months


@dataclass(frozen=True, slots=True)
class Reach:
    """Local days, both included, and the places and programmes that count; None is all of them."""

    first: date
    last: date
    facility_ids: Collection[int] | None = None
    programme_ids: Collection[int] | None = None

    @property
    def months(self) -> tuple[int, int]:
        return month_of(self.first), month_of(self.last)

    @property
    def days(self) -> tuple[int, int]:
        return as_number(self.first), as_number(self.last)

    def of(self, model: type[LedgerPage] | type[StalePage] | type[ActivitySession]) -> list[ColumnElement[bool]]:
        found: list[ColumnElement[bool]] = []
        if self.facility_ids is not None:
            found.append(model.facility_id.in_(sorted(self.facility_ids)))
        if self.programme_ids is not None:
            found.append(model.programme_id.in_(sorted(self.programme_ids)))
        return found


@dataclass(frozen=True, slots=True)
class Needed:
    """What a question tells apart or narrows: the less, the fewer sheets answer it.

    `bits`: people are told apart in more than one way, `sessions`: down to each of them.
    """

    places: bool = True
    programmes: bool = True
    months: bool = True
    bits: bool = False
    sessions: bool = False


@dataclass(slots=True)
class Found:
    """Pages and sheets, as `(key, part)`; and sessions one by one with their facts, in the order of their numbers.

    `bits`: the cells of pages, where sessions are to be counted by them.
    """

    keys: list[Key]
    parts: list[int]
    cells: list[bytes]
    counts: list[bytes]
    sessions: list[bytes]
    loose_keys: list[Key]
    loose_sessions: Array
    loose_facts: Array
    loose_place: Ints  # of each fact, the row of its session
    bit_keys: list[Key]
    bits: list[bytes]


def month_of(day: date) -> int:
    return day.year * 100 + day.month


def days_of(month: int) -> tuple[date, date]:
    """The first day of a month, and of the one after."""
    year, number = divmod(month, 100)
    return date(year, number, 1), date(year + number // MONTHS, number % MONTHS + 1, 1)


def months_of(year: int) -> list[int]:
    return [year * 100 + number for number in range(1, MONTHS + 1)]


# -- read


class Reading:
    """What happened within reach, for as many questions as are asked of it.

    The marks are read first: what has lost its mark afterwards has been made anew in between.
    """

    def __init__(self, reach: Reach) -> None:
        self.reach = reach
        low, high = reach.months
        marks = _ask(f"SELECT month, facility_id, programme_id FROM stale_pages WHERE month BETWEEN {low} AND {high}"
                     f"{_within(reach)} UNION SELECT period, 0, 0 FROM stale_sheets")
        self.stale = {(month, facility, programme) for month, facility, programme in marks if facility}
        unsettled = {period for period, _, _ in marks}
        self.unsettled = unsettled | {period // 100 for period in unsettled}
        self.whole, self.ragged = self._months()

    def _months(self) -> tuple[list[int], list[int]]:
        """The months within reach: those of which everything is, and the others."""
        reach, whole, ragged = self.reach, list[int](), list[int]()
        day = reach.first.replace(day=1)
        while day <= reach.last:
            _, after = days_of(month_of(day))
            is_whole = reach.first <= day and after - timedelta(days=1) <= reach.last
            (whole if is_whole else ragged).append(month_of(day))
            day = after
        settled = [month for month in ragged if month not in self.unsettled]
        if settled:  # nothing has happened outside of what is asked: a period that ends today, say
            inside = {period for period, *days in _ask(
                "SELECT period, first_day, last_day FROM ledger_pages WHERE facility_id = 0 AND programme_id = 0 "
                f"AND period IN {_list(settled)}") if reach.days[0] <= days[0] and days[1] <= reach.days[1]}
            whole, ragged = sorted({*whole, *inside}), [month for month in ragged if month not in inside]
        return whole, ragged

    def find(self, needed: Needed) -> Found:
        years, by_sheet, by_page = self._split(needed)
        found = Found([], [], [], [], [], [], np.zeros(0, SESSION), np.zeros(0, FACT), np.zeros(0, np.int64),
                      [], [])
        if years or by_sheet:
            self._take_sheets(found, needed, [*years, *by_sheet])
        if by_page or self.ragged:
            self._take_pages(found, needed, [*by_page, *self.ragged])
        if needed.bits:
            self._take_bits(found, [month for year in years for month in months_of(year)] + by_sheet)
        if self.stale:
            keys, sessions, happened = self._counted
            found.loose_keys += keys
            found.loose_sessions = np.concatenate([found.loose_sessions, sessions])
            found.loose_facts = np.concatenate([found.loose_facts, happened])
        order = np.argsort(found.loose_sessions["id"], kind="stable")
        found.loose_sessions = found.loose_sessions[order]
        found.loose_keys = [found.loose_keys[n] for n in order.tolist()]
        found.loose_place = np.searchsorted(found.loose_sessions["id"], found.loose_facts["session"])
        return found

    @cached_property
    def _counted(self) -> tuple[list[Key], Array, Array]:
        """What is stale, from the rows themselves: of each session its key, the sessions, the facts."""
        sessions, places, happened = facts.read(_which(self.reach, self.stale))
        of_each = list(zip((sessions["day"] // 100).tolist(), places["facility"].tolist(),
                           places["programme"].tolist(), strict=True))
        wanted = np.array([key in self.stale for key in of_each], np.bool_)
        wanted &= np.isin(sessions["id"], happened["session"])
        happened = happened[np.isin(happened["session"], sessions["id"][wanted])]
        return [key for key, is_wanted in zip(of_each, wanted, strict=True) if is_wanted], sessions[wanted], happened

    def _split(self, needed: Needed) -> tuple[list[int], list[int], list[int]]:
        """By which period sheets or pages answer for whole months: years, months by sheets, months by pages."""
        years: list[int] = []
        if not needed.months and not needed.sessions:
            known = {*self.whole, *(month for month in months_of_all(self.whole) if month > self._last)}
            years = [year for year in sorted({month // 100 for month in self.whole})
                     if year not in self.unsettled and known.issuperset(months_of(year))]
        rest = [month for month in self.whole if month // 100 not in years]
        if needed.sessions or (needed.places and needed.programmes):
            return years, [], rest
        return (years, [month for month in rest if month not in self.unsettled],
                [month for month in rest if month in self.unsettled])

    @cached_property
    def _last(self) -> int:
        """The last month in which anything is kept: a year is whole up to then."""
        return int(_ask(f"SELECT max(period) FROM ledger_pages WHERE period > {LAST_YEAR}")[0][0] or 0)

    def _take_sheets(self, found: Found, needed: Needed, periods: Sequence[int]) -> None:
        reach = self.reach
        of_place = _those("facility_id", needed.places, reach.facility_ids)
        of_programme = _those("programme_id", needed.programmes, reach.programme_ids)
        for period, facility, programme, cells, counts in _ask(
                "SELECT period, facility_id, programme_id, cells, counts FROM ledger_pages "
                f"WHERE period IN {_list(periods)} AND {of_place} AND {of_programme}"):
            _take(found, (period, facility, programme), 0, cells, counts)

    def _take_pages(self, found: Found, needed: Needed, periods: Sequence[int]) -> None:
        """Pages of which only some sessions are within reach are opened, and their facts taken one by one."""
        first, last = self.reach.days
        is_cut = f"(first_day < {first} OR last_day > {last})"
        opened = "sessions" if needed.sessions else f"CASE WHEN {is_cut} THEN sessions END"
        cut = []
        for period, facility, programme, part, cells, counts, sessions, happened in _ask(
                f"SELECT period, facility_id, programme_id, part, cells, counts, {opened}, "
                f"CASE WHEN {is_cut} THEN facts END FROM ledger_pages WHERE period IN {_list(periods)} "
                f"AND first_day <= {last} AND last_day >= {first} AND facility_id > 0 AND programme_id > 0"
                f"{_within(self.reach)}"):
            key = (period, facility, programme)
            if key in self.stale:
                continue
            if happened is None:
                _take(found, key, part, cells, counts, sessions or b"")
            else:
                cut.append((key, sessions, happened))
        if cut:
            _add_loose(found, [key for key, _, _ in cut], [one for _, one, _ in cut], [one for _, _, one in cut],
                       self.reach)

    def _take_bits(self, found: Found, covered: Sequence[int]) -> None:
        """Of pages that are in it anyway, and of months that sheets answer for otherwise."""
        for key, cells in zip(found.keys, found.cells, strict=True):
            if key[0] > LAST_YEAR and key[1] != ALL and key[2] != ALL:
                found.bit_keys.append(key)
                found.bits.append(cells)
        if covered:
            for period, facility, programme, cells in _ask(
                    f"SELECT period, facility_id, programme_id, cells FROM ledger_pages WHERE period IN "
                    f"{_list(covered)} AND facility_id > 0 AND programme_id > 0{_within(self.reach)}"):
                found.bit_keys.append((period, facility, programme))
                found.bits.append(cells)

    def people(self, keys: Collection[Key]) -> list[tuple[Key, bytes]]:
        """Of these pages and sheets."""
        periods = sorted({period for period, _, _ in keys})
        of_place, of_programme = (
            f"{name} IN {_list(sorted({key[place] for key in keys}))}"
            for place, name in ((1, "facility_id"), (2, "programme_id")))
        return [((period, facility, programme), people) for period, facility, programme, people in _ask(
            f"SELECT period, facility_id, programme_id, people FROM ledger_pages WHERE period IN {_list(periods)} "
            f"AND {of_place} AND {of_programme}") if (period, facility, programme) in keys]


def months_of_all(months: Iterable[int]) -> list[int]:
    """Every month of the years that these are of."""
    return [month for year in sorted({month // 100 for month in months}) for month in months_of(year)]


def _ask(sql: str) -> list[tuple[Any, ...]]:
    """The numbers stand in it: they are ours, and there is nothing else."""
    return packed_rows(db.session.connection(), sql)


def _list(numbers: Iterable[int]) -> str:
    return f"({', '.join(str(int(number)) for number in numbers) or 'NULL'})"


def _within(reach: Reach) -> str:
    found = ""
    if reach.facility_ids is not None:
        found += f" AND facility_id IN {_list(sorted(reach.facility_ids))}"
    if reach.programme_ids is not None:
        found += f" AND programme_id IN {_list(sorted(reach.programme_ids))}"
    return found


def _those(column: str, needed: bool, ids: Collection[int] | None) -> str:
    if not needed:
        return f"{column} = {ALL}"
    return f"{column} > {ALL}" if ids is None else f"{column} IN {_list(sorted(ids))}"


def _take(found: Found, key: Key, part: int, cells: bytes, counts: bytes, sessions: bytes = b"") -> None:
    found.keys.append(key)
    found.parts.append(part)
    found.cells.append(cells)
    found.counts.append(counts)
    found.sessions.append(sessions)


def _add_loose(found: Found, keys: Sequence[Key], sessions: Sequence[bytes], happened: Sequence[bytes],
               reach: Reach) -> None:
    rows = np.frombuffer(b"".join(sessions), SESSION)
    of_page = np.repeat(np.arange(len(keys)), [len(one) // SESSION.itemsize for one in sessions])
    inside = (rows["day"] >= reach.days[0]) & (rows["day"] <= reach.days[1])
    rows, of_page = rows[inside], of_page[inside]
    everything = np.frombuffer(b"".join(happened), FACT)
    order = np.argsort(rows["id"])
    ids = rows["id"][order]
    place = np.minimum(np.searchsorted(ids, everything["session"]), max(len(ids) - 1, 0))
    kept = everything[ids[place] == everything["session"]] if len(ids) else everything[:0]
    found.loose_sessions = np.concatenate([found.loose_sessions, rows])
    found.loose_keys += [keys[n] for n in of_page.tolist()]
    found.loose_facts = np.concatenate([found.loose_facts, kept])


def _which(reach: Reach, keys: Collection[Key] | None) -> list[ColumnElement[bool]]:
    """The sessions within reach; where these keys are few, theirs and hardly any others."""
    start, end = clock.day_span(reach.first, reach.last)
    which = [ActivitySession.starts_at >= start, ActivitySession.starts_at < end, *reach.of(ActivitySession)]
    if keys is not None and len(keys) <= KEYS_AT_ONCE:
        pairs = sorted({(facility, programme) for _, facility, programme in keys})
        which.append(tuple_(ActivitySession.facility_id, ActivitySession.programme_id).in_(pairs))
        which.append(or_(*(_in_month(month) for month in sorted({month for month, _, _ in keys}))))
    return which


def _in_month(month: int) -> ColumnElement[bool]:
    start, end = clock.day_span(days_of(month)[0], days_of(month)[1] - timedelta(days=1))
    return and_(ActivitySession.starts_at >= start, ActivitySession.starts_at < end)


# -- made anew


def counted(month: int, keys: Collection[Key] | None = None) -> dict[Key, list[Page]]:
    """The pages of a month, made from the rows; of these keys only, where some are given."""
    first, after = days_of(month)
    sessions, places, happened = facts.read(_which(Reach(first, after - timedelta(days=1)), keys))
    made = _made(month, sessions, places, happened)
    return made if keys is None else {key: made[key] for key in sorted(made.keys() & keys)}


def _made(month: int, sessions: Array, places: Array, happened: Array) -> dict[Key, list[Page]]:
    """By key, in the order of the keys. The same rows give the same pages."""
    if not len(sessions):
        return {}
    keys, group = np.unique(np.stack([places["facility"], places["programme"]], axis=1), axis=0, return_inverse=True)
    group = group.reshape(-1)
    row = np.minimum(np.searchsorted(sessions["id"], happened["session"]), len(sessions) - 1)
    inside = sessions["id"][row] == happened["session"]  # a session that was announced between two queries is marked
    happened, of_fact = happened[inside], group[row[inside]]
    by_session, by_fact = np.argsort(group, kind="stable"), np.argsort(of_fact, kind="stable")
    cuts = np.arange(1, len(keys))
    some_sessions = np.split(sessions[by_session], np.searchsorted(group[by_session], cuts))
    some_facts = np.split(happened[by_fact], np.searchsorted(of_fact[by_fact], cuts))
    made = {}
    for (facility, programme), rows, their_facts in zip(keys.tolist(), some_sessions, some_facts, strict=True):
        if pages := pack(rows, their_facts):
            made[(month, facility, programme)] = pages
    return made


def refresh() -> int:
    """Make the pages that are marked anew, some marks at a time; how many pages. Inside a unit of work.

    What changes meanwhile is marked again by who changes it, so a mark goes only if it was read before the rows were.
    """
    _take_turns()
    marks = db.session.execute(
        select(StalePage.id, StalePage.month, StalePage.facility_id, StalePage.programme_id)
        .order_by(StalePage.id).limit(MARKS_AT_ONCE)).all()
    by_month: defaultdict[int, set[Key]] = defaultdict(set)
    for _, month, facility, programme in marks:
        by_month[month].add((month, facility, programme))
    for month, some in sorted(by_month.items()):
        _keep(some, counted(month, some))
    _unsettle(by_month)
    db.session.execute(delete(StalePage).where(StalePage.id.in_([mark.id for mark in marks])))
    return sum(len(some) for some in by_month.values())


def _unsettle(months: Iterable[int]) -> None:
    wanted = {period for month in months for period in (month, month // 100)}
    known = set(db.session.scalars(select(StaleSheets.period)))
    if new := sorted(wanted - known):
        db.session.execute(insert(StaleSheets), [{"period": period} for period in new])


def settle(limit: int = MONTHS) -> int:
    """Gather the sheets anew, of some periods whose pages have changed; months first. Inside a unit of work.

    A period with stale pages waits until they are made.
    """
    _take_turns()
    months = set(db.session.scalars(select(StalePage.month).distinct()))
    waiting = months | {month // 100 for month in months}
    periods = [p for p in db.session.scalars(select(StaleSheets.period).order_by(StaleSheets.period.desc()))
               if p not in waiting][:limit]
    for period in periods:
        _gather(period)
    db.session.execute(delete(StaleSheets).where(StaleSheets.period.in_(periods)))
    return len(periods)


def _gather(period: int) -> None:
    sheets = sheets_of(period)
    db.session.execute(delete(LedgerPage).where(LedgerPage.period == period, *_is_a_sheet(period)))
    if sheets:
        db.session.execute(insert(LedgerPage), [_row(key, 0, sheet) for key, sheet in sheets.items()])


def sheets_of(period: int) -> dict[Key, Page]:
    """What the sheets of a month or a year should be, from its pages."""
    months = [period] if period > LAST_YEAR else months_of(period)
    gathered: defaultdict[Key, list[Page]] = defaultdict(list)
    for _, facility, programme, first, last, cells, people, counts in _ask(
            "SELECT period, facility_id, programme_id, first_day, last_day, cells, people, counts FROM ledger_pages "
            f"WHERE period IN {_list(months)} AND facility_id > 0 AND programme_id > 0"):
        page = Page(b"", b"", cells, people, counts, (first, last))
        for key in ((period, facility, ALL), (period, ALL, programme), (period, ALL, ALL),
                    *([(period, facility, programme)] if period not in months else [])):
            gathered[key].append(page)
    return {key: gather(pages) for key, pages in sorted(gathered.items())}


def _is_a_sheet(period: int) -> list[ColumnElement[bool]]:
    """Everything of a year is; of a month, what is not of one place and programme."""
    if period <= LAST_YEAR:
        return []
    return [or_(LedgerPage.facility_id == ALL, LedgerPage.programme_id == ALL)]


def _take_turns() -> None:
    """One at a time makes pages; who reads them is not kept waiting. On SQLite whoever writes is alone already."""
    if db.engine.dialect.name == "postgresql":
        db.session.execute(text("LOCK TABLE ledger_pages IN SHARE ROW EXCLUSIVE MODE"))


_KEY = tuple_(LedgerPage.period, LedgerPage.facility_id, LedgerPage.programme_id)


def _keep(keys: Collection[Key], made: Mapping[Key, Sequence[Page]]) -> None:
    """What is kept of these keys is what was made."""
    for some in _some(sorted(keys)):
        db.session.execute(delete(LedgerPage).where(_KEY.in_(some)))
    rows = [_row(key, part, one) for key, pages in made.items() for part, one in enumerate(pages)]
    if rows:
        db.session.execute(insert(LedgerPage), rows)


def _some(keys: Sequence[Key]) -> Iterable[Sequence[Key]]:
    for start in range(0, len(keys), KEYS_AT_ONCE):
        yield keys[start:start + KEYS_AT_ONCE]


def _row(key: Key, part: int, page: Page) -> dict[str, object]:
    return {"period": key[0], "facility_id": key[1], "programme_id": key[2], "part": part, "first_day": page.days[0],
            "last_day": page.days[1], "sessions": page.sessions, "facts": page.facts, "cells": page.cells,
            "people": page.people, "counts": page.counts}


_PACKED = "SELECT period, facility_id, programme_id, sessions, facts, cells, people, counts, first_day, last_day"


def _kept(where: str) -> dict[Key, list[Page]]:
    kept: defaultdict[Key, list[Page]] = defaultdict(list)
    for period, facility, programme, sessions, happened, cells, people, counts, first, last in _ask(
            f"{_PACKED} FROM ledger_pages WHERE {where} ORDER BY period, facility_id, programme_id, part"):
        kept[(period, facility, programme)].append(Page(sessions, happened, cells, people, counts, (first, last)))
    return dict(kept)


# -- verified


def months() -> list[int]:
    """In which there is anything to count, or to keep no longer."""
    month = local_day(ActivitySession.starts_at) // 100
    found = set(db.session.scalars(select(month).distinct()))
    return sorted({int(number) for number in found} | set(db.session.scalars(
        select(LedgerPage.period).distinct().where(LedgerPage.period > LAST_YEAR))))


def compare(month: int, *, mend: bool) -> tuple[int, list[Key]]:
    """How many pages of a month there are, and which of them do not say what their rows say; stale ones are left aside.

    With `mend`, those are made anew. Inside a unit of work.
    """
    if mend:
        _take_turns()
    kept = _kept(f"period = {month} AND facility_id > 0 AND programme_id > 0")
    made = counted(month)
    stale = set(db.session.execute(select(  # last: what changed while the rows were read is marked by now
        StalePage.month, StalePage.facility_id, StalePage.programme_id).where(StalePage.month == month)).tuples())
    every = sorted(kept.keys() | made.keys())
    wrong = [key for key in every if key not in stale and kept.get(key) != made.get(key)]
    if mend and wrong:
        _keep(wrong, {key: made[key] for key in wrong if key in made})
        _unsettle([month])
    return len(every), wrong


def compare_sheets(period: int, *, mend: bool) -> tuple[int, list[Key]]:
    """The same of the sheets of a month or a year, held against its pages; unsettled ones are left aside."""
    if mend:
        _take_turns()
    kept = _kept(f"period = {period} AND ({'TRUE' if period <= LAST_YEAR else 'facility_id = 0 OR programme_id = 0'})")
    made = sheets_of(period)
    if db.session.get(StaleSheets, period) is not None:
        return 0, []
    every = sorted(kept.keys() | made.keys())
    wrong = [key for key in every if kept.get(key) != ([made[key]] if key in made else None)]
    if mend and wrong:
        _gather(period)
    return len(every), wrong


