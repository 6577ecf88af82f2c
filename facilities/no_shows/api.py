"""No-shows: the household's own and what it says to them, answers of staff, and the district's rule."""

from typing import Any

from facilities.bookings import queries as bookings
from facilities.infra.db import unit_of_work
from facilities.kernel import clock
from facilities.kernel.ids import read_id
from facilities.kernel.refusals import NotPermitted, NotVisible
from facilities.no_shows import policy as may
from facilities.no_shows import queries, services
from facilities.no_shows.looks import note_looks
from facilities.no_shows.models import Answer
from facilities.no_shows.schemas import (
    AnswerIn,
    AppealIn,
    AppealOut,
    NoShowsOut,
    OpenAppealOut,
    RuleIn,
    RuleOut,
    show_appeal,
    show_no_show,
    show_open_appeal,
    show_pause,
    show_rule,
)
from facilities.web.api import ApiBlueprint
from facilities.web.guards import administrator, counter_staff, current_actor, first, signed_in, staff
from facilities.web.paging import part_of
from facilities.web.schemas import PageQuery, page_schema

blueprint = ApiBlueprint("no_shows", __name__)


@blueprint.route("/no-show-rule")
@administrator
@blueprint.response(200, RuleOut)
def rule() -> dict[str, Any]:
    return show_rule(queries.policy())


@blueprint.route("/no-show-rule", methods=["PUT"])
@administrator
@blueprint.arguments(RuleIn)
@blueprint.response(200, RuleOut)
def change_rule(body: dict[str, Any]) -> dict[str, Any]:
    """Switched on, it counts from now; switched off, every pause ends at once."""
    actor = current_actor()
    return show_rule(unit_of_work(lambda: services.change_rule(actor, body)).policy)


@blueprint.route("/no-shows")
@signed_in
@blueprint.arguments(PageQuery, location="query")
@blueprint.response(200, NoShowsOut)
def no_shows(query: dict[str, Any]) -> dict[str, Any]:
    """The household's: as far back as they count, and those to which it has said something; newest first."""
    actor, now, policy = current_actor(), clock.now(), queries.policy()
    rows, standings = queries.own(actor, now - policy.window), queries.own_standings(actor, policy, now)
    page = part_of(rows, query, lambda told: show_no_show(told, standings.get(told.booking.id)))
    return {**page, "pauses": [show_pause(pause) for pause in queries.own_pauses(actor, now)]}


def _own(booking_id: str) -> None:
    if bookings.own_booking(current_actor(), read_id(booking_id)) is None:
        raise NotVisible


@blueprint.route("/bookings/<booking_id>/appeal", methods=["POST"])
@signed_in
@first(_own)
@blueprint.arguments(AppealIn)
@blueprint.response(201, AppealOut)
def appeal(body: dict[str, Any], booking_id: str) -> dict[str, Any]:
    actor, number = current_actor(), read_id(booking_id)
    return show_appeal(unit_of_work(lambda: services.appeal(actor, number, body["words"])))


@blueprint.route("/appeals")
@counter_staff
@blueprint.arguments(PageQuery, location="query")
@blueprint.response(200, page_schema(OpenAppealOut))
def appeals(query: dict[str, Any]) -> dict[str, Any]:
    """Those without an answer at the caller's facilities, the longest waiting first."""
    actor = current_actor()
    rows = queries.open_appeals(actor)
    if note_looks([told.booking.resident_id for told in rows]):
        rows = queries.open_appeals(actor)
    counted = queries.how_many_count(queries.policy(), rows, clock.now())
    return part_of(rows, query, lambda told: show_open_appeal(told, counted[told.booking.id]))


def _to_answer(booking_id: str) -> None:
    """Whoever's it is sees it, and so does who runs its session; only they may answer."""
    actor, told = current_actor(), queries.appealed(read_id(booking_id))
    if told is not None and may.can_answer(actor, told):
        return
    if told is None or queries.own_one(actor, told.booking.id) is None:
        raise NotVisible
    raise NotPermitted


@blueprint.route("/appeals/<booking_id>/answer", methods=["POST"])
@signed_in
@first(_to_answer)
@staff
@blueprint.arguments(AnswerIn)
@blueprint.response(200, AppealOut)
def answer(body: dict[str, Any], booking_id: str) -> dict[str, Any]:
    actor, number, given = current_actor(), read_id(booking_id), Answer(body["answer"])
    return show_appeal(unit_of_work(lambda: services.answer(actor, number, given, body["reply"])))
