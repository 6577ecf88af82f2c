"""Who was not ticked off did not come, once no tick can happen any more; and nobody is accused without a roll."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import select

from facilities.bookings import queries
from facilities.bookings.models import Booking
from facilities.bookings.roll import close_the_roll
from facilities.engine.roll_call import ENTRY_ENDS_AFTER_END, LATE_ARRIVAL_LIMIT, Counts, EventKind
from facilities.engine.waitlist import WaitlistMode
from facilities.infra.audit import AuditEntry
from facilities.infra.audit import verify as verify_audit
from facilities.infra.db import db, unit_of_work
from facilities.infra.outbox import Notice
from facilities.kernel import clock
from facilities.programmes.models import ActivitySession
from facilities.statistics.services import verify
from tests.client import Counter
from tests.conftest import NOW
from tests.world import Someone, World

MINUTE = timedelta(minutes=1)
ENDS = NOW + timedelta(hours=2)
OVER = ENDS + ENTRY_ENDS_AFTER_END + MINUTE  # no tick can happen any more


@dataclass
class Class:
    """A session with people booked, of whom the manager ticks off some."""

    world: World
    manager: Someone
    session: ActivitySession
    people: dict[str, tuple[Someone, int]] = field(default_factory=dict)

    def booked(self, *names: str) -> "Class":
        for name in names:
            someone = self.world.resident(name=name)
            self.people[name] = (someone, self.world.book(someone, self.session).id)
        return self

    def tick(self, name: str, kind: EventKind, by: Someone | None = None, **more: Any) -> None:
        result = self.world.record(by or self.manager, self.session, kind, self.people[name][0].resident_id, **more)
        assert result.outcome == "recorded", result.code

    def mark_of(self, name: str) -> str | None:
        """What the roll itself says of somebody."""
        rows = self.manager.api.get(f"/sessions/{self.session.id}/attendance")["residents"]
        marks = {row["resident_id"]: str(row["state"]) for row in rows}
        return marks.get(str(self.people[name][0].resident_id))

    def states(self) -> dict[str, str]:
        db.session.rollback()
        rows = db.session.execute(select(Booking.id, Booking.state).where(Booking.session_id == self.session.id))
        found = {number: state.value for number, state in rows}
        return {name: found[number] for name, (_, number) in self.people.items()}


@pytest.fixture
def here(world: World) -> Class:
    facility = world.facility()
    session = world.session(facility, starts_in=timedelta(minutes=30))
    return Class(world, world.manager(facility), session).booked("came", "stayed away", "told us", "forgotten")


def take_the_roll(here: Class) -> None:
    here.tick("came", EventKind.PRESENT)
    here.tick("stayed away", EventKind.ABSENT)
    here.tick("told us", EventKind.EXCUSED)


def close() -> list[int]:
    """As the background does: what is due, each a unit of its own."""
    due = unit_of_work(lambda: queries.rolls_to_close(clock.now()))
    for session_id in due:
        unit_of_work(lambda session_id=session_id: close_the_roll(session_id))
    return due


TAKEN = {"came": "attended", "stayed away": "no_show", "told us": "confirmed", "forgotten": "confirmed"}
CLOSED = TAKEN | {"forgotten": "no_show"}


def test_a_day_after_the_end_whoever_was_not_ticked_did_not_come_and_who_is_excused_stays_excused(here: Class) -> None:
    take_the_roll(here)
    assert here.states() == TAKEN
    with clock.frozen(OVER):
        assert close() == [here.session.id]
        assert here.states() == CLOSED
        assert verify() == (1, [])


@pytest.mark.parametrize(
    ("moment", "due"),
    [
        pytest.param(ENDS, False, id="as it ends"),
        pytest.param(OVER - MINUTE, False, id="the last moment for a tick"),
        pytest.param(OVER, True, id="a minute later"),
        pytest.param(ENDS + LATE_ARRIVAL_LIMIT, True, id="the last moment at which a tick arrives"),
        pytest.param(ENDS + LATE_ARRIVAL_LIMIT + MINUTE, False, id="long ago"),
    ],
)
def test_it_is_due_from_when_no_tick_can_happen_until_none_arrives(here: Class, moment: Any, due: bool) -> None:
    take_the_roll(here)
    with clock.frozen(moment):
        assert close() == [here.session.id] * due
        assert here.states() == (CLOSED if due else TAKEN)


def test_asked_too_early_nobody_is_accused(here: Class) -> None:
    take_the_roll(here)
    with clock.frozen(OVER - MINUTE):
        unit_of_work(lambda: close_the_roll(here.session.id))
    assert here.states() == TAKEN


def nobody(here: Class) -> None:
    pass


def a_head_count(here: Class) -> None:
    here.world.record(here.manager, here.session, EventKind.HEAD_COUNT, counts=Counts(women=9))


def a_walk_in(here: Class) -> None:
    here.world.record(here.manager, here.session, EventKind.WALK_IN, here.world.resident().resident_id)


def an_excuse_and_a_head_count(here: Class) -> None:
    here.tick("told us", EventKind.EXCUSED)
    a_head_count(here)


def a_tick_that_was_taken_back(here: Class) -> None:
    event = uuid4()
    here.tick("came", EventKind.PRESENT, event_id=event)
    here.world.record(here.manager, here.session, EventKind.VOID, voids=event)
    a_head_count(here)


@pytest.mark.parametrize(
    "happened", [nobody, a_head_count, a_walk_in, an_excuse_and_a_head_count, a_tick_that_was_taken_back]
)
def test_where_nobody_of_those_booked_was_ticked_nobody_is_accused(
    here: Class, happened: Callable[[Class], None]
) -> None:
    """The manager forgot, or counted heads instead."""
    happened(here)
    with clock.frozen(OVER):
        assert close() == []
        unit_of_work(lambda: close_the_roll(here.session.id))
        assert set(here.states().values()) == {"confirmed"}


def test_where_nobody_was_there_at_all_nobody_is_accused_but_who_was_said_not_to_be(here: Class) -> None:
    here.tick("stayed away", EventKind.ABSENT)
    with clock.frozen(OVER):
        assert close() == []
        unit_of_work(lambda: close_the_roll(here.session.id))
    assert here.states() == dict.fromkeys(here.people, "confirmed") | {"stayed away": "no_show"}


def test_done_again_and_again_it_changes_nothing_twice(here: Class) -> None:
    take_the_roll(here)
    with clock.frozen(OVER):
        assert close() == [here.session.id]
        for _ in range(2):
            assert close() == []
            unit_of_work(lambda: close_the_roll(here.session.id))
    assert here.states() == CLOSED
    assert [e.about_id for e in noted()] == [here.people["forgotten"][1]]
    assert verify_audit().faults == ()


def noted() -> list[AuditEntry]:
    db.session.rollback()
    return list(db.session.scalars(select(AuditEntry).where(AuditEntry.verb == "no_show")))


@pytest.mark.race
def test_two_workers_at_once_do_it_once(here: Class) -> None:
    take_the_roll(here)
    app, session_id = here.world.app, here.session.id
    db.session.remove()

    def work(_: int) -> None:
        with app.app_context():
            try:
                unit_of_work(lambda: close_the_roll(session_id))
            finally:
                db.session.remove()

    with clock.frozen(OVER), ThreadPoolExecutor(6) as pool:
        list(pool.map(work, range(6)))
    assert here.states() == CLOSED
    assert len(noted()) == 1


@pytest.mark.race
def test_a_tick_that_arrives_at_the_same_moment_stands(here: Class) -> None:
    """Whichever comes first: the session's lock puts them in a line, and the log says what is so."""
    take_the_roll(here)
    app, session = here.world.app, here.session
    resident_id, manager = here.people["forgotten"][0].resident_id, here.manager
    db.session.expunge_all()
    db.session.remove()

    def closes() -> None:
        unit_of_work(lambda: close_the_roll(session.id))

    def ticks() -> None:
        here.world.record(manager, session, EventKind.PRESENT, resident_id)

    def work(do: Callable[[], None]) -> None:
        with app.app_context():
            try:
                do()
            finally:
                db.session.remove()

    with clock.frozen(OVER), ThreadPoolExecutor(4) as pool:
        list(pool.map(work, [closes, ticks, closes, closes]))
    assert here.states() == CLOSED | {"forgotten": "attended"}


# -- entries that arrive afterwards


def test_a_tick_that_arrives_late_corrects_it_and_accuses_nobody_else_anew(here: Class) -> None:
    take_the_roll(here)
    with clock.frozen(OVER):
        close()
        here.tick("forgotten", EventKind.PRESENT)
        assert here.states() == CLOSED | {"forgotten": "attended"}
        assert close() == []
        assert verify() == (1, [])


def test_an_excuse_that_arrives_late_excuses(here: Class) -> None:
    take_the_roll(here)
    with clock.frozen(OVER):
        close()
        here.tick("forgotten", EventKind.EXCUSED)
        assert close() == []
    assert here.states() == TAKEN


def test_an_entry_about_somebody_else_leaves_it_closed(here: Class) -> None:
    take_the_roll(here)
    with clock.frozen(OVER):
        close()
        here.world.record(here.manager, here.session, EventKind.WALK_IN, here.world.resident().resident_id)
        here.tick("told us", EventKind.PRESENT, occurred_at=here.session.starts_at + MINUTE)
    assert here.states() == CLOSED | {"told us": "attended"}


def test_an_absence_that_is_taken_back_late_is_one_all_the_same(here: Class) -> None:
    """Without a word about somebody whose session is long over, they did not come."""
    event = uuid4()
    here.tick("came", EventKind.PRESENT)
    here.tick("stayed away", EventKind.ABSENT, event_id=event)
    with clock.frozen(OVER):
        here.world.record(here.manager, here.session, EventKind.VOID, voids=event)
        assert here.states()["stayed away"] == "no_show"
        assert here.mark_of("stayed away") is None


def test_a_roll_that_arrives_late_is_closed_as_it_comes(here: Class) -> None:
    """A tablet that was offline for days: what stands is the same as if it had been in time."""
    with clock.frozen(OVER + timedelta(days=5)):
        take_the_roll(here)
        assert here.states() == CLOSED
        assert close() == []


def test_a_roll_that_an_administrator_enters_after_a_month_is_closed_as_well(here: Class) -> None:
    administrator = here.world.administrator()
    with clock.frozen(ENDS + timedelta(days=40)):
        here.tick("came", EventKind.PRESENT, by=administrator)
        assert close() == []
    assert here.states() == dict.fromkeys(here.people, "no_show") | {"came": "attended"}


def test_where_the_only_tick_is_taken_back_nobody_is_accused_any_more(here: Class) -> None:
    event = uuid4()
    here.tick("came", EventKind.PRESENT, event_id=event)
    with clock.frozen(OVER):
        close()
        assert here.states()["forgotten"] == "no_show"
        here.world.record(here.manager, here.session, EventKind.VOID, voids=event)
        assert close() == []
    assert set(here.states().values()) == {"confirmed"}


# -- who is not meant


def test_only_who_holds_a_place_can_stay_away(world: World) -> None:
    facility = world.facility()
    session = world.session(
        facility, starts_in=timedelta(minutes=30), capacity=2, waitlist_mode=WaitlistMode.OFFER, offer_minutes=600
    )
    here = Class(world, world.manager(facility), session).booked("came", "gave it back")
    others = {name: world.resident() for name in ("is offered it", "waits")}
    waiting = {name: someone.wait(session)[0] for name, someone in others.items()}
    with clock.frozen(NOW - timedelta(days=1)):
        here.people["gave it back"][0].cancel(here.people["gave it back"][1])
    here.tick("came", EventKind.PRESENT)
    before = {name: others[name].state(number) for name, number in waiting.items()}
    with clock.frozen(OVER):
        assert close() == []
        unit_of_work(lambda: close_the_roll(session.id))
    assert here.states() == {"came": "attended", "gave it back": "cancelled"}
    assert {name: others[name].state(number) for name, number in waiting.items()} == before


def test_nobody_is_sent_a_message_about_it(here: Class) -> None:
    take_the_roll(here)
    wanted = select(Notice.id)
    before = db.session.scalars(wanted).all()
    with clock.frozen(OVER):
        close()
    assert db.session.scalars(wanted).all() == before


def test_finding_what_is_due_is_one_question_however_much_there_is(here: Class, queries: Counter) -> None:
    take_the_roll(here)
    other = here.world.session(starts_in=timedelta(minutes=20))
    here.world.book(here.world.resident(), other)
    expected = [here.session.id]
    db.session.rollback()
    queries.clear()
    with clock.frozen(OVER):
        assert rolls() == expected
    assert len(queries) == 1


def rolls() -> list[int]:
    return queries.rolls_to_close(clock.now())
