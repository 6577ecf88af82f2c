"""An account that is erased leaves no name, frees what was ahead, and changes no figure of what was."""

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import select

from facilities.background import do_what_is_due
from facilities.bookings.models import Booking, BookingState
from facilities.draws.models import DrawEntry
from facilities.engine.eligibility import Sex
from facilities.engine.roll_call import EventKind
from facilities.households.models import Guardianship, Relation, Resident
from facilities.infra import audit
from facilities.infra.db import Model, db, unit_of_work
from facilities.kernel import clock
from facilities.places.models import Occupancy
from facilities.privacy import queries as held
from facilities.privacy.inventory import INVENTORY
from facilities.privacy.terms import Erased
from facilities.statistics import queries as statistics
from facilities.statistics.dimensions import Dimension, Scope
from facilities.statistics.services import verify
from tests.conftest import NOW
from tests.privacy.people import CERTIFICATE, CHILDS_NUMBER, NUMBER, Family, everything, family
from tests.world import PASSWORD, Someone, World

EVER = Scope(date(2020, 1, 1), date(2030, 12, 31))


@pytest.fixture
def here(world: World) -> Family:
    return family(world)


def erase(someone: Someone, status: int = 204) -> Any:
    return someone.api.call("DELETE", "/me", json={"password": PASSWORD}, status=status).get_json(silent=True)


def figures() -> list[Any]:
    """Of every dimension, of each pair of them and in all, for every month; not by conditions, which are forgotten."""
    db.session.rollback()
    every = [d for d in Dimension if d not in (Dimension.DISABILITY_CATEGORY, Dimension.DISABILITY_GRADE)]
    pairs = [(one, other) for one in every for other in every if one < other]
    of_months = [Scope(date(2026, month, 1), date(2026, month, 28)) for month in range(1, 13)]
    return [
        *(
            [row for row in statistics.beneficiaries(EVER, by) if row.of.get(Dimension.CATEGORY) != "disabled"]
            for by in [(), *((d,) for d in every), *pairs]
        ),
        *(statistics.total(scope) for scope in of_months),
    ]


def rows(conditions: dict[str, Any]) -> dict[str, dict[Any, dict[str, Any]]]:
    db.session.rollback()
    found: dict[str, dict[Any, dict[str, Any]]] = {}
    for name, condition in conditions.items():
        table = Model.metadata.tables[name]
        kept = db.session.execute(select(table).where(condition)).mappings()
        found[name] = {tuple(row[k.name] for k in table.primary_key): dict(row) for row in kept}
    return found


def test_every_column_meets_the_fate_that_the_inventory_has_for_it(here: Family) -> None:
    """What was there before is looked up again by its key."""
    seen = held.reach(here.mother.actor)
    conditions = {model.__tablename__: condition for model, condition in held._conditions(seen).items()}
    conditions["bookings"] &= Booking.ends_at < NOW  # those ahead are cancelled, which is another test's
    conditions["draw_entries"] = conditions["draw_entrants"] = db.false()
    before = rows(conditions)
    erase(here.mother)
    by_key = {name: db.true() for name in conditions}
    after = rows(by_key)
    wrong = []
    for name, kept in before.items():
        for key, row in kept.items():
            still = after[name].get(key)
            for column, said in INVENTORY[name].columns.items():
                fine = {
                    Erased.REMOVED: still is None or still[column] is None,
                    Erased.REPLACED: still is not None and (still[column] != row[column] or not row[column]),
                    Erased.COUNTED: still is not None and still[column] == row[column],
                    Erased.KEPT: still is not None and still[column] == row[column],
                }[said.erased]
                if not fine and not (name == "reservations" and column in ("state", "cancelled_at")):
                    wrong.append((name, column, row[column], still and still[column]))
    assert wrong == []


def test_nothing_that_was_planted_is_left_anywhere(here: Family) -> None:
    planted = (
        "邹",
        NUMBER,
        CHILDS_NUMBER,
        CERTIFICATE,
        here.mother.login,
        "13700000077",
        "13700000066",
        "13700000088",
        "zou@example.org",
        "o-zou",
        "500104004001",
    )
    before = everything()
    assert "邹雨霏" in before
    erase(here.mother)
    after = everything()
    assert [text for text in planted if text in after] == []


def test_of_whom_no_condition_is_known_any_more_counts_without_one(here: Family) -> None:
    """What is healthy or not about somebody does not outlive the account, not for a figure either."""
    disabled = replace(EVER, category="disabled")
    assert statistics.total(disabled).persons == 1
    erase(here.mother)
    assert statistics.total(disabled).persons == 0


def test_no_figure_changes(here: Family) -> None:
    before = figures()
    assert before[0][0].figures.persons == 2
    erase(here.mother)
    assert figures() == before
    assert verify()[1] == []


@pytest.mark.parametrize(
    ("birth_date", "left"),
    [
        pytest.param(date(1988, 4, 12), date(1988, 1, 1), id="the year is enough"),
        pytest.param(date(1966, 12, 20), date(1966, 12, 1), id="sixty in December"),
        pytest.param(date(1966, 9, 18), date(1966, 9, 17), id="sixty in two days"),
        pytest.param(date(2008, 9, 16), date(2008, 1, 1), id="of age today"),
    ],
)
def test_figures_by_age_stay_where_the_year_would_not_do(world: World, birth_date: date, left: date) -> None:
    someone, administrator = world.resident(birth_date=birth_date), world.administrator()
    session = world.session(starts_in=timedelta(minutes=30))
    world.book(someone, session)
    world.record(administrator, session, EventKind.PRESENT, someone.resident_id)
    before = figures()
    with clock.frozen(NOW + timedelta(hours=3)):
        erase(someone)
    assert figures() == before
    assert db.session.get_one(Resident, someone.resident_id).birth_date == left


def test_who_never_came_leaves_no_birth_date(world: World) -> None:
    someone = world.resident()
    erase(someone)
    db.session.rollback()
    assert db.session.get_one(Resident, someone.resident_id).birth_date is None


def test_what_is_ticked_off_later_is_counted_in_its_band(world: World) -> None:
    """The desk's tablet was offline when the account was erased."""
    someone, administrator = world.resident(birth_date=date(1966, 9, 18)), world.administrator()
    session = world.session(starts_in=timedelta(minutes=30))
    world.book(someone, session)
    with clock.frozen(NOW + timedelta(hours=3)):
        erase(someone)
        world.record(administrator, session, EventKind.PRESENT, someone.resident_id, occurred_at=session.starts_at)
    (row,) = statistics.beneficiaries(EVER, (Dimension.AGE_BAND,))
    assert row.of == {Dimension.AGE_BAND: "35-59"}


def test_places_ahead_go_to_those_who_wait(world: World) -> None:
    (session, ((mother, booking),)), other = world.full_session(), world.resident()
    (waits,) = other.wait(session)
    erase(mother)
    assert other.state(waits) == "confirmed"
    assert world.fresh(session).places_taken == 1
    assert db.session.get_one(Booking, int(booking)).state is BookingState.CANCELLED


def test_places_are_freed_after_the_time_for_cancelling_as_well(world: World) -> None:
    session = world.session(cancellation_closes_at=NOW - timedelta(hours=1), capacity=1)
    someone = world.resident()
    booking = world.book(someone, session)
    someone.cancel(booking.id, status=409)
    erase(someone)
    assert world.fresh(session).places_taken == 0


def test_waiting_lists_and_offers_are_left(world: World) -> None:
    session, ((holder, held_),) = world.full_session(waitlist_mode="offer", offer_minutes=60)
    first, second = world.resident(), world.resident()
    first.wait(session)
    (waits,) = second.wait(session)
    holder.cancel(held_)  # offered to the first
    erase(first)
    assert second.state(waits) == "offered"
    erase(second)
    assert (world.fresh(session).places_taken, session.waiting) == (0, 0)


def test_two_of_one_household_on_one_list_are_both_gone(world: World) -> None:
    session, ((holder, _),) = world.full_session(waitlist_mode="confirm")
    child = world.member(holder)
    holder.wait(session, child)
    erase(holder)
    assert (world.fresh(session).places_taken, session.waiting) == (0, 0)


def test_a_class_that_has_begun_has_happened(world: World) -> None:
    session, ((someone, booking),) = world.full_session(starts_in=timedelta(minutes=30))
    with clock.frozen(NOW + timedelta(minutes=45)):
        erase(someone)
    db.session.rollback()
    assert db.session.get_one(Booking, int(booking)).state is BookingState.CONFIRMED
    assert world.fresh(session).places_taken == 1


def test_reservations_and_tickets_are_given_back(here: Family) -> None:
    erase(here.mother)
    db.session.rollback()
    assert db.session.scalars(select(Occupancy).where(Occupancy.reservation_id.is_not(None))).all() == []
    assert db.session.scalars(select(DrawEntry)).all() == []


def test_a_ticket_of_a_closed_draw_stays_and_wins_nothing(here: Family) -> None:
    neighbour = here.world.resident()
    neighbour.api.post(f"/draws/{here.drawn}/entries", {"resident_ids": [str(neighbour.resident_id)]})
    with clock.frozen(NOW + timedelta(days=5, hours=1)):
        erase(here.mother)
        list(do_what_is_due())
    db.session.rollback()
    won = {entry.entered_by: entry.won for entry in db.session.scalars(select(DrawEntry))}
    assert won == {here.mother.user.id: False, neighbour.user.id: True}
    later = select(Booking).where(Booking.resident_id.in_(here.people), Booking.starts_at > NOW + timedelta(days=5))
    assert db.session.scalars(later).all() == []


def test_for_whom_somebody_else_acts_everything_stays(world: World) -> None:
    mother, father = world.resident(), world.resident()
    child = world.member(mother, name="章小满")
    world.also_acts_for(father, child)
    session = world.session()
    booking = world.book(mother, session, child)
    erase(mother)
    assert father.state(booking.id) == "confirmed"
    (row,) = [r for r in father.api.get("/me")["residents"] if r["id"] == str(child)]
    assert (row["name"], row["birth_date"]) == ("章小满", "2018-03-08")
    assert world.fresh(db.session.get_one(Resident, mother.resident_id)).erased_at is not None


def test_a_guardianship_that_has_ended_does_not_keep_anybody(world: World) -> None:
    mother, father = world.resident(), world.resident()
    child = world.member(mother)
    world.also_acts_for(father, child)
    unit_of_work(lambda: setattr(db.session.get_one(Guardianship, (father.user.id, child)), "until", date(2026, 9, 16)))
    erase(mother)
    assert world.fresh(db.session.get_one(Resident, child)).name == "—"


def test_a_grown_up_child_that_one_no_longer_acts_for_is_not_erased_with_one(world: World) -> None:
    mother = world.resident()
    child = world.member(mother, relation=Relation.CHILD)
    unit_of_work(lambda: setattr(db.session.get_one(Guardianship, (mother.user.id, child)), "until", date(2026, 9, 16)))
    erase(mother)
    assert world.fresh(db.session.get_one(Resident, child)).erased_at is None


def test_the_account_is_closed_and_its_number_is_free(world: World) -> None:
    someone = world.resident()
    browser, phone = world.browser(someone), someone.login
    erase(someone)
    someone.api.get("/me", status=401)
    assert "/sign-in" in browser.raw("/me").headers["Location"]
    credentials = {"login": phone, "password": PASSWORD}
    assert world.resident().api.post("/tokens", credentials, status=401)["code"] == "bad_credentials"
    for login in (f"erased-{someone.user.id}", phone):
        world.browser().send("/sign-in", status=422, login=login, password="!")
    body = {"name": "新人", "birth_date": "1990-01-31", "sex": "female", "consent": True}
    new = world.resident().api.post("/accounts", {**body, "phone": phone, "password": PASSWORD})
    assert new["user"]["id"] != str(someone.user.id)


def test_a_desk_cannot_book_for_who_is_erased(world: World) -> None:
    someone, facility = world.resident(), world.facility()
    manager, session = world.manager(facility), world.session(facility)
    erase(someone)
    body = {"resident_id": str(someone.resident_id)}
    manager.api.post(f"/sessions/{session.id}/desk-bookings", body, status=404)


def test_staff_with_rights_are_not_erased(world: World) -> None:
    manager = world.manager(world.facility())
    assert erase(manager, status=409)["code"] == "has_grants"
    page = world.browser(manager).send(
        "/me/erase", status=422, token_from="/me/erase", password=PASSWORD, understood="y"
    )
    assert "Ask an administrator" in page.text
    world.administrator().api.patch(f"/users/{manager.user.id}", {"grants": []})
    erase(world._someone(manager.user))  # signed in anew: a change of rights ends what was


def test_it_takes_the_password_and_a_tick(world: World) -> None:
    someone = world.resident()
    browser = world.browser(someone)
    assert "password" in someone.api.call("DELETE", "/me", json={"password": "wrong"}, status=422).get_json()["fields"]
    someone.api.call("DELETE", "/me", json={}, status=422)
    page = browser.send("/me/erase", status=422, token_from="/me/erase", password=PASSWORD)
    assert "Tick this box" in page.text
    page = browser.send("/me/erase", status=422, token_from="/me/erase", password="wrong wrong", understood="y")
    assert "not right" in page.text
    page = browser.send("/me/erase", token_from="/me/erase", password=PASSWORD, understood="y")
    assert page.response.request.path == "/"
    assert "are erased" in page.text
    assert "/sign-in" in browser.raw("/me").headers["Location"]


def test_what_is_written_down_of_it_names_nobody(here: Family) -> None:
    erase(here.mother)
    assert audit.verify().faults == ()
    db.session.rollback()
    entries = db.session.scalars(select(audit.AuditEntry)).all()
    assert "erased" in {entry.verb for entry in entries}
    assert "邹" not in str([entry.facts for entry in entries])


def test_erased_twice_is_erased_once(world: World) -> None:
    someone = world.resident(sex=Sex.MALE)
    erase(someone)
    erase(someone, status=401)
