"""The roll's page: everybody at once, those who come for the first time, families, and what a device gets to know."""

import json
from datetime import date, timedelta
from uuid import uuid4

import pytest
from sqlalchemy import func, select

from facilities.attendance import queries
from facilities.bookings.models import BookingState
from facilities.engine.eligibility import Sex
from facilities.engine.roll_call import Counts, EventKind
from facilities.households.models import Relation, Resident
from facilities.infra.db import db
from facilities.places.models import Facility
from facilities.programmes.models import ActivitySession
from tests.client import Browser, Counter, Page
from tests.world import Someone, World

SOON = timedelta(minutes=30)


def roll(browser: Browser, session: ActivitySession) -> Page:
    return browser.get(f"/desk/sessions/{session.id}/roll")


def looks(page: Page) -> dict[str, str]:
    """By resident how the row looks."""
    rows = page.tree.xpath("//li[@data-resident]")
    return {row.get("data-resident"): row.get("class").split("roll-")[-1] for row in rows}


@pytest.mark.parametrize(("how", "state"), [("present", BookingState.ATTENDED), ("absent", BookingState.NO_SHOW)])
def test_everybody_at_once_leaves_alone_who_is_ticked_already(
    world: World, manager: Someone, session: ActivitySession, how: str, state: BookingState
) -> None:
    people = [world.resident() for _ in range(3)]
    bookings = [world.book(someone, session) for someone in people]
    world.record(manager, session, EventKind.EXCUSED, people[0].resident_id)
    browser = world.browser(manager)
    for _ in range(2):
        page = browser.send(
            f"/desk/sessions/{session.id}/everybody", token_from=f"/desk/sessions/{session.id}/roll", kind=how
        )
    assert [world.fresh(b).state for b in bookings] == [BookingState.CONFIRMED, state, state]
    assert looks(page) == {str(p.resident_id): look for p, look in zip(people, ["excused", how, how], strict=True)}
    assert len(queries.logs([session.id])[session.id]) == 3


def test_who_comes_for_the_first_time_is_entered_and_counted_in_one_step_however_often_it_is_sent(
    world: World, manager: Someone, session: ActivitySession
) -> None:
    browser, path = world.browser(manager), f"/desk/sessions/{session.id}/newcomer"
    event = browser.get(path).hidden("event_id")
    before = db.session.scalar(select(func.count()).select_from(Resident))
    for _ in range(2):
        page = browser.send(path, event_id=event, name="向德福", sex="male", birth_date="1950-01-31")
    assert "向**" in page.text
    db.session.rollback()
    assert db.session.scalar(select(func.count()).select_from(Resident)) == (before or 0) + 1
    (row,) = queries.attendances([session.id])
    assert (row.resident.name, row.resident.sex, row.walk_in) == ("向德福", Sex.MALE, True)


def test_a_newcomer_who_cannot_be_counted_is_not_entered_either(
    world: World, facility: Facility, manager: Someone
) -> None:
    far = world.session(facility, starts_in=timedelta(days=9))
    browser = world.browser(manager)
    before = db.session.scalar(select(func.count()).select_from(Resident))
    page = browser.send(f"/desk/sessions/{far.id}/newcomer", status=409, name="向德福", sex="male")
    assert "one hour before the start" in page.text
    assert browser.send(f"/desk/sessions/{far.id}/newcomer", status=422, name="").status == 422
    db.session.rollback()
    assert db.session.scalar(select(func.count()).select_from(Resident)) == before


def test_the_family_of_a_booked_child_is_counted_by_two_taps_and_shown_without_full_names(
    world: World, manager: Someone, session: ActivitySession
) -> None:
    mother = world.resident(name="陈晓梅")
    child = world.member(mother, name="陈子轩")
    grandfather = world.member(
        mother, name="陈建国", birth_date=date(1955, 2, 1), relation=Relation.PARENT, sex=Sex.MALE
    )
    world.book(mother, session, child)
    browser = world.browser(manager)
    page = roll(browser, session)
    family = page.tree.xpath(f"//li[@id='resident-{child}']//li")
    assert [row.get("id") for row in family] == [f"relative-{mother.resident_id}", f"relative-{grandfather}"]
    assert "陈**" in family[0].text_content()
    assert "Mother or father" in family[0].text_content()
    assert "陈晓梅" not in page.text
    (button,) = family[0].xpath(".//button[@class='roll-main']")
    assert button.get("value") == "walk_in"
    browser.send(
        f"/desk/sessions/{session.id}/tick", event_id=str(uuid4()), kind="walk_in", resident_id=mother.resident_id
    )
    (row,) = queries.attendances([session.id])
    assert (row.resident_id, row.walk_in) == (mother.resident_id, True)


def test_a_grown_ups_family_is_nobodys_business(world: World, manager: Someone, session: ActivitySession) -> None:
    mother = world.resident()
    world.member(mother)
    world.book(mother, session)
    assert not roll(world.browser(manager), session).tree.xpath("//*[@class='roll-family']")


def test_the_sums_count_women_children_and_men_with_and_without_names(
    world: World, facility: Facility, manager: Someone, session: ActivitySession
) -> None:
    woman, child = world.resident(), world.resident(birth_date=date(2016, 1, 1))
    for someone in (woman, child):
        world.record(manager, session, EventKind.WALK_IN, someone.resident_id)
    world.record(manager, session, EventKind.WALK_IN)
    world.record(manager, session, EventKind.HEAD_COUNT, counts=Counts(women=4, children=2, men=1, elders=3))
    browser = world.browser(manager)
    bar = roll(browser, session).tree.xpath("//*[@data-people]")
    assert {s.get("data-people"): s.text for s in bar} == {"women": "5", "children": "3", "men": "1", "unknown": "1"}
    shown = browser.get("/desk").tree.xpath("//dl[@class='day-sum']//dd/text()")
    assert shown == ["10", "5", "3", "1", "1", "3"]


def test_a_device_knows_of_each_person_what_it_needs_to_say_the_same_as_we_do(
    world: World, manager: Someone, session: ActivitySession
) -> None:
    someone = world.resident(name="曾静英")
    booking = world.book(someone, session)
    taken_back, stands = uuid4(), uuid4()
    world.record(manager, session, EventKind.ABSENT, someone.resident_id, event_id=taken_back)
    world.record(manager, session, EventKind.VOID, voids=taken_back)
    world.record(manager, session, EventKind.EXCUSED, someone.resident_id, event_id=stands)
    page = roll(world.browser(manager), session)
    (row,) = page.tree.xpath("//li[@data-resident]")
    assert [(e["id"], e["kind"]) for e in json.loads(row.get("data-log"))] == [(str(stands), "excused")]
    assert row.get("data-category") == "women"
    assert {"曾静英", "zjy", "cjy", booking.reference.casefold()} <= set(row.get("data-keys").split())


def test_the_roll_asks_the_same_however_many_there_are(
    world: World, manager: Someone, session: ActivitySession, queries: Counter
) -> None:
    browser, mother = world.browser(manager), world.resident()

    def asked() -> int:
        for _ in range(2):
            roll(browser, session)
        queries.clear()
        roll(browser, session)
        return len(queries)

    world.book(mother, session, world.member(mother))
    before = asked()
    for _ in range(4):
        other = world.resident()
        world.book(other, session, world.member(other))
        world.record(manager, session, EventKind.WALK_IN, world.resident().resident_id)
    assert asked() <= before


def test_a_session_of_later_today_is_shown_but_not_open_yet(world: World, manager: Someone, facility: Facility) -> None:
    """So that a device has its list before it goes where there is no network."""
    later = world.session(facility, starts_in=timedelta(hours=5))
    world.book(world.resident(), later)
    page = roll(world.browser(manager), later)
    assert page.tree.xpath("//div[@id='roll'][@inert]//li[@data-resident]")
    assert "The roll can be taken from" in page.text
