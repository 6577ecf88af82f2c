"""What must never be false, tried by raw SQL on each database: the service layer is not asked."""

from datetime import timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from facilities.engine.roll_call import EventKind
from facilities.infra.db import db
from tests.truths import name_of_violation
from tests.world import World


def booking(session_id: int, resident_id: int, state: str = "confirmed", reference: str = "TEST") -> str:
    cancelled = "starts_at" if state == "cancelled" else "NULL"
    return (
        "INSERT INTO bookings "
        "(reference, session_id, resident_id, state, starts_at, ends_at, created_at, cancelled_at, offer_expires_at) "
        f"SELECT '{reference}', id, {resident_id}, '{state}', starts_at, ends_at, starts_at, {cancelled}, starts_at "
        f"FROM activity_sessions WHERE id = {session_id}"
    )


@pytest.mark.parametrize("places_taken", [11, -1], ids=["one over", "below none"])
def test_a_session_is_never_over_capacity(world: World, places_taken: int) -> None:
    session = world.session(capacity=10)
    broken = name_of_violation(f"UPDATE activity_sessions SET places_taken = {places_taken} WHERE id = {session.id}")
    assert broken == "ck_activity_sessions_places_taken_within_capacity"
    assert name_of_violation(f"UPDATE activity_sessions SET places_taken = 10 WHERE id = {session.id}") is None


def test_capacity_never_falls_below_the_places_taken(world: World) -> None:
    session = world.session(capacity=2)
    world.book(world.resident(), session)
    world.book(world.resident(), session)
    broken = name_of_violation(f"UPDATE activity_sessions SET capacity = 1 WHERE id = {session.id}")
    assert broken == "ck_activity_sessions_places_taken_within_capacity"


@pytest.mark.parametrize(
    ("first", "second", "allowed"),
    [
        ("confirmed", "confirmed", False),
        ("confirmed", "waitlisted", False),
        ("waitlisted", "offered", False),
        ("attended", "confirmed", False),
        ("cancelled", "confirmed", True),
        ("expired", "confirmed", True),
    ],
    ids=str,
)
def test_a_resident_has_one_live_booking_in_a_session(world: World, first: str, second: str, allowed: bool) -> None:
    session, someone = world.session(), world.resident()
    broken = name_of_violation(
        booking(session.id, someone.resident_id, first, "A"), booking(session.id, someone.resident_id, second, "B")
    )
    rules = (
        {None}
        if allowed
        else {"uq_bookings_one_live_for_a_resident_in_a_session", "ex_bookings_resident_never_in_two_places"}
    )
    assert broken in rules


@pytest.mark.parametrize(
    ("minutes", "allowed"),
    [
        (-90, True),
        (-89, False),
        (0, False),
        (30, False),
        (89, False),
        (90, True),
    ],
    ids=[
        "ends as it begins",
        "ends a minute late",
        "the same",
        "begins inside",
        "begins a minute early",
        "begins as it ends",
    ],
)
def test_a_resident_is_never_in_two_places_at_once(world: World, minutes: int, allowed: bool) -> None:
    someone = world.resident()
    one = world.session(lasts=timedelta(minutes=90))
    other = world.session(starts_in=timedelta(days=3, minutes=minutes), lasts=timedelta(minutes=90))
    broken = name_of_violation(
        booking(one.id, someone.resident_id, "confirmed", "A"), booking(other.id, someone.resident_id, "confirmed", "B")
    )
    assert broken == (None if allowed else "ex_bookings_resident_never_in_two_places")


def test_moving_a_session_onto_a_residents_other_booking_is_refused_by_the_database(world: World) -> None:
    someone = world.resident()
    one, other = world.session(), world.session(starts_in=timedelta(days=4))
    world.book(someone, one)
    world.book(someone, other)
    broken = name_of_violation(
        f"UPDATE activity_sessions SET (starts_at, ends_at) = (SELECT starts_at, ends_at FROM activity_sessions "
        f"WHERE id = {one.id}) WHERE id = {other.id}"
    )
    assert broken == "ex_bookings_resident_never_in_two_places"


def test_a_bookings_span_follows_its_session(world: World) -> None:
    session = world.session()
    made = world.book(world.resident(), session)
    with db.engine.begin() as connection:
        connection.execute(
            text(
                f"UPDATE activity_sessions SET ends_at = (SELECT ends_at FROM activity_sessions AS x "
                f"WHERE x.id = {world.session(lasts=timedelta(hours=5)).id}) WHERE id = {session.id}"
            )
        )
    assert world.fresh(made).ends_at == world.fresh(session).ends_at


def test_a_bookings_span_cannot_be_another_than_its_sessions(world: World) -> None:
    session, later = world.session(), world.session(starts_in=timedelta(days=9))
    made = world.book(world.resident(), session)
    with pytest.raises(DBAPIError):  # SQLite does not name a foreign key
        name_of_violation_of_foreign_key(
            f"UPDATE bookings SET starts_at = (SELECT starts_at FROM activity_sessions WHERE id = {later.id}), "
            f"ends_at = (SELECT ends_at FROM activity_sessions WHERE id = {later.id}) WHERE id = {made.id}"
        )


def name_of_violation_of_foreign_key(statement: str) -> None:
    with db.engine.connect() as connection, connection.begin() as transaction:
        try:
            connection.execute(text(statement))
        finally:
            transaction.rollback()


def occupancy(space_id: int, session_id: int) -> str:
    return (
        "INSERT INTO occupancies (space_id, held_space_id, session_id, starts_at, ends_at) "
        f"SELECT {space_id}, {space_id}, id, starts_at, ends_at FROM activity_sessions WHERE id = {session_id}"
    )


@pytest.mark.parametrize(
    ("minutes", "allowed"),
    [(-90, True), (-1, False), (0, False), (89, False), (90, True)],
    ids=["ends as it begins", "ends inside", "the same", "begins inside", "begins as it ends"],
)
def test_a_space_is_never_held_twice_at_once(world: World, minutes: int, allowed: bool) -> None:
    facility = world.facility()
    space = world.space(facility)
    one = world.session(facility)
    other = world.session(facility, starts_in=timedelta(days=3, minutes=minutes))
    broken = name_of_violation(occupancy(space.id, one.id), occupancy(space.id, other.id))
    assert broken == (None if allowed else "ex_occupancies_space_never_held_twice")


def reservation(space_id: int, resident_id: int, like_session: int, reference: str = "TEST") -> str:
    """At the same time as a session."""
    return (
        "INSERT INTO reservations (reference, facility_id, space_id, resident_id, state, starts_at, ends_at, purpose, "
        f"created_at) SELECT '{reference}', spaces.facility_id, spaces.id, {resident_id}, 'confirmed', starts_at, "
        "ends_at, 'test', starts_at FROM spaces, activity_sessions "
        f"WHERE spaces.id = {space_id} AND activity_sessions.id = {like_session}"
    )


def occupancy_by_reservation(space_id: int, reference: str = "TEST") -> str:
    return (
        "INSERT INTO occupancies (space_id, held_space_id, reservation_id, starts_at, ends_at) "
        f"SELECT {space_id}, {space_id}, id, starts_at, ends_at FROM reservations WHERE reference = '{reference}'"
    )


@pytest.mark.parametrize(
    ("minutes", "allowed"),
    [(-90, True), (-1, False), (0, False), (89, False), (90, True)],
    ids=["ends as it begins", "ends inside", "the same", "begins inside", "begins as it ends"],
)
@pytest.mark.parametrize("first", ["session", "reservation"])
def test_a_reservation_and_a_session_never_hold_the_same_leaf(
    world: World, first: str, minutes: int, allowed: bool
) -> None:
    facility = world.facility()
    space, someone = world.space(facility), world.resident()
    one = world.session(facility)
    other = world.session(facility, starts_in=timedelta(days=3, minutes=minutes))
    by_session, by_reservation = occupancy(space.id, one.id), occupancy_by_reservation(space.id)
    statements = [reservation(space.id, someone.resident_id, other.id)]
    statements += [by_session, by_reservation] if first == "session" else [by_reservation, by_session]
    assert name_of_violation(*statements) == (None if allowed else "ex_occupancies_space_never_held_twice")


@pytest.mark.parametrize("holders", ["nobody", "both"])
def test_an_occupancy_has_exactly_one_holder(world: World, holders: str) -> None:
    facility = world.facility()
    space, someone, session = world.space(facility), world.resident(), world.session(facility)
    both = "s.id, r.id" if holders == "both" else "NULL, NULL"
    broken = name_of_violation(
        reservation(space.id, someone.resident_id, session.id),
        "INSERT INTO occupancies (space_id, held_space_id, session_id, reservation_id, starts_at, ends_at) "
        f"SELECT {space.id}, {space.id}, {both}, r.starts_at, r.ends_at FROM activity_sessions s, reservations r "
        f"WHERE s.id = {session.id}",
    )
    assert broken == "ck_occupancies_one_holder"


def test_what_holds_a_space_follows_its_reservation(world: World) -> None:
    facility = world.facility()
    space, someone = world.space(facility), world.resident()
    session, later = world.session(facility), world.session(facility, starts_in=timedelta(days=9))
    moves = (
        "UPDATE reservations SET (starts_at, ends_at) = "
        f"(SELECT starts_at, ends_at FROM activity_sessions WHERE id = {later.id})"
    )
    with db.engine.begin() as connection:
        connection.execute(text(reservation(space.id, someone.resident_id, session.id)))
        connection.execute(text(occupancy_by_reservation(space.id)))
        connection.execute(text(moves))
        spans = "SELECT CAST(starts_at AS text), CAST(ends_at AS text) FROM"
        followed = connection.execute(text(f"{spans} occupancies")).one()
        assert followed == connection.execute(text(f"{spans} activity_sessions WHERE id = {later.id}")).one()


def test_what_holds_a_space_cannot_have_another_span_than_its_reservation(world: World) -> None:
    facility = world.facility()
    space, someone, session = world.space(facility), world.resident(), world.session(facility)
    later = world.session(facility, starts_in=timedelta(days=9))
    with db.engine.begin() as connection:
        connection.execute(text(reservation(space.id, someone.resident_id, session.id)))
        connection.execute(text(occupancy_by_reservation(space.id)))
    with pytest.raises(DBAPIError):  # SQLite does not name a foreign key
        name_of_violation_of_foreign_key(
            "UPDATE occupancies SET (starts_at, ends_at) = (SELECT starts_at, ends_at FROM activity_sessions "
            f"WHERE id = {later.id})"
        )


def test_moving_a_reservation_onto_another_is_refused_by_the_database(world: World) -> None:
    facility = world.facility()
    space, someone = world.space(facility), world.resident()
    one, other = world.session(facility), world.session(facility, starts_in=timedelta(days=4))
    broken = name_of_violation(
        reservation(space.id, someone.resident_id, one.id, "A"),
        occupancy_by_reservation(space.id, "A"),
        reservation(space.id, someone.resident_id, other.id, "B"),
        occupancy_by_reservation(space.id, "B"),
        "UPDATE reservations SET (starts_at, ends_at) = (SELECT starts_at, ends_at FROM reservations "
        "WHERE reference = 'A') WHERE reference = 'B'",
    )
    assert broken == "ex_occupancies_space_never_held_twice"


@pytest.mark.parametrize(
    "statement", ["UPDATE attendance_events SET device = 'another'", "DELETE FROM attendance_events"]
)
def test_attendance_events_are_never_changed(world: World, statement: str) -> None:
    facility = world.facility()
    session, someone = world.session(facility), world.resident()
    world.record(world.manager(facility), session, EventKind.PRESENT, someone.resident_id)
    verb = "updated" if statement.startswith("UPDATE") else "deleted"
    assert name_of_violation(statement) == f"attendance_events_never_{verb}"


EVENT = "INSERT INTO attendance_events (id, session_id, kind, resident_id, voids, reason, late, device, occurred_at, "
EVENT += "received_at) VALUES ('00000000000000000000000000000001', 1, {}, '', '2026-09-16 02:00', '2026-09-16 02:00')"


@pytest.mark.parametrize(
    ("values", "broken"),
    [
        pytest.param("'present', 1, NULL, NULL, true", None, id="late and there"),
        pytest.param("'absent', 1, NULL, NULL, true", "late_who_came", id="late and not there"),
        pytest.param("'void', NULL, '00000000000000000000000000000002', 'mistake', false", None, id="why it is void"),
        pytest.param("'present', 1, NULL, 'mistake', false", "reason_of_a_void", id="why it is not"),
        pytest.param("'leave', NULL, NULL, NULL, false", "state_of_someone", id="nobody left"),
    ],
)
def test_what_an_event_says_makes_sense(world: World, values: str, broken: str | None) -> None:
    world.session()
    world.resident()
    assert name_of_violation(EVENT.format(values)) == (broken and f"ck_attendance_events_{broken}")


@pytest.mark.parametrize(
    ("changes", "broken"),
    [
        pytest.param("late = true, minutes = 30", None, id="was there"),
        pytest.param("minutes = -1", "minutes_from_zero", id="less than no time"),
        pytest.param("state = 'absent', minutes = 30", "time_of_who_came", id="was not there, for half an hour"),
        pytest.param("state = 'excused', late = true", "time_of_who_came", id="was not there, and late"),
    ],
)
def test_only_who_was_there_has_spent_time(world: World, changes: str, broken: str | None) -> None:
    facility = world.facility()
    session, someone = world.session(facility), world.resident()
    world.record(world.manager(facility), session, EventKind.PRESENT, someone.resident_id)
    assert name_of_violation(f"UPDATE attendances SET {changes}") == (broken and f"ck_attendances_{broken}")


def test_a_door_has_one_poster_and_a_code_is_one_doors(world: World) -> None:
    one, two = world.facility().id, world.facility().id
    insert = "INSERT INTO posters (facility_id, code, made_at) VALUES ({}, '{}', '2026-09-16 02:00:00')"
    first = insert.format(one, "ABCDEFGHJK")
    assert name_of_violation(first, insert.format(two, "KJHGFEDCBA")) is None
    assert name_of_violation(first, insert.format(two, "ABCDEFGHJK")) == "uq_posters_code"
    broken = name_of_violation(first, insert.format(one, "KJHGFEDCBA"))
    assert broken == "pk_posters" or (broken is None and db.engine.dialect.name == "sqlite")


def test_there_is_one_limit_for_entering_late_and_it_is_one_that_can_be(world: World) -> None:
    insert = "INSERT INTO attendance_rules (id, manager_days, changed_at) VALUES ({}, {}, '2026-09-16 02:00:00')"
    assert name_of_violation(insert.format(2, 30)) == "ck_attendance_rules_only_one"
    assert name_of_violation(insert.format(1, 0)) == "ck_attendance_rules_manager_days"
    assert name_of_violation(insert.format(1, 366)) == "ck_attendance_rules_manager_days"


def test_one_attendance_for_a_resident_in_a_session(world: World) -> None:
    facility = world.facility()
    session, someone = world.session(facility), world.resident()
    world.record(world.manager(facility), session, EventKind.PRESENT, someone.resident_id)
    broken = name_of_violation(
        "INSERT INTO attendances (session_id, resident_id, state, event_id) "
        "SELECT session_id, resident_id, state, event_id FROM attendances"
    )
    assert broken == "pk_attendances" or (broken is None and db.engine.dialect.name == "sqlite")


@pytest.mark.parametrize(
    ("elders", "disabled", "allowed"),
    [(3, 6, True), (4, 0, False), (0, 7, False), (-1, 0, False)],
    ids=["all of them", "more elders than adults", "more than were counted", "below none"],
)
def test_head_counts_add_up(world: World, elders: int, disabled: int, allowed: bool) -> None:
    session = world.session()
    broken = name_of_violation(
        "INSERT INTO head_counts (session_id, women, children, men, elders, disabled, unnamed_walk_ins) "
        f"VALUES ({session.id}, 2, 3, 1, {elders}, {disabled}, 0)"
    )
    assert broken == (None if allowed else "ck_head_counts_counts_add_up")


@pytest.mark.parametrize(
    ("role", "facility", "allowed"),
    [
        ("manager", True, True),
        ("manager", False, False),
        ("administrator", True, False),
        ("administrator", False, True),
        ("guard", True, True),
        ("guard", False, False),
        ("reviewer", True, False),
    ],
)
def test_a_grant_at_a_facility_names_it_and_others_name_none(
    world: World, role: str, facility: bool, allowed: bool
) -> None:
    user, place = world.resident().user, world.facility()
    broken = name_of_violation(
        "INSERT INTO grants (user_id, role, facility_id, starts_at) "
        f"VALUES ({user.id}, '{role}', {place.id if facility else 'NULL'}, '2026-01-01 00:00:00')"
    )
    assert broken == (None if allowed else "ck_grants_role_at_a_facility_has_one")


@pytest.mark.parametrize(
    ("columns", "values", "broken"),
    [
        ("role, sub_district_code", "'administrator', '500104001'", "ck_grants_sub_district_is_for_reviewers"),
        ("role, ends_at", "'administrator', '2026-01-01 00:00:00'", "ck_grants_starts_before_it_ends"),
        ("role, sub_district_code", "'reviewer', '500104001'", None),
    ],
)
def test_a_grant_has_a_scope_and_an_end_that_fit(world: World, columns: str, values: str, broken: str | None) -> None:
    user = world.resident().user
    assert broken == name_of_violation(
        f"INSERT INTO grants (user_id, starts_at, {columns}) VALUES ({user.id}, '2026-01-01 00:00:00', {values})"
    )


def test_a_number_that_names_a_person_is_one_persons(world: World) -> None:
    first, second = world.resident().resident_id, world.resident().resident_id
    for column, name in (("id_number", "uq_identities_id_number"), ("certificate", "uq_identities_certificate")):
        insert = f"INSERT INTO identities (resident_id, {column}, {column}_hash) VALUES"
        assert name_of_violation(f"{insert} ({first}, 'x', 'same'), ({second}, 'y', 'same')") == name
        assert name_of_violation(f"{insert} ({first}, 'x', NULL)") == f"ck_identities_{column}_whole"


def test_a_record_is_merged_into_another_one_once(world: World) -> None:
    kept, gone = world.resident().resident_id, world.resident().resident_id
    insert = "INSERT INTO merges (kept_id, gone_id, moves, merged_at, merged_by) VALUES"
    when = "'[]', '2026-01-01 00:00:00', 1"
    assert name_of_violation(f"{insert} ({kept}, {kept}, {when})") == "ck_merges_two_records"
    assert name_of_violation(f"{insert} ({kept}, {gone}, {when}), ({kept}, {gone}, {when})") == "uq_merges_gone_once"


def test_names_of_facilities_programmes_and_logins_are_unique(world: World) -> None:
    facility, programme, someone = world.facility(), world.programme(), world.resident()
    assert (
        name_of_violation(
            "INSERT INTO facilities (kind, name, address, sub_district_code) "
            f"SELECT kind, name, address, sub_district_code FROM facilities WHERE id = {facility.id}"
        )
        == "uq_facilities_name"
    )
    assert (
        name_of_violation(
            "INSERT INTO programmes (name, facility_kind) "
            f"SELECT name, facility_kind FROM programmes WHERE id = {programme.id}"
        )
        == "uq_programmes_name"
    )
    assert (
        name_of_violation(
            "INSERT INTO users (login, display_name, password_hash, created_at) "
            f"SELECT login, display_name, password_hash, created_at FROM users WHERE id = {someone.user.id}"
        )
        == "uq_users_login"
    )


@pytest.mark.parametrize(("rating", "allowed"), [(0, False), (1, True), (5, True), (6, False)])
def test_a_rating_is_on_its_scale(world: World, rating: int, allowed: bool) -> None:
    booking_id = world.book(world.resident(), world.session()).id
    row = f"({booking_id}, {rating}, '2026-09-16 02:00:00')"
    broken = name_of_violation(f"INSERT INTO feedback (booking_id, rating, created_at) VALUES {row}")
    assert broken == (None if allowed else "ck_feedback_rating_within_scale")


def test_of_a_booking_there_is_one_feedback(world: World) -> None:
    booking_id = world.book(world.resident(), world.session()).id
    row = f"INSERT INTO feedback (booking_id, rating, created_at) VALUES ({booking_id}, 3, '2026-09-16 02:00:00')"
    assert name_of_violation(row, row) == "pk_feedback"
