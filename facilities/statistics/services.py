"""The verb that makes figures trustworthy: count again from the log, and compare."""

from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass

from sqlalchemy import select

from facilities.attendance import queries as attendance
from facilities.attendance.models import AttendanceEvent
from facilities.engine.roll_call import read_roll
from facilities.infra.db import db
from facilities.programmes.models import ActivitySession, SessionStatus

AT_ONCE = 200


@dataclass(frozen=True, slots=True)
class Difference:
    """What the events of a session say, and what is kept instead."""

    session_id: int
    what: str
    recounted: object
    kept: object


def verify(progress: Callable[[int, int], None] = lambda done, of: None) -> tuple[int, list[Difference]]:
    """Recount every session from its events. Returns how many sessions were looked at, and the differences."""
    logged = select(AttendanceEvent.session_id).distinct()
    held = select(ActivitySession.id).where(ActivitySession.status == SessionStatus.HELD)
    ids = sorted(set(db.session.scalars(logged)) | set(db.session.scalars(held)))
    differences: list[Difference] = []
    for start in range(0, len(ids), AT_ONCE):
        differences.extend(_compare(ids[start:start + AT_ONCE]))
        progress(min(start + AT_ONCE, len(ids)), len(ids))
    return len(ids), differences


def _compare(ids: list[int]) -> Iterator[Difference]:
    logs = attendance.logs(ids)
    head_counts = attendance.head_counts(ids)
    statuses = {row.id: row.status for row in db.session.execute(
        select(ActivitySession.id, ActivitySession.status).where(ActivitySession.id.in_(ids)))}
    kept: dict[int, dict[int, tuple[str, int | None]]] = {session_id: {} for session_id in ids}
    for row in attendance.attendances(ids):
        kept[row.session_id][row.resident_id] = (row.state.value, row.minutes)
    for session_id in ids:
        roll = read_roll(logs.get(session_id, []))
        said: dict[str, object] = {
            "residents": {r: (s.state.value, s.minutes) for r, s in roll.residents.items()},
            "head_counts": asdict(roll.head_count),
            "unnamed_walk_ins": roll.unnamed_walk_ins,
            "held": roll.person_times > 0,
        }
        count = head_counts.get(session_id)
        stored: dict[str, object] = {
            "residents": kept[session_id],
            "head_counts": {name: getattr(count, name) if count else 0 for name in asdict(roll.head_count)},
            "unnamed_walk_ins": count.unnamed_walk_ins if count else 0,
            "held": statuses[session_id] is SessionStatus.HELD,
        }
        for what in said:
            if said[what] != stored[what]:
                yield Difference(session_id, what, said[what], stored[what])
