"""Who did not come, and what follows from it: a warning, then a pause from booking in advance.

A place that stays empty could have gone to somebody else. It is a district's own decision to act on it: the rule is off
until it is switched on. All numbers are our choice. Each no-show is looked at together with those around it, so that
what was decided of it does not change as time goes by, only when one of them turns out not to be one.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum

from facilities.engine.roll_call import is_ticking_over
from facilities.kernel import clock
from facilities.kernel.refusals import Refusal

SHORTEST_WINDOW, LONGEST_WINDOW = 7, 180  # days
MOST_COUNTED = 20
LONGEST_PAUSE = 180  # days


@dataclass(frozen=True, slots=True)
class NoShowPolicy:
    """`within_days`: how far back they count. `counts_from`: when it was switched on; what was over before does not."""

    is_on: bool = False
    within_days: int = 90
    warn_at: int = 2
    pause_at: int = 3
    pause_days: int = 30
    exempt_disabled: bool = True
    counts_from: datetime | None = None

    @property
    def window(self) -> timedelta:
        return timedelta(days=self.within_days)


def check_policy(policy: NoShowPolicy) -> dict[str, str]:
    """What is wrong with a rule that somebody typed: field → message key. Nobody is paused without a warning."""
    return {} if policy.warn_at < policy.pause_at else {"pause_at": "pause_after_warning"}


@dataclass(frozen=True, slots=True)
class Exempt:
    """Days on which no-shows do not count. `ended_on`: the day on which it was taken back, and counts again."""

    from_day: date
    until_day: date | None = None
    ended_on: date | None = None

    def covers(self, day: date) -> bool:
        return (self.from_day <= day and (self.until_day is None or day <= self.until_day)
                and (self.ended_on is None or day < self.ended_on))


@dataclass(frozen=True, slots=True)
class Missed:
    """A booking of somebody who was not there. `is_told`: something was said to them about it already."""

    number: int
    starts_at: datetime
    ends_at: datetime
    is_told: bool = False
    is_forgiven: bool = False
    is_exempt: bool = False


class Standing(StrEnum):
    """Whether a no-show counts, and if not, why not."""

    COUNTS = "counts"
    OFF = "off"  # nothing counts now, or it was over before the rule was switched on
    FORGIVEN = "forgiven"
    EXEMPT = "exempt"
    OPEN = "open"  # it can still be corrected by whoever takes the roll
    LONG_AGO = "long_ago"


def is_exempt(policy: NoShowPolicy, missed_at: datetime, spans: Iterable[Exempt], *, has_disability: bool) -> bool:
    day = clock.local_date(missed_at)
    return (policy.exempt_disabled and has_disability) or any(span.covers(day) for span in spans)


def standing(policy: NoShowPolicy, missed: Missed, now: datetime) -> Standing:
    if not policy.is_on or policy.counts_from is None or missed.ends_at <= policy.counts_from:
        return Standing.OFF
    if missed.is_forgiven:
        return Standing.FORGIVEN
    if missed.is_exempt:
        return Standing.EXEMPT
    if not is_ticking_over(missed.ends_at, now):
        return Standing.OPEN
    return Standing.COUNTS if missed.starts_at > now - policy.window else Standing.LONG_AGO


def counted(policy: NoShowPolicy, missed: Iterable[Missed], now: datetime) -> list[Missed]:
    """Those that count, or did in their time: a pause that was right stays so when what led to it is long ago."""
    return [one for one in missed if standing(policy, one, now) in (Standing.COUNTS, Standing.LONG_AGO)]


def level(policy: NoShowPolicy, those: Collection[Missed], one: Missed) -> int:
    """How many there are at most within the rule's days around `one`, itself among them; 0 where it is not counted."""
    if one not in those:
        return 0
    lasts = (last.starts_at for last in those if one.starts_at <= last.starts_at < one.starts_at + policy.window)
    return max(sum(last - policy.window < other.starts_at <= last for other in those) for last in lasts)


class What(StrEnum):
    WARNED = "warned"
    PAUSED = "paused"


@dataclass(frozen=True, slots=True)
class Decision:
    """What is said to one resident about one programme. `about`: the no-show that it is for; `settles`: all that
    nothing more is said of.
    """

    what: What
    about: int
    settles: tuple[int, ...]
    until: datetime | None = None


def decide(policy: NoShowPolicy, those: Sequence[Missed], now: datetime) -> Decision | None:
    """`those`: what counts. None where there is nothing to say that was not said.

    Whatever came together is said together. Nobody is paused who has not been warned before: where several are found
    at once, the first thing that is said is the warning. A pause ends with a day of the district.
    """
    levels = {one: level(policy, those, one) for one in those
              if not one.is_told and one.starts_at > now - policy.window}
    due = sorted((one for one in levels if levels[one] >= policy.warn_at), key=lambda one: (one.starts_at, one.number))
    if not due:
        return None
    settles = tuple(one.number for one in due)
    graver = [one for one in due if levels[one] >= policy.pause_at]
    if graver and any(one.is_told for one in those):
        until = clock.at(clock.local_date(now) + timedelta(days=policy.pause_days))
        return Decision(What.PAUSED, graver[-1].number, settles, until)
    return Decision(What.WARNED, settles[-1], settles)


def is_justified(policy: NoShowPolicy, those: Sequence[Missed], number: int) -> bool:
    """Whether a pause for this no-show is still right: the roll, an appeal, an exemption may say otherwise by now."""
    one = next((one for one in those if one.number == number), None)
    return one is not None and level(policy, those, one) >= policy.pause_at


def check_pause(until: datetime | None, session_starts_at: datetime, now: datetime) -> Refusal | None:
    """(our choice) On the day itself a free place may be booked all the same: nobody else has wanted it by then."""
    if until is None or until <= now or clock.local_date(session_starts_at) <= clock.local_date(now):
        return None
    return Refusal("paused_after_no_shows", {"until": clock.local(until).isoformat()})
