"""How an account wants to be reached: read, and changed. Addresses and carers count once a code has confirmed them."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import time

from sqlalchemy import delete, exists, select
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert

from facilities.accounts import codes
from facilities.accounts import queries as accounts
from facilities.accounts.models import CodePurpose, OneTimeCode, User
from facilities.engine.deliveries import Quiet
from facilities.engine.mail_addresses import read_mail_address
from facilities.engine.messages import CHOSEN_AT_FIRST, Channel, Topic, is_wanted
from facilities.engine.phones import read_phone
from facilities.infra.db import db
from facilities.kernel import clock
from facilities.kernel.actors import Actor
from facilities.kernel.refusals import Invalid, NotVisible, Refused
from facilities.notices.models import (
    Carer,
    ChannelChoice,
    EmailAddress,
    NoticeSettings,
    WechatAccount,
    WechatSubscription,
)
from facilities.notices.reaching import LANGUAGE, quiet_of

MOST_CARERS = 2
MOST_AGREED = 50  # messages that somebody can agree to in advance, of each kind

Choices = Mapping[tuple[Topic, Channel], bool]


@dataclass(frozen=True, slots=True)
class Preferences:
    language: str
    quiet: Quiet
    large_type: bool
    email: EmailAddress | None
    carers: list[Carer]
    wechat: WechatAccount | None
    chosen: Choices
    agreed: Mapping[str, int] = field(default_factory=dict)  # to messages on WeChat, by kind

    def wants(self, topic: Topic, channel: Channel) -> bool:
        return is_wanted(topic, channel, self.chosen)

    @property
    def pending_carer(self) -> Carer | None:
        return next((carer for carer in self.carers if carer.confirmed_at is None), None)


def of(actor: Actor) -> Preferences:
    mine = actor.user_id
    settings = db.session.get(NoticeSettings, mine)
    chosen = {(row.topic, row.channel): row.wanted
              for row in db.session.scalars(select(ChannelChoice).where(ChannelChoice.user_id == mine))}
    agreed = db.session.scalars(select(WechatSubscription).where(WechatSubscription.user_id == mine))
    return Preferences(
        (settings and settings.language) or LANGUAGE, quiet_of(settings), bool(settings and settings.large_type),
        db.session.get(EmailAddress, mine), _carers(actor), db.session.get(WechatAccount, mine), chosen,
        {row.kind: row.remaining for row in agreed})


def change(actor: Actor, *, language: str | None = None, quiet: tuple[time, time] | None = None,
           large_type: bool | None = None, choices: Choices | None = None) -> None:
    """What is given; the rest stays. What is as at first is not kept, so that a later default reaches everybody."""
    settings = db.session.get(NoticeSettings, actor.user_id) or NoticeSettings(user_id=actor.user_id)
    if language is not None:
        settings.language = language
    if quiet is not None:
        settings.quiet_from, settings.quiet_until = quiet
    if large_type is not None:
        settings.large_type = large_type
    db.session.add(settings)
    for (topic, channel), wanted in (choices or {}).items():
        key = (actor.user_id, topic, channel)
        row = db.session.get(ChannelChoice, key)
        if wanted == CHOSEN_AT_FIRST[channel]:
            if row is not None:
                db.session.delete(row)
        elif row is None:
            db.session.add(ChannelChoice(user_id=actor.user_id, topic=topic, channel=channel, wanted=wanted))
        else:
            row.wanted = wanted
    db.session.flush()


def begin_email(actor: Actor, text: str) -> None:
    """A code goes to the address; until it comes back, letters go to nobody. Invalid, Refused `too_many_attempts`."""
    address = read_mail_address(text)
    if address is None:
        raise Invalid(email="not_an_email")
    row = db.session.get(EmailAddress, actor.user_id) or EmailAddress(user_id=actor.user_id)
    row.address, row.confirmed_at = address, None
    db.session.add(row)
    _send_code(actor, CodePurpose.EMAIL, address, "email")


def confirm_email(actor: Actor, code: str) -> bool:
    """Whether it is the code; the caller commits whatever the answer, because each attempt counts."""
    row = db.session.get(EmailAddress, actor.user_id)
    if row is None or not codes.redeem(_user(actor), CodePurpose.EMAIL, code):
        return False
    row.confirmed_at = clock.now()
    db.session.flush()
    return True


def remove_email(actor: Actor) -> None:
    db.session.execute(delete(EmailAddress).where(EmailAddress.user_id == actor.user_id))


def begin_carer(actor: Actor, text: str) -> None:
    """A code goes to the phone of whoever is to get copies; passing it on is their consent.

    Invalid; Refused `limit_reached`, `too_many_attempts`.
    """
    phone = read_phone(text)
    if phone is None:
        raise Invalid(phone="bad_phone")
    if phone == actor.login:
        raise Invalid(phone="own_number")
    db.session.execute(delete(Carer).where(Carer.user_id == actor.user_id, Carer.confirmed_at.is_(None)))
    carers = _carers(actor)
    if phone in {carer.phone for carer in carers}:
        return
    if len(carers) >= MOST_CARERS:
        raise Refused("limit_reached", rule="carers", limit=MOST_CARERS)
    db.session.add(Carer(user_id=actor.user_id, phone=phone))
    db.session.flush()
    _send_code(actor, CodePurpose.CARER, phone, "sms")


def confirm_carer(actor: Actor, code: str) -> bool:
    """As `confirm_email`."""
    pending = next((carer for carer in _carers(actor) if carer.confirmed_at is None), None)
    if pending is None or not codes.redeem(_user(actor), CodePurpose.CARER, code):
        return False
    pending.confirmed_at = clock.now()
    db.session.flush()
    return True


def remove_carer(actor: Actor, carer_id: int) -> None:
    gone = db.session.execute(
        delete(Carer).where(Carer.id == carer_id, Carer.user_id == actor.user_id).returning(Carer.id)).first()
    if gone is None:
        raise NotVisible


def forget_unconfirmed() -> int:
    """Addresses and phones that nobody confirmed while the code held: they may be strangers'. How many rows went."""
    return sum(_forget_unconfirmed(model, purpose) for model, purpose in (
        (EmailAddress, CodePurpose.EMAIL), (Carer, CodePurpose.CARER)))


def _forget_unconfirmed(model: type[EmailAddress] | type[Carer], purpose: CodePurpose) -> int:
    open_code = exists().where(OneTimeCode.user_id == model.user_id, OneTimeCode.purpose == purpose,
                               OneTimeCode.ends_at > clock.now())
    gone = db.session.execute(
        delete(model).where(model.confirmed_at.is_(None), ~open_code).returning(model.user_id),
        execution_options={"synchronize_session": False})
    return len(gone.all())


def link_wechat(actor: Actor, openid: str) -> None:
    row = db.session.get(WechatAccount, actor.user_id) or WechatAccount(user_id=actor.user_id)
    row.openid = openid
    db.session.add(row)
    db.session.flush()


def unlink_wechat(actor: Actor) -> None:
    for model in (WechatAccount, WechatSubscription):
        db.session.execute(delete(model).where(model.user_id == actor.user_id))


def agree(actor: Actor, kinds: Collection[str]) -> None:
    """The reader tapped 'allow' on WeChat: one more message of each of these kinds."""
    if db.session.get(WechatAccount, actor.user_id) is None:
        raise Refused("wechat_not_linked")
    insert = postgresql_insert if db.engine.dialect.name == "postgresql" else sqlite_insert
    for kind in sorted(kinds):
        db.session.execute(
            insert(WechatSubscription).values(user_id=actor.user_id, kind=kind, remaining=1)
            .on_conflict_do_update(
                index_elements=[WechatSubscription.user_id, WechatSubscription.kind],
                set_={"remaining": WechatSubscription.remaining + 1},
                where=WechatSubscription.remaining < MOST_AGREED))


def _carers(actor: Actor) -> list[Carer]:
    return list(db.session.scalars(select(Carer).where(Carer.user_id == actor.user_id).order_by(Carer.id)))


def _user(actor: Actor) -> User | None:
    return accounts.user_by_id(actor.user_id)


def _send_code(actor: Actor, purpose: CodePurpose, to: str, channel: str) -> None:
    db.session.flush()
    if not codes.send(actor.login, _user(actor), purpose, to, channel):
        raise Refused("too_many_attempts")
