"""The shape of attendance in the API."""

from typing import Any

from flask_babel import lazy_gettext as _l
from marshmallow import ValidationError, fields, validate, validates_schema

from facilities.attendance.days import LONGEST
from facilities.attendance.models import Attendance, HeadCount
from facilities.attendance.queries import Entered
from facilities.attendance.services import Entry, Result
from facilities.engine.roll_call import CAME, OF_SOMEONE, Counts, EventKind, VoidReason
from facilities.kernel.ids import read_id
from facilities.kernel.refusals import NotVisible
from facilities.web.schemas import BaseSchema, Count, Day, Flag, Id, Instant, Reference, Text, one_of

LARGEST_BATCH = 1000
NOBODY = 0  # an id that no row has: refused as not found, for itself


class CountsIn(BaseSchema):
    women = Count(0, 100_000, required=True)
    children = Count(0, 100_000, required=True)
    men = Count(0, 100_000, required=True)
    elders = Count(0, 100_000, load_default=0)
    disabled = Count(0, 100_000, load_default=0)


class EventIn(BaseSchema):
    id = fields.UUID(required=True)
    session_id = Reference(required=True)
    kind = fields.String(required=True, validate=one_of(*EventKind))
    resident_id = Reference(allow_none=True)
    reference = Text(longest=40, allow_none=True)
    check_in_code = Text(longest=200, allow_none=True)
    voids = fields.UUID(allow_none=True)
    reason = fields.String(allow_none=True, validate=one_of(*VoidReason))
    late = Flag(load_default=False)
    counts = fields.Nested(CountsIn, allow_none=True)
    occurred_at = Instant(required=True)
    device = Text(longest=64, allow_none=True)

    @validates_schema
    def fits_its_kind(self, data: dict[str, Any], **_kw: object) -> None:
        kind = data["kind"]
        if (kind == EventKind.VOID) != (data.get("voids") is not None):
            raise ValidationError(str(_l("A void, and nothing else, says what it voids.")), "voids")
        if (kind == EventKind.HEAD_COUNT) != (data.get("counts") is not None):
            raise ValidationError(str(_l("A head count, and nothing else, has counts.")), "counts")
        named = data.get("resident_id") or data.get("reference") or data.get("check_in_code")
        if kind in OF_SOMEONE and not named:
            raise ValidationError(str(_l("This is needed.")), "resident_id")
        if data["late"] and kind not in CAME:
            raise ValidationError(str(_l("Only somebody who came can be late.")), "late")
        if data.get("reason") and kind != EventKind.VOID:
            raise ValidationError(str(_l("Only what is taken back has a reason.")), "reason")


class EventsIn(BaseSchema):
    events = fields.List(fields.Nested(EventIn), required=True, validate=validate.Length(
        1, LARGEST_BATCH, error=_l("Send from 1 to %(most)s events.", most=LARGEST_BATCH)))


class ResultOut(BaseSchema):
    id = fields.UUID()
    outcome = fields.String()
    code = fields.String()


class ResultsOut(BaseSchema):
    results = fields.List(fields.Nested(ResultOut))


class AttendanceRow(BaseSchema):
    resident_id = Id()
    state = fields.String()
    walk_in = fields.Boolean()
    late = fields.Boolean()
    minutes = fields.Integer(allow_none=True)
    recorded_by = Id(allow_none=True)
    event_id = fields.UUID()


class HeadCountsOut(BaseSchema):
    women = fields.Integer()
    children = fields.Integer()
    men = fields.Integer()
    elders = fields.Integer()
    disabled = fields.Integer()


class AttendanceOut(BaseSchema):
    residents = fields.List(fields.Nested(AttendanceRow))
    head_counts = fields.Nested(HeadCountsOut)
    unnamed_walk_ins = fields.Integer()


class CheckInIn(BaseSchema):
    poster = Text(longest=40, required=True)


class CheckedInOut(BaseSchema):
    is_present = fields.Boolean()


class ReopenIn(BaseSchema):
    day = Day(required=True)
    days = Count(1, LONGEST.days, load_default=3)
    reason = Text(longest=200, required=True)


class ReopenedOut(BaseSchema):
    id = Id()
    facility_id = Id()
    day = Day()
    until = Instant()
    reason = fields.String()


class TakenBackOut(BaseSchema):
    by = fields.String(allow_none=True)
    at = Instant()
    reason = fields.String(allow_none=True)


class EnteredOut(BaseSchema):
    id = fields.UUID()
    kind = fields.String()
    resident_id = Id(allow_none=True)
    late = fields.Boolean()
    counts = fields.Nested(HeadCountsOut, allow_none=True)
    occurred_at = Instant()
    received_at = Instant()
    by = fields.String(allow_none=True)
    device = fields.String()
    taken_back = fields.Nested(TakenBackOut, allow_none=True)


class HistoryOut(BaseSchema):
    items = fields.List(fields.Nested(EnteredOut))


def show_entered(entry: Entered) -> dict[str, Any]:
    event, void = entry.event, entry.taken_back
    back = {"by": entry.taken_back_by, "at": void.received_at, "reason": void.reason} if void else None
    return {"id": event.id, "kind": event.kind.value, "resident_id": event.resident_id, "late": event.late,
            "counts": event.as_event().counts, "occurred_at": event.occurred_at, "received_at": event.received_at,
            "by": entry.by, "device": event.device, "taken_back": back}


def read_entry(body: dict[str, Any]) -> Entry:
    counts, reason = body.get("counts"), body.get("reason")
    return Entry(
        id=body["id"], session_id=_id(body["session_id"]), kind=EventKind(body["kind"]),
        occurred_at=body["occurred_at"], resident_id=_id(body["resident_id"]) if body.get("resident_id") else None,
        reference=body.get("reference") or None, check_in_code=body.get("check_in_code") or None,
        voids=body.get("voids"), reason=VoidReason(reason) if reason else None, late=body["late"],
        counts=Counts(**counts) if counts else None, device=body.get("device") or "")


def _id(text: str) -> int:
    try:
        return read_id(text)
    except NotVisible:
        return NOBODY


def show_result(result: Result) -> dict[str, Any]:
    shown: dict[str, Any] = {"id": result.id, "outcome": result.outcome.value}
    return shown if result.code is None else {**shown, "code": result.code}


def show_attendance(rows: list[Attendance], head_count: HeadCount | None) -> dict[str, Any]:
    return {
        "residents": [{"resident_id": r.resident_id, "state": r.state.value, "walk_in": r.walk_in,
                       "late": r.late, "minutes": r.minutes, "recorded_by": r.recorded_by,
                       "event_id": r.event_id} for r in rows],
        "head_counts": head_count or Counts(),
        "unnamed_walk_ins": head_count.unnamed_walk_ins if head_count else 0,
    }
