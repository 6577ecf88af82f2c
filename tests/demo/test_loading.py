"""The demonstration is the district: its computed figures are the ones that were published."""

from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import func, select

from facilities.demo.loading import LOGINS, load_demonstration
from facilities.engine.beneficiaries import Category
from facilities.infra.db import Model, db, unit_of_work
from facilities.kernel import clock
from facilities.places.models import Facility, FacilityKind
from facilities.places.queries import stalls_shared
from facilities.programmes.models import ActivitySession
from facilities.statistics import queries
from facilities.statistics.dimensions import Dimension, Scope
from facilities.statistics.services import verify
from tests.world import World

YEAR = (date(2024, 1, 1), date(2024, 12, 31))


def everything() -> dict[str, list[tuple[object, ...]]]:
    db.session.rollback()
    return {t.name: sorted(map(tuple, db.session.execute(t.select())), key=repr) for t in Model.metadata.sorted_tables}


def test_the_figures_of_qiaokou_are_the_articles(world: World) -> None:
    unit_of_work(load_demonstration)
    qiaokou = db.session.execute(select(Facility).where(Facility.kind == FacilityKind.YUHAO_SPACE)).scalar_one()
    assert qiaokou.name == "桥口社区“渝好空间”"
    scope = Scope(*YEAR, facility_id=qiaokou.id)
    groups = {row.of[Dimension.CATEGORY]: row.figures for row in queries.beneficiaries(scope, [Dimension.CATEGORY])}
    assert queries.total(scope).sessions_held == 45  # 45场次
    assert 1500 < groups[Category.WOMEN].person_times < 1600  # 妇女1500余人次
    assert 1200 < groups[Category.CHILDREN].person_times < 1300  # 儿童1200余人次
    assert queries.total(Scope(date(2020, 1, 1), clock.today(), facility_id=qiaokou.id)) == queries.total(scope)
    assert stalls_shared() == 1723  # 错时共享停车位1723个
    kinds = dict(db.session.execute(select(Facility.kind, func.count()).group_by(Facility.kind)).tuples().all())
    assert kinds[FacilityKind.YUXIN_HOME] == 3  # “渝馨家园”3家
    assert len(db.session.scalars(select(Facility).where(Facility.name.contains("合展养老院"))).all()) == 1
    assert verify()[1] == []


def test_loading_twice_changes_nothing(world: World) -> None:
    logins = unit_of_work(load_demonstration)
    before = everything()
    assert len(before["attendance_events"]) > 3000
    assert unit_of_work(load_demonstration) == logins == LOGINS
    after = everything()
    assert {name: len(rows) for name, rows in after.items()} == {name: len(rows) for name, rows in before.items()}
    assert after == before


@pytest.mark.parametrize("kind", ["sqlite"])  # days are Python's; that the demonstration loads on both is asked above
@pytest.mark.parametrize(
    "today",
    [
        datetime(2026, 12, 31, 15, 30, tzinfo=UTC),
        datetime(2027, 2, 8, 1, 0, tzinfo=UTC),
        datetime(2028, 2, 29, 1, 0, tzinfo=UTC),
    ],
    ids=["the last hour of a year", "a year without a notice yet", "a leap day"],
)
def test_coming_sessions_lie_in_the_next_four_weeks_whatever_today_is(world: World, kind: str, today: datetime) -> None:
    with clock.frozen(today):
        unit_of_work(load_demonstration)
        coming = db.session.scalars(
            select(ActivitySession).where(ActivitySession.starts_at > today).order_by(ActivitySession.starts_at)
        ).all()
        assert len(coming) > 70
        assert coming[0].starts_at - today <= timedelta(hours=1)  # to be booked, and ticked, at once
        assert coming[-1].starts_at < today + timedelta(days=28)
        assert {clock.local_date(s.starts_at).weekday() for s in coming} == set(range(7))


def test_a_week_later_a_week_is_added_and_what_visitors_did_stays(world: World) -> None:
    unit_of_work(load_demonstration)
    hall = db.session.execute(
        select(ActivitySession).where(ActivitySession.title == "非遗竹编").order_by(ActivitySession.id.desc()).limit(1)
    ).scalar_one()
    clash = hall.starts_at + timedelta(days=7)
    facility = db.session.get_one(Facility, hall.facility_id)
    world.session(facility, starts_at=clash, space_id=hall.space_id, title="居民议事会")
    with clock.frozen(clock.now() + timedelta(days=7)):
        unit_of_work(load_demonstration)
    taken = db.session.scalars(
        select(ActivitySession.title).where(
            ActivitySession.starts_at == clash, ActivitySession.space_id == hall.space_id
        )
    ).all()
    assert taken == ["居民议事会"]
    assert verify()[1] == []
