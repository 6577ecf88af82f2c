"""For how long things are kept, and what takes them away when their time is over.

The periods are our choice, as short as the purpose allows (PIPL art. 19), and data: change them here. The audit is kept
for good for now, because no entry can be taken out of its chain; three years are the least (PIPL art. 56). What figures
count stays without a name. Stored answers to requests are forgotten by `infra.idempotency`.
"""

from datetime import datetime, timedelta
from typing import cast

from sqlalchemy import ColumnElement, CursorResult, and_, delete, exists, func, or_, select, tuple_

from facilities.accounts.models import KnownDevice, OneTimeCode, SignIn, SignInFailures
from facilities.attendance.models import Attendance
from facilities.bookings.models import Booking, BookingPause
from facilities.bookings.services import release_places
from facilities.draws.models import DrawEntrant, DrawEntry
from facilities.feedback.models import Feedback
from facilities.households.models import Guardianship, Invitation, Merge, Resident
from facilities.infra.db import Model, db, unit_of_work
from facilities.infra.idempotency import KEPT_FOR
from facilities.infra.outbox import Notice
from facilities.kernel import clock
from facilities.no_shows.models import Appeal, Exemption, NoShowTold
from facilities.notices.models import Reminder
from facilities.privacy import queries
from facilities.privacy.services import erase_residents
from facilities.privacy.terms import Kept
from facilities.programmes.models import ActivitySession
from facilities.reservations.models import Reservation

PERIODS: dict[Kept, timedelta] = {
    Kept.SIGN_INS: timedelta(days=180),  # after they ended
    Kept.FAILURES: timedelta(days=1),
    Kept.CODES: timedelta(days=1),  # after they ran out
    Kept.INVITATIONS: timedelta(days=90),  # after they ran out, were accepted or withdrawn
    Kept.NOTICES: timedelta(days=365),
    Kept.REMINDERS: timedelta(days=7),  # after what somebody was reminded of
    Kept.DEVICES: timedelta(days=365),  # after they were last seen
    Kept.KEYS: KEPT_FOR,
    Kept.FEEDBACK: timedelta(days=2 * 365),  # two years of a programme can be compared
    Kept.NO_SHOWS: timedelta(days=2 * 365),  # longer than two windows and a pause can be: nothing counts anew
    Kept.EXEMPTIONS: timedelta(days=2 * 365),  # after their last day, for the same reason
    Kept.PERSON: timedelta(days=3 * 365),  # without an account, after the last visit or the registration at a desk
}
AT_A_TIME = 500  # rows in one transaction, so that nobody waits for long


def _over(kind: Kept, now: datetime) -> datetime:
    return now - PERIODS[kind]


Rule = tuple[type[Model], ColumnElement[bool]]


def _rules(now: datetime) -> dict[Kept, tuple[Rule, ...]]:
    ended = func.coalesce(Invitation.accepted_at, Invitation.withdrawn_at, Invitation.ends_at)
    sign_ins, no_shows, exemptions = (_over(kind, now) for kind in (Kept.SIGN_INS, Kept.NO_SHOWS, Kept.EXEMPTIONS))
    return {
        Kept.SIGN_INS: ((SignIn, or_(SignIn.ends_at < sign_ins, SignIn.revoked_at < sign_ins)),),
        Kept.FAILURES: ((SignInFailures, SignInFailures.first_failed_at < _over(Kept.FAILURES, now)),),
        Kept.CODES: ((OneTimeCode, OneTimeCode.ends_at < _over(Kept.CODES, now)),),
        Kept.INVITATIONS: ((Invitation, ended < _over(Kept.INVITATIONS, now)),),
        Kept.NOTICES: ((Notice, Notice.created_at < _over(Kept.NOTICES, now)),),
        Kept.REMINDERS: ((Reminder, Reminder.starts_at < _over(Kept.REMINDERS, now)),),
        Kept.DEVICES: ((KnownDevice, KnownDevice.seen_at < _over(Kept.DEVICES, now)),),
        Kept.FEEDBACK: ((Feedback, Feedback.created_at < _over(Kept.FEEDBACK, now)),),
        Kept.NO_SHOWS: ((BookingPause, BookingPause.until < no_shows), (NoShowTold, NoShowTold.at < no_shows),
                        (Appeal, Appeal.made_at < no_shows)),
        Kept.EXEMPTIONS: ((Exemption, or_(Exemption.ended_at < exemptions,
                                          Exemption.until_day < clock.local_date(exemptions))),),
    }


def forget(kind: Kept) -> int:
    """One batch of what has been kept long enough, of each table: how many rows went."""
    if kind is Kept.PERSON:
        return _forget_people()
    return sum(_forget_rows(*rule) for rule in _rules(clock.now())[kind])


def _forget_rows(model: type[Model], condition: ColumnElement[bool]) -> int:
    key = tuple_(*model.__table__.primary_key)
    batch = select(*model.__table__.primary_key).where(condition).limit(AT_A_TIME)
    gone = db.session.execute(delete(model).where(key.in_(batch)), execution_options={"synchronize_session": False})
    return cast("CursorResult[object]", gone).rowcount


def _forget_people() -> int:
    """Whom a desk registered, or who left every household, and who has not come since: as if they were erased.

    Before that, places are freed that were booked at the very moment when an account was being erased.
    """
    release_places(None, queries.erased_with_places())
    people = list(db.session.scalars(
        select(Resident.id).where(_is_unused(_over(Kept.PERSON, clock.now()))).order_by(Resident.id).limit(AT_A_TIME)))
    erase_residents(None, people)
    return len(people)


def _is_unused(since: datetime) -> ColumnElement[bool]:
    """A record that was merged into another goes with that one."""
    came = exists().where(Attendance.resident_id == Resident.id, ActivitySession.id == Attendance.session_id,
                          ActivitySession.ends_at >= since)
    entered = exists().where(DrawEntrant.resident_id == Resident.id, DrawEntry.id == DrawEntrant.entry_id,
                             DrawEntry.created_at >= since)
    return and_(
        Resident.erased_at.is_(None), Resident.created_at < since, ~came, ~entered,
        ~exists().where(Guardianship.resident_id == Resident.id),
        ~exists().where(Booking.resident_id == Resident.id, Booking.ends_at >= since),
        ~exists().where(Reservation.resident_id == Resident.id, Reservation.ends_at >= since),
        ~exists().where(Merge.gone_id == Resident.id, Merge.undone_at.is_(None)))


CARRIED_OUT = (Kept.SIGN_INS, Kept.FAILURES, Kept.CODES, Kept.INVITATIONS, Kept.NOTICES, Kept.REMINDERS, Kept.DEVICES,
               Kept.FEEDBACK, Kept.NO_SHOWS, Kept.EXEMPTIONS, Kept.PERSON)


def forget_all(kind: Kept) -> int:
    """Batch after batch, each a unit of its own, until nothing of the kind is over its time: how many rows went."""
    gone = 0
    while batch := unit_of_work(lambda: forget(kind)):
        gone += batch
    return gone
