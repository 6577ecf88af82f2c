"""One log of everything that desks write down is one state, however it comes in; counted afresh beside the app."""

from random import Random
from uuid import uuid4

from flask import Flask

from benchmarks import people
from benchmarks.attendance_log import digest, play
from benchmarks.roll.log import DEVICES, MOST_TIMES, make
from benchmarks.roll.recount import recount
from facilities.attendance import queries as attendance
from facilities.attendance.services import Entry, record
from facilities.engine.roll_call import EventKind
from facilities.infra.db import unit_of_work
from tests.client import Counter
from tests.stores import Store
from tests.world import World


def test_every_shuffle_of_a_log_of_five_devices_with_wrong_clocks_is_the_recounted_state(
    app: Flask, store: Store, kind: str
) -> None:
    log, shuffles = make(300, people.FIRST, Random(7)), 3
    assert set(log.kinds()) == {each.value for each in EventKind}
    assert {h.device for h in log.happenings} == set(DEVICES)
    findings = play(store.reset, log, shuffles, Random(kind), most=100)
    assert findings.violations == []
    assert findings.states == {digest(recount(log)): shuffles}
    assert shuffles * 300 < findings.sends < shuffles * 300 * MOST_TIMES
    assert all(findings.outcomes[outcome] for outcome in ("recorded", "duplicate", "refused"))


def test_what_a_tick_does_not_change_keeps_who_recorded_it(world: World) -> None:
    facility = world.facility()
    session, residents = world.session(facility), [world.resident().resident_id for _ in range(3)]
    first, second = world.manager(facility), world.manager(facility)
    for resident in residents:
        world.record(first, session, EventKind.PRESENT, resident)
    world.record(second, session, EventKind.ABSENT, residents[1], occurred_at=session.ends_at)
    rows = attendance.attendances([session.id])
    assert [(row.resident_id, row.recorded_by) for row in rows] == [
        (residents[0], first.user.id),
        (residents[1], second.user.id),
        (residents[2], first.user.id),
    ]


def test_a_roll_is_recorded_with_the_same_statements_whatever_its_length(world: World, queries: Counter) -> None:
    facility = world.facility()
    manager, residents = world.manager(facility), [world.resident() for _ in range(6)]
    needed = []
    for size in (2, 6):
        session = world.session(facility)
        entries = [
            Entry(uuid4(), session.id, EventKind.PRESENT, session.starts_at, someone.resident_id)
            for someone in residents[:size]
        ]
        queries.clear()
        unit_of_work(lambda sent=entries: record(manager.actor, sent))
        needed.append(len(queries))
    assert needed[0] == needed[1]
