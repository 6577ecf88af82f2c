"""The shape of feedback in the API."""

from typing import Any

from marshmallow import fields

from facilities.engine.feedback import BEST, WORST, changeable_until
from facilities.feedback.models import Feedback
from facilities.web.schemas import BaseSchema, Count, Id, Instant, Text


class FeedbackIn(BaseSchema):
    rating = Count(WORST, BEST, required=True)
    comment = Text(longest=500, multiline=True, allow_none=True, load_default=None)


class FeedbackOut(BaseSchema):
    booking_id = Id()
    rating = fields.Integer()
    comment = fields.String(allow_none=True)
    created_at = Instant()
    changeable_until = Instant()


def show_feedback(given: Feedback) -> dict[str, Any]:
    return {"booking_id": given.booking_id, "rating": given.rating, "comment": given.words,
            "created_at": given.created_at, "changeable_until": changeable_until(given.created_at)}
