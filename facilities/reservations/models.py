"""What was promised of a space: a resident has it for a span of time."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import ForeignKey, ForeignKeyConstraint, Index, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from facilities.households.models import Resident
from facilities.infra.columns import BigId, UtcDateTime, enum_type
from facilities.infra.db import Model
from facilities.infra.exclusion import check
from facilities.places.models import Facility, Space


class ReservationState(StrEnum):
    CONFIRMED = "confirmed"
    CANCELLED = "cancelled"


class Reservation(Model):
    """The promise; what holds the space are its occupancies, whose span follows this row's."""

    __tablename__ = "reservations"
    __table_args__ = (
        check("starts_at < ends_at", "starts_before_it_ends", refusal="ends_before_it_starts"),
        check("(state = 'cancelled') = (cancelled_at IS NOT NULL)", "cancelled_with_its_time"),
        UniqueConstraint("id", "starts_at", "ends_at", name="uq_reservations_id_span"),
        ForeignKeyConstraint(["facility_id", "space_id"], ["spaces.facility_id", "spaces.id"],
                             name="fk_reservations_space_in_the_facility"),
        Index("ix_reservations_resident_start", "resident_id", "starts_at"),
        Index("ix_reservations_space_span", "space_id", "ends_at", "starts_at"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    reference: Mapped[str] = mapped_column(String(16), unique=True)
    facility_id: Mapped[int] = mapped_column(ForeignKey("facilities.id"), index=True)
    space_id: Mapped[int] = mapped_column(BigId)
    resident_id: Mapped[int] = mapped_column(ForeignKey("residents.id"))
    state: Mapped[ReservationState] = mapped_column(enum_type(ReservationState, "state"))
    starts_at: Mapped[datetime] = mapped_column(UtcDateTime)
    ends_at: Mapped[datetime] = mapped_column(UtcDateTime)
    purpose: Mapped[str] = mapped_column(String(200))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    reserved_by: Mapped[int | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"), index=True)
    cancelled_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    cancel_reason: Mapped[str | None] = mapped_column(String(200))
    moves: Mapped[int] = mapped_column(default=0, server_default=text("0"))  # so that calendars know the newest

    facility: Mapped[Facility] = relationship(lazy="raise", overlaps="space")
    space: Mapped[Space] = relationship(
        lazy="raise", viewonly=True, primaryjoin="foreign(Reservation.space_id) == Space.id")
    resident: Mapped[Resident] = relationship(lazy="raise")
