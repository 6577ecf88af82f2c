"""Livelihood projects, for anyone."""

from typing import Any

from facilities.kernel import clock
from facilities.projects import queries
from facilities.projects.schemas import ProjectsOut, ProjectsQuery, show_overview
from facilities.web.api import ApiBlueprint
from facilities.web.guards import public

blueprint = ApiBlueprint("projects", __name__)


@blueprint.route("/projects")
@public
@blueprint.arguments(ProjectsQuery, location="query")
@blueprint.response(200, ProjectsOut)
def projects(query: dict[str, Any]) -> dict[str, Any]:
    """Of this year where none is named."""
    day = clock.today()
    year = query.get("year", day.year)
    return show_overview(year, day, queries.overview(year, day))
