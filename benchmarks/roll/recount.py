"""What a log says, counted afresh from the contract: slowly, one question after the other, and without the app's code.

A state is one flat dictionary, so that two of them can be compared and what differs can be named.
"""

from collections.abc import Iterable
from datetime import timedelta

from benchmarks.roll.log import Happening, Log, Meeting

Key = tuple[str, int, int]  # of what, session, resident or 0
State = dict[Key, tuple[object, ...]]
IN_PLACE = ("confirmed", "offered")  # the states of a booking beforehand that hold a place


def recount(log: Log) -> State:
    found: State = {}
    for meeting in log.meetings:
        own = [h for h in log.happenings if h.session == meeting.id]
        found |= _of_session(meeting, own)
    return found


def standing_entries(own: Iterable[Happening]) -> list[Happening]:
    """Of one session's events, each once: the entries that nobody took back."""
    once = list({h.id: h for h in own}.values())
    taken_back = [h.voids for h in once if h.kind == "void"]
    struck = set(taken_back)
    return [h for h in once if h.kind != "void" and h.id not in struck]


def latest(entries: Iterable[Happening]) -> Happening:
    """The greatest of instant and id; ids are compared as they are written."""
    return max(entries, key=lambda h: (h.moment.timestamp(), str(h.id)))


def who_stands(entries: list[Happening]) -> dict[int, tuple[str, Happening, int | None]]:
    """By resident: present, absent or excused; the entry that says so; whole minutes spent, where that is known."""
    found = {}
    for resident in {h.resident for h in entries if h.resident is not None}:
        own = [h for h in entries if h.resident == resident]
        ticks = [h for h in own if h.kind != "leave"]
        if not ticks:
            continue  # somebody who was never there cannot go
        stands = latest(ticks)
        state = "present" if stands.kind == "walk_in" else stands.kind
        found[resident] = state, stands, minutes_spent(own) if state == "present" else None
    return found


def minutes_spent(own: list[Happening]) -> int | None:
    """From a presence to the next going, for as often as that happened after the last absence; else None."""
    told = sorted(own, key=lambda h: (h.moment.timestamp(), str(h.id)))
    absences = [n for n, h in enumerate(told, 1) if h.kind in ("absent", "excused")]
    rest = told[max(absences, default=0):]
    stays = []
    while True:
        came = next((n for n, h in enumerate(rest) if h.kind in ("present", "walk_in")), len(rest))
        went = next((n for n, h in enumerate(rest) if h.kind == "leave" and n > came), None)
        if went is None:
            return int(sum(stays, timedelta()).total_seconds() // 60) if stays else None
        stays.append(rest[went].moment - rest[came].moment)
        rest = rest[went + 1:]


def head_count(entries: list[Happening]) -> tuple[list[int], int]:
    """The devices' latest counts added up, and walk-ins of whom nothing is known."""
    counted = [h for h in entries if h.kind == "head_count"]
    total = [0] * 5
    for device in {h.device for h in counted}:
        counts = latest(h for h in counted if h.device == device).counts
        total = [a + b for a, b in zip(total, counts or (), strict=True)]
    return total, sum(1 for h in entries if h.kind == "walk_in" and h.resident is None)


def _of_session(meeting: Meeting, own: list[Happening]) -> State:
    entries = standing_entries(own)
    people, (counts, unnamed) = who_stands(entries), head_count(entries)
    found: State = {}
    for resident, (state, entry, minutes) in people.items():
        has_place = meeting.bookings.get(resident) in IN_PLACE
        walk_in = entry.kind == "walk_in" or (entry.kind == "present" and not has_place)
        found["attendance", meeting.id, resident] = state, walk_in, entry.late, minutes, entry.id.hex
    if any(counts) or unnamed:
        found["head count", meeting.id, 0] = (*counts, unnamed)
    present = [r for r, (state, _, _) in people.items() if state == "present"]
    held = bool(present or unnamed or sum(counts[:3]))
    found["session", meeting.id, 0] = ("held" if held else "scheduled",)
    return found | _bookings(meeting, {r: state for r, (state, _, _) in people.items()}, held=held)


def _bookings(meeting: Meeting, states: dict[int, str], *, held: bool) -> State:
    """Who came has attended, who was ticked as absent did not come, who is excused keeps the place.

    Who was not ticked off did not come either, once ticking is over in a session that was held and of whose bookings
    somebody was ticked off. An offer follows who is there, and nothing else.
    """
    says = {"present": "attended", "absent": "no_show", "excused": "confirmed"}
    of_booked = {r: says[states[r]] for r, state in meeting.bookings.items() if state in IN_PLACE and r in states}
    called = any(state in ("attended", "no_show") for state in of_booked.values())
    unticked = "no_show" if called and held and meeting.over else "confirmed"
    found: State = {}
    for resident, before in meeting.bookings.items():
        after = before
        if before == "confirmed":
            after = of_booked.get(resident, unticked)
        elif before == "offered" and states.get(resident) == "present":
            after = "attended"
        found["booking", meeting.id, resident] = (after,)
    return found
