"""Who is asked how it was, once; who may say it, and until when; and what is left of it."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from facilities.bookings.promotion import facts_of
from facilities.engine.eligibility import Sex
from facilities.engine.roll_call import Counts, EventKind
from facilities.feedback import queries as feedback
from facilities.feedback import services
from facilities.feedback.models import Feedback
from facilities.households.models import Relation
from facilities.infra.db import db, unit_of_work
from facilities.infra.outbox import Notice
from facilities.kernel import clock
from facilities.kernel.refusals import NotVisible, Refused
from facilities.notices.wording import text
from facilities.people.services import merge, undo
from tests.client import Counter
from tests.conftest import NOW
from tests.feedback.classes import ENDS, LATER, Class
from tests.world import PASSWORD, World

MINUTE = timedelta(minutes=1)


@pytest.fixture
def here(world: World) -> Class:
    return Class.attended_by(world, 2)


def ask() -> list[int]:
    """As the background does: what is due, each a unit of its own."""
    due = unit_of_work(lambda: feedback.sessions_to_ask(clock.now()))
    for session_id in due:
        unit_of_work(lambda session_id=session_id: services.ask(session_id))
    return due


def asked() -> list[Notice]:
    db.session.rollback()
    return list(db.session.scalars(select(Notice).where(Notice.kind == "feedback").order_by(Notice.id)))


# -- asking


@pytest.mark.parametrize(
    ("moment", "due"),
    [
        pytest.param(ENDS, False, id="as it ends"),
        pytest.param(LATER - MINUTE, False, id="not yet two hours"),
        pytest.param(LATER, True, id="two hours"),
        pytest.param(ENDS + timedelta(days=3), True, id="three days"),
        pytest.param(ENDS + timedelta(days=3) + MINUTE, False, id="longer ago"),
    ],
)
def test_whoever_was_there_is_asked_from_two_hours_to_three_days_after_the_end(
    here: Class, moment: Any, due: bool
) -> None:
    with clock.frozen(moment):
        assert ask() == [here.session.id] * due
    assert len(asked()) == (2 if due else 0)


def test_what_they_are_asked_says_of_what_and_is_about_the_booking(here: Class) -> None:
    with clock.frozen(LATER):
        ask()
    notices = asked()
    assert [(n.about_kind, n.about_id, n.user_id, n.resident_id) for n in notices] == [
        ("booking", number, someone.user.id, someone.resident_id)
        for number, someone in zip(here.bookings, here.people, strict=True)
    ]
    assert all(n.read_at is None and n.facts == dict(facts_of(here.session)) for n in notices)
    with here.world.app.test_request_context(headers={"Accept-Language": "en"}):
        assert "非遗竹编" in text("feedback", notices[0].facts)


def test_only_who_was_there_is_asked(here: Class) -> None:
    came = list(here.bookings)
    for kind in (EventKind.ABSENT, EventKind.EXCUSED, None):
        here.one_more(kind)
    here.world.record(here.manager, here.session, EventKind.WALK_IN, here.world.resident().resident_id)
    with clock.frozen(LATER):
        ask()
    assert [n.about_id for n in asked()] == came


def test_where_nobody_who_booked_was_there_nobody_is_asked(world: World) -> None:
    here = Class.attended_by(world, 0)
    here.one_more(EventKind.ABSENT)
    world.record(here.manager, here.session, EventKind.HEAD_COUNT, counts=Counts(women=5))
    with clock.frozen(LATER):
        assert ask() == []
    assert asked() == []


def test_each_is_asked_once_and_who_is_ticked_off_later_is_not_asked_any_more(here: Class) -> None:
    here.one_more(kind=None)
    with clock.frozen(LATER):
        ask()
        here.world.record(here.manager, here.session, EventKind.PRESENT, here.people[2].resident_id)
        assert ask() == []
        unit_of_work(lambda: services.ask(here.session.id))
    assert len(asked()) == 2


def test_who_has_said_it_already_is_not_asked(here: Class) -> None:
    here.say(0, 5)
    with clock.frozen(LATER):
        ask()
    assert [n.about_id for n in asked()] == here.bookings[1:]


def test_who_has_no_account_is_not_asked_because_nobody_could_answer(here: Class) -> None:
    body = {"resident": {"name": "吴桂花", "sex": "female", "phone": "13777777777"}}
    (item,) = here.manager.api.post(f"/sessions/{here.session.id}/desk-bookings", body)["items"]
    here.world.record(here.manager, here.session, EventKind.PRESENT, int(item["resident_id"]))
    with clock.frozen(LATER):
        ask()
    assert [n.about_id for n in asked()] == here.bookings


def test_a_child_is_spoken_for_by_each_who_acts_for_it(world: World) -> None:
    here = Class.attended_by(world, 0)
    mother, father = world.resident(), world.resident(sex=Sex.MALE)
    child = world.member(mother)
    world.also_acts_for(father, child)
    booking = world.book(mother, here.session, child)
    world.record(here.manager, here.session, EventKind.PRESENT, child)
    with clock.frozen(LATER):
        ask()
    assert [(n.about_id, n.resident_id) for n in asked()] == [(booking.id, child)] * 2
    assert {n.user_id for n in asked()} == {mother.user.id, father.user.id}


def at_once(here: Class, work: Callable[[], object], times: int = 6) -> list[Any]:
    db.session.remove()

    def do(_: int) -> Any:
        with here.world.app.app_context():
            try:
                return unit_of_work(work)
            finally:
                db.session.remove()

    with ThreadPoolExecutor(times) as pool:
        return list(pool.map(do, range(times)))


@pytest.mark.race
def test_two_workers_at_once_ask_once(here: Class) -> None:
    session_id = here.session.id
    with clock.frozen(LATER):
        at_once(here, lambda: services.ask(session_id))
    assert len(asked()) == 2


def test_finding_whom_to_ask_is_one_question(here: Class, queries: Counter) -> None:
    expected = [here.session.id, Class.attended_by(here.world, 1).session.id]
    with clock.frozen(LATER):
        db.session.rollback()
        queries.clear()
        assert feedback.sessions_to_ask(clock.now()) == expected
    assert len(queries) == 1


# -- saying


def test_it_is_said_once_and_replaced_by_what_is_said_later(here: Class) -> None:
    here.say(0, 2, "太挤")
    with clock.frozen(NOW + timedelta(days=14)):
        here.say(0, 4)
    assert here.said() == [(here.bookings[0], 4, None)]
    assert db.session.scalars(select(Feedback.created_at)).one() == NOW


def test_after_two_weeks_it_stays_as_it_is(here: Class) -> None:
    here.say(0, 2, "太挤")
    with clock.frozen(NOW + timedelta(days=14) + MINUTE), pytest.raises(Refused, match="feedback_closed"):
        here.say(0, 5)
    assert here.said() == [(here.bookings[0], 2, "太挤")]


@pytest.mark.parametrize("ticked", [EventKind.ABSENT, EventKind.EXCUSED, None])
def test_only_who_was_there_can_say_how_it_was(here: Class, ticked: EventKind | None) -> None:
    here.one_more(ticked)
    with pytest.raises(Refused, match="not_attended"):
        here.say(2, 1)
    assert here.said() == []


def test_nobody_speaks_for_somebody_elses_booking(here: Class) -> None:
    for someone in (here.people[1], here.manager):
        with pytest.raises(NotVisible):
            unit_of_work(lambda someone=someone: services.give(someone.actor, here.bookings[0], 1, None))
    assert here.said() == []


@pytest.mark.race
def test_said_several_times_at_once_it_is_said_once(here: Class) -> None:
    actor, number = here.people[0].actor, here.bookings[0]
    at_once(here, lambda: services.give(actor, number, 3, "可以"))
    assert here.said() == [(number, 3, "可以")]


# -- what staff read


def test_fewer_than_three_are_not_shown(here: Class) -> None:
    here.say(0, 5, "很好")
    here.say(1, 4)
    assert here.summary() is None
    here.one_more()
    here.say(2, 3)
    assert (here.summary().answers, here.summary().mean) == (3, 4.0)


def test_whose_attendance_was_taken_back_is_not_counted(world: World) -> None:
    here = Class.attended_by(world, 4)
    for number in range(4):
        here.say(number, 5 - number)
    last = here.people[3].resident_id
    world.record(here.manager, here.session, EventKind.ABSENT, last, occurred_at=NOW + timedelta(hours=1))
    assert (here.summary().answers, here.summary().mean) == (3, 4.0)


def test_who_is_erased_leaves_a_rating_and_no_word(world: World) -> None:
    here = Class.attended_by(world, 3)
    for number, rating in enumerate((5, 4, 1)):
        here.say(number, rating, f"第{number}位")
    before = here.summary()
    here.people[2].api.call("DELETE", "/me", json={"password": PASSWORD}, status=204)
    assert here.said()[2][1:] == (1, None)
    assert (here.summary().answers, here.summary().mean) == (before.answers, before.mean)
    assert [c.words for c in here.summary().comments] == ["第0位", "第1位"]


def test_it_goes_with_the_booking_when_two_records_are_merged_and_comes_back(world: World) -> None:
    here = Class.attended_by(world, 3)
    for number in range(3):
        here.say(number, 5, f"第{number}位")
    administrator, (kept, gone, _) = world.administrator(), [someone.resident_id for someone in here.people]
    before = here.said()
    done = unit_of_work(lambda: merge(administrator.actor, kept, gone, "同一人"))
    assert here.said() == before
    assert here.summary() is None, "one person was there once, and so there are two answers"
    unit_of_work(lambda: undo(administrator.actor, done.id))
    assert here.summary().answers == 3


def test_a_grown_up_with_an_account_takes_along_what_was_said_and_nobody_else_does(here: Class) -> None:
    someone, spouse = here.people[0], here.people[1]
    here.world.also_acts_for(spouse, someone.resident_id, Relation.SPOUSE)
    here.say(0, 4, "很好")

    def downloaded(by: Any) -> Any:
        return by.api.post("/me/data", {"password": PASSWORD}, status=200)["data"]["feedback"]

    (row,) = downloaded(someone)
    assert (row["booking_id"], row["rating"], row["words"]) == (here.bookings[0], 4, "很好")
    assert downloaded(spouse) == []
