from dataclasses import astuple, replace
from datetime import UTC, datetime, timedelta, timezone
from random import Random
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.roll.log import Happening, make, sent
from benchmarks.roll.recount import head_count as head_count_of
from benchmarks.roll.recount import standing_entries, who_stands
from facilities.engine.roll_call import (
    CAME,
    AttendanceState,
    Counts,
    Event,
    EventKind,
    RollCall,
    check_counts,
    check_in_window,
    is_ticking_over,
    moment_for_entry,
    read_roll,
)

unhurried = settings(deadline=None)  # a busy machine is no failure
SHANGHAI = timezone(timedelta(hours=8))
MOMENT = timedelta(microseconds=1)
START = datetime(2026, 11, 28, 1, 0, tzinfo=UTC)
END = START + timedelta(hours=2)
WANG, LI = 1, 2


def event(
    number: int,
    kind: EventKind,
    minute: int = 0,
    resident_id: int | None = None,
    *,
    voids: int | None = None,
    device: str = "",
    counts: Counts | None = None,
) -> Event:
    """Ids are small numbers, which sort as they look."""
    return Event(
        UUID(int=number),
        kind,
        START + timedelta(minutes=minute),
        resident_id,
        None if voids is None else UUID(int=voids),
        device,
        counts,
    )


def present(number: int, minute: int = 0, resident_id: int = WANG) -> Event:
    return event(number, EventKind.PRESENT, minute, resident_id)


def absent(number: int, minute: int = 0, resident_id: int = WANG) -> Event:
    return event(number, EventKind.ABSENT, minute, resident_id)


def void(number: int, target: int, minute: int = 0) -> Event:
    return event(number, EventKind.VOID, minute, voids=target)


def head_count(number: int, minute: int, device: str, women: int) -> Event:
    return event(number, EventKind.HEAD_COUNT, minute, device=device, counts=Counts(women=women))


def state_of(roll: RollCall, resident_id: int = WANG) -> str | None:
    standing = roll.residents.get(resident_id)
    return standing.state.value if standing else None


# what stands of one resident


@pytest.mark.parametrize(
    ("log", "expected"),
    [
        pytest.param([], None, id="nothing happened"),
        pytest.param([present(1)], "present", id="present"),
        pytest.param([absent(1)], "absent", id="absent"),
        pytest.param([event(1, EventKind.EXCUSED, 0, WANG)], "excused", id="excused"),
        pytest.param([event(1, EventKind.WALK_IN, 0, WANG)], "present", id="a walk-in is present"),
        pytest.param([present(1, 0), absent(2, 1)], "absent", id="the later stands"),
        pytest.param([absent(2, 1), present(1, 0)], "absent", id="the later stands though it came first"),
        pytest.param([present(9, 0), absent(1, 1)], "absent", id="the later stands though its id is smaller"),
        pytest.param([present(1), absent(2)], "absent", id="a tie is decided by the greater id"),
        pytest.param([absent(2), present(1)], "absent", id="a tie is decided by the greater id, not by coming last"),
        pytest.param([present(1, resident_id=LI), absent(2, 5, LI)], None, id="another's events say nothing"),
    ],
)
def test_the_event_with_the_greatest_moment_and_id_stands(log: list[Event], expected: str | None) -> None:
    assert state_of(read_roll(log)) == expected


def test_a_tie_between_ids_that_differ_in_their_last_sign_is_decided_like_the_text() -> None:
    lower, upper = UUID("ffffffff-0000-7000-8000-00000000000a"), UUID("ffffffff-0000-7000-8000-00000000000b")
    log = [Event(upper, EventKind.ABSENT, START, WANG), Event(lower, EventKind.PRESENT, START, WANG)]
    assert state_of(read_roll(log)) == "absent"


def test_a_tie_is_one_of_instants_not_of_wall_times() -> None:
    early = Event(UUID(int=2), EventKind.PRESENT, START.replace(tzinfo=SHANGHAI), WANG)  # the same digits, 8 h earlier
    same = Event(UUID(int=3), EventKind.EXCUSED, START.astimezone(SHANGHAI), WANG)
    assert state_of(read_roll([early, absent(1)])) == "absent"
    assert state_of(read_roll([same, absent(1)])) == "excused"


def test_what_stands_names_its_resident_and_its_event() -> None:
    standing = read_roll([present(1), absent(2, 1), present(3, 0, LI)]).residents
    assert {r: (s.resident_id, s.event.id.int) for r, s in standing.items()} == {WANG: (WANG, 2), LI: (LI, 3)}


# voids


@pytest.mark.parametrize(
    ("log", "expected"),
    [
        pytest.param([present(1), void(2, 1)], None, id="void after its target"),
        pytest.param([void(2, 1), present(1)], None, id="void before its target came"),
        pytest.param([present(1, 5), void(2, 1, 0)], None, id="void that happened before its target"),
        pytest.param([present(1, 0), absent(2, 1), void(3, 2)], "present", id="the one before stands again"),
        pytest.param([present(1, 0), absent(2, 1), void(3, 1)], "absent", id="what did not stand is voided"),
        pytest.param([present(1), void(2, 1), void(3, 1)], None, id="voided twice"),
        pytest.param([present(1), void(2, 1), void(3, 2)], None, id="a void of a void does nothing"),
        pytest.param(
            [present(1), void(2, 1), void(3, 2), void(4, 3)], None, id="a void of a void of a void does nothing"
        ),
        pytest.param([present(1), void(2, 2)], "present", id="a void of itself does nothing"),
        pytest.param([present(1), void(2, 99)], "present", id="a void of what does not exist"),
        pytest.param([present(1), void(2, 1), absent(3, 1)], "absent", id="what comes after a void stands"),
        pytest.param([present(1), void(2, 1), present(1)], None, id="a void is final, though its target is sent again"),
    ],
)
def test_a_void_is_final_and_works_on_its_target_alone(log: list[Event], expected: str | None) -> None:
    assert state_of(read_roll(log)) == expected
    assert state_of(read_roll(reversed(log))) == expected


# people who are not named


@pytest.mark.parametrize(
    ("log", "women"),
    [
        pytest.param([], 0, id="no count"),
        pytest.param([head_count(1, 0, "door", 5)], 5, id="one count"),
        pytest.param([head_count(1, 0, "door", 5), head_count(2, 1, "door", 7)], 7, id="the latest of a device stands"),
        pytest.param(
            [head_count(2, 1, "door", 7), head_count(1, 0, "door", 5)], 7, id="the latest, though it came first"
        ),
        pytest.param([head_count(1, 0, "door", 5), head_count(2, 0, "door", 7)], 7, id="a tie: the greater id"),
        pytest.param([head_count(1, 0, "door", 5), head_count(2, 1, "yard", 7)], 12, id="devices add up"),
        pytest.param(
            [head_count(1, 0, "door", 5), head_count(2, 1, "yard", 7), head_count(3, 2, "door", 1)],
            8,
            id="one device counts again",
        ),
        pytest.param([head_count(1, 0, "door", 5), head_count(2, 1, "door", 0)], 0, id="a count of nobody stands"),
        pytest.param([head_count(1, 0, "", 5), head_count(2, 1, "", 7)], 7, id="without a name, one device"),
        pytest.param(
            [head_count(1, 0, "door", 5), head_count(2, 1, "door", 7), void(3, 2)], 5, id="the one before stands again"
        ),
        pytest.param([void(3, 1), head_count(1, 0, "door", 5), head_count(2, 1, "yard", 7)], 7, id="one device voided"),
    ],
)
def test_of_each_device_the_latest_head_count_stands_and_devices_add_up(log: list[Event], women: int) -> None:
    assert read_roll(log).head_count == Counts(women=women)
    assert read_roll(reversed(log)).head_count == Counts(women=women)


def test_each_unnamed_walk_in_is_a_person_time_until_it_is_voided() -> None:
    walk_ins = [event(n, EventKind.WALK_IN, n % 2) for n in (1, 2, 3)]
    assert read_roll([*walk_ins, *walk_ins]).unnamed_walk_ins == 3
    assert read_roll([*walk_ins, void(4, 2)]).unnamed_walk_ins == 2
    assert read_roll(walk_ins).residents == {}


def test_person_times_are_those_present_the_unnamed_and_the_counted() -> None:
    roll = read_roll(
        [
            present(1, resident_id=1),
            event(2, EventKind.WALK_IN, 0, 2),
            absent(3, resident_id=3),
            event(4, EventKind.EXCUSED, 0, 4),
            event(5, EventKind.WALK_IN),
            event(
                6, EventKind.HEAD_COUNT, device="door", counts=Counts(women=3, children=4, men=2, elders=5, disabled=1)
            ),
        ]
    )
    assert roll.person_times == 2 + 1 + 9


def test_a_session_to_which_nobody_came_has_no_person_times() -> None:
    assert read_roll([absent(1), event(2, EventKind.EXCUSED, 0, LI)]).person_times == 0


# any order, any repetition


DEVICES = ("", "door", "yard")
few_people = st.integers(0, 3)
counts = st.builds(Counts, few_people, few_people, few_people, few_people, few_people)
minutes = st.integers(0, 3)  # few, so that ties are common
residents = st.sampled_from([WANG, LI, 3])
numbers = st.integers(0, 25)  # targets of voids: events that exist, that do not, and other voids


@st.composite
def logs(draw: st.DrawFn) -> list[Event]:
    """The events of one session, each once, in the order of their ids, which are not the order of time."""
    log = []
    for number in range(draw(st.integers(0, 18))):
        kind = draw(st.sampled_from(EventKind))
        minute = draw(minutes)
        if kind is EventKind.VOID:
            log.append(event(number, kind, minute, voids=draw(numbers)))
        elif kind is EventKind.HEAD_COUNT:
            log.append(event(number, kind, minute, device=draw(st.sampled_from(DEVICES)), counts=draw(counts)))
        else:
            anyone = st.none() | residents if kind is EventKind.WALK_IN else residents
            late = kind in CAME and draw(st.booleans())
            log.append(replace(event(number, kind, minute, draw(anyone)), late=late))
    return log


def arrivals(log: list[Event], seed: int, repeats: int) -> list[Event]:
    """Every event at least once, some more often, in no order at all."""
    random = Random(seed)
    sent = [*log, *(random.choices(log, k=repeats) if log else [])]
    random.shuffle(sent)
    return sent


seeds = st.integers(0, 2**32)
repetitions = st.integers(0, 12)


@unhurried
@given(logs(), seeds, repetitions)
def test_any_order_and_repetition_gives_the_same_roll_call(log: list[Event], seed: int, repeats: int) -> None:
    expected, found = read_roll(log), read_roll(arrivals(log, seed, repeats))
    assert found == expected
    assert found.person_times == expected.person_times


def as_written_down(log: list[Event]) -> list[Happening]:
    """In the recount's own words."""
    return [
        Happening(
            e.id,
            1,
            e.kind.value,
            e.occurred_at,
            e.device,
            e.resident_id,
            e.voids,
            late=e.late,
            counts=astuple(e.counts) if e.counts else None,
        )
        for e in log
    ]


def as_read(happening: Happening) -> Event:
    h = happening
    counts = Counts(*h.counts) if h.counts else None
    return Event(h.id, EventKind(h.kind), h.moment, h.resident, h.voids, h.device, counts, h.late)


Said = tuple[dict[int, tuple[str, UUID, bool, int | None]], list[int], int]


def says(roll: RollCall) -> Said:
    """State, event, lateness and minutes by resident; head counts; unnamed walk-ins."""
    people = {r: (s.state.value, s.event.id, s.event.late, s.minutes) for r, s in roll.residents.items()}
    return people, list(astuple(roll.head_count)), roll.unnamed_walk_ins


def recounted(happenings: list[Happening]) -> Said:
    """The same by the recount, which knows the contract and nothing of the engine."""
    entries = standing_entries(happenings)
    people = {r: (state, h.id, h.late, minutes) for r, (state, h, minutes) in who_stands(entries).items()}
    return people, *head_count_of(entries)


@unhurried
@given(logs(), seeds, repetitions)
def test_the_roll_call_is_what_an_independent_recount_gives(log: list[Event], seed: int, repeats: int) -> None:
    roll = read_roll(arrivals(log, seed, repeats))
    assert says(roll) == recounted(as_written_down(log))
    people, counts, unnamed = says(roll)
    assert roll.person_times == [state for state, *_ in people.values()].count("present") + sum(counts[:3]) + unnamed


def test_ten_thousand_events_of_five_devices_with_wrong_clocks_are_one_state_in_a_hundred_shuffles() -> None:
    log, chance = make(10_000, 1, Random(1)), Random(2)
    assert set(log.kinds()) == {kind.value for kind in EventKind}
    pairs = [(h.session, as_read(h)) for h in log.happenings]
    wanted = {m.id: recounted([h for h in log.happenings if h.session == m.id]) for m in log.meetings}
    for _ in range(100):
        came: dict[int, list[Event]] = {m.id: [] for m in log.meetings}
        for session, one in sent(pairs, chance):
            came[session].append(one)
        assert {session: says(read_roll(events)) for session, events in came.items()} == wanted


@unhurried
@given(logs(), numbers, st.integers(0, 3), seeds)
def test_a_void_takes_away_its_target_and_nothing_else(log: list[Event], target: int, minute: int, seed: int) -> None:
    kinds = {e.id: e.kind for e in log}
    works = kinds.get(UUID(int=target), EventKind.VOID) is not EventKind.VOID
    without = [e for e in log if not (works and e.id == UUID(int=target))]
    assert read_roll(arrivals([*log, void(100, target, minute)], seed, 3)) == read_roll(without)


@unhurried
@given(logs(), st.integers(0, 18), seeds)
def test_a_log_read_in_two_parts_and_then_together_ends_the_same(log: list[Event], cut: int, seed: int) -> None:
    """A device that was offline sends its part late, and the other part with it once more."""
    first, second = log[:cut], log[cut:]
    assert read_roll([*arrivals(second, seed, 2), *first, *second]) == read_roll(log)


# counts


@pytest.mark.parametrize(
    ("given_counts", "of_whom"),
    [
        pytest.param(Counts(), None, id="nobody"),
        pytest.param(Counts(women=1, children=1, men=1, elders=2, disabled=3), None, id="all adults old, all disabled"),
        pytest.param(Counts(women=1, men=1, elders=3), "elders", id="one elder too many"),
        pytest.param(Counts(children=5, elders=1), "elders", id="a child is no elder"),
        pytest.param(Counts(women=2, elders=2), None, id="elders, women alone"),
        pytest.param(Counts(men=2, elders=2), None, id="elders, men alone"),
        pytest.param(Counts(women=1, children=1, men=1, disabled=4), "disabled", id="one disabled too many"),
        pytest.param(Counts(children=2, disabled=2), None, id="disabled children"),
        pytest.param(Counts(disabled=1), "disabled", id="disabled among nobody"),
        pytest.param(Counts(women=1, elders=1, disabled=1), None, id="one person is both"),
    ],
)
def test_those_of_whom_are_among_those_counted(given_counts: Counts, of_whom: str | None) -> None:
    refusal = check_counts(given_counts)
    assert (refusal.facts["of_whom"] if refusal else None) == of_whom
    assert refusal is None or refusal.code == "counts_do_not_add_up"


def test_elders_and_disabled_are_not_counted_twice() -> None:
    assert Counts(women=3, children=4, men=2, elders=5, disabled=6).people == 9


def test_counts_add_up_each_for_itself() -> None:
    assert Counts(1, 2, 3, 4, 5) + Counts(10, 20, 30, 40, 50) == Counts(11, 22, 33, 44, 55)


# when a tick is taken


@pytest.mark.parametrize(
    ("occurred_at", "accepted"),
    [
        pytest.param(START - timedelta(hours=1) - MOMENT, False, id="more than an hour before the start"),
        pytest.param(START - timedelta(hours=1), True, id="an hour before the start"),
        pytest.param(START, True, id="as it starts"),
        pytest.param(END, True, id="as it ends"),
        pytest.param(END + timedelta(days=1), True, id="the end and a day"),
        pytest.param(END + timedelta(days=1) + MOMENT, False, id="more than a day after the end"),
        pytest.param(START.astimezone(SHANGHAI) - timedelta(hours=1), True, id="an hour before, in another offset"),
    ],
)
@pytest.mark.parametrize("by_administrator", [False, True], ids=["manager", "administrator"])
def test_what_happened_belongs_to_the_sessions_own_hours_whoever_says_so(
    occurred_at: datetime, accepted: bool, by_administrator: bool
) -> None:
    now = END + timedelta(days=2)
    refusal = check_in_window(START, END, occurred_at, now, open_late=by_administrator)
    assert (refusal is None) is accepted
    assert refusal is None or refusal.code == "not_in_attendance_window"


@pytest.mark.parametrize(
    ("now", "by_administrator", "accepted"),
    [
        pytest.param(START, False, True, id="at once"),
        pytest.param(END + timedelta(days=30), False, True, id="thirty days after the end"),
        pytest.param(END + timedelta(days=30) + MOMENT, False, False, id="more than thirty days"),
        pytest.param(END + timedelta(days=30) + MOMENT, True, True, id="more than thirty days, administrator"),
        pytest.param(END + timedelta(days=400), False, False, id="a year later"),
        pytest.param(END + timedelta(days=400), True, True, id="a year later, administrator"),
        pytest.param(START + timedelta(days=30) + timedelta(hours=1), False, True, id="the end counts, not the start"),
    ],
)
def test_it_arrives_within_thirty_days_of_the_end_or_by_an_administrators_hand(
    now: datetime, by_administrator: bool, accepted: bool
) -> None:
    refusal = check_in_window(START, END, START, now, open_late=by_administrator)
    assert (refusal is None) is accepted
    assert refusal is None or refusal.code == "not_in_attendance_window"


def test_a_session_that_crosses_midnight_has_its_window_from_its_own_ends() -> None:
    start = datetime(2026, 12, 31, 22, 0, tzinfo=SHANGHAI)
    end = start + timedelta(hours=4)
    last = datetime(2027, 1, 2, 2, 0, tzinfo=SHANGHAI)
    assert check_in_window(start, end, last, last, open_late=False) is None
    assert check_in_window(start, end, last + MOMENT, last + MOMENT, open_late=False) is not None


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        pytest.param(START, START, id="while it runs: now"),
        pytest.param(END + timedelta(days=1) - MOMENT, END + timedelta(days=1) - MOMENT, id="just in time: now"),
        pytest.param(END + timedelta(days=1), END + timedelta(days=1), id="at the last moment"),
        pytest.param(END + timedelta(days=1) + MOMENT, END + timedelta(days=1), id="just late: the last moment"),
        pytest.param(END + timedelta(days=29), END + timedelta(days=1), id="weeks later: the last moment"),
    ],
)
def test_a_tick_on_the_page_happened_now_or_at_the_last_moment(now: datetime, expected: datetime) -> None:
    assert moment_for_entry(END, now) == expected


@unhurried
@given(st.integers(-70, 60 * 24 * 32))
def test_a_tick_on_the_page_is_taken_from_an_hour_before_the_start_for_thirty_days_after_the_end(minute: int) -> None:
    now = START + timedelta(minutes=minute)
    refusal = check_in_window(START, END, moment_for_entry(END, now), now, open_late=False)
    assert (refusal is None) is (-60 <= minute <= 60 * 24 * 30 + 120)


@pytest.mark.parametrize("late", [-MOMENT, 0 * MOMENT, MOMENT], ids=["just before", "at the last moment", "just after"])
def test_ticking_is_over_when_no_tick_could_have_happened_now(late: timedelta) -> None:
    now = END + timedelta(days=1) + late
    taken = check_in_window(START, END, now, now, open_late=True) is None
    assert is_ticking_over(END, now) is not taken


def test_states_are_called_as_the_contract_calls_them() -> None:
    assert set(AttendanceState) == {"present", "absent", "excused"}


@pytest.mark.parametrize("later", [EventKind.PRESENT, EventKind.ABSENT, EventKind.EXCUSED])
def test_who_was_there_by_one_of_two_merged_records_was_there(later: EventKind) -> None:
    there = Event(UUID(int=1), EventKind.PRESENT, START, 7, record=8)
    other = Event(UUID(int=2), later, START + timedelta(minutes=5), 7)
    for log in ([there, other], [other, there]):
        roll = read_roll(log)
        assert roll.residents[7].state is AttendanceState.PRESENT
        assert roll.person_times == 1
    taken_back = [there, other, Event(UUID(int=3), EventKind.VOID, START, voids=there.id)]
    assert read_roll(taken_back).residents[7].event is other
