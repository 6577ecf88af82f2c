"""Bookings and reservations as calendar entries, and the household's own address."""

from typing import Any

from flask.typing import ResponseReturnValue

from facilities.calendars import queries, services
from facilities.calendars.answers import address_of, answer_booking, answer_reservation
from facilities.calendars.schemas import FollowedOut, FollowIn, FollowingOut
from facilities.infra.db import unit_of_work
from facilities.web.api import ApiBlueprint
from facilities.web.guards import current_actor, signed_in
from facilities.web.idempotency import keep_no_answer

blueprint = ApiBlueprint("calendars", __name__)


@blueprint.route("/bookings/<booking_id>.ics")
@signed_in
def booking(booking_id: str) -> ResponseReturnValue:
    """text/calendar: one event, whose UID stays the same for the booking's life."""
    return answer_booking(booking_id)


@blueprint.route("/reservations/<reservation_id>.ics")
@signed_in
def reservation(reservation_id: str) -> ResponseReturnValue:
    """text/calendar, as for a booking."""
    return answer_reservation(reservation_id)


@blueprint.route("/me/calendar")
@signed_in
@blueprint.response(200, FollowingOut)
def following() -> dict[str, Any]:
    feed = queries.feed_of(current_actor().user_id)
    return {"since": feed and feed.created_at, "language": feed and feed.language}


@blueprint.route("/me/calendar", methods=["POST"])
@signed_in
@blueprint.arguments(FollowIn)
@blueprint.response(201, FollowedOut)
def follow(body: dict[str, Any]) -> dict[str, Any]:
    """The address to subscribe to; the one before opens nothing any more."""
    actor = current_actor()
    token = unit_of_work(lambda: services.follow(actor, body["language"]))
    keep_no_answer()
    return {"address": address_of(token)}


@blueprint.route("/me/calendar", methods=["DELETE"])
@signed_in
@blueprint.response(204)
def revoke() -> None:
    actor = current_actor()
    unit_of_work(lambda: services.revoke(actor))
