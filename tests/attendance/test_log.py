"""One log of everything that desks write down is one state, however it comes in; counted afresh beside the app."""

import itertools
from datetime import timedelta
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
from facilities.engine.waitlist import WaitlistMode
from facilities.infra.db import unit_of_work
from facilities.kernel import clock
from tests.client import Counter
from tests.conftest import NOW
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


def test_an_offer_that_somebody_takes_by_coming_is_the_same_in_whatever_order_it_is_told(world: World) -> None:
    """Present, taken back, not there: none of it, nor its order, answers an offer but being there."""
    for kinds in (("present",), ("present", "void"), ("absent", "present"), ("present", "void", "absent")):
        seen = set()
        for order in itertools.permutations(range(len(kinds))):
            session, ((holder, place),) = world.full_session(
                starts_in=timedelta(minutes=30), waitlist_mode=WaitlistMode.OFFER, offer_minutes=20
            )
            someone, manager, ids = world.resident(), world.administrator(), [uuid4() for _ in kinds]
            (turn,) = someone.wait(session)
            with clock.frozen(NOW - timedelta(days=1)):
                holder.cancel(place)
            for n in order:
                moment = session.starts_at + timedelta(minutes=n)
                about = None if kinds[n] == "void" else someone.resident_id
                voids = ids[0] if kinds[n] == "void" else None
                result = world.record(
                    manager, session, EventKind(kinds[n]), about, voids=voids, event_id=ids[n], occurred_at=moment
                )
                assert result.outcome == "recorded", result.code
            seen.add(someone.state(turn))
        assert seen == {"attended" if kinds[-1] == "present" else "offered"}, kinds
