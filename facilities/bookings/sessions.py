"""The verbs about whole sessions, as far as they concern the bookings in them: settle, change, call off, delete."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import update

from facilities.bookings import promotion, queries
from facilities.bookings.models import LIVE, Booking, BookingState
from facilities.bookings.promotion import facts_of
from facilities.infra import audit
from facilities.infra.db import db
from facilities.infra.outbox import tell
from facilities.kernel.actors import Actor
from facilities.kernel.refusals import NotVisible, Refused
from facilities.programmes import queries as programmes
from facilities.programmes import services
from facilities.programmes.models import ActivitySession


def settle_session(session_id: int) -> None:
    """What time alone brings about: offers that run out, and last call."""
    session = programmes.session_to_book(session_id, lock=True)
    if session is not None:
        promotion.settle(session)


def change_session(actor: Actor, session_id: int, changes: Mapping[str, Any]) -> ActivitySession:
    """As `programmes.services.change`; those booked are told what moved, and new places go to those who wait."""
    was = _when_and_where(session_id)
    if queries.awaits_draw(session_id) and ({"starts_at", "ends_at"} & changes.keys()):
        raise Refused("draw_pending")  # people have entered for this hour
    programmes.lock_its_place(session_id)
    settle_session(session_id)  # an offer that ran out is in nobody's way
    session = services.change(session_id, changes)
    now = _when_and_where(session_id)
    if was != now:
        tell("moved", "booking", queries.whom(Booking.session_id == session_id, Booking.state.in_(LIVE)),
             {**facts_of(session), **now, "was": was})
    audit.note(actor, "changed", "session", [session_id], {"fields": sorted(changes)})
    if locked := programmes.session_to_book(session_id, lock=True):
        promotion.end_offers_with_booking(locked)
        promotion.settle(locked)
    return session


def _when_and_where(session_id: int) -> dict[str, object]:
    """What those booked are told of where it changes."""
    session = programmes.session(session_id)
    if session is None:
        raise NotVisible
    facts = facts_of(session)
    return {"starts_at": facts["starts_at"], "ends_at": facts["ends_at"], "facility": session.facility.name,
            "facility_en": session.facility.name_en, "space": session.space.name if session.space else None,
            "space_en": session.space.name_en if session.space else None}


def cancel_session(actor: Actor, session_id: int, reason: str) -> ActivitySession:
    """Call the session off: every booking is cancelled with the reason and told, and the space is free again."""
    programmes.lock_its_place(session_id)
    session = programmes.session_for_update(session_id)
    if session is None:
        raise NotVisible
    if session.is_cancelled:
        return session
    services.call_off(session, reason)
    live = (Booking.session_id == session_id, Booking.state.in_(LIVE))
    tell("session_cancelled", "booking", queries.whom(*live), {**facts_of(session), "reason": reason})
    db.session.execute(
        update(Booking).where(*live)
        .values(state=BookingState.CANCELLED, cancelled_at=session.cancelled_at, cancel_reason=reason))
    session.places_taken = session.waiting = 0
    audit.note(actor, "cancelled", "session", [session_id], {"reason": reason})
    db.session.flush()
    return session


def delete_session(session_id: int) -> None:
    """Only what nobody has booked; anything else is cancelled, with a reason."""
    session = programmes.session_for_update(session_id)
    if session is None:
        raise NotVisible
    if queries.has_any(session_id):
        raise Refused("has_bookings")
    if session.awaits_draw:
        raise Refused("draw_pending")
    services.remove(session)
