"""Long lives of a session, a waitlist and a space: whatever happens in whatever order, what must never be false is not.

The machines keep rows and counters as the services do and leave every decision to the engine. Beside each decision
stands a second one, made naively from the rows alone: hours as whole numbers, sets instead of spans. 1,000 lives of 50
steps for each machine; HUIMIN_MACHINES=0.1 runs a tenth of them.
"""

import os
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from facilities.engine.deadlines import BookingWindow, check_bookable, check_cancellable
from facilities.engine.eligibility import Audience, Candidate, Sex, check_eligible
from facilities.engine.limits import Limits, check_household, check_week, week_of
from facilities.engine.waitlist import (
    Party,
    WaitlistMode,
    is_last_call,
    may_promote,
    offered_until,
    promote,
)
from facilities.kernel.spans import Span
from facilities.places.services import leaves_of, related, within

RUNS = max(1, round(1000 * float(os.environ.get("HUIMIN_MACHINES", "1"))))

# No step can be too slow, and nothing is filtered: the checks would only measure the machine that the tests run on.
LIVES = settings(
    max_examples=RUNS,
    stateful_step_count=50,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
    phases=[Phase.generate, Phase.shrink],
)

MONDAY = datetime(2026, 9, 14, tzinfo=UTC)  # hour 0 of every machine


def at(hour: int) -> datetime:
    return MONDAY + timedelta(hours=hour)


def number(most: int) -> st.SearchStrategy[int]:
    """One draw decides the whole step: drawing is what costs."""
    return st.integers(0, most)


# -- a session: places, windows, limits, nobody in two places


@dataclass
class Offered:
    """A session as its row is: hours instead of instants, with the counter."""

    programme: int
    starts: int
    capacity: int
    taken: int = 0
    called_off: bool = False
    hours: int = 2

    @property
    def span(self) -> Span:
        return Span(at(self.starts), at(self.starts + self.hours))

    @property
    def window(self) -> BookingWindow:
        """Open from 150 hours before until an hour before; given back until two hours before."""
        return BookingWindow(at(self.starts), at(self.starts - 150), at(self.starts - 1), at(self.starts - 2))

    @property
    def covered(self) -> set[int]:
        return set(range(self.starts, self.starts + self.hours))


# Hours after Monday's midnight: two that cross, one that touches, the same day's evening, Sunday, and next Monday.
STARTS = (80, 81, 82, 90, 150, 170)
HOUSEHOLD = (0, 0, 0, 1, 1)  # of each resident
GIRL, WOMAN, MAN = (date(2019, 9, 17), Sex.FEMALE), (date(1988, 4, 12), Sex.FEMALE), (date(1980, 1, 1), Sex.MALE)
PEOPLE = tuple(Candidate(*born) for born in (WOMAN, GIRL, MAN, WOMAN, GIRL))
FEMALE_AND_SEVEN = Audience(min_age=7, sex=Sex.FEMALE)  # the girls turn seven on Thursday, hour 72
LIMITS = Limits(per_resident_per_week=2, per_household_per_session=2)


class SessionMachine(RuleBasedStateMachine):
    """Six sessions of two programmes, five residents of two households, ten days."""

    def __init__(self) -> None:
        super().__init__()
        self.hour = 0
        self.sessions = [Offered(n % 2, starts, 1 + n % 3) for n, starts in enumerate(STARTS)]
        self.rows: set[tuple[int, int]] = set()  # (session, resident) of those who hold a place

    @rule(n=number(len(STARTS) * len(PEOPLE) - 1))
    def book(self, n: int) -> None:
        which, resident = divmod(n, len(PEOPLE))
        session = self.sessions[which]
        said = self.why_not(which, resident)
        assert said == self.naively(which, resident)
        if said is None:
            session.taken += 1
            self.rows.add((which, resident))

    def why_not(self, which: int, resident: int) -> str | None:
        """The engine's rules in the services' order."""
        session = self.sessions[which]
        if session.called_off:
            return "session_cancelled"
        day = session.span.starts_at.date()
        refusal = check_bookable(session.window, at(self.hour)) or check_eligible(
            FEMALE_AND_SEVEN if session.programme else Audience(), PEOPLE[resident], day
        )
        if refusal:
            return refusal.code
        if (which, resident) in self.rows:
            return "already_booked"
        held = [self.sessions[s] for s, r in self.rows if r == resident]
        if any(other.span.overlaps(session.span) for other in held):
            return "overlaps_own_booking"
        monday, sunday = week_of(day)
        in_week = [o for o in held if o.programme == session.programme and monday <= o.span.starts_at.date() <= sunday]
        family = [r for s, r in self.rows if s == which and HOUSEHOLD[r] == HOUSEHOLD[resident]]
        refusal = check_week(LIMITS, len(in_week)) or check_household(LIMITS, len(family))
        if refusal:
            return refusal.code
        return None if session.taken < session.capacity else "session_full"

    def naively(self, which: int, resident: int) -> str | None:
        """The same from the rows, in hours."""
        session = self.sessions[which]
        if session.called_off:
            return "session_cancelled"
        if self.hour < session.starts - 150:
            return "booking_not_open"
        if self.hour > session.starts - 2:
            return "booking_closed"
        is_girl, is_man = resident in (1, 4), resident == 2
        if session.programme and (is_man or (is_girl and session.starts < 72)):
            return "not_eligible"
        if (which, resident) in self.rows:
            return "already_booked"
        mine = [self.sessions[s] for s, r in self.rows if r == resident]
        if set().union(*(other.covered for other in mine)) & session.covered:
            return "overlaps_own_booking"
        week = session.starts // 168
        if Counter((o.programme, o.starts // 168) for o in mine)[session.programme, week] >= 2:
            return "limit_reached"
        if Counter(HOUSEHOLD[r] for s, r in self.rows if s == which)[HOUSEHOLD[resident]] >= 2:
            return "limit_reached"
        return "session_full" if sum(s == which for s, _ in self.rows) >= session.capacity else None

    @rule(n=number(len(STARTS) * len(PEOPLE) - 1))
    def give_back(self, n: int) -> None:
        """Whether or not there is something to give back: a second time frees nothing."""
        which, resident = divmod(n, len(PEOPLE))
        session = self.sessions[which]
        if (which, resident) not in self.rows:
            return
        refusal = check_cancellable(session.window, at(self.hour))
        assert (refusal is None) is (self.hour < session.starts - 2)
        if refusal is None:
            self.rows.remove((which, resident))
            session.taken -= 1

    @rule(n=number(len(STARTS) * 4 - 1))
    def resize(self, n: int) -> None:
        which, capacity = divmod(n, 4)
        session = self.sessions[which]
        if session.taken <= capacity + 1:
            session.capacity = capacity + 1

    @rule(n=number(len(STARTS) * 12 - 1))
    def move(self, n: int) -> None:
        """Those booked move along, or the move is refused whole."""
        which, hours = divmod(n, 12)
        session = self.sessions[which]
        starts = session.starts + hours - 6
        span = Span(at(starts), at(starts + session.hours))
        booked = {r for s, r in self.rows if s == which}
        others = [(self.sessions[s], r) for s, r in self.rows if s != which and r in booked]
        refused = any(other.span.overlaps(span) for other, _ in others)
        assert refused is any(other.covered & set(range(starts, starts + 2)) for other, _ in others)
        if not refused:
            session.starts = starts

    @rule(n=number(len(STARTS) * 9 - 1))
    def call_off(self, n: int) -> None:
        if n < len(STARTS):  # now and then, or nothing is left to happen
            session = self.sessions[n]
            session.called_off, session.taken = True, 0
            self.rows = {(s, r) for s, r in self.rows if s != n}

    @rule(n=number(11))
    def time_passes(self, n: int) -> None:
        self.hour += n

    @rule(n=number(len(PEOPLE) - 1))
    def book_everything(self, n: int) -> None:
        """Somebody who wants to be everywhere."""
        for which in range(len(STARTS)):
            self.book(which * len(PEOPLE) + n)

    @invariant()
    def what_must_never_be_false(self) -> None:
        counted = Counter(which for which, _ in self.rows)
        for which, session in enumerate(self.sessions):
            assert session.taken == counted[which], "the counter equals the rows"
            assert 0 <= session.taken <= session.capacity, "never over capacity"
        for resident in range(len(PEOPLE)):
            mine = [self.sessions[s] for s, r in self.rows if r == resident]
            hours = [hour for session in mine for hour in session.covered]
            assert len(hours) == len(set(hours)), "nobody in two places at once"


# -- a waitlist: turns, parties, offers, last call


@dataclass
class Row:
    """One booking."""

    party: int
    person: int
    state: str
    expires: int = 0  # the hour at which an offer is over


CLOSES = 60  # the hour at which booking closes
GROUPS = 12


class WaitlistMachine(RuleBasedStateMachine):
    """One session, twelve people who come and go alone or in parties of up to three, sixty hours until it closes."""

    def __init__(self) -> None:
        super().__init__()
        self.hour, self.capacity, self.taken, self.waiting = 0, 3, 0, 0
        self.mode = WaitlistMode.CONFIRM
        self.rows: dict[int, Row] = {}  # by number, which is the turn; those who are gone are not in it
        self.gone: set[int] = set()
        self.away: set[int] = set()  # people who could not come at the moment
        self.numbers = self.parties = 0

    @property
    def window(self) -> BookingWindow:
        return BookingWindow(at(CLOSES + 1), booking_closes_at=at(CLOSES))

    # what happens

    @rule(n=number(GROUPS * 3 - 1))
    def join(self, n: int) -> None:
        """Somebody, or several together, ask for places and would wait."""
        first, size = n // 3, n % 3 + 1
        if check_bookable(self.window, at(self.hour)):
            return
        held = {row.person for row in self.rows.values()}
        people = [p % GROUPS for p in range(first, first + size) if p % GROUPS not in held]
        if not people:
            return
        kept = self.settle()
        self.parties += 1
        if len(people) <= (0 if kept else self.capacity - self.taken):
            assert self.last_call or not self.could_use_what_is_free(), "a newcomer passes nobody"
            self.taken += len(people)
            self.add(people, "confirmed")
        else:
            self.waiting += len(people)
            self.add(people, "waitlisted")

    @rule(n=number(11))
    def leave(self, n: int) -> None:
        """One of those who have a place or wait, also out of a party."""
        if self.rows:
            which = list(self.rows)[n % len(self.rows)]
            self.end([which])
            self.settle()

    @rule(n=number(GROUPS - 1))
    def come_and_go(self, n: int) -> None:
        """Somebody books elsewhere, or is free again; what that means shows at the next look."""
        self.away ^= {n}

    @rule(n=number(5))
    def resize(self, n: int) -> None:
        self.capacity = max(n + 1, self.taken)
        self.settle()

    @rule(n=number(9))
    def time_passes(self, n: int) -> None:
        self.hour += (0, 1, 1, 1, 2, 2, 3, 4, 6, 9)[n]
        self.settle()

    @rule(n=number(1))
    def change_the_mode(self, n: int) -> None:
        self.mode = (WaitlistMode.CONFIRM, WaitlistMode.OFFER)[n]
        self.settle()

    @rule(n=number(7))
    def answer(self, n: int) -> None:
        """An offer is accepted or declined, by one for the whole party."""
        offers = [number for number, row in self.rows.items() if row.state == "offered"]
        if not offers:
            return
        party = self.rows[offers[n // 2 % len(offers)]].party
        mine = [number for number in offers if self.rows[number].party == party]
        self.settle()  # whose time is over is asked no more
        if n % 2:
            for which in mine:
                if which in self.rows:
                    self.rows[which].state = "confirmed"
        else:
            self.end(which for which in mine if which in self.rows)
            self.settle()

    # what the services do about it

    def add(self, people: list[int], state: str) -> None:
        for person in people:
            self.numbers += 1
            self.rows[self.numbers] = Row(self.parties, person, state)

    def end(self, numbers: Iterable[int]) -> None:
        for which in numbers:
            row = self.rows.pop(which)
            self.gone.add(which)
            if row.state == "waitlisted":
                self.waiting -= 1
            else:
                self.taken -= 1

    @property
    def last_call(self) -> bool:
        return is_last_call(self.window, at(self.hour))

    def queue(self) -> list[Party]:
        turns: dict[int, list[int]] = {}
        for which, row in self.rows.items():
            if row.state == "waitlisted":
                turns.setdefault(row.party, []).append(which)
        return [
            Party(tuple(numbers), not any(self.rows[n].person in self.away for n in numbers))
            for numbers in turns.values()
        ]

    def settle(self) -> bool:
        self.end([n for n, row in self.rows.items() if row.state == "offered" and row.expires <= self.hour])
        if not may_promote(self.window, at(self.hour)):
            assert self.hour >= CLOSES
            return False
        queue, free = self.queue(), self.capacity - self.taken
        turn = promote(queue, free, self.capacity, last_call=self.last_call)
        assert (list(turn.promoted), turn.kept) == self.naively(queue, free)
        self.nobody_is_passed(queue, turn.promoted)
        until = offered_until(6 * 60, self.window, at(self.hour))
        assert until == at(min(self.hour + 6, CLOSES))
        for which in [n for party in turn.promoted for n in party.bookings]:
            row = self.rows[which]
            assert row.state == "waitlisted"
            assert which not in self.gone, "nobody who cancelled comes back"
            row.state = "confirmed" if self.mode is WaitlistMode.CONFIRM else "offered"
            row.expires = min(self.hour + 6, CLOSES)
            self.taken += 1
            self.waiting -= 1
        return turn.kept

    # the same, looked at naively

    def naively(self, queue: list[Party], free: int) -> tuple[list[Party], bool]:
        """Ask who is next, give, ask again."""
        chosen: list[Party] = []
        left = [party for party in queue if party.can_come and len(party.bookings) <= self.capacity]
        while free and left:
            if self.hour >= CLOSES - 2:
                left = [party for party in left if len(party.bookings) <= free]
                if not left:
                    break
            following = left.pop(0)
            if len(following.bookings) > free:
                return chosen, True
            chosen.append(following)
            free -= len(following.bookings)
        return chosen, False

    def nobody_is_passed(self, queue: list[Party], promoted: tuple[Party, ...]) -> None:
        """Of those who could come nobody ahead is still waiting, unless it is last call."""
        if self.hour >= CLOSES - 2 or not promoted:
            return
        ahead = queue[: max(queue.index(party) for party in promoted)]
        passed = [p for p in ahead if p not in promoted and p.can_come and len(p.bookings) <= self.capacity]
        assert not passed, "the order is not inverted, and a kept place not given to a smaller party"

    def could_use_what_is_free(self) -> list[Party]:
        free = self.capacity - self.taken
        return [p for p in self.queue() if free and p.can_come and len(p.bookings) <= self.capacity]

    @invariant()
    def what_must_never_be_false(self) -> None:
        states = Counter(row.state for row in self.rows.values())
        assert self.waiting == states["waitlisted"], "the list's counter equals the rows"
        assert self.taken == states["confirmed"] + states["offered"], "the places' counter equals the rows"
        assert 0 <= self.taken <= self.capacity, "never over capacity"
        assert len({row.person for row in self.rows.values()}) == len(self.rows), "one live booking for everyone"
        of_party: dict[int, str] = {}
        for row in self.rows.values():
            assert of_party.setdefault(row.party, row.state) == row.state, "a party is never split"
        assert not any(row.expires > CLOSES for row in self.rows.values()), "no offer outlives the booking"


# -- a space: a hall holds its rooms, a room holds its hall


@dataclass(frozen=True)
class Place:
    """What `leaves_of` looks at of a space."""

    id: int
    parent_id: int | None


@dataclass(frozen=True)
class Held:
    """An occupancy: one leaf, for a span, by somebody who asked for a space."""

    leaf: int
    asked: int
    holder: int
    starts: int
    ends: int

    @property
    def span(self) -> Span:
        return Span(at(self.starts), at(self.ends))


HOURS = 8
MOST_SPACES = 7


class SpaceMachine(RuleBasedStateMachine):
    """A house with a hall, a room beside it, and rooms that are built into either; eight hours."""

    def __init__(self) -> None:
        super().__init__()
        self.family = [Place(1, None), Place(2, 1), Place(3, 1), Place(4, None)]
        self.rows: list[Held] = []
        self.holders: dict[int, tuple[int, int, int]] = {}  # who → space, start, end
        self.numbers = 0

    @rule(n=number(MOST_SPACES * HOURS * 3 - 1))
    def hold(self, n: int) -> None:
        rest, hours = divmod(n, 3)
        space, starts = divmod(rest, HOURS)
        if space < len(self.family):
            self.numbers += 1
            self.take(self.numbers, self.family[space].id, starts, min(starts + hours + 1, HOURS + 2))

    @rule(n=number(11 * HOURS - 1))
    def move(self, n: int) -> None:
        """To another hour; its own old span is never in the way, and a refused move leaves everything as it was."""
        which, starts = divmod(n, HOURS)
        if not self.holders:
            return
        holder = list(self.holders)[which % len(self.holders)]
        space, old_start, old_end = self.holders[holder]
        before = list(self.rows)
        self.release(holder)
        if not self.take(holder, space, starts, starts + old_end - old_start):
            self.rows, self.holders[holder] = before, (space, old_start, old_end)

    @rule(n=number(11))
    def give_back(self, n: int) -> None:
        if self.holders:
            self.release(list(self.holders)[n % len(self.holders)])

    @rule(n=number(MOST_SPACES - 1))
    def build(self, n: int) -> None:
        """A space inside a space: what holds its surroundings holds it too, from then on."""
        if len(self.family) == MOST_SPACES or n >= len(self.family):
            return
        parent = self.family[n].id
        new = Place(len(self.family) + 1, parent)
        self.family.append(new)
        around = related(new.id, self.family) - within(new.id, self.family)
        assert around == self.above(new.id) - {new.id}
        handed_down = [
            Held(new.id, space, holder, starts, ends)
            for holder, (space, starts, ends) in self.holders.items()
            if space in around
        ]
        self.rows = [row for row in self.rows if row.leaf != parent] + handed_down

    def take(self, holder: int, space: int, starts: int, ends: int) -> bool:
        leaves = leaves_of(space, self.family)
        asked = Span(at(starts), at(ends))
        free = not any(row.leaf in leaves and row.span.overlaps(asked) for row in self.rows)
        assert free is not self.clashes(space, starts, ends)
        if free:
            self.rows += [Held(leaf, space, holder, starts, ends) for leaf in leaves]
            self.holders[holder] = space, starts, ends
        return free

    def release(self, holder: int) -> None:
        del self.holders[holder]
        self.rows = [row for row in self.rows if row.holder != holder]

    # the same, looked at naively: no leaves, only who lies in whom

    def above(self, space: int) -> set[int]:
        """The space and all that it lies in."""
        found: set[int] = set()
        at_: int | None = space
        while at_ is not None:
            found.add(at_)
            at_ = next(place.parent_id for place in self.family if place.id == at_)
        return found

    def clashes(self, space: int, starts: int, ends: int) -> bool:
        around = self.above(space)
        return any(
            (other in around or space in self.above(other)) and set(range(starts, ends)) & set(range(first, last))
            for other, first, last in self.holders.values()
        )

    @invariant()
    def what_must_never_be_false(self) -> None:
        hours = [(row.leaf, hour) for row in self.rows for hour in range(row.starts, row.ends)]
        assert len(hours) == len(set(hours)), "a leaf is never held twice at once"
        parents = {place.parent_id for place in self.family}
        assert not any(row.leaf in parents for row in self.rows), "what is held is a leaf"
        covered = {(row.holder, row.leaf) for row in self.rows}
        for holder, (space, _, _) in self.holders.items():
            inside = {p.id for p in self.family if p.id not in parents and space in self.above(p.id)}
            assert {leaf for who, leaf in covered if who == holder} == inside, "a hall holds its rooms, and no others"


def test_a_session_keeps_its_promises_whatever_happens() -> None:
    run_state_machine_as_test(SessionMachine, settings=LIVES)


def test_a_waitlist_keeps_its_order_whatever_happens() -> None:
    run_state_machine_as_test(WaitlistMachine, settings=LIVES)


def test_a_space_is_never_held_twice_whatever_happens() -> None:
    run_state_machine_as_test(SpaceMachine, settings=LIVES)
