"""Repetitions: looked at beforehand, announced, changed from a date on."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from facilities.bookings.schemas import Reason
from facilities.engine.recurrence import LeftOut
from facilities.infra.db import unit_of_work
from facilities.kernel.ids import read_id
from facilities.kernel.refusals import NotPermitted, NotVisible
from facilities.programmes import queries as programmes
from facilities.programmes.api import known_programme, own_facility
from facilities.programmes.models import Series
from facilities.programmes.schemas import read_changes
from facilities.series import policy, queries, services
from facilities.series.schemas import (
    DateIn,
    FromQuery,
    PreviewOut,
    SeriesChange,
    SeriesIn,
    SeriesOut,
    read_plan,
    show_preview,
    show_series,
)
from facilities.web.api import ApiBlueprint
from facilities.web.guards import current_actor, first, public, signed_in, staff

blueprint = ApiBlueprint("series", __name__)


def visible_series(series_id: str) -> Series:
    series = queries.series(read_id(series_id))
    if series is None:
        raise NotVisible
    return series


def runnable_series(series_id: str) -> Series:
    """Everyone sees a series; NotPermitted where it is not the caller's to run."""
    series = visible_series(series_id)
    if not policy.can_run(current_actor(), series):
        raise NotPermitted
    return series


def _show(series_id: str, left_out: Sequence[LeftOut] | None = None) -> dict[str, Any]:
    series = visible_series(series_id)
    return show_series(series, programmes.sessions_of_series(series.id),
                       queries.left_out(series.id) if left_out is None else left_out)


@blueprint.route("/series", methods=["POST"])
@staff
@blueprint.arguments(SeriesIn)
@blueprint.response(201, SeriesOut)
def announce(body: dict[str, Any]) -> dict[str, Any]:
    actor, facility_id = current_actor(), own_facility(body)
    known_programme(body)
    series = unit_of_work(lambda: services.announce_series(actor, read_plan(body, facility_id)))
    return _show(str(series.id))


@blueprint.route("/series/preview", methods=["POST"])
@staff
@blueprint.arguments(SeriesIn)
@blueprint.response(200, PreviewOut)
def preview(body: dict[str, Any]) -> dict[str, Any]:
    """What would be held, and every date that would be left out with the reason. Nothing is saved."""
    facility_id = own_facility(body)
    known_programme(body)
    plan = read_plan(body, facility_id)
    return show_preview(plan, *services.preview(plan))


@blueprint.route("/series/<series_id>")
@public
@blueprint.response(200, SeriesOut)
def series(series_id: str) -> dict[str, Any]:
    return _show(series_id)


@blueprint.route("/series/<series_id>", methods=["PATCH"])
@signed_in
@first(runnable_series)
@staff
@blueprint.arguments(FromQuery, location="query")
@blueprint.arguments(SeriesChange)
@blueprint.response(200, SeriesOut)
def change(query: dict[str, Any], body: dict[str, Any], series_id: str) -> dict[str, Any]:
    """`left_out` names the occurrences that could not follow; they stay as they were."""
    actor, number = current_actor(), read_id(series_id)
    followed = unit_of_work(lambda: services.change_series(actor, number, read_changes(body), _since(query)))
    return _show(series_id, followed.left_out)


def _since(query: dict[str, Any]) -> datetime | None:
    return query.get("from_")


@blueprint.route("/series/<series_id>/cancel", methods=["POST"])
@signed_in
@first(runnable_series)
@staff
@blueprint.arguments(FromQuery, location="query")
@blueprint.arguments(Reason)
@blueprint.response(200, SeriesOut)
def cancel(query: dict[str, Any], body: dict[str, Any], series_id: str) -> dict[str, Any]:
    actor, number = current_actor(), read_id(series_id)
    unit_of_work(lambda: services.cancel_series(actor, number, body["reason"], _since(query)))
    return _show(series_id)


@blueprint.route("/series/<series_id>/remove", methods=["POST"])
@signed_in
@first(runnable_series)
@staff
@blueprint.arguments(DateIn)
@blueprint.response(200, SeriesOut)
def remove(body: dict[str, Any], series_id: str) -> dict[str, Any]:
    """One date is taken out for good, where nobody has booked it."""
    actor, number = current_actor(), read_id(series_id)
    unit_of_work(lambda: services.remove_date(actor, number, body["starts_at"]))
    return _show(series_id)
