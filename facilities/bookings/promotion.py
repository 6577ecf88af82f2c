"""The waitlist's part of every verb that can free a place: offers that run out, and whose turn it is.

Everything here runs under the session's lock, in the transaction that freed the place.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

from sqlalchemy import update

from facilities.bookings import queries
from facilities.bookings.models import Booking, BookingState
from facilities.bookings.queries import Waiting
from facilities.bookings.taking import said_of
from facilities.engine.eligibility import check_eligible
from facilities.engine.limits import check_week
from facilities.engine.waitlist import Party, WaitlistMode, is_last_call, may_promote, offered_until, promote
from facilities.households import queries as households
from facilities.infra.db import db
from facilities.infra.outbox import tell
from facilities.kernel import clock
from facilities.programmes.models import ActivitySession


def settle(session: ActivitySession) -> bool:
    """Offers that ran out free their places, and free places go to those whose turn it is. `session` is locked.

    True where what is still free is kept for a party at the head of the list.
    """
    _end_what_ran_out(session)
    return _fill(session)


def settle_together(sessions: Sequence[ActivitySession]) -> None:
    """All of them are locked. Offers end in each first: whose ran out in one is free to move up in another."""
    for session in sessions:
        _end_what_ran_out(session)
    for session in sessions:
        _fill(session)


def _end_what_ran_out(session: ActivitySession) -> None:
    if over := queries.run_out(session.id, clock.now()):
        free_places(session, over, BookingState.EXPIRED)
        _tell(session, over, "offer_expired")


def _fill(session: ActivitySession) -> bool:
    now = clock.now()
    if (not session.waiting or not session.places_left or session.is_cancelled
            or not may_promote(session.booking_window, now)):
        return False
    turn = promote(_parties(session), session.places_left, session.capacity,
                   last_call=is_last_call(session.booking_window, now))
    if turn.promoted:
        _give(session, [b for party in turn.promoted for b in party.bookings], now)
    return turn.kept


def free_places(session: ActivitySession, booking_ids: Collection[int], state: BookingState) -> None:
    """Bookings that held places end in `state`, and the session has the places back."""
    ended = clock.now() if state is BookingState.CANCELLED else None
    _set(booking_ids, state=state, cancelled_at=ended)
    session.places_taken -= len(booking_ids)
    db.session.flush()


def confirm(session: ActivitySession, booking_ids: Collection[int], **more: object) -> None:
    """From the list to a place, now and for good."""
    _set(booking_ids, state=BookingState.CONFIRMED, promoted_at=clock.now(), **more)
    session.places_taken += len(booking_ids)
    session.waiting -= len(booking_ids)
    db.session.flush()
    _tell(session, booking_ids, "promoted")


def end_offers_with_booking(session: ActivitySession) -> None:
    """Where the close was brought forward, no offer outlives it."""
    closes_at = session.booking_window.closes_at
    db.session.execute(
        update(Booking).where(Booking.session_id == session.id, Booking.state == BookingState.OFFERED,
                              Booking.offer_expires_at > closes_at).values(offer_expires_at=closes_at),
        execution_options={"synchronize_session": False})


def _give(session: ActivitySession, booking_ids: Sequence[int], now: datetime) -> None:
    if session.waitlist_mode is not WaitlistMode.OFFER:
        confirm(session, booking_ids)
        return
    until = offered_until(session.offer_minutes, session.booking_window, now)
    _set(booking_ids, state=BookingState.OFFERED, offer_expires_at=until, promoted_at=now)
    session.places_taken += len(booking_ids)
    session.waiting -= len(booking_ids)
    db.session.flush()
    _tell(session, booking_ids, "offered", offer_expires_at=clock.local(until).isoformat())


def _parties(session: ActivitySession) -> list[Party]:
    """The list in its order. A party has the turn of its first member, and comes if all of it can."""
    rows = queries.waiting(session.id)
    unable = _unable(session, rows)
    turns: dict[str, list[Waiting]] = {}
    for row in rows:
        turns.setdefault(row.party or f"#{row.booking_id}", []).append(row)
    return [Party(tuple(r.booking_id for r in party), not any(r.resident.id in unable for r in party))
            for party in turns.values()]


def _unable(session: ActivitySession, rows: Sequence[Waiting]) -> set[int]:
    """Residents who could not come any more: not meant by the session, elsewhere at the time, at their limit."""
    everyone = {row.resident.id for row in rows}
    households.lock_residents(everyone)  # what is read of their other bookings holds until the commit
    day = clock.local_date(session.starts_at)
    unable = queries.elsewhere(everyone, session)
    unable |= {r.resident.id for r in rows if check_eligible(session.audience, r.resident.as_candidate, day)}
    if session.programme.limits.per_resident_per_week is not None:
        held = queries.held_in_week(everyone, session)
        unable |= {r for r in everyone if check_week(session.programme.limits, held.get(r, 0))}
    return unable


def _set(booking_ids: Collection[int], **values: object) -> None:
    db.session.execute(update(Booking).where(Booking.id.in_(booking_ids)).values(**values),
                       execution_options={"synchronize_session": False})


def _tell(session: ActivitySession, booking_ids: Collection[int], kind: str, **facts: object) -> None:
    tell(kind, "booking", queries.whom(Booking.id.in_(booking_ids)), {**facts_of(session), **facts})


def facts_of(session: ActivitySession) -> Mapping[str, object]:
    return said_of(session.id, session.title, session.title_en, session.starts_at, session.ends_at)
