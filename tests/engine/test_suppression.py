"""No small number can be worked out from what is shown: held against an attacker who knows all of it."""

from collections import Counter
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from facilities.engine.suppression import POSSIBLE, Box, Cell, Cover, boxes_of, cover, is_small

ROOMS = [("r1", "north", "*"), ("r2", "north", "*"), ("r3", "south", "*")]
COURSES = [("yoga", "*"), ("books", "*")]
GROUPS = [("women", "*"), ("children", "*"), ("men", "*")]
CELLS = [(room, course, group) for room in ROOMS for course in COURSES for group in GROUPS]
numbers = st.one_of(st.integers(1, 7), st.integers(5, 60))
tables = st.dictionaries(st.sampled_from(CELLS), numbers, max_size=len(CELLS))


def sums(table: dict[Cell, int]) -> Counter[Box]:
    found: Counter[Box] = Counter()
    for cell, number in table.items():
        for box in boxes_of(cell):
            found[box] += number
    return found


def rank(rows: list[list[int]]) -> int:
    """By exact elimination."""
    basis: dict[int, list[Fraction]] = {}
    for row in rows:
        rest = [Fraction(n) for n in row]
        for pivot, kept in basis.items():
            if rest[pivot]:
                factor = rest[pivot]
                rest = [a - factor * b for a, b in zip(rest, kept, strict=True)]
        pivot = next((i for i, n in enumerate(rest) if n), None)
        if pivot is not None:
            rest = [n / rest[pivot] for n in rest]
            for other, kept in basis.items():
                if kept[pivot]:
                    basis[other] = [a - kept[pivot] * b for a, b in zip(kept, rest, strict=True)]
            basis[pivot] = rest
    return len(basis)


def shown(table: dict[Cell, int], found: Cover) -> dict[Box, int]:
    return {box: number for box, number in sums(table).items() if box not in found.hidden}


@settings(max_examples=150, deadline=None)
@given(tables)
def test_whoever_knows_all_that_is_shown_cannot_tell_the_decoys_from_the_truth(table: dict[Cell, int]) -> None:
    found = cover(table)
    true, seen = sums(table), shown(table, found)
    decoys = [sums(decoy) for decoy in found.decoys]
    for decoy in decoys:
        assert {box: decoy[box] for box in seen} == seen
        assert set(decoy) == set(true)
    for box, number in true.items():
        if is_small(number):
            assert box in found.hidden
            assert len({number, *(decoy[box] for decoy in decoys)}) >= POSSIBLE
            assert min(decoy[box] for decoy in decoys) > 0


@settings(max_examples=40, deadline=None)
@given(tables)
def test_no_sum_or_difference_of_shown_numbers_gives_a_small_one(table: dict[Cell, int]) -> None:
    """A small number follows from the shown ones where its cells are a combination of theirs."""
    found = cover(table)
    cells = list(table)

    def vector(box: Box) -> list[int]:
        return [int(all(label in chain for label, chain in zip(box, cell, strict=True))) for cell in cells]

    known = [vector(box) for box in shown(table, found)]
    base = rank(known)
    for box in {box for box, number in sums(table).items() if is_small(number)}:
        assert rank([*known, vector(box)]) == base + 1, box


@settings(max_examples=80, deadline=None)
@given(tables)
def test_nor_does_the_rest_of_a_shown_number_when_what_is_shown_within_is_taken_off(table: dict[Cell, int]) -> None:
    found = cover(table)
    decoys = [sums(decoy) for decoy in found.decoys]
    true, seen = sums(table), shown(table, found)
    for box, number in seen.items():
        for axis, label in enumerate(box):
            for level in range(2):
                narrower = {
                    (*box[:axis], chains[axis][level], *box[axis + 1 :])
                    for chains in table
                    if label in chains[axis] and level < chains[axis].index(label)
                }
                rest = number - sum(seen.get(other, 0) for other in narrower)
                hidden = [other for other in narrower if other in true and other not in seen]
                if is_small(rest):
                    assert len({rest, *(sum(d[o] for o in hidden) for d in decoys)}) >= POSSIBLE


@given(tables)
@settings(max_examples=40, deadline=None)
def test_the_same_table_is_covered_in_the_same_way_in_whatever_order_it_comes(table: dict[Cell, int]) -> None:
    assert cover(table) == cover(dict(reversed(table.items())))


@given(st.dictionaries(st.sampled_from(CELLS), st.one_of(st.just(0), st.integers(5, 60)), max_size=len(CELLS)))
@settings(max_examples=40, deadline=None)
def test_where_nothing_is_small_nothing_is_hidden(table: dict[Cell, int]) -> None:
    assert cover(table).hidden == set()


def test_a_small_number_alone_takes_a_partner_with_it() -> None:
    table = dict.fromkeys(CELLS, 20) | {CELLS[0]: 3}
    found = cover(table)
    assert ("*", "*", "*") not in found.hidden
    assert {box for box in found.hidden if "*" not in box} > {("r1", "yoga", "women")}
    assert 20 * len(CELLS) - 17 == shown(table, found)["*", "*", "*"]


@pytest.mark.parametrize(("number", "small"), [(0, False), (1, True), (4, True), (5, False)])
def test_from_one_to_four_is_small_and_nobody_is_not(number: int, small: bool) -> None:
    assert is_small(number) is small
