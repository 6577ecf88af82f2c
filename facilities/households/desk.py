"""The verb of a counter about people: find one by a number that is told exactly."""

from dataclasses import dataclass
from enum import StrEnum

from facilities.engine.identity import IdNumber, read_id_number
from facilities.engine.phones import read_phone
from facilities.households import queries
from facilities.households.models import Resident
from facilities.infra import audit
from facilities.infra.encryption import cipher
from facilities.kernel import clock
from facilities.kernel.actors import Actor
from facilities.kernel.refusals import Invalid


class Ground(StrEnum):
    """On what ground staff act for somebody."""

    COUNTER = "counter"
    TELEPHONE = "telephone"
    HOME_VISIT = "home_visit"


@dataclass(frozen=True, slots=True)
class Found:
    """At most one person. `several`: more share the phone number, and the identity number tells them apart."""

    resident: Resident | None = None
    several: bool = False


def find(actor: Actor, ground: Ground, phone: str | None = None, id_number: str | None = None) -> Found:
    """By exactly one of the two, however it is written; Invalid where it cannot be one. Who is found, learns of it."""
    people = _by_phone(phone) if phone else _by_id_number(id_number or "")
    if len(people) != 1:
        return Found(several=bool(people))
    audit.note(actor, "found", "resident", [people[0].id],
               {"ground": ground.value, "by": "phone" if phone else "id_number"}, sensitive=True)
    return Found(people[0])


def _by_phone(text: str) -> list[Resident]:
    number = read_phone(text)
    if number is None:
        raise Invalid(phone="bad_phone")
    return queries.residents_by_phone(number)


def _by_id_number(text: str) -> list[Resident]:
    read = read_id_number(text, clock.today())
    if not isinstance(read, IdNumber):
        raise Invalid(id_number=read)
    return queries.residents_by_hash(cipher().lookups(read.number))
