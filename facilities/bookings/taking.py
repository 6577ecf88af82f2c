"""The short way to a place: one person, nobody waiting, no limits to count (benchmarks/booking).

On PostgreSQL one statement checks, takes the place, keeps the booking, tells and notes it. It may say no where the
engine would say yes, never the other way (a test compares them): what it does not give gets a closer look. Then, and on
SQLite, which has no network in between, the engine decides on what was read, and the place is taken only while the
session is still of the version that the rules were checked against.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import (
    JSON,
    BigInteger,
    Executable,
    Integer,
    String,
    Table,
    Update,
    and_,
    bindparam,
    case,
    func,
    insert,
    literal,
    null,
    or_,
    select,
    true,
    update,
)

from facilities.bookings.models import Booking, BookingState
from facilities.engine.deadlines import BookingWindow
from facilities.engine.eligibility import Audience, Candidate
from facilities.engine.limits import Limits
from facilities.engine.on_offer import OnOffer
from facilities.households.models import Guardianship, Resident
from facilities.infra.audit import AuditEntry
from facilities.infra.columns import UtcDateTime
from facilities.infra.db import db
from facilities.infra.outbox import Notice
from facilities.infra.prepared import Prepared
from facilities.infra.sql import day_number, local_day, local_instant
from facilities.kernel import clock
from facilities.kernel.actors import Actor
from facilities.kernel.ids import new_reference
from facilities.programmes.models import ActivitySession, Programme, SessionStatus

_sessions: Table = ActivitySession.__table__  # type: ignore[assignment]
_bookings: Table = Booking.__table__  # type: ignore[assignment]
_notices: Table = Notice.__table__  # type: ignore[assignment]
_audit: Table = AuditEntry.__table__  # type: ignore[assignment]
_links: Table = Guardianship.__table__  # type: ignore[assignment]

# An UPDATE keeps the columns' own names for itself.
_session_id, _version = bindparam("a_session", type_=BigInteger), bindparam("a_version", type_=BigInteger)
_resident_id, _user_id = bindparam("a_resident", type_=BigInteger), bindparam("a_user", type_=BigInteger)
_booking_id, _reference = bindparam("a_booking", type_=BigInteger), bindparam("a_reference", type_=String)
_now, _facts = bindparam("at_present", type_=UtcDateTime), bindparam("some_facts", type_=JSON)
_start, _end = bindparam("a_start", type_=UtcDateTime), bindparam("an_end", type_=UtcDateTime)
_confirmed = literal(BookingState.CONFIRMED, _bookings.c.state.type)


class Look(NamedTuple):
    """A session and a resident as far as a booking needs them. `waiting` people come first."""

    offer: OnOffer
    candidate: Candidate
    limits: Limits
    waiting: int
    version: int
    facts: Mapping[str, object]


def _looking() -> Executable:
    s, r = _sessions.c, Resident.__table__.c
    return (select(s.status, s.awaits_draw, s.version, s.waiting, s.starts_at, s.ends_at, s.booking_opens_at,
                   s.booking_closes_at, s.title, s.title_en, s.min_age, s.max_age, s.sex, s.disability, s.communities,
                   Programme.per_resident_per_week, Programme.per_household_per_session,
                   r.birth_date, r.sex.label("persons_sex"), r.disability_category, r.community_code)
            .select_from(_sessions.join(Programme, Programme.id == s.programme_id)
                         .join(_links, and_(_links.c.user_id == _user_id, _links.c.resident_id == _resident_id))
                         .join(Resident, Resident.id == _links.c.resident_id))
            .where(s.id == _session_id))


def look(actor: Actor, session_id: int, resident_id: int) -> Look | None:
    """None where the session is not there or the resident not the actor's."""
    rows = LOOK.rows(db.session.connection(), {
        "a_session": session_id, "a_user": actor.user_id, "a_resident": resident_id})
    return _read(session_id, rows[0]) if rows else None


def _read(session_id: int, row: tuple[Any, ...]) -> Look:
    (status, awaits_draw, version, waiting, starts_at, ends_at, opens_at, closes_at, title, title_en, min_age, max_age,
     sex, disability, communities, week, household, birth_date, persons_sex, category, community_code) = row
    window = BookingWindow(starts_at, opens_at, closes_at)
    audience = Audience(min_age, max_age, sex, disability, tuple(communities or ()))
    return Look(
        OnOffer(window, ends_at, audience, status is SessionStatus.CANCELLED, awaits_draw),
        Candidate(birth_date, persons_sex, category is not None, community_code),
        Limits(week, household), waiting, version, said_of(session_id, title, title_en, starts_at, ends_at))


def said_of(session_id: int, title: str, title_en: str | None, starts_at: datetime, ends_at: datetime,
            ) -> Mapping[str, object]:
    """What a message says of a session, as it was when it was written."""
    return {"title": title, "title_en": title_en, "session_id": session_id,
            "starts_at": clock.local(starts_at).isoformat(), "ends_at": clock.local(ends_at).isoformat()}


def at_once(actor: Actor, session_id: int, resident_id: int) -> Booking | None:
    """The booking, detached, or None where it takes a closer look. PostgreSQL only."""
    if db.engine.dialect.name != "postgresql":
        return None
    booking = _booking(actor, session_id, resident_id)
    rows = AT_ONCE.rows(db.session.connection(), _values(actor, booking))
    if not rows:
        return None
    ((booking.id, booking.starts_at, booking.ends_at),) = rows
    return booking


def take(actor: Actor, session_id: int, resident_id: int, seen: Look) -> Booking | None:
    """The booking, detached, or None where the session is full, somebody waits, or it is no longer what was seen."""
    booking = _booking(actor, session_id, resident_id)
    booking.starts_at, booking.ends_at = seen.offer.window.starts_at, seen.offer.ends_at
    values = {**_values(actor, booking), "a_version": seen.version, "a_start": booking.starts_at,
              "an_end": booking.ends_at, "some_facts": dict(seen.facts)}
    connection = db.session.connection()
    if not TAKE.run(connection, values):
        return None
    ((booking.id,),) = KEEP.rows(connection, values)
    TELL.run(connection, {**values, "a_booking": booking.id})
    NOTE.run(connection, {**values, "a_booking": booking.id})
    return booking


def _booking(actor: Actor, session_id: int, resident_id: int) -> Booking:
    return Booking(reference=new_reference(), session_id=session_id, resident_id=resident_id,
                   state=BookingState.CONFIRMED, created_at=clock.now(), booked_by=actor.user_id)


def _values(actor: Actor, booking: Booking) -> dict[str, object]:
    return {"a_session": booking.session_id, "a_resident": booking.resident_id, "a_user": actor.user_id,
            "at_present": booking.created_at, "a_reference": booking.reference}


def _take_place() -> Update:
    s = _sessions.c
    return (update(_sessions)
            .where(s.id == _session_id, s.version == _version, s.places_taken < s.capacity, s.waiting == 0)
            .values(places_taken=s.places_taken + 1))


_COLUMNS = ("session_id", "starts_at", "ends_at", "resident_id", "reference", "state", "created_at", "booked_by")
_TOLD = ("about_id", "resident_id", "user_id", "kind", "about_kind", "facts", "created_at", "read_at")
_NOTED = ("about_id", "at", "user_id", "verb", "about_kind", "facts")


def _at_once() -> Executable:
    """engine.on_offer in SQL, for a session that anyone may book who is of the age, of the sex, or has a disability."""
    s, r, p = _sessions.c, Resident.__table__.c, Programme.__table__.c
    age = (local_day(s.starts_at) - day_number(r.birth_date)) // literal(10_000, Integer)
    taken = (
        update(_sessions)
        .where(s.id == _session_id, s.places_taken < s.capacity, s.waiting == 0,
               s.status != SessionStatus.CANCELLED, s.awaits_draw.is_(False),
               or_(s.booking_opens_at.is_(None), s.booking_opens_at <= _now),
               func.coalesce(s.booking_closes_at, s.starts_at) > _now,
               p.id == s.programme_id, p.per_resident_per_week.is_(None), p.per_household_per_session.is_(None),
               _links.c.user_id == _user_id, _links.c.resident_id == _resident_id, r.id == _links.c.resident_id,
               or_(s.sex.is_(None), s.sex == r.sex),
               or_(s.disability.is_(False), r.disability_category.is_not(None)),
               s.communities.is_(None),
               or_(and_(s.min_age.is_(None), s.max_age.is_(None)),
                   and_(age >= func.coalesce(s.min_age, 0), age <= func.coalesce(s.max_age, age))))
        .values(places_taken=s.places_taken + 1)
        .returning(s.id, s.starts_at, s.ends_at, s.title, s.title_en).cte("taken"))
    t = taken.c
    booked = insert(_bookings).from_select(_COLUMNS, select(
        t.id, t.starts_at, t.ends_at, _resident_id, _reference, _confirmed, _now, _user_id,
    )).returning(_bookings.c.id).cte("booked")
    facts = func.json_build_object(
        "title", t.title, "title_en", t.title_en, "session_id", t.id,
        "starts_at", local_instant(t.starts_at), "ends_at", local_instant(t.ends_at), type_=JSON)
    told = _telling(booked.c.id, select(facts).scalar_subquery())
    return (select(booked.c.id, t.starts_at, t.ends_at).select_from(booked.join(taken, true()))
            .add_cte(told.cte("told"), _noting(booked.c.id).cte("noted")))


def _keep() -> Executable:
    return insert(_bookings).values(
        session_id=_session_id, starts_at=_start, ends_at=_end, resident_id=_resident_id, reference=_reference,
        state=_confirmed, created_at=_now, booked_by=_user_id).returning(_bookings.c.id)


def _telling(booking_id: Any, facts: Any = _facts) -> Any:  # noqa: ANN401 - columns or parameters
    """As infra.outbox.tell: one row for each account that acts for the resident; who did it has read it."""
    reader = _links.c.user_id
    row = (booking_id, _resident_id, reader, literal("booked"), literal("booking"), facts, _now,
           case((reader == _user_id, _now), else_=null()))
    source = select(*row).where(_links.c.resident_id == _resident_id)
    if getattr(booking_id, "table", None) is not None:
        source = source.select_from(booking_id.table.join(_links, true()))
    return insert(_notices).from_select(_TOLD, source)


def _noting(booking_id: Any) -> Any:  # noqa: ANN401 - a column or a parameter
    return insert(_audit).from_select(_NOTED, select(
        booking_id, _now, _user_id, literal("booked"), literal("booking"), literal({}, JSON)))


LOOK, AT_ONCE = Prepared(_looking), Prepared(_at_once)
TAKE, KEEP = Prepared(_take_place), Prepared(_keep)
TELL, NOTE = Prepared(lambda: _telling(_booking_id)), Prepared(lambda: _noting(_booking_id))
