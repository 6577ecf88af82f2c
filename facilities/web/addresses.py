"""What stands in an address, where a person may have typed it: nonsense narrows to nothing, or is not there.

And whole addresses, for those who are not on our pages.
"""

from datetime import date
from typing import Any
from urllib.parse import urlsplit

from flask import current_app

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


def whole_address(endpoint: str, **values: Any) -> str | None:  # noqa: ANN401 - an address's arguments
    """None where the installation does not know its own. Not read off a request: it goes out to others."""
    address = current_app.config["HUIMIN_SETTINGS"].address
    if address is None:
        return None
    parts = urlsplit(address)
    adapter = current_app.url_map.bind(parts.netloc, url_scheme=parts.scheme)
    return str(adapter.build(endpoint, values, force_external=True))
