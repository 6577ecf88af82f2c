"""Sixty clients, seven places, over HTTP against several server processes; and proof that the test can see a race."""

import json
import threading
import urllib.error
import urllib.request
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import create_engine, func, select, text

from facilities.bookings.models import Booking, BookingState
from facilities.infra.db import db
from facilities.kernel import clock
from facilities.programmes.models import ActivitySession
from tests.servers import running
from tests.stores import Store
from tests.world import World

CLIENTS, PLACES = 60, 7

pytestmark = pytest.mark.race


def post(address: str, token: str, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
    request = urllib.request.Request(  # noqa: S310 - our own address
        f"{address}/api/v1/bookings",
        json.dumps(body).encode(),
        {"Authorization": f"Bearer {token}", "Content-Type": "application/json"},
    )
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310 - our own address
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as refused:
        return refused.code, json.load(refused)


def storm(address: str, session_id: int, clients: list[tuple[str, int]]) -> list[tuple[int, str]]:
    """Everybody at once: the barrier opens when all are ready."""
    barrier = threading.Barrier(len(clients))

    def client(token: str, resident_id: int) -> tuple[int, str]:
        barrier.wait(timeout=30)
        status, body = post(address, token, {"session_id": str(session_id), "resident_ids": [str(resident_id)]})
        return status, body.get("code") or body["items"][0]["status"]

    with ThreadPoolExecutor(len(clients)) as pool:
        return list(pool.map(lambda c: client(*c), clients))


def test_sixty_clients_for_seven_places(world: World, store: Store, tmp_path: Path) -> None:
    clients = [(someone.token, someone.resident_id) for someone in (world.resident() for _ in range(CLIENTS))]
    session_id = world.session(capacity=PLACES).id
    db.session.remove()
    clock_file = tmp_path / "clock"
    clock_file.write_text(clock.now().isoformat())
    with running(store.url, tmp_path, workers=4, HUIMIN_CLOCK_FILE=str(clock_file)) as server:
        answers = Counter(storm(server.address, session_id, clients))
    assert answers == {(201, "confirmed"): PLACES, (409, "session_full"): CLIENTS - PLACES}
    kept = db.session.scalar(
        select(func.count())
        .select_from(Booking)
        .where(Booking.session_id == session_id, Booking.state == BookingState.CONFIRMED)
    )
    assert kept == PLACES
    assert db.session.scalar(select(ActivitySession.places_taken)) == PLACES


def naive_booking(url: str, session_id: int, resident_id: int, reads_done: threading.Barrier) -> bool:
    """What careless code does: look whether a place is free, then take it. True where it took one."""
    engine = create_engine(url)
    try:
        with engine.connect() as connection:
            taken = connection.execute(
                text("SELECT count(*) FROM bookings WHERE session_id = :s"), {"s": session_id}
            ).scalar_one()
            connection.rollback()
        reads_done.wait(timeout=30)
        if taken >= PLACES:
            return False
        with engine.begin() as connection:
            connection.execute(
                text(
                    "INSERT INTO bookings (reference, session_id, resident_id, state, starts_at, ends_at, created_at) "
                    "SELECT :reference, id, :resident, 'confirmed', starts_at, ends_at, starts_at "
                    "FROM activity_sessions WHERE id = :s"
                ),
                {"reference": f"R{resident_id}", "resident": resident_id, "s": session_id},
            )
        return True
    finally:
        engine.dispose()


def test_the_harness_sees_double_booking_where_nothing_holds_the_counter(world: World, store: Store) -> None:
    """The negative control: the same storm by check-then-insert, without the counter, books more than there are."""
    residents = [world.resident().resident_id for _ in range(PLACES * 2)]
    session_id = world.session(capacity=PLACES).id
    db.session.remove()
    barrier = threading.Barrier(len(residents))
    with ThreadPoolExecutor(len(residents)) as pool:
        took = list(pool.map(lambda r: naive_booking(store.url, session_id, r, barrier), residents))
    assert sum(took) > PLACES
    kept = db.session.scalar(select(func.count()).select_from(Booking).where(Booking.session_id == session_id))
    assert kept == sum(took)
