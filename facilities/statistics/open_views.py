"""Open data: the page of figures for anyone, and the feed of all months."""

import hashlib
from datetime import date, timedelta

from flask import Blueprint, jsonify, render_template, request
from flask.typing import ResponseReturnValue

from facilities.engine.suppression import THRESHOLD
from facilities.kernel.refusals import NotVisible
from facilities.kernel.text import read_choice
from facilities.places import queries as places
from facilities.programmes import queries as programmes
from facilities.statistics import open_data, queries
from facilities.statistics.charts import word_for
from facilities.statistics.open_answers import as_open_file, names_in, show_open_rows, why_hidden
from facilities.statistics.queries import Dimension, Scope
from facilities.statistics.views import FILES, TABLES
from facilities.web.addresses import day_or, filter_id
from facilities.web.guards import public

blueprint = Blueprint("open_data", __name__)

_FEED = {"groups": (Dimension.MONTH, Dimension.CATEGORY),
         "places": (Dimension.MONTH, Dimension.FACILITY, Dimension.PROGRAMME, Dimension.CATEGORY)}


@blueprint.get("/open-data")
@public
def page() -> ResponseReturnValue:
    """The whole question stands in the address, as on the page of figures for staff."""
    scope, months = _scope(), _months()
    by = read_choice(Dimension, request.args.get("by")) or Dimension.MONTH
    answer = open_data.answer(scope, [by])
    if (kind := FILES.get(request.args.get("format", ""))) is not None:
        return as_open_file(kind, answer)
    return render_template(
        "statistics/open_data.html", scope=scope, by=by, answer=answer, names=names_in(answer), word_for=word_for,
        tables=TABLES, months=months, measures=open_data.MEASURES, why_hidden=why_hidden(),
        facilities=places.facility_names(), programmes=programmes.programmes(), sub_districts=places.sub_districts())


@blueprint.get("/open-data.json")
@public
def feed() -> ResponseReturnValue:
    """All months that are over, as fine as is public. Its tag follows from its content, so that readers may keep it."""
    months = _months()
    tables = {name: show_open_rows(open_data.answer(Scope(months[0], open_data.last_day_over()), by))
              for name, by in _FEED.items()} if months else {name: [] for name in _FEED}
    response = jsonify(threshold=THRESHOLD, months=[f"{month:%Y-%m}" for month in months], **tables)
    response.headers["Cache-Control"] = "public, no-cache"
    response.headers["Vary"] = "Accept-Language, Cookie"  # names are in the reader's language
    response.set_etag(hashlib.sha256(response.get_data()).hexdigest()[:32])
    response.make_conditional(request)
    return response


def _scope() -> Scope:
    """Whole months, whatever days stand in the address; the last twelve where none do."""
    over = open_data.last_day_over()
    last = min(_month_end(day_or(request.args.get("to"), over)), over)
    first = day_or(request.args.get("from"), _months_before(last, 11)).replace(day=1)
    facility_id = filter_id(request.args.get("facility"))
    if facility_id is not None and places.facility(facility_id) is None:
        raise NotVisible
    return Scope(min(first, last.replace(day=1)), last, facility_id, filter_id(request.args.get("programme")),
                 request.args.get("sub_district") or None)


def _months() -> list[date]:
    """The first days of all months that are over, from the first one with figures."""
    start, over = queries.first_day_with_figures(Scope(date.min, date.max)), open_data.last_day_over()
    months = [start.replace(day=1)] if start and start <= over else []
    while months and (following := _month_end(months[-1]) + timedelta(days=1)) <= over:
        months.append(following)
    return months


def _month_end(day: date) -> date:
    return (day.replace(day=28) + timedelta(days=4)).replace(day=1) - timedelta(days=1)


def _months_before(day: date, number: int) -> date:
    whole = day.year * 12 + day.month - 1 - number
    return date(whole // 12, whole % 12 + 1, 1)
