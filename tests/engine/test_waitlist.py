"""Whose turn it is: in order, parties whole, and nothing given past a party before last call."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from facilities.engine.deadlines import BookingWindow
from facilities.engine.waitlist import (
    Party,
    Promotion,
    is_last_call,
    may_promote,
    offered_until,
    promote,
)

unhurried = settings(deadline=None)  # a busy machine is no failure
MOMENT = timedelta(microseconds=1)
START = datetime(2026, 11, 28, 1, 0, tzinfo=UTC)
CLOSES = START - timedelta(days=1)
UNTIL_THE_START = BookingWindow(START)
UNTIL_THE_DAY_BEFORE = BookingWindow(START, booking_closes_at=CLOSES)


def line(*sizes: int | str) -> list[Party]:
    """A list in its order: `2` is a party of two, `"2x"` one that cannot come. Bookings are numbered in passing."""
    parties, number = [], 1
    for size in sizes:
        text = str(size)
        people = int(text.removesuffix("x"))
        parties.append(Party(tuple(range(number, number + people)), not text.endswith("x")))
        number += people
    return parties


def turns(queue: Sequence[Party], promotion: Promotion) -> list[int]:
    """Where in the line those stood who were promoted."""
    return [queue.index(party) for party in promotion.promoted]


@pytest.mark.parametrize(
    ("sizes", "free", "promoted", "kept"),
    [
        pytest.param((), 3, [], False, id="nobody waits"),
        pytest.param((1, 1), 0, [], False, id="nothing is free"),
        pytest.param((1,), 1, [0], False, id="one place for the only one"),
        pytest.param((1, 1, 1), 2, [0, 1], False, id="two places for the first two of three"),
        pytest.param((1, 1), 5, [0, 1], False, id="more places than people"),
        pytest.param(("1x", 1), 1, [1], False, id="who cannot come is passed over"),
        pytest.param((1, "1x", 1), 2, [0, 2], False, id="in the middle too"),
        pytest.param(("1x", "1x"), 2, [], False, id="nobody can come, and nothing is kept for them"),
        pytest.param((2,), 2, [0], False, id="a party that fits exactly"),
        pytest.param((3,), 2, [], True, id="a party waits for its last place"),
        pytest.param((2, 1), 1, [], True, id="a party is not overtaken"),
        pytest.param((2, 2, 1), 3, [0], True, id="nor is the second party, by the one behind it"),
        pytest.param((1, 2, 1), 2, [0], True, id="who stands before the party has the place, who stands behind waits"),
        pytest.param((1, 2), 1, [0], False, id="nothing is left that could be kept"),
        pytest.param(("2x", 1), 1, [1], False, id="for a party that cannot come nothing is kept"),
        pytest.param((4, 1), 3, [], True, id="a party as large as the session waits until it is empty"),
        pytest.param((4, 1), 4, [0], False, id="and has it whole"),
        pytest.param((5, 1), 3, [1], False, id="a party that the session could never hold is passed over"),
        pytest.param((5, 2, 1), 1, [], True, id="but the party behind it is not"),
        pytest.param((5,), 4, [], False, id="for a party that could never come nothing is kept"),
    ],
)
def test_before_last_call_the_list_is_served_in_order_and_places_are_kept_for_a_party(
    sizes: tuple[int | str, ...], free: int, promoted: list[int], kept: bool
) -> None:
    queue = line(*sizes)
    turn = promote(queue, free, capacity=4)
    assert (turns(queue, turn), turn.kept) == (promoted, kept)


@pytest.mark.parametrize(
    ("sizes", "free", "promoted"),
    [
        pytest.param((2, 1), 1, [1], id="a smaller one gets what would stay empty"),
        pytest.param((2, 1), 2, [0], id="a party that fits comes first all the same"),
        pytest.param((2, 1, 1), 1, [1], id="of the smaller ones the first"),
        pytest.param((3, 2, 1), 2, [1], id="a smaller party too"),
        pytest.param((3, 1, 2), 2, [1], id="in order: what the first leaves may be too little for the next"),
        pytest.param((3, 1, 2, 1), 2, [1, 3], id="until nothing is left"),
        pytest.param((2, "1x", 1), 1, [2], id="who cannot come is passed over"),
        pytest.param((5, 4, 1), 3, [2], id="too large for the session, too large for what is free"),
        pytest.param((2, 3), 1, [], id="nobody is small enough"),
        pytest.param((), 1, [], id="nobody waits"),
    ],
)
def test_at_last_call_smaller_ones_pass_a_party_that_does_not_fit_and_nothing_is_kept(
    sizes: tuple[int | str, ...], free: int, promoted: list[int]
) -> None:
    queue = line(*sizes)
    turn = promote(queue, free, capacity=4, last_call=True)
    assert (turns(queue, turn), turn.kept) == (promoted, False)


lines = st.lists(st.tuples(st.integers(1, 5), st.booleans()), max_size=8).map(
    lambda rows: line(*(size if able else f"{size}x" for size, able in rows))
)


@unhurried
@given(lines, st.integers(0, 6), st.integers(0, 6), st.booleans())
def test_no_more_are_promoted_than_fit_each_once_and_in_the_order_of_the_list(
    queue: list[Party], free: int, taken: int, last_call: bool
) -> None:
    turn = promote(queue, free, free + taken, last_call=last_call)
    places = turns(queue, turn)
    assert places == sorted(set(places))
    assert sum(party.size for party in turn.promoted) <= free
    assert all(party.can_come for party in turn.promoted)


@unhurried
@given(lines, st.integers(0, 6), st.integers(0, 6), st.booleans())
def test_promoting_a_second_time_promotes_nobody(queue: list[Party], free: int, taken: int, last_call: bool) -> None:
    """Whoever settles a session twice does nothing twice."""
    first = promote(queue, free, free + taken, last_call=last_call)
    left = [party for party in queue if party not in first.promoted]
    again = promote(left, free - sum(p.size for p in first.promoted), free + taken, last_call=last_call)
    assert (again.promoted, again.kept) == ((), first.kept)


@unhurried
@given(lines, st.integers(0, 6), st.integers(0, 6))
def test_a_place_stays_empty_at_last_call_only_where_nobody_fits(queue: list[Party], free: int, taken: int) -> None:
    turn = promote(queue, free, free + taken, last_call=True)
    left = free - sum(party.size for party in turn.promoted)
    assert not any(p.can_come and p.size <= left for p in queue if p not in turn.promoted)


@pytest.mark.parametrize(
    ("window", "now", "expected"),
    [
        pytest.param(UNTIL_THE_DAY_BEFORE, CLOSES - MOMENT, True, id="just before it closes"),
        pytest.param(UNTIL_THE_DAY_BEFORE, CLOSES, False, id="as it closes"),
        pytest.param(UNTIL_THE_START, START - MOMENT, True, id="no closing, just before the start"),
        pytest.param(UNTIL_THE_START, START, False, id="no closing, as it starts"),
        pytest.param(
            BookingWindow(START, booking_opens_at=CLOSES),
            CLOSES - MOMENT,
            True,
            id="not open yet: those on the list came by a manager's hand or by a draw",
        ),
    ],
)
def test_nobody_is_promoted_once_booking_has_closed(window: BookingWindow, now: datetime, expected: bool) -> None:
    assert may_promote(window, now) is expected


@pytest.mark.parametrize(
    ("window", "now", "expected"),
    [
        pytest.param(UNTIL_THE_START, START - timedelta(hours=2) - MOMENT, False, id="two hours before, not yet"),
        pytest.param(UNTIL_THE_START, START - timedelta(hours=2), True, id="two hours before"),
        pytest.param(UNTIL_THE_DAY_BEFORE, CLOSES - timedelta(hours=2) - MOMENT, False, id="before closing, not yet"),
        pytest.param(UNTIL_THE_DAY_BEFORE, CLOSES - timedelta(hours=2), True, id="two hours before closing"),
    ],
)
def test_last_call_is_two_hours_before_booking_closes(window: BookingWindow, now: datetime, expected: bool) -> None:
    assert is_last_call(window, now) is expected


@pytest.mark.parametrize(
    ("minutes", "before_closing", "kept_for"),
    [
        pytest.param(None, timedelta(days=1), timedelta(hours=2), id="two hours where nothing is said"),
        pytest.param(15, timedelta(days=1), timedelta(minutes=15), id="as long as the session says"),
        pytest.param(7 * 24 * 60, timedelta(days=1), timedelta(days=1), id="a week, cut off by the closing"),
        pytest.param(None, timedelta(minutes=30), timedelta(minutes=30), id="cut off by the closing"),
        pytest.param(60, timedelta(hours=1), timedelta(hours=1), id="ends as it closes"),
        pytest.param(60, MOMENT, MOMENT, id="a moment before it closes"),
    ],
)
def test_an_offer_never_outlives_the_booking(
    minutes: int | None, before_closing: timedelta, kept_for: timedelta
) -> None:
    now = CLOSES - before_closing
    assert offered_until(minutes, UNTIL_THE_DAY_BEFORE, now) - now == kept_for
