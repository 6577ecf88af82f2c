"""Spaces with rules, and wishes for them."""

from datetime import datetime, time, timedelta
from typing import Any

from facilities.engine.opening import SpaceRules
from facilities.infra.db import db, unit_of_work
from facilities.kernel import clock
from facilities.places import services as places
from facilities.places.models import Closure, Facility, Space, SpaceKind
from facilities.reservations import services
from facilities.reservations.models import Reservation
from tests.conftest import NOW
from tests.world import Someone, World

NINE_TO_SIX = {weekday: [(time(9), time(18))] for weekday in range(6)}  # not on Sundays
RULES = SpaceRules(min_minutes=30, max_minutes=180, grid_minutes=30, days_ahead=30, per_resident=2)


def room(
    world: World,
    facility: Facility | None = None,
    *,
    rules: SpaceRules | None = RULES,
    parent: Space | None = None,
    kind: SpaceKind = SpaceKind.ROOM,
    **more: Any,
) -> Space:
    """In a facility that is open from nine to six, where none is given."""
    facility = facility or world.facility(hours=NINE_TO_SIX)
    name = more.pop("name", f"活动室{world.number()}")
    return unit_of_work(
        lambda: places.add_space(
            facility,
            name,
            kind,
            name_en=f"Room {name[3:]}",
            rules=rules,
            parent_id=parent.id if parent else None,
            **more,
        )
    )


def at(text: str) -> datetime:
    """`17 09:30` is the 17th of the month at half past nine, in the district."""
    day, wall = text.split()
    return clock.at(clock.local_date(NOW).replace(day=int(day)), time.fromisoformat(wall))


def span(text: str) -> dict[str, str]:
    """`17 09:00-10:00`, as the API wants it; an end before the start is the next day's."""
    day, walls = text.split()
    first, last = walls.split("-")
    start, end = at(f"{day} {first}"), at(f"{day} {last}")
    end += timedelta(days=1) if last <= first else timedelta(0)
    return {"starts_at": clock.local(start).isoformat(), "ends_at": clock.local(end).isoformat()}


def wish(space: Space, someone: Someone, when: str, **more: Any) -> dict[str, Any]:
    return {
        "space_id": str(space.id),
        "resident_id": str(someone.resident_id),
        "purpose": "居民合唱排练",
        **span(when),
        **more,
    }


def reserve(someone: Someone, space: Space, when: str) -> Reservation:
    ends = span(when)
    return unit_of_work(
        lambda: services.reserve(
            someone.actor,
            space.id,
            someone.resident_id,
            clock.parse_instant(ends["starts_at"]),
            clock.parse_instant(ends["ends_at"]),
            "排练",
        )
    )


def close(facility: Facility, when: str, space: Space | None = None) -> Closure:
    """Without settling what falls inside, which is another module's."""
    ends = span(when)

    def add() -> Closure:
        closure = Closure(
            facility_id=facility.id,
            space_id=space.id if space else None,
            starts_at=clock.parse_instant(ends["starts_at"]),
            ends_at=clock.parse_instant(ends["ends_at"]),
            reason="检修",
            created_at=clock.now(),
        )
        db.session.add(closure)
        return closure

    return unit_of_work(add)


def facility_of(space: Space) -> Facility:
    return db.session.get_one(Facility, space.facility_id)
