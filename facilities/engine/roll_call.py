"""What a log of attendance events says, however often and in whatever order the events came.

Of a resident's events the un-voided one with the greatest (occurred_at, id) stands. A void is final,
may arrive before what it voids, and works on events of its own session that are not voids themselves.
Of each device the latest un-voided head count stands, and devices add up. (api.md, Attendance)

Where two records of one person were merged, each record's own events say how it stands, and whoever was there by either
of them was there: the other one's place was ticked as empty by somebody who could not know.

`leave` says that somebody went, not whether they were there: it ends a stay that a presence began, and does not change
what stands. Where nobody wrote down when somebody went, the time that they spent is the session's own.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from facilities.kernel.refusals import Refusal

ENTRY_OPENS_BEFORE_START = timedelta(hours=1)
ENTRY_ENDS_AFTER_END = timedelta(days=1)
LONGEST_OVERTIME = timedelta(hours=3)  # (our choice)
LATE_ARRIVAL_LIMIT = timedelta(days=30)  # for managers, unless the district's rule says otherwise or a day is reopened


class EventKind(StrEnum):
    PRESENT = "present"
    ABSENT = "absent"
    EXCUSED = "excused"
    WALK_IN = "walk_in"
    LEAVE = "leave"
    HEAD_COUNT = "head_count"
    VOID = "void"


class VoidReason(StrEnum):
    """Why an entry is taken back. A choice and no words: the log can never be changed, and words may say anything."""

    MISTAKE = "mistake"
    WRONG_PERSON = "wrong_person"
    COUNTED_TWICE = "counted_twice"
    WAS_NOT_THERE = "was_not_there"
    WRONG_TIME = "wrong_time"


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
CAME = (EventKind.PRESENT, EventKind.WALK_IN)
OF_SOMEONE = (EventKind.PRESENT, EventKind.ABSENT, EventKind.EXCUSED, EventKind.LEAVE)  # never without a name


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
    late: bool = False
    record: int | None = None  # for which it was entered, where that went into `resident_id`'s


@dataclass(frozen=True, slots=True)
class Stay:
    """What the log says of the time that somebody spent: whole stays, and since when one lasts."""

    spent: timedelta = timedelta()
    since: datetime | None = None
    left_at: datetime | None = None
    left_by: UUID | None = None  # the entry that says so

    def come(self, moment: datetime) -> "Stay":
        return self if self.since else replace(self, since=moment)

    def leave(self, moment: datetime, event_id: UUID) -> "Stay":
        """Somebody who is not known to be there cannot go."""
        if self.since is None:
            return self
        return Stay(self.spent + (moment - self.since), None, moment, event_id)

    @property
    def minutes(self) -> int | None:
        """Whole minutes of the stays that somebody ended; None where nobody wrote down that they went."""
        return None if self.left_at is None else int(self.spent / timedelta(minutes=1))


@dataclass(frozen=True, slots=True)
class Standing:
    """The state of one resident in one session, and the event that says so."""

    resident_id: int
    state: AttendanceState
    event: Event
    stay: Stay = Stay()

    @property
    def minutes(self) -> int | None:
        """Spent there, where that was written down."""
        return self.stay.minutes if self.state is AttendanceState.PRESENT else None


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


def standing_events(events: Iterable[Event]) -> list[Event]:
    """Of *one* session's events those that nobody took back, in the order in which they happened; no voids."""
    log = {event.id: event for event in events}
    voided = {event.voids for event in log.values() if event.kind is EventKind.VOID}
    return sorted((e for e in log.values() if e.kind is not EventKind.VOID and e.id not in voided),
                  key=lambda e: (e.occurred_at, e.id))


def read_roll(events: Iterable[Event]) -> RollCall:
    """Project the events of *one* session."""
    by_record: dict[tuple[int, int | None], Standing] = {}
    stays: defaultdict[tuple[int, int | None], Stay] = defaultdict(Stay)
    head_counts: dict[str, Event] = {}
    unnamed: list[Event] = []
    for event in standing_events(events):
        if event.kind is EventKind.HEAD_COUNT:
            head_counts[event.device] = event
        elif event.resident_id is None:
            unnamed.append(event)
        else:
            key = event.resident_id, event.record
            stays[key] = _stay(stays[key], event)
            if event.kind is not EventKind.LEAVE:
                by_record[key] = Standing(event.resident_id, _STATES[event.kind], event)
    people = _by_person(replace(standing, stay=stays[key]) for key, standing in by_record.items())
    return RollCall(people, head_counts, tuple(unnamed))


def _stay(before: Stay, event: Event) -> Stay:
    """Whoever was ticked as not there has spent no time before that."""
    if event.kind in CAME:
        return before.come(event.occurred_at)
    return before.leave(event.occurred_at, event.id) if event.kind is EventKind.LEAVE else Stay()


def _by_person(of_records: Iterable[Standing]) -> dict[int, Standing]:
    people: dict[int, Standing] = {}
    for standing in of_records:
        other = people.get(standing.resident_id)
        if other is None or _weight(standing) > _weight(other):
            people[standing.resident_id] = standing
    return people


def _weight(standing: Standing) -> tuple[bool, datetime, UUID]:
    return standing.state is AttendanceState.PRESENT, standing.event.occurred_at, standing.event.id


def check_in_window(starts_at: datetime, ends_at: datetime, occurred_at: datetime, now: datetime, *,
                    open_late: bool, arrives_within: timedelta = LATE_ARRIVAL_LIMIT) -> Refusal | None:
    """Ticks belong to the session's own hours. `open_late`: by an administrator's hand, or a day that one reopened."""
    happened = starts_at - ENTRY_OPENS_BEFORE_START <= occurred_at <= ends_at + ENTRY_ENDS_AFTER_END
    arrived = open_late or now <= ends_at + arrives_within
    if happened and arrived:
        return None
    return Refusal("not_in_attendance_window")


def check_self_check_in(starts_at: datetime, ends_at: datetime, now: datetime) -> Refusal | None:
    """Whoever checks in themselves is there now: from an hour before the start until the end. Facts: when it opens."""
    opens_at = starts_at - ENTRY_OPENS_BEFORE_START
    if now < opens_at:
        return Refusal("check_in_not_open", {"opens_at": opens_at})
    return Refusal("check_in_over") if now >= ends_at else None


def is_ticking_over(ends_at: datetime, now: datetime) -> bool:
    """No tick can happen any more, though one that happened in time may still arrive."""
    return now > ends_at + ENTRY_ENDS_AFTER_END


def moment_for_leaving(ends_at: datetime, now: datetime) -> datetime:
    """When somebody left of whom it is entered now: some hours after the end nobody is there any more."""
    return now if now <= ends_at + LONGEST_OVERTIME else ends_at


def moment_for_entry(ends_at: datetime, now: datetime) -> datetime:
    """When a tick made on the page counts as having happened: now, or at the latest when entering it was in time."""
    return min(now, ends_at + ENTRY_ENDS_AFTER_END)
