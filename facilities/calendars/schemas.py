"""The shape of a household's calendar in the API."""

from marshmallow import fields

from facilities.web.language import LANGUAGES
from facilities.web.schemas import BaseSchema, Instant, one_of


class FollowIn(BaseSchema):
    language = fields.String(load_default="zh", validate=one_of(*LANGUAGES))


class FollowedOut(BaseSchema):
    """The address is given once."""

    address = fields.String()


class FollowingOut(BaseSchema):
    since = Instant(allow_none=True)
    language = fields.String(allow_none=True)
