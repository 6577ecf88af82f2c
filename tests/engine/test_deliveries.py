"""Quiet hours, and what they do not hold; when a message is tried again."""

from datetime import date, datetime, time, timedelta

import pytest

from facilities.engine.deliveries import GAPS, QUIET, Quiet, held_until, next_attempt
from facilities.kernel.clock import DISTRICT


def at(text: str) -> datetime:
    """On the district's wall clock, in September 2026."""
    day, wall = text.split()
    return datetime.combine(date(2026, 9, int(day)), time.fromisoformat(wall), DISTRICT)


@pytest.mark.parametrize(
    ("quiet", "now", "end"),
    [
        pytest.param(QUIET, "16 20:59", None, id="a minute before it begins"),
        pytest.param(QUIET, "16 21:00", "17 08:00", id="as it begins"),
        pytest.param(QUIET, "16 23:59", "17 08:00", id="before midnight"),
        pytest.param(QUIET, "17 00:00", "17 08:00", id="at midnight"),
        pytest.param(QUIET, "17 07:59", "17 08:00", id="a minute before it ends"),
        pytest.param(QUIET, "17 08:00", None, id="as it ends"),
        pytest.param(Quiet(time(12), time(14)), "16 13:00", "16 14:00", id="a nap"),
        pytest.param(Quiet(time(12), time(14)), "16 14:00", None, id="after the nap"),
        pytest.param(Quiet(time(12), time(14)), "16 23:00", None, id="the night of who naps"),
        pytest.param(Quiet(time(0), time(0)), "16 03:00", None, id="none at all"),
        pytest.param(Quiet(time(9), time(9)), "16 09:00", None, id="none, said otherwise"),
    ],
)
def test_when_it_is_quiet(quiet: Quiet, now: str, end: str | None) -> None:
    assert quiet.end(at(now)) == (at(end) if end else None)


@pytest.mark.parametrize(
    ("kind", "now", "starts_at", "answer_by", "held"),
    [
        pytest.param("booked", "16 12:00", "16 15:00", None, None, id="by day nothing is held"),
        pytest.param("booked", "16 22:00", "20 15:00", None, "17 08:00", id="a booking for another day"),
        pytest.param("booked", "16 22:00", "17 09:30", None, None, id="one for soon after the night"),
        pytest.param("promoted", "16 22:00", "17 10:00", None, "17 08:00", id="two hours after the night are enough"),
        pytest.param("promoted", "16 22:00", "17 09:59", None, None, id="a minute less is not"),
        pytest.param("offered", "16 22:00", "20 15:00", "16 23:00", None, id="an offer that runs out in the night"),
        pytest.param("offered", "16 22:00", "20 15:00", "18 12:00", "17 08:00", id="one that does not"),
        pytest.param("session_cancelled", "17 06:00", "17 15:00", None, None, id="called off on its day"),
        pytest.param("session_cancelled", "16 22:00", "17 15:00", None, "17 08:00", id="called off the evening before"),
        pytest.param("session_cancelled", "16 22:00", "17 08:30", None, None, id="for the early morning"),
        pytest.param("moved", "17 06:00", "17 15:00", None, None, id="moved on its day"),
        pytest.param("waitlisted", "17 06:00", "17 08:30", None, "17 08:00", id="a turn on a list can wait"),
        pytest.param("reminder_hour", "17 06:00", "17 07:00", None, "17 08:00", id="a reminder never breaks the night"),
        pytest.param("feedback", "16 21:30", None, None, "17 08:00", id="how it was can wait"),
        pytest.param("guardian_joined", "16 21:30", None, None, "17 08:00", id="who books for whom can wait"),
        pytest.param("code", "17 03:00", None, None, None, id="a code that somebody asked for"),
        pytest.param("registered_already", "17 03:00", None, None, None, id="a stranger at the door"),
        pytest.param("password_changed", "17 03:00", None, None, None, id="the account's safety"),
    ],
)
def test_what_quiet_hours_hold(
    kind: str, now: str, starts_at: str | None, answer_by: str | None, held: str | None
) -> None:
    found = held_until(kind, at(now), QUIET, at(starts_at) if starts_at else None, at(answer_by) if answer_by else None)
    assert found == (at(held) if held else None)


def test_gaps_grow_and_end() -> None:
    now = at("16 12:00")
    attempts = [next_attempt(n, now) for n in range(1, len(GAPS) + 1)]
    assert all(moment is not None for moment in attempts)
    assert attempts == sorted(moment for moment in attempts if moment)
    assert next_attempt(len(GAPS) + 1, now) is None
    assert sum(GAPS, timedelta()) > timedelta(hours=12), "a provider that is down for a night is back for the last ones"
