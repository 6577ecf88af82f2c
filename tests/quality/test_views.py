"""The page that finds what makes figures wrong: what is mended is gone from it."""

from datetime import date, timedelta

import pytest
from sqlalchemy import select

from facilities.attendance import days
from facilities.engine.eligibility import Sex
from facilities.engine.identity import IdNumber
from facilities.engine.roll_call import Counts, EventKind
from facilities.households import identity
from facilities.households.models import DifferentPersons, Relation, Resident
from facilities.households.services import register_at_desk, tie
from facilities.infra.audit import AuditEntry
from facilities.infra.db import db, unit_of_work
from facilities.programmes.models import ActivitySession
from facilities.quality.models import Accepted
from facilities.statistics import queries as statistics
from facilities.statistics.dimensions import Dimension, Scope
from tests.client import Counter
from tests.world import Someone, World

DAY = date(1961, 5, 2)
NO_BIRTH_DATE, NO_ROLL, CROWDED, LIKELY_TWICE = (
    f"/quality/{name}" for name in ("no_birth_date", "no_roll", "crowded", "likely_twice")
)


@pytest.fixture
def administrator(world: World) -> Someone:
    return world.administrator()


def at_desk(name: str = "周桂芳", born: date | None = None) -> int:
    return unit_of_work(lambda: register_at_desk(name, Sex.FEMALE, born, None)).id


def over(world: World, **more: object) -> ActivitySession:
    return world.session(starts_in=-timedelta(days=3), **more)  # type: ignore[arg-type]


def ageless(world: World, staff: Someone, name: str = "周桂芳") -> int:
    number = at_desk(name)
    world.record(staff, over(world), EventKind.WALK_IN, number)
    return number


def crowd(world: World, staff: Someone, session: ActivitySession) -> None:
    world.record(staff, session, EventKind.HEAD_COUNT, counts=Counts(women=60))


def noted(verb: str) -> list[AuditEntry]:
    db.session.rollback()
    return list(db.session.scalars(select(AuditEntry).where(AuditEntry.verb == verb).order_by(AuditEntry.id)))


def test_where_nothing_is_wrong_one_sentence_says_so(world: World, administrator: Someone) -> None:
    browser = world.browser(administrator)
    page = browser.get("/quality")
    assert "Nothing to mend." in page.text
    assert page.tree.xpath("//main//ul") == []
    for path in (NO_BIRTH_DATE, NO_ROLL, CROWDED, LIKELY_TWICE):
        assert "Nothing to mend." in browser.get(path).text
    browser.get("/quality/nothing", status=404)


def test_the_figures_and_the_side_bar_lead_there(world: World, administrator: Someone) -> None:
    page = world.browser(administrator).get("/statistics")
    assert page.links.count("/quality") == 2
    assert world.browser(world.manager(world.facility())).get("/statistics").links.count("/quality") == 2


def test_the_page_says_of_each_finding_how_many_and_what_it_means(world: World, administrator: Someone) -> None:
    crowd(world, administrator, over(world, capacity=20))
    ageless(world, administrator)
    over(world)
    at_desk("陈晓梅", DAY)
    at_desk("陈小梅", DAY)
    page = world.browser(administrator).get("/quality")
    headings = [h.text_content() for h in page.tree.xpath("//main//h2")]
    assert headings == [
        "Nobody knows their age",
        "Over, and nobody is entered",
        "Far more people than places",
        "Perhaps registered twice",
    ]
    assert [n.text_content() for n in page.tree.xpath("//main//li/p/strong")] == ["1"] * 4
    assert {NO_BIRTH_DATE, NO_ROLL, CROWDED, LIKELY_TWICE} <= set(page.links)


def test_a_birth_date_that_is_entered_is_counted_and_audited(world: World, administrator: Someone) -> None:
    number, browser = ageless(world, administrator), world.browser(administrator)
    scope = Scope(date(2026, 9, 1), date(2026, 9, 30))
    assert [r.of[Dimension.CATEGORY] for r in statistics.beneficiaries(scope, [Dimension.CATEGORY])] == ["unknown"]
    page = browser.get(NO_BIRTH_DATE)
    assert "周**" in page.text
    assert "周桂芳" not in page.text
    address = f"/quality/residents/{number}"
    assert address in page.links
    assert "周桂芳" not in browser.get(address).text
    page = browser.send(address, token_from=address, birth_date="1961-05-02", sex="female")
    assert "From now on the figures know the age" in page.text
    assert "Nothing to mend." in page.text
    shown = {r.of[Dimension.CATEGORY] for r in statistics.beneficiaries(scope, [Dimension.CATEGORY])}
    assert shown == {"women", "elders"}
    entry = noted("changed")[-1]
    assert (entry.about_kind, entry.about_id, entry.facts) == ("resident", number, {"fields": ["birth_date"]})
    browser.get(address, status=404)


def test_a_birth_date_is_checked_as_elsewhere(world: World, administrator: Someone) -> None:
    number, browser = ageless(world, administrator), world.browser(administrator)
    address = f"/quality/residents/{number}"
    for wrong in ("2027-01-01", "1850-01-01", "2026-02-31", ""):
        page = browser.send(address, status=422, token_from=address, birth_date=wrong, sex="female")
        assert page.tree.xpath("//p[@id='birth_date-error']"), wrong
    assert browser.send(address, status=422, token_from=address, birth_date="1961-05-02", sex="x").tree.xpath(
        "//p[@id='sex-error']"
    )
    assert db.session.get_one(Resident, number, populate_existing=True).birth_date is None


def test_what_contradicts_a_stored_number_is_refused(world: World, administrator: Someone) -> None:
    """A record from an older time may have a number and no birth date."""
    number, browser = ageless(world, administrator), world.browser(administrator)
    held = IdNumber("11010519491231002X", date(1949, 12, 31), Sex.FEMALE)
    unit_of_work(lambda: identity.keep(db.session.get_one(Resident, number), {"id_number": held}))
    address = f"/quality/residents/{number}"
    page = browser.send(address, status=422, token_from=address, birth_date="1961-05-02", sex="female")
    assert page.tree.xpath("//p[@id='birth_date-error']")
    page = browser.send(address, status=422, token_from=address, birth_date="1949-12-31", sex="male")
    assert page.tree.xpath("//p[@id='sex-error']")
    browser.send(address, token_from=address, birth_date="1949-12-31", sex="female")
    assert db.session.get_one(Resident, number, populate_existing=True).birth_date == held.birth_date


def test_whoever_acts_for_a_child_does_so_until_it_is_of_age(world: World, administrator: Someone) -> None:
    number, mother = ageless(world, administrator), world.resident()
    unit_of_work(lambda: tie(mother.user.id, db.session.get_one(Resident, number), Relation.CHILD))
    address = f"/quality/residents/{number}"
    world.browser(administrator).send(address, token_from=address, birth_date="2015-03-08", sex="female")
    links = {g.resident_id: g.until for g in db.session.query(identity.queries.Guardianship).all()}
    assert links[number] == date(2033, 3, 8)


def test_a_session_without_a_roll_leads_to_the_roll_and_to_cancelling(world: World, administrator: Someone) -> None:
    manager = world.manager(facility := world.facility())
    taken, not_held = over(world, facility=facility), over(world, facility=facility)
    unit_of_work(lambda: days.set_limit(administrator.actor, 14))
    browser = world.browser(manager)
    page = browser.get(NO_ROLL)
    assert "until 14 days after the end" in page.text
    for session in (taken, not_held):
        assert {f"/desk/sessions/{session.id}/roll", f"/desk/sessions/{session.id}/cancel"} <= set(page.links)
    browser.get(f"/desk/sessions/{taken.id}/roll")
    world.record(manager, taken, EventKind.HEAD_COUNT, counts=Counts(women=8))
    cancel = f"/desk/sessions/{not_held.id}/cancel"
    browser.send(cancel, token_from=cancel, reason="没有举办")
    assert "Nothing to mend." in browser.get(NO_ROLL).text


def test_a_number_that_is_right_is_remembered_with_why_and_by_whom(world: World, administrator: Someone) -> None:
    manager = world.manager(facility := world.facility())
    session = over(world, facility=facility, capacity=20)
    crowd(world, manager, session)
    browser = world.browser(manager)
    page = browser.get(CROWDED)
    assert f"/desk/sessions/{session.id}/history" in page.links
    address = f"/quality/sessions/{session.id}/right"
    page = browser.send(address, status=422, token_from=CROWDED, why="because")
    assert page.tree.xpath(f"//p[@id='why-{session.id}-error']")
    page = browser.send(address, token_from=CROWDED, why="in_turns")
    assert "the number is right" in page.text
    assert "Nothing to mend." in page.text
    row = db.session.get_one(Accepted, session.id)
    assert (row.people, row.why.value, row.accepted_by) == (60, "in_turns", manager.user.id)
    browser.send(address, token_from="/quality", why="other")
    assert len(noted("accepted_count")) == 1, "what is no longer asked about is not answered again"


def test_two_records_are_compared_and_merged_on_the_page_for_that(world: World, administrator: Someone) -> None:
    one, two = at_desk("陈晓梅", DAY), at_desk("陈小梅", DAY)
    browser = world.browser(administrator)
    page = browser.get(LIKELY_TWICE)
    assert "陈晓梅" not in page.text
    assert "sounds the same" in page.text
    (form,) = page.tree.xpath("//form[@action='/people/merge']")
    given = {name: form.xpath(f".//input[@name='{name}']/@value")[0] for name in ("first", "second")}
    assert given == {"first": str(one), "second": str(two)}
    page = browser.send("/people/merge", token_from=LIKELY_TWICE, **given)
    assert f"Is kept: record {one}" in page.text
    (action,) = page.tree.xpath("//main//form/@action")
    browser.send(str(action), token_from=LIKELY_TWICE, step="merge", reason="同一人")
    assert "Nothing to mend." in browser.get(LIKELY_TWICE).text


def test_two_different_persons_are_not_asked_about_again(world: World, administrator: Someone) -> None:
    one, two = at_desk("陈晓梅", DAY), at_desk("陈晓梅", DAY)
    browser = world.browser(administrator)
    address = f"/quality/records/{two}/{one}/different"
    for _ in range(2):
        page = browser.send(address, token_from="/people/merge")
        assert "Nothing to mend." in page.text
    row = db.session.query(DifferentPersons).one()
    assert (row.first_id, row.second_id, row.said_by) == (one, two, administrator.user.id)
    assert [entry.about_id for entry in noted("told_apart")] == [one, two]
    browser.send(f"/quality/records/{one}/{one}/different", status=404)
    browser.send(f"/quality/records/{one}/9999/different", status=404)


def test_managers_see_their_own_sessions_and_nothing_of_people(world: World, administrator: Someone) -> None:
    here, there = world.facility(), world.facility()
    for facility in (here, there):
        crowd(world, administrator, over(world, facility=facility, capacity=20))
    over(world, facility=there)
    ageless(world, administrator)
    for _ in range(2):
        at_desk("陈晓梅", DAY)
    browser = world.browser(world.manager(here))
    page = browser.get("/quality")
    assert [link for link in page.links if link.startswith("/quality/")] == [CROWDED]
    assert len(browser.get(CROWDED).tree.xpath("//tbody/tr")) == 1
    for path in (NO_BIRTH_DATE, LIKELY_TWICE):
        browser.get(path, status=404)
    assert len(world.browser(administrator).get(CROWDED).tree.xpath("//tbody/tr")) == 2
    world.browser(world.resident()).get("/quality", status=403)


def test_a_long_list_comes_in_pages_of_25(world: World, administrator: Someone) -> None:
    facility, programme = world.facility(), world.programme()
    for _ in range(27):
        over(world, facility=facility, programme=programme)
    browser = world.browser(administrator)
    first = browser.get(NO_ROLL)
    assert "1 to 25 of 27" in first.text
    assert f"{NO_ROLL}?cursor=25" in first.links
    second = browser.get(f"{NO_ROLL}?cursor=25")
    assert "26 to 27 of 27" in second.text
    assert NO_ROLL in second.links
    rows = [page.tree.xpath("//tbody/tr/th/a/@href") for page in (first, second)]
    assert len({*rows[0], *rows[1]}) == 27


def test_no_page_asks_more_of_the_database_for_more_rows(
    world: World, administrator: Someone, queries: Counter
) -> None:
    browser, facility = world.browser(administrator), world.facility()
    asked = []
    for _ in range(2):
        for n in range(3):
            crowd(world, administrator, over(world, facility=facility, capacity=20))
            ageless(world, administrator, f"周桂{n}")
            over(world, facility=facility)
            at_desk("陈晓梅", DAY)
        counts = []
        for path in ("/quality", NO_BIRTH_DATE, NO_ROLL, CROWDED, LIKELY_TWICE):
            browser.get(path)
            queries.clear()
            browser.get(path)
            counts.append(len(queries))
        asked.append(counts)
    assert asked[0] == asked[1]
    assert max(asked[1]) <= 16
