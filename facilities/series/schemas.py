"""The shape of series in the API."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from marshmallow import fields

from facilities.engine.recurrence import LeftOut
from facilities.engine.working_days import OnRestDays
from facilities.programmes.models import ActivitySession, LeftOutDate, Series
from facilities.programmes.schemas import (
    LARGEST_SESSION,
    AudienceIn,
    AudienceOut,
    SessionOut,
    WaitlistIn,
    read_changes,
    show_audience,
    show_session,
)
from facilities.series.services import Plan
from facilities.web.schemas import BaseSchema, Count, Id, Instant, Reference, Text, one_of

LONGEST_MINUTES = 24 * 60


class SeriesChange(BaseSchema):
    space_id = Reference(allow_none=True)
    title = Text(longest=80)
    title_en = Text(longest=120, allow_none=True)
    details = Text(longest=1000, multiline=True, allow_none=True)
    starts_at = Instant()
    duration_minutes = Count(1, LONGEST_MINUTES)
    capacity = Count(1, LARGEST_SESSION)
    audience = fields.Nested(AudienceIn, allow_none=True)
    waitlist = fields.Nested(WaitlistIn)


class SeriesIn(SeriesChange):
    facility_id = Reference(required=True)
    programme_id = Reference(required=True)
    title = Text(required=True, longest=80)
    rrule = Text(required=True, longest=200)
    starts_at = Instant(required=True)
    duration_minutes = Count(1, LONGEST_MINUTES, required=True)
    capacity = Count(1, LARGEST_SESSION, required=True)
    on_rest_days = fields.String(load_default=OnRestDays.HOLD.value, validate=one_of(*OnRestDays))


class FromQuery(BaseSchema):
    from_ = Instant(bare_dates=True, data_key="from")


class DateIn(BaseSchema):
    starts_at = Instant(required=True)


class LeftOutOut(BaseSchema):
    starts_at = Instant()
    code = fields.String()


class OccurrenceOut(BaseSchema):
    starts_at = Instant()
    ends_at = Instant()


class PreviewOut(BaseSchema):
    sessions = fields.List(fields.Nested(OccurrenceOut))
    left_out = fields.List(fields.Nested(LeftOutOut))


class SeriesOut(BaseSchema):
    id = Id()
    programme_id = Id()
    facility_id = Id()
    space_id = Id(allow_none=True)
    title = fields.String()
    title_en = fields.String(allow_none=True)
    details = fields.String(allow_none=True)
    rrule = fields.String()
    starts_at = Instant()
    duration_minutes = fields.Integer()
    capacity = fields.Integer()
    audience = fields.Nested(AudienceOut)
    on_rest_days = fields.String()
    sessions = fields.List(fields.Nested(SessionOut))
    left_out = fields.List(fields.Nested(LeftOutOut))


def read_plan(body: dict[str, Any], facility_id: int) -> Plan:
    values = {**read_changes(body), "facility_id": facility_id, "on_rest_days": OnRestDays(body["on_rest_days"])}
    if body.get("audience") is None:
        values["audience"] = None
    return Plan(**values)


def show_preview(plan: Plan, held: Sequence[datetime], left_out: Sequence[LeftOut]) -> dict[str, Any]:
    return {"sessions": [plan.span(instant) for instant in held], "left_out": list(left_out)}


def show_series(series: Series, sessions: Sequence[ActivitySession], left_out: Sequence[LeftOut | LeftOutDate],
                ) -> dict[str, Any]:
    return {
        "id": series.id, "programme_id": series.programme_id, "facility_id": series.facility_id,
        "space_id": series.space_id, "title": series.title, "title_en": series.title_en, "details": series.details,
        "rrule": series.rrule, "starts_at": series.starts_at, "duration_minutes": series.duration_minutes,
        "capacity": series.capacity, "audience": show_audience(series.audience),
        "on_rest_days": series.on_rest_days.value, "sessions": [show_session(s) for s in sessions],
        "left_out": list(left_out),
    }
