"""The pages of the ledger: what happened, packed, and gathered into sheets. `engine.tally` adds them up.

A page holds what happened in some sessions of one programme at one facility in one month, at most 64 of them: the
facts themselves, how often each profile was there, in which of the sessions (one bit each), which people, and what all
of it comes to for everybody and for each way to tell people apart. A sheet holds the same of many pages together, or of
some days of them, with the facts where they are asked for. Every figure follows from them exactly, distinct persons and
sessions held too, however the question is put: people are told apart by their numbers, and a session is in one page
only.

Instants are minutes since 1970, days numbers like 20240501. Little-endian, whatever the machine.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from facilities.engine.ages import AGE_BANDS, band_of
from facilities.engine.beneficiaries import Category
from facilities.engine.profiles import DISABILITY, NOT_KNOWN, Profile, Table, counts_for, table

SESSIONS_A_PAGE = 64  # one bit each
SMALL = 8  # up to so many numbers for each value it is faster to go through all numbers than to sort the values
Ints = NDArray[np.int64]
Array = NDArray[Any]

# `facts`: how many of a page's facts are of it
SESSION = np.dtype([("id", "<i8"), ("facility", "<u4"), ("programme", "<u4"), ("day", "<u4"), ("starts", "<u4"),
                    ("capacity", "<u4"), ("places", "<u4"), ("times", "<u4"), ("facts", "<u4")])
SUMS = ("times", "minutes", "unnamed", "came", "missed", "waits", "waited")
CELL = np.dtype([("profile", "<u2"), *((name, "<u4") for name in SUMS)])
# in which of 64 sessions a profile was; `chunk`: of which 64, where there are more
BITS = np.dtype([("profile", "<u2"), ("chunk", "<u4"), ("held", "<u8")])
# one row for each person, or group of people, in one session; `resident` 0: people without a name
FACT = np.dtype([("session", "<i8"), ("resident", "<u4"), ("profile", "<u2"), ("times", "<u4"), ("minutes", "<u4"),
                 ("came", "<u1"), ("missed", "<u1"), ("waits", "<u1"), ("waited", "<u4")])
COLUMNS = {name: FACT[name] for name in FACT.names or () if name != "session"}  # of a page's facts, one after another
FACT_SIZE = sum(column.itemsize for column in COLUMNS.values())
RESIDENT = np.dtype("<u4")
RUN = np.dtype([("profile", "<u2"), ("number", "<u4")])  # how many residents have it
# what it comes to, of each of `groupings()`; room, capacity and places taken of sessions held, of everybody only
MEASURES = ("held", "persons", *SUMS, "capacity", "places")
COUNT = np.dtype("<u4")
COUNTS_SIZE = len(MEASURES) * COUNT.itemsize  # bytes of one grouping


@dataclass(frozen=True, slots=True)
class Page:
    """Packed rows of SESSION in the order of days, COLUMNS of their facts, session by session; rows of CELL and BITS;
    people, a RESIDENT for each profile that they had; RUNs of these.

    The last four begin with the highest profile, so that those with a disability, who are few, come first.
    `counts`: a row of MEASURES for each of `groupings()`.
    """

    sessions: bytes
    facts: bytes
    cells: bytes
    bits: bytes
    people: bytes
    runs: bytes
    counts: bytes
    days: tuple[int, int]  # the first and the last on which one of its sessions was

    @property
    def disabled(self) -> tuple[int, int, int]:
        """How many of the cells, of the bits and of the people come first."""
        cells, bits = np.frombuffer(self.cells, CELL), np.frombuffer(self.bits, BITS)
        runs = np.frombuffer(self.runs, RUN)
        return (int(np.count_nonzero(cells["profile"] >= DISABILITY)),
                int(np.count_nonzero(bits["profile"] >= DISABILITY)),
                int(runs["number"][runs["profile"] >= DISABILITY].sum()))


@dataclass(frozen=True, slots=True)
class Grouping:
    """One way to tell people apart that is counted beforehand: a dimension of theirs, and a value."""

    dimension: str
    value: str
    who: Table


@cache
def groupings() -> tuple[Grouping, ...]:
    """Everybody; then each value of each dimension of people by itself. Fixed: pages are kept in this order."""
    bands = (*(band_of(start) for start in AGE_BANDS), NOT_KNOWN)
    alone: dict[str, tuple[str, ...]] = {
        "sex": ("female", "male", NOT_KNOWN), "age_band": bands,
        "disability_category": (*(str(n) for n in range(1, 8)), NOT_KNOWN),
        "disability_grade": (*(str(n) for n in range(1, 5)), NOT_KNOWN),
    }
    everybody = counts_for(None)
    found = [Grouping("", "", everybody)]
    found += [Grouping("category", category.value, counts_for(category)) for category in Category]
    for dimension, values in alone.items():
        found += [Grouping(dimension, value, everybody & table(_has(dimension, value))) for value in values]
    return tuple(found)


def value_of(profile: Profile, dimension: str) -> str:
    """What somebody is in a dimension of people, in the words of the figures' rows."""
    match dimension:
        case "category":
            return profile.category.value if profile.category else ""
        case "sex":
            return profile.sex
        case "age_band":
            return profile.age_band
        case "disability_category":
            return str(profile.disability or NOT_KNOWN)
    return str(profile.grade or NOT_KNOWN)


def _has(dimension: str, value: str) -> Callable[[Profile], bool]:
    return lambda profile: value_of(profile, dimension) == value


# -- packed


class Facts:
    """COLUMNS, of as many facts each."""

    def __init__(self, columns: Mapping[str, Array]) -> None:
        self._columns = columns

    @classmethod
    def of(cls, rows: Array) -> "Facts":
        """Of rows of FACT."""
        return cls({name: np.ascontiguousarray(rows[name]) for name in COLUMNS})

    @classmethod
    def joined(cls, some: Sequence["Facts"]) -> "Facts":
        return cls({name: np.concatenate([facts[name] for facts in some]) for name in COLUMNS})

    def __getitem__(self, name: str) -> Array:
        return self._columns[name]

    def __len__(self) -> int:
        return len(self._columns["resident"])

    def only(self, which: Array) -> "Facts":
        return Facts({name: column[which] for name, column in self._columns.items()})

    def tobytes(self) -> bytes:
        return b"".join(self._columns[name].tobytes() for name in COLUMNS)


def pack(sessions: Array, facts: Array) -> list[Page]:
    """Pages of rows of SESSION (of one month, place and programme) and of FACT; the same rows give the same bytes.

    Sessions in which nothing happened are left out.
    """
    sessions = np.sort(sessions[np.isin(sessions["id"], facts["session"])], order=["day", "id"])
    facts = np.sort(facts, order=["session", "resident", "profile", "times", "came", "missed"])
    starts, ends = (np.searchsorted(facts["session"], sessions["id"], side=side) for side in ("left", "right"))
    sessions["facts"] = ends - starts
    pages = []
    for first in range(0, len(sessions), SESSIONS_A_PAGE):
        those = slice(first, first + SESSIONS_A_PAGE)
        here, rows = sessions[those].copy(), np.concatenate(
            [np.arange(start, end) for start, end in zip(starts[those], ends[those], strict=True)])
        some = Facts.of(facts[rows])
        added = _added(here, some, np.repeat(np.arange(len(here)), here["facts"]))
        pages.append(Page(here.tobytes(), some.tobytes(), *added, (int(here["day"][0]), int(here["day"][-1]))))
    return pages


def _added(sessions: Array, facts: Facts, place: Array) -> tuple[bytes, bytes, bytes, bytes, bytes]:
    """What facts of any number of sessions come to: cells, bits, people, runs, counts.

    `place`: of each fact, the row of its session, whose person-times are set.
    """
    profiles, cell = np.unique(facts["profile"], return_inverse=True)
    profiles, cell = profiles[::-1], len(profiles) - 1 - cell
    cells = np.zeros(len(profiles), CELL)
    cells["profile"] = profiles
    unnamed = np.where(facts["resident"] == 0, facts["times"], 0)
    for name in SUMS:
        cells[name] = np.bincount(cell, unnamed if name == "unnamed" else facts[name], len(profiles))
    there = facts["times"] > 0
    times = np.where(counts_for(None)[facts["profile"]], facts["times"], 0)
    sessions["times"] = np.bincount(place, times, len(sessions))
    was_held = sessions["times"] > 0
    bits = _bits(profiles, cell[there], place[there], len(sessions))
    people = _pairs(facts.only(there & (facts["resident"] > 0)))
    counts = _counts(cells, people)
    counts[:, MEASURES.index("held")] = _held(bits)
    for name in ("capacity", "places"):
        counts[0, MEASURES.index(name)] = sessions[name][was_held].sum()
    return cells.tobytes(), bits.tobytes(), *_as_bytes(people), counts.astype(COUNT).tobytes()


def _bits(profiles: Array, cell: Array, place: Array, sessions: int) -> Array:
    held = np.zeros((len(profiles), -(-sessions // SESSIONS_A_PAGE)), np.uint64)
    np.bitwise_or.at(held, (cell, place // SESSIONS_A_PAGE),
                     np.uint64(1) << (place % SESSIONS_A_PAGE).astype(np.uint64))
    row, chunk = np.nonzero(held)
    bits = np.zeros(len(row), BITS)
    bits["profile"], bits["chunk"], bits["held"] = profiles[row], chunk, held[row, chunk]
    return bits


def _held(bits: Array) -> Ints:
    """In how many sessions somebody of each grouping was."""
    together = np.zeros((len(groupings()), int(bits["chunk"].max(initial=0)) + 1), np.uint64)
    who, row = np.nonzero(_who()[:, bits["profile"]])
    np.bitwise_or.at(together, (who, bits["chunk"][row]), bits["held"][row])
    held: Ints = np.bitwise_count(together).sum(axis=1, dtype=np.int64)
    return held


def _counts(cells: Array, people: Ints) -> Ints:
    """Of each grouping, what follows from cells and people."""
    who = _who()[:, cells["profile"]].astype(np.int64)
    counts = np.zeros((len(groupings()), len(MEASURES)), np.int64)
    counts[:, MEASURES.index("persons")] = _persons(people)
    for name in SUMS:
        counts[:, MEASURES.index(name)] = who @ cells[name].astype(np.int64)
    return counts


def _pairs(named: Facts) -> Ints:
    """Resident and profile as one number, each once, in the order of residents."""
    return once(named["resident"].astype(np.int64) << 16 | named["profile"])


def once(numbers: Array) -> Array:
    """Each number once, in order; sorts in place. numpy's `unique` takes forty times as long."""
    numbers.sort()
    is_first = np.ones(len(numbers), np.bool_)
    np.not_equal(numbers[1:], numbers[:-1], out=is_first[1:])
    return numbers[is_first]


def numbered(values: Ints) -> tuple[Ints, Ints]:
    """The different values in order, and of each value which of them it is."""
    if not len(values) or values.max() > SMALL * len(values):
        different, which = np.unique(values, return_inverse=True)
        return different, which
    occurs = np.zeros(int(values.max()) + 1, np.bool_)
    occurs[values] = True
    return np.flatnonzero(occurs), (np.cumsum(occurs) - 1)[values]


def _as_bytes(pairs: Ints) -> tuple[bytes, bytes]:
    """People, and runs of them."""
    ordered = (0xFFFF - (pairs & 0xFFFF)) << 32 | pairs >> 16
    ordered.sort()
    profiles = 0xFFFF - (ordered >> 32)
    starts = np.flatnonzero(np.diff(profiles, prepend=-1))
    runs = np.zeros(len(starts), RUN)
    runs["profile"], runs["number"] = profiles[starts], np.diff(starts, append=len(profiles))
    return (ordered & 0xFFFFFFFF).astype(RESIDENT).tobytes(), runs.tobytes()


@cache
def _who() -> NDArray[np.bool_]:
    return np.stack([grouping.who for grouping in groupings()])


def _persons(people: Ints) -> Ints:
    """Residents with a profile of each grouping."""
    if not len(people):
        return np.zeros(len(groupings()), np.int64)
    starts = np.flatnonzero(np.diff(people >> 16, prepend=-1))
    persons: Ints = np.count_nonzero(np.logical_or.reduceat(_who()[:, people & 0xFFFF], starts, axis=1), axis=1)
    return persons


# -- gathered


def gather(pages: Sequence[Page]) -> Page:
    """A sheet of pages (or of sheets) that have no session in common."""
    cells = np.frombuffer(b"".join(page.cells for page in pages), CELL)
    profiles, place = np.unique(cells["profile"], return_inverse=True)
    profiles, place = profiles[::-1], len(profiles) - 1 - place
    sheet = np.zeros(len(profiles), CELL)
    sheet["profile"] = profiles
    for name in SUMS:
        sheet[name] = np.bincount(place, cells[name], len(profiles))
    residents = np.frombuffer(b"".join(page.people for page in pages), RESIDENT).astype(np.int64)
    runs = np.frombuffer(b"".join(page.runs for page in pages), RUN)
    people = once(residents << 16 | np.repeat(runs["profile"], runs["number"]))
    counts = np.frombuffer(b"".join(page.counts for page in pages), COUNT).reshape(len(pages), -1, len(MEASURES))
    together = counts.sum(axis=0, dtype=np.int64)
    together[:, MEASURES.index("persons")] = _persons(people)
    days = min(page.days[0] for page in pages), max(page.days[1] for page in pages)
    return Page(b"", b"", sheet.tobytes(), _gathered_bits(pages), *_as_bytes(people), together.astype(COUNT).tobytes(),
                days)


def _gathered_bits(pages: Sequence[Page]) -> bytes:
    """Each page's sessions stay chunks of their own."""
    of_each, chunks = [np.frombuffer(page.bits, BITS).copy() for page in pages], 0
    for bits in of_each:
        bits["chunk"] += chunks
        chunks = int(bits["chunk"].max(initial=chunks)) + 1
    bits = np.concatenate(of_each)
    return bits[np.lexsort((bits["chunk"], 0xFFFF - bits["profile"].astype(np.int64)))].tobytes()


def divide(pages: Sequence[Page], period: Callable[[int], int], *, with_facts: bool = False) -> Mapping[int, Page]:
    """The sheets of the periods in which some pages have sessions; `period`: of a day."""
    days: dict[int, set[int]] = {}
    for day in {day for page in pages for day in np.frombuffer(page.sessions, SESSION)["day"].tolist()}:
        days.setdefault(period(day), set()).add(day)
    sheets = {}
    for number, its_days in sorted(days.items()):
        first, last = min(its_days), max(its_days)
        sessions, facts, place = opened(pages, first, last)
        added = _added(sessions, facts, place)
        packed = (sessions.tobytes(), facts.tobytes()) if with_facts else (b"", b"")
        sheets[number] = Page(*packed, *added, (first, last))
    return sheets


def of_disabled(pages: Sequence[Page]) -> tuple[bytes, bytes]:
    """Sessions and facts of some pages, as far as somebody with a disability was there, or people were counted."""
    sessions, facts, place = opened(pages, 0, 1 << 31)
    which = facts["profile"] >= DISABILITY
    sessions["facts"] = np.bincount(place[which], minlength=len(sessions))
    return sessions[sessions["facts"] > 0].tobytes(), facts.only(which).tobytes()


def opened(pages: Sequence[Page], first: int, last: int) -> tuple[Array, Facts, Ints]:
    """What some pages have from a day to another: rows of SESSION, facts, of each fact the row of its session."""
    pages = [page for page in pages if page.sessions]
    sessions = np.frombuffer(b"".join(page.sessions for page in pages), SESSION)
    sizes = np.array([len(page.sessions) // SESSION.itemsize for page in pages], np.int64)
    starts = np.cumsum(sizes) - sizes
    inside = (sessions["day"] >= first) & (sessions["day"] <= last)
    before, within = (np.add.reduceat(np.where(which, sessions["facts"], 0), starts, dtype=np.int64)
                      for which in (sessions["day"] < first, inside))
    some: dict[str, list[bytes]] = {name: [] for name in COLUMNS}
    for page, skipped, number in zip(pages, before.tolist(), within.tolist(), strict=True):
        offset, length = 0, len(page.facts) // FACT_SIZE
        for name, column in COLUMNS.items():
            start = offset + skipped * column.itemsize
            some[name].append(page.facts[start:start + number * column.itemsize])
            offset += length * column.itemsize
    facts = Facts({name: np.frombuffer(b"".join(some[name]), column) for name, column in COLUMNS.items()})
    sessions = sessions[inside]
    return sessions, facts, np.repeat(np.arange(len(sessions)), sessions["facts"])


def by_hour(sessions: Iterable[bytes]) -> Iterator[tuple[int, int]]:
    """(minutes since 1970 at which a session starts, person-times), of each session of some pages."""
    rows = np.frombuffer(b"".join(sessions), SESSION)
    yield from zip(rows["starts"].tolist(), rows["times"].tolist(), strict=True)
