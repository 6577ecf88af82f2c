"""Dates, times and numbers as a reader of either language writes them, in the district's time."""

from datetime import date, datetime
from decimal import Decimal

from flask_babel import format_date, format_decimal, get_locale, ngettext
from flask_babel import gettext as _

from facilities.engine.ages import age_on
from facilities.kernel import clock


def is_chinese() -> bool:
    locale = get_locale()
    return locale is None or locale.language == "zh"


def day(value: date | datetime) -> str:
    """11月28日 周六 · Sat 28 Nov, with the year where it is another one."""
    that = _as_day(value)
    year = that.year != clock.today().year
    shape = ("y年" if year else "") + "M月d日 EEE" if is_chinese() else "EEE d MMM" + (" y" if year else "")
    return str(format_date(that, shape, rebase=False))


def long_day(value: date | datetime) -> str:
    return str(format_date(_as_day(value), "y年M月d日 EEEE" if is_chinese() else "EEEE d MMMM y", rebase=False))


def date_only(value: date | datetime) -> str:
    return str(format_date(_as_day(value), "y年M月d日" if is_chinese() else "d MMMM y", rebase=False))


def weekday(value: date | datetime) -> str:
    return str(format_date(_as_day(value), "EEE", rebase=False))


def month_name(value: date | datetime) -> str:
    return str(format_date(_as_day(value), "M月" if is_chinese() else "MMM", rebase=False))


def clock_time(value: datetime) -> str:
    return clock.local(value).strftime("%H:%M")


def date_time(value: datetime) -> str:
    return f"{day(value)} {clock_time(value)}"


def span(starts_at: datetime, ends_at: datetime) -> str:
    """09:00–10:30, with the day of the end where it is another one."""
    end = clock_time(ends_at)
    if clock.local_date(starts_at) != clock.local_date(ends_at):
        end = f"{day(ends_at)} {end}"
    return f"{clock_time(starts_at)}–{end}"


def number(value: int | Decimal) -> str:
    return str(format_decimal(value))


def percent(share: Decimal) -> str:
    """1.0769 as 107.7%."""
    return f"{format_decimal(share * 100, '#,##0.#')}%"


def month_label(text: str) -> str:
    """`2024-05` as a reader says it."""
    return str(format_date(date.fromisoformat(f"{text}-01"), "y年M月" if is_chinese() else "MMM y", rebase=False))


def ages(min_age: int | None, max_age: int | None) -> str:
    if min_age is not None and max_age is not None:
        return _("%(low)s to %(high)s years", low=min_age, high=max_age)
    if min_age is not None:
        return _("from %(age)s years", age=min_age)
    if max_age is not None:
        return _("up to %(age)s years", age=max_age)
    return _("all ages")


def age_text(birth_date: date, on: datetime) -> str:
    """The age on the day of something."""
    age = age_on(birth_date, clock.local_date(on))
    return ngettext("%(num)d year", "%(num)d years", age)


def _as_day(value: date | datetime) -> date:
    return clock.local_date(value) if isinstance(value, datetime) else value


FILTERS = {
    "day": day, "long_day": long_day, "date_only": date_only, "weekday": weekday, "month_name": month_name,
    "clock_time": clock_time,
    "date_time": date_time, "number": number, "percent": percent, "month_label": month_label,
    "local_date": clock.local_date,
}
