"""What a chart is made of: a few rectangles, lines, dots and words at fixed places, each with a class of charts.css.

None of the chart libraries looked at gives an SVG that takes its colours from the page's style sheet and passes the
content policy without inline styles, so the few shapes are laid out here. One template draws them on the page, another
in a file of their own (`drawing.py`).
"""

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

CARD, WIDE = 440, 860  # two cards stand side by side on a desk; a wide one has the line to itself
CARD_COLUMNS = 12
TEXT = 13  # the size of words in charts.css


@dataclass(frozen=True, slots=True)
class Rect:
    x: float
    y: float
    width: float
    height: float
    style: str
    label: str = ""


@dataclass(frozen=True, slots=True)
class Line:
    points: tuple[tuple[float, float], ...]
    style: str

    @property
    def as_text(self) -> str:
        return " ".join(f"{x:g},{y:g}" for x, y in self.points)


@dataclass(frozen=True, slots=True)
class Dot:
    x: float
    y: float
    style: str
    label: str = ""
    radius: float = 3.5


@dataclass(frozen=True, slots=True)
class Word:
    x: float
    y: float
    text: str
    style: str = ""


@dataclass(frozen=True, slots=True)
class Key:
    """What a colour or a line stands for."""

    style: str
    text: str
    is_line: bool = False


@dataclass(frozen=True, slots=True)
class Picture:
    """Ready to draw, in this order; the later lies on the earlier."""

    width: int
    height: int
    lines_below: tuple[Line, ...] = ()
    rects: tuple[Rect, ...] = ()
    lines: tuple[Line, ...] = ()
    dots: tuple[Dot, ...] = ()
    words: tuple[Word, ...] = ()
    keys: tuple[Key, ...] = ()


def text_width(text: str, size: float = TEXT) -> float:
    """About how wide a text is: a Chinese character or quote is a square, a Latin one two thirds of it."""
    squares = sum(1 if unicodedata.east_asian_width(sign) in "WFA" else 0.63 for sign in text)
    return squares * size


def fitted(text: str, room: float, size: float = TEXT) -> str:
    """The text, cut off with … where there is no room for it."""
    if text_width(text, size) <= room:
        return text
    while text and text_width(f"{text}…", size) > room:
        text = text[:-1]
    return f"{text.rstrip()}…"


def round_up(value: int) -> int:
    """The next of 4, 8, 12, 16, 20, 24, 32, 40, 60, 80 times a power of ten: four marks divide them all evenly."""
    size = 1
    while True:
        for step in (4, 8, 12, 16, 20, 24, 32, 40, 60, 80):
            if step * size >= value:
                return step * size
        size *= 10


@dataclass(frozen=True, slots=True)
class Frame:
    """A plot with columns along the bottom and numbers up the side."""

    columns: int
    top: int
    left: int = 46
    above: int = 14
    below: int = 38

    @property
    def height(self) -> int:
        return 250 if self.columns <= CARD_COLUMNS else 200

    @property
    def width(self) -> int:
        return CARD if self.columns <= CARD_COLUMNS else WIDE

    @property
    def floor(self) -> int:
        return self.height - self.below

    @property
    def slot(self) -> float:
        return (self.width - self.left) / max(self.columns, 1)

    def middle(self, number: int) -> float:
        return round(self.left + self.slot * (number + 0.5), 1)

    def rise(self, value: float) -> float:
        """How high a value stands, in the picture's units."""
        return (self.floor - self.above) * value / self.top

    def level(self, value: float) -> float:
        return round(self.floor - self.rise(value), 1)

    def grid(self) -> tuple[tuple[Line, ...], tuple[tuple[float, int], ...]]:
        """Five lines across, and (y, number) for the words beside them."""
        marks = tuple((self.level(self.top * part / 4), self.top * part // 4) for part in range(5))
        return tuple(Line(((self.left, y), (self.width, y)), "chart-grid") for y, _ in marks), marks


def spread(widest: float, slot: float) -> int:
    """Each how many columns have a word under them so that none runs into its neighbour."""
    return max(1, int(-(-(widest + 6) // slot)))


def broken_at(values: Sequence[float | None]) -> list[list[int]]:
    """Runs of places that have a value: a line is not drawn over what nobody knows."""
    runs: list[list[int]] = [[]]
    for place, value in enumerate(values):
        if value is None:
            if runs[-1]:
                runs.append([])
        else:
            runs[-1].append(place)
    return [run for run in runs if run]
