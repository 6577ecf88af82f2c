"""Calendars for phones and mail programs: one booking, a household's, a facility's."""

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import force_locale
from flask_babel import gettext as _

from facilities.calendars import entries, queries, services
from facilities.calendars.answers import address_of, answer, answer_booking, answer_reservation
from facilities.infra.db import unit_of_work
from facilities.kernel import clock
from facilities.kernel.actors import Actor
from facilities.kernel.ids import read_id
from facilities.kernel.refusals import NotVisible
from facilities.places import queries as places
from facilities.web.guards import current_actor, public, signed_in
from facilities.web.idempotency import keep_no_answer
from facilities.web.language import LANGUAGES, in_language

blueprint = Blueprint("calendars", __name__)


@blueprint.get("/bookings/<booking_id>.ics")
@signed_in
def booking(booking_id: str) -> ResponseReturnValue:
    return answer_booking(booking_id)


@blueprint.get("/reservations/<reservation_id>.ics")
@signed_in
def reservation(reservation_id: str) -> ResponseReturnValue:
    return answer_reservation(reservation_id)


@blueprint.get("/facilities/<facility_id>/sessions.ics")
@public
def facility(facility_id: str) -> ResponseReturnValue:
    found = places.facility(read_id(facility_id))
    if found is None:
        raise NotVisible
    rows = [entries.of_session(session) for session in queries.sessions_of(found.id, clock.now())]
    return answer(rows, f"huimin-{found.id}", in_language(found))


@blueprint.get("/calendar/<token>.ics")
@public
def feed(token: str) -> ResponseReturnValue:
    """Whoever has the address reads it: it stands in no log, and its owner can have another one."""
    found = queries.feed_by(services.fingerprint(token))
    if found is None:
        raise NotVisible
    row, user = found
    owner, now = Actor(user.id, 0, user.login, user.display_name), clock.now()
    with force_locale(row.language):
        rows = [entries.of_booking(one) for one in queries.bookings(owner, now)]
        rows += [entries.of_reservation(one) for one in queries.reservations(owner, now)]
        return answer(rows, "huimin", _("My bookings"))


@blueprint.get("/my/calendar")
@signed_in
def mine() -> ResponseReturnValue:
    return render_template("calendars/mine.html", feed=queries.feed_of(current_actor().user_id), address=None,
                           languages=LANGUAGES)


@blueprint.post("/my/calendar")
@signed_in
def follow() -> ResponseReturnValue:
    """The address is shown now and never again."""
    actor, language = current_actor(), request.form.get("language", "")
    token = unit_of_work(lambda: services.follow(actor, language if language in LANGUAGES else "zh"))
    keep_no_answer()
    return render_template("calendars/mine.html", feed=queries.feed_of(actor.user_id), address=address_of(token),
                           languages=LANGUAGES)


@blueprint.post("/my/calendar/revoke")
@signed_in
def revoke() -> ResponseReturnValue:
    actor = current_actor()
    unit_of_work(lambda: services.revoke(actor))
    flash(_("The old address opens nothing any more."))
    return redirect(url_for("calendars.mine"))
