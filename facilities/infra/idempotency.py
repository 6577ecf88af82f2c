"""The same request twice is one: its outcome is kept under the caller's key, in the transaction that made it."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import BigInteger, Connection, ForeignKey, String, Text, bindparam, delete, select, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Mapped, mapped_column

from facilities.infra.columns import UtcDateTime
from facilities.infra.db import Model, db
from facilities.infra.integrity import violated
from facilities.infra.prepared import Prepared
from facilities.kernel import clock

KEPT_FOR = timedelta(days=2)
LONGEST_KEY = 255


class IdempotencyKey(Model):
    __tablename__ = "idempotency_keys"

    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), primary_key=True)
    key: Mapped[str] = mapped_column(String(LONGEST_KEY), primary_key=True)
    fingerprint: Mapped[str] = mapped_column(String(64))  # keyed SHA-256 of method, path and body
    status: Mapped[int]
    media_type: Mapped[str] = mapped_column(String(80))
    location: Mapped[str | None] = mapped_column(Text)
    body: Mapped[str] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)


@dataclass(frozen=True, slots=True)
class Outcome:
    """An answer as it was given: status, media type, where a page sends its reader, body."""

    status: int
    media_type: str
    location: str | None
    body: str


@dataclass(slots=True)
class Asked:
    """The key that a request came with, and what tells the request from others. `is_kept`: its outcome is, already."""

    user_id: int
    key: str
    fingerprint: str
    is_kept: bool = False


class KeyTaken(Exception):
    """The same key was used at the same moment, and the other was first: nothing of this request may stay."""


def raise_if_taken(error: IntegrityError) -> None:
    """KeyTaken where that is what the database says."""
    if violated(error, Model.metadata) == IdempotencyKey.__table__.primary_key.name:  # type: ignore[attr-defined]
        raise KeyTaken from error


_KEEP = Prepared(lambda: text(
    "INSERT INTO idempotency_keys (user_id, key, fingerprint, status, media_type, location, body, created_at) "
    "VALUES (:user_id, :key, :fingerprint, :status, :media_type, :location, :body, :created_at) "
    "ON CONFLICT DO NOTHING").bindparams(
        bindparam("user_id", type_=BigInteger), bindparam("created_at", type_=UtcDateTime)))


def kept(asked: Asked) -> tuple[str, Outcome] | None:
    """The fingerprint of the request that used the key, and its outcome."""
    row = db.session.execute(
        select(IdempotencyKey.fingerprint, IdempotencyKey.status, IdempotencyKey.media_type, IdempotencyKey.location,
               IdempotencyKey.body)
        .where(IdempotencyKey.user_id == asked.user_id, IdempotencyKey.key == asked.key)).first()
    return (row[0], Outcome(*row[1:])) if row else None


def keep(asked: Asked, outcome: Outcome, connection: Connection | None = None) -> None:
    """KeyTaken where somebody was faster: PostgreSQL waits here for who is writing the same key at this moment."""
    written = _KEEP.run(connection or db.session.connection(), {
        "user_id": asked.user_id, "key": asked.key, "fingerprint": asked.fingerprint, "status": outcome.status,
        "media_type": outcome.media_type, "location": outcome.location, "body": outcome.body,
        "created_at": clock.now()})
    if not written:
        raise KeyTaken


def forget_old() -> int:
    """How many keys were older than anyone may count on."""
    gone = db.session.execute(
        delete(IdempotencyKey).where(IdempotencyKey.created_at < clock.now() - KEPT_FOR)
        .returning(IdempotencyKey.user_id))
    return len(gone.all())
