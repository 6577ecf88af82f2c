"""The verbs about one's own data: tell everything that is held, erase an account.

Erasing keeps no name, and no count changes. Figures need a resident's sex, and on each day of a session the age band:
so the sex stays, and of the birth date as much as the bands of those days need (`engine.ages.coarsened`). That is the
year for nearly everybody, now and then the month, and nothing for who never came. Disability is counted by heads, never
from a record, so category and grade go, and so does the community: figures go by the facility's. Bookings, events and
attendances stay as they are; they stand for 'somebody' now. Of feedback the rating stays and the words go.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, delete, or_, select, update

from facilities.accounts import queries as accounts
from facilities.accounts.models import KnownDevice, OneTimeCode, SecondFactor, SignIn, SignInFailures, User
from facilities.accounts.services import fingerprint, password_fits
from facilities.bookings.models import Booking, BookingPause
from facilities.bookings.services import release_places
from facilities.calendars.models import CalendarFeed
from facilities.draws.services import release_tickets
from facilities.engine.ages import coarsened
from facilities.feedback.models import Feedback
from facilities.households import queries as households
from facilities.households.models import (
    Consent,
    DifferentPersons,
    Guardianship,
    Identity,
    Invitation,
    Merge,
    PastGuardianship,
    PendingRegistration,
    Resident,
)
from facilities.infra import audit
from facilities.infra.db import Model, db
from facilities.infra.encryption import Unreadable, cipher
from facilities.infra.idempotency import IdempotencyKey
from facilities.infra.outbox import Notice
from facilities.kernel import clock
from facilities.kernel.actors import Actor
from facilities.kernel.refusals import Invalid, NotVisible, Refused
from facilities.no_shows.models import Appeal, Exemption, NoShowTold
from facilities.notices.models import (
    Carer,
    ChannelChoice,
    EmailAddress,
    NoticeSettings,
    WechatAccount,
    WechatSubscription,
)
from facilities.privacy import queries
from facilities.privacy.queries import Names, Reach, Rows
from facilities.reservations.models import Reservation
from facilities.reservations.services import release_all

NOBODY = "—"  # where a name or somebody's own words have been
UNUSABLE = "!"  # no password has this hash
NUMBERS = ("id_number", "certificate")


@dataclass(frozen=True, slots=True)
class Held:
    """Everything about an account and its residents: rows by table, names for what they are about, looks at them."""

    seen: Reach
    tables: dict[str, Rows]
    names: Names
    looks: list[queries.Look]
    made_at: datetime


def check_password(actor: Actor, password: str) -> None:
    """Invalid where it is not the account's."""
    if not password_fits(accounts.user_by_id(actor.user_id), password):
        raise Invalid(password="wrong_password")  # noqa: S106 - a message key


def everything_held(actor: Actor, *, with_numbers: bool) -> Held:
    """In a fixed number of queries. Identity numbers are masked but, if asked for, of oneself and of minors."""
    seen = queries.reach(actor)
    tables = queries.rows_about(seen)
    for row in tables["residents"]:
        if row["id"] in seen.partly:  # an account of their own tells them everything; this one sees who it is about
            row.update({name: None for name in row if name not in ("id", "name")})
    for row in tables["identities"]:
        shown = with_numbers and row["resident_id"] in seen.numbers
        row.update({name: _readable(row[name], shown=shown) for name in NUMBERS})
    return Held(seen, tables, queries.names_of(tables), queries.looks_at(seen), clock.now())


def _readable(encrypted: str | None, *, shown: bool) -> str | None:
    if encrypted is None:
        return None
    try:
        number = cipher().decrypt(encrypted)
    except Unreadable:
        return "*"
    return number if shown else number[:1] + "*" * (len(number) - 2) + number[-1:]


def erase_account(actor: Actor) -> None:
    """The account is gone for good, and with it every resident for whom nobody else acts.

    Places, reservations and tickets ahead are given back first, whatever their deadlines say. Refused `has_grants` for
    staff: their rights are taken from them first, by an administrator. Order of locks: docs/locking.md.
    """
    if queries.has_grants(actor.user_id):
        raise Refused("has_grants")
    mine = queries.acted_for(actor.user_id)
    for resident_id in mine:
        households.lock_who_acts_for(resident_id)  # of two who leave at once, the second sees that it is alone
    user = db.session.get(User, actor.user_id, with_for_update=True, populate_existing=True)
    if user is None or user.erased_at is not None:
        raise NotVisible
    alone = set(mine) - queries.acted_for_by_others(mine, actor.user_id)
    erase_residents(actor, alone)
    _forget_what_hangs_on(user)
    user.login, user.display_name, user.password_hash = f"erased-{user.id}", "", UNUSABLE
    user.disabled, user.erased_at = True, clock.now()
    audit.note(actor, "erased", "user", [user.id], {"residents": len(alone)})
    db.session.flush()


def _forget_what_hangs_on(user: User) -> None:
    _delete(SignInFailures, SignInFailures.login == fingerprint(user.login))
    _delete(PendingRegistration, PendingRegistration.phone_hash.in_(cipher().lookups(user.login)))
    for model in (SignIn, KnownDevice, SecondFactor, OneTimeCode, IdempotencyKey, Consent, Guardianship,
                  PastGuardianship, Notice, NoticeSettings, ChannelChoice, EmailAddress, Carer, WechatAccount,
                  WechatSubscription, CalendarFeed):
        _delete(model, model.user_id == user.id)
    _delete(Invitation, Invitation.invited_by == user.id)
    db.session.execute(update(Invitation).where(Invitation.accepted_by == user.id).values(accepted_by=None))
    db.session.execute(update(Appeal).where(Appeal.made_by == user.id).values(made_by=None))


def erase_residents(actor: Actor | None, resident_ids: Collection[int]) -> None:
    """Who they are is gone; what they did stays, for the figures. With them go records that were merged into theirs."""
    if not resident_ids:
        return
    everyone = queries.with_merged(resident_ids)
    release_tickets(actor, everyone)
    release_all(actor, everyone)
    release_places(actor, everyone)
    households.lock_residents(everyone)
    days = queries.days_that_count(everyone)
    for person in db.session.scalars(
            select(Resident).where(Resident.id.in_(everyone)).execution_options(populate_existing=True)):
        person.name, person.phone, person.community_code = NOBODY, None, None
        person.disability_category = person.disability_grade = None
        person.birth_date = coarsened(person.birth_date, days.get(person.id, ()))
        person.erased_at = clock.now()
    _forget_who_they_were(everyone)
    audit.note(actor, "erased", "resident", sorted(everyone))
    db.session.flush()


def _forget_who_they_were(resident_ids: Collection[int]) -> None:
    for model in (Identity, Consent, Invitation, Guardianship, PastGuardianship, Notice, BookingPause, Exemption):
        _delete(model, model.resident_id.in_(resident_ids))
    theirs = select(Booking.id).where(Booking.resident_id.in_(resident_ids))
    _delete(NoShowTold, NoShowTold.booking_id.in_(theirs))
    _delete(Appeal, Appeal.booking_id.in_(theirs))
    _delete(DifferentPersons, or_(DifferentPersons.first_id.in_(resident_ids),
                                  DifferentPersons.second_id.in_(resident_ids)))
    values: tuple[tuple[type[Model], Any, dict[str, object]], ...] = (
        (Booking, Booking.resident_id.in_(resident_ids), {"override_reason": None}),
        (Feedback, Feedback.booking_id.in_(theirs), {"words": None}),
        (Reservation, Reservation.resident_id.in_(resident_ids), {"purpose": NOBODY, "cancel_reason": None}),
        (Merge, or_(Merge.kept_id.in_(resident_ids), Merge.gone_id.in_(resident_ids)), {"moves": []}))
    for table, condition, emptied in values:
        db.session.execute(update(table).where(condition).values(emptied),
                           execution_options={"synchronize_session": False})


def _delete(model: type[Model], condition: ColumnElement[bool]) -> None:
    db.session.execute(delete(model).where(condition), execution_options={"synchronize_session": False})
