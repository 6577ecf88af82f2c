"""Facilities and spaces (public to read), and the working calendar."""

from datetime import date, timedelta
from typing import Any

from facilities.engine.working_days import DayKind
from facilities.infra.db import unit_of_work
from facilities.kernel.ids import read_id
from facilities.kernel.refusals import Invalid, NotVisible
from facilities.kernel.text import folded
from facilities.places import queries, services
from facilities.places.models import AccessFeature, Facility, FacilityKind, Space, SpaceKind
from facilities.places.schemas import (
    DayIn,
    DayOut,
    DayQuery,
    FacilityIn,
    FacilityOut,
    FacilityQuery,
    SpaceIn,
    SpaceOut,
    read_hours,
    read_rules,
    show_day,
    show_facility,
    show_space,
)
from facilities.web.api import ApiBlueprint
from facilities.web.guards import administrator, first, public, signed_in
from facilities.web.paging import part_of, read_position
from facilities.web.schemas import page_schema

blueprint = ApiBlueprint("places", __name__)
LONGEST_CALENDAR = timedelta(days=3 * 366)


def visible_facility(facility_id: str) -> Facility:
    facility = queries.facility(read_id(facility_id))
    if facility is None:
        raise NotVisible
    return facility


@blueprint.route("/facilities")
@public
@blueprint.arguments(FacilityQuery, location="query")
@blueprint.response(200, page_schema(FacilityOut))
def facilities(query: dict[str, Any]) -> dict[str, Any]:
    kind = FacilityKind(query["kind"]) if "kind" in query else None
    rows = queries.facilities(kind=kind, words=folded(query.get("q", "")).split(),
                              sub_district=query.get("sub_district"), after=read_position(query["cursor"]),
                              limit=query["limit"] + 1)
    shown = rows[:query["limit"]]
    return {"items": [show_facility(f) for f in shown], "next": str(shown[-1].id) if len(rows) > len(shown) else None}


@blueprint.route("/facilities/<facility_id>")
@public
@blueprint.response(200, FacilityOut)
def facility(facility_id: str) -> dict[str, Any]:
    return show_facility(visible_facility(facility_id))


@blueprint.route("/facilities", methods=["POST"])
@administrator
@blueprint.arguments(FacilityIn)
@blueprint.response(201, FacilityOut)
def add_facility(body: dict[str, Any]) -> dict[str, Any]:
    def add() -> Facility:
        return services.add_facility(
            FacilityKind(body["kind"]), body["name"], body["address"], body["sub_district_code"],
            name_en=body.get("name_en"), phone=body.get("phone"), hours=read_hours(body.get("opening_hours")),
            access=[AccessFeature(f) for f in body.get("accessibility", [])])

    return show_facility(visible_facility(str(unit_of_work(add).id)))


@blueprint.route("/facilities/<facility_id>/spaces", methods=["POST"])
@signed_in
@first(visible_facility)
@administrator
@blueprint.arguments(SpaceIn)
@blueprint.response(201, SpaceOut)
def add_space(body: dict[str, Any], facility_id: str) -> dict[str, Any]:
    def add() -> Space:
        return services.add_space(
            visible_facility(facility_id), body["name"], SpaceKind(body["kind"]), name_en=body.get("name_en"),
            capacity=body.get("capacity"), parent_id=_parent(body.get("parent_id")), reservable=body["reservable"],
            rules=read_rules(body.get("rules")))

    return show_space(unit_of_work(add))


def _parent(text: str | None) -> int | None:
    try:
        return read_id(text) if text else None
    except NotVisible as error:
        raise Invalid(parent_id="unknown_parent") from error


@blueprint.route("/calendar/days")
@signed_in
@blueprint.arguments(DayQuery, location="query")
@blueprint.response(200, page_schema(DayOut))
def calendar(query: dict[str, Any]) -> dict[str, Any]:
    first_day, last_day = query["from_"], query["to"]
    if last_day < first_day or last_day - first_day > LONGEST_CALENDAR:
        raise Invalid(to="period_backwards")
    return part_of(queries.calendar_days(first_day, last_day), query, show_day)


def _readable_day(day: str) -> date:
    try:
        return date.fromisoformat(day)
    except ValueError as error:
        raise NotVisible from error


@blueprint.route("/calendar/days/<day>", methods=["PUT"])
@signed_in
@first(_readable_day)
@administrator
@blueprint.arguments(DayIn)
@blueprint.response(200, DayOut)
def set_day(body: dict[str, Any], day: str) -> dict[str, Any]:
    if body.get("date", _readable_day(day)) != _readable_day(day):
        raise Invalid(date="another_day")
    return show_day(unit_of_work(lambda: services.set_calendar_day(
        _readable_day(day), DayKind(body["kind"]), body.get("name"), provisional=body["provisional"])))
