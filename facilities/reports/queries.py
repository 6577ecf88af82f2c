"""Reads about official reports."""

from dataclasses import dataclass

from sqlalchemy import func, select

from facilities.infra.audit import AuditEntry
from facilities.infra.db import db
from facilities.reports.models import OfficialReport, ReportCorrection


@dataclass(frozen=True, slots=True)
class Listed:
    report: OfficialReport
    corrections: int


def listed() -> list[Listed]:
    """The latest period first; of those that end together the shortest first."""
    found = (select(OfficialReport, func.count(ReportCorrection.id))
             .outerjoin(ReportCorrection, ReportCorrection.report_id == OfficialReport.id)
             .group_by(OfficialReport.id).order_by(OfficialReport.last.desc(), OfficialReport.first.desc()))
    return [Listed(report, number) for report, number in db.session.execute(found)]


def report(report_id: int, *, to_correct: bool = False) -> OfficialReport | None:
    """`to_correct`: nobody else corrects it meanwhile."""
    found = select(OfficialReport).where(OfficialReport.id == report_id)
    return db.session.scalar(found.with_for_update() if to_correct else found)


def corrections(report_id: int) -> list[ReportCorrection]:
    return list(db.session.scalars(
        select(ReportCorrection).where(ReportCorrection.report_id == report_id).order_by(ReportCorrection.number)))


def report_ids() -> list[int]:
    return list(db.session.scalars(select(OfficialReport.id).order_by(OfficialReport.number)))


def is_closed(kind: str, first: object) -> bool:
    return db.session.scalar(select(OfficialReport.id).where(
        OfficialReport.kind == kind, OfficialReport.first == first)) is not None


def last_of_chain() -> OfficialReport | None:
    return db.session.scalar(select(OfficialReport).order_by(OfficialReport.number.desc()).limit(1))


# -- all of it, for `verify`


def whole_chain() -> list[OfficialReport]:
    return list(db.session.scalars(select(OfficialReport).order_by(OfficialReport.number)))


def all_corrections() -> dict[int, list[ReportCorrection]]:
    """By report, in the order in which they were made."""
    found: dict[int, list[ReportCorrection]] = {}
    for row in db.session.scalars(
            select(ReportCorrection).order_by(ReportCorrection.report_id, ReportCorrection.number)):
        found.setdefault(row.report_id, []).append(row)
    return found


def noted_hashes() -> dict[str, set[str]]:
    """What the audit log says was closed and corrected: the verb, and the hashes of what came of it."""
    found: dict[str, set[str]] = {"closed": set(), "corrected": set()}
    for verb, facts in db.session.execute(select(AuditEntry.verb, AuditEntry.facts).where(
            AuditEntry.about_kind == "official_report", AuditEntry.verb.in_(found))):
        found[verb].add(str(facts.get("sha256")))
    return found
