"""Reads about residents, always through who may act for them."""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import ColumnElement, Select, and_, func, select
from sqlalchemy.orm import InstrumentedAttribute, joinedload

from facilities.households.models import Guardianship, Identity, Merge, Relation, Resident
from facilities.infra.audit import AuditEntry
from facilities.infra.db import db
from facilities.kernel.actors import Actor


def guardianships_of(actor: Actor) -> list[Guardianship]:
    """The residents that the actor may act for, oneself first."""
    rows = db.session.scalars(
        select(Guardianship).where(Guardianship.user_id == actor.user_id)
        .options(joinedload(Guardianship.resident).joinedload(Resident.identity)).order_by(Guardianship.resident_id))
    return sorted(rows, key=lambda g: g.relation is not Relation.SELF)


def guardianship_of(actor: Actor, resident_id: int) -> Guardianship | None:
    return db.session.scalar(
        select(Guardianship).where(Guardianship.user_id == actor.user_id, Guardianship.resident_id == resident_id)
        .options(joinedload(Guardianship.resident).joinedload(Resident.identity)))


def residents_of(actor: Actor, resident_ids: Collection[int]) -> dict[int, Resident]:
    """Of these residents, the ones that the actor may act for."""
    rows = db.session.scalars(
        select(Resident).join(Guardianship, Guardianship.resident_id == Resident.id)
        .where(Guardianship.user_id == actor.user_id, Resident.id.in_(resident_ids)))
    return {row.id: row for row in rows}


def residents(resident_ids: Collection[int]) -> dict[int, Resident]:
    """Whoever they are: for services that have settled who asks. A record that went into another is not there."""
    rows = db.session.scalars(select(Resident).where(Resident.id.in_(resident_ids), ~Resident.id.in_(_gone())))
    return {row.id: row for row in rows}


def lock_residents(resident_ids: Collection[int]) -> None:
    """In id order. Nobody books anything for them meanwhile: a booking's foreign key asks for the same rows."""
    db.session.execute(
        select(Resident.id).where(Resident.id.in_(resident_ids)).order_by(Resident.id).with_for_update())


def lock_who_acts_for(resident_id: int) -> None:
    db.session.execute(
        select(Guardianship.user_id).where(Guardianship.resident_id == resident_id)
        .order_by(Guardianship.user_id).with_for_update())


def acts_alone(actor: Actor, resident_id: int) -> bool:
    """True where no other account acts for the resident."""
    others = select(Guardianship.user_id).where(
        Guardianship.resident_id == resident_id, Guardianship.user_id != actor.user_id)
    return db.session.scalar(others.limit(1)) is None


def household_size(actor: Actor) -> int:
    return db.session.scalar(
        select(func.count()).select_from(Guardianship).where(Guardianship.user_id == actor.user_id)) or 0


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
