"""How the readers of messages can be reached: addresses that are theirs, and what they chose."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from sqlalchemy import and_, select

from facilities.accounts.models import User
from facilities.engine.deliveries import QUIET, Quiet
from facilities.engine.messages import COPIED, DIRECTED, TOPIC_OF, Channel, Topic, is_wanted
from facilities.engine.phones import read_phone
from facilities.households.models import Resident
from facilities.infra.db import db
from facilities.infra.outbox import Notice
from facilities.notices.models import (
    Carer,
    ChannelChoice,
    EmailAddress,
    NoticeSettings,
    WechatAccount,
    WechatSubscription,
)

LANGUAGE = "zh"  # of whoever has chosen none


@dataclass(frozen=True, slots=True)
class Reader:
    """An account, or a resident for whom no account acts: of such a one the phone is all that is known."""

    phone: str | None = None
    email: str | None = None
    openid: str | None = None
    language: str = LANGUAGE
    quiet: Quiet = QUIET
    large_type: bool = False
    choices: Mapping[tuple[Topic, Channel], bool] = field(default_factory=dict)
    carers: Mapping[int, str] = field(default_factory=dict)  # their phones, by number
    subscriptions: Mapping[str, int] = field(default_factory=dict)  # messages that WeChat still takes, by kind

    def address(self, channel: Channel) -> str | None:
        return {Channel.SMS: self.phone, Channel.EMAIL: self.email, Channel.WECHAT: self.openid,
                Channel.PLATFORM: self.phone}[channel]


@dataclass(frozen=True, slots=True)
class Planned:
    """One message's way to one address: its reader's own, or a carer's."""

    channel: Channel
    carer_id: int | None = None


def ways_for(notice: Notice, reader: Reader, installed: Collection[Channel]) -> list[Planned]:
    if notice.kind in DIRECTED:
        channel = Channel(str(notice.facts.get("channel", Channel.SMS)))
        return [Planned(channel)] if channel in installed else []
    topic = TOPIC_OF[notice.kind]
    ways = [Planned(channel) for channel in installed
            if reader.address(channel) and is_wanted(topic, channel, reader.choices)
            and (channel is not Channel.WECHAT or reader.subscriptions.get(notice.kind, 0) > 0)]
    if topic in COPIED and Channel.SMS in installed:
        ways += [Planned(Channel.SMS, carer_id) for carer_id in reader.carers]
    return ways


def readers(notices: Sequence[Notice]) -> dict[int, Reader]:
    """By message; in a fixed number of queries."""
    accounts = of_accounts({n.user_id for n in notices if n.user_id is not None})
    alone = {n.resident_id for n in notices if n.user_id is None and n.resident_id is not None}
    phones = select(Resident.id, Resident.phone).where(Resident.id.in_(alone))
    residents = {number: Reader(phone=read_phone(phone or ""))
                 for number, phone in db.session.execute(phones).tuples()} if alone else {}
    found = ((n.id, residents.get(n.resident_id or 0) if n.user_id is None else accounts.get(n.user_id))
             for n in notices)
    return {number: reader or Reader() for number, reader in found}


def of_accounts(user_ids: Collection[int]) -> dict[int, Reader]:
    if not user_ids:
        return {}
    choices: dict[int, dict[tuple[Topic, Channel], bool]] = {}
    for choice in db.session.scalars(select(ChannelChoice).where(ChannelChoice.user_id.in_(user_ids))):
        choices.setdefault(choice.user_id, {})[choice.topic, choice.channel] = choice.wanted
    carers: dict[int, dict[int, str]] = {}
    for carer in db.session.scalars(
            select(Carer).where(Carer.user_id.in_(user_ids), Carer.confirmed_at.is_not(None)).order_by(Carer.id)):
        carers.setdefault(carer.user_id, {})[carer.id] = carer.phone
    subscriptions: dict[int, dict[str, int]] = {}
    for row in db.session.scalars(select(WechatSubscription).where(WechatSubscription.user_id.in_(user_ids))):
        subscriptions.setdefault(row.user_id, {})[row.kind] = row.remaining
    rows = db.session.execute(
        select(User.id, User.login, EmailAddress.address, WechatAccount.openid, NoticeSettings)
        .outerjoin(EmailAddress, and_(EmailAddress.user_id == User.id, EmailAddress.confirmed_at.is_not(None)))
        .outerjoin(WechatAccount, WechatAccount.user_id == User.id)
        .outerjoin(NoticeSettings, NoticeSettings.user_id == User.id)
        .where(User.id.in_(user_ids), User.disabled.is_(False))).tuples()
    return {number: Reader(
        read_phone(login), email, openid, (settings and settings.language) or LANGUAGE, quiet_of(settings),
        bool(settings and settings.large_type), choices.get(number, {}), carers.get(number, {}),
        subscriptions.get(number, {})) for number, login, email, openid, settings in rows}


def quiet_of(settings: NoticeSettings | None) -> Quiet:
    if settings is None or settings.quiet_from is None or settings.quiet_until is None:
        return QUIET
    return Quiet(settings.quiet_from, settings.quiet_until)
