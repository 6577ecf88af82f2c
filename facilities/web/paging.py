"""Long lists in pages: a cursor names the last row that was shown, so each row comes exactly once however rows tie."""

import base64
import binascii
import json
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, NamedTuple, TypeVar

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
        return After(datetime.fromisoformat(moment), int(number))
    except (ValueError, TypeError, binascii.Error) as error:
        raise Invalid(cursor="bad_cursor") from error


def page_of(rows: Sequence[Row], limit: int, key: Callable[[Row], After], dump: Callable[[Row], Any]) -> dict[str, Any]:
    """`rows` holds up to limit + 1 rows; the one too many says that there is a next page."""
    shown = rows[:limit]
    cursor = None
    if len(rows) > limit:
        last = key(shown[-1])
        cursor = base64.urlsafe_b64encode(json.dumps([last.moment.isoformat(), last.id]).encode()).decode("ascii")
    return {"items": [dump(row) for row in shown], "next": cursor}
