"""What was promised: a resident's place in a session."""

from collections.abc import Iterable
from datetime import datetime
from enum import StrEnum
from typing import ClassVar

from sqlalchemy import ColumnElement, ForeignKey, ForeignKeyConstraint, Index, String, and_, text
from sqlalchemy.dialects.postgresql import ExcludeConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from facilities.households.models import Resident
from facilities.infra.columns import BigId, UtcDateTime, enum_type
from facilities.infra.db import Model
from facilities.infra.exclusion import check, hold_on_sqlite, never_twice_at_once
from facilities.programmes.models import ActivitySession


class BookingState(StrEnum):
    """The contract's vocabulary; the sets say what each state means for a place."""

    CONFIRMED = "confirmed"
    WAITLISTED = "waitlisted"
    OFFERED = "offered"
    CANCELLED = "cancelled"
    EXPIRED = "expired"
    ATTENDED = "attended"
    NO_SHOW = "no_show"


OCCUPYING = (BookingState.CONFIRMED, BookingState.OFFERED, BookingState.ATTENDED, BookingState.NO_SHOW)
LIVE = (*OCCUPYING, BookingState.WAITLISTED)
PROMISED = (BookingState.CONFIRMED, BookingState.OFFERED)  # holds a place that can still be given back
ROLL_TAKEN = (BookingState.ATTENDED, BookingState.NO_SHOW)
FOLLOWS_THE_ROLL = (BookingState.CONFIRMED, *ROLL_TAKEN)


def _among(states: Iterable[BookingState]) -> str:
    return f"state IN ({', '.join(f'{s.value!r}' for s in states)})"


class Booking(Model):
    """One resident's promise of one place.

    The span is the session's (a composite foreign key that follows it), so that 'never in two places at once' can be
    held on this table alone.
    """

    __tablename__ = "bookings"
    no_overlap: ClassVar[ExcludeConstraint] = never_twice_at_once(
        "ex_bookings_resident_never_in_two_places", "resident_id",
        where=_among(OCCUPYING), refusal="overlaps_own_booking")
    __table_args__ = (
        ForeignKeyConstraint(
            ["session_id", "starts_at", "ends_at"],
            ["activity_sessions.id", "activity_sessions.starts_at", "activity_sessions.ends_at"],
            name="fk_bookings_session_and_its_span", onupdate="CASCADE", info={"refusal": "has_bookings"}),
        Index("uq_bookings_one_live_for_a_resident_in_a_session", "session_id", "resident_id", unique=True,
              postgresql_where=text(_among(LIVE)), sqlite_where=text(_among(LIVE)),
              info={"refusal": "already_booked"}),
        Index("ix_bookings_resident_span", "resident_id", "ends_at", "starts_at"),
        Index("ix_bookings_queue", "session_id", "id", postgresql_where=text("state = 'waitlisted'"),
              sqlite_where=text("state = 'waitlisted'")),
        Index("ix_bookings_offers", "offer_expires_at", postgresql_where=text("state = 'offered'"),
              sqlite_where=text("state = 'offered'")),
        Index("ix_bookings_no_shows", "starts_at", postgresql_where=text("state = 'no_show'"),
              sqlite_where=text("state = 'no_show'")),
        check("(state = 'cancelled') = (cancelled_at IS NOT NULL)", "cancelled_with_its_time"),
        check("state <> 'offered' OR offer_expires_at IS NOT NULL", "offered_until"),
        no_overlap,
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    reference: Mapped[str] = mapped_column(String(16), unique=True)
    session_id: Mapped[int] = mapped_column(BigId)
    resident_id: Mapped[int] = mapped_column(ForeignKey("residents.id"))
    state: Mapped[BookingState] = mapped_column(enum_type(BookingState, "state"))
    starts_at: Mapped[datetime] = mapped_column(UtcDateTime)
    ends_at: Mapped[datetime] = mapped_column(UtcDateTime)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    booked_by: Mapped[int | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"), index=True)
    cancelled_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    cancel_reason: Mapped[str | None] = mapped_column(String(200))
    party: Mapped[str | None] = mapped_column(String(16))  # those who come together or not at all share one
    offer_expires_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    override_reason: Mapped[str | None] = mapped_column(String(200))  # why a manager set a rule aside
    promoted_at: Mapped[datetime | None] = mapped_column(UtcDateTime)  # when who had waited was given the place
    coming_at: Mapped[datetime | None] = mapped_column(UtcDateTime)  # when they last said that they are coming

    session: Mapped[ActivitySession] = relationship(
        lazy="raise", viewonly=True, primaryjoin="foreign(Booking.session_id) == ActivitySession.id")
    resident: Mapped[Resident] = relationship(lazy="raise")

    @property
    def is_live(self) -> bool:
        return self.state in LIVE


hold_on_sqlite(Booking.__table__, Booking.no_overlap)  # type: ignore[arg-type]


class BookingPause(Model):
    """Until then the resident books the programme only on the day itself.

    What led to it is for who writes it: whoever gives places asks only whether there is one. History stays; one that
    is no longer right is lifted.
    """

    __tablename__ = "booking_pauses"
    __table_args__ = (
        Index("ix_booking_pauses_in_force", "resident_id", "programme_id", "until"),
        check("since < until", "since_before_until"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    resident_id: Mapped[int] = mapped_column(ForeignKey("residents.id"))
    programme_id: Mapped[int] = mapped_column(ForeignKey("programmes.id"))
    booking_id: Mapped[int] = mapped_column(ForeignKey(Booking.id), unique=True)  # that it is for: one pause for each
    since: Mapped[datetime] = mapped_column(UtcDateTime)
    until: Mapped[datetime] = mapped_column(UtcDateTime)
    lifted_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    @classmethod
    def in_force(cls, now: datetime | ColumnElement[datetime]) -> ColumnElement[bool]:
        return and_(cls.lifted_at.is_(None), cls.until > now)
