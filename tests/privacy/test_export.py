"""Everything that is held can be seen and taken along, by whom it is about and by nobody else."""

import json
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from typing import Any

import pytest
from sqlalchemy import select

from facilities.accounts.services import fingerprint
from facilities.engine.roll_call import EventKind
from facilities.households.models import Identity, Relation
from facilities.infra import audit
from facilities.infra.db import Model, db, unit_of_work
from facilities.infra.encryption import cipher
from facilities.infra.idempotency import IdempotencyKey
from facilities.kernel import clock
from facilities.privacy import queries as held
from facilities.privacy.inventory import INVENTORY
from tests.client import Counter
from tests.privacy.people import CERTIFICATE, CHILDS_NUMBER, NUMBER, Family, family
from tests.world import PASSWORD, World


@pytest.fixture
def here(world: World) -> Family:
    return family(world)


def downloaded(here: Family) -> dict[str, Any]:
    return dict(here.mother.api.post("/me/data", {"password": PASSWORD}, status=200))


EXPORTED = [(name, column) for name, table in INVENTORY.items() for column in table.exported if name != "audit_entries"]
OPENED = {"id_number": (NUMBER, CHILDS_NUMBER), "certificate": (CERTIFICATE, None)}


def in_json(value: object) -> object:
    if isinstance(value, datetime):
        return clock.local(value).isoformat()
    if isinstance(value, date | time):
        return value.isoformat()
    return value.value if isinstance(value, StrEnum) else value


def said(value: object) -> str:
    return json.dumps(value, sort_keys=True)


def test_every_column_that_the_inventory_has_for_downloading_is_downloaded(here: Family) -> None:
    """A value was planted in each; rows of others are in none."""
    unit_of_work(lambda: audit.note(here.manager.actor, "looked_at", "resident", [here.child], sensitive=True))
    data = downloaded(here)
    seen = held.reach(here.mother.actor)
    conditions = {model.__tablename__: condition for model, condition in held._conditions(seen).items()}
    missing = []
    for name, column in EXPORTED:
        table = Model.metadata.tables[name]
        kept = [in_json(v) for v in db.session.scalars(select(table.c[column]).where(conditions[name]))]
        shown = [row[column] for row in data["data"][name]]
        wanted = list(OPENED.get(column, kept)) if name == "identities" and column in OPENED else kept
        if name != "grants" and (sorted(map(said, shown)) != sorted(map(said, wanted)) or not kept):
            missing.append((name, column, shown, wanted))
        if name != "grants":
            assert any(value is not None for value in shown), f"nothing was planted in {name}.{column}"
    assert missing == []
    assert {look["verb"] for look in data["looked_at"]} == {"looked_at_roster", "looked_at"}


def test_staff_download_their_rights_as_well(here: Family) -> None:
    data = here.manager.api.post("/me/data", {"password": PASSWORD}, status=200)["data"]
    (right,) = data["grants"]
    assert right["role"] == "manager"
    assert set(right) == set(INVENTORY["grants"].exported)
    assert data["residents"] == data["bookings"] == []


def test_the_page_shows_the_same_without_the_numbers(here: Family) -> None:
    page = here.browser().get("/me/data")
    for planted in ("邹雨霏", "邹小满", "剪纸", "合唱", "邹家聚会", "邹女士行动不便", "5" + "*" * 16 + "5"):
        assert planted in page.text, planted
    for number in (NUMBER, CHILDS_NUMBER, CERTIFICATE):
        assert number not in page.html
    assert "so that you can sign in" in page.text
    assert "365 days" in page.text


def test_without_the_password_there_is_no_file_and_no_number(here: Family) -> None:
    assert NUMBER not in str(here.mother.api.get("/me/data"))
    problem = here.mother.api.post("/me/data", {"password": "wrong wrong wrong"}, status=422)
    assert "password" in problem["fields"]
    page = here.browser().send("/me/data", status=422, token_from="/me/data", password="wrong wrong")
    assert "not right" in page.text


def test_guessing_here_counts_like_guessing_at_the_door(here: Family) -> None:
    someone = here.world.resident()
    browser = here.world.browser(someone)
    for _ in range(9):
        someone.api.post("/me/data", {"password": "wrong wrong wrong"}, status=422, headers={"Idempotency-Key": "g"})
        someone.api.post("/me/data", {"password": f"wrong wrong {_}"}, status=422)
    browser.send("/me/data", status=422, token_from="/me/data", password=PASSWORD)
    someone.api.post("/me/data", {"password": PASSWORD}, status=429)
    someone.api.call("DELETE", "/me", json={"password": PASSWORD}, status=429)


def test_the_page_gives_the_file_for_the_password(here: Family) -> None:
    browser = here.browser()
    token = browser.get("/me/data").hidden("csrf_token")
    answer = browser.client.post("/me/data", data={"csrf_token": token, "password": PASSWORD}, headers=browser.headers)
    assert answer.headers["Content-Disposition"].startswith("attachment")
    assert answer.headers["Cache-Control"] == "no-store"
    assert NUMBER in answer.get_data(as_text=True)
    assert answer.get_json()["data"]["residents"][0]["name"] == "邹雨霏"


def test_a_download_is_not_kept_under_its_key(here: Family) -> None:
    for _ in range(2):
        here.mother.api.post("/me/data", {"password": PASSWORD}, status=200, headers={"Idempotency-Key": "mine"})
    assert db.session.scalars(select(IdempotencyKey).where(IdempotencyKey.key == "mine")).all() == []


def test_of_a_grown_up_with_an_account_one_sees_what_one_booked_and_no_more(world: World) -> None:
    wife, husband = world.resident(name="邹雨霏"), world.resident(name="郝建国")
    world.also_acts_for(wife, husband.resident_id, Relation.SPOUSE)
    by_her = world.session(title="太极", starts_in=timedelta(days=2))
    by_him = world.session(title="钓鱼", starts_in=timedelta(days=3))
    world.book(wife, by_her, husband.resident_id)
    world.book(husband, by_him)
    number = cipher().encrypt(NUMBER)
    unit_of_work(lambda: db.session.add(Identity(
        resident_id=husband.resident_id, id_number=number, id_number_hash=cipher().lookup(NUMBER))))  # fmt: skip
    manager = world.administrator()
    manager.api.get(f"/sessions/{by_him.id}/roster")
    said = wife.api.post("/me/data", {"password": PASSWORD}, status=200)
    assert [row["session"] for row in said["data"]["bookings"]] == ["太极"]
    assert said["data"]["identities"] == []
    assert said["looked_at"] == []
    (him,) = [row for row in said["data"]["residents"] if row["id"] == husband.resident_id]
    assert {name for name, value in him.items() if value} == {"id", "name"}
    his = husband.api.post("/me/data", {"password": PASSWORD}, status=200)
    assert sorted(row["session"] for row in his["data"]["bookings"]) == ["太极", "钓鱼"]
    assert his["data"]["identities"][0]["id_number"] == NUMBER
    assert len(his["looked_at"]) == 1


def test_numbers_in_full_are_ones_own_and_those_of_minors(world: World) -> None:
    daughter = world.resident()
    mother = world.member(daughter, birth_date=date(1950, 1, 1), relation=Relation.PARENT)
    box = cipher()
    unit_of_work(lambda: db.session.add(Identity(
        resident_id=mother, id_number=box.encrypt(NUMBER), id_number_hash=box.lookup(NUMBER))))  # fmt: skip
    (row,) = daughter.api.post("/me/data", {"password": PASSWORD}, status=200)["data"]["identities"]
    assert row["id_number"] == "5" + "*" * 16 + "5"


def test_a_neighbour_downloads_nothing_of_it(here: Family) -> None:
    neighbour = here.world.resident(name="丁一")
    said = str(neighbour.api.post("/me/data", {"password": PASSWORD}, status=200))
    for planted in ("邹", NUMBER, CHILDS_NUMBER, "剪纸", fingerprint(here.mother.login)):
        assert planted not in said


def test_the_download_asks_no_more_because_there_is_more(here: Family, queries: Counter) -> None:
    def cost() -> int:
        queries.clear()
        downloaded(here)
        return len(queries)

    few = cost()
    for number in range(3):
        member = here.world.member(here.mother, name=f"家人{number}")
        session = here.world.session(starts_in=timedelta(minutes=30 + number))
        here.world.book(here.mother, session, member)
        staff = here.world.manager(here.world.facility())
        administrator = here.world.administrator()
        administrator.api.get(f"/sessions/{session.id}/roster")
        here.world.record(administrator, session, EventKind.PRESENT, member)
        unit_of_work(lambda who=member, by=staff: audit.note(by.actor, "found", "resident", [who], sensitive=True))
    assert cost() == few


def test_your_data_says_what_is_kept_and_leads_everywhere(here: Family) -> None:
    page = here.browser().get("/me/privacy")
    assert {"/me/data", "/me/looked-at", "/me/erase"} <= set(page.links)
    for address in ("/me/data", "/me/looked-at", "/me/erase"):
        here.browser().get(address)
    assert "/me/privacy" in here.browser().get("/me").links
    assert "for good, so that nobody can take a line out" in page.text
