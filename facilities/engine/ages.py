"""Ages in whole years on a day (周岁), and the bands and groups that follow from them."""

from collections.abc import Iterable
from datetime import date, timedelta

ADULT_AGE = 18  # 儿童 are under 18: Law on the Protection of Minors, art. 2
ELDER_AGE = 60  # 老年人: Law on the Protection of the Rights of the Elderly, art. 2

# (our choice) nursery, kindergarten, school, adults, elders by decades: first age of each band
AGE_BANDS: tuple[int, ...] = (0, 3, 7, 18, 35, 60, 70, 80)


def age_on(birth_date: date, day: date) -> int:
    """Whole years on `day`; who is born on 29 February grows older on 1 March of a common year."""
    return (as_number(day) - as_number(birth_date)) // 10_000


def as_number(day: date) -> int:
    """2024-05-01 → 20240501, so that the database can compute the very same ages."""
    return day.year * 10_000 + day.month * 100 + day.day


def band_of(age: int) -> str:
    """The band's label, `3-6` or `80+`."""
    first = max(start for start in AGE_BANDS if start <= max(age, 0))
    later = [start for start in AGE_BANDS if start > first]
    return f"{first}-{later[0] - 1}" if later else f"{first}+"


def coarsened(birth_date: date | None, days: Iterable[date]) -> date | None:
    """A birth date that says as little as the figures of these days allow: on each, the age stays in its band.

    None where no day counts. Else 1 January of the year; where that would be a band older on one of the days, the first
    of the month; and where even that would, the earliest date that gives the same bands, which follows from the
    days alone. Groups (child, adult, elder) begin where bands begin, so they stay as well.
    """
    days = set(days)
    if birth_date is None or not days:
        return None
    earliest = max(_earliest_of_the_band(birth_date, day) for day in days)
    rounded = (birth_date.replace(month=1, day=1), birth_date.replace(day=1))
    return next((candidate for candidate in rounded if candidate >= earliest), earliest)


def _earliest_of_the_band(birth_date: date, day: date) -> date:
    """Who was born before that would be in a higher band on `day`."""
    age = max(age_on(birth_date, day), 0)
    above = next((start for start in AGE_BANDS if start > age), None)
    if above is None:
        return date.min
    try:
        return day.replace(year=day.year - above) + timedelta(days=1)
    except ValueError:  # 29 February, in a common year
        return date(day.year - above, 3, 1)
