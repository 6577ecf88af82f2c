"""The shape of registration and of residents in the API."""

from typing import Any

from marshmallow import fields

from facilities.accounts.schemas import UserOut
from facilities.engine.eligibility import Sex
from facilities.households.models import Guardianship, Relation
from facilities.web.schemas import BaseSchema, Day, Flag, Id, Secret, Text, one_of


class Registration(BaseSchema):
    phone = Text(required=True, longest=30)
    password = Secret(required=True)
    name = Text(required=True, longest=64)
    birth_date = Day(required=True)
    sex = fields.String(required=True, validate=one_of(*Sex))
    consent = Flag(required=True)


class ResidentChange(BaseSchema):
    name = Text(longest=64)
    birth_date = Day()
    sex = fields.String(validate=one_of(*Sex))
    relation = fields.String(validate=one_of(*Relation))
    phone = Text(longest=30)


class ResidentIn(ResidentChange):
    name = Text(required=True, longest=64)
    birth_date = Day(required=True)
    sex = fields.String(required=True, validate=one_of(*Sex))
    relation = fields.String(required=True, validate=one_of(*Relation))


class ResidentOut(BaseSchema):
    id = Id()
    name = fields.String()
    birth_date = fields.Date()
    sex = fields.String()
    relation = fields.String()
    phone = fields.String(allow_none=True)


class MeOut(BaseSchema):
    user = fields.Nested(UserOut)
    residents = fields.List(fields.Nested(ResidentOut))


def show_resident(link: Guardianship) -> dict[str, Any]:
    person = link.resident
    return {"id": person.id, "name": person.name, "birth_date": person.birth_date, "sex": person.sex.value,
            "relation": link.relation.value, "phone": person.phone}
