"""Official reports, for administrators: the figures of all facilities are theirs."""

from typing import Any

from flask.typing import ResponseReturnValue

from facilities.engine.official_reports import PeriodKind
from facilities.infra.db import unit_of_work
from facilities.kernel.ids import read_id
from facilities.kernel.refusals import NotVisible
from facilities.reports import queries, services
from facilities.reports.models import OfficialReport
from facilities.reports.schemas import (
    CloseIn,
    ComparedOut,
    ReportOut,
    WholeReportOut,
    show_correction,
    show_listed,
    show_report,
)
from facilities.reports.services import Signer
from facilities.web.api import ApiBlueprint
from facilities.web.guards import administrator, current_actor
from facilities.web.paging import part_of
from facilities.web.schemas import PageQuery, page_schema

blueprint = ApiBlueprint("reports", __name__)


def existing(report_id: str) -> OfficialReport:
    found = queries.report(read_id(report_id))
    if found is None:
        raise NotVisible
    return found


@blueprint.route("/reports")
@administrator
@blueprint.arguments(PageQuery, location="query")
@blueprint.response(200, page_schema(ReportOut))
def reports(query: dict[str, Any]) -> dict[str, Any]:
    """The latest period first."""
    return part_of(queries.listed(), query, show_listed)


@blueprint.route("/reports", methods=["POST"])
@administrator
@blueprint.arguments(CloseIn)
@blueprint.response(201, WholeReportOut)
def close(body: dict[str, Any]) -> dict[str, Any]:
    """Freezes the figures of a period that is over."""
    actor, kind = current_actor(), PeriodKind(body["kind"])
    signer = Signer(body["signed_name"], body["signed_position"])
    report = unit_of_work(lambda: services.close(actor, kind, body["first"], signer))
    return show_report(report, [])


@blueprint.route("/reports/<report_id>")
@administrator
@blueprint.response(200, WholeReportOut)
def report(report_id: str) -> dict[str, Any]:
    found = existing(report_id)
    return show_report(found, queries.corrections(found.id))


@blueprint.route("/reports/<report_id>/corrections", methods=["POST"])
@administrator
@blueprint.response(201, ComparedOut)
@blueprint.alt_response(200, schema=ComparedOut)
def correct(report_id: str) -> ResponseReturnValue:
    """Compares it with the figures of today: 201 with a correction, 200 where there is nothing to correct."""
    actor, number = current_actor(), read_id(report_id)
    made = unit_of_work(lambda: services.note_correction(number, actor))
    return {"correction": show_correction(made) if made else None}, 201 if made else 200
