"""Livelihood projects of a year, their subprojects, targets and monthly reports, and what was published of them.

What no source gives is null: a project or subproject without a name is a place in the count that was published.
"""

from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum

from sqlalchemy import JSON, Date, ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from facilities.engine.projects import Amount, Kind, Qualifier, SetBy, TargetVersion, Thresholds
from facilities.infra.columns import BigId, Thousandths, UtcDateTime, enum_type
from facilities.infra.db import Model
from facilities.infra.exclusion import check, hold_unchanged

FIRST_YEAR, LAST_YEAR = 2000, 2100
LARGEST = Decimal(10**12)


class Source(StrEnum):
    MUNICIPAL = "municipal"  # 市级任务
    VOTED = "voted"  # 区人大票决


class ProjectYear(Model):
    """What was published of a year as a whole, and how far behind its lights turn."""

    __tablename__ = "project_years"
    __table_args__ = (
        check(f"year BETWEEN {FIRST_YEAR} AND {LAST_YEAR}", "year"),
        check("0 <= yellow_points AND yellow_points < red_points AND red_points <= 100", "thresholds_in_order"),
    )

    year: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    quote: Mapped[str] = mapped_column(String(500))
    source: Mapped[str] = mapped_column(String(300))
    yellow_points: Mapped[int]
    red_points: Mapped[int]

    @property
    def thresholds(self) -> Thresholds:
        return Thresholds(self.yellow_points, self.red_points)


class Project(Model):
    __tablename__ = "livelihood_projects"
    __table_args__ = (UniqueConstraint("year", "code"), check("name <> ''", "name_not_blank"))

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    year: Mapped[int] = mapped_column(ForeignKey(ProjectYear.year))
    code: Mapped[str] = mapped_column(String(16))
    source: Mapped[Source] = mapped_column(enum_type(Source, "source"))
    name: Mapped[str | None] = mapped_column(String(120))

    subprojects: Mapped[list["Subproject"]] = relationship(
        lazy="raise", order_by="Subproject.code", back_populates="project")


class Subproject(Model):
    """`measure`: a key of `measures.MEASURES`, where the app counts it itself. `plan`: twelve percentages."""

    __tablename__ = "subprojects"
    __table_args__ = (
        UniqueConstraint("project_id", "code"),
        check("name <> ''", "name_not_blank"),
        check("accepted_on IS NULL OR name IS NOT NULL", "accepted_with_a_name"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    project_id: Mapped[int] = mapped_column(ForeignKey(Project.id))
    code: Mapped[str] = mapped_column(String(16))
    name: Mapped[str | None] = mapped_column(String(120))
    kind: Mapped[Kind | None] = mapped_column(enum_type(Kind, "kind"))
    unit: Mapped[str | None] = mapped_column(String(20))
    lead_unit: Mapped[str | None] = mapped_column(String(80))
    partner_units: Mapped[str | None] = mapped_column(String(300))
    measure: Mapped[str | None] = mapped_column(String(40))
    plan: Mapped[list[int] | None] = mapped_column(JSON(none_as_null=True))
    accepted_on: Mapped[date | None] = mapped_column(Date)

    project: Mapped[Project] = relationship(lazy="raise", back_populates="subprojects")


class Target(Model):
    """From a day on, until the same setter's next; two setters' stand side by side."""

    __tablename__ = "subproject_targets"
    __table_args__ = (
        UniqueConstraint("subproject_id", "set_by", "from_day"),
        check(f"value > 0 AND value <= {LARGEST * 1000}", "value"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    subproject_id: Mapped[int] = mapped_column(ForeignKey(Subproject.id))
    set_by: Mapped[SetBy] = mapped_column(enum_type(SetBy, "set_by"))
    from_day: Mapped[date] = mapped_column(Date)
    value: Mapped[Decimal] = mapped_column(Thousandths)

    @property
    def version(self) -> TargetVersion:
        return TargetVersion(self.from_day, self.value, self.set_by)


class ReportState(StrEnum):
    DRAFT = "draft"
    SUBMITTED = "submitted"
    LOCKED = "locked"


class MonthlyReport(Model):
    """What the lead unit reports of a month: the year's total so far, with evidence. Once locked it stays as it is.

    Who entered and who reviewed it, without a foreign key: a locked row can never be changed, whoever leaves.
    """

    __tablename__ = "monthly_reports"
    __table_args__ = (
        UniqueConstraint("subproject_id", "month", info={"refusal": "report_exists"}),
        check("month BETWEEN 1 AND 12", "month"),
        check(f"value >= 0 AND value <= {LARGEST * 1000}", "value"),
        check("qualifier IS NULL OR value IS NOT NULL", "qualifier_of_a_value"),
        check("state = 'draft' OR (evidence IS NOT NULL AND evidence <> '')", "submitted_with_evidence"),
        check("(state = 'locked') = (reviewed_at IS NOT NULL)", "locked_by_a_review"),
        check("(reviewed_at IS NULL) = (reviewed_by IS NULL)", "reviewed_by_somebody"),
        check("reviewed_by <> entered_by", "reviewed_by_another", refusal="review_by_another"),
        Index("ix_monthly_reports_state", "state"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    subproject_id: Mapped[int] = mapped_column(ForeignKey(Subproject.id))
    month: Mapped[int]
    value: Mapped[Decimal | None] = mapped_column(Thousandths)
    qualifier: Mapped[Qualifier | None] = mapped_column(enum_type(Qualifier, "qualifier"))
    evidence: Mapped[str | None] = mapped_column(String(1000))
    link: Mapped[str | None] = mapped_column(String(300))
    problems: Mapped[str | None] = mapped_column(String(1000))
    remedies: Mapped[str | None] = mapped_column(String(1000))
    state: Mapped[ReportState] = mapped_column(enum_type(ReportState, "state"))
    entered_by: Mapped[int] = mapped_column(BigId)
    entered_at: Mapped[datetime] = mapped_column(UtcDateTime)
    reviewed_by: Mapped[int | None] = mapped_column(BigId)
    reviewed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    returned_because: Mapped[str | None] = mapped_column(String(300))

    subproject: Mapped[Subproject] = relationship(lazy="raise")

    @property
    def amount(self) -> Amount | None:
        return None if self.value is None else Amount(self.value, self.qualifier)


hold_unchanged(MonthlyReport.__table__, once="state = 'locked'")  # type: ignore[arg-type]


class ReportedFigure(Model):
    """A figure as it was published, word for word. `subproject_id` is null while nobody has said where it belongs."""

    __tablename__ = "reported_figures"
    __table_args__ = (
        UniqueConstraint("year", "code"),
        UniqueConstraint("subproject_id"),
        check("qualifier IS NULL OR number IS NOT NULL", "qualifier_of_a_number"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    year: Mapped[int] = mapped_column(ForeignKey(ProjectYear.year))
    code: Mapped[str] = mapped_column(String(16))
    heading: Mapped[str] = mapped_column(String(60))  # under which it was published
    name: Mapped[str] = mapped_column(String(120))
    unit: Mapped[str | None] = mapped_column(String(20))
    as_printed: Mapped[str] = mapped_column(String(60))
    number: Mapped[Decimal | None] = mapped_column(Thousandths)
    qualifier: Mapped[Qualifier | None] = mapped_column(enum_type(Qualifier, "qualifier"))
    quote: Mapped[str] = mapped_column(String(300))
    source: Mapped[str] = mapped_column(String(300))
    confirmed: Mapped[bool]
    note: Mapped[str | None] = mapped_column(String(300))
    measure: Mapped[str | None] = mapped_column(String(40))
    subproject_id: Mapped[int | None] = mapped_column(ForeignKey(Subproject.id))

    @property
    def amount(self) -> Amount | None:
        return None if self.number is None else Amount(self.number, self.qualifier)
