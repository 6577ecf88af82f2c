"""The shape of registration and of residents in the API."""

from typing import Any

from flask_babel import lazy_gettext as _l
from marshmallow import ValidationError, fields, validates_schema

from facilities.accounts.schemas import UserOut
from facilities.engine.ages import age_on
from facilities.engine.eligibility import Sex
from facilities.households import identity
from facilities.households.desk import Found, Ground
from facilities.households.models import Guardianship, Invitation, Relation
from facilities.households.policy import may_end
from facilities.households.queries import ActsFor
from facilities.kernel import clock
from facilities.kernel.text import mask_name, mask_phone
from facilities.web.schemas import BaseSchema, Count, Day, Flag, Id, Instant, Secret, Text, one_of


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
    id_number = Text(longest=40, allow_none=True)
    disability_certificate = Text(longest=40, allow_none=True)


class ResidentIn(ResidentChange):
    """`guardian_consent` may be left out: whoever adds a child under 14 consents by doing so (api.md)."""

    guardian_consent = Flag()
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
    id_number_masked = fields.String(allow_none=True)
    certificate_masked = fields.String(allow_none=True)


class FindPerson(BaseSchema):
    """Exactly one of the two, and on what ground staff act for somebody."""

    phone = Text(longest=30)
    id_number = Text(longest=40)
    ground = fields.String(load_default=Ground.COUNTER.value, validate=one_of(*Ground))

    @validates_schema
    def one_number(self, data: dict[str, Any], **_: object) -> None:
        if ("phone" in data) == ("id_number" in data):
            raise ValidationError(str(_l("Give one of the two: phone or id_number.")), "phone")


class FoundPerson(BaseSchema):
    id = Id()
    name_masked = fields.String()
    phone_masked = fields.String(allow_none=True)
    age = fields.Integer(allow_none=True)


class FoundPeople(BaseSchema):
    items = fields.List(fields.Nested(FoundPerson))
    code = fields.String()


class InvitationOut(BaseSchema):
    id = Id()
    created_at = Instant()
    expires_at = Instant()


class InvitationMade(InvitationOut):
    """`code` is shown this once."""

    code = fields.String()


class Acceptance(BaseSchema):
    code = Text(required=True, longest=40)
    relation = fields.String(required=True, validate=one_of(*Relation))


class ActsForOut(BaseSchema):
    """`relation`: what the resident is to that account. `may_end`: the caller can take the right back."""

    user_id = Id()
    name = fields.String()
    relation = fields.String()
    may_end = fields.Boolean()


class MeOut(BaseSchema):
    user = fields.Nested(UserOut)
    residents = fields.List(fields.Nested(ResidentOut))


def show_resident(link: Guardianship) -> dict[str, Any]:
    person = link.resident
    return {"id": person.id, "name": person.name, "birth_date": person.birth_date, "sex": person.sex.value,
            "relation": link.relation.value, "phone": person.phone, "community_code": person.community_code,
            "disability": {"category": person.disability_category, "grade": person.disability_grade}
            if person.disability_category else None, **identity.masked(person.identity)}


def show_found(found: Found) -> dict[str, Any]:
    """Enough to ask 'is that you?', and no more."""
    if found.several:
        return {"items": [], "code": "several"}
    person = found.resident
    if person is None:
        return {"items": []}
    return {"items": [{
        "id": person.id, "name_masked": mask_name(person.name),
        "phone_masked": mask_phone(person.phone) if person.phone else None,
        "age": age_on(person.birth_date, clock.today()) if person.birth_date else None}]}


def show_invitation(invitation: Invitation) -> dict[str, Any]:
    return {"id": invitation.id, "created_at": invitation.created_at, "expires_at": invitation.ends_at}


def show_acts_for(one: ActsFor, link: Guardianship) -> dict[str, Any]:
    return {"user_id": one.user_id, "name": one.name, "relation": one.relation.value,
            "may_end": may_end(link, one.user_id)}


def read_details(body: dict[str, Any]) -> dict[str, Any]:
    """Disability and community, as far as they are given, under the columns' names."""
    details: dict[str, Any] = {}
    if "disability" in body:
        given = body["disability"] or {"category": None, "grade": None}
        details |= {"disability_category": given["category"], "disability_grade": given["grade"]}
    if "community_code" in body:
        details["community_code"] = body["community_code"]
    details |= {name: body[name] for name in ("id_number", "disability_certificate") if name in body}
    return details
