"""The desk: today, and the roll."""

import re
from datetime import timedelta

from facilities.attendance import queries
from facilities.bookings.models import BookingState
from facilities.engine.roll_call import AttendanceState
from facilities.kernel import clock
from facilities.programmes.models import SessionStatus
from tests.client import Browser, Page
from tests.world import World


def roll(browser: Browser, session_id: int) -> Page:
    return browser.get(f"/desk/sessions/{session_id}/roll")


def tap(browser: Browser, page: Page, session_id: int, resident_id: int, kind: str, status: int = 200) -> Page:
    """Press the button of a row, with the hidden fields that the page gave it."""
    (button,) = page.tree.xpath(f"//li[@id='resident-{resident_id}']//button[@value='{kind}']")
    form = button.xpath("ancestor::form[1]")[0]
    fields = {i.get("name"): i.get("value") for i in form.xpath(".//input[@name!='csrf_token']")}
    return browser.send(
        f"/desk/sessions/{session_id}/tick",
        status=status,
        token_from=f"/desk/sessions/{session_id}/roll",
        kind=kind,
        **fields,
    )


def test_one_tap_marks_somebody_present_and_a_second_takes_it_back(world: World) -> None:
    facility = world.facility()
    session, someone = world.session(facility, starts_in=timedelta(minutes=30)), world.resident(name="罗玉兰")
    booking = world.book(someone, session)
    browser = world.browser(world.manager(facility))
    page = tap(browser, roll(browser, session.id), session.id, someone.resident_id, "present")
    assert world.fresh(booking).state is BookingState.ATTENDED
    assert world.fresh(session).status is SessionStatus.HELD
    page = tap(browser, page, session.id, someone.resident_id, "void")
    assert world.fresh(booking).state is BookingState.CONFIRMED
    assert world.fresh(session).status is SessionStatus.SCHEDULED
    assert queries.attendances([session.id]) == []
    tap(browser, page, session.id, someone.resident_id, "absent")
    assert world.fresh(booking).state is BookingState.NO_SHOW


def test_the_same_tap_sent_twice_counts_once(world: World) -> None:
    facility = world.facility()
    session = world.session(facility, starts_in=timedelta(minutes=30))
    browser = world.browser(world.manager(facility))
    page = roll(browser, session.id)
    event = page.tree.xpath("//form[contains(@action, '/walk-in')]//input[@name='event_id']/@value")[0]
    for _ in range(2):
        browser.send(f"/desk/sessions/{session.id}/walk-in", event_id=event, phone="")
    assert queries.head_counts([session.id])[session.id].unnamed_walk_ins == 1


def test_a_walk_in_is_known_by_the_exact_phone(world: World) -> None:
    facility = world.facility()
    session, someone = world.session(facility, starts_in=timedelta(minutes=30)), world.resident(name="罗玉兰")
    browser = world.browser(world.manager(facility))
    page = browser.send(f"/desk/sessions/{session.id}/walk-in", event_id="", phone=someone.login)
    assert "罗**" in page.text
    assert "罗玉兰" not in page.text  # a desk does not learn names by numbers
    (row,) = queries.attendances([session.id])
    assert (row.resident_id, row.state, row.walk_in) == (someone.resident_id, AttendanceState.PRESENT, True)
    page = browser.send(f"/desk/sessions/{session.id}/walk-in", status=409, event_id="", phone="13000000000")
    assert "Nobody is registered" in page.text


def test_a_head_count_is_kept_and_shown_and_the_next_replaces_it(world: World) -> None:
    facility = world.facility()
    session = world.session(facility, starts_in=timedelta(minutes=30))
    browser = world.browser(world.manager(facility))
    for women in (7, 9):
        with clock.frozen(clock.now() + timedelta(minutes=women)):
            page = browser.send(
                f"/desk/sessions/{session.id}/head-count",
                event_id="",
                women=women,
                children=4,
                men=0,
                elders=2,
                disabled=0,
            )
    kept = queries.head_counts([session.id])[session.id]
    assert (kept.women, kept.children, kept.elders) == (9, 4, 2)
    assert page.tree.xpath("//input[@name='women']/@value") == ["9"]
    assert re.search(r"13 more without names", page.text)


def test_a_head_count_that_does_not_add_up_is_refused_with_what_was_typed(world: World) -> None:
    facility = world.facility()
    session = world.session(facility, starts_in=timedelta(minutes=30))
    page = world.browser(world.manager(facility)).send(
        f"/desk/sessions/{session.id}/head-count",
        status=409,
        event_id="",
        women=2,
        children=1,
        men=0,
        elders=3,
        disabled=0,
    )
    assert "cannot be more" in page.text
    assert page.tree.xpath("//input[@name='elders']/@value") == ["3"]
    assert queries.head_counts([session.id]) == {}


def test_the_roll_is_not_taken_days_before(world: World) -> None:
    """The page says from when; a tap that comes all the same is refused with the reason."""
    facility = world.facility()
    session, someone = world.session(facility, starts_in=timedelta(days=2)), world.resident()
    world.book(someone, session)
    browser = world.browser(world.manager(facility))
    page = roll(browser, session.id)
    assert "The roll can be taken from Fri 18 Sep 09:00. 1 are booked so far." in page.text
    assert not page.tree.xpath("//main//button")
    page = browser.send(
        f"/desk/sessions/{session.id}/tick", status=409, event_id="", kind="present", resident_id=someone.resident_id
    )
    assert "one hour before the start" in page.text


def test_a_walk_in_without_a_name_is_taken_back(world: World) -> None:
    facility = world.facility()
    session = world.session(facility, starts_in=timedelta(minutes=30))
    browser = world.browser(world.manager(facility))
    for _ in range(2):
        page = browser.send(f"/desk/sessions/{session.id}/walk-in", event_id="", phone="")
    assert "Walk-ins without a name: 2" in page.text
    page = browser.send(f"/desk/sessions/{session.id}/tick", event_id="", kind="void", voids=page.hidden("voids"))
    assert "Walk-ins without a name: 1" in page.text
    assert queries.head_counts([session.id])[session.id].unnamed_walk_ins == 1


def test_a_known_walk_in_is_counted_once_and_told_so(world: World) -> None:
    facility = world.facility()
    session, someone = world.session(facility, starts_in=timedelta(minutes=30)), world.resident(name="罗玉兰")
    browser = world.browser(world.manager(facility))
    browser.send(f"/desk/sessions/{session.id}/walk-in", event_id="", phone=someone.login)
    page = browser.send(f"/desk/sessions/{session.id}/walk-in", status=409, event_id="", phone=someone.login)
    assert "罗** is counted already" in page.text


def test_the_desk_shows_ones_own_facilities_only(world: World) -> None:
    mine, other = world.facility(), world.facility()
    world.session(mine, starts_in=timedelta(hours=1), title="竹编", title_en="Bamboo")
    foreign = world.session(other, starts_in=timedelta(hours=1), title="舞蹈", title_en="Dance")
    browser = world.browser(world.manager(mine))
    assert "Bamboo" in browser.get("/desk").text
    assert "Dance" not in browser.get("/desk").text
    browser.get(f"/desk/sessions/{foreign.id}/roll", status=403)
    assert "Dance" in world.browser(world.administrator()).get("/desk").text


def test_on_a_later_day_it_is_asked_why_something_is_taken_back(world: World) -> None:
    facility = world.facility()
    session, someone = world.session(facility, starts_in=timedelta(minutes=30)), world.resident()
    world.book(someone, session)
    browser = world.browser(world.manager(facility))
    tap(browser, roll(browser, session.id), session.id, someone.resident_id, "present")
    with clock.frozen(session.ends_at + timedelta(days=2)):
        page = tap(browser, roll(browser, session.id), session.id, someone.resident_id, "void")
        assert "Why is it taken back?" in page.text
        assert queries.is_present(session.id, someone.resident_id)


def test_who_is_said_to_have_left_on_a_later_day_left_by_the_end(world: World) -> None:
    facility = world.facility()
    session, someone = world.session(facility, starts_in=timedelta(minutes=30)), world.resident()
    world.book(someone, session)
    browser = world.browser(world.manager(facility))
    with clock.frozen(session.starts_at):
        tap(browser, roll(browser, session.id), session.id, someone.resident_id, "present")
    with clock.frozen(session.ends_at + timedelta(days=2)):
        tap(browser, roll(browser, session.id), session.id, someone.resident_id, "leave")
    (row,) = queries.attendances([session.id])
    assert row.minutes == 90
