"""How it was, said by the household of who was there."""

from typing import Any

from facilities.bookings import queries as bookings
from facilities.feedback import queries, services
from facilities.feedback.schemas import FeedbackIn, FeedbackOut, show_feedback
from facilities.infra.db import unit_of_work
from facilities.kernel.ids import read_id
from facilities.kernel.refusals import NotVisible
from facilities.web.api import ApiBlueprint
from facilities.web.guards import current_actor, first, signed_in

blueprint = ApiBlueprint("feedback", __name__)


def _own(booking_id: str) -> int:
    number = read_id(booking_id)
    if bookings.own_booking(current_actor(), number) is None:
        raise NotVisible
    return number


@blueprint.route("/bookings/<booking_id>/feedback")
@signed_in
@blueprint.response(200, FeedbackOut)
def feedback(booking_id: str) -> dict[str, Any]:
    """What was said of a booking; 404 where nothing was."""
    given = queries.given(_own(booking_id))
    if given is None:
        raise NotVisible
    return show_feedback(given)


@blueprint.route("/bookings/<booking_id>/feedback", methods=["PUT"])
@signed_in
@first(_own)
@blueprint.arguments(FeedbackIn)
@blueprint.response(200, FeedbackOut)
def give(body: dict[str, Any], booking_id: str) -> dict[str, Any]:
    """Of a booking that was attended; for two weeks it can be sent again, and replaces what was said."""
    actor, number = current_actor(), read_id(booking_id)
    return show_feedback(unit_of_work(lambda: services.give(actor, number, body["rating"], body["comment"])))
