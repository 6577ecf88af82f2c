"""What a log of attendance events says, however often and in whatever order the events came.

Of a resident's events the un-voided one with the greatest (occurred_at, id) stands. A void is final,
may arrive before what it voids, and works on events of its own session that are not voids themselves.
Of each device the latest un-voided head count stands, and devices add up. (api.md, Attendance)

Where two records of one person were merged, each record's own events say how it stands, and whoever was there by either
of them was there: the other one's place was ticked as empty by somebody who could not know.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from facilities.kernel.refusals import Refusal

ENTRY_OPENS_BEFORE_START = timedelta(hours=1)
ENTRY_ENDS_AFTER_END = timedelta(days=1)
LATE_ARRIVAL_LIMIT = timedelta(days=30)


class EventKind(StrEnum):
    PRESENT = "present"
    ABSENT = "absent"
    EXCUSED = "excused"
    WALK_IN = "walk_in"
    HEAD_COUNT = "head_count"
    VOID = "void"


class AttendanceState(StrEnum):
    PRESENT = "present"
    ABSENT = "absent"
    EXCUSED = "excused"


_STATES = {
    EventKind.PRESENT: AttendanceState.PRESENT,
    EventKind.WALK_IN: AttendanceState.PRESENT,
    EventKind.ABSENT: AttendanceState.ABSENT,
    EventKind.EXCUSED: AttendanceState.EXCUSED,
}


@dataclass(frozen=True, slots=True)
class Counts:
    """People who are not named; `elders` and `disabled` are 'of whom'."""

    women: int = 0
    children: int = 0
    men: int = 0
    elders: int = 0
    disabled: int = 0

    @property
    def people(self) -> int:
        return self.women + self.children + self.men

    def __add__(self, other: "Counts") -> "Counts":
        return Counts(self.women + other.women, self.children + other.children, self.men + other.men,
                      self.elders + other.elders, self.disabled + other.disabled)


def check_counts(counts: Counts) -> Refusal | None:
    """The 'of whom' are among those counted; elders are adults."""
    if counts.elders > counts.women + counts.men:
        return Refusal("counts_do_not_add_up", {"of_whom": "elders"})
    if counts.disabled > counts.people:
        return Refusal("counts_do_not_add_up", {"of_whom": "disabled"})
    return None


@dataclass(frozen=True, slots=True)
class Event:
    id: UUID
    kind: EventKind
    occurred_at: datetime
    resident_id: int | None = None
    voids: UUID | None = None
    device: str = ""
    counts: Counts | None = None
    record: int | None = None  # for which it was entered, where that went into `resident_id`'s


@dataclass(frozen=True, slots=True)
class Standing:
    """The state of one resident in one session, and the event that says so."""

    resident_id: int
    state: AttendanceState
    event: Event


@dataclass(frozen=True, slots=True)
class RollCall:
    residents: dict[int, Standing]
    head_counts: dict[str, Event]  # by device
    unnamed: tuple[Event, ...]  # walk-ins of whom nothing is known, in the order in which they happened

    @property
    def unnamed_walk_ins(self) -> int:
        return len(self.unnamed)

    @property
    def head_count(self) -> Counts:
        return sum((e.counts for e in self.head_counts.values() if e.counts), Counts())

    @property
    def person_times(self) -> int:
        present = sum(s.state is AttendanceState.PRESENT for s in self.residents.values())
        return present + self.unnamed_walk_ins + self.head_count.people


def read_roll(events: Iterable[Event]) -> RollCall:
    """Project the events of *one* session."""
    log = {event.id: event for event in events}
    voided = {event.voids for event in log.values() if event.kind is EventKind.VOID}
    by_record: dict[tuple[int, int | None], Standing] = {}
    head_counts: dict[str, Event] = {}
    unnamed: list[Event] = []
    in_order = sorted(log.values(), key=lambda e: (e.occurred_at, e.id))
    for event in in_order:
        if event.kind is EventKind.VOID or event.id in voided:
            continue
        if event.kind is EventKind.HEAD_COUNT:
            head_counts[event.device] = event
        elif event.resident_id is None:
            unnamed.append(event)
        else:
            by_record[event.resident_id, event.record] = Standing(event.resident_id, _STATES[event.kind], event)
    return RollCall(_by_person(by_record.values()), head_counts, tuple(unnamed))


def _by_person(of_records: Iterable[Standing]) -> dict[int, Standing]:
    people: dict[int, Standing] = {}
    for standing in of_records:
        other = people.get(standing.resident_id)
        if other is None or _weight(standing) > _weight(other):
            people[standing.resident_id] = standing
    return people


def _weight(standing: Standing) -> tuple[bool, datetime, UUID]:
    return standing.state is AttendanceState.PRESENT, standing.event.occurred_at, standing.event.id


def check_in_window(starts_at: datetime, ends_at: datetime, occurred_at: datetime, now: datetime,
                    *, by_administrator: bool) -> Refusal | None:
    """Ticks belong to the session's own hours; an administrator may enter them late."""
    happened = starts_at - ENTRY_OPENS_BEFORE_START <= occurred_at <= ends_at + ENTRY_ENDS_AFTER_END
    arrived = by_administrator or now <= ends_at + LATE_ARRIVAL_LIMIT
    if happened and arrived:
        return None
    return Refusal("not_in_attendance_window")


def is_ticking_over(ends_at: datetime, now: datetime) -> bool:
    """No tick can happen any more, though one that happened in time may still arrive."""
    return now > ends_at + ENTRY_ENDS_AFTER_END


def moment_for_entry(ends_at: datetime, now: datetime) -> datetime:
    """When a tick made on the page counts as having happened: now, or at the latest when entering it was in time."""
    return min(now, ends_at + ENTRY_ENDS_AFTER_END)
