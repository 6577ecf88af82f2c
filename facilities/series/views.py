"""A series: planned, looked at before it is announced, changed and called off from a date on. For staff."""

from collections.abc import Sequence

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import ngettext

from facilities.engine.recurrence import LeftOut
from facilities.infra.db import unit_of_work
from facilities.kernel import clock
from facilities.kernel.refusals import Invalid, NotPermitted, NotVisible, Refusal, Refused
from facilities.places import queries as places
from facilities.places.models import Facility
from facilities.programmes import policy as sessions_policy
from facilities.programmes import queries as programmes
from facilities.programmes.models import ActivitySession, Series, SessionStatus
from facilities.series import queries, services
from facilities.series.api import runnable_series
from facilities.series.forms import RemoveForm, SeriesCallOffForm, SeriesChangeForm, SeriesForm
from facilities.series.services import Plan
from facilities.web.addresses import filter_id
from facilities.web.formats import date_time
from facilities.web.guards import current_actor, staff
from facilities.web.wording import words_for

blueprint = Blueprint("series", __name__)


@blueprint.route("/desk/series/new", methods=["GET", "POST"])
@staff
def announce() -> ResponseReturnValue:
    """Asked, shown, announced: the button that was pressed says which step comes next."""
    (facility, mine), form = _facility_to_offer_at(), SeriesForm()
    form.offer_choices(programmes.programmes(), facility.spaces)
    step, refusal = request.form.get("step"), None
    if step == "edit" or not form.validate_on_submit():
        return _form_page(form, facility, mine)
    try:
        plan = Plan(facility_id=facility.id, **form.plan())
        if step != "announce":
            held, left_out = services.preview(plan)
            days = services.unsure_days(held)
            unsure = {instant for instant in held if clock.local_date(instant) in days}
            return render_template("series/preview.html", form=form, facility=facility, plan=plan, held=held,
                                   left_out=left_out, why=_why, unsure=unsure)
        series = unit_of_work(lambda: services.announce_series(current_actor(), plan))
    except Invalid as invalid:
        form.show_invalid(invalid)
    except Refused as refused:
        refusal = words_for(refused.refusal)
    else:
        flash(_("Announced. Residents can book it now."))
        return redirect(url_for("series.series", series_id=series.id))
    return _form_page(form, facility, mine, refusal)


def _facility_to_offer_at() -> tuple[Facility, list[Facility]]:
    """The one that the address names, or the first of the actor's own; and all of these."""
    actor = current_actor()
    mine = places.managed_facilities(actor)
    facility = places.facility(filter_id(request.args.get("facility")) or (mine[0].id if mine else 0))
    if facility is None:
        raise NotVisible
    if not sessions_policy.can_offer_at(actor, facility.id):
        raise NotPermitted
    return facility, mine


def _form_page(form: SeriesForm, facility: Facility, mine: list[Facility],
               refusal: str | None = None) -> ResponseReturnValue:
    status = 422 if form.errors or refusal else 200
    return render_template("series/form.html", form=form, facility=facility, refusal=refusal,
                           facilities=mine), status


def _why(code: str) -> str:
    return words_for(Refusal(code))


def _coming(series: Series, sessions: Sequence[ActivitySession]) -> list[ActivitySession]:
    """What can still be changed, as `services.change_series` sees it."""
    now = clock.now()
    return [s for s in sessions if s.status is SessionStatus.SCHEDULED and s.starts_at > now
            and s.facility_id == series.facility_id]


@blueprint.get("/desk/series/<series_id>")
@staff
def series(series_id: str) -> ResponseReturnValue:
    found = runnable_series(series_id)
    sessions, now = programmes.sessions_of_series(found.id), clock.now()
    return render_template(
        "series/series.html", series=found, coming=_coming(found, sessions), why=_why,
        ahead=[s for s in sessions if s.starts_at > now], past=[s for s in reversed(sessions) if s.starts_at <= now],
        left_out=queries.left_out(found.id), facility=places.facility_names([found.facility_id])[0],
        programme=programmes.programme(found.programme_id))


def _affected(series: Series) -> list[ActivitySession]:
    """The occurrences to come, from the one that the address names on. NotVisible where there is none."""
    coming = _coming(series, programmes.sessions_of_series(series.id))
    wanted = filter_id(request.args.get("from"))
    if wanted is not None:
        first = next((s for s in coming if s.id == wanted), None)
        coming = [s for s in coming if first is not None and s.starts_at >= first.starts_at]
    if not coming:
        raise NotVisible
    return coming


@blueprint.route("/desk/series/<series_id>/change", methods=["GET", "POST"])
@staff
def change(series_id: str) -> ResponseReturnValue:
    found, actor, refusal = runnable_series(series_id), current_actor(), None
    affected = _affected(found)
    first, form = affected[0], SeriesChangeForm()
    form.offer_choices([], places.spaces_of(found.facility_id))
    if request.method == "GET":
        form.show(first)
    elif form.validate():
        try:
            changes, since = form.changes(first), first.starts_at
            followed = unit_of_work(lambda: services.change_series(actor, found.id, changes, since))
        except Invalid as invalid:
            form.show_invalid(invalid)
        except Refused as refused:
            refusal = words_for(refused.refusal)
        else:
            _say_what_followed(len(followed.changed), followed.left_out)
            return redirect(url_for("series.series", series_id=found.id))
    status = 422 if form.errors or refusal else 200
    return render_template("series/change.html", series=found, form=form, first=first, number=len(affected),
                           refusal=refusal), status


def _say_what_followed(changed: int, left_out: Sequence[LeftOut]) -> None:
    flash(ngettext("%(num)d session is changed.", "%(num)d sessions are changed.", changed))
    for row in left_out:
        flash(_("%(when)s stays as it was: %(why)s", when=date_time(row.starts_at), why=_why(row.code)), "caution")


@blueprint.route("/desk/series/<series_id>/cancel", methods=["GET", "POST"])
@staff
def cancel(series_id: str) -> ResponseReturnValue:
    found, actor, form = runnable_series(series_id), current_actor(), SeriesCallOffForm()
    affected = _affected(found)
    if form.validate_on_submit():
        unit_of_work(lambda: services.cancel_series(actor, found.id, form.reason.data, affected[0].starts_at))
        flash(ngettext("%(num)d session is cancelled, and every booking in it.",
                       "%(num)d sessions are cancelled, and every booking in them.", len(affected)))
        return redirect(url_for("series.series", series_id=found.id))
    return render_template("series/cancel.html", series=found, form=form, affected=affected,
                           people=sum(s.places_taken + s.waiting for s in affected)), 422 if form.errors else 200


@blueprint.route("/desk/series/<series_id>/remove", methods=["GET", "POST"])
@staff
def remove(series_id: str) -> ResponseReturnValue:
    found, actor, form, refusal = runnable_series(series_id), current_actor(), RemoveForm(), None
    first = _affected(found)[0]
    if form.validate_on_submit():
        try:
            unit_of_work(lambda: services.remove_date(actor, found.id, first.starts_at))
        except Refused as refused:
            refusal = words_for(refused.refusal)
        else:
            flash(_("%(when)s is taken out.", when=date_time(first.starts_at)))
            return redirect(url_for("series.series", series_id=found.id))
    return render_template("series/remove.html", series=found, form=form, first=first,
                           refusal=refusal), 409 if refusal else 200
