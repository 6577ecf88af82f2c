"""Who did what to what, and on what ground: rows that are added and never changed."""

from collections.abc import Iterable, Mapping
from datetime import datetime

from sqlalchemy import JSON, Index, String, insert
from sqlalchemy.orm import Mapped, mapped_column

from facilities.infra.columns import BigId, UtcDateTime
from facilities.infra.db import Model, db
from facilities.infra.exclusion import hold_unchanged
from facilities.kernel import clock


class AuditEntry(Model):
    """The user's id without a foreign key: an account may be erased, what it did stays."""

    __tablename__ = "audit_entries"
    __table_args__ = (Index("ix_audit_entries_about", "about_kind", "about_id"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    user_id: Mapped[int | None] = mapped_column(BigId)
    verb: Mapped[str] = mapped_column(String(40))
    about_kind: Mapped[str] = mapped_column(String(20))
    about_id: Mapped[int] = mapped_column(BigId)
    facts: Mapped[dict[str, object]] = mapped_column(JSON)


hold_unchanged(AuditEntry.__table__)  # type: ignore[arg-type]


def note(user_id: int | None, verb: str, about_kind: str, about_ids: Iterable[int],
         facts: Mapping[str, object] | None = None) -> None:
    """One entry for each thing that it was done to."""
    now = clock.now()
    db.session.execute(insert(AuditEntry), [
        {"at": now, "user_id": user_id, "verb": verb, "about_kind": about_kind, "about_id": about_id,
         "facts": dict(facts or {})} for about_id in about_ids])
