"""Registration, and the residents that the caller may act for."""

from collections.abc import Callable
from typing import Any

from flask import current_app, jsonify
from flask.typing import ResponseReturnValue

from facilities.accounts import services as accounts
from facilities.accounts.entrance import let_in
from facilities.accounts.models import SignInKind, User
from facilities.accounts.schemas import TokenOut, show_grants, show_user
from facilities.engine.eligibility import Sex
from facilities.engine.guardians import needs_guardians_consent
from facilities.households import desk, invitations, queries, registration, services
from facilities.households.desk import Ground
from facilities.households.models import Guardianship, Relation
from facilities.households.registration import Wanted
from facilities.households.schemas import (
    Acceptance,
    ActsForOut,
    Confirmation,
    FindPerson,
    FoundPeople,
    InvitationMade,
    InvitationOut,
    MeOut,
    Registration,
    ResidentChange,
    ResidentIn,
    ResidentOut,
    read_details,
    show_acts_for,
    show_found,
    show_invitation,
    show_resident,
)
from facilities.infra.db import unit_of_work
from facilities.kernel import clock
from facilities.kernel.ids import read_id
from facilities.kernel.refusals import Invalid, NotVisible, Refused
from facilities.web.api import ApiBlueprint
from facilities.web.guards import counter_staff, current_actor, first, public, signed_in
from facilities.web.idempotency import keep_no_answer
from facilities.web.limits import limiter
from facilities.web.paging import part_of
from facilities.web.schemas import PageQuery, page_schema

blueprint = ApiBlueprint("households", __name__)


def _visible(resident_id: str) -> Guardianship:
    link = queries.guardianship_of(current_actor(), read_id(resident_id))
    if link is None:
        raise NotVisible
    return link


@blueprint.route("/accounts", methods=["POST"])
@public
@limiter.limit("30 per minute")
@blueprint.arguments(Registration)
@blueprint.response(201, TokenOut)
def register(body: dict[str, Any]) -> dict[str, Any] | ResponseReturnValue:
    """Where phones are confirmed: 202, alike for known and unknown ones, and POST /accounts/confirm."""
    if not body["consent"]:
        raise Invalid(consent="consent_needed")
    password_hash = accounts.hash_password(body["password"], staff=False)
    if current_app.config["HUIMIN_SETTINGS"].confirms_phones:
        wanted = Wanted(body["phone"], password_hash, body["name"], body["birth_date"], Sex(body["sex"]))
        unit_of_work(lambda: registration.ask(wanted))
        return jsonify(next="confirm"), 202
    return _welcome(lambda: services.register(
        body["phone"], password_hash, body["name"], body["birth_date"], Sex(body["sex"])))


@blueprint.route("/accounts/confirm", methods=["POST"])
@public
@limiter.limit("30 per minute")
@blueprint.arguments(Confirmation)
@blueprint.response(201, TokenOut)
def confirm(body: dict[str, Any]) -> dict[str, Any]:
    return _welcome(lambda: registration.confirm(body["phone"], body["code"]))


def _welcome(make: Callable[[], User | None]) -> dict[str, Any]:
    try:
        user = unit_of_work(make)
    except Refused as refused:
        if refused.refusal.code == "login_taken":  # here the login is a phone
            raise Refused("phone_taken") from refused
        raise
    if user is None:
        raise Refused("code_not_right")
    entered = let_in(user, SignInKind.TOKEN)
    return {"token": entered.secret, "expires_at": entered.ends_at, "user": show_user(user, ())}


@blueprint.route("/me")
@signed_in
@blueprint.response(200, MeOut)
def me() -> dict[str, Any]:
    actor = current_actor()
    return {
        "user": {"id": actor.user_id, "display_name": actor.display_name, "grants": show_grants(actor.grants)},
        "residents": [show_resident(link) for link in queries.guardianships_of(actor)],
    }


@blueprint.route("/residents")
@signed_in
@blueprint.arguments(PageQuery, location="query")
@blueprint.response(200, page_schema(ResidentOut))
def residents(query: dict[str, Any]) -> dict[str, Any]:
    return part_of(queries.guardianships_of(current_actor()), query, show_resident)


@blueprint.route("/residents", methods=["POST"])
@signed_in
@blueprint.arguments(ResidentIn)
@blueprint.response(201, ResidentOut)
def add_resident(body: dict[str, Any]) -> dict[str, Any]:
    actor = current_actor()
    if body.get("guardian_consent") is False and needs_guardians_consent(body["birth_date"], clock.today()):
        raise Invalid(guardian_consent="guardian_consent_needed")
    link = unit_of_work(lambda: services.add_resident(
        actor, Relation(body["relation"]), body["name"], body["birth_date"], Sex(body["sex"]), body.get("phone"),
        read_details(body)))
    return show_resident(link)


@blueprint.route("/residents/<resident_id>")
@signed_in
@blueprint.response(200, ResidentOut)
def resident(resident_id: str) -> dict[str, Any]:
    return show_resident(_visible(resident_id))


@blueprint.route("/residents/<resident_id>", methods=["PATCH"])
@signed_in
@first(_visible)
@blueprint.arguments(ResidentChange)
@blueprint.response(200, ResidentOut)
def change_resident(body: dict[str, Any], resident_id: str) -> dict[str, Any]:
    actor, number = current_actor(), read_id(resident_id)
    changes = {name: value for name, value in body.items() if name != "disability"}
    changes |= read_details(body)
    if "sex" in changes:
        changes["sex"] = Sex(changes["sex"])
    if "relation" in changes:
        changes["relation"] = Relation(changes["relation"])
    return show_resident(unit_of_work(lambda: services.change_resident(actor, number, dict(changes))))


@blueprint.route("/desk/residents/find", methods=["POST"])
@counter_staff
@blueprint.arguments(FindPerson)
@blueprint.response(200, FoundPeople)
def find_resident(body: dict[str, Any]) -> dict[str, Any]:
    actor, ground = current_actor(), Ground(body["ground"])
    return show_found(unit_of_work(lambda: desk.find(actor, ground, body.get("phone"), body.get("id_number"))))


@blueprint.route("/residents/<resident_id>/guardians")
@signed_in
@blueprint.arguments(PageQuery, location="query")
@blueprint.response(200, page_schema(ActsForOut))
def guardians(query: dict[str, Any], resident_id: str) -> dict[str, Any]:
    link = _visible(resident_id)
    rows = queries.everyone_who_acts_for([link.resident_id])[link.resident_id]
    return part_of(rows, query, lambda one: show_acts_for(one, link))


@blueprint.route("/residents/<resident_id>/guardians/<user_id>", methods=["DELETE"])
@signed_in
@blueprint.response(204)
def end_right(resident_id: str, user_id: str) -> None:
    actor, number, who = current_actor(), read_id(resident_id), read_id(user_id)
    unit_of_work(lambda: services.end_right(actor, number, who))


@blueprint.route("/residents/<resident_id>/invitations", methods=["POST"])
@signed_in
@blueprint.response(201, InvitationMade)
def invite(resident_id: str) -> dict[str, Any]:
    actor, number = current_actor(), read_id(resident_id)
    made = unit_of_work(lambda: invitations.invite(actor, number))
    keep_no_answer()
    return {**show_invitation(made.invitation), "code": made.code}


@blueprint.route("/residents/<resident_id>/invitations")
@signed_in
@blueprint.arguments(PageQuery, location="query")
@blueprint.response(200, page_schema(InvitationOut))
def open_invitations(query: dict[str, Any], resident_id: str) -> dict[str, Any]:
    return part_of(queries.open_invitations(_visible(resident_id).resident_id, clock.now()), query, show_invitation)


@blueprint.route("/invitations/<invitation_id>", methods=["DELETE"])
@signed_in
@blueprint.response(204)
def withdraw_invitation(invitation_id: str) -> None:
    actor, number = current_actor(), read_id(invitation_id)
    unit_of_work(lambda: invitations.withdraw(actor, number))


@blueprint.route("/invitations/accept", methods=["POST"])
@signed_in
@limiter.limit("20 per minute")
@blueprint.arguments(Acceptance)
@blueprint.response(201, ResidentOut)
def accept_invitation(body: dict[str, Any]) -> dict[str, Any]:
    return show_resident(invitations.accept(current_actor(), body["code"], Relation(body["relation"])))
