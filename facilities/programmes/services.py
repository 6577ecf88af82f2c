"""The verbs about what is on offer: set up a programme; announce, change, call off a session."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import update
from sqlalchemy.exc import IntegrityError

from facilities.engine.deadlines import BookingWindow, check_ordered
from facilities.engine.eligibility import Audience, Sex
from facilities.engine.limits import Limits
from facilities.engine.waitlist import WaitlistMode
from facilities.infra.db import Model, db
from facilities.infra.integrity import refused_by
from facilities.kernel import clock
from facilities.kernel.actors import Actor
from facilities.kernel.refusals import Invalid, Refused
from facilities.places import queries as places
from facilities.places.models import FacilityKind, Space
from facilities.places.services import hold_space, prepare_to_hold, release_space
from facilities.programmes import queries
from facilities.programmes.models import ActivitySession, Programme, ProviderType, SessionStatus

LONGEST_SESSION = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class Offer:
    """What a manager announces; audience None means the programme's."""

    programme_id: int
    facility_id: int
    title: str
    starts_at: datetime
    ends_at: datetime
    capacity: int
    space_id: int | None = None
    title_en: str | None = None
    details: str | None = None
    booking_opens_at: datetime | None = None
    booking_closes_at: datetime | None = None
    cancellation_closes_at: datetime | None = None
    audience: Audience | None = None
    waitlist_mode: WaitlistMode = WaitlistMode.CONFIRM
    waitlist_capacity: int | None = None
    offer_minutes: int | None = None
    series_id: int | None = None
    occurs_at: datetime | None = None


def add_programme(name: str, facility_kind: FacilityKind, *, name_en: str | None = None,
                  audience: Audience | None = None, summary: str | None = None, summary_en: str | None = None,
                  limits: Limits | None = None, records_time: bool = False,
                  provider_type: ProviderType = ProviderType.OWN, volunteer: bool = False) -> Programme:
    """`records_time`: coming and going are written down, as day care does.

    Refused `name_taken` or `ages_out_of_order`."""
    programme = Programme(name=name, name_en=name_en, facility_kind=facility_kind, summary=summary,
                          summary_en=summary_en, records_time=records_time,
                          provider_type=provider_type, volunteer=volunteer, **audience_columns(audience or Audience()),
                          **asdict(limits or Limits()))
    db.session.add(programme)
    db.session.flush()
    return programme


def announce(actor: Actor | None, offer: Offer) -> ActivitySession:
    """A new session, which holds its space from then on. Refused `space_taken`; a session in the past is allowed."""
    programme = queries.programme(offer.programme_id)
    if programme is None:
        raise Invalid(programme_id="unknown_programme")
    space = _space(offer.facility_id, offer.space_id)
    values = asdict(offer)
    values.pop("audience")
    session = ActivitySession(**values, **audience_columns(offer.audience or programme.audience),
                              status=SessionStatus.SCHEDULED, places_taken=0,
                              created_by=actor.user_id if actor else None)
    _check_times(session)
    db.session.add(session)
    db.session.flush()
    if space is not None:
        hold_space(space, session.starts_at, session.ends_at, session_id=session.id)
    else:
        prepare_to_hold(session.facility_id, None, session.starts_at, session.ends_at)
    return session


def change(session_id: int, changes: Mapping[str, Any]) -> ActivitySession:
    """Any of the announced fields. Bookings and the space follow the new time, or the change is refused whole."""
    session = queries.session_for_update(session_id)
    if session is None or session.is_cancelled:
        raise Refused("session_cancelled")
    values = dict(changes)
    audience = values.pop("audience", None)
    if audience is not None:
        values.update(audience_columns(audience))
    if "programme_id" in values and queries.programme(values["programme_id"]) is None:
        raise Invalid(programme_id="unknown_programme")
    if "capacity" in values:
        _change_capacity(session, values.pop("capacity"))
    facility_id = values.get("facility_id", session.facility_id)
    if facility_id != session.facility_id:  # a space of the old facility stays behind
        values.setdefault("space_id", None)
    moves_space = facility_id != session.facility_id or values.get("space_id", session.space_id) != session.space_id
    space = _space(facility_id, values.get("space_id")) if moves_space else None
    if moves_space:  # before the time changes, so that the old space is in nobody's way
        release_space(session_id=session.id)
    for name, value in values.items():
        setattr(session, name, value)
    session.version += 1
    _check_times(session)
    if moves_space or "starts_at" in values or "ends_at" in values:
        with db.session.no_autoflush:
            prepare_to_hold(facility_id, session.space_id, session.starts_at, session.ends_at)
    _flush_move()
    if space is not None:
        hold_space(space, session.starts_at, session.ends_at, session_id=session.id)
    return session


def _change_capacity(session: ActivitySession, capacity: int) -> None:
    """One conditional statement: nobody books between the look and the change."""
    changed = db.session.execute(
        update(ActivitySession).where(ActivitySession.id == session.id, ActivitySession.places_taken <= capacity)
        .values(capacity=capacity).returning(ActivitySession.id)).first()
    if changed is None:
        raise Refused("capacity_below_bookings", places_taken=session.places_taken)
    db.session.refresh(session)


def _flush_move() -> None:
    try:
        db.session.flush()
    except IntegrityError as error:
        refused = refused_by(error, Model.metadata)
        if refused is not None and refused.refusal.code == "overlaps_own_booking":
            raise Refused("residents_elsewhere") from error
        raise


def _space(facility_id: int, space_id: int | None) -> Space | None:
    if space_id is None:
        return None
    space = places.space_in(facility_id, space_id)
    if space is None:
        raise Invalid(space_id="unknown_space")
    return space


def _check_times(session: ActivitySession) -> None:
    if session.starts_at >= session.ends_at:
        raise Invalid(ends_at="ends_before_it_starts")
    if session.ends_at - session.starts_at > LONGEST_SESSION:
        raise Invalid(ends_at="too_long_a_session")
    window = BookingWindow(session.starts_at, session.booking_opens_at, session.booking_closes_at,
                           session.cancellation_closes_at)
    if wrong := check_ordered(window):
        raise Invalid(**wrong)


def call_off(session: ActivitySession, reason: str) -> None:
    """Cancel the session and give its space back; its bookings are the caller's to cancel."""
    if session.status is SessionStatus.HELD:
        raise Refused("session_held")
    session.status, session.cancelled_at, session.cancel_reason = SessionStatus.CANCELLED, clock.now(), reason
    session.version += 1
    release_space(session_id=session.id)
    db.session.flush()


def remove(session: ActivitySession) -> None:
    db.session.delete(session)
    db.session.flush()


def follow_the_roll(session: ActivitySession, *, person_times: int) -> None:
    """`held` says that somebody was there; it comes and goes with the attendance entries."""
    if not session.is_cancelled:
        session.status = SessionStatus.HELD if person_times else SessionStatus.SCHEDULED


def audience_columns(audience: Audience) -> dict[str, Any]:
    return {**asdict(audience), "communities": list(audience.communities) or None}


def audience_of(min_age: int | None, max_age: int | None, sex: str | None, *, disability: bool = False,
                communities: Iterable[str] = ()) -> Audience:
    if min_age is not None and max_age is not None and max_age < min_age:
        raise Invalid(max_age="ages_out_of_order")
    codes = tuple(dict.fromkeys(communities))
    if not all(places.is_part_of_the_district(code) for code in codes):
        raise Invalid(communities="unknown_community")
    return Audience(min_age, max_age, Sex(sex) if sex else None, disability, codes)
