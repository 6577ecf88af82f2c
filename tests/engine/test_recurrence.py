from datetime import UTC, date, datetime, time, timedelta
from time import process_time

import pytest
from dateutil.rrule import rrulestr
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from facilities.engine.recurrence import (
    HORIZON,
    MOST_OCCURRENCES,
    LeftOut,
    Rule,
    occurrences,
    plan,
    read_rule,
    shifted,
)
from facilities.engine.working_days import OnRestDays
from facilities.kernel import clock
from facilities.kernel.refusals import Invalid

unhurried = settings(deadline=None)  # a busy machine is no failure
NINE = time(9)
WEDNESDAY = clock.at(date(2026, 9, 16), NINE)


def days(text: str, first: date, wall: time = NINE) -> list[date]:
    return [clock.local_date(start) for start in occurrences(read_rule(text), clock.at(first, wall), until=None)]


def every(*texts: str) -> list[date]:
    return [date.fromisoformat(text) for text in texts]


def why_not_read(text: str) -> str:
    with pytest.raises(Invalid) as invalid:
        read_rule(text)
    return invalid.value.fields["rrule"]


def why_not_held(text: str, starts_at: datetime = WEDNESDAY, until: datetime | None = None) -> str:
    with pytest.raises(Invalid) as invalid:
        occurrences(read_rule(text), starts_at, until=until)
    return invalid.value.fields["rrule"]


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        pytest.param("FREQ=DAILY", Rule("FREQ=DAILY", "DAILY"), id="shortest"),
        pytest.param("RRULE:FREQ=DAILY", Rule("FREQ=DAILY", "DAILY"), id="with its name"),
        pytest.param("rrule:freq=daily", Rule("FREQ=DAILY", "DAILY"), id="small letters"),
        pytest.param("COUNT=2;FREQ=DAILY", Rule("COUNT=2;FREQ=DAILY", "DAILY", count=2), id="in any order"),
        pytest.param("FREQ=DAILY;COUNT=366", Rule("FREQ=DAILY;COUNT=366", "DAILY", count=366), id="as many as can be"),
        pytest.param(
            "FREQ=WEEKLY;INTERVAL=2;BYDAY=MO,SU;WKST=SU",
            Rule(
                "FREQ=WEEKLY;INTERVAL=2;BYDAY=MO,SU;WKST=SU",
                "WEEKLY",
                interval=2,
                week_starts=6,
                by_day=((0, 0), (6, 0)),
            ),
            id="weekdays",
        ),
        pytest.param(
            "FREQ=MONTHLY;BYDAY=+1MO,-5FR;BYSETPOS=-1",
            Rule(
                "FREQ=MONTHLY;BYDAY=+1MO,-5FR;BYSETPOS=-1",
                "MONTHLY",
                by_day=((0, 1), (4, -5)),
                numbers=(("BYSETPOS", (-1,)),),
            ),
            id="weekdays of a month",
        ),
        pytest.param(
            "FREQ=DAILY;UNTIL=20261231",
            Rule("FREQ=DAILY;UNTIL=20261231", "DAILY", until=date(2026, 12, 31)),
            id="until a day",
        ),
        pytest.param(
            "FREQ=DAILY;UNTIL=20261231T235959Z",
            Rule("FREQ=DAILY;UNTIL=20261231T235959Z", "DAILY", until=datetime(2026, 12, 31, 23, 59, 59, tzinfo=UTC)),
            id="until an instant",
        ),
        pytest.param(
            "FREQ=YEARLY;BYWEEKNO=20,-1;BYMONTH=5,12",
            Rule(
                "FREQ=YEARLY;BYWEEKNO=20,-1;BYMONTH=5,12",
                "YEARLY",
                numbers=(("BYMONTH", (5, 12)), ("BYWEEKNO", (20, -1))),
            ),
            id="weeks of a year",
        ),
    ],
)
def test_a_rule_is_read(text: str, rule: Rule) -> None:
    assert read_rule(text) == rule
    assert read_rule(rule.text) == rule, "what is kept reads the same"


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("", id="nothing"),
        pytest.param("RRULE:", id="a name alone"),
        pytest.param("RRULE:RRULE:FREQ=DAILY", id="its name twice"),
        pytest.param("weekly", id="a word"),
        pytest.param("FREQ", id="no value"),
        pytest.param("FREQ=", id="an empty value"),
        pytest.param("INTERVAL=2", id="no FREQ"),
        pytest.param("FREQ=DAILY;FREQ=DAILY", id="FREQ twice"),
        pytest.param("FREQ=DAILY;", id="a part too many"),
        pytest.param("FREQ=DAILY;;COUNT=2", id="an empty part"),
        pytest.param("FREQ=DAILY;COUNT=2=3", id="a value too many"),
        pytest.param(" FREQ=DAILY", id="a blank before"),
        pytest.param("FREQ=DAILY; COUNT=2", id="a blank within"),
        pytest.param("FREQ=DAILY\n", id="a line break after"),
        pytest.param("FREQ=DAILY\r\nEXDATE:20260917T010000Z", id="dates left out"),
        pytest.param("RDATE:20260917T010000Z", id="dates added"),
        pytest.param("DTSTART:20260917T010000Z\nRRULE:FREQ=DAILY", id="a start of its own"),
        pytest.param("FREQ=DAILY;DTSTART=20260917", id="a start among the parts"),
        pytest.param("EXRULE:FREQ=DAILY", id="another name"),
        pytest.param("FREQ=FORTNIGHTLY", id="an unknown frequency"),
        pytest.param("FREQ=HOURLY", id="hourly"),
        pytest.param("FREQ=MINUTELY", id="by the minute"),
        pytest.param("FREQ=SECONDLY", id="by the second"),
        pytest.param("FREQ=DAILY;BYHOUR=9,10", id="BYHOUR"),
        pytest.param("FREQ=DAILY;BYMINUTE=0,30", id="BYMINUTE"),
        pytest.param("FREQ=DAILY;BYSECOND=0", id="BYSECOND"),
        pytest.param("FREQ=YEARLY;BYEASTER=0", id="BYEASTER, which is dateutil's own"),
        pytest.param("FREQ=WEEKLY;BYWEEKDAY=MO", id="BYWEEKDAY, which is dateutil's own"),
        pytest.param("FREQ=DAILY;X-FOO=1", id="an extension"),
        pytest.param("FREQ=DAILY;INTERVAL=0", id="INTERVAL 0"),
        pytest.param("FREQ=DAILY;INTERVAL=-1", id="INTERVAL below 0"),
        pytest.param("FREQ=DAILY;INTERVAL=1.5", id="INTERVAL broken"),
        pytest.param("FREQ=DAILY;INTERVAL=٢", id="Arabic digits"),
        pytest.param("FREQ=DAILY;COUNT=0", id="COUNT 0"),
        pytest.param("FREQ=DAILY;COUNT=-3", id="COUNT below 0"),
        pytest.param("FREQ=DAILY;COUNT=1_0", id="COUNT as Python would read it"),
        pytest.param("FREQ=DAILY;COUNT=3;UNTIL=20261231", id="COUNT and UNTIL"),
        pytest.param("FREQ=DAILY;UNTIL=20260231", id="until a day that is none"),
        pytest.param("FREQ=DAILY;UNTIL=2026-12-31", id="until a day with dashes"),
        pytest.param("FREQ=DAILY;UNTIL=20261231T120000", id="until nobody knows which instant"),
        pytest.param("FREQ=DAILY;UNTIL=20261231T250000Z", id="until hour 25"),
        pytest.param("FREQ=DAILY;UNTIL=TZID=ASIA/SHANGHAI:20261231T120000", id="until, in a zone"),
        pytest.param("FREQ=WEEKLY;BYDAY=", id="no day"),
        pytest.param("FREQ=WEEKLY;BYDAY=MO,", id="a day too few"),
        pytest.param("FREQ=WEEKLY;BYDAY=XX", id="no weekday"),
        pytest.param("FREQ=WEEKLY;BYDAY=MONDAY", id="a weekday in full"),
        pytest.param("FREQ=WEEKLY;BYDAY=1MO", id="the first Monday of a week"),
        pytest.param("FREQ=DAILY;BYDAY=1MO", id="the first Monday of a day"),
        pytest.param("FREQ=MONTHLY;BYDAY=0MO", id="the zeroth Monday"),
        pytest.param("FREQ=MONTHLY;BYDAY=6MO", id="the sixth Monday of a month"),
        pytest.param("FREQ=YEARLY;BYMONTH=12;BYDAY=53MO", id="the 53rd Monday of December"),
        pytest.param("FREQ=YEARLY;BYDAY=54MO", id="the 54th Monday of a year"),
        pytest.param("FREQ=YEARLY;BYWEEKNO=1;BYDAY=1MO", id="the first Monday of a numbered week"),
        pytest.param("FREQ=WEEKLY;WKST=8", id="weeks begin on no day"),
        pytest.param("FREQ=YEARLY;BYMONTH=0", id="month 0"),
        pytest.param("FREQ=YEARLY;BYMONTH=13", id="month 13"),
        pytest.param("FREQ=YEARLY;BYMONTH=-1", id="the last month"),
        pytest.param("FREQ=MONTHLY;BYMONTHDAY=0", id="day 0"),
        pytest.param("FREQ=MONTHLY;BYMONTHDAY=32", id="day 32"),
        pytest.param("FREQ=MONTHLY;BYMONTHDAY=--1", id="a sign too many"),
        pytest.param("FREQ=WEEKLY;BYMONTHDAY=1", id="a day of the month, weekly"),
        pytest.param("FREQ=MONTHLY;BYYEARDAY=1", id="a day of the year, monthly"),
        pytest.param("FREQ=YEARLY;BYYEARDAY=367", id="day 367"),
        pytest.param("FREQ=MONTHLY;BYWEEKNO=1", id="a numbered week, monthly"),
        pytest.param("FREQ=YEARLY;BYWEEKNO=54", id="week 54"),
        pytest.param("FREQ=MONTHLY;BYSETPOS=1", id="a place in no set"),
        pytest.param("FREQ=MONTHLY;BYDAY=MO;BYSETPOS=0", id="place 0"),
        pytest.param("FREQ=MONTHLY;BYDAY=MO;BYSETPOS=367", id="place 367"),
        pytest.param("FREQ=DAILY;INTERVAL=" + "0" * 180 + "1", id="201 characters"),
    ],
)
def test_what_is_no_rule_over_days_is_refused(text: str) -> None:
    assert why_not_read(text) == "bad_rule"


def test_two_hundred_characters_are_not_too_many() -> None:
    assert read_rule("FREQ=DAILY;INTERVAL=" + "0" * 179 + "1").interval == 1


@pytest.mark.parametrize("count", ["367", "99999", "9" * 150])
def test_no_rule_may_ask_for_more_than_a_year_of_days(count: str) -> None:
    assert why_not_read(f"FREQ=DAILY;COUNT={count}") == "too_many_occurrences"


SEPTEMBER_1997 = date(1997, 9, 2)  # a Tuesday: RFC 5545, 3.8.5.3, from where these are taken
AS_IN_THE_RFC = [
    pytest.param("FREQ=DAILY;COUNT=3", SEPTEMBER_1997, every("1997-09-02", "1997-09-03", "1997-09-04"), id="some days"),
    pytest.param(
        "FREQ=DAILY;INTERVAL=10;COUNT=3",
        SEPTEMBER_1997,
        every("1997-09-02", "1997-09-12", "1997-09-22"),
        id="every tenth day",
    ),
    pytest.param(
        "FREQ=WEEKLY;COUNT=3", SEPTEMBER_1997, every("1997-09-02", "1997-09-09", "1997-09-16"), id="some weeks"
    ),
    pytest.param(
        "FREQ=WEEKLY;INTERVAL=2;UNTIL=19970930;WKST=SU;BYDAY=MO,WE,FR",
        date(1997, 9, 1),
        every("1997-09-01", "1997-09-03", "1997-09-05", "1997-09-15", "1997-09-17", "1997-09-19", "1997-09-29"),
        id="every other week",
    ),
    pytest.param(
        "FREQ=WEEKLY;INTERVAL=2;COUNT=4;BYDAY=TU,SU;WKST=MO",
        date(1997, 8, 5),
        every("1997-08-05", "1997-08-10", "1997-08-19", "1997-08-24"),
        id="weeks begin on Monday",
    ),
    pytest.param(
        "FREQ=WEEKLY;INTERVAL=2;COUNT=4;BYDAY=TU,SU;WKST=SU",
        date(1997, 8, 5),
        every("1997-08-05", "1997-08-17", "1997-08-19", "1997-08-31"),
        id="weeks begin on Sunday",
    ),
    pytest.param(
        "FREQ=MONTHLY;COUNT=6;BYDAY=1FR",
        SEPTEMBER_1997,
        every("1997-09-05", "1997-10-03", "1997-11-07", "1997-12-05", "1998-01-02", "1998-02-06"),
        id="first Fridays",
    ),
    pytest.param(
        "FREQ=MONTHLY;COUNT=6;BYDAY=-2MO",
        SEPTEMBER_1997,
        every("1997-09-22", "1997-10-20", "1997-11-17", "1997-12-22", "1998-01-19", "1998-02-16"),
        id="last Mondays but one",
    ),
    pytest.param(
        "FREQ=MONTHLY;BYMONTHDAY=-3;COUNT=6",
        SEPTEMBER_1997,
        every("1997-09-28", "1997-10-29", "1997-11-28", "1997-12-29", "1998-01-29", "1998-02-26"),
        id="last days but two",
    ),
    pytest.param(
        "FREQ=MONTHLY;BYMONTHDAY=15,30;COUNT=5",
        date(2007, 1, 15),
        every("2007-01-15", "2007-01-30", "2007-02-15", "2007-03-15", "2007-03-30"),
        id="30 February is passed over",
    ),
    pytest.param(
        "FREQ=MONTHLY;BYDAY=FR;BYMONTHDAY=13;COUNT=5",
        SEPTEMBER_1997,
        every("1998-02-13", "1998-03-13", "1998-11-13", "1999-08-13", "2000-10-13"),
        id="Fridays the 13th",
    ),
    pytest.param(
        "FREQ=MONTHLY;COUNT=3;BYDAY=TU,WE,TH;BYSETPOS=3",
        SEPTEMBER_1997,
        every("1997-09-04", "1997-10-07", "1997-11-06"),
        id="the third of several weekdays",
    ),
    pytest.param(
        "FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-2;COUNT=7",
        SEPTEMBER_1997,
        every("1997-09-29", "1997-10-30", "1997-11-27", "1997-12-30", "1998-01-29", "1998-02-26", "1998-03-30"),
        id="the last weekday but one",
    ),
    pytest.param(
        "FREQ=YEARLY;INTERVAL=3;COUNT=10;BYYEARDAY=1,100,200",
        date(1997, 1, 1),
        every(
            *("1997-01-01", "1997-04-10", "1997-07-19", "2000-01-01", "2000-04-09", "2000-07-18"),
            *("2003-01-01", "2003-04-10", "2003-07-19", "2006-01-01"),
        ),
        id="days of every third year",
    ),
    pytest.param(
        "FREQ=YEARLY;BYDAY=20MO;COUNT=3",
        date(1997, 5, 19),
        every("1997-05-19", "1998-05-18", "1999-05-17"),
        id="twentieth Mondays",
    ),
    pytest.param(
        "FREQ=YEARLY;BYWEEKNO=20;BYDAY=MO;COUNT=3",
        date(1997, 5, 12),
        every("1997-05-12", "1998-05-11", "1999-05-17"),
        id="Mondays of week 20",
    ),
    pytest.param(
        "FREQ=YEARLY;INTERVAL=4;BYMONTH=11;BYDAY=TU;BYMONTHDAY=2,3,4,5,6,7,8;COUNT=3",
        date(1996, 11, 5),
        every("1996-11-05", "2000-11-07", "2004-11-02"),
        id="election days",
    ),
]


@pytest.mark.parametrize(("text", "first", "expected"), AS_IN_THE_RFC)
def test_rules_mean_what_the_rfc_says(text: str, first: date, expected: list[date]) -> None:
    assert days(text, first) == expected


@pytest.mark.parametrize(
    ("text", "first", "expected"),
    [
        pytest.param(
            "FREQ=YEARLY;BYWEEKNO=20;COUNT=2",
            date(1997, 5, 12),
            every("1997-05-12", "1998-05-11"),
            id="a week by its number: the first start's weekday",
        ),
        pytest.param(
            "FREQ=MONTHLY;BYDAY=1TU,MO;COUNT=6",
            date(2026, 9, 1),
            every("2026-09-01", "2026-09-07", "2026-09-14", "2026-09-21", "2026-09-28", "2026-10-05"),
            id="the first Tuesday, and every Monday",
        ),
        pytest.param(
            "FREQ=MONTHLY;BYDAY=1TU,MO;COUNT=3",
            date(2026, 8, 24),
            every("2026-08-24", "2026-08-31", "2026-09-01"),
            id="the fifth Monday is one of every",
        ),
        pytest.param(
            "FREQ=YEARLY;BYDAY=-1FR,MO;COUNT=54",
            date(2026, 1, 1),
            [
                *(date(2026, 1, 5) + timedelta(weeks=n) for n in range(51)),
                *every("2026-12-25", "2026-12-28", "2027-01-04"),
            ],
            id="the year's last Friday, and every Monday",
        ),
        pytest.param(
            "FREQ=WEEKLY;BYDAY=MO;COUNT=2",
            date(2026, 9, 16),
            every("2026-09-21", "2026-09-28"),
            id="the first start does not count where the rule leaves it out",
        ),
        pytest.param(
            "FREQ=MONTHLY;COUNT=3", date(2026, 1, 31), every("2026-01-31", "2026-03-31", "2026-05-31"), id="every 31st"
        ),
        pytest.param("FREQ=YEARLY;COUNT=2", date(2096, 2, 29), every("2096-02-29", "2104-02-29"), id="no leap in 2100"),
        pytest.param("FREQ=DAILY;COUNT=1", date(2026, 9, 16), every("2026-09-16"), id="one alone"),
        pytest.param(
            "FREQ=YEARLY;COUNT=9",
            date(9995, 5, 1),
            [date(year, 5, 1) for year in range(9995, 10_000)],
            id="the last years",
        ),
        pytest.param(
            "FREQ=WEEKLY;COUNT=9", date(9999, 12, 20), every("9999-12-20", "9999-12-27"), id="the last week of all"
        ),
        pytest.param(
            "FREQ=YEARLY;COUNT=366",
            date(2026, 9, 16),
            [date(2026 + n, 9, 16) for n in range(101)],
            id="a hundred years and no further",
        ),
    ],
)
def test_where_rules_are_odd(text: str, first: date, expected: list[date]) -> None:
    assert days(text, first) == expected


@pytest.mark.parametrize(
    ("wall", "utc_hour"),
    [
        pytest.param(time(0, 0), 16, id="midnight: UTC is a day behind"),
        pytest.param(time(7, 59), 23, id="still yesterday in UTC"),
        pytest.param(time(8, 0), 0, id="the same day in UTC"),
        pytest.param(time(23, 59, 59, 999999), 15, id="a moment before midnight"),
    ],
)
def test_weekdays_are_the_districts_and_not_those_of_utc(wall: time, utc_hour: int) -> None:
    found = occurrences(read_rule("FREQ=WEEKLY;BYDAY=SA;COUNT=3"), clock.at(date(2026, 9, 19), wall))
    assert [clock.local(start).date() for start in found] == every("2026-09-19", "2026-09-26", "2026-10-03")
    assert {clock.local(start).time() for start in found} == {wall}
    assert {(start.hour, start.tzinfo) for start in found} == {(utc_hour, UTC)}


def test_the_wall_clock_keeps_its_hour_over_a_change_of_the_clocks() -> None:
    """Summer time, Shanghai's last: it ended on 15 September 1991."""
    found = occurrences(read_rule("FREQ=DAILY;COUNT=4"), clock.at(date(1991, 9, 13), NINE))
    assert [start.hour for start in found] == [0, 0, 1, 1]
    assert {clock.local(start).time() for start in found} == {NINE}


@pytest.mark.parametrize(
    ("until", "number"),
    [
        pytest.param("20260918", 3, id="a day is held to its end"),
        pytest.param("20260918T010000Z", 3, id="the very start"),
        pytest.param("20260918T005959Z", 2, id="a second before the start"),
        pytest.param("20260917T235959Z", 2, id="of the same local day, before the start"),
        pytest.param("20260916", 1, id="the first day"),
    ],
)
def test_until_holds_what_starts_then(until: str, number: int) -> None:
    assert len(occurrences(read_rule(f"FREQ=DAILY;UNTIL={until}"), WEDNESDAY, until=None)) == number


@pytest.mark.parametrize(
    ("text", "after", "number"),
    [
        pytest.param("FREQ=DAILY", timedelta(days=2), 3, id="the very start"),
        pytest.param("FREQ=DAILY", timedelta(days=2, microseconds=-1), 2, id="a moment before"),
        pytest.param("FREQ=DAILY;COUNT=2", timedelta(days=9), 2, id="the rule ends earlier"),
        pytest.param("FREQ=DAILY;UNTIL=20260917", timedelta(days=9), 2, id="the rule's UNTIL is earlier"),
        pytest.param("FREQ=DAILY;COUNT=9", timedelta(0), 1, id="the first alone"),
        pytest.param("FREQ=WEEKLY", timedelta(days=3660), 53, id="beyond the horizon"),
    ],
)
def test_the_caller_may_end_it_earlier(text: str, after: timedelta, number: int) -> None:
    assert len(occurrences(read_rule(text), WEDNESDAY, until=WEDNESDAY + after)) == number


@pytest.mark.parametrize(
    ("text", "number"),
    [
        pytest.param("FREQ=DAILY", 366, id="daily"),
        pytest.param("FREQ=WEEKLY", 53, id="weekly"),
        pytest.param("FREQ=MONTHLY", 13, id="monthly"),
        pytest.param("FREQ=YEARLY", 2, id="yearly"),
        pytest.param("FREQ=YEARLY;INTERVAL=2", 1, id="every other year"),
    ],
)
def test_a_rule_without_an_end_runs_for_a_leap_years_length(text: str, number: int) -> None:
    found = occurrences(read_rule(text), WEDNESDAY)
    assert len(found) == number
    assert found[-1] < WEDNESDAY + HORIZON


def test_no_more_than_366_are_planned() -> None:
    assert len(occurrences(read_rule("FREQ=DAILY;UNTIL=20270916"), WEDNESDAY)) == MOST_OCCURRENCES
    assert why_not_held("FREQ=DAILY;UNTIL=20270917") == "too_many_occurrences"
    assert why_not_held("FREQ=DAILY;UNTIL=99991231T235959Z") == "too_many_occurrences"


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("FREQ=DAILY;UNTIL=20260915", id="over before it starts"),
        pytest.param("FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30", id="30 February"),
        pytest.param("FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30;COUNT=1", id="30 February once"),
        pytest.param("FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30;UNTIL=99991231", id="30 February, looked for daily"),
        pytest.param("FREQ=MONTHLY;BYMONTHDAY=31;BYMONTH=4,6,9,11;COUNT=1", id="31 April, June, …"),
        pytest.param("FREQ=WEEKLY;BYDAY=MO;BYSETPOS=2;COUNT=1", id="the second of one"),
        pytest.param("FREQ=DAILY;INTERVAL=7;BYDAY=TU;COUNT=1", id="a Tuesday, every seventh day from a Wednesday"),
        pytest.param("FREQ=YEARLY;INTERVAL=4;BYMONTH=2;BYMONTHDAY=29;COUNT=1", id="29 February, never in a leap year"),
        pytest.param("FREQ=YEARLY;INTERVAL=" + "9" * 99 + ";BYMONTH=1;COUNT=3", id="after the end of time"),
        pytest.param("FREQ=WEEKLY;INTERVAL=" + "9" * 99 + ";BYDAY=MO;COUNT=3", id="weeks after the end of time"),
        pytest.param("FREQ=DAILY;INTERVAL=" + "9" * 99 + ";BYMONTH=1;COUNT=3", id="days after the end of time"),
        pytest.param("FREQ=MONTHLY;INTERVAL=" + "9" * 99 + ";BYMONTH=1;COUNT=3", id="months after the end of time"),
    ],
)
def test_a_rule_that_never_matches_is_told_so_soon(text: str) -> None:
    began = process_time()
    assert why_not_held(text) == "no_occurrence"
    assert process_time() - began < 3


def test_the_search_survives_a_week_that_ends_in_the_year_10000() -> None:
    """The rule's second week is that of 27 December 2399, looked for in 9999, and its Saturday is in January."""
    weeks = (date(2399, 12, 27) - date(2026, 9, 14)).days // 7
    assert why_not_held(f"FREQ=WEEKLY;INTERVAL={weeks};BYMONTH=1;BYDAY=SA;COUNT=1") == "no_occurrence"


@pytest.mark.parametrize("year", [1926, 1999, 2026, 2299, 2300, 2301, 2399, 2400, 9899, 9900, 9998])
def test_every_year_is_searched_in_a_calendar_like_its_own(year: int) -> None:
    assert (
        days("FREQ=WEEKLY;BYDAY=MO,TH;COUNT=20", date(year, 6, 1))
        == [day for day in (date(year, 6, 1) + timedelta(days=n) for n in range(90)) if day.weekday() in (0, 3)][:20]
    )


@pytest.mark.parametrize(
    ("starts_at", "until"),
    [
        pytest.param(WEDNESDAY.replace(tzinfo=None), None, id="naive start"),
        pytest.param(WEDNESDAY, WEDNESDAY.replace(tzinfo=None), id="naive end"),
    ],
)
def test_naive_instants_are_refused(starts_at: datetime, until: datetime | None) -> None:
    with pytest.raises(ValueError, match="aware"):
        occurrences(read_rule("FREQ=DAILY"), starts_at, until=until)


def listed(values: st.SearchStrategy[str], most: int = 4) -> st.SearchStrategy[str]:
    return st.lists(values, min_size=1, max_size=most, unique=True).map(",".join)


def signed(most: int) -> st.SearchStrategy[str]:
    return st.integers(-most, most).filter(bool).map(str)


weekdays = st.sampled_from(["MO", "TU", "WE", "TH", "FR", "SA", "SU"])
months = listed(st.integers(1, 12).map(str))
counted = st.integers(1, 30).map(lambda n: ("COUNT", str(n)))


def instants(first: int, last: int) -> st.SearchStrategy[datetime]:
    """At any time of day in the years from `first` to `last`."""
    return st.builds(clock.at, st.dates(date(first, 1, 1), date(last, 12, 31)), st.times())


starts = instants(1992, 2150)  # the clocks do not change any more


@st.composite
def rules(draw: st.DrawFn) -> str:
    """Rules with a COUNT, most of which match something."""
    frequency = draw(st.sampled_from(["DAILY", "WEEKLY", "MONTHLY", "YEARLY"]))
    ordinals = {"MONTHLY": signed(5), "YEARLY": signed(5)}.get(frequency)
    day = weekdays if ordinals is None else st.one_of(weekdays, st.tuples(ordinals, weekdays).map("".join))
    parts = {"FREQ": frequency, **dict([draw(counted)])}
    optional: dict[str, st.SearchStrategy[str]] = {
        "INTERVAL": st.integers(1, 6).map(str),
        "WKST": weekdays,
        "BYMONTH": months,
        "BYDAY": listed(day),
    }
    if frequency != "WEEKLY":
        optional["BYMONTHDAY"] = listed(signed(31), 12)
    if frequency == "YEARLY":
        optional["BYYEARDAY"] = listed(signed(366), 20)
    for name, values in optional.items():
        if draw(st.booleans()):
            parts[name] = draw(values)
    if any(name.startswith("BY") for name in parts) and draw(st.booleans()):
        parts["BYSETPOS"] = draw(listed(signed(5)))
    return ";".join(f"{name}={value}" for name, value in parts.items())


def mixes_ordinals(text: str) -> bool:
    written = dict(part.split("=") for part in text.split(";")).get("BYDAY", "")
    return len({len(day) > 2 for day in written.split(",")}) > 1


# Late, because dateutil searches until 9999; and yet so early that the search is done 400 years later.
far_starts = instants(9400, 9498)


@settings(unhurried, max_examples=40)
@given(rules(), far_starts)
def test_the_days_are_those_of_dateutil_itself(text: str, starts_at: datetime) -> None:
    assume(not mixes_ordinals(text))  # dateutil reads those otherwise than the RFC
    wall = clock.local(starts_at).replace(tzinfo=None)
    last = wall.date() + timedelta(days=36_600)
    expected = [found.date() for found in rrulestr(text, dtstart=wall.replace(microsecond=0)) if found.date() <= last]
    if not expected:
        assert why_not_held(text, starts_at) == "no_occurrence"
        return
    found = occurrences(read_rule(text), starts_at)
    assert [clock.local_date(start) for start in found] == expected
    assert {clock.local(start).time() for start in found} == {wall.time()}


@unhurried
@given(
    starts,
    st.sets(st.integers(1, 12), min_size=1),
    st.sets(st.sampled_from(["MO", "TU", "WE", "TH", "FR", "SA", "SU"]), min_size=1),
    st.integers(1, 9),
)
def test_a_daily_rule_takes_every_day_that_it_does_not_leave_out(
    starts_at: datetime, months: set[int], names: set[str], interval: int
) -> None:
    text = f"FREQ=DAILY;INTERVAL={interval};BYMONTH={','.join(map(str, months))};BYDAY={','.join(names)}"
    first = clock.local_date(starts_at)
    wanted = {["MO", "TU", "WE", "TH", "FR", "SA", "SU"].index(name) for name in names}
    year = [first + timedelta(days=n) for n in range(0, 366, interval)]
    expected = [day for day in year if day.month in months and day.weekday() in wanted]
    if expected:
        assert [clock.local_date(start) for start in occurrences(read_rule(text), starts_at)] == expected
    else:
        assert why_not_held(text, starts_at) == "no_occurrence"


@unhurried
@given(st.one_of(st.text(max_size=210), st.from_regex(r"(RRULE:)?FREQ=[A-Z]{5,7}(;[A-Z]{3,10}=[0-9A-Z,+-]{1,9}){0,4}")))
def test_whatever_is_typed_is_a_rule_or_refused(text: str) -> None:
    try:
        rule = read_rule(text)
    except Invalid:
        assert why_not_read(text) in {"bad_rule", "too_many_occurrences"}
    else:
        assert read_rule(rule.text) == rule


NATIONAL_DAY = {date(2026, 10, n) for n in range(1, 8)}
SATURDAYS = [clock.at(date(2026, 9, 26) + timedelta(weeks=n), NINE) for n in range(3)]  # the second is in the holidays


def test_a_series_may_be_held_on_rest_days_or_skip_them() -> None:
    def is_rest_day(day: date) -> bool:
        return day in NATIONAL_DAY

    assert plan(SATURDAYS, OnRestDays.HOLD, is_rest_day) == (SATURDAYS, [])
    assert plan(SATURDAYS, OnRestDays.SKIP, is_rest_day) == (
        [SATURDAYS[0], SATURDAYS[2]],
        [LeftOut(SATURDAYS[1], "rest_day")],
    )
    assert plan([], OnRestDays.SKIP, is_rest_day) == ([], [])


@pytest.mark.parametrize(
    ("wall", "is_held"),
    [
        pytest.param(time(0, 30), False, id="yesterday in UTC, a rest day here"),
        pytest.param(time(23, 30), False, id="late in the evening"),
    ],
)
def test_a_rest_day_is_the_districts(wall: time, is_held: bool) -> None:
    start = clock.at(date(2026, 10, 1), wall)
    held, left_out = plan([start], OnRestDays.SKIP, lambda day: day == date(2026, 10, 1))
    assert bool(held) is is_held
    assert bool(left_out) is not is_held


@unhurried
@given(st.lists(starts, max_size=20, unique=True), st.sets(st.integers(0, 6)))
def test_everything_is_either_held_or_left_out(all_starts: list[datetime], rest: set[int]) -> None:
    held, left_out = plan(all_starts, OnRestDays.SKIP, lambda day: day.weekday() in rest)
    assert sorted([*held, *(each.starts_at for each in left_out)]) == sorted(all_starts)
    assert all(clock.local_date(start).weekday() not in rest for start in held)


@pytest.mark.parametrize(
    ("frm", "to", "moved"),
    [
        pytest.param("2026-09-16T09:00", "2026-09-16T09:00", "2026-09-23T09:00", id="nowhere"),
        pytest.param("2026-09-16T09:00", "2026-09-16T14:30", "2026-09-23T14:30", id="to the afternoon"),
        pytest.param("2026-09-16T09:00", "2026-09-17T09:00", "2026-09-24T09:00", id="to the next day"),
        pytest.param("2026-09-16T09:00", "2026-09-14T08:00", "2026-09-21T08:00", id="back"),
        pytest.param("2026-09-16T09:00", "2026-09-17T00:00", "2026-09-24T00:00", id="to midnight"),
        pytest.param("2026-12-31T09:00", "2027-01-01T09:00", "2026-09-24T09:00", id="over the year's end"),
    ],
)
def test_an_occurrence_moves_as_its_model_does(frm: str, to: str, moved: str) -> None:
    def instant(wall: str) -> datetime:
        return clock.parse_instant(f"{wall}+08:00")

    found = shifted(instant("2026-09-23T09:00"), instant(frm), instant(to))
    assert found == instant(moved)
    assert found.tzinfo is UTC


def test_a_move_over_a_change_of_the_clocks_keeps_the_wall_clocks_hour() -> None:
    before, after = clock.at(date(1991, 9, 13), NINE), clock.at(date(1991, 9, 20), NINE)
    assert shifted(before, before, after) == after
    assert after - before == timedelta(days=7, hours=1)


these_years = instants(2020, 2040)  # none of which is moved to when the clocks still changed


@unhurried
@given(these_years, these_years, these_years)
def test_a_move_and_its_opposite_change_nothing(instant: datetime, frm: datetime, to: datetime) -> None:
    assert shifted(frm, frm, to) == to
    assert shifted(instant, frm, to) == instant + (to - frm), "the clocks do not change any more"
    assert shifted(shifted(instant, frm, to), to, frm) == instant
