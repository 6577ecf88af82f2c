"""What keeping the pages costs, on top of recording attendance."""

import time
from collections.abc import Sequence
from datetime import timedelta
from uuid import uuid4

from sqlalchemy import insert, text

from benchmarks import people
from facilities.attendance.services import Entry, Outcome, record
from facilities.engine.roll_call import EventKind
from facilities.infra.db import db, unit_of_work
from facilities.kernel import clock
from facilities.kernel.actors import Actor, Granted, Role
from facilities.programmes.models import ActivitySession, SessionStatus
from facilities.statistics import pages
from facilities.statistics.models import marking_triggers

DESKS, PEOPLE, TAPS = 40, 20, 4  # rolls taken side by side, people in each, and how many a device sends at once
FIRST = 50_000_000


def cost_of_keeping(residents: int, rounds: int) -> list[float]:
    """Of each round: what a roll-call at every place costs more with the triggers and the job than without both."""
    with db.engine.begin() as connection:
        people.add_people(connection, people.FIRST, 1)
    costs = []
    for number in range(rounds + 1):
        without = _roll_calls(number * 2, residents, kept=False)
        within = _roll_calls(number * 2 + 1, residents, kept=True)
        costs.append(within / without - 1)
    return costs[1:]  # the first one warms up


def _roll_calls(number: int, residents: int, *, kept: bool) -> float:
    sessions = _sessions(number)
    _switch(on=kept)
    try:
        began = time.perf_counter()
        for start in range(0, PEOPLE, TAPS):
            for n, session in enumerate(sessions):
                _send(session, [1 + (session * 31 + n * 977 + k * 37) % residents
                                for k in range(start, start + TAPS)])
        if kept:  # the job comes by once a minute: about as long as one takes for a roll
            while unit_of_work(pages.refresh):
                pass
        return time.perf_counter() - began
    finally:
        _switch(on=True)


def _sessions(number: int) -> list[int]:
    """One at each place, in the middle of this month."""
    now = clock.now()
    ids = [FIRST + number * DESKS + n for n in range(DESKS)]
    rows = [{"id": i, "programme_id": (n * 3 % 16) + 1, "facility_id": n + 1, "title": "活动", "capacity": 50,
             "starts_at": now - timedelta(minutes=30), "ends_at": now + timedelta(minutes=60),
             "status": SessionStatus.SCHEDULED} for n, i in enumerate(ids)]
    unit_of_work(lambda: db.session.execute(insert(ActivitySession), rows))
    return ids


def _send(session: int, residents: Sequence[int]) -> None:
    now = clock.now()
    entries = [Entry(uuid4(), session, EventKind.PRESENT, now, resident) for resident in residents]
    results = unit_of_work(lambda: record(_administrator(), entries))
    if any(result.outcome is not Outcome.RECORDED for result in results):
        raise RuntimeError(f"not recorded: {results}")
    db.session.expunge_all()


def _administrator() -> Actor:
    return Actor(people.FIRST, 0, "b", "b", (Granted(Role.ADMINISTRATOR),))


def _switch(*, on: bool) -> None:
    verb = "ENABLE" if on else "DISABLE"
    for table in marking_triggers("postgresql"):
        db.session.execute(text(f"ALTER TABLE {table} {verb} TRIGGER USER"))
    db.session.commit()
