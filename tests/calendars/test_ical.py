"""What is written is what another program reads, whatever stands in a title."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from facilities.calendars.ical import Entry, write
from tests.calendars.reading import method, read

START = datetime(2026, 9, 19, 1, 0, tzinfo=UTC)
ENTRY = Entry("booking-7", 8, START, START + timedelta(minutes=90), "非遗竹编", reminds=True)


@pytest.mark.parametrize(
    ("title", "said"),
    [
        pytest.param("竹编, 第二讲; 带剪刀", "竹编, 第二讲; 带剪刀", id="commas and semicolons"),
        pytest.param("两行\r\n第二行", "两行\n第二行", id="CR LF"),
        pytest.param("两行\r第二行", "两行\n第二行", id="CR alone"),
        pytest.param("两行\n第二行", "两行\n第二行", id="LF alone"),
        pytest.param("反斜\\杠 \\n 不是换行", "反斜\\杠 \\n 不是换行", id="backslashes"),
        pytest.param('引"号" 冒:号 BEGIN:VEVENT', '引"号" 冒:号 BEGIN:VEVENT', id="quotes and colons"),
        pytest.param("龙舟🐉" * 40, "龙舟🐉" * 40, id="long, with signs of four octets"),
        pytest.param("a\x00b\x07c", "abc", id="control characters"),
        pytest.param(" leading and trailing ", " leading and trailing ", id="blanks at the ends"),
    ],
)
def test_a_title_comes_out_as_it_was_meant(title: str, said: str) -> None:
    (event,) = read(write([replace(ENTRY, summary=title, location=title, description=title)], START))
    assert (event.summary, event.location, event.description) == (said, said, said)


@given(st.text(st.characters(exclude_categories=("Cc", "Cs")), max_size=200))
def test_any_title_is_read_back(title: str) -> None:
    (event,) = read(write([replace(ENTRY, summary=title)], START))
    assert event.summary == title


def test_an_entry_is_read_back_whole() -> None:
    content = write([replace(ENTRY, url="https://huimin.example.org/bookings/7")], START)
    (event,) = read(content)
    assert event.uid == "booking-7@huimin.dadukou"
    assert (event.sequence, event.status, event.alarms) == (8, "CONFIRMED", 1)
    assert (event.starts_at, event.ends_at) == (ENTRY.starts_at, ENTRY.ends_at)
    assert event.url == "https://huimin.example.org/bookings/7"
    assert method(content) == "PUBLISH"


def test_what_is_cancelled_says_so_and_does_not_ring() -> None:
    content = write([replace(ENTRY, status="CANCELLED")], START)
    (event,) = read(content)
    assert (event.status, event.alarms, method(content)) == ("CANCELLED", 0, "CANCEL")


def test_a_calendar_that_is_subscribed_to_has_a_name_and_says_when_to_look_again() -> None:
    content = write([], START, "我的预约, 全家")
    assert read(content) == []
    assert b"X-WR-CALNAME:" in content
    assert b"REFRESH-INTERVAL;VALUE=DURATION:PT1H" in content
    assert method(content) == "PUBLISH"
