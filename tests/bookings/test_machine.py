"""Bookings on a real database in any order: after each step the rows are looked at from outside the services."""

import itertools
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from hypothesis import HealthCheck, Phase, note, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test
from sqlalchemy import text

from facilities.background import do_what_is_due
from facilities.bookings import services, sessions
from facilities.bookings.models import BookingState
from facilities.bookings.services import Wish
from facilities.engine.limits import Limits
from facilities.engine.waitlist import WaitlistMode
from facilities.infra.db import db, unit_of_work
from facilities.kernel import clock
from facilities.kernel.actors import Actor
from facilities.kernel.refusals import Refused
from facilities.places.models import Facility
from facilities.programmes.models import Programme
from tests.conftest import NOW
from tests.world import World

WEEK, HOUR = timedelta(weeks=1), timedelta(hours=1)
OCCUPYING = {"confirmed", "offered", "attended", "no_show"}
LIVE = OCCUPYING | {"waitlisted"}
MOST_A_WEEK = 2

SHORT_LIVES = settings(
    max_examples=12,
    stateful_step_count=30,
    deadline=None,
    database=None,
    suppress_health_check=list(HealthCheck),  # a database is slow, and reused from one life to the next
    phases=[Phase.generate],  # a failure is told by its steps; shrinking it would take minutes
)


class Row(NamedTuple):
    """A booking as the database has it."""

    id: int
    session_id: int
    resident_id: int
    state: str
    party: str | None
    starts_at: Any
    ends_at: Any
    expires: Any


class Place(NamedTuple):
    """A session as the database has it."""

    id: int
    capacity: int
    taken: int
    waiting: int


@dataclass
class House:
    """People and a programme that all lives share; each life has a week of its own."""

    world: World
    facility: Facility
    programme: Programme
    manager: Actor
    wishes: list[tuple[Actor, tuple[int, ...]]]
    guardian: dict[int, Actor]
    weeks: Iterator[int]


def build(world: World) -> House:
    """A mother with two children, a couple, and two who live alone. Two places a week for everyone."""
    facility = world.facility()
    programme = world.programme(limits=Limits(per_resident_per_week=MOST_A_WEEK))
    mother, family = world.family(3)
    couple, both = world.family(2)
    alone, alone_too = world.resident(), world.resident()
    guardian = dict.fromkeys(family, mother.actor) | dict.fromkeys(both, couple.actor)
    guardian |= {someone.resident_id: someone.actor for someone in (alone, alone_too)}
    wishes = [(actor, (resident_id,)) for resident_id, actor in guardian.items()]
    wishes += [(mother.actor, tuple(family)), (mother.actor, tuple(family[1:])), (couple.actor, tuple(both))]
    return House(world, facility, programme, world.manager(facility).actor, wishes, guardian, itertools.count())


class BookingMachine(RuleBasedStateMachine):
    """Two sessions that cross, of which one makes offers, and a third and a fourth in the same week."""

    def __init__(self, house: House) -> None:
        super().__init__()
        self.house = house
        self.now = NOW + next(house.weeks) * WEEK
        with clock.frozen(self.now):
            self.sessions = [
                house.world.session(house.facility, house.programme, starts_in=hours * HOUR, capacity=capacity, **more)
                for hours, capacity, more in (
                    (12.0, 2, {}),
                    (12.5, 2, {"waitlist_mode": WaitlistMode.OFFER, "offer_minutes": 60}),
                    (18.0, 2, {"waitlist_capacity": 3}),
                    (36.0, 3, {"booking_closes_at": self.now + 20 * HOUR}),
                )
            ]
        self.ids = [session.id for session in self.sessions]
        self.starts = [session.starts_at for session in self.sessions]
        self.closes = [session.booking_window.closes_at for session in self.sessions]
        self.settled: int | None = None  # the session that the last step has put in order
        self.had_places: set[int] = set()  # bookings before that step

    # -- what happens

    def do(self, work: Callable[[], Any], session_id: int | None) -> Any:
        """In a unit of work at this machine's hour. A refusal leaves everything as it was."""
        before, self.settled = (self.bookings(), self.places()), session_id
        self.had_places = {row.id for row in before[0] if row.state in OCCUPYING}
        with clock.frozen(self.now):
            try:
                return unit_of_work(work)
            except Refused as refused:
                note(f"refused: {refused.refusal}")
                self.settled = None
                assert (self.bookings(), self.places()) == before
                return None

    @initialize(order=st.permutations([0, 3, 8, 9]))
    def everybody_comes(self, order: list[int]) -> None:
        """So that there are lists from the beginning, with parties at their head or behind somebody."""
        for wish in (5, 6, *order):
            self.book(wish, 0, 2)
        for wish in (8, *reversed(order)):
            self.book(wish, 1, 2)

    @rule(who=st.integers(0, 6))
    def spend_the_week(self, who: int) -> None:
        """Somebody alone takes places elsewhere in the week, and may have one too many by that."""
        for which in (2, 3):
            self.book(who, which, 0)

    @rule(n=st.integers(0, 30))
    def give_back(self, n: int) -> None:
        """A place, not a turn: somebody moves up."""
        if row := self.pick(n, OCCUPYING):
            actor = self.house.guardian[row.resident_id]
            self.do(lambda: services.cancel_booking(actor, row.id), row.session_id)

    @rule(wish=st.integers(0, 9), which=st.integers(0, 3), manner=st.integers(0, 3))
    def book(self, wish: int, which: int, manner: int) -> None:
        actor, people = self.house.wishes[wish]
        wanted = Wish(self.ids[which], people, together=manner % 2 == 0, or_wait=manner > 0)
        booked = self.do(lambda: services.book_places(actor, wanted), self.ids[which])
        if booked is None:
            return
        assert {b.resident_id for b in booked.items}.isdisjoint(booked.refused)
        assert len(booked.items) + len(booked.refused) >= (1 if wanted.together else len(people))
        if booked.items and wanted.together:
            assert len({b.state for b in booked.items}) == 1, "a party is confirmed or waits as one"
            assert len(booked.items) == len(people)

    @rule(n=st.integers(0, 30))
    def cancel(self, n: int) -> None:
        if row := self.pick(n, LIVE):
            actor = self.house.guardian[row.resident_id]
            self.do(lambda: services.cancel_booking(actor, row.id), row.session_id)

    @rule(n=st.integers(0, 30), yes=st.booleans())
    def answer(self, n: int, yes: bool) -> None:
        if row := self.pick(n, {"offered"}):
            actor = self.house.guardian[row.resident_id]
            verb = services.accept_offer if yes else services.decline_offer
            answered = self.do(lambda: verb(actor, row.id), row.session_id)
            over = row.expires <= self.now
            wanted = {BookingState.EXPIRED if over else BookingState.CONFIRMED} if yes else {BookingState.CANCELLED}
            assert answered.state in wanted

    @rule(which=st.integers(0, 3), capacity=st.integers(1, 4))
    def resize(self, which: int, capacity: int) -> None:
        change = {"capacity": capacity}
        self.do(lambda: sessions.change_session(self.house.manager, self.ids[which], change), self.ids[which])

    @rule(minutes=st.sampled_from([10, 30, 60, 60, 120, 300]))
    def time_passes(self, minutes: int) -> None:
        self.now += timedelta(minutes=minutes)
        self.settled = None

    @rule()
    def the_worker_comes_by(self) -> None:
        self.settled = None
        with clock.frozen(self.now):
            list(do_what_is_due())
        assert not any(row.state == "offered" and row.expires <= self.now for row in self.bookings())

    # -- what the database says

    def bookings(self) -> list[Row]:
        db.session.rollback()
        chosen = ", ".join(map(str, self.ids))
        found = db.session.execute(
            text(
                "SELECT id, session_id, resident_id, state, party, starts_at, ends_at, offer_expires_at "
                f"FROM bookings WHERE session_id IN ({chosen}) ORDER BY id"
            )
        )
        return [Row(*row[:5], *(_instant(value) for value in row[5:])) for row in found]

    def places(self) -> list[Place]:
        chosen = ", ".join(map(str, self.ids))
        return [
            Place(*row)
            for row in db.session.execute(
                text(
                    "SELECT id, capacity, places_taken, waiting FROM activity_sessions "
                    f"WHERE id IN ({chosen}) ORDER BY id"
                )
            )
        ]

    def pick(self, n: int, states: set[str]) -> Row | None:
        rows = [row for row in self.bookings() if row.state in states]
        return rows[n % len(rows)] if rows else None

    # -- what must never be false

    @invariant()
    def the_rows_agree(self) -> None:
        rows = self.bookings()
        for place in self.places():
            states = Counter(row.state for row in rows if row.session_id == place.id)
            assert place.taken == sum(states[state] for state in OCCUPYING) <= place.capacity
            assert place.waiting == states["waitlisted"]
        for row, other in itertools.combinations([row for row in rows if row.state in LIVE], 2):
            if row.resident_id != other.resident_id:
                continue
            assert row.session_id != other.session_id, "one live booking in a session"
            if {row.state, other.state} <= OCCUPYING:
                apart = row.ends_at <= other.starts_at or other.ends_at <= row.starts_at
                assert apart, "nobody in two places at once"
        held = Counter(row.resident_id for row in rows if row.state in OCCUPYING)
        assert max(held.values(), default=0) <= MOST_A_WEEK, "nobody over the week's limit"
        of_party: dict[str, set[bool]] = defaultdict(set)
        for row in rows:
            if row.party and row.state in LIVE:
                of_party[row.party].add(row.state == "waitlisted")
        assert all(len(waits) == 1 for waits in of_party.values()), "a party is never split"

    @invariant()
    def each_decision_is_told_and_noted(self) -> None:
        told, noted = self.about("notices", "kind"), self.about("audit_entries", "verb")
        for row in self.bookings():
            kinds = told[row.id]
            assert kinds["booked"] + kinds["waitlisted"] == 1
            wanted = {
                "waitlisted": {"waitlisted"},
                "offered": {"waitlisted", "offered"},
                "expired": {"waitlisted", "offered", "offer_expired"},
            }
            if row.state in wanted:
                assert set(kinds) == wanted[row.state]
            elif row.state == "confirmed":
                accepted = kinds["offered"] and noted[row.id]["accepted"]
                assert kinds["booked"] or kinds["promoted"] or accepted
            elif row.state == "cancelled":
                assert noted[row.id]["cancelled"] + noted[row.id]["declined"] == 1
            assert max(kinds.values()) == 1, "nothing is told twice"

    def about(self, table: str, column: str) -> dict[int, Counter[str]]:
        chosen = ", ".join(map(str, self.ids))
        found: dict[int, Counter[str]] = defaultdict(Counter)
        for booking_id, kind in db.session.execute(
            text(
                f"SELECT a.about_id, a.{column} FROM {table} a JOIN bookings b ON b.id = a.about_id "
                f"WHERE a.about_kind = 'booking' AND b.session_id IN ({chosen})"
            )
        ):
            found[booking_id][kind] += 1
        return found

    @invariant()
    def what_is_free_is_used_or_kept_and_nobody_is_passed(self) -> None:
        """In the session that the last step has settled: who waits could have nothing of what is free or given."""
        if self.settled is None:
            return
        which = self.ids.index(self.settled)
        if self.now >= self.closes[which]:
            return
        rows, place = self.bookings(), self.places()[which]
        free, last_call = place.capacity - place.taken, self.now >= self.closes[which] - 2 * HOUR
        given = [
            row.id
            for row in rows
            if row.session_id == self.settled and row.state in OCCUPYING and row.id not in self.had_places
        ]
        parties: dict[str | int, list[Row]] = {}
        for row in rows:
            if row.session_id == self.settled and row.state == "waitlisted":
                parties.setdefault(row.party or row.id, []).append(row)
        could = [
            party
            for party in parties.values()
            if len(party) <= place.capacity and all(self.could_come(row, rows) for row in party)
        ]
        if free and could:
            assert (min(map(len, could)) if last_call else len(could[0])) > free
        if given and could and not last_call:
            assert max(given) < could[0][0].id

    def could_come(self, waiting: Row, rows: list[Row]) -> bool:
        held = [row for row in rows if row.resident_id == waiting.resident_id and row.state in OCCUPYING]
        busy = any(row.starts_at < waiting.ends_at and waiting.starts_at < row.ends_at for row in held)
        return not busy and len(held) < MOST_A_WEEK


def _instant(value: Any) -> datetime | None:
    """SQLite keeps UTC as text."""
    return datetime.fromisoformat(f"{value}+00:00") if isinstance(value, str) else value


def test_bookings_keep_their_promises_whatever_happens(world: World) -> None:
    house = build(world)
    run_state_machine_as_test(lambda: BookingMachine(house), settings=SHORT_LIVES)
