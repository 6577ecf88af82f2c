"""The verbs of official reports: close a period, and note what differs afterwards. What was published stays."""

import json
from dataclasses import asdict, dataclass
from datetime import date

from facilities.engine.official_reports import Delta, PeriodKind, deltas, period_from
from facilities.infra import audit
from facilities.infra.db import db
from facilities.kernel import clock
from facilities.kernel.actors import Actor
from facilities.kernel.refusals import Invalid, NotPermitted, NotVisible, Refused
from facilities.reports import contents, queries
from facilities.reports.models import BEGINNING, OfficialReport, ReportCorrection


@dataclass(frozen=True, slots=True)
class Signer:
    """Who signs for the unit."""

    name: str
    position: str


def close(actor: Actor, kind: PeriodKind, first: date, signer: Signer) -> OfficialReport:
    """Freeze the figures of a period that is over; `first` is its first day.

    NotPermitted. Invalid: `first`. Refused `period_not_over`, `period_closed`, `closed_meanwhile`, `figures_changing`.
    """
    if not actor.is_administrator:
        raise NotPermitted
    period, now = period_from(kind, first), clock.now().replace(microsecond=0)
    if period is None:
        raise Invalid(first="no_period_begins")
    if not period.is_over(clock.local_date(now)):
        raise Refused("period_not_over")
    if queries.is_closed(kind, first):
        raise Refused("period_closed")
    counted = contents.count(period)
    last = queries.last_of_chain()
    number, previous = (last.number + 1, last.sha256) if last else (1, BEGINNING)
    text = contents.report(period, counted, number, previous, now, asdict(signer))
    found = OfficialReport(
        number=number, kind=kind, first=first, last=period.last, content=text, sha256=contents.digest(text),
        previous=previous, closed_at=now, closed_by=actor.user_id, signed_name=signer.name,
        signed_position=signer.position)
    db.session.add(found)
    db.session.flush()
    audit.note(actor, "closed", "official_report", [found.id], {"period": period.code, "sha256": found.sha256})
    return found


def note_correction(report_id: int, actor: Actor | None = None) -> ReportCorrection | None:
    """What differs now from what is published with its corrections, as one more; None where nothing does.

    NotVisible, NotPermitted; Refused `figures_changing`.
    """
    if actor is not None and not actor.is_administrator:
        raise NotPermitted
    report = queries.report(report_id, to_correct=True)
    if report is None:
        raise NotVisible
    before = queries.corrections(report_id)
    found = _deltas(report, before)
    if not found:
        return None
    now, number = clock.now().replace(microsecond=0), len(before) + 1
    text = contents.correction(report.sha256, number, before[-1].sha256 if before else report.sha256, now, found)
    made = ReportCorrection(
        report_id=report_id, number=number, made_at=now, content=text, sha256=contents.digest(text))
    db.session.add(made)
    db.session.flush()
    audit.note(actor, "corrected", "official_report", [report_id], {"number": number, "sha256": made.sha256})
    return made


def _deltas(report: OfficialReport, before: list[ReportCorrection]) -> list[Delta]:
    """Along the tables and for the measures that were published, as far as this version still counts them."""
    published = json.loads(report.content)
    measures = contents.NOTHING.keys() & set(published["measures"])
    said = contents.published_cells(published, (json.loads(row.content) for row in before))
    now = contents.cells(contents.count(report.period, contents.tables_of(published)))
    return deltas({cell: value for cell, value in said.items() if cell[2] in measures},
                  {cell: value for cell, value in now.items() if cell[2] in measures}, contents.NOTHING)


def note_corrections(actor: Actor | None = None) -> int:
    """Of every report; how many corrections were made."""
    return sum(note_correction(number, actor) is not None for number in queries.report_ids())
