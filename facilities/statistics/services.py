"""The verb that makes figures trustworthy: count again, compare, and repair what differs where that is asked.

Twice, as figures are made in two steps: sessions from the log of their events, the ledger's pages from the sessions.
"""

from collections.abc import Callable, Collection, Iterator
from dataclasses import asdict, dataclass
from functools import partial

from sqlalchemy import select

from facilities.attendance import queries as attendance
from facilities.attendance.models import AttendanceEvent
from facilities.attendance.services import project
from facilities.engine.roll_call import read_roll
from facilities.engine.spans import around
from facilities.infra.db import db, unit_of_work
from facilities.programmes import queries as programmes
from facilities.programmes.models import ActivitySession, SessionStatus
from facilities.statistics import pages

AT_ONCE = 200


@dataclass(frozen=True, slots=True)
class Difference:
    """What the events of a session say, and what is kept instead."""

    session_id: int
    what: str
    recounted: object
    kept: object


Progress = Callable[[str, int, int], None]


def _silent(what: str, done: int, of: int) -> None:
    """Nobody watches."""


def verify(progress: Progress = _silent) -> tuple[int, list[Difference]]:
    """Recount every session from its events. Returns how many sessions were looked at, and the differences."""
    logged = select(AttendanceEvent.session_id).distinct()
    held = select(ActivitySession.id).where(ActivitySession.status == SessionStatus.HELD)
    ids = sorted(set(db.session.scalars(logged)) | set(db.session.scalars(held)))
    differences: list[Difference] = []
    for start in range(0, len(ids), AT_ONCE):
        differences.extend(_compare(ids[start:start + AT_ONCE]))
        progress("sessions", min(start + AT_ONCE, len(ids)), len(ids))
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


def repair(differences: Collection[Difference], progress: Progress = _silent) -> None:
    """What is kept of these sessions follows their events again; nothing is typed in.

    Each session is a unit of its own, locked like one that is just being ticked.
    """
    ids = sorted({difference.session_id for difference in differences})
    for number, session_id in enumerate(ids, start=1):
        unit_of_work(partial(_follow_events, session_id))
        progress("repaired", number, len(ids))


def _follow_events(session_id: int) -> None:
    project(programmes.sessions_for_update({session_id})[session_id])


def verify_pages(progress: Progress = _silent, *, mend: bool = False) -> tuple[int, list[pages.Key]]:
    """Recount the ledger, pages from their sessions and sheets from their pages. Returns how many, and which differed.

    A period is a unit of its own, also where what differs is made anew.
    """
    months = pages.months()
    periods = [*months, *sorted({period for month in months for period in around(month)})]
    looked_at, wrong, steps = 0, list[pages.Key](), len(months) + len(periods)
    for number, month in enumerate(months, start=1):
        seen, differ = unit_of_work(partial(pages.compare, month, mend=mend))
        looked_at, wrong = looked_at + seen, wrong + differ
        progress("pages and sheets", number, steps)
    broken = {period for month, _, _ in wrong for period in (month, *around(month))}  # nothing can be made from these
    for number, period in enumerate(periods, start=len(months) + 1):
        seen, differ = (0, []) if period in broken else unit_of_work(
            partial(pages.compare_sheets, period, mend=mend))
        looked_at, wrong = looked_at + seen, wrong + differ
        progress("pages and sheets", number, steps)
    return looked_at, wrong
