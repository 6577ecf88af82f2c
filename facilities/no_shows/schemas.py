"""The shape of no-shows in the API."""

from typing import Any

from marshmallow import fields

from facilities.engine.no_shows import (
    LONGEST_PAUSE,
    LONGEST_WINDOW,
    MOST_COUNTED,
    SHORTEST_WINDOW,
    NoShowPolicy,
    Standing,
)
from facilities.no_shows.models import Answer, Appeal
from facilities.no_shows.queries import Pause, Told
from facilities.no_shows.services import CHANGEABLE
from facilities.web.schemas import BaseSchema, Count, Flag, Id, Instant, Text, one_of, page_schema


class RuleIn(BaseSchema):
    """What is left out stays as it is."""

    is_on = Flag()
    within_days = Count(SHORTEST_WINDOW, LONGEST_WINDOW)
    warn_at = Count(1, MOST_COUNTED)
    pause_at = Count(2, MOST_COUNTED)
    pause_days = Count(1, LONGEST_PAUSE)
    exempt_disabled = Flag()


class RuleOut(BaseSchema):
    is_on = fields.Boolean()
    within_days = fields.Integer()
    warn_at = fields.Integer()
    pause_at = fields.Integer()
    pause_days = fields.Integer()
    exempt_disabled = fields.Boolean()
    counts_from = Instant(allow_none=True)


class AppealIn(BaseSchema):
    words = Text(longest=500, multiline=True, required=True)


class AnswerIn(BaseSchema):
    answer = fields.String(required=True, validate=one_of(*(answer.value for answer in Answer)))
    reply = Text(longest=500, multiline=True, required=True)


class AppealOut(BaseSchema):
    booking_id = Id()
    words = fields.String()
    made_at = Instant()
    answer = fields.String(allow_none=True)
    reply = fields.String(allow_none=True)
    answered_at = Instant(allow_none=True)


class OpenAppealOut(AppealOut):
    """`counted`: how many no-shows count for the resident in the programme at present."""

    session_id = Id()
    programme_id = Id()
    resident_id = Id()
    name = fields.String()
    starts_at = Instant()
    counted = fields.Integer()


class NoShowOut(BaseSchema):
    """`standing`: whether it counts, and if not, why not; null where it has turned out not to be a no-show."""

    booking_id = Id()
    reference = fields.String()
    session_id = Id()
    programme_id = Id()
    resident_id = Id()
    starts_at = Instant()
    counts = fields.Boolean()
    standing = fields.String(allow_none=True)
    appeal = fields.Nested(AppealOut, allow_none=True)


class PauseOut(BaseSchema):
    """Until then the resident books the programme only on the day itself."""

    resident_id = Id()
    programme_id = Id()
    booking_id = Id()
    since = Instant()
    until = Instant()


class NoShowsOut(page_schema(NoShowOut)):  # type: ignore[misc]  # a page of its items, and what follows from them
    pauses = fields.List(fields.Nested(PauseOut))


def show_rule(policy: NoShowPolicy) -> dict[str, Any]:
    return {name: getattr(policy, name) for name in (*CHANGEABLE, "counts_from")}


def show_appeal(appeal: Appeal) -> dict[str, Any]:
    return {"booking_id": appeal.booking_id, "words": appeal.words, "made_at": appeal.made_at,
            "answer": appeal.answer.value if appeal.answer else None, "reply": appeal.reply,
            "answered_at": appeal.answered_at}


def show_open_appeal(told: Told, counted: int) -> dict[str, Any]:
    assert told.appeal is not None  # noqa: S101 - for the type checker: it was looked for by its appeal
    booking = told.booking
    return {**show_appeal(told.appeal), "session_id": booking.session_id, "programme_id": booking.session.programme_id,
            "resident_id": booking.resident_id, "name": booking.resident.name, "starts_at": booking.starts_at,
            "counted": counted}


def show_no_show(told: Told, standing: Standing | None) -> dict[str, Any]:
    booking = told.booking
    return {"booking_id": booking.id, "reference": booking.reference, "session_id": booking.session_id,
            "programme_id": booking.session.programme_id, "resident_id": booking.resident_id,
            "starts_at": booking.starts_at, "counts": standing is Standing.COUNTS,
            "standing": standing.value if standing else None,
            "appeal": show_appeal(told.appeal) if told.appeal else None}


def show_pause(found: Pause) -> dict[str, Any]:
    pause = found.pause
    return {name: getattr(pause, name) for name in ("resident_id", "programme_id", "booking_id", "since", "until")}
