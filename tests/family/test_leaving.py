"""Leaving a household: what was promised goes back where nobody is left who could give it back."""

from datetime import timedelta

import pytest
from sqlalchemy import func, select, update

from facilities import background
from facilities.bookings.models import LIVE, Booking
from facilities.draws import services as draws
from facilities.draws.models import Draw, DrawEntrant, DrawEntry
from facilities.engine.draws import WeightRule
from facilities.households.models import Guardianship, PastGuardianship, Relation
from facilities.infra.db import db, unit_of_work
from facilities.kernel import clock
from facilities.places.models import Occupancy
from facilities.reservations.models import Reservation
from tests.conftest import NOW
from tests.world import Someone, World


def reserve(world: World, someone: Someone, resident_id: int) -> int:
    day = clock.now() + timedelta(days=world.number() % 10 + 1)
    wish = {"space_id": str(world.space(world.facility()).id), "resident_id": str(resident_id), "purpose": "排练"}
    wish |= {"starts_at": day.isoformat(), "ends_at": (day + timedelta(hours=1)).isoformat()}
    return int(someone.api.post("/reservations", wish)["id"])


def open_draw(world: World) -> Draw:
    session = world.session(starts_in=timedelta(days=9))
    closes = clock.now() + timedelta(days=1)
    by = world.administrator().actor
    return unit_of_work(lambda: draws.open_draw(by, [session.id], "书法", closes, WeightRule()))


def enter(someone: Someone, draw: Draw, *resident_ids: int) -> int:
    body = {"resident_ids": [str(number) for number in resident_ids]}
    return int(someone.api.post(f"/draws/{draw.id}/entries", body)["id"])


def count(what: type, *conditions: object) -> int:
    db.session.rollback()
    return db.session.scalar(select(func.count()).select_from(what).where(*conditions)) or 0  # type: ignore[arg-type]


def test_places_spaces_and_tickets_are_given_back(world: World) -> None:
    mother, (_, child) = world.family(2)
    session, draw = world.session(), open_draw(world)
    mother.ask(session, child)
    reservation, ticket = reserve(world, mother, child), enter(mother, draw, child)
    mother.api.delete(f"/residents/{child}")
    assert count(Booking, Booking.state.in_(LIVE)) == 0
    assert count(Occupancy, Occupancy.reservation_id == reservation) == 0
    assert db.session.get_one(Reservation, reservation).state.value == "cancelled"
    assert count(DrawEntry, DrawEntry.id == ticket) == 0
    assert world.fresh(session).places_taken == 0
    (past,) = db.session.scalars(select(PastGuardianship)).all()
    assert (past.user_id, past.resident_id, past.why, past.ended_at) == (mother.user.id, child, "left", NOW)


def test_whoever_shares_a_ticket_stays_on_it(world: World) -> None:
    mother, (own, child) = world.family(2)
    draw = open_draw(world)
    ticket = enter(mother, draw, own, child)
    mother.api.delete(f"/residents/{child}")
    assert db.session.scalars(select(DrawEntrant.resident_id).where(DrawEntrant.entry_id == ticket)).all() == [own]
    assert len(mother.api.get(f"/draws/{draw.id}/entries")["items"]) == 1


def test_a_ticket_stays_once_entries_have_closed(world: World) -> None:
    mother, (_, child) = world.family(2)
    draw = open_draw(world)
    ticket = enter(mother, draw, child)
    with clock.frozen(NOW + timedelta(days=1)):
        mother.api.delete(f"/residents/{child}")
        assert count(DrawEntrant, DrawEntrant.entry_id == ticket) == 1
        assert {name: failed for name, _, failed in background.do_what_is_due()}["draws_held"] == 0


@pytest.mark.parametrize("other", ["a second parent", "the resident's own account"])
def test_everything_stays_where_somebody_else_still_acts(world: World, other: str) -> None:
    mother, (_, child) = world.family(2)
    father = world.resident()
    relation = Relation.CHILD if other == "a second parent" else Relation.SELF
    world.also_acts_for(father, child, relation)
    draw = open_draw(world)
    mother.ask(world.session(), child)
    reservation, ticket = reserve(world, mother, child), enter(mother, draw, child)
    mother.api.delete(f"/residents/{child}")
    assert count(Booking, Booking.state.in_(LIVE)) == 1
    assert father.api.get(f"/reservations/{reservation}")["status"] == "confirmed"
    assert count(DrawEntry, DrawEntry.id == ticket) == 1


def test_whose_right_is_over_is_nobody_who_is_left(world: World) -> None:
    mother, (_, child) = world.family(2)
    father = world.resident()
    world.also_acts_for(father, child)
    over = update(Guardianship).where(Guardianship.user_id == father.user.id, Guardianship.resident_id == child)
    unit_of_work(lambda: db.session.execute(over.values(until=clock.today())))
    mother.ask(world.session(), child)
    mother.api.delete(f"/residents/{child}")
    assert count(Booking, Booking.state.in_(LIVE)) == 0


@pytest.mark.parametrize("what", ["a place", "a space", "a ticket"])
def test_the_page_asks_for_it_to_be_given_back_first(world: World, what: str) -> None:
    mother, (_, child) = world.family(2)
    if what == "a place":
        mother.ask(world.session(), child)
    elif what == "a space":
        reserve(world, mother, child)
    else:
        enter(mother, open_draw(world), child)
    browser = world.browser(mother)
    browser.send(f"/me/family/{child}/remove", status=409, token_from="/me")
    assert "陈子轩" in browser.get("/me").text


def test_what_has_begun_stays(world: World) -> None:
    mother, (_, child) = world.family(2)
    session = world.session(starts_in=timedelta(hours=1))
    mother.ask(session, child)
    with clock.frozen(NOW + timedelta(minutes=70)):
        mother.api.delete(f"/residents/{child}")
        assert count(Booking, Booking.state.in_(LIVE)) == 1


def test_oneself_cannot_be_left_and_nobody_elses_child(world: World) -> None:
    mother, (own, child) = world.family(2)
    mother.ask(world.session(), own)
    assert mother.api.delete(f"/residents/{own}", status=409)["code"] == "cannot_remove_self"
    assert count(Booking, Booking.state.in_(LIVE)) == 1
    world.resident().api.delete(f"/residents/{child}", status=404)
