"""The statement that checks and takes: it says yes exactly where the engine does, as far as it asks at all."""

from datetime import date, timedelta
from typing import Any

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, select, update

from facilities.bookings import taking
from facilities.bookings.models import Booking, BookingPause
from facilities.bookings.services import Wish, book_place, book_places
from facilities.engine.eligibility import Sex
from facilities.engine.no_shows import check_pause
from facilities.engine.on_offer import check_offer
from facilities.households.models import Resident
from facilities.infra.db import db, unit_of_work
from facilities.infra.outbox import Notice
from facilities.kernel import clock
from facilities.kernel.refusals import Refused
from facilities.programmes.models import ActivitySession, Programme
from tests.conftest import NOW
from tests.world import Someone, World

STARTS_AT = NOW + timedelta(days=3)
MOMENTS = st.one_of(st.none(), st.sampled_from([NOW - timedelta(seconds=1), NOW, NOW + timedelta(seconds=1)]))
AGES = st.one_of(st.none(), st.integers(0, 90))
# birthdays around the day of the session, and the one that comes every four years
BIRTHDAYS = st.one_of(
    st.none(),
    st.builds(date, st.integers(1940, 2025), st.just(9), st.integers(17, 21)),
    st.just(date(2008, 2, 29)),
)
OFFERS = st.fixed_dictionaries(
    {
        "min_age": AGES,
        "max_age": AGES,
        "sex": st.one_of(st.none(), st.sampled_from(Sex)),
        "disability": st.booleans(),
        "booking_opens_at": MOMENTS,
        "booking_closes_at": MOMENTS,
        "awaits_draw": st.booleans(),
    }
).filter(lambda o: o["min_age"] is None or o["max_age"] is None or o["min_age"] <= o["max_age"])
PEOPLE = st.fixed_dictionaries(
    {"birth_date": BIRTHDAYS, "sex": st.sampled_from(Sex), "disability_category": st.sampled_from([None, 1])}
)
OPEN = {
    "min_age": None,
    "max_age": None,
    "sex": None,
    "disability": False,
    "booking_opens_at": None,
    "booking_closes_at": None,
    "awaits_draw": False,
}


def forget_bookings() -> None:
    """The short way commits by itself."""
    db.session.rollback()
    db.session.execute(delete(Booking))
    db.session.execute(update(ActivitySession).values(places_taken=0))
    db.session.commit()


def test_the_statement_says_yes_exactly_where_the_engine_does(world: World) -> None:
    someone, session = world.resident(), world.session(starts_in=timedelta(days=3))
    told = []

    @settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @example(OPEN, {"birth_date": None, "sex": Sex.FEMALE, "disability_category": None})
    @example({**OPEN, "min_age": 18}, {"birth_date": date(2008, 9, 19), "sex": Sex.MALE, "disability_category": None})
    @example({**OPEN, "max_age": 17}, {"birth_date": date(2008, 9, 20), "sex": Sex.MALE, "disability_category": None})
    @given(OFFERS, PEOPLE)
    def alike(offer: dict[str, Any], person: dict[str, Any]) -> None:
        grade = {"disability_grade": person["disability_category"]}
        try:
            db.session.execute(update(ActivitySession).values(**offer))
            db.session.execute(update(Resident).values(**person, **grade))
            db.session.commit()
            db.session.expire_all()
            row, resident = db.session.get_one(ActivitySession, session.id), db.session.get_one(Resident, 1)
            wanted = check_offer(row.on_offer, resident.as_candidate, clock.now()) is None
            taken = taking.at_once(someone.actor, session.id, someone.resident_id)
            db.session.rollback()
            assert (taken is not None) == wanted
            told.append(taken is not None)
        finally:
            forget_bookings()

    alike()
    assert {True, False} == set(told)


def test_what_the_statement_does_not_ask_it_leaves_to_a_closer_look(world: World) -> None:
    someone, session = world.resident(), world.session()
    for table, values in (
        (ActivitySession, {"waiting": 1}),
        (ActivitySession, {"places_taken": 10}),
        (ActivitySession, {"communities": ["500104004"]}),
        (Programme, {"per_resident_per_week": 1}),
        (Programme, {"per_household_per_session": 1}),
    ):
        before = dict(db.session.execute(select(*(getattr(table, name) for name in values))).mappings().one())
        for state, answers in ((values, False), (before, True)):
            db.session.execute(update(table).values(**state))
            db.session.commit()
            assert (taking.at_once(someone.actor, session.id, someone.resident_id) is not None) == answers
            forget_bookings()
    assert taking.at_once(world.resident().actor, session.id, someone.resident_id) is None


SECOND, DAY = timedelta(seconds=1), timedelta(days=1)


def test_no_way_gives_a_place_that_a_pause_keeps_back(world: World) -> None:
    """The statement may say no where the engine says yes: on the day itself. What it does not give, the others do."""
    someone, other, programme = world.resident(), world.resident(), world.programme()
    facility, another = world.facility(), world.programme()
    ahead = world.session(facility, programme, starts_in=9 * DAY)
    held = [world.book(one, ahead) for one in (someone, other)]
    today = world.session(facility, programme, starts_in=timedelta(hours=3))
    later = world.session(facility, programme, starts_in=3 * DAY)
    refused = set()
    for session in (today, later):
        for until in (NOW - SECOND, NOW, NOW + SECOND, NOW + 30 * DAY):
            for whose, what, lifted in (
                (0, programme, None), (0, programme, NOW), (1, programme, None), (0, another, None)
            ):  # fmt: skip
                db.session.add(
                    BookingPause(
                        resident_id=held[whose].resident_id, programme_id=what.id, booking_id=held[whose].id,
                        since=NOW - DAY, until=until, lifted_at=lifted,
                    )
                )  # fmt: skip
                db.session.commit()
                in_force = (whose, what, lifted) == (0, programme, None)
                wanted = check_pause(until if in_force else None, session.starts_at, NOW) is None
                ways = _ways_that_give_a_place(someone, session)
                assert ways["engine"] == ways["long"] == wanted
                assert ways["statement"] <= wanted
                if db.engine.dialect.name == "sqlite" or session is later:
                    assert ways["statement"] == wanted
                refused |= {until} if not wanted else set()
                db.session.execute(delete(BookingPause))
                db.session.commit()
    assert refused == {NOW + SECOND, NOW + 30 * DAY}


def _ways_that_give_a_place(someone: Someone, session: ActivitySession) -> dict[str, bool]:
    ways = {
        "statement": lambda: taking.at_once(someone.actor, session.id, someone.resident_id),
        "engine": lambda: unit_of_work(lambda: book_place(someone.actor, session.id, someone.resident_id)),
        "long": lambda: unit_of_work(lambda: book_places(someone.actor, wish(someone, session))).items,
    }
    found = {}
    for name, way in ways.items():
        try:
            found[name] = bool(way())
        except Refused as refused:
            found[name] = refused.refusal.code != "paused_after_no_shows"
        db.session.rollback()
        db.session.execute(delete(Booking).where(Booking.session_id == session.id))
        db.session.execute(update(ActivitySession).where(ActivitySession.id == session.id).values(places_taken=0))
        db.session.commit()
    return found


def wish(someone: Someone, session: ActivitySession) -> Wish:
    """For a party of one: what is asked for twice is asked for once, and goes the way of parties."""
    return Wish(session.id, (someone.resident_id, someone.resident_id))


def test_both_ways_say_the_same_of_the_session(world: World) -> None:
    """The facts that SQL writes are those that Python writes."""
    someone, session = world.resident(), world.session(title="太极“晨练”", starts_at=STARTS_AT)
    seen = taking.look(someone.actor, session.id, someone.resident_id)
    assert seen is not None
    assert taking.at_once(someone.actor, session.id, someone.resident_id) is not None
    db.session.rollback()
    assert db.session.scalar(select(Notice.facts)) == seen.facts
    db.session.execute(delete(Notice))
    forget_bookings()
    assert taking.take(someone.actor, session.id, someone.resident_id, seen) is not None
    assert db.session.scalar(select(Notice.facts)) == seen.facts


def test_the_answer_is_what_the_api_says_of_the_booking_later(world: World) -> None:
    someone, session = world.resident(), world.session(title="太极", starts_at=STARTS_AT)
    body = {"session_id": str(session.id), "resident_ids": [str(someone.resident_id)]}
    answer, again = (
        someone.api.call("POST", "/bookings", status=201, json=body, headers={"Idempotency-Key": "once"})
        for _ in range(2)
    )
    (item,) = answer.get_json()["items"]
    assert answer.get_json() == {"items": [someone.api.get(f"/bookings/{item['id']}")], "refused": []}
    assert (again.get_data(), again.mimetype) == (answer.get_data(), answer.mimetype)
