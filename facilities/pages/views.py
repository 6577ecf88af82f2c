"""Home, finding things, health."""

import logging

from flask import Blueprint, jsonify, render_template, request
from flask.typing import ResponseReturnValue

from config import ROOT
from facilities.bookings import queries as bookings
from facilities.engine.search_words import Wish, read_wish
from facilities.kernel import clock
from facilities.kernel.text import read_choice
from facilities.pages import queries
from facilities.places import queries as places
from facilities.places.models import FacilityKind
from facilities.programmes import queries as programmes
from facilities.programmes.queries import SessionFilter
from facilities.web.guards import actor_or_none, public

log = logging.getLogger(__name__)
blueprint = Blueprint("pages", __name__)

SOON = 6
LONGEST_LIST = 60


@blueprint.get("/")
@public
def home() -> ResponseReturnValue:
    actor, now = actor_or_none(), clock.now()
    return render_template(
        "pages/home.html",
        counts=places.count_by_kind(), stalls=places.stalls_shared(),
        soon=programmes.sessions(SessionFilter(start=now, available=True), limit=SOON),
        mine=bookings.next_booking(actor, now) if actor else None)


@blueprint.get("/find")
@public
def find() -> ResponseReturnValue:
    """By words and days, by kind of place; the address holds the whole question."""
    text = request.args.get("q", "")[:100]
    wish = read_wish(text, clock.today())
    kind = read_choice(FacilityKind, request.args.get("kind"))
    if wish == Wish():
        sessions = programmes.sessions(SessionFilter(kind=kind, start=clock.now()), limit=LONGEST_LIST)
        facilities = places.facilities(kind=kind) if kind else []
    else:
        sessions = programmes.search(wish, LONGEST_LIST, kind)
        facilities = [f for f in places.matching(wish, LONGEST_LIST) if kind in (None, f.kind)]
    return render_template("pages/find.html", text=text, kind=kind, sessions=sessions, facilities=facilities,
                           cut=len(sessions) == LONGEST_LIST)


@blueprint.get("/healthz")
@public
def healthz() -> ResponseReturnValue:
    return jsonify(status="ok")


@blueprint.get("/readyz")
@public
def readyz() -> ResponseReturnValue:
    ready = queries.is_ready(str(ROOT / "migrations"))
    if not ready:
        log.warning("not ready: no database, or its schema is not the code's")
    return jsonify(status="ok" if ready else "not ready"), 200 if ready else 503
