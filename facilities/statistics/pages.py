"""The ledger's pages and sheets: which of them answer a question, and how they are made anew.

Pages are of one month, place and programme; sheets of a month or a year gather them. A mark says that a page is stale,
another that the sheets of a period are: then the question goes to what they are made from, down to the rows. So figures
are never behind, and keeping them costs what the rounds of a job cost.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
from sqlalchemy import ColumnElement, LargeBinary, and_, case, delete, insert, literal, or_, select, text, tuple_
from sqlalchemy.orm import InstrumentedAttribute

from facilities.engine.ages import as_number
from facilities.engine.ledger import FACT, SESSION, Array, Page, gather, pack
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
    """Pages and sheets with their keys; and sessions one by one with their facts, in the order of their numbers."""

    keys: list[Key]
    pages: list[Page]
    loose_keys: list[Key]
    loose_sessions: Array
    loose_facts: Array
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


def read(reach: Reach, needed: Needed) -> Found:
    """What happened within reach. The marks are read first: what has lost its mark afterwards has been made anew."""
    stale = _stale(reach)
    unsettled = set(db.session.scalars(select(StaleSheets.period))) | {month for month, _, _ in stale}
    unsettled |= {month // 100 for month in unsettled}
    whole, ragged = _months(reach)
    years, by_sheet, by_page = _split(whole, needed, unsettled)
    found = Found([], [], [], np.zeros(0, SESSION), np.zeros(0, FACT), [], [])
    if years or by_sheet:
        _take(found, _sheets(reach, needed, years, by_sheet), stale)
    if by_page or ragged:
        _take_pages(found, reach, by_page, ragged, stale, sessions=needed.sessions)
    if needed.bits:
        covered = [month for year in years for month in months_of(year)] + by_sheet
        found.bit_keys += [key for key in found.keys if _is_page(key)]
        found.bits += [page.cells for key, page in zip(found.keys, found.pages, strict=True) if _is_page(key)]
        if covered:
            _take_bits(found, reach, covered)
    if stale:
        _count(found, reach, stale)
    order = np.argsort(found.loose_sessions["id"], kind="stable")
    found.loose_sessions = found.loose_sessions[order]
    found.loose_keys = [found.loose_keys[n] for n in order]
    return found


def _take_bits(found: Found, reach: Reach, months: list[int]) -> None:
    """Of months that sheets answer for otherwise."""
    asked = select(*_KEY, LedgerPage.cells).where(
        LedgerPage.period.in_(months), *_is_a_page(), *reach.of(LedgerPage))
    for period, facility, programme, cells in packed_rows(db.session.connection(), asked):
        found.bit_keys.append((period, facility, programme))
        found.bits.append(cells)


_KEY = (LedgerPage.period, LedgerPage.facility_id, LedgerPage.programme_id)


def _is_page(key: Key) -> bool:
    return key[1] != ALL and key[2] != ALL and key[0] > 9999


def _is_a_page() -> list[ColumnElement[bool]]:
    return [LedgerPage.facility_id != ALL, LedgerPage.programme_id != ALL]


def _stale(reach: Reach) -> set[Key]:
    marked = StalePage
    return set(db.session.execute(
        select(marked.month, marked.facility_id, marked.programme_id).distinct()
        .where(marked.month.between(*reach.months), *reach.of(marked))).tuples())


def _months(reach: Reach) -> tuple[list[int], list[int]]:
    """The months within reach: those of which every day is, and the others."""
    whole, ragged = list[int](), list[int]()
    day = reach.first.replace(day=1)
    while day <= reach.last:
        _, after = days_of(month_of(day))
        is_whole = reach.first <= day and after - timedelta(days=1) <= reach.last
        (whole if is_whole else ragged).append(month_of(day))
        day = after
    return whole, ragged


def _split(whole: list[int], needed: Needed, unsettled: Collection[int]) -> tuple[list[int], list[int], list[int]]:
    """By which period sheets or pages answer for these months: years, months by sheets, months by pages."""
    years: list[int] = []
    if not needed.months and not needed.sessions:
        known = set(whole)
        years = [y for y in sorted({month // 100 for month in whole})
                 if y not in unsettled and known.issuperset(months_of(y))]
    rest = [month for month in whole if month // 100 not in years]
    if needed.sessions or (needed.places and needed.programmes):
        return years, [], rest
    return (years, [month for month in rest if month not in unsettled],
            [month for month in rest if month in unsettled])


def _sheets(reach: Reach, needed: Needed, years: list[int], months: list[int]) -> list[tuple[object, ...]]:
    page = LedgerPage
    of_place = _those(page.facility_id, needed.places, reach.facility_ids)
    of_programme = _those(page.programme_id, needed.programmes, reach.programme_ids)
    nothing = literal(b"", LargeBinary)
    return packed_rows(db.session.connection(), select(
        *_KEY, nothing, nothing, page.cells, page.people, page.held)
        .where(page.period.in_([*years, *months]), of_place, of_programme))


def _those(column: InstrumentedAttribute[int], needed: bool, ids: Collection[int] | None) -> ColumnElement[bool]:
    if not needed:
        return column == ALL
    return column != ALL if ids is None else column.in_(sorted(ids))


def _take(found: Found, rows: Iterable[tuple[object, ...]], stale: Collection[Key]) -> None:
    for period, facility, programme, *packed in rows:
        key: Key = (period, facility, programme)  # type: ignore[assignment]
        if key not in stale:
            found.keys.append(key)
            found.pages.append(Page(*packed))  # type: ignore[arg-type]


def _take_pages(found: Found, reach: Reach, whole: list[int], ragged: list[int], stale: Collection[Key], *,
                sessions: bool) -> None:
    """Pages of which only some sessions are within reach are opened, and their facts taken one by one."""
    page, (first, last) = LedgerPage, reach.days
    is_cut = or_(page.first_day < first, page.last_day > last)
    nothing = literal(b"", LargeBinary)
    rows = packed_rows(db.session.connection(), select(
        *_KEY, page.sessions if sessions else case((is_cut, page.sessions), else_=nothing),
        case((is_cut, page.facts), else_=nothing), page.cells, page.people, page.held)
        .where(page.period.in_([*whole, *ragged]), page.first_day <= last, page.last_day >= first, *_is_a_page(),
               *reach.of(page)))
    _take(found, [row for row in rows if not row[4]], stale)
    cut = [row for row in rows if row[4] and row[:3] not in stale]
    if cut:
        _add_loose(found, [(p, f, g) for p, f, g, *_ in cut], [row[3] for row in cut], [row[4] for row in cut], reach)


def _add_loose(found: Found, keys: Sequence[Key], sessions: Sequence[bytes], happened: Sequence[bytes],
               reach: Reach) -> None:
    rows = np.frombuffer(b"".join(sessions), SESSION)
    of_page = np.repeat(np.arange(len(keys)), [len(one) // SESSION.itemsize for one in sessions])
    inside = (rows["day"] >= reach.days[0]) & (rows["day"] <= reach.days[1])
    rows, of_page = rows[inside], of_page[inside]
    everything = np.frombuffer(b"".join(happened), FACT)
    found.loose_sessions = np.concatenate([found.loose_sessions, rows])
    found.loose_keys += [keys[n] for n in of_page.tolist()]
    found.loose_facts = np.concatenate([found.loose_facts, everything[np.isin(everything["session"], rows["id"])]])


def _count(found: Found, reach: Reach, keys: Collection[Key]) -> None:
    """From the rows themselves."""
    sessions, places, happened = facts.read(_which(reach, keys))
    of_each = list(zip((sessions["day"] // 100).tolist(), places["facility"].tolist(), places["programme"].tolist(),
                       strict=True))
    wanted = np.array([key in keys for key in of_each], np.bool_)
    wanted &= np.isin(sessions["id"], happened["session"])
    found.loose_keys += [key for key, is_wanted in zip(of_each, wanted, strict=True) if is_wanted]
    found.loose_sessions = np.concatenate([found.loose_sessions, sessions[wanted]])
    found.loose_facts = np.concatenate(
        [found.loose_facts, happened[np.isin(happened["session"], sessions["id"][wanted])]])


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
    months = [period] if period > 9999 else months_of(period)
    gathered: defaultdict[Key, list[Page]] = defaultdict(list)
    nothing = literal(b"", LargeBinary)
    rows = packed_rows(db.session.connection(), select(
        *_KEY, nothing, nothing, LedgerPage.cells, LedgerPage.people, LedgerPage.held)
        .where(LedgerPage.period.in_(months), *_is_a_page()))
    for _, facility, programme, *packed in rows:
        page = Page(*packed)
        for key in ((period, facility, ALL), (period, ALL, programme), (period, ALL, ALL),
                    *([(period, facility, programme)] if period not in months else [])):
            gathered[key].append(page)
    return {key: gather(pages) for key, pages in sorted(gathered.items())}


def _is_a_sheet(period: int) -> list[ColumnElement[bool]]:
    """Everything of a year is; of a month, what is not of one place and programme."""
    if period <= 9999:
        return []
    return [or_(LedgerPage.facility_id == ALL, LedgerPage.programme_id == ALL)]


def _take_turns() -> None:
    """One at a time makes pages; who reads them is not kept waiting. On SQLite whoever writes is alone already."""
    if db.engine.dialect.name == "postgresql":
        db.session.execute(text("LOCK TABLE ledger_pages IN SHARE ROW EXCLUSIVE MODE"))


def _keep(keys: Collection[Key], made: Mapping[Key, Sequence[Page]]) -> None:
    """What is kept of these keys is what was made."""
    for some in _some(sorted(keys)):
        db.session.execute(delete(LedgerPage).where(tuple_(*_KEY).in_(some)))
    rows = [_row(key, part, one) for key, pages in made.items() for part, one in enumerate(pages)]
    if rows:
        db.session.execute(insert(LedgerPage), rows)


def _some(keys: Sequence[Key]) -> Iterable[Sequence[Key]]:
    for start in range(0, len(keys), KEYS_AT_ONCE):
        yield keys[start:start + KEYS_AT_ONCE]


def _row(key: Key, part: int, page: Page) -> dict[str, object]:
    first, last = page.days if page.sessions else (None, None)
    return {"period": key[0], "facility_id": key[1], "programme_id": key[2], "part": part, "first_day": first,
            "last_day": last, "sessions": page.sessions, "facts": page.facts, "cells": page.cells,
            "people": page.people, "held": page.held}


# -- verified


def months() -> list[int]:
    """In which there is anything to count, or to keep no longer."""
    month = local_day(ActivitySession.starts_at) // 100
    found = set(db.session.scalars(select(month).distinct()))
    return sorted({int(number) for number in found} | set(db.session.scalars(
        select(LedgerPage.period).distinct().where(LedgerPage.period > 9999))))


def compare(month: int, *, mend: bool) -> tuple[int, list[Key]]:
    """How many pages of a month there are, and which of them do not say what their rows say; stale ones are left aside.

    With `mend`, those are made anew. Inside a unit of work.
    """
    if mend:
        _take_turns()
    kept: defaultdict[Key, list[Page]] = defaultdict(list)
    page = LedgerPage
    for period, facility, programme, *packed in packed_rows(db.session.connection(), select(
            *_KEY, page.sessions, page.facts, page.cells, page.people, page.held)
            .where(page.period == month, *_is_a_page()).order_by(*_KEY, page.part)):
        kept[(period, facility, programme)].append(Page(*packed))
    made = counted(month)
    first, after = days_of(month)
    stale = _stale(Reach(first, after - timedelta(days=1)))  # last: what changed while the rows were read is marked
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
    kept = {(p, f, g): Page(*packed) for p, f, g, *packed in packed_rows(db.session.connection(), select(
        *_KEY, LedgerPage.sessions, LedgerPage.facts, LedgerPage.cells, LedgerPage.people, LedgerPage.held)
        .where(LedgerPage.period == period, *_is_a_sheet(period)))}
    made = sheets_of(period)
    if db.session.get(StaleSheets, period) is not None:
        return 0, []
    every = sorted(kept.keys() | made.keys())
    wrong = [key for key in every if kept.get(key) != made.get(key)]
    if mend and wrong:
        _gather(period)
    return len(every), wrong


