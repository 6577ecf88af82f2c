"""Limits that strangers run into and the owner does not; and where somebody is signed in."""

from datetime import timedelta

import pytest
from flask import Flask

from facilities.accounts import devices, services
from facilities.infra.db import db, unit_of_work
from facilities.kernel import clock
from tests.client import Browser, Caller
from tests.conftest import NOW
from tests.world import PASSWORD, Someone, World

WRONG = "wrong wrong wrong"
PHONE = "Mozilla/5.0 (Linux; Android 14) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0 Mobile Safari/537.36"


def guess(browser: Browser, login: str, times: int) -> None:
    for _ in range(times):
        browser.send("/sign-in", status=422, login=login, password=WRONG)


def signs_in(browser: Browser, someone: Someone) -> bool:
    with browser.client.session_transaction() as session:
        session.clear()
    page = Browser(browser.client).send("/sign-in", status=200, login=someone.login, password=PASSWORD)
    return page.response.request.path == "/"


def locked_out(browser: Browser, login: str) -> bool:
    page = browser.send("/sign-in", status=422, login=login, password=PASSWORD)
    return "Too many attempts" in page.text


def test_strangers_failures_do_not_lock_the_owner_out_from_a_known_browser(world: World, anyone: Caller) -> None:
    someone = world.resident()
    known = world.browser(someone)
    guess(world.browser(), someone.login, services.MOST_FAILURES)
    assert locked_out(world.browser(), someone.login)
    anyone.post("/tokens", {"login": someone.login, "password": PASSWORD}, status=429)
    assert signs_in(known, someone)
    assert locked_out(world.browser(), someone.login), "the owner's success does not let strangers guess on"


def test_a_known_browser_is_counted_for_itself(world: World) -> None:
    someone = world.resident()
    known = world.browser(someone)
    known.send("/sign-out", token_from="/me")
    guess(known, someone.login, services.MOST_FAILURES)
    assert locked_out(known, someone.login)
    assert world.browser(someone).raw("/me").status_code == 200, "and locks nobody else"


def test_a_browser_is_known_for_its_user_and_for_no_other(world: World) -> None:
    someone, neighbour = world.resident(), world.resident()
    known = world.browser(someone)
    known.send("/sign-out", token_from="/me")
    guess(known, neighbour.login, services.MOST_FAILURES)
    assert locked_out(known, neighbour.login)
    assert locked_out(world.browser(), neighbour.login)
    assert signs_in(known, someone)


def test_two_who_share_a_tablet_are_both_known_on_it(world: World) -> None:
    first, second = world.resident(), world.resident()
    tablet = world.browser(first)
    tablet.sign_in(second.login, PASSWORD)
    for someone in (first, second):
        guess(world.browser(), someone.login, services.MOST_FAILURES)
        assert signs_in(tablet, someone)


@pytest.mark.parametrize("forged", ["x", "设备", "a" * 3000, ""], ids=["a letter", "not ASCII", "very long", "empty"])
def test_a_device_that_somebody_made_up_helps_nobody(world: World, forged: str) -> None:
    someone, browser = world.resident(), world.browser()
    browser.client.set_cookie("device", forged)
    guess(browser, someone.login, services.MOST_FAILURES)
    assert locked_out(browser, someone.login)
    assert locked_out(world.browser(), someone.login)


def test_the_devices_cookie_is_long_lived_and_out_of_reach_of_scripts(world: World) -> None:
    browser = world.browser()
    browser.sign_in(world.resident().login, PASSWORD)
    cookie = browser.client.get_cookie("device")
    assert cookie is not None
    assert cookie.http_only
    assert cookie.same_site == "Lax"
    assert cookie.max_age == devices.KNOWN_FOR.total_seconds()


def test_a_device_that_was_not_seen_for_a_year_is_known_no_more(world: World) -> None:
    someone = world.resident()
    token = unit_of_work(lambda: devices.remember(someone.user.id, None))
    assert devices.is_known(someone.user.id, token)
    with clock.frozen(NOW + devices.KNOWN_FOR):
        assert not devices.is_known(someone.user.id, token)


def test_unknown_and_known_logins_answer_alike_on_the_page(world: World) -> None:
    someone = world.resident()
    seen = []
    for login in (someone.login, "13800000000"):
        browser = world.browser()
        pages = [
            browser.send("/sign-in", status=422, login=login, password=WRONG) for _ in range(services.MOST_FAILURES + 1)
        ]
        seen.append([page.text.replace(login, "") for page in pages])
    assert seen[0] == seen[1]


# -- sign-ins


@pytest.mark.parametrize(
    ("user_agent", "words"),
    [
        (PHONE, "Chrome on Android"),
        (f"{PHONE} MicroMessenger/8.0", "WeChat on Android"),
        ("Mozilla/5.0 (Phone; OpenHarmony 5.0) AppleWebKit/537.36 Chrome/114 Safari/537.36", "Chrome on HarmonyOS"),
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) Version/17.5 Safari/604.1", "Safari on iPhone"),
        ("Mozilla/5.0 (Windows NT 10.0) Chrome/126.0 Safari/537.36 Edg/126.0", "Edge on Windows"),
        ("Mozilla/5.0 (X11; Linux x86_64; rv:127.0) Gecko/20100101 Firefox/127.0", "Firefox on Linux"),
        ("curl/8.5.0", None),
        ("", None),
        ("x" * 10000, None),
    ],
    ids=["Chrome", "WeChat", "HarmonyOS", "iPhone", "Edge", "Firefox", "curl", "nothing", "very long"],
)
def test_a_browser_is_named_in_words(user_agent: str, words: str | None) -> None:
    assert devices.in_words(user_agent) == words


def phone_of(world: World, someone: Someone) -> Browser:
    browser = world.browser()
    browser.headers["User-Agent"] = PHONE
    browser.sign_in(someone.login, PASSWORD)
    return browser


def test_ones_sign_ins_are_listed_in_words_with_this_one_marked(world: World) -> None:
    someone = world.resident()
    world.browser(world.resident())
    page = phone_of(world, someone).get("/me/sign-ins")
    rows = [" ".join(row.text_content().split()) for row in page.tree.xpath("//main//li")]
    assert len(rows) == 2
    assert rows[0].startswith("Chrome on Android This one")
    assert rows[1].startswith("An app")


def test_each_sign_in_can_be_ended_by_itself_and_all_others_at_once(world: World, app: Flask) -> None:
    someone = world.resident()
    here, there = phone_of(world, someone), world.browser(someone)
    (other,) = [
        row["id"] for row in someone.api.get("/sign-ins")["items"] if row["kind"] == "browser" and not row["device"]
    ]
    page = here.send(f"/me/sign-ins/{other}/end", token_from="/me/sign-ins")
    assert page.response.request.path == "/me/sign-ins"
    assert there.raw("/me").status_code == 302
    here.send("/me/sign-ins/end-others", token_from="/me/sign-ins")
    someone.api.get("/me", status=401)
    assert here.raw("/me").status_code == 200


def test_ending_the_sign_in_that_one_uses_is_signing_out(world: World) -> None:
    someone = world.resident()
    browser = phone_of(world, someone)
    (this,) = [row["id"] for row in someone.api.get("/sign-ins")["items"] if row["device"]]
    page = browser.send(f"/me/sign-ins/{this}/end", token_from="/me/sign-ins")
    assert page.response.request.path == "/"
    assert browser.raw("/me").status_code == 302


def test_the_api_lists_and_ends_ones_own_sign_ins_and_nobody_elses(world: World, anyone: Caller) -> None:
    someone, neighbour = world.resident(), world.resident()
    anyone.post("/tokens", {"login": someone.login, "password": PASSWORD})
    rows = someone.api.get("/sign-ins")["items"]
    assert sorted(row["current"] for row in rows) == [False, True]
    (other,) = [row for row in rows if not row["current"]]
    assert {"id", "kind", "device", "created_at", "last_seen_at", "ends_at", "current"} == set(other)
    neighbour.api.delete(f"/sign-ins/{other['id']}", status=404)
    someone.api.delete("/sign-ins/999999", status=404)
    someone.api.delete(f"/sign-ins/{other['id']}")
    someone.api.delete(f"/sign-ins/{other['id']}", status=404)
    assert [row["current"] for row in someone.api.get("/sign-ins")["items"]] == [True]


def test_a_sign_in_that_lay_idle_too_long_is_not_listed(world: World) -> None:
    someone = world.resident()
    world.browser(someone)  # for 14 days idle; a token 30
    with clock.frozen(NOW + timedelta(days=20)):
        assert [row["kind"] for row in someone.api.get("/sign-ins")["items"]] == ["token"]
    db.session.rollback()
