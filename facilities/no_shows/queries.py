"""Reads about no-shows: how many count, derived from bookings; who is exempt; what people say to it."""

from collections.abc import Collection, Iterable
from datetime import date, datetime
from typing import NamedTuple

from sqlalchemy import ColumnElement, Select, and_, exists, func, or_, select, tuple_, union
from sqlalchemy.orm import contains_eager, joinedload

from facilities.bookings.models import Booking, BookingPause, BookingState
from facilities.engine.no_shows import (
    Exempt,
    Missed,
    NoShowPolicy,
    Standing,
    counted,
    decide,
    is_exempt,
    is_justified,
    standing,
)
from facilities.engine.roll_call import ENTRY_ENDS_AFTER_END
from facilities.households import queries as households
from facilities.households.models import Guardianship, Resident
from facilities.infra.audit import AuditEntry
from facilities.infra.db import db
from facilities.kernel.actors import Actor
from facilities.no_shows.models import Answer, Appeal, Exemption, NoShowRule, NoShowTold
from facilities.programmes.models import ActivitySession, Programme

Pair = tuple[int, int]  # a resident and a programme
APPEALS_SHOWN = 100
LOOKED_AT = "looked_at"  # the audit's verb; whoever it is about reads of it

_IS_NO_SHOW = Booking.state == BookingState.NO_SHOW
_PAIR = tuple_(Booking.resident_id, ActivitySession.programme_id)


def rule(*, to_act: bool = False) -> NoShowRule | None:
    """None where nobody has changed anything yet. `to_act` on it: whoever changes it waits."""
    found = select(NoShowRule).execution_options(populate_existing=True)
    return db.session.scalar(found.with_for_update(read=True) if to_act else found)


def rule_to_change() -> NoShowRule | None:
    return db.session.scalar(select(NoShowRule).with_for_update().execution_options(populate_existing=True))


def policy(*, to_act: bool = False) -> NoShowPolicy:
    found = rule(to_act=to_act)
    return found.policy if found else NoShowPolicy()


# -- what counts


def missed(policy: NoShowPolicy, where: ColumnElement[bool]) -> dict[Pair, list[Missed]]:
    """No-shows by resident and programme, in two queries. `where`: of bookings, sessions and residents."""
    rows = db.session.execute(
        select(Booking.id, Booking.resident_id, ActivitySession.programme_id, Booking.starts_at, Booking.ends_at,
               NoShowTold.booking_id, Appeal.answer, Resident.disability_category)
        .join(ActivitySession, ActivitySession.id == Booking.session_id)
        .join(Resident, Resident.id == Booking.resident_id)
        .outerjoin(NoShowTold, NoShowTold.booking_id == Booking.id)
        .outerjoin(Appeal, Appeal.booking_id == Booking.id)
        .where(_IS_NO_SHOW, where).order_by(Booking.starts_at, Booking.id)).tuples().all()
    spans = spans_of({resident_id for _, resident_id, *_ in rows})
    found: dict[Pair, list[Missed]] = {}
    for number, resident_id, programme_id, starts_at, ends_at, told, answer, category in rows:
        exempt = is_exempt(policy, starts_at, spans.get(resident_id, ()), has_disability=category is not None)
        found.setdefault((resident_id, programme_id), []).append(Missed(
            number, starts_at, ends_at, told is not None, answer is Answer.ACCEPTED, exempt))
    return found


def missed_of(policy: NoShowPolicy, pairs: Collection[Pair]) -> dict[Pair, list[Missed]]:
    return missed(policy, _PAIR.in_(list(pairs))) if pairs else {}


def spans_of(resident_ids: Collection[int]) -> dict[int, list[Exempt]]:
    found: dict[int, list[Exempt]] = {}
    if resident_ids:
        for row in db.session.scalars(select(Exemption).where(Exemption.resident_id.in_(resident_ids))):
            found.setdefault(row.resident_id, []).append(row.span)
    return found


def standings(policy: NoShowPolicy, found: Iterable[Collection[Missed]], now: datetime) -> dict[int, Standing]:
    """By booking."""
    return {one.number: standing(policy, one, now) for those in found for one in those}


# -- what is to be done


def to_follow(now: datetime) -> list[int]:
    """Bookings of which something is to be said, or whose pause is no longer right."""
    in_force, current = pauses_in_force(now), policy()
    pairs = {(pause.resident_id, pause.programme_id) for pause in in_force}
    if current.is_on:
        pairs |= _perhaps_too_many(current, now)
    found = missed_of(current, pairs)
    those = {pair: counted(current, found.get(pair, ()), now) for pair in pairs}
    wrong = {pause.booking_id for pause in in_force
             if not is_justified(current, those[pause.resident_id, pause.programme_id], pause.booking_id)}
    decisions = (decide(current, ones, now) for ones in those.values())
    return sorted(wrong | {decision.about for decision in decisions if decision})


def _perhaps_too_many(policy: NoShowPolicy, now: datetime) -> set[Pair]:
    """Who has as many as a warning needs, and one of them of which nothing was said. Exemptions are not looked at yet.

    Two windows back: of what is new the oldest is as far back as one, and so are those around it.
    """
    rows = db.session.execute(
        select(Booking.resident_id, ActivitySession.programme_id)
        .join(ActivitySession, ActivitySession.id == Booking.session_id)
        .join(Resident, Resident.id == Booking.resident_id)
        .outerjoin(NoShowTold, NoShowTold.booking_id == Booking.id)
        .where(_IS_NO_SHOW, Booking.starts_at > now - 2 * policy.window, Booking.ends_at > policy.counts_from,
               Booking.ends_at < now - ENTRY_ENDS_AFTER_END, Resident.erased_at.is_(None))
        .group_by(Booking.resident_id, ActivitySession.programme_id)
        .having(func.count() >= policy.warn_at, func.count(NoShowTold.booking_id) < func.count()))
    return set(rows.tuples())


def whose(booking_id: int) -> int | None:
    return db.session.scalar(select(Booking.resident_id).where(Booking.id == booking_id))


def programmes_of(booking_id: int, resident_id: int) -> list[int]:
    """The programme of the booking's session, and of a pause for it, which may have been another then.

    None where the booking is no longer the resident's: two records were merged meanwhile.
    """
    booked = (select(ActivitySession.programme_id).join(Booking, Booking.session_id == ActivitySession.id)
              .where(Booking.id == booking_id, Booking.resident_id == resident_id))
    paused = select(BookingPause.programme_id).where(
        BookingPause.booking_id == booking_id, BookingPause.resident_id == resident_id)
    return sorted(set(db.session.scalars(union(booked, paused))))


def sessions_of(booking_ids: Collection[int]) -> list[tuple[int, ActivitySession, Programme]]:
    """For what is said of bookings."""
    rows = db.session.execute(
        select(Booking.id, ActivitySession, Programme).join(Booking, Booking.session_id == ActivitySession.id)
        .join(Programme, Programme.id == ActivitySession.programme_id).where(Booking.id.in_(booking_ids)))
    return list(rows.tuples())


def pauses_in_force(now: datetime, *where: ColumnElement[bool]) -> list[BookingPause]:
    return list(db.session.scalars(
        select(BookingPause).where(BookingPause.in_force(now), *where).order_by(BookingPause.id)
        .execution_options(populate_existing=True)))


# -- for those concerned


class Told(NamedTuple):
    """A booking to which nobody came, or of which that was once said, with what they say to it."""

    booking: Booking
    appeal: Appeal | None


class Pause(NamedTuple):
    pause: BookingPause
    programme: Programme
    resident: Resident


def _acted_for(actor: Actor) -> ColumnElement[bool]:
    return Booking.resident_id.in_(select(Guardianship.resident_id).where(households.acted_for_by(actor)))


def _whole() -> Select[tuple[Booking, Appeal]]:
    """With session, facility, programme and resident; the appeal may be missing."""
    return (select(Booking, Appeal).join(Booking.session).join(Booking.resident)
            .outerjoin(Appeal, Appeal.booking_id == Booking.id)
            .options(contains_eager(Booking.resident), contains_eager(Booking.session).options(
                joinedload(ActivitySession.facility), joinedload(ActivitySession.programme)))
            .execution_options(populate_existing=True))


def own(actor: Actor, since: datetime) -> list[Told]:
    """The household's, newest first: as far back as they count, and those of which somebody said something."""
    rows = db.session.execute(
        _whole().where(_acted_for(actor), or_(
            and_(_IS_NO_SHOW, Booking.starts_at > since), Appeal.booking_id.is_not(None)))
        .order_by(Booking.starts_at.desc(), Booking.id.desc()))
    return [Told(*row) for row in rows]


def own_one(actor: Actor, booking_id: int) -> Told | None:
    """Also one that has turned out not to be one since it was spoken of: a message leads here."""
    spoken_of = exists().where(NoShowTold.booking_id == Booking.id)
    row = db.session.execute(
        _whole().where(Booking.id == booking_id, _acted_for(actor),
                       or_(_IS_NO_SHOW, Appeal.booking_id.is_not(None), spoken_of))).one_or_none()
    return Told(*row) if row else None


def own_pauses(actor: Actor, now: datetime) -> list[Pause]:
    """Of the household, one for each resident and programme: the longest."""
    theirs = select(Guardianship.resident_id).where(households.acted_for_by(actor))
    rows = db.session.execute(
        select(BookingPause, Programme, Resident).join(Programme, Programme.id == BookingPause.programme_id)
        .join(Resident, Resident.id == BookingPause.resident_id)
        .where(BookingPause.resident_id.in_(theirs), BookingPause.in_force(now))
        .order_by(BookingPause.until, BookingPause.id))
    return list({(pause.resident_id, pause.programme_id): Pause(pause, programme, resident)
                 for pause, programme, resident in rows}.values())


def own_standings(actor: Actor, policy: NoShowPolicy, now: datetime) -> dict[int, Standing]:
    """Of each no-show of the household, whether it counts."""
    return standings(policy, missed(policy, _acted_for(actor)).values(), now)


# -- for staff


def appeal(booking_id: int) -> Appeal | None:
    return db.session.get(Appeal, booking_id, populate_existing=True)


def appealed(booking_id: int) -> Told | None:
    """Whoever's it is: for services and guards that settle who asks."""
    row = db.session.execute(
        _whole().where(Booking.id == booking_id, Appeal.booking_id.is_not(None))).one_or_none()
    return Told(*row) if row else None


def open_appeals(actor: Actor) -> list[Told]:
    """At the actor's facilities, those that wait longest first. Whoever was erased waits for nothing."""
    reach = () if actor.is_administrator else (ActivitySession.facility_id.in_(actor.managed_facility_ids),)
    rows = db.session.execute(
        _whole().where(Appeal.booking_id.is_not(None), Appeal.answer.is_(None), Resident.erased_at.is_(None), *reach)
        .order_by(Appeal.made_at, Appeal.booking_id).limit(APPEALS_SHOWN))
    return [Told(*row) for row in rows]


def how_many_count(policy: NoShowPolicy, those: Collection[Told], now: datetime) -> dict[int, int]:
    """Booking → how many no-shows count for its resident in its programme at present."""
    pairs = {told.booking.id: (told.booking.resident_id, told.booking.session.programme_id) for told in those}
    found = missed_of(policy, set(pairs.values()))
    return {number: sum(standing(policy, one, now) is Standing.COUNTS for one in found.get(pair, ()))
            for number, pair in pairs.items()}


def looked_at(actor: Actor, resident_ids: Collection[int], since: datetime) -> set[int]:
    """Of these, whose records the actor is on record for having looked at."""
    return set(db.session.scalars(
        select(AuditEntry.about_id).where(
            AuditEntry.about_kind == "resident", AuditEntry.about_id.in_(resident_ids), AuditEntry.at >= since,
            AuditEntry.verb == LOOKED_AT, AuditEntry.user_id == actor.user_id)))


def exemption(exemption_id: int) -> Exemption | None:
    return db.session.get(Exemption, exemption_id, with_for_update=True, populate_existing=True)


def exemptions(today: date) -> list[Exemption]:
    """Those that hold, or will, the newest first."""
    return list(db.session.scalars(
        select(Exemption).join(Exemption.resident).options(contains_eager(Exemption.resident))
        .where(Exemption.ended_at.is_(None), or_(Exemption.until_day.is_(None), Exemption.until_day >= today))
        .order_by(Exemption.id.desc())))
