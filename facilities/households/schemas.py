"""The shape of registration and of residents in the API."""

from typing import Any

from marshmallow import fields

from facilities.accounts.schemas import UserOut
from facilities.engine.eligibility import Sex
from facilities.households.models import Guardianship, Relation
from facilities.web.schemas import BaseSchema, Count, Day, Flag, Id, Secret, Text, one_of


class Registration(BaseSchema):
    phone = Text(required=True, longest=30)
    password = Secret(required=True)
    name = Text(required=True, longest=64)
    birth_date = Day(required=True)
    sex = fields.String(required=True, validate=one_of(*Sex))
    consent = Flag(required=True)


class Confirmation(BaseSchema):
    phone = Text(required=True, longest=30)
    code = Text(required=True, longest=10)


class DisabilityIn(BaseSchema):
    """As on the certificate: 1 sight, 2 hearing, 3 speech, 4 body, 5 intellect, 6 mind, 7 several; 1 is the gravest."""

    category = Count(1, 7, required=True)
    grade = Count(1, 4, required=True)


class ResidentChange(BaseSchema):
    disability = fields.Nested(DisabilityIn, allow_none=True)
    community_code = Text(longest=12, allow_none=True)
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
    disability = fields.Nested(DisabilityIn, allow_none=True)
    community_code = fields.String(allow_none=True)


class MeOut(BaseSchema):
    user = fields.Nested(UserOut)
    residents = fields.List(fields.Nested(ResidentOut))


def show_resident(link: Guardianship) -> dict[str, Any]:
    person = link.resident
    return {"id": person.id, "name": person.name, "birth_date": person.birth_date, "sex": person.sex.value,
            "relation": link.relation.value, "phone": person.phone, "community_code": person.community_code,
            "disability": {"category": person.disability_category, "grade": person.disability_grade}
            if person.disability_category else None}


def read_details(body: dict[str, Any]) -> dict[str, Any]:
    """Disability and community, as far as they are given, under the columns' names."""
    details: dict[str, Any] = {}
    if "disability" in body:
        given = body["disability"] or {"category": None, "grade": None}
        details |= {"disability_category": given["category"], "disability_grade": given["grade"]}
    if "community_code" in body:
        details["community_code"] = body["community_code"]
    return details
