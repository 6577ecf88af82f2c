"""Pages about places."""

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue

from facilities.kernel.text import folded, read_choice
from facilities.places import queries
from facilities.places.models import FacilityKind
from facilities.web.guards import public

blueprint = Blueprint("places", __name__)


@blueprint.get("/facilities")
@public
def facilities() -> ResponseReturnValue:
    """All places, or those of a kind, a sub-district, or with certain words; the address says which."""
    words = request.args.get("q", "")[:100]
    chosen = read_choice(FacilityKind, request.args.get("kind"))
    found = queries.facilities(kind=chosen, words=folded(words).split(),
                               sub_district=request.args.get("sub_district"))
    return render_template("places/facilities.html", facilities=found, kind=chosen, words_typed=words,
                           sub_districts=queries.sub_districts(), chosen=request.args.get("sub_district", ""))
