"""What the background work did, for administrators."""

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue

from facilities.jobs import queries
from facilities.web.guards import administrator

blueprint = Blueprint("jobs", __name__)

RUNS_SHOWN = 50


@blueprint.get("/staff/jobs")
@administrator
def overview() -> ResponseReturnValue:
    return render_template("jobs/overview.html", jobs=queries.jobs(), runs=queries.runs(RUNS_SHOWN),
                           nobody_works=queries.nobody_works())
