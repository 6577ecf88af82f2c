"""The ledger of beneficiaries, computed from attendance rows and head counts alone.

Every attendance is a fact of one person-time with a resident; every head count is a fact of several without one. The
same facts give rows and total, page, export and API, so that they cannot disagree.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import (
    ColumnElement,
    CompoundSelect,
    Integer,
    Select,
    String,
    case,
    cast,
    distinct,
    func,
    literal,
    null,
    select,
    union_all,
)

from facilities.attendance.models import Attendance, HeadCount
from facilities.engine.ages import ADULT_AGE, AGE_BANDS, ELDER_AGE, band_of
from facilities.engine.beneficiaries import Category
from facilities.engine.eligibility import Sex
from facilities.engine.roll_call import AttendanceState
from facilities.households.models import Resident
from facilities.infra.db import db
from facilities.infra.sql import day_number, local_day, minutes_between
from facilities.kernel import clock
from facilities.places.models import Community, Facility, SubDistrict
from facilities.programmes.models import ActivitySession, Programme, SessionStatus

NOT_KNOWN = "unknown"


class Dimension(StrEnum):
    MONTH = "month"
    FACILITY = "facility"
    PROGRAMME = "programme"
    SUB_DISTRICT = "sub_district"
    CATEGORY = "category"
    SEX = "sex"
    AGE_BAND = "age_band"
    QUARTER = "quarter"
    YEAR = "year"
    COMMUNITY = "community"
    DISABILITY_CATEGORY = "disability_category"
    DISABILITY_GRADE = "disability_grade"
    PROVIDER_TYPE = "provider_type"
    VOLUNTEER = "volunteer"


@dataclass(frozen=True, slots=True)
class Scope:
    """Local days, both included, and what the figures are narrowed to; `facility_ids` is the actor's own reach."""

    first: date
    last: date
    facility_id: int | None = None
    programme_id: int | None = None
    sub_district_code: str | None = None
    facility_ids: frozenset[int] | None = None
    category: str | None = None
    sex: str | None = None
    age_band: str | None = None
    disability_category: str | None = None
    disability_grade: str | None = None
    community_id: int | None = None
    provider_type: str | None = None
    volunteer: str | None = None


@dataclass(frozen=True, slots=True)
class Figures:
    """`persons` are distinct residents: not additive over rows, never more than person-times.

    `hours`: spent by everybody together. Where going was written down, from coming to going; else the session's length.
    """

    sessions_held: int = 0
    person_times: int = 0
    persons: int = 0
    unidentified_person_times: int = 0
    hours: float = 0.0
    fill_rate: float | None = None
    no_show_rate: float | None = None
    waiting_hours: float | None = None


@dataclass(frozen=True, slots=True)
class Row:
    of: dict[Dimension, str]
    figures: Figures = field(default_factory=Figures)


_LENGTH = minutes_between(ActivitySession.starts_at, ActivitySession.ends_at)


def beneficiaries(scope: Scope, by: Sequence[Dimension] = ()) -> list[Row]:
    """One row for each combination that has a person-time; a single row where `by` is empty."""
    facts = _facts(scope, of_whom=Dimension.CATEGORY in by or scope.category is not None).subquery("facts")
    keys = [_key(dimension, facts.c) for dimension in by]
    found = (
        select(
            *(key.label(dimension.value) for dimension, key in zip(by, keys, strict=True)),
            func.count(distinct(facts.c.session_id)), func.coalesce(func.sum(facts.c.number), 0),
            func.count(distinct(facts.c.resident_id)),
            func.coalesce(func.sum(case((facts.c.resident_id.is_(None), facts.c.number), else_=0)), 0),
            func.coalesce(func.sum(facts.c.minutes), 0))
        .select_from(facts)
        .join(ActivitySession, ActivitySession.id == facts.c.session_id)
        .join(Facility, Facility.id == ActivitySession.facility_id)
        .where(*_of_whom(scope, facts.c))
        .group_by(*keys).order_by(*keys))
    rows = []
    for record in db.session.execute(found):
        values = {dimension: _as_text(dimension, value) for dimension, value in zip(by, record, strict=False)}
        held, times, persons, unnamed, minutes = (int(n) for n in record[len(by):])
        rows.append(Row(values, Figures(held, times, persons, unnamed, round(minutes / 60, 1))))
    return sorted(rows, key=lambda row: [_rank(d, v) for d, v in row.of.items()])


def _of_whom(scope: Scope, facts: Any) -> list[ColumnElement[bool]]:  # noqa: ANN401 - a subquery's columns
    wanted = {facts.category: scope.category, facts.sex: scope.sex, facts.age_band: scope.age_band,
              facts.disability_category: scope.disability_category, facts.disability_grade: scope.disability_grade}
    conditions: list[ColumnElement[bool]] = [column == value for column, value in wanted.items() if value is not None]
    if scope.community_id is not None:
        conditions.append(Facility.community_id == scope.community_id)
    return conditions


def total(scope: Scope) -> Figures:
    rows = beneficiaries(scope)
    if not rows:
        return Figures()
    held = _within(scope, select(func.sum(ActivitySession.places_taken), func.sum(ActivitySession.capacity))
                   .select_from(ActivitySession)).where(ActivitySession.status == SessionStatus.HELD)
    taken, capacity = db.session.execute(held).one()
    rate = round(int(taken) / int(capacity), 4) if taken and capacity else None
    return replace(rows[0].figures, fill_rate=rate)


def busy_hours(scope: Scope) -> dict[tuple[int, int], int]:
    """(weekday from Monday 0, local hour of the start) → person-times."""
    facts = _facts(scope, of_whom=scope.category is not None).subquery("facts")
    found = (select(ActivitySession.starts_at, func.sum(facts.c.number)).select_from(facts)
             .join(ActivitySession, ActivitySession.id == facts.c.session_id)
             .join(Facility, Facility.id == ActivitySession.facility_id)
             .where(*_of_whom(scope, facts.c)).group_by(ActivitySession.starts_at))
    busy: dict[tuple[int, int], int] = {}
    for starts_at, number in db.session.execute(found):
        start = clock.local(starts_at)
        busy[start.weekday(), start.hour] = busy.get((start.weekday(), start.hour), 0) + int(number)
    return busy


def period_before(scope: Scope) -> Scope:
    days = scope.last - scope.first + timedelta(days=1)
    return replace(scope, first=scope.first - days, last=scope.last - days)


def year_before(scope: Scope) -> Scope:
    def back(day: date) -> date:
        return day.replace(year=day.year - 1, day=28 if (day.month, day.day) == (2, 29) else day.day)
    return replace(scope, first=back(scope.first), last=back(scope.last))


def _facts(scope: Scope, *, of_whom: bool) -> CompoundSelect[Any]:
    """(session_id, resident_id or null, category, sex, age_band, number, minutes): a union of all that counts."""
    age = (local_day(ActivitySession.starts_at) - day_number(Resident.birth_date)) // literal(10_000, Integer)
    counted = [
        _named(scope, _category(age), age),
        _counted(scope, Category.WOMEN, HeadCount.women, Sex.FEMALE),
        _counted(scope, Category.CHILDREN, HeadCount.children),
        _counted(scope, Category.MEN, HeadCount.men, Sex.MALE),
        _counted(scope, Category.UNKNOWN, HeadCount.unnamed_walk_ins),
    ]
    if of_whom:
        counted += [
            _named(scope, literal(Category.ELDERS.value), age).where(age >= ELDER_AGE),
            _counted(scope, Category.ELDERS, HeadCount.elders),
            _counted(scope, Category.DISABLED, HeadCount.disabled),
        ]
    return union_all(*counted)


def _named(scope: Scope, category: ColumnElement[str], age: ColumnElement[int]) -> Select[Any]:
    return _within(scope, select(
        Attendance.session_id.label("session_id"), Attendance.resident_id.label("resident_id"),
        category.label("category"), cast(Resident.sex, String).label("sex"), _band(age).label("age_band"),
        literal(1, Integer).label("number"), func.coalesce(Attendance.minutes, _LENGTH).label("minutes"),
        literal(NOT_KNOWN).label("disability_category"), literal(NOT_KNOWN).label("disability_grade"),
    ).join(ActivitySession, ActivitySession.id == Attendance.session_id)
     .join(Resident, Resident.id == Attendance.resident_id)
     .where(Attendance.state == AttendanceState.PRESENT))


def _counted(scope: Scope, category: Category, number: Any, sex: Sex | None = None) -> Select[Any]:  # noqa: ANN401 - a column
    return _within(scope, select(
        HeadCount.session_id, cast(null(), Attendance.resident_id.type), literal(category.value),
        literal(sex.value if sex else NOT_KNOWN), literal(NOT_KNOWN), number, number * _LENGTH,
        literal(NOT_KNOWN), literal(NOT_KNOWN),
    ).join(ActivitySession, ActivitySession.id == HeadCount.session_id).where(number > 0))


def _within(scope: Scope, facts: Select[Any]) -> Select[Any]:
    start, end = clock.day_span(scope.first, scope.last)
    facts = (facts.join(Facility, Facility.id == ActivitySession.facility_id)
             .where(ActivitySession.starts_at >= start, ActivitySession.starts_at < end,
                    ActivitySession.status != SessionStatus.CANCELLED))
    if scope.facility_id is not None:
        facts = facts.where(ActivitySession.facility_id == scope.facility_id)
    if scope.facility_ids is not None:
        facts = facts.where(ActivitySession.facility_id.in_(scope.facility_ids))
    if scope.programme_id is not None:
        facts = facts.where(ActivitySession.programme_id == scope.programme_id)
    if scope.sub_district_code is not None:
        facts = facts.where(Facility.sub_district_code == scope.sub_district_code)
    return facts


def _category(age: ColumnElement[int]) -> ColumnElement[str]:
    """engine.beneficiaries in SQL: a test compares the two over every age."""
    return case(
        (age.is_(None), Category.UNKNOWN.value), (age < ADULT_AGE, Category.CHILDREN.value),
        (Resident.sex == Sex.FEMALE, Category.WOMEN.value), else_=Category.MEN.value)


def _band(age: ColumnElement[int]) -> ColumnElement[str]:
    bands = [(age >= start, band_of(start)) for start in sorted(AGE_BANDS[1:], reverse=True)]
    return case((age.is_(None), NOT_KNOWN), *bands, else_=band_of(AGE_BANDS[0]))


def _key(dimension: Dimension, facts: Any) -> ColumnElement[Any]:  # noqa: ANN401 - a subquery's columns
    keys: dict[Dimension, Any] = {
        Dimension.MONTH: local_day(ActivitySession.starts_at) // literal(100, Integer),
        Dimension.FACILITY: ActivitySession.facility_id,
        Dimension.PROGRAMME: ActivitySession.programme_id,
        Dimension.SUB_DISTRICT: Facility.sub_district_code,
        Dimension.CATEGORY: facts.category, Dimension.SEX: facts.sex, Dimension.AGE_BAND: facts.age_band,
        Dimension.YEAR: local_day(ActivitySession.starts_at) // literal(10_000, Integer),
        Dimension.QUARTER: local_day(ActivitySession.starts_at) // literal(10_000, Integer) * literal(10, Integer)
        + (local_day(ActivitySession.starts_at) // literal(100, Integer) % literal(100, Integer) + 2)
        // literal(3, Integer),
        Dimension.COMMUNITY: Facility.community_id,
        Dimension.DISABILITY_CATEGORY: facts.disability_category, Dimension.DISABILITY_GRADE: facts.disability_grade,
        Dimension.PROVIDER_TYPE: func.coalesce(null(), func.lower("UNKNOWN")),
        Dimension.VOLUNTEER: func.coalesce(null(), func.lower("UNKNOWN")),
    }
    return keys[dimension]  # type: ignore[no-any-return]


def _as_text(dimension: Dimension, value: object) -> str:
    text = str(value) if value is not None else NOT_KNOWN
    if dimension is Dimension.QUARTER:
        return f"{text[:4]}-Q{text[4]}"
    return f"{text[:4]}-{text[4:]}" if dimension is Dimension.MONTH else text


_CATEGORY_ORDER = [c.value for c in Category]
_BAND_ORDER = [band_of(start) for start in AGE_BANDS]


def _rank(dimension: Dimension, value: str) -> tuple[int, str]:
    order = {Dimension.CATEGORY: _CATEGORY_ORDER, Dimension.AGE_BAND: _BAND_ORDER}.get(dimension)
    if order is not None:
        return (order.index(value) if value in order else len(order), value)
    return (int(value), "") if value.isdigit() else (0, value)


def names(dimension: Dimension, values: Iterable[str]) -> dict[str, Any]:
    """The things behind ids in rows: facilities, programmes, sub-districts."""
    wanted = set(values)
    if dimension is Dimension.SUB_DISTRICT:
        return {s.code: s for s in db.session.scalars(select(SubDistrict).where(SubDistrict.code.in_(wanted)))}
    wanted.discard(NOT_KNOWN)
    models: dict[Dimension, type[Facility] | type[Programme] | type[Community]] = {
        Dimension.FACILITY: Facility, Dimension.PROGRAMME: Programme, Dimension.COMMUNITY: Community}
    if dimension not in models or not wanted:
        return {}
    model: Any = models[dimension]
    return {str(row.id): row for row in db.session.scalars(select(model).where(model.id.in_([int(v) for v in wanted])))}


def first_day_with_figures(scope: Scope) -> date | None:
    """The district's day of the first session that was held."""
    found = select(func.min(ActivitySession.starts_at)).where(ActivitySession.status == SessionStatus.HELD)
    if scope.facility_ids is not None:
        found = found.where(ActivitySession.facility_id.in_(scope.facility_ids))
    start = db.session.scalar(found)
    return clock.local_date(start) if start else None
