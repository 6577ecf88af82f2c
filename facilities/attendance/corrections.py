"""What was entered, by whom, and what was taken back: the history of a roll; and the days that are open for it."""

from flask import Blueprint, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from facilities.attendance import days, queries, services
from facilities.attendance.forms import LimitForm, ReopenForm, VoidForm
from facilities.attendance.services import Entry
from facilities.attendance.views import PAGE, read_event_id
from facilities.bookings import queries as bookings
from facilities.bookings.looks import note_look_at_roster
from facilities.engine.roll_call import EventKind, VoidReason, moment_for_entry
from facilities.infra.db import unit_of_work
from facilities.kernel import clock
from facilities.kernel.ids import read_id
from facilities.kernel.refusals import Invalid, NotVisible, Refusal
from facilities.places import queries as places
from facilities.programmes.views import runnable
from facilities.web.guards import administrator, current_actor, staff
from facilities.web.wording import words_for

blueprint = Blueprint("corrections", __name__)


@blueprint.get("/desk/sessions/<session_id>/history")
@staff
def history(session_id: str) -> ResponseReturnValue:
    """Every entry of the session, the latest first; what was taken back stays, with by whom and why."""
    session = runnable(session_id)
    if note_look_at_roster(session.id):
        session = runnable(session_id)
    return render_template("attendance/history.html", session=session, entries=queries.history(session.id),
                           booked=_booked(session.id), may_enter=services.may_enter(current_actor(), session))


@blueprint.route("/desk/sessions/<session_id>/history/<event_id>", methods=["GET", "POST"])
@staff
def take_back(session_id: str, event_id: str) -> ResponseReturnValue:
    session, form, refusal = runnable(session_id), VoidForm(), None
    entry = next((e for e in queries.history(session.id) if str(e.event.id) == event_id), None)
    if entry is None or entry.event.kind is EventKind.VOID:
        raise NotVisible
    if form.validate_on_submit():
        void = Entry(read_event_id(form.event_id.data), session.id, EventKind.VOID,
                     moment_for_entry(session.ends_at, clock.now()), voids=entry.event.id,
                     reason=VoidReason(form.reason.data), device=PAGE)
        result, = unit_of_work(lambda: services.record(current_actor(), [void]))
        if result.code is None:
            flash(_("Taken back. The entry stays in the history, with the reason."))
            return redirect(url_for("corrections.history", session_id=session.id))
        refusal, session = words_for(Refusal(result.code)), runnable(session_id)
        entry = next(e for e in queries.history(session.id) if str(e.event.id) == event_id)
    status = 409 if refusal else 422 if form.errors else 200
    return render_template("attendance/take_back.html", session=session, entry=entry, form=form,
                           booked=_booked(session.id), refusal=refusal), status


def _booked(session_id: int) -> set[int]:
    """Whose names the desk has anyway."""
    return {booking.resident_id for booking in bookings.of_sessions([session_id])}


@blueprint.route("/desk/reopened", methods=["GET", "POST"])
@administrator
def reopened() -> ResponseReturnValue:
    """The limit for managers, and the days on which it does not hold."""
    actor, form, limit = current_actor(), ReopenForm(), LimitForm(formdata=None)
    form.offer(places.facility_names())
    limit.manager_days.data = queries.manager_limit().days
    if form.validate_on_submit():
        try:
            unit_of_work(lambda: days.reopen(actor, read_id(form.facility_id.data), form.day.data, form.lasts,
                                             form.reason.data))
        except Invalid as invalid:
            form.show_invalid(invalid)
        else:
            flash(_("Reopened. Its managers can enter and correct now."))
            return redirect(url_for("corrections.reopened"))
    return _reopened_page(form, limit)


def _reopened_page(form: ReopenForm, limit: LimitForm) -> ResponseReturnValue:
    page = render_template("attendance/reopened.html", form=form, limit=limit,
                           days=queries.reopened_days(clock.now()))
    return page, 422 if form.errors or limit.errors else 200


@blueprint.post("/desk/reopened/<reopened_id>/close")
@administrator
def close(reopened_id: str) -> ResponseReturnValue:
    actor, number = current_actor(), read_id(reopened_id)
    unit_of_work(lambda: days.close(actor, number))
    flash(_("Closed again."))
    return redirect(url_for("corrections.reopened"))


@blueprint.post("/desk/reopened/limit")
@administrator
def set_limit() -> ResponseReturnValue:
    actor, limit = current_actor(), LimitForm()
    if not limit.validate():
        form = ReopenForm(formdata=None)
        form.offer(places.facility_names())
        return _reopened_page(form, limit)
    unit_of_work(lambda: days.set_limit(actor, limit.manager_days.data))
    flash(_("Kept. It holds from now on."))
    return redirect(url_for("corrections.reopened"))
