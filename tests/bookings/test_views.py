"""A session's page, one's own bookings, and calling a session off."""

from datetime import date, timedelta

from facilities.bookings.models import BookingState
from facilities.engine.eligibility import Audience
from facilities.kernel import clock
from tests.world import World


def test_a_place_is_booked_shown_and_given_back(world: World) -> None:
    someone, session = world.resident(), world.session(title_en="Bamboo weaving", capacity=3)
    browser = world.browser(someone)
    page = browser.send(
        f"/sessions/{session.id}/book", token_from=f"/sessions/{session.id}", resident_id=someone.resident_id
    )
    assert "See you there" in page.text
    assert world.fresh(session).places_taken == 1
    mine = browser.get("/my/bookings")
    assert "Bamboo weaving" in mine.text
    action = mine.tree.xpath("//form[contains(@action, '/cancel')]/@action")[0]
    assert "free for somebody else" in browser.send(action, token_from="/my/bookings").text
    assert world.fresh(session).places_taken == 0
    browser.send(action, token_from="/my/bookings")
    assert world.fresh(session).places_taken == 0


def test_who_cannot_come_is_shown_with_the_reason(world: World) -> None:
    someone = world.resident(birth_date=date(1988, 4, 12))
    world.member(someone, name="陈子轩")
    session = world.session(audience=Audience(max_age=12))
    page = world.browser(someone).get(f"/sessions/{session.id}")
    assert "up to 12 years of age" in page.text
    buttons = page.tree.xpath("//button[@name='resident_id']")
    assert [b.text_content().split()[0] for b in buttons] == ["陈子轩My"] or len(buttons) == 1


def test_a_refusal_is_said_on_the_sessions_own_page(world: World) -> None:
    someone, session = world.resident(), world.session(capacity=1)
    browser = world.browser(someone)
    browser.get(f"/sessions/{session.id}")
    world.book(world.resident(), session)
    page = browser.send(
        f"/sessions/{session.id}/book",
        status=409,
        token_from=f"/sessions/{session.id}",
        resident_id=someone.resident_id,
    )
    assert "All places are taken" in page.text


def test_foreign_bookings_and_residents_do_not_exist(world: World) -> None:
    session, someone, other = world.session(), world.resident(), world.resident()
    booking = world.book(someone, session)
    browser = world.browser(other)
    browser.get(f"/bookings/{booking.id}", status=404)
    browser.send(f"/bookings/{booking.id}/cancel", status=404)
    browser.send(f"/sessions/{session.id}/book", status=404, resident_id=someone.resident_id)
    assert world.fresh(booking).state is BookingState.CONFIRMED


def test_calling_a_session_off_tells_those_who_booked_why(world: World) -> None:
    facility = world.facility()
    session, someone = world.session(facility), world.resident()
    booking = world.book(someone, session)
    page = world.browser(world.manager(facility)).send(
        f"/desk/sessions/{session.id}/cancel", token_from=f"/desk/sessions/{session.id}/cancel", reason="老师生病了"
    )
    assert "every booking with it" in page.text
    assert world.fresh(booking).state is BookingState.CANCELLED
    assert world.fresh(session).places_taken == 0
    assert "老师生病了" in world.browser(someone).get("/my/bookings").text


def test_a_past_booking_is_folded_away(world: World) -> None:
    someone, session = world.resident(), world.session(starts_in=timedelta(hours=1))
    world.book(someone, session)
    with clock.frozen(clock.now() + timedelta(days=2)):
        page = world.browser(someone).get("/my/bookings")
    assert page.tree.xpath("//details//a[contains(@href, '/bookings/')]")
    assert "nothing booked" in page.text


def test_a_cancel_is_taken_back_by_one_tap_while_there_is_a_place(world: World) -> None:
    someone, session = world.resident(), world.session(capacity=1)
    booking = world.book(someone, session)
    browser = world.browser(someone)
    page = browser.send(f"/bookings/{booking.id}/cancel", token_from="/my/bookings")
    again = page.tree.xpath("//main//form[contains(@action, '/book')]")
    assert again
    page = browser.send(again[0].get("action"), resident_id=page.hidden("resident_id"))
    assert "See you there" in page.text
    assert world.fresh(session).places_taken == 1
    assert "book again" not in browser.get(f"/bookings/{booking.id}").text  # nothing is left to take


def test_who_has_a_place_ahead_does_not_leave_the_household(world: World) -> None:
    """Nobody would be left who could give the place back."""
    someone = world.resident()
    child = world.member(someone)
    booking = world.book(someone, world.session(), child)
    browser = world.browser(someone)
    page = browser.send(f"/me/family/{child}/remove", status=409, token_from="/me")
    assert "Give that back first" in page.text
    browser.send(f"/bookings/{booking.id}/cancel", token_from="/my/bookings")
    assert "Removed" in browser.send(f"/me/family/{child}/remove", token_from="/me").text


def test_what_the_place_cancelled_stays_in_sight_until_the_day_is_over(world: World) -> None:
    facility = world.facility()
    session, someone = world.session(facility), world.resident()
    world.book(someone, session)
    world.manager(facility).api.post(f"/sessions/{session.id}/cancel", {"reason": "停电"}, status=200)
    page = world.browser(someone).get("/my/bookings")
    assert "停电" in page.tree.xpath("//div[@class='refused']")[0].text_content()
    with clock.frozen(clock.now() + timedelta(days=5)):
        assert not world.browser(someone).get("/my/bookings").tree.xpath("//div[@class='refused']")
