"""The whole question stands in the address: what a page of figures is narrowed to, read from it and written into it."""

import re
from calendar import monthrange
from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from typing import Any
from urllib.parse import urlencode

from flask import request

from facilities.engine.ages import AGE_BANDS, band_of
from facilities.engine.beneficiaries import Category
from facilities.engine.eligibility import Sex
from facilities.engine.profiles import NOT_KNOWN
from facilities.kernel import clock
from facilities.kernel.ids import read_id
from facilities.kernel.refusals import NotPermitted, NotVisible
from facilities.kernel.text import has_unprintable
from facilities.places import queries as places
from facilities.places.models import FacilityKind
from facilities.programmes.models import ProviderType
from facilities.statistics import policy, queries
from facilities.statistics.dimensions import Dimension, Scope
from facilities.statistics.queries import Start
from facilities.web.addresses import day_or
from facilities.web.guards import current_actor

SESSIONS, AT = "/statistics/sessions", "at"  # a weekday and an hour, as 0-9
LONGEST = 40

# What a scope can be narrowed to by name, beside its days: the argument of the address is the dimension's own name.
NARROWING: dict[Dimension, str] = {
    Dimension.FACILITY: "facility_id", Dimension.PROGRAMME: "programme_id",
    Dimension.FACILITY_KIND: "facility_kind",
    Dimension.SUB_DISTRICT: "sub_district_code", Dimension.COMMUNITY: "community_id", Dimension.CATEGORY: "category",
    Dimension.SEX: "sex", Dimension.AGE_BAND: "age_band", Dimension.DISABILITY_CATEGORY: "disability_category",
    Dimension.DISABILITY_GRADE: "disability_grade", Dimension.PROVIDER_TYPE: "provider_type",
    Dimension.VOLUNTEER: "volunteer",
}
IDS = {Dimension.FACILITY, Dimension.PROGRAMME, Dimension.COMMUNITY}
CHOICES: dict[Dimension, tuple[str, ...]] = {
    Dimension.FACILITY_KIND: tuple(kind.value for kind in FacilityKind),
    Dimension.CATEGORY: tuple(category.value for category in Category),
    Dimension.SEX: (*(sex.value for sex in Sex), NOT_KNOWN),
    Dimension.AGE_BAND: (*(band_of(start) for start in AGE_BANDS), NOT_KNOWN),
    Dimension.DISABILITY_CATEGORY: (*(str(number) for number in range(1, 8)), NOT_KNOWN),
    Dimension.DISABILITY_GRADE: (*(str(number) for number in range(1, 5)), NOT_KNOWN),
    Dimension.PROVIDER_TYPE: tuple(provider.value for provider in ProviderType), Dimension.VOLUNTEER: ("yes", "no"),
}


def read_scope(years: list[int]) -> Scope:
    """NotVisible, NotPermitted about a facility; nonsense narrows to nothing. `years`: those with figures."""
    actor, facility_id = current_actor(), _id(Dimension.FACILITY)
    if facility_id is not None and places.facility(facility_id) is None:
        raise NotVisible
    if facility_id is not None and not policy.can_see_figures_of(actor, facility_id):
        raise NotPermitted
    first = day_or(request.args.get("from"), date(years[0], 1, 1))
    last = day_or(request.args.get("to"), clock.today())
    scope = Scope(min(first, last), max(first, last), facility_ids=policy.reach(actor))
    values = {NARROWING[d]: _id(d) if d in IDS else _text(d) for d in NARROWING}
    narrowed: dict[str, Any] = {name: value for name, value in values.items() if value is not None}
    return replace(scope, **narrowed)


def read_start() -> Start | None:
    """The weekday and the hour at which sessions are to start; None where that is not asked, or nonsense."""
    found = re.fullmatch(r"([0-6])-(1?\d|2[0-3])", request.args.get(AT, ""), re.ASCII)
    return (int(found[1]), int(found[2])) if found else None


def years_with_figures() -> list[int]:
    start = queries.first_day_with_figures(Scope(date.min, date.max, facility_ids=policy.reach(current_actor())))
    this_year = clock.today().year
    return list(range(min(start.year, this_year) if start else this_year, this_year + 1))


def narrowed_to(scope: Scope) -> dict[Dimension, str]:
    """What a scope is narrowed to, as it stands in an address."""
    return {dimension: str(value) for dimension, name in NARROWING.items()
            if (value := getattr(scope, name)) is not None}


def arguments(scope: Scope, of: Mapping[Dimension, str] | None = None) -> dict[str, str]:
    """The scope, narrowed further to one row of its figures."""
    found = {dimension.value: value for dimension, value in narrowed_to(scope).items()}
    first, last = scope.first, scope.last
    for dimension, value in (of or {}).items():
        if dimension in NARROWING:
            found[dimension.value] = value
        else:
            start, end = days_of(dimension, value)
            first, last = max(first, start), min(last, end)
    return {"from": str(first), "to": str(last), **found}


def address(path: str, scope: Scope, of: Mapping[Dimension, str] | None = None, /, **more: str) -> str:
    return f"{path}?{urlencode({**arguments(scope, of), **more})}"


def days_of(dimension: Dimension, value: str) -> tuple[date, date]:
    """The first and the last day of a month, a quarter or a year of the figures' rows."""
    year, (start, end) = int(value[:4]), (1, 12)
    if dimension is Dimension.MONTH:
        start = end = int(value[5:])
    elif dimension is Dimension.QUARTER:
        end = 3 * int(value[-1])
        start = end - 2
    return date(year, start, 1), date(year, end, monthrange(year, end)[1])


def _id(dimension: Dimension) -> int | None:
    text = request.args.get(dimension.value)
    return read_id(text) if text else None


def _text(dimension: Dimension) -> str | None:
    """A value that there is; of a sub-district any short text."""
    text = request.args.get(dimension.value) or None
    if text is None or len(text) > LONGEST or has_unprintable(text):
        return None
    return text if dimension not in CHOICES or text in CHOICES[dimension] else None
