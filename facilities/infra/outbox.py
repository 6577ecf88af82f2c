"""What was decided for somebody, written in the transaction that decided it. Nothing is sent from inside one.

A row is read by one account: whoever acts for the resident when it is written. A resident whom no account acts for gets
a row all the same, for the channels that reach people without one.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, Select, String, case, insert, literal, null, select, text
from sqlalchemy.orm import Mapped, mapped_column

from facilities.infra.columns import BigId, UtcDateTime
from facilities.infra.db import Model, db
from facilities.kernel import clock


class Notice(Model):
    """`kind` says what happened (notices.wording has the words), `about_…` to what, `facts` are plain JSON values."""

    __tablename__ = "notices"
    __table_args__ = (
        Index("ix_notices_user", "user_id", "id"),
        Index("ix_notices_to_dispatch", "id", postgresql_where=text("dispatched_at IS NULL"),
              sqlite_where=text("dispatched_at IS NULL")),
        Index("ix_notices_unread", "user_id", postgresql_where=text("read_at IS NULL"),
              sqlite_where=text("read_at IS NULL")),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    user_id: Mapped[int | None] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    resident_id: Mapped[int | None] = mapped_column(ForeignKey("residents.id"))
    kind: Mapped[str] = mapped_column(String(40))
    about_kind: Mapped[str] = mapped_column(String(20))
    about_id: Mapped[int] = mapped_column(BigId)
    facts: Mapped[dict[str, object]] = mapped_column(JSON)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    read_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    dispatched_at: Mapped[datetime | None] = mapped_column(UtcDateTime)  # to the channels outside the app


def tell(kind: str, about_kind: str, whom: Select[Any], facts: Mapping[str, object], *, by: int | None = None) -> None:
    """One row for each row of `whom`: (about_id, resident_id, user_id or null). Who did it (`by`) has read it."""
    now = clock.now()
    about_id, resident_id, user_id = whom.subquery("whom").c
    db.session.execute(insert(Notice).from_select(
        ["about_id", "resident_id", "user_id", "kind", "about_kind", "facts", "created_at", "read_at"],
        select(about_id, resident_id, user_id, literal(kind), literal(about_kind), literal(dict(facts), JSON()),
               literal(now, UtcDateTime()),
               case((user_id == by, literal(now, UtcDateTime())), else_=null()) if by else null())))


def tell_each(kind: str, about_kind: str, rows: Iterable[tuple[int, int | None, int | None, Mapping[str, object]]],
              ) -> None:
    """The same where facts differ: (about_id, resident_id, user_id, facts)."""
    now = clock.now()
    values = [{"about_id": about_id, "resident_id": resident_id, "user_id": user_id, "kind": kind,
               "about_kind": about_kind, "facts": dict(facts), "created_at": now}
              for about_id, resident_id, user_id, facts in rows]
    if values:
        db.session.execute(insert(Notice), values)
