"""The roll of one session, and the sum of a day, as pages and devices see them."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from uuid import UUID

from facilities.attendance import queries
from facilities.attendance.models import HeadCount
from facilities.bookings import queries as bookings
from facilities.bookings.codes import code_of
from facilities.bookings.models import Booking
from facilities.engine.ages import ADULT_AGE, ELDER_AGE, age_on
from facilities.engine.beneficiaries import Category, category_of
from facilities.engine.name_search import search_keys
from facilities.engine.roll_call import (
    AttendanceState,
    Counts,
    Event,
    RollCall,
    Standing,
    read_roll,
    standing_events,
)
from facilities.households import queries as households
from facilities.households.models import Resident
from facilities.households.queries import Relative
from facilities.kernel import clock
from facilities.kernel.text import mask_name
from facilities.programmes.models import ActivitySession


@dataclass(frozen=True, slots=True)
class Line:
    """One person of the roll. `log`: what a device needs to know to say the same as we do without asking us."""

    resident: Resident
    category: Category
    standing: Standing | None
    log: list[dict[str, object]]
    booking: Booking | None = None
    relatives: Sequence[Relative] = ()

    @property
    def name(self) -> str:
        """In full for those who booked; a desk does not learn names by numbers."""
        return self.resident.name if self.booking else mask_name(self.resident.name)

    @property
    def keys(self) -> str:
        return f"{search_keys(self.name)} {self.booking.reference.casefold() if self.booking else ''}".strip()

    @property
    def code(self) -> str:
        return code_of(self.booking.id) if self.booking else ""

    @property
    def undo(self) -> UUID | None:
        """The entry that a tap takes back: that somebody left, or else what stands of them."""
        if self.standing is None:
            return None
        return self.standing.stay.left_by if self.look == "left" else self.standing.event.id

    @property
    def look(self) -> str:
        """The state in one word, as styles and signs know it."""
        if self.standing is None:
            return "open"
        if self.standing.state is AttendanceState.PRESENT:
            if self.standing.stay.left_at and self.standing.stay.since is None:
                return "left"
            return "late" if self.standing.event.late else "present"
        return self.standing.state.value


@dataclass(frozen=True, slots=True)
class Roll:
    booked: list[Line]
    walk_ins: list[Line]
    relatives: dict[int, Line]  # by resident: who can be counted by two taps
    call: RollCall
    people: Counter[Category]

    @property
    def named(self) -> int:
        return sum(s.state is AttendanceState.PRESENT for s in self.call.residents.values())

    @property
    def without_names(self) -> int:
        return self.call.head_count.people + self.call.unnamed_walk_ins

    @property
    def unnamed(self) -> list[str]:
        return [str(event.id) for event in self.call.unnamed]

    @property
    def head_counts(self) -> dict[str, dict[str, object]]:
        """By device, for devices: each knows its own."""
        return {device: {"at": event.occurred_at.isoformat(), "id": str(event.id), **_numbers(event.counts)}
                for device, event in self.call.head_counts.items()}


def read(session: ActivitySession) -> Roll:
    """The session's roll at present; a handful of queries, however many people there are."""
    log = queries.logs([session.id]).get(session.id, [])
    call, by_resident = read_roll(log), _by_resident(standing_events(log))
    booked = bookings.roster(session.id)
    here = {b.resident_id for b in booked}
    day = clock.local_date(session.starts_at)
    relatives = households.relatives_of([b.resident_id for b in booked if _is_child(b.resident, day)])
    others = {r.resident.id: r.resident for people in relatives.values() for r in people if r.resident.id not in here}
    walked_in = queries.attendances([session.id])

    def line(resident: Resident, booking: Booking | None = None) -> Line:
        return Line(resident, category_of(resident.sex, resident.birth_date, day), call.residents.get(resident.id),
                    by_resident[resident.id], booking,
                    [r for r in relatives.get(resident.id, ()) if r.resident.id in others])

    lines = [line(b.resident, b) for b in booked]
    walk_ins = [line(row.resident) for row in walked_in
                if row.resident_id not in here and row.state is AttendanceState.PRESENT]
    people = _heads(call.head_count, call.unnamed_walk_ins)
    people.update(each.category for each in (*lines, *walk_ins)
                  if each.standing and each.standing.state is AttendanceState.PRESENT)
    return Roll(lines, walk_ins, {number: line(resident) for number, resident in others.items()}, call, people)


def _by_resident(events: Iterable[Event]) -> defaultdict[int, list[dict[str, object]]]:
    found: defaultdict[int, list[dict[str, object]]] = defaultdict(list)
    for event in events:
        if event.resident_id is not None:
            found[event.resident_id].append({
                "id": str(event.id), "kind": event.kind.value, "at": event.occurred_at.isoformat(),
                "late": event.late})
    return found


def _is_child(resident: Resident, day: date) -> bool:
    return resident.birth_date is not None and age_on(resident.birth_date, day) < ADULT_AGE


def _heads(counts: Counts | HeadCount, unnamed: int) -> Counter[Category]:
    return Counter({Category.WOMEN: counts.women, Category.CHILDREN: counts.children, Category.MEN: counts.men,
                    Category.UNKNOWN: unnamed, Category.ELDERS: counts.elders, Category.DISABLED: counts.disabled})


def _numbers(counts: Counts | None) -> dict[str, object]:
    return asdict(counts or Counts())


@dataclass(frozen=True, slots=True)
class Day:
    """What a day comes to: person-times by category, of whom elders and residents with disabilities, and by session."""

    people: Counter[Category]
    here: Counter[int]

    @property
    def total(self) -> int:
        return self.here.total()


def sum_up(sessions: Sequence[ActivitySession], head_counts: Mapping[int, HeadCount]) -> Day:
    """Sessions that are cancelled count as nobody, as in the figures."""
    days = {s.id: clock.local_date(s.starts_at) for s in sessions if not s.is_cancelled}
    people, here = Counter[Category](), Counter[int]()
    for someone in queries.seen(days):
        day = days[someone.session_id]
        here[someone.session_id] += 1
        people[category_of(someone.sex, someone.birth_date, day)] += 1
        people[Category.ELDERS] += bool(someone.birth_date and age_on(someone.birth_date, day) >= ELDER_AGE)
        people[Category.DISABLED] += someone.is_disabled
    for session_id in days.keys() & head_counts.keys():
        heads = head_counts[session_id]
        here[session_id] += heads.people
        people.update(_heads(heads, heads.unnamed_walk_ins))
    return Day(people, here)


def open_people(roll: Roll) -> list[int]:
    """Those booked about whom nothing is entered."""
    return [line.resident.id for line in roll.booked if line.standing is None]

