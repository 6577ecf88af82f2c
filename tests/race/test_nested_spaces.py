"""A hall, the rooms in it, hires and classes, all for the same hour: no leaf is held twice, whoever asks."""

from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import text

from facilities.infra.db import db
from facilities.kernel import clock
from facilities.places.models import Facility, Space
from tests.race.storms import all_at_once, send, served
from tests.stores import Store
from tests.world import World

pytestmark = pytest.mark.race

HIRERS, CLASSES = 18, 6
OVERLAPS = text(
    "SELECT count(*) FROM occupancies one JOIN occupancies other ON one.space_id = other.space_id "
    "AND one.id < other.id AND one.starts_at < other.ends_at AND one.ends_at > other.starts_at"
)


def hall_with_rooms(world: World) -> tuple[Facility, list[Space]]:
    facility = world.facility()
    hall = world.space(facility, "大厅")
    return facility, [hall, *(world.space(facility, f"隔间{n}", hall) for n in range(3))]


def storm(world: World, store: Store, folder: Path) -> tuple[Counter[str], int]:
    """(what was answered, leaves that are held twice at once)."""
    facility, spaces = hall_with_rooms(world)
    space_ids = [space.id for space in spaces]
    people = [world.resident() for _ in range(HIRERS)]
    manager, programme_id = world.manager(facility), world.programme().id
    start = clock.now().replace(minute=0, second=0, microsecond=0) + timedelta(days=2)
    facility_id = str(facility.id)
    with served(store, folder) as server:

        def hire(number: int, token: str, resident_id: int) -> str:
            begins = start + timedelta(minutes=30 * (number % 3))
            body = {
                "space_id": str(space_ids[number % 4]),
                "resident_id": str(resident_id),
                "starts_at": begins.isoformat(),
                "ends_at": (begins + timedelta(hours=1)).isoformat(),
                "purpose": "排练",
            }
            status, said = send(server, token, "POST", "/reservations", body)
            return str(said.get("code") or status)

        def hold_a_class(number: int) -> str:
            body = {
                "programme_id": str(programme_id),
                "facility_id": facility_id,
                "space_id": str(space_ids[number % 4]),
                "title": "合唱",
                "starts_at": start.isoformat(),
                "ends_at": (start + timedelta(hours=1)).isoformat(),
                "capacity": 5,
            }
            status, said = send(server, manager.token, "POST", "/sessions", body)
            return str(said.get("code") or status)

        calls: list[Callable[[], str]] = [
            lambda n=n, p=p: hire(n, p.token, p.resident_id) for n, p in enumerate(people)
        ]
        calls += [lambda n=n: hold_a_class(n) for n in range(CLASSES)]
        answers = Counter(all_at_once(calls))
    db.session.rollback()
    return answers, db.session.execute(OVERLAPS).scalar_one()


def test_a_hall_and_its_rooms_are_never_held_twice(world: World, store: Store, tmp_path: Path) -> None:
    answers, twice = storm(world, store, tmp_path)
    assert set(answers) == {"201", "space_taken"}
    assert answers["201"] + answers["space_taken"] == HIRERS + CLASSES
    assert twice == 0


def test_without_the_rule_the_same_storm_is_seen_to_hold_leaves_twice(
    world: World, store: Store, tmp_path: Path
) -> None:
    """The negative control: nothing but the database keeps them apart."""
    if db.engine.dialect.name == "postgresql":
        statements = ["ALTER TABLE occupancies DROP CONSTRAINT ex_occupancies_space_never_held_twice"]
    else:
        statements = [f"DROP TRIGGER ex_occupancies_space_never_held_twice_{verb}" for verb in ("insert", "update")]
    for statement in statements:
        db.session.execute(text(statement))
    db.session.commit()
    answers, twice = storm(world, store, tmp_path)
    assert answers == {"201": HIRERS + CLASSES}
    assert twice > 0
