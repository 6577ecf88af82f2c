"""The verb of the desk: record what happened, however often and in whatever order it arrives."""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from functools import partial
from uuid import UUID, uuid5

from sqlalchemy import insert

from facilities.attendance import queries
from facilities.attendance.models import Attendance, AttendanceEvent, HeadCount
from facilities.bookings import queries as bookings
from facilities.bookings.codes import read_code
from facilities.bookings.models import OCCUPYING, Booking, BookingState
from facilities.bookings.roll import follow_the_roll
from facilities.bookings.services import MET_FOR
from facilities.engine.roll_call import (
    OF_SOMEONE,
    AttendanceState,
    Counts,
    Event,
    EventKind,
    RollCall,
    VoidReason,
    check_counts,
    check_in_window,
    check_self_check_in,
    read_roll,
)
from facilities.households import queries as households
from facilities.infra import audit
from facilities.infra.db import db
from facilities.kernel import clock
from facilities.kernel.actors import Actor
from facilities.kernel.refusals import NotVisible, Refusal, raise_if
from facilities.programmes import policy
from facilities.programmes import queries as programmes
from facilities.programmes import services as sessions
from facilities.programmes.models import ActivitySession


class Outcome(StrEnum):
    RECORDED = "recorded"
    DUPLICATE = "duplicate"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Entry:
    """One event as a client sends it. `reference` or `check_in_code` name a booking whose resident it does not know."""

    id: UUID
    session_id: int
    kind: EventKind
    occurred_at: datetime
    resident_id: int | None = None
    reference: str | None = None
    check_in_code: str | None = None
    voids: UUID | None = None
    reason: VoidReason | None = None
    late: bool = False
    counts: Counts | None = None
    device: str = ""

    @property
    def is_named(self) -> bool:
        return any(name is not None for name in (self.resident_id, self.reference, self.check_in_code))


@dataclass(frozen=True, slots=True)
class Result:
    id: UUID
    outcome: Outcome
    code: str | None = None


_BOOKING_STATES = {
    AttendanceState.PRESENT: BookingState.ATTENDED,
    AttendanceState.ABSENT: BookingState.NO_SHOW,
    AttendanceState.EXCUSED: BookingState.CONFIRMED,
}
BY_THEMSELVES = "poster"  # the device, where residents check in at the door
_CHECK_INS = UUID("0b9b4a52-7b6c-4f3e-9f0e-6d1f6c3f5a10")  # the names of their events, one for each booking


def record(actor: Actor, entries: Sequence[Entry]) -> list[Result]:
    """One result for each entry, in their order. A refused entry is refused for itself; the others are recorded."""
    return _record(_Batch(actor, entries, partial(policy.can_run, actor)))


def _record(batch: "_Batch") -> list[Result]:
    results = [batch.decide(entry) for entry in batch.entries]
    batch.write()
    batch.note_strangers()
    for session in batch.touched():
        project(session)
    return results


def check_in(actor: Actor, poster_code: str, booking_id: int) -> bool:
    """Somebody who scanned the poster at the door is there, by their own word. Sent again, it says the same.

    NotVisible: no such poster, or no booking of the actor's at its facility. Refused `check_in_not_open`,
    `check_in_over`, `no_place` where the booking does not hold one. False: the desk has taken it back, and is asked.
    """
    poster, booking = queries.poster_by(poster_code), bookings.own_booking(actor, booking_id)
    if poster is None or booking is None or booking.session.facility_id != poster.facility_id:
        raise NotVisible
    now = clock.now()
    raise_if(check_self_check_in(booking.starts_at, booking.ends_at, now))
    raise_if(None if booking.state in OCCUPYING else Refusal("no_place"))
    entry = Entry(uuid5(_CHECK_INS, str(booking.id)), booking.session_id, EventKind.PRESENT, now, booking.resident_id,
                  device=BY_THEMSELVES)
    (result,) = _record(_Batch(actor, [entry], lambda session: session.id == booking.session_id))
    raise_if(Refusal(result.code) if result.code else None)
    return queries.is_present(booking.session_id, booking.resident_id)


def may_enter(actor: Actor, session: ActivitySession) -> bool:
    """Whether what happened in the session can still be entered by the actor, as far as days go: for the page."""
    now = clock.now()
    if actor.is_administrator or now <= session.ends_at + timedelta(days=1):  # no limit is shorter
        return True
    return now <= session.ends_at + queries.manager_limit() or bool(queries.reopened([session], now))


class _Batch:
    """What a batch needs to know, read once; sessions are locked in id order, so that each log has one writer."""

    def __init__(self, actor: Actor, entries: Sequence[Entry], may_tick: Callable[[ActivitySession], bool]) -> None:
        self.actor, self.entries, self.may_tick = actor, entries, may_tick
        self.now = clock.now()
        self.sessions = programmes.sessions_for_update({e.session_id for e in entries})
        self.known = queries.which_exist({e.id for e in entries} | {e.voids for e in entries if e.voids})
        self.residents = households.existing_ids({e.resident_id for e in entries if e.resident_id is not None})
        self.by_reference = bookings.residents_by_reference(
            {(e.session_id, e.reference) for e in entries if e.reference})
        self.by_code = self._read_codes()
        self.manager_limit = queries.manager_limit()
        self.reopened = set() if actor.is_administrator else queries.reopened(self.sessions.values(), self.now)
        self.accepted: dict[UUID, tuple[Entry, int | None]] = {}

    def _read_codes(self) -> dict[str, Booking | None]:
        """By code: the booking, or None where it holds no place. What is not one of ours is not in it."""
        numbers = {e.check_in_code: number for e in self.entries
                   if e.check_in_code and (number := read_code(e.check_in_code)) is not None}
        found = bookings.holding_places(numbers.values())
        return {code: found.get(number) for code, number in numbers.items()}

    def decide(self, entry: Entry) -> Result:
        if entry.id in self.known:
            return Result(entry.id, Outcome.DUPLICATE)
        resident_id = self._resident(entry)
        refusal = self._refusal(entry, resident_id)
        if refusal is not None:
            return Result(entry.id, Outcome.REFUSED, refusal.code)
        self.accepted[entry.id] = (entry, resident_id)
        self.known[entry.id] = (entry.session_id, entry.kind)
        return Result(entry.id, Outcome.RECORDED)

    def _resident(self, entry: Entry) -> int | None:
        if entry.resident_id is not None:
            return entry.resident_id if entry.resident_id in self.residents else None
        if entry.reference:
            return self.by_reference.get((entry.session_id, entry.reference.upper()))
        booking = self.by_code.get(entry.check_in_code or "")
        return booking.resident_id if booking and booking.session_id == entry.session_id else None

    def _refusal(self, entry: Entry, resident_id: int | None) -> Refusal | None:
        session = self.sessions.get(entry.session_id)
        if session is None or not self.may_tick(session):
            return Refusal("not_found")
        if session.is_cancelled:
            return Refusal("session_cancelled")
        if resident_id is None and (entry.is_named or entry.kind in OF_SOMEONE):
            return self._unknown(entry)
        return (self._bad_void(entry)
                or check_in_window(session.starts_at, session.ends_at, entry.occurred_at, self.now,
                                   open_late=self.actor.is_administrator or session.id in self.reopened,
                                   arrives_within=self.manager_limit)
                or (check_counts(entry.counts) if entry.counts else None))

    def _unknown(self, entry: Entry) -> Refusal:
        """Of a code it is worth saying whether it is none of ours, or somebody's for something else."""
        if entry.resident_id is not None or entry.reference or not entry.check_in_code:
            return Refusal("not_found")  # the contract's word
        return Refusal("code_of_another_session" if entry.check_in_code in self.by_code else "bad_check_in_code")

    def _bad_void(self, entry: Entry) -> Refusal | None:
        target_session, target_kind = self.known.get(entry.voids, (None, None)) if entry.voids else (None, None)
        foreign = target_session not in (None, entry.session_id) or target_kind is EventKind.VOID
        return Refusal("cannot_void") if foreign or entry.voids == entry.id else None

    def write(self) -> None:
        rows = [self._row(entry, resident_id) for entry, resident_id in self.accepted.values()]
        if rows:
            db.session.execute(insert(AttendanceEvent), rows)

    def note_strangers(self) -> None:
        """Whoever is ticked by number alone, not being on the list nor known there, can read of it."""
        named = {(e.session_id, resident_id) for e, resident_id in self.accepted.values()
                 if e.resident_id is not None and resident_id is not None}
        if not named:
            return
        booked = bookings.who_holds_places({s for s, _ in named}, {r for _, r in named})
        if people := {resident_id for _, resident_id in named - booked}:
            strangers = people - bookings.met(self.actor, people, self.now - MET_FOR)
            audit.note(self.actor, "named", "resident", sorted(strangers), sensitive=True)

    def _row(self, entry: Entry, resident_id: int | None) -> dict[str, object]:
        counts = asdict(entry.counts) if entry.counts else dict.fromkeys(
            ("women", "children", "men", "elders", "disabled"))
        someone = None if entry.kind in (EventKind.VOID, EventKind.HEAD_COUNT) else resident_id
        return {"id": entry.id, "session_id": entry.session_id, "kind": entry.kind, "resident_id": someone,
                "voids": entry.voids, "reason": entry.reason, "late": entry.late, **counts,
                "device": entry.device, "occurred_at": entry.occurred_at,
                "received_at": self.now, "recorded_by": self.actor.user_id}

    def touched(self) -> list[ActivitySession]:
        ids = sorted({entry.session_id for entry, _ in self.accepted.values()})
        return [self.sessions[session_id] for session_id in ids]


def project(session: ActivitySession) -> RollCall:
    """Bring the projections of one session, and what follows from them, into line with its log."""
    roll = read_roll(queries.logs([session.id]).get(session.id, []))
    places = bookings.of_sessions([session.id])  # held on to, so that what follows the roll need not make them again
    _project_residents(session.id, roll, {booking.resident_id for booking in places})
    _project_head_count(session.id, roll)
    sessions.follow_the_roll(session, person_times=roll.person_times)
    follow_the_roll(session, {r: _BOOKING_STATES[s.state] for r, s in roll.residents.items()})
    db.session.flush()
    return roll


def _project_residents(session_id: int, roll: RollCall, booked: set[int]) -> None:
    """Only rows that change are loaded: a desk sends tick after tick for a session in which hundreds stand."""
    kept = queries.standing_rows(session_id)
    wanted = {resident_id: (s.event.id, s.state, s.event.late, s.minutes, is_walk_in(s.event, resident_id in booked))
              for resident_id, s in roll.residents.items()}
    changed = {r for r in kept.keys() | wanted.keys() if kept.get(r) != wanted.get(r)}
    if not changed:
        return
    rows = queries.attendance_rows(session_id, changed)
    authors = queries.authors({wanted[r][0] for r in changed & wanted.keys()})
    for resident_id in sorted(changed):
        row = rows.get(resident_id) or Attendance(session_id=session_id, resident_id=resident_id)
        if resident_id not in wanted:
            db.session.delete(row)
            continue
        row.event_id, row.state, row.late, row.minutes, row.walk_in = wanted[resident_id]
        row.recorded_by = authors[row.event_id]
        db.session.add(row)


def is_walk_in(event: Event, booked: bool) -> bool:
    return event.kind is EventKind.WALK_IN or (event.kind is EventKind.PRESENT and not booked)


def _project_head_count(session_id: int, roll: RollCall) -> None:
    row = queries.head_counts([session_id]).get(session_id)
    if row is None:
        if not roll.head_counts and not roll.unnamed_walk_ins:
            return
        row = HeadCount(session_id=session_id)
        db.session.add(row)
    for name, number in asdict(roll.head_count).items():
        setattr(row, name, number)
    row.unnamed_walk_ins = roll.unnamed_walk_ins
