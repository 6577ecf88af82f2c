"""The shape of figures in the API."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from marshmallow import fields

from facilities.statistics import queries
from facilities.statistics.queries import Dimension, Row
from facilities.web.language import in_language
from facilities.web.schemas import BaseSchema, Day, Reference, Text


class FiguresQuery(BaseSchema):
    from_ = Day(required=True, data_key="from")
    to = Day(required=True)
    facility = Reference()
    programme = Reference()
    sub_district = Text(longest=9)
    by = fields.List(fields.String())


class FiguresOut(BaseSchema):
    rows = fields.List(fields.Dict())
    total = fields.Dict()


def names_of(rows: Sequence[Row], by: Sequence[Dimension]) -> dict[Dimension, dict[str, str]]:
    """Ids in rows → names in the reader's language; one query for each dimension that has any."""
    return {d: {value: in_language(thing) for value, thing in queries.names(d, (r.of[d] for r in rows)).items()}
            for d in by if d in (Dimension.FACILITY, Dimension.PROGRAMME, Dimension.SUB_DISTRICT)}


def show_rows(rows: Sequence[Row], by: Sequence[Dimension]) -> list[dict[str, Any]]:
    names = names_of(rows, by)
    shown = []
    for row in rows:
        cells: dict[str, Any] = {}
        for dimension, value in row.of.items():
            cells[dimension.value] = value
            if dimension in names:
                cells[f"{dimension.value}_name"] = names[dimension].get(value, value)
        shown.append({**cells, **asdict(row.figures)})
    return shown
