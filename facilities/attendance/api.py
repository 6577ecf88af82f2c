"""Attendance events in, the present state out."""

from datetime import timedelta
from typing import Any

from facilities.attendance import days, queries, services
from facilities.attendance.models import ReopenedDay
from facilities.attendance.schemas import (
    AttendanceOut,
    CheckedInOut,
    CheckInIn,
    EventsIn,
    HistoryOut,
    ReopenedOut,
    ReopenIn,
    ResultsOut,
    read_entry,
    show_attendance,
    show_entered,
    show_result,
)
from facilities.bookings.looks import note_look_at_roster
from facilities.infra.db import unit_of_work
from facilities.kernel.ids import read_id
from facilities.places.api import visible_facility
from facilities.programmes.api import runnable_session
from facilities.web.api import ApiBlueprint
from facilities.web.guards import administrator, current_actor, first, signed_in, staff

blueprint = ApiBlueprint("attendance", __name__)


@blueprint.route("/attendance/events", methods=["POST"])
@staff
@blueprint.arguments(EventsIn)
@blueprint.response(200, ResultsOut)
def record(body: dict[str, Any]) -> dict[str, Any]:
    actor, entries = current_actor(), [read_entry(event) for event in body["events"]]
    return {"results": [show_result(r) for r in unit_of_work(lambda: services.record(actor, entries))]}


@blueprint.route("/bookings/<booking_id>/check-in", methods=["POST"])
@signed_in
@blueprint.arguments(CheckInIn)
@blueprint.response(200, CheckedInOut)
def check_in(body: dict[str, Any], booking_id: str) -> dict[str, Any]:
    """By the code on the poster at the door; a second time says the same."""
    actor, number = current_actor(), read_id(booking_id)
    return {"is_present": unit_of_work(lambda: services.check_in(actor, body["poster"], number))}


@blueprint.route("/sessions/<session_id>/attendance/history")
@signed_in
@first(runnable_session)
@staff
@blueprint.response(200, HistoryOut)
def history(session_id: str) -> dict[str, Any]:
    """Every entry, the latest first; what was taken back says by whom and why."""
    number = read_id(session_id)
    note_look_at_roster(number)
    return {"items": [show_entered(entry) for entry in queries.history(number)]}


@blueprint.route("/facilities/<facility_id>/reopened-days", methods=["POST"])
@signed_in
@first(visible_facility)
@administrator
@blueprint.arguments(ReopenIn)
@blueprint.response(201, ReopenedOut)
def reopen(body: dict[str, Any], facility_id: str) -> ReopenedDay:
    """For its managers, until an instant that the answer names."""
    actor, number = current_actor(), read_id(facility_id)
    return unit_of_work(lambda: days.reopen(
        actor, number, body["day"], timedelta(days=body["days"]), body["reason"]))


@blueprint.route("/sessions/<session_id>/attendance")
@signed_in
@first(runnable_session)
@staff
@blueprint.response(200, AttendanceOut)
def attendance(session_id: str) -> dict[str, Any]:
    number = read_id(session_id)
    return show_attendance(queries.attendances([number]), queries.head_counts([number]).get(number))
