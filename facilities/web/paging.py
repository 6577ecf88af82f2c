"""Long lists in pages: a cursor names the last row that was shown, so each row comes exactly once however rows tie."""

import base64
import json
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple, TypeVar

from facilities.kernel import clock
from facilities.kernel.refusals import Invalid

Row = TypeVar("Row")
LARGEST_PAGE = 200
DEFAULT_PAGE = 50


class After(NamedTuple):
    """The sort key of the last row of the page before."""

    moment: datetime
    id: int


def read_cursor(text: str | None) -> After | None:
    if not text:
        return None
    try:
        moment, number = json.loads(base64.urlsafe_b64decode(text.encode("ascii")))
        if type(number) is not int or not 0 <= number < 2**63:
            raise ValueError(number)
        return After(clock.parse_instant(moment), number)
    except (ValueError, TypeError, AttributeError, OverflowError, RecursionError) as error:
        raise Invalid(cursor="bad_cursor") from error


def read_position(text: str | None) -> int:
    """The cursor of a list that is short enough to be read whole: how many rows have been shown."""
    if not text:
        return 0
    if not (text.isascii() and text.isdigit() and len(text) < 10):
        raise Invalid(cursor="bad_cursor")
    return int(text)


def part_of(rows: Sequence[Row], query: Mapping[str, Any], dump: Callable[[Row], Any]) -> dict[str, Any]:
    """A page of a list that was read whole."""
    start = read_position(query["cursor"])
    end = start + query["limit"]
    return {"items": [dump(row) for row in rows[start:end]], "next": str(end) if end < len(rows) else None}


def page_of(rows: Sequence[Row], limit: int, key: Callable[[Row], After], dump: Callable[[Row], Any]) -> dict[str, Any]:
    """`rows` holds up to limit + 1 rows; the one too many says that there is a next page."""
    shown = rows[:limit]
    cursor = None
    if len(rows) > limit:
        last = key(shown[-1])
        cursor = base64.urlsafe_b64encode(json.dumps([last.moment.isoformat(), last.id]).encode()).decode("ascii")
    return {"items": [dump(row) for row in shown], "next": cursor}
