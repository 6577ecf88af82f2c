"""What is on offer: facility, week, and the manager's form."""

from datetime import date, timedelta

import pytest

from facilities.infra.db import db
from facilities.kernel import clock
from facilities.places.models import FacilityKind
from facilities.programmes.models import ActivitySession
from tests.world import World

GOOD = {
    "title": "非遗竹编",
    "title_en": "Bamboo weaving",
    "day": "2026-09-20",
    "starts": "14:00",
    "ends": "15:30",
    "capacity": "20",
    "space_id": "0",
    "sex": "",
    "min_age": "",
    "max_age": "",
    "details": "",
}


def announced() -> ActivitySession:
    db.session.rollback()
    return db.session.execute(db.select(ActivitySession).order_by(ActivitySession.id.desc()).limit(1)).scalar_one()


def test_a_manager_announces_changes_and_residents_see_it(world: World) -> None:
    facility, programme = world.facility(), world.programme()
    space = world.space(facility)
    browser = world.browser(world.manager(facility))
    page = browser.send(
        "/desk/sessions/new", **{**GOOD, "programme_id": programme.id, "space_id": space.id, "max_age": "12"}
    )
    assert "Announced" in page.text
    session = announced()
    assert clock.local(session.starts_at).isoformat() == "2026-09-20T14:00:00+08:00"
    assert (session.space_id, session.max_age, session.capacity) == (space.id, 12, 20)
    form = browser.get(f"/desk/sessions/{session.id}/edit")
    assert form.tree.xpath("//input[@name='starts']/@value") == ["14:00"]
    browser.send(
        f"/desk/sessions/{session.id}/edit",
        **{**GOOD, "programme_id": programme.id, "starts": "23:00", "ends": "00:30"},
    )
    session = world.fresh(session)
    assert session.ends_at - session.starts_at == timedelta(minutes=90)
    assert session.max_age is None
    assert "Bamboo weaving" in world.browser().get("/week?date=2026-09-20").text


@pytest.mark.parametrize(
    ("field", "value", "says"),
    [
        ("title", "", "needed"),
        ("day", "soon", "valid"),
        ("starts", "", "needed"),
        ("capacity", "0", "from 1 to"),
        ("capacity", "many", "Not a valid integer"),
        ("min_age", "131", "from 0 to 130"),
        ("ends", "14:00", "after the start"),
        ("ends", "13:00", None),
        ("day", "9999-12-31", "too far away"),
        ("day", "0001-01-01", "too far away"),
    ],
)
def test_a_wrong_field_says_what_to_do(world: World, field: str, value: str, says: str | None) -> None:
    facility, programme = world.facility(), world.programme()
    page = world.browser(world.manager(facility)).send(
        "/desk/sessions/new", status=422 if says else 200, **{**GOOD, "programme_id": programme.id, field: value}
    )
    if says:
        assert says in page.text
        assert page.tree.xpath("//p[@class='wrong']")


def test_ages_out_of_order_are_said_beside_the_field(world: World) -> None:
    facility, programme = world.facility(), world.programme()
    page = world.browser(world.manager(facility)).send(
        "/desk/sessions/new", status=422, **{**GOOD, "programme_id": programme.id, "min_age": "12", "max_age": "6"}
    )
    assert "must not be below" in page.tree.xpath("//p[@id='max_age-error']")[0].text_content()


def test_a_taken_space_is_refused_and_what_was_typed_stays(world: World) -> None:
    facility, programme = world.facility(), world.programme()
    space = world.space(facility)
    world.session(facility, space_id=space.id, starts_at=clock.at(date(2026, 9, 20)) + timedelta(hours=15))
    page = world.browser(world.manager(facility)).send(
        "/desk/sessions/new", status=422, **{**GOOD, "programme_id": programme.id, "space_id": space.id}
    )
    assert "already taken" in page.text
    assert page.tree.xpath("//input[@name='title']/@value") == ["非遗竹编"]


def test_a_manager_cannot_announce_elsewhere(world: World) -> None:
    mine, other = world.facility(), world.facility()
    world.browser(world.manager(mine)).get(f"/desk/sessions/new?facility={other.id}", status=403)


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", {"A", "B"}),
        ("facility={one}", {"A"}),
        ("facility={two}", {"B"}),
        ("programme={first}", {"A"}),
        ("kind=yuxin_home", {"B"}),
        ("facility={one}&programme={second}", set()),
        ("facility=xyz", set()),
        ("kind=nonsense", {"A", "B"}),
        ("date=nonsense", {"A", "B"}),
        ("date=2026-09-21", set()),
    ],
)
def test_a_weeks_filters_work_by_link(world: World, query: str, found: set[str]) -> None:
    one, two = world.facility(), world.facility(FacilityKind.YUXIN_HOME)
    first, second = world.programme(), world.programme()
    world.session(one, first, title="甲", title_en="Session A")
    world.session(two, second, title="乙", title_en="Session B")
    page = world.browser().get("/week?" + query.format(one=one.id, two=two.id, first=first.id, second=second.id))
    assert {name for name in "AB" if f"Session {name}" in page.text} == found


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("竹编", {"A"}),
        ("BAMBOO", {"A"}),
        ("周六 舞蹈", {"B"}),
        ("saturday", {"B"}),
        ("周六 竹编", set()),
        ("周末", {"B"}),
        ("桥口", {"A", "B"}),
        ("100%", set()),
        ("_", set()),
        ("周六明天", set()),
        ("茄子溪 dance", {"B"}),
    ],
)
def test_search_understands_words_and_days_in_both_languages(world: World, words: str, found: set[str]) -> None:
    facility, programme = world.facility(name_en="Riverside Hall"), world.programme()
    world.session(facility, programme, title="非遗竹编", title_en="Bamboo A", starts_in=timedelta(days=1))
    world.session(facility, programme, title="少儿舞蹈", title_en="Dance B", starts_in=timedelta(days=3))
    page = world.browser().get(f"/find?q={words}")
    assert {name for name, title in (("A", "Bamboo A"), ("B", "Dance B")) if title in page.text} == found


def test_a_facilitys_page_says_where_when_and_how_to_come_in(world: World) -> None:
    facility = world.facility(phone="12345", summary="学习、放松", summary_en="Learn and relax")
    world.space(facility, "“童心童趣”儿童之家")
    page = world.browser().get(f"/facilities/{facility.id}")
    for part in ("Always open", "12345", "Learn and relax", "儿童之家", facility.address):
        assert part in page.text
    world.browser().get("/facilities/999", status=404)
    world.browser().get("/facilities/x", status=404)
