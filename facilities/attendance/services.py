"""The verb of the desk: record what happened, however often and in whatever order it arrives."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import insert

from facilities.attendance import queries
from facilities.attendance.models import Attendance, AttendanceEvent, HeadCount
from facilities.bookings import queries as bookings
from facilities.bookings.models import BookingState
from facilities.bookings.roll import follow_the_roll
from facilities.engine.roll_call import (
    AttendanceState,
    Counts,
    Event,
    EventKind,
    RollCall,
    check_counts,
    check_in_window,
    read_roll,
)
from facilities.households import queries as households
from facilities.infra.db import db
from facilities.kernel import clock
from facilities.kernel.actors import Actor
from facilities.kernel.refusals import Refusal
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
    """One event as a client sends it; `reference` names a booking where the client does not know the resident."""

    id: UUID
    session_id: int
    kind: EventKind
    occurred_at: datetime
    resident_id: int | None = None
    reference: str | None = None
    voids: UUID | None = None
    counts: Counts | None = None
    device: str = ""


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
_NEEDS_SOMEONE = (EventKind.PRESENT, EventKind.ABSENT, EventKind.EXCUSED)


def record(actor: Actor, entries: Sequence[Entry]) -> list[Result]:
    """One result for each entry, in their order. A refused entry is refused for itself; the others are recorded."""
    batch = _Batch(actor, entries)
    results = [batch.decide(entry) for entry in entries]
    batch.write()
    for session in batch.touched():
        project(session)
    return results


class _Batch:
    """What a batch needs to know, read once; sessions are locked in id order, so that each log has one writer."""

    def __init__(self, actor: Actor, entries: Sequence[Entry]) -> None:
        self.actor = actor
        self.now = clock.now()
        self.sessions = programmes.sessions_for_update({e.session_id for e in entries})
        self.known = queries.which_exist({e.id for e in entries} | {e.voids for e in entries if e.voids})
        self.residents = households.existing_ids({e.resident_id for e in entries if e.resident_id is not None})
        self.by_reference = bookings.residents_by_reference(
            {(e.session_id, e.reference) for e in entries if e.reference})
        self.accepted: dict[UUID, tuple[Entry, int | None]] = {}

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
        if entry.reference and entry.resident_id is None:
            return self.by_reference.get((entry.session_id, entry.reference.upper()))
        return entry.resident_id if entry.resident_id in self.residents else None

    def _refusal(self, entry: Entry, resident_id: int | None) -> Refusal | None:
        session = self.sessions.get(entry.session_id)
        if session is None or not policy.can_run(self.actor, session):
            return Refusal("not_found")
        if session.is_cancelled:
            return Refusal("session_cancelled")
        named = entry.resident_id is not None or entry.reference is not None
        if resident_id is None and (named or entry.kind in _NEEDS_SOMEONE):
            return Refusal("not_found")
        if entry.voids == entry.id:
            return Refusal("cannot_void")
        if entry.voids in self.known:
            target_session, target_kind = self.known[entry.voids]
            if target_session != entry.session_id or target_kind is EventKind.VOID:
                return Refusal("cannot_void")
        return (check_in_window(session.starts_at, session.ends_at, entry.occurred_at, self.now,
                                by_administrator=self.actor.is_administrator)
                or (check_counts(entry.counts) if entry.counts else None))

    def write(self) -> None:
        rows = [self._row(entry, resident_id) for entry, resident_id in self.accepted.values()]
        if rows:
            db.session.execute(insert(AttendanceEvent), rows)

    def _row(self, entry: Entry, resident_id: int | None) -> dict[str, object]:
        counts = asdict(entry.counts) if entry.counts else dict.fromkeys(
            ("women", "children", "men", "elders", "disabled"))
        someone = None if entry.kind in (EventKind.VOID, EventKind.HEAD_COUNT) else resident_id
        return {"id": entry.id, "session_id": entry.session_id, "kind": entry.kind, "resident_id": someone,
                "voids": entry.voids, **counts, "device": entry.device, "occurred_at": entry.occurred_at,
                "received_at": self.now, "recorded_by": self.actor.user_id}

    def touched(self) -> list[ActivitySession]:
        ids = sorted({entry.session_id for entry, _ in self.accepted.values()})
        return [self.sessions[session_id] for session_id in ids]


def project(session: ActivitySession) -> RollCall:
    """Bring the projections of one session, and what follows from them, into line with its log."""
    roll = read_roll(queries.logs([session.id]).get(session.id, []))
    authors = queries.recorded_by([session.id])
    booked = {b.resident_id for b in bookings.of_sessions([session.id])}
    standing = {row.resident_id: row for row in queries.attendances([session.id])}
    for resident_id, row in standing.items():
        if resident_id not in roll.residents:
            db.session.delete(row)
    for resident_id, stands in roll.residents.items():
        row = standing.get(resident_id) or Attendance(session_id=session.id, resident_id=resident_id)
        row.state, row.event_id = stands.state, stands.event.id
        row.walk_in = is_walk_in(stands.event, resident_id in booked)
        row.recorded_by = authors[stands.event.id]
        db.session.add(row)
    _project_head_count(session.id, roll)
    sessions.follow_the_roll(session, person_times=roll.person_times)
    follow_the_roll(session, {r: _BOOKING_STATES[s.state] for r, s in roll.residents.items()})
    db.session.flush()
    return roll


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
