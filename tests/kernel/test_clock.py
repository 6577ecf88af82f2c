import time
from datetime import UTC, date, datetime, timedelta, timezone
from datetime import time as wall_time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from facilities.kernel import clock

unhurried = settings(deadline=None)  # a busy machine is no failure
SHANGHAI = timezone(timedelta(hours=8))  # written out, so that the zone's data is tested too
NOON = datetime(2026, 9, 18, 4, 0, tzinfo=UTC)
modern_days = st.dates(date(1992, 1, 1), date(2190, 12, 31))
modern_instants = st.datetimes(datetime(1992, 1, 1), datetime(2190, 12, 31), timezones=st.just(UTC))  # noqa: DTZ001


@pytest.fixture(autouse=True)
def machine_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """Begin on the machine's clock and leave the process's own clock as it was."""
    monkeypatch.setattr(clock, "_file", None)
    monkeypatch.setattr(clock, "_frozen", None)


@pytest.fixture
def clock_file(tmp_path: Path) -> Path:
    path = tmp_path / "now"
    clock.read_from_file(path)
    return path


def test_unless_told_otherwise_now_is_the_machines_instant_in_utc() -> None:
    before = time.time_ns() // 1000
    now = clock.now()
    after = time.time_ns() // 1000
    since_1970 = (now - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)
    assert now.tzinfo is UTC
    assert before - 1 <= since_1970 <= after + 1


def test_a_frozen_clock_stands_still() -> None:
    with clock.frozen(NOON):
        assert clock.now() == NOON
        assert clock.now() == NOON
        assert clock.today() == date(2026, 9, 18)


def test_a_frozen_clock_answers_in_utc_whatever_offset_it_was_given() -> None:
    with clock.frozen(datetime(2026, 9, 18, 12, 0, tzinfo=SHANGHAI)):
        assert clock.now() == NOON
        assert clock.now().utcoffset() == timedelta(0)


def test_freezing_within_a_frozen_block_ends_with_the_inner_block() -> None:
    with clock.frozen(NOON):
        with clock.frozen(NOON + timedelta(days=1)):
            assert clock.now() == NOON + timedelta(days=1)
        assert clock.now() == NOON
    assert clock.now() != NOON


def test_an_error_inside_the_block_thaws_the_clock() -> None:
    with pytest.raises(LookupError), clock.frozen(NOON):
        raise LookupError
    assert clock.now() != NOON


def test_a_clock_file_is_read_at_each_use(clock_file: Path) -> None:
    clock_file.write_text("2026-09-18T12:00:00+08:00\n", encoding="utf-8")
    assert clock.now() == NOON
    clock_file.write_text("2026-12-31T16:00:00Z", encoding="utf-8")
    assert clock.now() == datetime(2026, 12, 31, 16, 0, tzinfo=UTC)
    assert clock.today() == date(2027, 1, 1)


def test_a_frozen_block_goes_before_the_clock_file(clock_file: Path) -> None:
    clock_file.write_text("2030-01-01T00:00:00Z", encoding="utf-8")
    with clock.frozen(NOON):
        assert clock.now() == NOON
    assert clock.now() == datetime(2030, 1, 1, tzinfo=UTC)


def test_no_clock_file_goes_back_to_the_machines_clock(clock_file: Path) -> None:
    clock_file.write_text("1999-01-01T00:00:00Z", encoding="utf-8")
    clock.read_from_file(None)
    assert clock.now() > datetime(2000, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    "content",
    [
        pytest.param("2026-09-18T12:00:00", id="naive"),
        pytest.param("", id="empty"),
        pytest.param("noon", id="not an instant"),
    ],
)
def test_a_clock_file_without_a_true_instant_is_an_error(clock_file: Path, content: str) -> None:
    clock_file.write_text(content, encoding="utf-8")
    with pytest.raises(ValueError):  # noqa: PT011 - two sources of words, one kind of error
        clock.now()


def test_a_missing_clock_file_is_an_error_and_never_the_machines_time(clock_file: Path) -> None:
    clock_file.unlink(missing_ok=True)
    with pytest.raises(FileNotFoundError):
        clock.now()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("2026-09-18T04:00:00Z", NOON, id="Z"),
        pytest.param("2026-09-18T04:00:00+00:00", NOON, id="zero offset"),
        pytest.param("2026-09-18T12:00:00+08:00", NOON, id="the district's offset"),
        pytest.param("2026-09-17T23:00:00-05:00", NOON, id="behind UTC, the day before"),
        pytest.param("2026-09-18T09:30:00+05:30", NOON, id="half an hour's offset"),
        pytest.param("2026-09-18T04:00:00.25Z", NOON + timedelta(milliseconds=250), id="fraction of a second"),
        pytest.param("2024-02-29T00:00:00+08:00", datetime(2024, 2, 28, 16, 0, tzinfo=UTC), id="29 February"),
    ],
)
def test_an_instant_is_read_into_utc(text: str, expected: datetime) -> None:
    instant = clock.parse_instant(text)
    assert instant == expected
    assert instant.utcoffset() == timedelta(0)


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("2026-09-18T12:00:00", id="naive"),
        pytest.param("2026-09-18", id="bare date"),
        pytest.param("2026-02-29T00:00:00Z", id="29 February of a common year"),
        pytest.param("2026-09-18T25:00:00Z", id="hour 25"),
        pytest.param("2026-09-18T12:00:00+25:00", id="offset of more than a day"),
        pytest.param("12:00:00Z", id="time alone"),
        pytest.param("", id="empty"),
        pytest.param("tomorrow", id="a word"),
    ],
)
def test_what_is_no_instant_with_an_offset_is_refused(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - two sources of words, one kind of error
        clock.parse_instant(text)


@unhurried
@given(
    st.datetimes(datetime(1970, 1, 1), datetime(2190, 1, 1)),  # noqa: DTZ001
    st.integers(-14 * 60, 14 * 60),
)
def test_the_offset_in_which_an_instant_is_written_does_not_change_it(naive: datetime, minutes: int) -> None:
    instant = naive.replace(tzinfo=UTC)
    written = instant.astimezone(timezone(timedelta(minutes=minutes))).isoformat()
    assert clock.parse_instant(written) == instant


@pytest.mark.parametrize(
    ("instant", "expected"),
    [
        pytest.param(
            datetime(2026, 9, 18, 15, 59, 59, 999_999, tzinfo=UTC), date(2026, 9, 18), id="just before 16:00Z"
        ),
        pytest.param(datetime(2026, 9, 18, 16, 0, tzinfo=UTC), date(2026, 9, 19), id="16:00Z is midnight"),
        pytest.param(datetime(2026, 9, 18, 0, 0, tzinfo=UTC), date(2026, 9, 18), id="midnight of UTC"),
        pytest.param(datetime(2026, 12, 31, 16, 0, tzinfo=UTC), date(2027, 1, 1), id="crosses the year"),
        pytest.param(datetime(2028, 2, 28, 16, 0, tzinfo=UTC), date(2028, 2, 29), id="29 February"),
        pytest.param(datetime(2027, 2, 28, 16, 0, tzinfo=UTC), date(2027, 3, 1), id="no 29 February"),
        pytest.param(datetime(2026, 7, 1, 16, 0, tzinfo=UTC), date(2026, 7, 2), id="no summer time"),
    ],
)
def test_a_day_begins_at_the_districts_midnight(instant: datetime, expected: date) -> None:
    assert clock.local_date(instant) == expected
    with clock.frozen(instant):
        assert clock.today() == expected


@unhurried
@given(modern_instants)
def test_the_district_is_eight_hours_ahead_all_year(instant: datetime) -> None:
    shown = clock.local(instant)
    assert shown == instant
    assert shown.utcoffset() == timedelta(hours=8)


@pytest.mark.parametrize(
    ("day", "wall", "expected"),
    [
        pytest.param(date(2026, 9, 19), wall_time(0), datetime(2026, 9, 18, 16, 0, tzinfo=UTC), id="midnight"),
        pytest.param(date(2026, 9, 19), wall_time(8), datetime(2026, 9, 19, 0, 0, tzinfo=UTC), id="eight o'clock"),
        pytest.param(date(2026, 9, 19), wall_time(7, 59), datetime(2026, 9, 18, 23, 59, tzinfo=UTC), id="before eight"),
        pytest.param(date(2027, 1, 1), wall_time(7, 30), datetime(2026, 12, 31, 23, 30, tzinfo=UTC), id="new year"),
    ],
)
def test_a_wall_time_becomes_an_instant_in_utc(day: date, wall: wall_time, expected: datetime) -> None:
    instant = clock.at(day, wall)
    assert instant == expected
    assert instant.utcoffset() == timedelta(0)


def test_a_day_without_a_wall_time_means_its_midnight() -> None:
    assert clock.at(date(2026, 9, 19)) == datetime(2026, 9, 18, 16, 0, tzinfo=UTC)


@unhurried
@given(modern_days, st.times())
def test_what_the_wall_clock_shows_comes_back(day: date, wall: wall_time) -> None:
    shown = clock.local(clock.at(day, wall))
    assert (shown.date(), shown.time()) == (day, wall)


@pytest.mark.parametrize(
    ("instant", "inside"),
    [
        pytest.param(datetime(2026, 9, 17, 15, 59, 59, tzinfo=UTC), False, id="just before the first day"),
        pytest.param(datetime(2026, 9, 17, 16, 0, tzinfo=UTC), True, id="first midnight"),
        pytest.param(datetime(2026, 9, 19, 15, 59, 59, 999_999, tzinfo=UTC), True, id="end of the last day"),
        pytest.param(datetime(2026, 9, 19, 16, 0, tzinfo=UTC), False, id="midnight after the last day"),
    ],
)
def test_a_span_of_days_includes_the_whole_of_both_ends(instant: datetime, inside: bool) -> None:
    start, end = clock.day_span(date(2026, 9, 18), date(2026, 9, 19))
    assert (start <= instant < end) is inside


@unhurried
@given(modern_days, st.integers(0, 400))
def test_spans_of_days_follow_each_other_without_gap_or_overlap(first: date, length: int) -> None:
    last = first + timedelta(days=length)
    start, end = clock.day_span(first, last)
    assert end - start == timedelta(days=length + 1)
    assert clock.day_span(last + timedelta(days=1), last + timedelta(days=1))[0] == end
