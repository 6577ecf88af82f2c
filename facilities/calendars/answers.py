"""A calendar as the answer to a request."""

import hashlib
from collections.abc import Sequence

from flask import Response, current_app, request, url_for

from facilities.bookings import queries as bookings
from facilities.calendars import entries
from facilities.calendars.ical import Entry, write
from facilities.kernel import clock
from facilities.kernel.ids import read_id
from facilities.kernel.refusals import NotVisible
from facilities.reservations import queries as reservations
from facilities.web.addresses import whole_address
from facilities.web.guards import current_actor

MEDIA_TYPE = "text/calendar; charset=utf-8"


def answer(rows: Sequence[Entry], file: str, name: str | None = None) -> Response:
    """`name`: of one that is subscribed to, which is sent again only where an entry is another than last time."""
    response: Response = current_app.response_class(write(rows, clock.now(), name), mimetype=MEDIA_TYPE)
    response.headers["Content-Type"] = MEDIA_TYPE
    response.headers["Content-Disposition"] = f'attachment; filename="{file}.ics"'
    if name is not None:
        response.headers["Cache-Control"] = "private, no-cache"
        response.set_etag(hashlib.sha256(repr((name, rows)).encode("utf-8", "surrogatepass")).hexdigest()[:32])
        response.make_conditional(request)
    return response


def answer_booking(booking_id: str) -> Response:
    """One of the caller's own; NotVisible else."""
    found = bookings.own_booking(current_actor(), read_id(booking_id))
    if found is None:
        raise NotVisible
    return answer([entries.of_booking(found)], f"huimin-{found.reference}")


def answer_reservation(reservation_id: str) -> Response:
    found = reservations.own_reservation(current_actor(), read_id(reservation_id))
    if found is None:
        raise NotVisible
    return answer([entries.of_reservation(found)], f"huimin-{found.reference}")


def address_of(token: str) -> str:
    """Of a household's calendar, for the calendar that is to follow it."""
    return whole_address("calendars.feed", token=token) or url_for("calendars.feed", token=token, _external=True)
