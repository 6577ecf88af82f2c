"""How somebody wants to be reached, and what became of a message on its way out of the app."""

from datetime import datetime, time
from enum import StrEnum

from sqlalchemy import ForeignKey, Index, String, Text, Time, false, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from facilities.engine.messages import Answer, Channel, Topic
from facilities.infra.columns import BigId, UtcDateTime, enum_type
from facilities.infra.db import Model
from facilities.infra.exclusion import check
from facilities.infra.outbox import Notice


class NoticeSettings(Model):
    """An account's own: where there is no row, or nothing in it, the district's defaults hold."""

    __tablename__ = "notice_settings"
    __table_args__ = (
        check("language IN ('zh', 'en')", "language"),
        check("(quiet_from IS NULL) = (quiet_until IS NULL)", "quiet_has_both_ends"),
    )

    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), primary_key=True)
    language: Mapped[str | None] = mapped_column(String(8))
    quiet_from: Mapped[time | None] = mapped_column(Time)  # on the district's wall clock; equal: no quiet hours
    quiet_until: Mapped[time | None] = mapped_column(Time)
    large_type: Mapped[bool] = mapped_column(default=False, server_default=false())


class ChannelChoice(Model):
    """Whether an account wants messages of a topic on a channel, where it has said so."""

    __tablename__ = "channel_choices"

    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), primary_key=True)
    topic: Mapped[Topic] = mapped_column(enum_type(Topic, "topic"), primary_key=True)
    channel: Mapped[Channel] = mapped_column(enum_type(Channel, "channel"), primary_key=True)
    wanted: Mapped[bool]


class EmailAddress(Model):
    """Used once its owner has shown, by a code, that it is theirs."""

    __tablename__ = "email_addresses"

    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), primary_key=True)
    address: Mapped[str] = mapped_column(String(254))
    confirmed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class Carer(Model):
    """A phone that gets a copy of what an account is told, once whoever holds it has agreed by passing on a code."""

    __tablename__ = "carers"
    __table_args__ = (Index("uq_carers_phone", "user_id", "phone", unique=True),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    phone: Mapped[str] = mapped_column(String(20))
    confirmed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class WechatAccount(Model):
    """Whom WeChat knows by which id, of our mini-program only."""

    __tablename__ = "wechat_accounts"

    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), primary_key=True)
    openid: Mapped[str] = mapped_column(String(64))


class WechatSubscription(Model):
    """How many messages of a kind somebody has agreed to there: each agreement is good for one."""

    __tablename__ = "wechat_subscriptions"
    __table_args__ = (check("remaining >= 0", "remaining"),)

    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), primary_key=True)
    kind: Mapped[str] = mapped_column(String(40), primary_key=True)
    remaining: Mapped[int] = mapped_column(default=0, server_default=text("0"))


class DeliveryState(StrEnum):
    WAITING = "waiting"  # to be sent when it is due, for the first time or again
    ACCEPTED = "accepted"  # taken by a provider that reports delivery, and has not reported yet
    SENT = "sent"
    DROPPED = "dropped"  # no longer true when its turn came
    DEAD = "dead"  # given up: an administrator sees it and may send it again


OPEN = (DeliveryState.WAITING, DeliveryState.ACCEPTED)
_IS_OPEN = text(f"state IN ({', '.join(f'{state.value!r}' for state in OPEN)})")


class Delivery(Model):
    """One message on one channel. `reference` is the same on every repeat, so that a provider can drop those."""

    __tablename__ = "deliveries"
    __table_args__ = (
        Index("uq_deliveries_notice_channel", "notice_id", "channel", unique=True,
              postgresql_where=text("carer_id IS NULL"), sqlite_where=text("carer_id IS NULL")),
        Index("uq_deliveries_notice_carer", "notice_id", "carer_id", unique=True),
        Index("ix_deliveries_carer", "carer_id"),
        Index("ix_deliveries_due", "channel", "due_at", postgresql_where=_IS_OPEN, sqlite_where=_IS_OPEN),
        Index("ix_deliveries_dead", "id", postgresql_where=text("state = 'dead'"), sqlite_where=text("state = 'dead'")),
        check("(state IN ('waiting', 'accepted')) = (ended_at IS NULL)", "ended_with_its_time"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    notice_id: Mapped[int] = mapped_column(ForeignKey("notices.id", ondelete="CASCADE"))
    channel: Mapped[Channel] = mapped_column(enum_type(Channel, "channel"))
    carer_id: Mapped[int | None] = mapped_column(ForeignKey("carers.id", ondelete="CASCADE"))  # whose copy it is
    reference: Mapped[str] = mapped_column(String(36), unique=True)
    state: Mapped[DeliveryState] = mapped_column(enum_type(DeliveryState, "state"))
    attempts: Mapped[int] = mapped_column(default=0, server_default=text("0"))
    due_at: Mapped[datetime] = mapped_column(UtcDateTime)
    ended_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    failure: Mapped[str | None] = mapped_column(String(40))  # the kind of the last one, never its words

    notice: Mapped[Notice] = relationship(lazy="raise")


class AnswerLink(Model):
    """A message can be answered with a code that opens once; it is found by a keyed hash, and kept sealed to be sent
    again as it was.
    """

    __tablename__ = "answer_links"
    __table_args__ = (check("(used_at IS NULL) = (answer IS NULL)", "used_with_its_answer"),)

    notice_id: Mapped[int] = mapped_column(ForeignKey("notices.id", ondelete="CASCADE"), primary_key=True)
    code_hash: Mapped[str] = mapped_column(String(64), unique=True)
    sealed: Mapped[str] = mapped_column(Text)
    ends_at: Mapped[datetime] = mapped_column(UtcDateTime)
    used_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    answer: Mapped[Answer | None] = mapped_column(enum_type(Answer, "answer"))

    notice: Mapped[Notice] = relationship(lazy="raise")


class Reminder(Model):
    """That somebody was reminded of something at this time: once, however many workers there are."""

    __tablename__ = "reminders"

    about_kind: Mapped[str] = mapped_column(String(20), primary_key=True)
    about_id: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=False)
    kind: Mapped[str] = mapped_column(String(40), primary_key=True)
    starts_at: Mapped[datetime] = mapped_column(UtcDateTime, primary_key=True)
