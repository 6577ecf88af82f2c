"""The shape of places in the API."""

from dataclasses import asdict
from datetime import time
from typing import Any

from marshmallow import ValidationError, fields, validates_schema

from facilities.engine.opening import SpaceRules
from facilities.engine.working_days import DayKind
from facilities.kernel.refusals import Invalid
from facilities.kernel.text import has_unprintable
from facilities.places.models import AccessFeature, CalendarDay, Facility, FacilityKind, Space, SpaceKind
from facilities.web.schemas import BaseSchema, Count, Day, Flag, Id, PageQuery, Reference, Text, one_of
from facilities.web.wording import words_for_input

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
Hours = dict[int, list[tuple[time, time]]]
LONGEST_MINUTES = 31 * 24 * 60  # as long as any reservation


class RulesOut(BaseSchema):
    """What a reservation of the space must keep to; null: no rule."""

    min_minutes = fields.Integer(allow_none=True)
    max_minutes = fields.Integer(allow_none=True)
    grid_minutes = fields.Integer(allow_none=True)
    notice_minutes = fields.Integer(allow_none=True)
    days_ahead = fields.Integer(allow_none=True)
    per_resident = fields.Integer(allow_none=True)


class SpaceOut(BaseSchema):
    id = Id()
    name = fields.String()
    name_en = fields.String(allow_none=True)
    kind = fields.String()
    capacity = fields.Integer(allow_none=True)
    parent_id = Id(allow_none=True)
    quantity = fields.Integer()
    reservable = fields.Boolean()
    rules = fields.Nested(RulesOut)


class SubDistrictOut(BaseSchema):
    code = fields.String()
    name = fields.String()
    name_en = fields.String()


class FacilityOut(BaseSchema):
    id = Id()
    kind = fields.String()
    name = fields.String()
    name_en = fields.String(allow_none=True)
    address = fields.String()
    phone = fields.String(allow_none=True)
    sub_district = fields.Nested(SubDistrictOut)
    community = fields.String(allow_none=True)
    accessibility = fields.List(fields.String())
    opening_hours = fields.Dict(allow_none=True)
    spaces = fields.List(fields.Nested(SpaceOut))


class FacilityQuery(PageQuery):
    kind = fields.String(validate=one_of(*FacilityKind))
    q = Text(longest=100, blank=True)
    sub_district = Text(longest=9)


class FacilityIn(BaseSchema):
    kind = fields.String(required=True, validate=one_of(*FacilityKind))
    name = Text(required=True, longest=80)
    name_en = Text(longest=120)
    address = Text(required=True, longest=160)
    phone = Text(longest=20)
    sub_district_code = Text(required=True, longest=9)
    opening_hours = fields.Dict(keys=fields.String(validate=one_of(*WEEKDAYS)),
                                values=fields.List(fields.List(fields.String())))
    accessibility = fields.List(fields.String(validate=one_of(*AccessFeature)))


class RulesIn(BaseSchema):
    min_minutes = Count(1, LONGEST_MINUTES, allow_none=True)
    max_minutes = Count(1, LONGEST_MINUTES, allow_none=True)
    grid_minutes = Count(1, 24 * 60, allow_none=True)
    notice_minutes = Count(0, LONGEST_MINUTES, allow_none=True)
    days_ahead = Count(0, 3 * 366, allow_none=True)
    per_resident = Count(1, 1000, allow_none=True)

    @validates_schema
    def in_order(self, data: dict[str, Any], **_: object) -> None:
        shortest, longest = data.get("min_minutes"), data.get("max_minutes")
        if shortest is not None and longest is not None and longest < shortest:
            raise ValidationError(words_for_input("lengths_out_of_order"), "max_minutes")


class SpaceIn(BaseSchema):
    name = Text(required=True, longest=80)
    name_en = Text(longest=120)
    kind = fields.String(required=True, validate=one_of(*SpaceKind))
    capacity = Count(1, 100_000, allow_none=True)
    parent_id = Reference(allow_none=True)
    reservable = Flag(load_default=True)
    rules = fields.Nested(RulesIn, allow_none=True)


class DayOut(BaseSchema):
    date = fields.Date()
    kind = fields.String()
    name = fields.String(allow_none=True)
    provisional = fields.Boolean()


class DayIn(BaseSchema):
    date = Day()
    provisional = Flag(load_default=False)
    kind = fields.String(required=True, validate=one_of(*DayKind))
    name = Text(longest=32, allow_none=True)


class DayQuery(PageQuery):
    from_ = Day(required=True, data_key="from")
    to = Day(required=True)


def read_hours(hours: dict[str, list[list[str]]] | None) -> Hours:
    """`{"mon": [["09:00", "17:00"]]}`; 24:00 is the day's end. Invalid where a time cannot be read."""
    try:
        return {WEEKDAYS.index(day): [(_time(opens), _closing(closes)) for opens, closes in intervals]
                for day, intervals in (hours or {}).items()}
    except (ValueError, ValidationError) as error:
        raise Invalid(opening_hours="hours_overlap") from error


def read_rules(rules: dict[str, int | None] | None) -> SpaceRules:
    return SpaceRules(**(rules or {}))


def _time(text: str) -> time:
    if has_unprintable(text):
        raise ValueError(text)
    return time.fromisoformat(text)


def _closing(text: str) -> time:
    return time(0) if text == "24:00" else _time(text)


def _clock(minute: int) -> str:
    return f"{minute // 60:02}:{minute % 60:02}"


def show_space(space: Space) -> dict[str, Any]:
    return {"id": space.id, "name": space.name, "name_en": space.name_en, "kind": space.kind.value,
            "capacity": space.capacity, "parent_id": space.parent_id, "quantity": space.quantity,
            "reservable": space.reservable, "rules": asdict(space.rules)}


def show_facility(facility: Facility) -> dict[str, Any]:
    hours: dict[str, list[list[str]]] = {}
    for row in facility.hours:
        hours.setdefault(WEEKDAYS[row.weekday], []).append([_clock(row.opens_minute), _clock(row.closes_minute)])
    return {
        "id": facility.id, "kind": facility.kind.value, "name": facility.name, "name_en": facility.name_en,
        "address": facility.address, "phone": facility.phone, "sub_district": facility.sub_district,
        "community": facility.community.name if facility.community else None,
        "accessibility": [a.feature.value for a in facility.access_features],
        "opening_hours": hours or None,
        "spaces": [show_space(s) for s in facility.spaces],
    }


def show_day(day: CalendarDay) -> dict[str, Any]:
    return {"date": day.date, "kind": day.kind.value, "name": day.name, "provisional": day.provisional}
