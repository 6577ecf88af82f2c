"""Figures added up from pages of the ledger: sums by counting, persons by telling residents apart."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from facilities.engine.ledger import BITS, CELL, COUNT, MEASURES, RESIDENT, RUN, SUMS, Array, Facts, Ints, once
from facilities.engine.profiles import DISABILITY, SIZE, Table, counts_for

ROOM = ("capacity", "places")
# residents are told apart by marking them in a table, a byte for each number there is; where that were much more than
# there are residents, they are sorted
MARKED_FOR_EACH, MARKED_ALWAYS = 64, 1 << 18


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


class _Source:
    """Residents in the order of their groups, and runs of them: profiles, and how many have each; None: one."""

    def __init__(self, residents: Array, profiles: Array, numbers: Array | None, sizes: Ints, lengths: Ints) -> None:
        """`sizes`: how many residents each group has, `lengths`: how many runs."""
        self.residents, self.profiles, self.numbers = residents, profiles, numbers
        self.starts, self.runs = (np.concatenate([[0], np.cumsum(n)]).tolist() for n in (sizes, lengths))

    def of(self, group: int, who: NDArray[np.bool_], offset: Ints | None) -> Array:
        """Residents who count, and what tells their parts apart on top. `who` and `offset` are of each run."""
        found = self.residents[self.starts[group]:self.starts[group + 1]]
        runs = slice(self.runs[group], self.runs[group + 1])
        if offset is not None:
            found = found + self._each(offset[runs], runs)
        return found if who[runs].all() else found[self._each(who[runs], runs)]

    def _each(self, of_runs: Array, runs: slice) -> Array:
        return of_runs if self.numbers is None else np.repeat(of_runs, self.numbers[runs])


class People:
    """Who is to be told apart: of pages that share their group with others, and of facts."""

    def __init__(self, groups: int) -> None:
        self.groups, self.width, self._sources = groups, 1, list[_Source]()

    def add_pages(self, people: Sequence[bytes], runs: Sequence[bytes] | None, group: Ints, *,
                  disabled: bool = False) -> None:
        """Without runs: everybody counts, and all are one kind. `disabled`: of people there are only the first."""
        order = np.argsort(group, kind="stable").tolist()
        sizes = np.array([len(people[n]) // RESIDENT.itemsize for n in range(len(people))], np.int64)
        if runs is None:
            of_runs, lengths = np.zeros(len(people), RUN), np.ones(len(people), np.int64)
            of_runs["number"] = sizes[order]
        else:
            of_runs = np.frombuffer(b"".join(runs[n] for n in order), RUN)
            if disabled:
                of_runs = np.where(of_runs["profile"] >= DISABILITY, of_runs, np.zeros(1, RUN))
            lengths = np.array([len(one) // RUN.itemsize for one in runs], np.int64)
        residents = np.frombuffer(b"".join(people[n] for n in order), RESIDENT)
        self._add(residents, of_runs["profile"], of_runs["number"], self._by_group(group, sizes),
                  self._by_group(group, lengths))

    def add_facts(self, facts: Facts, group: Ints) -> None:
        named = (facts["times"] > 0) & (facts["resident"] > 0)
        if not named.all():
            facts, group = facts.only(named), group[named]
        order = np.argsort(group.astype(np.uint16) if self.groups <= 1 << 16 else group, kind="stable")
        each = np.bincount(group, minlength=self.groups)
        self._add(facts["resident"][order], facts["profile"][order], None, each, each)

    def _by_group(self, group: Ints, sizes: Ints) -> Ints:
        return np.bincount(group, sizes, self.groups).astype(np.int64)

    def _add(self, residents: Array, profiles: Array, numbers: Array | None, sizes: Ints, lengths: Ints) -> None:
        self.width = max(self.width, int(residents.max(initial=0)) + 1)
        self._sources.append(_Source(residents, profiles, numbers, sizes, lengths))

    def count(self, question: Question) -> Ints:
        """How many different residents each part of each group has."""
        kinds, width = question.kinds, self.width
        persons = np.zeros((self.groups, kinds), np.int64)
        asked = [(source, question.who[source.profiles],
                  question.parts[source.profiles] * width if kinds > 1 else None) for source in self._sources]
        bounds = np.arange(kinds + 1) * width
        marked = np.zeros(0, np.bool_)
        for group in range(self.groups):
            found = [some for source, who, offset in asked if len(some := source.of(group, who, offset))]
            if not found:
                continue
            numbers = np.concatenate(found)
            if kinds * width > max(MARKED_ALWAYS, MARKED_FOR_EACH * len(numbers)):
                persons[group] = np.diff(np.searchsorted(once(numbers), bounds))
                continue
            if not len(marked):
                marked = np.zeros(kinds * width, np.bool_)
            marked[:] = False
            marked[numbers] = True
            persons[group] = [np.count_nonzero(marked[n * width:(n + 1) * width]) for n in range(kinds)]
        return persons.reshape(-1)


class Loose:
    """Sessions one by one, added up as far as groups and profiles are told apart."""

    def __init__(self, sessions: Array, facts: Facts, place: Ints, group: Ints, groups: int) -> None:
        """Rows of SESSION, and facts. `place`: of each fact, the row of its session; `group`: of each session."""
        occurs = np.zeros(SIZE, np.bool_)
        occurs[facts["profile"]] = True
        self.group, self.profiles = group, np.flatnonzero(occurs)
        number = (np.cumsum(occurs) - 1)[facts["profile"]]
        width, there = len(self.profiles), facts["times"] > 0
        entry = group[place] * width + number
        columns = {name: _column(facts, name) for name in SUMS}
        self.sums = {name: np.bincount(entry, column, groups * width).reshape(groups, width)
                     for name, column in columns.items() if column.any()}
        self.was_there = np.zeros((width, len(sessions)), np.bool_)
        self.was_there[number[there], place[there]] = True
        held = self.was_there[counts_for(None)[self.profiles]].any(axis=0)
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
        entry = of_each * self.question.kinds + self._part(rows["profile"])
        for name in SUMS:
            self.sums[name] += np.bincount(entry, rows[name], self.size)

    def add_bits(self, bits: Sequence[bytes], group: Ints) -> None:
        """Sessions held, those of one page or sheet together, for each part."""
        rows = np.frombuffer(b"".join(bits), BITS)
        page = np.repeat(np.arange(len(bits)), [len(one) // BITS.itemsize for one in bits])
        counts = self.question.who[rows["profile"]]
        rows, page = rows[counts], page[counts]
        kinds = self.question.kinds
        chunk = page * (int(rows["chunk"].max(initial=0)) + 1) + rows["chunk"]
        key = chunk * kinds + self._part(rows["profile"])
        order = np.argsort(key, kind="stable")
        starts = np.flatnonzero(np.diff(key[order], prepend=-1))
        if len(starts):
            together = np.bitwise_or.reduceat(rows["held"][order], starts)
            first = order[starts]
            entry = group[page[first]] * kinds + key[first] % kinds
            self.held += np.bincount(entry, np.bitwise_count(together), self.size).astype(np.int64)

    def add_loose(self, loose: Loose) -> None:
        """All of it but people."""
        kinds, counts = self.question.kinds, self.question.who[loose.profiles]
        parts = self._part(loose.profiles[counts])
        entry = np.arange(self.groups)[:, np.newaxis] * kinds + parts
        for name, numbers in loose.sums.items():
            self.sums[name] += np.bincount(entry.reshape(-1), numbers[:, counts].reshape(-1), self.size)
        was_there = loose.was_there[counts]
        for part in np.unique(parts).tolist():
            those = was_there[parts == part].any(axis=0)
            self.held[part::kinds] += np.bincount(loose.group[those], minlength=self.groups)
        self.room += loose.room

    def _part(self, profiles: Array) -> Ints:
        return self.question.parts[profiles] if self.question.kinds > 1 else np.zeros(len(profiles), np.int64)

    def result(self, people: People | None = None) -> Sums:
        persons = self.persons if people is None else self.persons + people.count(self.question)
        return Sums(self.held, persons, self.room,
                    **{name: values.astype(np.int64) for name, values in self.sums.items()})

