"""What figures can be divided by and narrowed to."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from functools import lru_cache

from facilities.engine.beneficiaries import Category
from facilities.engine.ledger import value_of
from facilities.engine.profiles import Table, counts_for, table
from facilities.engine.spans import Length


class Dimension(StrEnum):
    MONTH = "month"
    QUARTER = "quarter"
    YEAR = "year"
    FACILITY = "facility"
    FACILITY_KIND = "facility_kind"
    PROGRAMME = "programme"
    SUB_DISTRICT = "sub_district"
    COMMUNITY = "community"  # where the place is
    PROVIDER_TYPE = "provider_type"
    VOLUNTEER = "volunteer"
    CATEGORY = "category"
    SEX = "sex"
    AGE_BAND = "age_band"
    DISABILITY_CATEGORY = "disability_category"
    DISABILITY_GRADE = "disability_grade"


OF_PLACES = (Dimension.FACILITY, Dimension.FACILITY_KIND, Dimension.SUB_DISTRICT, Dimension.COMMUNITY)
OF_PROGRAMMES = (Dimension.PROGRAMME, Dimension.PROVIDER_TYPE, Dimension.VOLUNTEER)
TIME = {Dimension.YEAR: Length.YEAR, Dimension.QUARTER: Length.QUARTER, Dimension.MONTH: Length.MONTH}
OF_PEOPLE = (Dimension.CATEGORY, Dimension.SEX, Dimension.AGE_BAND, Dimension.DISABILITY_CATEGORY,
             Dimension.DISABILITY_GRADE)


@dataclass(frozen=True, slots=True)
class Scope:
    """Local days, both included, and what the figures are narrowed to; `facility_ids` is the actor's own reach.

    Words narrow to the rows that have them: `disability_category` 'unknown' to people of whom no disability is known.
    """

    first: date
    last: date
    facility_id: int | None = None
    programme_id: int | None = None
    sub_district_code: str | None = None
    facility_ids: frozenset[int] | None = None
    community_id: int | None = None
    facility_kind: str | None = None
    provider_type: str | None = None
    volunteer: str | None = None
    category: str | None = None
    sex: str | None = None
    age_band: str | None = None
    disability_category: str | None = None
    disability_grade: str | None = None

    @property
    def of_people(self) -> bool:
        """Narrowed to some of those who were there."""
        return any(getattr(self, dimension.value) is not None for dimension in OF_PEOPLE)

    @property
    def group(self) -> Category | None:
        return Category(self.category) if self.category else None


def who_counts(scope: Scope, category: Category | None) -> Table:
    """Which profiles count, in this group, for what was asked."""
    return _who_counts(category, tuple((d, word) for d in OF_PEOPLE if d is not Dimension.CATEGORY
                                       and (word := getattr(scope, d.value))))


@lru_cache(maxsize=256)
def _who_counts(category: Category | None, narrowed: Sequence[tuple[Dimension, str]]) -> Table:
    who = counts_for(category)
    if not narrowed:
        return who
    return who & table(lambda profile: all(value_of(profile, d.value) == word for d, word in narrowed))
