"""The charts of the page of figures: each answers one question, in a sentence, a picture and a table."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from flask_babel import gettext as _

from facilities.engine.beneficiaries import SPLITTING, Category
from facilities.engine.profiles import NOT_KNOWN
from facilities.engine.projects import Light
from facilities.statistics import charts, wording
from facilities.statistics.addresses import SESSIONS, address
from facilities.statistics.charts import Slice
from facilities.statistics.dimensions import Dimension, Scope
from facilities.statistics.overview import NAMED, Overview
from facilities.statistics.pictures import Picture
from facilities.statistics.queries import Start
from facilities.statistics.rows import Figures
from facilities.statistics.wording import MEASURES, OVERLAPPING, word_for
from facilities.web.formats import number, percent
from facilities.web.parts import word

SHOWN_PLACES = 10
FULL = 1.25  # of a target: where a bar ends that is longer


@dataclass(frozen=True, slots=True)
class Cell:
    """`address`: the sessions that the number is made of."""

    text: str
    address: str | None = None


@dataclass(frozen=True, slots=True)
class Table:
    caption: str
    header: Sequence[str]
    rows: Sequence[tuple[str, Sequence[Cell]]]
    total: Sequence[Cell] = ()


@dataclass(frozen=True, slots=True)
class Chart:
    name: str
    question: str
    sentence: str
    picture: Picture
    table: Table
    note: str = ""


def chart(name: str, overview: Overview) -> Chart | None:
    """None where there is nothing to show."""
    if name != "targets" and not overview.total.person_times:
        return None
    return CHARTS[name](overview) if name not in _pointless(overview.scope) else None


def _pointless(scope: Scope) -> set[str]:
    """Nothing is divided into groups, or ranked, of which only one was asked for or is to be seen."""
    found = {"groups", "categories"} if scope.category is not None else set()
    one_place = scope.facility_id is not None or (scope.facility_ids is not None and len(scope.facility_ids) == 1)
    return found | {"facilities"} if one_place else found


def all_charts(overview: Overview) -> list[Chart]:
    return [shown for name in CHARTS if (shown := chart(name, overview)) is not None]


def division(overview: Overview, by: Dimension) -> Table:
    """The figures divided: each number leads to the sessions behind it."""
    header = [word_for(by), *(str(measure.name) for measure in MEASURES)]
    rows = [(overview.name(by, row.of[by]), _cells(row.figures, overview.scope, by, row.of[by]))
            for row in overview.rows(by)]
    caption = wording.persons_note(by)
    if by is Dimension.CATEGORY:
        caption += wording.gap() + wording.overlap_note()
    return Table(caption, header, rows, _cells(overview.total, overview.scope))


def _cells(figures: Figures, scope: Scope, by: Dimension | None = None, value: str = "") -> list[Cell]:
    where = _sessions(scope, by, value)
    return [Cell(text := measure.said(figures), where if text != "–" else None) for measure in MEASURES]


def _sessions(scope: Scope, by: Dimension | None = None, value: str = "") -> str | None:
    """None of a place that nobody knows: an address cannot name it."""
    if by is None:
        return address(SESSIONS, scope)
    return None if by in NAMED and value == NOT_KNOWN else address(SESSIONS, scope, {by: value})


# -- the charts


def _trend(overview: Overview) -> Chart:
    months, now, before = overview.months, overview.by_month, overview.by_month_a_year_before
    rows = []
    for month, times, was in zip(months, now, before, strict=True):
        of_then = {Dimension.MONTH: f"{int(month[:4]) - 1}-{month[5:]}"}
        rows.append((word_for(Dimension.MONTH, month), (
            Cell(number(times), _sessions(overview.scope, Dimension.MONTH, month)),
            Cell("–") if was is None else Cell(number(was), address(SESSIONS, overview.a_year_earlier, of_then)))))
    keys = _("Person-times"), _("A year before")
    return Chart(
        "trend", _("How many came, month by month?"), wording.trend_in_words(months, now, before),
        charts.trend(months, now, before, keys),
        Table(_("Person-times by month, beside those of the year before."), [word_for(Dimension.MONTH), *keys], rows))


def _groups(overview: Overview) -> Chart:
    values = overview.by_month_and_group
    rows = [(word_for(Dimension.MONTH, month), [
        Cell(number(values.get((month, category.value), 0)), address(
            SESSIONS, overview.scope, {Dimension.MONTH: month, Dimension.CATEGORY: category.value}))
        for category in Category]) for month in overview.months]
    header = [word_for(Dimension.MONTH), *(word_for(Dimension.CATEGORY, category.value) for category in Category)]
    return Chart(
        "groups", _("Who came, month by month?"), wording.groups_in_words(overview.splitting),
        charts.stacked_bars(overview.months, [category.value for category in SPLITTING], values),
        Table(_("Person-times by month and group.") + wording.gap() + wording.overlap_note(), header, rows),
        wording.overlap_note())


def _hours(overview: Overview) -> Chart:
    busy, days = overview.busy_hours, [word("weekday", day) for day in charts.DAYS]
    hours = charts.shown_hours(busy)
    rows = [(days[day], [_starts(overview.scope, busy, day, hour) for hour in hours]) for day in charts.DAYS]
    return Chart(
        "hours", _("When do people come?"), wording.hours_in_words(busy), charts.heat_map(busy, days),
        Table(_("Person-times by weekday and by the hour in which a session starts."),
              [_("Weekday"), *(f"{hour}:00" for hour in hours)], rows))


def _starts(scope: Scope, busy: Mapping[Start, int], day: int, hour: int) -> Cell:
    people = busy.get((day, hour), 0)
    return Cell(number(people), address(SESSIONS, scope, at=f"{day}-{hour}") if people else None)


def _places(overview: Overview) -> Chart:
    places, by = overview.places, Dimension.FACILITY
    times = [figures.person_times for _id, figures in places]
    names = [overview.name(by, value) for value, _figures in places]
    slices = [Slice(name, value, number(value)) for name, value in zip(names, times, strict=True)][:SHOWN_PLACES]
    if len(places) > SHOWN_PLACES:
        rest = sum(times[SHOWN_PLACES:])
        others = _("%(number)s others together", number=len(places) - SHOWN_PLACES)
        slices.append(Slice(others, rest, number(rest), "chart-rest"))
    rows = [(name, (
        Cell(number(figures.person_times), where := _sessions(overview.scope, by, value)),
        Cell(wording.share(figures.person_times, sum(times)), where), Cell(number(figures.sessions_held), where)))
        for name, (value, figures) in zip(names, places, strict=True)]
    return Chart(
        "facilities", _("Which places do most people come to?"), wording.ranking_in_words(names[0], times),
        charts.ranking(slices),
        Table(_("Person-times by facility, the most first."),
              [word_for(by), _("Person-times"), _("Share"), _("Sessions held")], rows))


def _categories(overview: Overview) -> Chart:
    panels, peaks, rows, values = [], [], [], overview.by_month_and_group
    for name, total in overview.by_group.items():
        series = [values.get((month, name), 0) for month in overview.months]
        if not total:
            continue
        top = max(range(len(series)), key=lambda place: series[place])
        peaks.append((name, overview.months[top]))
        panels.append((wording.short_name(name), _("max %(number)s", number=number(series[top])), series))
        where = _sessions(overview.scope, Dimension.CATEGORY, name)
        rows.append((word_for(Dimension.CATEGORY, name), (
            Cell(number(total), where), Cell(wording.share(total, overview.total.person_times), where),
            Cell(word_for(Dimension.MONTH, overview.months[top])), Cell(number(series[top]), address(
                SESSIONS, overview.scope, {Dimension.MONTH: overview.months[top], Dimension.CATEGORY: name})))))
    header = [word_for(Dimension.CATEGORY), _("Person-times"), _("Share"), _("Highest month"), _("In that month")]
    return Chart(
        "categories", _("How does each group develop?"), wording.peaks_in_words(
            [peak for peak in peaks if peak[0] not in OVERLAPPING]),
        charts.small_multiples(panels),
        Table(_("Person-times by group, and the month with the most.") + wording.gap() + wording.overlap_note(), header,
              rows), wording.overlap_note())


def _targets(overview: Overview) -> Chart | None:
    found = overview.targets
    if not found:
        return None
    slices = [Slice(one.name, float(one.rate), percent(round(one.rate, 3)),
                    mark=float(one.expected_rate) if one.expected_rate is not None else 1) for one in found]
    year = overview.so_far.last.year
    scope = Scope(date(year, 1, 1), overview.so_far.last)
    rows = [(one.name, (
        Cell(one.done, None if one.of is None else address(SESSIONS, scope, one.of)),
        Cell(one.target), Cell(percent(round(one.rate, 3))),
        Cell("–" if one.expected_rate is None else percent(round(Decimal(one.expected_rate), 3))),
        Cell(word("light", one.light) if one.light else "–"))) for one in found]
    reached = sum(1 for one in found if one.rate >= 1)
    behind = sum(1 for one in found if one.light in (Light.YELLOW, Light.RED))
    return Chart(
        "targets", _("How far are the targets of %(year)s?", year=str(year)),
        wording.targets_in_words(reached, behind, len(found)), charts.ranking(slices, FULL),
        Table(_("What the app counts itself against the targets of %(year)s, all places together.", year=str(year)),
              [_("Figure"), _("Done so far"), _("Target"), _("Completion"), _("Should be"), _("Light")], rows),
        _("The upright mark shows where each should be by now."))


CHARTS: dict[str, Callable[[Overview], Chart | None]] = {
    "trend": _trend, "groups": _groups, "hours": _hours, "facilities": _places, "categories": _categories,
    "targets": _targets,
}
