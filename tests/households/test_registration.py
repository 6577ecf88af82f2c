"""Registering where the phone has to be shown to be one's own."""

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select, text

from facilities.accounts.models import User
from facilities.households.models import PendingRegistration
from facilities.households.registration import HOLDS_FOR, MOST_ATTEMPTS, MOST_OPEN, forget_old
from facilities.infra.db import db, unit_of_work
from facilities.kernel import clock
from tests.client import Caller
from tests.notices.ways import Kept, out
from tests.world import World

PHONE = "13800138000"
WISH = {
    "phone": PHONE,
    "password": "river walk in may",
    "name": "周玉兰",
    "birth_date": "1956-05-01",
    "sex": "female",
    "consent": True,
}
FORM = {**WISH, "consent": "y"}


@pytest.fixture(autouse=True)
def confirmed(app: Flask) -> Iterator[None]:
    before = app.config["HUIMIN_SETTINGS"]
    app.config["HUIMIN_SETTINGS"] = replace(before, confirms_phones=True)
    yield
    app.config["HUIMIN_SETTINGS"] = before


class Phone(Kept):
    """What arrives on phones."""

    def codes(self) -> list[str]:
        out(self)
        return [re.findall(r"\d{6}", m.text)[0] for m in self.sent if m.template == "code" and m.recipient == PHONE]


def accounts() -> int:
    db.session.rollback()
    return db.session.scalar(select(func.count()).select_from(User)) or 0


def ask(anyone: Caller, **fields: Any) -> None:
    assert anyone.post("/accounts", {**WISH, **fields}, status=202) == {"next": "confirm"}


def test_the_code_from_the_phone_makes_the_account(world: World, anyone: Caller) -> None:
    ask(anyone)
    assert accounts() == 0
    (code,) = Phone().codes()
    answer = anyone.post("/accounts/confirm", {"phone": "138 0013 8000", "code": code})
    assert answer["token"]
    assert accounts() == 1
    anyone.post("/accounts/confirm", {"phone": PHONE, "code": code}, status=409)


def test_a_known_phone_is_answered_alike_and_its_owner_is_told_once(world: World, anyone: Caller) -> None:
    owner, phone = world.resident(), Phone()
    for _ in range(2):
        ask(anyone, phone=owner.user.login)
    assert phone.codes() == []
    assert [(m.template, m.recipient) for m in phone.sent] == [("registered_already", owner.user.login)]
    anyone.post("/accounts/confirm", {"phone": owner.user.login, "code": "123456"}, status=409)


def test_a_code_that_is_wrong_old_or_tried_too_often_opens_nothing(world: World, anyone: Caller, now: datetime) -> None:
    ask(anyone)
    (code,) = Phone().codes()
    wrong = "000000" if code != "000000" else "111111"
    with clock.frozen(now + HOLDS_FOR):
        anyone.post("/accounts/confirm", {"phone": PHONE, "code": code}, status=409)
    for _ in range(MOST_ATTEMPTS):
        refused = anyone.post("/accounts/confirm", {"phone": PHONE, "code": wrong}, status=409)
        assert refused["code"] == "code_not_right"
    anyone.post("/accounts/confirm", {"phone": PHONE, "code": code}, status=409)
    assert accounts() == 0


def test_nobody_is_flooded_with_codes(world: World, anyone: Caller) -> None:
    for _ in range(MOST_OPEN + 3):
        ask(anyone)
    assert len(Phone().codes()) == MOST_OPEN


def test_a_page_takes_only_the_code_of_what_was_typed_there(world: World, anyone: Caller) -> None:
    """Else who registers with a stranger's number would have the stranger confirm a foreign password."""
    browser = world.browser()
    browser.send("/register", **FORM)
    phone = Phone()
    (own,) = phone.codes()
    ask(anyone, password="somebody else's words", name="别人")
    _, foreign = phone.codes()
    page = browser.send("/register/confirm", status=422, token_from="/register/confirm", code=foreign)
    assert "not right" in page.text
    page = browser.send("/register/confirm", token_from="/register/confirm", code=own)
    assert "Welcome" in page.text
    assert db.session.scalars(select(User.display_name)).all() == ["周玉兰"]


def test_the_page_of_the_code_is_for_who_has_begun(world: World) -> None:
    assert world.browser().get("/register/confirm", status=200).response.request.path == "/register"


def test_what_was_said_and_the_code_are_unreadable_in_the_database(world: World, anyone: Caller) -> None:
    ask(anyone)
    (code,) = Phone().codes()
    kept = str(db.session.execute(text("SELECT * FROM pending_registrations")).all())
    kept += str(db.session.execute(text("SELECT facts FROM notices")).all())
    for secret in (PHONE, "周玉兰", "1956", code):
        assert secret not in kept


def test_what_nobody_confirmed_is_forgotten(world: World, anyone: Caller, now: datetime) -> None:
    ask(anyone)
    with clock.frozen(now + timedelta(minutes=5)):
        assert unit_of_work(forget_old) == 0
    with clock.frozen(now + HOLDS_FOR):
        assert unit_of_work(forget_old) == 1
    assert db.session.scalar(select(func.count()).select_from(PendingRegistration)) == 0
