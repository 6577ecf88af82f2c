"""The desk: today's sessions, and the roll."""

from dataclasses import asdict
from datetime import timedelta
from typing import Any
from uuid import UUID

import uuid6
from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from facilities.attendance import queries, services
from facilities.attendance.forms import HeadCountForm, TickForm, WalkInForm
from facilities.attendance.services import Entry, Outcome
from facilities.bookings import queries as bookings
from facilities.bookings.looks import note_look_at_roster
from facilities.engine.phones import read_phone
from facilities.engine.roll_call import (
    ENTRY_OPENS_BEFORE_START,
    AttendanceState,
    Counts,
    EventKind,
    moment_for_entry,
)
from facilities.households import queries as households
from facilities.infra.db import unit_of_work
from facilities.kernel import clock
from facilities.kernel.ids import read_id
from facilities.kernel.refusals import Refusal
from facilities.kernel.text import mask_name, read_choice
from facilities.places import queries as places
from facilities.programmes import queries as programmes
from facilities.programmes.models import ActivitySession
from facilities.programmes.queries import SessionFilter
from facilities.programmes.views import runnable
from facilities.web.addresses import day_or
from facilities.web.guards import current_actor, staff
from facilities.web.wording import words_for

blueprint = Blueprint("attendance", __name__)

PAGE = "page"  # all who count on this page count for the same device: the later count replaces the earlier one


@blueprint.get("/desk")
@staff
def desk() -> ResponseReturnValue:
    """One day of the facilities that the one who asks runs: today, or the day in the address."""
    actor, day = current_actor(), day_or(request.args.get("date"), clock.today())
    start, end = clock.day_span(day, day)
    reach = None if actor.is_administrator else actor.managed_facility_ids
    found = programmes.sessions(SessionFilter(start=start, end=end, facility_ids=reach))
    ids = [s.id for s in found]
    return render_template(
        "attendance/desk.html", day=day, sessions=found, present=queries.present_counts(ids),
        head_counts=queries.head_counts(ids), facilities=places.managed_facilities(actor),
        before=day - timedelta(days=1), after=day + timedelta(days=1))


@blueprint.get("/desk/sessions/<session_id>/roll")
@staff
def roll_call(session_id: str) -> ResponseReturnValue:
    session = runnable(session_id)
    note_look_at_roster(session.id)
    return _roll_page(session, WalkInForm(formdata=None), HeadCountForm(formdata=None))


def _roll_page(session: ActivitySession, walk_in: WalkInForm, head_count: HeadCountForm,
               refusal: str | None = None) -> ResponseReturnValue:
    session = programmes.session(session.id) or session  # read again: an attempt to write may lie between
    standing = {a.resident_id: a for a in queries.attendances([session.id])}
    booked = bookings.roster(session.id)
    here = {b.resident_id for b in booked}
    roll = queries.roll(session.id)
    page_count = roll.head_counts.get(PAGE)
    if page_count is not None and page_count.counts and not any(field.raw_data for field in head_count):
        for name, number in asdict(page_count.counts).items():
            head_count[name].data = number
    page = render_template(
        "attendance/roll_call.html", session=session, booked=booked, standing=standing,
        unnamed=roll.unnamed, without_names=roll.head_count.people + roll.unnamed_walk_ins,
        opens_at=session.starts_at - ENTRY_OPENS_BEFORE_START,
        walk_ins=[a for a in standing.values() if a.resident_id not in here and a.state is AttendanceState.PRESENT],
        present=sum(a.state is AttendanceState.PRESENT for a in standing.values()),
        walk_in_form=walk_in, head_count_form=head_count, form=TickForm(formdata=None), new_event=uuid6.uuid7,
        refusal=refusal)
    return page, 409 if refusal else 200


@blueprint.post("/desk/sessions/<session_id>/tick")
@staff
def tick(session_id: str) -> ResponseReturnValue:
    """One tap: the row says who, the button what."""
    session, form = runnable(session_id), TickForm()
    kind = read_choice(EventKind, request.form.get("kind"))
    if kind not in (EventKind.PRESENT, EventKind.ABSENT, EventKind.EXCUSED, EventKind.VOID):
        kind = EventKind.PRESENT
    voids = _event_id(request.form.get("voids", "")) if kind is EventKind.VOID else None
    # a walk-in without a name is taken back without one
    nameless = kind is EventKind.VOID and not request.form.get("resident_id")
    resident_id = None if nameless else read_id(request.form.get("resident_id", ""))
    refusal = _record(session, form, kind, resident_id=resident_id, voids=voids)
    if refusal:
        return _roll_page(session, WalkInForm(formdata=None), HeadCountForm(formdata=None), refusal)
    return redirect(url_for("attendance.roll_call", session_id=session.id) + f"#resident-{resident_id}")


@blueprint.post("/desk/sessions/<session_id>/walk-in")
@staff
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


@blueprint.post("/desk/sessions/<session_id>/head-count")
@staff
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
    entry = Entry(id=_event_id(form.event_id.data), session_id=session.id, kind=kind,
                  occurred_at=moment_for_entry(session.ends_at, clock.now()),
                  device=PAGE, **more)
    result, = unit_of_work(lambda: services.record(actor, [entry]))
    return words_for(Refusal(result.code or "")) if result.outcome is Outcome.REFUSED else None


def _event_id(text: str | None) -> UUID:
    """The page made it; a missing or broken one gets a fresh id, which counts the tap once more at worst."""
    try:
        return UUID(text or "")
    except ValueError:
        return UUID(str(uuid6.uuid7()))
