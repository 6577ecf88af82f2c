"""What was held in 2024, down to the single tick: bookings, attendance events, and the projections that follow."""

from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime, time, timedelta
from random import Random
from typing import Any
from uuid import UUID

from sqlalchemy import insert, select

from facilities.attendance.models import AttendanceEvent
from facilities.attendance.services import project
from facilities.bookings.models import BookingState
from facilities.demo.turnout import Pool, write_bookings
from facilities.engine.eligibility import Audience
from facilities.engine.roll_call import EventKind
from facilities.households.models import Resident
from facilities.infra.db import db
from facilities.kernel import clock
from facilities.places.models import Facility, Space
from facilities.programmes.models import ActivitySession, Programme
from facilities.programmes.services import Offer, announce

FIRST, LAST = date(2024, 3, 2), date(2024, 11, 23)
GROUPS = ("women", "children", "men")
HOURS = (time(9, 30), time(14, 0), time(16, 30), time(19, 0))
SPARE_PLACES = 10
DESK = "demonstration"


def write_history(plan: Sequence[Mapping[str, Any]], places: Mapping[str, Facility],
                  programmes: Mapping[str, Programme], residents: Mapping[str, Pool],
                  progress: Callable[[str, int, int], None]) -> None:
    """Once: a facility that has sessions in 2024 has its history."""
    held = set(db.session.scalars(
        select(ActivitySession.facility_id).where(ActivitySession.starts_at < clock.at(date(2025, 1, 1)))))
    todo = [(row, number, start) for line, row in enumerate(plan) if places[row["facility"]].id not in held
            for number, start in enumerate(_starts(row["sessions"], line))]
    spaces = {(s.facility_id, s.name): s for s in db.session.scalars(select(Space))}
    dice = Random(2024)
    for done, (row, number, start) in enumerate(todo, start=1):
        facility = places[row["facility"]]
        session = _session(row, facility, programmes[row["programme"]], spaces[facility.id, row["space"]], start)
        _hold(session, row, number, residents, dice)
        progress("history of 2024", done, len(todo))


def _starts(sessions: int, line: int) -> list[datetime]:
    """Evenly over the year; each line of the plan has days and an hour of its own, so that spaces do not clash."""
    step = (LAST - FIRST) / sessions
    return [clock.at(FIRST + step * n + timedelta(days=line % 3), HOURS[line % len(HOURS)]) for n in range(sessions)]


def _session(row: Mapping[str, Any], facility: Facility, programme: Programme, space: Space,
             start: datetime) -> ActivitySession:
    people = sum(row.get(group, 0) for group in GROUPS)
    return announce(None, Offer(
        programme_id=programme.id, facility_id=facility.id, space_id=space.id, title=row["title"],
        title_en=row["title_en"], starts_at=start, ends_at=start + timedelta(minutes=90),
        capacity=people + SPARE_PLACES, audience=Audience()))


def _hold(session: ActivitySession, row: Mapping[str, Any], number: int, residents: Mapping[str, Pool],
          dice: Random) -> None:
    """A little more one time, as much less the next: the year's sum is sessions times the average."""
    swing = _swing(number, row["sessions"])
    came: list[Resident] = []
    counted = dict.fromkeys(GROUPS, 0)
    for group in GROUPS:
        average = row.get(group, 0)
        people = average + (swing if average > abs(swing) else 0)
        counted[group] = round(people * row["unnamed"])
        came += residents[group].draw(session, people - counted[group], dice)
    stayed_away = residents["women"].draw(session, dice.randrange(3), dice)
    booked, walked_in = came[2:], came[:2]
    before = session.starts_at - timedelta(days=3)
    write_bookings(session, booked, BookingState.CONFIRMED, before)
    write_bookings(session, stayed_away, BookingState.CONFIRMED, before)
    events = [_event(session, EventKind.PRESENT, dice, resident_id=r.id) for r in booked]
    events += [_event(session, EventKind.WALK_IN, dice, resident_id=r.id) for r in walked_in]
    events += [_event(session, EventKind.ABSENT, dice, resident_id=r.id) for r in stayed_away]
    if any(counted.values()):
        events.append(_event(session, EventKind.HEAD_COUNT, dice, **counted, elders=0, disabled=0))
    db.session.execute(insert(AttendanceEvent), events)
    db.session.refresh(session)
    project(session)


def _swing(number: int, of: int) -> int:
    """+2, -2, +3, -3 …; an odd last one stays on the average."""
    if number == of - 1 and of % 2:
        return 0
    size = 2 + (number // 2) % 3
    return size if number % 2 == 0 else -size


def _event(session: ActivitySession, kind: EventKind, dice: Random, **more: Any) -> dict[str, Any]:  # noqa: ANN401 - columns
    moment = session.starts_at + timedelta(minutes=dice.randrange(20))
    return {"id": UUID(int=dice.getrandbits(128), version=4), "session_id": session.id, "kind": kind,
            "resident_id": None, "voids": None, "women": None, "children": None, "men": None, "elders": None,
            "disabled": None, "device": DESK, "occurred_at": moment, "received_at": moment, "recorded_by": None, **more}
