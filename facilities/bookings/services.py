"""The verbs about promises: book places, give them back, answer offers. Those about whole sessions: `sessions`.

Every way to a place goes through `book_places`. Order of locks: the session, then residents (docs/locking.md).
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from sqlalchemy import insert, update

from facilities.bookings import promotion, queries, taking
from facilities.bookings.models import FOLLOWS_THE_ROLL, ROLL_TAKEN, Booking, BookingState
from facilities.bookings.promotion import facts_of
from facilities.engine.deadlines import check_cancellable
from facilities.engine.limits import Limits, check_household, check_week
from facilities.engine.no_shows import check_pause
from facilities.engine.on_offer import check_offer
from facilities.engine.waitlist import WaitlistMode
from facilities.households import queries as households
from facilities.households.desk import Ground
from facilities.households.models import Resident
from facilities.infra import audit
from facilities.infra.db import db
from facilities.infra.idempotency import Asked
from facilities.infra.outbox import tell
from facilities.kernel import clock
from facilities.kernel.actors import Actor
from facilities.kernel.ids import new_reference
from facilities.kernel.refusals import NotPermitted, NotVisible, Refusal, Refused, raise_if
from facilities.programmes import policy as programmes_policy
from facilities.programmes import queries as programmes
from facilities.programmes.models import ActivitySession

MET_FOR = timedelta(days=1)  # (our choice) whoever was looked up at the desk can be named by id for a day


@dataclass(frozen=True, slots=True)
class Wish:
    """Places for residents in a session. `at_desk`: by who runs the session, for somebody else, on what `ground`.

    `newcomer`: entered in the same breath, so that nobody can have met them before.
    """

    session_id: int
    resident_ids: tuple[int, ...]
    together: bool = True
    or_wait: bool = False
    at_desk: bool = False
    override: str | None = None
    ground: Ground = Ground.COUNTER
    newcomer: bool = False

    @property
    def is_short(self) -> bool:
        """For one person who asks: there is a way that spares what parties and desks need."""
        return len(self.resident_ids) == 1 and not self.at_desk


@dataclass(frozen=True, slots=True)
class Booked:
    """What became of a wish: bookings, confirmed or waitlisted, and why others got none."""

    items: list[Booking]
    refused: dict[int, Refusal] = field(default_factory=dict)

    @property
    def refusal(self) -> Refusal:
        """The first, with whom it is about where that is somebody: for where nobody got anything."""
        resident_id, refusal = next(iter(self.refused.items()))
        if refusal.code in ("session_full", "waitlist_full"):
            return refusal
        return Refusal(refusal.code, {**refusal.facts, "resident_id": str(resident_id)})


def book_place(actor: Actor, session_id: int, resident_id: int) -> Booking:
    """One place for one resident of the actor's household, or Refused."""
    booked = book_places(actor, Wish(session_id, (resident_id,)))
    if not booked.items:
        raise Refused.because(booked.refusal)
    return booked.items[0]


def book_places(actor: Actor, wish: Wish) -> Booked:
    """Together: all get places, or all wait, or nobody. Separately: whoever can.

    Where nobody got anything, that is said and not raised: what was due in the session has been done all the same.
    NotVisible where the session or a resident is not the actor's to name. Refused: `session_cancelled`,
    `booking_not_open`, `booking_closed`, `not_eligible`, `already_booked`, `overlaps_own_booking`, `limit_reached`,
    `paused_after_no_shows`, `draw_pending`, `session_full`, `waitlist_full`.
    """
    if wish.is_short and (taken := _take_after_a_look(actor, wish)):
        return Booked([taken])
    return _take_in_turn(actor, wish, _people(actor, wish))


def book_at_once(actor: Actor, wish: Wish, asked: Asked | None) -> str | None:
    """The shortest way, where it is open: the API's answer, committed and kept under the key that was asked under.

    None where `book_places` has to look closer. Refused as there; KeyTaken where the key was used before.
    """
    return taking.at_once(actor, wish.session_id, wish.resident_ids[0], asked) if wish.is_short else None


def _take_after_a_look(actor: Actor, wish: Wish) -> Booking | None:
    """The short way, where nobody waits and nothing is to be counted."""
    (resident_id,) = wish.resident_ids
    seen = taking.look(actor, wish.session_id, resident_id)
    if seen is None:
        raise NotVisible
    now = clock.now()
    raise_if(check_offer(seen.offer, seen.candidate, now)
             or check_pause(seen.paused_until, seen.offer.window.starts_at, now))
    if seen.limits or seen.waiting:
        return None
    return taking.take(actor, wish.session_id, resident_id, seen)


def why_not(session: ActivitySession, resident: Resident, wish: Wish | None = None) -> Refusal | None:
    """Why this resident cannot book this session now, other bookings and free places left aside."""
    by_hand = wish is not None and wish.override is not None
    return check_offer(session.on_offer, resident.as_candidate, clock.now(), by_hand=by_hand)


def whom_not(session: ActivitySession, people: Collection[Resident]) -> dict[int, Refusal]:
    """Of these residents, those who cannot book it now, with pauses; bookings and free places left aside."""
    now, ids = clock.now(), [person.id for person in people]
    paused = queries.paused_until(ids, [session.programme_id], now)
    refusals = ((person.id, why_not(session, person)
                 or check_pause(paused.get((person.id, session.programme_id)), session.starts_at, now))
                for person in people)
    return {resident_id: refusal for resident_id, refusal in refusals if refusal}


def _people(actor: Actor, wish: Wish) -> list[Resident]:
    """In the order of the wish."""
    if wish.at_desk:
        session = programmes.session_to_book(wish.session_id)
        if session is None or not programmes_policy.can_run(actor, session):
            raise NotPermitted
        known = wish.newcomer or set(wish.resident_ids) <= queries.met(actor, wish.resident_ids, clock.now() - MET_FOR)
        found = households.residents(wish.resident_ids) if known else {}
    else:
        found = households.residents_of(actor, wish.resident_ids, to_promise=True)
    if len(found) != len(set(wish.resident_ids)):
        raise NotVisible
    return [found[resident_id] for resident_id in dict.fromkeys(wish.resident_ids)]


def _take_in_turn(actor: Actor, wish: Wish, people: Sequence[Resident]) -> Booked:
    """Under the session's lock: whoever waits comes first, and then what is free is given."""
    session = programmes.session_to_book(wish.session_id, lock=True)
    if session is None:
        raise NotVisible
    kept = promotion.settle(session)
    refused = _refusals(session, people, wish)
    if refused and (wish.together or len(refused) == len(people)):
        return Booked([], refused)
    able = [person.id for person in people if person.id not in refused]
    free = 0 if kept else session.places_left
    if wish.together and len(able) > 1:
        placed, waiting = (able, []) if len(able) <= free else ([], able)
    else:
        placed, waiting = able[:free], able[free:]
    room, no_turn = _room_on_the_list(session, waiting, wish)
    refused |= dict.fromkeys(waiting[room:], no_turn)
    waiting = waiting[:room]
    if not placed and not waiting:
        return Booked([], refused)
    party = new_reference() if wish.together and len(able) > 1 else None
    session.places_taken += len(placed)
    session.waiting += len(waiting)
    db.session.flush()
    items = [*_promise(actor, session, placed, BookingState.CONFIRMED, wish, party),
             *_promise(actor, session, waiting, BookingState.WAITLISTED, wish, party)]
    return Booked(items, refused)


def _refusals(session: ActivitySession, people: Sequence[Resident], wish: Wish) -> dict[int, Refusal]:
    """Why each of them cannot come, free places left aside; the programme's limits count those before in the list."""
    ids = [person.id for person in people]
    households.lock_residents(ids)
    standing, limits, now = queries.standing(ids, session), session.programme.limits, clock.now()
    paused = queries.paused_until(ids, [session.programme_id], now)
    if wish.override:
        limits, paused = Limits(), {}
    in_week = queries.held_in_week(ids, session) if limits.per_resident_per_week else {}
    refused: dict[int, Refusal] = {}
    accepted = 0
    for person in people:
        code = standing.get(person.id)
        refusal = (why_not(session, person, wish) or (Refusal(code) if code else None)
                   or check_pause(paused.get((person.id, session.programme_id)), session.starts_at, now)
                   or check_week(limits, in_week.get(person.id, 0))
                   or _check_household(session, person, limits, accepted))
        if refusal:
            refused[person.id] = refusal
        else:
            accepted += 1
    return refused


def _check_household(session: ActivitySession, person: Resident, limits: Limits, accepted: int) -> Refusal | None:
    """Each person's own household, which need not be the one that books; `accepted`: those before in the list."""
    if limits.per_household_per_session is None:
        return None
    return check_household(limits, queries.held_by_household(person.id, session.id) + accepted)


def _room_on_the_list(session: ActivitySession, waiting: Sequence[int], wish: Wish) -> tuple[int, Refusal]:
    """How many of them can wait, and why the others cannot; of a party all or none."""
    if not wish.or_wait or session.waitlist_mode is WaitlistMode.OFF:
        return 0, Refusal("session_full")
    if wish.together and len(waiting) > session.capacity:
        return 0, Refusal("session_full", {"capacity": session.capacity})
    longest = session.waitlist_capacity
    room = len(waiting) if longest is None else max(0, longest - session.waiting)
    full = Refusal("waitlist_full", {"waitlist_capacity": longest})
    return (0 if wish.together and room < len(waiting) else room), full


def _promise(actor: Actor, session: ActivitySession, resident_ids: Sequence[int], state: BookingState, wish: Wish,
             party: str | None = None) -> list[Booking]:
    """The rows, and what is told and noted of them. Their span is the session's, whose row is ours now."""
    if not resident_ids:
        return []
    now = clock.now()
    items = list(db.session.scalars(insert(Booking).returning(Booking, sort_by_parameter_order=True), [
        {"reference": new_reference(), "session_id": session.id, "starts_at": session.starts_at,
         "ends_at": session.ends_at, "resident_id": resident_id, "state": state, "created_at": now,
         "booked_by": actor.user_id, "party": party, "override_reason": wish.override}
        for resident_id in resident_ids]))
    kind = "booked" if state is BookingState.CONFIRMED else "waitlisted"
    tell(kind, "booking", queries.whom(Booking.id.in_([b.id for b in items])), facts_of(session), by=actor.user_id)
    # the words of an override may be about a person: only the booking has them
    facts: dict[str, object] = {"at_desk": wish.at_desk, **({"override": True} if wish.override else {})}
    if wish.at_desk:  # for whom, and on what ground
        for item in items:
            audit.note(actor, kind, "booking", [item.id],
                       {**facts, "ground": wish.ground.value, "resident_id": item.resident_id})
    else:
        audit.note(actor, kind, "booking", [b.id for b in items], facts)
    return items


def cancel_booking(actor: Actor, booking_id: int) -> Booking:
    """Give the place back, or leave the list. A second time answers the same and frees nothing more.

    Refused `cancellation_closed`; the list can be left at any time.
    """
    booking, session, freed_for = _own_and_locked(actor, booking_id)
    if not booking.is_live:
        return booking
    if booking.state is not BookingState.WAITLISTED:
        raise_if(check_cancellable(session.booking_window, clock.now(), roll_taken=booking.state in ROLL_TAKEN))
    if booking.state is BookingState.WAITLISTED:
        booking.state, booking.cancelled_at = BookingState.CANCELLED, clock.now()
        session.waiting -= 1
        db.session.flush()
    else:
        promotion.free_places(session, [booking.id], BookingState.CANCELLED)
    audit.note(actor, "cancelled", "booking", [booking.id])
    promotion.settle_together((session, *freed_for))
    return queries.own_booking(actor, booking_id) or booking


def accept_offer(actor: Actor, booking_id: int) -> Booking:
    """A party's offer is one: whoever answers, answers for all. Refused `no_offer`.

    An offer that ran out is returned as such and not refused: what became of its place stays.
    """
    booking, session, _ = _own_and_locked(actor, booking_id)
    promotion.settle(session)
    db.session.refresh(booking)
    if booking.state is BookingState.OFFERED:
        party = queries.offered_with(booking)
        db.session.execute(update(Booking).where(Booking.id.in_(party)).values(
            state=BookingState.CONFIRMED, offer_expires_at=None))
        audit.note(actor, "accepted", "booking", party)
    elif booking.state not in (BookingState.EXPIRED, *FOLLOWS_THE_ROLL):
        raise Refused("no_offer")
    return queries.own_booking(actor, booking_id) or booking


def decline_offer(actor: Actor, booking_id: int) -> Booking:
    """The places go to the next in the same transaction; a second time answers the same."""
    booking, session, freed_for = _own_and_locked(actor, booking_id)
    if booking.state is BookingState.OFFERED:
        party = queries.offered_with(booking)
        promotion.free_places(session, party, BookingState.CANCELLED)
        audit.note(actor, "declined", "booking", party)
        promotion.settle_together((session, *freed_for))
    elif booking.state not in (BookingState.CANCELLED, BookingState.EXPIRED):
        raise Refused("no_offer")
    return queries.own_booking(actor, booking_id) or booking


def say_coming(actor: Actor, booking_id: int) -> Booking:
    """Whoever holds a place says again that they come; the roster shows it. Refused `no_offer` without a place."""
    booking, _, _ = _own_and_locked(actor, booking_id)
    if booking.state is not BookingState.CONFIRMED:
        raise Refused("no_offer")
    booking.coming_at = clock.now()
    audit.note(actor, "coming", "booking", [booking.id])
    db.session.flush()
    return booking


def _own_and_locked(actor: Actor, booking_id: int) -> tuple[Booking, ActivitySession, list[ActivitySession]]:
    """The booking, its session, and those sessions for which the resident waits at the same time.

    All sessions are locked in id order, and before what hangs on them; what is read holds until the commit.
    """
    booking = queries.own_booking(actor, booking_id)
    if booking is None:
        raise NotVisible
    locked = [session for session_id in sorted({booking.session_id, *queries.lists_beside(booking)})
              if (session := programmes.session_to_book(session_id, lock=True))]
    booking = queries.own_booking(actor, booking_id) or booking
    return (booking, next(s for s in locked if s.id == booking.session_id),
            [s for s in locked if s.id != booking.session_id])


def promote_by_hand(actor: Actor, booking_id: int, reason: str) -> Booking:
    """A manager gives free places to a party on the list, after booking has closed too, and says why."""
    booking = queries.booking(booking_id)
    session = programmes.session_to_book(booking.session_id, lock=True) if booking else None
    if booking is None or session is None or not programmes_policy.can_run(actor, session):
        raise NotVisible
    promotion.settle(session)
    db.session.refresh(booking)
    if booking.state is not BookingState.WAITLISTED:
        return booking
    party = queries.waiting_with(booking)
    if session.places_left < len(party):
        raise Refused("session_full")
    if queries.elsewhere(party.values(), session):
        raise Refused("overlaps_own_booking")
    promotion.confirm(session, list(party), override_reason=reason)
    audit.note(actor, "promoted_by_hand", "booking", party)  # why is with the booking, whose words can be erased
    db.session.refresh(booking)
    return booking


def give_back_ahead(actor: Actor, resident_id: int) -> None:
    """The resident's places ahead, as far as their deadlines allow; who acts for the resident is locked."""
    sessions_ahead = [booking.session_id for booking in queries.places_ahead(actor, resident_id, clock.now())]
    programmes.sessions_for_update(sessions_ahead)  # all of them before any resident
    ahead = queries.places_ahead(actor, resident_id, clock.now())  # meanwhile a turn may have come
    for booking in sorted(ahead, key=lambda b: b.state is not BookingState.WAITLISTED):  # lists first: nobody moves up
        window, ticked = booking.session.booking_window, booking.state in ROLL_TAKEN
        waits = booking.state is BookingState.WAITLISTED
        if waits or check_cancellable(window, clock.now(), roll_taken=ticked) is None:
            cancel_booking(actor, booking.id)


def release_places(actor: Actor | None, resident_ids: Collection[int]) -> None:
    """Of residents who are being erased: every place ahead and every turn on a list, whatever its deadline says.

    Their places go to the next in the same transaction. What has begun, or has been ticked off, has happened and stays.
    """
    now = clock.now()
    ahead = {b.session_id for b in queries.held_ahead(resident_ids, now)}
    locked = [session for session_id in sorted(ahead) if (session := programmes.session_to_book(session_id, lock=True))]
    held = queries.held_ahead(resident_ids, now)  # read again, under the locks
    for session in locked:
        waiting = [b for b in held if b.session_id == session.id and b.state is BookingState.WAITLISTED]
        for booking in waiting:
            booking.state, booking.cancelled_at = BookingState.CANCELLED, now
        session.waiting -= len(waiting)
        promotion.free_places(session, [b.id for b in held if b.session_id == session.id and b not in waiting],
                              BookingState.CANCELLED)
    audit.note(actor, "cancelled", "booking", [b.id for b in held])
    promotion.settle_together(locked)  # after all of them are free: nobody who leaves moves up


def place_drawn(session: ActivitySession, parties: Sequence[Sequence[int]], state: BookingState,
                by: Actor | None) -> None:
    """Places, or turns on the list, for parties that a draw has put in order. The session and the residents are locked.

    A booking's number is its turn: the rows are numbered in the order of `parties`. The draw tells those concerned.
    """
    now, rows = clock.now(), list[dict[str, object]]()
    for party in parties:
        shared = new_reference() if len(party) > 1 else None
        rows += [{"reference": new_reference(), "session_id": session.id, "starts_at": session.starts_at,
                  "ends_at": session.ends_at, "resident_id": resident_id, "state": state, "created_at": now,
                  "booked_by": by.user_id if by else None, "party": shared} for resident_id in party]
    if not rows:
        return
    if state is BookingState.CONFIRMED:
        session.places_taken += len(rows)
    else:
        session.waiting += len(rows)
    db.session.flush()
    numbers = db.session.scalars(insert(Booking).returning(Booking.id, sort_by_parameter_order=True), rows).all()
    audit.note(by, "drawn" if state is BookingState.CONFIRMED else "waitlisted", "booking", numbers,
               {"draw_id": session.draw_id})
