"""A resident leaves the caller's household, or consent is taken back."""

from facilities.family import services
from facilities.households.models import ConsentKind
from facilities.infra.db import unit_of_work
from facilities.kernel.ids import read_id
from facilities.kernel.refusals import NotVisible
from facilities.kernel.text import read_choice
from facilities.web.api import ApiBlueprint
from facilities.web.guards import current_actor, signed_in

blueprint = ApiBlueprint("family", __name__)


@blueprint.route("/residents/<resident_id>", methods=["DELETE"])
@signed_in
@blueprint.response(204)
def leave(resident_id: str) -> None:
    actor, number = current_actor(), read_id(resident_id)
    unit_of_work(lambda: services.leave(actor, number, give_back=True))


@blueprint.route("/residents/<resident_id>/consents/<kind>", methods=["DELETE"])
@signed_in
@blueprint.response(204)
def withdraw_consent(resident_id: str, kind: str) -> None:
    actor, number, what = current_actor(), read_id(resident_id), read_choice(ConsentKind, kind)
    if what is None:
        raise NotVisible
    unit_of_work(lambda: services.withdraw_consent(actor, number, what))
