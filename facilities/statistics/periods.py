"""With what a period is compared: the one before it, and its own days a year earlier."""

from dataclasses import replace
from datetime import timedelta

from dateutil.relativedelta import relativedelta  # type: ignore[import-untyped]  # it has no types of its own

from facilities.statistics.dimensions import Scope


def period_before(scope: Scope) -> Scope:
    """As long, and right before: whole months where the period is whole months, else as many days."""
    after = scope.last + timedelta(days=1)
    if scope.first.day == 1 and after.day == 1:
        length = (after.year - scope.first.year) * 12 + after.month - scope.first.month
        first = scope.first - relativedelta(months=length)
    else:
        first = scope.first - (after - scope.first)
    return replace(scope, first=first, last=scope.first - timedelta(days=1))


def year_before(scope: Scope) -> Scope:
    """The same days a year earlier; the last of a month stays the last."""
    year = relativedelta(years=1)
    return replace(scope, first=scope.first - year, last=scope.last + timedelta(days=1) - year - timedelta(days=1))
