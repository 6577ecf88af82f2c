"""The page of one's messages."""

from datetime import timedelta

from facilities.notices.views import ON_A_PAGE
from tests.world import World


def test_a_new_message_is_marked_in_words_and_leads_to_what_it_is_about(world: World) -> None:
    someone, session = world.resident(), world.session(title_en="Bamboo weaving")
    booking = world.book(someone, session)
    world.administrator().api.post(f"/sessions/{session.id}/cancel", {"reason": "停电"}, status=200)
    browser = world.browser(someone)
    page = browser.get("/my/messages")
    new, old = page.tree.xpath("//main//li")
    assert "New" in new.text_content()
    assert "停电" in new.text_content()
    assert "陈晓梅" in new.text_content()
    assert "New" not in old.text_content()
    assert page.links.count(f"/bookings/{booking.id}") == 2
    page = browser.send("/my/messages/read", token_from="/my/messages")
    assert "You have read everything" in page.text
    assert not page.tree.xpath("//main//*[contains(@class, 'is-new')]")
    assert not page.tree.xpath("//main//form")


def test_who_has_no_messages_is_told_so(world: World) -> None:
    page = world.browser(world.resident()).get("/my/messages")
    assert "No messages yet" in page.text


def test_a_message_about_somebody_who_left_names_nobody_and_leads_nowhere(world: World) -> None:
    mother, session = world.resident(), world.session()
    child = world.member(mother, name="陈子轩")
    world.book(mother, session, child)
    mother.api.delete(f"/residents/{child}")
    page = world.browser(mother).get("/my/messages")
    assert "陈子轩" not in page.text
    assert not [link for link in page.links if link.startswith("/bookings/")]


def test_older_messages_are_on_the_next_page(world: World) -> None:
    someone = world.resident()
    for _ in range(ON_A_PAGE + 1):
        world.book(someone, world.session(starts_in=timedelta(hours=2 * world.number())))
    browser = world.browser(someone)
    first = browser.get("/my/messages")
    assert len(first.tree.xpath("//main//li")) == ON_A_PAGE
    (older,) = (link for link in first.links if "cursor=" in link)
    assert len(browser.get(older).tree.xpath("//main//li")) == 1
    browser.get("/my/messages?cursor=nonsense", status=404)
    assert world.browser().raw("/my/messages").status_code == 302
