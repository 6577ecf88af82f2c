"""Closures: public to read, the facility's managers' to make and to lift."""

from typing import Any

from facilities.closures import policy, queries, services
from facilities.closures.schemas import (
    ClosingIn,
    ClosureIn,
    ClosureOut,
    InsideOut,
    read_closing,
    read_settlement,
    show_closure,
    show_inside,
)
from facilities.infra.db import unit_of_work
from facilities.kernel.ids import read_id
from facilities.kernel.refusals import NotPermitted, NotVisible
from facilities.places.api import visible_facility
from facilities.places.models import Closure, Facility
from facilities.web.api import ApiBlueprint
from facilities.web.guards import current_actor, first, public, signed_in, staff
from facilities.web.paging import part_of
from facilities.web.schemas import PageQuery, page_schema

blueprint = ApiBlueprint("closures", __name__)


def closable_facility(facility_id: str) -> Facility:
    """Everyone sees a facility; NotPermitted where it is not the caller's to close."""
    facility = visible_facility(facility_id)
    if not policy.can_close(current_actor(), facility.id):
        raise NotPermitted
    return facility


def liftable_closure(closure_id: str) -> Closure:
    closure = queries.closure(read_id(closure_id))
    if closure is None:
        raise NotVisible
    if not policy.can_close(current_actor(), closure.facility_id):
        raise NotPermitted
    return closure


@blueprint.route("/facilities/<facility_id>/closures")
@public
@blueprint.arguments(PageQuery, location="query")
@blueprint.response(200, page_schema(ClosureOut))
def closures(query: dict[str, Any], facility_id: str) -> dict[str, Any]:
    """In force, now or later, soonest first."""
    return part_of(queries.closures_ahead(visible_facility(facility_id).id), query, show_closure)


@blueprint.route("/facilities/<facility_id>/closures/preview", methods=["POST"])
@signed_in
@first(closable_facility)
@staff
@blueprint.arguments(ClosingIn)
@blueprint.response(200, InsideOut)
def preview(body: dict[str, Any], facility_id: str) -> dict[str, Any]:
    """What falls inside, with how many people are affected. Nothing is saved."""
    return show_inside(services.preview(read_closing(body, read_id(facility_id))))


@blueprint.route("/facilities/<facility_id>/closures", methods=["POST"])
@signed_in
@first(closable_facility)
@staff
@blueprint.arguments(ClosureIn)
@blueprint.response(201, ClosureOut)
def close(body: dict[str, Any], facility_id: str) -> dict[str, Any]:
    actor, closing = current_actor(), read_closing(body, read_id(facility_id))
    settlement = read_settlement(body)
    return show_closure(unit_of_work(lambda: services.close(actor, closing, body["reason"], settlement)))


@blueprint.route("/closures/<closure_id>/lift", methods=["POST"])
@signed_in
@first(liftable_closure)
@staff
@blueprint.response(200, ClosureOut)
def lift(closure_id: str) -> dict[str, Any]:
    actor, number = current_actor(), read_id(closure_id)
    return show_closure(unit_of_work(lambda: services.lift(actor, number)))
