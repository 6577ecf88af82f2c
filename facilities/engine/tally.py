"""Figures added up from pages of the ledger: sums by counting, persons by telling residents apart."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from facilities.engine.ledger import BITS, CELL, COUNT, MEASURES, RESIDENT, RUN, SUMS, Array, Facts, Ints, once
from facilities.engine.profiles import DISABILITY, Table, counts_for

ROOM = ("capacity", "places")


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

    def part_of(self, profiles: Array) -> Ints:
        return self.parts[profiles] if self.kinds > 1 else np.zeros(len(profiles), np.int64)


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


@dataclass(frozen=True, slots=True)
class _Source:
    """Residents, and of each run of them: the group, the profile, how many there are; None: one of each."""

    residents: Array
    groups: Ints
    profiles: Array
    numbers: Array | None

    def write(self, question: Question, width: int, keys: Array) -> int:
        """Of those who count, group, part and resident as one number each; how many."""
        counts, residents, numbers = question.who[self.profiles], self.residents, self.numbers
        run = (self.groups * question.kinds + question.part_of(self.profiles)) * width
        if not counts.all():
            run = run[counts]
            residents = residents[counts if numbers is None else np.repeat(counts, numbers)]
            numbers = None if numbers is None else numbers[counts]
        run = run.astype(keys.dtype)
        np.add(run if numbers is None else np.repeat(run, numbers), residents, out=keys[:len(residents)])
        return len(residents)


class People:
    """Who is to be told apart: of pages that share their group with others, and of facts."""

    def __init__(self, groups: int) -> None:
        self.groups, self.width, self._sources = groups, 1, list[_Source]()

    def add_pages(self, people: Sequence[bytes], runs: Sequence[bytes] | None, group: Ints, *,
                  disabled: bool = False) -> None:
        """Without runs: everybody counts, and all are one kind. `disabled`: of people there are only the first."""
        if runs is None:
            of_runs, lengths = np.zeros(len(people), RUN), np.ones(len(people), np.int64)
            of_runs["number"] = [len(one) // RESIDENT.itemsize for one in people]
        else:
            of_runs = np.frombuffer(b"".join(runs), RUN)
            if disabled:
                of_runs = np.where(of_runs["profile"] >= DISABILITY, of_runs, np.zeros(1, RUN))
            lengths = np.array([len(one) // RUN.itemsize for one in runs], np.int64)
        residents = np.frombuffer(b"".join(people), RESIDENT)
        self._add(_Source(residents, np.repeat(group, lengths), of_runs["profile"], of_runs["number"]))

    def add_facts(self, facts: Facts, group: Ints) -> None:
        named = (facts["times"] > 0) & (facts["resident"] > 0)
        self._add(_Source(facts["resident"][named], group[named], facts["profile"][named], None))

    def _add(self, source: _Source) -> None:
        self.width = max(self.width, int(source.residents.max(initial=0)) + 1)
        self._sources.append(source)

    def count(self, question: Question) -> Ints:
        """How many different residents each part of each group has.

        By sorting them all at once: numpy does that as fast as anything that is done to each of them.
        """
        parts = self.groups * question.kinds
        dtype = np.uint32 if parts * self.width < 1 << 32 else np.int64  # half as wide, twice as fast
        keys, number = np.empty(sum(len(source.residents) for source in self._sources), dtype), 0
        for source in self._sources:
            number += source.write(question, self.width, keys[number:])
        keys = keys[:number]
        keys.sort()
        is_first = np.zeros(number + 1, np.bool_)  # one more, for what begins where the numbers end
        is_first[:number] = True
        np.not_equal(keys[1:], keys[:-1], out=is_first[1:number])
        starts = np.searchsorted(keys, (np.arange(parts + 1) * self.width).astype(dtype))
        persons = np.add.reduceat(is_first.view(np.int8), starts[:-1], dtype=np.int64)
        return np.where(np.diff(starts) > 0, persons, 0)


class Loose:
    """Sessions one by one, and the facts of each."""

    def __init__(self, sessions: Array, facts: Facts, place: Ints, group: Ints, groups: int) -> None:
        """Rows of SESSION, and facts. `place`: of each fact, the row of its session; `group`: of each session."""
        self.profiles, self.place, self.group, self.of_fact = facts["profile"], place, group, group[place]
        self.there = facts["times"] > 0
        columns = {name: _column(facts, name) for name in SUMS}
        self.columns = {name: column for name, column in columns.items() if column.any()}
        times = np.where(counts_for(None)[self.profiles], facts["times"], 0)
        held = np.bincount(place, times, len(sessions)) > 0
        self.room = np.stack([np.bincount(group[held], sessions[name][held], groups).astype(np.int64) for name in ROOM])


def _column(facts: Facts, name: str) -> Array:
    return np.where(facts["resident"] == 0, facts["times"], 0) if name == "unnamed" else facts[name]


class Total:
    """Adds up packed rows of different kinds, each with the group (below `groups`) that it belongs to."""

    def __init__(self, question: Question, groups: int) -> None:
        self.question, self.groups = question, groups
        self.size = groups * question.kinds
        self.sums = {name: np.zeros(self.size) for name in SUMS}
        self.held = np.zeros(self.size, np.int64)
        self.persons = np.zeros(self.size, np.int64)
        self.room = np.zeros((len(ROOM), groups), np.int64)

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
        of_each = np.repeat(group, [len(one) // CELL.itemsize for one in cells])
        counts = self.question.who[rows["profile"]]
        rows, of_each = rows[counts], of_each[counts]
        entry = of_each * self.question.kinds + self.question.part_of(rows["profile"])
        for name in SUMS:
            self.sums[name] += np.bincount(entry, rows[name], self.size)

    def add_bits(self, bits: Sequence[bytes], group: Ints) -> None:
        """Sessions held, those of one page or sheet together, for each part."""
        rows = np.frombuffer(b"".join(bits), BITS)
        lengths = np.array([len(one) // BITS.itemsize for one in bits], np.int64)
        of_page = np.zeros(len(bits), np.int64)
        np.maximum.at(of_page, np.repeat(np.arange(len(bits)), lengths), rows["chunk"].astype(np.int64) + 1)
        chunk = np.repeat(np.cumsum(of_page) - of_page, lengths) + rows["chunk"]
        counts = self.question.who[rows["profile"]]
        together = np.zeros((int(of_page.sum()), self.question.kinds), np.uint64)
        parts = self.question.part_of(rows["profile"][counts])
        np.bitwise_or.at(together, (chunk[counts], parts), rows["held"][counts])
        self._add_held(np.bitwise_count(together), np.repeat(group, of_page))

    def _add_held(self, held: Array, group: Ints) -> None:
        """Of each row, whose group is given, and of each part."""
        row, part = np.nonzero(held)
        self.held += np.bincount(group[row] * self.question.kinds + part, held[row, part], self.size).astype(np.int64)

    def add_loose(self, loose: Loose) -> None:
        """All of it but people."""
        kinds, counts = self.question.kinds, self.question.who[loose.profiles]
        parts = self.question.part_of(loose.profiles)
        entry = (loose.of_fact * kinds + parts)[counts]
        for name, column in loose.columns.items():
            self.sums[name] += np.bincount(entry, column[counts], self.size)
        there = counts & loose.there
        held = once((loose.place * kinds + parts)[there])  # each session once for each part
        self.held += np.bincount(loose.group[held // kinds] * kinds + held % kinds, minlength=self.size)
        self.room += loose.room

    def result(self, people: People | None = None) -> Sums:
        persons = self.persons if people is None else self.persons + people.count(self.question)
        return Sums(self.held, persons, self.room,
                    **{name: values.astype(np.int64) for name, values in self.sums.items()})

