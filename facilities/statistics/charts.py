"""The geometry of a stacked bar chart, and the words on it; the template draws it as SVG.

None of the chart libraries looked at gives an SVG that takes its colours from the page's style sheet and passes the
content policy without inline styles, so the few rectangles are laid out here.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from facilities.engine.profiles import NOT_KNOWN
from facilities.statistics.queries import Dimension
from facilities.web.formats import month_label
from facilities.web.parts import WORDS

WIDTH, HEIGHT, LEFT, TOP, BOTTOM = 720, 260, 56, 12, 34

_DIMENSIONS: dict[Dimension, Any] = {
    Dimension.MONTH: _l("Month"), Dimension.FACILITY: _l("Facility"), Dimension.PROGRAMME: _l("Programme"),
    Dimension.SUB_DISTRICT: _l("Sub-district"), Dimension.CATEGORY: _l("Group"), Dimension.SEX: _l("Sex"),
    Dimension.AGE_BAND: _l("Age"),
}
_VALUES: dict[tuple[Dimension, str], Any] = {
    **{(Dimension.CATEGORY, name): words for name, words in WORDS["category"].items()},
    **{(Dimension.SEX, name): words for name, words in WORDS["sex"].items()},
}


def word_for(dimension: Dimension, value: str | None = None) -> str:
    """The dimension's name, or a value of it, as a reader says it."""
    if value is None:
        return str(_DIMENSIONS[dimension])
    if dimension is Dimension.MONTH:
        return month_label(value)
    if dimension is Dimension.AGE_BAND and value != NOT_KNOWN:
        return _("%(band)s years", band=value.replace("-", "–"))
    return str(_VALUES.get((dimension, value), _("Not known") if value == NOT_KNOWN else value))


@dataclass(frozen=True, slots=True)
class Bar:
    x: float
    y: float
    width: float
    height: float
    series: str
    label: str


@dataclass(frozen=True, slots=True)
class Chart:
    """Ready to draw: bars, the marks of the value axis as (y, label), those of the other as (x, label)."""

    bars: tuple[Bar, ...]
    marks: tuple[tuple[float, int], ...]
    ticks: tuple[tuple[float, str], ...]
    series: tuple[str, ...]
    width: int = WIDTH
    height: int = HEIGHT
    left: int = LEFT
    baseline: int = HEIGHT - BOTTOM


def stacked_bars(columns: Sequence[str], series: Sequence[str], values: dict[tuple[str, str], int]) -> Chart:
    """`values` by (month, category); a month's parts lie on top of each other."""
    totals = [sum(values.get((c, s), 0) for s in series) for c in columns]
    top = _round_up(max([*totals, 1]))
    room, slot = HEIGHT - TOP - BOTTOM, (WIDTH - LEFT) / max(len(columns), 1)
    width = min(slot * 0.64, 56)
    bars, ticks = [], []
    for number, column in enumerate(columns):
        middle, floor = LEFT + slot * (number + 0.5), float(HEIGHT - BOTTOM)
        ticks.append((round(middle, 1), column))
        for name in series:
            value = values.get((column, name), 0)
            if value:
                height = room * value / top
                floor -= height
                bars.append(Bar(round(middle - width / 2, 1), round(floor, 1), round(width, 1), round(height, 1), name,
                                f"{word_for(Dimension.MONTH, column)} · {word_for(Dimension.CATEGORY, name)}: {value}"))
    marks = tuple((round(HEIGHT - BOTTOM - room * part / 4, 1), top * part // 4) for part in range(5))
    return Chart(tuple(bars), marks, tuple(ticks), tuple(series))


def _round_up(value: int) -> int:
    """The next of 4, 8, 12, 16, 20, 24, 32, 40, 60, 80 times a power of ten: four marks divide them all evenly."""
    size = 1
    while True:
        for step in (4, 8, 12, 16, 20, 24, 32, 40, 60, 80):
            if step * size >= value:
                return step * size
        size *= 10
