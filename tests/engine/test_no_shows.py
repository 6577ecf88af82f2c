"""What counts, when somebody is warned or paused, when a pause is no longer right, and what it keeps from them."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from facilities.engine.no_shows import (
    Decision,
    Exempt,
    Missed,
    NoShowPolicy,
    Standing,
    What,
    check_pause,
    check_policy,
    counted,
    decide,
    is_exempt,
    is_justified,
    level,
    standing,
)
from facilities.engine.roll_call import ENTRY_ENDS_AFTER_END

NOW = datetime(2026, 9, 16, 2, 0, tzinfo=UTC)  # Wednesday, 10:00 in the district
DAY, MOMENT = timedelta(days=1), timedelta(microseconds=1)
RULE = NoShowPolicy(is_on=True, counts_from=NOW - 400 * DAY)
UNTIL = datetime(2026, 10, 15, 16, 0, tzinfo=UTC)  # the midnight with which 16 October begins


def missed(number: int, days_ago: float, **more: bool) -> Missed:
    starts_at = NOW - timedelta(days=days_ago)
    return Missed(number, starts_at, starts_at + timedelta(hours=1), **more)


def test_it_is_off_until_somebody_switches_it_on() -> None:
    assert standing(NoShowPolicy(), missed(1, 3), NOW) is Standing.OFF
    assert decide(NoShowPolicy(), counted(NoShowPolicy(), [missed(n, n + 2) for n in range(9)], NOW), NOW) is None


@pytest.mark.parametrize(
    ("one", "expected"),
    [
        pytest.param(missed(1, 3), Standing.COUNTS, id="three days ago"),
        pytest.param(missed(1, 3, is_forgiven=True), Standing.FORGIVEN, id="an appeal was accepted"),
        pytest.param(missed(1, 3, is_exempt=True), Standing.EXEMPT, id="on an exempt day"),
        pytest.param(missed(1, 0.5), Standing.OPEN, id="a tick can still happen"),
        pytest.param(missed(1, 89.9), Standing.COUNTS, id="the last moment of the window"),
        pytest.param(missed(1, 90), Standing.LONG_AGO, id="just out of the window"),
        pytest.param(missed(1, 401), Standing.OFF, id="over before it was switched on"),
        pytest.param(missed(1, 400 + 1 / 24), Standing.OFF, id="it ended as it was switched on"),
    ],
)
def test_what_counts(one: Missed, expected: Standing) -> None:
    assert standing(RULE, one, NOW) is expected


@pytest.mark.parametrize(("after", "expected"), [(timedelta(0), Standing.OPEN), (MOMENT, Standing.COUNTS)])
def test_it_counts_from_when_no_tick_can_happen_any_more(after: timedelta, expected: Standing) -> None:
    one = missed(1, 10)
    assert standing(RULE, one, one.ends_at + ENTRY_ENDS_AFTER_END + after) is expected


@pytest.mark.parametrize(
    ("days_ago", "expected"),
    [
        pytest.param([3], None, id="one"),
        pytest.param([9, 3], Decision(What.WARNED, 1, (0, 1)), id="two"),
        pytest.param([16, 9, 3], Decision(What.WARNED, 2, (0, 1, 2)), id="three at once: a warning comes first"),
        pytest.param([30, 16, 9, 3], Decision(What.WARNED, 3, (0, 1, 2, 3)), id="four at once"),
        pytest.param([93, 3], None, id="as far apart as the window"),
        pytest.param([89, 3], Decision(What.WARNED, 1, (0, 1)), id="not quite"),
        pytest.param([120, 100, 95], None, id="all too long ago"),
        pytest.param([120, 60, 3], Decision(What.WARNED, 2, (1, 2)), id="never three in one window"),
    ],
)
def test_somebody_of_whom_nothing_was_said_is_warned_at_most(days_ago: list[float], expected: Decision | None) -> None:
    assert decide(RULE, [missed(n, days) for n, days in enumerate(days_ago)], NOW) == expected


def test_what_was_told_is_not_told_again() -> None:
    told = [missed(0, 16, is_told=True), missed(1, 9, is_told=True)]
    assert decide(RULE, told, NOW) is None
    assert decide(RULE, [*told, missed(2, 3)], NOW) == Decision(What.PAUSED, 2, (2,), UNTIL)
    assert decide(RULE, [*told, missed(2, 3, is_told=True)], NOW) is None


def test_one_that_is_entered_late_counts_with_those_after_it() -> None:
    told = [missed(0, 30, is_told=True), missed(2, 3, is_told=True)]
    assert decide(RULE, [told[0], missed(1, 9), told[1]], NOW) == Decision(What.PAUSED, 1, (1,), UNTIL)


def test_after_a_pause_the_next_one_is_a_pause_again_while_the_others_count() -> None:
    told = [missed(n, 80 - n, is_told=True) for n in range(3)]
    assert decide(RULE, [*told, missed(3, 3)], NOW) == Decision(What.PAUSED, 3, (3,), UNTIL)
    old = [replace(one, starts_at=one.starts_at - 20 * DAY) for one in told]
    assert decide(RULE, [*old, missed(3, 3)], NOW) is None


def test_a_pause_stays_right_when_what_led_to_it_is_long_ago() -> None:
    those = [missed(0, 100), missed(1, 50), missed(2, 11)]
    assert standing(RULE, those[0], NOW) is Standing.LONG_AGO
    assert is_justified(RULE, counted(RULE, those, NOW), 2)


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"is_forgiven": True}, id="an appeal"),
        pytest.param({"is_exempt": True}, id="an exemption"),
    ],
)
@pytest.mark.parametrize("which", [0, 1, 2])
def test_a_pause_is_no_longer_right_when_one_of_three_turns_out_not_to_count(
    changes: dict[str, bool], which: int
) -> None:
    those = [missed(n, 30 - n) for n in range(3)]
    assert is_justified(RULE, counted(RULE, those, NOW), 2)
    those[which] = replace(those[which], **changes)
    assert not is_justified(RULE, counted(RULE, those, NOW), 2)


def test_nor_when_it_is_gone_or_the_rule_is_off_or_milder() -> None:
    those = [missed(n, 30 - n) for n in range(3)]
    assert not is_justified(RULE, those[:2], 2)
    assert not is_justified(RULE, counted(replace(RULE, is_on=False), those, NOW), 2)
    assert not is_justified(replace(RULE, pause_at=4), those, 2)


ANY = st.lists(st.tuples(st.floats(2, 200), st.booleans(), st.booleans()), max_size=12).map(
    lambda rows: [missed(n, ago, is_told=told, is_forgiven=forgiven) for n, (ago, told, forgiven) in enumerate(rows)]
)
RULES = st.builds(
    lambda warn, more, days: replace(RULE, warn_at=warn, pause_at=warn + more, within_days=days),
    st.integers(1, 4),
    st.integers(1, 4),
    st.integers(7, 180),
)


@given(RULES, ANY)
def test_a_pause_is_right_as_it_is_decided_and_what_is_settled_is_settled(
    rule: NoShowPolicy, those: list[Missed]
) -> None:
    found = counted(rule, those, NOW)
    decision = decide(rule, found, NOW)
    if decision is None:
        return
    assert decision.about in decision.settles
    if decision.what is What.PAUSED:
        assert is_justified(rule, found, decision.about)
        assert any(one.is_told for one in found), "nobody is paused without a warning"
    assert level(rule, found, next(m for m in found if m.number == decision.about)) >= rule.warn_at
    told = [replace(m, is_told=m.is_told or m.number in decision.settles) for m in found]
    assert decide(rule, told, NOW) is None


@given(RULES, ANY, st.integers(1, 400))
def test_time_alone_makes_no_pause_wrong(rule: NoShowPolicy, those: list[Missed], days: int) -> None:
    later = NOW + timedelta(days=days)
    for one in those:
        before = is_justified(rule, counted(rule, those, NOW), one.number)
        assert is_justified(rule, counted(rule, those, later), one.number) is before


@pytest.mark.parametrize(
    ("span", "days"),
    [
        pytest.param(Exempt(date(2026, 9, 10)), {10, 11, 12, 13}, id="without an end"),
        pytest.param(Exempt(date(2026, 9, 10), date(2026, 9, 11)), {10, 11}, id="both days included"),
        pytest.param(Exempt(date(2026, 9, 10), date(2026, 9, 12), date(2026, 9, 12)), {10, 11}, id="taken back"),
        pytest.param(Exempt(date(2026, 9, 10), None, date(2026, 9, 10)), set(), id="taken back the same day"),
    ],
)
def test_the_days_of_an_exemption(span: Exempt, days: set[int]) -> None:
    assert {day for day in range(8, 14) if span.covers(date(2026, 9, day))} == days


def test_an_exempt_day_is_the_districts_day_and_a_disability_needs_no_exemption() -> None:
    evening = datetime(2026, 9, 10, 16, 30, tzinfo=UTC)  # half past midnight on the eleventh
    spans = [Exempt(date(2026, 9, 11), date(2026, 9, 11))]
    assert is_exempt(RULE, evening, spans, has_disability=False)
    assert not is_exempt(RULE, evening - timedelta(hours=1), spans, has_disability=False)
    assert is_exempt(RULE, evening - timedelta(hours=1), [], has_disability=True)
    assert not is_exempt(replace(RULE, exempt_disabled=False), evening, [], has_disability=True)


TONIGHT = datetime(2026, 9, 16, 15, 59, tzinfo=UTC)  # a minute before midnight in the district


@pytest.mark.parametrize(
    ("until", "starts_at", "refused"),
    [
        pytest.param(None, NOW + 3 * DAY, False, id="no pause"),
        pytest.param(NOW + DAY, NOW + 3 * DAY, True, id="ahead"),
        pytest.param(NOW, NOW + 3 * DAY, False, id="just over"),
        pytest.param(NOW + MOMENT, NOW + 3 * DAY, True, id="the last moment"),
        pytest.param(NOW + DAY, TONIGHT, False, id="on the day itself"),
        pytest.param(NOW + DAY, TONIGHT + timedelta(minutes=1), True, id="tomorrow, by a minute"),
        pytest.param(NOW + DAY, NOW - timedelta(hours=1), False, id="it has begun"),
    ],
)
def test_a_pause_keeps_from_booking_before_the_day(until: datetime | None, starts_at: datetime, refused: bool) -> None:
    refusal = check_pause(until, starts_at, NOW)
    assert (refusal is not None) is refused
    if refusal:
        assert refusal.code == "paused_after_no_shows"
        assert datetime.fromisoformat(str(refusal.facts["until"])) == until


@pytest.mark.parametrize(("warn_at", "pause_at", "fits"), [(2, 3, True), (3, 3, False), (4, 3, False), (1, 2, True)])
def test_a_pause_comes_after_a_warning(warn_at: int, pause_at: int, fits: bool) -> None:
    assert check_policy(NoShowPolicy(warn_at=warn_at, pause_at=pause_at)) == (
        {} if fits else {"pause_at": "pause_after_warning"}
    )
