"""Leaving a household, and what one has agreed to."""

from flask import Blueprint, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from facilities.family import services
from facilities.households import consent, queries
from facilities.households.models import ConsentKind
from facilities.infra.db import unit_of_work
from facilities.kernel.ids import read_id
from facilities.kernel.refusals import NotVisible
from facilities.kernel.text import read_choice
from facilities.web.guards import current_actor, signed_in

blueprint = Blueprint("family", __name__)


@blueprint.post("/me/family/<resident_id>/remove")
@signed_in
def leave(resident_id: str) -> ResponseReturnValue:
    actor, number = current_actor(), read_id(resident_id)
    unit_of_work(lambda: services.leave(actor, number, give_back=False))
    flash(_("Removed from your household. Past bookings stay on record."))
    return redirect(url_for("households.me"))


@blueprint.get("/me/consents")
@signed_in
def consents() -> ResponseReturnValue:
    return render_template("family/consents.html", rows=queries.consents_of(current_actor()),
                           words_of=consent.words_of, headings=consent.HEADINGS)


@blueprint.post("/me/consents/<resident_id>/<kind>/withdraw")
@signed_in
def withdraw_consent(resident_id: str, kind: str) -> ResponseReturnValue:
    actor, number, what = current_actor(), read_id(resident_id), read_choice(ConsentKind, kind)
    if what is None:
        raise NotVisible
    unit_of_work(lambda: services.withdraw_consent(actor, number, what))
    flash(_("Withdrawn. What was kept with it is kept no longer."))
    return redirect(url_for("family.consents"))
