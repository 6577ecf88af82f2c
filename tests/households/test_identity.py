"""Numbers that name a person: kept unreadable, found by their value, shown masked, one for one resident."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from typing import Any

import pytest
from cryptography.fernet import Fernet
from flask import Flask
from sqlalchemy import select

from facilities.accounts.models import SecondFactor
from facilities.engine.eligibility import Sex
from facilities.engine.identity import check_character
from facilities.households import desk, identity, services
from facilities.households.desk import Ground
from facilities.households.models import Identity, Resident
from facilities.infra.audit import AuditEntry
from facilities.infra.db import db, unit_of_work
from facilities.infra.encryption import Cipher, Unreadable
from facilities.kernel.refusals import Refused
from tests.client import Caller
from tests.world import Someone, World

NUMBER = "11010519491231002X"  # a woman, born on the last day of 1949
GRANDMOTHER = {"name": "赵桂英", "birth_date": "1949-12-31", "sex": "female", "relation": "grandparent"}
OLD, NEW = Fernet.generate_key().decode(), Fernet.generate_key().decode()


def number_of(serial: int, born: date = date(1949, 12, 31)) -> str:
    digits = f"110105{born:%Y%m%d}{serial:03}"
    return digits + check_character(digits)


@contextmanager
def keys(app: Flask, *newest_first: str) -> Iterator[Cipher]:
    """The installation with these keys, as after a restart."""
    before = app.extensions["cipher"]
    app.extensions["cipher"] = made = Cipher.of(newest_first)
    try:
        yield made
    finally:
        app.extensions["cipher"] = before


@pytest.fixture
def someone(world: World) -> Someone:
    return world.resident()


# -- over the API


@pytest.mark.parametrize("text", [NUMBER, "11010519491231002x", "１１０１０５ １９４９１２３１ ００２ｘ"])
def test_a_number_is_taken_in_any_writing_and_shown_masked(someone: Someone, text: str) -> None:
    added = someone.api.post("/residents", {**GRANDMOTHER, "id_number": text})
    assert added["id_number_masked"] == "110*************2X"
    assert "id_number" not in added
    assert someone.api.get(f"/residents/{added['id']}") == added
    assert added in someone.api.get("/residents")["items"]
    assert added in someone.api.get("/me")["residents"]


def test_what_is_stored_says_nothing_without_the_keys(someone: Someone) -> None:
    someone.api.post("/residents", {**GRANDMOTHER, "id_number": NUMBER, "disability_certificate": NUMBER + "44"})
    row = db.session.scalars(select(Identity)).one()
    for kept in (row.id_number, row.id_number_hash, row.certificate, row.certificate_hash):
        assert kept
        assert NUMBER not in kept
        assert "19491231" not in kept


@pytest.mark.parametrize(
    ("said", "field", "words"),
    [
        pytest.param({"id_number": "110105194912310021"}, "id_number", "not an identity number", id="check character"),
        pytest.param({"id_number": "x" * 41}, "id_number", "at most 40", id="too long"),
        pytest.param({"id_number": NUMBER, "birth_date": "1949-12-30"}, "id_number", "birth date", id="birth date"),
        pytest.param({"id_number": NUMBER, "sex": "male"}, "id_number", "sex", id="sex"),
        pytest.param({"disability_certificate": NUMBER}, "disability_certificate", "certificate", id="no certificate"),
        pytest.param(
            {"disability_certificate": NUMBER + "44", "sex": "male"},
            "disability_certificate",
            "sex",
            id="a man's certificate",
        ),
        pytest.param(
            {"disability_certificate": NUMBER + "44", "id_number": number_of(4)},
            "disability_certificate",
            "two different people",
            id="somebody else's certificate",
        ),
        pytest.param(
            {"disability_certificate": NUMBER + "44", "disability": {"category": 4, "grade": 3}},
            "disability",
            "certificate",
            id="another grade",
        ),
    ],
)
def test_what_contradicts_is_said_at_its_field_and_nothing_is_kept(
    someone: Someone, said: dict[str, Any], field: str, words: str
) -> None:
    headers = {"Accept-Language": "en"}
    answer = someone.api.call("POST", "/residents", status=422, json={**GRANDMOTHER, **said}, headers=headers)
    assert list(answer.get_json()["fields"]) == [field]
    assert words in answer.get_json()["fields"][field][0]
    assert db.session.scalars(select(Identity)).all() == []
    assert len(someone.api.get("/residents")["items"]) == 1


def test_a_certificate_says_the_disability(someone: Someone) -> None:
    added = someone.api.post("/residents", {**GRANDMOTHER, "disability_certificate": NUMBER + "43b1"})
    assert added["disability"] == {"category": 4, "grade": 3}
    assert added["certificate_masked"] == "110*****************B1"
    taken_away = someone.api.patch(f"/residents/{added['id']}", {"disability": None})
    assert (taken_away["disability"], taken_away["certificate_masked"]) == (None, None)
    assert someone.api.patch(f"/residents/{added['id']}", {"disability_certificate": NUMBER + "11"})["disability"] == {
        "category": 1,
        "grade": 1,
    }


def test_whoever_has_a_number_keeps_its_birth_date_and_sex(someone: Someone) -> None:
    path = f"/residents/{someone.api.post('/residents', {**GRANDMOTHER, 'id_number': NUMBER})['id']}"
    assert list(someone.api.patch(path, {"birth_date": "1949-12-30"}, status=422)["fields"]) == ["birth_date"]
    assert list(someone.api.patch(path, {"sex": "male"}, status=422)["fields"]) == ["sex"]
    assert someone.api.patch(path, {"name": "赵桂芳"})["id_number_masked"]
    other = number_of(3, date(1950, 1, 1))
    both = someone.api.patch(path, {"birth_date": "1950-01-01", "sex": "male", "id_number": other})
    assert both["id_number_masked"] == f"110*************{other[-2:]}"
    assert someone.api.patch(path, {"id_number": None})["id_number_masked"] is None
    assert someone.api.patch(path, {"sex": "female"})["sex"] == "female"


def test_one_number_is_one_residents(world: World, someone: Someone) -> None:
    first = someone.api.post("/residents", {**GRANDMOTHER, "id_number": NUMBER})
    other = world.resident(birth_date=date(1949, 12, 31))
    refused = other.api.post("/residents", {**GRANDMOTHER, "id_number": NUMBER.lower()}, status=409)
    assert refused["code"] == "id_number_in_use"
    assert other.api.patch(f"/residents/{other.resident_id}", {"id_number": NUMBER}, status=409)
    assert someone.api.patch(f"/residents/{first['id']}", {"id_number": NUMBER})["id_number_masked"]
    someone.api.patch(f"/residents/{first['id']}", {"disability_certificate": NUMBER + "44"})
    refused = other.api.patch(f"/residents/{other.resident_id}", {"disability_certificate": NUMBER + "44"}, status=409)
    assert refused["code"] == "certificate_in_use"


# -- at the desk


def find(staff: Someone, status: int = 200, **body: Any) -> Any:
    return staff.api.post("/desk/residents/find", body, status=status)


def test_the_desk_finds_a_person_by_exactly_a_number(world: World) -> None:
    manager, someone = world.manager(world.facility()), world.resident(name="张桂芳")
    shown = {
        "id": str(someone.resident_id),
        "name_masked": "张**",
        "phone_masked": f"139****{someone.login[-4:]}",
        "age": 38,
    }
    assert find(manager, phone=f"+86 {someone.login}") == {"items": [shown]}
    added = someone.api.post("/residents", {**GRANDMOTHER, "id_number": NUMBER})
    (found,) = find(manager, id_number=NUMBER.lower(), ground="telephone")["items"]
    assert found == {"id": added["id"], "name_masked": "赵**", "phone_masked": None, "age": 76}
    assert find(manager, phone="13999999999") == {"items": []}
    assert find(manager, id_number=number_of(5)) == {"items": []}


def test_who_is_found_can_read_of_it(world: World) -> None:
    manager, someone = world.manager(world.facility()), world.resident()
    find(manager, phone=someone.login, ground="home_visit")
    find(manager, phone="13999999999")
    entry = db.session.scalars(select(AuditEntry).where(AuditEntry.verb == "found")).one()
    assert (entry.user_id, entry.about_kind, entry.about_id) == (manager.user.id, "resident", someone.resident_id)
    assert entry.facts == {"ground": "home_visit", "by": "phone"}
    assert entry.number is not None, "it is in the chain"


def test_of_several_with_a_phone_nobody_is_shown(world: World) -> None:
    manager, someone = world.manager(world.facility()), world.resident()
    someone.api.post("/residents", {**GRANDMOTHER, "phone": someone.login})
    assert find(manager, phone=someone.login) == {"items": [], "code": "several"}
    assert db.session.scalars(select(AuditEntry).where(AuditEntry.verb == "found")).all() == []


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"phone": "13800000001", "id_number": NUMBER},
        {"phone": "138"},
        {"id_number": "138"},
        {"phone": "13800000001", "ground": "because"},
        {"name": "张桂芳"},
    ],
)
def test_nothing_less_than_a_number_finds_anybody(world: World, body: dict[str, Any]) -> None:
    find(world.manager(world.facility()), 422, **body)


def test_only_managers_and_administrators_find_people(world: World, anyone: Caller) -> None:
    anyone.post("/desk/residents/find", {"phone": "13800000001"}, status=401)
    find(world.resident(), 403, phone="13800000001")
    find(world.administrator(), phone="13800000001")


# -- keys are exchanged


def add(number: str) -> int:
    return unit_of_work(lambda: services.register_at_desk("赵桂英", Sex.FEMALE, None, None, id_number=number)).id


def found(world: World, number: str) -> int | None:
    actor = world.administrator().actor
    person = unit_of_work(lambda: desk.find(actor, Ground.COUNTER, id_number=number)).resident
    return person.id if person else None


def readable(resident_id: int) -> str | None:
    db.session.rollback()
    return identity.masked(db.session.get(Identity, resident_id))["id_number_masked"]


def test_a_key_is_exchanged_without_losing_anybody(app: Flask, world: World) -> None:
    with keys(app, OLD):
        first = add(NUMBER)
    with keys(app, NEW, OLD):
        assert found(world, NUMBER) == first
        second = add(number_of(4))
        assert found(world, number_of(4)) == second
        assert unit_of_work(identity.rotate) == 2
        third = add(number_of(6))
        assert [found(world, n) for n in (NUMBER, number_of(4), number_of(6))] == [first, second, third]
    with keys(app, NEW):
        assert [found(world, n) for n in (NUMBER, number_of(4), number_of(6))] == [first, second, third]
        assert readable(first) == "110*************2X"
        assert unit_of_work(identity.rotate) == 3
    with keys(app, OLD):
        assert found(world, NUMBER) is None
        with pytest.raises(Unreadable):
            readable(first)


@pytest.mark.parametrize("before", [(OLD,), (OLD, NEW)], ids=["under the old key", "while the new one waits"])
@pytest.mark.parametrize("rotated", [True, False])
def test_nobody_has_a_number_twice_while_a_key_is_exchanged(
    app: Flask, world: World, before: tuple[str, ...], rotated: bool
) -> None:
    with keys(app, *before):
        add(NUMBER)
    with keys(app, NEW, OLD):
        if rotated:
            unit_of_work(identity.rotate)
        with pytest.raises(Refused, match="id_number_in_use"):
            add(NUMBER)
        second = add(number_of(4))
    with keys(app, OLD, NEW), pytest.raises(Refused, match="id_number_in_use"):  # a process that is a step behind
        add(number_of(4))
    with keys(app, NEW, OLD):
        unit_of_work(identity.rotate)
        assert found(world, number_of(4)) == second
    assert len(db.session.scalars(select(Resident.id)).all()) == 2


def test_a_missing_key_stops_the_rotation_and_changes_nothing(app: Flask, world: World) -> None:
    with keys(app, OLD):
        add(NUMBER)
    with keys(app, NEW):
        second = add(number_of(4))
        with pytest.raises(Unreadable):
            unit_of_work(identity.rotate)
        assert found(world, number_of(4)) == second
    with keys(app, OLD):
        assert found(world, NUMBER)


def test_second_factors_change_their_key_with_the_numbers(app: Flask, world: World) -> None:
    staff = world.administrator()
    with keys(app, OLD) as old:
        row = SecondFactor(user_id=staff.user.id, secret=old.encrypt("a secret"))
        unit_of_work(lambda: db.session.add(row))
    with keys(app, NEW, OLD):
        unit_of_work(identity.rotate)
    with keys(app, NEW) as new:
        db.session.rollback()
        assert new.decrypt(db.session.get_one(SecondFactor, staff.user.id).secret) == "a secret"
