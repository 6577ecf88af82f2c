"""A session and one's place in it."""

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from facilities.bookings import policy, queries, services
from facilities.bookings.forms import BookForm, CallOffForm
from facilities.bookings.models import BookingState
from facilities.households import queries as households
from facilities.infra.db import unit_of_work
from facilities.kernel import clock
from facilities.kernel.ids import read_id
from facilities.kernel.refusals import Invalid, NotVisible, Refused
from facilities.places import queries as places
from facilities.programmes import policy as sessions
from facilities.programmes import queries as programmes
from facilities.programmes.forms import SessionForm
from facilities.programmes.views import runnable
from facilities.web.guards import actor_or_none, current_actor, public, signed_in, staff
from facilities.web.wording import words_for

blueprint = Blueprint("bookings", __name__)


@blueprint.get("/sessions/<session_id>")
@public
def session(session_id: str) -> ResponseReturnValue:
    return _session_page(read_id(session_id))


def _session_page(session_id: int, refusal: str | None = None) -> ResponseReturnValue:
    found, actor = programmes.session(session_id), actor_or_none()
    if found is None:
        raise NotVisible
    people = []
    if actor is not None:
        booked = queries.live_in_session(actor, found.id)
        people = [(link, booked.get(link.resident_id), services.why_not(found, link.resident))
                  for link in households.guardianships_of(actor)]
        people.sort(key=lambda person: person[2] is not None)  # who can come, first
    page = render_template(
        "bookings/session.html", session=found, people=people, form=BookForm(), refusal=refusal, words_for=words_for,
        can_run=actor is not None and sessions.can_run(actor, found))
    return page, 409 if refusal else 200


@blueprint.post("/sessions/<session_id>/book")
@signed_in
def book(session_id: str) -> ResponseReturnValue:
    actor, number = current_actor(), read_id(session_id)
    resident_id = read_id(request.form.get("resident_id", ""))
    try:
        booking = unit_of_work(lambda: services.book_place(actor, number, resident_id))
    except Refused as refused:
        return _session_page(number, words_for(refused.refusal))
    return redirect(url_for("bookings.booked", booking_id=booking.id))


@blueprint.get("/bookings/<booking_id>")
@signed_in
def booked(booking_id: str) -> ResponseReturnValue:
    booking = queries.own_booking(current_actor(), read_id(booking_id))
    if booking is None:
        raise NotVisible
    again = (booking.state is BookingState.CANCELLED and booking.session.places_left > 0
             and services.why_not(booking.session, booking.resident) is None
             and not queries.standing([booking.resident_id], booking.session))
    return render_template("bookings/booked.html", booking=booking, session=booking.session, form=BookForm(),
                           can_cancel=policy.can_still_cancel(booking), can_book_again=again)


@blueprint.get("/my/bookings")
@signed_in
def mine() -> ResponseReturnValue:
    now = clock.now()
    rows = queries.own_bookings(current_actor())
    coming = [b for b in rows if b.is_live and b.ends_at > now]
    called_off = [b for b in rows if b.session.is_cancelled and b.ends_at > now]
    past = [b for b in reversed(rows) if b not in coming and b not in called_off]
    return render_template("bookings/mine.html", coming=coming, past=past, called_off=called_off, form=BookForm(),
                           can_cancel=policy.can_still_cancel)


@blueprint.post("/bookings/<booking_id>/cancel")
@signed_in
def cancel(booking_id: str) -> ResponseReturnValue:
    actor, number = current_actor(), read_id(booking_id)
    unit_of_work(lambda: services.cancel_booking(actor, number))
    flash(_("Cancelled. The place is free for somebody else."))
    return redirect(url_for("bookings.booked", booking_id=number))


@blueprint.post("/me/family/<resident_id>/remove")
@signed_in
def leave_household(resident_id: str) -> ResponseReturnValue:
    actor, number = current_actor(), read_id(resident_id)
    unit_of_work(lambda: services.leave_household(actor, number, give_back=False))
    flash(_("Removed from your household. Past bookings stay on record."))
    return redirect(url_for("households.me"))


@blueprint.route("/desk/sessions/<session_id>/cancel", methods=["GET", "POST"])
@staff
def call_off(session_id: str) -> ResponseReturnValue:
    found, form, refusal = runnable(session_id), CallOffForm(), None
    if form.validate_on_submit():
        try:
            unit_of_work(lambda: services.cancel_session(current_actor(), found.id, form.reason.data))
        except Refused as refused:
            refusal = words_for(refused.refusal)
        else:
            flash(_("The session is cancelled, and every booking with it."))
            return redirect(url_for("bookings.session", session_id=found.id))
    status = 422 if form.errors or refusal else 200
    return render_template("bookings/call_off.html", session=found, form=form, refusal=refusal), status


@blueprint.route("/desk/sessions/<session_id>/edit", methods=["GET", "POST"])
@staff
def change_session(session_id: str) -> ResponseReturnValue:
    session, actor = runnable(session_id), current_actor()
    form = SessionForm()
    form.offer_choices(programmes.programmes(), places.spaces_of(session.facility_id))
    refusal = None
    if request.method == "GET":
        form.show(session)
    elif form.validate():
        try:
            values = form.values()
            unit_of_work(lambda: services.change_session(actor, session.id, values))
        except Invalid as invalid:
            form.show_invalid(invalid)
        except Refused as refused:
            refusal = words_for(refused.refusal)
        else:
            flash(_("Changed."))
            return redirect(url_for("bookings.session", session_id=session.id))
    status = 422 if form.errors or refusal else 200
    session = runnable(session_id)  # read again: an attempt to write may lie between
    return render_template("programmes/session_form.html", form=form, facility=session.facility, facilities=[],
                           refusal=refusal, session=session), status
