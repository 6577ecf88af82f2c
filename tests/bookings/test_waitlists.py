"""The waiting list over the API: joining, moving up, being passed over, leaving."""

from datetime import date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select

from facilities.background import do_what_is_due
from facilities.bookings.models import Booking
from facilities.engine.eligibility import Audience, Sex
from facilities.engine.limits import Limits
from facilities.engine.waitlist import WaitlistMode
from facilities.infra.audit import AuditEntry
from facilities.infra.db import db
from facilities.infra.outbox import Notice
from facilities.kernel import clock
from facilities.places.models import Facility
from facilities.programmes.models import ActivitySession, Programme
from tests.client import Caller
from tests.conftest import NOW
from tests.world import Someone, World

OR_WAIT = {"if_full": "waitlist"}
HOUR = timedelta(hours=1)


def counters(caller: Caller, session: ActivitySession) -> tuple[int, int]:
    """Places taken, people waiting."""
    seen = caller.get(f"/sessions/{session.id}")
    return seen["places_taken"], seen["waitlist_length"]


def position(someone: Someone, booking_id: str) -> int | None:
    found: int | None = someone.api.get(f"/bookings/{booking_id}")["waitlist_position"]
    return found


def notices(*kinds: str) -> list[Notice]:
    db.session.rollback()
    return list(db.session.scalars(select(Notice).where(Notice.kind.in_(kinds)).order_by(Notice.id)))


@pytest.fixture
def facility(world: World) -> Facility:
    return world.facility()


@pytest.fixture
def manager(world: World, facility: Facility) -> Someone:
    return world.manager(facility)


def waiting(world: World, session: ActivitySession, people: int) -> list[tuple[Someone, str]]:
    """So many, each alone, in their order on the list."""
    found = []
    for _ in range(people):
        someone = world.resident()
        (booking,) = someone.wait(session)
        found.append((someone, booking))
    return found


# -- joining


def test_who_would_wait_is_put_on_the_list_where_it_is_full_and_refused_otherwise(world: World, anyone: Caller) -> None:
    session, _ = world.full_session(capacity=2)
    someone, other = world.resident(), world.resident()
    assert someone.ask(session, status=409, if_full="refuse")["code"] == "session_full"
    (item,) = someone.ask(session, **OR_WAIT)["items"]
    assert (item["status"], item["waitlist_position"], item["offer_expires_at"]) == ("waitlisted", 1, None)
    assert someone.api.get(f"/bookings/{item['id']}") == item
    (behind,) = other.wait(session)
    assert position(other, behind) == 2
    assert [row["waitlist_position"] for row in other.api.get("/bookings")["items"]] == [2]
    assert counters(anyone, session) == (2, 2)


def test_who_would_wait_has_a_place_where_there_is_one(world: World, anyone: Caller) -> None:
    session = world.session(capacity=1)
    (item,) = world.resident().ask(session, **OR_WAIT)["items"]
    assert (item["status"], item["waitlist_position"]) == ("confirmed", None)
    assert counters(anyone, session) == (1, 0)


@pytest.mark.parametrize(
    ("waitlist", "code", "facts"),
    [
        pytest.param({"waitlist_mode": WaitlistMode.OFF}, "session_full", {}, id="no list"),
        pytest.param({"waitlist_capacity": 0}, "waitlist_full", {"waitlist_capacity": 0}, id="a list for nobody"),
        pytest.param({"waitlist_capacity": 1}, "waitlist_full", {"waitlist_capacity": 1}, id="a list for one"),
    ],
)
def test_a_list_that_is_full_or_off_takes_nobody(
    world: World, anyone: Caller, waitlist: dict[str, Any], code: str, facts: dict[str, Any]
) -> None:
    session, _ = world.full_session(**waitlist)
    length = waitlist.get("waitlist_capacity", 0)
    waiting(world, session, length)
    refused = world.resident().ask(session, status=409, **OR_WAIT)
    assert (refused["code"], refused["facts"]) == (code, facts)
    assert counters(anyone, session) == (1, length)


def test_a_list_has_room_again_when_somebody_leaves_it(world: World) -> None:
    session, _ = world.full_session(waitlist_capacity=1)
    ((first, booking),) = waiting(world, session, 1)
    first.cancel(booking)
    waiting(world, session, 1)


def test_nobody_stands_on_a_list_twice(world: World, anyone: Caller) -> None:
    session, holders = world.full_session()
    ((someone, _),) = waiting(world, session, 1)
    for person in (someone, holders[0][0]):
        assert person.ask(session, status=409, **OR_WAIT)["code"] == "already_booked"
    assert counters(anyone, session) == (1, 1)


def test_waiting_is_in_the_way_of_nothing_and_a_place_is_in_the_way_of_waiting(world: World) -> None:
    session, _ = world.full_session()
    also_full, _ = world.full_session()
    someone = world.resident()
    someone.wait(session)
    (item,) = someone.ask(also_full, **OR_WAIT)["items"]
    assert item["status"] == "waitlisted"
    (held,) = someone.ask(world.session())["items"]
    assert held["status"] == "confirmed"
    third, _ = world.full_session()
    assert someone.ask(third, status=409, **OR_WAIT)["code"] == "overlaps_own_booking"


@pytest.mark.parametrize(
    ("offered", "code"),
    [
        pytest.param({"audience": Audience(min_age=60)}, "not_eligible", id="not meant by it"),
        pytest.param({"booking_opens_at": NOW + HOUR}, "booking_not_open", id="not open yet"),
        pytest.param({"booking_closes_at": NOW}, "booking_closed", id="closed"),
    ],
)
def test_who_could_not_book_cannot_wait_either(world: World, offered: dict[str, Any], code: str) -> None:
    assert world.resident().ask(world.session(**offered), status=409, **OR_WAIT)["code"] == code


# -- moving up


def test_a_freed_place_is_the_nexts_at_once_and_all_others_move_up(world: World, anyone: Caller) -> None:
    session, ((holder, held),) = world.full_session()
    (first, one), (second, two), (third, three) = waiting(world, session, 3)
    holder.cancel(held)
    assert [first.state(one), second.state(two), third.state(three)] == ["confirmed", "waitlisted", "waitlisted"]
    assert [position(first, one), position(second, two), position(third, three)] == [None, 1, 2]
    assert counters(anyone, session) == (1, 2)
    second.cancel(two)
    assert position(third, three) == 1
    assert counters(anyone, session) == (1, 1)


def test_a_second_cancel_frees_nothing_more(world: World, anyone: Caller) -> None:
    session, ((holder, held),) = world.full_session()
    people = waiting(world, session, 2)
    first = holder.cancel(held)
    assert [holder.cancel(held) for _ in range(3)] == [first] * 3
    assert [someone.state(booking) for someone, booking in people] == ["confirmed", "waitlisted"]
    someone, booking = people[1]
    assert someone.cancel(booking) == someone.cancel(booking)
    assert counters(anyone, session) == (1, 0)


def test_raising_the_capacity_promotes_as_many_as_there_are_new_places(
    world: World, facility: Facility, manager: Someone, anyone: Caller
) -> None:
    session, _ = world.full_session(facility=facility)
    people = waiting(world, session, 3)
    seen = manager.api.patch(f"/sessions/{session.id}", {"capacity": 3})
    assert (seen["places_taken"], seen["places_left"], seen["waitlist_length"]) == (3, 0, 1)
    assert [someone.state(booking) for someone, booking in people] == ["confirmed", "confirmed", "waitlisted"]
    refused = manager.api.patch(f"/sessions/{session.id}", {"capacity": 2}, status=409)
    assert refused["code"] == "capacity_below_bookings"
    assert counters(anyone, session) == (3, 1)


def test_a_manager_says_how_the_list_works(world: World, facility: Facility, manager: Someone, anyone: Caller) -> None:
    session, _ = world.full_session(facility=facility)
    assert anyone.get(f"/sessions/{session.id}")["waitlist"]["mode"] == "confirm"
    waitlist = {"mode": "offer", "capacity": 1, "offer_minutes": 30}
    assert manager.api.patch(f"/sessions/{session.id}", {"waitlist": waitlist})["waitlist"] == waitlist
    waiting(world, session, 1)
    assert world.resident().ask(session, status=409, **OR_WAIT)["code"] == "waitlist_full"
    manager.api.patch(f"/sessions/{session.id}", {"waitlist": {"mode": "sometimes"}}, status=422)
    manager.api.patch(f"/sessions/{session.id}", {"waitlist": {"mode": "offer", "offer_minutes": 0}}, status=422)


def test_a_session_that_is_called_off_has_no_list(
    world: World, facility: Facility, manager: Someone, anyone: Caller
) -> None:
    session, _ = world.full_session(facility=facility)
    ((someone, booking),) = waiting(world, session, 1)
    manager.api.post(f"/sessions/{session.id}/cancel", {"reason": "停电"}, status=200)
    assert someone.state(booking) == "cancelled"
    assert counters(anyone, session) == (0, 0)
    assert someone.ask(session, status=409, **OR_WAIT)["code"] == "session_cancelled"


# -- being passed over


def becomes_busy(world: World, someone: Someone, session: ActivitySession) -> None:
    world.book(someone, world.session())


def reaches_the_limit(world: World, someone: Someone, session: ActivitySession) -> None:
    programme = db.session.get_one(Programme, session.programme_id)
    world.book(someone, world.session(programme=programme, starts_in=timedelta(days=4)))


def is_corrected(world: World, someone: Someone, session: ActivitySession) -> None:
    someone.api.patch(f"/residents/{someone.resident_id}", {"birth_date": "2017-01-01"})


def is_no_longer_meant(world: World, someone: Someone, session: ActivitySession) -> None:
    change = {"audience": {"sex": "female"}}
    world.administrator().api.patch(f"/sessions/{session.id}", change)


@pytest.mark.parametrize("happens", [becomes_busy, reaches_the_limit, is_corrected, is_no_longer_meant])
def test_who_cannot_come_any_more_is_passed_over_and_keeps_the_turn(world: World, anyone: Caller, happens: Any) -> None:
    programme = world.programme(limits=Limits(per_resident_per_week=1))
    session, ((holder, held),) = world.full_session(programme=programme, audience=Audience(min_age=18))
    first = world.resident(sex=Sex.MALE)
    (one,) = first.wait(session)
    ((second, two),) = waiting(world, session, 1)
    happens(world, first, session)
    holder.cancel(held)
    assert [first.state(one), second.state(two)] == ["waitlisted", "confirmed"]
    assert position(first, one) == 1
    assert counters(anyone, session) == (1, 1)


def test_who_can_come_again_has_the_turn_that_was_kept(world: World) -> None:
    session, ((holder, held),) = world.full_session()
    (first, one), (second, two), (third, three) = waiting(world, session, 3)
    elsewhere = world.book(first, world.session())
    holder.cancel(held)
    first.cancel(elsewhere.id)
    second.cancel(two)
    assert [first.state(one), third.state(three)] == ["confirmed", "waitlisted"]


def test_a_place_that_nobody_on_the_list_can_use_is_a_newcomers(world: World, anyone: Caller) -> None:
    session, ((holder, held),) = world.full_session()
    ((first, one),) = waiting(world, session, 1)
    world.book(first, world.session())
    holder.cancel(held)
    assert counters(anyone, session) == (0, 1)
    (item,) = world.resident().ask(session)["items"]
    assert item["status"] == "confirmed"
    assert first.state(one) == "waitlisted"


@pytest.mark.parametrize("how", ["cancels the other place", "by the worker"])
def test_a_free_place_goes_to_who_has_become_able_to_come(world: World, how: str) -> None:
    """The place would stay empty until last call, with somebody waiting for it."""
    session, ((holder, held),) = world.full_session()
    ((first, one),) = waiting(world, session, 1)
    elsewhere = world.book(first, world.session())
    holder.cancel(held)
    first.cancel(elsewhere.id)
    if how == "by the worker":
        list(do_what_is_due())
    assert first.state(one) == "confirmed"


def test_a_newcomer_who_is_refused_because_others_come_first_finds_them_promoted(world: World, anyone: Caller) -> None:
    """Else every newcomer is told 'full' while a place stands free, and nobody has it."""
    session, ((holder, held),) = world.full_session()
    ((first, one),) = waiting(world, session, 1)
    elsewhere = world.book(first, world.session())
    holder.cancel(held)
    first.cancel(elsewhere.id)
    assert world.resident().ask(session, status=409)["code"] == "session_full"
    assert (first.state(one), counters(anyone, session)) == ("confirmed", (1, 0))


def test_a_session_whose_free_place_is_kept_is_not_shown_as_available(world: World, anyone: Caller) -> None:
    """Its page says so already: a newcomer can only join the list."""
    session, holders = world.full_session(capacity=2)
    mother, people = world.family(2)
    mother.wait(session, *people)
    holders[0][0].cancel(holders[0][1])
    assert world.resident().ask(session, status=409)["code"] == "session_full"
    assert anyone.get("/sessions?available=true")["items"] == []


def test_a_list_that_is_switched_off_is_served_before_newcomers(
    world: World, facility: Facility, manager: Someone
) -> None:
    """Nobody new joins it; those on it were told that they move up."""
    session, ((holder, held),) = world.full_session(facility=facility)
    ((someone, booking),) = waiting(world, session, 1)
    manager.api.patch(f"/sessions/{session.id}", {"waitlist": {"mode": "off"}})
    holder.cancel(held)
    assert world.resident().ask(session, status=409)["code"] == "session_full"
    assert someone.state(booking) == "confirmed"


def test_last_call_comes_also_where_booking_stays_open_after_the_start(world: World) -> None:
    session, holders = world.full_session(
        capacity=2, starts_in=HOUR, lasts=6 * HOUR, booking_closes_at=NOW + 5 * HOUR, cancellation_closes_at=NOW + HOUR
    )
    mother, people = world.family(2)
    mother.wait(session, *people)
    ((someone, booking),) = waiting(world, session, 1)
    holders[0][0].cancel(holders[0][1])
    with clock.frozen(NOW + 4 * HOUR):
        list(do_what_is_due())
        assert someone.state(booking) == "confirmed"


# -- after booking has closed


CLOSED = NOW + timedelta(days=1)


@pytest.fixture
def closed(world: World, facility: Facility) -> tuple[ActivitySession, list[tuple[Someone, str]]]:
    """Booking closes in a day; one has a place, two wait; and the place is given back after the closing."""
    session, ((holder, held),) = world.full_session(facility=facility, booking_closes_at=CLOSED)
    people = waiting(world, session, 2)
    with clock.frozen(CLOSED):
        holder.cancel(held)
    return session, people


def test_once_booking_has_closed_nobody_moves_up(
    world: World, manager: Someone, anyone: Caller, closed: tuple[ActivitySession, list[tuple[Someone, str]]]
) -> None:
    session, people = closed
    with clock.frozen(CLOSED):
        manager.api.patch(f"/sessions/{session.id}", {"capacity": 5})
        list(do_what_is_due())
        assert [someone.state(booking) for someone, booking in people] == ["waitlisted"] * 2
        assert counters(anyone, session) == (0, 2)


def test_a_moment_before_it_closes_the_next_moves_up(world: World) -> None:
    session, ((holder, held),) = world.full_session(booking_closes_at=CLOSED)
    ((someone, booking),) = waiting(world, session, 1)
    with clock.frozen(CLOSED - timedelta(seconds=1)):
        holder.cancel(held)
        assert someone.state(booking) == "confirmed"


def test_a_manager_gives_a_place_by_hand_to_whom_the_manager_chooses_and_says_why(
    world: World, manager: Someone, anyone: Caller, closed: tuple[ActivitySession, list[tuple[Someone, str]]]
) -> None:
    session, ((first, one), (second, two)) = closed
    with clock.frozen(CLOSED):
        manager.api.post(f"/bookings/{two}/promote", {"reason": "接送已安排"}, status=200)
        assert (first.state(one), second.state(two)) == ("waitlisted", "confirmed")
        assert counters(anyone, session) == (1, 1)
        again = manager.api.post(f"/bookings/{two}/promote", {"reason": "接送已安排"}, status=200)
        assert again["status"] == "confirmed"
        assert counters(anyone, session) == (1, 1)
        refused = manager.api.post(f"/bookings/{one}/promote", {"reason": "也想来"}, status=409)
        assert refused["code"] == "session_full"
    assert db.session.get_one(Booking, int(two)).override_reason == "接送已安排"
    (entry,) = db.session.scalars(select(AuditEntry).where(AuditEntry.verb == "promoted_by_hand"))
    assert (entry.user_id, entry.about_id, entry.facts) == (manager.user.id, int(two), {})
    (told,) = notices("promoted")
    assert (told.user_id, told.about_id, told.read_at) == (second.user.id, int(two), None)


def test_the_answer_to_a_promotion_by_hand_shows_the_place(
    manager: Someone, closed: tuple[ActivitySession, list[tuple[Someone, str]]]
) -> None:
    _, ((first, one), _) = closed
    with clock.frozen(CLOSED):
        answer = manager.api.post(f"/bookings/{one}/promote", {"reason": "接送已安排"}, status=200)
        assert answer == first.api.get(f"/bookings/{one}")
        assert (answer["status"], answer["waitlist_position"]) == ("confirmed", None)


def test_by_hand_too_nobody_is_put_in_two_places(
    world: World, manager: Someone, closed: tuple[ActivitySession, list[tuple[Someone, str]]]
) -> None:
    _, ((first, one), _) = closed
    world.book(first, world.session())
    with clock.frozen(CLOSED):
        refused = manager.api.post(f"/bookings/{one}/promote", {"reason": "接送已安排"}, status=409)
    assert refused["code"] == "overlaps_own_booking"
    assert first.state(one) == "waitlisted"


def test_only_who_runs_the_session_promotes_by_hand_and_never_without_a_reason(
    world: World, manager: Someone, anyone: Caller, closed: tuple[ActivitySession, list[tuple[Someone, str]]]
) -> None:
    _, ((first, one), _) = closed
    path = f"/bookings/{one}/promote"
    anyone.post(path, {"reason": "-"}, status=401)
    first.api.post(path, {"reason": "-"}, status=403)
    world.manager(world.facility()).api.post(path, {"reason": "-"}, status=404)
    for body in ({}, {"reason": ""}, {"reason": " "}, {"reason": "a" * 201}, {"reason": "-", "why": "-"}):
        manager.api.post(path, body, status=422)
    manager.api.post("/bookings/987654/promote", {"reason": "-"}, status=404)
    assert first.state(one) == "waitlisted"


def test_a_foreign_booking_does_not_exist_whatever_the_body_says(
    world: World, closed: tuple[ActivitySession, list[tuple[Someone, str]]]
) -> None:
    """401, 404, 403, 422, 409: in this order."""
    _, ((_, one), _) = closed
    world.manager(world.facility()).api.post(f"/bookings/{one}/promote", {}, status=404)


def test_a_resident_learns_nothing_of_a_foreign_booking(
    world: World, closed: tuple[ActivitySession, list[tuple[Someone, str]]]
) -> None:
    _, ((_, one), _) = closed
    world.resident().api.post(f"/bookings/{one}/promote", {"reason": "-"}, status=404)


def test_by_hand_a_party_is_promoted_whole(world: World, facility: Facility, manager: Someone, anyone: Caller) -> None:
    session, holders = world.full_session(facility=facility, capacity=2, booking_closes_at=CLOSED)
    mother, people = world.family(2)
    one, two = mother.wait(session, *people)
    with clock.frozen(CLOSED):
        holders[0][0].cancel(holders[0][1])
        assert manager.api.post(f"/bookings/{one}/promote", {"reason": "-"}, status=409)["code"] == "session_full"
        holders[1][0].cancel(holders[1][1])
        manager.api.post(f"/bookings/{one}/promote", {"reason": "-"}, status=200)
        assert [mother.state(one), mother.state(two)] == ["confirmed", "confirmed"]
        assert counters(anyone, session) == (2, 0)


# -- leaving


@pytest.mark.parametrize(
    ("offered", "moment"),
    [
        pytest.param({"cancellation_closes_at": NOW}, NOW + HOUR, id="after cancelling has closed"),
        pytest.param({"booking_closes_at": NOW + HOUR}, NOW + 2 * HOUR, id="after booking has closed"),
        pytest.param({}, NOW + timedelta(days=3), id="as it starts"),
        pytest.param({}, NOW + timedelta(days=4), id="when it is over"),
    ],
)
def test_the_list_can_be_left_at_any_time(
    world: World, anyone: Caller, offered: dict[str, Any], moment: datetime
) -> None:
    session, _ = world.full_session(**offered)
    ((someone, booking),) = waiting(world, session, 1)
    with clock.frozen(moment):
        assert someone.cancel(booking)["status"] == "cancelled"
        assert someone.cancel(booking)["status"] == "cancelled"
        assert counters(anyone, session) == (1, 0)


def test_nobody_leaves_for_others(world: World) -> None:
    session, _ = world.full_session()
    ((someone, booking),) = waiting(world, session, 1)
    world.resident().cancel(booking, status=404)
    assert someone.state(booking) == "waitlisted"


@pytest.mark.parametrize(
    "cancelling_closes",
    [
        pytest.param(None, id="cancelling is open"),
        pytest.param(NOW, id="cancelling is closed"),
    ],
)
def test_who_leaves_the_household_leaves_its_lists(
    world: World, anyone: Caller, cancelling_closes: datetime | None
) -> None:
    session, _ = world.full_session(cancellation_closes_at=cancelling_closes)
    mother, (_, child) = world.family(2)
    (booking,) = mother.wait(session, child)
    mother.api.delete(f"/residents/{child}")
    assert world.fresh(db.session.get_one(Booking, int(booking))).state == "cancelled"
    assert counters(anyone, session) == (1, 0)


def test_a_place_stays_where_somebody_else_still_acts_for_the_resident(world: World) -> None:
    mother, (_, child) = world.family(2)
    father = world.resident(name="陈建国", sex=Sex.MALE)
    world.also_acts_for(father, child)
    (item,) = mother.ask(world.session(), child)["items"]
    mother.api.delete(f"/residents/{child}")
    assert father.state(item["id"]) == "confirmed"


# -- who is told


def test_each_account_that_acts_for_somebody_is_told_and_who_did_it_has_read_it(world: World) -> None:
    session, ((holder, held),) = world.full_session()
    mother, (_, child) = world.family(2)
    father = world.resident(name="陈建国", sex=Sex.MALE, birth_date=date(1986, 1, 1))
    world.also_acts_for(father, child)
    (booking,) = mother.wait(session, child)
    told = {row.user_id: row for row in notices("waitlisted")}
    assert set(told) == {mother.user.id, father.user.id}
    assert told[mother.user.id].read_at == NOW
    assert told[father.user.id].read_at is None
    for row in told.values():
        assert (row.resident_id, row.about_kind, row.about_id) == (child, "booking", int(booking))
        assert row.facts["title"] == session.title
        assert row.facts["starts_at"] == clock.local(session.starts_at).isoformat()
    holder.cancel(held)
    assert {(row.user_id, row.read_at, row.about_id) for row in notices("promoted")} == {
        (mother.user.id, None, int(booking)),
        (father.user.id, None, int(booking)),
    }


def test_a_place_is_told_of_once(world: World, facility: Facility, manager: Someone) -> None:
    session, ((holder, held),) = world.full_session(facility=facility)
    assert [(row.user_id, row.read_at) for row in notices("booked")] == [(holder.user.id, NOW)]
    ((someone, booking),) = waiting(world, session, 1)
    holder.cancel(held)
    for _ in range(2):
        manager.api.patch(f"/sessions/{session.id}", {"capacity": 2})
    list(do_what_is_due())
    assert [row.about_id for row in notices("promoted")] == [int(booking)]
    manager.api.post(f"/sessions/{session.id}/cancel", {"reason": "停电"}, status=200)
    (told,) = notices("session_cancelled")
    assert (told.user_id, told.facts["reason"]) == (someone.user.id, "停电")


def test_what_is_refused_tells_nobody(world: World) -> None:
    session, _ = world.full_session(waitlist_capacity=0)
    before = len(notices("booked", "waitlisted"))
    world.resident().ask(session, status=409, **OR_WAIT)
    assert len(notices("booked", "waitlisted")) == before
