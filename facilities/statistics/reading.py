"""Which of the ledger's pages and sheets answer a question, and what is counted from rows beside them."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property

import numpy as np

from facilities.engine.ledger import FACT, SESSION, Array, Ints
from facilities.statistics import facts
from facilities.statistics.pages import (
    ALL,
    LAST_YEAR,
    Key,
    Reach,
    ask,
    days_of,
    listed,
    month_of,
    months_of,
    sessions_of,
)


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
    """Pages and sheets, with their keys; and sessions one by one with their facts, in the order of their numbers.

    `bits`: the cells of pages, where sessions are to be counted by them.
    """

    keys: list[Key]
    cells: list[bytes]
    counts: list[bytes]
    sessions: list[bytes]
    loose_keys: list[Key]
    loose_sessions: Array
    loose_facts: Array
    loose_place: Ints  # of each fact, the row of its session
    bit_keys: list[Key]
    bits: list[bytes]


class Reading:
    """What happened within reach, for as many questions as are asked of it.

    The marks are read first: what has lost its mark afterwards has been made anew in between.
    """

    def __init__(self, reach: Reach) -> None:
        self.reach = reach
        low, high = reach.months
        marks = ask(f"SELECT month, facility_id, programme_id FROM stale_pages WHERE month BETWEEN {low} AND {high}"
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
            inside = {period for period, *days in ask(
                "SELECT period, first_day, last_day FROM ledger_pages WHERE facility_id = 0 AND programme_id = 0 "
                f"AND period IN {listed(settled)}") if reach.days[0] <= days[0] and days[1] <= reach.days[1]}
            whole, ragged = sorted({*whole, *inside}), [month for month in ragged if month not in inside]
        return whole, ragged

    def find(self, needed: Needed) -> Found:
        years, by_sheet, by_page = self._split(needed)
        found = Found([], [], [], [], [], np.zeros(0, SESSION), np.zeros(0, FACT), np.zeros(0, np.int64),
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
        sessions, places, happened = facts.read(sessions_of(self.reach, self.stale))
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
        return int(ask(f"SELECT max(period) FROM ledger_pages WHERE period > {LAST_YEAR}")[0][0] or 0)

    def _take_sheets(self, found: Found, needed: Needed, periods: Sequence[int]) -> None:
        reach = self.reach
        of_place = _those("facility_id", needed.places, reach.facility_ids)
        of_programme = _those("programme_id", needed.programmes, reach.programme_ids)
        for period, facility, programme, cells, counts in ask(
                "SELECT period, facility_id, programme_id, cells, counts FROM ledger_pages "
                f"WHERE period IN {listed(periods)} AND {of_place} AND {of_programme}"):
            _take(found, (period, facility, programme), cells, counts)

    def _take_pages(self, found: Found, needed: Needed, periods: Sequence[int]) -> None:
        """Pages of which only some sessions are within reach are opened, and their facts taken one by one."""
        first, last = self.reach.days
        is_cut = f"(first_day < {first} OR last_day > {last})"
        opened = "sessions" if needed.sessions else f"CASE WHEN {is_cut} THEN sessions END"
        cut = []
        for period, facility, programme, cells, counts, sessions, happened in ask(
                f"SELECT period, facility_id, programme_id, cells, counts, {opened}, "
                f"CASE WHEN {is_cut} THEN facts END FROM ledger_pages WHERE period IN {listed(periods)} "
                f"AND first_day <= {last} AND last_day >= {first} AND facility_id > 0 AND programme_id > 0"
                f"{_within(self.reach)}"):
            key = (period, facility, programme)
            if key in self.stale:
                continue
            if happened is None:
                _take(found, key, cells, counts, sessions or b"")
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
            for period, facility, programme, cells in ask(
                    f"SELECT period, facility_id, programme_id, cells FROM ledger_pages WHERE period IN "
                    f"{listed(covered)} AND facility_id > 0 AND programme_id > 0{_within(self.reach)}"):
                found.bit_keys.append((period, facility, programme))
                found.bits.append(cells)

    def people(self, keys: Collection[Key]) -> list[tuple[Key, bytes]]:
        """Of these pages and sheets."""
        periods = sorted({period for period, _, _ in keys})
        of_place, of_programme = (
            f"{name} IN {listed(sorted({key[place] for key in keys}))}"
            for place, name in ((1, "facility_id"), (2, "programme_id")))
        return [((period, facility, programme), people) for period, facility, programme, people in ask(
            f"SELECT period, facility_id, programme_id, people FROM ledger_pages WHERE period IN {listed(periods)} "
            f"AND {of_place} AND {of_programme}") if (period, facility, programme) in keys]


def months_of_all(months: Iterable[int]) -> list[int]:
    """Every month of the years that these are of."""
    return [month for year in sorted({month // 100 for month in months}) for month in months_of(year)]


def _within(reach: Reach) -> str:
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


def _take(found: Found, key: Key, cells: bytes, counts: bytes, sessions: bytes = b"") -> None:
    found.keys.append(key)
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
