"""Programmes and activity sessions: public to read, their facility's manager's to change."""

from typing import Any

from facilities.infra.db import unit_of_work
from facilities.kernel import clock
from facilities.kernel.ids import read_id
from facilities.kernel.refusals import NotPermitted, NotVisible
from facilities.places import queries as places
from facilities.places.models import FacilityKind
from facilities.programmes import policy, queries, services
from facilities.programmes.models import ActivitySession, ProviderType
from facilities.programmes.schemas import (
    ProgrammeIn,
    ProgrammeOut,
    SessionIn,
    SessionOut,
    SessionQuery,
    read_audience,
    read_limits,
    read_offer,
    show_programme,
    show_session,
)
from facilities.web.addresses import filter_id
from facilities.web.api import ApiBlueprint
from facilities.web.guards import administrator, current_actor, public, staff
from facilities.web.paging import After, page_of, part_of, read_cursor
from facilities.web.schemas import PageQuery, page_schema

blueprint = ApiBlueprint("programmes", __name__)


def visible_session(session_id: str) -> ActivitySession:
    session = queries.session(read_id(session_id))
    if session is None:
        raise NotVisible
    return session


def runnable_session(session_id: str) -> ActivitySession:
    """Everyone sees a session; NotPermitted where it is not the caller's to run."""
    session = visible_session(session_id)
    if not policy.can_run(current_actor(), session):
        raise NotPermitted
    return session


@blueprint.route("/programmes")
@public
@blueprint.arguments(PageQuery, location="query")
@blueprint.response(200, page_schema(ProgrammeOut))
def programmes(query: dict[str, Any]) -> dict[str, Any]:
    return part_of(queries.programmes(), query, show_programme)


@blueprint.route("/programmes", methods=["POST"])
@administrator
@blueprint.arguments(ProgrammeIn)
@blueprint.response(201, ProgrammeOut)
def add_programme(body: dict[str, Any]) -> dict[str, Any]:
    return show_programme(unit_of_work(lambda: services.add_programme(
        body["name"], FacilityKind(body["facility_kind"]), name_en=body.get("name_en"),
        audience=read_audience(body.get("audience")), limits=read_limits(body.get("limits")),
        records_time=body["records_time"],
        provider_type=ProviderType(body["provider_type"]), volunteer=body["volunteer"])))


@blueprint.route("/sessions")
@public
@blueprint.arguments(SessionQuery, location="query")
@blueprint.response(200, page_schema(SessionOut))
def sessions(query: dict[str, Any]) -> dict[str, Any]:
    wanted = queries.SessionFilter(
        facility_id=filter_id(query.get("facility")), programme_id=filter_id(query.get("programme")),
        kind=FacilityKind(query["kind"]) if "kind" in query else None,
        start=query.get("from_") or clock.now(), end=query.get("to"), available=query["available"])
    rows = queries.sessions(wanted, limit=query["limit"] + 1, after=read_cursor(query["cursor"]))
    return page_of(rows, query["limit"], lambda s: After(s.starts_at, s.id), show_session)


@blueprint.route("/sessions/<session_id>")
@public
@blueprint.response(200, SessionOut)
def session(session_id: str) -> dict[str, Any]:
    return show_session(visible_session(session_id))


@blueprint.route("/sessions", methods=["POST"])
@staff
@blueprint.arguments(SessionIn)
@blueprint.response(201, SessionOut)
def announce(body: dict[str, Any]) -> dict[str, Any]:
    actor, facility_id = current_actor(), own_facility(body)
    known_programme(body)
    session = unit_of_work(lambda: services.announce(actor, read_offer(body, facility_id)))
    return show_session(visible_session(str(session.id)))


def own_facility(body: dict[str, Any]) -> int:
    number = filter_id(body["facility_id"]) or 0
    if places.facility(number) is None:
        raise NotVisible
    if not policy.can_offer_at(current_actor(), number):
        raise NotPermitted
    return number


def known_programme(body: dict[str, Any]) -> None:
    if queries.programme(filter_id(body["programme_id"]) or 0) is None:
        raise NotVisible
