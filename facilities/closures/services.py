"""The verbs about closing a place: see what falls inside, close it and settle all of that, open it again."""

from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy.exc import IntegrityError

from facilities.bookings import sessions as whole
from facilities.closures import queries
from facilities.infra import audit
from facilities.infra.db import Model, db
from facilities.infra.integrity import refused_by
from facilities.kernel import clock
from facilities.kernel.actors import Actor
from facilities.kernel.refusals import Invalid, NotVisible, Refused
from facilities.kernel.spans import Span
from facilities.places import queries as places
from facilities.places.models import Closure, Space
from facilities.places.services import related
from facilities.programmes.models import ActivitySession
from facilities.reservations import services as reservations
from facilities.reservations.models import Reservation

A_MINUTE = timedelta(minutes=1)  # whoever types 'now' in whole minutes means now


@dataclass(frozen=True, slots=True)
class Closing:
    """What is to be closed, and when; `space_id` None: the whole facility. `starts_at` None: at once."""

    facility_id: int
    space_id: int | None
    starts_at: datetime | None
    ends_at: datetime

    @property
    def span(self) -> Span:
        """Invalid where it begins in the past or ends before it begins."""
        now = clock.now()
        starts_at = self.starts_at or now
        if now - A_MINUTE < starts_at < now:
            starts_at = now
        if starts_at < now:
            raise Invalid(starts_at="starts_in_the_past")
        if self.ends_at <= starts_at:
            raise Invalid(ends_at="ends_before_it_starts")
        return Span(starts_at, self.ends_at)


@dataclass(frozen=True, slots=True)
class Settlement:
    """What becomes of what falls inside: each is cancelled unless it moves, `{id: space_id}`, to another space.

    `seen`: the ids of sessions and of reservations that were decided upon; None takes whatever there is.
    """

    moves: Mapping[int, int] = field(default_factory=dict)
    reservation_moves: Mapping[int, int] = field(default_factory=dict)
    seen: tuple[frozenset[int], frozenset[int]] | None = None


@dataclass(frozen=True, slots=True)
class Inside:
    """What falls into a closure. `people`: places and turns on waiting lists, and one for each reservation."""

    sessions: list[ActivitySession]
    reservations: list[Reservation]

    @property
    def people(self) -> int:
        return sum(s.places_taken + s.waiting for s in self.sessions) + len(self.reservations)

    @property
    def ids(self) -> tuple[frozenset[int], frozenset[int]]:
        return frozenset(s.id for s in self.sessions), frozenset(r.id for r in self.reservations)


def preview(closing: Closing) -> Inside:
    """What is announced and reserved at that time, there and in what lies around and inside. Nothing is written."""
    return _inside(closing, closing.span, lock=False)


def _inside(closing: Closing, span: Span, *, lock: bool) -> Inside:
    concerned = _concerned(closing)
    return Inside(queries.sessions_inside(closing.facility_id, concerned, span, lock=lock),
                  queries.reservations_inside(closing.facility_id, concerned, span, lock=lock))


def _concerned(closing: Closing) -> Collection[int] | None:
    """The spaces that cannot be held while this one is closed; None: all, and what is in no particular space."""
    if closing.space_id is None:
        return None
    family = places.spaces_of(closing.facility_id)
    if closing.space_id not in {space.id for space in family}:
        raise Invalid(space_id="unknown_space")
    return related(closing.space_id, family)


def still_open(closing: Closing) -> list[Space]:
    """Where something can be moved to."""
    concerned, family = _concerned(closing), places.spaces_of(closing.facility_id)
    return [] if concerned is None else [space for space in family if space.id not in concerned]


def close(actor: Actor, closing: Closing, reason: str, settlement: Settlement | None = None) -> Closure:
    """Close it, move what is to be moved, cancel the rest with the reason; everybody concerned is told.

    The layout is locked first, so that nobody holds a space meanwhile. Refused `closed` or `space_taken` where a new
    space cannot be had, and `more_inside` where something came in that was not decided upon: nothing is done then.
    """
    settlement = settlement or Settlement()
    places.lock_layout(closing.facility_id, to_change=True)
    span = closing.span
    inside = _inside(closing, span, lock=True)
    _check_decided(settlement, inside)
    _check_targets(settlement, _concerned(closing))
    closure = Closure(facility_id=closing.facility_id, space_id=closing.space_id, starts_at=span.starts_at,
                      ends_at=span.ends_at, reason=reason, created_at=clock.now(), created_by=actor.user_id)
    db.session.add(closure)
    db.session.flush()
    _settle_sessions(actor, inside, settlement, reason)
    _settle_reservations(actor, inside, settlement, reason)
    audit.note(actor, "closed", "closure", [closure.id],
               {"reason": reason, "sessions": len(inside.sessions), "reservations": len(inside.reservations)})
    return closure


def _check_decided(settlement: Settlement, inside: Inside) -> None:
    sessions, held = inside.ids
    if settlement.seen is not None and not (sessions <= settlement.seen[0] and held <= settlement.seen[1]):
        raise Refused("more_inside")
    if settlement.seen is None and not set(settlement.moves) <= sessions:
        raise Invalid(moves="not_inside")
    if settlement.seen is None and not set(settlement.reservation_moves) <= held:
        raise Invalid(reservation_moves="not_inside")


def _check_targets(settlement: Settlement, concerned: Collection[int] | None) -> None:
    """Nothing moves to where it is closed; who would stay there is not moved at all, and nobody else would notice."""
    for what, moves in (("session_id", settlement.moves), ("reservation_id", settlement.reservation_moves)):
        for number, space_id in moves.items():
            if concerned is None or space_id in concerned:
                raise Refused("closed", **{what: str(number)})


def _settle_sessions(actor: Actor, inside: Inside, settlement: Settlement, reason: str) -> None:
    """Cancelled ones first: a space that they leave may be what another one moves to."""
    staying = [s.id for s in inside.sessions if s.id not in settlement.moves]
    for session_id in staying:
        whole.cancel_session(actor, session_id, reason)
    for session in inside.sessions:
        if session.id in settlement.moves:
            with _named("session_id", session.id):
                whole.change_session(actor, session.id, {"space_id": settlement.moves[session.id]})


def _settle_reservations(actor: Actor, inside: Inside, settlement: Settlement, reason: str) -> None:
    moves = settlement.reservation_moves
    if staying := [r.id for r in inside.reservations if r.id not in moves]:
        reservations.cancel_by_staff(actor, staying, reason)
    for reservation in inside.reservations:
        if reservation.id in moves:
            with _named("reservation_id", reservation.id):
                reservations.move_to_space(actor, reservation.id, moves[reservation.id])


@contextmanager
def _named(what: str, number: int) -> Iterator[None]:
    """Which of them it is that cannot move."""
    try:
        yield
    except Refused as refused:
        raise Refused(refused.refusal.code, **{**refused.refusal.facts, what: str(number)}) from refused
    except IntegrityError as error:
        refused_here = refused_by(error, Model.metadata)
        if refused_here is None:
            raise
        raise Refused(refused_here.refusal.code, **{what: str(number)}) from error


def lift(actor: Actor, closure_id: int) -> Closure:
    """Open again. What was cancelled stays cancelled; a second time answers the same."""
    closure = queries.closure(closure_id, lock=True)
    if closure is None:
        raise NotVisible
    if closure.lifted_at is None:
        closure.lifted_at = clock.now()
        audit.note(actor, "lifted", "closure", [closure_id])
        db.session.flush()
    return closure
