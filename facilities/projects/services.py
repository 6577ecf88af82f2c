"""The verbs of livelihood projects: say what a subproject is, set targets, report a month, review, set the lights.

The subproject's row is locked before what hangs on it. Until lead units have accounts, administrators enter for them.
"""

from dataclasses import asdict, dataclass
from datetime import date
from decimal import Decimal

from facilities.engine.projects import Kind, Qualifier, SetBy, Thresholds, wrong_plan
from facilities.infra import audit
from facilities.infra.db import db
from facilities.kernel import clock
from facilities.kernel.actors import Actor
from facilities.kernel.refusals import Invalid, NotPermitted, NotVisible, Refused
from facilities.projects import queries
from facilities.projects.measures import MEASURES
from facilities.projects.models import LARGEST, MonthlyReport, ProjectYear, ReportState, Subproject, Target


@dataclass(frozen=True, slots=True)
class Details:
    """What a subproject is; None is not known. `figure_id`: the published figure that belongs to it."""

    project_name: str | None = None
    name: str | None = None
    kind: Kind | None = None
    unit: str | None = None
    lead_unit: str | None = None
    partner_units: str | None = None
    measure: str | None = None
    plan: tuple[int, ...] | None = None
    accepted_on: date | None = None
    figure_id: int | None = None


@dataclass(frozen=True, slots=True)
class Entry:
    """What is reported of a month; `value` is the year's total at its end."""

    value: Decimal | None = None
    qualifier: Qualifier | None = None
    evidence: str | None = None
    link: str | None = None
    problems: str | None = None
    remedies: str | None = None


def _to_change(actor: Actor, subproject_id: int) -> Subproject:
    """Locked. NotPermitted, NotVisible."""
    if not actor.is_administrator:
        raise NotPermitted
    found = queries.subproject(subproject_id, to_change=True)
    if found is None:
        raise NotVisible
    return found


def change_subproject(actor: Actor, subproject_id: int, details: Details) -> Subproject:
    """All of it: what is None is emptied. Invalid: `name`, `plan`, `measure`, `accepted_on`, `figure_id`."""
    found = _to_change(actor, subproject_id)
    _check(details)
    figures = {figure.id: figure for figure in queries.figures_for(found.project.year, subproject_id)}
    if details.figure_id is not None and details.figure_id not in figures:
        raise Invalid(figure_id="unknown_figure")
    found.project.name = details.project_name
    for name in ("name", "kind", "unit", "lead_unit", "partner_units", "measure", "accepted_on"):
        setattr(found, name, getattr(details, name))
    found.plan = list(details.plan) if details.plan else None
    for figure in figures.values():
        if figure.subproject_id == subproject_id and figure.id != details.figure_id:
            figure.subproject_id = None
    db.session.flush()  # the figure of before gives its place up first
    if details.figure_id is not None:
        figures[details.figure_id].subproject_id = subproject_id
    db.session.flush()
    facts = asdict(details) | {"accepted_on": str(details.accepted_on) if details.accepted_on else None}
    audit.note(actor, "changed", "subproject", [subproject_id], facts)
    return found


def _check(details: Details) -> None:
    if details.name is None and (details.kind or details.accepted_on):
        raise Invalid(name="name_needed")
    if details.plan is not None and wrong_plan(details.plan):
        raise Invalid(plan="bad_plan")
    if details.measure is not None and details.measure not in MEASURES:
        raise Invalid(measure="unknown_measure")
    if details.accepted_on is not None and details.accepted_on > clock.today():
        raise Invalid(accepted_on="day_to_come")


def set_target(actor: Actor, subproject_id: int, set_by: SetBy, from_day: date, value: Decimal) -> Target:
    """A version from a day on; the one of the same setter and day is replaced. Invalid: `target`."""
    _to_change(actor, subproject_id)
    _check_number(value, "target")
    if value == 0:
        raise Invalid(target="out_of_range")
    found = next((target for target in queries.targets(subproject_id)
                  if (target.set_by, target.from_day) == (set_by, from_day)), None)
    if found is None:
        found = Target(subproject_id=subproject_id, set_by=set_by, from_day=from_day, value=value)
        db.session.add(found)
    found.value = value
    db.session.flush()
    audit.note(actor, "target_set", "subproject", [subproject_id],
               {"set_by": set_by.value, "from_day": str(from_day), "value": str(value)})
    return found


def _check_number(value: Decimal, name: str) -> None:
    if not value.is_finite() or not 0 <= value <= LARGEST or value != round(value, 3):
        raise Invalid(**{name: "out_of_range"})


# -- monthly reports


def enter_report(actor: Actor, subproject_id: int, month: int, entry: Entry, *, submit: bool) -> MonthlyReport:
    """A draft, written anew as often as needed; `submit` hands it in for review, with evidence.

    Refused `report_under_review`, `report_locked`, `subproject_unnamed`. Invalid: `month`, `value`, `evidence`.
    """
    found = _to_change(actor, subproject_id)
    if found.name is None:
        raise Refused("subproject_unnamed")
    if clock.today() < date(found.project.year, month, 1):
        raise Invalid(month="month_to_come")
    if entry.value is not None:
        _check_number(entry.value, "value")
    elif entry.qualifier is not None or (submit and found.kind is not Kind.IN_WORDS):
        raise Invalid(value="value_needed")
    if submit and not entry.evidence:
        raise Invalid(evidence="evidence_needed")
    report = next((report for report in queries.reports(subproject_id) if report.month == month), None)
    if report is None:
        report = MonthlyReport(subproject_id=subproject_id, month=month, state=ReportState.DRAFT)
        db.session.add(report)
    elif report.state is not ReportState.DRAFT:
        raise Refused("report_locked" if report.state is ReportState.LOCKED else "report_under_review")
    for name, value in asdict(entry).items():
        setattr(report, name, value)
    report.state = ReportState.SUBMITTED if submit else ReportState.DRAFT
    report.entered_by, report.entered_at = actor.user_id, clock.now()
    db.session.flush()
    audit.note(actor, "submitted" if submit else "drafted", "monthly_report", [report.id])
    return report


def review(actor: Actor, report_id: int, *, lock: bool, because: str | None = None) -> MonthlyReport:
    """By another administrator than who entered it: locked for good, or back to who entered it, with a reason.

    NotVisible, NotPermitted; Refused `report_not_submitted`, `review_by_another`. Invalid: `because`.
    """
    if not actor.is_administrator:
        raise NotPermitted
    found = queries.report(report_id)
    if found is None:
        raise NotVisible
    _to_change(actor, found.subproject_id)
    report = queries.report(report_id)
    if report is None or report.state is not ReportState.SUBMITTED:
        raise Refused("report_not_submitted")
    if report.entered_by == actor.user_id:
        raise Refused("review_by_another")
    if not lock and not because:
        raise Invalid(because="reason_needed")
    if lock:
        report.state, report.returned_because = ReportState.LOCKED, None
        report.reviewed_by, report.reviewed_at = actor.user_id, clock.now()
    else:
        report.state, report.returned_because = ReportState.DRAFT, because
    db.session.flush()
    audit.note(actor, "locked" if lock else "returned", "monthly_report", [report_id])
    return report


def set_thresholds(actor: Actor, year: int, thresholds: Thresholds) -> ProjectYear:
    """NotPermitted, NotVisible. Invalid: `red`."""
    if not actor.is_administrator:
        raise NotPermitted
    found = db.session.get(ProjectYear, year, with_for_update=True, populate_existing=True)
    if found is None:
        raise NotVisible
    if not 0 <= thresholds.yellow < thresholds.red <= 100:
        raise Invalid(red="red_after_yellow")
    found.yellow_points, found.red_points = thresholds.yellow, thresholds.red
    db.session.flush()
    audit.note(actor, "changed", "project_year", [year], asdict(thresholds))
    return found
