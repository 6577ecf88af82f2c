"""Registering, and the people for whom one account acts."""

import pytest

from facilities.households.services import LARGEST_HOUSEHOLD
from tests.world import World

GOOD = {
    "phone": "138 0013 8000",
    "password": "river walk in may",
    "name": "周玉兰",
    "birth_date": "1956-05-01",
    "sex": "female",
    "consent": "y",
}


def test_who_registers_can_book_at_once(world: World) -> None:
    page = world.browser().send("/register", **GOOD)
    assert "Welcome" in page.text
    assert page.response.request.path == "/find"


@pytest.mark.parametrize(
    ("field", "value", "says"),
    [
        ("phone", "12345", "11 digits"),
        ("password", "short", "at least 8"),
        ("password", "password1", "others would try"),
        ("name", "", "needed"),
        ("name", "x" * 65, "at most 64"),
        ("name", "a\x00b", None),
        ("birth_date", "1856-05-01", "Check the year"),
        ("birth_date", "2999-05-01", "future"),
        ("birth_date", "yesterday", "year, month and day"),
        ("sex", "", "needed"),
        ("consent", "", "only with your consent"),
    ],
)
def test_a_wrong_field_says_what_to_do_and_nothing_is_kept(
    world: World, field: str, value: str, says: str | None
) -> None:
    browser = world.browser()
    fields = {name: text for name, text in {**GOOD, field: value}.items() if text}
    page = browser.send("/register", status=422 if says else 400, **fields)
    if says:
        assert says in page.text
        assert page.tree.xpath("//*[@aria-invalid] | //fieldset[@aria-describedby] | //p[@class='wrong']")
        if field != "name":
            assert page.tree.xpath("//input[@name='name']/@value") == ["周玉兰"]
    assert browser.send("/register", **GOOD).status == 200  # the phone is still free


def test_a_known_phone_is_told_to_sign_in(world: World) -> None:
    world.browser().send("/register", **GOOD)
    page = world.browser().send("/register", status=422, **GOOD)
    assert "Sign in instead" in page.text


def test_a_child_is_added_and_taken_away_again(world: World) -> None:
    browser = world.browser(world.resident())
    child = {"relation": "child", "name": "陈子轩", "birth_date": "2018-03-08", "sex": "male"}
    page = browser.send("/me/family/new", **child, guardian_consent="y")
    assert "陈子轩" in page.text
    action = page.tree.xpath("//form[contains(@action, '/remove')]/@action")[0]
    assert "陈子轩" not in browser.send(action, token_from="/me").text


def test_oneself_cannot_be_taken_away(world: World) -> None:
    someone = world.resident()
    page = world.browser(someone).send(f"/me/family/{someone.resident_id}/remove", status=409, token_from="/me")
    assert "owner of this account" in page.text


def test_a_household_has_a_bound(world: World) -> None:
    someone = world.resident()
    for _ in range(LARGEST_HOUSEHOLD - 1):
        world.member(someone)
    page = world.browser(someone).send(
        "/me/family/new",
        status=422,
        relation="child",
        name="陈子轩",
        birth_date="2018-03-08",
        sex="male",
        guardian_consent="y",
    )
    assert "Ask at the counter" in page.text


def test_an_identity_number_is_taken_on_the_page_and_shown_masked(world: World) -> None:
    someone = world.resident()
    page = f"/me/family/{someone.resident_id}"
    browser = world.browser(someone)
    fields = {"name": "周玉兰", "birth_date": "1949-12-31", "sex": "female"}
    refused = browser.send(page, status=422, token_from=page, **fields, id_number="110105194912310021")
    assert refused.tree.xpath("//input[@name='id_number'][@aria-invalid]")
    browser.send(page, token_from=page, **fields, id_number="１１０１０５１９４９１２３１００２x")
    shown = browser.get(page)
    assert "11010519491231002X" not in shown.response.get_data(as_text=True)
    assert "2X" in shown.text
    assert shown.tree.xpath("//input[@name='id_number']/@value") in ([], [""])
    browser.send(page, token_from=page, **fields)  # left empty, it stays
    assert someone.api.get(f"/residents/{someone.resident_id}")["id_number_masked"]
