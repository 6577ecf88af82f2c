"""What somebody has looked at and said is right, so that nobody is asked again."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from facilities.infra.columns import UtcDateTime, enum_type
from facilities.infra.db import Model
from facilities.infra.exclusion import check


class WhyRight(StrEnum):
    """Why more people were there than there are places. A choice and no words, as with corrections of a roll."""

    OPEN_EVENT = "open_event"
    LARGER_PLACE = "larger_place"
    IN_TURNS = "in_turns"
    OTHER = "other"


class Accepted(Model):
    """That many people were there, and it is right. Once the number changes, it is asked about again."""

    __tablename__ = "quality_accepted"
    __table_args__ = (check("people > 0", "people_above_zero"),)

    session_id: Mapped[int] = mapped_column(
        ForeignKey("activity_sessions.id", ondelete="CASCADE"), primary_key=True, autoincrement=False)
    people: Mapped[int]
    why: Mapped[WhyRight] = mapped_column(enum_type(WhyRight, "why"))
    accepted_at: Mapped[datetime] = mapped_column(UtcDateTime)
    accepted_by: Mapped[int | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))
