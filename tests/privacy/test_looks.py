"""Who looked at whose records is read by those whom it is about."""

from datetime import timedelta

import pytest
from sqlalchemy import func, select

from facilities.infra import audit
from facilities.infra.audit import AuditEntry
from facilities.infra.db import db, unit_of_work
from facilities.kernel import clock
from facilities.places.models import Facility
from facilities.programmes.models import ActivitySession
from tests.world import Someone, World

CSV = {"Accept": "text/csv"}


@pytest.fixture
def facility(world: World) -> Facility:
    return world.facility()


@pytest.fixture
def session(world: World, facility: Facility) -> ActivitySession:
    return world.session(facility, title="合唱", title_en="Choir")


@pytest.fixture
def manager(world: World, facility: Facility) -> Someone:
    return world.manager(facility)


def looks() -> int:
    db.session.rollback()
    return db.session.scalar(
        select(func.count()).select_from(AuditEntry).where(AuditEntry.verb == "looked_at_roster")
    ) or 0  # fmt: skip


@pytest.mark.parametrize("door", ["/desk/sessions/{}/roll", "/desk/sessions/{}/bookings"], ids=["roll-call", "desk"])
def test_a_page_with_names_notes_one_look_a_day(
    world: World, session: ActivitySession, manager: Someone, door: str
) -> None:
    browser = world.browser(manager)
    for _ in range(3):
        browser.get(door.format(session.id))
    assert looks() == 1
    with clock.frozen(clock.now() + timedelta(days=1)):
        browser.get(door.format(session.id))
    assert looks() == 2
    world.browser(world.administrator()).get(door.format(session.id))
    assert looks() == 3
    assert audit.verify().faults == ()
    assert not db.session.scalars(
        select(AuditEntry.id).where(AuditEntry.verb == "looked_at_roster", AuditEntry.number.is_(None))
    ).all()


def test_the_list_over_the_api_notes_it_as_well_in_every_form(
    session: ActivitySession, manager: Someone, world: World
) -> None:
    manager.api.get(f"/sessions/{session.id}/roster")
    manager.api.call("GET", f"/sessions/{session.id}/roster", headers=CSV, status=200)
    assert looks() == 1
    world.administrator().api.call("GET", f"/sessions/{session.id}/roster", headers=CSV, status=200)
    assert looks() == 2


def test_who_may_not_look_leaves_no_trace(session: ActivitySession, world: World) -> None:
    world.manager(world.facility()).api.get(f"/sessions/{session.id}/roster", status=403)
    assert looks() == 0


def test_those_on_the_list_at_the_time_read_who_looked(
    world: World, facility: Facility, session: ActivitySession, manager: Someone
) -> None:
    there, before, after, neighbour = (world.resident() for _ in range(4))
    world.book(there, session)
    gone = world.book(before, session)
    before.cancel(gone.id)
    with clock.frozen(clock.now() + timedelta(hours=1)):
        manager.api.get(f"/sessions/{session.id}/roster")
    with clock.frozen(clock.now() + timedelta(hours=2)):
        world.book(after, session)
        (look,) = there.api.get("/me/looked-at")["items"]
        assert (look["who"], look["facilities"]) == (manager.user.display_name, [facility.name])
        assert (look["verb"], look["session"], look["about_id"]) == ("looked_at_roster", "合唱", str(session.id))
        for someone in (before, after, neighbour):
            assert someone.api.get("/me/looked-at")["items"] == []
    page = world.browser(there).get("/me/looked-at")
    assert "Looked at the list of those who come to Choir" in page.text
    assert manager.user.display_name in page.text
    assert facility.name_en in page.text
    assert "Nobody of the staff" in world.browser(neighbour).get("/me/looked-at").text


@pytest.mark.parametrize("verb", ["found", "looked_at", "exported"])
def test_a_look_at_a_record_is_read_by_who_acts_for_the_person(world: World, manager: Someone, verb: str) -> None:
    mother = world.resident()
    child = world.member(mother)
    facts = {"ground": "telephone"}
    unit_of_work(lambda: audit.note(manager.actor, verb, "resident", [child], facts, sensitive=True))
    (look,) = mother.api.get("/me/looked-at")["items"]
    assert (look["verb"], look["about_id"], look["ground"]) == (verb, str(child), "telephone")
    page = world.browser(mother).get("/me/looked-at")
    assert "on the telephone" in page.text
    assert manager.user.display_name in page.text
    assert world.resident().api.get("/me/looked-at")["items"] == []


def test_what_others_note_of_a_resident_is_no_look(world: World, manager: Someone) -> None:
    someone = world.resident()
    unit_of_work(lambda: audit.note(manager.actor, "corrected", "resident", [someone.resident_id]))
    assert someone.api.get("/me/looked-at")["items"] == []


def test_the_log_is_read_page_by_page(world: World, manager: Someone) -> None:
    someone = world.resident()
    for _ in range(35):
        unit_of_work(lambda: audit.note(manager.actor, "found", "resident", [someone.resident_id], sensitive=True))
    first = someone.api.get("/me/looked-at?limit=20")
    second = someone.api.get(f"/me/looked-at?limit=20&cursor={first['next']}")
    assert (len(first["items"]), len(second["items"]), second["next"]) == (20, 15, None)
    browser = world.browser(someone)
    page = browser.get("/me/looked-at")
    (older,) = (link for link in page.links if "cursor=" in link)
    assert "Back to the newest" in browser.get(older).text
    browser.get("/me/looked-at?cursor=nonsense", status=404)
