"""The shape of figures in the API."""

from collections.abc import Sequence
from typing import Any

from marshmallow import fields

from facilities.statistics import queries
from facilities.statistics.addresses import CHOICES
from facilities.statistics.dimensions import Dimension
from facilities.statistics.rows import Row
from facilities.web.language import in_language
from facilities.web.schemas import BaseSchema, Day, Id, Instant, PageQuery, Reference, Text, one_of


class NarrowedQuery(BaseSchema):
    facility = Reference()
    programme = Reference()
    facility_kind = fields.String(validate=one_of(*CHOICES[Dimension.FACILITY_KIND]))
    sub_district = Text(longest=9)
    community = Reference()
    provider_type = fields.String(validate=one_of(*CHOICES[Dimension.PROVIDER_TYPE]))
    volunteer = fields.String(validate=one_of(*CHOICES[Dimension.VOLUNTEER]))
    category = fields.String(validate=one_of(*CHOICES[Dimension.CATEGORY]))
    sex = fields.String(validate=one_of(*CHOICES[Dimension.SEX]))
    age_band = fields.String(validate=one_of(*CHOICES[Dimension.AGE_BAND]))
    disability_category = fields.String(validate=one_of(*CHOICES[Dimension.DISABILITY_CATEGORY]))
    disability_grade = fields.String(validate=one_of(*CHOICES[Dimension.DISABILITY_GRADE]))


class ScopeQuery(NarrowedQuery):
    from_ = Day(required=True, data_key="from")
    to = Day(required=True)


class OpenQuery(BaseSchema):
    """What anyone may ask for: what small numbers are hidden in is fixed (decision 16)."""

    from_ = Day(required=True, data_key="from")
    to = Day(required=True)
    facility = Reference()
    programme = Reference()
    sub_district = Text(longest=9)
    by = fields.List(fields.String())


class FiguresQuery(ScopeQuery):
    by = fields.List(fields.String())
    compare = fields.String(validate=one_of("before", "year_before"))


class SessionsQuery(ScopeQuery, PageQuery):
    pass


class FiguresOut(BaseSchema):
    rows = fields.List(fields.Dict())
    total = fields.Dict()
    compared = fields.Dict()


class CountedOut(BaseSchema):
    id = Id()
    title = fields.String()
    title_en = fields.String(allow_none=True)
    facility_id = Id()
    programme_id = Id()
    starts_at = Instant()
    figures = fields.Dict()


class CountedPage(BaseSchema):
    items = fields.List(fields.Nested(CountedOut))
    next = fields.String(allow_none=True)


class PersonOut(BaseSchema):
    resident_id = Id()
    name = fields.String()
    category = fields.String(allow_none=True)
    sex = fields.String()
    age_band = fields.String()
    minutes = fields.Integer()
    event_id = fields.String()
    recorded_by = fields.String(allow_none=True)


class EverybodyOut(BaseSchema):
    people = fields.List(fields.Nested(PersonOut))
    without_names = fields.List(fields.Dict())


NAMED = (Dimension.FACILITY, Dimension.PROGRAMME, Dimension.SUB_DISTRICT, Dimension.COMMUNITY)


def names_of(rows: Sequence[Row], by: Sequence[Dimension]) -> dict[Dimension, dict[str, str]]:
    """Ids in rows → names in the reader's language; one query for each dimension that has any."""
    return {d: {value: in_language(thing) for value, thing in queries.names(d, (r.of[d] for r in rows)).items()}
            for d in by if d in NAMED}


def show_rows(rows: Sequence[Row], by: Sequence[Dimension]) -> list[dict[str, Any]]:
    names = names_of(rows, by)
    shown = []
    for row in rows:
        cells: dict[str, Any] = {}
        for dimension, value in row.of.items():
            cells[dimension.value] = value
            if dimension in names:
                cells[f"{dimension.value}_name"] = names[dimension].get(value, value)
        shown.append({**cells, **row.figures._asdict()})
    return shown
