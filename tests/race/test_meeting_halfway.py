"""Cancelling bookings while their session is called off, moved and its roll is taken: no deadlock, nothing drifts."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import func, select

from facilities.bookings.models import OCCUPYING, Booking
from facilities.bookings.services import book_place, cancel_booking
from facilities.bookings.sessions import cancel_session
from facilities.infra.db import db, unit_of_work
from facilities.kernel import clock
from facilities.kernel.refusals import Refused
from facilities.programmes.models import ActivitySession
from facilities.programmes.services import change
from tests.world import World

pytestmark = pytest.mark.race

PEOPLE = 12


def quietly(world: World, work: Any) -> str | None:
    """The code of a refusal; anything else that goes wrong is the test's business."""
    with world.app.app_context():
        try:
            unit_of_work(work)
        except Refused as refused:
            return refused.refusal.code
        finally:
            db.session.remove()
    return None


@pytest.mark.parametrize("end", ["called off", "moved"])
def test_the_counter_is_the_number_of_places_that_are_held(world: World, end: str) -> None:
    people = [world.resident() for _ in range(PEOPLE)]
    actors = [(p.actor, p.resident_id) for p in people]
    session_id = world.session(capacity=PEOPLE).id
    bookings = [unit_of_work(lambda a=a, r=r: book_place(a, session_id, r)).id for a, r in actors[: PEOPLE // 2]]
    starts_at = clock.now() + timedelta(days=5)
    later = {"starts_at": starts_at, "ends_at": starts_at + timedelta(hours=1), "capacity": PEOPLE}
    manager = world.administrator().actor
    db.session.remove()
    work: list[Any] = [lambda a=a, b=b: cancel_booking(a, b) for (a, _), b in zip(actors, bookings, strict=False)]
    work += [lambda a=a, r=r: book_place(a, session_id, r) for a, r in actors[PEOPLE // 2 :]]
    ends: dict[str, Any] = {
        "called off": lambda: cancel_session(manager, session_id, "停电"),
        "moved": lambda: change(session_id, later),
    }
    work.insert(len(work) // 2, ends[end])
    with ThreadPoolExecutor(len(work)) as pool:
        codes = list(pool.map(lambda w: quietly(world, w), work))
    assert set(codes) <= {None, "session_cancelled"}
    held = db.session.scalar(
        select(func.count()).select_from(Booking).where(Booking.session_id == session_id, Booking.state.in_(OCCUPYING))
    )
    session = db.session.get_one(ActivitySession, session_id)
    assert session.places_taken == held == (0 if end == "called off" else PEOPLE // 2)
    spans = set(db.session.execute(select(Booking.starts_at).where(Booking.session_id == session_id)).scalars())
    assert spans == {session.starts_at}
