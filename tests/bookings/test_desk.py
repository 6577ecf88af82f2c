"""Bookings at the counter: for somebody known or new, by the same rules, with an exception where there is a reason."""

from datetime import date, timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select

from facilities.bookings.models import Booking
from facilities.engine.eligibility import Audience, Sex
from facilities.engine.limits import Limits
from facilities.engine.roll_call import EventKind
from facilities.engine.waitlist import WaitlistMode
from facilities.households.models import Guardianship, Resident
from facilities.infra.audit import AuditEntry
from facilities.infra.db import db
from facilities.infra.outbox import Notice
from facilities.kernel import clock
from facilities.places.models import Facility
from facilities.programmes.models import ActivitySession
from tests.client import Caller
from tests.conftest import NOW
from tests.world import Someone, World

NEW = {"name": "王桂芳", "sex": "female", "birth_date": "1950-03-08", "phone": "13912345678"}
WHY = "行动不便，家属来电"


@pytest.fixture
def facility(world: World) -> Facility:
    return world.facility()


@pytest.fixture
def manager(world: World, facility: Facility) -> Someone:
    return world.manager(facility)


def desk(caller: Someone, session: ActivitySession, status: int = 201, **body: Any) -> Any:
    return caller.api.post(f"/sessions/{session.id}/desk-bookings", body, status=status)


def meet(caller: Someone, someone: Someone) -> str:
    """Looked up at the desk by the phone number; the resident's id, which can be named from then on."""
    (found,) = caller.api.post("/desk/residents/find", {"phone": someone.login}, status=200)["items"]
    return str(found["id"])


def counters(caller: Caller, session: ActivitySession) -> tuple[int, int]:
    """Places taken, people waiting."""
    seen = caller.get(f"/sessions/{session.id}")
    return seen["places_taken"], seen["waitlist_length"]


def count(table: Any) -> int:
    db.session.rollback()
    return db.session.scalar(select(func.count()).select_from(table)) or 0


# -- for whom


def test_somebody_who_is_known_has_a_place_of_their_own(
    world: World, facility: Facility, manager: Someone, anyone: Caller
) -> None:
    session, someone = world.session(facility), world.resident()
    answer = desk(manager, session, resident_id=meet(manager, someone))
    (item,) = answer["items"]
    assert (item["resident_id"], item["status"], answer["refused"]) == (str(someone.resident_id), "confirmed", [])
    assert someone.api.get("/bookings")["items"] == [item]
    assert counters(anyone, session) == (1, 0)
    booking = db.session.get_one(Booking, int(item["id"]))
    assert (booking.booked_by, booking.override_reason) == (manager.user.id, None)
    assert someone.cancel(item["id"])["status"] == "cancelled"


def test_somebody_new_is_registered_with_what_was_said(world: World, facility: Facility, manager: Someone) -> None:
    session = world.session(facility)
    (item,) = desk(manager, session, resident=NEW)["items"]
    person = db.session.get_one(Resident, int(item["resident_id"]))
    assert (person.name, person.sex, person.birth_date, person.phone) == (
        "王桂芳",
        Sex.FEMALE,
        date(1950, 3, 8),
        "13912345678",
    )
    assert count(Guardianship) == 0
    (row,) = manager.api.get(f"/sessions/{session.id}/roster")["items"]
    assert (row["name"], row["reference"], row["phone_masked"]) == ("王桂芳", item["reference"], "139****5678")
    manager.api.get(f"/bookings/{item['id']}", status=404)


@pytest.mark.parametrize("audience", [None, Audience(sex=Sex.FEMALE)], ids=["for anyone", "for women"])
def test_of_somebody_new_a_name_and_a_sex_are_enough(
    world: World, facility: Facility, manager: Someone, audience: Audience | None
) -> None:
    desk(manager, world.session(facility, audience=audience), resident={"name": "王桂芳", "sex": "female"})


def test_what_is_refused_registers_nobody(world: World, facility: Facility, manager: Someone) -> None:
    full, _ = world.full_session(facility=facility)
    elders = world.session(facility, audience=Audience(min_age=80))
    before = count(Resident)
    assert desk(manager, full, 409, resident=NEW)["code"] == "session_full"
    assert desk(manager, elders, 409, resident=NEW)["code"] == "not_eligible"
    unknown_age = desk(manager, elders, 409, resident={"name": "王桂芳", "sex": "female"})
    assert unknown_age["facts"]["rule"] == "birth_date_unknown"
    assert count(Resident) == before


@pytest.mark.parametrize(
    ("body", "field"),
    [
        pytest.param({}, "resident_id", id="nobody"),
        pytest.param({"resident_id": "1", "resident": NEW}, "resident_id", id="two"),
        pytest.param({"resident": {"name": "王桂芳"}}, "resident", id="without a sex"),
        pytest.param({"resident": {"sex": "female"}}, "resident", id="without a name"),
        pytest.param({"resident": {**NEW, "name": " "}}, "resident", id="a blank name"),
        pytest.param({"resident": {**NEW, "phone": "12"}}, "phone", id="no phone number"),
        pytest.param({"resident": {**NEW, "birth_date": "2030-01-01"}}, "birth_date", id="not born yet"),
        pytest.param({"resident": {**NEW, "name": "王\u0000"}}, "resident", id="NUL in the name"),
        pytest.param({"resident": NEW, "override": ""}, "override", id="an exception without a reason"),
        pytest.param({"resident": NEW, "override": "为" * 201}, "override", id="a reason that is too long"),
        pytest.param({"resident": NEW, "if_full": "perhaps"}, "if_full", id="perhaps"),
        pytest.param({"resident": NEW, "party": "together"}, "party", id="a field that is not one"),
    ],
)
def test_bad_input_is_said_at_its_field_and_registers_nobody(
    world: World, facility: Facility, manager: Someone, body: dict[str, Any], field: str
) -> None:
    session = world.session(facility)
    assert field in desk(manager, session, 422, **body)["fields"]
    assert (count(Resident), count(Booking)) == (0, 0)


def test_only_who_runs_the_session_books_at_its_desk(
    world: World, facility: Facility, manager: Someone, anyone: Caller
) -> None:
    session, someone = world.session(facility), world.resident()
    body = {"resident_id": str(someone.resident_id)}
    anyone.post(f"/sessions/{session.id}/desk-bookings", body, status=401)
    desk(someone, session, 403, **body)
    desk(world.manager(world.facility()), session, 403, **body)
    desk(world.manager(world.facility()), session, 403)
    manager.api.post("/sessions/987654/desk-bookings", body, status=404)
    desk(manager, session, 404, resident_id="987654")
    desk(manager, session, 404, resident_id="x")
    assert count(Booking) == 0
    administrator = world.administrator()
    meet(administrator, someone)
    desk(administrator, session, **body)


# -- by the same rules, unless there is a reason


@pytest.mark.parametrize(
    ("offered", "code"),
    [
        pytest.param({"booking_opens_at": NOW + timedelta(hours=1)}, "booking_not_open", id="not open yet"),
        pytest.param({"booking_closes_at": NOW}, "booking_closed", id="closed"),
        pytest.param({"starts_in": timedelta(minutes=-30)}, "booking_closed", id="has begun"),
        pytest.param({"audience": Audience(max_age=12)}, "not_eligible", id="too old"),
        pytest.param({"audience": Audience(sex=Sex.MALE)}, "not_eligible", id="for men"),
        pytest.param({"audience": Audience(disability=True)}, "not_eligible", id="for residents with disabilities"),
        pytest.param({"audience": Audience(communities=("500104001001",))}, "not_eligible", id="of another community"),
    ],
)
@pytest.mark.parametrize("known", [True, False], ids=["known", "new"])
def test_windows_and_conditions_are_set_aside_for_a_reason_that_is_kept(
    world: World, facility: Facility, manager: Someone, offered: dict[str, Any], code: str, known: bool
) -> None:
    session = world.session(facility, **offered)
    whom: dict[str, Any] = {"resident_id": meet(manager, world.resident())} if known else {"resident": NEW}
    assert desk(manager, session, 409, **whom)["code"] == code
    (item,) = desk(manager, session, **whom, override=WHY)["items"]
    assert item["status"] == "confirmed"
    assert db.session.get_one(Booking, int(item["id"])).override_reason == WHY
    entry = db.session.scalars(
        select(AuditEntry).where(AuditEntry.about_kind == "booking", AuditEntry.about_id == int(item["id"]))
    ).one()
    assert (entry.user_id, entry.verb) == (manager.user.id, "booked")
    assert entry.facts == {
        "at_desk": True,
        "override": True,
        "ground": "counter",
        "resident_id": int(item["resident_id"]),
    }


@pytest.mark.parametrize("limits", [Limits(per_resident_per_week=1), Limits(per_household_per_session=1)], ids=str)
def test_limits_are_set_aside_for_a_reason(world: World, facility: Facility, manager: Someone, limits: Limits) -> None:
    programme = world.programme(limits=limits)
    mother, (owner, child) = world.family(2)
    first = world.session(facility, programme)
    session = world.session(facility, programme, starts_in=timedelta(days=2)) if limits.per_resident_per_week else first
    mother.ask(first, owner)
    world.book(mother, world.session(facility, starts_in=timedelta(days=20)), child)  # so that the desk knows the child
    whom = {"resident_id": str(owner if session is not first else child)}
    assert desk(manager, session, 409, **whom)["code"] == "limit_reached"
    desk(manager, session, **whom, override=WHY)


def test_an_exception_ends_with_the_session(world: World, facility: Facility, manager: Someone) -> None:
    session = world.session(facility, starts_in=timedelta(minutes=-80))
    over = NOW + timedelta(minutes=10)
    assert session.ends_at == over
    with clock.frozen(over):
        assert desk(manager, session, 409, resident=NEW, override=WHY)["code"] == "booking_closed"
    with clock.frozen(over - timedelta(seconds=1)):
        desk(manager, session, resident=NEW, override=WHY)


def is_full(world: World, facility: Facility, someone: Someone) -> ActivitySession:
    session, _ = world.full_session(facility=facility, waitlist_mode=WaitlistMode.OFF)
    return session


def is_kept(world: World, facility: Facility, someone: Someone) -> ActivitySession:
    session, ((holder, held), _) = world.full_session(facility=facility, capacity=2)
    mother, people = world.family(2)
    mother.wait(session, *people)
    holder.cancel(held)
    return session


def is_elsewhere(world: World, facility: Facility, someone: Someone) -> ActivitySession:
    world.book(someone, world.session())
    return world.session(facility)


def is_booked(world: World, facility: Facility, someone: Someone) -> ActivitySession:
    session = world.session(facility)
    world.book(someone, session)
    return session


def is_called_off(world: World, facility: Facility, someone: Someone) -> ActivitySession:
    session = world.session(facility)
    world.administrator().api.post(f"/sessions/{session.id}/cancel", {"reason": "停电"}, status=200)
    return session


@pytest.mark.parametrize(
    ("arranged", "code"),
    [
        (is_full, "session_full"),
        (is_kept, "session_full"),
        (is_elsewhere, "overlaps_own_booking"),
        (is_booked, "already_booked"),
        (is_called_off, "session_cancelled"),
    ],
)
def test_no_reason_makes_a_place_or_puts_anyone_in_two(
    world: World, facility: Facility, manager: Someone, arranged: Any, code: str
) -> None:
    someone = world.resident()
    session = arranged(world, facility, someone)
    before = count(Booking)
    refused = desk(manager, session, 409, resident_id=meet(manager, someone), override=WHY)
    assert refused["code"] == code
    assert count(Booking) == before


def test_a_household_does_not_give_itself_a_reason(world: World) -> None:
    session = world.session(booking_closes_at=NOW)
    assert list(world.resident().ask(session, status=422, override=WHY)["fields"]) == ["override"]


# -- the list, and who is told


def test_at_the_desk_too_one_joins_the_list_at_its_end(
    world: World, facility: Facility, manager: Someone, anyone: Caller
) -> None:
    session, ((holder, held),) = world.full_session(facility=facility)
    first = world.resident()
    (turn,) = first.wait(session)
    (item,) = desk(manager, session, resident=NEW, if_full="waitlist")["items"]
    assert (item["status"], item["waitlist_position"]) == ("waitlisted", 2)
    holder.cancel(held)
    assert first.state(turn) == "confirmed"
    assert counters(anyone, session) == (1, 1)
    assert world.fresh(db.session.get_one(Booking, int(item["id"]))).state == "waitlisted"
    first.cancel(turn)
    assert world.fresh(db.session.get_one(Booking, int(item["id"]))).state == "confirmed"


def test_who_is_booked_at_the_desk_is_told_and_who_has_no_account_is_noted_all_the_same(
    world: World, facility: Facility, manager: Someone
) -> None:
    session, someone = world.session(facility), world.resident()
    (known,) = desk(manager, session, resident_id=meet(manager, someone))["items"]
    (new,) = desk(manager, session, resident=NEW)["items"]
    told = {row.about_id: row for row in db.session.scalars(select(Notice).where(Notice.kind == "booked"))}
    assert (told[int(known["id"])].user_id, told[int(known["id"])].read_at) == (someone.user.id, None)
    assert (told[int(new["id"])].user_id, told[int(new["id"])].read_at) == (None, None)
    assert told[int(new["id"])].resident_id == int(new["resident_id"])


def test_a_manager_who_books_a_child_of_ones_own_has_read_of_it(world: World, facility: Facility) -> None:
    """The other parent has not."""
    manager, mother = world.manager(facility), world.resident()
    child = world.member(mother)
    world.also_acts_for(manager, child)
    desk(manager, world.session(facility), resident_id=str(child))
    read = {row.user_id: row.read_at for row in db.session.scalars(select(Notice).where(Notice.kind == "booked"))}
    assert read == {manager.user.id: NOW, mother.user.id: None}


# -- the page


def test_the_page_books_for_somebody_new_and_for_somebody_known(
    world: World, facility: Facility, manager: Someone
) -> None:
    session, someone = world.session(facility), world.resident(name="张桂芳")
    browser, path = world.browser(manager), f"/desk/sessions/{session.id}/bookings"
    page = browser.send(path, token_from=path, name="王桂芳", sex="female", phone="13912345678")
    assert "王桂芳" in page.text
    known = browser.send(path, token_from=path, sought=someone.login)
    assert "张**" in known.text
    assert "张桂芳" not in known.text
    resident_id = known.hidden("resident_id")
    assert "张桂芳" in browser.send(path, token_from=path, resident_id=resident_id).text
    refused = browser.send(path, status=422, token_from=path, resident_id=resident_id)
    assert "already a booking" in refused.text
    assert count(Booking) == 2


def test_the_page_refuses_a_known_person_also_where_nobody_was_looked_up(
    app: Flask, world: World, facility: Facility, manager: Someone, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(app.config, "ANSWER_UNEXPECTED", True)
    session, someone = world.session(facility), world.resident()
    world.book(someone, session)
    browser, path = world.browser(manager), f"/desk/sessions/{session.id}/bookings"
    browser.send(path, status=422, token_from=path, resident_id=someone.resident_id)


def test_the_page_sets_a_rule_aside_for_a_reason(world: World, facility: Facility, manager: Someone) -> None:
    session = world.session(facility, booking_closes_at=NOW)
    browser, path = world.browser(manager), f"/desk/sessions/{session.id}/bookings"
    refused = browser.send(path, status=422, token_from=path, name="王桂芳", sex="female")
    assert "Booking closed" in refused.text
    assert WHY in browser.send(path, token_from=path, name="王桂芳", sex="female", override=WHY).text


def test_the_page_gives_a_place_by_hand(world: World, facility: Facility, manager: Someone) -> None:
    closes = NOW + timedelta(hours=1)
    session, ((holder, held),) = world.full_session(facility=facility, booking_closes_at=closes)
    someone = world.resident(name="张桂芳")
    (turn,) = someone.wait(session)
    browser, path = world.browser(manager), f"/desk/sessions/{session.id}/bookings"
    assert not browser.get(path).tree.xpath("//form[contains(@action, '/promote')]")
    with clock.frozen(closes):
        holder.cancel(held)
        (action,) = browser.get(path).tree.xpath("//form[contains(@action, '/promote')]/@action")
        browser.send(action, status=422, token_from=path, reason=" ")
        assert WHY in browser.send(action, token_from=path, reason=WHY).text
        assert someone.state(turn) == "confirmed"
        world.browser(world.manager(world.facility())).send(action, status=404, reason=WHY)
        world.browser(someone).send(action, status=403, reason=WHY)


def test_the_page_of_a_foreign_desk_is_not_shown(world: World, facility: Facility) -> None:
    session = world.session(facility)
    world.browser(world.manager(world.facility())).get(f"/desk/sessions/{session.id}/bookings", status=403)
    world.browser(world.resident()).get(f"/desk/sessions/{session.id}/bookings", status=403)


# -- whom the desk may name, and on what ground


def test_a_resident_whom_nobody_has_met_is_not_there(world: World, facility: Facility, manager: Someone) -> None:
    session, someone = world.session(facility), world.resident()
    body = {"resident_id": str(someone.resident_id)}
    desk(manager, session, 404, **body)
    world.book(someone, world.session(starts_in=timedelta(days=9)))  # elsewhere
    desk(manager, session, 404, **body)
    meet(world.manager(facility), someone)  # a colleague
    desk(manager, session, 404, **body)
    meet(manager, someone)
    with clock.frozen(NOW + timedelta(days=1)):
        desk(manager, session, 404, **body)
    with clock.frozen(NOW + timedelta(days=1, seconds=-1)):
        desk(manager, session, **body)


@pytest.mark.parametrize("way", ["booked", "was there", "household"])
def test_who_was_at_the_facility_is_known_there(world: World, facility: Facility, manager: Someone, way: str) -> None:
    someone = world.resident()
    if way == "booked":
        someone.cancel(world.book(someone, world.session(facility, starts_in=timedelta(days=9))).id)
    elif way == "was there":
        past = world.session(facility, starts_in=timedelta(hours=-3))
        world.record(manager, past, EventKind.WALK_IN, someone.resident_id)
        desk(manager, world.session(facility), 404, resident_id=str(someone.resident_id))  # a number that was tried
        past = world.session(facility, starts_in=timedelta(hours=-6))
        world.record(world.manager(facility), past, EventKind.WALK_IN, someone.resident_id)
    else:
        world.also_acts_for(manager, someone.resident_id)
    desk(manager, world.session(facility), resident_id=str(someone.resident_id))
    other = world.facility()
    if way != "household":
        desk(world.manager(other), world.session(other), 404, resident_id=str(someone.resident_id))


@pytest.mark.parametrize("ground", ["counter", "telephone", "home_visit"])
def test_who_acted_for_whom_and_on_what_ground_is_kept(
    world: World, facility: Facility, manager: Someone, ground: str
) -> None:
    (item,) = desk(manager, world.session(facility), resident=NEW, ground=ground)["items"]
    booking = AuditEntry.about_kind == "booking", AuditEntry.about_id == int(item["id"])
    entry = db.session.scalars(select(AuditEntry).where(*booking)).one()
    assert (entry.user_id, entry.facts["ground"]) == (manager.user.id, ground)
    assert entry.facts["resident_id"] == int(item["resident_id"])
    assert entry.number is not None, "it is in the chain"
    desk(manager, world.session(facility), 422, resident=NEW, ground="because")


def test_a_household_names_no_ground(world: World) -> None:
    assert list(world.resident().ask(world.session(), status=422, ground="counter")["fields"]) == ["ground"]


def test_somebody_new_brings_an_identity_number(world: World, facility: Facility, manager: Someone) -> None:
    """It says the birth date, and the same person is not entered twice."""
    session = world.session(facility, audience=Audience(min_age=70))
    person = {"name": "王桂芳", "sex": "female", "id_number": "11010519491231002x"}
    (item,) = desk(manager, session, resident=person)["items"]
    assert db.session.get_one(Resident, int(item["resident_id"])).birth_date == date(1949, 12, 31)
    assert desk(manager, session, 409, resident=person)["code"] == "id_number_in_use"
    wrong = desk(manager, session, 422, resident={**person, "sex": "male"})
    assert list(wrong["fields"]) == ["id_number"]
    assert count(Resident) == 1


def test_a_disability_is_nowhere_at_the_desk(world: World, facility: Facility, manager: Someone) -> None:
    """Neither in the roster nor on a page; that a session is for residents with disabilities stands on the session."""
    someone = world.resident()
    someone.api.patch(f"/residents/{someone.resident_id}", {"disability": {"category": 6, "grade": 2}})
    session = world.session(facility, starts_in=timedelta(minutes=30))
    world.book(someone, session)
    (row,) = manager.api.get(f"/sessions/{session.id}/roster")["items"]
    assert not {"disability", "category", "grade"} & row.keys()
    browser, path = world.browser(manager), f"/desk/sessions/{session.id}/bookings"
    pages = [browser.get(path), browser.get(f"/desk/sessions/{session.id}/roll")]
    pages.append(browser.send(path, token_from=path, sought=someone.login))
    for page in pages:
        people = page.tree.xpath("//*[contains(@class, 'roll-row') or contains(@class, 'lined')]")
        said = " ".join(part.text_content() for part in people)
        assert "disab" not in said.lower()
        assert "残" not in said
    csv = manager.api.call("GET", f"/sessions/{session.id}/roster", status=200, headers={"Accept": "text/csv"})
    assert "disab" not in csv.get_data(as_text=True).lower()


@pytest.mark.parametrize("asks", [True, False])
def test_the_desk_learns_of_a_disability_only_where_the_session_asks_for_it(
    world: World, facility: Facility, manager: Someone, asks: bool
) -> None:
    session = world.session(facility, audience=Audience(disability=asks, max_age=None if asks else 12))
    refused = desk(manager, session, 409, resident_id=meet(manager, world.resident()))
    assert refused["code"] == "not_eligible"
    assert (refused["facts"]["rule"] == "disability") is asks


# -- finding somebody on the page


def test_the_page_asks_for_a_number_first_and_for_a_name_only_where_nobody_is_found(
    world: World, facility: Facility, manager: Someone
) -> None:
    session = world.session(facility)
    browser, path = world.browser(manager), f"/desk/sessions/{session.id}/bookings"
    assert not browser.get(path).tree.xpath("//input[@name='name']")
    nobody = browser.send(path, token_from=path, sought="13912345678", ground="telephone")
    assert "Nobody is registered" in nobody.text
    assert nobody.hidden("phone") == "13912345678"
    assert nobody.tree.xpath("//form[.//input[@name='name']]//input[@name='ground']/@value") == ["telephone"]
    wrong = browser.send(path, status=422, token_from=path, sought="12")
    assert "neither a mobile number nor an identity number" in wrong.text
    assert not wrong.tree.xpath("//input[@name='name']")


def test_the_page_finds_by_an_identity_number(world: World, facility: Facility, manager: Someone) -> None:
    session = world.session(facility)
    browser, path = world.browser(manager), f"/desk/sessions/{session.id}/bookings"
    nobody = browser.send(path, token_from=path, sought="11010519491231002x")
    assert nobody.hidden("id_number") == "11010519491231002x"
    browser.send(path, token_from=path, name="王桂芳", sex="female", id_number="11010519491231002x")
    other = f"/desk/sessions/{world.session(facility, starts_in=timedelta(days=9)).id}/bookings"
    known = browser.send(other, token_from=other, sought="１１０１０５１９４９１２３１００２Ｘ")
    assert "Found: 王**" in known.text
    assert "76 years" in known.text
    assert "110105" not in known.text


def test_the_page_asks_for_the_identity_number_where_several_share_a_phone(
    world: World, facility: Facility, manager: Someone
) -> None:
    someone = world.resident()
    child = world.member(someone)
    someone.api.patch(f"/residents/{child}", {"phone": someone.login})
    path = f"/desk/sessions/{world.session(facility).id}/bookings"
    page = world.browser(manager).send(path, token_from=path, sought=someone.login)
    assert "Ask for the identity number" in page.text
    assert not page.tree.xpath("//input[@name='name' or @name='resident_id']")
