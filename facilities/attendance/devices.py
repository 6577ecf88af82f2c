"""What a device at the desk asks for besides pages: who is signed in, a place for its ticks, and what makes it an app.

Ticks are made on the device and sent when there is a network; `static/js/ticks.js` is the other end.
"""

from pathlib import Path
from typing import Any

from flask import Blueprint, Response, current_app, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_wtf.csrf import generate_csrf
from marshmallow import ValidationError

from facilities.attendance import services
from facilities.attendance.schemas import EventsIn, read_entry, show_result
from facilities.attendance.services import Result
from facilities.infra.db import unit_of_work
from facilities.kernel import clock
from facilities.kernel.refusals import Refusal
from facilities.web.guards import current_actor, public, staff
from facilities.web.wording import words_for

blueprint = Blueprint("devices", __name__)

# The worker fetches what it keeps; nothing else comes from it.
WORKER_POLICY = "default-src 'none'; connect-src 'self'"


@blueprint.get("/service-worker.js")
@public
def service_worker() -> ResponseReturnValue:
    """At the root: it also sees that somebody signs out, and forgets the lists."""
    script = (Path(current_app.root_path) / "static" / "js" / "service-worker.js").read_text("utf-8")
    return Response(script, mimetype="text/javascript", headers={
        "Cache-Control": "no-cache", "Content-Security-Policy": WORKER_POLICY})


@blueprint.get("/manifest.webmanifest")
@public
def manifest() -> ResponseReturnValue:
    icon = {"src": url_for("static", filename="img/icon.svg"), "type": "image/svg+xml", "sizes": "any"}
    return {
        "id": "/desk", "name": _("Huimin desk"), "short_name": _("Huimin desk"),
        "start_url": url_for("attendance.desk"), "scope": "/",
        "display": "standalone", "background_color": "#F7F5F1", "theme_color": "#0F6B6B",
        "icons": [{**icon, "purpose": "any"}],
    }, 200, {"Content-Type": "application/manifest+json"}


@blueprint.get("/desk/waiting")
@public
def waiting() -> ResponseReturnValue:
    """What this device keeps: the page is the same for everybody, and the device fills it."""
    return render_template("attendance/waiting.html")


@blueprint.get("/desk/pass")
@staff
def desk_pass() -> ResponseReturnValue:
    """What a device needs to send: a token against forgery, who it sends as, and what time it is here."""
    actor = current_actor()
    return {"csrf_token": generate_csrf(), "user": str(actor.user_id), "now": clock.now().isoformat()}


@blueprint.post("/desk/events")
@staff
def record() -> ResponseReturnValue:
    """As `POST /api/v1/attendance/events`, for a browser that is signed in; refusals come with their words."""
    actor = current_actor()
    try:
        body = EventsIn().load(request.get_json(silent=True) or {})
    except ValidationError as error:
        return {"fields": error.normalized_messages()}, 422
    entries = [read_entry(event) for event in body["events"]]
    return {"results": [_show(result) for result in unit_of_work(lambda: services.record(actor, entries))]}


def _show(result: Result) -> dict[str, Any]:
    shown = show_result(result)
    return {**shown, "said": words_for(Refusal(result.code))} if result.code else shown
