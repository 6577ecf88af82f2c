"""What must never be false of livelihood projects, tried by raw SQL: the services are not asked."""

import pytest
from sqlalchemy import text

from facilities.infra.db import db
from tests.no_shows.test_truths import AT
from tests.projects.year import Year
from tests.truths import name_of_violation
from tests.world import World


@pytest.fixture
def year(world: World) -> Year:
    return Year.of(world)


def test_a_year_has_thresholds_in_order(year: Year) -> None:
    def another(number: int = 2025, points: str = "10, 30") -> str:
        return (
            "INSERT INTO project_years (year, quote, source, yellow_points, red_points) "
            f"VALUES ({number}, '实施', '报', {points})"
        )

    assert name_of_violation(another()) is None
    assert name_of_violation(another(2024)) == "pk_project_years"
    assert name_of_violation(another(1999)) == "ck_project_years_year"
    for points in ("30, 30", "-1, 30", "10, 101"):
        assert name_of_violation(another(points=points)) == "ck_project_years_thresholds_in_order"


def test_a_place_has_one_code_and_no_blank_name(year: Year) -> None:
    number = year.place("M03-01")

    def change(what: str) -> str:
        return f"UPDATE subprojects SET {what} WHERE id = {number}"

    twice = f"INSERT INTO subprojects (project_id, code) SELECT project_id, code FROM subprojects WHERE id = {number}"
    assert name_of_violation(twice) == "uq_subprojects_project_id_code"
    assert name_of_violation(change("name = ''")) == "ck_subprojects_name_not_blank"
    assert name_of_violation(change("kind = 'guess'")) == "ck_subprojects_kind"
    assert name_of_violation(change("accepted_on = '2024-12-01'")) == "ck_subprojects_accepted_with_a_name"
    assert name_of_violation(change("accepted_on = '2024-12-01', name = '绿道'")) is None
    project = "INSERT INTO livelihood_projects (year, code, source) VALUES (2024, '{}', '{}')"
    assert name_of_violation(project.format("M01", "municipal")) == "uq_livelihood_projects_year_code"
    assert name_of_violation(project.format("X01", "guessed")) == "ck_livelihood_projects_source"
    blank = "UPDATE livelihood_projects SET name = '' WHERE code = 'M01'"
    assert name_of_violation(blank) == "ck_livelihood_projects_name_not_blank"


def test_a_target_is_more_than_nothing_and_one_for_its_setter_and_day(year: Year) -> None:
    def target(value: int = 5000, set_by: str = "municipal") -> str:
        return (
            "INSERT INTO subproject_targets (subproject_id, set_by, from_day, value) "
            f"VALUES ({year.place('M03-01')}, '{set_by}', '2024-01-01', {value})"
        )

    assert name_of_violation(target(), target(set_by="district")) is None
    assert name_of_violation(target(), target()) == "uq_subproject_targets_subproject_id_set_by_from_day"
    assert name_of_violation(target(0)) == "ck_subproject_targets_value"
    assert name_of_violation(target(10**15 + 1)) == "ck_subproject_targets_value"
    assert name_of_violation(target(set_by="nobody")) == "ck_subproject_targets_set_by"


def test_a_report_is_one_for_a_month_and_locked_by_another_than_who_entered_it(year: Year) -> None:
    def report(state: str = "draft", **more: str) -> str:
        said = {"month": "5", "value": "3000", "entered_by": "7", "entered_at": AT} | more
        return (
            f"INSERT INTO monthly_reports (subproject_id, state, {', '.join(said)}) "
            f"VALUES ({year.place('M03-01')}, '{state}', {', '.join(said.values())})"
        )

    reviewed = {"reviewed_by": "8", "reviewed_at": AT, "evidence": "'验收单'"}
    tried = {
        report(): None,
        report("submitted", evidence="'验收单'"): None,
        report("locked", **reviewed): None,
        report(month="13"): "ck_monthly_reports_month",
        report(value="-1"): "ck_monthly_reports_value",
        report(value="NULL", qualifier="'about'"): "ck_monthly_reports_qualifier_of_a_value",
        report(qualifier="'nearly'"): "ck_monthly_reports_qualifier",
        report("done", evidence="'验收单'"): "ck_monthly_reports_state",
        report("submitted"): "ck_monthly_reports_submitted_with_evidence",
        report("submitted", evidence="''"): "ck_monthly_reports_submitted_with_evidence",
        report("locked", evidence="'验收单'"): "ck_monthly_reports_locked_by_a_review",
        report("draft", **reviewed): "ck_monthly_reports_locked_by_a_review",
        report("locked", **reviewed | {"reviewed_by": "NULL"}): "ck_monthly_reports_reviewed_by_somebody",
        report("locked", **reviewed | {"reviewed_by": "7"}): "ck_monthly_reports_reviewed_by_another",
    }
    assert {statement: name_of_violation(statement) for statement in tried} == tried
    assert name_of_violation(report(), report()) == "uq_monthly_reports_subproject_id_month"


LOCKED = {
    "UPDATE monthly_reports SET value = 1": "monthly_reports_never_updated",
    "UPDATE monthly_reports SET state = 'draft'": "monthly_reports_never_updated",
    "DELETE FROM monthly_reports": "monthly_reports_never_deleted",
}


def test_a_locked_report_is_never_changed_and_a_draft_may_be(year: Year) -> None:
    number = year.named("M03-01")
    year.report(number, 5, 3, submit=False)
    assert {statement: name_of_violation(statement) for statement in LOCKED} == dict.fromkeys(LOCKED)
    year.locked(number, 5, 3)
    assert {statement: name_of_violation(statement) for statement in LOCKED} == LOCKED


def test_a_published_figure_is_one_and_belongs_to_one_place(year: Year) -> None:
    number = year.place("M03-01")
    place = f"UPDATE reported_figures SET subproject_id = {number} WHERE code = "
    assert name_of_violation(f"{place}'F30'") is None
    assert name_of_violation(f"{place}'F30'", f"{place}'F31'") == "uq_reported_figures_subproject_id"
    wrong = "UPDATE reported_figures SET number = NULL WHERE code = 'F40'"
    assert name_of_violation(wrong) == "ck_reported_figures_qualifier_of_a_number"
    again = "UPDATE reported_figures SET code = 'F30' WHERE code = 'F31'"
    assert name_of_violation(again) == "uq_reported_figures_year_code"


def test_numbers_are_kept_as_thousandths(year: Year) -> None:
    assert db.session.execute(text("SELECT number FROM reported_figures WHERE code = 'F43'")).scalar_one() == 3930
