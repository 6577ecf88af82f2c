"""The verbs about repetitions: look ahead, announce, change from a date on, call off, take a date out.

An occurrence is a session like any other, announced and changed by the services that do it for one.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy.exc import IntegrityError

from facilities.bookings import sessions as whole
from facilities.engine import recurrence
from facilities.engine.eligibility import Audience
from facilities.engine.recurrence import LeftOut
from facilities.engine.waitlist import WaitlistMode
from facilities.engine.working_days import DayKind, OnRestDays, by_weekday
from facilities.infra import audit
from facilities.infra.db import Model, db
from facilities.infra.integrity import refused_by
from facilities.kernel import clock
from facilities.kernel.actors import Actor
from facilities.kernel.refusals import Invalid, NotPermitted, NotVisible, Refused
from facilities.kernel.spans import Span
from facilities.places import queries as places
from facilities.places import services as spaces
from facilities.places.models import Space
from facilities.programmes import policy as sessions_policy
from facilities.programmes import queries as programmes
from facilities.programmes import services as sessions
from facilities.programmes.models import ActivitySession, LeftOutDate, Series
from facilities.programmes.services import Offer
from facilities.series import queries

REMOVED = "removed"
TIMES = ("starts_at", "duration_minutes")
WINDOW = ("booking_opens_at", "booking_closes_at", "cancellation_closes_at")
# Two occurrences may come to stand on one date of the series, where one is called off: a tick keeps them apart, and
# what is nearer than a second to its place has not been moved by hand.
TICK, MOVED = timedelta(microseconds=1), timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class Plan:
    """What a manager wants to repeat; audience None means the programme's."""

    programme_id: int
    facility_id: int
    title: str
    rrule: str
    starts_at: datetime
    duration_minutes: int
    capacity: int
    on_rest_days: OnRestDays = OnRestDays.HOLD
    space_id: int | None = None
    title_en: str | None = None
    details: str | None = None
    audience: Audience | None = None
    waitlist_mode: WaitlistMode = WaitlistMode.CONFIRM
    waitlist_capacity: int | None = None
    offer_minutes: int | None = None

    def span(self, starts_at: datetime) -> Span:
        return Span(starts_at, starts_at + timedelta(minutes=self.duration_minutes))


@dataclass(frozen=True, slots=True)
class Followed:
    """What became of a change: the occurrences that have it, and those that stay as they were, with the reason."""

    changed: list[int] = field(default_factory=list)
    left_out: list[LeftOut] = field(default_factory=list)


def preview(plan: Plan) -> tuple[list[datetime], list[LeftOut]]:
    """What would be held, and what left out and why: `rest_day`, `closed`, `space_taken`. Nothing is written.

    Invalid where the repetition cannot be read (`rrule`) or the space is not the facility's.
    """
    instants = recurrence.occurrences(recurrence.read_rule(plan.rrule), plan.starts_at)
    kept, left_out = recurrence.plan(instants, plan.on_rest_days, _rest_days(instants))
    if not kept:
        return kept, left_out
    why_not = _what_stands_in_the_way(plan, Span(kept[0], plan.span(kept[-1]).ends_at))
    held = []
    for instant in kept:
        code = why_not(plan.span(instant))
        if code is None:
            held.append(instant)
        else:
            left_out.append(LeftOut(instant, code))
    return held, sorted(left_out, key=lambda row: row.starts_at)


def unsure_days(held: Sequence[datetime]) -> set[date]:
    """Of the days of these occurrences, those of which no notice says yet whether they are worked."""
    if not held:
        return set()
    days = {clock.local_date(instant) for instant in held}
    known = {row.date for row in places.calendar_days(min(days), max(days)) if not row.provisional}
    return days - known


def _rest_days(instants: Sequence[datetime]) -> Callable[[date], bool]:
    """By the calendar in the database, make-up workdays included; by the weekday where it does not reach."""
    first, last = clock.local_date(min(instants)), clock.local_date(max(instants))
    kinds = {row.date: row.kind for row in places.calendar_days(first, last)}
    return lambda day: kinds.get(day, by_weekday(day).kind) is DayKind.REST


def _what_stands_in_the_way(plan: Plan, whole: Span) -> Callable[[Span], str | None]:
    """Closures and what holds the space, each read once for all occurrences."""
    family = places.spaces_of(plan.facility_id)
    _check_space(plan.space_id, family)
    concerned = {None} if plan.space_id is None else {None, *spaces.related(plan.space_id, family)}
    closed = [Span(c.starts_at, c.ends_at) for c in places.closures(plan.facility_id, whole.starts_at, whole.ends_at)
              if c.space_id in concerned]
    leaves = [] if plan.space_id is None else spaces.leaves_of(plan.space_id, family)
    held = [Span(*row) for row in queries.spans_held(leaves, whole.starts_at, whole.ends_at)] if leaves else []
    now = clock.now()

    def why_not(span: Span) -> str | None:
        if span.ends_at > now and any(span.overlaps(other) for other in closed):
            return "closed"
        return "space_taken" if any(span.overlaps(other) for other in held) else None

    return why_not


def _check_space(space_id: int | None, family: Sequence[Space]) -> None:
    if space_id is not None and space_id not in {space.id for space in family}:
        raise Invalid(space_id="unknown_space")


def announce_series(actor: Actor, plan: Plan) -> Series:
    """The series, a session for each date that can be held, and a note of each that cannot.

    The space is locked before it is looked at: what the look found free is free until the commit.
    """
    programme = programmes.programme(plan.programme_id)
    if programme is None:
        raise Invalid(programme_id="unknown_programme")
    _lock_spaces(plan.facility_id, [plan.space_id])
    instants, left_out = preview(plan)
    audience = plan.audience or programme.audience
    series = Series(
        programme_id=plan.programme_id, facility_id=plan.facility_id, space_id=plan.space_id, title=plan.title,
        title_en=plan.title_en, details=plan.details, rrule=recurrence.read_rule(plan.rrule).text,
        starts_at=plan.starts_at, duration_minutes=plan.duration_minutes, capacity=plan.capacity,
        on_rest_days=plan.on_rest_days,
        created_at=clock.now(), created_by=actor.user_id, **sessions.audience_columns(audience))
    db.session.add(series)
    db.session.flush()
    db.session.add_all(LeftOutDate(series_id=series.id, starts_at=row.starts_at, code=row.code) for row in left_out)
    for instant in instants:
        sessions.announce(actor, _offer(plan, audience, series.id, instant))
    audit.note(actor, "announced", "series", [series.id],
               {"sessions": len(instants), "left_out": len(left_out)})
    return series


def _offer(plan: Plan, audience: Audience, series_id: int, starts_at: datetime) -> Offer:
    return Offer(
        programme_id=plan.programme_id, facility_id=plan.facility_id, space_id=plan.space_id, title=plan.title,
        title_en=plan.title_en, details=plan.details, starts_at=starts_at, ends_at=plan.span(starts_at).ends_at,
        capacity=plan.capacity, audience=audience, waitlist_mode=plan.waitlist_mode,
        waitlist_capacity=plan.waitlist_capacity, offer_minutes=plan.offer_minutes, series_id=series_id,
        occurs_at=starts_at)


def _lock_spaces(facility_id: int, space_ids: Iterable[int | None]) -> None:
    """All that will be held, at once and in id order; sessions, where there are any to lock, come before."""
    places.lock_layout(facility_id, to_change=False)
    family = places.spaces_of(facility_id)
    leaves = {leaf for space_id in space_ids if space_id is not None for leaf in spaces.leaves_of(space_id, family)}
    if leaves:
        places.lock_spaces(sorted(leaves))


def change_series(actor: Actor, series_id: int, changes: Mapping[str, Any], since: datetime | None = None) -> Followed:
    """Any of title, title_en, details, space_id, capacity, audience, duration_minutes, starts_at, the waitlist's.

    What has begun, was called off or taken out stays as it is. `starts_at` is the new start of the first one: all move
    by as much on the wall clock, save those that were moved by hand, which keep their own time. Who cannot follow
    stays as it was and is named with the reason.
    """
    series = _existing(series_id)
    if "space_id" in changes:
        _check_space(changes["space_id"], places.spaces_of(series.facility_id))
    places.lock_layout(series.facility_id, to_change=False)
    coming = sorted(queries.coming_for_update(series, since), key=lambda s: (s.starts_at, s.id))
    _lock_spaces(series.facility_id, {changes.get("space_id"), *(s.space_id for s in coming)})
    move = _Move.of(coming, changes, queries.places_in_series(series_id))
    followed = Followed()
    for session in reversed(coming) if move.is_later else coming:  # so that each finds its new place left already
        number, starts_at, left = session.id, session.starts_at, session.occurs_at
        if not (values := {**_differing(session, changes), **move.values(session)}):
            continue
        if refused := _try(actor, number, values):
            followed.left_out.append(LeftOut(starts_at, refused.refusal.code))
        else:
            followed.changed.append(number)
            move.follow(left, values)
    if followed.changed:
        _remember(series, changes)
    audit.note(actor, "changed", "series", [series_id],
               {"fields": sorted(changes), "sessions": len(followed.changed)})
    db.session.flush()
    return Followed(sorted(followed.changed), sorted(followed.left_out, key=lambda row: row.starts_at))


def _existing(series_id: int) -> Series:
    series = queries.series(series_id)
    if series is None:
        raise NotVisible
    return series


def _differing(session: ActivitySession, changes: Mapping[str, Any]) -> dict[str, Any]:
    """What of the changes is not so already, times left aside."""
    return {name: value for name, value in changes.items() if name not in TIMES and getattr(session, name) != value}


@dataclass(slots=True)
class _Move:
    """How the occurrences move: what stands at `frm` goes to `to`, everything else by as much. None: it stays."""

    frm: datetime | None
    to: datetime | None
    minutes: int | None
    taken: set[datetime]

    @classmethod
    def of(cls, coming: Sequence[ActivitySession], changes: Mapping[str, Any], taken: set[datetime]) -> "_Move":
        frm = next((s.starts_at for s in coming if not moved_by_hand(s)), None)
        return cls(frm, changes.get("starts_at", frm), changes.get("duration_minutes"), taken)

    @property
    def is_later(self) -> bool:
        return self.frm is not None and self.to is not None and self.to > self.frm

    def values(self, session: ActivitySession) -> dict[str, Any]:
        """The times that this occurrence gets, its booking window with them, and its place in the series."""
        if moved_by_hand(session) or session.occurs_at is None:
            return {}
        starts_at = self._shifted(session.starts_at)
        lasts = timedelta(minutes=self.minutes) if self.minutes else session.ends_at - session.starts_at
        times: dict[str, Any] = {"starts_at": starts_at, "ends_at": starts_at + lasts}
        if starts_at != session.starts_at:
            times |= {name: self._shifted(moment) for name in WINDOW if (moment := getattr(session, name))}
            times["occurs_at"] = self._free_place(session.occurs_at, starts_at)
        return {name: value for name, value in times.items() if value != getattr(session, name)}

    def follow(self, left: datetime | None, values: Mapping[str, Any]) -> None:
        """An occurrence has left its place in the series for another one."""
        if left is not None and "occurs_at" in values:
            self.taken = self.taken - {left} | {values["occurs_at"]}

    def _free_place(self, left: datetime, wanted: datetime) -> datetime:
        while wanted in self.taken - {left}:
            wanted += TICK
        return wanted

    def _shifted(self, instant: datetime) -> datetime:
        if self.frm is None or self.to is None or self.frm == self.to:
            return instant
        return recurrence.shifted(instant, self.frm, self.to)


def moved_by_hand(session: ActivitySession) -> bool:
    return session.occurs_at is not None and abs(session.starts_at - session.occurs_at) >= MOVED


def _try(actor: Actor, session_id: int, values: Mapping[str, Any]) -> Refused | None:
    """Change one occurrence, or leave it exactly as it was and say why."""
    try:
        with db.session.begin_nested():
            whole.change_session(actor, session_id, values)
    except Refused as refused:
        return refused
    except IntegrityError as error:
        refused_here = refused_by(error, Model.metadata)
        if refused_here is None:
            raise
        return refused_here
    return None


def _remember(series: Series, changes: Mapping[str, Any]) -> None:
    """The series says what its coming occurrences are like."""
    for name in ("title", "title_en", "details", "space_id", "capacity", "duration_minutes"):
        if name in changes:
            setattr(series, name, changes[name])
    if changes.get("audience") is not None:
        for name, value in sessions.audience_columns(changes["audience"]).items():
            setattr(series, name, value)


def cancel_series(actor: Actor, series_id: int, reason: str, since: datetime | None = None) -> list[int]:
    """Call off what is still to come, from `since` on; everybody who has booked is told. The sessions' ids."""
    series = _existing(series_id)
    places.lock_layout(series.facility_id, to_change=False)
    coming = [session.id for session in queries.coming_for_update(series, since)]
    for session_id in coming:
        whole.cancel_session(actor, session_id, reason)
    audit.note(actor, "cancelled", "series", [series_id], {"reason": reason, "sessions": len(coming)})
    return coming


def remove_date(actor: Actor, series_id: int, starts_at: datetime) -> None:
    """Take one date out for good. Refused `has_bookings`; a second time finds it out already."""
    _existing(series_id)
    session = queries.session_at(series_id, starts_at)
    if session is None:
        if any(row.starts_at == starts_at and row.code == REMOVED for row in queries.left_out(series_id)):
            return
        raise Invalid(starts_at="unknown_date")
    if not sessions_policy.can_run(actor, session):  # it was taken to another facility
        raise NotPermitted
    whole.delete_session(session.id)
    db.session.merge(LeftOutDate(series_id=series_id, starts_at=session.occurs_at or starts_at, code=REMOVED))
    audit.note(actor, "removed", "series", [series_id], {"starts_at": clock.local(starts_at).isoformat()})
    db.session.flush()
