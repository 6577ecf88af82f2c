"""The shape of bookings and rosters in the API."""

from collections.abc import Mapping
from typing import Any

from flask_babel import lazy_gettext as _l
from marshmallow import ValidationError, fields, validates_schema

from facilities.bookings.models import Booking
from facilities.engine.ages import age_on
from facilities.engine.eligibility import Sex
from facilities.households.desk import Ground
from facilities.kernel import clock
from facilities.kernel.text import mask_phone
from facilities.web.schemas import BaseSchema, Day, Id, Instant, Reference, Text, at_most_items, one_of

LARGEST_PARTY = 12


class BookingIn(BaseSchema):
    session_id = Reference(required=True)
    resident_ids = fields.List(Reference(), required=True, validate=at_most_items(LARGEST_PARTY, least=1))
    if_full = fields.String(load_default="refuse", validate=one_of("refuse", "waitlist"))
    party = fields.String(load_default="together", validate=one_of("together", "separately"))


class SomeoneIn(BaseSchema):
    """Whom the desk registers on the spot."""

    name = Text(required=True, longest=64)
    sex = fields.String(required=True, validate=one_of(*Sex))
    birth_date = Day()
    phone = Text(longest=30)
    id_number = Text(longest=40)


class DeskBookingIn(BaseSchema):
    resident_id = Reference()
    resident = fields.Nested(SomeoneIn)
    if_full = fields.String(load_default="refuse", validate=one_of("refuse", "waitlist"))
    override = Text(longest=200)
    ground = fields.String(load_default=Ground.COUNTER.value, validate=one_of(*Ground))

    @validates_schema
    def one_person(self, data: dict[str, Any], **_: object) -> None:
        if ("resident_id" in data) == ("resident" in data):
            raise ValidationError(str(_l("Name one: resident_id or resident.")), "resident_id")


class BookingOut(BaseSchema):
    id = Id()
    reference = fields.String()
    session_id = Id()
    resident_id = Id()
    status = fields.String()
    party = fields.String(allow_none=True)
    waitlist_position = fields.Integer(allow_none=True)
    offer_expires_at = Instant(allow_none=True)
    starts_at = Instant()
    ends_at = Instant()
    cancel_reason = fields.String(allow_none=True)


class CodeOut(BaseSchema):
    """`check_in_code` is what the QR code holds, `reference` is short enough to be said."""

    reference = fields.String()
    check_in_code = fields.String(allow_none=True)


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
    coming = fields.Boolean()


class Roster(BaseSchema):
    items = fields.List(fields.Nested(RosterRow))


def show_booking(booking: Booking, positions: Mapping[int, int]) -> dict[str, Any]:
    """`positions`: where those who wait stand, by booking."""
    return {"id": booking.id, "reference": booking.reference, "session_id": booking.session_id,
            "resident_id": booking.resident_id, "status": booking.state.value, "party": booking.party,
            "waitlist_position": positions.get(booking.id), "offer_expires_at": booking.offer_expires_at,
            "starts_at": booking.starts_at, "ends_at": booking.ends_at, "cancel_reason": booking.cancel_reason}


def show_roster_row(booking: Booking) -> dict[str, Any]:
    person = booking.resident
    day = clock.local_date(booking.starts_at)
    return {"booking_id": booking.id, "reference": booking.reference, "resident_id": person.id, "name": person.name,
            "age": age_on(person.birth_date, day) if person.birth_date else None, "sex": person.sex.value,
            "phone_masked": mask_phone(person.phone) if person.phone else None, "status": booking.state.value,
            "party": booking.party, "coming": booking.coming_at is not None}
