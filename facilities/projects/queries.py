"""Reads about livelihood projects: how each stands on a day, in a fixed number of queries."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from enum import StrEnum

from sqlalchemy import select
from sqlalchemy.orm import contains_eager, selectinload

from facilities.engine.projects import (
    MONTHS,
    Amount,
    Light,
    TargetVersion,
    completion,
    expected,
    forecast,
    in_month,
    light,
    target_on,
)
from facilities.infra.db import db
from facilities.projects.measures import ByMonth, count
from facilities.projects.models import (
    MonthlyReport,
    Project,
    ProjectYear,
    ReportedFigure,
    ReportState,
    Source,
    Subproject,
    Target,
)


class FigureSource(StrEnum):
    """Where the number comes from: counted here, reported by the lead unit and locked, or published."""

    STATISTICS = "statistics"
    REPORT = "report"
    PUBLISHED = "published"


@dataclass(frozen=True, slots=True)
class Done:
    """`by_month`: the year's total at the end of months, where they are known and exact."""

    amount: Amount | None = None
    source: FigureSource | None = None
    by_month: ByMonth = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Standing:
    """How a subproject stands on a day. `figure`: what was published of it; `report`: the latest that is locked."""

    subproject: Subproject
    done: Done
    target: TargetVersion | None
    rate: Decimal | None
    expected_rate: Decimal | None
    light: Light | None
    forecast: Decimal | None
    figure: ReportedFigure | None
    report: MonthlyReport | None
    this_month: Decimal | None

    @property
    def is_published(self) -> bool:
        """Its number is the published one, which is shown as it was printed."""
        return self.done.source is FigureSource.PUBLISHED


@dataclass(frozen=True, slots=True)
class Unplaced:
    """A published figure of which nobody has said where it belongs, beside what the app itself counts."""

    figure: ReportedFigure
    counted: Decimal | None


@dataclass(frozen=True, slots=True)
class Overview:
    of: ProjectYear
    day: date
    projects: Sequence[tuple[Project, Sequence[Standing]]]
    unplaced: Sequence[Unplaced]

    @property
    def standings(self) -> list[Standing]:
        return [standing for _, standings in self.projects for standing in standings]

    @property
    def known(self) -> list[tuple[Project, Sequence[Standing]]]:
        """Projects of which a name is known, or a part's."""
        return [row for row in self.projects if row[0].name or any(standing.subproject.name for standing in row[1])]

    @property
    def unknown(self) -> list[tuple[Project, Sequence[Standing]]]:
        known = {project.id for project, _ in self.known}
        return [row for row in self.projects if row[0].id not in known]

    @property
    def unplaced_by_heading(self) -> dict[str, list[Unplaced]]:
        """In the order of the publication."""
        found: dict[str, list[Unplaced]] = {}
        for one in self.unplaced:
            found.setdefault(one.figure.heading, []).append(one)
        return found

    def number_of(self, source: Source) -> tuple[int, int]:
        """Projects and subprojects."""
        those = [standings for project, standings in self.projects if project.source is source]
        return len(those), sum(len(standings) for standings in those)


def years() -> list[int]:
    """Newest first."""
    return list(db.session.scalars(select(ProjectYear.year).order_by(ProjectYear.year.desc())))


def overview(year: int, day: date) -> Overview | None:
    """All of a year as it stands on a day; None where nothing is known of the year."""
    of = db.session.get(ProjectYear, year, populate_existing=True)
    if of is None:
        return None
    projects = db.session.scalars(
        select(Project).where(Project.year == year).order_by(Project.code).options(selectinload(Project.subprojects))
        .execution_options(populate_existing=True)).all()
    figures = db.session.scalars(
        select(ReportedFigure).where(ReportedFigure.year == year).order_by(ReportedFigure.code)).all()
    counted = count([*(s.measure for p in projects for s in p.subprojects), *(f.measure for f in figures)], year, day)
    targets, reports = _targets(year), _locked(year, day)
    placed = {figure.subproject_id: figure for figure in figures if figure.subproject_id is not None}

    def standing(subproject: Subproject) -> Standing:
        number = subproject.id
        return _standing(of, day, subproject, placed.get(number), reports.get(number, ()), targets.get(number, ()),
                         counted)

    return Overview(
        of, day, [(project, [standing(s) for s in project.subprojects]) for project in projects],
        [Unplaced(f, latest(counted.get(f.measure or "", {}))) for f in figures if f.subproject_id is None])


def latest(by_month: ByMonth) -> Decimal | None:
    return by_month[max(by_month)] if by_month else None


def _standing(of: ProjectYear, day: date, subproject: Subproject, figure: ReportedFigure | None,
              reports: Sequence[MonthlyReport], versions: Sequence[TargetVersion],
              counted: Mapping[str, ByMonth]) -> Standing:
    done = _done(figure, reports, counted.get(subproject.measure or "", {}))
    target = target_on(versions, min(day, date(of.year, MONTHS, 31)))
    rate = should_be = year_end = None
    if subproject.kind is not None:
        rate = completion(subproject.kind, done.amount, target.value if target else None)
        should_be = expected(subproject.kind, of.year, day, subproject.plan)
        year_end = forecast(subproject.kind, _whole_months(done, of.year, day))
    shows = light(rate, should_be, is_accepted=subproject.accepted_on is not None and subproject.accepted_on <= day,
                  thresholds=of.thresholds)
    return Standing(subproject, done, target, rate, should_be, shows, year_end, figure,
                    reports[-1] if reports else None, in_month(done.by_month, month_of(of.year, day)))


def _done(figure: ReportedFigure | None, reports: Sequence[MonthlyReport], counted: ByMonth) -> Done:
    """What is counted here goes before what is reported, and that before what was once published."""
    if (number := latest(counted)) is not None:
        return Done(Amount(number), FigureSource.STATISTICS, counted)
    amounts = {report.month: report.amount for report in reports if report.amount}
    if amounts:
        exact = {month: amount.exact for month, amount in amounts.items() if amount.exact is not None}
        return Done(amounts[max(amounts)], FigureSource.REPORT, exact)
    if figure is not None:
        return Done(figure.amount if figure.confirmed else None, FigureSource.PUBLISHED)
    return Done()


def _whole_months(done: Done, year: int, day: date) -> ByMonth:
    """A month that is not over yet would slow the pace; a report is of a whole one."""
    if done.source is not FigureSource.STATISTICS or day.year != year:
        return done.by_month
    return {month: total for month, total in done.by_month.items() if month < day.month}


def month_of(year: int, day: date) -> int:
    """The month of the year that a day is in, or that was its last."""
    return day.month if day.year == year else MONTHS


def _targets(year: int) -> dict[int, list[TargetVersion]]:
    found: dict[int, list[TargetVersion]] = {}
    for target in db.session.scalars(
            select(Target).join(Subproject, Subproject.id == Target.subproject_id)
            .join(Project, Project.id == Subproject.project_id).where(Project.year == year)):
        found.setdefault(target.subproject_id, []).append(target.version)
    return found


def _locked(year: int, day: date) -> dict[int, list[MonthlyReport]]:
    """By subproject, in the order of months, up to the day's."""
    found: dict[int, list[MonthlyReport]] = {}
    for report in db.session.scalars(
            select(MonthlyReport).join(Subproject, Subproject.id == MonthlyReport.subproject_id)
            .join(Project, Project.id == Subproject.project_id)
            .where(Project.year == year, MonthlyReport.state == ReportState.LOCKED,
                   MonthlyReport.month <= month_of(year, day))
            .order_by(MonthlyReport.month)):
        found.setdefault(report.subproject_id, []).append(report)
    return found


# -- for administrators


def subproject(subproject_id: int, *, to_change: bool = False) -> Subproject | None:
    """With its project. `to_change`: its row is locked, and whatever hangs on it with it."""
    found = (select(Subproject).join(Subproject.project).options(contains_eager(Subproject.project))
             .where(Subproject.id == subproject_id).execution_options(populate_existing=True))
    return db.session.scalar(found.with_for_update(of=Subproject) if to_change else found)


def targets(subproject_id: int) -> list[Target]:
    return list(db.session.scalars(
        select(Target).where(Target.subproject_id == subproject_id).order_by(Target.from_day.desc(), Target.set_by)))


def reports(subproject_id: int) -> list[MonthlyReport]:
    return list(db.session.scalars(
        select(MonthlyReport).where(MonthlyReport.subproject_id == subproject_id).order_by(MonthlyReport.month)))


def report(report_id: int) -> MonthlyReport | None:
    return db.session.get(MonthlyReport, report_id, populate_existing=True)


def waiting() -> list[MonthlyReport]:
    """Handed in and not reviewed, those that wait longest first."""
    return list(db.session.scalars(
        select(MonthlyReport).join(MonthlyReport.subproject).join(Subproject.project)
        .options(contains_eager(MonthlyReport.subproject).contains_eager(Subproject.project))
        .where(MonthlyReport.state == ReportState.SUBMITTED).order_by(MonthlyReport.entered_at, MonthlyReport.id)))


def figures_for(year: int, subproject_id: int) -> list[ReportedFigure]:
    """Those that can be put there: of the year, and nowhere else."""
    return list(db.session.scalars(
        select(ReportedFigure).where(
            ReportedFigure.year == year,
            ReportedFigure.subproject_id.is_(None) | (ReportedFigure.subproject_id == subproject_id))
        .order_by(ReportedFigure.code)))
