"""When spaces are free, and the reservations of the caller's household."""

from typing import Any

from facilities.infra.db import unit_of_work
from facilities.kernel.ids import read_id
from facilities.kernel.refusals import NotVisible
from facilities.places.models import Space, SpaceKind
from facilities.reservations import availability, queries, services
from facilities.reservations.models import Reservation
from facilities.reservations.queries import SpaceFilter
from facilities.reservations.schemas import (
    AvailabilityOut,
    FoundOut,
    FreeQuery,
    PeriodQuery,
    ReservationChange,
    ReservationIn,
    ReservationOut,
    read_period,
    show_found,
    show_reservation,
    show_span,
)
from facilities.web.addresses import filter_id
from facilities.web.api import ApiBlueprint
from facilities.web.guards import current_actor, first, public, signed_in
from facilities.web.paging import After, page_of, part_of, read_cursor
from facilities.web.schemas import PageQuery, page_schema

blueprint = ApiBlueprint("reservations", __name__)


def _visible_space(space_id: str) -> Space:
    space = queries.space(read_id(space_id))
    if space is None:
        raise NotVisible
    return space


def _own(reservation_id: str) -> Reservation:
    reservation = queries.own_reservation(current_actor(), read_id(reservation_id))
    if reservation is None:
        raise NotVisible
    return reservation


@blueprint.route("/spaces/<space_id>/availability")
@public
@first(_visible_space)
@blueprint.arguments(PeriodQuery, location="query")
@blueprint.response(200, AvailabilityOut)
def space_availability(query: dict[str, Any], space_id: str) -> dict[str, Any]:
    """When it is open and nobody holds it, whether or not one may reserve it then."""
    spans = availability.free(_visible_space(space_id), *read_period(query))
    return {"free": [show_span(span) for span in spans]}


@blueprint.route("/spaces/free")
@public
@blueprint.arguments(FreeQuery, location="query")
@blueprint.response(200, page_schema(FoundOut))
def free_spaces(query: dict[str, Any]) -> dict[str, Any]:
    """Of each space that can be reserved for so long, its first free span; soonest first."""
    wanted = SpaceFilter(SpaceKind(query["kind"]) if "kind" in query else None, filter_id(query.get("facility")),
                         query.get("sub_district"))
    found = availability.first_free(queries.reservable_spaces(wanted), query["minutes"], *read_period(query))
    return part_of(found, query, show_found)


@blueprint.route("/reservations", methods=["POST"])
@signed_in
@blueprint.arguments(ReservationIn)
@blueprint.response(201, ReservationOut)
def reserve(body: dict[str, Any]) -> dict[str, Any]:
    actor, space_id, resident_id = current_actor(), read_id(body["space_id"]), read_id(body["resident_id"])
    return show_reservation(unit_of_work(lambda: services.reserve(
        actor, space_id, resident_id, body["starts_at"], body["ends_at"], body["purpose"])))


@blueprint.route("/reservations")
@signed_in
@blueprint.arguments(PageQuery, location="query")
@blueprint.response(200, page_schema(ReservationOut))
def reservations(query: dict[str, Any]) -> dict[str, Any]:
    rows = queries.own_reservations(current_actor(), limit=query["limit"] + 1, after=read_cursor(query["cursor"]))
    return page_of(rows, query["limit"], lambda r: After(r.starts_at, r.id), show_reservation)


@blueprint.route("/reservations/<reservation_id>")
@signed_in
@blueprint.response(200, ReservationOut)
def reservation(reservation_id: str) -> dict[str, Any]:
    return show_reservation(_own(reservation_id))


@blueprint.route("/reservations/<reservation_id>", methods=["PATCH"])
@signed_in
@first(_own)
@blueprint.arguments(ReservationChange)
@blueprint.response(200, ReservationOut)
def move(body: dict[str, Any], reservation_id: str) -> dict[str, Any]:
    actor, number = current_actor(), read_id(reservation_id)
    return show_reservation(unit_of_work(
        lambda: services.move(actor, number, body.get("starts_at"), body.get("ends_at"))))


@blueprint.route("/reservations/<reservation_id>/cancel", methods=["POST"])
@signed_in
@blueprint.response(200, ReservationOut)
def cancel(reservation_id: str) -> dict[str, Any]:
    actor, number = current_actor(), read_id(reservation_id)
    return show_reservation(unit_of_work(lambda: services.cancel(actor, number)))
