"""Attendance events in, the present state out."""

from typing import Any

from facilities.attendance import queries, services
from facilities.attendance.schemas import (
    AttendanceOut,
    EventsIn,
    ResultsOut,
    read_entry,
    show_attendance,
    show_result,
)
from facilities.infra.db import unit_of_work
from facilities.kernel.ids import read_id
from facilities.programmes.api import runnable_session
from facilities.web.api import ApiBlueprint
from facilities.web.guards import current_actor, first, signed_in, staff

blueprint = ApiBlueprint("attendance", __name__)


@blueprint.route("/attendance/events", methods=["POST"])
@staff
@blueprint.arguments(EventsIn)
@blueprint.response(200, ResultsOut)
def record(body: dict[str, Any]) -> dict[str, Any]:
    actor, entries = current_actor(), [read_entry(event) for event in body["events"]]
    return {"results": [show_result(r) for r in unit_of_work(lambda: services.record(actor, entries))]}


@blueprint.route("/sessions/<session_id>/attendance")
@signed_in
@first(runnable_session)
@staff
@blueprint.response(200, AttendanceOut)
def attendance(session_id: str) -> dict[str, Any]:
    number = read_id(session_id)
    return show_attendance(queries.attendances([number]), queries.head_counts([number]).get(number))
