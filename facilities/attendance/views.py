"""The desk: today's sessions, and the roll. All of it works without a script; with one it works without network."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import uuid6
from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from facilities.attendance import queries, rolls, services
from facilities.attendance.forms import HeadCountForm, NewcomerForm, TickForm, WalkInForm
from facilities.attendance.services import Entry, Outcome
from facilities.bookings.looks import note_look_at_roster
from facilities.engine.eligibility import Sex
from facilities.engine.phones import read_phone
from facilities.engine.roll_call import (
    ENTRY_ENDS_AFTER_END,
    ENTRY_OPENS_BEFORE_START,
    LONGEST_OVERTIME,
    Counts,
    EventKind,
    is_ticking_over,
    moment_for_entry,
    moment_for_leaving,
)
from facilities.households import queries as households
from facilities.households import services as people
from facilities.infra.db import unit_of_work
from facilities.kernel import clock
from facilities.kernel.ids import read_id
from facilities.kernel.refusals import Invalid, Refusal, Refused
from facilities.kernel.text import mask_name, read_choice
from facilities.places import queries as places
from facilities.programmes import queries as programmes
from facilities.programmes.models import ActivitySession
from facilities.programmes.queries import SessionFilter
from facilities.programmes.views import runnable
from facilities.web.addresses import day_or
from facilities.web.guards import current_actor, staff
from facilities.web.needs import needs_camera
from facilities.web.wording import words_for

blueprint = Blueprint("attendance", __name__)

KEEP = {"X-Huimin-Keep": "today"}  # a device of the desk may keep this page for the day (static/js/service-worker.js)
PAGE = "page"  # who counts without a script counts for this device: the later count replaces the earlier one
BY_TAP = (EventKind.PRESENT, EventKind.ABSENT, EventKind.EXCUSED, EventKind.LEAVE, EventKind.WALK_IN, EventKind.VOID)
LONGEST_CODE = 200
LATE = "late"  # the button of who came, and late
FOR_ALL = (EventKind.PRESENT, EventKind.ABSENT)


@blueprint.get("/desk")
@staff
def desk() -> ResponseReturnValue:
    """One day of the facilities that the one who asks runs: today, or the day in the address."""
    actor, day = current_actor(), day_or(request.args.get("date"), clock.today())
    start, end = clock.day_span(day, day)
    reach = None if actor.is_administrator else actor.managed_facility_ids
    found = programmes.sessions(SessionFilter(start=start, end=end, facility_ids=reach))
    head_counts = queries.head_counts([s.id for s in found])
    page = render_template(
        "attendance/desk.html", day=day, sessions=found, sum=rolls.sum_up(found, head_counts),
        facilities=places.managed_facilities(actor), keeps=day == clock.today() and not actor.is_administrator,
        before=day - timedelta(days=1), after=day + timedelta(days=1))
    return page, KEEP if day == clock.today() else {}


@blueprint.get("/desk/sessions/<session_id>/roll")
@staff
@needs_camera
def roll_call(session_id: str) -> ResponseReturnValue:
    session = runnable(session_id)
    note_look_at_roster(session.id)
    return _roll_page(session, WalkInForm(formdata=None), HeadCountForm(formdata=None))


def _roll_page(session: ActivitySession, walk_in: WalkInForm, head_count: HeadCountForm,
               refusal: str | None = None) -> ResponseReturnValue:
    session = programmes.session(session.id) or session  # read again: an attempt to write may lie between
    roll = rolls.read(session)
    own = roll.head_counts.get(PAGE)
    if own and not any(field.raw_data for field in head_count):
        head_count.process(data=own)
    opens_at = session.starts_at - ENTRY_OPENS_BEFORE_START
    is_today = clock.local_date(session.starts_at) == clock.today()
    page = render_template(
        "attendance/roll_call.html", session=session, roll=roll, opens_at=opens_at, refusal=refusal,
        closes_at=session.ends_at + ENTRY_ENDS_AFTER_END, gone_at=session.ends_at + LONGEST_OVERTIME,
        is_shown=clock.now() >= opens_at or is_today,
        is_closed=not services.may_enter(current_actor(), session), walk_in_form=walk_in, head_count_form=head_count,
        form=TickForm(formdata=None), new_event=uuid6.uuid7)
    return page, 409 if refusal else 200, KEEP if is_today else {}


@blueprint.post("/desk/sessions/<session_id>/tick")
@staff
@needs_camera
def tick(session_id: str) -> ResponseReturnValue:
    """One tap: the row says who, the button what."""
    session, form = runnable(session_id), TickForm()
    pressed = request.form.get("kind", "")
    late = pressed == LATE
    kind = EventKind.PRESENT if late else read_choice(EventKind, pressed)
    if kind not in BY_TAP:
        kind = EventKind.PRESENT
    voids = read_event_id(request.form.get("voids", "")) if kind is EventKind.VOID else None
    # a walk-in without a name is taken back without one
    nameless = kind is EventKind.VOID and not request.form.get("resident_id")
    resident_id = None if nameless else read_id(request.form.get("resident_id", ""))
    if voids and is_ticking_over(session.ends_at, clock.now()):  # no slip of a finger any more: it is asked why
        return redirect(url_for("corrections.take_back", session_id=session.id, event_id=voids))
    refusal = _record(session, form, kind, resident_id=resident_id, voids=voids, late=late)
    if refusal:
        return _roll_page(session, WalkInForm(formdata=None), HeadCountForm(formdata=None), refusal)
    return redirect(url_for("attendance.roll_call", session_id=session.id) + f"#resident-{resident_id}")


@blueprint.post("/desk/sessions/<session_id>/code")
@staff
@needs_camera
def by_code(session_id: str) -> ResponseReturnValue:
    """What the QR code of a pass holds, or the short code on it, typed."""
    session, code = runnable(session_id), request.form.get("code", "").strip()[:LONGEST_CODE]
    named: dict[str, Any] = {"check_in_code": code} if "." in code else {"reference": code.replace(" ", "").upper()}
    refusal = _record(session, TickForm(), EventKind.PRESENT, **named) if code else _("Enter the code.")
    if refusal:
        return _roll_page(session, WalkInForm(formdata=None), HeadCountForm(formdata=None), refusal)
    flash(_("Checked in"))
    return redirect(url_for("attendance.roll_call", session_id=session.id))


@blueprint.post("/desk/sessions/<session_id>/everybody")
@staff
@needs_camera
def everybody(session_id: str) -> ResponseReturnValue:
    """All of those booked about whom nothing is entered yet: here, or not."""
    session, actor = runnable(session_id), current_actor()
    kind = read_choice(EventKind, request.form.get("kind"))
    if kind in FOR_ALL:
        moment = moment_for_entry(session.ends_at, clock.now())
        entries = [Entry(_new_id(), session.id, kind, moment, resident_id, device=PAGE)
                   for resident_id in rolls.open_people(rolls.read(session))]
        results = unit_of_work(lambda: services.record(actor, entries)) if entries else []
        codes = [result.code for result in results if result.code]
        if codes:
            return _roll_page(session, WalkInForm(formdata=None), HeadCountForm(formdata=None),
                              words_for(Refusal(codes[0])))
    return redirect(url_for("attendance.roll_call", session_id=session.id))


@blueprint.post("/desk/sessions/<session_id>/walk-in")
@staff
@needs_camera
def walk_in(session_id: str) -> ResponseReturnValue:
    session, form = runnable(session_id), WalkInForm()
    resident_id, refusal = None, None
    if form.phone.data:
        number = read_phone(form.phone.data)
        resident = households.resident_by_phone(number) if number else None
        resident_id = resident.id if resident else None
        if resident is None:
            refusal = _("Nobody is registered with this number. Leave it empty to count a person without a name.")
        elif queries.is_present(session.id, resident.id):
            refusal = _("%(name)s is counted already.", name=mask_name(resident.name))
    refusal = refusal or _record(session, form, EventKind.WALK_IN, resident_id=resident_id)
    if refusal:
        return _roll_page(session, form, HeadCountForm(formdata=None), refusal)
    flash(_("One walk-in is counted."))
    return redirect(url_for("attendance.roll_call", session_id=session.id))


@blueprint.route("/desk/sessions/<session_id>/newcomer", methods=["GET", "POST"])
@staff
def newcomer(session_id: str) -> ResponseReturnValue:
    """Somebody who is not known yet: entered and counted in one step, or not at all."""
    session, form, refusal = runnable(session_id), NewcomerForm(), None
    if form.validate_on_submit():
        try:
            unit_of_work(lambda: _count_newcomer(session, form))
        except Invalid as invalid:
            form.show_invalid(invalid)
        except Refused as refused:
            refusal = words_for(refused.refusal)
        else:
            flash(_("Entered, and counted as a walk-in."))
            return redirect(url_for("attendance.roll_call", session_id=session.id))
    if request.method == "POST":
        session = runnable(session_id)  # read again: an attempt to write may lie between
    if not form.event_id.data:
        form.event_id.data = str(_new_id())
    status = 422 if form.errors else 409 if refusal else 200
    return render_template("attendance/newcomer.html", session=session, form=form, refusal=refusal), status


def _count_newcomer(session: ActivitySession, form: NewcomerForm) -> None:
    """Sent twice, it is one person: the event's id says so before anybody is entered."""
    number = read_event_id(form.event_id.data)
    if number in queries.which_exist([number]):
        return
    someone = people.register_at_desk(form.name.data, Sex(form.sex.data), form.birth_date.data,
                                      form.phone.data or None, None)
    result, = services.record(current_actor(), [Entry(
        number, session.id, EventKind.WALK_IN, moment_for_entry(session.ends_at, clock.now()), someone.id,
        device=PAGE)])
    if result.code:
        raise Refused(result.code)


@blueprint.post("/desk/sessions/<session_id>/head-count")
@staff
@needs_camera
def head_count(session_id: str) -> ResponseReturnValue:
    session, form = runnable(session_id), HeadCountForm()
    refusal = None
    if form.validate():
        counts = Counts(*(form[name].data or 0 for name in ("women", "children", "men", "elders", "disabled")))
        refusal = _record(session, form, EventKind.HEAD_COUNT, counts=counts)
    else:
        refusal = _("Enter whole numbers from 0.")
    if refusal:
        return _roll_page(session, WalkInForm(formdata=None), form, refusal)
    flash(_("The head count is kept."))
    return redirect(url_for("attendance.roll_call", session_id=session.id))


def _record(session: ActivitySession, form: TickForm, kind: EventKind, **more: Any) -> str | None:  # noqa: ANN401 - of Entry
    """Words, where the entry is refused."""
    actor = current_actor()
    moment_for = moment_for_leaving if kind is EventKind.LEAVE else moment_for_entry
    entry = Entry(id=read_event_id(form.event_id.data), session_id=session.id, kind=kind,
                  occurred_at=moment_for(session.ends_at, clock.now()), device=PAGE, **more)
    result, = unit_of_work(lambda: services.record(actor, [entry]))
    return words_for(Refusal(result.code or "")) if result.outcome is Outcome.REFUSED else None


def read_event_id(text: str | None) -> UUID:
    """The page made it; a missing or broken one gets a fresh id, which counts the tap once more at worst."""
    try:
        return UUID(text or "")
    except ValueError:
        return _new_id()


def _new_id() -> UUID:
    return UUID(str(uuid6.uuid7()))
