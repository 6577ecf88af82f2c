"""The geometry of each chart: numbers in, a picture out. What they are called is said in `wording.py`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from facilities.statistics.dimensions import Dimension
from facilities.statistics.pictures import (
    CARD,
    Dot,
    Frame,
    Key,
    Line,
    Picture,
    Rect,
    Word,
    broken_at,
    fitted,
    round_up,
    spread,
    text_width,
)
from facilities.statistics.wording import word_for
from facilities.web.formats import number

__all__ = ["Slice", "heat_map", "ranking", "small_multiples", "stacked_bars", "trend", "word_for"]

HEAT_LEVELS = 5
DAYS, HOURS = range(7), (8, 20)  # the hours that are shown at least
ROW, NAME_ROOM, NUMBER_ROOM = 25, 176, 62  # of a ranking


@dataclass(frozen=True, slots=True)
class Slice:
    """A bar of a ranking. `said`: its number in words; `mark`: where it should be."""

    name: str
    value: float
    said: str
    style: str = "chart-bar"
    mark: float | None = None


def trend(months: Sequence[str], now: Sequence[int], before: Sequence[int | None], keys: tuple[str, str]) -> Picture:
    """Two lines over the same months; `before` is None where the year before has no such month."""
    frame = Frame(len(months), round_up(max([1, *now, *(value for value in before if value)])))
    grid, marks = frame.grid()
    lines, dots = [], []
    for values, style in ((before, "before"), (now, "now")):
        for run in broken_at(values):
            points = [(frame.middle(place), frame.level(values[place] or 0)) for place in run]
            lines.append(Line(tuple(points), f"line-{style}"))
            if style == "now":
                dots += [Dot(x, y, "dot-now", f"{word_for(Dimension.MONTH, months[place])}: {values[place]}")
                         for place, (x, y) in zip(run, points, strict=True)]
    words = (*_marks(frame, marks), *_months(frame, months))
    return Picture(
        frame.width, frame.height, grid, (), tuple(lines), tuple(dots), words,
        (Key("line-now", keys[0], is_line=True), Key("line-before", keys[1], is_line=True)))


def stacked_bars(columns: Sequence[str], series: Sequence[str], values: Mapping[tuple[str, str], int]) -> Picture:
    """`values` by (month, category); a month's parts lie on top of each other."""
    totals = [sum(values.get((c, s), 0) for s in series) for c in columns]
    frame = Frame(len(columns), round_up(max([*totals, 1])))
    grid, marks = frame.grid()
    width = min(frame.slot * 0.64, 52)
    bars = []
    for place, column in enumerate(columns):
        floor = float(frame.floor)
        for name in series:
            if value := values.get((column, name), 0):
                height = frame.rise(value)
                floor -= height
                label = f"{word_for(Dimension.MONTH, column)} · {word_for(Dimension.CATEGORY, name)}: {value}"
                bars.append(Rect(round(frame.middle(place) - width / 2, 1), round(floor, 1), round(width, 1),
                                 round(height, 1), f"series-{name}", label))
    keys = tuple(Key(f"series-{name}", word_for(Dimension.CATEGORY, name)) for name in series)
    return Picture(frame.width, frame.height, grid, tuple(bars), (), (),
                   (*_marks(frame, marks), *_months(frame, columns)), keys)


def heat_map(busy: Mapping[tuple[int, int], int], days: Sequence[str]) -> Picture:
    """Weekdays down, hours across; the more, the darker, with the number where there is room for it."""
    hours = shown_hours(busy)
    left, above, row = 4 + max(text_width(day) for day in days), 22, 30
    slot, most = (CARD - left) / len(hours), max([1, *busy.values()])
    rects, words = [], []
    for weekday in DAYS:
        words.append(Word(left - 6, above + row * weekday + 20, days[weekday], "chart-end"))
        for place, hour in enumerate(hours):
            value = busy.get((weekday, hour), 0)
            level = -(-HEAT_LEVELS * value // most)
            x, y = round(left + slot * place, 1), above + row * weekday
            rects.append(Rect(x + 1, y + 1, round(slot - 2, 1), row - 2, f"heat-{level}",
                              f"{days[weekday]} {hour:02}:00: {value}"))
            if value and text_width(said := number(value), 11) <= slot - 2:
                words.append(Word(round(x + slot / 2, 1), y + 19, said, f"chart-middle chart-small heat-word-{level}"))
    every = spread(text_width("00"), slot)
    words += [Word(round(left + slot * (place + 0.5), 1), 14, str(hour), "chart-middle")
              for place, hour in enumerate(hours) if place % every == 0]
    return Picture(CARD, above + row * len(DAYS) + 2, rects=tuple(rects), words=tuple(words))


def shown_hours(busy: Mapping[tuple[int, int], int]) -> list[int]:
    hours = [hour for _, hour in busy]
    return list(range(min([HOURS[0], *hours]), max([HOURS[1], *hours]) + 1))


def ranking(slices: Sequence[Slice], full: float | None = None) -> Picture:
    """Bars with their names, in the order given. `full`: what fills the room; a longer bar ends there."""
    most = full or max([1, *(one.value for one in slices)])
    room = CARD - NAME_ROOM - NUMBER_ROOM
    rects, words, lines = [], [], []
    for place, one in enumerate(slices):
        y = ROW * place
        words.append(Word(NAME_ROOM - 8, y + 17, fitted(one.name, NAME_ROOM - 8), "chart-end chart-name"))
        width = round(room * min(one.value, most) / most, 1)
        if width:
            rects.append(Rect(NAME_ROOM, y + 4, width, ROW - 8, one.style, f"{one.name}: {one.said}"))
        end = round(NAME_ROOM + width + 6, 1)
        if one.mark is not None:
            x = round(NAME_ROOM + room * min(one.mark, most) / most, 1)
            lines.append(Line(((x, y + 1), (x, y + ROW - 1)), "chart-goal"))
            if end - 6 < x < end + text_width(one.said):  # the number stands clear of the mark
                end = x + 8
        words.append(Word(end, y + 17, one.said))
    axis = Line(((NAME_ROOM, 0), (NAME_ROOM, ROW * len(slices))), "chart-grid")
    return Picture(CARD, max(ROW * len(slices), ROW), (axis,), tuple(rects), tuple(lines), (), tuple(words))


def small_multiples(panels: Sequence[tuple[str, str, Sequence[int]]]) -> Picture:
    """A little line for each (name, highest in words, values), two beside each other, each to its own scale."""
    gap, height, above = 24, 80, 26
    width = (CARD - gap) / 2
    lines, floors, dots, words = [], [], [], []
    for place, (name, highest, values) in enumerate(panels):
        left, y = (width + gap) * (place % 2), height * (place // 2)
        floor, most = y + height - 10, max([1, *values])
        step = width / max(len(values) - 1, 1)
        points = tuple((round(left + step * number_, 1), round(floor - (height - above - 14) * value / most, 1))
                       for number_, value in enumerate(values))
        floors.append(Line(((left, floor), (round(left + width, 1), floor)), "chart-grid"))
        lines.append(Line(points, "line-now"))
        top = max(range(len(values)), key=lambda number_: values[number_], default=0)
        if values and values[top]:
            dots.append(Dot(*points[top], "dot-now", f"{name}: {highest}"))
        said = text_width(highest)
        words.append(Word(left, y + 16, fitted(name, width - said - 10), "chart-name"))
        words.append(Word(round(left + width, 1), y + 16, highest, "chart-end"))
    rows = -(-len(panels) // 2)
    return Picture(CARD, height * rows, tuple(floors), (), tuple(lines), tuple(dots), tuple(words))


def _marks(frame: Frame, marks: Sequence[tuple[float, int]]) -> list[Word]:
    return [Word(frame.left - 8, y + 4, number(value), "chart-end") for y, value in marks]


def _months(frame: Frame, months: Sequence[str]) -> list[Word]:
    """The month's number under its place, and the year under the first of each year."""
    every = spread(text_width("12"), frame.slot)
    words = []
    for place, month in enumerate(months):
        if place % every == 0:
            words.append(Word(frame.middle(place), frame.floor + 16, str(int(month[5:])), "chart-middle"))
        if place == 0 or month[:4] != months[place - 1][:4]:
            words.append(Word(frame.middle(place), frame.floor + 33, month[:4], "chart-middle chart-name"))
    return words
