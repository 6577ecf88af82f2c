"""The shape of findings in the API. Names are masked; nothing here says what a person's name is."""

from typing import Any

from marshmallow import fields

from facilities.kernel.text import mask_name
from facilities.programmes.models import ActivitySession
from facilities.quality.queries import Crowd, Finding, Part, Twice, Unborn
from facilities.web.schemas import BaseSchema, Id, Instant


class RowOut(BaseSchema):
    """A resident, a session or two records, as the finding has it; what does not belong to it is left out."""

    resident_id = Id()
    name_masked = fields.String()
    attendances = fields.Integer()
    session_id = Id()
    facility_id = Id()
    title = fields.String()
    starts_at = Instant()
    ends_at = Instant()
    capacity = fields.Integer()
    places_taken = fields.Integer()
    people = fields.Integer()
    resident_ids = fields.List(Id())
    likeness = fields.String()


class FindingOut(BaseSchema):
    """`number`: of all its rows; `items`: the first of them."""

    finding = fields.String()
    number = fields.Integer()
    items = fields.List(fields.Nested(RowOut))


class QualityOut(BaseSchema):
    findings = fields.List(fields.Nested(FindingOut))


def show_finding(finding: Finding, part: Part) -> dict[str, Any]:
    return {"finding": finding.value, "number": part.number, "items": [_row(row) for row in part.rows]}


def _row(row: Unborn | ActivitySession | Crowd | Twice) -> dict[str, Any]:
    if isinstance(row, Unborn):
        return {"resident_id": row.resident.id, "name_masked": mask_name(row.resident.name), "attendances": row.times}
    if isinstance(row, Crowd):
        return {**_session(row.session), "people": row.people}
    if isinstance(row, Twice):
        return {"resident_ids": [row.first.id, row.second.id], "likeness": row.likeness.value}
    return _session(row)


def _session(session: ActivitySession) -> dict[str, Any]:
    names = ("facility_id", "title", "starts_at", "ends_at", "capacity", "places_taken")
    return {"session_id": session.id, **{name: getattr(session, name) for name in names}}
