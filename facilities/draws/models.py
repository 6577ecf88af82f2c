"""A fair draw: entries until a time, then an order that anyone can compute again."""

from datetime import datetime

from sqlalchemy import JSON, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from facilities.households.models import Resident
from facilities.infra.columns import BigId, UtcDateTime
from facilities.infra.db import Model
from facilities.infra.exclusion import check
from facilities.places.models import Facility


class Draw(Model):
    """One draw over one or several sessions (a season). The seed's commitment is public from the first moment."""

    __tablename__ = "draws"
    __table_args__ = (check("drawn_at IS NULL OR drawn_at >= entries_close_at", "drawn_after_entries_close"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    reference: Mapped[str] = mapped_column(String(16), unique=True)
    facility_id: Mapped[int] = mapped_column(ForeignKey("facilities.id"), index=True)
    title: Mapped[str] = mapped_column(String(80))
    entries_close_at: Mapped[datetime] = mapped_column(UtcDateTime)
    seed: Mapped[str] = mapped_column(String(64))  # told to nobody before it is drawn
    commitment: Mapped[str] = mapped_column(String(64))  # SHA-256 of the seed, hex
    weights: Mapped[dict[str, object]] = mapped_column(JSON)  # engine.draws.WeightRule
    drawn_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    created_by: Mapped[int | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))

    facility: Mapped[Facility] = relationship(lazy="raise")


class DrawEntry(Model):
    """A party's ticket. Its hash is public, its reference is the party's own."""

    __tablename__ = "draw_entries"
    __table_args__ = (
        check("weight > 0", "weight_above_zero"),
        Index("uq_draw_entries_rank", "draw_id", "rank", unique=True),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    draw_id: Mapped[int] = mapped_column(ForeignKey("draws.id"))
    reference: Mapped[str] = mapped_column(String(36), unique=True)
    entry_hash: Mapped[str] = mapped_column(String(64), unique=True)
    weight: Mapped[int]  # fixed when entries close; thousandths of an ordinary entry's
    rank: Mapped[int | None]  # from 1
    won: Mapped[bool | None]
    entered_by: Mapped[int | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)

    entrants: Mapped[list["DrawEntrant"]] = relationship(lazy="raise", cascade="all, delete-orphan")


class DrawEntrant(Model):
    """A resident of the party; nobody is in a draw twice. A ticket that is withdrawn is deleted."""

    __tablename__ = "draw_entrants"
    __table_args__ = (
        Index("uq_draw_entrants_once_in_a_draw", "draw_id", "resident_id", unique=True,
              info={"refusal": "already_entered"}),
    )

    entry_id: Mapped[int] = mapped_column(ForeignKey("draw_entries.id", ondelete="CASCADE"), primary_key=True)
    resident_id: Mapped[int] = mapped_column(ForeignKey("residents.id"), primary_key=True, index=True)
    draw_id: Mapped[int] = mapped_column(ForeignKey("draws.id"))

    resident: Mapped[Resident] = relationship(lazy="raise")
