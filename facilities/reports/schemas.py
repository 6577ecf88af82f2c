"""The shape of official reports in the API."""

import json
from collections.abc import Sequence
from typing import Any

from marshmallow import fields

from facilities.engine.official_reports import PeriodKind
from facilities.reports.models import OfficialReport, ReportCorrection
from facilities.reports.queries import Listed
from facilities.web.schemas import BaseSchema, Day, Id, Instant, Text, one_of


class CloseIn(BaseSchema):
    kind = fields.String(required=True, validate=one_of(*PeriodKind))
    first = Day(required=True)
    signed_name = Text(longest=64, required=True)
    signed_position = Text(longest=80, required=True)


class _Line(BaseSchema):
    """`number`: its place in the chain; `previous`: the hash of the one before it."""

    id = Id()
    number = fields.Integer()
    code = fields.String()
    kind = fields.String()
    first = Day()
    last = Day()
    closed_at = Instant()
    signed_name = fields.String()
    signed_position = fields.String()
    sha256 = fields.String()
    previous = fields.String()


class ReportOut(_Line):
    """`corrections`: how many there are."""

    corrections = fields.Integer()


class CorrectionOut(BaseSchema):
    """`cells`: `{by, of, measure, old, new}`, a figure each; `content`, which says the same, is what was hashed."""

    number = fields.Integer()
    made_at = Instant()
    sha256 = fields.String()
    cells = fields.List(fields.Dict())
    names = fields.Dict()
    content = fields.String()


class WholeReportOut(_Line):
    """`content`: the text that was hashed, JSON; `report`: the same, read."""

    content = fields.String()
    report = fields.Dict()
    corrections = fields.List(fields.Nested(CorrectionOut))


class ComparedOut(BaseSchema):
    """Null where every figure is as published and corrected."""

    correction = fields.Nested(CorrectionOut, allow_none=True)


def show_listed(listed: Listed) -> dict[str, Any]:
    return _line(listed.report) | {"corrections": listed.corrections}


def show_report(report: OfficialReport, corrections: Sequence[ReportCorrection]) -> dict[str, Any]:
    return _line(report) | {"content": report.content, "report": json.loads(report.content),
                            "corrections": [show_correction(row) for row in corrections]}


def show_correction(row: ReportCorrection) -> dict[str, Any]:
    said = json.loads(row.content)
    return {"number": row.number, "made_at": row.made_at, "sha256": row.sha256, "cells": said["cells"],
            "names": said["names"], "content": row.content}


def _line(report: OfficialReport) -> dict[str, Any]:
    names = ("id", "number", "kind", "first", "last", "closed_at", "signed_name", "signed_position", "sha256",
             "previous")
    return {name: getattr(report, name) for name in names} | {"code": report.period.code}
