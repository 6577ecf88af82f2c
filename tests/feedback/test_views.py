"""The pages: five tiles for who was there, and for staff what was said, without names."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from facilities.bookings.models import Booking
from facilities.engine.roll_call import EventKind
from facilities.infra.db import db
from facilities.kernel import clock
from tests.client import Page
from tests.conftest import NOW
from tests.feedback.classes import LATER, Class
from tests.world import World

WORDS = ["Very good", "Good", "All right", "Not so good", "Not good"]


@pytest.fixture
def here(world: World) -> Class:
    return Class.attended_by(world, 1)


def address(here: Class, number: int = 0) -> str:
    return f"/bookings/{here.bookings[number]}/feedback"


def tiles(page: Page) -> list[tuple[str, str, bool]]:
    """Value, words and whether it is chosen; each with a sign, and tied to its box."""
    found = []
    for label in page.tree.xpath("//label[contains(@class, 'rating')]"):
        (box,) = page.tree.xpath(f"//input[@id='{label.get('for')}']")
        assert box.get("type") == "radio"
        assert label.xpath(".//svg")
        found.append((box.get("value"), " ".join(label.text_content().split()), box.get("checked") is not None))
    return found


def test_five_tiles_have_words_and_signs_and_none_is_chosen_beforehand(here: Class) -> None:
    page = here.world.browser(here.people[0]).get(address(here))
    assert tiles(page) == [(str(5 - n), words, False) for n, words in enumerate(WORDS)]
    assert "(optional)" in page.text
    assert "陈晓梅" in page.text


def test_the_booking_leads_there_once_it_was_attended(here: Class) -> None:
    here.one_more(kind=None)
    assert address(here) in here.world.browser(here.people[0]).get(f"/bookings/{here.bookings[0]}").links
    assert address(here, 1) not in here.world.browser(here.people[1]).get(f"/bookings/{here.bookings[1]}").links


def test_whoever_answers_is_thanked_and_can_change_it(here: Class) -> None:
    browser = here.world.browser(here.people[0])
    page = browser.send(address(here), token_from=address(here), rating="4", words="老师很耐心\r\n下次还来")
    assert page.response.request.path == address(here)
    assert "Thank you" in page.text
    assert here.said() == [(here.bookings[0], 4, "老师很耐心\r\n下次还来")]
    assert [words for _, words, chosen in tiles(page) if chosen] == ["Good"]
    assert "Possible until" in page.text
    page = browser.send(address(here), token_from=address(here), rating="5", words="")
    assert here.said() == [(here.bookings[0], 5, None)]


def test_without_a_choice_it_is_asked_for_beside_the_tiles_and_the_words_stay(here: Class) -> None:
    browser = here.world.browser(here.people[0])
    for wrong in ({}, {"rating": "6"}, {"rating": "four"}):
        page = browser.send(address(here), status=422, token_from=address(here), words="老师很耐心", **wrong)
        (fieldset,) = page.tree.xpath("//fieldset[.//input[@name='rating']]")
        (error,) = page.tree.xpath("//p[@class='wrong']")
        assert fieldset.get("aria-describedby") == error.get("id")
        assert page.tree.xpath("//textarea[@name='words']")[0].text_content().strip() == "老师很耐心"
    assert here.said() == []


def test_what_is_too_long_opens_the_form_again_also_where_something_was_said(here: Class) -> None:
    here.say(0, 4)
    browser = here.world.browser(here.people[0])
    page = browser.send(address(here), status=422, token_from=address(here), rating="5", words="好" * 501)
    assert page.tree.xpath("//details[@open]")
    assert "at most 500" in page.text


def test_after_two_weeks_it_is_shown_and_not_asked_again(here: Class) -> None:
    here.say(0, 4, "老师很耐心")
    with clock.frozen(NOW + timedelta(days=13)):
        browser = here.world.browser(here.people[0])
    with clock.frozen(NOW + timedelta(days=15)):
        page = browser.get(address(here))
        assert "老师很耐心" in page.text
        assert tiles(page) == []
        page = browser.send(address(here), status=409, token_from="/me", rating="1")
        assert "The time for changing this answer is over" in page.text
    assert here.said() == [(here.bookings[0], 4, "老师很耐心")]


def test_who_was_not_there_is_told_why_not(here: Class) -> None:
    here.one_more(EventKind.ABSENT)
    page = here.world.browser(here.people[1]).get(address(here, 1), status=409)
    assert "Only who was there can say how it was" in page.text


def test_it_is_nobody_elses(here: Class) -> None:
    for someone in (here.world.resident(), here.manager):
        here.world.browser(someone).get(address(here), status=404)


def test_sent_twice_it_is_said_once(here: Class) -> None:
    browser = here.world.browser(here.people[0])
    for _ in range(2):
        browser.send(address(here), token_from=address(here), rating="4", idempotency_key="the-same")
    assert len(here.said()) == 1


# -- for staff


def told(here: Class) -> Page:
    return here.world.browser(here.manager).get(f"/desk/sessions/{here.session.id}/feedback")


def test_too_few_answers_are_not_shown_not_even_how_many(here: Class) -> None:
    for rating in (5, 1):
        page = told(here)
        assert "Too few answers to show" in page.text
        assert page.tree.xpath("//dl") == []
        here.one_more()
        here.say(len(here.people) - 1, rating, "很挤")
    assert "很挤" not in told(here).text


def test_staff_read_the_number_the_mean_and_the_words_without_a_name(world: World) -> None:
    here = Class.attended_by(world, 4)
    for number, (rating, words) in enumerate([(1, "太挤"), (5, "很好"), (4, None), (5, "下次还来")]):
        here.say(number, rating, words)
    page = told(here)
    assert [dd.text_content() for dd in page.tree.xpath("//dl[@class='numbers']//dd")] == ["4", "3.8"]
    comments = [p.text_content() for p in page.tree.xpath("//li/p[@class='as-typed']")]
    assert comments == ["下次还来", "很好", "太挤"]
    assert "陈晓梅" not in page.html
    references = db.session.scalars(select(Booking.reference).where(Booking.id.in_(here.bookings))).all()
    assert not any(reference in page.html for reference in references)


def test_another_facilitys_manager_does_not_read_it(here: Class) -> None:
    other = here.world.manager(here.world.facility())
    here.world.browser(other).get(f"/desk/sessions/{here.session.id}/feedback", status=403)
    here.world.browser(here.people[0]).get(f"/desk/sessions/{here.session.id}/feedback", status=403)


def test_the_roll_and_the_session_lead_there_once_it_is_over(here: Class) -> None:
    address = f"/desk/sessions/{here.session.id}/feedback"
    pages = (f"/desk/sessions/{here.session.id}/roll", f"/sessions/{here.session.id}")
    browser = here.world.browser(here.manager)
    assert [address in browser.get(page).links for page in pages] == [False, False]
    with clock.frozen(LATER):
        assert [address in browser.get(page).links for page in pages] == [True, True]
