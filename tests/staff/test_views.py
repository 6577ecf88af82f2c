"""The pages on which administrators look after staff and their rights."""

from datetime import timedelta

import pytest

from facilities.accounts import queries, second_factors
from facilities.infra.db import db, unit_of_work
from facilities.kernel import clock
from tests.client import Browser, Caller, Counter, Page
from tests.conftest import NOW
from tests.world import PASSWORD, Someone, World


def rights_of(someone: Someone) -> list[str]:
    db.session.rollback()
    return [grant.role.value for grant in queries.grants_of(someone.user.id)]


def give(browser: Browser, someone: Someone, status: int = 200, **fields: object) -> Page:
    path = f"/staff/{someone.user.id}"
    fields = {"facility": "", "sub_district": "", "first_day": "", "last_day": "", **fields}
    return browser.send(f"{path}/grants", status=status, token_from=path, **fields)


def test_the_list_says_who_may_do_what_where_until_when_and_when_last(world: World) -> None:
    facility = world.facility()
    manager, administrator = world.manager(facility), world.administrator()
    resident = world.resident(name="李敏")
    until = clock.local(NOW + timedelta(days=30)).isoformat()
    administrator.api.patch(
        f"/users/{manager.user.id}",
        {"grants": [{"role": "guard", "scope": {"facility_id": str(facility.id)}, "ends_at": until}]},
    )
    text = world.browser(administrator).get("/staff").text
    assert manager.login in text
    assert f"Guard at the gate · {facility.name_en}" in text
    assert "Until" in text
    assert "Not used yet" in text
    assert "Last used" in text
    assert resident.login not in text
    assert "李敏" not in text


def test_it_is_where_administrators_look_for_it_and_nobody_else_is(world: World) -> None:
    administrator, manager = world.browser(world.administrator()), world.browser(world.manager(world.facility()))
    assert "/staff" in administrator.get("/desk").links
    assert "/staff" not in manager.get("/desk").links
    assert manager.raw("/staff").status_code == 403


def test_an_administrator_adds_somebody_who_then_has_the_right(world: World, anyone: Caller) -> None:
    facility, browser = world.facility(), world.browser(world.administrator())
    fields = {
        "login": "Wang.Li",
        "display_name": "王丽",
        "password": "twelve or more",
        "role": "guard",
        "facility": facility.id,
        "sub_district": "500104004",
        "first_day": "",
        "last_day": "2026-09-30",
    }
    page = browser.send("/staff/new", token_from="/staff/new", **fields)
    assert "王丽" in page.text
    answer = anyone.post("/tokens", {"login": "wang.li", "password": "twelve or more"})
    assert answer["user"]["grants"] == [{"role": "guard", "scope": {"facility_id": str(facility.id)}}]
    with clock.frozen(clock.parse_instant("2026-09-30T23:59:59+08:00")):
        assert len(queries.grants_of(int(answer["user"]["id"]))) == 1
    with clock.frozen(clock.parse_instant("2026-10-01T00:00:00+08:00")):
        assert queries.grants_of(int(answer["user"]["id"])) == []


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"facility": ""}, "for one facility"),
        ({"password": "eleven char"}, "12 characters"),
        ({"last_day": "2026-09-15"}, "end must be after the start"),
        ({"login": "{taken}"}, "already in use"),
        ({"role": "resident"}, "Not a valid choice"),
    ],
    ids=["a guard of nothing", "a short password", "over already", "a login that is taken", "no such role"],
)
def test_somebody_who_cannot_be_added_is_not(world: World, fields: dict[str, str], says: str) -> None:
    administrator, facility = world.administrator(), world.facility()
    wish = {"login": "wang.li", "display_name": "王丽", "password": "twelve or more", "role": "guard"}
    wish |= {"facility": str(facility.id), "sub_district": "", "first_day": "", "last_day": "", **fields}
    wish["login"] = wish["login"].format(taken=administrator.login)
    page = world.browser(administrator).send("/staff/new", status=422, token_from="/staff/new", **wish)
    if says != "Not a valid choice":  # the form library's own words
        assert says in page.text
    db.session.rollback()
    assert queries.user_by_login("wang.li") is None


def test_rights_are_given_and_ended_one_by_one(world: World) -> None:
    facility = world.facility()
    someone, browser = world.manager(facility), world.browser(world.administrator())
    page = give(browser, someone, role="reviewer", sub_district="500104004")
    assert "Reviewer" in page.text
    assert rights_of(someone) == ["manager", "reviewer"]
    someone.api.get("/me", status=401)
    first = queries.grant_rows(someone.user.id)[0].id
    path = f"/staff/{someone.user.id}"
    browser.send(f"{path}/grants/{first}/end", token_from=path)
    assert rights_of(someone) == ["reviewer"]
    browser.send(f"{path}/grants/{first}/end", status=404, token_from=path)


def test_a_right_that_cannot_be_given_says_why_beside_the_field(world: World) -> None:
    someone, browser = world.manager(world.facility()), world.browser(world.administrator())
    page = give(browser, someone, status=422, role="guard")
    assert "for one facility" in page.tree.xpath("//*[@id='facility-error']")[0].text_content()
    assert rights_of(someone) == ["manager"]


def test_an_account_is_closed_and_opened_again(world: World, anyone: Caller) -> None:
    someone, browser = world.manager(world.facility()), world.browser(world.administrator())
    path = f"/staff/{someone.user.id}"
    assert "Closed" in browser.send(f"{path}/disable", token_from=path, disabled="on").text
    anyone.post("/tokens", {"login": someone.login, "password": PASSWORD}, status=401)
    browser.send(f"{path}/disable", token_from=path, disabled="off")
    anyone.post("/tokens", {"login": someone.login, "password": PASSWORD})


def test_the_last_administrator_cannot_close_the_own_account(world: World) -> None:
    last = world.administrator()
    browser, path = world.browser(last), f"/staff/{last.user.id}"
    page = browser.send(f"{path}/disable", status=409, token_from=path, disabled="on")
    assert "Nobody would be left" in page.text
    last.api.get("/me")


def test_a_password_is_set_and_a_lost_phone_let_go_of(world: World, anyone: Caller) -> None:
    someone, browser = world.manager(world.facility()), world.browser(world.administrator())
    unit_of_work(lambda: second_factors.start(someone.actor)).confirmed_at = NOW
    db.session.commit()
    path = f"/staff/{someone.user.id}"
    browser.send(f"{path}/password", status=422, token_from=path, password="eleven char")
    browser.send(f"{path}/password", token_from=path, password="quite another one")
    wish = {"login": someone.login, "password": "quite another one"}
    assert anyone.post("/tokens", wish, status=401)["code"] == "otp_required"
    browser.send(f"{path}/second-factor/remove", token_from=path)
    anyone.post("/tokens", wish)


def test_residents_accounts_are_not_looked_after_here(world: World) -> None:
    resident, browser = world.resident(), world.browser(world.administrator())
    browser.get(f"/staff/{resident.user.id}", status=404)
    browser.get("/staff/999999", status=404)


def test_the_list_asks_no_more_because_there_are_more(world: World, queries: Counter) -> None:
    def cost() -> int:
        browser = world.browser(administrator)
        queries.clear()
        assert browser.raw("/staff").status_code == 200
        return len(queries)

    administrator = world.administrator()
    world.manager(world.facility())
    few = cost()
    for _ in range(4):
        world.manager(world.facility(), world.facility())
    assert cost() == few
