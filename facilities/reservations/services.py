"""The verbs about reservations: take a space for a span, move it, give it back.

Order of locks: the facility's layout, the reservation, the spaces, the resident (docs/locking.md).
"""

from collections.abc import Collection
from datetime import datetime, timedelta

from facilities.engine.opening import check_span
from facilities.households import queries as households
from facilities.infra import audit
from facilities.infra.db import db
from facilities.infra.outbox import tell
from facilities.kernel import clock
from facilities.kernel.actors import Actor
from facilities.kernel.ids import new_reference
from facilities.kernel.refusals import Invalid, NotPermitted, NotVisible, Refused, raise_if
from facilities.kernel.spans import Span
from facilities.places import queries as places
from facilities.places.models import Space
from facilities.places.services import hold_space, occupy, prepare_to_hold, release_space
from facilities.reservations import policy, queries
from facilities.reservations.availability import hours_of
from facilities.reservations.models import Reservation, ReservationState

LONGEST = timedelta(days=31)  # (our choice) where the space has no rule of its own


def reserve(actor: Actor, space_id: int, resident_id: int, starts_at: datetime, ends_at: datetime,
            purpose: str) -> Reservation:
    """The space, for a resident of the actor's household, from `starts_at` to `ends_at`.

    Refused `not_reservable`, `too_late`, `too_short`, `too_long`, `off_grid`, `too_far_ahead`,
    `outside_opening_hours`, `closed`, `limit_reached`, `space_taken`. NotVisible where there is no such space, or the
    actor does not act for the resident; Invalid where the span runs backwards.
    """
    space = queries.space(space_id)
    if space is None or not households.residents_of(actor, [resident_id], to_promise=True):
        raise NotVisible
    _check(space, _span(starts_at, ends_at))
    leaves = prepare_to_hold(space.facility_id, space.id, starts_at, ends_at)
    _check_limit(space, resident_id)
    reservation = Reservation(
        reference=new_reference(), facility=space.facility, space_id=space.id, resident_id=resident_id,
        state=ReservationState.CONFIRMED, starts_at=starts_at, ends_at=ends_at, purpose=purpose,
        created_at=clock.now(), reserved_by=actor.user_id)
    db.session.add(reservation)
    db.session.flush()
    occupy(space, leaves, starts_at, ends_at, reservation_id=reservation.id)
    _tell("reserved", reservation, facts_of(reservation, space), by=actor)
    audit.note(actor, "reserved", "reservation", [reservation.id])
    return reservation


def _span(starts_at: datetime, ends_at: datetime) -> Span:
    if ends_at <= starts_at:
        raise Invalid(ends_at="ends_before_it_starts")
    return Span(starts_at, ends_at)


def _check(space: Space, span: Span) -> None:
    """What can be said of the wish without looking at other people's."""
    if not policy.can_be_reserved(space):
        raise Refused("not_reservable")
    if span.ends_at - span.starts_at > LONGEST:
        raise Refused("too_long", max_minutes=space.max_minutes or LONGEST // timedelta(minutes=1))
    raise_if(check_span(space.rules, hours_of(space.facility), span, clock.now()))


def _check_limit(space: Space, resident_id: int, *, but_for: int | None = None) -> None:
    """Under the resident's lock, so that two wishes at once are counted one after the other."""
    limit = space.rules.per_resident
    if limit is None:
        return
    households.lock_residents([resident_id])
    if queries.ahead(resident_id, space.id, clock.now(), but_for=but_for) >= limit:
        raise Refused("limit_reached", rule="per_resident", limit=limit)


def move(actor: Actor, reservation_id: int, starts_at: datetime | None, ends_at: datetime | None) -> Reservation:
    """To another time, None for what stays; if that is refused, nothing changes. Its own old span is in no way.

    Refused as `reserve` is, and `reservation_cancelled`, `reservation_begun`.
    """
    reservation = _own_and_locked(actor, reservation_id)
    if reservation.state is ReservationState.CANCELLED:
        raise Refused("reservation_cancelled")
    span = _span(starts_at or reservation.starts_at, ends_at or reservation.ends_at)
    if span == Span(reservation.starts_at, reservation.ends_at):
        return reservation
    if policy.why_not_cancel(reservation):
        raise Refused("reservation_begun")
    space = queries.space(reservation.space_id)
    if space is None:
        raise NotVisible
    _check(space, span)
    prepare_to_hold(space.facility_id, space.id, span.starts_at, span.ends_at)
    _check_limit(space, reservation.resident_id, but_for=reservation.id)
    was = facts_of(reservation, space)
    reservation.starts_at, reservation.ends_at = span.starts_at, span.ends_at
    reservation.moves += 1
    db.session.flush()  # what holds the space follows this row, and the database says whether it may
    _tell("reservation_moved", reservation, {**facts_of(reservation, space), "was": was}, by=actor)
    audit.note(actor, "moved", "reservation", [reservation.id], {"was": was["starts_at"]})
    return reservation


def cancel(actor: Actor, reservation_id: int) -> Reservation:
    """Give the space back, until the reservation begins. A second time answers the same and frees nothing more.

    Refused `cancellation_closed`.
    """
    reservation = _own_and_locked(actor, reservation_id)
    if reservation.state is ReservationState.CANCELLED:
        return reservation
    raise_if(policy.why_not_cancel(reservation))
    _free(reservation)
    _tell("reservation_cancelled", reservation, facts_of(reservation, reservation.space), by=actor)
    audit.note(actor, "cancelled", "reservation", [reservation.id])
    return reservation


def _own_and_locked(actor: Actor, reservation_id: int) -> Reservation:
    """The layout before what stands on it: while a space is divided, what holds it is handed down (places.services)."""
    seen = queries.own_reservation(actor, reservation_id)
    if seen is None:
        raise NotVisible
    places.lock_layout(seen.facility_id, to_change=False)
    reservation = queries.own_reservation(actor, reservation_id, lock=True)
    if reservation is None:
        raise NotVisible
    return reservation


def give_back_ahead(actor: Actor, resident_id: int) -> None:
    """The resident's spaces ahead; who acts for the resident is locked."""
    seen = queries.own_ahead(actor, resident_id, clock.now())
    for facility_id in sorted({reservation.facility_id for reservation in seen}):
        places.lock_layout(facility_id, to_change=False)
    for reservation in queries.reservations([reservation.id for reservation in seen], lock=True):
        if policy.can_still_change(reservation):
            _free(reservation)
            _tell("reservation_cancelled", reservation, facts_of(reservation, reservation.space), by=actor)
            audit.note(actor, "cancelled", "reservation", [reservation.id])


def release_all(actor: Actor | None, resident_ids: Collection[int]) -> None:
    """Of residents who are being erased: every reservation that has not begun, with the space it held."""
    for facility_id in queries.facilities_ahead(resident_ids, clock.now()):
        places.lock_layout(facility_id, to_change=False)
    for reservation in queries.ahead_of(resident_ids, clock.now()):
        _free(reservation)
        audit.note(actor, "cancelled", "reservation", [reservation.id])


def _free(reservation: Reservation, reason: str | None = None) -> None:
    reservation.state, reservation.cancelled_at = ReservationState.CANCELLED, clock.now()
    reservation.cancel_reason = reason
    release_space(reservation_id=reservation.id)
    db.session.flush()


def cancel_by_staff(actor: Actor, reservation_ids: Collection[int], reason: str) -> list[Reservation]:
    """By who runs the facility, as long as they are not over; everybody concerned is told why.

    Returns all of them as they are then; what is cancelled or over already stays as it is.
    """
    reservations = _run_and_locked(actor, reservation_ids)
    for reservation in reservations:
        if reservation.state is ReservationState.CONFIRMED and reservation.ends_at > clock.now():
            _free(reservation, reason)
            _tell("reservation_cancelled", reservation, {**facts_of(reservation, reservation.space), "reason": reason})
            audit.note(actor, "cancelled", "reservation", [reservation.id])  # why is with the reservation
    return reservations


def move_to_space(actor: Actor, reservation_id: int, space_id: int) -> Reservation:
    """By who runs the facility: the same time in another of its spaces, whatever residents may reserve themselves.

    Refused `closed`, `space_taken`, `reservation_cancelled`; Invalid where the space is not the facility's.
    """
    (reservation,) = _run_and_locked(actor, [reservation_id])
    space = places.space_in(reservation.facility_id, space_id)
    if space is None:
        raise Invalid(space_id="unknown_space")
    if reservation.state is ReservationState.CANCELLED:
        raise Refused("reservation_cancelled")
    if space.id == reservation.space_id:
        return reservation
    was = facts_of(reservation, reservation.space)
    release_space(reservation_id=reservation.id)  # first: a hall may be where one of its rooms was
    reservation.space_id = space.id
    reservation.moves += 1
    db.session.flush()
    hold_space(space, reservation.starts_at, reservation.ends_at, reservation_id=reservation.id)
    _tell("reservation_moved", reservation, {**facts_of(reservation, space), "was": was})
    audit.note(actor, "moved", "reservation", [reservation.id], {"space_id": str(space.id)})
    return queries.reservations([reservation_id])[0]


def _run_and_locked(actor: Actor, reservation_ids: Collection[int]) -> list[Reservation]:
    """In id order, under the layouts of their facilities."""
    seen = queries.reservations(reservation_ids)
    if len(seen) != len(set(reservation_ids)):
        raise NotVisible
    if not all(actor.manages(reservation.facility_id) for reservation in seen):
        raise NotPermitted
    for facility_id in sorted({reservation.facility_id for reservation in seen}):
        places.lock_layout(facility_id, to_change=False)
    return queries.reservations(reservation_ids, lock=True)


def facts_of(reservation: Reservation, space: Space) -> dict[str, object]:
    """What a notice can say of it: names as they are now, instants in the district's time."""
    facility = reservation.facility
    return {"space": space.name, "space_en": space.name_en, "facility": facility.name, "facility_en": facility.name_en,
            "starts_at": clock.local(reservation.starts_at).isoformat(),
            "ends_at": clock.local(reservation.ends_at).isoformat()}


def _tell(kind: str, reservation: Reservation, facts: dict[str, object], *, by: Actor | None = None) -> None:
    tell(kind, "reservation", queries.whom(Reservation.id == reservation.id), facts, by=by.user_id if by else None)
