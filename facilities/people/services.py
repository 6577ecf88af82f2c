"""Merging two records of one person, and taking it back.

Everything that refers to the one that goes moves to the one that is kept. Where the person cannot have both, one is
set aside; each step is written down (`moves`). Attendance entries are never changed: they are read as the kept
record's, and what they say is projected again. Order of locks: draws, sessions, residents (docs/locking.md).
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Table

from facilities.attendance import queries as attendance
from facilities.attendance.models import Attendance
from facilities.attendance.services import is_walk_in
from facilities.bookings import queries as bookings
from facilities.bookings.models import FOLLOWS_THE_ROLL, OCCUPYING, Booking, BookingPause, BookingState
from facilities.bookings.sessions import settle_session
from facilities.draws.models import Draw, DrawEntrant, DrawEntry
from facilities.engine.identity import Certificate, IdNumber, read_id_number
from facilities.engine.merging import Promise, set_aside
from facilities.engine.phones import read_phone
from facilities.engine.roll_call import AttendanceState, read_roll
from facilities.households import identity
from facilities.households import queries as households
from facilities.households.models import (
    Consent,
    Guardianship,
    Invitation,
    Merge,
    PastGuardianship,
    Relation,
    Resident,
)
from facilities.infra import audit
from facilities.infra.db import Model, db
from facilities.infra.encryption import cipher
from facilities.infra.outbox import Notice
from facilities.kernel import clock
from facilities.kernel.actors import Actor
from facilities.kernel.ids import read_id
from facilities.kernel.refusals import Invalid, NotPermitted, NotVisible, Refusal, Refused, raise_if
from facilities.kernel.spans import Span
from facilities.no_shows.models import Exemption
from facilities.people import queries
from facilities.people.moves import Moves, Step, take_back
from facilities.people.queries import Scene
from facilities.programmes import queries as programmes
from facilities.programmes.models import ActivitySession
from facilities.reservations.models import Reservation

_STRENGTH = (BookingState.ATTENDED, BookingState.NO_SHOW, BookingState.CONFIRMED, BookingState.OFFERED,
             BookingState.WAITLISTED)  # what has happened, what is promised, what is hoped for
_ON_THE_ROLL = {AttendanceState.PRESENT: BookingState.ATTENDED, AttendanceState.ABSENT: BookingState.NO_SHOW,
                AttendanceState.EXCUSED: BookingState.CONFIRMED}
_COMPARED = ("name", "sex", "birth_date", "phone", "disability_category", "disability_grade", "community_code")
_FILLED = ("birth_date", "phone", "community_code")  # from the other record, where the kept one says nothing

# What moves as it is, once whatever collides has been set aside. A test compares this with the keys of the schema.
MOVED = (Booking, BookingPause, Exemption, Reservation, Notice, Guardianship, PastGuardianship, Invitation, Consent,
         DrawEntrant)


@dataclass(frozen=True, slots=True)
class Side:
    """One of the two records, as far as it helps to tell whether they are one person."""

    resident: Resident
    counts: Mapping[str, int]
    id_number_masked: str | None
    certificate_masked: str | None


@dataclass(frozen=True, slots=True)
class Preview:
    """`differing`: columns in which they differ. The rest is what collides, and would be set aside or counted once."""

    kept: Side
    gone: Side
    differing: tuple[str, ...]
    twice_booked: tuple[Scene, ...]
    twice_attended: tuple[Scene, ...]
    shared_accounts: int
    shared_draws: int
    refusal: Refusal | None


def find_pair(actor: Actor, first: str, second: str) -> tuple[int, int]:
    """Two different records by mobile number, identity number or their own; of one number that two share, both.

    The older is kept, where nothing else is said. Invalid: `first`, `second`. NotPermitted. Looking is noted.
    """
    if not actor.is_administrator:
        raise NotPermitted
    found = {"first": _records(first), "second": _records(second)}
    if wrong := {name: "nobody_found" for name, ids in found.items() if not ids}:
        raise Invalid(**wrong)
    pairs = {(min(one, other), max(one, other)) for one in found["first"] for other in found["second"] if one != other}
    if not pairs:
        raise Invalid(second="same_record")
    if len(pairs) > 1:
        raise Invalid(second="several_found")
    (pair,) = pairs
    audit.note(actor, "found", "resident", pair, {"ground": "merge"}, sensitive=True)
    return pair


def _records(text: str) -> set[int]:
    if phone := read_phone(text):
        return {person.id for person in households.residents_by_phone(phone)}
    number = read_id_number(text, clock.today())
    if isinstance(number, IdNumber):
        return {person.id for person in households.residents_by_hash(cipher().lookups(number.number))}
    try:
        return set(households.residents([read_id(text)]))
    except NotVisible:
        return set()


def preview(actor: Actor, kept_id: int, gone_id: int) -> Preview:
    """What each record has and what would collide. Looking at it is noted. NotVisible, NotPermitted."""
    people = _pair(actor, kept_id, gone_id)
    audit.note(actor, "viewed", "resident", sorted(people), {"ground": "merge"}, sensitive=True)
    kept, gone = people[kept_id], people[gone_id]
    counts = queries.counts([kept_id, gone_id])
    live = {booking.id: booking.session_id for booking in queries.live_bookings([kept_id, gone_id])}
    shared = queries.accounts_of(kept_id).keys() & queries.accounts_of(gone_id).keys()
    return Preview(
        kept=Side(kept, counts[kept_id], **identity.masked(kept.identity)),
        gone=Side(gone, counts[gone_id], **identity.masked(gone.identity)),
        differing=tuple(name for name in _COMPARED if getattr(kept, name) != getattr(gone, name)),
        twice_booked=tuple(queries.scenes({live[number] for number in _to_set_aside(kept_id, gone_id)})),
        twice_attended=tuple(queries.scenes(queries.attended(kept_id) & queries.attended(gone_id))),
        shared_accounts=len(shared),
        shared_draws=len(queries.tickets(kept_id).keys() & queries.tickets(gone_id).keys()),
        refusal=_why_not(kept, gone))


def merge(actor: Actor, kept_id: int, gone_id: int, reason: str) -> Merge:
    """From now on there is one record. NotVisible, NotPermitted.

    Refused: `same_record`, `already_merged`, `merge_identities_differ`.
    """
    draws = queries.lock_draws([kept_id, gone_id])
    _lock(kept_id, gone_id, _sessions_of(kept_id, gone_id))
    people = _pair(actor, kept_id, gone_id)
    kept, gone = people[kept_id], people[gone_id]
    raise_if(_why_not(kept, gone))
    moves, logged = Moves(), queries.logged(households.records_of(gone_id))
    attended = queries.attended(gone_id)
    _join_identities(moves, kept, gone)
    freed = _move_all(moves, draws, kept_id, gone_id)
    moves.move(_table(Merge), "kept_id", gone_id, kept_id, Merge.undone_at.is_(None))
    db.session.expire_all()
    row = Merge(kept_id=kept_id, gone_id=gone_id, moves=[], merged_at=clock.now(), merged_by=actor.user_id)
    db.session.add(row)
    db.session.flush()
    _project(moves, attended, kept_id, gone_id)
    row.moves = [*moves.steps, {"step": "logged", "sessions": {str(key): n for key, n in logged.items()}}]
    db.session.flush()
    audit.note(actor, "merged", "merge", [row.id], {"kept_id": kept_id, "gone_id": gone_id, "reason": reason})
    audit.note(actor, "merged", "resident", [kept_id, gone_id], {"merge_id": row.id})
    db.session.expire_all()
    for session_id in sorted(freed):
        settle_session(session_id)
    return row


def gather(merge_id: int) -> None:
    """What was under way for the record that went while it was merged, and came to it afterwards, follows the rest.

    A booking looks at the household before the merge, waits for its lock, and is written after it.
    """
    row = queries.merge_to_undo(merge_id)
    if row is None or row.undone_at is not None:
        return
    draws = queries.lock_draws([row.kept_id, row.gone_id])
    _lock(row.kept_id, row.gone_id, _sessions_of(row.kept_id, row.gone_id))
    moves = Moves()
    freed = _move_all(moves, draws, row.kept_id, row.gone_id)
    *before, logged = row.moves
    row.moves = [*before, *moves.steps, logged]
    db.session.flush()
    db.session.expire_all()
    for session_id in sorted(freed):
        settle_session(session_id)


def undo(actor: Actor, merge_id: int) -> Merge:
    """Two records again, each with what it had; what came to the kept one since stays with it. NotVisible.

    Refused: `nothing_to_undo`; `changed_since` where something was done since that would be lost, or a later merge
    stands on this one.
    """
    if not actor.is_administrator:
        raise NotPermitted
    row = queries.merge_to_undo(merge_id)
    if row is None:
        raise NotVisible
    if row.undone_at is not None:
        raise Refused("nothing_to_undo")
    if queries.is_followed(row):
        raise Refused("changed_since")
    kept_id, gone_id, steps = row.kept_id, row.gone_id, list[Step](row.moves)
    queries.lock_draws([kept_id])
    _lock(kept_id, gone_id, _sessions_in(steps))
    row.undone_at, row.undone_by = clock.now(), actor.user_id
    db.session.flush()
    _separate_identities(steps, kept_id, gone_id)
    take_back(steps)
    db.session.expire_all()
    _project(Moves(), _logged_since(steps, gone_id), kept_id, gone_id)
    audit.note(actor, "merge_undone", "merge", [row.id], {"kept_id": kept_id, "gone_id": gone_id})
    audit.note(actor, "merge_undone", "resident", [kept_id, gone_id], {"merge_id": row.id})
    db.session.expire_all()
    return row


def _pair(actor: Actor, kept_id: int, gone_id: int) -> dict[int, Resident]:
    if not actor.is_administrator:
        raise NotPermitted
    people = queries.pair(kept_id, gone_id)
    if len(people) != len({kept_id, gone_id}):
        raise NotVisible
    return people


def _why_not(kept: Resident, gone: Resident) -> Refusal | None:
    if kept.id == gone.id:
        return Refusal("same_record")
    if queries.live_merges_of([kept.id, gone.id]):
        return Refusal("already_merged")
    numbers = (number for one in (kept, gone) for number in identity.stored(one.identity).values() if number)
    holders = {number.holder.number if isinstance(number, Certificate) else number.number for number in numbers}
    return Refusal("merge_identities_differ") if len(holders) > 1 else None


def _table(model: type[Model]) -> Table:
    table = model.__table__
    assert isinstance(table, Table)  # noqa: S101 - for the type checker: every model of ours is a table
    return table


# -- locks


def _sessions_of(kept_id: int, gone_id: int) -> set[int]:
    return {b.session_id for b in queries.live_bookings([kept_id, gone_id])} | queries.attended(gone_id)


def _lock(kept_id: int, gone_id: int, session_ids: Collection[int]) -> None:
    """Sessions, then both records. Nobody books or enters anything for either until the commit."""
    programmes.sessions_for_update(session_ids)
    households.lock_residents([kept_id, gone_id])


def _sessions_in(steps: Collection[Step]) -> set[int]:
    table = ActivitySession.__tablename__
    named = {int(key) for step in steps if step["step"] == "logged" for key in step["sessions"]}
    return named | {key[0] for step in steps if step.get("table") == table for key in step["keys"]}


# -- what collides


def _to_set_aside(kept_id: int, gone_id: int) -> list[int]:
    return set_aside(
        Promise(b.id, b.session_id, Span(b.starts_at, b.ends_at), _STRENGTH.index(b.state), b.state in OCCUPYING)
        for b in queries.live_bookings([kept_id, gone_id]))


def _move_all(moves: Moves, draws: Collection[Draw], kept_id: int, gone_id: int) -> set[int]:
    """What collides is set aside, then everything moves; the sessions in which a place or a turn came free."""
    freed = _set_bookings_aside(moves, kept_id, gone_id)
    _set_tickets_aside(moves, draws, kept_id, gone_id)
    _join_accounts(moves, kept_id, gone_id)
    for model in MOVED:
        moves.move(_table(model), "resident_id", gone_id, kept_id)
    return freed


def _set_bookings_aside(moves: Moves, kept_id: int, gone_id: int) -> set[int]:
    """Cancelled, and their places free; the sessions that they were in."""
    live = {b.id: b for b in queries.live_bookings([kept_id, gone_id])}
    freed, now = set(), clock.now()
    for number in _to_set_aside(kept_id, gone_id):
        row = live[number]
        moves.stays(_table(ActivitySession), [row.session_id], "cancelled_at")
        moves.set(_table(Booking), [number], {"state": row.state, "cancelled_at": row.cancelled_at},
                  {"state": BookingState.CANCELLED, "cancelled_at": now})
        counter = "waiting" if row.state is BookingState.WAITLISTED else "places_taken"
        moves.count(_table(ActivitySession), [row.session_id], counter, -1)
        freed.add(row.session_id)
    return freed


def _set_tickets_aside(moves: Moves, draws: Collection[Draw], kept_id: int, gone_id: int) -> None:
    """Nobody is in a draw twice. A ticket without anybody left is taken out, as long as nothing has been drawn."""
    kept, gone = queries.tickets(kept_id), queries.tickets(gone_id)
    for draw in draws:
        if draw.id not in kept or draw.id not in gone:
            continue
        moves.stays(_table(Draw), [draw.id], "drawn_at")
        theirs = _table(DrawEntrant).c
        moves.drop(_table(DrawEntrant), (theirs.entry_id == gone[draw.id]) & (theirs.resident_id == gone_id))
        if draw.drawn_at is None and queries.is_empty(gone[draw.id]):
            moves.drop(_table(DrawEntry), _table(DrawEntry).c.id == gone[draw.id])


def _join_accounts(moves: Moves, kept_id: int, gone_id: int) -> None:
    """One account acts for one person once; whoever's own record goes, has the kept one for their own."""
    kept, gone = queries.accounts_of(kept_id), queries.accounts_of(gone_id)
    links, now = _table(Guardianship), clock.now()
    for user_id in sorted(kept.keys() & gone.keys()):
        mine, theirs = kept[user_id], gone[user_id]
        moves.drop(links, (links.c.user_id == user_id) & (links.c.resident_id == gone_id))
        moves.add(_table(PastGuardianship), {
            "user_id": user_id, "resident_id": kept_id, "relation": theirs.relation, "since": theirs.consented_at,
            "ended_at": now, "why": "merged"})
        if theirs.relation is Relation.SELF:
            moves.set(links, [user_id, kept_id], {"relation": mine.relation, "until": mine.until},
                      {"relation": Relation.SELF, "until": None})
    given = _table(Consent).c
    for user_id, kind in sorted(queries.consents_that_hold(kept_id) & queries.consents_that_hold(gone_id)):
        moves.drop(_table(Consent), (given.resident_id == gone_id) & (given.user_id == user_id) & (given.kind == kind)
                   & given.withdrawn_at.is_(None))


# -- what the records themselves say


def _join_identities(moves: Moves, kept: Resident, gone: Resident) -> None:
    """Numbers that only the other record has come to the kept one, and with them what they say of the person."""
    after: dict[str, Any] = {name: getattr(gone, name) for name in _FILLED if getattr(kept, name) is None}
    mine, theirs = identity.stored(kept.identity), identity.stored(gone.identity)
    taken = sorted(theirs.keys() - mine.keys())
    if taken:
        after |= {"birth_date": gone.birth_date or kept.birth_date, "sex": gone.sex}
    if "disability_certificate" in taken or kept.disability_category is None:
        after |= {name: getattr(gone, name) for name in ("disability_category", "disability_grade")}
    moves.set(_table(Resident), [kept.id], {name: getattr(kept, name) for name in after}, after)
    for name in taken:
        shown = identity.hand_over(name, gone.id, kept.id)
        moves.steps.append({"step": "identity", "name": name, "shown": shown})


def _separate_identities(steps: Collection[Step], kept_id: int, gone_id: int) -> None:
    """Not by their stored form, which may be under another key by now."""
    for step in steps:
        if step["step"] == "identity" and identity.hand_over(step["name"], kept_id, gone_id) != step["shown"]:
            raise Refused("changed_since")


# -- attendance


def _project(moves: Moves, session_ids: Collection[int], kept_id: int, gone_id: int) -> None:
    """What the logs of these sessions say of the two records, as things stand. Nobody else's attendance is touched."""
    logs, authors = attendance.logs(session_ids), attendance.recorded_by(session_ids)
    booked = {(b.session_id, b.resident_id): b for b in bookings.of_sessions(sorted(session_ids))}
    table = _table(Attendance)
    for session_id in sorted(session_ids):
        roll = read_roll(logs.get(session_id, []))
        moves.drop(table, (table.c.session_id == session_id) & table.c.resident_id.in_((kept_id, gone_id)))
        for resident_id in (kept_id, gone_id):
            if stands := roll.residents.get(resident_id):
                booking = booked.get((session_id, resident_id))
                moves.add(table, {
                    "session_id": session_id, "resident_id": resident_id, "state": stands.state,
                    "walk_in": is_walk_in(stands.event, booking is not None), "event_id": stands.event.id,
                    "late": stands.event.late, "minutes": stands.minutes, "recorded_by": authors[stands.event.id]})
                _follow(moves, booking, _ON_THE_ROLL[stands.state])


def _follow(moves: Moves, booking: Booking | None, state: BookingState) -> None:
    """As bookings.roll.follow_the_roll: who was offered a place and is there has accepted it."""
    if booking is None:
        return
    if booking.offer_expires_at is not None and state is not BookingState.ATTENDED:
        state = BookingState.OFFERED
    if booking.state in FOLLOWS_THE_ROLL or state is BookingState.ATTENDED:
        moves.set(_table(Booking), [booking.id], {"state": booking.state}, {"state": state})


def _logged_since(steps: Collection[Step], gone_id: int) -> set[int]:
    """Sessions with entries of the record whose log has grown since: there the log is asked, not what was kept."""
    before = next(step["sessions"] for step in steps if step["step"] == "logged")
    after = queries.logged(households.records_of(gone_id))
    return {session_id for session_id, number in after.items() if before.get(str(session_id)) != number}
