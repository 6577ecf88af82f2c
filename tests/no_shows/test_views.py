"""The pages: for whoever missed something, for who answers, and for who sets the rule."""

import pytest

from facilities.engine.roll_call import EventKind
from facilities.kernel import clock
from tests.client import Counter
from tests.conftest import NOW
from tests.no_shows.misses import DAY, District, follow, pauses
from tests.world import World


@pytest.fixture
def here(world: World) -> District:
    return District.of(world)


def test_while_it_is_off_one_sentence_says_so(here: District) -> None:
    page = here.world.browser(here.someone).get("/my/no-shows")
    assert "has no consequences at present" in page.text
    assert page.tree.xpath("//main//ul") == []


def test_my_bookings_lead_there_where_something_was_missed(here: District) -> None:
    browser = here.world.browser(here.someone)
    assert "/my/no-shows" not in browser.get("/my/bookings").links
    number = here.miss(3)
    assert "/my/no-shows" in browser.get("/my/bookings").links
    assert f"/my/no-shows/{number}" in browser.get(f"/bookings/{number}").links


def test_ones_own_page_says_what_counts_and_what_follows_in_words(here: District) -> None:
    here.rule()
    child = here.world.member(here.someone, name="陈子轩")
    numbers = here.miss_three()
    here.miss(5, resident_id=child)
    here.exempt(days_ago=4)
    follow()
    page = here.world.browser(here.someone).get("/my/no-shows")
    assert "number 2 of one programme within 90 days" in page.text
    assert "Does not count: you are exempt on that day" in page.text
    assert "陈子轩" in page.text
    assert f"/my/no-shows/{numbers[0]}" in page.links
    here.miss(12)
    follow()
    page = here.world.browser(here.someone).get("/my/no-shows")
    assert "until Fri 16 Oct you book" in page.text


def test_whoever_says_that_it_is_not_right_is_answered(here: District) -> None:
    here.rule()
    numbers = here.miss_three()
    follow()
    address, browser = f"/my/no-shows/{numbers[2]}", here.world.browser(here.someone)
    assert "only on the day itself" in browser.get(address).text
    page = browser.send(address, status=422, token_from=address, words="  ")
    assert page.tree.xpath("//p[@class='wrong']")
    page = browser.send(address, token_from=address, words="我在场，\r\n在后排")
    assert "Somebody of the place will answer" in page.text
    assert page.tree.xpath("//textarea") == []
    browser.send(address, status=409, token_from="/me", words="再说一次")
    staff = here.world.browser(here.manager)
    page = staff.get("/desk/appeals")
    assert "我在场" in page.text
    assert "3 missed sessions count in this programme" in page.text
    path = f"/desk/appeals/{numbers[2]}"
    page = staff.send(path, status=422, token_from="/desk/appeals", reply="", answer="accepted")
    assert page.tree.xpath("//textarea[@aria-invalid='true']")
    page = staff.send(path, status=422, token_from="/desk/appeals", reply="已核实")
    assert page.tree.xpath("//textarea")[0].text_content().strip() == "已核实", "neither button, and the words stay"
    page = staff.send(path, token_from="/desk/appeals", reply="已核实", answer="accepted")
    assert "Nobody waits for an answer" in page.text
    page = browser.get(address)
    assert "Accepted: it does not count" in page.text
    assert "已核实" in page.text
    assert [in_force for _, in_force in pauses()] == [False]


def test_what_was_corrected_since_is_still_shown_to_whom_a_message_led_there(here: District) -> None:
    here.rule()
    numbers = here.miss_three()
    follow()
    here.tick(numbers[2], EventKind.PRESENT)
    browser = here.world.browser(here.someone)
    assert "not a missed session any more" in browser.get(f"/my/no-shows/{numbers[2]}").text
    browser.get(f"/my/no-shows/{here.miss(2, kind=EventKind.PRESENT)}", status=404)


def test_appeals_are_for_the_desk_of_the_place(here: District) -> None:
    here.rule()
    number = here.miss(3)
    here.someone.api.post(f"/bookings/{number}/appeal", {"words": "我在场"})
    elsewhere = here.world.browser(here.world.manager(here.world.facility()))
    assert "Nobody waits" in elsewhere.get("/desk/appeals").text
    elsewhere.send(f"/desk/appeals/{number}", status=404, token_from="/me", reply="好", answer="accepted")
    assert "/desk/appeals" in here.world.browser(here.manager).get("/desk").links


def test_answered_meanwhile_by_somebody_else_it_says_so(here: District) -> None:
    here.rule()
    number = here.miss(3)
    here.someone.api.post(f"/bookings/{number}/appeal", {"words": "我在场"})
    staff = here.world.browser(here.manager)
    here.administrator.api.post(f"/appeals/{number}/answer", {"answer": "refused", "reply": "无"}, status=200)
    page = staff.send(f"/desk/appeals/{number}", status=409, token_from="/me", reply="好", answer="accepted")
    assert "This has been answered" in page.text


def test_those_concerned_read_who_of_the_staff_looked(here: District) -> None:
    here.rule()
    here.someone.api.post(f"/bookings/{here.miss(3)}/appeal", {"words": "我在场"})
    here.exempt(days_ago=-1)
    for _ in range(2):
        here.world.browser(here.manager).get("/desk/appeals")
        here.world.browser(here.administrator).get("/staff/no-shows")
        here.manager.api.get("/appeals")
    looks = here.someone.api.get("/me/looked-at")["items"]
    assert sorted(look["who"] for look in looks if look["verb"] == "looked_at") == sorted(
        [here.manager.login, here.administrator.login]
    )


FORM = {"within_days": "60", "warn_at": "1", "pause_at": "2", "pause_days": "14"}


def test_an_administrator_sets_the_rule_and_reads_it_in_words(here: District) -> None:
    browser = here.world.browser(here.administrator)
    page = browser.get("/staff/no-shows")
    assert "The rule is off" in page.text
    assert page.tree.xpath("//input[@name='exempt_disabled']/@checked")
    assert not page.tree.xpath("//input[@name='is_on']/@checked")
    wrong = FORM | {"pause_at": "1"}
    page = browser.send("/staff/no-shows", status=422, token_from="/staff/no-shows", is_on="y", **wrong)
    assert "from 2 to 20" in page.text
    page = browser.send("/staff/no-shows", status=422, token_from="/staff/no-shows", **FORM | {"warn_at": "3"})
    assert "A pause must come after a warning" in page.text
    page = browser.send("/staff/no-shows", token_from="/staff/no-shows", is_on="y", **FORM)
    assert "number 1 of one programme within 60 days" in page.text
    assert here.administrator.api.get("/no-show-rule")["exempt_disabled"] is False


def test_an_administrator_finds_somebody_exempts_them_and_ends_it(here: District) -> None:
    browser = here.world.browser(here.administrator)
    page = browser.send("/staff/no-shows/look-up", status=422, token_from="/staff/no-shows", sought="12")
    assert "neither a mobile number nor an identity number" in page.text
    page = browser.send("/staff/no-shows/look-up", token_from="/staff/no-shows", sought="13800138000")
    assert "Nobody is registered" in page.text
    page = browser.send("/staff/no-shows/look-up", token_from="/staff/no-shows", sought=here.someone.login)
    assert "陈**" in page.text
    assert "陈晓梅" not in page.text
    who = page.hidden("resident_id")
    days = {"from_day": "2026-09-10", "until_day": "2026-09-01"}
    path, said = "/staff/no-shows/exemptions", {"resident_id": who, "ground": "illness"}
    page = browser.send(path, status=422, token_from="/staff/no-shows", **said, **days)
    assert page.hidden("resident_id") == who
    page = browser.send(path, token_from="/staff/no-shows", **said, from_day="2026-09-10")
    assert "Illness" in page.text
    (address,) = page.tree.xpath("//form[contains(@action, '/end')]/@action")
    page = browser.send(address, token_from="/staff/no-shows")
    assert "Nobody is exempt" in page.text


def test_pages_are_as_many_queries_for_many_rows_as_for_one(here: District, queries: Counter) -> None:
    here.rule()
    browsers = {
        "/my/no-shows": here.world.browser(here.someone),
        "/desk/appeals": here.world.browser(here.administrator),
        "/staff/no-shows": here.world.browser(here.administrator),
    }
    counts: dict[str, list[int]] = {path: [] for path in browsers}
    for earlier in (0, 1):
        for number in here.miss_three(earlier=earlier):
            here.someone.api.post(f"/bookings/{number}/appeal", {"words": "我在场"})
        here.exempt(days_ago=-1)
        follow()
        for path, browser in browsers.items():
            browser.get(path)  # the first look of the day is noted
            queries.clear()
            browser.get(path)
            counts[path].append(len(queries))
        here.programme = here.world.programme()
    assert all(one == many for one, many in counts.values()), counts


def test_long_ago_it_is_no_longer_shown_but_for_what_was_said_to_it(here: District) -> None:
    here.rule()
    said, _ = here.miss(3), here.miss(4)
    here.someone.api.post(f"/bookings/{said}/appeal", {"words": "我在场"})
    with clock.frozen(NOW + 100 * DAY):
        page = here.world.browser(here.someone).get("/my/no-shows")
        assert len(page.tree.xpath("//main//h2")) == 1
        assert "我在场" in page.text
        assert "it is long ago" in page.text
