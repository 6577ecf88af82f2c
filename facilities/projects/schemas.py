"""The shape of livelihood projects in the API."""

from datetime import date
from decimal import Decimal
from typing import Any

from marshmallow import fields

from facilities.projects.models import FIRST_YEAR, LAST_YEAR, Project, ReportedFigure
from facilities.projects.queries import FigureSource, Overview, Standing, Unplaced
from facilities.web.schemas import BaseSchema, Day, Limit, Quantity, between

SHARES = Decimal("0.0001")


class ProjectsQuery(BaseSchema):
    year = Limit(validate=between(FIRST_YEAR, LAST_YEAR))


class PublishedOut(BaseSchema):
    """As it was printed. `qualifier`: `more_than`, `at_least`, `about`; then `number` is not an exact one."""

    code = fields.String()
    heading = fields.String()
    name = fields.String()
    unit = fields.String(allow_none=True)
    as_printed = fields.String()
    number = Quantity(allow_none=True)
    qualifier = fields.String(allow_none=True)
    confirmed = fields.Boolean()
    quote = fields.String()
    source = fields.String()
    note = fields.String(allow_none=True)


class StandingOut(BaseSchema):
    """Rates are shares of the target: 1.25 is 125 %. Null is not known, or not to be computed.

    `done` is an exact number; one that its source qualifies stands in `done_at_least` or `published` alone.
    """

    code = fields.String(allow_none=True)
    name = fields.String(allow_none=True)
    unit = fields.String(allow_none=True)
    kind = fields.String(allow_none=True)
    target = Quantity(allow_none=True)
    target_set_by = fields.String(allow_none=True)
    done = Quantity(allow_none=True)
    done_at_least = Quantity(allow_none=True)
    rate = Quantity(allow_none=True)
    expected_rate = Quantity(allow_none=True)
    light = fields.String(allow_none=True)
    forecast = Quantity(allow_none=True)
    source_of_figure = fields.String(allow_none=True)
    lead_unit = fields.String(allow_none=True)
    partner_units = fields.String(allow_none=True)
    accepted_on = Day(allow_none=True)
    published = fields.Nested(PublishedOut, allow_none=True)


class ProjectOut(BaseSchema):
    code = fields.String()
    name = fields.String(allow_none=True)
    source = fields.String()
    subprojects = fields.List(fields.Nested(StandingOut))


class UnplacedOut(StandingOut):
    """Named in a publication that does not say to which project it belongs. `counted`: what the app itself counts."""

    counted = Quantity(allow_none=True)


class ProjectsOut(BaseSchema):
    """`quote` gives the numbers of projects and subprojects; how they divide, and most names, were not published."""

    year = fields.Integer()
    as_of = Day(allow_none=True)
    quote = fields.String(allow_none=True)
    source = fields.String(allow_none=True)
    items = fields.List(fields.Nested(ProjectOut))
    not_placed = fields.List(fields.Nested(UnplacedOut))


def show_overview(year: int, day: date, found: Overview | None) -> dict[str, Any]:
    if found is None:
        return {"year": year, "as_of": None, "quote": None, "source": None, "items": [], "not_placed": []}
    return {"year": year, "as_of": day, "quote": found.of.quote, "source": found.of.source,
            "items": [_show_project(project, standings) for project, standings in found.projects],
            "not_placed": [_show_unplaced(one) for one in found.unplaced]}


def _show_project(project: Project, standings: Any) -> dict[str, Any]:  # noqa: ANN401 - a sequence of standings
    return {"code": project.code, "name": project.name, "source": project.source.value,
            "subprojects": [_show_standing(standing) for standing in standings]}


def _show_standing(standing: Standing) -> dict[str, Any]:
    subproject, target = standing.subproject, standing.target
    amount, source = standing.done.amount, standing.done.source
    return {
        "code": subproject.code, "name": subproject.name, "unit": subproject.unit,
        "kind": subproject.kind.value if subproject.kind else None,
        "target": target.value if target else None, "target_set_by": target.set_by.value if target else None,
        "done": amount.exact if amount else None, "done_at_least": amount.lower_bound if amount else None,
        "rate": _share(standing.rate), "expected_rate": _share(standing.expected_rate),
        "light": standing.light.value if standing.light else None, "forecast": standing.forecast,
        "source_of_figure": source.value if source else None,
        "lead_unit": subproject.lead_unit, "partner_units": subproject.partner_units,
        "accepted_on": subproject.accepted_on,
        "published": _show_figure(standing.figure) if standing.figure else None,
    }


def _show_unplaced(one: Unplaced) -> dict[str, Any]:
    """The same fields: what depends on a project is null."""
    figure = one.figure
    amount = figure.amount if figure.confirmed else None
    nothing = dict.fromkeys(("code", "kind", "target", "target_set_by", "rate", "expected_rate", "light", "forecast",
                             "lead_unit", "partner_units", "accepted_on"))
    return {**nothing, "name": figure.name, "unit": figure.unit, "done": amount.exact if amount else None,
            "done_at_least": amount.lower_bound if amount else None, "counted": one.counted,
            "source_of_figure": FigureSource.PUBLISHED.value, "published": _show_figure(figure)}


def _show_figure(figure: ReportedFigure) -> dict[str, Any]:
    plain = ("code", "heading", "name", "unit", "as_printed", "number", "confirmed", "quote", "source", "note")
    return {name: getattr(figure, name) for name in plain} | {
        "qualifier": figure.qualifier.value if figure.qualifier else None}


def _share(rate: Decimal | None) -> Decimal | None:
    return None if rate is None else rate.quantize(SHARES)
