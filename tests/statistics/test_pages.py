"""The ledger's pages follow what they are made from, whichever way it changes."""

from collections.abc import Callable
from datetime import date, timedelta

import pytest
from sqlalchemy import select, text, update

from facilities.engine.roll_call import Counts, EventKind
from facilities.households.models import Resident
from facilities.infra.db import db, unit_of_work
from facilities.programmes.models import ActivitySession
from facilities.statistics import facts, pages
from facilities.statistics.dimensions import Dimension, Scope
from facilities.statistics.models import LedgerPage, StalePage, StaleSheets
from facilities.statistics.queries import Ledger, beneficiaries, total
from tests.client import Counter
from tests.conftest import NOW
from tests.truths import name_of_violation
from tests.world import World

YEAR = Scope(date(2026, 1, 1), date(2026, 12, 31))


class Place:
    """A session that was held, with one who came, one who did not and a head count; all of it on clean pages."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.facility, self.programme = world.facility(), world.programme()
        self.manager = world.manager(self.facility)
        self.session = world.session(self.facility, self.programme, starts_in=timedelta(minutes=30))
        self.came, self.missed = world.resident(), world.resident()
        for someone in (self.came, self.missed):
            world.book(someone, self.session)
        world.record(self.manager, self.session, EventKind.PRESENT, self.came.resident_id)
        world.record(self.manager, self.session, EventKind.ABSENT, self.missed.resident_id)
        world.record(self.manager, self.session, EventKind.HEAD_COUNT, counts=Counts(women=3))
        clean()


def clean() -> None:
    for make in (pages.refresh, pages.settle):
        while unit_of_work(make):
            pass


def marked() -> set[tuple[int, int, int]]:
    return set(db.session.execute(select(StalePage.month, StalePage.facility_id, StalePage.programme_id)).tuples())


@pytest.fixture
def place(world: World) -> Place:
    return Place(world)


CHANGES = {
    "a tick is taken back": "DELETE FROM attendances WHERE resident_id = {came}",
    "a tick says something else": "UPDATE attendances SET state = 'absent', late = FALSE WHERE resident_id = {came}",
    "time is written down": "UPDATE attendances SET minutes = 20 WHERE resident_id = {came}",
    "people are counted": "UPDATE head_counts SET women = 5",
    "a count is gone": "DELETE FROM head_counts",
    "somebody did come": "UPDATE bookings SET state = 'attended' WHERE resident_id = {missed}",
    "a booking is gone": "DELETE FROM bookings WHERE resident_id = {missed}",
    "a birth date is corrected": "UPDATE residents SET birth_date = '1950-01-01' WHERE id = {came}",
    "a disability is known": "UPDATE residents SET disability_category = 1, disability_grade = 2 WHERE id = {missed}",
    "a session is longer": "UPDATE activity_sessions SET capacity = 30 WHERE id = {session}",
    "places are given back": "UPDATE activity_sessions SET places_taken = 1 WHERE id = {session}",
}


@pytest.mark.parametrize("statement", CHANGES.values(), ids=CHANGES)
def test_a_page_is_marked_by_whoever_changes_what_it_is_made_from(place: Place, statement: str) -> None:
    """By a statement alone, past every service; and the answer is the new one at once."""
    assert marked() == set()
    ids = {"came": place.came.resident_id, "missed": place.missed.resident_id, "session": place.session.id}
    before = [total(YEAR), beneficiaries(YEAR, [Dimension.AGE_BAND, Dimension.DISABILITY_GRADE])]
    unit_of_work(lambda: db.session.execute(text(statement.format(**ids))))
    assert marked() == {(202609, place.facility.id, place.programme.id)}
    at_once = [total(YEAR), beneficiaries(YEAR, [Dimension.AGE_BAND, Dimension.DISABILITY_GRADE])]
    if "disability" not in statement:
        assert at_once != before
    clean()
    assert marked() == set()
    assert at_once == [
        total(YEAR), beneficiaries(YEAR, [Dimension.AGE_BAND, Dimension.DISABILITY_GRADE])
    ]  # fmt: skip


def test_what_changes_nothing_marks_nothing(place: Place) -> None:
    """Booking and cancelling beforehand, and a new telephone number, are what a district does all day."""
    later = place.world.session(place.facility, place.programme)
    someone = place.world.resident()
    booking = place.world.book(someone, later)
    someone.cancel(booking.id)
    someone.api.call("PATCH", "/me", json={"display_name": "王芳"})
    assert marked() == set()


def test_a_session_that_moves_leaves_its_old_page_and_comes_to_the_new_one(place: Place) -> None:
    elsewhere = place.world.facility()
    moved = {"facility_id": elsewhere.id, "starts_at": NOW - timedelta(days=40), "ends_at": NOW - timedelta(days=39)}
    unit_of_work(lambda: db.session.execute(
        update(ActivitySession).where(ActivitySession.id == place.session.id).values(**moved)))  # fmt: skip
    assert marked() == {(202609, place.facility.id, place.programme.id), (202608, elsewhere.id, place.programme.id)}
    clean()
    rows = beneficiaries(YEAR, [Dimension.MONTH, Dimension.FACILITY])
    assert [(row.of[Dimension.MONTH], row.of[Dimension.FACILITY]) for row in rows] == [("2026-08", str(elsewhere.id))]
    kept = db.session.scalars(select(LedgerPage.period).distinct().order_by(LedgerPage.period)).all()
    assert kept == [2026, 20263, 202608, 2026081, 20260807]


def test_what_comes_while_pages_are_made_is_not_lost(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """A tick that is committed between the reading of the marks and that of the rows keeps its own mark."""
    read: Callable[..., object] = facts.read
    guest = place.world.resident()

    def read_after_a_tick(*conditions: object) -> object:
        monkeypatch.setattr(facts, "read", read)
        insert = (
            "INSERT INTO attendances (session_id, resident_id, state, walk_in, late, event_id) "
            "SELECT session_id, {0}, 'present', FALSE, FALSE, event_id FROM attendances WHERE resident_id = {1}"
        )
        statement = text(insert.format(guest.resident_id, place.came.resident_id))
        db.session.execute(statement)
        return read(*conditions)

    place.world.record(place.manager, place.session, EventKind.WALK_IN)
    monkeypatch.setattr(facts, "read", read_after_a_tick)
    unit_of_work(pages.refresh)
    assert marked() == {(202609, place.facility.id, place.programme.id)}
    assert total(YEAR).persons == 2


def test_many_people_are_asked_for_in_as_many_queries_as_few(place: Place, queries: Counter) -> None:
    def asked() -> int:
        db.session.rollback()
        before = len(queries.statements)
        ledger = Ledger(YEAR)
        ledger.rows([Dimension.MONTH, Dimension.CATEGORY])
        ledger.rows([Dimension.SEX, Dimension.AGE_BAND])
        return len(queries.statements) - before

    few = asked()
    for _ in range(5):
        session = place.world.session(place.facility, place.programme, starts_in=timedelta(minutes=20))
        place.world.record(place.manager, session, EventKind.WALK_IN, place.world.resident().resident_id)
    clean()
    assert asked() <= few


def test_sheets_wait_for_stale_pages_and_are_gathered_once(place: Place) -> None:
    place.world.record(place.manager, place.session, EventKind.WALK_IN)
    assert unit_of_work(pages.settle) == 0
    assert unit_of_work(pages.refresh) == 1
    assert set(db.session.scalars(select(StaleSheets.period))) == {2026, 20263, 202609}
    assert total(YEAR).person_times == 5
    assert unit_of_work(pages.settle) == 3
    assert unit_of_work(pages.settle) == 0
    assert total(YEAR).person_times == 5


def test_residents_with_a_disability_are_read_where_there_are_some_and_where_there_are_none(world: World) -> None:
    facility, programme = world.facility(), world.programme()
    someone = world.resident()
    session = world.session(facility, programme, starts_in=timedelta(minutes=30))
    world.record(world.manager(facility), session, EventKind.WALK_IN, someone.resident_id)
    clean()
    by = [Dimension.MONTH, Dimension.FACILITY, Dimension.PROGRAMME]
    deaf = Scope(YEAR.first, YEAR.last, disability_category="2")
    assert beneficiaries(deaf, by) == []
    unit_of_work(lambda: db.session.execute(
        update(Resident).where(Resident.id == someone.resident_id)
        .values(disability_category=2, disability_grade=1)))  # fmt: skip
    at_once = beneficiaries(deaf, by)
    clean()
    assert beneficiaries(deaf, by) == at_once
    assert [(row.of[Dimension.MONTH], row.figures.persons) for row in at_once] == [("2026-09", 1)]


def test_more_sessions_than_a_page_has_bits_are_counted_all(world: World) -> None:
    facility, programme = world.facility(), world.programme()
    manager = world.manager(facility)
    someone = world.resident()
    for number in range(70):
        session = world.session(facility, programme, starts_in=timedelta(minutes=number % 50))
        world.record(manager, session, EventKind.WALK_IN, someone.resident_id)
    clean()
    assert db.session.scalars(select(LedgerPage.part).where(LedgerPage.period == 202609, LedgerPage.facility_id > 0,
                                                            LedgerPage.programme_id > 0)).all() == [1, 2]  # fmt: skip
    found = total(YEAR)
    assert (found.sessions_held, found.person_times, found.persons) == (70, 70, 1)
    rows = beneficiaries(YEAR, [Dimension.SEX, Dimension.AGE_BAND])
    assert [row.figures.sessions_held for row in rows] == [70]


PAGE = "INSERT INTO ledger_pages VALUES ({period}, 1, 1, {part}, {first}, {last}, 0, 0, 0, '', '', '', '', '', '', '')"
DAYS = "ledger_pages_days_of_the_period"
WRONG = {
    "a page of another month": (PAGE.format(period=202609, part=0, first=20260801, last=20260930), DAYS),
    "a page that ends before it begins": (PAGE.format(period=202609, part=0, first=20260920, last=20260910), DAYS),
    "a sheet of another quarter": (PAGE.format(period=20263, part=0, first=20260701, last=20261001), DAYS),
    "a sheet of another year": (PAGE.format(period=2026, part=0, first=20251231, last=20261001), DAYS),
    "a sheet of another dekad": (PAGE.format(period=2026092, part=0, first=20260920, last=20260921), DAYS),
    "a sheet of another day": (PAGE.format(period=20260920, part=0, first=20260920, last=20260921), DAYS),
    "a part below zero": (
        PAGE.format(period=202609, part=-1, first=20260910, last=20260920), "ledger_pages_part_from_zero"
    ),
    "a provider of no kind": ("UPDATE programmes SET provider_type = 'somebody'", "programmes_provider_type"),
}  # fmt: skip


@pytest.mark.parametrize(("statement", "rule"), WRONG.values(), ids=WRONG)
def test_the_database_refuses(place: Place, statement: str, rule: str) -> None:
    assert name_of_violation(statement) == f"ck_{rule}"
