"""The roll over the API: events in any order, any number of times, from several devices, and one state."""

import itertools
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from facilities.kernel import clock
from facilities.places.models import Facility
from facilities.programmes.models import ActivitySession
from tests.conftest import NOW
from tests.world import Someone, World

NOBODY = {"women": 0, "children": 0, "men": 0, "elders": 0, "disabled": 0}
LOW, HIGH = UUID(int=1), UUID(int=2**127)


def tick(
    session: ActivitySession,
    kind: str,
    resident_id: int | None = None,
    *,
    minute: int = 0,
    event_id: UUID | None = None,
    **more: Any,
) -> dict[str, Any]:
    """An event, `minute` minutes after the start."""
    someone = {} if resident_id is None else {"resident_id": str(resident_id)}
    return {
        "id": str(event_id or uuid4()),
        "session_id": str(session.id),
        "kind": kind,
        "device": "tablet",
        "occurred_at": (session.starts_at + timedelta(minutes=minute)).isoformat(),
        **someone,
        **more,
    }


def void(session: ActivitySession, target: dict[str, Any], **more: Any) -> dict[str, Any]:
    return tick(session, "void", voids=target["id"], **more)


def heads(session: ActivitySession, device: str, minute: int = 0, **counts: int) -> dict[str, Any]:
    return tick(
        session, "head_count", minute=minute, device=device, counts={"women": 0, "children": 0, "men": 0, **counts}
    )


def send(someone: Someone, *events: dict[str, Any]) -> list[tuple[str, str | None]]:
    """Outcome and code of each, after a look that the answers are in the order of the events."""
    results = someone.api.post("/attendance/events", {"events": list(events)}, status=200)["results"]
    assert [row["id"] for row in results] == [event["id"] for event in events]
    return [(row["outcome"], row.get("code")) for row in results]


RECORDED, DUPLICATE = ("recorded", None), ("duplicate", None)


def refused(code: str) -> tuple[str, str]:
    return "refused", code


def state(someone: Someone, session: ActivitySession) -> dict[str, Any]:
    return someone.api.get(f"/sessions/{session.id}/attendance")


def states(someone: Someone, session: ActivitySession) -> dict[str, tuple[str, bool]]:
    return {row["resident_id"]: (row["state"], row["walk_in"]) for row in state(someone, session)["residents"]}


# -- one event


def test_a_session_without_events_says_so(manager: Someone, session: ActivitySession) -> None:
    empty = state(manager, session)
    assert (empty["residents"], empty["head_counts"]) == ([], NOBODY)


@pytest.mark.parametrize(
    ("how", "booked", "expected", "status", "booking"),
    [
        pytest.param("present", True, ("present", False), "held", "attended", id="booked and there"),
        pytest.param("absent", True, ("absent", False), "scheduled", "no_show", id="booked and not there"),
        pytest.param("excused", True, ("excused", False), "scheduled", "confirmed", id="booked and excused"),
        pytest.param("present", False, ("present", True), "held", None, id="there without a booking"),
        pytest.param("walk_in", False, ("present", True), "held", None, id="walked in"),
        pytest.param("absent", False, ("absent", False), "scheduled", None, id="not there, nor expected"),
    ],
)
def test_an_event_says_who_was_there(
    world: World,
    manager: Someone,
    session: ActivitySession,
    how: str,
    booked: bool,
    expected: tuple[str, bool],
    status: str,
    booking: str | None,
) -> None:
    resident = world.resident()
    promise = world.book(resident, session) if booked else None
    event = tick(session, how, resident.resident_id)
    assert send(manager, event) == [RECORDED]
    (row,) = state(manager, session)["residents"]
    assert (row["resident_id"], row["state"], row["walk_in"]) == (str(resident.resident_id), *expected)
    assert (row["event_id"], row["recorded_by"]) == (event["id"], str(manager.user.id))
    assert manager.api.get(f"/sessions/{session.id}")["status"] == status
    if promise is not None:
        assert resident.api.get(f"/bookings/{promise.id}")["status"] == booking


def test_a_walk_in_need_not_be_anybody_known(manager: Someone, session: ActivitySession) -> None:
    assert send(manager, tick(session, "walk_in"), tick(session, "walk_in")) == [RECORDED, RECORDED]
    seen = state(manager, session)
    assert (seen["residents"], seen["head_counts"]) == ([], NOBODY)
    assert manager.api.get(f"/sessions/{session.id}")["status"] == "held"


def test_a_place_given_back_is_a_walk_in_where_one_comes_after_all(
    world: World, manager: Someone, session: ActivitySession
) -> None:
    resident = world.resident()
    booking = world.book(resident, session)
    resident.api.post(f"/bookings/{booking.id}/cancel", status=200)
    send(manager, tick(session, "present", resident.resident_id))
    assert states(manager, session) == {str(resident.resident_id): ("present", True)}
    assert resident.api.get(f"/bookings/{booking.id}")["status"] == "cancelled"


@pytest.mark.parametrize("written", [str.upper, str.lower])
def test_a_booking_reference_names_its_resident(
    world: World, manager: Someone, session: ActivitySession, written: Any
) -> None:
    resident, other = world.resident(), world.session(world.facility())
    booking, elsewhere = world.book(resident, session), world.book(world.resident(), other)
    assert send(
        manager,
        tick(session, "present", reference=written(booking.reference)),
        tick(session, "present", reference=elsewhere.reference),
        tick(session, "present", reference="NOSUCHREF"),
    ) == [RECORDED, refused("not_found"), refused("not_found")]
    assert states(manager, session) == {str(resident.resident_id): ("present", False)}


# -- the same state however events come


def test_the_same_event_twice_is_one(world: World, manager: Someone, session: ActivitySession) -> None:
    event = tick(session, "walk_in")
    assert send(manager, event, event) == [RECORDED, DUPLICATE]
    before = state(manager, session)
    assert send(manager, event) == [DUPLICATE]
    assert send(world.administrator(), event) == [DUPLICATE]
    assert state(manager, session) == before


def test_an_event_that_was_refused_may_come_again_and_be_right(manager: Someone, session: ActivitySession) -> None:
    event = tick(session, "walk_in")
    early = {**event, "occurred_at": (session.starts_at - timedelta(hours=2)).isoformat()}
    assert send(manager, early) == [refused("not_in_attendance_window")]
    assert send(manager, event) == [RECORDED]


def test_every_order_and_batching_of_the_same_events_gives_the_same_state(
    world: World, facility: Facility, manager: Someone
) -> None:
    """Present, then absent, then the absence taken back; two counts of one device, of which the later is taken back."""
    programme, resident = world.programme(), world.resident()
    seen = []
    for order in itertools.permutations(range(5)):
        if order[0] > order[-1]:
            continue  # half of them are enough, and each begins and ends differently
        session = world.session(facility, programme, starts_in=timedelta(minutes=30))
        present = tick(session, "present", resident.resident_id, minute=1)
        absent = tick(session, "absent", resident.resident_id, minute=2)
        early, late = heads(session, "door", 3, women=2, elders=1), heads(session, "door", 4, men=9)
        events = [present, absent, void(session, absent, minute=5), early, late]
        in_order = [events[n] for n in order]
        cut = order[0]  # one batch or two, cut anywhere
        for batch in (in_order[:cut], in_order[cut:]):
            if batch:
                assert set(send(manager, *batch)) == {RECORDED}
        assert send(manager, void(session, late)) == [RECORDED]
        found = state(manager, session)
        (row,) = found["residents"]
        seen.append((row["state"], row["walk_in"], row["event_id"] == present["id"], found["head_counts"]))
    assert seen == [("present", True, True, {**NOBODY, "women": 2, "elders": 1})] * 60


@pytest.mark.parametrize("order", [(0, 1), (1, 0)], ids=["in order", "the later one first"])
@pytest.mark.parametrize(
    ("first", "second", "stands"),
    [
        pytest.param(("present", 0, LOW), ("absent", 1, LOW), "absent", id="the later instant"),
        pytest.param(("present", 1, LOW), ("absent", 0, HIGH), "present", id="the instant before the id"),
        pytest.param(("present", 0, LOW), ("absent", 0, HIGH), "absent", id="the greater id at one instant"),
        pytest.param(("present", 0, HIGH), ("absent", 0, LOW), "present", id="the greater id, the other way round"),
    ],
)
def test_the_greatest_of_instant_and_id_stands(
    world: World,
    manager: Someone,
    session: ActivitySession,
    order: tuple[int, int],
    first: tuple[str, int, UUID],
    second: tuple[str, int, UUID],
    stands: str,
) -> None:
    resident_id = world.resident().resident_id
    events = [
        tick(session, kind, resident_id, minute=minute, event_id=UUID(int=key.int + n))
        for n, (kind, minute, key) in enumerate((first, second))
    ]
    for n in order:
        assert send(manager, events[n]) == [RECORDED]
    assert states(manager, session)[str(resident_id)][0] == stands


def test_instants_are_compared_as_instants_not_as_text(
    world: World, manager: Someone, session: ActivitySession
) -> None:
    """02:40Z is later than 10:35+08:00, though its text is not."""
    resident_id = world.resident().resident_id
    early = {**tick(session, "present", resident_id), "occurred_at": "2026-09-16T10:35:00+08:00"}
    late = {**tick(session, "absent", resident_id), "occurred_at": "2026-09-16T02:40:00Z"}
    send(manager, late, early)
    assert states(manager, session)[str(resident_id)][0] == "absent"


# -- voids


@pytest.mark.parametrize("order", [(0, 1), (1, 0)], ids=["after it", "before it"])
@pytest.mark.parametrize("at_once", [True, False], ids=["in one batch", "in two"])
def test_a_void_takes_an_event_back_for_good(
    world: World, manager: Someone, session: ActivitySession, order: tuple[int, int], at_once: bool
) -> None:
    resident = world.resident()
    booking = world.book(resident, session)
    event = tick(session, "present", resident.resident_id)
    events = [event, void(session, event)]
    batches = [[events[n] for n in order]] if at_once else [[events[n]] for n in order]
    for batch in batches:
        assert set(send(manager, *batch)) == {RECORDED}
    assert state(manager, session)["residents"] == []
    assert manager.api.get(f"/sessions/{session.id}")["status"] == "scheduled"
    assert resident.api.get(f"/bookings/{booking.id}")["status"] == "confirmed"
    assert send(manager, event) == [DUPLICATE]
    assert state(manager, session)["residents"] == []


def test_below_a_voided_event_the_one_before_stands_again(
    world: World, manager: Someone, session: ActivitySession
) -> None:
    resident_id = world.resident().resident_id
    present = tick(session, "present", resident_id, minute=1)
    absent = tick(session, "absent", resident_id, minute=2)
    send(manager, present, absent)
    assert states(manager, session)[str(resident_id)][0] == "absent"
    send(manager, void(session, absent))
    (row,) = state(manager, session)["residents"]
    assert (row["state"], row["event_id"]) == ("present", present["id"])


def test_what_cannot_be_voided(world: World, manager: Someone, facility: Facility, session: ActivitySession) -> None:
    other = world.session(facility, starts_in=timedelta(minutes=30))
    event, elsewhere = tick(session, "walk_in"), tick(other, "walk_in")
    correction = void(session, event)
    assert send(manager, event, elsewhere, correction) == [RECORDED] * 3
    before = state(manager, session), state(manager, other)
    assert send(manager, void(session, correction), void(session, elsewhere)) == [refused("cannot_void")] * 2
    assert (state(manager, session), state(manager, other)) == before
    assert manager.api.get(f"/sessions/{other.id}")["status"] == "held"


def test_a_void_of_itself_is_a_void_of_a_void(manager: Someone, session: ActivitySession) -> None:
    event_id = uuid4()
    assert send(manager, tick(session, "void", event_id=event_id, voids=str(event_id))) == [refused("cannot_void")]


def test_a_void_that_came_first_does_not_reach_into_another_session(
    world: World, manager: Someone, facility: Facility, session: ActivitySession
) -> None:
    other = world.session(facility, starts_in=timedelta(minutes=30))
    resident_id = world.resident().resident_id
    event = tick(other, "present", resident_id)
    assert send(manager, void(session, event)) == [RECORDED]
    assert send(manager, event) == [RECORDED]
    assert str(resident_id) in states(manager, other)


# -- when


@pytest.mark.parametrize(
    ("occurred", "accepted"),
    [
        pytest.param(timedelta(hours=-1), True, id="an hour before the start"),
        pytest.param(timedelta(hours=-1, seconds=-1), False, id="a second earlier"),
        pytest.param(timedelta(minutes=90, days=1), True, id="a day after the end"),
        pytest.param(timedelta(minutes=90, days=1, seconds=1), False, id="a second later"),
    ],
)
def test_events_belong_to_the_sessions_own_hours(
    manager: Someone, session: ActivitySession, occurred: timedelta, accepted: bool
) -> None:
    event = {**tick(session, "walk_in"), "occurred_at": (session.starts_at + occurred).isoformat()}
    with clock.frozen(session.ends_at + timedelta(days=2)):
        assert send(manager, event) == [RECORDED if accepted else refused("not_in_attendance_window")]


@pytest.mark.parametrize(
    ("role", "arrives", "accepted"),
    [
        pytest.param("manager", timedelta(days=30), True, id="thirty days after the end"),
        pytest.param("manager", timedelta(days=30, seconds=1), False, id="a second later"),
        pytest.param("administrator", timedelta(days=30, seconds=1), True, id="a second later by an administrator"),
        pytest.param("administrator", timedelta(days=400), True, id="a year later by an administrator"),
    ],
)
def test_events_arrive_within_thirty_days_or_by_an_administrators_hand(
    world: World, facility: Facility, role: str, arrives: timedelta, accepted: bool
) -> None:
    session = world.session(facility, starts_in=timedelta(minutes=30))
    with clock.frozen(session.ends_at + arrives):
        someone = world.manager(facility) if role == "manager" else world.administrator()
        event = tick(session, "walk_in")
        assert send(someone, event) == [RECORDED if accepted else refused("not_in_attendance_window")]
        assert manager_sees(someone, session) == ("held" if accepted else "scheduled")


def manager_sees(someone: Someone, session: ActivitySession) -> str:
    return str(someone.api.get(f"/sessions/{session.id}")["status"])


def test_not_even_an_administrator_enters_what_was_outside_the_hours(world: World, session: ActivitySession) -> None:
    early = {**tick(session, "walk_in"), "occurred_at": (NOW - timedelta(hours=1)).isoformat()}
    assert send(world.administrator(), early) == [refused("not_in_attendance_window")]


# -- each for itself


def test_each_event_of_a_batch_is_refused_for_itself(world: World, manager: Someone, session: ActivitySession) -> None:
    foreign = world.session(world.facility(), starts_in=timedelta(minutes=30))
    resident_id = world.resident().resident_id
    good = tick(session, "present", resident_id)
    assert send(
        manager,
        tick(foreign, "walk_in"),
        good,
        {**tick(session, "walk_in"), "session_id": "987654"},
        tick(session, "present", 987654),
        tick(session, "walk_in", minute=60 * 48),
        void(session, good),
        heads(session, "door", women=1, elders=2),
        heads(session, "door", children=3, elders=1),
        good,
        heads(session, "gate", women=1, disabled=2),
        heads(session, "gate", men=4, elders=4, disabled=4),
    ) == [
        refused("not_found"),
        RECORDED,
        refused("not_found"),
        refused("not_found"),
        refused("not_in_attendance_window"),
        RECORDED,
        refused("counts_do_not_add_up"),
        refused("counts_do_not_add_up"),
        DUPLICATE,
        refused("counts_do_not_add_up"),
        RECORDED,
    ]
    assert state(manager, session)["residents"] == []
    assert state(manager, session)["head_counts"] == {**NOBODY, "men": 4, "elders": 4, "disabled": 4}
    assert world.administrator().api.get(f"/sessions/{foreign.id}")["status"] == "scheduled"


def test_a_session_that_was_called_off_has_no_roll(world: World, manager: Someone, session: ActivitySession) -> None:
    manager.api.post(f"/sessions/{session.id}/cancel", {"reason": "停电"}, status=200)
    assert send(manager, tick(session, "walk_in")) == [refused("session_cancelled")]
    assert manager_sees(manager, session) == "cancelled"


def test_who_manages_two_facilities_sends_one_batch_for_both(world: World, facility: Facility) -> None:
    other = world.facility()
    manager = world.manager(facility, other)
    sessions = [world.session(place, starts_in=timedelta(minutes=30)) for place in (facility, other)]
    assert send(manager, *(tick(session, "walk_in") for session in sessions)) == [RECORDED, RECORDED]
    assert [manager_sees(manager, session) for session in sessions] == ["held", "held"]


def test_a_thousand_events_are_one_batch_and_one_more_is_too_many(manager: Someone, session: ActivitySession) -> None:
    events = [tick(session, "walk_in") for _ in range(1001)]
    manager.api.post("/attendance/events", {"events": events}, status=422)
    assert manager_sees(manager, session) == "scheduled"
    assert set(send(manager, *events[:1000])) == {RECORDED}


@pytest.mark.parametrize(
    "change",
    [
        pytest.param({"kind": "void"}, id="a void of nothing"),
        pytest.param({"voids": str(uuid4())}, id="a walk-in that voids"),
        pytest.param({"kind": "head_count"}, id="a head count without counts"),
        pytest.param({"counts": {"women": 1, "children": 0, "men": 0}}, id="a walk-in with counts"),
        pytest.param({"kind": "present"}, id="somebody present, but nobody named"),
        pytest.param({"kind": "absent"}, id="somebody absent, but nobody named"),
        pytest.param({"kind": "head_count", "counts": {"women": 1}}, id="counts without men and children"),
        pytest.param({"kind": "head_count", "counts": {"women": -1, "children": 0, "men": 0}}, id="fewer than nobody"),
    ],
)
def test_an_event_of_no_possible_form_spoils_its_batch(
    manager: Someone, session: ActivitySession, change: dict[str, Any]
) -> None:
    events = [tick(session, "walk_in"), {**tick(session, "walk_in"), **change}]
    manager.api.post("/attendance/events", {"events": events}, status=422)
    assert manager_sees(manager, session) == "scheduled"


def test_a_check_in_code_is_among_the_fields_of_an_event(
    world: World, manager: Someone, session: ActivitySession
) -> None:
    """The contract's form of an event: one whose code nobody has is refused for itself, and no others with it."""
    events = [{**tick(session, "present"), "check_in_code": "no-such-code"}, tick(session, "walk_in")]
    assert send(manager, *events) == [refused("bad_check_in_code"), RECORDED]


# -- head counts


def test_of_each_device_the_latest_count_stands_and_devices_add_up(manager: Someone, session: ActivitySession) -> None:
    door = heads(session, "door", 1, women=5, elders=3)
    door_later = heads(session, "door", 9, women=7, children=2, elders=4)
    gate = heads(session, "gate", 5, men=3, disabled=1)
    assert send(manager, door_later, gate, door) == [RECORDED] * 3
    assert state(manager, session)["head_counts"] == {"women": 7, "children": 2, "men": 3, "elders": 4, "disabled": 1}
    send(manager, void(session, door_later))
    assert state(manager, session)["head_counts"] == {"women": 5, "children": 0, "men": 3, "elders": 3, "disabled": 1}
    send(manager, void(session, door), void(session, gate))
    assert state(manager, session)["head_counts"] == NOBODY
    assert manager_sees(manager, session) == "scheduled"


def test_a_count_of_nobody_replaces_the_one_before(manager: Someone, session: ActivitySession) -> None:
    send(manager, heads(session, "door", 1, women=5))
    assert manager_sees(manager, session) == "held"
    send(manager, heads(session, "door", 2))
    assert state(manager, session)["head_counts"] == NOBODY
    assert manager_sees(manager, session) == "scheduled"


def test_events_without_a_device_count_as_one_device(manager: Someone, session: ActivitySession) -> None:
    first, second = heads(session, "", 1, women=5), heads(session, "", 2, women=6)
    for event in (first, second):
        del event["device"]
    assert send(manager, first, second) == [RECORDED, RECORDED]
    assert state(manager, session)["head_counts"] == {**NOBODY, "women": 6}


def test_a_head_count_leaves_those_who_are_named_alone(
    world: World, manager: Someone, session: ActivitySession
) -> None:
    resident_id = world.resident().resident_id
    send(manager, tick(session, "present", resident_id), heads(session, "door", women=5))
    assert states(manager, session) == {str(resident_id): ("present", True)}
    assert state(manager, session)["head_counts"] == {**NOBODY, "women": 5}


@pytest.mark.parametrize("role", ["a resident", "another facility's manager"])
def test_the_roll_is_its_managers_business(world: World, session: ActivitySession, role: str) -> None:
    resident = world.resident()
    event = tick(session, "present", resident.resident_id)
    if role == "a resident":
        resident.api.post("/attendance/events", {"events": [event]}, status=403)
    else:
        assert send(world.manager(world.facility()), event) == [refused("not_found")]
    assert state(world.administrator(), session)["residents"] == []
