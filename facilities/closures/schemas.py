"""The shape of closures in the API."""

from collections.abc import Mapping
from typing import Any

from marshmallow import fields

from facilities.closures.services import Closing, Inside, Settlement
from facilities.kernel.ids import read_id
from facilities.kernel.refusals import Invalid, NotVisible
from facilities.places.models import Closure
from facilities.programmes.models import ActivitySession
from facilities.programmes.schemas import ReferenceOut, read_reference
from facilities.reservations.models import Reservation
from facilities.web.schemas import BaseSchema, Id, Instant, Reference, Text, at_most_items


class ClosingIn(BaseSchema):
    """Without `starts_at` it begins at once; without `space_id` it is the whole facility."""

    space_id = Reference(allow_none=True)
    starts_at = Instant(allow_none=True)
    ends_at = Instant(required=True)


MOST_MOVES = at_most_items(1000)


class ClosureIn(ClosingIn):
    """`moves`: {session id: space id}, `reservation_moves` alike; all the rest is cancelled."""

    reason = Text(required=True, longest=200)
    moves = fields.Dict(keys=Reference(), values=Reference(), load_default=dict, validate=MOST_MOVES)
    reservation_moves = fields.Dict(keys=Reference(), values=Reference(), load_default=dict, validate=MOST_MOVES)


class ClosureOut(BaseSchema):
    id = Id()
    facility_id = Id()
    space_id = Id(allow_none=True)
    starts_at = Instant()
    ends_at = Instant()
    reason = fields.String()
    lifted_at = Instant(allow_none=True)


class InsideSession(BaseSchema):
    id = Id()
    title = fields.String()
    space = fields.Nested(ReferenceOut, allow_none=True)
    starts_at = Instant()
    ends_at = Instant()
    people = fields.Integer()


class InsideReservation(BaseSchema):
    id = Id()
    reference = fields.String()
    space = fields.Nested(ReferenceOut, allow_none=True)
    starts_at = Instant()
    ends_at = Instant()
    people = fields.Integer()


class InsideOut(BaseSchema):
    sessions = fields.List(fields.Nested(InsideSession))
    reservations = fields.List(fields.Nested(InsideReservation))
    people = fields.Integer()


def read_closing(body: dict[str, Any], facility_id: int) -> Closing:
    return Closing(facility_id, read_reference(body, "space_id", "unknown_space"), body.get("starts_at"),
                   body["ends_at"])


def read_settlement(body: dict[str, Any]) -> Settlement:
    return Settlement(_read_moves(body, "moves"), _read_moves(body, "reservation_moves"))


def _read_moves(body: dict[str, Mapping[str, str]], name: str) -> dict[int, int]:
    try:
        return {read_id(what): read_id(where) for what, where in body[name].items()}
    except NotVisible as error:
        raise Invalid(**{name: "not_inside"}) from error


def show_closure(closure: Closure) -> dict[str, Any]:
    return {"id": closure.id, "facility_id": closure.facility_id, "space_id": closure.space_id,
            "starts_at": closure.starts_at, "ends_at": closure.ends_at, "reason": closure.reason,
            "lifted_at": closure.lifted_at}


def show_inside(inside: Inside) -> dict[str, Any]:
    return {"sessions": [_show_session(s) for s in inside.sessions],
            "reservations": [_show_reservation(r) for r in inside.reservations], "people": inside.people}


def _show_session(session: ActivitySession) -> dict[str, Any]:
    return {"id": session.id, "title": session.title, "space": session.space, "starts_at": session.starts_at,
            "ends_at": session.ends_at, "people": session.places_taken + session.waiting}


def _show_reservation(reservation: Reservation) -> dict[str, Any]:
    """Not by whom: a manager finds that where reservations are looked after."""
    return {"id": reservation.id, "reference": reservation.reference, "space": reservation.space,
            "starts_at": reservation.starts_at, "ends_at": reservation.ends_at, "people": 1}
