"""Workdays and rest days (工作日 · 休息日) as the State Council's notices set them."""

from dataclasses import dataclass
from datetime import date
from enum import StrEnum


class DayKind(StrEnum):
    WORKDAY = "workday"
    REST = "rest"


class OnRestDays(StrEnum):
    """What a series does on a day without work."""

    HOLD = "hold"
    SKIP = "skip"


@dataclass(frozen=True, slots=True)
class Day:
    """`provisional`: no notice is known yet, the weekday was taken."""

    date: date
    kind: DayKind
    name: str | None = None
    provisional: bool = False


def by_weekday(day: date) -> Day:
    """The fallback for years without a notice."""
    return Day(day, DayKind.REST if day.weekday() >= 5 else DayKind.WORKDAY, provisional=True)
