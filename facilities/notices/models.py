"""What became of a message on its way out of the app."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import ForeignKey, Index, String, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from facilities.infra.columns import BigId, UtcDateTime, enum_type
from facilities.infra.db import Model
from facilities.infra.exclusion import check
from facilities.infra.outbox import Notice


class ChannelKind(StrEnum):
    SMS = "sms"


class DeliveryState(StrEnum):
    WAITING = "waiting"  # to be sent when it is due, for the first time or again
    SENT = "sent"
    DROPPED = "dropped"  # no longer true when its turn came
    DEAD = "dead"  # given up: an administrator sees it and may send it again


class Delivery(Model):
    """One message on one channel. `reference` is the same on every repeat, so that a provider can drop those."""

    __tablename__ = "deliveries"
    __table_args__ = (
        Index("uq_deliveries_notice_channel", "notice_id", "channel", unique=True),
        Index("ix_deliveries_due", "due_at", postgresql_where=text("state = 'waiting'"),
              sqlite_where=text("state = 'waiting'")),
        Index("ix_deliveries_dead", "id", postgresql_where=text("state = 'dead'"), sqlite_where=text("state = 'dead'")),
        check("(state = 'waiting') = (ended_at IS NULL)", "ended_with_its_time"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    notice_id: Mapped[int] = mapped_column(ForeignKey("notices.id", ondelete="CASCADE"))
    channel: Mapped[ChannelKind] = mapped_column(enum_type(ChannelKind, "channel"))
    reference: Mapped[str] = mapped_column(String(36), unique=True)
    state: Mapped[DeliveryState] = mapped_column(enum_type(DeliveryState, "state"))
    attempts: Mapped[int] = mapped_column(default=0, server_default=text("0"))
    due_at: Mapped[datetime] = mapped_column(UtcDateTime)
    ended_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    failure: Mapped[str | None] = mapped_column(String(40))  # the kind of the last one, never its words

    notice: Mapped[Notice] = relationship(lazy="raise")
