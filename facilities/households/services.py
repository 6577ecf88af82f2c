"""The verbs about for whom: register, add to the household, correct, consent, let go.

A grown-up who cannot act alone and a grandmother without a telephone come to the counter, or are acted for by who is
invited (invitations.py). Who turns 18 without an account takes the record over at the counter: an invitation of who
acted for them until then would be worth nothing.
"""

from collections.abc import Mapping
from datetime import date
from typing import Any

from sqlalchemy import update

from facilities.accounts.models import User
from facilities.accounts.services import create_user
from facilities.engine.ages import age_on
from facilities.engine.eligibility import Sex, is_community_code
from facilities.engine.guardians import acts_until, needs_guardians_consent, until_after_correction
from facilities.engine.phones import read_phone
from facilities.households import identity, policy, queries
from facilities.households.consent import CURRENT
from facilities.households.models import (
    Consent,
    ConsentKind,
    Guardianship,
    PastGuardianship,
    Relation,
    Resident,
)
from facilities.infra import audit
from facilities.infra.db import db
from facilities.infra.outbox import tell
from facilities.kernel import clock
from facilities.kernel.actors import Actor
from facilities.kernel.refusals import Invalid, NotPermitted, NotVisible, Refused

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
    link = _add(user.id, Relation.SELF, name, birth_date, sex, number)
    give_consent(user.id, link.resident_id, ConsentKind.REGISTRATION)
    return user


def add_resident(actor: Actor, relation: Relation, name: str, birth_date: date, sex: Sex,
                 phone: str | None = None, details: Mapping[str, Any] | None = None) -> Guardianship:
    """`details`: disability_category and disability_grade, community_code, id_number, disability_certificate.

    Whoever adds a child under 14 consents for it, and whoever enters a disability to that; both are kept.
    Refused `id_number_in_use`, `certificate_in_use` by the numbers' unique indexes.
    """
    _check_community(details or {})
    details, numbers = identity.agreed(details or {}, birth_date, sex)
    number = read_phone(phone) if phone else None
    if phone and number is None:
        raise Invalid(phone="bad_phone")
    check_birth_date(birth_date)
    check_relation(relation, birth_date)
    check_room_for(actor, relation)
    link = _add(actor.user_id, relation, name, birth_date, sex, number, details)
    identity.keep(link.resident, numbers)
    consent_as_guardian(link)
    if link.resident.disability_category is not None:
        give_consent(actor.user_id, link.resident_id, ConsentKind.DISABILITY)
    audit.note(actor, "added", "resident", [link.resident_id])
    return link


def check_relation(relation: Relation, birth_date: date | None, field: str = "birth_date") -> None:
    """Nobody of 18 is a child of the household: they decide for themselves."""
    until = acts_until(relation, birth_date)
    if until is not None and until <= clock.today():
        raise Invalid(**{field: "of_age"})


def check_room_for(actor: Actor, relation: Relation) -> None:
    """Refused `too_many_members`, `self_exists`."""
    if queries.household_size(actor) >= LARGEST_HOUSEHOLD:
        raise Refused("too_many_members", most=LARGEST_HOUSEHOLD)
    if relation is Relation.SELF and any(g.relation is Relation.SELF for g in queries.guardianships_of(actor)):
        raise Refused("self_exists")


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
    return tie(user_id, resident, relation)


def tie(user_id: int, resident: Resident, relation: Relation) -> Guardianship:
    """From now on the account acts for the resident, up to the day on which the relation ends."""
    link = Guardianship(user_id=user_id, resident_id=resident.id, relation=relation, consented_at=clock.now(),
                        until=acts_until(relation, resident.birth_date), resident=resident)
    db.session.add(link)
    db.session.flush()
    return link


def untie(link: Guardianship, why: str) -> None:
    """From now on it does not; that it did is kept, and its consents as a guardian end. `why`: as in the model."""
    db.session.add(PastGuardianship(user_id=link.user_id, resident_id=link.resident_id, relation=link.relation,
                                    since=link.consented_at, ended_at=clock.now(), why=why))
    db.session.delete(link)
    end_consents(link.resident_id, ConsentKind.GUARDIAN, link.user_id)
    db.session.flush()


def change_resident(actor: Actor, resident_id: int, changes: dict[str, object]) -> Guardianship:
    """`changes`: any of the resident's columns that residents enter, of `add_resident`'s details, and relation. The
    login of an account is not among them.

    Whose right to act hangs on the birth date keeps it no longer by a correction (engine.guardians); somebody under 18
    does not shake off who acts for them by a birth date either.
    """
    link = queries.guardianship_of(actor, resident_id)
    if link is None:
        raise NotVisible
    _check_community(changes)
    if isinstance(phone := changes.get("phone"), str):
        changes["phone"] = read_phone(phone)
        if changes["phone"] is None:
            raise Invalid(phone="bad_phone")
    changes, numbers = identity.agreed_change(link.resident, changes)
    relation = changes.pop("relation", None)
    if relation is not None and (relation is Relation.SELF) != (link.relation is Relation.SELF):
        raise Refused("self_exists")
    born = changes.get("birth_date")
    if isinstance(born, date):
        check_birth_date(born)
    changed = [name for name, value in changes.items() if getattr(link.resident, name) != value]
    if isinstance(relation, Relation) and relation is not link.relation:
        changed.append("relation")
    if {"birth_date", "relation"} & set(changed):
        _correct(link, relation if isinstance(relation, Relation) else link.relation,
                 born if isinstance(born, date) else link.resident.birth_date)
    for name, value in changes.items():
        setattr(link.resident, name, value)
    if "disability_category" in changes:
        _follow_disability(link)
    db.session.flush()
    identity.keep(link.resident, numbers)
    if numbers:
        changed.append("numbers")
    if changed:
        audit.note(actor, "changed", "resident", [resident_id], {"fields": sorted(changed)})
    return link


def _correct(link: Guardianship, relation: Relation, born: date | None) -> None:
    """Everybody's right to act follows the birth date, one's own the relation too."""
    check_relation(relation, born)
    if born != link.resident.birth_date:
        others = [other for other in queries.links_of(link.resident_id) if other.user_id != link.user_id
                  and other.until is not None and other.until > clock.today()]
        if others and (link.relation is Relation.SELF or policy.is_of_age(born)):
            raise Invalid(birth_date="guardian_corrects_it")
    link.relation = relation
    follow_birth_date(link.resident_id, born)


def follow_birth_date(resident_id: int, born: date | None) -> None:
    """Whoever corrects a resident's birth date says so here: everybody's right to act ends by it."""
    for link in queries.links_of(resident_id):
        link.until = until_after_correction(link.until, link.relation, born, clock.today())
    db.session.flush()


def _follow_disability(link: Guardianship) -> None:
    if link.resident.disability_category is None:
        end_consents(link.resident_id, ConsentKind.DISABILITY)
    else:
        give_consent(link.user_id, link.resident_id, ConsentKind.DISABILITY)


def consent_as_guardian(link: Guardianship) -> None:
    """Of whoever acts for a child under 14, by registering it or by joining (PIPL art. 31)."""
    if link.relation is not Relation.SELF and needs_guardians_consent(link.resident.birth_date, clock.today()):
        give_consent(link.user_id, link.resident_id, ConsentKind.GUARDIAN)


def consent_for_oneself(link: Guardianship) -> None:
    """Of whoever takes over their own record: theirs is the consent that counts from now on."""
    give_consent(link.user_id, link.resident_id, ConsentKind.REGISTRATION)


def give_consent(user_id: int, resident_id: int, kind: ConsentKind) -> None:
    """To the words of today; who agreed to them already has said so once."""
    version = CURRENT[kind]
    if any(held.text_version == version for held in queries.consents_that_hold(resident_id, kind, user_id)):
        return
    end_consents(resident_id, kind, user_id)
    db.session.add(Consent(resident_id=resident_id, user_id=user_id, kind=kind, text_version=version,
                           given_at=clock.now()))
    db.session.flush()


def end_consents(resident_id: int, kind: ConsentKind, user_id: int | None = None) -> None:
    """One account's, or everybody's."""
    held = update(Consent).where(Consent.resident_id == resident_id, Consent.kind == kind,
                                 Consent.withdrawn_at.is_(None))
    if user_id is not None:
        held = held.where(Consent.user_id == user_id)
    db.session.execute(held.values(withdrawn_at=clock.now()))


def forget_disability(actor: Actor, resident_id: int) -> None:
    """Without consent it is not kept; places that are booked stay."""
    change_resident(actor, resident_id, {"disability_category": None, "disability_grade": None})


def remove_resident(actor: Actor, resident_id: int) -> None:
    """The resident leaves the household; the person's history stays. Refused `cannot_remove_self`."""
    link = queries.guardianship_of(actor, resident_id)
    if link is None:
        raise NotVisible
    if link.relation is Relation.SELF:
        raise Refused("cannot_remove_self")
    untie(link, "left")
    audit.note(actor, "left", "resident", [resident_id])
    tell("guardian_left", "resident", queries.those_who_act_for(resident_id), {})


def end_right(actor: Actor, resident_id: int, user_id: int) -> None:
    """A grown-up takes back somebody's right to act for them, and keeps what was booked. NotPermitted for anybody else.
    """
    link = queries.guardianship_of(actor, resident_id)
    if link is None:
        raise NotVisible
    queries.lock_who_acts_for(resident_id)
    other = queries.link(user_id, resident_id)
    if other is None or other.user_id == actor.user_id:
        raise NotVisible
    if not policy.may_end(link, user_id):
        raise NotPermitted
    untie(other, "withdrawn")
    tell("right_ended", "resident", queries.in_person(resident_id, user_id), {})
    audit.note(actor, "right_ended", "resident", [resident_id])


def come_of_age(resident_id: int) -> None:
    """Whoever acted for a child of 18 does so no longer; both are told, and what was booked stays."""
    queries.lock_who_acts_for(resident_id)
    over = [link for link in queries.links_of(resident_id) if link.until is not None and link.until <= clock.today()]
    for link in over:
        untie(link, "came_of_age")
        tell("right_ended_by_age", "resident", queries.in_person(resident_id, link.user_id), {})
    if over:
        tell("came_of_age", "resident", queries.in_person(resident_id, queries.owner_of(resident_id)), {})
