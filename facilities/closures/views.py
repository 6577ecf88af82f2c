"""Closing a place: what falls inside is looked at and settled before anything happens. For staff."""

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from facilities.closures import policy, queries, services
from facilities.closures.api import liftable_closure
from facilities.closures.forms import ClosureForm, LiftForm
from facilities.closures.services import Closing, Inside, Settlement
from facilities.infra.db import unit_of_work
from facilities.kernel.refusals import Invalid, NotPermitted, NotVisible, Refusal, Refused
from facilities.places import queries as places
from facilities.places.models import Facility
from facilities.web.addresses import filter_id
from facilities.web.formats import date_time
from facilities.web.guards import current_actor, staff
from facilities.web.wording import words_for

blueprint = Blueprint("closures", __name__)


def _facility() -> tuple[Facility, list[Facility]]:
    """The one that the address names, or the first of the actor's own; and all of these."""
    actor = current_actor()
    mine = places.managed_facilities(actor)
    facility = places.facility(filter_id(request.args.get("facility")) or (mine[0].id if mine else 0))
    if facility is None:
        raise NotVisible
    if not policy.can_close(actor, facility.id):
        raise NotPermitted
    return facility, mine


@blueprint.get("/desk/closures")
@staff
def closures() -> ResponseReturnValue:
    facility, mine = _facility()
    return render_template("closures/closures.html", facility=facility, facilities=mine, form=LiftForm(),
                           closures=queries.closures_ahead(facility.id))


@blueprint.route("/desk/closures/new", methods=["GET", "POST"])
@staff
def close() -> ResponseReturnValue:
    """Asked, shown with all that falls inside, closed: the button that was pressed says which step comes next."""
    (facility, _mine), form, actor = _facility(), ClosureForm(), current_actor()
    form.offer_spaces(facility.spaces)
    step, refusal = request.form.get("step"), None
    if step == "edit" or not form.validate_on_submit():
        return _form_page(form, facility)
    try:
        closing = form.closing(facility.id)
        if step == "close":
            unit_of_work(lambda: services.close(actor, closing, form.reason.data, _settlement()))
            flash(_("Closed. Everyone concerned is told."))
            return redirect(url_for("closures.closures", facility=facility.id))
        inside = services.preview(closing)
    except Invalid as invalid:
        form.show_invalid(invalid)
        return _form_page(form, facility)
    except Refused as refused:
        refusal, inside = refused.refusal, services.preview(closing)
    return _preview_page(form, closing, inside, refusal)


def _form_page(form: ClosureForm, facility: Facility) -> ResponseReturnValue:
    status = 422 if form.errors else 200
    return render_template("closures/form.html", form=form, facility=facility), status


def _preview_page(form: ClosureForm, closing: Closing, inside: Inside, refusal: Refusal | None) -> ResponseReturnValue:
    page = render_template(
        "closures/preview.html", form=form, span_closed=closing.span, inside=inside,
        facility=places.facility(closing.facility_id), spaces=services.still_open(closing), chosen=request.form,
        refusal=_said(refusal, inside) if refusal else None)
    return page, 409 if refusal else 200


def _said(refusal: Refusal, inside: Inside) -> str:
    """With what it is about, where that is one of those shown."""
    about = {("session_id", str(s.id)): s.starts_at for s in inside.sessions}
    about |= {("reservation_id", str(r.id)): r.starts_at for r in inside.reservations}
    when = next((about[fact] for fact in refusal.facts.items() if fact in about), None)
    words = words_for(refusal)
    return _("%(when)s: %(why)s", when=date_time(when), why=words) if when else words


def _settlement() -> Settlement:
    """Each field `session-7` or `reservation-7` holds a space to move to, or nothing: then it is cancelled."""
    choices: dict[str, dict[int, int | None]] = {"session": {}, "reservation": {}}
    for name, where in request.form.items():
        kind, _dash, number = name.partition("-")
        if kind in choices and (what := filter_id(number)):
            choices[kind][what] = filter_id(where)
    sessions, reservations = ({what: where for what, where in choices[kind].items() if where is not None}
                              for kind in ("session", "reservation"))
    return Settlement(sessions, reservations, (frozenset(choices["session"]), frozenset(choices["reservation"])))


@blueprint.post("/desk/closures/<closure_id>/lift")
@staff
def lift(closure_id: str) -> ResponseReturnValue:
    closure, actor = liftable_closure(closure_id), current_actor()
    unit_of_work(lambda: services.lift(actor, closure.id))
    flash(_("Open again. What was cancelled stays cancelled."))
    return redirect(url_for("closures.closures", facility=closure.facility_id))
