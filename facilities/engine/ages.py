"""Ages in whole years on a day (周岁), and the bands and groups that follow from them."""

from datetime import date

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
