"""What somebody agreed to, in which words and when, and what happens when it is withdrawn."""

from datetime import date
from typing import Any

import pytest
from sqlalchemy import select

from facilities.households import consent
from facilities.households.models import Consent, ConsentKind, Relation, Resident
from facilities.households.services import give_consent
from facilities.infra.db import db, unit_of_work
from tests.conftest import NOW
from tests.world import PASSWORD, World

CHILD = {"name": "陈思涵", "birth_date": "2019-05-01", "sex": "female", "relation": "child"}
DISABILITY = {"disability": {"category": 4, "grade": 2}}
FORM = {"relation": "parent", "name": "罗玉兰", "birth_date": "1950-03-08", "sex": "female"}


def held() -> list[tuple[int, ConsentKind]]:
    db.session.rollback()
    rows = db.session.execute(
        select(Consent.resident_id, Consent.kind).where(Consent.withdrawn_at.is_(None)).order_by(Consent.id)
    )
    return [(resident_id, kind) for resident_id, kind in rows]


def test_registering_is_consent_with_its_words_and_time(world: World) -> None:
    someone = world.resident()
    (row,) = db.session.scalars(select(Consent)).all()
    assert (row.user_id, row.resident_id, row.kind) == (
        someone.user.id,
        someone.resident_id,
        ConsentKind.REGISTRATION,
    )
    assert (row.text_version, row.given_at) == (consent.CURRENT[ConsentKind.REGISTRATION], NOW)


def test_registering_on_the_page_is_consent_too(world: World) -> None:
    fields = {"phone": "13812345678", "password": PASSWORD, "name": "周玉兰", "birth_date": "1961-05-01"}
    world.browser().send("/register", **fields, sex="female", consent="y")
    assert [kind for _, kind in held()] == [ConsentKind.REGISTRATION]


@pytest.mark.parametrize(
    ("more", "kinds"),
    [
        pytest.param({}, {ConsentKind.GUARDIAN}, id="a child under 14, without a word"),
        pytest.param({"guardian_consent": True}, {ConsentKind.GUARDIAN}, id="a child under 14, said"),
        pytest.param({"birth_date": "2012-09-16"}, set(), id="a child of 14"),
        pytest.param({"birth_date": "1950-01-01", "relation": "parent"}, set(), id="a mother"),
        pytest.param(DISABILITY, {ConsentKind.GUARDIAN, ConsentKind.DISABILITY}, id="a child with a disability"),
    ],
)
def test_adding_somebody_over_the_api_is_consent(world: World, more: dict[str, Any], kinds: set[ConsentKind]) -> None:
    someone = world.resident()
    added = int(someone.api.post("/residents", {**CHILD, **more})["id"])
    assert {kind for resident_id, kind in held() if resident_id == added} == kinds


def test_who_says_no_for_a_small_child_does_not_add_it(world: World) -> None:
    someone = world.resident()
    answer = someone.api.post("/residents", {**CHILD, "guardian_consent": False}, status=422)
    assert set(answer["fields"]) == {"guardian_consent"}
    someone.api.post("/residents", {**CHILD, "birth_date": "2012-01-01", "guardian_consent": False})


def test_a_disability_that_comes_later_is_consented_to_and_one_that_goes_takes_the_consent_along(world: World) -> None:
    someone = world.resident()
    path = f"/residents/{someone.resident_id}"
    someone.api.patch(path, DISABILITY)
    someone.api.patch(path, DISABILITY)
    assert [kind for _, kind in held()] == [ConsentKind.REGISTRATION, ConsentKind.DISABILITY]
    someone.api.patch(path, {"disability": None})
    assert [kind for _, kind in held()] == [ConsentKind.REGISTRATION]


# -- withdrawing


def test_without_consent_no_disability_is_kept(world: World) -> None:
    someone = world.resident()
    path = f"/residents/{someone.resident_id}"
    someone.api.patch(path, DISABILITY)
    someone.api.delete(f"{path}/consents/disability")
    assert someone.api.get(path)["disability"] is None
    assert [kind for _, kind in held()] == [ConsentKind.REGISTRATION]
    someone.api.delete(f"{path}/consents/disability", status=404)


def test_without_consent_a_child_leaves_the_household(world: World) -> None:
    mother, (_, child) = world.family(2)
    session = world.session()
    mother.ask(session, child)
    mother.api.delete(f"/residents/{child}/consents/guardian")
    mother.api.get(f"/residents/{child}", status=404)
    assert world.fresh(session).places_taken == 0
    assert held() == [(mother.resident_id, ConsentKind.REGISTRATION)]


def test_without_consent_to_registration_there_is_no_account(world: World) -> None:
    someone = world.resident()
    path = f"/residents/{someone.resident_id}/consents/registration"
    assert someone.api.delete(path, status=409)["code"] == "erase_instead"
    assert len(held()) == 1


def test_consent_to_health_data_is_given_and_withdrawn_by_itself(world: World) -> None:
    someone = world.resident()
    unit_of_work(lambda: give_consent(someone.user.id, someone.resident_id, ConsentKind.HEALTH))
    someone.api.delete(f"/residents/{someone.resident_id}/consents/health")
    assert len(held()) == 1


def test_nobody_withdraws_what_another_agreed_to(world: World) -> None:
    mother, (_, child) = world.family(2)
    father = world.resident()
    world.also_acts_for(father, child)
    father.api.delete(f"/residents/{child}/consents/guardian", status=404)
    world.resident().api.delete(f"/residents/{child}/consents/guardian", status=404)
    mother.api.delete(f"/residents/{child}/consents/nonsense", status=404)


def test_new_words_are_agreed_to_anew(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    someone = world.resident()
    monkeypatch.setitem(consent.CURRENT, ConsentKind.REGISTRATION, "2027-01")  # type: ignore[arg-type]
    unit_of_work(lambda: give_consent(someone.user.id, someone.resident_id, ConsentKind.REGISTRATION))
    rows = db.session.execute(select(Consent.text_version, Consent.withdrawn_at).order_by(Consent.id)).tuples().all()
    assert rows == [("2026-09", NOW), ("2027-01", None)]


# -- the pages


def test_the_page_shows_what_was_agreed_to_and_withdraws_it(world: World) -> None:
    mother, (_, child) = world.family(2)
    mother.api.patch(f"/residents/{child}", DISABILITY)
    browser = world.browser(mother)
    page = browser.get("/me/consents")
    for words in ("kind and grade of disability", "I look after this child", "name, date of birth, sex and phone"):
        assert words in page.text
    assert "16 Sep" in page.text
    actions = page.tree.xpath("//form[contains(@action, '/withdraw')]/@action")
    assert len(actions) == 2  # without the account's own
    (disability,) = [action for action in actions if "/disability/" in action]
    assert "withdrawn on" in browser.send(disability, token_from="/me/consents").text
    assert db.session.get_one(Resident, child).disability_category is None
    (guardian,) = [action for action in actions if "/guardian/" in action]
    assert "陈子轩" not in browser.send(guardian, token_from="/me/consents").text
    own = f"/me/consents/{mother.resident_id}/registration/withdraw"
    assert "delete your account" in browser.send(own, status=409, token_from="/me/consents").text
    browser.send(f"/me/consents/{mother.resident_id}/nonsense/withdraw", status=404, token_from="/me")


def test_staff_without_a_household_have_agreed_to_nothing(world: World) -> None:
    assert "not been asked" in world.browser(world.administrator()).get("/me/consents").text


def test_a_small_child_is_added_with_the_box_only(world: World) -> None:
    browser = world.browser(world.resident())
    child = {"relation": "child", "name": "陈子轩", "birth_date": "2018-03-08", "sex": "male"}
    page = browser.send("/me/family/new", status=422, **child)
    assert "consent of whoever looks after it" in page.text
    assert "陈子轩" in browser.send("/me/family/new", **child, guardian_consent="y").text


def test_a_disability_is_entered_with_its_own_box_only(world: World) -> None:
    someone = world.resident()
    browser = world.browser(someone)
    page = browser.send("/me/family/new", status=422, **FORM, disability_category="4", disability_grade="2")
    assert "Tick the box" in page.text
    page = browser.send("/me/family/new", status=422, **FORM, disability_category="4", disability_consent="y")
    assert "both the kind and the grade" in page.text
    more = {"disability_category": "4", "disability_grade": "2", "disability_consent": "y"}
    browser.send("/me/family/new", **FORM, **more, phone="138 0000 1234", community_code="500104004001")
    row = someone.api.get("/residents")["items"][1]
    assert (row["disability"], row["phone"], row["community_code"]) == (
        DISABILITY["disability"],
        "13800001234",
        "500104004001",
    )


def test_what_is_kept_is_corrected_on_the_page(world: World) -> None:
    someone = world.resident()
    number = world.member(someone, birth_date=date(1950, 3, 8), relation=Relation.PARENT, name="罗玉兰")
    someone.api.patch(f"/residents/{number}", {**DISABILITY, "phone": "13800001234"})
    path = f"/me/family/{number}"
    browser = world.browser(someone)
    page = browser.get(path)
    assert page.tree.xpath("//input[@name='phone']/@value") == ["13800001234"]
    assert page.tree.xpath("//select[@name='disability_category']/option[@selected]/@value") == ["4"]
    assert page.tree.xpath("//input[@name='disability_consent']/@checked")
    browser.send(path, token_from=path, **{**FORM, "name": "罗玉", "relation": "grandparent"})
    row = someone.api.get(f"/residents/{number}")
    assert (row["name"], row["relation"], row["phone"], row["disability"]) == ("罗玉", "grandparent", None, None)


def test_a_correction_that_cannot_be_is_said_beside_the_field(world: World) -> None:
    someone = world.resident()
    child = world.member(someone)
    path = f"/me/family/{child}"
    fields = {"relation": "child", "name": "陈子轩", "birth_date": "2018-03-08", "sex": "male"}
    browser = world.browser(someone)
    for change, says in (
        ({"phone": "123"}, "11 digits"),
        ({"community_code": "12"}, "no such community"),
        ({"birth_date": "2001-03-08"}, "Whoever is 18"),
        ({"name": ""}, "needed"),
        ({"disability_category": "9", "disability_grade": "1", "disability_consent": "y"}, "Not a valid choice"),
        ({"disability_category": "x"}, "Invalid Choice"),
    ):
        assert says in browser.send(path, status=422, token_from=path, **{**fields, **change}).text, change
    world.browser(world.resident()).get(path, status=404)


def test_oneself_is_corrected_without_a_relation(world: World) -> None:
    someone = world.resident()
    path = f"/me/family/{someone.resident_id}"
    browser = world.browser(someone)
    assert not browser.get(path).tree.xpath("//select[@name='relation']")
    browser.send(path, token_from=path, name="陈晓", birth_date="1988-04-12", sex="female")
    assert someone.api.get(f"/residents/{someone.resident_id}")["name"] == "陈晓"
