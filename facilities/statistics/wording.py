"""What figures, their divisions and changes are called, for readers of pages, charts and files alike."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from facilities.engine.beneficiaries import OF_WHOM, Category
from facilities.engine.profiles import NOT_KNOWN
from facilities.statistics.dimensions import Dimension
from facilities.statistics.rows import Figures
from facilities.web.formats import is_chinese, month_label, number, percent
from facilities.web.parts import WORDS

_DIMENSIONS: dict[Dimension, Any] = {
    Dimension.MONTH: _l("Month"), Dimension.QUARTER: _l("Quarter"), Dimension.YEAR: _l("Year"),
    Dimension.FACILITY: _l("Facility"), Dimension.FACILITY_KIND: _l("Kind of place"),
    Dimension.PROGRAMME: _l("Programme"),
    Dimension.SUB_DISTRICT: _l("Sub-district"), Dimension.COMMUNITY: _l("Community"),
    Dimension.CATEGORY: _l("Group"), Dimension.SEX: _l("Sex"), Dimension.AGE_BAND: _l("Age"),
    Dimension.DISABILITY_CATEGORY: _l("Kind of disability"), Dimension.DISABILITY_GRADE: _l("Grade of disability"),
    Dimension.PROVIDER_TYPE: _l("Provider"), Dimension.VOLUNTEER: _l("Volunteers"),
}
OVERLAPPING = frozenset(category.value for category in OF_WHOM)


def word_for(dimension: Dimension, value: str | None = None) -> str:
    """The dimension's name, or a value of it, as a reader says it."""
    if value is None:
        return str(_DIMENSIONS[dimension])
    if value == NOT_KNOWN:
        return _("Not known")
    if dimension is Dimension.MONTH:
        return month_label(value)
    if dimension is Dimension.QUARTER:
        return _("Q%(quarter)s %(year)s", year=value[:4], quarter=value[-1])
    if dimension is Dimension.YEAR:
        return f"{value}年" if is_chinese() else value
    if dimension is Dimension.AGE_BAND:
        return _("%(band)s years", band=value.replace("-", "–"))
    if dimension is Dimension.DISABILITY_GRADE:
        return _("Grade %(grade)s", grade=value)
    words: Mapping[Any, Any] = WORDS.get(dimension.value, {})
    return str(words.get(int(value) if value.isdigit() else value, value))


@dataclass(frozen=True, slots=True)
class Measure:
    """A number of `Figures`. `explains`: what a reader must know so as not to misread it."""

    field: str
    name: Any
    is_share: bool = False
    explains: Any = ""

    def of(self, figures: Figures) -> float | None:
        value: float | None = getattr(figures, self.field)
        return value

    def said(self, figures: Figures) -> str:
        return self.in_words(self.of(figures))

    def in_words(self, value: float | None) -> str:
        """A dash where it makes no sense."""
        if value is None:
            return "–"
        return percent(Decimal(str(value))) if self.is_share else number(Decimal(str(value)))


SESSIONS = Measure("sessions_held", _l("Sessions held"))
TIMES = Measure("person_times", _l("Person-times"))
PERSONS = Measure("persons", _l("Persons"), explains=_l("Distinct residents; not additive over rows."))
UNNAMED = Measure("unidentified_person_times", _l("Person-times without a name"))
HOURS = Measure("hours", _l("Hours"), explains=_l("Spent by everybody together."))
COUNTED = (SESSIONS, TIMES, PERSONS, UNNAMED, HOURS)
FILL_RATE = Measure("fill_rate", _l("Places filled"), is_share=True, explains=_l("Of the places that were offered."))
NO_SHOW_RATE = Measure("no_show_rate", _l("Did not come"), is_share=True, explains=_l("Of those who were booked."))
WAITING = Measure("waiting_hours", _l("Hours on the waiting list"),
                  explains=_l("From going on the list to being given a place."))
MEASURES = (*COUNTED, FILL_RATE, NO_SHOW_RATE, WAITING)


def overlap_note() -> str:
    return _("Elders and residents with disabilities overlap with the other groups: they are 'of whom' and are never "
             "added to them.")


def persons_note(by: Dimension) -> str:
    return _("Beneficiaries by %(dimension)s. Persons are distinct and do not add up over rows.",
             dimension=word_for(by))


# -- changes


def changes_in_words(measure: Measure, now: Figures, before: Figures | None, year: Figures | None) -> list[str]:
    """Against the period before and the year before, where there is such a one."""
    said = []
    if before is not None:
        said.append(_change(measure, measure.of(now), measure.of(before), _OF_PERIOD))
    if year is not None:
        said.append(_change(measure, measure.of(now), measure.of(year), _OF_YEAR))
    return [text for text in said if text]


_OF_PERIOD = {
    "up": _l("↑ up %(change)s on the period before (%(then)s)"),
    "down": _l("↓ down %(change)s on the period before (%(then)s)"),
    "same": _l("= the same as in the period before"), "none": _l("none in the period before"),
}
_OF_YEAR = {
    "up": _l("↑ up %(change)s on a year before (%(then)s)"),
    "down": _l("↓ down %(change)s on a year before (%(then)s)"),
    "same": _l("= the same as a year before"), "none": _l("none a year before"),
}


def _change(measure: Measure, now: float | None, then: float | None, words: Mapping[str, Any]) -> str:
    if now is None:
        return ""
    if then is None or (then == 0 and not measure.is_share):
        return str(words["none"])
    if now == then:
        return str(words["same"])
    return str(words["up" if now > then else "down"]) % {
        "change": points(now - then) if measure.is_share else share(abs(now - then), then),
        "then": measure.in_words(then)}


def points(change: float) -> str:
    return _("%(number)s points", number=number(round(Decimal(str(abs(change))) * 100, 1)))


def share(part: float, of: float) -> str:
    """A part of something as a percentage; whole ones from ten up."""
    value = Decimal(str(part)) / Decimal(str(of)) if of else Decimal(0)
    return percent(round(value, 2) if value >= Decimal("0.1") else round(value, 3))


# -- what the charts show, in a sentence


def trend_in_words(months: Sequence[str], now: Sequence[int], before: Sequence[int | None]) -> str:
    """Months of which the year before is not known are not compared."""
    top = max(range(len(now)), key=lambda place: now[place])
    said = _("Most person-times were in %(month)s: %(number)s.", month=month_label(months[top]),
             number=number(now[top]))
    total = sum(times for times, value in zip(now, before, strict=True) if value is not None)
    was = sum(value or 0 for value in before)
    if not was:
        return said + gap() + _("Of the year before there are no figures.")
    if total == was:
        return said + gap() + _("Altogether as many as in the same months a year before.")
    change = share(abs(total - was), was)
    return said + gap() + (
        _("Altogether %(change)s more than in the same months a year before.", change=change) if total > was
        else _("Altogether %(change)s less than in the same months a year before.", change=change))


def groups_in_words(numbers: Mapping[str, int]) -> str:
    """Of the groups that split everyone, the two largest."""
    total = sum(numbers.values())
    first, second = sorted(numbers, key=lambda name: -numbers[name])[:2]
    if not numbers[second]:
        return _("All person-times are of one group: %(group)s.", group=word_for(Dimension.CATEGORY, first))
    return _("The largest group is %(first)s with %(first_share)s of all person-times, then %(second)s with "
             "%(second_share)s.", first=_inside(first), first_share=share(numbers[first], total),
             second=_inside(second), second_share=share(numbers[second], total))


def hours_in_words(busy: Mapping[tuple[int, int], int]) -> str:
    (weekday, hour), most = max(busy.items(), key=lambda item: (item[1], item[0]))
    at_weekends = sum(value for (day, _hour), value in busy.items() if day >= 5)
    return _("The busiest start is %(weekday)s at %(hour)s with %(number)s person-times. %(share)s come at weekends.",
             weekday=WORDS["weekday"][weekday], hour=f"{hour}:00", number=number(most),
             share=share(at_weekends, sum(busy.values())))


def starts_in_words(at: tuple[int, int]) -> str:
    weekday, hour = at
    return _("%(weekday)s, starting from %(first)s to %(last)s", weekday=WORDS["weekday"][weekday],
             first=f"{hour}:00", last=f"{hour}:59")


def ranking_in_words(name: str, numbers: Sequence[int]) -> str:
    total = sum(numbers)
    said = _("%(name)s has the most: %(number)s person-times, %(share)s of all.", name=name,
             number=number(numbers[0]), share=share(numbers[0], total))
    if len(numbers) <= 3:
        return said
    return said + gap() + _("The first three of %(places)s places have %(share)s.", places=len(numbers),
                            share=share(sum(numbers[:3]), total))


def peaks_in_words(peaks: Sequence[tuple[str, str]]) -> str:
    """(category, month) of the highest month of each."""
    said = [f"{_inside(name)} {month_label(month)}" for name, month in peaks]
    return _("Highest months: %(months)s. Each line has its own scale.", months=_("; ").join(said))


def targets_in_words(reached: int, behind: int, of: int) -> str:
    said = _("%(reached)s of %(number)s targets of the year are reached.", reached=reached, number=of)
    return said + gap() + (_("Behind schedule: %(behind)s.", behind=behind) if behind
                           else _("None is behind schedule."))


def gap() -> str:
    """Between two sentences: a blank where the language has one."""
    return "" if is_chinese() else " "


def short_name(category: str) -> str:
    """Where there is little room."""
    return _("with disabilities") if category == Category.DISABLED else word_for(Dimension.CATEGORY, category)


def _inside(category: str) -> str:
    """A group's name in the middle of a sentence."""
    words = {Category.WOMEN: _("women"), Category.CHILDREN: _("children"), Category.MEN: _("men"),
             Category.UNKNOWN: _("persons of whom nothing is known"), Category.ELDERS: _("elders"),
             Category.DISABLED: _("residents with disabilities")}
    return words[Category(category)]
