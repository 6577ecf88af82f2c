"""Whether every report and correction is what was written, in a chain of which nothing is missing.

A chain that was cut off at its end has no gap: what the audit log says was closed and corrected must be there as well.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from facilities.reports import contents, queries
from facilities.reports.models import BEGINNING, OfficialReport, ReportCorrection


@dataclass(frozen=True, slots=True)
class Verified:
    """How many there are, the hash at the chain's end, and what is wrong with it, in words."""

    reports: int
    corrections: int
    end: str
    faults: tuple[str, ...]


def verify() -> Verified:
    chain, by_report, noted = queries.whole_chain(), queries.all_corrections(), queries.noted_hashes()
    faults: list[str] = []
    number, previous = 0, BEGINNING
    for report in chain:
        if report.number != number + 1:
            faults.append(f"reports {number + 1} to {report.number - 1} are missing")
        elif report.previous != previous:
            faults.append(f"report {report.number}: the one before it is not the one that it names")
        found = [*_faults_of(report), *_of_corrections(report, by_report.get(report.id, []))]
        faults += [f"report {report.number}: {fault}" for fault in found]
        number, previous = report.number, report.sha256
    corrections = [row for rows in by_report.values() for row in rows]
    for verb, rows in (("closed", chain), ("corrected", corrections)):
        here = {row.sha256 for row in rows}
        faults += [f"the audit log says that this was {verb}, and it is not there: {sha256}"
                   for sha256 in sorted(noted[verb] - here)]
        faults += [f"the audit log does not say that this was {verb}: {sha256}"
                   for sha256 in sorted(here - noted[verb])]
    return Verified(len(chain), len(corrections), previous, tuple(faults))


def _faults_of(report: OfficialReport) -> Iterator[str]:
    if contents.digest(report.content) != report.sha256:
        yield "the content is not what was hashed"
    said = {
        "number": report.number, "kind": report.kind.value, "first": str(report.first), "last": str(report.last),
        "previous": report.previous, "closed_at": contents.moment(report.closed_at),
        "signed": {"name": report.signed_name, "position": report.signed_position}}
    yield from _unlike(report.content, said)


def _of_corrections(report: OfficialReport, corrections: Sequence[ReportCorrection]) -> Iterator[str]:
    number, previous = 0, report.sha256
    for row in corrections:
        if row.number != number + 1:
            yield f"corrections {number + 1} to {row.number - 1} are missing"
        if contents.digest(row.content) != row.sha256:
            yield f"correction {row.number}: the content is not what was hashed"
        said = {"number": row.number, "made_at": contents.moment(row.made_at), "report": report.sha256}
        if row.number == number + 1:
            said["previous"] = previous
        for fault in _unlike(row.content, said):
            yield f"correction {row.number}: {fault}"
        number, previous = row.number, row.sha256


def _unlike(content: str, said: Mapping[str, Any]) -> Iterator[str]:
    """Where the row beside its content says something else."""
    try:
        inside = json.loads(content)
    except ValueError:
        yield "the content cannot be read"
        return
    different = [name for name, value in said.items() if inside.get(name) != value]
    if different:
        yield f"the content does not agree with {', '.join(different)}"
