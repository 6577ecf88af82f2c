"""Opening hours, closures, free time, and the rules for reserving a space."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from facilities.kernel import clock
from facilities.kernel.refusals import Refusal
from facilities.kernel.spans import Span

# Weekday (Monday is 0) → half-open intervals in minutes after the district's midnight, up to 1440. Empty: always open.
WeeklyHours = Mapping[int, Sequence[tuple[int, int]]]

_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class SpaceRules:
    """None: no rule."""

    min_minutes: int | None = None
    max_minutes: int | None = None
    grid_minutes: int | None = None
    notice_minutes: int | None = None
    days_ahead: int | None = None
    per_resident: int | None = None


def open_spans(hours: WeeklyHours, frm: datetime, to: datetime) -> list[Span]:
    """When it is open within `[frm, to)`, in order; what touches is one span, across midnight too."""
    return merged(_open(hours, frm, to))


def _open(hours: WeeklyHours, frm: datetime, to: datetime) -> Iterator[Span]:
    """By start, day by day, so that who looks for the first gap need not go on to the end."""
    if not hours:
        if frm < to:
            yield Span(frm, to)
        return
    day = clock.local_date(frm)
    while clock.at(day) < to:
        for opens, closes in sorted(hours.get(day.weekday(), ())):
            starts_at, ends_at = max(_moment(day, opens), frm), min(_moment(day, closes), to)
            if starts_at < ends_at:
                yield Span(starts_at, ends_at)
        day += _DAY


def _moment(day: date, minute: int) -> datetime:
    return clock.at(day + minute // 1440 * _DAY, time(minute // 60 % 24, minute % 60))


def merged(spans: Iterable[Span]) -> list[Span]:
    """The same time in the fewest spans, in order."""
    whole: list[Span] = []
    for span in sorted(spans):
        if whole and span.starts_at <= whole[-1].ends_at:
            whole[-1] = Span(whole[-1].starts_at, max(whole[-1].ends_at, span.ends_at))
        else:
            whole.append(span)
    return whole


def minus(spans: Iterable[Span], holes: Iterable[Span]) -> list[Span]:
    """The time of `spans` that is in none of `holes`, in the fewest spans, in order."""
    left: list[Span] = []
    gaps = merged(holes)
    passed = 0  # both lists go forwards, so a hole that is behind stays behind
    for span in merged(spans):
        starts_at = span.starts_at
        while passed < len(gaps) and gaps[passed].starts_at < span.ends_at:
            gap = gaps[passed]
            if starts_at < gap.starts_at:
                left.append(Span(starts_at, gap.starts_at))
            starts_at = max(starts_at, gap.ends_at)
            if gap.ends_at > span.ends_at:
                break  # it may reach into the next span
            passed += 1
        if starts_at < span.ends_at:
            left.append(Span(starts_at, span.ends_at))
    return left


def free_spans(hours: WeeklyHours, busy: Iterable[Span], frm: datetime, to: datetime) -> list[Span]:
    """When it is open within `[frm, to)` and nobody holds it; closures are among `busy`."""
    return minus(_open(hours, frm, to), busy)


def check_span(rules: SpaceRules, hours: WeeklyHours, span: Span, now: datetime) -> Refusal | None:
    """The first rule that the span does not keep to; `per_resident` is not asked here. What has begun is too late."""
    length = span.ends_at - span.starts_at
    notice = rules.notice_minutes or 0
    if span.starts_at < now + timedelta(minutes=notice):
        return Refusal("too_late", {"notice_minutes": notice})
    if rules.min_minutes is not None and length < timedelta(minutes=rules.min_minutes):
        return Refusal("too_short", {"min_minutes": rules.min_minutes})
    if rules.max_minutes is not None and length > timedelta(minutes=rules.max_minutes):
        return Refusal("too_long", {"max_minutes": rules.max_minutes})
    if rules.grid_minutes is not None and not all(
            _is_on_grid(instant, rules.grid_minutes) for instant in (span.starts_at, span.ends_at)):
        return Refusal("off_grid", {"grid_minutes": rules.grid_minutes})
    if rules.days_ahead is not None and (
            clock.local_date(span.starts_at) - clock.local_date(now)).days > rules.days_ahead:
        return Refusal("too_far_ahead", {"days_ahead": rules.days_ahead})
    if not _is_open_throughout(hours, span):
        return Refusal("outside_opening_hours")
    return None


def _is_open_throughout(hours: WeeklyHours, span: Span) -> bool:
    reached = span.starts_at
    for part in _open(hours, span.starts_at, span.ends_at):
        if part.starts_at > reached:
            return False
        reached = max(reached, part.ends_at)
    return reached == span.ends_at


def _since_midnight(instant: datetime) -> timedelta:
    wall = clock.local(instant).replace(tzinfo=None)
    return wall - datetime.combine(wall, time())


def _is_on_grid(instant: datetime, grid_minutes: int) -> bool:
    return not _since_midnight(instant) % timedelta(minutes=grid_minutes)


def _next_on_grid(instant: datetime, grid_minutes: int) -> datetime:
    """`instant` itself where it is on the grid, which begins anew at each midnight."""
    since = _since_midnight(instant)
    grid = timedelta(minutes=grid_minutes)
    return instant + (min(-(-since // grid) * grid, _DAY) - since)


def first_free(free: Sequence[Span], minutes: int, grid_minutes: int | None) -> Span | None:
    """The earliest span of that length that starts on the grid, and ends on it if it divides `minutes` and the day."""
    length = timedelta(minutes=minutes)
    for span in merged(free):
        starts_at = span.starts_at if grid_minutes is None else _next_on_grid(span.starts_at, grid_minutes)
        if starts_at + length <= span.ends_at:
            return Span(starts_at, starts_at + length)
    return None
