"""Tokens, passwords, staff accounts."""

from typing import Any

from facilities.accounts import queries, second_factors, services
from facilities.accounts.entrance import enter, read_login
from facilities.accounts.grants import Wanted
from facilities.accounts.models import SignInKind, User
from facilities.accounts.schemas import (
    Credentials,
    PasswordChange,
    SignInOut,
    StaffChange,
    StaffIn,
    StaffOut,
    TokenOut,
    show_sign_in,
    show_staff,
    show_user,
)
from facilities.infra.db import unit_of_work
from facilities.kernel.actors import Granted, Role
from facilities.kernel.ids import read_id
from facilities.kernel.refusals import Invalid, NotVisible, raise_if
from facilities.web.api import ApiBlueprint
from facilities.web.guards import administrator, current_actor, first, public, signed_in
from facilities.web.limits import limiter
from facilities.web.paging import part_of
from facilities.web.schemas import PageQuery, page_schema

blueprint = ApiBlueprint("accounts", __name__)


def _visible(user_id: str) -> User:
    user = queries.user_by_id(read_id(user_id))
    if user is None:
        raise NotVisible
    return user


@blueprint.route("/tokens", methods=["POST"])
@public
@limiter.limit("30 per minute")
@blueprint.arguments(Credentials)
@blueprint.response(201, TokenOut)
def create_token(body: dict[str, Any]) -> dict[str, Any]:
    entered = enter(body["login"], body["password"], SignInKind.TOKEN, body.get("otp"))
    grants = queries.grants_of(entered.user.id)
    return {"token": entered.secret, "expires_at": entered.ends_at, "user": show_user(entered.user, grants)}


@blueprint.route("/tokens/current", methods=["DELETE"])
@signed_in
@blueprint.response(204)
def end_token() -> None:
    unit_of_work(lambda: services.end_sign_in(current_actor().sign_in_id))


@blueprint.route("/me/password", methods=["POST"])
@signed_in
@blueprint.arguments(PasswordChange)
@blueprint.response(204)
def change_password(body: dict[str, Any]) -> None:
    """Guessing here counts like guessing at the door."""
    actor = current_actor()
    raise_if(services.refuse_if_too_many_failures(actor.login))
    try:
        unit_of_work(lambda: services.change_password(actor, body["password"], body["new_password"]))
    except Invalid as invalid:
        if "password" in invalid.fields:
            unit_of_work(lambda: services.note_failure(actor.login))
        raise


@blueprint.route("/sign-ins")
@signed_in
@blueprint.arguments(PageQuery, location="query")
@blueprint.response(200, page_schema(SignInOut))
def sign_ins(query: dict[str, Any]) -> dict[str, Any]:
    """Where the caller is signed in, the one seen last first."""
    actor = current_actor()
    return part_of(services.sign_ins_of(actor), query, lambda row: show_sign_in(actor, row))


@blueprint.route("/sign-ins/<sign_in_id>", methods=["DELETE"])
@signed_in
@blueprint.response(204)
def end_one_sign_in(sign_in_id: str) -> None:
    actor, number = current_actor(), read_id(sign_in_id)
    unit_of_work(lambda: services.end_own_sign_in(actor, number))


@blueprint.route("/users", methods=["POST"])
@administrator
@blueprint.arguments(StaffIn)
@blueprint.response(201, StaffOut)
def create_staff(body: dict[str, Any]) -> dict[str, Any]:
    actor, grants = current_actor(), _grants(body["grants"])
    password_hash = services.hash_password(body["password"], staff=True)
    user = unit_of_work(lambda: services.create_user(
        read_login(body["login"]), body["display_name"], password_hash, grants, actor))
    return show_staff(user, queries.grants_to_come_or_held(user.id))


@blueprint.route("/users/<user_id>", methods=["PATCH"])
@administrator
@first(_visible)
@blueprint.arguments(StaffChange)
@blueprint.response(200, StaffOut)
def change_staff(body: dict[str, Any], user_id: str) -> dict[str, Any]:
    actor, grants = current_actor(), _grants(body.get("grants", []))
    password_hash = services.hash_password(body["password"], staff=True) if "password" in body else None

    def change() -> User:
        user = _visible(user_id)
        if "display_name" in body:
            services.rename(user, body["display_name"], actor)
        if "grants" in body:
            services.replace_grants(user, grants, actor)
        if password_hash is not None:
            services.set_staff_password(user, password_hash, actor)
        if "disabled" in body:
            services.set_disabled(user, disabled=body["disabled"], by=actor)
        return user

    user = unit_of_work(change)
    return show_staff(user, queries.grants_to_come_or_held(user.id))


@blueprint.route("/users/<user_id>/second-factor", methods=["DELETE"])
@administrator
@first(_visible)
@blueprint.response(204)
def forget_second_factor(user_id: str) -> None:
    """For somebody who lost the phone."""
    actor = current_actor()
    unit_of_work(lambda: second_factors.forget(_visible(user_id), actor))


def _grants(rows: list[dict[str, Any]]) -> list[Wanted]:
    return [Wanted(Granted(Role(row["role"]), _facility(row["scope"].get("facility_id")),
                           row["scope"].get("sub_district_code")), row.get("starts_at"), row.get("ends_at"))
            for row in rows]


def _facility(text: str | None) -> int | None:
    try:
        return read_id(text) if text else None
    except NotVisible as error:
        raise Invalid(grants="unknown_facility") from error
