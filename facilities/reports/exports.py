"""A closed report as a file: made from its frozen text alone, in both languages at once, the same bytes each time."""

import csv
import io
import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from flask import Response

from facilities.reports import contents
from facilities.reports.models import OfficialReport
from facilities.reports.spreadsheets import Cell, Sheet, workbook
from facilities.web import exports

JSON = "application/json"
FORMATS = ("json", "csv", "xlsx")


def as_file(report: OfficialReport, kind: str) -> Response:
    """The JSON is the very text that was hashed: whoever has it can hash it again."""
    made = {"json": as_json, "csv": as_csv, "xlsx": as_xlsx}[kind](report.content)
    mimetype = {"json": JSON, "csv": exports.CSV, "xlsx": exports.XLSX}[kind]
    charset = "; charset=utf-8" if kind == "csv" else ""
    name = f"report-{report.period.code}-{report.sha256[:8]}.{kind}"
    return Response(made, content_type=mimetype + charset,
                    headers={"Content-Disposition": f'attachment; filename="{name}"'})


def as_json(content: str) -> bytes:
    return content.encode()


def as_csv(content: str) -> bytes:
    """One table below the other, a blank line between."""
    text = io.StringIO()
    text.write("\ufeff")  # so that spreadsheets read it as UTF-8
    writer = csv.writer(text)
    for sheet in _sheets(content):
        writer.writerows([[exports.harmless(cell) for cell in row] for row in (sheet.header, *sheet.rows)])
        writer.writerow([])
    return text.getvalue().encode()


def as_xlsx(content: str) -> bytes:
    return workbook(_sheets(content), datetime.fromisoformat(json.loads(content)["closed_at"]))


def _sheets(content: str) -> list[Sheet]:
    """What it is and the totals first, then a sheet for each table."""
    said = json.loads(content)
    measures = [_both(said["words"][name]) for name in said["measures"]]
    return [
        Sheet(said["code"], [_both(said["words"]["title"])], [
            *_about(said, contents.digest(content)), [],
            ["", *measures], [_both(said["words"]["total"]), *_figures(said, said["total"])]]),
        *(_table(said, table, number, measures) for number, table in enumerate(said["tables"], start=1)),
    ]


def _about(said: Mapping[str, Any], sha256: str) -> list[list[Cell]]:
    words, signed = said["words"], said["signed"]
    return [
        [_both(words["period"]), _both(said["period"]), said["first"], said["last"]],
        [_both(words["number"]), said["number"]],
        [_both(words["closed"]), said["closed_at"]],
        [_both(words["signed"]), signed["name"], signed["position"]],
        [_both(words["sha256"]), sha256],
        [_both(words["previous"]), said["previous"]],
        [_both(words["note"])],
    ]


def _table(said: Mapping[str, Any], table: Mapping[str, Any], number: int, measures: list[str]) -> Sheet:
    """Two columns for each name, Chinese and English; whoever reads by machine has the ids in the JSON."""
    names = [said["names"][dimension] for dimension in table["by"]]
    header = [said["words"][dimension][language] for dimension in table["by"] for language in ("zh", "en")]
    title = " ".join(said["words"][dimension]["zh"] for dimension in table["by"])
    return Sheet(f"{number} {title}", [*header, *measures], [
        [*(those[value][language] for those, value in zip(names, row["of"], strict=True) for language in ("zh", "en")),
         *_figures(said, row["figures"])] for row in table["rows"]])


def _figures(said: Mapping[str, Any], figures: Mapping[str, Any]) -> list[Cell]:
    return [figures[measure] for measure in said["measures"]]


def _both(words: Mapping[str, str]) -> str:
    return words["zh"] if words["zh"] == words["en"] else f"{words['zh']} {words['en']}"
