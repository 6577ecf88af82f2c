"""The shape of sign-in and staff accounts in the API."""

from collections.abc import Sequence
from typing import Any

from marshmallow import fields, validate

from facilities.accounts.models import User
from facilities.kernel.actors import Granted, Role
from facilities.web.schemas import BaseSchema, Flag, Id, Instant, Reference, Secret, Text, one_of


class Credentials(BaseSchema):
    login = Text(required=True, longest=64)
    password = Secret(required=True, validate=validate.Length(max=1000))
    otp = Text(longest=16)


class ScopeOut(BaseSchema):
    facility_id = Id()


class GrantOut(BaseSchema):
    role = fields.String()
    scope = fields.Nested(ScopeOut)


class UserOut(BaseSchema):
    id = Id()
    display_name = fields.String()
    grants = fields.List(fields.Nested(GrantOut))


class StaffOut(UserOut):
    login = fields.String()
    disabled = fields.Boolean()


class TokenOut(BaseSchema):
    token = fields.String()
    expires_at = Instant()
    user = fields.Nested(UserOut)


class PasswordChange(BaseSchema):
    password = Secret(required=True)
    new_password = Secret(required=True)


class ScopeIn(BaseSchema):
    facility_id = Reference()


class GrantIn(BaseSchema):
    role = fields.String(required=True, validate=one_of(Role.MANAGER, Role.ADMINISTRATOR))
    scope = fields.Nested(ScopeIn, load_default=dict)


class StaffIn(BaseSchema):
    login = Text(required=True, longest=64)
    password = Secret(required=True)
    display_name = Text(required=True, longest=64)
    grants = fields.List(fields.Nested(GrantIn), required=True)


class StaffChange(BaseSchema):
    disabled = Flag()
    display_name = Text(longest=64)
    grants = fields.List(fields.Nested(GrantIn))


def show_grants(grants: Sequence[Granted]) -> list[dict[str, Any]]:
    return [{"role": g.role.value, "scope": {"facility_id": g.facility_id} if g.facility_id else {}} for g in grants]


def show_user(user: User, grants: Sequence[Granted]) -> dict[str, Any]:
    return {"id": user.id, "login": user.login, "display_name": user.display_name, "disabled": user.disabled,
            "grants": show_grants(grants)}
