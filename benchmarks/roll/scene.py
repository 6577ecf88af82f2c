"""The log's sessions and people as rows of the app, the log through its service, and what it makes of it by SQL."""

import random
from collections import Counter
from collections.abc import Iterable, Sequence
from uuid import UUID

from sqlalchemy import Connection, insert, text

from benchmarks import people
from benchmarks.roll.log import Happening, Log
from benchmarks.roll.recount import State
from facilities.attendance import services
from facilities.attendance.services import Entry, Outcome
from facilities.bookings.models import Booking, BookingState
from facilities.engine.roll_call import Counts, EventKind, VoidReason
from facilities.infra.db import unit_of_work
from facilities.kernel import clock
from facilities.kernel.actors import Actor, Granted, Role

MANAGER = Actor(people.FIRST, 0, "", "", (Granted(Role.MANAGER, people.FIRST),))
PLACES = 10_000


def set_the_scene(connection: Connection, log: Log) -> None:
    now = clock.now()
    people.add_people(connection, log.residents[0], len(log.residents))
    facility = people.add_facility(connection)
    people.add_sessions(connection, facility, [(m.id, PLACES, m.starts_at, m.ends_at - m.starts_at)
                                               for m in log.meetings])
    connection.execute(insert(Booking), [
        {"reference": f"R{m.id}{resident}", "session_id": m.id, "resident_id": resident, "state": BookingState(state),
         "starts_at": m.starts_at, "ends_at": m.ends_at, "created_at": now,
         "cancelled_at": now if state == "cancelled" else None,
         "offer_expires_at": now if state == "offered" else None}
        for m in log.meetings for resident, state in m.bookings.items()])


def entry_of(h: Happening) -> Entry:
    return Entry(h.id, h.session, EventKind(h.kind), h.moment, h.resident, voids=h.voids,
                 reason=VoidReason(h.reason) if h.reason else None, late=h.late,
                 counts=Counts(*h.counts) if h.counts else None, device=h.device)


def tell(log: Log, batches: Iterable[Sequence[Happening]]) -> tuple[Counter[str], list[str]]:
    """Outcomes; and what was answered otherwise than the contract says: each event is recorded once, and then known."""
    answers: dict[UUID, Counter[str]] = {}
    outcomes: Counter[str] = Counter()
    for batch in batches:
        entries = [entry_of(h) for h in batch]
        for result in unit_of_work(lambda sent=entries: services.record(MANAGER, sent)):
            answers.setdefault(result.id, Counter())[result.outcome.value] += 1
            outcomes[result.outcome.value] += 1
    unsure = log.unsure
    wrong = [f"{h.kind} {h.id} was answered {dict(answers[h.id])}" for h in log.happenings
             if not _is_right(answers[h.id], unsure=h.id in unsure)]
    return outcomes, wrong


def _is_right(answers: Counter[str], *, unsure: bool) -> bool:
    if unsure:
        return answers[Outcome.RECORDED] <= 1
    return answers[Outcome.RECORDED] == 1 and not answers[Outcome.REFUSED]


def read_state(connection: Connection) -> State:
    """The projections, as the recount has them."""
    found: State = {}
    for session, resident, state, walk_in, late, minutes, event in connection.execute(text(
            "SELECT session_id, resident_id, state, walk_in, late, minutes, event_id FROM attendances")):
        found["attendance", session, resident] = state, bool(walk_in), bool(late), minutes, _hex(event)
    for session, *counts in connection.execute(text(
            "SELECT session_id, women, children, men, elders, disabled, unnamed_walk_ins FROM head_counts")):
        if any(counts):
            found["head count", session, 0] = tuple(counts)
    for session, status in connection.execute(text("SELECT id, status FROM activity_sessions")):
        found["session", session, 0] = (status,)
    for session, resident, state in connection.execute(text("SELECT session_id, resident_id, state FROM bookings")):
        found["booking", session, resident] = (state,)
    return found


def _hex(event: UUID | str) -> str:
    """Where there is no such type, SQLite keeps it as text."""
    return str(event).replace("-", "")


OF_SOMEBODY = ("session_id", "resident_id")
ANOTHER = "(SELECT id FROM attendance_events WHERE kind = 'head_count' ORDER BY id LIMIT 1)"
DAMAGES = {  # name: table, its key, what is done, to which of its rows
    "state": ("attendances", OF_SOMEBODY, "SET state = 'absent', late = FALSE, minutes = NULL", "state = 'present'"),
    "walk_in": ("attendances", OF_SOMEBODY, "SET walk_in = NOT walk_in", "TRUE"),
    "late": ("attendances", OF_SOMEBODY, "SET late = NOT late", "state = 'present'"),
    "minutes": ("attendances", OF_SOMEBODY, "SET minutes = minutes + 1", "minutes IS NOT NULL"),
    "no minutes": ("attendances", OF_SOMEBODY, "SET minutes = NULL", "minutes IS NOT NULL"),
    "event": ("attendances", OF_SOMEBODY, f"SET event_id = {ANOTHER}", "TRUE"),
    "lost": ("attendances", OF_SOMEBODY, "", "TRUE"),
    "head count": ("head_counts", ("session_id",), "SET men = men + 1", "TRUE"),
    "unnamed": ("head_counts", ("session_id",), "SET unnamed_walk_ins = unnamed_walk_ins + 1", "TRUE"),
    "status": ("activity_sessions", ("id",), "SET status = 'scheduled'", "status = 'held'"),
    "booking": ("bookings", ("id",), "SET state = 'confirmed'", "state = 'attended'"),
}


def damage(connection: Connection, what: str, chance: random.Random) -> str:
    """Change one row of a projection behind the app's back, in a way that no constraint refuses; which one."""
    table, names, change, which = DAMAGES[what]
    rows = connection.execute(text(f"SELECT {', '.join(names)} FROM {table} WHERE {which} ORDER BY {', '.join(names)}"))
    key = dict(zip(names, chance.choice(rows.all()), strict=True))
    of_row = " AND ".join(f"{name} = :{name}" for name in names)
    done = connection.execute(text(
        f"UPDATE {table} {change} WHERE {of_row}" if change else f"DELETE FROM {table} WHERE {of_row}"), key)
    assert done.rowcount == 1
    return f"{what} of {table} {key}"
