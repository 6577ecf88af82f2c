"""The short way to a place: one person, nobody waiting, no limits to count (benchmarks/booking).

What the rules need is read by one statement, and one statement takes the place, keeps the booking, tells and notes it
(four on SQLite, which has no network in between). It takes the place only while the session is still of the version
that the rules were checked against. The statements are built once: putting them together costs more than running them.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import (
    JSON,
    BigInteger,
    Executable,
    String,
    Table,
    Update,
    and_,
    bindparam,
    case,
    insert,
    literal,
    null,
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


def take(actor: Actor, session_id: int, resident_id: int, seen: Look) -> Booking | None:
    """The booking, detached, or None where it takes a closer look: full, somebody waits, or the session changed."""
    booking = Booking(
        reference=new_reference(), session_id=session_id, resident_id=resident_id, state=BookingState.CONFIRMED,
        starts_at=seen.offer.window.starts_at, ends_at=seen.offer.ends_at, created_at=clock.now(),
        booked_by=actor.user_id)
    values = {"a_session": session_id, "a_version": seen.version, "a_resident": resident_id,
              "a_user": actor.user_id, "at_present": booking.created_at, "a_reference": booking.reference,
              "some_facts": dict(seen.facts)}
    connection = db.session.connection()
    if connection.dialect.name == "postgresql":
        found = AT_ONCE.rows(connection, values)
        booking.id = found[0][0] if found else 0
        return booking if found else None
    if not TAKE.run(connection, values):
        return None
    ((booking.id,),) = KEEP.rows(connection, {**values, "a_start": booking.starts_at, "an_end": booking.ends_at})
    TELL.run(connection, {**values, "a_booking": booking.id})
    NOTE.run(connection, {**values, "a_booking": booking.id})
    return booking


def _take_place() -> Update:
    s = _sessions.c
    return (update(_sessions)
            .where(s.id == _session_id, s.version == _version, s.places_taken < s.capacity, s.waiting == 0)
            .values(places_taken=s.places_taken + 1))


_COLUMNS = ("session_id", "starts_at", "ends_at", "resident_id", "reference", "state", "created_at", "booked_by")
_TOLD = ("about_id", "resident_id", "user_id", "kind", "about_kind", "facts", "created_at", "read_at")
_NOTED = ("about_id", "at", "user_id", "verb", "about_kind", "facts")


def _at_once() -> Executable:
    """PostgreSQL: all of it in one statement. The span is read off the row that was just taken."""
    s = _sessions.c
    taken = _take_place().returning(s.id, s.starts_at, s.ends_at).cte("taken")
    booked = insert(_bookings).from_select(_COLUMNS, select(
        taken.c.id, taken.c.starts_at, taken.c.ends_at, _resident_id, _reference, _confirmed, _now, _user_id,
    )).returning(_bookings.c.id).cte("booked")
    told, noted = _telling(booked.c.id), _noting(booked.c.id)
    return select(booked.c.id).add_cte(told.cte("told"), noted.cte("noted"))


def _keep() -> Executable:
    return insert(_bookings).values(
        session_id=_session_id, starts_at=_start, ends_at=_end, resident_id=_resident_id, reference=_reference,
        state=_confirmed, created_at=_now, booked_by=_user_id).returning(_bookings.c.id)


def _telling(booking_id: Any) -> Any:  # noqa: ANN401 - a column or a parameter
    """As infra.outbox.tell: one row for each account that acts for the resident; who did it has read it."""
    reader = _links.c.user_id
    row = (booking_id, _resident_id, reader, literal("booked"), literal("booking"), _facts, _now,
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
