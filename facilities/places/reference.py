"""Reference data: the district's sub-districts and the working calendar.

Codes: National Bureau of Statistics, 2022-2023. Another public table numbers the three towns 006-008; it is not used.
"""

from collections.abc import Iterator
from datetime import date, timedelta

import chinese_calendar

from facilities.engine.working_days import Day, DayKind, by_weekday
from facilities.infra.db import db
from facilities.places.models import SubDistrict
from facilities.places.services import calendar_horizon, fill_calendar

SUB_DISTRICTS = (
    ("500104001", "新山村街道", "Xinshancun Sub-district"),
    ("500104002", "跃进村街道", "Yuejincun Sub-district"),
    ("500104003", "九宫庙街道", "Jiugongmiao Sub-district"),
    ("500104004", "茄子溪街道", "Qiezixi Sub-district"),
    ("500104005", "春晖路街道", "Chunhuilu Sub-district"),
    ("500104101", "八桥镇", "Baqiao Town"),
    ("500104102", "建胜镇", "Jiansheng Town"),
    ("500104103", "跳磴镇", "Tiaodeng Town"),
)
CALENDAR_FROM = date(2024, 1, 1)  # the first year that the figures are about

_HOLIDAYS = {
    "New Year's Day": "元旦", "Spring Festival": "春节", "Tomb-sweeping Day": "清明节", "Labour Day": "劳动节",
    "Dragon Boat Festival": "端午节", "Mid-autumn Festival": "中秋节", "National Day": "国庆节",
}


def load_reference_data() -> tuple[int, int]:
    """Inside a unit of work: how many sub-districts and calendar days were added or changed."""
    added = 0
    for code, name, name_en in SUB_DISTRICTS:
        if db.session.get(SubDistrict, code) is None:
            db.session.add(SubDistrict(code=code, name=name, name_en=name_en))
            added += 1
    return added, fill_calendar(announced_days(CALENDAR_FROM, calendar_horizon()))


def announced_days(first: date, last: date) -> Iterator[Day]:
    """The State Council's notices as far as the package knows them, then weekdays, marked provisional."""
    day = first
    while day <= last:
        yield _announced(day)
        day += timedelta(days=1)


def _announced(day: date) -> Day:
    try:
        works = chinese_calendar.is_workday(day)
        _, holiday = chinese_calendar.get_holiday_detail(day)
    except NotImplementedError:  # no notice for that year yet: for 2027 the package raises
        return by_weekday(day)
    kind = DayKind.WORKDAY if works else DayKind.REST
    return Day(day, kind, _HOLIDAYS.get(holiday) if holiday else None)
