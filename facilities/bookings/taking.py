"""The short way to a place: one person, nobody waiting, no limits to count (benchmarks/booking).

A transaction of its own takes the place, keeps the booking, tells and notes it, and keeps the answer under the
request's key: nobody waits for a place while Python is at work (decision 8). On PostgreSQL that is one statement, which
also checks. It may say no where the engine would say yes, never the other way (a test compares them): what it does not
give gets a closer look. There, and on SQLite, which has no network in between, the engine decides on what was read, and
the place is taken only while the session is still of the version that the rules were checked against.
"""

import json
from collections.abc import Mapping
from datetime import datetime
from itertools import chain
from typing import Any, NamedTuple, TypeVar

from sqlalchemy import (
    JSON,
    BigInteger,
    ColumnElement,
    Connection,
    Date,
    Executable,
    Integer,
    String,
    Table,
    Update,
    and_,
    bindparam,
    case,
    cast,
    exists,
    func,
    insert,
    literal,
    literal_column,
    null,
    or_,
    select,
    true,
    update,
)
from sqlalchemy.exc import IntegrityError

from facilities.bookings.models import Booking, BookingPause, BookingState
from facilities.engine.deadlines import BookingWindow
from facilities.engine.eligibility import Audience, Candidate
from facilities.engine.limits import Limits
from facilities.engine.no_shows import check_pause
from facilities.engine.on_offer import OnOffer, check_offer
from facilities.households.models import Guardianship, Resident
from facilities.infra.audit import AuditEntry
from facilities.infra.columns import UtcDateTime
from facilities.infra.db import db
from facilities.infra.idempotency import Asked, IdempotencyKey, Outcome, keep, raise_if_taken
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
_kept: Table = IdempotencyKey.__table__  # type: ignore[assignment]
_audit: Table = AuditEntry.__table__  # type: ignore[assignment]
_links: Table = Guardianship.__table__  # type: ignore[assignment]

# An UPDATE keeps the columns' own names for itself.
_session_id, _version = bindparam("a_session", type_=BigInteger), bindparam("a_version", type_=BigInteger)
_resident_id, _user_id = bindparam("a_resident", type_=BigInteger), bindparam("a_user", type_=BigInteger)
_booking_id, _reference = bindparam("a_booking", type_=BigInteger), bindparam("a_reference", type_=String)
_now, _facts = bindparam("at_present", type_=UtcDateTime), bindparam("some_facts", type_=JSON)
_today = bindparam("this_day", type_=Date)
_key, _fingerprint = bindparam("a_key", type_=String), bindparam("a_fingerprint", type_=String)
_start, _end = bindparam("a_start", type_=UtcDateTime), bindparam("an_end", type_=UtcDateTime)
_confirmed = literal(BookingState.CONFIRMED, _bookings.c.state.type)


class Look(NamedTuple):
    """A session and a resident as far as a booking needs them. `waiting` people come first.

    `paused_until`: the resident books the programme only on the day itself.
    """

    offer: OnOffer
    candidate: Candidate
    limits: Limits
    waiting: int
    version: int
    facts: Mapping[str, object]
    paused_until: datetime | None = None


def _looking() -> Executable:
    s, r = _sessions.c, Resident.__table__.c
    return (select(s.status, s.awaits_draw, s.version, s.waiting, s.starts_at, s.ends_at, s.booking_opens_at,
                   s.booking_closes_at, s.title, s.title_en, s.min_age, s.max_age, s.sex, s.disability, s.communities,
                   Programme.per_resident_per_week, Programme.per_household_per_session,
                   r.birth_date, r.sex.label("persons_sex"), r.disability_category, r.community_code,
                   select(func.max(BookingPause.until)).where(_paused(s)).scalar_subquery().label("paused_until"))
            .select_from(_sessions.join(Programme, Programme.id == s.programme_id)
                         .join(_links, _may_act())
                         .join(Resident, Resident.id == _links.c.resident_id))
            .where(s.id == _session_id).with_for_update(read=True, key_share=True, of=_links))


def _may_act() -> ColumnElement[bool]:
    return and_(_links.c.user_id == _user_id, _links.c.resident_id == _resident_id, Guardianship.acts_on(_today))


def _paused(sessions: Any) -> ColumnElement[bool]:  # noqa: ANN401 - the table's columns
    """Of pauses: those that keep the resident from the session's programme. One look into an index."""
    return and_(BookingPause.resident_id == _resident_id, BookingPause.programme_id == sessions.programme_id,
                BookingPause.in_force(_now))


def look(actor: Actor, session_id: int, resident_id: int) -> Look | None:
    """None where the session is not there or the resident not the actor's.

    The right to act is locked with it: who makes the resident leave the household meanwhile waits.
    """
    rows = LOOK.rows(db.session.connection(), _whose(actor, session_id, resident_id))
    return _read(session_id, rows[0]) if rows else None


def _whose(actor: Actor, session_id: int, resident_id: int) -> dict[str, object]:
    now = clock.now()
    return {"a_session": session_id, "a_user": actor.user_id, "a_resident": resident_id, "at_present": now,
            "this_day": clock.local_date(now)}


def _read(session_id: int, row: tuple[Any, ...]) -> Look:
    (status, awaits_draw, version, waiting, starts_at, ends_at, opens_at, closes_at, title, title_en, min_age, max_age,
     sex, disability, communities, week, household, birth_date, persons_sex, category, community_code, paused) = row
    window = BookingWindow(starts_at, opens_at, closes_at)
    audience = Audience(min_age, max_age, sex, disability, tuple(communities or ()))
    return Look(
        OnOffer(window, ends_at, audience, status is SessionStatus.CANCELLED, awaits_draw),
        Candidate(birth_date, persons_sex, category is not None, community_code),
        Limits(week, household), waiting, version, said_of(session_id, title, title_en, starts_at, ends_at), paused)


def said_of(session_id: int, title: str, title_en: str | None, starts_at: datetime, ends_at: datetime,
            ) -> Mapping[str, object]:
    """What a message says of a session, as it was when it was written."""
    return {"title": title, "title_en": title_en, "session_id": session_id,
            "starts_at": _shown(starts_at), "ends_at": _shown(ends_at)}


def at_once(actor: Actor, session_id: int, resident_id: int, asked: Asked | None = None) -> str | None:
    """What the API says of the booking, in JSON, or None where it takes a closer look.

    Committed when it returns, and kept under the key that was `asked` under. KeyTaken where the key was used before.
    """
    values = {**_whose(actor, session_id, resident_id), "a_reference": new_reference()}
    if db.engine.dialect.name == "sqlite":
        return _in_steps(values, asked)
    key, fingerprint = (asked.key, asked.fingerprint) if asked else (None, None)
    try:
        rows = AT_ONCE.alone(db.engine, {**values, "a_key": key, "a_fingerprint": fingerprint})
    except IntegrityError as error:
        raise_if_taken(error)
        raise
    return rows[0][0] if rows else None


def _in_steps(values: dict[str, Any], asked: Asked | None) -> str | None:
    rows = LOOK.alone(db.engine, values)
    seen = _read(values["a_session"], rows[0]) if rows else None
    now = values["at_present"]
    if (seen is None or seen.limits or seen.waiting or check_offer(seen.offer, seen.candidate, now)
            or check_pause(seen.paused_until, seen.offer.window.starts_at, now)):
        return None
    with db.engine.begin() as connection:
        booking_id = _write(connection, values, seen)
        if booking_id is None:
            return None
        item = _said_of_booking(
            (str(booking_id), str(values["a_session"]), str(values["a_resident"])), values["a_reference"],
            (_shown(seen.offer.window.starts_at), _shown(seen.offer.ends_at)), None)
        answer = json.dumps({"items": [item], "refused": []})
        if asked:
            keep(asked, Outcome(201, "application/json", None, answer), connection)
    return answer


def take(actor: Actor, session_id: int, resident_id: int, seen: Look) -> Booking | None:
    """The booking, detached, or None where the session is full, somebody waits, or it is no longer what was seen."""
    values = {**_whose(actor, session_id, resident_id), "a_reference": new_reference()}
    booking_id = _write(db.session.connection(), values, seen)
    if booking_id is None:
        return None
    return Booking(id=booking_id, reference=values["a_reference"], session_id=session_id, resident_id=resident_id,
                   starts_at=seen.offer.window.starts_at, ends_at=seen.offer.ends_at,
                   state=BookingState.CONFIRMED, created_at=values["at_present"], booked_by=actor.user_id)


def _write(connection: Connection, values: Mapping[str, object], seen: Look) -> int | None:
    """The id of the booking, which is told and noted; None where the place was not to be had."""
    values = {**values, "a_version": seen.version, "a_start": seen.offer.window.starts_at,
              "an_end": seen.offer.ends_at, "some_facts": dict(seen.facts)}
    if not TAKE.run(connection, values):
        return None
    ((booking_id,),) = KEEP.rows(connection, values)
    TELL.run(connection, {**values, "a_booking": booking_id})
    NOTE.run(connection, {**values, "a_booking": booking_id})
    return int(booking_id)


def _shown(instant: datetime) -> str:
    return clock.local(instant).isoformat()


def _take_place() -> Update:
    s = _sessions.c
    return (update(_sessions)
            .where(s.id == _session_id, s.version == _version, s.places_taken < s.capacity, s.waiting == 0,
                   exists().where(_may_act()))
            .values(places_taken=s.places_taken + 1))


T = TypeVar("T")

_COLUMNS = ("session_id", "starts_at", "ends_at", "resident_id", "reference", "state", "created_at", "booked_by")
_TOLD = ("about_id", "resident_id", "user_id", "kind", "about_kind", "facts", "created_at", "read_at")
_KEPT = ("user_id", "key", "fingerprint", "status", "media_type", "body", "created_at")
_NOTED = ("about_id", "at", "user_id", "verb", "about_kind", "facts")


def _at_once() -> Executable:
    """engine.on_offer in SQL, for a session that anyone may book who is of the age, of the sex, or has a disability.

    Whoever is paused gets a closer look: on the day itself they may book.
    """
    s, r, p = _sessions.c, Resident.__table__.c, Programme.__table__.c
    age = (local_day(s.starts_at) - day_number(r.birth_date)) // literal(10_000, Integer)
    # whoever makes the resident leave the household is waited for, or waits (docs/locking.md)
    acting = select(_links.c.resident_id).where(_may_act()).with_for_update(read=True, key_share=True).cte("acting")
    taken = (
        update(_sessions)
        .where(s.id == _session_id, s.places_taken < s.capacity, s.waiting == 0,
               s.status != SessionStatus.CANCELLED, s.awaits_draw.is_(False),
               or_(s.booking_opens_at.is_(None), s.booking_opens_at <= _now),
               func.coalesce(s.booking_closes_at, s.starts_at) > _now,
               p.id == s.programme_id, p.per_resident_per_week.is_(None), p.per_household_per_session.is_(None),
               r.id == acting.c.resident_id,
               or_(s.sex.is_(None), s.sex == r.sex),
               or_(s.disability.is_(False), r.disability_category.is_not(None)),
               s.communities.is_(None), ~exists().where(_paused(s)),
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
    answer = select(_answered(taken, booked).label("body")).select_from(booked.join(taken, true())).cte("answer")
    kept = insert(_kept).from_select(_KEPT, select(
        _user_id, _key, _fingerprint, literal(201), literal("application/json"), answer.c.body, _now,
    ).where(_key.is_not(None)))
    return select(answer.c.body).add_cte(told.cte("told"), _noting(booked.c.id).cte("noted"), kept.cte("kept"))


def _keep() -> Executable:
    return insert(_bookings).values(
        session_id=_session_id, starts_at=_start, ends_at=_end, resident_id=_resident_id, reference=_reference,
        state=_confirmed, created_at=_now, booked_by=_user_id).returning(_bookings.c.id)


def _telling(booking_id: Any, facts: Any = _facts) -> Any:  # noqa: ANN401 - columns or parameters
    """As infra.outbox.tell: one row for each account that acts for the resident; who did it has read it."""
    reader = _links.c.user_id
    row = (booking_id, _resident_id, reader, literal("booked"), literal("booking"), facts, _now,
           case((reader == _user_id, _now), else_=null()))
    source = select(*row).where(_links.c.resident_id == _resident_id, Guardianship.acts_on(_today))
    if getattr(booking_id, "table", None) is not None:
        source = source.select_from(booking_id.table.join(_links, true()))
    return insert(_notices).from_select(_TOLD, source)


def _answered(taken: Any, booked: Any) -> Any:  # noqa: ANN401 - the two parts of the statement
    said: Mapping[str, Any] = _said_of_booking(
        (cast(booked.c.id, String), cast(taken.c.id, String), cast(_resident_id, String)), _reference,
        (local_instant(taken.c.starts_at), local_instant(taken.c.ends_at)), null())
    item = func.json_build_object(*chain.from_iterable(said.items()))
    nobody = func.json_build_array()
    return cast(func.json_build_object("items", func.json_build_array(item), "refused", nobody), String(None))


def _said_of_booking(ids: tuple[T, T, T], reference: T, ends: tuple[T, T], nothing: T | None,
                     ) -> dict[str, T | str | None]:
    """schemas.BookingOut of one person's new booking, in values or in columns that hold them."""
    booking_id, session_id, resident_id = ids
    starts_at, ends_at = ends
    return {"id": booking_id, "reference": reference, "session_id": session_id, "resident_id": resident_id,
            "status": BookingState.CONFIRMED.value, "party": nothing, "waitlist_position": nothing,
            "offer_expires_at": nothing, "starts_at": starts_at, "ends_at": ends_at, "cancel_reason": nothing}


def _noting(booking_id: Any) -> Any:  # noqa: ANN401 - a column or a parameter
    return insert(_audit).from_select(_NOTED, select(
        booking_id, _now, _user_id, literal("booked"), literal("booking"), literal_column("'{}'", JSON)))


LOOK, AT_ONCE = Prepared(_looking), Prepared(_at_once)
TAKE, KEEP = Prepared(_take_place), Prepared(_keep)
TELL, NOTE = Prepared(lambda: _telling(_booking_id)), Prepared(lambda: _noting(_booking_id))
