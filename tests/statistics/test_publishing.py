"""What may be said of a month is decided at night and written down; a request reads that and nothing else."""

from datetime import UTC, date, datetime
from typing import Any

import pytest
from sqlalchemy import select, text

from facilities.background import publish_open_data
from facilities.engine.eligibility import Sex
from facilities.infra.db import db
from facilities.jobs.services import Outcome
from facilities.kernel import clock
from facilities.statistics import publishing, queries
from facilities.statistics.models import OpenFigures, OpenPeriod
from tests.client import Caller
from tests.conftest import NOW
from tests.statistics.summer import Summer
from tests.truths import name_of_violation
from tests.world import World

AUGUST = "from=2026-08-01&to=2026-08-31"
SUMMER = "from=2026-06-01&to=2026-08-31"
DOOR = "/public/statistics/beneficiaries"
CSV = {"Accept": "text/csv"}


@pytest.fixture
def summer(world: World) -> Summer:
    return Summer(world)


def everything(anyone: Caller, world: World) -> list[Any]:
    """By every way out."""
    client = world.browser().client
    return [
        anyone.get(f"{DOOR}?{AUGUST}&by=category,facility"),
        anyone.call("GET", f"{DOOR}?{SUMMER}&by=month,sex", headers=CSV).get_data(),
        client.get(f"/open-data?{AUGUST}&by=category&format=csv").get_data(),
        world.browser().get(f"/open-data?{AUGUST}&by=category").tree.xpath("//tbody//td/text()"),
        client.get("/open-data.json").get_json(),
        client.get("/open-data.json").headers["ETag"],
    ]


def published() -> dict[str, datetime]:
    db.session.rollback()
    return {row.name: row.published_at for row in db.session.scalars(select(OpenPeriod).order_by(OpenPeriod.name))}


def nobody_asks(*_: object, **__: object) -> None:
    raise AssertionError("a request counts nothing and decides nothing")


def test_a_request_computes_nothing(summer: Summer, anyone: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    summer.held(women=20, children=3, month=6)
    summer.held(women=20, children=3)
    publish_open_data()
    for module, name in ((publishing, "cover"), (queries, "beneficiaries"), (queries, "total")):
        monkeypatch.setattr(module, name, nobody_asks)
    told = everything(anyone, summer.world)
    assert told[0]["rows"]
    assert anyone.get(f"{DOOR}?from=2020-01-01&to=2026-08-31")["total"]["person_times"] is not None


def test_a_late_correction_shows_only_after_the_job_and_then_everywhere(summer: Summer, anyone: Caller) -> None:
    summer.held(women=20, children=7, month=6)
    summer.held(women=20, children=7)
    publish_open_data()
    before = everything(anyone, summer.world)
    summer.held(men=9, women=1, day=20)
    assert everything(anyone, summer.world) == before
    with clock.frozen(datetime(2026, 9, 17, 19, tzinfo=UTC)):
        assert publish_open_data() == Outcome(1)
    after = everything(anyone, summer.world)
    assert all(new != old for new, old in zip(after, before, strict=True))
    assert [row["person_times"] for row in after[0]["rows"]] == [21, 7, 9]
    assert published()["2026-06"] == NOW < published()["2026-08"]


def test_a_resident_whose_sex_is_corrected_is_a_correction_of_the_month(summer: Summer, anyone: Caller) -> None:
    crowd = [summer.world.resident(birth_date=date(1990, 1, 1), sex=Sex.FEMALE) for _ in range(10)]
    summer.held(named=crowd)
    publish_open_data()
    with db.engine.begin() as connection:
        ids = ", ".join(str(someone.resident_id) for someone in crowd[:5])
        connection.execute(text(f"UPDATE residents SET sex = 'male' WHERE id IN ({ids})"))
    for done, told in ((0, {"female": 10}), (1, {"female": 5, "male": 5})):
        assert {row["sex"]: row["persons"] for row in anyone.get(f"{DOOR}?{AUGUST}&by=sex")["rows"]} == told
        assert publish_open_data().done == 1 - done


def test_the_job_twice_does_nothing_twice(summer: Summer, monkeypatch: pytest.MonkeyPatch) -> None:
    summer.held(women=20, children=3, month=6)
    summer.held(women=20)
    assert publish_open_data() == Outcome(3)
    before = published()
    assert list(before) == ["2026-06", "2026-07", "2026-08"]
    monkeypatch.setattr(publishing, "cover", nobody_asks)
    with clock.frozen(datetime(2026, 9, 17, 19, tzinfo=UTC)):
        assert publish_open_data() == Outcome()
    assert published() == before


def test_what_is_not_published_yet_is_said_everywhere(summer: Summer, anyone: Caller) -> None:
    summer.held(women=20, month=7)
    with clock.frozen(datetime(2026, 8, 5, tzinfo=UTC)):
        publish_open_data()
    problem = anyone.get(f"{DOOR}?{SUMMER}", status=409, headers={"Accept-Language": "en"})
    assert (problem["code"], problem["facts"]) == ("not_published_yet", {"month": "2026-08"})
    sentence = "The figures of Aug 2026 are not published yet."
    assert sentence in problem["detail"]
    assert anyone.call("GET", f"{DOOR}?{SUMMER}", headers=CSV, status=409).get_json()["code"] == "not_published_yet"
    browser = summer.world.browser()
    page = browser.get(f"/open-data?{SUMMER}")
    assert sentence in page.text
    assert not page.tree.xpath("//table")
    assert sentence in browser.get(f"/open-data?{SUMMER}&format=csv", status=409).text
    assert browser.raw("/open-data.json").get_json()["months"] == ["2026-07"]
    assert "Jul 2026" in browser.get("/open-data").text, "without a period it is the last one that is published"
    assert anyone.get(f"{DOOR}?from=2026-01-01&to=2026-07-31")["total"]["person_times"] == 20


def test_a_month_is_published_when_the_roll_of_its_last_day_has_been_closed(summer: Summer) -> None:
    summer.held(women=20)
    for day, months in ((1, ["2026-07"]), (2, ["2026-07"]), (3, ["2026-07", "2026-08"])):
        with clock.frozen(datetime(2026, 9, day, 2, tzinfo=UTC)):
            publish_open_data()
            assert list(published()) == months


def test_a_month_that_fails_keeps_no_other_from_its_turn(
    summer: Summer, anyone: Caller, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    for month, women in ((6, 20), (7, 21), (8, 22)):
        summer.held(women=women, month=month)
    cover = publishing.cover

    def stumbles(table: dict[Any, int]) -> Any:
        if sum(table.values()) == 21:
            raise ZeroDivisionError("a number that is nobody's business")
        return cover(table)

    with monkeypatch.context() as patched:
        patched.setattr(publishing, "cover", stumbles)
        assert publish_open_data() == Outcome(2, 1, "ZeroDivisionError")
    assert "nobody's business" not in caplog.text
    assert anyone.get(f"{DOOR}?{SUMMER}", status=409)["facts"] == {"month": "2026-07"}
    assert anyone.get(f"{DOOR}?{AUGUST}")["total"]["person_times"] == 22
    assert publish_open_data() == Outcome(1)
    assert anyone.get(f"{DOOR}?{SUMMER}")["total"]["person_times"] == 63


def test_a_month_that_is_corrected_while_it_is_looked_at_waits_for_the_next_night(
    summer: Summer, monkeypatch: pytest.MonkeyPatch
) -> None:
    summer.held(women=20)
    cover = publishing.cover

    def meanwhile(table: dict[Any, int]) -> Any:
        db.session.rollback()
        summer.held(women=1, day=20)
        return cover(table)

    with monkeypatch.context() as patched:
        patched.setattr(publishing, "cover", meanwhile)
        assert publish_open_data() == Outcome()
    assert published() == {}
    assert publish_open_data() == Outcome(1)


def test_an_earlier_month_that_is_entered_late_fills_the_months_between(summer: Summer, anyone: Caller) -> None:
    summer.held(women=20)
    publish_open_data()
    assert anyone.get(f"{DOOR}?{SUMMER}")["total"]["person_times"] == 20
    summer.held(women=30, month=6)
    assert anyone.get(f"{DOOR}?{SUMMER}")["total"]["person_times"] == 20
    assert publish_open_data() == Outcome(2)
    assert anyone.get(f"{DOOR}?{SUMMER}")["total"]["person_times"] == 50


def test_a_year_is_told_beside_the_months_it_was_worked_out_with(summer: Summer, anyone: Caller) -> None:
    """A month that is published anew takes its year along, in the same transaction; until then both stay."""
    crowd = [summer.world.resident() for _ in range(10)]
    for month in (10, 11):
        summer.held(named=crowd, month=month)
    year = f"{DOOR}?from=2026-01-01&to=2026-12-31"
    with clock.frozen(datetime(2027, 1, 16, tzinfo=UTC)):
        assert publish_open_data() == Outcome(4)
        assert next(iter(published())) == "2026"
        assert anyone.get(year)["total"]["persons"] == 10
        assert anyone.get(f"{year}&by=month")["total"]["persons"] == 10
        summer.held(named=[*crowd, *(summer.world.resident() for _ in range(5))], month=12)
        assert anyone.get(year)["total"]["persons"] == 10
        statement = dict(publishing.looks(publishing.periods_over()))["2026-12"]()
        assert statement is not None
        publishing.publish(statement)
        db.session.commit()
        assert "2026" not in published()
        assert anyone.get(year)["total"] | {"persons": None} == anyone.get(f"{year}&by=month")["total"]
        assert anyone.get(year)["total"]["persons"] is None
        assert publish_open_data() == Outcome(1), "the year alone is left"
        assert anyone.get(year)["total"]["persons"] == 15


def test_what_is_published_has_no_small_number_in_it_whoever_writes_it(summer: Summer) -> None:
    summer.held(women=20, children=3)
    publish_open_data()
    rows = db.session.scalars(select(OpenFigures)).all()
    assert any(row.person_times is None for row in rows)
    db.session.rollback()

    def row(numbers: str, period: str = "2026-08") -> str:
        return (
            "INSERT INTO open_figures (split_by, period, sub_district, facility, programme, category, sex, age_band, "
            "sessions_held, person_times, persons, unidentified_person_times) "
            f"VALUES ('sex', '{period}', '', '', '', '', 'x', '', {numbers})"
        )

    assert name_of_violation(row("1, 10, 5, 5")) is None
    assert name_of_violation(row("NULL, NULL, NULL, NULL")) is None
    assert name_of_violation(row("1, 10, 5, 5"), row("1, 10, 5, 5")) == "pk_open_figures"
    for numbers, rule in (
        ("1, 4, 0, NULL", "no_small_person_times"),
        ("1, 0, 0, 0", "no_small_person_times"),
        ("1, 10, 4, 0", "no_small_persons"),
        ("1, 10, NULL, 4", "no_small_unidentified"),
        ("1, 10, NULL, 7", "no_small_rest"),
        ("1, 10, NULL, 11", "no_small_rest"),
        ("0, 10, 5, 5", "sessions_held"),
        ("1, NULL, NULL, NULL", "hidden_with_person_times"),
        ("1, 10, 5, NULL", "persons_with_unidentified"),
    ):
        assert name_of_violation(row(numbers)) in (f"ck_open_figures_{rule}",), numbers
    twice = "INSERT INTO open_periods (name, fingerprint, published_at) VALUES ('2026-08', '', '2026-09-01 00:00:00')"
    assert name_of_violation(twice) == "pk_open_periods"
