"""Draws: public to look at, households' to enter, their facility's staff's to open and to hold."""

from pathlib import Path
from typing import Any

from flask import Response

from facilities.draws import policy, queries, services
from facilities.draws.models import Draw
from facilities.draws.schemas import (
    DrawIn,
    DrawOut,
    EntryIn,
    EntryOut,
    read_weights,
    show_draw,
    show_entry,
)
from facilities.draws.wording import rule_in_words
from facilities.engine.draws import Entry, entries_digest
from facilities.infra.db import unit_of_work
from facilities.kernel.ids import read_id
from facilities.kernel.refusals import NotPermitted, NotVisible
from facilities.web.api import ApiBlueprint
from facilities.web.guards import current_actor, first, public, signed_in, staff
from facilities.web.paging import part_of
from facilities.web.schemas import PageQuery, page_schema

blueprint = ApiBlueprint("draws", __name__)

SCRIPT = Path(__file__).with_name("recompute.py").read_bytes()


def visible_draw(draw_id: str) -> Draw:
    draw = queries.draw(read_id(draw_id))
    if draw is None:
        raise NotVisible
    return draw


def holdable_draw(draw_id: str) -> Draw:
    """Everyone sees a draw; NotPermitted where it is not the caller's to hold."""
    draw = visible_draw(draw_id)
    if not policy.can_hold(current_actor(), draw):
        raise NotPermitted
    return draw


def shown(draw: Draw) -> dict[str, Any]:
    """All that is public of it."""
    tickets = services.tickets(draw)
    digest = None if tickets is None else entries_digest([Entry(t.entry_hash, t.weight) for t in tickets])
    number = queries.number_of_entries(draw.id) if tickets is None else len(tickets)
    return show_draw(draw, queries.sessions_of(draw.id), tickets, status=policy.status(draw), number=number,
                     rule=rule_in_words(services.rule_of(draw)), digest=digest)


def script() -> Response:
    """The same for every draw: it reads the draw's public JSON."""
    return Response(SCRIPT, mimetype="text/x-python",
                    headers={"Content-Disposition": 'attachment; filename="recompute.py"'})


@blueprint.route("/draws", methods=["POST"])
@staff
@blueprint.arguments(DrawIn)
@blueprint.response(201, DrawOut)
def open_draw(body: dict[str, Any]) -> dict[str, Any]:
    actor, session_ids = current_actor(), [read_id(text) for text in body["session_ids"]]
    draw = unit_of_work(lambda: services.open_draw(
        actor, session_ids, body["title"], body["entries_close_at"], read_weights(body.get("weights"))))
    return shown(visible_draw(str(draw.id)))


@blueprint.route("/draws/<draw_id>")
@public
@blueprint.response(200, DrawOut)
def draw(draw_id: str) -> dict[str, Any]:
    return shown(visible_draw(draw_id))


@blueprint.route("/draws/<draw_id>/recompute.py")
@public
def recompute(draw_id: str) -> Response:
    visible_draw(draw_id)
    return script()


@blueprint.route("/draws/<draw_id>/entries", methods=["POST"])
@signed_in
@first(visible_draw)
@blueprint.arguments(EntryIn)
@blueprint.response(201, EntryOut)
def enter(body: dict[str, Any], draw_id: str) -> dict[str, Any]:
    actor, resident_ids = current_actor(), [read_id(text) for text in body["resident_ids"]]
    return show_entry(unit_of_work(lambda: services.enter(actor, read_id(draw_id), resident_ids)))


@blueprint.route("/draws/<draw_id>/entries")
@signed_in
@first(visible_draw)
@blueprint.arguments(PageQuery, location="query")
@blueprint.response(200, page_schema(EntryOut))
def entries(query: dict[str, Any], draw_id: str) -> dict[str, Any]:
    """The caller's own."""
    return part_of(queries.own_entries(current_actor(), read_id(draw_id)), query, show_entry)


@blueprint.route("/draws/entries/<entry_id>/withdraw", methods=["POST"])
@signed_in
@blueprint.response(200, EntryOut)
def withdraw(entry_id: str) -> dict[str, Any]:
    actor, number = current_actor(), read_id(entry_id)
    return show_entry(unit_of_work(lambda: services.withdraw(actor, number)), "withdrawn")


@blueprint.route("/draws/<draw_id>/hold", methods=["POST"])
@signed_in
@first(holdable_draw)
@staff
@blueprint.response(200, DrawOut)
def hold(draw_id: str) -> dict[str, Any]:
    actor = current_actor()
    unit_of_work(lambda: services.hold(read_id(draw_id), actor))
    return shown(visible_draw(draw_id))
