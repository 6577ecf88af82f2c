"""What administrators do with projects: say what one is, set targets, report a month, review, set the lights."""

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import select

from facilities.engine.projects import Amount, Kind, Light, Qualifier, SetBy, Thresholds
from facilities.engine.roll_call import Counts, EventKind
from facilities.infra.audit import AuditEntry
from facilities.infra.db import db, unit_of_work
from facilities.kernel import clock
from facilities.kernel.refusals import Invalid, NotPermitted, NotVisible, Refused
from facilities.places.models import FacilityKind
from facilities.projects import queries, services
from facilities.projects.measures import MEASURES, count
from facilities.projects.models import MonthlyReport, ReportedFigure, ReportState
from facilities.projects.queries import FigureSource, Standing
from facilities.projects.services import Details, Entry
from tests.projects.year import Year
from tests.world import World

JUNE_30, YEAR_END = date(2024, 6, 30), date(2024, 12, 31)
EVENLY = (8, 17, 25, 33, 42, 50, 58, 67, 75, 83, 92, 100)


@pytest.fixture
def year(world: World) -> Year:
    return Year.of(world)


def standing(subproject_id: int, day: date = JUNE_30, year: int = 2024) -> Standing:
    found = queries.overview(year, day)
    assert found is not None
    return next(one for one in found.standings if one.subproject.id == subproject_id)


# -- reports


def test_a_locked_report_counts_and_a_draft_or_one_under_review_does_not(year: Year) -> None:
    number = year.named("M03-01", plan=EVENLY)
    year.target(number, 40)
    year.report(number, 6, 10, submit=False)
    assert standing(number).done == queries.Done()
    report = year.report(number, 6, 12)
    assert standing(number).done == queries.Done()
    year.lock(report)
    found = standing(number)
    assert (found.done.amount, found.done.source) == (Amount(Decimal(12)), FigureSource.REPORT)
    assert (found.rate, found.expected_rate, found.light) == (Decimal("0.3"), Decimal("0.5"), Light.YELLOW)


def test_a_report_counts_from_its_month_on(year: Year) -> None:
    number = year.named("M03-01")
    year.target(number, 40)
    for month, total in ((4, 10), (5, 14), (6, 18)):
        year.locked(number, month, total)
    assert [standing(number, date(2024, month, 28)).done.amount for month in (3, 4, 5)] == [
        None,
        Amount(Decimal(10)),
        Amount(Decimal(14)),
    ]
    assert standing(number).this_month == 4
    assert standing(number).forecast == 18 + 4 * 6
    assert standing(number, date(2024, 7, 31)).this_month is None


def test_a_locked_report_cannot_be_written_again_nor_one_under_review(year: Year) -> None:
    number = year.named("M03-01")
    report = year.report(number, 5, 3)
    with pytest.raises(Refused, match="report_under_review"):
        year.report(number, 5, 4)
    year.lock(report)
    with pytest.raises(Refused, match="report_locked"):
        year.report(number, 5, 4)
    with pytest.raises(Refused, match="report_not_submitted"):
        year.lock(report)


def test_whoever_entered_a_report_does_not_review_it(year: Year) -> None:
    report = year.report(year.named("M03-01"), 5, 3)
    with pytest.raises(Refused, match="review_by_another"):
        unit_of_work(lambda: services.review(year.administrator.actor, report.id, lock=True))
    assert year.lock(report).reviewed_by == year.other.actor.user_id


def test_a_returned_report_says_why_and_can_be_handed_in_again(year: Year) -> None:
    number = year.named("M03-01")
    report = year.report(number, 5, 3)
    with pytest.raises(Invalid) as invalid:
        unit_of_work(lambda: services.review(year.other.actor, report.id, lock=False))
    assert invalid.value.fields == {"because": "reason_needed"}
    unit_of_work(lambda: services.review(year.other.actor, report.id, lock=False, because="缺验收单"))
    returned = db.session.get_one(MonthlyReport, report.id)
    assert (returned.state, returned.returned_because) == (ReportState.DRAFT, "缺验收单")
    year.locked(number, 5, 4)
    assert db.session.get_one(MonthlyReport, report.id).value == 4


# What is handed in → what is wrong with it.
NOT_HANDED_IN = {
    Entry(Decimal(3)): {"evidence": "evidence_needed"},
    Entry(evidence="单"): {"value": "value_needed"},
    Entry(qualifier=Qualifier.ABOUT, evidence="单"): {"value": "value_needed"},
    Entry(Decimal("0.1234"), evidence="单"): {"value": "out_of_range"},
    Entry(Decimal(-1), evidence="单"): {"value": "out_of_range"},
    Entry(Decimal("NaN"), evidence="单"): {"value": "out_of_range"},
    Entry(Decimal("1e-99999"), evidence="单"): {"value": "out_of_range"},
    Entry(Decimal(10**13), evidence="单"): {"value": "out_of_range"},
}


def test_what_is_handed_in_has_a_number_and_what_shows_it(year: Year) -> None:
    number, actor = year.named("M03-01"), year.administrator.actor
    for entry, wrong in NOT_HANDED_IN.items():
        with pytest.raises(Invalid) as invalid:
            unit_of_work(lambda entry=entry: services.enter_report(actor, number, 5, entry, submit=True))
        assert invalid.value.fields == wrong, entry


def test_a_month_that_has_not_begun_is_not_reported(year: Year) -> None:
    number = year.named("M03-01")
    with clock.frozen(datetime(2024, 4, 30, 15, 59, tzinfo=UTC)), pytest.raises(Invalid) as invalid:
        year.report(number, 5, 3)
    assert invalid.value.fields == {"month": "month_to_come"}
    with clock.frozen(datetime(2024, 4, 30, 16, 0, tzinfo=UTC)):
        year.report(number, 5, 3)


def test_words_need_no_number_and_a_place_without_a_name_has_no_report(year: Year) -> None:
    year.locked(year.named("M03-01", Kind.IN_WORDS), 5, None)
    with pytest.raises(Refused, match="subproject_unnamed"):
        year.report(year.place("M03-02"), 5, 3)


def test_a_qualified_report_counts_for_no_rate(year: Year) -> None:
    number = year.named("M03-01")
    year.target(number, 10)
    year.locked(number, 5, 3, qualifier=Qualifier.MORE_THAN)
    found = standing(number)
    assert (found.done.amount, found.rate, found.light) == (Amount(Decimal(3), Qualifier.MORE_THAN), None, None)


# -- what a subproject is


def test_an_accepted_subproject_is_blue_from_its_day(year: Year) -> None:
    number = year.named("M03-01", accepted_on=date(2024, 6, 30))
    assert standing(number, date(2024, 6, 29)).light is None
    assert standing(number).light is Light.BLUE


def test_a_target_is_replaced_on_its_day_and_followed_by_its_next(year: Year) -> None:
    number = year.named("M03-01")
    year.target(number, 40)
    year.target(number, "42.5")
    year.target(number, 60, day=date(2024, 7, 1))
    year.target(number, 50, SetBy.DISTRICT)
    assert len(queries.targets(number)) == 3
    found = [standing(number, day).target for day in (JUNE_30, YEAR_END, date(2026, 9, 16))]
    assert [(target.value, target.set_by) for target in found if target] == [
        (50, SetBy.DISTRICT),
        (60, SetBy.MUNICIPAL),
        (60, SetBy.MUNICIPAL),
    ]


NOT_POSSIBLE = {
    Details(kind=Kind.RATE): {"name": "name_needed"},
    Details(name="绿道", plan=(1, 2)): {"plan": "bad_plan"},
    Details(name="绿道", measure="steps"): {"measure": "unknown_measure"},
    Details(name="绿道", figure_id=9999): {"figure_id": "unknown_figure"},
    Details(name="绿道", accepted_on=date(2030, 1, 1)): {"accepted_on": "day_to_come"},
}


def test_what_cannot_be_is_refused(year: Year) -> None:
    number = year.place("M03-01")
    for details, wrong in NOT_POSSIBLE.items():
        with pytest.raises(Invalid) as invalid:
            year.change(number, details)
        assert invalid.value.fields == wrong


def test_a_figure_moves_with_whoever_says_where_it_belongs(year: Year) -> None:
    number = year.named("M03-01", figure="F30")
    assert standing(number).done.source is FigureSource.PUBLISHED
    year.named("M03-01", figure="F31")
    placed = db.session.scalars(select(ReportedFigure).where(ReportedFigure.subproject_id.is_not(None))).all()
    assert [figure.code for figure in placed] == ["F31"]
    with pytest.raises(Invalid):
        year.named("M03-02", figure="F31")


def test_thresholds_are_the_districts_own(year: Year) -> None:
    number = year.named("M03-01", plan=EVENLY)
    year.target(number, 100)
    year.locked(number, 6, 45)
    assert standing(number).light is Light.GREEN
    unit_of_work(lambda: services.set_thresholds(year.administrator.actor, 2024, Thresholds(3, 4)))
    assert standing(number).light is Light.RED
    for wrong in (Thresholds(4, 4), Thresholds(-1, 4), Thresholds(4, 101)):
        with pytest.raises(Invalid):
            unit_of_work(lambda wrong=wrong: services.set_thresholds(year.administrator.actor, 2024, wrong))


def test_only_administrators_do_and_each_step_is_on_record(year: Year, world: World) -> None:
    number, manager = year.named("M03-01"), world.manager(world.facility()).actor
    report = year.report(number, 5, 3)
    tried: list[Any] = [
        lambda: services.change_subproject(manager, number, Details()),
        lambda: services.set_target(manager, number, SetBy.DISTRICT, JUNE_30, Decimal(1)),
        lambda: services.enter_report(manager, number, 5, Entry(), submit=False),
        lambda: services.review(manager, report.id, lock=True),
        lambda: services.set_thresholds(manager, 2024, Thresholds()),
    ]
    for what in tried:
        with pytest.raises(NotPermitted):
            unit_of_work(what)
    with pytest.raises(NotVisible):
        year.change(9999, Details())
    year.lock(report)
    verbs = db.session.scalars(select(AuditEntry.verb).where(AuditEntry.about_kind == "monthly_report")).all()
    assert sorted(verbs) == ["locked", "submitted"]


# -- what the app counts itself


def held(world: World, kind: FacilityKind, day: datetime, women: int, children: int) -> None:
    session = world.session(world.facility(kind), starts_at=day)
    with clock.frozen(session.ends_at):
        world.record(
            world.administrator(), session, EventKind.HEAD_COUNT, counts=Counts(women=women, children=children)
        )


def test_what_is_counted_here_goes_before_a_report_and_before_what_was_published(year: Year, world: World) -> None:
    number = year.named("M03-01", figure="F16")
    year.target(number, 4)
    assert standing(number).done.amount == Amount(Decimal(45))
    year.locked(number, 5, 7)
    assert standing(number).done.source is FigureSource.REPORT
    year.named("M03-01", figure="F16", measure="yuhao_sessions_held")
    assert standing(number).done.source is FigureSource.REPORT  # nothing was counted: that is not zero
    for month in (3, 4, 5):
        held(world, FacilityKind.YUHAO_SPACE, datetime(2024, month, 4, 2, tzinfo=UTC), 5, 2)
    found = standing(number, date(2024, 6, 10))
    assert (found.done.amount, found.done.source) == (Amount(Decimal(3)), FigureSource.STATISTICS)
    assert found.done.by_month == {1: 0, 2: 0, 3: 1, 4: 2, 5: 3, 6: 3}
    assert (found.rate, found.this_month) == (Decimal("0.75"), 0)
    assert found.forecast == 10  # June is not over: the pace is that of the months before


def test_measures_count_sessions_people_and_places(year: Year, world: World) -> None:
    held(world, FacilityKind.YUHAO_SPACE, datetime(2026, 3, 31, 15, 59, tzinfo=UTC), 5, 2)  # 31 March in the district
    held(world, FacilityKind.YUHAO_SPACE, datetime(2026, 3, 31, 16, 1, tzinfo=UTC), 1, 1)  # 1 April
    held(world, FacilityKind.YUXIN_HOME, datetime(2026, 5, 4, 2, tzinfo=UTC), 3, 0)
    counted = count(MEASURES, 2026, clock.today())
    assert {key: queries.latest(by_month) for key, by_month in counted.items()} == {
        "sessions_held": 3,
        "person_times": 12,
        "yuhao_sessions_held": 2,
        "yuhao_women": 6,
        "yuhao_children": 3,
        "yuhao_spaces_open": 2,
        "yuxin_homes_open": 1,
        "doctor_stations_open": 0,
        "stalls_shared": 0,
    }
    assert [counted["person_times"][month] for month in (2, 3, 4, 5, 9)] == [0, 7, 9, 12, 12]
    assert count(["steps", None], 2026, clock.today()) == {}
    assert count(MEASURES, 2027, clock.today()) == {}
    assert count(["stalls_shared"], 2025, clock.today()) == {"stalls_shared": {}}  # no history of places is kept
