"""The page, the desk and the API at once for the last places: one service function, one counter."""

from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import func, select

from facilities.households.models import Resident
from facilities.infra.db import db
from tests.race.storms import Browser, all_at_once, book, forget_the_counter, left_of, send, served
from tests.stores import Store
from tests.world import PASSWORD, World

pytestmark = pytest.mark.race

PLACES, AT_EACH_DOOR = 5, 8


def all_doors(world: World, store: Store, folder: Path) -> tuple[int, Counter[str]]:
    """Eight with a page open (each taps twice), eight phone clients, eight people at the counter."""
    facility = world.facility()
    session_id = world.session(facility, capacity=PLACES).id
    at_pages, at_phones = ([world.resident() for _ in range(AT_EACH_DOOR)] for _ in range(2))
    manager, logins = world.manager(facility), [(p.login, str(p.resident_id)) for p in at_pages]
    with served(store, folder) as server:
        calls: list[Callable[[], str]] = []
        for login, resident_id in logins:
            browser = Browser(server, login, PASSWORD)
            page = browser.get(f"/sessions/{session_id}")
            fields = {name: browser.hidden(page, name) for name in ("csrf_token", "idempotency_key")}
            fields["resident_id"] = resident_id
            calls += [lambda b=browser, f=fields: b.post(f"/sessions/{session_id}/book", **f)] * 2
        calls += [lambda p=p: book(server, p.token, session_id, p.resident_id) for p in at_phones]

        def at_the_counter(number: int) -> str:
            body = {"resident": {"name": f"居民{number}", "sex": "female"}}
            _, said = send(server, manager.token, "POST", f"/sessions/{session_id}/desk-bookings", body)
            return str(said.get("code") or said["items"][0]["status"])

        calls += [lambda n=n: at_the_counter(n) for n in range(AT_EACH_DOOR)]
        answers = all_at_once(calls)
    doors = {"409": "refused", "session_full": "refused", "confirmed": "booked"}
    pairs = list(zip(answers[: 2 * AT_EACH_DOOR : 2], answers[1 : 2 * AT_EACH_DOOR : 2], strict=True))
    assert all(first == second for first, second in pairs), "two taps land on the same page"
    once = [first for first, _ in pairs] + answers[2 * AT_EACH_DOOR :]
    return session_id, Counter(doors.get(a, "booked" if a.startswith("/bookings/") else a) for a in once)


def test_the_last_places_go_once_whatever_door_one_comes_through(world: World, store: Store, tmp_path: Path) -> None:
    before = 2 * AT_EACH_DOOR
    session_id, answers = all_doors(world, store, tmp_path)
    assert answers == {"booked": PLACES, "refused": 3 * AT_EACH_DOOR - PLACES}
    left = left_of(session_id)
    assert (len(left.holding), left.faults()) == (PLACES, [])
    at_the_counter = sum(row.resident_id > before for row in left.holding)
    assert db.session.scalar(select(func.count()).select_from(Resident)) == before + at_the_counter


def test_without_the_counter_every_door_is_seen_to_overbook(world: World, store: Store, tmp_path: Path) -> None:
    """The negative control: the app as it is, on a database whose counter forgets."""
    forget_the_counter("places_taken")
    session_id, answers = all_doors(world, store, tmp_path)
    assert answers == {"booked": 3 * AT_EACH_DOOR}
    assert {"over capacity", "the counter is not the rows"} <= set(left_of(session_id).faults())
