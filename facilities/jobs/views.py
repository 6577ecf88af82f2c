"""What the background work did, for administrators."""

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue

from facilities.jobs import queries
from facilities.jobs.queries import Health
from facilities.web.guards import administrator

blueprint = Blueprint("jobs", __name__)

RUNS_SHOWN = 50


@blueprint.get("/staff/jobs")
@administrator
def overview() -> ResponseReturnValue:
    found = queries.jobs()
    nobody_works = all(seen.health is Health.LATE for seen in found)  # also where no job ever ran
    return render_template("jobs/overview.html", jobs=found, runs=queries.runs(RUNS_SHOWN), nobody_works=nobody_works)
