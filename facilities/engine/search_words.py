"""A sentence in a search field, read as days and words: `周六 亲子`, `yoga tomorrow`."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from facilities.kernel.text import folded

_WEEKDAYS: dict[str, tuple[int, ...]] = {
    "周末": (5, 6), "weekend": (5, 6), "weekends": (5, 6),
    **{f"{prefix}{sign}": (n,) for prefix in ("周", "星期", "礼拜") for n, sign in enumerate("一二三四五六日")},
    "周天": (6,), "星期天": (6,), "礼拜天": (6,),
    **{name: (n,) for n, names in enumerate((
        ("monday", "mon"), ("tuesday", "tue"), ("wednesday", "wed"), ("thursday", "thu"),
        ("friday", "fri"), ("saturday", "sat"), ("sunday", "sun"))) for name in names},
}
_DAYS = {"今天": 0, "today": 0, "明天": 1, "tomorrow": 1, "后天": 2}


@dataclass(frozen=True, slots=True)
class Wish:
    """`weekdays` (Monday is 0) and `day` narrow the dates; each of `words` must be found somewhere."""

    words: tuple[str, ...] = ()
    weekdays: tuple[int, ...] = ()
    day: date | None = None

    def admits(self, when: date) -> bool:
        return (not self.weekdays or when.weekday() in self.weekdays) and self.day in (None, when)


def read_wish(text: str, today: date) -> Wish:
    """Longest day words first, so that 星期天 is not read as 天; Chinese needs no blanks between."""
    rest = folded(text).replace(",", " ").replace("、", " ")  # folding has made ， a plain comma
    weekdays: set[int] = set()
    day: date | None = None
    words: list[str] = []
    for token in rest.split():
        remainder = token
        for name in sorted([*_WEEKDAYS, *_DAYS], key=len, reverse=True):
            if name.isascii() and remainder != name:
                continue
            if name in remainder:
                remainder = remainder.replace(name, " ")
                if name in _WEEKDAYS:
                    weekdays.update(_WEEKDAYS[name])
                else:
                    day = today + timedelta(days=_DAYS[name])
        words.extend(remainder.split())
    return Wish(_unique(words), tuple(sorted(weekdays)), day)


def _unique(words: Sequence[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(words))
