"""What people say of a session that they attended."""

from datetime import datetime

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from facilities.bookings.models import Booking
from facilities.engine.feedback import BEST, WORST
from facilities.infra.columns import UtcDateTime
from facilities.infra.db import Model
from facilities.infra.exclusion import check


class Feedback(Model):
    """Of one booking. It says nothing of who wrote it: it follows the booking wherever that goes."""

    __tablename__ = "feedback"
    __table_args__ = (check(f"rating BETWEEN {WORST} AND {BEST}", "rating_within_scale"),)

    booking_id: Mapped[int] = mapped_column(ForeignKey(Booking.id), primary_key=True, autoincrement=False)
    rating: Mapped[int]
    words: Mapped[str | None] = mapped_column(String(500))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)  # of the first answer: from then on its time runs
