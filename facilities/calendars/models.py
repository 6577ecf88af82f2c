"""Who follows their household's bookings in a calendar of their own."""

from datetime import datetime

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from facilities.infra.columns import UtcDateTime
from facilities.infra.db import Model
from facilities.infra.exclusion import check


class CalendarFeed(Model):
    """An address that only its owner's calendar knows: of its 256 random bits only a hash is kept."""

    __tablename__ = "calendar_feeds"
    __table_args__ = (check("language IN ('zh', 'en')", "language"),)

    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), primary_key=True)
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    language: Mapped[str] = mapped_column(String(8))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
