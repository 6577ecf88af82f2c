"""When spaces are free: many of them with as many queries as one."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from facilities.engine import opening
from facilities.engine.opening import WeeklyHours, check_span, free_spans, minus
from facilities.kernel import clock
from facilities.kernel.spans import Span
from facilities.places.models import Facility, Space
from facilities.places.services import leaves_of, related
from facilities.reservations import queries

A_DAY, A_MINUTE = timedelta(days=1), timedelta(minutes=1)
TO_DECIDE = 5  # minutes: where nothing says on which minute one starts, who reads 'now' needs time to say yes
STEP = 30  # minutes between the starts that are offered where the space has no grid
SHORTEST_STEP = 15  # a finer grid would be a wall of buttons


@dataclass(frozen=True, slots=True)
class Found:
    """The first span of the wished length at which a space can be had."""

    space: Space
    span: Span


def hours_of(facility: Facility) -> WeeklyHours:
    hours: dict[int, list[tuple[int, int]]] = {}
    for row in facility.hours:
        hours.setdefault(row.weekday, []).append((row.opens_minute, row.closes_minute))
    return hours


def busy(spaces: Sequence[Space], start: datetime, end: datetime, *, but_for: int | None = None,
         ) -> dict[int, list[Span]]:
    """Space id → when it is held, as a whole or in part, or closed. `but_for`: a reservation that is in no way."""
    families = queries.families({space.facility_id for space in spaces})
    leaves = {space.id: leaves_of(space.id, families[space.facility_id]) for space in spaces}
    on_leaf: dict[int, list[Span]] = defaultdict(list)
    for leaf, starts_at, ends_at in queries.held({leaf for own in leaves.values() for leaf in own}, start, end,
                                                 but_for=but_for):
        on_leaf[leaf].append(Span(starts_at, ends_at))
    found = {space.id: [span for leaf in leaves[space.id] for span in on_leaf[leaf]] for space in spaces}
    for closure in queries.closures(list(families), start, end):
        for space in spaces:
            if space.facility_id == closure.facility_id and (
                    closure.space_id is None or closure.space_id in related(space.id, families[space.facility_id])):
                found[space.id].append(Span(closure.starts_at, closure.ends_at))
    return found


def free(space: Space, start: datetime, end: datetime, *, but_for: int | None = None) -> list[Span]:
    """When it is open within `[start, end)` and nobody holds it, in the fewest spans, in order."""
    return free_spans(hours_of(space.facility), busy([space], start, end, but_for=but_for)[space.id], start, end)


def first_free(spaces: Sequence[Space], minutes: int, start: datetime, end: datetime) -> list[Found]:
    """Of each space that can be had for that long, its first span within `[start, end)`; soonest first."""
    now, taken = clock.now(), busy(spaces, start, end)
    found = []
    for space in spaces:
        earliest = max(start, _soon(now + timedelta(minutes=space.rules.notice_minutes or 0)))
        span = _first(space, free_spans(hours_of(space.facility), taken[space.id], earliest, end), minutes, now)
        if span is not None:
            found.append(Found(space, span))
    return sorted(found, key=lambda f: (f.span.starts_at, f.space.id))


def _soon(instant: datetime) -> datetime:
    past = timedelta(minutes=instant.minute % TO_DECIDE, seconds=instant.second, microseconds=instant.microsecond)
    return instant - past + timedelta(minutes=TO_DECIDE) if past else instant


def _first(space: Space, free: list[Span], minutes: int, now: datetime) -> Span | None:
    """What it gives can be reserved as it is, because the same rules are asked."""
    rules, hours = space.rules, hours_of(space.facility)
    if rules.grid_minutes is not None and minutes % rules.grid_minutes:
        return None
    while (span := opening.first_free(free, minutes, rules.grid_minutes)) is not None:
        refusal = check_span(rules, hours, span, now)
        if refusal is None:
            return span
        if refusal.code != "off_grid":  # whatever is later is too short, too long or too far ahead as well
            return None
        # A grid that does not divide the day begins anew at midnight, and this span reaches over it.
        free = minus(free, [Span(span.starts_at, clock.at(clock.local_date(span.starts_at) + A_DAY))])
    return None


def step_of(space: Space) -> int:
    """Minutes between the starts that are offered: on the space's grid where it has one."""
    grid = space.rules.grid_minutes
    return STEP if grid is None else grid * -(-SHORTEST_STEP // grid)


def starts_on(space: Space, day: date, minutes: int, free: Sequence[Span]) -> list[Span]:
    """The spans of that length that begin on the day and can be reserved now, of those that are free."""
    now, rules, hours = clock.now(), space.rules, hours_of(space.facility)
    starts = (clock.at(day) + n * A_MINUTE for n in range(0, 24 * 60, step_of(space)))
    spans = (Span(start, start + minutes * A_MINUTE) for start in starts)
    return [span for span in spans
            if any(gap.starts_at <= span.starts_at and span.ends_at <= gap.ends_at for gap in free)
            and check_span(rules, hours, span, now) is None]


def lengths_of(space: Space) -> list[int]:
    """The lengths in minutes that are offered: half hours at first, then hours, as the rules allow."""
    rules = space.rules
    shortest, longest = rules.min_minutes or step_of(space), rules.max_minutes or 4 * 60
    step = step_of(space)
    first = -(-shortest // step) * step
    return list(range(first, longest + 1, step))[:12] or [shortest]
