"""Reads about what was promised, through who may see it."""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Select,
    and_,
    case,
    column,
    exists,
    func,
    literal,
    or_,
    select,
    table,
    tuple_,
    union,
)
from sqlalchemy.orm import contains_eager, joinedload

from facilities.bookings.models import (
    FOLLOWS_THE_ROLL,
    LIVE,
    OCCUPYING,
    PROMISED,
    ROLL_TAKEN,
    Booking,
    BookingPause,
    BookingState,
)
from facilities.engine.limits import week_of
from facilities.engine.roll_call import ENTRY_ENDS_AFTER_END, LATE_ARRIVAL_LIMIT
from facilities.households import queries as households
from facilities.households.models import Guardianship, Resident
from facilities.infra.audit import AuditEntry
from facilities.infra.db import db
from facilities.kernel import clock
from facilities.kernel.actors import Actor
from facilities.programmes.models import ActivitySession, SessionStatus

# Of the floor above, which this one cannot import: only whom its rows name is asked (`met`, `unticked`).
_attendances = table("attendances", column("session_id", BigInteger), column("resident_id", BigInteger),
                     column("recorded_by", BigInteger))
LOOKED_AT_ROSTER = "looked_at_roster"  # the audit's verb; those on the roster read of it


def standing(resident_ids: Collection[int], session: ActivitySession) -> dict[int, str]:
    """Of each resident who has a live booking in the way, the code of the refusal; the same session's comes first."""
    rows = db.session.execute(
        select(Booking.resident_id, Booking.session_id).where(
            Booking.resident_id.in_(resident_ids),
            or_(
                and_(Booking.session_id == session.id, Booking.state.in_(LIVE)),
                and_(Booking.state.in_(OCCUPYING), Booking.starts_at < session.ends_at,
                     Booking.ends_at > session.starts_at),
            )))
    found: dict[int, str] = {}
    for resident_id, session_id in rows:
        if session_id == session.id:
            found[resident_id] = "already_booked"
        else:
            found.setdefault(resident_id, "overlaps_own_booking")
    return found


def elsewhere(resident_ids: Collection[int], session: ActivitySession) -> set[int]:
    """Those who hold a place in another session at the same time."""
    return set(db.session.scalars(
        select(Booking.resident_id).where(
            Booking.resident_id.in_(resident_ids), Booking.session_id != session.id, Booking.state.in_(OCCUPYING),
            Booking.starts_at < session.ends_at, Booking.ends_at > session.starts_at)))


def paused_until(resident_ids: Collection[int], programme_ids: Collection[int], now: datetime,
                 ) -> dict[tuple[int, int], datetime]:
    """(Resident, programme) → when a pause from booking in advance is over; who has none is not in it."""
    rows = db.session.execute(
        select(BookingPause.resident_id, BookingPause.programme_id, func.max(BookingPause.until))
        .where(BookingPause.resident_id.in_(resident_ids), BookingPause.programme_id.in_(programme_ids),
               BookingPause.in_force(now))
        .group_by(BookingPause.resident_id, BookingPause.programme_id))
    return {(resident_id, programme_id): until for resident_id, programme_id, until in rows}


def held_in_week(resident_ids: Collection[int], session: ActivitySession) -> dict[int, int]:
    """Places of the session's programme that each resident holds in its week; who has none is not in it."""
    start, end = clock.day_span(*week_of(clock.local_date(session.starts_at)))
    rows = db.session.execute(
        select(Booking.resident_id, func.count())
        .join(ActivitySession, ActivitySession.id == Booking.session_id)
        .where(Booking.resident_id.in_(resident_ids), Booking.state.in_(OCCUPYING), Booking.starts_at >= start,
               Booking.starts_at < end, ActivitySession.programme_id == session.programme_id)
        .group_by(Booking.resident_id))
    return dict(rows.tuples().all())


def held_by_household(resident_id: int, session_id: int) -> int:
    """Live bookings in the session of everyone for whom one of the resident's accounts acts."""
    accounts = select(Guardianship.user_id).where(households.who_acts_for(resident_id))
    family = select(Guardianship.resident_id).where(
        Guardianship.user_id.in_(accounts), Guardianship.acts_on(clock.today()))
    return db.session.scalar(
        select(func.count()).select_from(Booking).where(
            Booking.session_id == session_id, Booking.state.in_(LIVE),
            or_(Booking.resident_id == resident_id, Booking.resident_id.in_(family)))) or 0


class Waiting(NamedTuple):
    booking_id: int
    party: str | None
    resident: Resident


def waiting(session_id: int) -> list[Waiting]:
    """The list in its order: a booking's number is given under the session's lock, so it is the turn."""
    rows = db.session.execute(
        select(Booking.id, Booking.party, Resident).join(Resident, Resident.id == Booking.resident_id)
        .where(Booking.session_id == session_id, Booking.state == BookingState.WAITLISTED).order_by(Booking.id))
    return [Waiting(*row) for row in rows]


def positions(session_ids: Collection[int]) -> dict[int, int]:
    """Booking id → place on its session's waitlist, from 1."""
    turn = func.row_number().over(partition_by=Booking.session_id, order_by=Booking.id)
    rows = db.session.execute(
        select(Booking.id, turn).where(
            Booking.session_id.in_(session_ids), Booking.state == BookingState.WAITLISTED))
    return dict(rows.tuples().all())


def run_out(session_id: int, now: datetime) -> list[int]:
    """Offers whose time is over."""
    return list(db.session.scalars(
        select(Booking.id).where(Booking.session_id == session_id, Booking.state == BookingState.OFFERED,
                                 Booking.offer_expires_at <= now)))


def sessions_to_settle(now: datetime) -> list[int]:
    """Where an offer has run out, or somebody waits while a place is free: time and other bookings change who can."""
    offers = select(Booking.session_id).where(Booking.state == BookingState.OFFERED, Booking.offer_expires_at <= now)
    closes_at = func.coalesce(ActivitySession.booking_closes_at, ActivitySession.starts_at)
    kept = select(ActivitySession.id).where(
        ActivitySession.waiting > 0, ActivitySession.places_taken < ActivitySession.capacity, closes_at > now)
    return sorted({*db.session.scalars(offers), *db.session.scalars(kept)})


def unticked() -> ColumnElement[bool]:
    """Holds a place, and nothing is entered for the resident: neither there nor absent nor excused."""
    ticked = exists().where(_attendances.c.session_id == Booking.session_id,
                            _attendances.c.resident_id == Booking.resident_id)
    return and_(Booking.state == BookingState.CONFIRMED, ~ticked)


def is_roll_taken(session_id: int) -> bool:
    """Somebody of those booked is ticked off, there or not: whoever took the roll had the list before them."""
    return db.session.scalar(
        select(Booking.id).where(Booking.session_id == session_id, Booking.state.in_(ROLL_TAKEN)).limit(1)) is not None


def rolls_to_close(now: datetime) -> list[int]:
    """Sessions with somebody there, in which no tick can happen any more and some of those booked have none.

    As far back as ticks arrive: one that comes later still closes the roll itself (`roll.follow_the_roll`).
    """
    ticked = func.count(case((Booking.state.in_(ROLL_TAKEN), 1)))
    return list(db.session.scalars(
        select(ActivitySession.id).join(Booking, Booking.session_id == ActivitySession.id)
        .where(ActivitySession.status == SessionStatus.HELD, ActivitySession.ends_at < now - ENTRY_ENDS_AFTER_END,
               ActivitySession.ends_at >= now - LATE_ARRIVAL_LIMIT, Booking.state.in_(FOLLOWS_THE_ROLL))
        .group_by(ActivitySession.id).having(ticked > 0, func.count(case((unticked(), 1))) > 0)
        .order_by(ActivitySession.id)))


def whom(*conditions: ColumnElement[bool]) -> Select[Any]:
    """For the outbox: (booking, resident, account that acts for the resident or null)."""
    return (select(Booking.id, Booking.resident_id, Guardianship.user_id)
            .outerjoin(Guardianship, households.who_acts_for(Booking.resident_id)).where(*conditions))


def _acted_for(actor: Actor) -> ColumnElement[bool]:
    return Booking.resident_id.in_(select(Guardianship.resident_id).where(households.acted_for_by(actor)))


def _whole() -> Select[tuple[Booking]]:
    return (select(Booking).join(Booking.session)
            .options(contains_eager(Booking.session).joinedload(ActivitySession.facility),
                     contains_eager(Booking.session).joinedload(ActivitySession.programme),
                     contains_eager(Booking.session).joinedload(ActivitySession.space),
                     joinedload(Booking.resident))
            .execution_options(populate_existing=True))


def own_booking(actor: Actor, booking_id: int) -> Booking | None:
    return db.session.scalar(_whole().where(Booking.id == booking_id, _acted_for(actor)))


def booking(booking_id: int) -> Booking | None:
    """Whoever's it is: for services that settle who asks."""
    return db.session.get(Booking, booking_id)


def lock_booking(booking_id: int) -> None:
    """Before something that hangs on it is written; what is read of it afterwards holds until the commit."""
    db.session.execute(select(Booking.id).where(Booking.id == booking_id).with_for_update(key_share=True))


def awaits_draw(session_id: int) -> bool:
    return bool(db.session.scalar(select(ActivitySession.awaits_draw).where(ActivitySession.id == session_id)))


def offered_with(booking: Booking) -> list[int]:
    """The offers that are answered together with this one, itself among them."""
    if booking.party is None:
        return [booking.id]
    return list(db.session.scalars(
        select(Booking.id).where(Booking.session_id == booking.session_id, Booking.party == booking.party,
                                 Booking.state == BookingState.OFFERED)))


def waiting_with(booking: Booking) -> dict[int, int]:
    """Booking → resident of those on the list who are promoted together with this one, itself among them."""
    party = Booking.id == booking.id if booking.party is None else Booking.party == booking.party
    rows = db.session.execute(
        select(Booking.id, Booking.resident_id).where(
            Booking.session_id == booking.session_id, party, Booking.state == BookingState.WAITLISTED)
        .order_by(Booking.id))
    return dict(rows.tuples().all())


def lists_beside(booking: Booking) -> list[int]:
    """Sessions at the same time for which the resident waits: giving this place up may open one of those."""
    return list(db.session.scalars(
        select(Booking.session_id).where(
            Booking.resident_id == booking.resident_id, Booking.state == BookingState.WAITLISTED,
            Booking.starts_at < booking.ends_at, Booking.ends_at > booking.starts_at)))


def own_bookings(actor: Actor, *, limit: int | None = None, after: tuple[datetime, int] | None = None,
                 ) -> list[Booking]:
    """By the sessions' start, soonest first, past and cancelled ones too."""
    found = _whole().where(_acted_for(actor)).order_by(Booking.starts_at, Booking.id)
    if after is not None:
        moment, number = after
        found = found.where(tuple_(Booking.starts_at, Booking.id) > tuple_(
            literal(moment, Booking.starts_at.type), literal(number, Booking.id.type)))
    return list(db.session.scalars(found.limit(limit)))


def own_places_at(actor: Actor, facility_id: int, start: datetime, end: datetime) -> list[Booking]:
    """Places of the household in sessions there that run or begin between these instants."""
    return list(db.session.scalars(
        _whole().where(_acted_for(actor), ActivitySession.facility_id == facility_id, Booking.state.in_(OCCUPYING),
                       ActivitySession.status != SessionStatus.CANCELLED, Booking.starts_at <= end,
                       Booking.ends_at > start).order_by(Booking.starts_at, Booking.id)))


def next_booking(actor: Actor, now: datetime) -> Booking | None:
    return db.session.scalar(
        _whole().where(_acted_for(actor), Booking.state == BookingState.CONFIRMED, Booking.ends_at > now)
        .order_by(Booking.starts_at, Booking.id).limit(1))


def places_ahead(actor: Actor, resident_id: int, now: datetime) -> list[Booking]:
    """In the order of their sessions' ids, which is the order of locking."""
    return list(db.session.scalars(
        _whole().where(Booking.resident_id == resident_id, Booking.state.in_(LIVE), Booking.ends_at > now,
                       _acted_for(actor)).order_by(Booking.session_id)))


def held_ahead(resident_ids: Collection[int], now: datetime) -> list[Booking]:
    """Places that can still be given back, and turns on lists, of these residents, whoever acts for them."""
    return list(db.session.scalars(
        select(Booking).where(
            Booking.resident_id.in_(resident_ids),
            or_(and_(Booking.state.in_(PROMISED), Booking.starts_at > now),
                and_(Booking.state == BookingState.WAITLISTED, Booking.ends_at > now)))
        .order_by(Booking.id).execution_options(populate_existing=True)))


def has_looked(actor: Actor, session_id: int, since: datetime) -> bool:
    """Whether the actor's look at the session's roster is on record."""
    return db.session.scalar(
        select(AuditEntry.id).where(
            AuditEntry.about_kind == "session", AuditEntry.about_id == session_id, AuditEntry.at >= since,
            AuditEntry.verb == LOOKED_AT_ROSTER, AuditEntry.user_id == actor.user_id).limit(1)) is not None


def live_in_session(actor: Actor, session_id: int) -> dict[int, Booking]:
    """The household's live bookings in one session, by resident."""
    rows = db.session.scalars(
        select(Booking).where(Booking.session_id == session_id, Booking.state.in_(LIVE), _acted_for(actor)))
    return {row.resident_id: row for row in rows}


def roster(session_id: int) -> list[Booking]:
    """Everyone who holds a place, by name."""
    return list(db.session.scalars(
        select(Booking).join(Booking.resident).options(contains_eager(Booking.resident))
        .where(Booking.session_id == session_id, Booking.state.in_(OCCUPYING))
        .order_by(Resident.name, Booking.id)))


def met(actor: Actor, resident_ids: Collection[int], since: datetime) -> set[int]:
    """Of these, whom staff know from their work, and so may name by id alone.

    Somebody of their own household; somebody they have looked up since then; somebody who booked at a facility they
    manage, or was ticked there by others: to be ticked by a number that was tried is not to be met.
    """
    reach = () if actor.is_administrator else (ActivitySession.facility_id.in_(actor.managed_facility_ids),)
    own = select(Guardianship.resident_id).where(
        Guardianship.user_id == actor.user_id, Guardianship.resident_id.in_(resident_ids))
    booked = (select(Booking.resident_id).join(ActivitySession, ActivitySession.id == Booking.session_id)
              .where(Booking.resident_id.in_(resident_ids), *reach))
    there = (select(_attendances.c.resident_id).join(ActivitySession, ActivitySession.id == _attendances.c.session_id)
             .where(_attendances.c.resident_id.in_(resident_ids),
                    _attendances.c.recorded_by.is_distinct_from(actor.user_id), *reach))
    return (households.has_been_found(actor, resident_ids, since)
            | set(db.session.scalars(union(own, booked, there))))


def has_any(session_id: int) -> bool:
    return db.session.scalar(select(Booking.id).where(Booking.session_id == session_id).limit(1)) is not None


def of_sessions(session_ids: Sequence[int]) -> list[Booking]:
    """The places that the roll call is about."""
    return list(db.session.scalars(
        select(Booking).where(Booking.session_id.in_(session_ids), Booking.state.in_(OCCUPYING))))


def who_holds_places(session_ids: Collection[int], resident_ids: Collection[int]) -> set[tuple[int, int]]:
    """(Session, resident) of those among them who do."""
    rows = db.session.execute(
        select(Booking.session_id, Booking.resident_id).where(
            Booking.session_id.in_(session_ids), Booking.resident_id.in_(resident_ids), Booking.state.in_(OCCUPYING)))
    return {(session_id, resident_id) for session_id, resident_id in rows}


def residents_by_reference(wanted: Iterable[tuple[int, str]]) -> dict[tuple[int, str], int]:
    """From (session, reference) to the resident whose booking it is."""
    references = {reference.upper() for _, reference in wanted}
    rows = db.session.execute(
        select(Booking.session_id, Booking.reference, Booking.resident_id)
        .where(Booking.reference.in_(references), Booking.state.in_(OCCUPYING)))
    return {(session_id, reference): resident_id for session_id, reference, resident_id in rows}


def holding_places(booking_ids: Iterable[int]) -> dict[int, Booking]:
    """Of these bookings, those that hold a place: whoever's they are, for the desk."""
    rows = db.session.scalars(
        select(Booking).where(Booking.id.in_(list(booking_ids)), Booking.state.in_(OCCUPYING)))
    return {row.id: row for row in rows}
