"""How it was: said by who was there, read without names by who runs the session."""

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from facilities.engine.feedback import FEWEST_ANSWERS, changeable_until, check_changeable
from facilities.feedback import queries, services
from facilities.feedback.forms import FeedbackForm
from facilities.infra.db import unit_of_work
from facilities.kernel import clock
from facilities.kernel.ids import read_id
from facilities.programmes.views import runnable
from facilities.web.guards import current_actor, signed_in, staff

blueprint = Blueprint("feedback", __name__)

# A sign beside each word, so that neither stands alone.
SIGNS = {5: "emoji-laughing", 4: "emoji-smile", 3: "emoji-neutral", 2: "emoji-frown", 1: "emoji-tear"}


@blueprint.route("/bookings/<booking_id>/feedback", methods=["GET", "POST"])
@signed_in
def give(booking_id: str) -> ResponseReturnValue:
    """Say how it was; later, read it again and change it as long as that is possible."""
    actor, number, form = current_actor(), read_id(booking_id), FeedbackForm()
    booking = services.attended(actor, number)
    if form.validate_on_submit():
        rating, words = int(form.rating.data), form.words.data or None
        unit_of_work(lambda: services.give(actor, number, rating, words))
        flash(_("Thank you! It is kept, without your name for those who read it."))
        return redirect(url_for("feedback.give", booking_id=number))
    given = queries.given(number)
    if given is not None and request.method == "GET":
        form.show(given)
    until = changeable_until(given.created_at) if given else None
    is_open = given is None or check_changeable(given.created_at, clock.now()) is None
    page = render_template("feedback/give.html", booking=booking, session=booking.session, form=form, given=given,
                           until=until, is_open=is_open, signs=SIGNS)
    return page, 422 if form.errors else 200


@blueprint.get("/desk/sessions/<session_id>/feedback")
@staff
def of_session(session_id: str) -> ResponseReturnValue:
    session = runnable(session_id)
    return render_template("feedback/of_session.html", session=session, said=services.said_of(session.id),
                           fewest=FEWEST_ANSWERS, signs=SIGNS)
