"""What the figures know of somebody who was there, as one small number.

Of a person with a name: sex, age band on the day, kind and grade of disability. Of people who were only counted: the
group that they were counted in. Everything that figures are divided or narrowed by follows from that number, so that
tables of it (one entry a number) answer for millions of rows at once.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from facilities.engine.ages import ADULT_AGE, AGE_BANDS, ELDER_AGE, band_of
from facilities.engine.beneficiaries import OF_WHOM, SPLITTING, Category
from facilities.engine.eligibility import Sex

NOT_KNOWN = "unknown"
UNKNOWN_BAND = len(AGE_BANDS)
DISABILITY = 1 << 5  # from here on, people of whom a disability is known
COUNTED = 2048  # from here on, people without a name: those of a head count, then walk-ins of whom nothing is known
HEADS = (Category.WOMEN, Category.CHILDREN, Category.MEN, Category.UNKNOWN, Category.ELDERS, Category.DISABLED)
SIZE = COUNTED + len(HEADS)
OF_WHOM_HEADS = (COUNTED + HEADS.index(Category.ELDERS), COUNTED + HEADS.index(Category.DISABLED))

Codes = NDArray[np.uint16]
Table = NDArray[np.bool_]


def codes_of(female: NDArray[np.bool_], born: NDArray[np.int64], days: NDArray[np.int64],
             disability: NDArray[np.int64], grade: NDArray[np.int64]) -> Codes:
    """Of named people. `born` and `days` as 20240501, `born` 0 where it is not known; no disability: 0 and 0."""
    age = (days - born) // 10_000
    band = np.searchsorted(np.array(AGE_BANDS), np.maximum(age, 0), side="right") - 1
    band = np.where(born == 0, UNKNOWN_BAND, band)
    codes: Codes = (np.where(female, 0, 1) | band << 1 | disability << 5 | grade << 8).astype(np.uint16)
    return codes


@dataclass(frozen=True, slots=True)
class Profile:
    """One number, read. `category` is None for those of a head count who are counted in another group already."""

    sex: str
    age_band: str
    category: Category | None
    is_elder: bool
    is_disabled: bool
    disability: int
    grade: int


def read(code: int) -> Profile:
    if code >= COUNTED:
        group = HEADS[code - COUNTED]
        sex = {Category.WOMEN: Sex.FEMALE.value, Category.MEN: Sex.MALE.value}.get(group, NOT_KNOWN)
        return Profile(sex, NOT_KNOWN, group if group in SPLITTING else None, group is Category.ELDERS,
                       group is Category.DISABLED, 0, 0)
    sex = Sex.MALE if code & 1 else Sex.FEMALE
    band, disability, grade = code >> 1 & 15, code >> 5 & 7, code >> 8 & 7
    if band >= UNKNOWN_BAND:
        return Profile(sex.value, NOT_KNOWN, Category.UNKNOWN, False, disability > 0, disability, grade)
    first = AGE_BANDS[band]
    adult = Category.WOMEN if sex is Sex.FEMALE else Category.MEN
    return Profile(sex.value, band_of(first), adult if first >= ADULT_AGE else Category.CHILDREN, first >= ELDER_AGE,
                   disability > 0, disability, grade)


@cache
def all_profiles() -> tuple[Profile, ...]:
    return tuple(read(code) for code in range(SIZE))


def table(holds: Callable[[Profile], bool]) -> Table:
    return np.fromiter((holds(profile) for profile in all_profiles()), dtype=np.bool_, count=SIZE)


@cache
def counts_for(category: Category | None) -> Table:
    """Who counts for a group; None is everybody, each once."""
    if category is None:
        return table(lambda p: p.category is not None)
    if category in OF_WHOM:
        return table(lambda p: p.is_elder if category is Category.ELDERS else p.is_disabled)
    return table(lambda p: p.category is category)
