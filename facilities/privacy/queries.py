"""What is held about an account and the residents it acts for, and who looked at it."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Select, and_, exists, or_, select
from sqlalchemy.orm import aliased, contains_eager

from facilities.accounts.models import (
    Grant,
    KnownDevice,
    OneTimeCode,
    SecondFactor,
    SignIn,
    SignInFailures,
    User,
)
from facilities.accounts.services import fingerprint
from facilities.attendance.models import Attendance, AttendanceEvent
from facilities.bookings.models import LIVE, OCCUPYING, Booking, BookingPause
from facilities.bookings.queries import LOOKED_AT_ROSTER
from facilities.calendars.models import CalendarFeed
from facilities.draws.models import DrawEntrant, DrawEntry
from facilities.engine.ages import ADULT_AGE, age_on
from facilities.feedback.models import Feedback
from facilities.households.models import (
    Consent,
    Guardianship,
    Identity,
    Invitation,
    Merge,
    PastGuardianship,
    Relation,
    Resident,
)
from facilities.infra.audit import AuditEntry
from facilities.infra.db import Model, db
from facilities.infra.outbox import Notice
from facilities.kernel import clock
from facilities.kernel.actors import Actor
from facilities.no_shows.models import Appeal, Exemption, NoShowTold
from facilities.notices.models import (
    Carer,
    ChannelChoice,
    EmailAddress,
    NoticeSettings,
    WechatAccount,
    WechatSubscription,
)
from facilities.places.models import Facility, Space
from facilities.privacy.inventory import INVENTORY
from facilities.programmes.models import ActivitySession
from facilities.reservations.models import Reservation

LOOKS = ("found", "looked_at", "exported", "named")  # the audit's verbs for what is done with one resident's record

Rows = list[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Reach:
    """How far the actor sees: residents by number.

    `full`: oneself, children, and adults without an account of their own. `partly`: adults who have one: of them only
    what this account booked. `numbers`: whose identity numbers may be shown in full, oneself and minors.
    """

    user_id: int
    login: str
    full: frozenset[int]
    partly: frozenset[int]
    numbers: frozenset[int]
    oneself: int | None


def holds(day: date) -> ColumnElement[bool]:
    """Of guardianships: those that have not ended on `day`; a child's ends on the eighteenth birthday."""
    return or_(Guardianship.until.is_(None), Guardianship.until > day)


def reach(actor: Actor) -> Reach:
    today, own = clock.today(), aliased(Guardianship)
    has_account = exists().where(own.resident_id == Resident.id, own.relation == Relation.SELF,
                                 own.user_id != actor.user_id)
    rows = db.session.execute(
        select(Resident.id, Resident.birth_date, Guardianship.relation, has_account)
        .join(Guardianship, Guardianship.resident_id == Resident.id)
        .where(Guardianship.user_id == actor.user_id, holds(today))).all()
    minors = {n for n, born, *_ in rows if born is not None and age_on(born, today) < ADULT_AGE}
    oneself = next((n for n, _, relation, _ in rows if relation is Relation.SELF), None)
    everyone = {n for n, *_ in rows}
    partly = {n for n, _, relation, elsewhere in rows
              if elsewhere and n not in minors and relation is not Relation.SELF}
    return Reach(actor.user_id, actor.login, frozenset(everyone - partly), frozenset(partly),
                 frozenset(minors | ({oneself} if oneself else set())), oneself)


def _conditions(seen: Reach) -> dict[type[Model], ColumnElement[bool]]:
    """Table → which of its rows are about the actor and those whom the actor sees, in the order of telling."""
    me, full, partly = seen.user_id, seen.full, seen.partly
    their_bookings = select(Booking.id).where(Booking.resident_id.in_(full))
    own_tickets = select(DrawEntry.id).where(DrawEntry.entered_by == me)
    on_ticket = or_(DrawEntrant.resident_id.in_(full),
                    and_(DrawEntrant.resident_id.in_(partly), DrawEntrant.entry_id.in_(own_tickets)))
    return {
        User: User.id == me,
        Grant: Grant.user_id == me,
        Resident: Resident.id.in_(full | partly),
        Identity: Identity.resident_id.in_(full),
        Guardianship: or_(Guardianship.user_id == me, Guardianship.resident_id == seen.oneself),
        PastGuardianship: PastGuardianship.user_id == me,
        Invitation: or_(Invitation.invited_by == me, Invitation.accepted_by == me),
        Consent: or_(Consent.user_id == me, Consent.resident_id.in_(full)),
        Merge: Merge.kept_id.in_(full),
        Booking: or_(Booking.resident_id.in_(full), and_(Booking.resident_id.in_(partly), Booking.booked_by == me)),
        Feedback: Feedback.booking_id.in_(their_bookings),
        BookingPause: BookingPause.resident_id.in_(full),
        Exemption: Exemption.resident_id.in_(full),
        NoShowTold: NoShowTold.booking_id.in_(their_bookings),
        Appeal: Appeal.booking_id.in_(their_bookings),
        Reservation: or_(Reservation.resident_id.in_(full),
                         and_(Reservation.resident_id.in_(partly), Reservation.reserved_by == me)),
        DrawEntry: DrawEntry.id.in_(select(DrawEntrant.entry_id).where(on_ticket)),
        DrawEntrant: on_ticket,
        Attendance: Attendance.resident_id.in_(full),
        AttendanceEvent: AttendanceEvent.resident_id.in_(full),
        Notice: and_(Notice.user_id == me,
                     or_(Notice.resident_id.is_(None), Notice.resident_id.not_in(partly))),
        NoticeSettings: NoticeSettings.user_id == me,
        ChannelChoice: ChannelChoice.user_id == me,
        EmailAddress: EmailAddress.user_id == me,
        CalendarFeed: CalendarFeed.user_id == me,
        Carer: Carer.user_id == me,
        WechatAccount: WechatAccount.user_id == me,
        WechatSubscription: WechatSubscription.user_id == me,
        SignIn: SignIn.user_id == me,
        KnownDevice: KnownDevice.user_id == me,
        SecondFactor: SecondFactor.user_id == me,
        OneTimeCode: OneTimeCode.user_id == me,
        SignInFailures: SignInFailures.login == fingerprint(seen.login),
    }


def rows_about(seen: Reach) -> dict[str, Rows]:
    """Table → rows of those columns that the inventory has for downloading; one query for each table."""
    found: dict[str, Rows] = {}
    for model, condition in _conditions(seen).items():
        table = model.__table__
        columns = [table.c[name] for name in INVENTORY[model.__tablename__].exported]
        rows = db.session.execute(select(*columns).where(condition).order_by(*table.primary_key))
        found[model.__tablename__] = [dict(row) for row in rows.mappings()]
    return found


class Names(NamedTuple):
    """(Chinese, English or none) by number."""

    sessions: dict[int, tuple[str, str | None]]
    facilities: dict[int, tuple[str, str | None]]
    spaces: dict[int, tuple[str, str | None]]


def names_of(found: dict[str, Rows]) -> Names:
    """The sessions, facilities and spaces that the rows are about."""
    def told(field: str) -> set[int]:
        return {row[field] for rows in found.values() for row in rows if row.get(field) is not None}

    def named(statement: Select[tuple[int, str, str | None]]) -> dict[int, tuple[str, str | None]]:
        return {number: (name, english) for number, name, english in db.session.execute(statement).tuples()}

    return Names(
        named(select(ActivitySession.id, ActivitySession.title, ActivitySession.title_en)
              .where(ActivitySession.id.in_(told("session_id")))),
        named(select(Facility.id, Facility.name, Facility.name_en).where(Facility.id.in_(told("facility_id")))),
        named(select(Space.id, Space.name, Space.name_en).where(Space.id.in_(told("space_id")))))


class Look(NamedTuple):
    """Somebody of the staff looked: when, who, where, at what. `session`: where it was a list of those who come."""

    entry: AuditEntry
    who: str | None
    session: ActivitySession | None
    facilities: tuple[Facility, ...]


def looks_at(seen: Reach, *, limit: int | None = None, before: int | None = None) -> list[Look]:
    """Newest first. Lists of a session count for whoever was on them at that moment."""
    found = (select(AuditEntry, User.display_name)
             .outerjoin(User, User.id == AuditEntry.user_id)
             .where(or_(_at_record(seen), _at_list(seen))).order_by(AuditEntry.id.desc()).limit(limit))
    if before is not None:
        found = found.where(AuditEntry.id < before)
    rows = db.session.execute(found).tuples().all()
    sessions = _sessions([e.about_id for e, _ in rows if e.verb == LOOKED_AT_ROSTER])
    facilities = _workplaces([e.user_id for e, _ in rows if e.user_id is not None])
    looks = []
    for entry, who in rows:
        session = sessions.get(entry.about_id) if entry.verb == LOOKED_AT_ROSTER else None
        where = (session.facility,) if session else tuple(facilities.get(entry.user_id or 0, ()))
        looks.append(Look(entry, who, session, where))
    return looks


def _at_record(seen: Reach) -> ColumnElement[bool]:
    return and_(AuditEntry.about_kind == "resident", AuditEntry.verb.in_(LOOKS), AuditEntry.about_id.in_(seen.full))


def _at_list(seen: Reach) -> ColumnElement[bool]:
    booked = exists().where(
        Booking.session_id == AuditEntry.about_id, Booking.resident_id.in_(seen.full),
        Booking.created_at <= AuditEntry.at, or_(Booking.cancelled_at.is_(None), Booking.cancelled_at > AuditEntry.at))
    came = exists().where(
        AttendanceEvent.session_id == AuditEntry.about_id, AttendanceEvent.resident_id.in_(seen.full),
        AttendanceEvent.received_at <= AuditEntry.at)
    theirs = or_(  # few numbers, which the index on what entries are about can use
        AuditEntry.about_id.in_(select(Booking.session_id).where(Booking.resident_id.in_(seen.full))),
        AuditEntry.about_id.in_(select(AttendanceEvent.session_id).where(AttendanceEvent.resident_id.in_(seen.full))))
    return and_(AuditEntry.about_kind == "session", AuditEntry.verb == LOOKED_AT_ROSTER, theirs, or_(booked, came))


def _sessions(numbers: Collection[int]) -> dict[int, ActivitySession]:
    rows = db.session.scalars(
        select(ActivitySession).join(ActivitySession.facility).where(ActivitySession.id.in_(numbers))
        .options(contains_eager(ActivitySession.facility)))
    return {row.id: row for row in rows}


def _workplaces(user_ids: Iterable[int]) -> dict[int, list[Facility]]:
    """User → the facilities where they work."""
    found: dict[int, list[Facility]] = {}
    rows = db.session.execute(
        select(Grant.user_id, Facility).join(Facility, Facility.id == Grant.facility_id)
        .where(Grant.user_id.in_(set(user_ids))).order_by(Grant.id))
    for user_id, facility in rows:
        if facility not in found.setdefault(user_id, []):
            found[user_id].append(facility)
    return found


# -- for erasing


def has_grants(user_id: int) -> bool:
    """Of those that hold now, or will."""
    return db.session.scalar(
        select(Grant.id).where(Grant.user_id == user_id, or_(Grant.ends_at.is_(None), Grant.ends_at > clock.now()))
        .limit(1)) is not None


def acted_for(user_id: int) -> list[int]:
    """In id order, which is the order of locking."""
    return list(db.session.scalars(
        select(Guardianship.resident_id).where(Guardianship.user_id == user_id, holds(clock.today()))
        .order_by(Guardianship.resident_id)))


def acted_for_by_others(resident_ids: Collection[int], user_id: int) -> set[int]:
    """Of these residents, those for whom another account acts."""
    return set(db.session.scalars(
        select(Guardianship.resident_id).where(
            Guardianship.resident_id.in_(resident_ids), Guardianship.user_id != user_id, holds(clock.today()))))


def with_merged(resident_ids: Collection[int]) -> set[int]:
    """These, and the records that were merged into them: they are of the same people."""
    found, newest = set(resident_ids), set(resident_ids)
    while newest:
        newest = set(db.session.scalars(
            select(Merge.gone_id).where(Merge.kept_id.in_(newest), Merge.undone_at.is_(None)))) - found
        found |= newest
    return found


def erased_with_places() -> set[int]:
    """Residents who are erased and hold a place ahead, or wait for one."""
    return set(db.session.scalars(
        select(Booking.resident_id).join(Resident, Resident.id == Booking.resident_id)
        .where(Resident.erased_at.is_not(None), Booking.state.in_(LIVE), Booking.starts_at > clock.now())))


def days_that_count(resident_ids: Collection[int]) -> dict[int, set[date]]:
    """Resident → the district's days of sessions where they are counted, or may be: a roll can still be corrected."""
    came = select(Attendance.resident_id, ActivitySession.starts_at).join(
        ActivitySession, ActivitySession.id == Attendance.session_id).where(Attendance.resident_id.in_(resident_ids))
    booked = select(Booking.resident_id, Booking.starts_at).where(
        Booking.resident_id.in_(resident_ids), Booking.state.in_(OCCUPYING), Booking.starts_at <= clock.now())
    found: dict[int, set[date]] = {}
    for resident_id, starts_at in [*db.session.execute(came), *db.session.execute(booked)]:
        found.setdefault(resident_id, set()).add(clock.local_date(starts_at))
    return found
