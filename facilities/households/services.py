"""The verbs about for whom: register, add to the household, correct, let go."""

from collections.abc import Mapping
from datetime import date
from typing import Any

from sqlalchemy import delete

from facilities.accounts.models import User
from facilities.accounts.services import create_user
from facilities.engine.ages import age_on
from facilities.engine.eligibility import Sex, is_community_code
from facilities.engine.phones import read_phone
from facilities.households import identity, queries
from facilities.households.models import Guardianship, Relation, Resident
from facilities.infra.db import db
from facilities.kernel import clock
from facilities.kernel.actors import Actor
from facilities.kernel.refusals import Invalid, NotVisible, Refused

OLDEST = 130
LARGEST_HOUSEHOLD = 12  # (our choice) one account acts for a family, not for a street


def check_birth_date(birth_date: date) -> None:
    today = clock.today()
    if birth_date > today:
        raise Invalid(birth_date="birth_date_in_future")
    if age_on(birth_date, today) > OLDEST:
        raise Invalid(birth_date="birth_date_too_long_ago")


def register(phone: str, password_hash: str, name: str, birth_date: date, sex: Sex) -> User:
    """An account and its one resident, `self`. The phone is the login; Refused `login_taken` by its unique index."""
    number = read_phone(phone)
    if number is None:
        raise Invalid(phone="bad_phone")
    check_birth_date(birth_date)
    user = create_user(number, name, password_hash)
    _add(user.id, Relation.SELF, name, birth_date, sex, number)
    return user


def add_resident(actor: Actor, relation: Relation, name: str, birth_date: date, sex: Sex,
                 phone: str | None = None, details: Mapping[str, Any] | None = None) -> Guardianship:
    """`details`: disability_category and disability_grade, community_code, id_number, disability_certificate.

    Refused `id_number_in_use`, `certificate_in_use` by the numbers' unique indexes.
    """
    _check_community(details or {})
    details, numbers = identity.agreed(details or {}, birth_date, sex)
    number = read_phone(phone) if phone else None
    if phone and number is None:
        raise Invalid(phone="bad_phone")
    check_birth_date(birth_date)
    if queries.household_size(actor) >= LARGEST_HOUSEHOLD:
        raise Refused("too_many_members", most=LARGEST_HOUSEHOLD)
    if relation is Relation.SELF and any(g.relation is Relation.SELF for g in queries.guardianships_of(actor)):
        raise Refused("self_exists")
    link = _add(actor.user_id, relation, name, birth_date, sex, number, details)
    identity.keep(link.resident, numbers)
    return link


def register_at_desk(name: str, sex: Sex, birth_date: date | None, phone: str | None,
                     id_number: str | None = None) -> Resident:
    """Somebody at the counter, for whom no account acts yet. An identity number says the birth date."""
    _, numbers = identity.agreed({"id_number": id_number} if id_number else {}, birth_date, sex)
    birth_date = birth_date or identity.born(numbers)
    number = read_phone(phone) if phone else None
    if phone and number is None:
        raise Invalid(phone="bad_phone")
    if birth_date is not None:
        check_birth_date(birth_date)
    resident = Resident(name=name, sex=sex, birth_date=birth_date, phone=number, created_at=clock.now())
    db.session.add(resident)
    db.session.flush()
    identity.keep(resident, numbers)
    return resident


def _check_community(details: Mapping[str, Any]) -> None:
    code = details.get("community_code")
    if code is not None and not is_community_code(code):
        raise Invalid(community_code="unknown_community")


def _add(user_id: int, relation: Relation, name: str, birth_date: date, sex: Sex, phone: str | None,
         details: Mapping[str, Any] | None = None) -> Guardianship:
    now = clock.now()
    resident = Resident(name=name, sex=sex, birth_date=birth_date, phone=phone, created_at=now, **(details or {}))
    db.session.add(resident)
    db.session.flush()
    link = Guardianship(user_id=user_id, resident_id=resident.id, relation=relation, consented_at=now,
                        resident=resident)
    db.session.add(link)
    db.session.flush()
    return link


def change_resident(actor: Actor, resident_id: int, changes: dict[str, object]) -> Guardianship:
    """`changes`: any of name, birth_date, sex, phone, relation, and of `add_resident`'s details.

    The login phone of an account is not among them.
    """
    link = queries.guardianship_of(actor, resident_id)
    if link is None:
        raise NotVisible
    _check_community(changes)
    if isinstance(born := changes.get("birth_date"), date):
        check_birth_date(born)
    if isinstance(phone := changes.get("phone"), str):
        changes["phone"] = read_phone(phone)
        if changes["phone"] is None:
            raise Invalid(phone="bad_phone")
    changes, numbers = identity.agreed_change(link.resident, changes)
    relation = changes.pop("relation", None)
    if relation is not None and (relation is Relation.SELF) != (link.relation is Relation.SELF):
        raise Refused("self_exists")
    if isinstance(relation, Relation):
        link.relation = relation
    for name, value in changes.items():
        setattr(link.resident, name, value)
    db.session.flush()
    identity.keep(link.resident, numbers)
    return link


def remove_resident(actor: Actor, resident_id: int) -> None:
    """The resident leaves the household; the person's history stays."""
    link = queries.guardianship_of(actor, resident_id)
    if link is None:
        raise NotVisible
    if link.relation is Relation.SELF:
        raise Refused("cannot_remove_self")
    db.session.execute(delete(Guardianship).where(
        Guardianship.user_id == actor.user_id, Guardianship.resident_id == resident_id))
