"""What is answered: a row of figures for each combination of words, in an order that people expect."""

from collections.abc import Iterable, Mapping, Sequence
from functools import cache, partial
from typing import NamedTuple

import numpy as np

from facilities.engine.ages import AGE_BANDS, band_of
from facilities.engine.beneficiaries import Category
from facilities.engine.ledger import Array, Ints
from facilities.engine.tally import Sums
from facilities.statistics.dimensions import OF_PEOPLE, Dimension


class Figures(NamedTuple):
    """`persons` are distinct residents: not additive over rows, never more than person-times.

    `hours`: spent by everybody together. Where going was written down, from coming to going; else the session's length.
    `fill_rate`: places taken of those on offer, in sessions that were held; None where people are told apart, for a
    place on offer is nobody's yet. `no_show_rate`: of bookings whose outcome is known, those without anybody coming.
    `waiting_hours`: how long who was on a waitlist waited for their place, on average. None: there were none.
    """

    sessions_held: int = 0
    person_times: int = 0
    persons: int = 0
    unidentified_person_times: int = 0
    hours: float = 0.0
    fill_rate: float | None = None
    no_show_rate: float | None = None
    waiting_hours: float | None = None


class Row(NamedTuple):
    of: dict[Dimension, str]
    figures: Figures = Figures()


Words = Sequence[Mapping[Dimension, str]]  # of each group, or of each part of those who count


def as_rows(by: Sequence[Dimension], groups: Words, answers: Sequence[tuple[Sums, Words]], *, divides_people: bool
            ) -> list[Row]:
    """One for each group and part that has a person-time. `answers`: sums, and the words of their parts."""
    of_people = [kinds for _, kinds in answers]
    in_order = {d: _in_order(d, of_people if d in OF_PEOPLE else [groups]) for d in by}
    ranks: dict[Dimension, list[Ints]] = {d: [] for d in by}
    every: list[Figures] = []
    for sums, kinds in answers:
        entries = np.flatnonzero(sums.times)
        group, part = np.divmod(entries, len(kinds))
        for d in by:
            rank = {word: number for number, word in enumerate(in_order[d])}
            words, which = (kinds, part) if d in OF_PEOPLE else (groups, group)
            ranks[d].append(np.array([rank[one[d]] for one in words], np.int64)[which])
        every += figures_of(sums, entries, len(kinds), divides_people=divides_people)
    if not by:
        return [Row({}, figures) for figures in every]
    columns = {d: np.concatenate(ranks[d]) for d in by}
    order = np.lexsort([columns[d] for d in reversed(by)])
    words_of = zip(*(np.array(in_order[d], object)[columns[d][order]].tolist() for d in by), strict=True)
    return [Row(dict(zip(by, words, strict=True)), every[number])
            for words, number in zip(words_of, order.tolist(), strict=True)]


def figures_of(sums: Sums, entries: Ints, kinds: int, *, divides_people: bool) -> list[Figures]:
    """Of these entries, in their order."""
    held, times, persons, unnamed, minutes, came, missed, waits, waited = (
        column[entries] for column in (sums.held, sums.times, sums.persons, sums.unnamed, sums.minutes, sums.came,
                                       sums.missed, sums.waits, sums.waited))
    room, taken = sums.room[:, entries // kinds]
    if divides_people:
        room = np.zeros_like(room)
    hours = [round(number / 60, 1) for number in minutes.tolist()]
    return list(map(Figures, held.tolist(), times.tolist(), persons.tolist(), unnamed.tolist(), hours,
                    _shares(taken, room), _shares(missed, came + missed), _shares(waited, waits, unit=60, digits=1)))


def _shares(numbers: Array, of: Array, *, unit: int = 1, digits: int = 4) -> list[float | None]:
    """None of nothing."""
    if not of.any():
        return [None] * len(of)
    return [round(number / whole / unit, digits) if whole else None
            for number, whole in zip(numbers.tolist(), of.tolist(), strict=True)]


def _in_order(dimension: Dimension, some: Iterable[Words]) -> list[str]:
    return sorted({one[dimension] for words in some for one in words}, key=partial(_rank, dimension))


_CATEGORY_ORDER = [c.value for c in Category]
_BAND_ORDER = [band_of(start) for start in AGE_BANDS]


@cache
def _rank(dimension: Dimension, value: str) -> tuple[int, str]:
    order = {Dimension.CATEGORY: _CATEGORY_ORDER, Dimension.AGE_BAND: _BAND_ORDER}.get(dimension)
    if order is not None:
        return (order.index(value) if value in order else len(order), value)
    return (int(value), "") if value.isdigit() else (0, value)
