"""When somebody is reminded: never in the night, never too late."""

from datetime import datetime, time, timedelta

import pytest

from facilities.engine.deliveries import QUIET, Quiet
from facilities.engine.reminders import AT_THE_LATEST, DAY, HOUR, furthest, is_due, remind_at
from tests.engine.test_deliveries import at


@pytest.mark.parametrize(
    ("kind", "starts_at", "when"),
    [
        pytest.param(DAY, "20 14:00", "19 14:00", id="a day before"),
        pytest.param(DAY, "20 08:00", "19 08:00", id="as the night ends"),
        pytest.param(DAY, "20 07:30", "19 08:00", id="in the night: when it ends"),
        pytest.param(DAY, "20 22:00", "20 08:00", id="late in the evening: that morning"),
        pytest.param(HOUR, "20 14:00", "20 13:00", id="an hour before"),
        pytest.param(HOUR, "20 09:00", "20 08:00", id="as the night ends, an hour"),
        pytest.param(HOUR, "20 08:59", "19 20:30", id="in the morning: the evening before"),
        pytest.param(HOUR, "20 07:30", "19 20:30", id="the way out of a parking place"),
        pytest.param(HOUR, "20 22:30", "20 20:30", id="in the evening: before the night"),
        pytest.param(HOUR, "20 22:00", "20 20:30", id="as the night begins"),
        pytest.param(HOUR, "20 21:59", "20 20:59", id="just before the night"),
    ],
)
def test_when_somebody_is_reminded(kind: str, starts_at: str, when: str) -> None:
    assert remind_at(kind, at(starts_at)) == at(when)


@pytest.mark.parametrize("kind", [DAY, HOUR])
@pytest.mark.parametrize(
    "quiet", [QUIET, Quiet(time(20), time(10)), Quiet(time(12), time(14)), Quiet(time(0), time(0))]
)
def test_whenever_it_begins_the_reminder_is_before_it_and_never_in_the_quiet(kind: str, quiet: Quiet) -> None:
    for minutes in range(0, 24 * 60, 7):
        starts_at = at("20 00:00") + timedelta(minutes=minutes)
        moment = remind_at(kind, starts_at, quiet)
        assert quiet.end(moment) is None
        assert moment <= starts_at - AT_THE_LATEST[kind]
        assert starts_at <= furthest(moment), "nothing is due before it is looked for"


def test_it_is_due_from_its_moment_until_it_would_be_of_no_use() -> None:
    starts_at = at("20 14:00")
    moments: dict[str, list[datetime]] = {
        DAY: [at("19 13:59"), at("19 14:00"), at("20 10:59"), at("20 11:00")],
        HOUR: [at("20 12:59"), at("20 13:00"), at("20 13:49"), at("20 13:50")],
    }
    for kind, around in moments.items():
        assert [is_due(kind, starts_at, now) for now in around] == [False, True, True, False]
