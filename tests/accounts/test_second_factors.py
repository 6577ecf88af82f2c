"""One-time passwords of staff: setting up, signing in with one, each code once, and where it is forced."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pyotp
import pytest
from flask import Flask
from sqlalchemy import select

import config
from config import Settings, SettingsError
from facilities.accounts import queries, second_factors, services
from facilities.accounts.models import SecondFactor
from facilities.infra.audit import AuditEntry
from facilities.infra.db import db, unit_of_work
from facilities.kernel import clock
from facilities.kernel.refusals import Refused
from tests.client import Browser, Caller
from tests.conftest import NOW
from tests.world import PASSWORD, Someone, World

STEP = timedelta(seconds=30)


def code_at(key: str, moment: Any = NOW) -> str:
    return str(pyotp.TOTP(key).at(moment))


def enrolled(someone: Someone) -> str:
    """A factor that is set up and has not been used since; its key."""
    factor = unit_of_work(lambda: second_factors.start(someone.actor))
    key = second_factors.key_to_show(factor)
    with clock.frozen(NOW - 10 * STEP):
        unit_of_work(lambda: second_factors.confirm(someone.actor, code_at(key, clock.now())))
    return key


def tokens(
    anyone: Caller, someone: Someone, otp: str | None = None, status: int = 201, password: str = PASSWORD
) -> Any:
    body = {"login": someone.login, "password": password}
    return anyone.post("/tokens", body if otp is None else {**body, "otp": otp}, status=status)


def test_where_a_factor_is_set_up_a_password_alone_is_not_enough(world: World, anyone: Caller) -> None:
    someone = world.manager(world.facility())
    key = enrolled(someone)
    assert tokens(anyone, someone, status=401)["code"] == "otp_required"
    assert tokens(anyone, someone, password="wrong wrong", status=401)["code"] == "bad_credentials"
    answer = tokens(anyone, someone, code_at(key))
    assert answer["user"]["id"] == str(someone.user.id)


def test_an_enrolment_that_was_not_confirmed_asks_for_nothing(world: World, anyone: Caller) -> None:
    someone = world.administrator()
    unit_of_work(lambda: second_factors.start(someone.actor))
    tokens(anyone, someone)


def test_a_code_is_read_however_it_is_written(world: World, anyone: Caller) -> None:
    someone = world.administrator()
    code = code_at(enrolled(someone))
    full_width = "".join(chr(ord(c) + 0xFEE0) for c in code)
    tokens(anyone, someone, f"{full_width[:3]} {full_width[3:]}")


def test_a_code_opens_once_and_none_from_before_it_opens_afterwards(world: World, anyone: Caller) -> None:
    someone = world.administrator()
    key = enrolled(someone)
    tokens(anyone, someone, code_at(key))
    assert tokens(anyone, someone, code_at(key), status=401)["code"] == "bad_credentials"
    assert tokens(anyone, someone, code_at(key, NOW - STEP), status=401)["code"] == "bad_credentials"
    tokens(anyone, someone, code_at(key, NOW + STEP))


@pytest.mark.parametrize(
    ("steps", "status"),
    [
        pytest.param(-2, 401, id="two steps ago"),
        pytest.param(-1, 201, id="the step before"),
        pytest.param(0, 201, id="now"),
        pytest.param(1, 201, id="the next step"),
        pytest.param(2, 401, id="two steps ahead"),
    ],
)
def test_a_clock_may_be_one_step_off_either_way(world: World, anyone: Caller, steps: int, status: int) -> None:
    someone = world.administrator()
    key = enrolled(someone)
    tokens(anyone, someone, code_at(key, NOW + steps * STEP), status=status)


def test_wrong_codes_count_as_failures_and_a_right_password_does_not_forget_them(world: World, anyone: Caller) -> None:
    someone = world.administrator()
    key = enrolled(someone)
    for _ in range(services.MOST_FAILURES):
        tokens(anyone, someone, status=401)
        assert tokens(anyone, someone, "abcdef", status=401)["code"] == "bad_credentials"
    assert tokens(anyone, someone, code_at(key), status=429)["code"] == "too_many_attempts"


def test_the_key_lies_encrypted_and_is_never_shown_once_it_counts(world: World) -> None:
    someone = world.administrator()
    key = enrolled(someone)
    db.session.rollback()
    kept = db.session.scalars(select(SecondFactor)).one()
    assert key not in kept.secret
    with pytest.raises(Refused, match="second_factor_on"):
        second_factors.key_to_show(kept)
    page = world.browser()
    page.sign_in(someone.login, PASSWORD)
    with clock.frozen(NOW + STEP):
        shown = page.send("/sign-in/code", token_from="/sign-in/code", code=code_at(key, NOW + STEP))
    assert key not in page.get("/me/second-factor").html
    assert shown.status == 200


# -- on the pages


def test_staff_set_a_factor_up_on_the_page_and_are_asked_for_it_from_then_on(world: World) -> None:
    someone = world.manager(world.facility())
    browser, elsewhere = world.browser(someone), world.browser(someone)
    browser.send("/me/second-factor/start", token_from="/me/second-factor")
    page = browser.get("/me/second-factor")
    (picture,) = page.tree.xpath("//main//img")
    assert picture.get("src").startswith("data:image/svg+xml")
    assert picture.get("alt")
    key = page.tree.xpath("//*[@data-key]/@data-key")[0]
    wrong = browser.send("/me/second-factor", status=422, token_from="/me/second-factor", code="000000x")
    assert "not right" in wrong.text
    done = browser.send("/me/second-factor", token_from="/me/second-factor", code=code_at(key))
    assert key not in done.html
    assert browser.raw("/me").status_code == 200
    assert elsewhere.raw("/me").status_code == 302, "every other sign-in ended"
    someone.api.get("/me", status=401)
    verbs = db.session.scalars(select(AuditEntry.verb).where(AuditEntry.about_id == someone.user.id)).all()
    assert "second_factor_on" in verbs


def half_way(world: World, someone: Someone, back: str = "") -> Browser:
    browser = world.browser()
    page = browser.send("/sign-in", login=someone.login, password=PASSWORD, next=back)
    assert page.response.request.path == "/sign-in/code"
    assert PASSWORD not in page.html
    return browser


def test_the_page_asks_for_the_code_in_a_second_step_and_leads_on_from_there(world: World) -> None:
    someone = world.manager(world.facility())
    key = enrolled(someone)
    browser = half_way(world, someone, "/my/messages")
    assert browser.raw("/me").status_code == 302, "half signed in is not signed in"
    page = browser.get("/sign-in/code?next=/my/messages")
    assert browser.send("/sign-in/code", status=422, token_from="/sign-in/code", code="000000").status == 422
    page = browser.send("/sign-in/code", token_from="/sign-in/code", code=code_at(key), next=page.hidden("next"))
    assert page.response.request.path == "/my/messages"
    assert browser.raw("/me").status_code == 200


def test_the_second_step_sends_nobody_to_another_site(world: World) -> None:
    someone = world.manager(world.facility())
    key = enrolled(someone)
    browser = half_way(world, someone)
    page = browser.send(
        "/sign-in/code", token_from="/sign-in/code", code=code_at(key), next="https://elsewhere.example"
    )
    assert page.response.request.path == "/desk"


def test_the_second_step_is_open_for_five_minutes(world: World) -> None:
    someone = world.administrator()
    key = enrolled(someone)
    browser = half_way(world, someone)
    later = NOW + timedelta(minutes=5)
    with clock.frozen(later):
        assert browser.get("/sign-in/code").response.request.path == "/sign-in"
        page = browser.send("/sign-in/code", code=code_at(key, later))
    assert page.response.request.path == "/sign-in"
    assert browser.raw("/me").status_code == 302


def test_a_password_that_changed_meanwhile_closes_the_second_step(world: World) -> None:
    someone, other = world.manager(world.facility()), world.administrator()
    key = enrolled(someone)
    browser = half_way(world, someone)
    other.api.patch(f"/users/{someone.user.id}", {"password": "quite another one"})
    assert browser.get("/sign-in/code").response.request.path == "/sign-in"
    browser.send("/sign-in/code", code=code_at(key))
    assert browser.raw("/me").status_code == 302


def test_removing_it_needs_the_password(world: World, anyone: Caller) -> None:
    someone = world.administrator()
    key = enrolled(someone)
    browser = half_way(world, someone)
    browser.send("/sign-in/code", token_from="/sign-in/code", code=code_at(key))
    path = "/me/second-factor/remove"
    browser.send(path, status=422, token_from="/me/second-factor", password="wrong wrong")
    assert tokens(anyone, someone, status=401)["code"] == "otp_required"
    browser.send(path, token_from="/me/second-factor", password=PASSWORD)
    tokens(anyone, someone)


def test_an_administrator_lets_go_of_a_factor_whose_phone_is_lost(world: World, anyone: Caller) -> None:
    someone, administrator = world.manager(world.facility()), world.administrator()
    enrolled(someone)
    someone_else = world.resident()
    someone_else.api.delete(f"/users/{someone.user.id}/second-factor", status=403)
    administrator.api.delete(f"/users/{someone.user.id}/second-factor")
    tokens(anyone, someone)


def test_residents_have_no_such_page(world: World) -> None:
    assert world.browser(world.resident()).raw("/me/second-factor").status_code == 403


# -- where it is forced


@pytest.fixture
def forced(app: Flask, world: World, monkeypatch: pytest.MonkeyPatch) -> World:
    settings = replace(app.config["HUIMIN_SETTINGS"], second_factor_required=True)
    monkeypatch.setitem(app.config, "HUIMIN_SETTINGS", settings)
    return world


def test_staff_without_a_factor_reach_only_the_page_that_sets_it_up_and_the_way_out(forced: World) -> None:
    someone = forced.manager(forced.facility())
    browser = forced.browser(someone)
    for path in ("/", "/desk", "/me", "/me/sign-ins", "/facilities"):
        answer = browser.raw(path)
        assert (answer.status_code, answer.headers["Location"]) == (302, "/me/second-factor"), path
    with browser.raw("/static/css/huimin.css") as style:
        assert style.status_code == 200
    assert someone.api.get("/me", status=403)["code"] == "second_factor_needed"
    someone.api.get("/facilities", status=403)
    page = browser.send("/sign-out", token_from="/me/second-factor")
    assert page.response.request.path == "/"
    someone.api.delete("/tokens/current")


def test_who_sets_it_up_goes_on_and_cannot_remove_it(forced: World) -> None:
    someone = forced.manager(forced.facility())
    browser = forced.browser(someone)
    browser.send("/me/second-factor/start", token_from="/me/second-factor")
    key = browser.get("/me/second-factor").tree.xpath("//*[@data-key]/@data-key")[0]
    browser.send("/me/second-factor", token_from="/me/second-factor", code=code_at(key))
    assert browser.raw("/desk").status_code == 200
    browser.send("/me/second-factor/remove", status=409, token_from="/me", password=PASSWORD)
    db.session.rollback()
    assert queries.second_factor_of(someone.user.id) is not None


def test_residents_and_strangers_are_not_asked_for_one(forced: World) -> None:
    resident = forced.resident()
    assert forced.browser(resident).raw("/me").status_code == 200
    assert forced.browser().raw("/").status_code == 200
    resident.api.get("/me")


@pytest.mark.parametrize(
    ("environment", "wanted", "required"),
    [
        ("production", None, True),
        ("production", "optional", False),
        ("demo", None, False),
        ("demo", "required", True),
        ("test", None, False),
        ("test", "required", False),
    ],
)
def test_it_is_required_in_production_and_never_in_a_test(environment: str, wanted: str | None, required: bool) -> None:
    environ = {"HUIMIN_SECOND_FACTOR": wanted} if wanted else {}
    assert config._second_factor_required(environ, environment) is required


def test_another_word_for_the_setting_stops_the_start(tmp_path: Path) -> None:
    environ = {"HUIMIN_ENV": "demo", "HUIMIN_INSTANCE": str(tmp_path), "HUIMIN_SECOND_FACTOR": "yes"}
    with pytest.raises(SettingsError, match="HUIMIN_SECOND_FACTOR"):
        Settings.read(environ)
