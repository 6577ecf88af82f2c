"""A session and one's place in it."""

from dataclasses import dataclass, field

import segno
from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from facilities.bookings import policy, queries, services
from facilities.bookings import sessions as whole
from facilities.bookings.codes import code_of
from facilities.bookings.forms import BookForm, CallOffForm, DeskForm
from facilities.bookings.looks import note_look_at_roster
from facilities.bookings.models import Booking, BookingState
from facilities.bookings.services import Booked, Wish
from facilities.engine.eligibility import Sex
from facilities.engine.phones import read_phone
from facilities.households import desk
from facilities.households import queries as households
from facilities.households import services as people
from facilities.households.desk import Found
from facilities.households.models import Guardianship
from facilities.infra.db import unit_of_work
from facilities.kernel import clock
from facilities.kernel.actors import Actor
from facilities.kernel.ids import read_id
from facilities.kernel.refusals import Invalid, NotVisible, Refusal, Refused
from facilities.places import queries as places
from facilities.programmes import policy as sessions
from facilities.programmes import queries as programmes
from facilities.programmes.forms import SessionForm
from facilities.programmes.views import runnable
from facilities.web.guards import actor_or_none, current_actor, public, signed_in, staff
from facilities.web.wording import words_for

blueprint = Blueprint("bookings", __name__)


@dataclass(frozen=True, slots=True)
class Candidate:
    """Somebody of the household, as a tile of the session's page."""

    link: Guardianship
    booking: Booking | None
    refusal: Refusal | None


@dataclass(frozen=True, slots=True)
class Sought:
    """What was looked for at the desk, and what came of it; `wrong`: it is neither kind of number."""

    text: str
    found: Found = field(default_factory=Found)
    wrong: bool = False


@blueprint.get("/sessions/<session_id>")
@public
def session(session_id: str) -> ResponseReturnValue:
    return _session_page(read_id(session_id))


def _session_page(session_id: int, refusal: str | None = None) -> ResponseReturnValue:
    found, actor = programmes.session(session_id), actor_or_none()
    if found is None:
        raise NotVisible
    people: list[Candidate] = []
    if actor is not None:
        booked = queries.live_in_session(actor, found.id)
        links = households.guardianships_of(actor)
        refused = services.whom_not(found, [link.resident for link in links])
        people = [Candidate(link, booked.get(link.resident_id), refused.get(link.resident_id)) for link in links]
        people.sort(key=lambda person: person.refusal is not None)  # who can come, first
    waits = any(p.booking and p.booking.state is BookingState.WAITLISTED for p in people)
    page = render_template(
        "bookings/session.html", session=found, people=people, form=BookForm(), refusal=refusal, words_for=words_for,
        can_run=actor is not None and sessions.can_run(actor, found), can_wait=policy.has_list(found),
        full=policy.is_full_for_newcomers(found), positions=queries.positions([found.id]) if waits else {})
    return page, 409 if refusal else 200


@blueprint.post("/sessions/<session_id>/book")
@signed_in
def book(session_id: str) -> ResponseReturnValue:
    """For one person by the tap on a name, or for several by their boxes."""
    actor, number = current_actor(), read_id(session_id)
    chosen = tuple(dict.fromkeys(read_id(text) for text in request.form.getlist("resident_id")))
    if not chosen:
        return _session_page(number, _("Choose who is coming."))
    wish = Wish(number, chosen, together=request.form.get("party") != "separately",
                or_wait=request.form.get("if_full") == "waitlist")
    try:
        booked = unit_of_work(lambda: services.book_places(actor, wish))
    except Refused as refused:
        return _session_page(number, _said_of(actor, refused.refusal))
    if not booked.items:
        return _session_page(number, _said_of(actor, booked.refusal))
    for resident_id, refusal in booked.refused.items():
        flash(_said_of(actor, Refusal(refusal.code, {**refusal.facts, "resident_id": str(resident_id)})))
    if len(booked.items) == 1:
        return redirect(url_for("bookings.booked", booking_id=booked.items[0].id))
    flash(_("Here is what you booked. Each person has a code of their own."))
    return redirect(url_for("bookings.mine"))


def _said_of(actor: Actor, refusal: Refusal) -> str:
    """With the name of whom it is about, where the household has several people."""
    links = households.guardianships_of(actor)
    name = next((k.resident.name for k in links if str(k.resident_id) == refusal.facts.get("resident_id")), None)
    said = words_for(refusal)
    return _("%(name)s: %(said)s", name=name, said=said) if name and len(links) > 1 else said


@blueprint.get("/bookings/<booking_id>")
@signed_in
def booked(booking_id: str) -> ResponseReturnValue:
    booking = queries.own_booking(current_actor(), read_id(booking_id))
    if booking is None:
        raise NotVisible
    again = (booking.state is BookingState.CANCELLED and not policy.is_full_for_newcomers(booking.session)
             and not services.whom_not(booking.session, [booking.resident])
             and not queries.standing([booking.resident_id], booking.session))
    waits = booking.state is BookingState.WAITLISTED
    code = segno.make(code_of(booking.id)) if booking.state is BookingState.CONFIRMED else None
    return render_template("bookings/booked.html", booking=booking, session=booking.session, form=BookForm(),
                           picture=code and code.svg_inline(border=2, light="#fff", omitsize=True),
                           can_cancel=policy.can_still_cancel(booking), can_book_again=again,
                           position=queries.positions([booking.session_id])[booking.id] if waits else None)


@blueprint.get("/my/bookings")
@signed_in
def mine() -> ResponseReturnValue:
    now = clock.now()
    rows = queries.own_bookings(current_actor())
    coming = [b for b in rows if b.is_live and b.ends_at > now]
    called_off = [b for b in rows if b.session.is_cancelled and b.ends_at > now]
    past = [b for b in reversed(rows) if b not in coming and b not in called_off]
    lists = {b.session_id for b in coming if b.state is BookingState.WAITLISTED}
    return render_template("bookings/mine.html", coming=coming, past=past, called_off=called_off, form=BookForm(),
                           can_cancel=policy.can_still_cancel, positions=queries.positions(lists) if lists else {})


@blueprint.post("/bookings/<booking_id>/cancel")
@signed_in
def cancel(booking_id: str) -> ResponseReturnValue:
    actor, number = current_actor(), read_id(booking_id)
    unit_of_work(lambda: services.cancel_booking(actor, number))
    flash(_("Cancelled. The place is free for somebody else."))
    return redirect(url_for("bookings.booked", booking_id=number))


@blueprint.post("/bookings/<booking_id>/answer")
@signed_in
def answer(booking_id: str) -> ResponseReturnValue:
    """To an offered place: the button says yes or no."""
    actor, number = current_actor(), read_id(booking_id)
    verb = {"accept": services.accept_offer, "decline": services.decline_offer}.get(request.form.get("answer", ""))
    if verb is None:  # neither button
        return redirect(url_for("bookings.booked", booking_id=number))
    booking = unit_of_work(lambda: verb(actor, number))
    flash({BookingState.CONFIRMED: _("The place is yours. See you there!"),
           BookingState.EXPIRED: words_for(Refusal("offer_expired"))}.get(
        booking.state, _("Thank you. The place goes to the next.")))
    return redirect(url_for("bookings.booked", booking_id=number))


@blueprint.route("/desk/sessions/<session_id>/cancel", methods=["GET", "POST"])
@staff
def call_off(session_id: str) -> ResponseReturnValue:
    found, form, refusal = runnable(session_id), CallOffForm(), None
    if form.validate_on_submit():
        try:
            unit_of_work(lambda: whole.cancel_session(current_actor(), found.id, form.reason.data))
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
            values = form.values(session.communities or ())
            unit_of_work(lambda: whole.change_session(actor, session.id, values))
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


@blueprint.route("/desk/sessions/<session_id>/bookings", methods=["GET", "POST"])
@staff
def desk_bookings(session_id: str) -> ResponseReturnValue:
    """Who has a place, who waits, and for those at the counter or on the telephone: find them, else enter them."""
    found, form, refusal, sought = runnable(session_id), DeskForm(), None, None
    if note_look_at_roster(found.id):
        found = runnable(session_id)
    actor = current_actor()
    if request.form.get("sought"):  # posted: a number has no place in an address
        sought = _look_up(actor, form)
    elif request.form.get("resident_id"):
        form.for_known()
    if sought is None and form.validate_on_submit():
        try:
            unit_of_work(lambda: _book_at_desk(actor, found.id, form))
        except Invalid as invalid:
            form.show_invalid(invalid)
        except Refused as refused:
            refusal = words_for(refused.refusal)
        else:
            flash(_("Done. It is on the list above."))
            return redirect(url_for("bookings.desk_bookings", session_id=found.id))
    if request.method == "POST":
        found = runnable(session_id)  # read again: an attempt to write may lie between
    page = render_template("bookings/desk_bookings.html", session=found, form=form, refusal=refusal, sought=sought,
                           waiting=queries.waiting(found.id), booked=queries.roster(found.id))
    return page, 422 if form.errors or refusal or (sought and sought.wrong) else 200


def _look_up(actor: Actor, form: DeskForm) -> Sought:
    """By a mobile number, or else by an identity number; whoever is not found is entered with it."""
    text = request.form["sought"].strip()[:40]
    phone = read_phone(text)
    try:
        found = unit_of_work(lambda: desk.find(actor, form.chosen_ground, phone, None if phone else text))
    except Invalid:
        return Sought(text, wrong=True)
    if found.resident is not None:
        form.for_known()
    else:
        (form.phone if phone else form.id_number).data = text
    return Sought(text, found)


def _book_at_desk(actor: Actor, session_id: int, form: DeskForm) -> Booked:
    if newcomer := "name" in form:
        resident_id = people.register_at_desk(form.name.data, Sex(form.sex.data), form.birth_date.data,
                                              form.phone.data or None, form.id_number.data or None).id
    else:
        resident_id = read_id(request.form["resident_id"])
    booked = services.book_places(actor, Wish(
        session_id, (resident_id,), or_wait=form.or_wait.data, at_desk=True, override=form.override.data or None,
        ground=form.chosen_ground, newcomer=newcomer))
    if not booked.items:  # whoever was entered just now is not kept either
        raise Refused.because(booked.refusal)
    return booked


@blueprint.post("/desk/bookings/<booking_id>/promote")
@staff
def promote_by_hand(booking_id: str) -> ResponseReturnValue:
    actor, number, reason = current_actor(), read_id(booking_id), request.form.get("reason", "").strip()[:200]
    if not reason:
        raise Invalid(reason="reason_needed")
    booking = unit_of_work(lambda: services.promote_by_hand(actor, number, reason))
    flash(_("The place is given, and the person is told."))
    return redirect(url_for("bookings.desk_bookings", session_id=booking.session_id))
