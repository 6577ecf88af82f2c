from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from facilities.engine.deadlines import BookingWindow, check_bookable, check_cancellable, check_ordered
from facilities.kernel.refusals import Refusal

unhurried = settings(deadline=None)  # a busy machine is no failure
SHANGHAI = timezone(timedelta(hours=8))
MOMENT = timedelta(microseconds=1)
START = datetime(2026, 11, 28, 1, 0, tzinfo=UTC)
OPENS = START - timedelta(days=7)
CLOSES = START - timedelta(hours=2)
LAST_CANCELLATION = START - timedelta(days=1)

BOUNDED = BookingWindow(START, OPENS, CLOSES, LAST_CANCELLATION)
UNBOUNDED = BookingWindow(START)


def code(refusal: Refusal | None) -> str | None:
    return refusal.code if refusal else None


@pytest.mark.parametrize(
    ("window", "now", "expected"),
    [
        pytest.param(BOUNDED, OPENS - MOMENT, "booking_not_open", id="just before it opens"),
        pytest.param(BOUNDED, OPENS, None, id="as it opens"),
        pytest.param(BOUNDED, CLOSES - MOMENT, None, id="just before it closes"),
        pytest.param(BOUNDED, CLOSES, "booking_closed", id="as it closes"),
        pytest.param(BOUNDED, START, "booking_closed", id="as it starts"),
        pytest.param(BOUNDED, OPENS.astimezone(SHANGHAI), None, id="as it opens, in another offset"),
        pytest.param(BOUNDED, CLOSES.astimezone(SHANGHAI), "booking_closed", id="as it closes, in another offset"),
        pytest.param(UNBOUNDED, START - timedelta(days=4000), None, id="always open, long before"),
        pytest.param(UNBOUNDED, START - MOMENT, None, id="no closing, just before the start"),
        pytest.param(UNBOUNDED, START, "booking_closed", id="no closing, as it starts"),
        pytest.param(
            BookingWindow(START, booking_opens_at=OPENS), START - MOMENT, None, id="opens, closes at the start"
        ),
        pytest.param(BookingWindow(START, booking_opens_at=OPENS), OPENS - MOMENT, "booking_not_open", id="opens only"),
        pytest.param(BookingWindow(START, booking_closes_at=CLOSES), CLOSES, "booking_closed", id="closes only"),
        pytest.param(
            BookingWindow(START, cancellation_closes_at=LAST_CANCELLATION),
            LAST_CANCELLATION,
            None,
            id="cancelling is over, booking is not",
        ),
    ],
)
def test_a_place_can_be_booked_from_the_opening_until_before_the_closing(
    window: BookingWindow, now: datetime, expected: str | None
) -> None:
    assert code(check_bookable(window, now)) == expected


@pytest.mark.parametrize(
    ("window", "now", "expected"),
    [
        pytest.param(BOUNDED, LAST_CANCELLATION - MOMENT, None, id="just before the last moment"),
        pytest.param(BOUNDED, LAST_CANCELLATION, "cancellation_closed", id="at the last moment"),
        pytest.param(BOUNDED, START, "cancellation_closed", id="as it starts"),
        pytest.param(BOUNDED, OPENS - MOMENT, None, id="before booking opens"),
        pytest.param(BOUNDED, LAST_CANCELLATION.astimezone(SHANGHAI), "cancellation_closed", id="in another offset"),
        pytest.param(UNBOUNDED, START - MOMENT, None, id="no deadline, just before the start"),
        pytest.param(UNBOUNDED, START, "cancellation_closed", id="no deadline, as it starts"),
        pytest.param(
            BookingWindow(START, booking_closes_at=CLOSES), CLOSES, None, id="booking is over, cancelling is not"
        ),
    ],
)
def test_a_place_can_be_given_back_until_before_the_deadline(
    window: BookingWindow, now: datetime, expected: str | None
) -> None:
    assert code(check_cancellable(window, now)) == expected


@pytest.mark.parametrize(
    ("refusal", "name", "instant"),
    [
        pytest.param(check_bookable(BOUNDED, OPENS - MOMENT), "booking_opens_at", OPENS, id="not open"),
        pytest.param(check_bookable(BOUNDED, CLOSES), "booking_closes_at", CLOSES, id="closed"),
        pytest.param(check_bookable(UNBOUNDED, START), "booking_closes_at", START, id="closed by the start"),
        pytest.param(
            check_cancellable(BOUNDED, LAST_CANCELLATION),
            "cancellation_closes_at",
            LAST_CANCELLATION,
            id="too late to cancel",
        ),
        pytest.param(check_cancellable(UNBOUNDED, START), "cancellation_closes_at", START, id="too late by the start"),
    ],
)
def test_a_refusal_names_the_instant_that_was_missed(refusal: Refusal, name: str, instant: datetime) -> None:
    assert set(refusal.facts) == {name}
    assert datetime.fromisoformat(str(refusal.facts[name])) == instant


@pytest.mark.parametrize(
    "refusal",
    [
        pytest.param(check_bookable(BOUNDED, OPENS - MOMENT), id="not open"),
        pytest.param(check_bookable(BOUNDED, CLOSES), id="closed"),
        pytest.param(check_cancellable(BOUNDED, LAST_CANCELLATION), id="too late to cancel"),
    ],
)
def test_a_refusal_shows_its_instant_in_the_districts_time(refusal: Refusal) -> None:
    """`/api/v1`: instants are shown with +08:00, and facts are handed out as they are."""
    assert [str(value)[-6:] for value in refusal.facts.values()] == ["+08:00"]


@pytest.mark.parametrize(
    ("window", "wrong"),
    [
        pytest.param(UNBOUNDED, {}, id="nothing set"),
        pytest.param(BOUNDED, {}, id="in order"),
        pytest.param(BookingWindow(START, CLOSES - MOMENT, CLOSES), {}, id="open for a moment"),
        pytest.param(
            BookingWindow(START, CLOSES, CLOSES), {"booking_opens_at": "opens_after_it_closes"}, id="closes as it opens"
        ),
        pytest.param(
            BookingWindow(START, CLOSES + MOMENT, CLOSES),
            {"booking_opens_at": "opens_after_it_closes"},
            id="closes before it opens",
        ),
        pytest.param(BookingWindow(START, START - MOMENT), {}, id="opens just before the start"),
        pytest.param(
            BookingWindow(START, START), {"booking_opens_at": "opens_after_it_closes"}, id="opens as it starts"
        ),
    ],
)
def test_a_window_that_never_opens_is_found(window: BookingWindow, wrong: dict[str, str]) -> None:
    assert check_ordered(window) == wrong


hours = st.integers(-100, 100).map(lambda n: START + timedelta(hours=n))


@unhurried
@given(st.builds(BookingWindow, hours, st.none() | hours, st.none() | hours, st.none() | hours), hours)
def test_an_orderly_window_is_open_at_some_moment_and_a_disorderly_one_never(
    window: BookingWindow, now: datetime
) -> None:
    last_moment = (window.booking_closes_at or window.starts_at) - MOMENT
    if check_ordered(window):
        assert check_bookable(window, now) is not None
        assert check_bookable(window, last_moment) is not None
    else:
        assert check_bookable(window, last_moment) is None
