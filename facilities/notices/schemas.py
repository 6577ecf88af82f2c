"""The shape of messages in the API."""

from collections.abc import Collection
from typing import Any

from flask_babel import lazy_gettext as _l
from marshmallow import ValidationError, fields

from facilities.engine.messages import TOPIC_OF, Channel, Topic
from facilities.kernel.text import mask_phone
from facilities.notices import wording
from facilities.notices.models import Delivery
from facilities.notices.preferences import Choices, Preferences
from facilities.notices.queries import Message
from facilities.web.language import LANGUAGES
from facilities.web.schemas import BaseSchema, Flag, Id, Instant, PageQuery, Reference, Text, at_most_items, one_of

MOST_AT_ONCE = 200


class AboutOut(BaseSchema):
    kind = fields.String()
    id = Id()


class NoticeOut(BaseSchema):
    id = Id()
    kind = fields.String()
    heading = fields.String()
    text = fields.String()
    about = fields.Nested(AboutOut)
    resident_id = Id(allow_none=True)
    created_at = Instant()
    read = fields.Boolean()


def _yes(value: bool) -> None:
    if not value:
        raise ValidationError(str(fields.Field.default_error_messages["validator_failed"]))


class ReadIn(BaseSchema):
    """Which have been read; without `ids` all of them."""

    ids = fields.List(Reference(), validate=at_most_items(MOST_AT_ONCE, least=1))
    all = Flag(validate=_yes)


class ReadOut(BaseSchema):
    unread = fields.Integer()


def show_notice(message: Message) -> dict[str, Any]:
    """The resident is named by id to who acts for them, and to nobody else."""
    notice = message.notice
    return {"id": notice.id, "kind": notice.kind, "heading": wording.heading(notice.kind),
            "text": wording.text(notice.kind, notice.facts),
            "about": {"kind": notice.about_kind, "id": notice.about_id},
            "resident_id": notice.resident_id if message.name is not None else None,
            "created_at": notice.created_at, "read": notice.read_at is not None}


def wall_time(name: str) -> fields.Time:
    """`21:00`, on the district's clock."""
    wrong = _l("This must be a time like 21:00.")
    return fields.Time(format="%H:%M", required=True, data_key=name,
                       error_messages={"invalid": wrong, "format": wrong})


class QuietSpan(BaseSchema):
    """None at all where both are the same."""

    begins = wall_time("from")
    ends = wall_time("until")


class WayIn(BaseSchema):
    topic = fields.String(required=True, validate=one_of(*Topic))
    channel = fields.String(required=True, validate=one_of(*Channel))
    wanted = Flag(required=True)


class PreferencesIn(BaseSchema):
    """What is given is changed, the rest stays."""

    language = fields.String(validate=one_of(*LANGUAGES))
    quiet = fields.Nested(QuietSpan)
    large_type = Flag()
    ways = fields.List(fields.Nested(WayIn), validate=at_most_items(len(Topic) * len(Channel)))


class EmailOut(BaseSchema):
    address = fields.String()
    confirmed = fields.Boolean()


class CarerOut(BaseSchema):
    id = Id()
    phone_masked = fields.String()
    confirmed = fields.Boolean()


class WayOut(BaseSchema):
    topic = fields.String()
    channel = fields.String()
    wanted = fields.Boolean()


class PreferencesOut(BaseSchema):
    language = fields.String()
    quiet = fields.Nested(QuietSpan)
    large_type = fields.Boolean()
    channels = fields.List(fields.String())
    ways = fields.List(fields.Nested(WayOut))
    email = fields.Nested(EmailOut, allow_none=True)
    carers = fields.List(fields.Nested(CarerOut))
    wechat = fields.Dict(keys=fields.String(), values=fields.Integer(), allow_none=True)


class EmailIn(BaseSchema):
    email = Text(required=True, longest=254)


class CarerIn(BaseSchema):
    phone = Text(required=True, longest=30)


class CodeIn(BaseSchema):
    code = Text(required=True, longest=20)


class WechatIn(BaseSchema):
    """A code as `wx.login` gives it to the mini-program."""

    code = Text(required=True, longest=200)


class AgreedIn(BaseSchema):
    kinds = fields.List(fields.String(validate=one_of(*TOPIC_OF)), required=True, validate=at_most_items(10, least=1))


class ReceiptIn(BaseSchema):
    """What a provider reports. `final`: another attempt would not help."""

    reference = Text(required=True, longest=36)
    outcome = fields.String(required=True, validate=one_of("delivered", "failed"))
    final = Flag(load_default=False)


class DeliveryOut(BaseSchema):
    id = Id()
    notice_id = Id()
    kind = fields.String()
    channel = fields.String()
    attempts = fields.Integer()
    failure = fields.String(allow_none=True)
    ended_at = Instant(allow_none=True)


class DeliveriesQuery(PageQuery):
    state = fields.String(load_default="dead", validate=one_of("dead"))


class SendAgainIn(BaseSchema):
    ids = fields.List(Reference(), required=True, validate=at_most_items(MOST_AT_ONCE, least=1))


class SentAgainOut(BaseSchema):
    sent_again = fields.Integer()


def show_preferences(found: Preferences, channels: Collection[Channel]) -> dict[str, Any]:
    ways = [{"topic": topic.value, "channel": channel.value, "wanted": found.wants(topic, channel)}
            for topic in Topic for channel in channels]
    return {"language": found.language, "quiet": found.quiet, "large_type": found.large_type,
            "channels": [channel.value for channel in channels], "ways": ways,
            "email": found.email and {"address": found.email.address,
                                      "confirmed": found.email.confirmed_at is not None},
            "carers": [{"id": carer.id, "phone_masked": mask_phone(carer.phone),
                        "confirmed": carer.confirmed_at is not None} for carer in found.carers],
            "wechat": dict(found.agreed) if found.wechat else None}


def read_choices(ways: list[dict[str, Any]]) -> Choices:
    return {(Topic(way["topic"]), Channel(way["channel"])): way["wanted"] for way in ways}


def show_delivery(row: Delivery) -> dict[str, Any]:
    return {"id": row.id, "notice_id": row.notice_id, "kind": row.notice.kind, "channel": row.channel.value,
            "attempts": row.attempts, "failure": row.failure, "ended_at": row.ended_at}
