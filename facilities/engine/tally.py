"""Figures added up from pages of the ledger: sums by counting, persons by telling residents apart."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from facilities.engine.ledger import CELL, COUNT, MEASURES, RESIDENT, SUMS, Array, Ints
from facilities.engine.profiles import Table, counts_for

ROOM = ("capacity", "places")
MARKED_AT_MOST = 64  # bytes of memory for each number; where it were more, numbers are sorted


@dataclass(frozen=True, slots=True)
class Question:
    """`who` counts; `parts`: of each profile, below `kinds`. `grouped`: for each part the number of its grouping.

    None in it: nobody counts.

    `grouped` itself is None where people are told apart in more than one way at once: then it is counted from cells.
    """

    who: Table
    parts: Ints
    kinds: int
    grouped: Sequence[int | None] | None


@dataclass(slots=True)
class Sums:
    """One entry for each group and part. `room`: of sessions held, whoever was there, of each group."""

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
        self.room = np.zeros((len(ROOM), groups), np.int64)
        self._people: list[tuple[Ints, Array]] = [(np.zeros(0, np.int64), np.zeros(0, RESIDENT))]

    def add_counts(self, counts: Sequence[bytes], first: int, group: Ints, alone: NDArray[np.bool_]) -> None:
        """What was counted beforehand, of the groupings from `first` on.

        `alone`: whether a page is all that its group has; then its persons are counted as well.
        """
        numbers = np.frombuffer(b"".join(counts), COUNT).reshape(len(counts), -1, len(MEASURES))
        kinds, grouped = self.question.kinds, self.question.grouped or ()
        for part, grouping in enumerate(grouped):
            if grouping is None:
                continue
            of_part = numbers[:, grouping - first]
            self.held[part::kinds] += self._by_group(of_part, "held", group)
            self.persons[part::kinds] += self._by_group(of_part[alone], "persons", group[alone])
            for name in SUMS:
                self.sums[name][part::kinds] += self._by_group(of_part, name, group)
        if first == 0:
            for number, name in enumerate(ROOM):
                self.room[number] += self._by_group(numbers[:, 0], name, group)

    def _by_group(self, numbers: Array, measure: str, group: Ints) -> Ints:
        return np.bincount(group, numbers[:, MEASURES.index(measure)], self.groups).astype(np.int64)

    def add_cells(self, cells: Sequence[bytes], group: Ints) -> None:
        rows = np.frombuffer(b"".join(cells), CELL)
        self._add(rows, np.repeat(group, [len(one) // CELL.itemsize for one in cells]), rows["unnamed"])

    def add_people(self, residents: Array, profiles: Array | None, group: Ints) -> None:
        """Of pages that share their group with others. Without profiles: everybody counts, and all are one kind."""
        if profiles is None:
            self._people.append((group, residents))
            return
        counts = self.question.who[profiles]
        if not counts.all():
            residents, profiles, group = residents[counts], profiles[counts], group[counts]
        self._people.append((group * self.question.kinds + self._part(profiles), residents))

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
        there = facts["times"] > 0
        was_held = np.zeros(len(sessions), np.bool_)
        was_held[place[there & counts_for(None)[facts["profile"]]]] = True
        for number, name in enumerate(ROOM):
            self.room[number] += np.bincount(
                group[was_held], sessions[name][was_held], self.groups).astype(np.int64)
        counts = self.question.who[facts["profile"]]
        if not counts.all():
            facts, place, there = facts[counts], place[counts], there[counts]
        of_fact = group[place]
        self._add(facts, of_fact, np.where(facts["resident"] == 0, facts["times"], 0))
        named = there & (facts["resident"] > 0)
        self.add_people(facts["resident"][named], facts["profile"][named], of_fact[named])
        kinds = self.question.kinds
        pairs = _different(place[there] * kinds + self._part(facts["profile"][there]), len(sessions) * kinds)
        self.held += np.bincount(group[pairs // kinds] * kinds + pairs % kinds, minlength=self.size)

    def _part(self, profiles: Array) -> Ints:
        return self.question.parts[profiles] if self.question.kinds > 1 else np.zeros(len(profiles), np.int64)

    def _add(self, rows: Array, group: Ints, unnamed: Array) -> None:
        """Sums of rows of CELL or of facts."""
        counts = self.question.who[rows["profile"]]
        if not counts.all():
            rows, group, unnamed = rows[counts], group[counts], unnamed[counts]
        entry = group * self.question.kinds + self._part(rows["profile"])
        for name in SUMS:
            numbers = unnamed if name == "unnamed" else rows[name]
            if numbers.any():
                self.sums[name] += np.bincount(entry, numbers, self.size)

    def result(self) -> Sums:
        entry, residents = (np.concatenate(some) for some in zip(*self._people, strict=True))
        persons = self.persons + _distinct(entry, residents, self.size)
        whole = {name: values.astype(np.int64) for name, values in self.sums.items()}
        return Sums(self.held, persons, self.room, **whole)


def _distinct(entry: Ints, residents: Array, size: int) -> Ints:
    """How many different residents each entry has."""
    width = int(residents.max(initial=0)) + 1
    pairs = _different(entry * width + residents, size * width)
    return np.diff(np.searchsorted(pairs, np.arange(size + 1) * width))


def _different(numbers: Ints, below: int) -> Ints:
    """Each number once, in order. Marked in a table where that is not too large, else sorted, in place."""
    if below <= MARKED_AT_MOST * len(numbers):
        marked = np.zeros(below, np.bool_)
        marked[numbers] = True
        return np.flatnonzero(marked)
    numbers.sort()
    return numbers[np.flatnonzero(np.diff(numbers, prepend=-1))]
