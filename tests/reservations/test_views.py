"""Rooms and halls as pages: found, looked at, reserved, moved, given back."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from facilities.infra.db import db, unit_of_work
from facilities.kernel import clock
from facilities.places.models import SpaceKind
from facilities.reservations import services
from facilities.reservations.models import Reservation, ReservationState
from tests.client import Page
from tests.reservations.rooms import NINE_TO_SIX, at, close, facility_of, reserve, room
from tests.world import PASSWORD, World


def starts(page: Page) -> list[str]:
    """The times on the big buttons."""
    buttons = page.tree.xpath("//nav[@class='filters']/a | //form[@class='filters']/button")
    return [button.text_content().split()[0] for button in buttons]


def made() -> list[Reservation]:
    db.session.rollback()
    return list(db.session.scalars(select(Reservation).order_by(Reservation.id)))


# -- finding


def test_the_soonest_room_comes_first_and_leads_to_its_day(world: World) -> None:
    facility, other = world.facility(hours=NINE_TO_SIX), world.facility(hours=NINE_TO_SIX)
    busy, free = room(world, facility), room(world, other, capacity=12)
    reserve(world.resident(), busy, "16 10:00-12:00")
    page = world.browser().get("/rooms?minutes=60")
    cards = page.tree.xpath("//li[contains(@class, 'session-card')]")
    assert [card.xpath(".//h3")[0].text_content() for card in cards] == [free.name_en, busy.name_en]
    assert "10:00–11:00" in cards[0].text_content()
    assert "12 people" in cards[0].text_content()
    assert "12:00–13:00" in cards[1].text_content()
    assert f"/spaces/{busy.id}?day=2026-09-16&minutes=60" in page.links
    assert "2 hours" in page.text


def test_rooms_are_narrowed_to_a_day_and_a_place(world: World) -> None:
    facility, other = world.facility(hours=NINE_TO_SIX), world.facility(hours=NINE_TO_SIX)
    wanted, foreign = room(world, facility), room(world, other)
    page = world.browser().get(f"/rooms?minutes=90&day=2026-09-18&facility={facility.id}")
    assert wanted.name_en in page.text
    assert foreign.name_en not in page.text
    assert "09:00–10:30" in page.text


def test_it_is_said_where_nothing_is_free_and_what_to_do(world: World) -> None:
    facility = world.facility(hours=NINE_TO_SIX)
    room(world, facility)
    close(facility, "16 00:00-00:00")
    page = world.browser().get("/rooms?minutes=180&facility=999")
    assert "Choose a shorter time, another day" in page.text


@pytest.mark.parametrize(
    "query", ["day=never", "day=0001-01-01", "day=2189-12-31", "minutes=0", "minutes=x", "minutes=99999", "facility=x"]
)
def test_nonsense_in_the_address_of_the_search_is_left_aside(world: World, query: str) -> None:
    space = room(world)
    browser = world.browser()
    browser.get(f"/rooms?{query}")
    browser.get(f"/spaces/{space.id}?{query}")


# -- a space's page


def test_a_day_of_a_space_shows_when_one_can_begin(world: World) -> None:
    facility = world.facility(hours=NINE_TO_SIX)
    space = room(world, facility)
    reserve(world.resident(), space, "17 09:00-12:00")
    world.session(facility, starts_at=at("17 13:00"), lasts=timedelta(hours=3, minutes=30), space_id=space.id)
    browser = world.browser()
    page = browser.get(f"/spaces/{space.id}?day=2026-09-17&minutes=60")
    assert starts(page) == ["12:00", "16:30", "17:00"]
    assert f"/spaces/{space.id}/reserve?start=2026-09-17T12:00&minutes=60" in page.links
    assert starts(browser.get(f"/spaces/{space.id}?day=2026-09-17&minutes=90")) == ["16:30"]
    assert "Nothing is free for so long" in browser.get(f"/spaces/{space.id}?day=2026-09-17&minutes=120").text
    assert starts(browser.get(f"/spaces/{space.id}?minutes=60"))[:2] == ["10:00", "10:30"]  # from now on


def test_the_week_of_a_space_shows_when_it_is_free(world: World) -> None:
    facility = world.facility(hours=NINE_TO_SIX)
    space = room(world, facility)
    reserve(world.resident(), space, "17 11:00-12:00")
    close(facility, "18 00:00-00:00")
    week = world.browser().get(f"/spaces/{space.id}").tree.xpath("//section[@aria-labelledby='week-heading']//li")
    said = [" ".join(row.text_content().split()) for row in week]
    assert said[:5] == [
        "Wed 16 Sep Free: 10:00–18:00",
        "Thu 17 Sep Free: 09:00–11:00, 12:00–18:00",
        "Fri 18 Sep Nothing free",
        "Sat 19 Sep Free: 09:00–18:00",
        "Sun 20 Sep Nothing free",
    ]
    later = world.browser().get(f"/spaces/{space.id}?day=2026-10-15")
    assert "Thu 15 Oct Free: 09:00–18:00" in later.text
    assert "Sat 17 Oct Cannot be reserved yet" in later.text


def test_a_free_day_of_a_space_that_is_always_open_ends_at_midnight(world: World) -> None:
    page = world.browser().get(f"/spaces/{room(world, world.facility(), rules=None).id}?day=2026-09-17")
    assert "Thu 17 Sep Free: 00:00–24:00" in page.text
    assert starts(page)[-1] == "23:30"


def test_a_space_that_is_not_reserved_here_says_so(world: World) -> None:
    space = room(world, kind=SpaceKind.CONSULTING_ROOM, reservable=False)
    page = world.browser().get(f"/spaces/{space.id}")
    assert "not reserved here" in page.text
    assert starts(page) == []


def test_a_facilitys_page_leads_to_the_spaces_that_can_be_reserved(world: World) -> None:
    facility = world.facility(hours=NINE_TO_SIX)
    space, other = room(world, facility), room(world, facility, reservable=False)
    links = world.browser().get(f"/facilities/{facility.id}").links
    assert f"/spaces/{space.id}" in links
    assert f"/spaces/{other.id}" not in links
    assert f"/rooms?facility={facility.id}" in links


# -- reserving


def test_a_room_is_reserved_for_a_child_shown_and_given_back(world: World) -> None:
    mother, space = world.resident(), room(world)
    child = world.member(mother, name="陈子轩")
    browser = world.browser(mother)
    form = f"/spaces/{space.id}/reserve?start=2026-09-17T14:00&minutes=90"
    page = browser.get(form)
    assert "14:00–15:30" in page.text
    assert "陈子轩" in page.text
    page = browser.send(form, token_from=form, resident_id=child, purpose="生日会")
    (reservation,) = made()
    assert (reservation.resident_id, reservation.starts_at, reservation.ends_at) == (
        child,
        at("17 14:00"),
        at("17 15:30"),
    )
    assert "It is yours" in page.text
    assert reservation.reference in page.text
    mine = browser.get("/my/reservations")
    assert reservation.reference in mine.text
    action = mine.tree.xpath("//form[contains(@action, '/cancel')]/@action")[0]
    assert "free for somebody else" in browser.send(action, token_from="/my/reservations").text
    browser.send(action, token_from="/my/reservations")
    assert [r.state for r in made()] == [ReservationState.CANCELLED]
    assert browser.get("/my/reservations").tree.xpath("//details//a[contains(@href, '/reservations/')]")


def test_a_form_that_is_sent_twice_reserves_once(world: World) -> None:
    someone, space = world.resident(), room(world)
    browser = world.browser(someone)
    form = f"/spaces/{space.id}/reserve?start=2026-09-17T14:00&minutes=60"
    key = browser.get(form).hidden("idempotency_key")
    fields = {"resident_id": someone.resident_id, "purpose": "排练", "idempotency_key": key}
    pages = [browser.send(form, token_from=form, **fields) for _ in range(2)]
    assert pages[0].text == pages[1].text
    assert len(made()) == 1


def test_a_refusal_is_said_on_the_form_and_what_was_typed_stays(world: World) -> None:
    someone, space = world.resident(), room(world)
    reserve(world.resident(), space, "17 14:00-15:00")
    form = f"/spaces/{space.id}/reserve?start=2026-09-17T14:30&minutes=60"
    page = world.browser(someone).send(
        form, status=409, token_from=form, resident_id=someone.resident_id, purpose="合唱排练"
    )
    assert "already taken at that time" in page.text
    assert "合唱排练" in page.html
    assert len(made()) == 1


def test_what_is_missing_is_said_beside_the_field(world: World) -> None:
    someone, space = world.resident(), room(world)
    form = f"/spaces/{space.id}/reserve?start=2026-09-17T14:30&minutes=60"
    page = world.browser(someone).send(form, status=422, token_from=form, resident_id=someone.resident_id, purpose=" ")
    assert page.tree.xpath("//*[@id='purpose-error']")
    assert made() == []


@pytest.mark.parametrize(
    "query",
    [
        "",
        "start=2026-09-17T14:30",
        "start=2026-09-17T25:00&minutes=60",
        "start=2026-09-17T24:00&minutes=60",
        "start=2026-13-17T14:30&minutes=60",
        "start=2026-09-17&minutes=60",
        "start=never&minutes=60",
        "start=2026-09-17T14:30&minutes=0",
        "start=2026-09-17T14:30&minutes=-60",
        "start=2026-09-17T14:30&minutes=999999",
    ],
)
def test_a_time_that_is_none_leads_back_to_the_space(world: World, query: str) -> None:
    someone, space = world.resident(), room(world)
    answer = world.browser(someone).raw(f"/spaces/{space.id}/reserve?{query}")
    assert (answer.status_code, answer.headers["Location"]) == (302, f"/spaces/{space.id}")


def test_who_is_not_signed_in_comes_back_to_the_chosen_time(world: World) -> None:
    someone, space = world.resident(), room(world)
    browser = world.browser()
    sign_in = browser.raw(f"/spaces/{space.id}/reserve?start=2026-09-17T14:00&minutes=60").headers["Location"]
    back = browser.get(sign_in).hidden("next")
    page = browser.send("/sign-in", login=someone.login, password=PASSWORD, next=back)
    assert "14:00–15:00" in page.text
    assert page.tree.xpath("//form[contains(@action, '/reserve')]")


def test_other_peoples_reservations_and_residents_do_not_exist(world: World) -> None:
    someone, other, space = world.resident(), world.resident(), room(world)
    reservation = reserve(someone, space, "17 14:00-15:00")
    browser = world.browser(other)
    for path in ("", "/move"):
        browser.get(f"/reservations/{reservation.id}{path}", status=404)
    browser.send(f"/reservations/{reservation.id}/move", status=404, start="2026-09-18T14:00", minutes=60)
    browser.send(f"/reservations/{reservation.id}/cancel", status=404)
    form = f"/spaces/{space.id}/reserve?start=2026-09-18T14:00&minutes=60"
    for nobody in (someone.resident_id, "abc", "0"):
        browser.send(form, status=404, token_from=form, resident_id=nobody, purpose="x")
    assert [(r.state, r.starts_at) for r in made()] == [(ReservationState.CONFIRMED, at("17 14:00"))]


# -- moving and giving back


def test_moving_starts_from_the_day_and_length_and_its_own_time_is_free(world: World) -> None:
    someone, space = world.resident(), room(world)
    reservation = reserve(someone, space, "17 14:00-15:30")
    reserve(world.resident(), space, "17 09:00-12:00")
    browser = world.browser(someone)
    form = f"/reservations/{reservation.id}/move"
    page = browser.get(form)
    assert starts(page) == ["12:00", "12:30", "13:00", "13:30", "14:00", "14:30", "15:00", "15:30", "16:00", "16:30"]
    page = browser.send(form, token_from=form, start="2026-09-17T14:30", minutes=90)
    assert "yours at the new time" in page.text
    moved = world.fresh(reservation)
    assert (moved.starts_at, moved.ends_at) == (at("17 14:30"), at("17 16:00"))


@pytest.mark.parametrize(
    ("start", "said"),
    [
        ("2026-09-17T09:30", "already taken"),
        ("2026-09-17T17:30", "not open at that time"),
        ("never", "Move to another"),
    ],
)
def test_a_refused_move_is_said_and_leaves_the_reservation(world: World, start: str, said: str) -> None:
    someone, space = world.resident(), room(world)
    reservation = reserve(someone, space, "17 14:00-15:00")
    reserve(world.resident(), space, "17 09:00-10:00")
    form = f"/reservations/{reservation.id}/move"
    page = world.browser(someone).send(
        form, status=200 if start == "never" else 409, token_from=form, start=start, minutes=60
    )
    assert said in page.text
    assert world.fresh(reservation).starts_at == at("17 14:00")


def test_what_has_begun_has_no_buttons_any_more(world: World) -> None:
    someone, space = world.resident(), room(world)
    reservation = reserve(someone, space, "17 14:00-15:00")
    with clock.frozen(at("17 14:30")):
        browser = world.browser(someone)
        page = browser.get(f"/reservations/{reservation.id}")
        assert not page.tree.xpath("//form[contains(@action, '/cancel')]")
        assert f"/reservations/{reservation.id}/move" not in page.links
        assert "cannot be moved any more" in browser.get(f"/reservations/{reservation.id}/move").text
        refused = browser.send(f"/reservations/{reservation.id}/cancel", status=409)
        assert "Cancelling was possible until" in refused.text


def test_what_the_place_called_off_stands_first_with_the_reason(world: World) -> None:
    someone, space = world.resident(), room(world)
    reservation = reserve(someone, space, "17 14:00-15:00")
    manager = world.manager(facility_of(space))
    unit_of_work(lambda: services.cancel_by_staff(manager.actor, [reservation.id], "停电检修"))
    page = world.browser(someone).get("/my/reservations")
    assert "停电检修" in page.tree.xpath("//div[@class='refused']")[0].text_content()


def test_who_has_nothing_reserved_is_shown_the_way(world: World) -> None:
    page = world.browser(world.resident()).get("/my/reservations")
    assert "You have nothing reserved" in page.text
    assert "/rooms" in page.links
