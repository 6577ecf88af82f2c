"""Who follows their household's bookings in a calendar of their own."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index, String, text
from sqlalchemy.orm import Mapped, mapped_column

from facilities.infra.columns import BigId, UtcDateTime
from facilities.infra.db import Model
from facilities.infra.exclusion import check


class CalendarFeed(Model):
    """An address that only its owner's calendar knows: of its 256 random bits only a hash is kept."""

    __tablename__ = "calendar_feeds"
    __table_args__ = (
        check("language IN ('zh', 'en')", "language"),
        Index("uq_calendar_feeds_one_live_for_a_user", "user_id", unique=True,
              postgresql_where=text("revoked_at IS NULL"), sqlite_where=text("revoked_at IS NULL")),
        Index("ix_calendar_feeds_user", "user_id"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    language: Mapped[str] = mapped_column(String(8))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    revoked_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
