"""Livelihood projects: which target holds, how far a subproject is, how far it should be, and what that says.

Rates are shares of the target, 1 is all of it; they are never cut off at 1 (domain facts, section 10). A number that
its source gives as 'more than' or 'about' is never taken for exact: nothing is computed from it.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from enum import StrEnum
from itertools import pairwise

MONTHS = 12
LOOKS_BACK = 3  # (our choice) months, the last among them, that a forecast follows


class Kind(StrEnum):
    CUMULATIVE = "cumulative"  # so many in the year
    RATE = "rate"  # a share or a density that is to be reached
    MILESTONE = "milestone"  # steps that are named: begun is not finished (开工≠完工)
    IN_WORDS = "in_words"  # nothing to count


class Qualifier(StrEnum):
    MORE_THAN = "more_than"  # 余, 多
    AT_LEAST = "at_least"  # 以上, 不少于
    ABOUT = "about"  # 约


class SetBy(StrEnum):
    MUNICIPAL = "municipal"
    DISTRICT = "district"


class Light(StrEnum):
    GREEN = "green"
    YELLOW = "yellow"
    RED = "red"
    BLUE = "blue"  # finished and accepted


@dataclass(frozen=True, slots=True)
class Thresholds:
    """Points behind the plan: up to `yellow` is green, more is yellow, and more than `red` is red."""

    yellow: int = 10
    red: int = 30


@dataclass(frozen=True, slots=True)
class TargetVersion:
    from_day: date
    value: Decimal
    set_by: SetBy


@dataclass(frozen=True, slots=True)
class Amount:
    """A number as its source gives it."""

    number: Decimal
    qualifier: Qualifier | None = None

    @property
    def exact(self) -> Decimal | None:
        return self.number if self.qualifier is None else None

    @property
    def lower_bound(self) -> Decimal | None:
        """Where the source gives one."""
        return self.number if self.qualifier in (Qualifier.MORE_THAN, Qualifier.AT_LEAST) else None


def target_on(versions: Iterable[TargetVersion], day: date) -> TargetVersion | None:
    """Of each who sets one the latest that holds on the day, and of these the higher.

    Where the district set none, the city's holds.
    """
    latest: dict[SetBy, TargetVersion] = {}
    for version in sorted(versions, key=lambda version: version.from_day):
        if version.from_day <= day:
            latest[version.set_by] = version
    return max(latest.values(), key=lambda version: (version.value, version.set_by), default=None)


def completion(kind: Kind, done: Amount | None, target: Decimal | None) -> Decimal | None:
    """Not cut off at 1. None in words, without a target or a number, and where the number is not exact."""
    if kind is Kind.IN_WORDS or done is None or done.exact is None or not target:
        return None
    return done.exact / target


def wrong_plan(plan: Sequence[int]) -> bool:
    """A plan has twelve percentages, of which none is below the one before, and the last is 100."""
    return (len(plan) != MONTHS or plan[0] < 0 or plan[-1] != 100
            or any(after < before for before, after in pairwise(plan)))


def expected(kind: Kind, year: int, day: date, plan: Sequence[int] | None = None) -> Decimal | None:
    """The share of the year's work that the plan has done by the end of a day.

    `plan`: percent by the end of each month; within a month it rises evenly. Without one: the part of the year that is
    over (序时进度). A rate is not gathered bit by bit: without a plan nothing says where it should stand.
    """
    if kind is Kind.IN_WORDS or (kind is Kind.RATE and plan is None):
        return None
    if day.year != year:
        return Decimal(int(day.year > year))
    if plan is None:
        return _part(date(year, 1, 1), date(year + 1, 1, 1), day)
    before = plan[day.month - 2] if day.month > 1 else 0
    first = date(year, day.month, 1)
    after_last = date(year + day.month // MONTHS, day.month % MONTHS + 1, 1)
    return (before + (plan[day.month - 1] - before) * _part(first, after_last, day)) / 100


def _part(first: date, after_last: date, day: date) -> Decimal:
    return Decimal((day - first).days + 1) / Decimal((after_last - first).days)


def light(rate: Decimal | None, expected_rate: Decimal | None, *, is_accepted: bool,
          thresholds: Thresholds = Thresholds()) -> Light | None:
    """None where nothing can be said. Lights: Yinchuan's and Dazu's rules (domain facts, section 10)."""
    if is_accepted:
        return Light.BLUE
    if rate is None or expected_rate is None:
        return None
    behind = (expected_rate - rate) * 100
    if behind > thresholds.red:
        return Light.RED
    return Light.YELLOW if behind > thresholds.yellow else Light.GREEN


def forecast(kind: Kind, by_month: Mapping[int, Decimal]) -> Decimal | None:
    """What the year's end brings where it goes on as in the last months; for what is counted up only.

    `by_month`: the year's total at the end of months. None where there are not two of them to follow.
    """
    if kind is not Kind.CUMULATIVE or len(by_month) < 2:
        return None
    last = max(by_month)
    earlier = [month for month in by_month if last - LOOKS_BACK <= month < last]
    if not earlier:
        return None
    first = min(earlier)
    pace = (by_month[last] - by_month[first]) / (last - first)
    return (by_month[last] + pace * (MONTHS - last)).quantize(Decimal(1), ROUND_HALF_UP)


def in_month(by_month: Mapping[int, Decimal], month: int) -> Decimal | None:
    """What a month added to the year's total; None where it, or the month before, is not known."""
    if month not in by_month:
        return None
    if month == 1:
        return by_month[1]
    return by_month[month] - by_month[month - 1] if month - 1 in by_month else None
