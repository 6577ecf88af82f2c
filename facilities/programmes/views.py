"""What is on offer: a facility, a week; and the manager's form for a session."""

from datetime import date, timedelta

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from facilities.infra.db import unit_of_work
from facilities.kernel import clock
from facilities.kernel.ids import read_id
from facilities.kernel.refusals import Invalid, NotPermitted, NotVisible, Refused
from facilities.kernel.text import read_choice
from facilities.places import queries as places
from facilities.places.models import FacilityKind
from facilities.programmes import policy, queries, services
from facilities.programmes.forms import SessionForm
from facilities.programmes.models import ActivitySession
from facilities.programmes.queries import SessionFilter
from facilities.programmes.services import Offer
from facilities.web.addresses import day_or, filter_id
from facilities.web.guards import current_actor, public, staff
from facilities.web.wording import words_for

blueprint = Blueprint("programmes", __name__)

COMING = 12
CLOSURES_SHOWN = timedelta(days=60)


@blueprint.get("/facilities/<facility_id>")
@public
def facility(facility_id: str) -> ResponseReturnValue:
    found = places.facility(read_id(facility_id))
    if found is None:
        raise NotVisible
    coming = queries.sessions(SessionFilter(facility_id=found.id, start=clock.now()), limit=COMING)
    return render_template("programmes/facility.html", facility=found, sessions=coming,
                           programmes=queries.programmes_at(found.id),
                           closures=places.closures(found.id, clock.now(), clock.now() + CLOSURES_SHOWN))


@blueprint.get("/week")
@public
def week() -> ResponseReturnValue:
    """Monday to Sunday around `date`, narrowed by `facility`, `programme` and `kind`."""
    monday = _monday(request.args.get("date"))
    start, end = clock.day_span(monday, monday + timedelta(days=6))
    wanted = SessionFilter(
        facility_id=filter_id(request.args.get("facility")), programme_id=filter_id(request.args.get("programme")),
        kind=read_choice(FacilityKind, request.args.get("kind")), start=start, end=end)
    days: dict[date, list[ActivitySession]] = {monday + timedelta(days=n): [] for n in range(7)}
    for session in queries.sessions(wanted):
        days[clock.local_date(session.starts_at)].append(session)
    calendar = {row.date: row for row in places.calendar_days(monday, monday + timedelta(days=6))}
    return render_template(
        "programmes/week.html", monday=monday, days=days, wanted=wanted, calendar=calendar,
        before=monday - timedelta(days=7), after=monday + timedelta(days=7),
        facilities=places.facility_names(), programmes=queries.programmes())


def _monday(text: str | None) -> date:
    day = day_or(text, clock.today())
    return day - timedelta(days=day.weekday())


@blueprint.route("/desk/sessions/new", methods=["GET", "POST"])
@staff
def announce() -> ResponseReturnValue:
    actor = current_actor()
    mine = places.managed_facilities(actor)
    facility = places.facility(filter_id(request.args.get("facility")) or (mine[0].id if mine else 0))
    if facility is None:
        raise NotVisible
    if not policy.can_offer_at(actor, facility.id):
        raise NotPermitted
    form = SessionForm()
    form.offer_choices(queries.programmes(), facility.spaces)
    refusal = None
    if form.validate_on_submit():
        try:
            offer = Offer(facility_id=facility.id, **form.values())
            session = unit_of_work(lambda: services.announce(actor, offer))
        except Invalid as invalid:
            form.show_invalid(invalid)
        except Refused as refused:
            refusal = words_for(refused.refusal)
        else:
            past = session.ends_at <= clock.now()
            flash(_("Entered afterwards: it is over. Its roll can be taken now.") if past
                  else _("Announced. Residents can book it now."))
            return redirect(url_for("bookings.session", session_id=session.id))
    status = 422 if form.errors or refusal else 200
    return render_template("programmes/session_form.html", form=form, facility=facility, facilities=mine,
                           refusal=refusal, session=None), status


def runnable(session_id: str) -> ActivitySession:
    """A session that the one who asks may run; everyone may see it, so a foreign one is 403, not 404."""
    session = queries.session(read_id(session_id))
    if session is None:
        raise NotVisible
    if not policy.can_run(current_actor(), session):
        raise NotPermitted
    return session
