"""Draws: open one, look at one, enter it, see one's ticket, check how it came out."""

from flask import Blueprint, Response, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from facilities.bookings import queries as bookings
from facilities.draws import api, policy, queries, services
from facilities.draws.api import holdable_draw, visible_draw
from facilities.draws.forms import DrawForm, TokenForm
from facilities.draws.models import DrawEntry
from facilities.draws.schemas import status_of
from facilities.draws.wording import rule_in_words
from facilities.engine.draws import Entry, entries_digest
from facilities.households import queries as households
from facilities.infra.db import unit_of_work
from facilities.kernel import clock
from facilities.kernel.ids import read_id
from facilities.kernel.refusals import Invalid, NotPermitted, NotVisible, Refused
from facilities.places import queries as places
from facilities.programmes import policy as programmes_policy
from facilities.web.addresses import filter_id
from facilities.web.guards import actor_or_none, current_actor, public, signed_in, staff
from facilities.web.wording import words_for

blueprint = Blueprint("draws", __name__)


@blueprint.route("/desk/draws/new", methods=["GET", "POST"])
@staff
def open_draw() -> ResponseReturnValue:
    actor = current_actor()
    mine = places.managed_facilities(actor)
    facility = places.facility(filter_id(request.args.get("facility")) or (mine[0].id if mine else 0))
    if facility is None:
        raise NotVisible
    if not programmes_policy.can_offer_at(actor, facility.id):
        raise NotPermitted
    form, refusal = DrawForm(), None
    form.offer(queries.open_for_a_draw(facility.id, clock.now()))
    if form.validate_on_submit():
        try:
            values = form.values()
            draw = unit_of_work(lambda: services.open_draw(actor, **values))
        except Invalid as invalid:
            form.show_invalid(invalid)
        except Refused as refused:
            refusal = words_for(refused.refusal)
        else:
            flash(_("The draw is open. Households can enter now."))
            return redirect(url_for("draws.draw", draw_id=draw.id))
    status = 422 if form.errors or refusal else 200
    return render_template("draws/open.html", form=form, facility=facility, facilities=mine, refusal=refusal), status


@blueprint.get("/draws/<draw_id>")
@public
def draw(draw_id: str) -> ResponseReturnValue:
    return _draw_page(draw_id)


def _draw_page(draw_id: str, refusal: str | None = None) -> ResponseReturnValue:
    found, actor = visible_draw(draw_id), actor_or_none()
    sessions, tickets = queries.sessions_of(found.id), services.tickets(found)
    entries = queries.own_entries(actor, found.id) if actor else []
    entered = {e.resident_id: entry for entry in entries for e in entry.entrants}
    links = households.guardianships_of(actor) if actor and policy.is_open(found) else []
    refused = services.whom_not(sessions, [link.resident for link in links]) if links else {}
    people = [(link, entered.get(link.resident_id), refused.get(link.resident_id)) for link in links]
    people.sort(key=lambda person: person[2] is not None)  # who can enter, first
    page = render_template(
        "draws/draw.html", draw=found, sessions=sessions, tickets=tickets, entries=entries, people=people,
        number=queries.number_of_entries(found.id) if tickets is None else len(tickets), status=policy.status(found),
        rule=rule_in_words(services.rule_of(found)), refusal=refusal, words_for=words_for, form=TokenForm(),
        status_of=status_of, can_hold=actor is not None and policy.can_hold(actor, found))
    return page, 409 if refusal else 200


@blueprint.get("/draws/<draw_id>/check")
@public
def check(draw_id: str) -> ResponseReturnValue:
    """Step by step, how the order is computed again."""
    found = visible_draw(draw_id)
    tickets = services.tickets(found)
    digest = entries_digest([Entry(t.entry_hash, t.weight) for t in tickets]) if tickets else None
    return render_template("draws/check.html", draw=found, tickets=tickets, digest=digest,
                           status=policy.status(found))


@blueprint.get("/draws/<draw_id>/recompute.py")
@public
def recompute(draw_id: str) -> Response:
    visible_draw(draw_id)
    return api.script()


@blueprint.post("/draws/<draw_id>/enter")
@signed_in
def enter(draw_id: str) -> ResponseReturnValue:
    actor, number = current_actor(), read_id(draw_id)
    resident_ids = [read_id(text) for text in request.form.getlist("resident_ids")]
    visible_draw(draw_id)
    if not resident_ids:
        return _draw_page(draw_id, _("Choose at least one person who would come."))
    try:
        entry = unit_of_work(lambda: services.enter(actor, number, resident_ids))
    except Refused as refused:
        return _draw_page(draw_id, words_for(refused.refusal))
    flash(_("You are in the draw. Keep your ticket's number."))
    return redirect(url_for("draws.ticket", entry_id=entry.id))


@blueprint.get("/draws/entries/<entry_id>")
@signed_in
def ticket(entry_id: str) -> ResponseReturnValue:
    entry = _own(entry_id)
    found = visible_draw(str(entry.draw_id))
    sessions, result = queries.sessions_of(found.id), status_of(entry)
    kept = bookings.live_in_session(current_actor(), sessions[0].id) if sessions and result == "not_drawn" else {}
    waits = any(e.resident_id in kept for e in entry.entrants)
    return render_template("draws/ticket.html", entry=entry, draw=found, sessions=sessions, result=result, waits=waits,
                           status=policy.status(found), form=TokenForm())


def _own(entry_id: str) -> DrawEntry:
    entry = queries.own_entry(current_actor(), read_id(entry_id))
    if entry is None:
        raise NotVisible
    return entry


@blueprint.post("/draws/entries/<entry_id>/withdraw")
@signed_in
def withdraw(entry_id: str) -> ResponseReturnValue:
    actor, number = current_actor(), read_id(entry_id)
    entry = unit_of_work(lambda: services.withdraw(actor, number))
    flash(_("The ticket is withdrawn. You can enter again until entries close."))
    return redirect(url_for("draws.draw", draw_id=entry.draw_id))


@blueprint.post("/draws/<draw_id>/hold")
@staff
def hold(draw_id: str) -> ResponseReturnValue:
    actor, found = current_actor(), holdable_draw(draw_id)
    unit_of_work(lambda: services.hold(found.id, actor))
    flash(_("The draw has been held, and everyone is told."))
    return redirect(url_for("draws.draw", draw_id=found.id))
