"""Beneficiary figures for those who answer for them, and what is behind each."""

from dataclasses import replace
from typing import Any

from flask import request
from flask.typing import ResponseReturnValue

from facilities.bookings.looks import note_look_at_roster
from facilities.kernel import clock
from facilities.kernel.ids import read_id
from facilities.kernel.refusals import Invalid, NotPermitted, NotVisible
from facilities.kernel.text import mask_name, read_choice
from facilities.places import queries as places
from facilities.programmes.views import runnable
from facilities.statistics import behind, open_data, policy, queries
from facilities.statistics.addresses import IDS, NARROWING
from facilities.statistics.behind import Counted, Person
from facilities.statistics.dimensions import Dimension, Scope
from facilities.statistics.exports import as_file
from facilities.statistics.open_answers import as_open_file, show_answer
from facilities.statistics.periods import period_before, year_before
from facilities.statistics.queries import Ledger
from facilities.statistics.schemas import (
    CountedPage,
    EverybodyOut,
    FiguresOut,
    FiguresQuery,
    NarrowedQuery,
    OpenQuery,
    SessionsQuery,
    show_rows,
)
from facilities.web import exports
from facilities.web.api import ApiBlueprint
from facilities.web.guards import current_actor, first, public, signed_in, staff
from facilities.web.paging import read_position

blueprint = ApiBlueprint("statistics", __name__)
COMPARED = {"before": period_before, "year_before": year_before}


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
    ledger = Ledger(scope)
    rows, total = ledger.rows(by), ledger.total()
    kind = exports.wanted_format()
    if kind is not None:
        return as_file(kind, scope, by, rows, total)
    answer = {"rows": show_rows(rows, by), "total": total._asdict()}
    if (compared := query.get("compare")) is not None:
        other = COMPARED[compared](scope)
        answer["compared"] = {"from": str(other.first), "to": str(other.last), "total": queries.total(other)._asdict()}
    return answer


@blueprint.route("/statistics/sessions")
@signed_in
@first(_check_facility)
@staff
@blueprint.arguments(SessionsQuery, location="query")
@blueprint.response(200, CountedPage)
def sessions(query: dict[str, Any]) -> dict[str, Any]:
    """The sessions that a figure counts, the latest first."""
    scope = _scope(query)
    ids, start = behind.session_ids(scope), read_position(query["cursor"])
    end = start + query["limit"]
    return {"items": [_show(counted) for counted in behind.sessions(scope, ids[start:end])],
            "next": str(end) if end < len(ids) else None}


@blueprint.route("/statistics/sessions/<session_id>/attendance")
@signed_in
@staff
@blueprint.arguments(NarrowedQuery, location="query")
@blueprint.response(200, EverybodyOut)
def attendance(query: dict[str, Any], session_id: str) -> dict[str, Any]:
    """Everybody whom a figure counts in a session. On record for those who are on the list."""
    session = runnable(session_id)
    if note_look_at_roster(session.id):
        session = runnable(session_id)
    day = clock.local_date(session.starts_at)
    scope = _narrowed(query, Scope(day, day))
    people, groups = behind.everybody(scope, session.id)
    return {"people": [_person(person) for person in people],
            "without_names": [{"of": group.of, "number": group.number} for group in groups]}


@blueprint.route("/public/statistics/beneficiaries")
@public
@blueprint.arguments(OpenQuery, location="query")
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
    if query["to"] < query["from_"]:
        raise Invalid(to="period_backwards")
    return _narrowed(query, Scope(query["from_"], query["to"]))


def _narrowed(query: dict[str, Any], scope: Scope) -> Scope:
    values: dict[str, Any] = {
        name: _id(query.get(d.value)) if d in IDS else query.get(d.value) for d, name in NARROWING.items()}
    return replace(scope, facility_ids=policy.reach(current_actor()), **values)


def _id(text: str | None) -> int | None:
    return read_id(text) if text else None


def _show(counted: Counted) -> dict[str, Any]:
    session = counted.session
    return {"id": session.id, "title": session.title, "title_en": session.title_en, "facility_id": session.facility_id,
            "programme_id": session.programme_id, "starts_at": session.starts_at, "figures": counted.figures._asdict()}


def _person(person: Person) -> dict[str, Any]:
    profile = person.profile
    return {"resident_id": person.number, "name": mask_name(person.name), "sex": profile.sex,
            "category": profile.category.value if profile.category else None, "age_band": profile.age_band,
            "minutes": person.minutes, "event_id": str(person.event_id), "recorded_by": person.recorded_by}
