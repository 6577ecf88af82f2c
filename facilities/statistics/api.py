"""Beneficiary figures for those who answer for them."""

from dataclasses import asdict
from typing import Any

from flask import request
from flask.typing import ResponseReturnValue

from facilities.kernel.ids import read_id
from facilities.kernel.refusals import Invalid, NotPermitted, NotVisible
from facilities.kernel.text import read_choice
from facilities.places import queries as places
from facilities.statistics import open_data, policy, queries
from facilities.statistics.exports import as_file
from facilities.statistics.open_answers import as_open_file, show_answer
from facilities.statistics.queries import Dimension, Scope
from facilities.statistics.schemas import FiguresOut, FiguresQuery, show_rows
from facilities.web import exports
from facilities.web.api import ApiBlueprint
from facilities.web.guards import current_actor, first, public, signed_in, staff

blueprint = ApiBlueprint("statistics", __name__)


def _check_facility() -> None:
    """The facility in the address exists, and its figures are the caller's to see."""
    facility_id = _id(request.args.get("facility"))
    if facility_id is None:
        return
    if places.facility(facility_id) is None:
        raise NotVisible
    if not policy.can_see_figures_of(current_actor(), facility_id):
        raise NotPermitted


@blueprint.route("/statistics/beneficiaries")
@signed_in
@first(_check_facility)
@staff
@blueprint.arguments(FiguresQuery, location="query")
@blueprint.response(200, FiguresOut)
def beneficiaries(query: dict[str, Any]) -> dict[str, Any] | ResponseReturnValue:
    by = read_dimensions(query.get("by", []))
    scope = _scope(query)
    rows, total = queries.beneficiaries(scope, by), queries.total(scope)
    kind = exports.wanted_format()
    if kind is not None:
        return as_file(kind, scope, by, rows, total)
    return {"rows": show_rows(rows, by), "total": asdict(total)}


@blueprint.route("/public/statistics/beneficiaries")
@public
@blueprint.arguments(FiguresQuery, location="query")
@blueprint.response(200, FiguresOut)
def open_beneficiaries(query: dict[str, Any]) -> dict[str, Any] | ResponseReturnValue:
    """Whole months that are over, for anyone; small numbers are null, and others where they would give one away."""
    by, facility_id = read_dimensions(query.get("by", [])), _id(query.get("facility"))
    open_data.check_whole_months(query["from_"], query["to"])
    if facility_id is not None and places.facility(facility_id) is None:
        raise NotVisible
    answer = open_data.answer(Scope(query["from_"], query["to"], facility_id, _id(query.get("programme")),
                                    query.get("sub_district")), by)
    kind = exports.wanted_format()
    return show_answer(answer) if kind is None else as_open_file(kind, answer)


def read_dimensions(texts: list[str]) -> list[Dimension]:
    """Separated by commas or repeated; Invalid where one is unknown."""
    words = [word.strip() for text in texts for word in text.split(",") if word.strip()]
    found = [read_choice(Dimension, word) for word in dict.fromkeys(words)]
    if None in found:
        raise Invalid(by="unknown_dimension")
    return [d for d in found if d is not None]


def _scope(query: dict[str, Any]) -> Scope:
    actor, facility_id = current_actor(), _id(query.get("facility"))
    if query["to"] < query["from_"]:
        raise Invalid(to="period_backwards")
    return Scope(query["from_"], query["to"], facility_id, _id(query.get("programme")), query.get("sub_district"),
                 policy.reach(actor))


def _id(text: str | None) -> int | None:
    return read_id(text) if text else None
