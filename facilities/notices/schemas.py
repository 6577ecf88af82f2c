"""The shape of messages in the API."""

from typing import Any

from marshmallow import ValidationError, fields

from facilities.notices import wording
from facilities.notices.queries import Message
from facilities.web.schemas import BaseSchema, Flag, Id, Instant, Reference, at_most_items

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
