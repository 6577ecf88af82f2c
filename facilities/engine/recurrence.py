"""Repetitions: RFC 5545 rules over whole days, in the district's wall-clock time.

Of the RFC's grammar all that speaks of days is read, section 3.3.10 with its restrictions; the time of day is the
first start's.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from dateutil import rrule  # type: ignore[import-untyped]

from facilities.engine.working_days import OnRestDays
from facilities.kernel import clock
from facilities.kernel.refusals import Invalid

MOST_OCCURRENCES = 366  # (our choice) a daily series of a leap year
HORIZON = timedelta(days=366)  # (our choice) how long a rule runs that does not say when it ends
LONGEST_TEXT = 200
_SEARCHED_YEARS = 100  # what comes later than this is not looked for

_FREQUENCIES = {"DAILY": rrule.DAILY, "WEEKLY": rrule.WEEKLY, "MONTHLY": rrule.MONTHLY, "YEARLY": rrule.YEARLY}
_WEEKDAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
_NUMBERS = {  # greatest value, may count from the end, frequencies that it cannot go with
    "BYMONTH": (12, False, ()),
    "BYMONTHDAY": (31, True, ("WEEKLY",)),
    "BYYEARDAY": (366, True, ("DAILY", "WEEKLY", "MONTHLY")),
    "BYWEEKNO": (53, True, ("DAILY", "WEEKLY", "MONTHLY")),
    "BYSETPOS": (366, True, ()),
}
_NAMES = frozenset({"FREQ", "INTERVAL", "COUNT", "UNTIL", "WKST", "BYDAY", *_NUMBERS})
_UNSIGNED = re.compile(r"\d+")
_SIGNED = re.compile(r"[+-]?\d+")
_DAY = re.compile(r"([+-]?\d{1,2})?([A-Z]{2})")
_UNTIL = re.compile(r"\d{8}(T\d{6}Z)?")


@dataclass(frozen=True, slots=True)
class Rule:
    """What `read_rule` understood; `text` is the value to keep, in capitals and without `RRULE:`.

    `until` as a date holds that local day as well; as an instant it is the last possible start. `by_day` are weekdays
    (Monday is 0), each with its ordinal, 0 for every one; `numbers` are the other BY… parts.
    """

    text: str
    frequency: str
    interval: int = 1
    count: int | None = None
    until: date | datetime | None = None
    week_starts: int = 0
    by_day: tuple[tuple[int, int], ...] = ()
    numbers: tuple[tuple[str, tuple[int, ...]], ...] = ()


@dataclass(frozen=True, slots=True)
class LeftOut:
    """An occurrence that is not held, and why."""

    starts_at: datetime
    code: str


def read_rule(text: str) -> Rule:
    """Invalid `bad_rule` for whatever is no rule over days, `too_many_occurrences` where COUNT is too great."""
    try:
        rule = _read(text)
    except ValueError as error:
        raise Invalid(rrule="bad_rule") from error
    if rule.count is not None and rule.count > MOST_OCCURRENCES:
        raise Invalid(rrule="too_many_occurrences")
    return rule


def _read(text: str) -> Rule:
    _require(len(text) <= LONGEST_TEXT and text.isascii())
    value = text.upper().removeprefix("RRULE:")  # RFC 5545, 2: names and enumerated values know no case
    parts: dict[str, str] = {}
    for part in value.split(";"):
        name, _, written = part.partition("=")
        _require(name in _NAMES and name not in parts)
        parts[name] = written
    frequency = parts.get("FREQ", "")
    _require(frequency in _FREQUENCIES)
    _require("COUNT" not in parts or "UNTIL" not in parts)
    _require("BYSETPOS" not in parts or any(name.startswith("BY") for name in parts if name != "BYSETPOS"))
    for name, (_, _, never_with) in _NUMBERS.items():
        _require(name not in parts or frequency not in never_with)
    return Rule(
        text=value,
        frequency=frequency,
        interval=_counting(parts.get("INTERVAL", "1")),
        count=_counting(parts["COUNT"]) if "COUNT" in parts else None,
        until=_until(parts["UNTIL"]) if "UNTIL" in parts else None,
        week_starts=_WEEKDAYS.index(parts.get("WKST", "MO")),
        by_day=tuple(_day(day, _most_ordinal(parts)) for day in parts["BYDAY"].split(",")) if "BYDAY" in parts else (),
        numbers=tuple((name, _numbers(parts[name], most, signed)) for name, (most, signed, _) in _NUMBERS.items()
                      if name in parts),
    )


def _require(holds: bool) -> None:
    if not holds:
        raise ValueError("not a rule over days")


def _counting(text: str) -> int:
    _require(_UNSIGNED.fullmatch(text) is not None and int(text) > 0)
    return int(text)


def _numbers(text: str, most: int, signed: bool) -> tuple[int, ...]:
    values = text.split(",")
    _require(all((_SIGNED if signed else _UNSIGNED).fullmatch(value) for value in values))
    numbers = tuple(int(value) for value in values)
    _require(all(0 < abs(number) <= most for number in numbers))
    return numbers


def _until(text: str) -> date | datetime:
    _require(_UNTIL.fullmatch(text) is not None)
    return datetime.fromisoformat(text) if "T" in text else date.fromisoformat(text)


def _most_ordinal(parts: dict[str, str]) -> int:
    """How often one weekday can come in what its ordinal counts in: a month, a year, or nothing."""
    if parts["FREQ"] == "MONTHLY" or (parts["FREQ"] == "YEARLY" and "BYMONTH" in parts):
        return 5
    return 53 if parts["FREQ"] == "YEARLY" and "BYWEEKNO" not in parts else 0


def _day(text: str, most: int) -> tuple[int, int]:
    found = _DAY.fullmatch(text)
    if found is None:
        raise ValueError(text)
    ordinal = int(found[1] or 0)
    _require(found[1] is None or 0 < abs(ordinal) <= most)
    return _WEEKDAYS.index(found[2]), ordinal


def occurrences(rule: Rule, starts_at: datetime, *, until: datetime | None = None) -> list[datetime]:
    """Starts in UTC, in order, at the wall-clock time of `starts_at`, which is one of them only where the rule says so.

    `until` is a further last possible start. Without COUNT and UNTIL the rule runs for HORIZON, the first day included
    (our choice). Invalid `too_many_occurrences`, `no_occurrence`; ValueError for naive instants.
    """
    if starts_at.tzinfo is None or (until is not None and until.tzinfo is None):
        raise ValueError("occurrences need aware instants")
    first = clock.local(starts_at)
    found: list[datetime] = []
    for day in _days(rule, first.date()):
        start = clock.at(day, first.time())
        if (until is not None and start > until) or _is_past(rule.until, day, start):
            break
        if len(found) == MOST_OCCURRENCES:
            raise Invalid(rrule="too_many_occurrences")
        found.append(start)
    if not found:
        raise Invalid(rrule="no_occurrence")
    return found


def _is_past(until: date | datetime | None, day: date, start: datetime) -> bool:
    if until is None:
        return False
    return start > until if isinstance(until, datetime) else day > until


def _days(rule: Rule, first: date) -> Iterator[date]:
    """The rule's days from `first` on, within HORIZON or, where it has an end of its own, within a hundred years."""
    endless = rule.count is None and rule.until is None
    last = first.toordinal() + (HORIZON.days - 1 if endless else _SEARCHED_YEARS * 366)
    # A rule that matches nothing keeps dateutil searching until the year 9999. The calendar repeats itself after 400
    # years, weekdays too, so the search is done in those of its years that end soon.
    years = (9999 - _SEARCHED_YEARS - first.year) // 400 * 400
    away = years // 400 * 146_097
    start = datetime.combine(date.fromordinal(first.toordinal() + away), time())
    matching = iter(rrule.rrule(
        _FREQUENCIES[rule.frequency], start, interval=rule.interval, wkst=rule.week_starts, count=rule.count,
        byweekday=_by_day(rule, first), **{name.lower(): numbers for name, numbers in rule.numbers}))
    while True:
        try:
            ordinal = next(matching).toordinal() - away
        except (StopIteration, ValueError, OverflowError):  # the latter where a week ends in the year 10000
            return
        if ordinal > min(last, date.max.toordinal()):
            return
        yield date.fromordinal(ordinal)


def _by_day(rule: Rule, first: date) -> list[rrule.weekday] | None:
    """As dateutil wants them, who asks that a day be an ordinal's *and* a plain one where RFC 5545 means 'or'."""
    if not rule.by_day:
        # and who would take all seven days of a week that was named by its number alone
        by_week_alone = {name for name, _ in rule.numbers} - {"BYMONTH", "BYSETPOS"} == {"BYWEEKNO"}
        return [rrule.weekday(first.weekday())] if by_week_alone else None
    if not any(ordinal for _, ordinal in rule.by_day):
        return [rrule.weekday(day) for day, _ in rule.by_day]
    every = range(1, 6 if rule.frequency == "MONTHLY" or "BYMONTH" in dict(rule.numbers) else 54)
    return [rrule.weekday(day, n) for day, ordinal in rule.by_day for n in ([ordinal] if ordinal else every)]


def plan(occurrences: Iterable[datetime], on_rest_days: OnRestDays,
         is_rest_day: Callable[[date], bool]) -> tuple[list[datetime], list[LeftOut]]:
    """What is held, and what is left out as `rest_day`, by the local day on which it starts."""
    held: list[datetime] = []
    left_out: list[LeftOut] = []
    for start in occurrences:
        if on_rest_days is OnRestDays.SKIP and is_rest_day(clock.local_date(start)):
            left_out.append(LeftOut(start, "rest_day"))
        else:
            held.append(start)
    return held, left_out


def shifted(instant: datetime, frm: datetime, to: datetime) -> datetime:
    """`instant` moved (UTC) by as many days, hours and minutes of the wall clock as lie between `frm` and `to`."""
    moved = _wall(instant) + (_wall(to) - _wall(frm))
    return clock.at(moved.date(), moved.time())


def _wall(instant: datetime) -> datetime:
    return clock.local(instant).replace(tzinfo=None)
