"""A child that turns 18 gets the say: the day before the guardian books, on the day no longer; history stays."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select

from facilities import background
from facilities.bookings import taking
from facilities.draws import services as draws
from facilities.engine.draws import WeightRule
from facilities.households.models import Guardianship, PastGuardianship, Relation
from facilities.infra.audit import AuditEntry
from facilities.infra.db import db, unit_of_work
from facilities.infra.outbox import Notice
from facilities.kernel import clock
from tests.world import Someone, World

BORN = date(2008, 9, 20)
EVE = datetime(2026, 9, 19, 15, 59, tzinfo=UTC)  # a minute before midnight in the district
BIRTHDAY = EVE + timedelta(minutes=1)
LATER = timedelta(days=20)


def until(user_id: int, resident_id: int) -> date | None:
    db.session.rollback()
    return db.session.scalar(
        select(Guardianship.until).where(Guardianship.user_id == user_id, Guardianship.resident_id == resident_id)
    )


def nearly_grown_up(world: World, **more: Any) -> tuple[Someone, int]:
    mother = world.resident()
    return mother, world.member(mother, birth_date=BORN, **more)


def with_an_account(world: World, child: int) -> Someone:
    """The child itself, invited by who acts for it."""
    young = world.resident(birth_date=date(1990, 1, 1))
    unit_of_work(lambda: db.session.execute(db.delete(Guardianship).where(Guardianship.user_id == young.user.id)))
    world.also_acts_for(young, child, Relation.SELF)
    young.resident_id = child
    return young


def come_of_age() -> tuple[int, int]:
    return {name: (done, failed) for name, done, failed in background.do_what_is_due()}["children_come_of_age"]


def test_the_day_before_the_guardian_books_and_on_the_day_no_more(world: World) -> None:
    mother, child = nearly_grown_up(world)
    young = with_an_account(world, child)
    first, second, third = (world.session(starts_in=LATER + timedelta(hours=3 * n)) for n in range(3))
    with clock.frozen(EVE):
        (booking,) = mother.ask(first, child)["items"]
    with clock.frozen(BIRTHDAY):
        mother.ask(second, child, status=404)
        mother.ask(second, child, mother.resident_id, status=404)  # the long way
        mother.ask(second, child, if_full="waitlist", status=404)
        mother.cancel(booking["id"], status=404)
        mother.api.get(f"/bookings/{booking['id']}", status=404)
        assert mother.api.get("/bookings")["items"] == []
        mother.api.get(f"/residents/{child}", status=404)
        mother.api.patch(f"/residents/{child}", {"name": "陈子墨"}, status=404)
        mother.api.delete(f"/residents/{child}", status=404)
        assert [row["id"] for row in mother.api.get("/residents")["items"]] == [str(mother.resident_id)]
        young.ask(second)
        young.ask(third, child)
        assert young.state(booking["id"]) == "confirmed"  # what was booked stays


def test_who_is_grown_up_is_not_named_in_messages_to_who_acted(world: World) -> None:
    mother, child = nearly_grown_up(world)
    mother.ask(world.session(starts_in=LATER), child)
    with clock.frozen(BIRTHDAY):
        (notice,) = mother.api.get("/notices")["items"]
        assert notice["resident_id"] is None
        young = with_an_account(world, child)
        session = world.session(starts_in=LATER + timedelta(days=1))
        young.ask(session)
        told = set(db.session.scalars(select(Notice.user_id).where(Notice.created_at == BIRTHDAY)))
        assert told == {young.user.id}


def test_every_other_way_is_closed_too(world: World) -> None:
    mother, child = nearly_grown_up(world)
    facility = world.facility()
    space, session = world.space(facility), world.session(facility, starts_in=LATER)
    administrator = world.administrator()
    closes = BIRTHDAY + timedelta(days=1)
    draw = unit_of_work(lambda: draws.open_draw(administrator.actor, [session.id], "书法", closes, WeightRule()))
    wish = {
        "space_id": str(space.id),
        "resident_id": str(child),
        "starts_at": "2026-09-23T09:00:00+08:00",
        "ends_at": "2026-09-23T10:00:00+08:00",
        "purpose": "排练",
    }
    with clock.frozen(EVE):
        reservation = mother.api.post("/reservations", wish)["id"]
        ticket = mother.api.post(f"/draws/{draw.id}/entries", {"resident_ids": [str(child)]})["id"]
    with clock.frozen(BIRTHDAY):
        mother.api.get(f"/reservations/{reservation}", status=404)
        mother.api.post(f"/reservations/{reservation}/cancel", status=404)
        mother.api.post("/reservations", {**wish, "starts_at": "2026-09-23T08:00:00+08:00"}, status=404)
        mother.api.post(f"/draws/{draw.id}/entries", {"resident_ids": [str(child)]}, status=404)
        assert mother.api.get(f"/draws/{draw.id}/entries")["items"] == []
        mother.api.delete(f"/draws/{draw.id}/entries/{ticket}", status=404)
        assert "陈子轩" not in world.browser(mother).get("/me").text
        mother.api.post(f"/residents/{child}/invitations", status=404)


def test_the_shortest_way_and_the_look_ask_for_the_day(world: World) -> None:
    mother, child = nearly_grown_up(world)
    session = world.session(starts_in=LATER)
    for moment, acts in ((EVE, True), (BIRTHDAY, False)):
        with clock.frozen(moment):
            seen = unit_of_work(lambda: taking.look(mother.actor, session.id, child))
            assert (seen is not None) == acts
    with clock.frozen(EVE):
        seen = unit_of_work(lambda: taking.look(mother.actor, session.id, child))
    with clock.frozen(BIRTHDAY):
        assert unit_of_work(lambda: taking.at_once(mother.actor, session.id, child)) is None
        assert seen is not None
        # looked at before midnight, taken after
        assert unit_of_work(lambda: taking.take(mother.actor, session.id, child, seen)) is None


def test_the_job_keeps_what_is_over_as_past_and_tells_both(world: World) -> None:
    mother, child = nearly_grown_up(world)
    grandmother, young = world.resident(name="罗玉兰"), with_an_account(world, child)
    world.also_acts_for(grandmother, child, Relation.OTHER)
    with clock.frozen(EVE):
        assert come_of_age() == (0, 0)
    with clock.frozen(BIRTHDAY):
        assert come_of_age() == (1, 0)
        assert come_of_age() == (0, 0)
        past = db.session.scalars(select(PastGuardianship)).all()
        assert [(p.user_id, p.resident_id, p.why) for p in past] == [(mother.user.id, child, "came_of_age")]
        assert [n["kind"] for n in mother.api.get("/notices")["items"]] == ["right_ended_by_age"]
        assert [n["kind"] for n in young.api.get("/notices")["items"]] == ["came_of_age"]
        assert "18" in world.browser(young).get("/my/messages").text
        grandmother.api.get(f"/residents/{child}")  # whoever was invited as somebody else stays


def test_who_has_no_account_gets_a_message_for_the_other_channels(world: World) -> None:
    _, child = nearly_grown_up(world)
    with clock.frozen(BIRTHDAY):
        come_of_age()
        rows = db.session.execute(select(Notice.resident_id, Notice.user_id).where(Notice.kind == "came_of_age"))
        assert rows.tuples().all() == [(child, None)]


@pytest.mark.parametrize("relation", ["child", "grandchild"])
def test_nobody_of_18_is_added_as_a_child(world: World, relation: str) -> None:
    someone = world.resident()
    grown = {"name": "陈思涵", "birth_date": "2008-09-16", "sex": "female", "relation": relation}
    assert set(someone.api.post("/residents", grown, status=422)["fields"]) == {"birth_date"}
    nearly = someone.api.post("/residents", {**grown, "birth_date": "2008-09-17"})
    assert until(someone.user.id, int(nearly["id"])) == date(2026, 9, 17)
    assert someone.api.post("/residents", {**grown, "relation": "other"})["relation"] == "other"


def test_a_correction_moves_the_end_of_everybodys_right(world: World) -> None:
    mother, father = world.resident(), world.resident()
    child = world.member(mother, birth_date=date(2018, 3, 8))
    world.also_acts_for(father, child)
    mother.api.patch(f"/residents/{child}", {"birth_date": "2017-03-08"})
    assert until(mother.user.id, child) == until(father.user.id, child) == date(2035, 3, 8)


def test_no_correction_prolongs_the_right_over_somebody_nearly_grown_up(world: World) -> None:
    mother, child = nearly_grown_up(world)
    mother.api.patch(f"/residents/{child}", {"birth_date": "2015-09-20"})
    assert until(mother.user.id, child) == date(2026, 9, 20)
    wrong = mother.api.patch(f"/residents/{child}", {"birth_date": "2000-01-01"}, status=422)
    assert set(wrong["fields"]) == {"birth_date"}
    mother.api.patch(f"/residents/{child}", {"relation": "other"})
    assert until(mother.user.id, child) == date(2026, 9, 20)


def test_who_is_not_18_does_not_shake_off_a_guardian_by_a_birth_date(world: World) -> None:
    mother, child = nearly_grown_up(world)
    young = with_an_account(world, child)
    answer = young.api.patch(f"/residents/{child}", {"birth_date": "2000-01-01"}, status=422)
    assert set(answer["fields"]) == {"birth_date"}
    mother.api.get(f"/residents/{child}")
    with clock.frozen(BIRTHDAY):
        young.api.patch(f"/residents/{child}", {"birth_date": "2008-09-19"})


def test_a_change_is_noted_with_the_names_of_what_changed_and_nothing_else(world: World) -> None:
    mother = world.resident()
    child = world.member(mother)
    mother.api.patch(f"/residents/{child}", {"name": "陈子墨", "sex": "male", "phone": "13800001234"})
    mother.api.patch(f"/residents/{child}", {"name": "陈子墨"})
    facts = db.session.scalars(select(AuditEntry.facts).where(AuditEntry.verb == "changed")).all()
    assert facts == [{"fields": ["name", "phone"]}]
