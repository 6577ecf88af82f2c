"""Bookings in people's own calendars: updates replace, cancellations follow, and nobody else reads along."""

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError

from facilities.accounts.models import User
from facilities.calendars.models import CalendarFeed
from facilities.engine.messages import Channel
from facilities.infra.db import db, unit_of_work
from facilities.kernel import clock
from facilities.places.models import FacilityKind
from facilities.programmes.models import ActivitySession
from tests.calendars.reading import Client, Event, read
from tests.client import PREFIX, Counter
from tests.notices.test_preferences import with_email
from tests.notices.ways import Kept, out
from tests.world import PASSWORD, Someone, World

ADDRESS = "https://huimin.example.org"


@pytest.fixture(autouse=True)
def address(app: Flask, tmp_path: object) -> Iterator[None]:
    before = app.config["HUIMIN_SETTINGS"]
    app.config["HUIMIN_SETTINGS"] = replace(before, address=ADDRESS, notice_dir=tmp_path)
    yield
    app.config["HUIMIN_SETTINGS"] = before


def fetch(world: World, path: str, someone: Someone | None = None, status: int = 200, **headers: str) -> bytes:
    if someone:
        headers["Authorization"] = f"Bearer {someone.token}"
    response = world.app.test_client().get(path, headers=headers)
    assert response.status_code == status, response.text[:300]
    if status == 200:
        assert response.content_type == "text/calendar; charset=utf-8"
    return response.data


def entry(world: World, someone: Someone, booking: str) -> Event:
    (event,) = read(fetch(world, f"{PREFIX}/bookings/{booking}.ics", someone))
    return event


def follow(someone: Someone, **body: Any) -> str:
    address = str(someone.api.post("/me/calendar", body)["address"])
    assert re.fullmatch(rf"{ADDRESS}/calendar/[\w-]{{43}}\.ics", address)
    return address.removeprefix(ADDRESS)


def move(world: World, session: ActivitySession, to: datetime) -> None:
    body = {"starts_at": clock.local(to).isoformat(), "ends_at": clock.local(to + timedelta(hours=1)).isoformat()}
    world.administrator().api.patch(f"/sessions/{session.id}", body)


def test_a_booking_is_an_entry_in_a_calendar(world: World, now: datetime) -> None:
    facility = world.facility(name="桥口社区“渝好空间”")
    someone, space = world.resident(), world.space(facility)
    session = world.session(facility, title="竹编, 带剪刀", space_id=space.id)
    booking = someone.ask(session)["items"][0]
    event = entry(world, someone, booking["id"])
    assert event.summary == "竹编, 带剪刀"
    assert (event.starts_at, event.ends_at) == (session.starts_at, session.ends_at)
    assert "桥口社区" in event.location
    assert "茄子溪" in event.location
    assert booking["reference"] in event.description
    assert event.url == f"{ADDRESS}/bookings/{booking['id']}"
    assert event.alarms == 1


def test_through_its_life_the_newest_state_is_what_a_calendar_shows(world: World, now: datetime) -> None:
    """Waits, is offered a place, takes it, the session moves, gets another name, is called off."""
    session, ((first, held),) = world.full_session(
        waitlist_mode="offer", offer_minutes=600, starts_at=now + timedelta(days=3)
    )
    someone, client = world.resident(), Client()
    (booking,) = someone.wait(session)
    path = f"{PREFIX}/bookings/{booking}.ics"
    states = []

    def look() -> None:
        content = fetch(world, path, someone)
        client.get(content)
        assert client.kept == {event.uid: event for event in read(content)}, "what is newer has the higher number"
        (event,) = client.kept.values()
        states.append(event.status)

    look()
    first.cancel(held)
    look()
    someone.api.post(f"/bookings/{booking}/accept", status=200)
    look()
    move(world, session, now + timedelta(days=5))
    look()
    assert client.shown[0].starts_at == now + timedelta(days=5)
    world.administrator().api.patch(f"/sessions/{session.id}", {"title": "蜀绣"})
    look()
    assert client.shown[0].summary == "蜀绣"
    world.administrator().api.post(f"/sessions/{session.id}/cancel", {"reason": "停电"}, status=200)
    look()
    assert states == ["TENTATIVE", "TENTATIVE", "CONFIRMED", "CONFIRMED", "CONFIRMED", "CANCELLED"]
    assert client.shown == []


def test_every_change_of_what_a_calendar_shows_has_a_higher_number(world: World, now: datetime) -> None:
    facility = world.facility()
    someone, session = world.resident(), world.session(facility)
    booking = someone.ask(session)["items"][0]["id"]
    seen = [entry(world, someone, booking).sequence]
    for body in ({"title": "蜀绣"}, {"space_id": str(world.space(facility).id)}, {"title_en": "Silk"}):
        world.administrator().api.patch(f"/sessions/{session.id}", body)
        seen.append(entry(world, someone, booking).sequence)
    move(world, session, now + timedelta(days=6))
    seen.append(entry(world, someone, booking).sequence)
    someone.cancel(booking)
    seen.append(entry(world, someone, booking).sequence)
    assert seen == sorted(set(seen))


def test_a_reservation_moves_and_is_cancelled_in_the_calendar_too(world: World, now: datetime) -> None:
    someone, facility, client = world.resident(), world.facility(), Client()
    space = world.space(facility)
    day = now + timedelta(days=2)
    wish = {"space_id": str(space.id), "resident_id": str(someone.resident_id), "purpose": "邹家聚会"}
    wish |= {"starts_at": day.isoformat(), "ends_at": (day + timedelta(hours=1)).isoformat()}
    number = someone.api.post("/reservations", wish)["id"]
    path = f"{PREFIX}/reservations/{number}.ics"
    first = client.get(fetch(world, path, someone)).shown[0]
    assert "邹家聚会" not in f"{first.summary}{first.description}{first.location}"
    later = day + timedelta(days=1)
    body = {"starts_at": later.isoformat(), "ends_at": (later + timedelta(hours=1)).isoformat()}
    someone.api.patch(f"/reservations/{number}", body)
    assert client.get(fetch(world, path, someone)).shown[0].starts_at == later
    someone.api.post(f"/reservations/{number}/cancel", status=200)
    assert client.get(fetch(world, path, someone)).shown == []


def test_what_is_not_ones_own_is_not_there(world: World) -> None:
    someone, other = world.resident(), world.resident()
    booking = someone.ask(world.session())["items"][0]["id"]
    fetch(world, f"{PREFIX}/bookings/{booking}.ics", other, status=404)
    fetch(world, f"{PREFIX}/bookings/{booking}.ics", status=401)
    fetch(world, f"{PREFIX}/bookings/99999.ics", someone, status=404)
    fetch(world, f"{PREFIX}/bookings/abc.ics", someone, status=404)
    assert world.browser(other).raw(f"/bookings/{booking}.ics").status_code == 404
    assert world.browser(someone).raw(f"/bookings/{booking}.ics").status_code == 200


def test_a_household_follows_its_bookings(world: World, now: datetime) -> None:
    someone, client = world.resident(name="罗玉兰"), Client()
    child = world.member(someone, name="罗小满")
    path = follow(someone)
    assert client.get(fetch(world, path)).shown == []
    session = world.session(starts_at=now + timedelta(days=3), title="剪纸", title_en="Paper cutting")
    bookings = [item["id"] for item in someone.ask(session, someone.resident_id, child)["items"]]
    content = fetch(world, path)
    assert [event.summary for event in client.get(content).shown] == ["剪纸", "剪纸"]
    assert "罗".encode() not in content
    assert someone.login.encode() not in content
    move(world, session, now + timedelta(days=4))
    assert {event.starts_at for event in client.get(fetch(world, path)).shown} == {now + timedelta(days=4)}
    someone.cancel(bookings[0])
    assert len(client.get(fetch(world, path)).shown) == 1
    world.administrator().api.post(f"/sessions/{session.id}/cancel", {"reason": "停电"}, status=200)
    assert client.get(fetch(world, path)).shown == []


def test_a_feed_ends_when_its_owner_says_so_or_goes(world: World) -> None:
    someone = world.resident()
    old = follow(someone)
    new = follow(someone, language="en")
    fetch(world, old, status=404)
    fetch(world, new)
    assert someone.api.get("/me/calendar")["language"] == "en"
    someone.api.delete("/me/calendar")
    fetch(world, new, status=404)
    assert someone.api.get("/me/calendar") == {"since": None, "language": None}
    other = world.resident()
    erased = follow(other)
    other.api.call("DELETE", "/me", json={"password": PASSWORD}, status=204)
    fetch(world, erased, status=404)
    last = follow(someone)
    unit_of_work(lambda: db.session.execute(update(User).where(User.id == someone.user.id).values(disabled=True)))
    fetch(world, last, status=404)


def test_whom_one_no_longer_acts_for_is_no_longer_in_it(world: World) -> None:
    someone, other = world.resident(), world.resident()
    child = world.member(someone)
    world.also_acts_for(other, child)
    someone.ask(world.session(), child)
    path = follow(other)
    assert len(read(fetch(world, path))) == 1
    other.api.delete(f"/residents/{child}")
    assert read(fetch(world, path)) == []


def test_the_address_is_kept_nowhere_and_is_given_once(world: World, caplog: pytest.LogCaptureFixture) -> None:
    someone = world.resident()
    first = someone.api.post("/me/calendar", {}, headers={"Idempotency-Key": "k"})["address"]
    again = someone.api.post("/me/calendar", {}, headers={"Idempotency-Key": "k"})["address"]
    assert first != again
    token = again.rpartition("/")[2].removesuffix(".ics")
    fetch(world, f"/calendar/{token}.ics")
    db.session.rollback()
    kept = [row for table in db.metadata.sorted_tables for row in db.session.execute(select(table))]
    assert token not in repr(kept)
    assert token not in caplog.text


def test_a_household_has_one_address_by_the_database(world: World) -> None:
    someone = world.resident()
    follow(someone)
    row = {"user_id": someone.user.id, "token_hash": "x" * 64, "language": "zh", "created_at": clock.now()}
    with pytest.raises(IntegrityError):
        db.session.execute(db.insert(CalendarFeed).values(row))
    db.session.rollback()


@pytest.mark.parametrize("of_kind", [FacilityKind.YUXIN_HOME, FacilityKind.DOCTOR_STATION])
def test_a_private_calendar_does_not_say_where_somebody_is_treated(world: World, of_kind: FacilityKind) -> None:
    someone = world.resident()
    facility = world.facility(of_kind, name="古渡春色“渝馨家园”")
    booking = someone.ask(world.session(facility, title="康复训练"))["items"][0]["id"]
    for content in (fetch(world, f"{PREFIX}/bookings/{booking}.ics", someone), fetch(world, follow(someone))):
        text = content.decode().replace("\r\n ", "")
        assert "康复" not in text
        assert "渝馨" not in text
        assert "茄子溪" not in text
    (event,) = read(fetch(world, f"/facilities/{facility.id}/sessions.ics"))
    assert event.summary == "康复训练", "that it is offered is no secret"


def test_a_facility_is_followed_by_anybody(world: World, now: datetime) -> None:
    facility, client = world.facility(), Client()
    sessions = [world.session(facility, starts_at=now + timedelta(days=n), title=f"课{n}") for n in (-40, 2, 3)]
    world.session(world.facility(), title="别处")
    path = f"/facilities/{facility.id}/sessions.ics"
    assert {event.summary for event in client.get(fetch(world, path)).shown} == {"课2", "课3"}
    world.administrator().api.post(f"/sessions/{sessions[1].id}/cancel", {"reason": "停电"}, status=200)
    assert {event.summary for event in client.get(fetch(world, path)).shown} == {"课3"}
    fetch(world, "/facilities/99999/sessions.ics", status=404)


def test_what_has_not_changed_is_not_sent_again(world: World, now: datetime) -> None:
    facility = world.facility()
    session = world.session(facility)
    path, client = f"/facilities/{facility.id}/sessions.ics", world.app.test_client()
    etag = client.get(path).headers["ETag"]
    with clock.frozen(now + timedelta(minutes=5)):
        assert client.get(path, headers={"If-None-Match": etag}).status_code == 304
    world.administrator().api.patch(f"/sessions/{session.id}", {"title": "蜀绣"})
    assert client.get(path, headers={"If-None-Match": etag}).status_code == 200


def test_calendars_ask_no_more_because_there_is_more(world: World, now: datetime, queries: Counter) -> None:
    someone, facility, counts = world.resident(), world.facility(), []
    path = follow(someone)
    for days in ((2,), (3, 4, 5, 6)):
        for day in days:
            someone.ask(world.session(facility, starts_at=now + timedelta(days=day)))
        queries.clear()
        fetch(world, path)
        fetch(world, f"/facilities/{facility.id}/sessions.ics")
        counts.append(len(queries))
    assert counts[0] == counts[1] <= 10


def test_a_letter_brings_the_entry_and_the_next_one_replaces_it(world: World, now: datetime) -> None:
    someone, session, client = world.resident(), world.session(starts_at=now + timedelta(days=3)), Client()
    with_email(someone)
    someone.ask(session)
    for change in (lambda: None, lambda: move(world, session, now + timedelta(days=4)),
                   lambda: world.administrator().api.post(
                       f"/sessions/{session.id}/cancel", {"reason": "停电"}, status=200)):  # fmt: skip
        change()
        way = Kept()
        out(way, Channel.EMAIL)
        (letter,) = way.sent
        assert letter.calendar is not None
        client.get(letter.calendar)
        if letter.template == "moved":
            assert client.shown[0].starts_at == now + timedelta(days=4)
    assert client.shown == []
    assert len(client.kept) == 1


def test_the_page_gives_an_address_once_and_takes_it_back(world: World) -> None:
    browser = world.browser(world.resident())
    assert "/my/calendar" in browser.get("/my/bookings").links
    assert "/my/calendar" in browser.get("/me").links
    assert "Make an address" in browser.get("/my/calendar").text
    page = browser.send("/my/calendar", language="en")
    (address,) = page.tree.xpath("//input[@id='address']/@value")
    assert [link for link in page.links if link.startswith("webcal://huimin.example.org/calendar/")]
    fetch(world, str(address).removeprefix(ADDRESS))
    assert str(address) not in browser.get("/my/calendar").html
    browser.send("/my/calendar/revoke")
    fetch(world, str(address).removeprefix(ADDRESS), status=404)
