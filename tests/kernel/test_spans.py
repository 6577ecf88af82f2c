from datetime import UTC, datetime, timedelta, timezone
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from facilities.kernel.spans import Span

unhurried = settings(deadline=None)  # a busy machine is no failure
EIGHT = datetime(2026, 9, 18, 8, 0, tzinfo=UTC)


def at(hour: float) -> datetime:
    """Hours of 18 September; 24 and more are of the day after."""
    return EIGHT + timedelta(hours=hour - 8)


def span(start: float, end: float) -> Span:
    return Span(at(start), at(end))


THIRTEEN = [  # every way in which two spans can lie, the other against 9 to 12, by Allen's names (1983)
    pytest.param(span(6, 8), False, id="before"),
    pytest.param(span(6, 9), False, id="meets: touches start"),
    pytest.param(span(8, 10), True, id="overlaps: overlaps start"),
    pytest.param(span(8, 12), True, id="finished by: begins before, ends together"),
    pytest.param(span(8, 13), True, id="contains: swallows"),
    pytest.param(span(9, 10), True, id="starts: begins together, ends before"),
    pytest.param(span(9, 12), True, id="equals: the same"),
    pytest.param(span(9, 13), True, id="started by: begins together, ends after"),
    pytest.param(span(10, 11), True, id="during: within"),
    pytest.param(span(10, 12), True, id="finishes: begins after, ends together"),
    pytest.param(span(10, 13), True, id="overlapped by: overlaps end"),
    pytest.param(span(12, 13), False, id="met by: touches end"),
    pytest.param(span(13, 14), False, id="after"),
]


@pytest.mark.parametrize(("other", "overlaps"), THIRTEEN)
def test_two_spans_overlap_where_they_share_time(other: Span, overlaps: bool) -> None:
    assert span(9, 12).overlaps(other) is overlaps
    assert other.overlaps(span(9, 12)) is overlaps


@pytest.mark.parametrize(
    ("other", "overlaps"),
    [
        pytest.param(span(24, 26), False, id="begins at midnight as it ends"),
        pytest.param(span(23, 25), True, id="crosses midnight"),
        pytest.param(span(23.999, 26), True, id="begins just before midnight"),
    ],
)
def test_midnight_is_a_moment_like_any_other(other: Span, overlaps: bool) -> None:
    assert span(22, 24).overlaps(other) is overlaps
    assert other.overlaps(span(22, 24)) is overlaps


def test_an_overlap_of_a_microsecond_is_one() -> None:
    late = Span(at(12) - timedelta(microseconds=1), at(13))
    assert span(9, 12).overlaps(late)


def test_offsets_do_not_matter_only_instants_do() -> None:
    shanghai = timezone(timedelta(hours=8))
    same = Span(at(9).astimezone(shanghai), at(12).astimezone(shanghai))
    assert same == span(9, 12)
    assert same.overlaps(span(11, 13))
    assert not same.overlaps(span(12, 13))


minutes = st.tuples(st.integers(0, 40), st.integers(0, 40)).filter(lambda pair: pair[0] != pair[1]).map(sorted)


@unhurried
@given(minutes, minutes)
def test_spans_overlap_exactly_where_they_have_a_minute_in_common(one: list[int], other: list[int]) -> None:
    shared = set(range(*one)) & set(range(*other))
    first, second = (Span(*(EIGHT + timedelta(minutes=m) for m in pair)) for pair in (one, other))
    assert first.overlaps(second) is bool(shared)
    assert second.overlaps(first) is bool(shared)
    assert first.overlaps(first)


moments = st.datetimes(timezones=st.just(UTC))
any_spans = st.tuples(moments, moments).filter(lambda pair: pair[0] != pair[1]).map(lambda pair: Span(*sorted(pair)))


@unhurried
@given(any_spans, any_spans)
def test_spans_overlap_exactly_where_an_instant_is_in_both(one: Span, other: Span) -> None:
    """If any is, the later start is."""
    later_start = max(one.starts_at, other.starts_at)
    assert one.overlaps(other) is (later_start in one and later_start in other)
    assert other.overlaps(one) is one.overlaps(other)


@unhurried
@given(minutes, st.integers(-2, 42))
def test_a_span_holds_its_minutes_and_no_others(pair: list[int], minute: int) -> None:
    held = Span(*(EIGHT + timedelta(minutes=m) for m in pair))
    assert (EIGHT + timedelta(minutes=minute) in held) is (minute in range(*pair))


@unhurried
@given(st.lists(st.integers(0, 1000), min_size=3, max_size=10, unique=True).map(sorted))
def test_spans_that_follow_each_other_never_overlap_and_leave_no_instant_out(cuts: list[int]) -> None:
    moments = [EIGHT + timedelta(minutes=m) for m in cuts]
    chain = [Span(start, end) for start, end in pairwise(moments)]
    assert not any(a.overlaps(b) for a in chain for b in chain if a is not b)
    assert [sum(moment in link for link in chain) for moment in moments] == [1] * len(chain) + [0]


@pytest.mark.parametrize(
    ("instant", "inside"),
    [
        pytest.param(at(9) - timedelta(microseconds=1), False, id="just before"),
        pytest.param(at(9), True, id="as it begins"),
        pytest.param(at(12) - timedelta(microseconds=1), True, id="just before the end"),
        pytest.param(at(12), False, id="as it ends"),
    ],
)
def test_the_start_belongs_to_a_span_and_the_end_does_not(instant: datetime, inside: bool) -> None:
    assert (instant in span(9, 12)) is inside


@pytest.mark.parametrize(
    ("start", "end"),
    [
        pytest.param(at(9), at(9), id="ends as it begins"),
        pytest.param(at(9), at(8), id="ends before it begins"),
        pytest.param(at(9), at(9).astimezone(timezone(timedelta(hours=8))), id="ends as it begins, in another offset"),
    ],
)
def test_an_empty_or_backward_span_cannot_be(start: datetime, end: datetime) -> None:
    with pytest.raises(ValueError, match="ends after it starts"):
        Span(start, end)


@pytest.mark.parametrize(
    ("start", "end"),
    [
        pytest.param(at(9).replace(tzinfo=None), at(12), id="naive start"),
        pytest.param(at(9), at(12).replace(tzinfo=None), id="naive end"),
        pytest.param(at(9).replace(tzinfo=None), at(12).replace(tzinfo=None), id="both naive"),
    ],
)
def test_naive_instants_are_refused(start: datetime, end: datetime) -> None:
    with pytest.raises(ValueError, match="aware"):
        Span(start, end)


def test_spans_sort_by_start_then_end() -> None:
    assert sorted([span(10, 11), span(9, 12), span(9, 10)]) == [span(9, 10), span(9, 12), span(10, 11)]
