"""A calendar as the answer to a request."""

import hashlib
from collections.abc import Sequence

from flask import Response, current_app, request

from facilities.calendars.ical import Entry, write
from facilities.kernel import clock

MEDIA_TYPE = "text/calendar; charset=utf-8"


def answer(entries: Sequence[Entry], file: str, name: str | None = None) -> Response:
    """`name`: of one that is subscribed to, which is sent again only where an entry is another than last time."""
    response: Response = current_app.response_class(write(entries, clock.now(), name), mimetype=MEDIA_TYPE)
    response.headers["Content-Type"] = MEDIA_TYPE
    response.headers["Content-Disposition"] = f'attachment; filename="{file}.ics"'
    if name is not None:
        response.headers["Cache-Control"] = "private, no-cache"
        response.set_etag(hashlib.sha256(repr((name, entries)).encode("utf-8", "surrogatepass")).hexdigest()[:32])
        response.make_conditional(request)
    return response
