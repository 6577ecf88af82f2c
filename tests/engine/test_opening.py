from collections.abc import Iterable
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from facilities.engine.opening import (
    SpaceRules,
    WeeklyHours,
    check_span,
    first_free,
    free_spans,
    merged,
    minus,
    open_spans,
)
from facilities.kernel import clock
from facilities.kernel.refusals import Refusal
from facilities.kernel.spans import Span

unhurried = settings(deadline=None)  # a busy machine is no failure
MOMENT = timedelta(microseconds=1)
MONDAY = date(2026, 9, 14)

ALWAYS: WeeklyHours = {}
NEVER: WeeklyHours = {0: []}
NINE_TO_FIVE: WeeklyHours = {day: [(540, 1020)] for day in range(5)}
SIESTA: WeeklyHours = {0: [(840, 1080), (480, 720)]}  # the afternoon was entered first
ALL_NIGHT: WeeklyHours = {4: [(1200, 1440)], 5: [(0, 120), (1320, 1440)], 6: [(0, 1440)], 0: [(0, 60)]}
ROUND_THE_CLOCK: WeeklyHours = {day: [(0, 1440)] for day in range(7)}


def at(hour: float, day: date = MONDAY) -> datetime:
    """Hours after the district's midnight; 24 and more are of the days after."""
    return clock.at(day) + timedelta(hours=hour)


def span(start: float, end: float, day: date = MONDAY) -> Span:
    return Span(at(start, day), at(end, day))


@pytest.mark.parametrize(
    ("hours", "frm", "to", "expected"),
    [
        pytest.param(ALWAYS, 3, 400, [span(3, 400)], id="always open"),
        pytest.param(NEVER, 0, 400, [], id="never open"),
        pytest.param(NINE_TO_FIVE, 0, 48, [span(9, 17), span(33, 41)], id="two workdays"),
        pytest.param(NINE_TO_FIVE, 96, 168, [span(105, 113)], id="a weekend"),
        pytest.param(NINE_TO_FIVE, 10, 40, [span(10, 17), span(33, 40)], id="cut at both ends"),
        pytest.param(NINE_TO_FIVE, 11, 12, [span(11, 12)], id="within the hours"),
        pytest.param(NINE_TO_FIVE, 17, 33, [], id="from closing to opening"),
        pytest.param(NINE_TO_FIVE, 8, 9, [], id="until it opens"),
        pytest.param(SIESTA, 0, 24, [span(8, 12), span(14, 18)], id="twice a day"),
        pytest.param({0: [(480, 720), (720, 900)]}, 0, 24, [span(8, 15)], id="touches start"),
        pytest.param(ALL_NIGHT, 96, 193, [span(116, 122), span(142, 169)], id="crosses midnight, twice"),
        pytest.param(ALL_NIGHT, 119, 121, [span(119, 121)], id="cut around midnight"),
        pytest.param(ROUND_THE_CLOCK, 5, 500, [span(5, 500)], id="round the clock"),
        pytest.param(ALWAYS, 5, 5, [], id="always open, no time"),
        pytest.param(ALWAYS, 6, 5, [], id="always open, backwards"),
        pytest.param(ROUND_THE_CLOCK, 5, 5, [], id="no time"),
        pytest.param(ROUND_THE_CLOCK, 30, 5, [], id="backwards"),
    ],
)
def test_hours_become_spans(hours: WeeklyHours, frm: float, to: float, expected: list[Span]) -> None:
    assert open_spans(hours, at(frm), at(to)) == expected


def test_days_are_the_districts_and_not_those_of_utc() -> None:
    """Monday's hour after midnight is Sunday in UTC."""
    assert open_spans({0: [(0, 60)]}, at(-24), at(24)) == [
        Span(datetime(2026, 9, 13, 16, tzinfo=UTC), datetime(2026, 9, 13, 17, tzinfo=UTC))
    ]


def test_the_wall_clock_opens_the_door_over_a_change_of_the_clocks() -> None:
    """Summer time, Shanghai's last: it ended on 15 September 1991, a Sunday."""
    found = open_spans(NINE_TO_FIVE, clock.at(date(1991, 9, 13)), clock.at(date(1991, 9, 17)))
    assert [clock.local(each.starts_at).time() for each in found] == [time(9)] * 2
    assert [each.starts_at.hour for each in found] == [0, 1]


@pytest.mark.parametrize(
    ("spans", "expected"),
    [
        pytest.param([], [], id="nothing"),
        pytest.param([span(9, 12)], [span(9, 12)], id="one"),
        pytest.param([span(13, 14), span(9, 12)], [span(9, 12), span(13, 14)], id="out of order"),
        pytest.param([span(9, 12), span(12, 14)], [span(9, 14)], id="touches end"),
        pytest.param([span(9, 12), span(11, 14)], [span(9, 14)], id="overlaps end"),
        pytest.param([span(9, 14), span(10, 11)], [span(9, 14)], id="swallows"),
        pytest.param([span(9, 12), span(9, 12)], [span(9, 12)], id="the same"),
        pytest.param([span(9, 16), span(10, 11), span(12, 17)], [span(9, 17)], id="reaches over the next but one"),
        pytest.param([span(22, 24), span(24, 26)], [span(22, 26)], id="crosses midnight"),
    ],
)
def test_spans_merge_where_they_touch(spans: list[Span], expected: list[Span]) -> None:
    assert merged(spans) == expected


@pytest.mark.parametrize(
    ("holes", "expected"),
    [
        pytest.param([], [span(9, 17)], id="none"),
        pytest.param([span(6, 8)], [span(9, 17)], id="long before"),
        pytest.param([span(6, 9)], [span(9, 17)], id="touches start"),
        pytest.param([span(8, 10)], [span(10, 17)], id="overlaps start"),
        pytest.param([span(9, 10)], [span(10, 17)], id="begins together"),
        pytest.param([span(11, 12)], [span(9, 11), span(12, 17)], id="within"),
        pytest.param([span(16, 17)], [span(9, 16)], id="ends together"),
        pytest.param([span(16, 18)], [span(9, 16)], id="overlaps end"),
        pytest.param([span(17, 18)], [span(9, 17)], id="touches end"),
        pytest.param([span(18, 19)], [span(9, 17)], id="long after"),
        pytest.param([span(9, 17)], [], id="the same"),
        pytest.param([span(8, 18)], [], id="swallows"),
        pytest.param([span(9, 13), span(13, 17)], [], id="two halves"),
        pytest.param(
            [span(14, 15), span(10, 11), span(10.5, 12)],
            [span(9, 10), span(12, 14), span(15, 17)],
            id="several, out of order",
        ),
    ],
)
def test_holes_are_cut_out(holes: list[Span], expected: list[Span]) -> None:
    assert minus([span(9, 17)], holes) == expected


@pytest.mark.parametrize(
    ("holes", "expected"),
    [
        pytest.param([span(11, 14)], [span(9, 11), span(14, 17)], id="from one into the next"),
        pytest.param([span(8, 18)], [], id="over all"),
        pytest.param([span(12, 13)], [span(9, 12), span(13, 17)], id="what lies between"),
        pytest.param([span(10, 12), span(15, 16)], [span(9, 10), span(13, 15), span(16, 17)], id="one in each"),
    ],
)
def test_holes_are_cut_out_of_several(holes: list[Span], expected: list[Span]) -> None:
    assert minus([span(13, 17), span(9, 12)], holes) == expected


def test_what_is_free_is_open_and_held_by_nobody() -> None:
    held = [span(9, 10), span(16, 33.5), span(35, 36)]
    assert free_spans(NINE_TO_FIVE, held, at(9.5), at(37)) == [span(10, 16), span(33.5, 35), span(36, 37)]
    assert free_spans(ALWAYS, held, at(8), at(20)) == [span(8, 9), span(10, 16)]
    assert free_spans(NEVER, [], at(8), at(20)) == []
    assert free_spans(NINE_TO_FIVE, iter(held), at(9), at(10)) == []


quarters = st.tuples(st.integers(0, 192), st.integers(0, 192)).filter(lambda pair: pair[0] != pair[1]).map(sorted)
sets_of_spans = st.lists(quarters.map(lambda pair: span(pair[0] / 4, pair[1] / 4)), max_size=8)
weeks = st.dictionaries(
    st.integers(0, 6),
    st.lists(st.tuples(st.integers(0, 95), st.integers(1, 96)).filter(lambda p: p[0] < p[1]), max_size=3).map(
        lambda pairs: [(15 * opens, 15 * closes) for opens, closes in pairs]
    ),
)


def quarters_in(spans: Iterable[Span]) -> set[datetime]:
    return {at(n / 4) for each in spans for n in range(-8, 208) if at(n / 4) in each}


def is_in_order_with_gaps(spans: list[Span]) -> bool:
    return all(one.ends_at < other.starts_at for one, other in pairwise(spans))


@unhurried
@given(sets_of_spans, sets_of_spans)
def test_merging_and_cutting_keep_exactly_the_right_time(spans: list[Span], holes: list[Span]) -> None:
    assert quarters_in(merged(spans)) == quarters_in(spans)
    assert quarters_in(minus(spans, holes)) == quarters_in(spans) - quarters_in(holes)
    assert is_in_order_with_gaps(merged(spans))
    assert is_in_order_with_gaps(minus(spans, holes))
    assert minus(spans, spans) == []


@unhurried
@given(weeks, sets_of_spans, quarters)
def test_what_is_free_is_told_by_the_quarter_of_an_hour(
    hours: WeeklyHours, busy: list[Span], bounds: list[int]
) -> None:
    def is_open(instant: datetime) -> bool:
        wall = clock.local(instant)
        minute = wall.hour * 60 + wall.minute
        return not hours or any(opens <= minute < closes for opens, closes in hours.get(wall.weekday(), ()))

    frm, to = (at(n / 4) for n in bounds)
    within = [at(n / 4) for n in range(*bounds)]
    opened = open_spans(hours, frm, to)
    free = free_spans(hours, busy, frm, to)
    assert quarters_in(opened) == {instant for instant in within if is_open(instant)}
    assert quarters_in(free) == quarters_in(opened) - quarters_in(busy)
    assert is_in_order_with_gaps(opened)
    assert is_in_order_with_gaps(free)


NOW = at(8)
NO_RULES = SpaceRules()
RULES = SpaceRules(min_minutes=30, max_minutes=120, grid_minutes=30, notice_minutes=60, days_ahead=7)
TOO_LATE = Refusal("too_late", {"notice_minutes": 60})
TOO_SHORT = Refusal("too_short", {"min_minutes": 30})
TOO_LONG = Refusal("too_long", {"max_minutes": 120})
OFF_GRID = Refusal("off_grid", {"grid_minutes": 30})
TOO_FAR_AHEAD = Refusal("too_far_ahead", {"days_ahead": 7})
CLOSED = Refusal("outside_opening_hours")


@pytest.mark.parametrize(
    ("wanted", "refusal"),
    [
        pytest.param(span(10, 12), None, id="fits"),
        pytest.param(span(9, 10), None, id="just in time"),
        pytest.param(Span(at(9) - MOMENT, at(10)), TOO_LATE, id="a moment too late"),
        pytest.param(span(7, 8), TOO_LATE, id="past"),
        pytest.param(span(10, 10.5), None, id="shortest"),
        pytest.param(Span(at(10), at(10.5) - MOMENT), TOO_SHORT, id="a moment too short"),
        pytest.param(Span(at(10), at(12) + MOMENT), TOO_LONG, id="a moment too long"),
        pytest.param(span(10.25, 11), OFF_GRID, id="begins off the grid"),
        pytest.param(span(10, 11.25), OFF_GRID, id="ends off the grid"),
        pytest.param(Span(at(10) + MOMENT, at(11) + MOMENT), OFF_GRID, id="a moment off the grid"),
        pytest.param(span(16, 17), None, id="ends as it closes"),
        pytest.param(span(16.5, 17.5), CLOSED, id="begins before it closes"),
        pytest.param(span(17, 18), CLOSED, id="begins as it closes"),
        pytest.param(span(20, 21), CLOSED, id="in the evening"),
        pytest.param(span(32.5, 33.5), CLOSED, id="begins before it opens"),
        pytest.param(span(9 + 168, 10 + 168), None, id="the last day"),
        pytest.param(span(15 + 168, 17 + 168), None, id="late on the last day"),
        pytest.param(span(9 + 192, 10 + 192), TOO_FAR_AHEAD, id="the day after the last"),
    ],
)
def test_a_space_is_reserved_within_its_rules(wanted: Span, refusal: Refusal | None) -> None:
    assert check_span(RULES, NINE_TO_FIVE, wanted, NOW) == refusal


@pytest.mark.parametrize(
    ("wanted", "refusal"),
    [
        pytest.param(Span(at(-200.1), at(-200)), TOO_LATE, id="all wrong and past"),
        pytest.param(span(240.1, 240.2), TOO_SHORT, id="too short, off the grid, too far, closed"),
        pytest.param(span(240.1, 250), TOO_LONG, id="too long, off the grid, too far, closed"),
        pytest.param(span(240.1, 241), OFF_GRID, id="off the grid, too far, closed"),
        pytest.param(span(240, 241), TOO_FAR_AHEAD, id="too far, closed"),
        pytest.param(span(120, 121), CLOSED, id="closed"),
    ],
)
def test_the_first_rule_that_is_broken_is_told(wanted: Span, refusal: Refusal) -> None:
    assert check_span(RULES, NINE_TO_FIVE, wanted, NOW) == refusal


@pytest.mark.parametrize(
    ("wanted", "refusal"),
    [
        pytest.param(Span(NOW, NOW + MOMENT), None, id="now, for a moment"),
        pytest.param(Span(NOW + MOMENT, at(9_000)), None, id="for a year"),
        pytest.param(span(90_000, 90_001), None, id="in ten years"),
        pytest.param(Span(NOW - MOMENT, at(9)), Refusal("too_late", {"notice_minutes": 0}), id="has begun"),
    ],
)
def test_without_rules_only_the_past_is_refused(wanted: Span, refusal: Refusal | None) -> None:
    assert check_span(NO_RULES, ALWAYS, wanted, NOW) == refusal
    assert check_span(NO_RULES, ROUND_THE_CLOCK, wanted, NOW) == refusal


@pytest.mark.parametrize(
    ("hours", "wanted", "refusal"),
    [
        pytest.param(ALL_NIGHT, span(118, 121), None, id="crosses midnight"),
        pytest.param(ALL_NIGHT, span(143, 169), None, id="crosses two midnights"),
        pytest.param(ALL_NIGHT, span(121, 143), CLOSED, id="closed between"),
        pytest.param(SIESTA, span(11, 15), CLOSED, id="over the siesta"),
        pytest.param({0: [(480, 720), (600, 900)]}, span(9, 14), None, id="hours that overlap"),
        pytest.param({0: [(480, 900), (540, 600)]}, span(9, 14), None, id="hours within hours"),
        pytest.param({0: [(720, 900), (480, 720)]}, span(9, 14), None, id="hours that touch, out of order"),
        pytest.param(NEVER, span(9, 10), CLOSED, id="never open"),
        pytest.param(
            NINE_TO_FIVE, Span(at(9), datetime(9000, 1, 1, tzinfo=UTC)), CLOSED, id="for seven thousand years"
        ),
    ],
)
def test_it_is_open_all_the_while(hours: WeeklyHours, wanted: Span, refusal: Refusal | None) -> None:
    assert check_span(NO_RULES, hours, wanted, at(0)) == refusal


def test_days_ahead_are_counted_on_the_districts_calendar() -> None:
    today = SpaceRules(days_ahead=0)
    before_midnight = at(24) - MOMENT
    assert check_span(today, ALWAYS, Span(before_midnight, at(30)), at(0)) is None
    assert check_span(today, ALWAYS, Span(at(24), at(30)), before_midnight) == Refusal(
        "too_far_ahead", {"days_ahead": 0}
    )
    assert check_span(today, ALWAYS, Span(at(24), at(30)), at(24)) is None


@pytest.mark.parametrize(
    ("grid", "start", "end", "fits"),
    [
        pytest.param(60, 23, 24, True, id="ends at midnight"),
        pytest.param(60, 24, 25, True, id="begins at midnight"),
        pytest.param(45, 0.75, 1.5, True, id="three quarters"),
        pytest.param(45, 1, 1.75, False, id="three quarters after the full hour"),
        pytest.param(420, 21, 31, True, id="begins anew at midnight"),
        pytest.param(420, 21, 28, False, id="does not go on over midnight"),
        pytest.param(1440, 24, 48, True, id="whole days"),
        pytest.param(1440, 8, 32, False, id="whole days of UTC"),
        pytest.param(1, 9 + 1 / 60, 10, True, id="minutes"),
    ],
)
def test_the_grid_is_counted_from_the_districts_midnight(grid: int, start: float, end: float, fits: bool) -> None:
    refusal = check_span(SpaceRules(grid_minutes=grid), ALWAYS, span(start, end), at(0))
    assert refusal == (None if fits else Refusal("off_grid", {"grid_minutes": grid}))


@pytest.mark.parametrize(
    ("free", "minutes", "grid", "expected"),
    [
        pytest.param([], 30, None, None, id="nothing free"),
        pytest.param([span(9, 10)], 60, None, span(9, 10), id="just fits"),
        pytest.param([span(9, 10)], 61, None, None, id="a minute too long"),
        pytest.param([span(9, 10), span(11, 13), span(14, 20)], 90, None, span(11, 12.5), id="the second"),
        pytest.param([span(14, 20), span(9, 12)], 90, None, span(9, 10.5), id="out of order"),
        pytest.param([span(9, 10), span(10, 11)], 120, None, span(9, 11), id="two that touch"),
        pytest.param([span(9, 10)], 60, 30, span(9, 10), id="on the grid already"),
        pytest.param([span(9.25, 10.25)], 60, 30, None, id="the grid leaves too little"),
        pytest.param([span(9.25, 10.5)], 60, 30, span(9.5, 10.5), id="on the next line of the grid"),
        pytest.param([span(9.25, 10.25), span(13.1, 15)], 60, 60, span(14, 15), id="in the next span"),
        pytest.param([Span(at(9) + MOMENT, at(11))], 60, 60, span(10, 11), id="a moment off the grid"),
        pytest.param([span(23.5, 26)], 60, 60, span(24, 25), id="begins at midnight"),
        pytest.param([span(22, 32)], 120, 420, span(24, 26), id="the grid begins anew at midnight"),
    ],
)
def test_the_first_free_time_is_found(free: list[Span], minutes: int, grid: int | None, expected: Span | None) -> None:
    assert first_free(free, minutes, grid) == expected


@unhurried
@given(sets_of_spans, st.integers(1, 16), st.sampled_from([None, 15, 30, 60, 90, 420]))
def test_nothing_earlier_is_free(free: list[Span], number: int, grid: int | None) -> None:
    """By the quarter of an hour, which is what these spans are made of."""
    length = timedelta(minutes=15 * number)

    def fits(instant: datetime) -> bool:
        wall = clock.local(instant)
        on_grid = grid is None or (wall.hour * 60 + wall.minute) % grid == 0
        return on_grid and any(s.starts_at <= instant and instant + length <= s.ends_at for s in merged(free))

    expected = next((instant for instant in (at(n / 4) for n in range(192)) if fits(instant)), None)
    assert first_free(free, 15 * number, grid) == (Span(expected, expected + length) if expected else None)
