"""The ledger against a recount in plain Python, over every age and every kind of fact."""

from datetime import date, datetime, timedelta
from uuid import uuid4

import pytest

from facilities.attendance.services import Entry, record
from facilities.engine.ages import age_on, band_of
from facilities.engine.beneficiaries import SPLITTING
from facilities.engine.eligibility import Sex
from facilities.engine.roll_call import Counts, EventKind
from facilities.households.models import Resident
from facilities.infra.db import db, unit_of_work
from facilities.kernel import clock
from facilities.statistics import queries
from facilities.statistics.dimensions import Dimension, Scope
from facilities.statistics.rows import Figures
from facilities.statistics.services import verify
from tests.world import World

YEAR = Scope(date(2026, 1, 1), date(2026, 12, 31))


def residents(people: list[tuple[date | None, Sex]]) -> list[Resident]:
    rows = [Resident(name="某人", sex=sex, birth_date=born, created_at=clock.now()) for born, sex in people]

    def add() -> list[Resident]:
        db.session.add_all(rows)
        db.session.flush()
        return rows

    return unit_of_work(add)


def test_the_database_computes_the_ages_of_the_engine(world: World) -> None:
    """Around every birthday that matters, leap days too, for both sexes: categories, bands and elders agree."""
    facility = world.facility()
    day = date(2026, 3, 1)
    session = world.session(facility, starts_at=clock.at(day) + timedelta(hours=10), capacity=1000)
    births = [
        date(2026 - age, month, dom)
        for age in (0, 2, 3, 6, 7, 17, 18, 34, 35, 59, 60, 69, 70, 79, 80, 99)
        for month, dom in ((2, 27), (2, 28), (3, 1), (3, 2), (12, 31))
        if date(2026 - age, month, dom) <= day
    ]
    births += [date(2008, 2, 29), date(1966, 2, 28), date(1964, 2, 29), date(2024, 2, 29)]
    people = [(born, sex) for born in births for sex in Sex] + [(None, Sex.FEMALE)]
    rows = residents(people)
    administrator = world.administrator()
    entries = [Entry(uuid4(), session.id, EventKind.WALK_IN, session.starts_at, r.id) for r in rows]
    unit_of_work(lambda: record(administrator.actor, entries))

    expected_bands: dict[str, int] = {}
    expected: dict[str, int] = {}
    for born, sex in people:
        age = age_on(born, day) if born else None
        category = "unknown" if age is None else "children" if age < 18 else "women" if sex is Sex.FEMALE else "men"
        expected[category] = expected.get(category, 0) + 1
        if age is not None and age >= 60:
            expected["elders"] = expected.get("elders", 0) + 1
        band = band_of(age) if age is not None else "unknown"
        expected_bands[band] = expected_bands.get(band, 0) + 1
    by_category = {r.of[Dimension.CATEGORY]: r.figures for r in queries.beneficiaries(YEAR, [Dimension.CATEGORY])}
    by_band = {r.of[Dimension.AGE_BAND]: r.figures for r in queries.beneficiaries(YEAR, [Dimension.AGE_BAND])}
    assert {c: f.person_times for c, f in by_category.items()} == expected
    assert {b: f.person_times for b, f in by_band.items()} == expected_bands
    assert queries.total(YEAR) == Figures(1, len(people), len(people), 0, 1.5 * len(people), fill_rate=0.0)


def test_categories_split_everyone_and_the_of_whom_overlap(world: World) -> None:
    facility = world.facility()
    manager = world.manager(facility)
    woman, girl = world.resident(birth_date=date(1950, 1, 1)), world.resident(birth_date=date(2016, 1, 1))
    first = world.session(facility, starts_in=timedelta(hours=1))
    second = world.session(facility, starts_in=timedelta(hours=5))
    for session in (first, second):
        world.record(manager, session, EventKind.WALK_IN, woman.resident_id)
    world.record(manager, first, EventKind.WALK_IN, girl.resident_id)
    world.record(manager, first, EventKind.WALK_IN)
    world.record(manager, first, EventKind.HEAD_COUNT, counts=Counts(women=5, children=4, men=3, elders=2, disabled=1))
    rows = {r.of[Dimension.CATEGORY]: r.figures for r in queries.beneficiaries(YEAR, [Dimension.CATEGORY])}
    total = queries.total(YEAR)
    assert rows == {
        "women": Figures(2, 7, 1, 5, 10.5),
        "children": Figures(1, 5, 1, 4, 7.5),
        "men": Figures(1, 3, 0, 3, 4.5),
        "unknown": Figures(1, 1, 0, 1, 1.5),
        "elders": Figures(2, 4, 1, 2, 6.0),
        "disabled": Figures(1, 1, 0, 1, 1.5),
    }
    assert sum(rows[c].person_times for c in SPLITTING) == total.person_times == 16
    assert total == Figures(2, 16, 2, 13, 24.0, fill_rate=0.0)


def test_hours_are_from_coming_to_going_where_that_was_written_down_and_else_the_sessions_length(world: World) -> None:
    facility = world.facility()
    manager, session = world.manager(facility), world.session(facility, starts_in=timedelta(hours=1))
    stays, goes, comes_back = (world.resident().resident_id for _ in range(3))
    for resident_id in (stays, goes, comes_back):
        world.record(manager, session, EventKind.PRESENT, resident_id)

    def at(minutes: int, kind: EventKind, resident_id: int) -> None:
        moment = session.starts_at + timedelta(minutes=minutes)
        assert world.record(manager, session, kind, resident_id, occurred_at=moment).outcome == "recorded"

    at(30, EventKind.LEAVE, goes)
    for minutes, kind in ((20, EventKind.LEAVE), (60, EventKind.PRESENT), (85, EventKind.LEAVE)):
        at(minutes, kind, comes_back)
    assert queries.total(YEAR).hours == round((90 + 30 + 20 + 25) / 60, 1)


@pytest.mark.parametrize(
    ("instant", "month"),
    [
        ("2026-08-31T15:59:00+00:00", "2026-08"),
        ("2026-08-31T16:00:00+00:00", "2026-09"),
    ],
    ids=["a minute to midnight", "midnight in the district"],
)
def test_a_month_is_the_districts(world: World, instant: str, month: str) -> None:
    facility = world.facility()
    session = world.session(facility, starts_at=datetime.fromisoformat(instant))
    world.record(world.administrator(), session, EventKind.WALK_IN, world.resident().resident_id)
    (row,) = queries.beneficiaries(YEAR, [Dimension.MONTH])
    assert row.of == {Dimension.MONTH: month}
    first = date.fromisoformat(f"{month}-01")
    last = date.fromisoformat(f"{month}-{'31' if month.endswith('08') else '30'}")
    assert queries.total(Scope(first, last)).person_times == 1


def test_who_stayed_away_or_was_voided_does_not_count(world: World) -> None:
    facility = world.facility()
    manager = world.manager(facility)
    session = world.session(facility, starts_in=timedelta(hours=1))
    absent, voided = world.resident(), world.resident()
    world.record(manager, session, EventKind.ABSENT, absent.resident_id)
    mistaken = world.record(manager, session, EventKind.PRESENT, voided.resident_id)
    world.record(manager, session, EventKind.VOID, voids=mistaken.id)
    assert queries.total(YEAR) == Figures()
    assert queries.beneficiaries(YEAR, [Dimension.FACILITY]) == []


def test_verify_agrees_with_the_log_and_finds_what_was_tampered_with(world: World) -> None:
    facility = world.facility()
    manager, someone = world.manager(facility), world.resident()
    session = world.session(facility, starts_in=timedelta(hours=1))
    world.record(manager, session, EventKind.PRESENT, someone.resident_id)
    world.record(manager, session, EventKind.HEAD_COUNT, counts=Counts(women=2))
    assert verify() == (1, [])
    with db.engine.begin() as connection:
        connection.execute(db.text("UPDATE head_counts SET women = 20"))
        connection.execute(db.text("DELETE FROM attendances"))
    db.session.rollback()
    looked_at, differences = verify()
    assert looked_at == 1
    assert {d.what for d in differences} == {"residents", "head_counts"}
