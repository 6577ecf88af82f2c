"""The shape of bookings and rosters in the API."""

from typing import Any

from marshmallow import fields, validate

from facilities.bookings.models import Booking
from facilities.engine.ages import age_on
from facilities.kernel import clock
from facilities.kernel.text import mask_phone
from facilities.web.schemas import BaseSchema, Id, Instant, Reference, Text, one_of


class BookingIn(BaseSchema):
    session_id = Reference(required=True)
    resident_ids = fields.List(Reference(), required=True, validate=validate.Length(equal=1))
    if_full = fields.String(load_default="refuse", validate=one_of("refuse"))
    party = fields.String(load_default="together", validate=one_of("together", "separately"))


class BookingOut(BaseSchema):
    id = Id()
    reference = fields.String()
    session_id = Id()
    resident_id = Id()
    status = fields.String()
    starts_at = Instant()
    ends_at = Instant()
    cancel_reason = fields.String(allow_none=True)


class RefusedOut(BaseSchema):
    resident_id = Id()
    code = fields.String()
    facts = fields.Dict()


class BookedOut(BaseSchema):
    items = fields.List(fields.Nested(BookingOut))
    refused = fields.List(fields.Nested(RefusedOut))


class Reason(BaseSchema):
    reason = Text(required=True, longest=200)


class RosterRow(BaseSchema):
    booking_id = Id()
    reference = fields.String()
    resident_id = Id()
    name = fields.String()
    age = fields.Integer(allow_none=True)
    sex = fields.String()
    phone_masked = fields.String(allow_none=True)
    status = fields.String()
    party = fields.String(allow_none=True)


class Roster(BaseSchema):
    items = fields.List(fields.Nested(RosterRow))


def show_booking(booking: Booking) -> dict[str, Any]:
    return {"id": booking.id, "reference": booking.reference, "session_id": booking.session_id,
            "resident_id": booking.resident_id, "status": booking.state.value, "starts_at": booking.starts_at,
            "ends_at": booking.ends_at, "cancel_reason": booking.cancel_reason}


def show_roster_row(booking: Booking) -> dict[str, Any]:
    person = booking.resident
    day = clock.local_date(booking.starts_at)
    return {"booking_id": booking.id, "reference": booking.reference, "resident_id": person.id, "name": person.name,
            "age": age_on(person.birth_date, day) if person.birth_date else None, "sex": person.sex.value,
            "phone_masked": mask_phone(person.phone) if person.phone else None, "status": booking.state.value,
            "party": None}
