"""Reads about residents, always through who may act for them."""

from collections.abc import Collection
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Select, and_, func, literal, or_, select
from sqlalchemy.orm import InstrumentedAttribute, aliased, joinedload

from facilities.accounts.models import User
from facilities.households.models import (
    Consent,
    ConsentKind,
    Guardianship,
    Identity,
    Invitation,
    Merge,
    Relation,
    Resident,
)
from facilities.infra.audit import AuditEntry
from facilities.infra.db import db
from facilities.kernel import clock
from facilities.kernel.actors import Actor


def acted_for_by(actor: Actor) -> ColumnElement[bool]:
    """Of links: those through which the actor may act today."""
    return and_(Guardianship.user_id == actor.user_id, Guardianship.acts_on(clock.today()))


def who_acts_for(resident_id: InstrumentedAttribute[Any] | int) -> ColumnElement[bool]:
    """Of links: those through which somebody may act today for the resident, a column or a number."""
    return and_(Guardianship.resident_id == resident_id, Guardianship.acts_on(clock.today()))


def guardianships_of(actor: Actor) -> list[Guardianship]:
    """The residents that the actor may act for, oneself first."""
    rows = db.session.scalars(
        select(Guardianship).where(acted_for_by(actor))
        .options(joinedload(Guardianship.resident).joinedload(Resident.identity)).order_by(Guardianship.resident_id))
    return sorted(rows, key=lambda g: g.relation is not Relation.SELF)


def guardianship_of(actor: Actor, resident_id: int) -> Guardianship | None:
    return db.session.scalar(
        select(Guardianship).where(acted_for_by(actor), Guardianship.resident_id == resident_id)
        .options(joinedload(Guardianship.resident).joinedload(Resident.identity)))


def residents_of(actor: Actor, resident_ids: Collection[int], *, to_promise: bool = False) -> dict[int, Resident]:
    """Of these residents, the ones that the actor may act for.

    `to_promise` something for them: whoever makes one of them leave the household is waited for, or waits.
    """
    found = (select(Resident).join(Guardianship, Guardianship.resident_id == Resident.id)
             .where(acted_for_by(actor), Resident.id.in_(resident_ids)).order_by(Resident.id))
    if to_promise:
        found = found.with_for_update(read=True, key_share=True, of=Guardianship)
    return {row.id: row for row in db.session.scalars(found)}


def residents(resident_ids: Collection[int]) -> dict[int, Resident]:
    """Whoever they are: for services that have settled who asks. Who is erased, or went into another, is not there."""
    rows = db.session.scalars(select(Resident).where(
        Resident.id.in_(resident_ids), Resident.erased_at.is_(None), ~Resident.id.in_(_gone())))
    return {row.id: row for row in rows}


def lock_residents(resident_ids: Collection[int]) -> None:
    """In id order. Nobody books anything for them meanwhile: a booking's foreign key asks for the same rows."""
    db.session.execute(
        select(Resident.id).where(Resident.id.in_(resident_ids)).order_by(Resident.id).with_for_update())


def lock_who_acts_for(resident_id: int) -> None:
    """Nobody who needs a right to promises anything for the resident meanwhile: those under way are waited for."""
    db.session.execute(
        select(Guardianship.user_id).where(Guardianship.resident_id == resident_id)
        .order_by(Guardianship.user_id).with_for_update())


def acts_alone(actor: Actor, resident_id: int) -> bool:
    """True where no other account acts for the resident."""
    others = select(Guardianship.user_id).where(who_acts_for(resident_id), Guardianship.user_id != actor.user_id)
    return db.session.scalar(others.limit(1)) is None


def household_size(actor: Actor) -> int:
    return db.session.scalar(
        select(func.count()).select_from(Guardianship).where(acted_for_by(actor))) or 0


class Relative(NamedTuple):
    """Somebody of a child's household. `acts_as`: what the child is to them, where they are who acts for the child."""

    resident: Resident
    acts_as: Relation | None


def relatives_of(resident_ids: Collection[int]) -> dict[int, list[Relative]]:
    """Of each: for whom the same accounts act, the accounts' own residents first. For who runs a child's class."""
    theirs, other = aliased(Guardianship), aliased(Guardianship)
    today = clock.today()
    rows = db.session.execute(
        select(theirs.resident_id, theirs.relation, other.relation, Resident)
        .join(other, and_(other.user_id == theirs.user_id, other.resident_id != theirs.resident_id))
        .join(Resident, Resident.id == other.resident_id)
        .where(theirs.resident_id.in_(resident_ids), or_(theirs.until.is_(None), theirs.until > today),
               or_(other.until.is_(None), other.until > today), Resident.erased_at.is_(None))
        .order_by(theirs.resident_id, other.relation != Relation.SELF, other.resident_id))
    found: dict[int, dict[int, Relative]] = {}
    for of, relation, to_account, resident in rows:
        acts_as = relation if to_account is Relation.SELF else None
        found.setdefault(of, {}).setdefault(resident.id, Relative(resident, acts_as))
    return {of: list(people.values()) for of, people in found.items()}


class ActsFor(NamedTuple):
    """An account that acts for a resident; `relation` is what the resident is to it."""

    resident_id: int
    user_id: int
    name: str
    relation: Relation


def everyone_who_acts_for(resident_ids: Collection[int]) -> dict[int, list[ActsFor]]:
    """By resident; for those who act for them too, and for nobody else."""
    rows = db.session.execute(
        select(Guardianship.resident_id, Guardianship.user_id, User.display_name, Guardianship.relation)
        .join(User, User.id == Guardianship.user_id)
        .where(Guardianship.resident_id.in_(resident_ids), Guardianship.acts_on(clock.today()))
        .order_by(Guardianship.resident_id, Guardianship.consented_at, Guardianship.user_id))
    found: dict[int, list[ActsFor]] = {resident_id: [] for resident_id in resident_ids}
    for row in rows:
        found[row.resident_id].append(ActsFor(*row))
    return found


def links_of(resident_id: int) -> list[Guardianship]:
    """All of them, over or not: for services."""
    return list(db.session.scalars(
        select(Guardianship).where(Guardianship.resident_id == resident_id).order_by(Guardianship.user_id)))


def link(user_id: int, resident_id: int) -> Guardianship | None:
    """Over or not: for services."""
    return db.session.get(Guardianship, (user_id, resident_id), populate_existing=True)


def owner_of(resident_id: int) -> int | None:
    """The account of the resident's own, where they have one."""
    return db.session.scalar(
        select(Guardianship.user_id).where(Guardianship.resident_id == resident_id,
                                           Guardianship.relation == Relation.SELF).limit(1))


def come_of_age(now: datetime) -> list[int]:
    """Residents for whom somebody acted up to a birthday that is reached."""
    return list(db.session.scalars(
        select(Guardianship.resident_id).where(Guardianship.until <= clock.local_date(now))
        .distinct().order_by(Guardianship.resident_id)))


def those_who_act_for(resident_id: int) -> Select[Any]:
    """For the outbox: the resident, and each account that acts for them."""
    return select(Guardianship.resident_id, Guardianship.resident_id.label("whose"), Guardianship.user_id).where(
        who_acts_for(resident_id))


def in_person(resident_id: int, user_id: int | None) -> Select[Any]:
    """For the outbox: the resident, and one account, or none."""
    return select(Resident.id, Resident.id.label("whose"), literal(user_id, User.id.type).label("user_id")).where(
        Resident.id == resident_id)


def invitation_by(code_hash: str) -> Invitation | None:
    return db.session.scalar(select(Invitation).where(Invitation.code_hash == code_hash)
                             .execution_options(populate_existing=True))


def invitation(invitation_id: int) -> Invitation | None:
    return db.session.get(Invitation, invitation_id)


def open_invitations(resident_id: int, now: datetime) -> list[Invitation]:
    """Oldest first."""
    return list(db.session.scalars(
        select(Invitation).where(Invitation.resident_id == resident_id, Invitation.accepted_at.is_(None),
                                 Invitation.withdrawn_at.is_(None), Invitation.ends_at > now)
        .order_by(Invitation.id)))


def consents_of(actor: Actor) -> list[tuple[Consent, str]]:
    """What the actor agreed to, withdrawn or not, with the name of whom it is about while the actor acts for them."""
    rows = db.session.execute(
        select(Consent, Resident.name).join(Resident, Resident.id == Consent.resident_id)
        .join(Guardianship, and_(Guardianship.resident_id == Consent.resident_id, acted_for_by(actor)))
        .where(Consent.user_id == actor.user_id).order_by(Consent.given_at.desc(), Consent.id.desc()))
    return [(consent, name) for consent, name in rows]


def consents_that_hold(resident_id: int, kind: ConsentKind, user_id: int | None = None) -> list[Consent]:
    """Of everyone, or of one account."""
    found = select(Consent).where(Consent.resident_id == resident_id, Consent.kind == kind,
                                  Consent.withdrawn_at.is_(None))
    return list(db.session.scalars(found if user_id is None else found.where(Consent.user_id == user_id)))


def resident_by_phone(phone: str) -> Resident | None:
    """The one resident with exactly this number; None too where several share it, for a desk must not guess."""
    found = residents_by_phone(phone)
    return found[0] if len(found) == 1 else None


def residents_by_phone(phone: str) -> list[Resident]:
    """Up to three of those who share it. A record that went into another is found as that one."""
    return _people(Resident.phone == phone)


def residents_by_hash(hashes: Collection[str]) -> list[Resident]:
    """Whose identity number it is, under any of the keys: at most one."""
    held = select(Identity.resident_id).where(Identity.id_number_hash.in_(hashes))
    return _people(Resident.id.in_(held))


def _people(found: ColumnElement[bool]) -> list[Resident]:
    stands = func.coalesce(Merge.kept_id, Resident.id)
    ids = (select(stands).select_from(Resident)
           .outerjoin(Merge, and_(Merge.gone_id == Resident.id, Merge.undone_at.is_(None)))
           .where(found, Resident.erased_at.is_(None)))
    return list(db.session.scalars(
        select(Resident).where(Resident.id.in_(ids), Resident.erased_at.is_(None)).order_by(Resident.id).limit(3)))


def _gone() -> Select[tuple[int]]:
    return select(Merge.gone_id).where(Merge.undone_at.is_(None))


def records_of(resident_id: int) -> list[int]:
    """The resident's own record, and those that went into it: what was noted about any of them is about this person."""
    gone = db.session.scalars(select(Merge.gone_id).where(Merge.kept_id == resident_id, Merge.undone_at.is_(None)))
    return [resident_id, *sorted(gone)]


def identity_of(resident_id: int) -> Identity | None:
    return db.session.get(Identity, resident_id, populate_existing=True)


def holders(column: InstrumentedAttribute[str | None], hashes: Collection[str]) -> set[int]:
    """Residents whose number is stored under one of these; `column` is one of the two hashes."""
    return set(db.session.scalars(select(Identity.resident_id).where(column.in_(hashes))))


def has_been_found(actor: Actor, resident_ids: Collection[int], since: datetime) -> set[int]:
    """Of these, whom the actor has looked up at the desk since then."""
    return set(db.session.scalars(
        select(AuditEntry.about_id).where(
            AuditEntry.about_kind == "resident", AuditEntry.about_id.in_(resident_ids), AuditEntry.verb == "found",
            AuditEntry.user_id == actor.user_id, AuditEntry.at > since)))


def existing_ids(resident_ids: set[int]) -> set[int]:
    return set(db.session.scalars(select(Resident.id).where(Resident.id.in_(resident_ids))))
