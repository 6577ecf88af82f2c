"""Codes at the door: signed, good for one booking, worthless to others; and the poster that residents scan."""

from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from facilities.attendance import queries
from facilities.bookings.codes import code_of, read_code
from facilities.engine.roll_call import EventKind
from facilities.infra.db import db
from facilities.kernel import clock
from facilities.places.models import Facility
from facilities.programmes.models import ActivitySession
from tests.world import Someone, World

SOON = timedelta(minutes=30)


def show(manager: Someone, session: ActivitySession, code: str) -> tuple[str, str | None]:
    event = {
        "id": str(uuid4()),
        "session_id": str(session.id),
        "kind": "present",
        "check_in_code": code,
        "occurred_at": session.starts_at.isoformat(),
    }
    (result,) = manager.api.post("/attendance/events", {"events": [event]}, status=200)["results"]
    return result["outcome"], result.get("code")


def code(someone: Someone, booking_id: int) -> Any:
    return someone.api.get(f"/bookings/{booking_id}/code")


def test_a_booking_is_ticked_by_the_code_that_its_owner_shows(
    world: World, manager: Someone, session: ActivitySession
) -> None:
    someone = world.resident()
    booking = world.book(someone, session)
    shown = code(someone, booking.id)
    assert shown["reference"] == booking.reference
    assert show(manager, session, shown["check_in_code"]) == ("recorded", None)
    assert queries.is_present(session.id, someone.resident_id)


def test_a_code_is_worthless_elsewhere_to_others_and_without_a_place(
    world: World, facility: Facility, manager: Someone, session: ActivitySession
) -> None:
    someone, other = world.resident(), world.session(facility, starts_in=SOON)
    booking = world.book(someone, session)
    shown = code(someone, booking.id)["check_in_code"]
    assert show(manager, other, shown) == ("refused", "code_of_another_session")
    assert show(world.manager(world.facility()), session, shown) == ("refused", "not_found")
    someone.cancel(booking.id)
    assert code(someone, booking.id)["check_in_code"] is None
    assert show(manager, session, shown) == ("refused", "code_of_another_session")
    world.resident().api.get(f"/bookings/{booking.id}/code", status=404)
    assert queries.attendances([session.id, other.id]) == []


def test_a_code_cannot_be_made_up_or_changed(world: World, manager: Someone, session: ActivitySession) -> None:
    mine, theirs = world.book(world.resident(), session), world.book(world.resident(), session)
    body, signature = code_of(mine.id).rsplit(".", 1)
    other_body = code_of(theirs.id).rsplit(".", 1)[0]
    for forged in (f"{other_body}.{signature}", f"{body}.{signature[:-2]}AA", body, str(theirs.id), "x.y"):
        assert read_code(forged) is None
        assert show(manager, session, forged) == ("refused", "bad_check_in_code")


def test_codes_are_typed_without_a_script_too(
    world: World, facility: Facility, manager: Someone, session: ActivitySession
) -> None:
    one, two, elsewhere = world.resident(), world.resident(), world.session(facility, starts_in=SOON)
    booked, foreign = [world.book(someone, session) for someone in (one, two)], world.book(world.resident(), elsewhere)
    browser, path = world.browser(manager), f"/desk/sessions/{session.id}/code"
    roll = f"/desk/sessions/{session.id}/roll"
    for code in (f" {booked[0].reference.lower()[:4]} {booked[0].reference[4:]} ", code_of(booked[1].id)):
        browser.send(path, token_from=roll, code=code, event_id="")
    assert {row.resident_id for row in queries.attendances([session.id])} == {one.resident_id, two.resident_id}
    for code, said in (
        ("", "Enter the code."),
        ("NOSUCHREF", "This does not exist"),
        ("made.up", "not one of our codes"),
        (code_of(foreign.id), "This code is for another class"),
    ):
        assert said in browser.send(path, status=409, token_from=roll, code=code, event_id="").text


def test_the_pass_shows_a_picture_of_the_code_while_it_can_be_used(world: World, session: ActivitySession) -> None:
    someone = world.resident()
    booking = world.book(someone, session)
    browser = world.browser(someone)
    assert browser.get(f"/bookings/{booking.id}").tree.xpath("//*[@role='img'][contains(@aria-label, 'QR code')]//*")
    someone.cancel(booking.id)
    assert not browser.get(f"/bookings/{booking.id}").tree.xpath("//*[contains(@aria-label, 'QR code')]")


# -- the poster


def poster(world: World, manager: Someone, facility: Facility) -> str:
    browser, path = world.browser(manager), f"/desk/facilities/{facility.id}/poster"
    hangs = browser.get(path).hidden("instead_of")
    for _ in range(2):  # the second is the same wish once more
        page = browser.send(path, instead_of=hangs)
    (address,) = page.tree.xpath("//*[contains(@class, 'poster-address')]/text()")
    return str(address).rsplit("/", 1)[1]


def test_whoever_has_booked_checks_in_at_the_door_and_a_second_time_changes_nothing(
    world: World, manager: Someone, facility: Facility, session: ActivitySession
) -> None:
    someone = world.resident(name="罗玉兰")
    booking, hanging = world.book(someone, session), poster(world, manager, facility)
    browser = world.browser(someone)
    assert "罗玉兰 is here" in browser.get(f"/here/{hanging}").text
    for _ in range(2):
        page = browser.send(f"/here/{hanging}/{booking.id}", token_from=f"/here/{hanging}")
        assert "Checked in" in page.text
    (row,) = queries.attendances([session.id])
    assert (row.resident_id, row.recorded_by, row.walk_in) == (someone.resident_id, someone.user.id, False)
    assert len(queries.logs([session.id])[session.id]) == 1


@pytest.mark.parametrize(
    ("moment", "refusal"),
    [
        pytest.param(timedelta(hours=-1, seconds=-1), "check_in_not_open", id="a second too early"),
        pytest.param(timedelta(hours=-1), None, id="an hour before the start"),
        pytest.param(timedelta(minutes=90, seconds=-1), None, id="the last second"),
        pytest.param(timedelta(minutes=90), "check_in_over", id="as it ends"),
    ],
)
def test_residents_check_in_from_an_hour_before_until_the_end(
    world: World, facility: Facility, manager: Someone, moment: timedelta, refusal: str | None
) -> None:
    session, someone = world.session(facility, starts_in=timedelta(hours=5)), world.resident()
    booking, hanging = world.book(someone, session), poster(world, manager, facility)
    with clock.frozen(session.starts_at + moment):
        answer = someone.api.post(
            f"/bookings/{booking.id}/check-in", {"poster": hanging}, status=409 if refusal else 200
        )
    assert answer == {"is_present": True} if refusal is None else answer["code"] == refusal


def test_the_poster_checks_in_nobody_who_has_not_booked_there(
    world: World, facility: Facility, manager: Someone, session: ActivitySession
) -> None:
    someone, other = world.resident(), world.resident()
    booking, hanging = world.book(someone, session), poster(world, manager, facility)
    elsewhere = world.book(someone, world.session(starts_in=timedelta(minutes=150)))
    other.api.post(f"/bookings/{booking.id}/check-in", {"poster": hanging}, status=404)
    someone.api.post(f"/bookings/{elsewhere.id}/check-in", {"poster": hanging}, status=404)
    someone.api.post(f"/bookings/{booking.id}/check-in", {"poster": "NOSUCHPOST"}, status=404)
    (waits,) = other.wait(world.session(facility, capacity=1, starts_in=timedelta(hours=9)))
    full, _ = world.full_session(facility=facility, starts_in=SOON)
    (turn,) = world.resident().wait(full)
    assert turn != waits
    assert "Nothing is booked here" in world.browser(other).get(f"/here/{hanging}").text
    someone.cancel(booking.id)
    answer = someone.api.post(f"/bookings/{booking.id}/check-in", {"poster": hanging}, status=409)
    assert answer["code"] == "no_place"


def test_a_new_poster_makes_the_one_before_worthless(
    world: World, facility: Facility, manager: Someone, session: ActivitySession
) -> None:
    someone = world.resident()
    booking, old = world.book(someone, session), poster(world, manager, facility)
    new = poster(world, manager, facility)
    assert old != new
    someone.api.post(f"/bookings/{booking.id}/check-in", {"poster": old}, status=404)
    someone.api.post(f"/bookings/{booking.id}/check-in", {"poster": new}, status=200)


def test_what_the_desk_took_back_a_poster_does_not_bring_again(
    world: World, facility: Facility, manager: Someone, session: ActivitySession
) -> None:
    someone = world.resident()
    booking, hanging = world.book(someone, session), poster(world, manager, facility)
    someone.api.post(f"/bookings/{booking.id}/check-in", {"poster": hanging}, status=200)
    (row,) = queries.attendances([session.id])
    world.record(manager, session, EventKind.VOID, voids=UUID(str(row.event_id)))
    answer = someone.api.post(f"/bookings/{booking.id}/check-in", {"poster": hanging}, status=200)
    assert answer == {"is_present": False}
    page = world.browser(someone).send(f"/here/{hanging}/{booking.id}", token_from=f"/here/{hanging}", status=409)
    assert "The desk has taken this back" in page.text
    db.session.rollback()
    assert queries.attendances([session.id]) == []
