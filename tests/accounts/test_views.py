"""Signing in and out on the pages."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from facilities.accounts import queries, services
from facilities.accounts.entrance import safe_next
from facilities.accounts.models import SignInKind
from facilities.infra.db import db, unit_of_work
from facilities.kernel import clock
from facilities.kernel.refusals import Refused
from tests.world import PASSWORD, World


def test_a_resident_signs_in_with_the_phone_in_any_usual_writing(world: World) -> None:
    someone = world.resident()
    spaced = f"+86 {someone.login[:3]} {someone.login[3:7]} {someone.login[7:]}"
    page = world.browser().sign_in(spaced, PASSWORD)
    assert page.response.request.path == "/"
    assert "Sign in" not in page.text


def test_a_wrong_password_says_what_to_do_and_keeps_the_login(world: World) -> None:
    someone = world.resident()
    page = world.browser().send("/sign-in", status=422, login=someone.login, password="something else")
    assert "check both and try again" in page.text
    assert page.tree.xpath("//input[@name='login']/@value") == [someone.login]
    assert page.tree.xpath("//input[@name='password']/@value") in ([], [""])


def test_a_cookie_that_is_replayed_after_signing_out_is_worth_nothing(world: World) -> None:
    browser = world.browser(world.resident())
    stolen = browser.client.get_cookie("session")
    assert stolen is not None
    assert browser.get("/me").status == 200
    browser.send("/sign-out", token_from="/me")
    thief = world.browser()
    thief.client.set_cookie("session", stolen.value)
    answer = thief.raw("/me")
    assert answer.status_code == 302
    assert answer.headers["Location"].startswith("/sign-in")


def test_signing_in_leads_back_to_where_one_was_going(world: World) -> None:
    someone = world.resident()
    browser = world.browser()
    asked = browser.get("/my/bookings")
    page = browser.send("/sign-in", login=someone.login, password=PASSWORD, next=asked.hidden("next"))
    assert page.response.request.path == "/my/bookings"


@pytest.mark.parametrize(
    "target",
    [
        "https://elsewhere.example",
        "//elsewhere.example",
        "/\\elsewhere.example",
        "javascript:1",
        "/\t/elsewhere.example",
        "/\n/elsewhere.example",
        "",
        None,
    ],
)
def test_nobody_is_sent_to_another_site(target: str | None) -> None:
    assert safe_next(target) is None


def test_the_cookie_is_for_this_site_alone_and_out_of_reach_of_scripts(world: World) -> None:
    browser = world.browser(world.resident())
    cookie = browser.client.get_cookie("session")
    assert cookie is not None
    assert cookie.http_only
    assert cookie.same_site == "Lax"


def test_personal_pages_are_not_kept_by_caches(world: World) -> None:
    answer = world.browser(world.resident()).raw("/me")
    assert answer.headers["Cache-Control"] == "no-store"
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]


def test_a_sign_in_ends_after_its_longest_time(world: World) -> None:
    browser = world.browser(world.resident())
    for days in (10, 20, 29):
        with clock.frozen(clock.now() + timedelta(days=days)):
            assert browser.raw("/me").status_code == 200
    with clock.frozen(clock.now() + timedelta(days=31)):
        assert browser.raw("/me").status_code == 302


def test_an_unused_sign_in_ends_earlier(world: World) -> None:
    browser = world.browser(world.resident())
    with clock.frozen(clock.now() + timedelta(days=15)):
        assert browser.raw("/me").status_code == 302


def test_a_disabled_user_is_out_at_once(world: World) -> None:
    someone = world.resident()
    browser = world.browser(someone)
    unit_of_work(lambda: services.set_disabled(someone.user, disabled=True))
    assert browser.raw("/me").status_code == 302


def test_language_and_large_type_are_kept_through_signing_in(world: World) -> None:
    browser = world.browser(language="en")
    browser.send("/language", language="zh", next="/")
    browser.send("/appearance", elder="on", next="/")
    page = browser.sign_in(world.resident().login, PASSWORD)
    assert page.tree.get("lang") == "zh-CN"
    assert page.tree.get("class") == "elder"


def test_guessing_the_present_password_is_limited_too(world: World) -> None:
    someone = world.resident()
    guess = {"password": "not this one", "new_password": "river walk in may"}
    for _ in range(services.MOST_FAILURES):
        someone.api.post("/me/password", guess, status=422)
    answer = someone.api.call("POST", "/me/password", json={**guess, "password": PASSWORD}, status=429)
    assert int(answer.headers["Retry-After"]) > 0


def test_guesses_that_come_at_once_are_all_counted(world: World) -> None:
    def guess(_number: int) -> None:
        with world.app.app_context():
            unit_of_work(lambda: services.note_failure("13812345678"))
            db.session.remove()

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(guess, range(24)))
    failures = queries.failures_of(services.fingerprint("13812345678"))
    assert failures is not None
    assert failures.failures == 24


def test_a_password_that_changes_between_check_and_entry_opens_nothing(world: World) -> None:
    someone = world.resident()
    stale = services.HASHER.hash("the password before")
    with pytest.raises(Refused):
        unit_of_work(lambda: services.open_sign_in(someone.user, SignInKind.BROWSER, stale))
