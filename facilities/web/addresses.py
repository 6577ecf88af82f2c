"""What stands in an address, where a person may have typed it: nonsense narrows to nothing, or is not there."""

from datetime import date

from facilities.kernel.ids import read_id
from facilities.kernel.refusals import NotVisible

EARLIEST_PAGE, LATEST_PAGE = date(2000, 1, 1), date(2190, 1, 1)  # a page's neighbours must be days too


def filter_id(text: str | None) -> int | None:
    """The row to narrow a list to: None for all of them, 0 (which no row has) for what cannot be an id."""
    try:
        return read_id(text) if text else None
    except NotVisible:
        return 0


def day_or(text: str | None, default: date) -> date:
    try:
        day = date.fromisoformat(text or "")
    except ValueError:
        return default
    return day if EARLIEST_PAGE < day < LATEST_PAGE else default
