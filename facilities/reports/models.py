"""Official reports as they were closed, and what was found to differ afterwards. Neither is ever changed or removed."""

from datetime import date, datetime

from sqlalchemy import Date, ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from facilities.engine.official_reports import Period, PeriodKind
from facilities.infra.columns import BigId, UtcDateTime, enum_type
from facilities.infra.db import Model
from facilities.infra.exclusion import check, hold_unchanged

BEGINNING = "0" * 64  # what stands before the first report


class OfficialReport(Model):
    """`content`: the text that was hashed, JSON. It says all the other columns say but `closed_by`, who may be erased.

    `number`: its place in the chain, for each report's content holds the hash of the one before.
    """

    __tablename__ = "official_reports"
    __table_args__ = (
        UniqueConstraint("kind", "first", info={"refusal": "period_closed"}),
        Index("uq_official_reports_number", "number", unique=True, info={"refusal": "closed_meanwhile"}),
        check("number >= 1", "number"),
        check("first < last", "days_in_order"),
        check("length(sha256) = 64 AND length(previous) = 64", "hashes"),
        check("content <> ''", "content_not_blank"),
        check("signed_name <> '' AND signed_position <> ''", "signed_by_somebody"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    number: Mapped[int]
    kind: Mapped[PeriodKind] = mapped_column(enum_type(PeriodKind, "kind"))
    first: Mapped[date] = mapped_column(Date)
    last: Mapped[date] = mapped_column(Date)
    content: Mapped[str] = mapped_column(Text)
    sha256: Mapped[str] = mapped_column(String(64))
    previous: Mapped[str] = mapped_column(String(64))
    closed_at: Mapped[datetime] = mapped_column(UtcDateTime)
    closed_by: Mapped[int] = mapped_column(BigId)  # no foreign key: the row stays, whoever leaves
    signed_name: Mapped[str] = mapped_column(String(64))
    signed_position: Mapped[str] = mapped_column(String(80))

    @property
    def period(self) -> Period:
        return Period(self.kind, self.first)


hold_unchanged(OfficialReport.__table__)  # type: ignore[arg-type]


class ReportCorrection(Model):
    """What differed on a day from what was published and corrected until then; `content` is hashed as a report's is."""

    __tablename__ = "report_corrections"
    __table_args__ = (
        UniqueConstraint("report_id", "number"),
        check("number >= 1", "number"),
        check("length(sha256) = 64", "hash"),
        check("content <> ''", "content_not_blank"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    report_id: Mapped[int] = mapped_column(ForeignKey(OfficialReport.id))
    number: Mapped[int]  # of the report's corrections
    made_at: Mapped[datetime] = mapped_column(UtcDateTime)
    content: Mapped[str] = mapped_column(Text)
    sha256: Mapped[str] = mapped_column(String(64))


hold_unchanged(ReportCorrection.__table__)  # type: ignore[arg-type]
