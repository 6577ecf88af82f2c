"""What makes figures wrong, for those who answer for them."""

from typing import Any

from facilities.quality import policy, queries
from facilities.quality.schemas import QualityOut, show_finding
from facilities.web.api import ApiBlueprint
from facilities.web.guards import counter_staff, current_actor

blueprint = ApiBlueprint("quality", __name__)

FIRST_ROWS = 10


@blueprint.route("/quality")
@counter_staff
@blueprint.response(200, QualityOut)
def quality() -> dict[str, Any]:
    """How many rows each finding has and the first of them: administrators all, managers of their own sessions."""
    actor = current_actor()
    reach = policy.reach(actor)
    return {"findings": [show_finding(finding, queries.part(finding, reach, 0, FIRST_ROWS))
                         for finding in policy.findings(actor)]}
