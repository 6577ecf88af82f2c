"""The district's rule about no-shows, who is exempt from it, what people were told, and what they say to it.

How many there are is nowhere: it is counted from bookings.
"""

from datetime import date, datetime
from enum import StrEnum

from sqlalchemy import Date, ForeignKey, Index, String, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from facilities.bookings.models import Booking
from facilities.engine.no_shows import (
    LONGEST_PAUSE,
    LONGEST_WINDOW,
    MOST_COUNTED,
    SHORTEST_WINDOW,
    Exempt,
    NoShowPolicy,
    What,
)
from facilities.households.models import Resident
from facilities.infra.columns import BigId, UtcDateTime, enum_type
from facilities.infra.db import Model
from facilities.infra.exclusion import check
from facilities.kernel import clock


class NoShowRule(Model):
    """One row, locked by whoever changes the rule; whoever acts on it holds it still. Without it nothing counts."""

    __tablename__ = "no_show_rules"
    __table_args__ = (
        check("id = 1", "only_one"),
        check(f"within_days BETWEEN {SHORTEST_WINDOW} AND {LONGEST_WINDOW}", "within_days"),
        check(f"1 <= warn_at AND warn_at < pause_at AND pause_at <= {MOST_COUNTED}", "pause_after_warning"),
        check(f"pause_days BETWEEN 1 AND {LONGEST_PAUSE}", "pause_days"),
        check("is_on = (counts_from IS NOT NULL)", "on_since"),
    )

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    is_on: Mapped[bool]
    within_days: Mapped[int]
    warn_at: Mapped[int]
    pause_at: Mapped[int]
    pause_days: Mapped[int]
    exempt_disabled: Mapped[bool]
    counts_from: Mapped[datetime | None] = mapped_column(UtcDateTime)
    changed_at: Mapped[datetime] = mapped_column(UtcDateTime)
    changed_by: Mapped[int | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))

    @property
    def policy(self) -> NoShowPolicy:
        return NoShowPolicy(self.is_on, self.within_days, self.warn_at, self.pause_at, self.pause_days,
                            self.exempt_disabled, self.counts_from)


class Ground(StrEnum):
    """Why somebody's no-shows do not count. No words beside it: they would be about somebody's health."""

    ILLNESS = "illness"
    DISABILITY = "disability"
    OTHER = "other"


class Exemption(Model):
    """On these days nothing counts against the resident. Who has a registered disability needs none, by the rule."""

    __tablename__ = "no_show_exemptions"
    __table_args__ = (check("until_day IS NULL OR from_day <= until_day", "days_in_order"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    resident_id: Mapped[int] = mapped_column(ForeignKey("residents.id"), index=True)
    ground: Mapped[Ground] = mapped_column(enum_type(Ground, "ground"))
    from_day: Mapped[date] = mapped_column(Date)
    until_day: Mapped[date | None] = mapped_column(Date)
    granted_by: Mapped[int | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))
    granted_at: Mapped[datetime] = mapped_column(UtcDateTime)
    ended_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    resident: Mapped[Resident] = relationship(lazy="raise")

    @property
    def span(self) -> Exempt:
        return Exempt(self.from_day, self.until_day, clock.local_date(self.ended_at) if self.ended_at else None)


class NoShowTold(Model):
    """What was said about a no-show, so that nobody hears it twice."""

    __tablename__ = "no_shows_told"

    booking_id: Mapped[int] = mapped_column(ForeignKey(Booking.id), primary_key=True, autoincrement=False)
    what: Mapped[What] = mapped_column(enum_type(What, "what"))
    at: Mapped[datetime] = mapped_column(UtcDateTime)


class Answer(StrEnum):
    ACCEPTED = "accepted"
    REFUSED = "refused"


class Appeal(Model):
    """What somebody says to a no-show of theirs, once, and what who runs the session answers."""

    __tablename__ = "no_show_appeals"
    __table_args__ = (
        check("(answer IS NULL) = (answered_at IS NULL)", "answered_with_its_time"),
        check("answer IS NOT NULL OR (reply IS NULL AND answered_by IS NULL)", "reply_with_an_answer"),
        Index("ix_no_show_appeals_open", "booking_id", postgresql_where=text("answer IS NULL"),
              sqlite_where=text("answer IS NULL")),
    )

    booking_id: Mapped[int] = mapped_column(ForeignKey(Booking.id), primary_key=True, autoincrement=False)
    words: Mapped[str] = mapped_column(String(500))
    made_by: Mapped[int | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))
    made_at: Mapped[datetime] = mapped_column(UtcDateTime)
    answer: Mapped[Answer | None] = mapped_column(enum_type(Answer, "answer"))
    reply: Mapped[str | None] = mapped_column(String(500))
    answered_by: Mapped[int | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))
    answered_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
