"""The ledger's pages and sheets: how they are made anew, and held against what they are made from.

Pages are of one month, place and programme; sheets of a dekad, a month, a quarter or a year gather them, and that of a
day has all that happened on it. A mark says that a page is stale, another that the sheets of a period are: then the
question goes to what they are made from, down to the rows. So figures are never behind, and keeping them costs what the
rounds of a job cost.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any

import numpy as np
from sqlalchemy import ColumnElement, and_, delete, insert, or_, select, text, tuple_

from facilities.engine.ages import as_number
from facilities.engine.ledger import Array, Page, divide, gather, of_disabled, pack
from facilities.engine.spans import MONTHS, Length, around, dekad_of, dekads_of, length_of, months_of
from facilities.infra.db import db
from facilities.infra.prepared import packed_rows
from facilities.infra.sql import local_day
from facilities.kernel import clock
from facilities.programmes.models import ActivitySession
from facilities.statistics import facts
from facilities.statistics.models import LedgerPage, StalePage, StaleSheets

Key = tuple[int, int, int]  # period (engine.spans), facility, programme; 0 is all of them
ALL = 0
MARKS_AT_ONCE = 2_000
KEYS_AT_ONCE = 200
SHEETS_AT_ONCE = 3  # periods: while they are gathered on SQLite nobody else writes
OF_BOTH = "facility_id > 0 AND programme_id > 0"  # of a month: its pages


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


def month_of(day: date) -> int:
    return day.year * 100 + day.month


def days_of(month: int) -> tuple[date, date]:
    """The first day of a month, and of the one after."""
    year, number = divmod(month, 100)
    return date(year, number, 1), date(year + number // MONTHS, number % MONTHS + 1, 1)


def ask(sql: str) -> list[tuple[Any, ...]]:
    """The numbers stand in it: they are ours, and there is nothing else."""
    return packed_rows(db.session.connection(), sql)


def listed(numbers: Iterable[int]) -> str:
    return f"({', '.join(str(int(number)) for number in numbers) or 'NULL'})"


def sessions_of(reach: Reach, keys: Collection[Key] | None) -> list[ColumnElement[bool]]:
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
    made = _made(month, *facts.read(sessions_of(Reach(first, after - timedelta(days=1)), keys)))
    return made if keys is None else {key: made[key] for key in sorted(made.keys() & keys)}


def _made(month: int, sessions: Array, happened: Array) -> dict[Key, list[Page]]:
    """By key, in the order of the keys. The same rows give the same pages."""
    if not len(sessions):
        return {}
    keys, group = np.unique(sessions[["facility", "programme"]], return_inverse=True)
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
    wanted = {period for month in months for period in (month, *around(month))}
    known = set(db.session.scalars(select(StaleSheets.period)))
    if new := sorted(wanted - known):
        db.session.execute(insert(StaleSheets), [{"period": period} for period in new])


def settle(limit: int = SHEETS_AT_ONCE) -> int:
    """Gather the sheets anew, of some periods whose pages have changed; months first. Inside a unit of work.

    A period with stale pages waits until they are made.
    """
    _take_turns()
    months = set(db.session.scalars(select(StalePage.month).distinct()))
    waiting = months | {period for month in months for period in around(month)}
    periods = [p for p in db.session.scalars(select(StaleSheets.period).order_by(StaleSheets.period.desc()))
               if p not in waiting][:limit]
    for period in periods:
        _gather(period)
    db.session.execute(delete(StaleSheets).where(StaleSheets.period.in_(periods)))
    return len(periods)


def _gather(period: int) -> None:
    sheets = sheets_of(period)
    db.session.execute(delete(LedgerPage).where(_are_sheets(period)))
    if sheets:
        db.session.execute(insert(LedgerPage), [_row(key, 0, sheet) for key, sheet in sheets.items()])


def sheets_of(period: int) -> dict[Key, Page]:
    """What the sheets of a period should be, from its pages: by place and programme, by either, altogether.

    Of a month, what is by both are its pages. Its dekads and its days are made with it; of a day there is one sheet,
    with all facts, and a month's sheet of all has those of residents with a disability.
    """
    is_month = length_of(period) is Length.MONTH
    of_both: defaultdict[tuple[int, int], list[Page]] = defaultdict(list)
    opened = "sessions, facts" if is_month else "NULL, NULL"
    for facility, programme, first, last, cells, bits, people, runs, counts, sessions, happened in ask(
            "SELECT facility_id, programme_id, first_day, last_day, cells, bits, people, runs, counts, "
            f"{opened} FROM ledger_pages WHERE period IN {listed(months_of(period))} AND {OF_BOTH} "
            "ORDER BY period, facility_id, programme_id, part"):
        of_both[(facility, programme)].append(
            Page(sessions or b"", happened or b"", cells, bits, people, runs, counts, (first, last)))
    if not is_month:
        return _together(period, of_both) | {(period, *both): gather(pages) for both, pages in of_both.items()}
    sheets = _together(period, of_both)
    of_dekads: defaultdict[int, dict[tuple[int, int], list[Page]]] = defaultdict(dict)
    for both, pages in of_both.items():
        for dekad, sheet in divide(pages, dekad_of).items():
            of_dekads[dekad][both] = [sheet]
            sheets[(dekad, *both)] = sheet
    for dekad, some in of_dekads.items():
        sheets |= _together(dekad, some)
    every = [page for pages in of_both.values() for page in pages]
    if every:
        sessions, happened = of_disabled(every)
        sheets[(period, ALL, ALL)] = replace(sheets[(period, ALL, ALL)], sessions=sessions, facts=happened)
    return sheets | {(day, ALL, ALL): sheet for day, sheet in divide(every, lambda day: day, with_facts=True).items()}


def _together(period: int, of_both: Mapping[tuple[int, int], Sequence[Page]]) -> dict[Key, Page]:
    """By place, by programme, altogether."""
    gathered: defaultdict[tuple[int, int], list[Page]] = defaultdict(list)
    for (facility, programme), pages in of_both.items():
        for place in ((facility, ALL), (ALL, programme), (ALL, ALL)):
            gathered[place] += pages
    return {(period, *place): gather(pages) for place, pages in gathered.items()}


def _are_sheets(period: int) -> ColumnElement[bool]:
    """All of a year or a quarter; of a month its dekads, its days, and what is not of one place and programme."""
    if length_of(period) is not Length.MONTH:
        return LedgerPage.period == period
    return or_(and_(LedgerPage.period == period, or_(LedgerPage.facility_id == ALL, LedgerPage.programme_id == ALL)),
               LedgerPage.period.in_(dekads_of(period)), LedgerPage.period.between(period * 100, period * 100 + 99))


def _take_turns() -> None:
    """One at a time makes pages; who reads them is not kept waiting. On SQLite whoever writes is alone already."""
    if db.engine.dialect.name == "postgresql":
        db.session.execute(text("LOCK TABLE ledger_pages IN SHARE ROW EXCLUSIVE MODE"))


_IS_A_PAGE = and_(LedgerPage.period.between(10 ** (Length.MONTH - 1), 10 ** Length.MONTH - 1),
                  LedgerPage.facility_id != ALL, LedgerPage.programme_id != ALL)
_KEY = tuple_(LedgerPage.period, LedgerPage.facility_id, LedgerPage.programme_id)


def _keep(keys: Collection[Key], made: Mapping[Key, Sequence[Page]]) -> None:
    """What is kept of these keys is what was made."""
    for some in _some(sorted(keys)):
        db.session.execute(delete(LedgerPage).where(_KEY.in_(some)))
    rows = [_row(key, part, one) for key, pages in made.items()
            for part, one in enumerate(pages, start=1 if len(pages) > 1 else 0)]
    if rows:
        db.session.execute(insert(LedgerPage), rows)


def _some(keys: Sequence[Key]) -> Iterable[Sequence[Key]]:
    for start in range(0, len(keys), KEYS_AT_ONCE):
        yield keys[start:start + KEYS_AT_ONCE]


def _row(key: Key, part: int, page: Page) -> dict[str, object]:
    cells, bits, people = page.disabled
    return {"period": key[0], "facility_id": key[1], "programme_id": key[2], "part": part,
            "first_day": page.days[0], "last_day": page.days[1],
            "disabled_cells": cells, "disabled_bits": bits, "disabled_people": people,
            "sessions": page.sessions, "facts": page.facts, "cells": page.cells, "bits": page.bits,
            "people": page.people, "runs": page.runs, "counts": page.counts}


def _kept(which: ColumnElement[bool]) -> dict[Key, list[Page]]:
    kept: defaultdict[Key, list[Page]] = defaultdict(list)
    p = LedgerPage
    for row in db.session.execute(
            select(p.period, p.facility_id, p.programme_id, p.first_day, p.last_day, p.sessions, p.facts, p.cells,
                   p.bits, p.people, p.runs, p.counts)
            .where(which).order_by(p.period, p.facility_id, p.programme_id, p.part)):
        kept[(row.period, row.facility_id, row.programme_id)].append(Page(
            row.sessions, row.facts, row.cells, row.bits, row.people, row.runs, row.counts,
            (row.first_day, row.last_day)))
    return dict(kept)


# -- verified


def months() -> list[int]:
    """In which there is anything to count, or to keep no longer."""
    month = local_day(ActivitySession.starts_at) // 100
    found = set(db.session.scalars(select(month).distinct()))
    return sorted({int(number) for number in found} | set(db.session.scalars(
        select(LedgerPage.period).distinct().where(_IS_A_PAGE))))


def compare(month: int, *, mend: bool) -> tuple[int, list[Key]]:
    """How many pages of a month there are, and which of them do not say what their rows say; stale ones are left aside.

    With `mend`, those are made anew. Inside a unit of work.
    """
    if mend:
        _take_turns()
    kept = _kept(and_(LedgerPage.period == month, _IS_A_PAGE))
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
    """The same of a period's sheets, held against its pages; unsettled ones are left aside."""
    if mend:
        _take_turns()
    kept = _kept(_are_sheets(period))
    made = sheets_of(period)
    if db.session.get(StaleSheets, period) is not None:
        return 0, []
    every = sorted(kept.keys() | made.keys())
    wrong = [key for key in every if kept.get(key) != ([made[key]] if key in made else None)]
    if mend and wrong:
        _gather(period)
    return len(every), wrong


