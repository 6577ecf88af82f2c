"""Two records of one person become one, and two again: nothing is lost on the way, and no figure is wrong."""

from collections.abc import Sequence
from datetime import date, timedelta
from itertools import combinations
from typing import Any
from uuid import UUID

import pytest
from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from facilities import background
from facilities.attendance.models import Attendance
from facilities.bookings.models import OCCUPYING, Booking, BookingState
from facilities.draws import services as draws
from facilities.draws.models import DrawEntrant, DrawEntry
from facilities.engine.draws import WeightRule
from facilities.engine.roll_call import AttendanceState, EventKind
from facilities.engine.waitlist import WaitlistMode
from facilities.households import queries as households
from facilities.households.models import Consent, ConsentKind, Guardianship, Merge, PastGuardianship, Relation, Resident
from facilities.infra.audit import AuditEntry
from facilities.infra.audit import verify as verify_audit
from facilities.infra.db import Model, db, unit_of_work
from facilities.kernel import clock
from facilities.kernel.refusals import NotPermitted, NotVisible, Refused
from facilities.people import services
from facilities.programmes.models import ActivitySession
from facilities.statistics import queries as statistics
from facilities.statistics.dimensions import Dimension, Scope
from facilities.statistics.services import verify
from tests.conftest import NOW
from tests.world import Someone, World

YEAR = Scope(date(2026, 1, 1), date(2026, 12, 31))
NUMBER = "11010519491231002X"
WHY = "同一人登记两次"
NOT_RESTORED = {"merges", "audit_entries", "audit_heads", "idempotency_keys", "stale_pages"}


@pytest.fixture
def administrator(world: World) -> Someone:
    return world.administrator()


def merge(administrator: Someone, kept: int, gone: int) -> Merge:
    return unit_of_work(lambda: services.merge(administrator.actor, kept, gone, WHY))


def undo(administrator: Someone, merge_id: int) -> Merge:
    return unit_of_work(lambda: services.undo(administrator.actor, merge_id))


def figures() -> dict[Any, Any]:
    """Every figure, over every one and every two dimensions."""
    db.session.rollback()
    wanted: list[tuple[Dimension, ...]] = [(), *((d,) for d in Dimension), *combinations(Dimension, 2)]
    return {by: [(row.of, row.figures) for row in statistics.beneficiaries(YEAR, by)] for by in wanted}


def everything() -> dict[str, list[tuple[Any, ...]]]:
    """Each row of each table, but for the merges themselves and what was noted of them."""
    db.session.rollback()
    return {
        table.name: sorted((tuple(row) for row in db.session.execute(select(table))), key=repr)
        for table in Model.metadata.sorted_tables
        if table.name not in NOT_RESTORED
    }


def state(booking: Booking) -> tuple[int, str]:
    db.session.rollback()
    row = db.session.get_one(Booking, booking.id, populate_existing=True)
    return row.resident_id, row.state.value


def counters(session: ActivitySession) -> tuple[int, int]:
    db.session.rollback()
    row = db.session.get_one(ActivitySession, session.id, populate_existing=True)
    return row.places_taken, row.waiting


def test_every_reference_to_a_resident_is_thought_of() -> None:
    """A new table with a key to residents must be moved, or named here with what becomes of it."""
    apart = {
        ("attendance_events", "resident_id"): "read as the kept record's",
        ("attendances", "resident_id"): "projected again",
        ("identities", "resident_id"): "handed over",
        ("merges", "kept_id"): "moved",
        ("merges", "gone_id"): "stays",
        ("different_persons", "first_id"): "stays: of what was merged since, somebody asks anew",
        ("different_persons", "second_id"): "the same",
    }
    moved = {(model.__table__.name, "resident_id") for model in services.MOVED}  # type: ignore[attr-defined]
    keys = {
        (table.name, column.name)
        for table in Model.metadata.sorted_tables
        for column in table.columns
        for key in column.foreign_keys
        if key.column.table.name == "residents"
    }
    assert keys == moved | apart.keys()


def test_what_one_record_has_comes_to_the_other(world: World, administrator: Someone) -> None:
    kept, gone = world.resident(), world.resident()
    facility = world.facility()
    booking = world.book(gone, world.session(facility))
    past = world.session(facility, starts_in=timedelta(hours=-3))
    world.record(administrator, past, EventKind.WALK_IN, gone.resident_id)
    row = merge(administrator, kept.resident_id, gone.resident_id)
    assert state(booking) == (kept.resident_id, "confirmed")
    assert kept.state(booking.id) == gone.state(booking.id) == "confirmed", "both accounts act for the one person"
    assert [r["id"] for r in gone.api.get("/residents")["items"]] == [str(kept.resident_id)]
    assert gone.api.get("/residents")["items"][0]["relation"] == "self"
    assert db.session.get(Attendance, (past.id, kept.resident_id))
    assert verify()[1] == []
    assert (row.merged_by, row.undone_at) == (administrator.user.id, None)


def test_the_record_that_went_is_nowhere_and_its_phone_finds_the_other(world: World, administrator: Someone) -> None:
    kept, gone = world.resident(), world.resident()
    manager = world.manager(facility := world.facility())
    merge(administrator, kept.resident_id, gone.resident_id)
    gone.api.get(f"/residents/{gone.resident_id}", status=404)
    gone.ask(world.session(), gone.resident_id, status=404)
    for phone in (kept.login, gone.login):
        (found,) = manager.api.post("/desk/residents/find", {"phone": phone}, status=200)["items"]
        assert found["id"] == str(kept.resident_id)
    path = f"/sessions/{world.session(facility).id}/desk-bookings"
    manager.api.post(path, {"resident_id": str(gone.resident_id)}, status=404)
    manager.api.post(path, {"resident_id": str(kept.resident_id)}, status=201)


def test_a_tick_for_the_record_that_went_counts_for_the_other(world: World, administrator: Someone) -> None:
    """A tablet that was offline while the two were merged."""
    kept, gone = world.resident(), world.resident()
    session = world.session(starts_in=timedelta(hours=-3))
    row = merge(administrator, kept.resident_id, gone.resident_id)
    world.record(administrator, session, EventKind.WALK_IN, gone.resident_id)
    assert statistics.total(YEAR).persons == 1
    assert db.session.get(Attendance, (session.id, kept.resident_id))
    undo(administrator, row.id)
    assert db.session.get(Attendance, (session.id, gone.resident_id))
    assert db.session.get(Attendance, (session.id, kept.resident_id)) is None
    assert verify()[1] == []


# -- what collides


def test_of_two_places_in_a_session_the_earlier_stands_and_the_other_is_free(
    world: World, administrator: Someone
) -> None:
    kept, gone = world.resident(), world.resident()
    session = world.session()
    first, second = world.book(gone, session), world.book(kept, session)
    before = everything()
    row = merge(administrator, kept.resident_id, gone.resident_id)
    assert (state(first), state(second)) == (
        (kept.resident_id, "confirmed"),
        (kept.resident_id, "cancelled"),
    )
    assert counters(session) == (1, 0)
    undo(administrator, row.id)
    assert everything() == before


def test_a_place_that_becomes_free_goes_to_who_waits_and_then_there_is_no_way_back(
    world: World, administrator: Someone
) -> None:
    kept, gone, waiting = world.resident(), world.resident(), world.resident()
    session = world.session(capacity=2)
    world.book(gone, session)
    world.book(kept, session)
    (turn,) = waiting.wait(session)
    row = merge(administrator, kept.resident_id, gone.resident_id)
    assert waiting.state(turn) == "confirmed"
    assert counters(session) == (2, 0)
    before = everything()
    with pytest.raises(Refused, match="changed_since"):
        undo(administrator, row.id)
    assert everything() == before


def test_a_turn_on_the_list_gives_way_to_a_place(world: World, administrator: Someone) -> None:
    kept, gone = world.resident(), world.resident()
    session, _ = world.full_session(waitlist_mode=WaitlistMode.CONFIRM)
    kept.wait(session)
    gone.wait(session)
    assert counters(session) == (1, 2)
    before = everything()
    row = merge(administrator, kept.resident_id, gone.resident_id)
    assert counters(session) == (1, 1)
    undo(administrator, row.id)
    assert everything() == before


def test_nobody_is_in_two_places_afterwards(world: World, administrator: Someone) -> None:
    kept, gone = world.resident(), world.resident()
    one, other = world.session(), world.session(starts_in=timedelta(days=3, minutes=60))
    world.book(kept, one)
    second = world.book(gone, other)
    before = everything()
    row = merge(administrator, kept.resident_id, gone.resident_id)
    assert state(second) == (kept.resident_id, "cancelled")
    assert (counters(one), counters(other)) == ((1, 0), (0, 0))
    undo(administrator, row.id)
    assert everything() == before


@pytest.mark.parametrize("later", ["present", "absent"])
def test_who_was_there_by_either_record_was_there_once(world: World, administrator: Someone, later: str) -> None:
    """The other place was ticked as empty by somebody who could not know."""
    kept, gone = world.resident(), world.resident()
    session = world.session(starts_in=timedelta(minutes=30))
    bookings = [world.book(kept, session), world.book(gone, session)]
    first, second = (kept, gone) if later == "absent" else (gone, kept)
    world.record(administrator, session, EventKind.PRESENT, first.resident_id)
    kind = EventKind.PRESENT if later == "present" else EventKind.ABSENT
    moment = session.starts_at + timedelta(minutes=5)
    world.record(administrator, session, kind, second.resident_id, occurred_at=moment)
    before, counted = everything(), figures()
    row = merge(administrator, kept.resident_id, gone.resident_id)
    assert statistics.total(YEAR).person_times == statistics.total(YEAR).persons == 1
    assert sorted(s for _, s in map(state, bookings)) == ["attended", "cancelled"]
    assert verify()[1] == []
    undo(administrator, row.id)
    assert (everything(), figures()) == (before, counted)


def test_one_account_for_both_acts_for_one_afterwards(world: World, administrator: Someone) -> None:
    """A mother's child was entered twice, and once as herself."""
    mother = world.resident()
    child = world.member(mother, relation=Relation.OTHER)
    before = everything()
    row = merge(administrator, child, mother.resident_id)
    (link,) = db.session.scalars(select(Guardianship).where(Guardianship.user_id == mother.user.id))
    assert (link.resident_id, link.relation) == (child, Relation.SELF)
    (past,) = db.session.scalars(select(PastGuardianship))
    assert (past.resident_id, past.why) == (child, "merged")
    undo(administrator, row.id)
    assert everything() == before


def test_consents_are_kept_once(world: World, administrator: Someone) -> None:
    mother = world.resident()
    one, other = world.member(mother), world.member(mother)
    given_to = [(one, ConsentKind.HEALTH), (other, ConsentKind.HEALTH), (other, ConsentKind.DISABILITY)]
    rows = [
        Consent(resident_id=r, user_id=mother.user.id, kind=kind, text_version="1", given_at=NOW)
        for r, kind in given_to
    ]
    unit_of_work(lambda: db.session.add_all(rows))
    before = everything()
    row = merge(administrator, one, other)
    ours = Consent.resident_id.in_([one, other]), Consent.kind != ConsentKind.GUARDIAN
    held = (
        db.session.execute(select(Consent.resident_id, Consent.kind).where(*ours).order_by(Consent.id)).tuples().all()
    )
    assert held == [(one, ConsentKind.HEALTH), (one, ConsentKind.DISABILITY)]
    undo(administrator, row.id)
    assert everything() == before


def test_nobody_is_in_a_draw_twice(world: World, administrator: Someone) -> None:
    kept, gone, friend = world.resident(), world.resident(), world.resident()
    manager = world.manager(facility := world.facility())
    session = world.session(facility, starts_in=timedelta(days=9))
    draw = unit_of_work(
        lambda: draws.open_draw(manager.actor, [session.id], "抽签", NOW + timedelta(days=2), WeightRule())
    )
    for someone in (kept, gone, friend):
        unit_of_work(lambda who=someone: draws.enter(who.actor, draw.id, [who.resident_id]))  # type: ignore[misc]
    before = everything()
    row = merge(administrator, kept.resident_id, gone.resident_id)
    entered = set(db.session.scalars(select(DrawEntrant.resident_id)))
    assert entered == {kept.resident_id, friend.resident_id}
    assert len(db.session.scalars(select(DrawEntry.id)).all()) == 2
    undo(administrator, row.id)
    assert everything() == before
    row = merge(administrator, kept.resident_id, gone.resident_id)
    with clock.frozen(NOW + timedelta(days=2)):
        unit_of_work(lambda: draws.hold(draw.id))
    with pytest.raises(Refused, match="changed_since"):
        undo(administrator, row.id)


# -- who the person is


def with_number(world: World, number: str = NUMBER, **more: Any) -> Someone:
    someone = world.resident(birth_date=date(1949, 12, 31))
    someone.api.patch(f"/residents/{someone.resident_id}", {"id_number": number, **more})
    return someone


def test_a_number_comes_to_the_kept_record_with_what_it_says(world: World, administrator: Someone) -> None:
    kept, gone = world.resident(birth_date=date(1949, 12, 30)), with_number(world, disability_certificate=NUMBER + "43")
    before = everything()
    row = merge(administrator, kept.resident_id, gone.resident_id)
    shown = kept.api.get(f"/residents/{kept.resident_id}")
    assert (shown["id_number_masked"], shown["birth_date"]) == ("110*************2X", "1949-12-31")
    assert shown["disability"] == {"category": 4, "grade": 3}
    (found,) = administrator.api.post("/desk/residents/find", {"id_number": NUMBER}, status=200)["items"]
    assert found["id"] == str(kept.resident_id)
    undo(administrator, row.id)
    assert everything() == before


def test_what_the_kept_record_does_not_say_is_taken_from_the_other(world: World, administrator: Someone) -> None:
    mother, gone = world.resident(), world.resident()
    kept = world.member(mother)
    before = everything()
    row = merge(administrator, kept, gone.resident_id)
    assert db.session.get_one(Resident, kept, populate_existing=True).phone == gone.login
    undo(administrator, row.id)
    assert everything() == before


def test_two_numbers_are_two_people(world: World, administrator: Someone) -> None:
    one = with_number(world)
    other = world.resident(birth_date=date(1949, 12, 31))
    other.api.patch(f"/residents/{other.resident_id}", {"disability_certificate": "11010519491231004643"})
    for pair in ((one, other), (other, one)):
        with pytest.raises(Refused, match="merge_identities_differ"):
            merge(administrator, *(who.resident_id for who in pair))
    shown = unit_of_work(lambda: services.preview(administrator.actor, one.resident_id, other.resident_id))
    assert shown.refusal
    assert shown.refusal.code == "merge_identities_differ"


def test_a_number_that_changed_since_stays_where_it_is(world: World, administrator: Someone) -> None:
    kept, gone = world.resident(birth_date=date(1949, 12, 31)), with_number(world)
    row = merge(administrator, kept.resident_id, gone.resident_id)
    kept.api.patch(f"/residents/{kept.resident_id}", {"id_number": None})
    with pytest.raises(Refused, match="changed_since"):
        undo(administrator, row.id)


# -- one after the other


def test_a_merge_is_refused_where_it_makes_no_sense(world: World, administrator: Someone) -> None:
    one, two, three = (world.resident().resident_id for _ in range(3))
    with pytest.raises(Refused, match="same_record"):
        merge(administrator, one, one)
    with pytest.raises(NotVisible):
        merge(administrator, one, 987654)
    for who in (world.resident(), world.manager(world.facility())):
        with pytest.raises(NotPermitted):
            merge(who, one, two)
        with pytest.raises(NotPermitted):
            undo(who, 1)
    row = merge(administrator, one, two)
    for pair in ((three, two), (two, three), (two, one)):
        with pytest.raises(Refused, match="already_merged"):
            merge(administrator, *pair)
    undo(administrator, row.id)
    with pytest.raises(Refused, match="nothing_to_undo"):
        undo(administrator, row.id)
    with pytest.raises(NotVisible):
        undo(administrator, 987654)
    merge(administrator, two, one)


def test_merges_that_stand_on_each_other_are_undone_in_the_opposite_order(world: World, administrator: Someone) -> None:
    one, two, three = (world.resident() for _ in range(3))
    session = world.session(starts_in=timedelta(minutes=30))
    for who in (one, two, three):
        world.book(who, session)
        world.record(administrator, session, EventKind.PRESENT, who.resident_id)
    pictures = [everything()]
    first = merge(administrator, two.resident_id, three.resident_id)
    pictures.append(everything())
    second = merge(administrator, one.resident_id, two.resident_id)
    assert statistics.total(YEAR).persons == statistics.total(YEAR).person_times == 1
    assert verify()[1] == []
    assert households.records_of(one.resident_id) == [one.resident_id, two.resident_id, three.resident_id]
    (found,) = administrator.api.post("/desk/residents/find", {"phone": three.login}, status=200)["items"]
    assert found["id"] == str(one.resident_id)
    with pytest.raises(Refused, match="changed_since"):
        undo(administrator, first.id)
    undo(administrator, second.id)
    assert everything() == pictures[1]
    undo(administrator, first.id)
    assert everything() == pictures[0]


def test_what_came_since_stays_with_the_kept_record(world: World, administrator: Someone) -> None:
    kept, gone = world.resident(), world.resident()
    old = world.book(gone, world.session())
    row = merge(administrator, kept.resident_id, gone.resident_id)
    new = world.book(gone, world.session(starts_in=timedelta(days=8)), kept.resident_id)
    kept.cancel(old.id)
    undo(administrator, row.id)
    assert state(new) == (kept.resident_id, "confirmed")
    assert state(old) == (gone.resident_id, "cancelled"), "given back meanwhile"


def test_who_merged_and_why_is_in_the_chain_and_for_the_person_to_read(world: World, administrator: Someone) -> None:
    kept, gone = world.resident().resident_id, world.resident().resident_id
    unit_of_work(lambda: services.preview(administrator.actor, kept, gone))
    row = merge(administrator, kept, gone)
    undo(administrator, row.id)
    noted = db.session.execute(
        select(AuditEntry.verb, AuditEntry.about_kind, AuditEntry.about_id, AuditEntry.user_id)
        .where(AuditEntry.number.is_not(None), AuditEntry.about_kind.in_(["resident", "merge"]))
        .order_by(AuditEntry.number)
    )
    assert [tuple(entry) for entry in noted] == [
        (verb, kind, number, administrator.user.id)
        for verb, kind, number in (
            ("viewed", "resident", kept),
            ("viewed", "resident", gone),
            ("merged", "merge", row.id),
            ("merged", "resident", kept),
            ("merged", "resident", gone),
            ("merge_undone", "merge", row.id),
            ("merge_undone", "resident", kept),
            ("merge_undone", "resident", gone),
        )
    ]
    assert verify_audit().faults == ()


def test_a_preview_says_what_there_is_and_what_collides(world: World, administrator: Someone) -> None:
    kept, gone = with_number(world), world.resident(name="张桂芳")
    session = world.session(starts_in=timedelta(minutes=30), title="非遗竹编")
    for who in (kept, gone):
        world.book(who, session)
        world.record(administrator, session, EventKind.PRESENT, who.resident_id)
    shown = unit_of_work(lambda: services.preview(administrator.actor, kept.resident_id, gone.resident_id))
    assert (shown.kept.counts["bookings"], shown.gone.counts["attendances"]) == (1, 1)
    assert (shown.kept.id_number_masked, shown.gone.id_number_masked) == ("110*************2X", None)
    assert shown.differing == ("name", "birth_date", "phone")
    assert [s.title for s in shown.twice_booked] == [s.title for s in shown.twice_attended] == ["非遗竹编"]
    assert shown.refusal is None


# -- any history

PEOPLE, SESSIONS = 3, 3
acts = st.lists(
    st.tuples(
        st.sampled_from(["book", "cancel", "present", "absent", "walk_in", "void"]),
        st.integers(0, PEOPLE - 1),
        st.integers(0, SESSIONS - 1),
        st.integers(0, 30),
    ),
    max_size=14,
)


class History:
    """A few people and sessions, two of which overlap, with whatever happens there."""

    def __init__(self, world: World) -> None:
        self.world, self.administrator = world, world.administrator()
        born = (date(1950, 1, 1), date(1988, 4, 12), date(2015, 6, 1))
        self.people = [world.resident(birth_date=day) for day in born]
        starts = (timedelta(minutes=20), timedelta(minutes=50), timedelta(days=2))
        programme = world.programme()
        self.sessions = [
            world.session(world.facility(), programme, starts_in=start, capacity=3, waitlist_mode=WaitlistMode.OFF)
            for start in starts
        ]
        self.events: list[tuple[ActivitySession, UUID]] = []

    def live(self, act: Sequence[Any]) -> None:
        what, who, where, minute = act
        someone, session = self.people[who], self.sessions[where]
        try:
            if what == "book":
                self.world.book(someone, session)
            elif what == "cancel":
                for booking in someone.api.get("/bookings")["items"]:
                    if booking["session_id"] == str(session.id) and booking["status"] == "confirmed":
                        someone.cancel(booking["id"])
            elif what == "void" and self.events:
                at, event = self.events[minute % len(self.events)]
                self.world.record(self.administrator, at, EventKind.VOID, voids=event)
            elif what in ("present", "absent", "walk_in"):
                moment = session.starts_at + timedelta(minutes=minute)
                result = self.world.record(
                    self.administrator, session, EventKind(what), someone.resident_id, occurred_at=moment
                )
                self.events.append((session, result.id))
        except Refused:
            pass

    def there(self) -> set[tuple[int, int]]:
        """(session, resident) of whoever was there."""
        db.session.rollback()
        return {
            (row.session_id, row.resident_id)
            for row in db.session.scalars(select(Attendance).where(Attendance.state == AttendanceState.PRESENT))
        }


def check_counters(history: History) -> None:
    for session in history.sessions:
        taken = db.session.scalars(
            select(Booking.id).where(Booking.session_id == session.id, Booking.state.in_(OCCUPYING))
        ).all()
        assert counters(session) == (len(taken), 0)


@settings(
    max_examples=6,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(history=acts, pair=st.permutations(range(PEOPLE)), both=st.booleans())
def test_merging_counts_one_person_and_undoing_restores_every_figure(
    app: Flask, world: World, history: list[Any], pair: list[int], both: bool
) -> None:
    town = History(world)
    for act in history:
        town.live(act)
    there, counted, rows = town.there(), figures(), everything()
    kept, gone, third = (town.people[n].resident_id for n in pair)
    merges = [merge(town.administrator, kept, gone)]
    same = {gone: kept}
    if both:
        merges.append(merge(town.administrator, third, kept))
        same = {gone: third, kept: third}
    expected = {(session, same.get(resident, resident)) for session, resident in there}
    assert town.there() == expected
    total = statistics.total(YEAR)
    assert (total.persons, total.person_times) == (len({r for _, r in expected}), len(expected))
    assert verify()[1] == []
    check_counters(town)
    for row in reversed(merges):
        undo(town.administrator, row.id)
    assert figures() == counted
    assert everything() == rows
    assert verify()[1] == []


def test_what_was_under_way_during_a_merge_follows(world: World, administrator: Someone) -> None:
    """A booking that had looked before the merge and is written after it, as PostgreSQL lets it."""
    kept, gone = world.resident(), world.resident()
    session, other = world.session(), world.session(starts_in=timedelta(days=9))
    world.book(kept, session)
    before = everything()
    row = merge(administrator, kept.resident_id, gone.resident_id)

    def write(late: ActivitySession, reference: str) -> Booking:
        late = db.session.get_one(ActivitySession, late.id)
        late.places_taken += 1
        booking = Booking(
            reference=reference,
            session_id=late.id,
            resident_id=gone.resident_id,
            state=BookingState.CONFIRMED,
            starts_at=late.starts_at,
            ends_at=late.ends_at,
            created_at=NOW,
        )
        db.session.add(booking)
        return booking

    collides = unit_of_work(lambda: write(session, "AAAA2222"))
    stands = unit_of_work(lambda: write(other, "BBBB2222"))
    done = {name: (well, failed) for name, well, failed in background.do_what_is_due()}
    assert done["merged_records_followed"] == (1, 0)
    assert (state(collides), state(stands)) == ((kept.resident_id, "cancelled"), (kept.resident_id, "confirmed"))
    assert (counters(session), counters(other)) == ((1, 0), (1, 0))
    undo(administrator, row.id)
    assert (state(collides), state(stands)) == ((gone.resident_id, "confirmed"), (gone.resident_id, "confirmed"))
    assert (counters(session), counters(other)) == ((2, 0), (1, 0))
    grown = {t: len(rows) for t, rows in everything().items() if len(rows) != len(before[t])}
    assert grown.keys() == {"bookings", "jobs", "job_runs"}
    assert grown["bookings"] == len(before["bookings"]) + 2
