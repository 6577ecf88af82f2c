"""Bookings of the caller's household; calling off sessions; rosters."""

from collections.abc import Sequence
from typing import Any

from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from facilities.bookings import queries, services
from facilities.bookings import sessions as whole
from facilities.bookings.codes import code_of
from facilities.bookings.looks import note_look_at_roster
from facilities.bookings.models import OCCUPYING, Booking, BookingState
from facilities.bookings.schemas import (
    BookedOut,
    BookingIn,
    BookingOut,
    CodeOut,
    DeskBookingIn,
    Reason,
    Roster,
    show_booking,
    show_roster_row,
)
from facilities.bookings.services import Booked, Wish
from facilities.engine.eligibility import Sex
from facilities.households import services as households
from facilities.households.desk import Ground
from facilities.infra.db import unit_of_work
from facilities.kernel.ids import read_id
from facilities.kernel.refusals import NotPermitted, NotVisible, Refusal, Refused
from facilities.programmes import policy
from facilities.programmes import queries as programmes
from facilities.programmes.api import known_programme, own_facility, runnable_session, visible_session
from facilities.programmes.schemas import SessionChange, SessionOut, read_changes, show_session
from facilities.web import exports
from facilities.web.api import ApiBlueprint
from facilities.web.guards import current_actor, first, signed_in, staff
from facilities.web.idempotency import asked, kept_answer
from facilities.web.paging import After, page_of, read_cursor
from facilities.web.parts import word
from facilities.web.problems import answer_refusal
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
def book(body: dict[str, Any]) -> dict[str, Any] | ResponseReturnValue:
    actor = current_actor()
    wish = Wish(read_id(body["session_id"]), tuple(read_id(r) for r in body["resident_ids"]),
                together=body["party"] == "together", or_wait=body["if_full"] == "waitlist")
    key = asked()
    booked = unit_of_work(lambda: services.book_at_once(actor, wish, key) or services.book_places(actor, wish))
    return kept_answer(booked, 201) if isinstance(booked, str) else _show_booked(booked)


def _show_booked(booked: Booked) -> dict[str, Any] | ResponseReturnValue:
    if not booked.items:
        return answer_refusal(booked.refusal)
    refused = [{"resident_id": resident_id, "code": refusal.code, "facts": dict(refusal.facts)}
               for resident_id, refusal in booked.refused.items()]
    return {"items": _show_all(booked.items), "refused": refused}


def _show_all(bookings: Sequence[Booking]) -> list[dict[str, Any]]:
    lists = {b.session_id for b in bookings if b.state is BookingState.WAITLISTED}
    positions = queries.positions(lists) if lists else {}
    return [show_booking(b, positions) for b in bookings]


def _show(booking: Booking) -> dict[str, Any]:
    return _show_all([booking])[0]


@blueprint.route("/bookings")
@signed_in
@blueprint.arguments(PageQuery, location="query")
@blueprint.response(200, page_schema(BookingOut))
def bookings(query: dict[str, Any]) -> dict[str, Any]:
    rows = queries.own_bookings(current_actor(), limit=query["limit"] + 1, after=read_cursor(query["cursor"]))
    shown = {row["id"]: row for row in _show_all(rows)}
    return page_of(rows, query["limit"], lambda b: After(b.starts_at, b.id), lambda b: shown[b.id])


@blueprint.route("/bookings/<booking_id>")
@signed_in
@blueprint.response(200, BookingOut)
def booking(booking_id: str) -> dict[str, Any]:
    return _show(_own(booking_id))


@blueprint.route("/bookings/<booking_id>/code")
@signed_in
@blueprint.response(200, CodeOut)
def code(booking_id: str) -> dict[str, Any]:
    """What is shown or said at the door; null where the booking holds no place."""
    own = _own(booking_id)
    return {"reference": own.reference, "check_in_code": code_of(own.id) if own.state in OCCUPYING else None}


@blueprint.route("/bookings/<booking_id>/cancel", methods=["POST"])
@signed_in
@blueprint.response(200, BookingOut)
def cancel(booking_id: str) -> dict[str, Any]:
    actor, number = current_actor(), read_id(booking_id)
    return _show(unit_of_work(lambda: services.cancel_booking(actor, number)))


@blueprint.route("/bookings/<booking_id>/accept", methods=["POST"])
@signed_in
@blueprint.response(200, BookingOut)
def accept(booking_id: str) -> dict[str, Any] | ResponseReturnValue:
    actor, number = current_actor(), read_id(booking_id)
    booking = unit_of_work(lambda: services.accept_offer(actor, number))
    if booking.state is BookingState.EXPIRED:
        return answer_refusal(Refusal("offer_expired"))
    return _show(booking)


@blueprint.route("/bookings/<booking_id>/decline", methods=["POST"])
@signed_in
@blueprint.response(200, BookingOut)
def decline(booking_id: str) -> dict[str, Any]:
    actor, number = current_actor(), read_id(booking_id)
    return _show(unit_of_work(lambda: services.decline_offer(actor, number)))


def _to_promote(booking_id: str) -> None:
    """Whoever's it is sees it, and so does who runs its session; only they may promote."""
    actor, found = current_actor(), queries.booking(read_id(booking_id))
    session = programmes.session(found.session_id) if found else None
    if session is not None and policy.can_run(actor, session):
        return
    if queries.own_booking(actor, read_id(booking_id)) is None:
        raise NotVisible
    raise NotPermitted


@blueprint.route("/bookings/<booking_id>/promote", methods=["POST"])
@signed_in
@first(_to_promote)
@staff
@blueprint.arguments(Reason)
@blueprint.response(200, BookingOut)
def promote(body: dict[str, Any], booking_id: str) -> dict[str, Any]:
    """By a manager's hand, with the reason on record."""
    actor, number = current_actor(), read_id(booking_id)
    return _show(unit_of_work(lambda: services.promote_by_hand(actor, number, body["reason"])))


@blueprint.route("/sessions/<session_id>/desk-bookings", methods=["POST"])
@signed_in
@first(runnable_session)
@staff
@blueprint.arguments(DeskBookingIn)
@blueprint.response(201, BookedOut)
def book_at_desk(body: dict[str, Any], session_id: str) -> dict[str, Any] | ResponseReturnValue:
    actor, number = current_actor(), read_id(session_id)

    def book() -> Booked:
        resident_id = read_id(body["resident_id"]) if "resident_id" in body else _register(body["resident"])
        booked = services.book_places(actor, Wish(
            number, (resident_id,), or_wait=body["if_full"] == "waitlist", at_desk=True,
            override=body.get("override"), ground=Ground(body["ground"]), newcomer="resident" in body))
        if not booked.items:  # whoever was entered just now is not kept either
            raise Refused.because(booked.refusal)
        return booked

    return _show_booked(unit_of_work(book))


def _register(someone: dict[str, Any]) -> int:
    return households.register_at_desk(
        someone["name"], Sex(someone["sex"]), someone.get("birth_date"), someone.get("phone"),
        someone.get("id_number")).id


@blueprint.route("/sessions/<session_id>", methods=["PATCH"])
@signed_in
@first(runnable_session)
@staff
@blueprint.arguments(SessionChange)
@blueprint.response(200, SessionOut)
def change_session(body: dict[str, Any], session_id: str) -> dict[str, Any]:
    if "facility_id" in body:
        own_facility(body)
    if "programme_id" in body:
        known_programme(body)
    actor = current_actor()
    unit_of_work(lambda: whole.change_session(actor, read_id(session_id), read_changes(body)))
    return show_session(visible_session(session_id))


@blueprint.route("/sessions/<session_id>/cancel", methods=["POST"])
@signed_in
@first(runnable_session)
@staff
@blueprint.arguments(Reason)
@blueprint.response(200, SessionOut)
def cancel_session(body: dict[str, Any], session_id: str) -> dict[str, Any]:
    actor = current_actor()
    unit_of_work(lambda: whole.cancel_session(actor, read_id(session_id), body["reason"]))
    return show_session(visible_session(session_id))


@blueprint.route("/sessions/<session_id>", methods=["DELETE"])
@signed_in
@first(runnable_session)
@staff
@blueprint.response(204)
def delete_session(session_id: str) -> None:
    unit_of_work(lambda: whole.delete_session(read_id(session_id)))


@blueprint.route("/sessions/<session_id>/roster")
@signed_in
@first(runnable_session)
@staff
@blueprint.response(200, Roster)
def roster(session_id: str) -> dict[str, Any] | ResponseReturnValue:
    note_look_at_roster(read_id(session_id))
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
