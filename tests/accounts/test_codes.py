"""A code by message: to choose a new password, to sign in without one; and nothing tells whether a phone is known."""

import re
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import func, select

from facilities.accounts import codes, services
from facilities.accounts.models import CodePurpose, OneTimeCode
from facilities.infra.db import db, unit_of_work
from facilities.infra.encryption import cipher
from facilities.infra.outbox import Notice
from facilities.kernel import clock
from facilities.kernel.actors import Granted, Role
from tests.client import Browser, Caller, Page
from tests.conftest import NOW
from tests.world import PASSWORD, Someone, World

NEW = "quite another one"
STRANGER = "13800000000"


def sent(someone: Someone) -> list[str]:
    """The codes that went out to somebody, the newest last."""
    db.session.rollback()
    notices = db.session.scalars(select(Notice).where(Notice.kind == "code").order_by(Notice.id))
    return [cipher().decrypt(str(n.facts["code"])) for n in notices if n.user_id == someone.user.id]


def ask(world: World, login: str, path: str = "/forgot") -> Page:
    return world.browser().send(path, token_from=path, phone=login)


def reset(world: World, login: str, code: str, status: int = 200, password: str = NEW) -> Page:
    fields = {"phone": login, "code": code, "new_password": password}
    return world.browser().send("/reset", status=status, token_from="/reset", **fields)


def wrong(code: str) -> str:
    return f"{(int(code) + 1) % 10**6:06}"


def bare(page: Page, phone: str) -> str:
    """What a page says, without what differs each time anyway."""
    return re.sub(r'value="[^"]*"', "", page.html).replace(phone, "")


def test_who_forgot_the_password_chooses_a_new_one_with_a_code(world: World, anyone: Caller) -> None:
    someone = world.resident()
    browser = world.browser(someone)
    page = ask(world, f"+86 {someone.login}")
    assert page.tree.xpath("//input[@name='phone']/@value") == [f"+86 {someone.login}"]
    (code,) = sent(someone)
    assert re.fullmatch(r"\d{6}", code)
    done = reset(world, someone.login, f" {code[:3]} {code[3:]}")
    assert done.response.request.path == "/sign-in"
    someone.api.get("/me", status=401)
    assert browser.raw("/me").status_code == 302, "every sign-in is dead"
    anyone.post("/tokens", {"login": someone.login, "password": PASSWORD}, status=401)
    anyone.post("/tokens", {"login": someone.login, "password": NEW})


def test_nothing_tells_whether_a_phone_is_known(world: World) -> None:
    someone = world.resident()
    seen = []
    for login in (someone.login, STRANGER):
        pages = [ask(world, login) for _ in range(12)]
        pages += [reset(world, login, "12345x", status=422) for _ in range(codes.MOST_ATTEMPTS + 2)]
        pages += [ask(world, login, "/sign-in/message") for _ in range(2)]
        path = "/sign-in/message/code"
        pages.append(world.browser().send(path, status=422, token_from=path, phone=login, code="12345x"))
        seen.append([(page.status, bare(page, login)) for page in pages])
    assert seen[0] == seen[1]
    assert len(sent(someone)) == 2, "one for each purpose within a minute"


def test_the_code_lies_nowhere_in_the_clear_and_not_among_the_messages(world: World) -> None:
    someone = world.resident()
    ask(world, someone.login)
    (code,) = sent(someone)
    (notice,) = db.session.scalars(select(Notice).where(Notice.kind == "code"))
    assert code not in str(notice.facts)
    assert notice.facts["purpose"] == "reset"
    assert code not in db.session.scalars(select(OneTimeCode.code_hash)).one()
    assert someone.api.get("/notices")["items"] == []
    browser = world.browser(someone)
    assert "unread" not in browser.get("/").text
    assert code not in browser.get("/my/messages").html


def test_a_code_opens_once(world: World) -> None:
    someone = world.resident()
    ask(world, someone.login)
    (code,) = sent(someone)
    reset(world, someone.login, code)
    reset(world, someone.login, code, status=422)


def test_a_code_holds_for_ten_minutes(world: World) -> None:
    early, late = world.resident(), world.resident()
    for someone in (early, late):
        ask(world, someone.login)
    with clock.frozen(NOW + codes.HOLDS_FOR - timedelta(seconds=1)):
        reset(world, early.login, sent(early)[0])
    with clock.frozen(NOW + codes.HOLDS_FOR):
        reset(world, late.login, sent(late)[0], status=422)


def test_five_wrong_attempts_make_a_code_worthless(world: World, anyone: Caller) -> None:
    careful, guesser = world.resident(), world.resident()
    for someone, attempts, status in ((careful, 4, 200), (guesser, 5, 422)):
        ask(world, someone.login)
        (code,) = sent(someone)
        for _ in range(attempts):
            reset(world, someone.login, wrong(code), status=422)
        reset(world, someone.login, code, status=status)
    anyone.post("/tokens", {"login": guesser.login, "password": PASSWORD})


def test_a_new_code_comes_after_a_minute_and_voids_the_one_before(world: World) -> None:
    someone = world.resident()
    ask(world, someone.login)
    with clock.frozen(NOW + timedelta(seconds=59)):
        ask(world, someone.login)
    assert len(sent(someone)) == 1
    with clock.frozen(NOW + timedelta(seconds=60)):
        ask(world, someone.login)
        first, second = sent(someone)
        if first != second:
            reset(world, someone.login, first, status=422)
        reset(world, someone.login, second)


def test_only_so_many_codes_go_out_in_a_day(world: World) -> None:
    someone = world.resident()
    for n in range(codes.MOST_CODES + 3):
        with clock.frozen(NOW + timedelta(minutes=2 * n)):
            ask(world, someone.login)
    assert len(sent(someone)) == codes.MOST_CODES
    with clock.frozen(NOW + codes.WITHIN):
        ask(world, someone.login)
    assert len(sent(someone)) == codes.MOST_CODES + 1


def test_a_code_for_one_purpose_does_not_serve_another(world: World) -> None:
    someone = world.resident()
    ask(world, someone.login, "/sign-in/message")
    reset(world, someone.login, sent(someone)[0], status=422)


def test_a_code_of_one_person_does_not_serve_another(world: World) -> None:
    someone, neighbour = world.resident(), world.resident()
    ask(world, someone.login)
    ask(world, neighbour.login)
    mine, theirs = sent(someone)[0], sent(neighbour)[0]
    if mine != theirs:
        reset(world, neighbour.login, mine, status=422)


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"new_password": "7 chars"}, "at least 8 characters"),
        ({"new_password": "password123"}, "one of the first"),
        ({"code": ""}, "This is needed"),
    ],
    ids=["too short", "too common", "no code"],
)
def test_a_password_that_is_unfit_uses_no_code_up(world: World, fields: dict[str, Any], says: str) -> None:
    someone = world.resident()
    ask(world, someone.login)
    (code,) = sent(someone)
    wish = {"phone": someone.login, "code": code, "new_password": NEW, **fields}
    assert says in world.browser().send("/reset", status=422, token_from="/reset", **wish).text
    reset(world, someone.login, code)


def test_who_is_staff_with_a_phone_needs_a_long_password_here_too(world: World) -> None:
    someone = world.resident()
    unit_of_work(lambda: services.replace_grants(someone.user, [Granted(Role.REVIEWER)]))
    ask(world, someone.login)
    (code,) = sent(someone)
    assert "12 characters" in reset(world, someone.login, code, status=422, password="eleven char").text
    reset(world, someone.login, code)


def test_what_is_no_phone_is_said_to_be_none(world: World) -> None:
    page = world.browser().send("/forgot", status=422, token_from="/forgot", phone="wang.li")
    assert "11 digits" in page.text


def test_who_is_disabled_gets_no_code(world: World) -> None:
    someone = world.resident()
    unit_of_work(lambda: services.set_disabled(someone.user, disabled=True))
    ask(world, someone.login)
    assert sent(someone) == []


def test_a_reset_lets_in_who_was_locked_out_by_guesses(world: World, anyone: Caller) -> None:
    someone = world.resident()
    for _ in range(services.MOST_FAILURES):
        anyone.post("/tokens", {"login": someone.login, "password": "wrong wrong"}, status=401)
    ask(world, someone.login)
    reset(world, someone.login, sent(someone)[0])
    anyone.post("/tokens", {"login": someone.login, "password": NEW})


# -- signing in with one


def sign_in_with(browser: Browser, login: str, code: str, back: str = "", status: int = 200) -> Page:
    path = "/sign-in/message/code"
    return browser.send(path, status=status, token_from=path, phone=login, code=code, next=back)


@pytest.mark.parametrize(("back", "path"), [("", "/"), ("/my/messages", "/my/messages"), ("//elsewhere.example", "/")])
def test_a_code_signs_in_once_and_leads_back_within_this_site(world: World, back: str, path: str) -> None:
    someone, browser = world.resident(), world.browser()
    ask(world, someone.login, "/sign-in/message")
    (code,) = sent(someone)
    sign_in_with(browser, someone.login, wrong(code), status=422)
    page = sign_in_with(browser, someone.login, code, back)
    assert page.response.request.path == path
    assert browser.raw("/me").status_code == 200
    sign_in_with(world.browser(), someone.login, code, status=422)


def test_asking_for_a_code_changes_nothing_for_who_is_signed_in(world: World) -> None:
    someone = world.resident()
    ask(world, someone.login)
    someone.api.get("/me")
    db.session.rollback()
    assert db.session.scalar(select(func.count()).select_from(OneTimeCode)) == 1
    assert not unit_of_work(lambda: codes.redeem(None, CodePurpose.RESET, "123456"))
