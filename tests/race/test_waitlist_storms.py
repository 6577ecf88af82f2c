"""The waiting list under load: who joins, who leaves, who moves up; and proof that the tests can see it go wrong."""

import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import create_engine, select, text

from facilities.infra.db import db
from facilities.infra.outbox import Notice
from tests.race.storms import all_at_once, book, forget_the_counter, left_of, send, served
from tests.servers import Server
from tests.stores import Store
from tests.world import Someone, World

pytestmark = pytest.mark.race

OR_WAIT = {"if_full": "waitlist"}
CLIENTS, PLACES, TURNS = 40, 5, 20


# -- a hot session


def hot_session(world: World) -> tuple[int, list[Someone]]:
    return world.session(capacity=PLACES, waitlist_capacity=TURNS).id, [world.resident() for _ in range(CLIENTS)]


def everybody_asks(server: Server, session_id: int, people: list[Someone]) -> Counter[str]:
    calls = [lambda p=p: book(server, p.token, session_id, p.resident_id, **OR_WAIT) for p in people]
    return Counter(all_at_once(calls))


def test_of_forty_at_once_five_have_places_and_twenty_have_turns(world: World, store: Store, tmp_path: Path) -> None:
    session_id, people = hot_session(world)
    with served(store, tmp_path) as server:
        answers = everybody_asks(server, session_id, people)
        shown = [
            item["waitlist_position"]
            for someone in people
            for item in send(server, someone.token, "GET", "/bookings")[1]["items"]
        ]
    assert answers == {"confirmed": PLACES, "waitlisted": TURNS, "waitlist_full": CLIENTS - PLACES - TURNS}
    left = left_of(session_id)
    assert (len(left.holding), len(left.queue), left.faults()) == (PLACES, TURNS, [])
    assert sorted(p for p in shown if p is not None) == list(range(1, TURNS + 1))
    assert max(row.id for row in left.holding) < min(row.id for row in left.queue)


@pytest.mark.parametrize(
    ("counter", "fault"),
    [("places_taken", "over capacity"), ("waiting", "the list's counter is not the rows")],
)
def test_without_its_counters_the_same_storm_is_seen_to_overrun(
    world: World, store: Store, tmp_path: Path, counter: str, fault: str
) -> None:
    """The negative control: the app as it is, on a database whose counter forgets."""
    session_id, people = hot_session(world)
    forget_the_counter(counter)
    with served(store, tmp_path) as server:
        answers = everybody_asks(server, session_id, people)
    left = left_of(session_id)
    assert fault in left.faults()
    assert len(left.holding) > PLACES or len(left.queue) > TURNS
    assert answers["waitlist_full"] == 0


# -- cancel against promote


def test_every_freed_place_goes_to_exactly_one(world: World, store: Store, tmp_path: Path) -> None:
    """All who have places cancel, each twice; some who wait leave; newcomers join: at the same moment."""
    session, holders = world.full_session(capacity=PLACES)
    waiting = [(someone, someone.wait(session)[0]) for someone in (world.resident() for _ in range(15))]
    leaving, staying = waiting[1::3], [pair for n, pair in enumerate(waiting) if n % 3 != 1]
    newcomers = [world.resident() for _ in range(6)]
    session_id = session.id

    def cancels(someone: Someone, booking: str) -> Any:
        return lambda: send(server, someone.token, "POST", f"/bookings/{booking}/cancel")[1].get("status")

    with served(store, tmp_path) as server:
        calls = [cancels(*pair) for pair in (*holders, *holders, *leaving)]
        calls += [lambda p=p: book(server, p.token, session_id, p.resident_id, **OR_WAIT) for p in newcomers]
        answers = Counter(all_at_once(calls))
    assert answers == {"cancelled": 2 * PLACES + len(leaving), "waitlisted": len(newcomers)}
    left = left_of(session_id)
    assert left.faults() == []
    first = [int(booking) for _, booking in staying[:PLACES]]
    assert [row.id for row in left.holding] == first
    assert len(left.queue) == len(staying) - PLACES + len(newcomers)
    told = Counter(db.session.scalars(select(Notice.about_id).where(Notice.kind == "promoted")))
    assert set(told.values()) == {1}
    assert set(told) >= set(first)


def naive_cancel(url: str, session_id: int, booking_id: int, looked: threading.Barrier) -> int:
    """What careless code does: give the place back, look who is next, and promote that one. Whom it promoted."""
    engine = create_engine(url)
    try:
        with engine.connect() as connection:
            following = connection.execute(
                text("SELECT min(id) FROM bookings WHERE session_id = :s AND state = 'waitlisted'"), {"s": session_id}
            ).scalar_one()
            connection.rollback()
        looked.wait(timeout=30)
        with engine.begin() as connection:
            connection.execute(
                text("UPDATE bookings SET state = 'cancelled', cancelled_at = created_at WHERE id = :b"),
                {"b": booking_id},
            )
            connection.execute(text("UPDATE bookings SET state = 'confirmed' WHERE id = :b"), {"b": following})
            connection.execute(
                text("UPDATE activity_sessions SET waiting = waiting - 1 WHERE id = :s"), {"s": session_id}
            )
        return int(following)
    finally:
        engine.dispose()


def test_the_harness_sees_one_turn_used_twice_where_nothing_locks_the_session(world: World, store: Store) -> None:
    """The negative control: two cancels find the same next one, and a place is lost."""
    session, holders = world.full_session(capacity=2)
    session_id = session.id
    for _ in range(4):
        world.resident().wait(session)
    db.session.remove()
    looked = threading.Barrier(2)
    with ThreadPoolExecutor(2) as pool:
        promoted = list(pool.map(lambda held: naive_cancel(store.url, session_id, int(held[1]), looked), holders))
    assert promoted[0] == promoted[1]
    assert set(left_of(session_id).faults()) == {
        "the counter is not the rows",
        "the list's counter is not the rows",
        "a place stays empty while somebody waits",
    }


# -- many lists at the same hour


def test_who_waits_in_six_lists_gets_one_place(world: World, store: Store, tmp_path: Path) -> None:
    """Twelve people wait in six sessions at the same hour, each in another order, and all twelve places come free."""
    full = [world.full_session(capacity=2) for _ in range(6)]
    sessions = [session for session, _ in full]
    for n in range(12):
        someone = world.resident()
        for session in sessions[n % 6 :] + sessions[: n % 6]:
            someone.wait(session)
    ids = [session.id for session in sessions]
    with served(store, tmp_path) as server:
        answers = all_at_once(
            [
                lambda s=s, b=b: send(server, s.token, "POST", f"/bookings/{b}/cancel")[1]["status"]
                for _, holders in full
                for s, b in holders
            ]
        )
    assert Counter(answers) == {"cancelled": 12}
    left = [left_of(session_id) for session_id in ids]
    assert [each.faults() for each in left] == [[]] * 6
    placed = [row.resident_id for each in left for row in each.holding]
    assert len(placed) == len(set(placed)) == 12


def naive_promotion(url: str, session_id: int, resident_id: int, looked: threading.Barrier) -> bool:
    """What careless code does: look whether the next is elsewhere, then give the place. True where it gave one."""
    engine = create_engine(url)
    try:
        with engine.connect() as connection:
            elsewhere = connection.execute(
                text("SELECT count(*) FROM bookings WHERE resident_id = :r AND state = 'confirmed'"),
                {"r": resident_id},
            ).scalar_one()
            connection.rollback()
        looked.wait(timeout=30)
        if elsewhere:
            return False
        with engine.begin() as connection:
            connection.execute(
                text("UPDATE bookings SET state = 'confirmed' WHERE resident_id = :r AND session_id = :s"),
                {"r": resident_id, "s": session_id},
            )
        return True
    finally:
        engine.dispose()


def test_the_harness_sees_somebody_in_two_places_where_no_rule_forbids_it(world: World, store: Store) -> None:
    """The negative control, on a database without the rule; with it the second is refused."""
    someone, sessions = world.resident(), [world.full_session()[0].id for _ in range(2)]
    for session_id in sessions:
        body = {"session_id": str(session_id), "resident_ids": [str(someone.resident_id)], "if_full": "waitlist"}
        someone.api.post("/bookings", body)
    resident_id, rule = someone.resident_id, "ex_bookings_resident_never_in_two_places"
    if db.engine.dialect.name == "postgresql":
        db.session.execute(text(f"ALTER TABLE bookings DROP CONSTRAINT {rule}"))
    else:
        db.session.execute(text(f"DROP TRIGGER {rule}_update"))
    db.session.commit()
    db.session.remove()
    looked = threading.Barrier(2)
    with ThreadPoolExecutor(2) as pool:
        gave = list(pool.map(lambda s: naive_promotion(store.url, s, resident_id, looked), sessions))
    assert gave == [True, True]
    placed = [row.resident_id for session_id in sessions for row in left_of(session_id).holding]
    assert placed.count(resident_id) == 2


# -- parties against singles


def test_no_party_is_split_and_nobody_stands_where_none_may(world: World, store: Store, tmp_path: Path) -> None:
    """Eight families of three and twelve singles for seven places; then all who got one cancel while more come."""
    families, singles = [world.family(3) for _ in range(8)], [world.resident() for _ in range(12)]
    late = [world.resident() for _ in range(6)]
    session_id = world.session(capacity=7).id
    with served(store, tmp_path) as server:
        calls = [lambda m=m, f=f: book(server, m.token, session_id, *f, **OR_WAIT) for m, f in families]
        calls += [lambda p=p: book(server, p.token, session_id, p.resident_id, **OR_WAIT) for p in singles]
        answers = Counter(all_at_once(calls))
        assert set(answers) <= {"confirmed", "waitlisted", "+".join(["confirmed"] * 3), "+".join(["waitlisted"] * 3)}
        left = left_of(session_id)
        assert [f for f in left.faults() if f != "a place stays empty while somebody waits"] == []
        assert left.taken + left.waiting == 8 * 3 + 12
        tokens = {resident: m.token for m, f in families for resident in f} | {p.resident_id: p.token for p in singles}
        gone = [(tokens[row.resident_id], row.id) for row in left.holding]
        db.session.remove()
        calls = [lambda t=t, b=b: send(server, t, "POST", f"/bookings/{b}/cancel")[1]["status"] for t, b in gone]
        calls += [lambda p=p: book(server, p.token, session_id, p.resident_id, **OR_WAIT) for p in late]
        assert set(all_at_once(calls)) == {"cancelled", "waitlisted"}
    left = left_of(session_id)
    assert [f for f in left.faults() if f != "a place stays empty while somebody waits"] == []
    assert left.taken + left.waiting == 8 * 3 + 12 - len(gone) + len(late)
    free = left.capacity - left.taken
    head = [row for row in left.queue if row.party == left.queue[0].party] if left.queue[0].party else left.queue[:1]
    assert free < len(head), "what is free is kept for a party that needs more"
    assert max(row.id for row in left.holding) < left.queue[0].id


def naive_party(url: str, session_id: int, party: str, residents: list[int], step: threading.Barrier) -> int:
    """What careless code does: one place after the other, each safely, as long as there are some. How many."""
    engine, taken = create_engine(url), 0
    try:
        for resident_id in residents:
            step.wait(timeout=30)
            with engine.begin() as connection:
                place = connection.execute(
                    text(
                        "UPDATE activity_sessions SET places_taken = places_taken + 1 "
                        "WHERE id = :s AND places_taken < capacity"
                    ),
                    {"s": session_id},
                ).rowcount
                state = "confirmed" if place else "waitlisted"
                if not place:
                    connection.execute(
                        text("UPDATE activity_sessions SET waiting = waiting + 1 WHERE id = :s"), {"s": session_id}
                    )
                connection.execute(
                    text(
                        "INSERT INTO bookings "
                        "(reference, session_id, resident_id, state, party, starts_at, ends_at, created_at) "
                        "SELECT :reference, id, :resident, :state, :party, starts_at, ends_at, starts_at "
                        "FROM activity_sessions WHERE id = :s"
                    ),
                    {
                        "reference": f"R{resident_id}",
                        "resident": resident_id,
                        "state": state,
                        "party": party,
                        "s": session_id,
                    },
                )
            taken += place
        return taken
    finally:
        engine.dispose()


def test_the_harness_sees_split_parties_where_nothing_locks_the_session(world: World, store: Store) -> None:
    """The negative control: two families of three, four places, one place after the other."""
    families = [world.family(3)[1] for _ in range(2)]
    session_id = world.session(capacity=4).id
    db.session.remove()
    step = threading.Barrier(2)
    with ThreadPoolExecutor(2) as pool:
        parties = [(str(n), family) for n, family in enumerate(families)]
        taken = list(pool.map(lambda p: naive_party(store.url, session_id, *p, step), parties))
    assert sum(taken) == 4
    assert left_of(session_id).faults() == ["a party is split"]


# -- the capacity moves


def sizes_and_places(world: World, store: Store, folder: Path) -> tuple[int, Counter[str]]:
    """A manager makes the session smaller and larger while people book and cancel."""
    facility = world.facility()
    session = world.session(facility, capacity=6)
    manager, session_id = world.manager(facility), session.id
    holders = [(someone, str(world.book(someone, session).id)) for someone in (world.resident() for _ in range(4))]
    people = [world.resident() for _ in range(16)]
    changes = [{"capacity": capacity} for capacity in (2, 9, 3, 8, 4, 7, 5, 6)]
    with served(store, folder) as server:
        calls = [lambda p=p: book(server, p.token, session_id, p.resident_id, **OR_WAIT) for p in people]
        calls += [
            lambda s=s, b=b: send(server, s.token, "POST", f"/bookings/{b}/cancel")[1]["status"] for s, b in holders
        ]
        calls += [
            lambda c=c: send(server, manager.token, "PATCH", f"/sessions/{session_id}", c)[1]["status"] for c in changes
        ]
        answers = Counter(str(answer) for answer in all_at_once(calls))
    return session_id, answers


def test_a_session_that_changes_its_size_is_never_overbooked(world: World, store: Store, tmp_path: Path) -> None:
    session_id, answers = sizes_and_places(world, store, tmp_path)
    assert set(answers) <= {"confirmed", "waitlisted", "cancelled", "scheduled", "409"}
    assert (answers["cancelled"], answers["confirmed"] + answers["waitlisted"]) == (4, 16)
    left = left_of(session_id)
    assert left.faults() == []
    assert left.taken + left.waiting == 16


def test_without_the_counter_a_session_is_made_smaller_than_what_is_booked(
    world: World, store: Store, tmp_path: Path
) -> None:
    """The negative control: the app as it is, on a database whose counter forgets."""
    forget_the_counter("places_taken")
    session_id, _ = sizes_and_places(world, store, tmp_path)
    assert "over capacity" in left_of(session_id).faults()
