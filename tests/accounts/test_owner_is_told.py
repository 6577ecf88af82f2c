"""Whoever owns an account hears of what a thief would do to it; and of one's own arrival nobody is told."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import delete, select

from facilities.accounts import second_factors
from facilities.accounts.models import SignIn
from facilities.infra.db import db, unit_of_work
from facilities.infra.outbox import Notice
from facilities.kernel import clock
from tests.accounts.test_codes import NEW, ask, reset, sent
from tests.accounts.test_second_factors import STEP, code_at, enrolled
from tests.client import Browser
from tests.conftest import NOW
from tests.world import PASSWORD, Someone, World

PHONE = "Mozilla/5.0 (Linux; Android 14) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0 Mobile Safari/537.36"
AT = "2026-09-16T10:00:00+08:00"


def stranger(world: World, someone: Someone, user_agent: str = "") -> Browser:
    """Signed in from a browser that was not known."""
    client = world.app.test_client()
    client.environ_base["HTTP_USER_AGENT"] = user_agent
    browser = Browser(client)
    browser.sign_in(someone.login, PASSWORD)
    return browser


def told(someone: Someone) -> list[tuple[str, dict[str, Any]]]:
    """Kind and facts of what concerns the account itself, in order; each is the owner's, about the account, unread."""
    db.session.rollback()
    rows = db.session.scalars(
        select(Notice).where(Notice.about_kind == "user", Notice.kind != "code").order_by(Notice.id)
    )
    found = [row for row in rows if row.user_id == someone.user.id]
    assert [(n.about_id, n.resident_id, n.read_at) for n in found] == [(someone.user.id, None, None)] * len(found)
    return [(n.kind, n.facts) for n in found]


def kinds(someone: Someone) -> list[str]:
    return [kind for kind, _ in told(someone)]


# -- signing in


def test_a_browser_that_is_not_known_is_told_of_in_words_and_with_its_time(world: World) -> None:
    someone = world.resident()  # with a token, which is a sign-in
    stranger(world, someone, PHONE)
    assert told(someone) == [("signed_in", {"device": "Chrome on Android", "at": AT})]


def test_a_browser_that_says_nothing_of_itself_is_told_of_all_the_same(world: World) -> None:
    someone = world.resident()
    stranger(world, someone)
    assert told(someone) == [("signed_in", {"device": None, "at": AT})]


def test_a_browser_that_is_known_is_told_of_once(world: World) -> None:
    someone = world.resident()
    browser = stranger(world, someone)
    for _ in range(2):
        browser.send("/sign-out", token_from="/me")
        browser.sign_in(someone.login, PASSWORD)
    assert kinds(someone) == ["signed_in"]
    stranger(world, someone)
    assert kinds(someone) == ["signed_in", "signed_in"], "and another one is another"


def test_a_tablet_that_two_people_share_is_new_to_each_of_them(world: World) -> None:
    someone, neighbour = world.resident(), world.resident()
    browser = stranger(world, someone)
    browser.send("/sign-out", token_from="/me")
    browser.sign_in(neighbour.login, PASSWORD)
    assert kinds(someone) == kinds(neighbour) == ["signed_in"]


def test_nobody_is_told_of_their_own_arrival(world: World) -> None:
    browser = world.browser()
    fields = {"name": "李敏", "phone": "13912345678", "password": PASSWORD, "birth_date": "1990-01-31"}
    browser.send("/register", token_from="/register", sex="female", consent="y", **fields)
    assert browser.raw("/me").status_code == 200
    assert db.session.scalars(select(Notice.kind)).all() == []


@pytest.mark.parametrize(
    ("days", "expected"),
    [pytest.param(29, [], id="an account that is new"), pytest.param(31, ["signed_in"], id="one that may have been")],
)
def test_the_first_sign_in_on_record_is_the_first_one_of_a_new_account_only(
    world: World, days: int, expected: list[str]
) -> None:
    """Of an older account, sign-ins from before may be forgotten: a thief who comes after a year is told of."""
    someone = world.manager(world.facility())
    unit_of_work(lambda: db.session.execute(delete(SignIn).where(SignIn.user_id == someone.user.id)))
    with clock.frozen(NOW + timedelta(days=days)):
        stranger(world, someone)
    assert kinds(someone) == expected


def test_a_client_that_signs_in_is_not_told_of(world: World) -> None:
    someone = world.resident()
    someone.api.post("/tokens", {"login": someone.login, "password": PASSWORD})
    assert kinds(someone) == []


def test_a_wrong_password_is_nobodys_sign_in(world: World) -> None:
    someone = world.resident()
    world.browser().send("/sign-in", status=422, login=someone.login, password="wrong wrong wrong")
    assert kinds(someone) == []


# -- the password


def test_a_password_that_is_changed_is_told_of_however_it_is_changed(world: World) -> None:
    someone = world.resident()
    body = {"password": PASSWORD, "new_password": "a much better one"}
    someone.api.call("POST", "/me/password", json=body, status=204)
    assert told(someone) == [("password_changed", {"at": AT})]
    ask(world, someone.login)
    reset(world, someone.login, sent(someone)[-1])
    assert kinds(someone) == ["password_changed"] * 2


def test_a_member_of_staff_is_told_that_an_administrator_set_the_password(world: World) -> None:
    someone, administrator = world.manager(world.facility()), world.administrator()
    administrator.api.patch(f"/users/{someone.user.id}", {"password": "quite another one"}, status=200)
    assert told(someone) == [("password_changed", {"at": AT})]
    assert kinds(administrator) == []


def test_a_change_that_is_refused_is_not_told_of(world: World) -> None:
    someone = world.resident()
    for wrong in ({"password": "wrong wrong"}, {"new_password": "short"}):
        body = {"password": PASSWORD, "new_password": NEW} | wrong
        someone.api.post("/me/password", body, status=422)
    assert kinds(someone) == []


def test_after_a_reset_a_browser_from_before_is_new_again(world: World) -> None:
    """Its cookie may be the thief's."""
    someone = world.resident()
    browser = stranger(world, someone)
    ask(world, someone.login)
    reset(world, someone.login, sent(someone)[-1])
    browser.sign_in(someone.login, NEW)
    assert kinds(someone) == ["signed_in", "password_changed", "signed_in"]


# -- the second factor


def test_setting_a_second_factor_up_and_taking_it_away_is_told_of(world: World) -> None:
    someone = world.administrator()
    enrolled(someone)
    at = (NOW - 10 * STEP).astimezone(datetime.fromisoformat(AT).tzinfo).isoformat()
    assert told(someone) == [("second_factor_on", {"at": at})]
    unit_of_work(lambda: second_factors.remove(someone.actor, PASSWORD, required=False))
    assert told(someone)[1:] == [("second_factor_off", {"at": AT})]


def test_its_owner_is_told_that_an_administrator_forgot_it(world: World) -> None:
    someone, administrator = world.manager(world.facility()), world.administrator()
    enrolled(someone)
    for _ in range(2):
        administrator.api.call("DELETE", f"/users/{someone.user.id}/second-factor", status=204)
    assert kinds(someone) == ["second_factor_on", "second_factor_off"]
    assert kinds(administrator) == []


def test_what_was_only_begun_was_never_asked_for_and_is_not_told_of(world: World) -> None:
    someone = world.administrator()
    unit_of_work(lambda: second_factors.start(someone.actor))
    unit_of_work(lambda: second_factors.forget(someone.user, None))
    assert kinds(someone) == []


def test_with_a_second_factor_the_browser_is_told_of_after_the_code(world: World) -> None:
    someone = world.administrator()
    key = enrolled(someone)
    browser = world.browser()
    browser.sign_in(someone.login, PASSWORD)
    assert kinds(someone) == ["second_factor_on"], "half in is not in"
    browser.send("/sign-in/code", token_from="/sign-in/code", code=code_at(key))
    assert kinds(someone) == ["second_factor_on", "signed_in"]
