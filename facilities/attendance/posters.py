"""The poster at the door: residents scan it and check themselves in."""

import segno
from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from facilities.attendance import days, queries, services
from facilities.bookings import queries as bookings
from facilities.engine.roll_call import ENTRY_OPENS_BEFORE_START
from facilities.infra.db import unit_of_work
from facilities.kernel import clock
from facilities.kernel.ids import read_id
from facilities.kernel.refusals import NotVisible, Refused
from facilities.places import queries as places
from facilities.places.models import Facility
from facilities.web.addresses import whole_address
from facilities.web.forms import BaseForm
from facilities.web.guards import current_actor, signed_in, staff
from facilities.web.wording import words_for

blueprint = Blueprint("posters", __name__)


def _own(facility_id: str) -> Facility:
    found = places.facility(read_id(facility_id))
    if found is None or not current_actor().manages(found.id):
        raise NotVisible
    return found


@blueprint.get("/desk/facilities/<facility_id>/poster")
@staff
def show(facility_id: str) -> ResponseReturnValue:
    facility = _own(facility_id)
    made = queries.poster(facility.id)
    address = whole_address("posters.here", poster=made.code) if made else None
    if made and address is None:  # no address is configured: the one that the reader came by
        address = url_for("posters.here", poster=made.code, _external=True)
    picture = segno.make(address, error="q").svg_inline(border=4, light="#fff", omitsize=True) if address else None
    return render_template("attendance/poster.html", facility=facility, poster=made, address=address, picture=picture,
                           form=BaseForm(formdata=None))


@blueprint.post("/desk/facilities/<facility_id>/poster")
@staff
def make(facility_id: str) -> ResponseReturnValue:
    facility, actor = _own(facility_id), current_actor()
    unit_of_work(lambda: days.make_poster(actor, facility.id, request.form.get("instead_of")))
    flash(_("Here is the new poster. One that hung before checks nobody in any more."))
    return redirect(url_for("posters.show", facility_id=facility.id))


@blueprint.get("/here/<poster>")
@signed_in
def here(poster: str) -> ResponseReturnValue:
    """What the one who scanned it has booked here about now; one tap says that they are there."""
    return _here_page(poster)


def _here_page(code: str, refusal: str | None = None) -> ResponseReturnValue:
    found = queries.poster_by(code)
    facility = places.facility(found.facility_id) if found else None
    if facility is None:
        raise NotVisible
    now = clock.now()
    booked = bookings.own_places_at(current_actor(), facility.id, now, now + ENTRY_OPENS_BEFORE_START)
    there = queries.who_is_present([(b.session_id, b.resident_id) for b in booked])
    page = render_template("attendance/here.html", facility=facility, code=code, bookings=booked, there=there,
                           refusal=refusal, form=BaseForm(formdata=None))
    return page, 409 if refusal else 200


@blueprint.post("/here/<poster>/<booking_id>")
@signed_in
def check_in(poster: str, booking_id: str) -> ResponseReturnValue:
    actor, number = current_actor(), read_id(booking_id)
    try:
        is_there = unit_of_work(lambda: services.check_in(actor, poster, number))
    except Refused as refused:
        return _here_page(poster, words_for(refused.refusal))
    if not is_there:
        return _here_page(poster, _("The desk has taken this back. Please ask there."))
    flash(_("You are checked in. Come in!"))
    return redirect(url_for("posters.here", poster=poster))
