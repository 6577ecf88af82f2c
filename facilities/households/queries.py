"""Reads about residents, always through who may act for them."""

from collections.abc import Collection

from sqlalchemy import func, select
from sqlalchemy.orm import joinedload

from facilities.households.models import Guardianship, Relation, Resident
from facilities.infra.db import db
from facilities.kernel.actors import Actor


def guardianships_of(actor: Actor) -> list[Guardianship]:
    """The residents that the actor may act for, oneself first."""
    rows = db.session.scalars(
        select(Guardianship).where(Guardianship.user_id == actor.user_id)
        .options(joinedload(Guardianship.resident)).order_by(Guardianship.resident_id))
    return sorted(rows, key=lambda g: g.relation is not Relation.SELF)


def guardianship_of(actor: Actor, resident_id: int) -> Guardianship | None:
    return db.session.scalar(
        select(Guardianship).where(Guardianship.user_id == actor.user_id, Guardianship.resident_id == resident_id)
        .options(joinedload(Guardianship.resident)))


def residents_of(actor: Actor, resident_ids: Collection[int]) -> dict[int, Resident]:
    """Of these residents, the ones that the actor may act for."""
    rows = db.session.scalars(
        select(Resident).join(Guardianship, Guardianship.resident_id == Resident.id)
        .where(Guardianship.user_id == actor.user_id, Resident.id.in_(resident_ids)))
    return {row.id: row for row in rows}


def residents(resident_ids: Collection[int]) -> dict[int, Resident]:
    """Whoever they are, but for those who are erased: for services that have settled who asks."""
    return {row.id: row for row in db.session.scalars(
        select(Resident).where(Resident.id.in_(resident_ids), Resident.erased_at.is_(None)))}


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
    found = db.session.scalars(select(Resident).where(Resident.phone == phone).limit(2)).all()
    return found[0] if len(found) == 1 else None


def existing_ids(resident_ids: set[int]) -> set[int]:
    return set(db.session.scalars(select(Resident.id).where(Resident.id.in_(resident_ids))))
