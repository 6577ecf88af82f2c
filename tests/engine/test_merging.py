"""Which of two promises stands, where one person cannot have both."""

from datetime import UTC, datetime, timedelta
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from facilities.engine.merging import Promise, set_aside
from facilities.kernel.spans import Span

NOON = datetime(2026, 9, 16, 4, tzinfo=UTC)


def promise(number: int, session: int, start: int, end: int, *, strength: int = 2, occupies: bool = True) -> Promise:
    span = Span(NOON + timedelta(hours=start), NOON + timedelta(hours=end))
    return Promise(number, session, span, strength, occupies)


@pytest.mark.parametrize(
    ("one", "other", "gone"),
    [
        pytest.param(promise(1, 1, 0, 1), promise(2, 1, 0, 1), [2], id="the same session: the earlier stands"),
        pytest.param(promise(1, 1, 0, 1), promise(2, 1, 0, 1, strength=0), [1], id="what has happened stands"),
        pytest.param(promise(1, 1, 0, 2), promise(2, 2, 1, 3), [2], id="overlaps"),
        pytest.param(promise(1, 1, 0, 3), promise(2, 2, 1, 2), [2], id="swallows"),
        pytest.param(promise(1, 1, 0, 1), promise(2, 2, 1, 2), [], id="begins as it ends"),
        pytest.param(promise(1, 1, 0, 2), promise(2, 2, 1, 3, occupies=False, strength=4), [], id="only waits"),
        pytest.param(promise(1, 1, 0, 2, occupies=False, strength=4), promise(2, 1, 0, 2), [1], id="waits, and has it"),
    ],
)
def test_of_two_that_collide_one_stands(one: Promise, other: Promise, gone: list[int]) -> None:
    assert set_aside([one, other]) == set_aside([other, one]) == gone


some = st.builds(
    lambda number, session, start, length, strength: promise(
        number, session, start, start + length, strength=strength, occupies=strength < 4
    ),
    st.integers(1, 99),
    st.integers(1, 4),
    st.integers(0, 6),
    st.integers(1, 3),
    st.integers(0, 4),
)


@given(st.lists(some, max_size=5, unique_by=lambda p: p.id))
def test_what_stands_collides_no_more_and_the_order_of_asking_does_not_matter(promises: list[Promise]) -> None:
    gone = set_aside(promises)
    assert all(set_aside(order) == gone for order in permutations(promises))
    standing = [p for p in promises if p.id not in gone]
    assert set_aside(standing) == []
    for number in gone:  # nothing is set aside without a reason
        back = next(p for p in promises if p.id == number)
        assert set_aside([*standing, back])
