"""The arithmetic of the ledger: facts packed into pages, pages gathered into sheets, and all of them added up.

A page holds what happened in some sessions of one programme at one facility in one month, at most 64 of them: the
facts themselves, how often each profile was there (and in which of the sessions, one bit each), and which people. A
sheet holds the same of many pages together, without facts and bits. Every figure follows from them exactly, distinct
persons and sessions held too, however the question is put: people are told apart by their numbers, and a session is in
one page only.

Instants are minutes since 1970, days numbers like 20240501. Little-endian, whatever the machine.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from facilities.engine.ages import AGE_BANDS, band_of
from facilities.engine.beneficiaries import Category
from facilities.engine.profiles import NOT_KNOWN, Profile, Table, counts_for, table

SESSIONS_A_PAGE = 64  # one bit each
Ints = NDArray[np.int64]
Array = NDArray[Any]

SESSION = np.dtype([("id", "<i8"), ("day", "<u4"), ("starts", "<u4"), ("capacity", "<u4"), ("places", "<u4"),
                    ("times", "<u4")])
SUMS = ("times", "minutes", "unnamed", "came", "missed", "waits", "waited")
CELL = np.dtype([("profile", "<u2"), ("times", "<u4"), ("minutes", "<u4"), ("unnamed", "<u4"), ("came", "<u4"),
                 ("missed", "<u4"), ("waits", "<u4"), ("waited", "<u4"), ("held", "<u8")])
PERSON = np.dtype([("resident", "<u4"), ("profile", "<u2")])
# one row for each person, or group of people, in one session; `resident` 0: people without a name
FACT = np.dtype([("session", "<i8"), ("resident", "<u4"), ("profile", "<u2"), ("times", "<u4"), ("minutes", "<u4"),
                 ("came", "<u1"), ("missed", "<u1"), ("waits", "<u1"), ("waited", "<u4")])
ROOM = 2  # the last two of `counts` are capacity and places taken, of sessions held


@dataclass(frozen=True, slots=True)
class Page:
    """Packed rows of SESSION, FACT, CELL and PERSON.

    `counts`: sessions held for each of `groupings()`, then persons for each, then room.
    """

    sessions: bytes
    facts: bytes
    cells: bytes
    people: bytes
    counts: bytes
    days: tuple[int, int]  # the first and the last on which one of its sessions was


@dataclass(frozen=True, slots=True)
class Grouping:
    """One way to tell people apart that sessions are counted for beforehand: a dimension of theirs, and a value."""

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


def pack(sessions: Array, facts: Array) -> list[Page]:
    """Pages of rows of SESSION (of one month, place and programme) and of FACT; the same rows give the same bytes.

    Sessions in which nothing happened are left out.
    """
    sessions = np.sort(sessions[np.isin(sessions["id"], facts["session"])], order="id")
    facts = np.sort(facts, order=["session", "resident", "profile", "times", "came", "missed"])
    pages = []
    for start in range(0, len(sessions), SESSIONS_A_PAGE):
        here = sessions[start:start + SESSIONS_A_PAGE].copy()
        slot = np.searchsorted(here["id"], facts["session"])
        inside = (slot < len(here)) & (here["id"][np.minimum(slot, len(here) - 1)] == facts["session"])
        pages.append(_page(here, facts[inside], slot[inside]))
    return pages


def _page(sessions: Array, facts: Array, slot: Array) -> Page:
    profiles, cell = np.unique(facts["profile"], return_inverse=True)
    cells = np.zeros(len(profiles), CELL)
    cells["profile"] = profiles
    unnamed = np.where(facts["resident"] == 0, facts["times"], 0)
    for name in SUMS:
        cells[name] = np.bincount(cell, unnamed if name == "unnamed" else facts[name], len(profiles))
    there = facts["times"] > 0
    np.bitwise_or.at(cells["held"], cell[there], np.uint64(1) << slot[there].astype(np.uint64))
    times = np.where(counts_for(None)[facts["profile"]], facts["times"], 0)
    sessions["times"] = np.bincount(slot, times, len(sessions))
    people = _people(facts[there])
    was_held = sessions["times"] > 0
    room = [int(sessions[name][was_held].sum()) for name in ("capacity", "places")]
    counts = np.concatenate([_held(cells), _persons(people), np.array(room, np.int64)])
    return Page(sessions.tobytes(), facts.tobytes(), cells.tobytes(), people.tobytes(), counts.tobytes(),
                (int(sessions["day"].min()), int(sessions["day"].max())))


def _people(facts: Array) -> Array:
    named = facts[facts["resident"] > 0]
    return _as_people(named["resident"].astype(np.int64) << 16 | named["profile"])


def _as_people(pairs: Ints) -> Array:
    """Each pair once, in the order of residents."""
    pairs = pairs[_firsts(pairs)]
    people = np.zeros(len(pairs), PERSON)
    people["resident"], people["profile"] = pairs >> 16, pairs & 0xFFFF
    return people


def _firsts(pairs: Ints) -> Ints:
    """Sorts in place; where each value begins. numpy's `unique` takes forty times as long."""
    pairs.sort()
    return np.flatnonzero(np.diff(pairs, prepend=-1))


@cache
def _who() -> NDArray[np.bool_]:
    return np.stack([grouping.who for grouping in groupings()])


def _held(cells: Array) -> Ints:
    bits = np.bitwise_or.reduce(np.where(_who()[:, cells["profile"]], cells["held"], np.uint64(0)), axis=1)
    held: Ints = np.bitwise_count(bits).astype(np.int64)
    return held


def _persons(people: Array) -> Ints:
    """Residents with a profile of each grouping; rows are in the order of residents."""
    if not len(people):
        return np.zeros(len(groupings()), np.int64)
    starts = np.flatnonzero(np.diff(people["resident"].astype(np.int64), prepend=-1))
    persons: Ints = np.count_nonzero(np.logical_or.reduceat(_who()[:, people["profile"]], starts, axis=1), axis=1)
    return persons


def gather(pages: Sequence[Page]) -> Page:
    """A sheet of pages (or of sheets) that have no session in common."""
    cells = np.frombuffer(b"".join(page.cells for page in pages), CELL)
    profiles = np.unique(cells["profile"])
    sheet = np.zeros(len(profiles), CELL)
    sheet["profile"] = profiles
    place = np.searchsorted(profiles, cells["profile"])
    for name in SUMS:
        sheet[name] = np.bincount(place, cells[name], len(profiles))
    of_pages = np.frombuffer(b"".join(page.people for page in pages), PERSON)
    people = _as_people(of_pages["resident"].astype(np.int64) << 16 | of_pages["profile"])
    counts = np.sum([np.frombuffer(page.counts, np.int64) for page in pages], axis=0)
    counts[len(groupings()):-ROOM] = _persons(people)
    days = min(page.days[0] for page in pages), max(page.days[1] for page in pages)
    return Page(b"", b"", sheet.tobytes(), people.tobytes(), counts.tobytes(), days)


# -- added up


@dataclass(frozen=True, slots=True)
class Question:
    """`who` counts; `parts`: of each profile, below `kinds`. `grouped`: for each part the number of its grouping.

    None in it: nobody counts.

    `grouped` itself is None where people are told apart in more than one way at once: then bits are asked, not `held`.
    """

    who: Table
    parts: Ints
    kinds: int
    grouped: Sequence[int | None] | None


@dataclass(slots=True)
class Sums:
    """One entry for each group and part. `capacity` and `places`: of sessions held, whoever was there."""

    held: Ints
    persons: Ints
    room: Ints
    times: Ints
    minutes: Ints
    unnamed: Ints
    came: Ints
    missed: Ints
    waits: Ints
    waited: Ints


class Total:
    """Adds up packed rows of different kinds, each with the group (below `groups`) that it belongs to."""

    def __init__(self, question: Question, groups: int) -> None:
        self.question, self.groups = question, groups
        self.size = groups * question.kinds
        self.sums = {name: np.zeros(self.size) for name in SUMS}
        self.held = np.zeros(self.size, np.int64)
        self.persons = np.zeros(self.size, np.int64)
        self.room = np.zeros((ROOM, groups), np.int64)
        self.people: list[tuple[Ints, Ints]] = []

    def add_pages(self, cells: Sequence[bytes], counts: Sequence[bytes], group: Ints, alone: NDArray[np.bool_]) -> None:
        """`alone`: of each group, whether one page is all that it has; then its persons are counted already."""
        if not cells:
            return
        rows = np.frombuffer(b"".join(cells), CELL)
        self._add_cells(rows, np.repeat(group, [len(one) // CELL.itemsize for one in cells]), rows["unnamed"])
        numbers = np.frombuffer(b"".join(counts), np.int64).reshape(len(counts), -1)
        kinds, persons = self.question.kinds, numbers[:, len(groupings()):-ROOM]
        for part, grouping in enumerate(self.question.grouped or ()):
            if grouping is not None:
                self.held[part::kinds] += np.bincount(group, numbers[:, grouping], self.groups).astype(np.int64)
                those = alone[group]
                self.persons[group[those] * kinds + part] = persons[those, grouping]
        for number in range(ROOM):
            self.room[number] += np.bincount(group, numbers[:, number - ROOM], self.groups).astype(np.int64)

    def add_people(self, people: Sequence[bytes], group: Ints) -> None:
        """Of pages that share their group with others."""
        rows = np.frombuffer(b"".join(people), PERSON)
        self._add_people(rows, np.repeat(group, [len(one) // PERSON.itemsize for one in people]))

    def add_bits(self, cells: Sequence[bytes], group: Ints) -> None:
        """Sessions held, from the cells of pages: those of one page together, for each part."""
        rows = np.frombuffer(b"".join(cells), CELL)
        page = np.repeat(np.arange(len(cells)), [len(one) // CELL.itemsize for one in cells])
        counts = self.question.who[rows["profile"]]
        rows, page = rows[counts], page[counts]
        if not len(rows):
            return
        kinds = self.question.kinds
        key = page * kinds + self._part(rows["profile"])
        order = np.argsort(key, kind="stable")
        key, bits = key[order], rows["held"][order]
        starts = np.flatnonzero(np.diff(key, prepend=-1))
        key, together = key[starts], np.bitwise_or.reduceat(bits, starts)
        entry = group[key // kinds] * kinds + key % kinds
        self.held += np.bincount(entry, np.bitwise_count(together), self.size).astype(np.int64)

    def add_facts(self, sessions: Array, facts: Array, place: Ints, group: Ints) -> None:
        """`place`: of each fact, the row of its session; `group`: of each session.

        What is counted one by one is counted whole: sessions, people and room.
        """
        was_held = np.zeros(len(sessions), np.bool_)
        was_held[place[(facts["times"] > 0) & counts_for(None)[facts["profile"]]]] = True
        for number, name in enumerate(("capacity", "places")):
            self.room[number] += np.bincount(
                group[was_held], sessions[name][was_held], self.groups).astype(np.int64)
        counts = self.question.who[facts["profile"]]  # before anything else: often they are few
        facts, place = facts[counts], place[counts]
        of_fact, there = group[place], facts["times"] > 0
        self._add_cells(facts, of_fact, np.where(facts["resident"] == 0, facts["times"], 0))
        named = there & (facts["resident"] > 0)
        self._add_people(facts[named], of_fact[named])
        kinds = self.question.kinds
        pairs = place[there] * kinds + self._part(facts["profile"][there])
        pairs = pairs[_firsts(pairs)]
        self.held += np.bincount(group[pairs // kinds] * kinds + pairs % kinds, minlength=self.size)

    def _part(self, profiles: Array) -> Ints:
        return self.question.parts[profiles] if self.question.kinds > 1 else np.zeros(len(profiles), np.int64)

    def _add_cells(self, cells: Array, group: Ints, unnamed: Array) -> None:
        counts = self.question.who[cells["profile"]]
        entry = (group * self.question.kinds + self._part(cells["profile"]))[counts]
        for name in SUMS:
            self.sums[name] += np.bincount(entry, (unnamed if name == "unnamed" else cells[name])[counts], self.size)

    def _add_people(self, people: Array, group: Ints) -> None:
        counts = self.question.who[people["profile"]]
        entry = group * self.question.kinds + self._part(people["profile"])
        self.people.append((entry[counts], people["resident"][counts].astype(np.int64)))

    def result(self) -> Sums:
        entry = np.concatenate([entry for entry, _ in self.people]) if self.people else np.zeros(0, np.int64)
        residents = np.concatenate([some for _, some in self.people]) if self.people else np.zeros(0, np.int64)
        whole = {name: values.astype(np.int64) for name, values in self.sums.items()}
        return Sums(self.held, self.persons + _distinct(entry, residents, self.size), self.room, **whole)


def _distinct(entry: Ints, residents: Ints, size: int) -> Ints:
    """How many different residents each entry has."""
    if not len(entry):
        return np.zeros(size, np.int64)
    bits = int(residents.max()).bit_length()
    pairs = entry << bits | residents
    return np.bincount(pairs[_firsts(pairs)] >> bits, minlength=size)


def by_hour(sessions: Iterable[bytes]) -> Iterator[tuple[int, int]]:
    """(minutes since 1970 at which a session starts, person-times), of each session of some pages."""
    rows = np.frombuffer(b"".join(sessions), SESSION)
    yield from zip(rows["starts"].tolist(), rows["times"].tolist(), strict=True)


