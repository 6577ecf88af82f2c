"""Which group of beneficiaries a person-time counts for (api.md, Statistics).

Women are adult; children are under 18, girls and boys; men are adult. Elders and residents with
disabilities are 'of whom': they overlap with the first three and are never added to them.
"""

from datetime import date
from enum import StrEnum

from facilities.engine.ages import ADULT_AGE, age_on
from facilities.engine.eligibility import Sex


class Category(StrEnum):
    WOMEN = "women"
    CHILDREN = "children"
    MEN = "men"
    UNKNOWN = "unknown"  # walk-ins of whom nothing is known
    ELDERS = "elders"
    DISABLED = "disabled"


SPLITTING = (Category.WOMEN, Category.CHILDREN, Category.MEN, Category.UNKNOWN)
OF_WHOM = (Category.ELDERS, Category.DISABLED)


def category_of(sex: Sex, birth_date: date | None, day: date) -> Category:
    """Which of the splitting categories a named person counts for on the district's `day`."""
    if birth_date is None:
        return Category.UNKNOWN
    if age_on(birth_date, day) < ADULT_AGE:
        return Category.CHILDREN
    return Category.WOMEN if sex is Sex.FEMALE else Category.MEN
