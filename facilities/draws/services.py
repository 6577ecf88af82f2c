"""The verbs about draws: open one, enter, withdraw, hold it, and give the places in the order that came out.

Order of locks: the draw, its sessions in id order, then residents (docs/locking.md).
"""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime
from itertools import pairwise
from typing import Any, NamedTuple
from uuid import uuid4

from sqlalchemy import delete

from facilities.bookings import queries as bookings
from facilities.bookings.models import BookingState
from facilities.bookings.services import place_drawn
from facilities.draws import policy, queries
from facilities.draws.models import Draw, DrawEntrant, DrawEntry
from facilities.draws.queries import Ticket
from facilities.engine.ages import ADULT_AGE, ELDER_AGE, age_on
from facilities.engine.draws import (
    BASE_WEIGHT,
    Entry,
    WeightRule,
    commitment,
    draw_order,
    entry_hash,
    new_seed,
    weight,
)
from facilities.engine.eligibility import check_eligible
from facilities.engine.limits import check_household, check_week, week_of
from facilities.engine.no_shows import check_pause
from facilities.engine.waitlist import WaitlistMode
from facilities.households import queries as households
from facilities.households.models import Resident
from facilities.infra import audit
from facilities.infra.db import db
from facilities.infra.outbox import tell
from facilities.kernel import clock
from facilities.kernel.actors import Actor
from facilities.kernel.ids import new_reference
from facilities.kernel.refusals import Invalid, NotPermitted, NotVisible, Refusal, Refused
from facilities.programmes import policy as programmes_policy
from facilities.programmes import queries as programmes
from facilities.programmes.models import ActivitySession

GROUPS = ("children", "elders", "disabled")
LEAST_PERCENT, MOST_PERCENT = 1, 1000  # as engine.draws.WeightRule has it


def open_draw(actor: Actor, session_ids: Collection[int], title: str, entries_close_at: datetime,
              weights: WeightRule) -> Draw:
    """Places in these sessions are drawn; until then nobody can book one.

    NotVisible, NotPermitted: the sessions are not there, or not the actor's to run. Invalid: `session_ids`,
    `entries_close_at`. Refused: `session_cancelled`, `in_another_draw`, `places_given_already`.
    """
    sessions = queries.sessions_to_draw(set(session_ids))
    if len(sessions) != len(set(session_ids)):
        raise NotVisible
    if not all(programmes_policy.can_run(actor, session) for session in sessions):
        raise NotPermitted
    _check(sessions, entries_close_at)
    seed = new_seed()
    draw = Draw(reference=new_reference(), facility_id=sessions[0].facility_id, title=title,
                entries_close_at=entries_close_at, seed=seed, commitment=commitment(seed),
                weights={"halve_per_win": weights.halve_per_win, "priority": dict(weights.priority)},
                created_at=clock.now(), created_by=actor.user_id)
    db.session.add(draw)
    db.session.flush()
    for session in sessions:
        session.draw_id, session.awaits_draw = draw.id, True
        session.version += 1
    db.session.flush()
    audit.note(actor, "opened", "draw", [draw.id],
               {"session_ids": [s.id for s in sessions], "commitment": draw.commitment, "weights": draw.weights})
    return draw


def _check(sessions: Sequence[ActivitySession], entries_close_at: datetime) -> None:
    """`sessions` in any order, at least one."""
    now = clock.now()
    if len({session.facility_id for session in sessions}) != 1:
        raise Invalid(session_ids="sessions_of_one_facility")
    for session in sessions:
        if session.is_cancelled:
            raise Refused("session_cancelled", session_id=str(session.id))
        if session.draw_id is not None:
            raise Refused("in_another_draw", session_id=str(session.id))
        if session.places_taken or session.waiting:
            raise Refused("places_given_already", session_id=str(session.id))
    if any(session.starts_at <= now for session in sessions):
        raise Invalid(session_ids="sessions_in_future")
    if _overlap(sessions):
        raise Invalid(session_ids="sessions_one_after_the_other")
    weeks = Counter((s.programme_id, week_of(clock.local_date(s.starts_at))) for s in sessions)
    for (programme_id, _), number in weeks.items():
        programme = programmes.programme(programme_id)
        most = programme.limits.per_resident_per_week if programme else None
        if most is not None and number > most:
            raise Invalid(session_ids="too_many_in_a_week")
    if entries_close_at <= now:
        raise Invalid(entries_close_at="entries_close_in_past")
    if entries_close_at >= min(min(s.booking_window.closes_at, s.starts_at) for s in sessions):
        raise Invalid(entries_close_at="entries_close_too_late")


def _overlap(sessions: Sequence[ActivitySession]) -> bool:
    """Nobody could come to all of them."""
    return any(after.starts_at < before.ends_at
               for before, after in pairwise(sorted(sessions, key=lambda s: (s.starts_at, s.id))))


def enter(actor: Actor, draw_id: int, resident_ids: Sequence[int]) -> DrawEntry:
    """One ticket for all of them: they are drawn together or not at all.

    NotVisible where the draw or a resident is not the actor's to name. Refused: `entries_closed`, `already_entered`,
    `session_cancelled`, `not_eligible`, `limit_reached`, `paused_after_no_shows`,
    `session_full` (more than a session could ever hold).
    """
    people = households.residents_of(actor, resident_ids, to_promise=True)
    # where a household's tickets are counted, one after the other
    draw = queries.draw_to_hold(draw_id) if queries.counts_households(draw_id) else queries.draw_to_enter(draw_id)
    if draw is None or len(people) != len(set(resident_ids)):
        raise NotVisible
    _check_open(draw)
    for resident_id in queries.entered(draw_id, people):
        raise Refused("already_entered", resident_id=str(resident_id))
    _check_party(draw_id, list(people.values()))
    now, reference = clock.now(), str(uuid4())
    entry = DrawEntry(draw_id=draw_id, reference=reference, entry_hash=entry_hash(draw.reference, reference),
                      weight=BASE_WEIGHT, entered_by=actor.user_id, created_at=now,
                      entrants=[DrawEntrant(draw_id=draw_id, resident_id=number, resident=people[number])
                                for number in sorted(people)])
    db.session.add(entry)
    db.session.flush()
    audit.note(actor, "entered", "draw_entry", [entry.id], {"draw_id": draw_id, "hash": entry.entry_hash})
    return entry


def _check_open(draw: Draw) -> None:
    """After the draw's lock is held: whoever asks now comes before its holding, or too late."""
    if not policy.is_open(draw):
        raise Refused("entries_closed", entries_close_at=clock.local(draw.entries_close_at).isoformat())


def _check_party(draw_id: int, people: Sequence[Resident]) -> None:
    sessions = [session for session in queries.sessions_of(draw_id) if not session.is_cancelled]
    if not sessions:
        raise Refused("session_cancelled")
    for resident_id, why in whom_not(sessions, people).items():
        raise Refused(why.code, **{**why.facts, "resident_id": str(resident_id)})
    if any(session.programme.limits.per_household_per_session for session in sessions):
        held = max(queries.entered_by_household(draw_id, person.id) for person in people)
        for session in sessions:
            if refusal := check_household(session.programme.limits, held + len(people) - 1):
                raise Refused.because(refusal)
    smallest = min(session.capacity for session in sessions)
    if len(people) > smallest:
        raise Refused("session_full", capacity=smallest)


def why_not(sessions: Sequence[ActivitySession], person: Resident) -> Refusal | None:
    """Why this resident cannot enter: whoever wins comes to all sessions, so each has to be meant for them."""
    candidate = person.as_candidate
    refusals = (check_eligible(s.audience, candidate, clock.local_date(s.starts_at))
                for s in sessions if not s.is_cancelled)
    return next((refusal for refusal in refusals if refusal), None)


def whom_not(sessions: Sequence[ActivitySession], people: Collection[Resident]) -> dict[int, Refusal]:
    """Of these residents, those who cannot enter, pauses from booking in advance among the reasons."""
    ahead, now = [session for session in sessions if not session.is_cancelled], clock.now()
    paused = bookings.paused_until([p.id for p in people], {s.programme_id for s in ahead}, now)
    found = {person.id: why_not(sessions, person) or next(
        (refusal for s in ahead if (refusal := check_pause(paused.get((person.id, s.programme_id)), s.starts_at, now))),
        None) for person in people}
    return {resident_id: refusal for resident_id, refusal in found.items() if refusal}


def withdraw(actor: Actor, entry_id: int) -> DrawEntry:
    """The ticket is gone and its residents may enter again, until entries close. Refused `entries_closed`."""
    entry = queries.own_entry(actor, entry_id)
    draw = queries.draw_to_enter(entry.draw_id) if entry else None
    entry = queries.own_entry(actor, entry_id)
    if entry is None or draw is None:
        raise NotVisible
    _check_open(draw)
    db.session.execute(delete(DrawEntry).where(DrawEntry.id == entry_id),
                       execution_options={"synchronize_session": False})
    audit.note(actor, "withdrew", "draw_entry", [entry_id],
               {"draw_id": draw.id, "hash": entry.entry_hash})
    db.session.expunge(entry)
    return entry


def take_out(actor: Actor, resident_id: int) -> None:
    """The resident is in no draw any more whose entries are open; who shares a ticket stays on it.

    Of a draw whose entries have closed nobody is taken out: its tickets are public. All draws are locked, so that one
    that is being held has given its places when this returns.
    """
    for draw in [queries.draw_to_enter(draw_id) for draw_id in queries.entered_ahead(resident_id)]:
        if draw is None or not policy.is_open(draw):
            continue
        party = queries.entrants_with(draw.id, resident_id)
        gone = party if len(party) == 1 else [entrant for entrant in party if entrant.resident_id == resident_id]
        for entrant in gone:
            db.session.delete(entrant)
        db.session.flush()
        if len(party) == 1:
            db.session.execute(delete(DrawEntry).where(DrawEntry.id == party[0].entry_id),
                               execution_options={"synchronize_session": False})
        if party:
            audit.note(actor, "withdrew", "draw_entry", [party[0].entry_id], {"draw_id": draw.id})


def release_tickets(actor: Actor | None, resident_ids: Collection[int]) -> None:
    """Of residents who are being erased, as far as entries are open. A party is drawn whole, so its ticket goes whole.

    A ticket whose draw has closed stays for those who compute the order again; it wins nothing (`_give_places`).
    """
    for entry in queries.tickets_not_drawn(resident_ids):
        draw = queries.draw_to_enter(entry.draw_id)
        if draw is None or not policy.is_open(draw):
            continue
        db.session.execute(delete(DrawEntry).where(DrawEntry.id == entry.id),
                           execution_options={"synchronize_session": False})
        audit.note(actor, "withdrew", "draw_entry", [entry.id], {"draw_id": draw.id, "hash": entry.entry_hash})


def hold(draw_id: int, actor: Actor | None = None) -> Draw:
    """Weights are fixed, the order is computed and the places are given in it. A second time changes nothing.

    `actor`: whoever of the staff does it by hand, None for the background's. Refused `entries_open`.
    """
    draw = queries.draw_to_hold(draw_id)
    if draw is None:
        raise NotVisible
    if actor is not None and not policy.can_hold(actor, draw):
        raise NotPermitted
    if draw.drawn_at is not None:
        return draw
    now = clock.now()
    if now < draw.entries_close_at:
        raise Refused("entries_open", entries_close_at=clock.local(draw.entries_close_at).isoformat())
    sessions, entries = queries.sessions_for_places(draw_id), queries.entries_of(draw_id)
    households.lock_residents({e.resident_id for entry in entries for e in entry.entrants})
    order = _in_order(draw, entries, _first_day(draw, sessions))
    coming = [s for s in sessions if not s.is_cancelled and s.starts_at > now]
    won = _give_places(coming, order, actor)
    for entry in order:
        entry.won = entry.id in won
    for session in sessions:
        session.awaits_draw = False
        session.version += 1
    draw.drawn_at = now
    db.session.flush()
    _tell(draw, coming)
    audit.note(actor, "held", "draw", [draw_id], {"entries": len(order), "won": len(won)})
    return draw


def _in_order(draw: Draw, entries: Sequence[DrawEntry], day: date) -> list[DrawEntry]:
    """The tickets as drawn, each with its weight and rank."""
    weights, by_hash = _weigh(draw, entries, day), {entry.entry_hash: entry for entry in entries}
    drawn = draw_order(draw.seed, [Entry(entry.entry_hash, weights[entry.id]) for entry in entries])
    order = [by_hash[ticket.hash] for ticket in drawn]
    for rank, entry in enumerate(order, start=1):
        entry.weight, entry.rank = weights[entry.id], rank
    return order


def _first_day(draw: Draw, sessions: Sequence[ActivitySession]) -> date:
    return clock.local_date(min((s.starts_at for s in sessions), default=draw.entries_close_at))


def _weigh(draw: Draw, entries: Sequence[DrawEntry], day: date) -> dict[int, int]:
    """Entry → weight. A party has the groups of all its members, and every ticket with which one of them won counts."""
    rule, won = rule_of(draw), queries.wins(draw)
    return {entry.id: weight(
        rule, past_wins=len(set[int]().union(*(won.get(e.resident_id, set()) for e in entry.entrants))),
        groups=frozenset[str]().union(*(groups_of(e.resident, day) for e in entry.entrants))) for entry in entries}


def rule_of(draw: Draw) -> WeightRule:
    kept: Mapping[str, Any] = draw.weights
    return WeightRule(halve_per_win=bool(kept.get("halve_per_win")), priority=dict(kept.get("priority") or {}))


def groups_of(resident: Resident, day: date) -> frozenset[str]:
    """Which of the groups that a draw may favour somebody belongs to on the day of its first session."""
    age = age_on(resident.birth_date, day) if resident.birth_date else None
    belongs = {"children": age is not None and age < ADULT_AGE, "elders": age is not None and age >= ELDER_AGE,
               "disabled": resident.disability_category is not None}
    return frozenset(group for group in GROUPS if belongs[group])


class _Party(NamedTuple):
    entry_id: int
    residents: tuple[int, ...]


def _give_places(coming: Sequence[ActivitySession], order: Sequence[DrawEntry], by: Actor | None) -> set[int]:
    """Places in all sessions for those who fit, in order; turns on each list for the others. The tickets that won.

    Who wins takes as many places in every session, so the one with the fewest left decides. What has begun or been
    called off meanwhile is left aside, and so are the tickets of people who were erased after entries closed: the order
    can still be computed again.
    """
    parties = [_Party(entry.id, tuple(e.resident_id for e in entry.entrants)) for entry in order
               if not any(e.resident.erased_at for e in entry.entrants)]
    unable = _unable(coming, {e.resident_id: e.resident for entry in order for e in entry.entrants})
    free = min((session.places_left for session in coming), default=0)
    placed: list[_Party] = []
    for party in parties:
        if len(party.residents) <= free and unable.isdisjoint(party.residents):
            placed.append(party)
            free -= len(party.residents)
    won = {party.entry_id for party in placed}
    others = [party for party in parties if party.entry_id not in won]
    for session in coming:
        place_drawn(session, [party.residents for party in placed], BookingState.CONFIRMED, by)
        place_drawn(session, [party.residents for party in _listed(session, others)], BookingState.WAITLISTED, by)
    return won


def _listed(session: ActivitySession, others: Sequence[_Party]) -> list[_Party]:
    """Those for whom the session's list has room."""
    if session.waitlist_mode is WaitlistMode.OFF:
        return []
    room = session.waitlist_capacity
    listed: list[_Party] = []
    for party in others:
        if room is None or len(party.residents) <= room:
            listed.append(party)
            room = None if room is None else room - len(party.residents)
    return listed


def _unable(sessions: Sequence[ActivitySession], people: Mapping[int, Resident]) -> set[int]:
    """Who cannot come to all sessions: elsewhere at the time, not meant by one, at the week's limit without the draw.

    Sessions that were moved into one another since leave nobody able.
    """
    if _overlap(sessions):
        return set(people)
    unable = {number for number, person in people.items() if why_not(sessions, person)}
    for session in sessions:
        limits = session.programme.limits
        unable |= bookings.elsewhere(people.keys(), session)
        if limits.per_resident_per_week is not None:
            held = bookings.held_in_week(people.keys(), session)
            unable |= {n for n in people if check_week(limits, held.get(n, 0))}
    return unable


def _tell(draw: Draw, sessions: Sequence[ActivitySession]) -> None:
    first = min(sessions, key=lambda s: (s.starts_at, s.id), default=None)
    facts: dict[str, object] = {"title": draw.title, "draw_id": draw.id, "sessions": len(sessions)}
    if first is not None:
        facts |= {"session_id": first.id, "starts_at": clock.local(first.starts_at).isoformat(),
                  "ends_at": clock.local(first.ends_at).isoformat()}
    tell("drawn", "draw", queries.whom(draw.id, won=True), facts)
    tell("not_drawn", "draw", queries.whom(draw.id, won=False), facts)


def tickets(draw: Draw) -> list[Ticket] | None:
    """What the public sees: nothing while entries are open, then hashes with weights, then the order as well.

    Between the closing and the draw weights are computed as the draw will compute them.
    """
    if draw.drawn_at is not None:
        return queries.tickets_drawn(draw.id)
    if policy.is_open(draw):
        return None
    entries = queries.entries_of(draw.id)
    weights = _weigh(draw, entries, _first_day(draw, queries.sessions_of(draw.id)))
    return [Ticket(entry.entry_hash, weights[entry.id], None) for entry in entries]
