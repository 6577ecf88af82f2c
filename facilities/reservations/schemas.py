"""The shape of reservations and of free time in the API."""

from datetime import datetime, timedelta
from typing import Any

from marshmallow import fields

from facilities.kernel import clock
from facilities.kernel.refusals import Invalid
from facilities.kernel.spans import Span
from facilities.places.models import SpaceKind
from facilities.places.schemas import LONGEST_MINUTES, SpaceOut, show_space
from facilities.programmes.schemas import ReferenceOut
from facilities.reservations.availability import Found
from facilities.reservations.models import Reservation
from facilities.web.schemas import BaseSchema, Id, Instant, Limit, PageQuery, Reference, Text, between, one_of

FARTHEST = timedelta(days=62)  # what one question may be about
COMING = timedelta(days=14)  # (our choice) where a question does not say until when


class ReservationIn(BaseSchema):
    space_id = Reference(required=True)
    resident_id = Reference(required=True)
    starts_at = Instant(required=True)
    ends_at = Instant(required=True)
    purpose = Text(required=True, longest=200)


class ReservationChange(BaseSchema):
    """What is not given stays as it is."""

    starts_at = Instant()
    ends_at = Instant()


class ReservationOut(BaseSchema):
    id = Id()
    reference = fields.String()
    space_id = Id()
    facility_id = Id()
    resident_id = Id()
    status = fields.String()
    starts_at = Instant()
    ends_at = Instant()
    purpose = fields.String()
    cancel_reason = fields.String(allow_none=True)


class PeriodQuery(BaseSchema):
    from_ = Instant(bare_dates=True, required=True, data_key="from")
    to = Instant(bare_dates=True, required=True)


class SpanOut(BaseSchema):
    starts_at = Instant()
    ends_at = Instant()


class AvailabilityOut(BaseSchema):
    free = fields.List(fields.Nested(SpanOut))


class FreeQuery(PageQuery):
    """Without `from` from now on, without `to` for two weeks. `kind` is the space's."""

    minutes = Limit(required=True, validate=between(1, LONGEST_MINUTES))
    from_ = Instant(bare_dates=True, data_key="from")
    to = Instant(bare_dates=True)
    kind = fields.String(validate=one_of(*SpaceKind))
    facility = Reference()
    sub_district = Text(longest=9)


class FoundOut(BaseSchema):
    space = fields.Nested(SpaceOut)
    facility = fields.Nested(ReferenceOut)
    starts_at = Instant()
    ends_at = Instant()


def read_period(query: dict[str, Any]) -> tuple[datetime, datetime]:
    """Invalid where it is empty, runs backwards, or is too long to be asked about at once."""
    start = query.get("from_") or clock.now()
    end = query.get("to") or start + COMING
    if end <= start:
        raise Invalid(to="ends_before_it_starts")
    if end - start > FARTHEST:
        raise Invalid(to="too_many_days")
    return start, end


def show_reservation(reservation: Reservation) -> dict[str, Any]:
    return {"id": reservation.id, "reference": reservation.reference, "space_id": reservation.space_id,
            "facility_id": reservation.facility_id, "resident_id": reservation.resident_id,
            "status": reservation.state.value, "starts_at": reservation.starts_at, "ends_at": reservation.ends_at,
            "purpose": reservation.purpose, "cancel_reason": reservation.cancel_reason}


def show_span(span: Span) -> dict[str, Any]:
    return {"starts_at": span.starts_at, "ends_at": span.ends_at}


def show_found(found: Found) -> dict[str, Any]:
    return {"space": show_space(found.space), "facility": found.space.facility, **show_span(found.span)}
