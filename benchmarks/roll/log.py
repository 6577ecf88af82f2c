"""A made-up log of everything that desks write down, and how it comes in: several times, in no order.

It is written in the contract's words and knows nothing of the app, so that a recount can be independent of it.
"""

import random
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TypeVar
from uuid import UUID

T = TypeVar("T")

NOW = datetime(2026, 9, 16, 2, 0, tzinfo=UTC)  # it stands still, so that a seed says everything
DEVICES = ("tablet", "phone", "door", "yard", "")  # the last one never got a name
SKEWS = (-7, -3, 0, 4, 9)  # minutes by which each device's clock is wrong
MOST_TIMES = 4  # that one event is sent
DESKS = 4  # who send at once what they have of their sessions
CAME, STATES = ("present", "walk_in"), ("present", "walk_in", "absent", "excused")
REASONS = (None, None, "mistake", "wrong_person", "counted_twice", "was_not_there", "wrong_time")
KINDS = {"present": 26, "walk_in": 12, "absent": 12, "excused": 8, "leave": 18, "head_count": 10, "void": 14}  # of 100
FLAVOURS = {
    "all": tuple(KINDS),
    "nobody came": ("absent", "excused", "leave", "void"),
    "only counted": ("walk_in", "excused", "head_count", "void"),  # nobody of those booked is ticked off
}
MOST_SESSIONS = 12
LASTS = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Happening:
    """One event as a device writes it down."""

    id: UUID
    session: int
    kind: str
    moment: datetime
    device: str
    resident: int | None = None
    voids: UUID | None = None
    reason: str | None = None
    late: bool = False
    counts: tuple[int, int, int, int, int] | None = None  # women, children, men, elders, disabled


@dataclass(frozen=True, slots=True)
class Meeting:
    """A session; `over` where no tick can happen in it any more. By resident, the state of the booking beforehand."""

    id: int
    starts_at: datetime
    flavour: str
    bookings: dict[int, str]

    @property
    def ends_at(self) -> datetime:
        return self.starts_at + LASTS

    @property
    def over(self) -> bool:
        return self.ends_at + timedelta(days=1) < NOW


@dataclass(frozen=True, slots=True)
class Log:
    meetings: list[Meeting]
    residents: range
    happenings: list[Happening]

    @property
    def unsure(self) -> set[UUID]:
        """Voids that void nothing: the desk is told so only where what they name came before them."""
        of = {h.id: h for h in self.happenings}
        return {h.id for h in self.happenings if h.voids in of
                and (of[h.voids].session != h.session or of[h.voids].kind == "void")}

    def kinds(self) -> Counter[str]:
        return Counter(h.kind for h in self.happenings)


def make(events: int, first: int, chance: random.Random) -> Log:
    """So many events over several sessions; sessions and residents are numbered from `first`."""
    residents = range(first, first + max(12, events // 60))
    meetings = [_meeting(first + n, n, residents, chance) for n in range(min(MOST_SESSIONS, 3 + events // 100))]
    happenings = [_happening(chance.choice(meetings), residents, chance) for _ in range(events)]
    accepted = {(m.id, resident) for m in meetings for resident, state in m.bookings.items() if state == "offered"}
    return Log(meetings, residents, _aim(happenings, accepted, chance))


def _meeting(number: int, n: int, residents: range, chance: random.Random) -> Meeting:
    """Every other one ended days ago. None overlaps with another, so that everybody may be booked in all of them.

    Of those who have an offer one may only come, and another only stay away: a presence that is taken back leaves the
    place accepted, and what is left of an offer would depend on what came first.
    """
    ago = timedelta(minutes=75) * (n + 1) + (timedelta(days=3) if n % 2 == 0 else timedelta())
    flavour = {2: "only counted", 4: "nobody came"}.get(n % 6, "all")
    states = ["confirmed"] * 6 + ["cancelled", "waitlisted", "offered" if flavour == "all" else "", *[""] * 5]
    bookings = {resident: chance.choice(states) for resident in residents}
    return Meeting(number, NOW - ago, flavour, {r: state for r, state in bookings.items() if state})


def _happening(meeting: Meeting, residents: range, chance: random.Random) -> Happening:
    kinds = FLAVOURS[meeting.flavour]
    kind = chance.choices(kinds, [KINDS[k] for k in kinds])[0]
    device = chance.randrange(len(DEVICES))
    moment = _moment(meeting, chance) + timedelta(minutes=SKEWS[device])
    resident = chance.choice(residents) if kind in (*STATES, "leave") else None
    if kind == "walk_in" and (meeting.flavour == "only counted" or chance.random() < 0.4):
        resident = None
    if resident and meeting.bookings.get(resident) == "offered":
        kind = _of_an_offer(kind, resident)
    return Happening(
        UUID(int=chance.getrandbits(128)), meeting.id, kind, moment, DEVICES[device], resident,
        reason=chance.choice(REASONS) if kind == "void" else None,
        late=kind in CAME and chance.random() < 0.3, counts=_counts(chance) if kind == "head_count" else None)


def _of_an_offer(kind: str, resident: int) -> str:
    """See `_meeting`: one only comes, another only stays away."""
    either = ("present", "walk_in") if resident % 2 else ("absent", "excused")
    return either[kind in ("walk_in", "excused")] if kind in STATES else kind


def _moment(meeting: Meeting, chance: random.Random) -> datetime:
    """By the true clock: mostly while it lasts and often at one instant, now and then in the hours after it."""
    if chance.random() < 0.5:
        return meeting.starts_at + timedelta(minutes=10 * chance.randrange(-4, 8))
    if chance.random() < 0.8:
        return meeting.starts_at + timedelta(seconds=chance.randrange(-50 * 60, 60 * 60))
    return meeting.ends_at + timedelta(seconds=chance.randrange(23 * 60 * 60))


def _counts(chance: random.Random) -> tuple[int, int, int, int, int]:
    women, children, men = (chance.randrange(9) for _ in range(3))
    return women, children, men, chance.randint(0, women + men), chance.randint(0, women + children + men)


def _aim(happenings: list[Happening], accepted: set[tuple[int, int]], chance: random.Random) -> list[Happening]:
    """Give each void what it voids: mostly an entry of its session, else of another, a void, or what never comes.

    What somebody who was `accepted` by coming wrote down is not taken back: see `_meeting`.
    """
    entries = [h for h in happenings if h.kind != "void" and (h.session, h.resident) not in accepted]
    by_session: defaultdict[int, list[Happening]] = defaultdict(list)
    for h in entries:
        by_session[h.session].append(h)
    voids = [h for h in happenings if h.kind == "void"]
    return [_aimed(h, entries, by_session[h.session], voids, chance) if h.kind == "void" else h for h in happenings]


def _aimed(void: Happening, everything: list[Happening], entries: list[Happening], voids: list[Happening],
           chance: random.Random) -> Happening:
    dice = chance.random()
    among = entries if dice < 0.8 else everything if dice < 0.9 else voids
    target = chance.choice(among).id if among and dice < 0.95 else UUID(int=chance.getrandbits(128))
    if target == void.id:
        target = UUID(int=chance.getrandbits(128))
    return Happening(void.id, void.session, "void", void.moment, void.device, voids=target, reason=void.reason)


def sent(happenings: Sequence[T], chance: random.Random) -> list[T]:
    """As they come in: each from once to four times, and in no order at all."""
    arrivals = [h for h in happenings for _ in range(chance.randint(1, MOST_TIMES))]
    chance.shuffle(arrivals)
    return arrivals


def batches(arrivals: Sequence[Happening], most: int, chance: random.Random) -> list[Sequence[Happening]]:
    """What is sent at once: nearly as many as may be of some of the sessions, and now and then a single one.

    A desk keeps the roll of some sessions, not of all; and each call reads the whole log of each session that is in it.
    """
    desk_of = {h.session: chance.randrange(DESKS) for h in arrivals}
    cut = []
    for desk in range(DESKS):
        queue, at = [h for h in arrivals if desk_of[h.session] == desk], 0
        while at < len(queue):
            size = 1 if chance.random() < 0.1 else chance.randint(most * 3 // 4, most)
            cut.append(queue[at:at + size])
            at += size
    chance.shuffle(cut)
    return cut
