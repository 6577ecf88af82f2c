"""Whoever leaves a household while its places are being booked leaves nothing behind that nobody could give back."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier
from typing import Any

import pytest
from sqlalchemy import func, select, text

from facilities.bookings import taking
from facilities.bookings.models import LIVE, Booking
from facilities.bookings.services import Wish, book_places
from facilities.draws import services as draws
from facilities.draws.models import DrawEntrant
from facilities.engine.draws import WeightRule
from facilities.family.services import leave
from facilities.households.models import Guardianship
from facilities.infra.db import db, unit_of_work
from facilities.kernel import clock
from facilities.kernel.actors import Actor
from facilities.kernel.refusals import NotVisible, Refused
from facilities.programmes.models import ActivitySession
from facilities.reservations.models import Reservation, ReservationState
from facilities.reservations.services import reserve
from tests.world import World

pytestmark = pytest.mark.race

ROUNDS = 6

Work = Callable[[], object]


def quietly(world: World, work: Work, start: Barrier) -> str | None:
    """What it was refused with; anything else that goes wrong is the test's business."""
    with world.app.app_context():
        try:
            start.wait()
            unit_of_work(work)
        except Refused as refused:
            return refused.refusal.code
        except NotVisible:
            return "not_visible"
        finally:
            db.session.remove()
    return None


def at_once(world: World, *works: Work) -> list[str | None]:
    start = Barrier(len(works))
    with ThreadPoolExecutor(len(works)) as pool:
        return list(pool.map(lambda work: quietly(world, work, start), works))


def left_behind() -> dict[str, int]:
    """Live promises for residents whom nobody acts for."""
    nobody = ~select(Guardianship.user_id).where(Guardianship.resident_id == Booking.resident_id).exists()
    unserved = ~select(Guardianship.user_id).where(Guardianship.resident_id == Reservation.resident_id).exists()
    unheld = ~select(Guardianship.user_id).where(Guardianship.resident_id == DrawEntrant.resident_id).exists()
    db.session.rollback()
    counts = {
        "places": select(func.count()).select_from(Booking).where(Booking.state.in_(LIVE), nobody),
        "spaces": select(func.count())
        .select_from(Reservation)
        .where(Reservation.state == ReservationState.CONFIRMED, unserved),
        "tickets": select(func.count()).select_from(DrawEntrant).where(unheld),
    }
    return {name: db.session.scalar(query) or 0 for name, query in counts.items()}


def ways_to_a_place(actor: Actor, session_ids: list[int], child: int) -> list[Work]:
    shortest, short, long, waiting = session_ids
    return [
        lambda: taking.at_once(actor, shortest, child),
        lambda: book_places(actor, Wish(short, (child,))),
        lambda: book_places(actor, Wish(long, (child, actor_own(actor)))),
        lambda: book_places(actor, Wish(waiting, (child,), or_wait=True)),
    ]


def actor_own(actor: Actor) -> int:
    found = db.session.scalar(
        select(Guardianship.resident_id).where(Guardianship.user_id == actor.user_id, Guardianship.relation == "self")
    )
    assert found is not None
    return found


def test_a_place_that_is_taken_meanwhile_is_given_back_or_refused(world: World) -> None:
    for number in range(ROUNDS):
        mother, (_, child) = world.family(2)
        hours = [timedelta(days=3, hours=4 * n) for n in range(3)]
        ids = [world.session(starts_in=starts).id for starts in hours]
        full, _ = world.full_session(starts_in=timedelta(days=9))
        actor = mother.actor
        works: list[Work] = ways_to_a_place(actor, [*ids, full.id], child)
        works.insert(number % 5, lambda a=actor, c=child: leave(a, c, give_back=True))  # type: ignore[misc]
        db.session.remove()
        codes = at_once(world, *works)
        assert set(codes) <= {None, "not_visible"}
        assert left_behind() == {"places": 0, "spaces": 0, "tickets": 0}
        for session_id in ids:
            held = select(func.count()).select_from(Booking)
            held = held.where(Booking.session_id == session_id, Booking.state.in_(LIVE))
            assert db.session.get_one(ActivitySession, session_id).places_taken == db.session.scalar(held)


def test_a_space_and_a_ticket_that_are_taken_meanwhile_are_given_back_or_refused(world: World) -> None:
    administrator = world.administrator().actor
    for number in range(ROUNDS):
        mother, (_, child) = world.family(2)
        actor, space = mother.actor, world.space(world.facility()).id
        session = world.session(starts_in=timedelta(days=5)).id
        closes, starts = clock.now() + timedelta(days=1), clock.now() + timedelta(days=2)
        draw = unit_of_work(
            lambda s=session, c=closes: draws.open_draw(administrator, [s], "书法", c, WeightRule())  # type: ignore[misc]
        ).id
        works: list[Any] = [
            lambda a=actor, s=space, c=child, t=starts: reserve(a, s, c, t, t + timedelta(hours=1), "排练"),
            lambda a=actor, d=draw, c=child: draws.enter(a, d, [c]),
        ]
        works.insert(number % 3, lambda a=actor, c=child: leave(a, c, give_back=True))
        db.session.remove()
        assert set(at_once(world, *works)) <= {None, "not_visible"}
        assert left_behind() == {"places": 0, "spaces": 0, "tickets": 0}


def test_of_two_guardians_who_leave_at_once_the_last_gives_back(world: World) -> None:
    for _ in range(ROUNDS):
        mother, (_, child) = world.family(2)
        father = world.resident()
        world.also_acts_for(father, child)
        mother.ask(world.session(), child)
        works: list[Any] = [lambda a=a, c=child: leave(a, c, give_back=True) for a in (mother.actor, father.actor)]
        db.session.remove()
        assert at_once(world, *works) == [None, None]
        assert left_behind()["places"] == 0


@pytest.mark.parametrize("kind", ["postgresql"], indirect=True)
def test_the_harness_sees_the_place_that_is_left_behind_where_nothing_is_locked(world: World) -> None:
    """As it would be if a booking only read the link: the leave looks before the place is there, and goes through."""
    mother, (_, child) = world.family(2)
    session_id, actor = world.session().id, mother.actor
    db.session.remove()
    with db.engine.connect() as booking:
        booking.execute(
            text(
                "INSERT INTO bookings (reference, session_id, starts_at, ends_at, resident_id, state, created_at) "
                "SELECT 'UNLOCKED', id, starts_at, ends_at, :child, 'confirmed', starts_at FROM activity_sessions "
                "WHERE id = :session AND EXISTS (SELECT 1 FROM guardianships WHERE resident_id = :child)"
            ),
            {"child": child, "session": session_id},
        )
        unit_of_work(lambda: leave(actor, child, give_back=True))
        booking.commit()
    assert left_behind()["places"] == 1
