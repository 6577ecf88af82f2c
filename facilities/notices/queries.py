"""Reads about messages: one's own, and whose name may stand on them."""

from collections.abc import Collection
from typing import NamedTuple

from sqlalchemy import and_, func, select

from facilities.households import queries as households
from facilities.households.models import Guardianship, Resident
from facilities.infra.db import db
from facilities.infra.outbox import Notice
from facilities.kernel.actors import Actor


class Message(NamedTuple):
    """`name` of the resident whom it is about, while the reader acts for them; None afterwards."""

    notice: Notice
    name: str | None


def inbox(actor: Actor, *, limit: int | None = None, before: int | None = None) -> list[Message]:
    """Newest first; `before` is the last one of the page before."""
    found = (
        select(Notice, Resident.name)
        .outerjoin(Guardianship, and_(Guardianship.resident_id == Notice.resident_id,
                                      households.acted_for_by(actor)))
        .outerjoin(Resident, Resident.id == Guardianship.resident_id)
        .where(Notice.user_id == actor.user_id).order_by(Notice.id.desc()))
    if before is not None:
        found = found.where(Notice.id < before)
    return [Message(*row) for row in db.session.execute(found.limit(limit))]


def unread(actor: Actor) -> int:
    """Answered by a partial index alone, so that every page may ask."""
    return db.session.scalar(
        select(func.count()).select_from(Notice).where(Notice.user_id == actor.user_id, Notice.read_at.is_(None))) or 0


def own_among(actor: Actor, notice_ids: Collection[int]) -> set[int]:
    return set(db.session.scalars(
        select(Notice.id).where(Notice.user_id == actor.user_id, Notice.id.in_(notice_ids))))
