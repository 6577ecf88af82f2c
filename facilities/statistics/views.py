"""The page of figures for those who answer for them."""

from datetime import date

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue

from facilities.engine.beneficiaries import SPLITTING
from facilities.kernel import clock
from facilities.kernel.ids import read_id
from facilities.kernel.refusals import NotPermitted, NotVisible
from facilities.kernel.text import read_choice
from facilities.places import queries as places
from facilities.programmes import queries as programmes
from facilities.statistics import policy, queries
from facilities.statistics.charts import Chart, stacked_bars, word_for
from facilities.statistics.exports import as_file
from facilities.statistics.queries import Dimension, Row, Scope
from facilities.statistics.schemas import names_of
from facilities.web import exports
from facilities.web.addresses import day_or
from facilities.web.guards import current_actor, staff

blueprint = Blueprint("statistics", __name__)

TABLES = (Dimension.MONTH, Dimension.CATEGORY, Dimension.FACILITY, Dimension.PROGRAMME, Dimension.SUB_DISTRICT,
          Dimension.AGE_BAND, Dimension.SEX)
FILES = {"csv": exports.CSV, "xlsx": exports.XLSX}


@blueprint.get("/statistics")
@staff
def beneficiaries() -> ResponseReturnValue:
    """The whole question stands in the address: from, to, facility, programme, by."""
    scope = _scope()
    by = read_choice(Dimension, request.args.get("by")) or Dimension.MONTH
    rows, total = queries.beneficiaries(scope, [by]), queries.total(scope)
    if (kind := FILES.get(request.args.get("format", ""))) is not None:
        return as_file(kind, scope, [by], rows, total)
    groups = queries.beneficiaries(scope, [Dimension.MONTH, Dimension.CATEGORY])
    by_group = {row.of[Dimension.CATEGORY]: row.figures
                for row in queries.beneficiaries(scope, [Dimension.CATEGORY])}
    return render_template(
        "statistics/beneficiaries.html", scope=scope, by=by, rows=rows, total=total, by_group=by_group,
        names=names_of(rows, [by]), word_for=word_for, tables=TABLES, chart=_chart(groups),
        facilities=places.managed_facilities(current_actor()), programmes=programmes.programmes(), years=_years())


def _chart(groups: list[Row]) -> Chart:
    months = list(dict.fromkeys(row.of[Dimension.MONTH] for row in groups))
    values = {(row.of[Dimension.MONTH], row.of[Dimension.CATEGORY]): row.figures.person_times for row in groups}
    return stacked_bars(months, [c.value for c in SPLITTING], values)


def _scope() -> Scope:
    actor, facility_id = current_actor(), _id("facility")
    if facility_id is not None and places.facility(facility_id) is None:
        raise NotVisible
    if facility_id is not None and not policy.can_see_figures_of(actor, facility_id):
        raise NotPermitted
    today = clock.today()
    first, last = day_or(request.args.get("from"), date(_years()[0], 1, 1)), day_or(request.args.get("to"), today)
    return Scope(min(first, last), max(first, last), facility_id, _id("programme"), facility_ids=policy.reach(actor))


def _years() -> list[int]:
    start = queries.first_day_with_figures(Scope(date.min, date.max, facility_ids=policy.reach(current_actor())))
    this_year = clock.today().year
    return list(range(min(start.year, this_year) if start else this_year, this_year + 1))


def _id(name: str) -> int | None:
    text = request.args.get(name)
    return read_id(text) if text else None
