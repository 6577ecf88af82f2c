"""The shape of sign-in and staff accounts in the API."""

from collections.abc import Sequence
from typing import Any

from marshmallow import fields, validate

from facilities.accounts.models import Grant, SignIn, User
from facilities.kernel.actors import Actor, Granted, Role
from facilities.web.schemas import BaseSchema, Flag, Id, Instant, Reference, Secret, Text, one_of


class Credentials(BaseSchema):
    login = Text(required=True, longest=64)
    password = Secret(required=True, validate=validate.Length(max=1000))
    otp = Text(longest=16)


class ScopeOut(BaseSchema):
    facility_id = Id()
    sub_district_code = fields.String()


class GrantOut(BaseSchema):
    role = fields.String()
    scope = fields.Nested(ScopeOut)


class UserOut(BaseSchema):
    id = Id()
    display_name = fields.String()
    grants = fields.List(fields.Nested(GrantOut))


class DatedGrantOut(GrantOut):
    starts_at = Instant()
    ends_at = Instant(allow_none=True)
    last_used_at = Instant(allow_none=True)


class StaffOut(BaseSchema):
    id = Id()
    login = fields.String()
    display_name = fields.String()
    disabled = fields.Boolean()
    grants = fields.List(fields.Nested(DatedGrantOut))


class TokenOut(BaseSchema):
    token = fields.String()
    expires_at = Instant()
    user = fields.Nested(UserOut)


class PasswordChange(BaseSchema):
    password = Secret(required=True)
    new_password = Secret(required=True)


class ScopeIn(BaseSchema):
    facility_id = Reference()
    sub_district_code = Text(longest=9)


class GrantIn(BaseSchema):
    role = fields.String(required=True, validate=one_of(*(role for role in Role if role is not Role.RESIDENT)))
    scope = fields.Nested(ScopeIn, load_default=dict)
    starts_at = Instant(allow_none=True)
    ends_at = Instant(allow_none=True)


class StaffIn(BaseSchema):
    login = Text(required=True, longest=64)
    password = Secret(required=True)
    display_name = Text(required=True, longest=64)
    grants = fields.List(fields.Nested(GrantIn), required=True)


class StaffChange(BaseSchema):
    disabled = Flag()
    password = Secret()
    display_name = Text(longest=64)
    grants = fields.List(fields.Nested(GrantIn))


class SignInOut(BaseSchema):
    id = Id()
    kind = fields.String()
    device = fields.String(allow_none=True)
    created_at = Instant()
    last_seen_at = Instant()
    ends_at = Instant()
    current = fields.Boolean()


def _scope(granted: Granted) -> dict[str, Any]:
    scope = {"facility_id": granted.facility_id, "sub_district_code": granted.sub_district_code}
    return {name: value for name, value in scope.items() if value is not None}


def show_grants(grants: Sequence[Granted]) -> list[dict[str, Any]]:
    return [{"role": g.role.value, "scope": _scope(g)} for g in grants]


def show_user(user: User, grants: Sequence[Granted]) -> dict[str, Any]:
    return {"id": user.id, "display_name": user.display_name, "grants": show_grants(grants)}


def show_staff(user: User, grants: Sequence[Grant]) -> dict[str, Any]:
    """With the grants that hold and those to come, each with its dates."""
    return {"id": user.id, "login": user.login, "display_name": user.display_name, "disabled": user.disabled,
            "grants": [{"role": row.role.value,
                        "scope": _scope(Granted(row.role, row.facility_id, row.sub_district_code)),
                        "starts_at": row.starts_at, "ends_at": row.ends_at, "last_used_at": row.last_used_at}
                       for row in grants]}


def show_sign_in(actor: Actor, row: SignIn) -> dict[str, Any]:
    return {"id": row.id, "kind": row.kind.value, "device": row.device, "created_at": row.created_at,
            "last_seen_at": row.last_seen_at, "ends_at": row.ends_at, "current": row.id == actor.sign_in_id}
