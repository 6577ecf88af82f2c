"""An offered place over the API: held meanwhile, accepted, declined, run out."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select

from facilities.background import do_what_is_due
from facilities.bookings.models import Booking
from facilities.engine.waitlist import WaitlistMode
from facilities.infra.audit import AuditEntry
from facilities.infra.db import db
from facilities.infra.outbox import Notice
from facilities.kernel import clock
from facilities.places.models import Facility
from facilities.programmes.models import ActivitySession
from tests.client import Caller
from tests.conftest import NOW
from tests.world import Someone, World

OR_WAIT = {"if_full": "waitlist"}
MINUTE = timedelta(minutes=1)
OFFER = {"waitlist_mode": WaitlistMode.OFFER, "offer_minutes": 30}
OVER = NOW + 30 * MINUTE


def counters(caller: Caller, session: ActivitySession) -> tuple[int, int]:
    """Places taken, people waiting."""
    seen = caller.get(f"/sessions/{session.id}")
    return seen["places_taken"], seen["waitlist_length"]


def respond(someone: Someone, booking_id: str, answer: str, status: int = 200) -> Any:
    return someone.api.post(f"/bookings/{booking_id}/{answer}", status=status)


def notices(kind: str) -> list[Notice]:
    db.session.rollback()
    return list(db.session.scalars(select(Notice).where(Notice.kind == kind).order_by(Notice.id)))


def offered_to_the_first(
    world: World, people: int = 2, **more: Any
) -> tuple[ActivitySession, list[tuple[Someone, str]]]:
    """A session for one whose place was given back: the first of those who wait is asked."""
    session, ((holder, held),) = world.full_session(**{**OFFER, **more})
    waiting = []
    for _ in range(people):
        someone = world.resident()
        waiting.extend((someone, booking) for booking in someone.wait(session))
    holder.cancel(held)
    return session, waiting


@pytest.fixture
def facility(world: World) -> Facility:
    return world.facility()


# -- the offer


def test_a_freed_place_is_offered_to_the_next_and_held_meanwhile(world: World, anyone: Caller) -> None:
    session, ((first, one), (second, two)) = offered_to_the_first(world)
    offered = first.api.get(f"/bookings/{one}")
    assert (offered["status"], offered["waitlist_position"]) == ("offered", None)
    assert offered["offer_expires_at"] == "2026-09-16T10:30:00+08:00"
    assert second.api.get(f"/bookings/{two}")["waitlist_position"] == 1
    assert counters(anyone, session) == (1, 1)
    assert anyone.get(f"/sessions/{session.id}")["places_left"] == 0
    assert world.resident().ask(session, status=409)["code"] == "session_full"


@pytest.mark.parametrize(
    ("more", "until"),
    [
        pytest.param({"offer_minutes": None}, NOW + 120 * MINUTE, id="two hours where nothing is said"),
        pytest.param({"offer_minutes": 5}, NOW + 5 * MINUTE, id="five minutes"),
        pytest.param({"booking_closes_at": NOW + 20 * MINUTE}, NOW + 20 * MINUTE, id="not beyond the closing"),
        pytest.param({"starts_in": 10 * MINUTE}, NOW + 10 * MINUTE, id="not beyond the start"),
    ],
)
def test_an_offer_ends_with_its_time_and_with_booking(world: World, more: dict[str, Any], until: datetime) -> None:
    _, ((first, one), _) = offered_to_the_first(world, **more)
    shown = first.api.get(f"/bookings/{one}")["offer_expires_at"]
    assert datetime.fromisoformat(shown) == until


def test_an_offer_is_told_to_each_account_with_its_end(world: World) -> None:
    session, ((holder, held),) = world.full_session(**OFFER)
    mother, (_, child) = world.family(2)
    father = world.resident()
    world.also_acts_for(father, child)
    (booking,) = mother.wait(session, child)
    holder.cancel(held)
    told = notices("offered")
    assert {row.user_id for row in told} == {mother.user.id, father.user.id}
    assert {row.about_id for row in told} == {int(booking)}
    assert {row.facts["offer_expires_at"] for row in told} == {"2026-09-16T10:30:00+08:00"}
    assert not notices("promoted")


def test_an_offered_place_is_in_the_way_of_others_at_that_time(world: World) -> None:
    _, ((first, _), _) = offered_to_the_first(world)
    assert first.ask(world.session(), status=409)["code"] == "overlaps_own_booking"


def test_who_became_busy_is_not_asked(world: World) -> None:
    session, ((holder, held),) = world.full_session(**OFFER)
    first, second = world.resident(), world.resident()
    (one,), (two,) = first.wait(session), second.wait(session)
    world.book(first, world.session())
    holder.cancel(held)
    assert [first.state(one), second.state(two)] == ["waitlisted", "offered"]


# -- the answer


def test_an_accepted_offer_is_a_place_however_often_it_is_accepted(world: World, anyone: Caller) -> None:
    session, ((first, one), (second, two)) = offered_to_the_first(world)
    answer = respond(first, one, "accept")
    assert (answer["id"], answer["status"]) == (one, "confirmed")
    assert respond(first, one, "accept") == answer == first.api.get(f"/bookings/{one}")
    assert counters(anyone, session) == (1, 1)
    assert respond(first, one, "decline", status=409)["code"] == "no_offer"
    with clock.frozen(OVER):
        list(do_what_is_due())
        assert [first.state(one), second.state(two)] == ["confirmed", "waitlisted"]
        assert respond(first, one, "accept")["status"] == "confirmed"


def test_a_declined_offer_goes_to_the_next_at_once(world: World, anyone: Caller) -> None:
    session, ((first, one), (second, two), (third, three)) = offered_to_the_first(world, 3)
    answer = respond(first, one, "decline")
    assert (answer["id"], answer["status"]) == (one, "cancelled")
    assert [second.state(two), third.state(three)] == ["offered", "waitlisted"]
    assert respond(first, one, "decline") == answer
    assert [second.state(two), third.state(three)] == ["offered", "waitlisted"]
    assert counters(anyone, session) == (1, 1)
    assert respond(first, one, "accept", status=409)["code"] == "no_offer"


def test_an_offer_that_is_cancelled_is_given_back_like_any_place(world: World, anyone: Caller) -> None:
    session, ((first, one), (second, two)) = offered_to_the_first(world)
    assert first.cancel(one)["status"] == "cancelled"
    assert first.cancel(one)["status"] == "cancelled"
    assert second.state(two) == "offered"
    assert counters(anyone, session) == (1, 0)


@pytest.mark.parametrize("answer", ["accept", "decline"])
def test_there_is_an_answer_only_where_there_is_an_offer(world: World, answer: str) -> None:
    _, (_, (second, two)) = offered_to_the_first(world)
    assert respond(second, two, answer, status=409)["code"] == "no_offer"
    assert second.state(two) == "waitlisted"


@pytest.mark.parametrize("answer", ["accept", "decline"])
def test_nobody_answers_for_others(world: World, anyone: Caller, answer: str) -> None:
    _, ((first, one), _) = offered_to_the_first(world)
    respond(world.resident(), one, answer, status=404)
    respond(world.administrator(), one, answer, status=404)
    anyone.post(f"/bookings/{one}/{answer}", status=401)
    respond(first, "987654", answer, status=404)
    assert first.state(one) == "offered"


def test_the_last_offer_that_is_declined_leaves_the_place_to_newcomers(world: World, anyone: Caller) -> None:
    session, ((first, one),) = offered_to_the_first(world, 1)
    respond(first, one, "decline")
    assert counters(anyone, session) == (0, 0)
    assert world.resident().ask(session)["items"][0]["status"] == "confirmed"


def test_answers_are_on_record(world: World) -> None:
    _, ((first, one), (second, two)) = offered_to_the_first(world)
    respond(first, one, "decline")
    respond(second, two, "accept")
    wanted = select(AuditEntry).where(AuditEntry.verb.in_(("accepted", "declined"))).order_by(AuditEntry.id)
    assert [(e.verb, e.user_id, e.about_id) for e in db.session.scalars(wanted)] == [
        ("declined", first.user.id, int(one)),
        ("accepted", second.user.id, int(two)),
    ]


def test_a_place_that_was_accepted_has_no_end_any_more(world: World) -> None:
    _, ((first, one), _) = offered_to_the_first(world)
    assert respond(first, one, "accept")["offer_expires_at"] is None


# -- time runs out


def test_an_offer_is_over_at_its_end_and_whoever_accepts_then_is_told(world: World, anyone: Caller) -> None:
    session, ((first, one), (second, two)) = offered_to_the_first(world)
    with clock.frozen(OVER):
        assert respond(first, one, "accept", status=409)["code"] == "offer_expired"
        assert [first.state(one), second.state(two)] == ["expired", "offered"]
        assert second.api.get(f"/bookings/{two}")["offer_expires_at"] == "2026-09-16T11:00:00+08:00"
        assert respond(first, one, "accept", status=409)["code"] == "offer_expired"
        assert counters(anyone, session) == (1, 0)
        assert [row.user_id for row in notices("offer_expired")] == [first.user.id]


def test_a_moment_before_its_end_an_offer_is_accepted(world: World) -> None:
    _, ((first, one), _) = offered_to_the_first(world)
    with clock.frozen(OVER - timedelta(microseconds=1)):
        assert respond(first, one, "accept")["status"] == "confirmed"


def test_an_offer_that_ran_out_can_be_declined_and_frees_one_place(world: World, anyone: Caller) -> None:
    session, ((first, one), (second, two)) = offered_to_the_first(world)
    with clock.frozen(OVER):
        assert respond(first, one, "decline")["status"] in ("cancelled", "expired")
        assert second.state(two) == "offered"
        assert counters(anyone, session) == (1, 0)


def joins(world: World, session: ActivitySession, second: Someone, two: str) -> None:
    world.resident().wait(session)


def is_enlarged(world: World, session: ActivitySession, second: Someone, two: str) -> None:
    world.administrator().api.patch(f"/sessions/{session.id}", {"title": "非遗竹编，第二班"})


def is_worked_off(world: World, session: ActivitySession, second: Someone, two: str) -> None:
    assert {name: done for name, done, _ in do_what_is_due()}["sessions_settled"] == 1
    assert {name: done for name, done, _ in do_what_is_due()}["sessions_settled"] == 0


@pytest.mark.parametrize("happens", [joins, is_enlarged, is_worked_off])
def test_an_offer_that_ran_out_goes_to_the_next_with_whatever_happens_next(
    world: World, anyone: Caller, happens: Any
) -> None:
    session, ((first, one), (second, two)) = offered_to_the_first(world)
    with clock.frozen(OVER - timedelta(microseconds=1)):
        list(do_what_is_due())
        assert first.state(one) == "offered"
    with clock.frozen(OVER):
        happens(world, session, second, two)
        assert [first.state(one), second.state(two)] == ["expired", "offered"]
        assert counters(anyone, session)[0] == 1


def test_an_offer_ends_with_booking_also_where_that_is_brought_forward(world: World, facility: Facility) -> None:
    session, ((first, one), _) = offered_to_the_first(world, facility=facility)
    closes = clock.local(NOW + 10 * MINUTE).isoformat()
    world.manager(facility).api.patch(f"/sessions/{session.id}", {"booking_closes_at": closes})
    assert first.api.get(f"/bookings/{one}")["offer_expires_at"] == closes
    with clock.frozen(NOW + 20 * MINUTE):
        assert respond(first, one, "accept", status=409)["code"] == "offer_expired"


def test_where_nobody_waits_a_newcomer_has_the_place_of_an_offer_that_ran_out(world: World, anyone: Caller) -> None:
    session, ((first, one),) = offered_to_the_first(world, 1)
    with clock.frozen(OVER):
        assert world.resident().ask(session)["items"][0]["status"] == "confirmed"
        assert first.state(one) == "expired"
        assert first.ask(session, status=409)["code"] == "session_full"
    assert counters(anyone, session) == (1, 0)


def test_a_newcomer_who_is_refused_leaves_the_offer_that_ran_out_to_the_next(world: World) -> None:
    session, ((first, one), (second, two)) = offered_to_the_first(world)
    with clock.frozen(OVER):
        assert world.resident().ask(session, status=409)["code"] == "session_full"
        assert [first.state(one), second.state(two)] == ["expired", "offered"]


def test_who_let_an_offer_run_out_may_join_again_at_the_end(world: World) -> None:
    session, ((first, one), (second, two)) = offered_to_the_first(world)
    with clock.frozen(OVER):
        (again,) = first.ask(session, **OR_WAIT)["items"]
        assert (again["status"], again["waitlist_position"]) == ("waitlisted", 1)
        assert [first.state(one), second.state(two)] == ["expired", "offered"]


def test_once_booking_has_closed_an_offer_that_ran_out_is_offered_to_nobody(world: World, anyone: Caller) -> None:
    session, ((first, one), (second, two)) = offered_to_the_first(world, booking_closes_at=OVER)
    with clock.frozen(OVER):
        list(do_what_is_due())
        assert [first.state(one), second.state(two)] == ["expired", "waitlisted"]
        assert counters(anyone, session) == (0, 1)


def test_by_hand_the_place_of_an_offer_that_ran_out_is_given(world: World, facility: Facility) -> None:
    _, ((first, one), (second, two)) = offered_to_the_first(world, facility=facility, booking_closes_at=OVER)
    with clock.frozen(OVER):
        world.manager(facility).api.post(f"/bookings/{two}/promote", {"reason": "接送已安排"}, status=200)
        assert [first.state(one), second.state(two)] == ["expired", "confirmed"]


def test_the_capacity_is_lowered_below_an_offer_that_ran_out(world: World, facility: Facility) -> None:
    session, _ = offered_to_the_first(world, 1, facility=facility, capacity=1)
    manager = world.manager(facility)
    manager.api.patch(f"/sessions/{session.id}", {"capacity": 2})
    world.book(world.resident(), session)
    with clock.frozen(OVER):
        manager.api.patch(f"/sessions/{session.id}", {"capacity": 1})


def test_a_session_that_is_called_off_takes_its_offers_back(world: World, facility: Facility, anyone: Caller) -> None:
    session, ((first, one), _) = offered_to_the_first(world, facility=facility)
    manager = world.manager(facility)
    manager.api.post(f"/sessions/{session.id}/cancel", {"reason": "停电"}, status=200)
    assert first.state(one) == "cancelled"
    assert respond(first, one, "accept", status=409)["code"] == "no_offer"
    with clock.frozen(OVER):
        list(do_what_is_due())
    assert first.state(one) == "cancelled"
    assert counters(anyone, session) == (0, 0)


# -- a party's offer is one


@pytest.fixture
def party(world: World) -> tuple[ActivitySession, Someone, list[str], Someone, str]:
    """Two who come together are asked, and somebody stands behind them."""
    session, holders = world.full_session(capacity=2, **OFFER)
    mother, people = world.family(2)
    family = mother.wait(session, *people)
    single = world.resident()
    (alone,) = single.wait(session)
    holders[0][0].cancel(holders[0][1])
    assert [mother.state(b) for b in family] == ["waitlisted"] * 2
    holders[1][0].cancel(holders[1][1])
    return session, mother, family, single, alone


Party = tuple[ActivitySession, Someone, list[str], Someone, str]


def test_a_party_is_asked_once_there_are_places_for_all_of_it(anyone: Caller, party: Party) -> None:
    session, mother, family, single, alone = party
    assert [mother.state(b) for b in family] == ["offered"] * 2
    assert single.state(alone) == "waitlisted"
    assert counters(anyone, session) == (2, 1)


def test_who_accepts_for_a_party_accepts_for_all_of_it(anyone: Caller, party: Party) -> None:
    session, mother, family, _, _ = party
    respond(mother, family[1], "accept")
    assert [mother.state(b) for b in family] == ["confirmed"] * 2
    assert counters(anyone, session) == (2, 1)


def test_who_declines_for_a_party_declines_for_all_of_it(anyone: Caller, party: Party) -> None:
    session, mother, family, single, alone = party
    respond(mother, family[1], "decline")
    assert [mother.state(b) for b in family] == ["cancelled"] * 2
    assert single.state(alone) == "offered"
    assert counters(anyone, session) == (1, 0)


def test_a_partys_offer_runs_out_as_one(anyone: Caller, party: Party) -> None:
    session, mother, family, single, alone = party
    with clock.frozen(OVER):
        list(do_what_is_due())
        assert [mother.state(b) for b in family] == ["expired"] * 2
        assert single.state(alone) == "offered"
        assert counters(anyone, session) == (1, 0)


def test_of_a_party_that_is_asked_one_may_leave_and_the_others_answer(anyone: Caller, party: Party) -> None:
    session, mother, family, single, alone = party
    mother.cancel(family[0])
    assert single.state(alone) == "offered"
    respond(mother, family[1], "accept")
    assert [mother.state(b) for b in family] == ["cancelled", "confirmed"]
    assert single.state(alone) == "offered"
    assert counters(anyone, session) == (2, 0)


# -- the page


@pytest.mark.parametrize(("answer", "state"), [("accept", "confirmed"), ("decline", "cancelled")])
@pytest.mark.parametrize("where", ["/bookings/{}", "/my/bookings"])
def test_an_offered_place_is_answered_on_its_page_and_in_the_list(
    world: World, where: str, answer: str, state: str
) -> None:
    _, ((first, one), _) = offered_to_the_first(world)
    browser = world.browser(first)
    page = browser.get(where.format(one))
    assert "10:30" in page.text or where == "/my/bookings"
    buttons = page.tree.xpath("//main//button[@name='answer']/@value")
    assert buttons == ["accept", "decline"]
    browser.send(f"/bookings/{one}/answer", token_from=f"/bookings/{one}", answer=answer)
    assert first.state(one) == state
    assert world.browser(world.resident()).send(f"/bookings/{one}/answer", status=404, answer=answer)


def test_the_page_says_that_an_offer_has_run_out(world: World) -> None:
    _, ((first, one), _) = offered_to_the_first(world)
    browser = world.browser(first)
    with clock.frozen(OVER):
        page = browser.send(f"/bookings/{one}/answer", token_from=f"/bookings/{one}", answer="accept")
        assert "over" in page.text
        assert world.fresh(db.session.get_one(Booking, int(one))).state == "expired"


def test_whose_offer_beside_has_run_out_is_not_passed_by_who_comes_after(world: World) -> None:
    """The one who gives a place back waits beside as well: both lists are put in order, and offers end first."""
    beside, ((holder, held),) = world.full_session(**OFFER)
    session, (first, second, leaver) = world.session(capacity=1), [world.resident() for _ in range(3)]
    (offered,), _ = first.wait(beside), leaver.wait(beside)
    place = world.book(leaver, session).id
    (turn,), (later,) = first.wait(session), second.wait(session)
    holder.cancel(held)
    assert first.state(offered) == "offered"
    with clock.frozen(OVER):
        leaver.cancel(place)
        assert (first.state(turn), second.state(later)) == ("confirmed", "waitlisted")


def test_a_form_that_answers_nothing_declines_nothing(world: World) -> None:
    _, ((first, one), _) = offered_to_the_first(world)
    browser = world.browser(first)
    browser.client.post(
        f"/bookings/{one}/answer", data={"csrf_token": browser.get(f"/bookings/{one}").hidden("csrf_token")}
    )
    assert first.state(one) == "offered"
