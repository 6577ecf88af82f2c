"""Bookings of the caller's household; calling off sessions; rosters."""

from typing import Any

from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from facilities.bookings import queries, services
from facilities.bookings.models import Booking
from facilities.bookings.schemas import (
    BookedOut,
    BookingIn,
    BookingOut,
    Reason,
    Roster,
    show_booking,
    show_roster_row,
)
from facilities.infra.db import unit_of_work
from facilities.kernel.ids import read_id
from facilities.kernel.refusals import NotVisible
from facilities.programmes.api import runnable_session, visible_session
from facilities.programmes.schemas import SessionOut, show_session
from facilities.web import exports
from facilities.web.api import ApiBlueprint
from facilities.web.guards import current_actor, first, signed_in, staff
from facilities.web.paging import After, page_of, read_cursor
from facilities.web.parts import word
from facilities.web.schemas import PageQuery, page_schema

blueprint = ApiBlueprint("bookings", __name__)


def _own(booking_id: str) -> Booking:
    booking = queries.own_booking(current_actor(), read_id(booking_id))
    if booking is None:
        raise NotVisible
    return booking


@blueprint.route("/bookings", methods=["POST"])
@signed_in
@blueprint.arguments(BookingIn)
@blueprint.response(201, BookedOut)
def book(body: dict[str, Any]) -> dict[str, Any]:
    actor, session_id, resident_id = current_actor(), read_id(body["session_id"]), read_id(body["resident_ids"][0])
    booking = unit_of_work(lambda: services.book_place(actor, session_id, resident_id))
    return {"items": [show_booking(booking)], "refused": []}


@blueprint.route("/bookings")
@signed_in
@blueprint.arguments(PageQuery, location="query")
@blueprint.response(200, page_schema(BookingOut))
def bookings(query: dict[str, Any]) -> dict[str, Any]:
    rows = queries.own_bookings(current_actor(), limit=query["limit"] + 1, after=read_cursor(query["cursor"]))
    return page_of(rows, query["limit"], lambda b: After(b.starts_at, b.id), show_booking)


@blueprint.route("/bookings/<booking_id>")
@signed_in
@blueprint.response(200, BookingOut)
def booking(booking_id: str) -> dict[str, Any]:
    return show_booking(_own(booking_id))


@blueprint.route("/bookings/<booking_id>/cancel", methods=["POST"])
@signed_in
@blueprint.response(200, BookingOut)
def cancel(booking_id: str) -> dict[str, Any]:
    actor, number = current_actor(), read_id(booking_id)
    return show_booking(unit_of_work(lambda: services.cancel_booking(actor, number)))


@blueprint.route("/residents/<resident_id>", methods=["DELETE"])
@signed_in
@blueprint.response(204)
def leave_household(resident_id: str) -> None:
    actor, number = current_actor(), read_id(resident_id)
    unit_of_work(lambda: services.leave_household(actor, number, give_back=True))


@blueprint.route("/sessions/<session_id>/cancel", methods=["POST"])
@signed_in
@first(runnable_session)
@staff
@blueprint.arguments(Reason)
@blueprint.response(200, SessionOut)
def cancel_session(body: dict[str, Any], session_id: str) -> dict[str, Any]:
    unit_of_work(lambda: services.cancel_session(read_id(session_id), body["reason"]))
    return show_session(visible_session(session_id))


@blueprint.route("/sessions/<session_id>", methods=["DELETE"])
@signed_in
@first(runnable_session)
@staff
@blueprint.response(204)
def delete_session(session_id: str) -> None:
    unit_of_work(lambda: services.delete_session(read_id(session_id)))


@blueprint.route("/sessions/<session_id>/roster")
@signed_in
@first(runnable_session)
@staff
@blueprint.response(200, Roster)
def roster(session_id: str) -> dict[str, Any] | ResponseReturnValue:
    rows = [show_roster_row(b) for b in queries.roster(read_id(session_id))]
    kind = exports.wanted_format()
    if kind is None:
        return {"items": rows}
    header = [_("Reference"), _("Name"), _("Age"), _("Sex"), _("Phone"), _("Status")]
    cells = [[r["reference"], r["name"], r["age"], word("sex", r["sex"]), r["phone_masked"],
              word("booking_state", r["status"])] for r in rows]
    if kind == exports.CSV:
        return exports.as_csv(f"roster-{session_id}", header, cells)
    return exports.as_xlsx(f"roster-{session_id}", _("Roster"), header, cells)
