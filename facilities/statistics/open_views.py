"""Open data: the page of figures for anyone, and the feed of all months."""

import hashlib
from datetime import date, timedelta

from flask import Blueprint, jsonify, render_template, request
from flask.typing import ResponseReturnValue

from facilities.engine.suppression import THRESHOLD
from facilities.kernel.refusals import NotVisible, Refusal
from facilities.kernel.text import read_choice
from facilities.places import queries as places
from facilities.programmes import queries as programmes
from facilities.statistics import open_data
from facilities.statistics.charts import word_for
from facilities.statistics.dimensions import Dimension, Scope
from facilities.statistics.open_answers import as_open_file, names_in, show_open_rows, why_hidden
from facilities.statistics.views import FILES, TABLES
from facilities.web.addresses import day_or, filter_id
from facilities.web.guards import public
from facilities.web.wording import words_for

blueprint = Blueprint("open_data", __name__)

_FEED = {"groups": (Dimension.MONTH, Dimension.CATEGORY),
         "places": (Dimension.MONTH, Dimension.FACILITY, Dimension.PROGRAMME, Dimension.CATEGORY)}


@blueprint.get("/open-data")
@public
def page() -> ResponseReturnValue:
    """The whole question stands in the address, as on the page of figures for staff."""
    periods = open_data.published()
    scope = _scope(periods)
    by = read_choice(Dimension, request.args.get("by")) or Dimension.MONTH
    if (kind := FILES.get(request.args.get("format", ""))) is not None:
        return as_open_file(kind, open_data.answer(scope, [by]))
    missing = open_data.first_not_published(scope.first, scope.last, periods)
    answer = open_data.answer(scope, [by]) if missing is None else None
    return render_template(
        "statistics/open_data.html", scope=scope, by=by, answer=answer, word_for=word_for, tables=TABLES,
        names=names_in(answer.rows, answer.by) if answer else {}, measures=open_data.MEASURES, why_hidden=why_hidden(),
        months=[date.fromisoformat(f"{month}-01") for month in open_data.months_of(periods)],
        why_not=words_for(Refusal("not_published_yet", {"month": missing})) if missing else None,
        facilities=places.facility_names(), programmes=programmes.programmes(), sub_districts=places.sub_districts(),
    )


@blueprint.get("/open-data.json")
@public
def feed() -> ResponseReturnValue:
    """All that is published, as fine as it is public. Its tag follows from its content, so that readers may keep it."""
    months = open_data.months_of(open_data.published())
    tables = {name: show_open_rows(open_data.rows_of(months, by), by) for name, by in _FEED.items()}
    response = jsonify(threshold=THRESHOLD, months=months, **tables)
    response.headers["Cache-Control"] = "public, no-cache"
    response.headers["Vary"] = "Accept-Language, Cookie"  # names are in the reader's language
    response.set_etag(hashlib.sha256(response.get_data()).hexdigest()[:32])
    response.make_conditional(request)
    return response


def _scope(periods: list[str]) -> Scope:
    """Whole months, whatever days stand in the address; else twelve, up to the last of which there is anything to say.
    """
    over, months = open_data.last_day_over(), open_data.months_of(periods)
    newest = over if request.args.get("to") or not months else date.fromisoformat(
        f"{open_data.last_month_with_figures() or months[-1]}-01")
    last = min(_month_end(day_or(request.args.get("to"), newest)), over)
    first = day_or(request.args.get("from"), _months_before(last, 11 if months else 0)).replace(day=1)
    facility_id = filter_id(request.args.get("facility"))
    if facility_id is not None and places.facility(facility_id) is None:
        raise NotVisible
    return Scope(min(first, last.replace(day=1)), last, facility_id, filter_id(request.args.get("programme")),
                 request.args.get("sub_district") or None)


def _month_end(day: date) -> date:
    return (day.replace(day=28) + timedelta(days=4)).replace(day=1) - timedelta(days=1)


def _months_before(day: date, number: int) -> date:
    whole = day.year * 12 + day.month - 1 - number
    return date(whole // 12, whole % 12 + 1, 1)
