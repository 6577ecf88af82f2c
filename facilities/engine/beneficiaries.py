"""Which group of beneficiaries a person-time counts for (api.md, Statistics).

Women are adult; children are under 18, girls and boys; men are adult. Elders and residents with
disabilities are 'of whom': they overlap with the first three and are never added to them.
"""

from enum import StrEnum


class Category(StrEnum):
    WOMEN = "women"
    CHILDREN = "children"
    MEN = "men"
    UNKNOWN = "unknown"  # walk-ins of whom nothing is known
    ELDERS = "elders"
    DISABLED = "disabled"


SPLITTING = (Category.WOMEN, Category.CHILDREN, Category.MEN, Category.UNKNOWN)
OF_WHOM = (Category.ELDERS, Category.DISABLED)
