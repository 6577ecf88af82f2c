"""Pages of a draw: opened at the desk, entered by a household, held, and explained to everyone."""

from datetime import timedelta
from typing import Any

from facilities.draws import services
from facilities.draws.models import Draw
from facilities.engine.draws import WeightRule
from facilities.engine.eligibility import Audience
from facilities.infra.db import unit_of_work
from facilities.kernel import clock
from facilities.programmes.models import ActivitySession
from tests.client import Page
from tests.conftest import NOW
from tests.world import World

CLOSES = NOW + timedelta(days=1)


def opened(world: World, *sessions: ActivitySession, weights: WeightRule | None = None) -> Draw:
    actor, ids = world.administrator().actor, [s.id for s in sessions]
    return unit_of_work(lambda: services.open_draw(actor, ids, "秋季书法", CLOSES, weights or WeightRule()))


def boxes(page: Page) -> list[str]:
    return [str(value) for value in page.tree.xpath("//input[@name='resident_ids']/@value")]


def test_a_manager_opens_a_draw_for_chosen_sessions(world: World) -> None:
    facility = world.facility()
    first, second = world.session(facility), world.session(facility, starts_in=timedelta(days=4))
    booked = world.session(facility, starts_in=timedelta(days=5))
    world.book(world.resident(), booked)
    browser = world.browser(world.manager(facility))
    page = browser.get("/desk/draws/new")
    offered = page.tree.xpath("//input[@name='session_ids']/@value")
    assert offered == [str(first.id), str(second.id)]
    page = browser.send(
        "/desk/draws/new",
        token_from="/desk/draws/new",
        session_ids=offered,
        title="秋季书法",
        day="2026-09-17",
        time="20:00",
        halve_per_win="y",
        elders="150",
    )
    assert "The draw is open" in page.text
    assert "150 per cent" in page.text
    assert "stand" in page.text
    assert world.fresh(first).awaits_draw
    assert world.fresh(second).draw_id == first.draw_id


def test_what_is_wrong_is_said_beside_the_field(world: World) -> None:
    facility = world.facility()
    session = world.session(facility)
    browser = world.browser(world.manager(facility))
    right: dict[str, Any] = {"session_ids": [session.id], "title": "书法", "day": "2026-09-17", "time": "20:00"}
    for wrong, says in (
        ({"session_ids": []}, "Choose at least one session"),
        ({"day": "2026-09-15"}, "in the future"),
        ({"day": "2026-09-30"}, "before booking for the first session"),
        ({"day": "9999-12-31"}, "too far away"),
        ({"elders": "0"}, "from 1 to 1000"),
        ({"title": " "}, "This is needed"),
    ):
        page = browser.send("/desk/draws/new", status=422, token_from="/desk/draws/new", **{**right, **wrong})
        assert says in page.tree.xpath("string(//main)"), wrong
        assert page.tree.xpath("//p[@class='wrong']"), wrong
    assert world.fresh(session).draw_id is None


def test_where_there_is_nothing_to_draw_the_page_says_so(world: World) -> None:
    page = world.browser(world.manager(world.facility())).get("/desk/draws/new")
    assert "no coming session here without bookings" in page.text
    world.browser(world.resident()).get("/desk/draws/new", status=403)


def test_a_household_enters_looks_at_its_ticket_and_withdraws(world: World) -> None:
    draw, mother = opened(world, world.session()), world.resident()
    child = world.member(mother)
    browser, address = world.browser(mother), f"/draws/{draw.id}"
    assert boxes(browser.get(address)) == [str(mother.resident_id), str(child)]
    page = browser.send(f"{address}/enter", token_from=address, resident_ids=[mother.resident_id, child])
    assert "You are in the draw" in page.text
    assert "陈晓梅 · 陈子轩" in page.text
    entry = unit_of_work(lambda: services.queries.own_entries(mother.actor, draw.id))[0]
    assert entry.reference in page.text
    assert entry.entry_hash in page.text
    page = browser.get(address)
    assert boxes(page) == []
    assert "My ticket" in page.text
    assert entry.reference not in page.text
    page = browser.send(f"/draws/entries/{entry.id}/withdraw", token_from=f"/draws/entries/{entry.id}")
    assert "withdrawn" in page.text
    assert len(boxes(page)) == 2


def test_who_cannot_enter_is_shown_with_the_reason(world: World) -> None:
    draw, mother = opened(world, world.session(audience=Audience(max_age=12))), world.resident()
    child = world.member(mother)
    page = world.browser(mother).get(f"/draws/{draw.id}")
    assert boxes(page) == [str(child)]
    assert page.tree.xpath("//input[@name='resident_ids' and @checked]")
    assert "up to 12 years of age" in page.text


def test_a_refusal_is_said_on_the_draws_own_page(world: World) -> None:
    draw, someone = opened(world, world.session(capacity=1)), world.resident()
    child = world.member(someone)
    browser, address = world.browser(someone), f"/draws/{draw.id}"
    page = browser.send(f"{address}/enter", 409, address, resident_ids=[someone.resident_id, child])
    assert "too few for all of you" in page.text
    page = browser.send(f"{address}/enter", 409, address)
    assert "Choose at least one person" in page.text
    browser.send(f"{address}/enter", 404, address, resident_ids=[world.resident().resident_id])


def test_other_peoples_tickets_do_not_exist(world: World) -> None:
    draw, someone, other = opened(world, world.session()), world.resident(), world.resident()
    entry = unit_of_work(lambda: services.enter(someone.actor, draw.id, [someone.resident_id]))
    browser = world.browser(other)
    browser.get(f"/draws/entries/{entry.id}", status=404)
    browser.send(f"/draws/entries/{entry.id}/withdraw", status=404)
    assert entry.entry_hash not in browser.get(f"/draws/{draw.id}").text


def test_staff_hold_the_draw_and_everyone_reads_how_it_came_out(world: World) -> None:
    facility = world.facility()
    session = world.session(facility, capacity=1)
    draw = opened(world, session)
    people = [world.resident() for _ in range(2)]
    for person in people:
        unit_of_work(lambda who=person: services.enter(who.actor, draw.id, [who.resident_id]))  # type: ignore[misc]
    address, anyone = f"/draws/{draw.id}", world.browser()
    manager, foreign = world.manager(facility), world.manager(world.facility())
    assert draw.seed not in anyone.get(address).text
    with clock.frozen(CLOSES):
        browser = world.browser(manager)
        page = browser.get(address)
        assert "Hold the draw now" in page.text
        assert draw.seed not in page.text
        assert "Hold the draw now" not in world.browser(foreign).get(address).text
        world.browser(foreign).send(f"{address}/hold", status=403)
        page = browser.send(f"{address}/hold", token_from=address)
        assert "everyone is told" in page.text
        assert "Hold the draw now" not in page.text
        seen = anyone.get(address)
        check = anyone.get(f"{address}/check")
        results = [world.browser(person).get(address).text for person in people]
        messages = [world.browser(person).get("/my/messages") for person in people]
    for page in (seen, check):
        assert draw.seed in page.text
        assert draw.commitment in page.text
        assert len(page.tree.xpath("//table/tbody/tr")) == 2
        assert "陈晓梅" not in page.text
    assert f"{address}/recompute.py" in check.links
    assert f"/api/v1{address}" in check.links
    assert sorted("you have places" in text for text in results) == [False, True]
    assert all(address in page.links for page in messages)


def test_the_page_that_explains_is_there_from_the_start(world: World) -> None:
    draw = opened(world, world.session(), weights=WeightRule(halve_per_win=True, priority={"children": 150}))
    page = world.browser().get(f"/draws/{draw.id}/check")
    assert draw.commitment in page.text
    assert draw.seed not in page.text
    assert draw.reference in page.text
    script = world.browser().raw(f"/draws/{draw.id}/recompute.py")
    assert (script.status_code, script.mimetype) == (200, "text/x-python")
    assert world.browser().raw("/draws/987654/recompute.py").status_code == 404
