"""How much one person or one household may take (rules of a programme)."""

from dataclasses import dataclass
from datetime import date, timedelta

from facilities.kernel.refusals import Refusal


@dataclass(frozen=True, slots=True)
class Limits:
    """None: no limit."""

    per_resident_per_week: int | None = None
    per_household_per_session: int | None = None

    def __bool__(self) -> bool:
        return self != Limits()


def week_of(day: date) -> tuple[date, date]:
    """Monday and Sunday of the day's week, both included."""
    monday = day - timedelta(days=day.weekday())
    return monday, monday + timedelta(days=6)


def check_week(limits: Limits, held: int) -> Refusal | None:
    """`held`: places of the programme that the resident has in that week, this one not counted."""
    most = limits.per_resident_per_week
    if most is not None and held >= most:
        return Refusal("limit_reached", {"rule": "per_resident_per_week", "limit": most})
    return None


def check_household(limits: Limits, held: int) -> Refusal | None:
    """`held`: places, waiting ones too, that the household has in the session, this one not counted."""
    most = limits.per_household_per_session
    if most is not None and held >= most:
        return Refusal("limit_reached", {"rule": "per_household_per_session", "limit": most})
    return None
