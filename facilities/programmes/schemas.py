"""The shape of programmes and activity sessions in the API."""

from dataclasses import asdict
from typing import Any

from marshmallow import fields

from facilities.engine.eligibility import Audience, Sex
from facilities.engine.limits import Limits
from facilities.engine.waitlist import WaitlistMode
from facilities.kernel.ids import read_id
from facilities.kernel.refusals import Invalid, NotVisible
from facilities.places.models import FacilityKind
from facilities.programmes.models import ActivitySession, Programme, ProviderType
from facilities.programmes.services import Offer, audience_of
from facilities.web.schemas import (
    BaseSchema,
    Count,
    Flag,
    Id,
    Instant,
    PageQuery,
    Reference,
    Text,
    at_most_items,
    one_of,
)

LARGEST_SESSION = 100_000
MOST_COMMUNITIES = 100


class AudienceIn(BaseSchema):
    min_age = Count(0, 130, allow_none=True)
    max_age = Count(0, 130, allow_none=True)
    sex = fields.String(allow_none=True, validate=one_of(*Sex))
    disability = Flag(load_default=False)
    communities = fields.List(Text(longest=12), load_default=list, validate=at_most_items(MOST_COMMUNITIES))


class AudienceOut(BaseSchema):
    min_age = fields.Integer()
    max_age = fields.Integer()
    sex = fields.String()
    disability = fields.Boolean()
    communities = fields.List(fields.String())


class LimitsIn(BaseSchema):
    per_resident_per_week = Count(1, 100, allow_none=True)
    per_household_per_session = Count(1, 100, allow_none=True)


class WaitlistIn(BaseSchema):
    mode = fields.String(validate=one_of(*WaitlistMode))
    capacity = Count(0, LARGEST_SESSION, allow_none=True)
    offer_minutes = Count(1, 7 * 24 * 60, allow_none=True)


class WaitlistOut(BaseSchema):
    mode = fields.String()
    capacity = fields.Integer(allow_none=True)
    offer_minutes = fields.Integer(allow_none=True)


class ProgrammeIn(BaseSchema):
    name = Text(required=True, longest=80)
    name_en = Text(longest=120)
    facility_kind = fields.String(required=True, validate=one_of(*FacilityKind))
    audience = fields.Nested(AudienceIn)
    limits = fields.Nested(LimitsIn)
    records_time = Flag(load_default=False)
    provider_type = fields.String(load_default=ProviderType.OWN.value, validate=one_of(*ProviderType))
    volunteer = Flag(load_default=False)


class ProgrammeOut(BaseSchema):
    id = Id()
    name = fields.String()
    name_en = fields.String(allow_none=True)
    facility_kind = fields.String()
    audience = fields.Nested(AudienceOut)
    limits = fields.Nested(LimitsIn)
    records_time = fields.Boolean()
    provider_type = fields.String()
    volunteer = fields.Boolean()


class ReferenceOut(BaseSchema):
    id = Id()
    name = fields.String()
    name_en = fields.String(allow_none=True)


class SessionOut(BaseSchema):
    id = Id()
    title = fields.String()
    title_en = fields.String(allow_none=True)
    details = fields.String(allow_none=True)
    programme = fields.Nested(ReferenceOut)
    facility = fields.Nested(ReferenceOut)
    space = fields.Nested(ReferenceOut, allow_none=True)
    starts_at = Instant()
    ends_at = Instant()
    status = fields.String()
    capacity = fields.Integer()
    places_taken = fields.Integer()
    places_left = fields.Integer()
    waitlist_length = fields.Integer()
    booking_opens_at = Instant(allow_none=True)
    booking_closes_at = Instant()
    cancellation_closes_at = Instant()
    cancel_reason = fields.String(allow_none=True)
    audience = fields.Nested(AudienceOut)
    waitlist = fields.Nested(WaitlistOut)
    series_id = Id(allow_none=True)
    draw_id = Id(allow_none=True)


class SessionQuery(PageQuery):
    facility = Reference()
    programme = Reference()
    kind = fields.String(validate=one_of(*FacilityKind))
    from_ = Instant(bare_dates=True, data_key="from")
    to = Instant(bare_dates=True)
    available = fields.Boolean(load_default=False)


class SessionChange(BaseSchema):
    facility_id = Reference()
    programme_id = Reference()
    space_id = Reference(allow_none=True)
    title = Text(longest=80)
    title_en = Text(longest=120, allow_none=True)
    details = Text(longest=1000, multiline=True, allow_none=True)
    starts_at = Instant()
    ends_at = Instant()
    capacity = Count(1, LARGEST_SESSION)
    booking_opens_at = Instant(allow_none=True)
    booking_closes_at = Instant(allow_none=True)
    cancellation_closes_at = Instant(allow_none=True)
    audience = fields.Nested(AudienceIn, allow_none=True)
    waitlist = fields.Nested(WaitlistIn)


class SessionIn(SessionChange):
    facility_id = Reference(required=True)
    programme_id = Reference(required=True)
    title = Text(required=True, longest=80)
    starts_at = Instant(required=True)
    ends_at = Instant(required=True)
    capacity = Count(1, LARGEST_SESSION, required=True)


def read_audience(body: dict[str, Any] | None) -> Audience | None:
    return None if body is None else audience_of(
        body.get("min_age"), body.get("max_age"), body.get("sex"), disability=body["disability"],
        communities=body["communities"])


def read_limits(body: dict[str, Any] | None) -> Limits:
    return Limits(**body) if body else Limits()


def read_reference(body: dict[str, Any], name: str, wrong: str) -> int | None:
    """An id in a body that was the caller's choice among public things: Invalid where it cannot be one."""
    try:
        return read_id(body[name]) if body.get(name) else None
    except NotVisible as error:
        raise Invalid(**{name: wrong}) from error


def read_changes(body: dict[str, Any]) -> dict[str, Any]:
    changes = dict(body)
    if "programme_id" in changes:
        changes["programme_id"] = read_reference(body, "programme_id", "unknown_programme")
    if "facility_id" in changes:
        changes["facility_id"] = read_reference(body, "facility_id", "unknown_facility")
    if "space_id" in changes:
        changes["space_id"] = read_reference(body, "space_id", "unknown_space")
    if "audience" in changes:
        changes["audience"] = read_audience(body["audience"]) or Audience()
    waitlist = changes.pop("waitlist", {})  # what is not given stays
    if "mode" in waitlist:
        changes["waitlist_mode"] = WaitlistMode(waitlist["mode"])
    if "capacity" in waitlist:
        changes["waitlist_capacity"] = waitlist["capacity"]
    if "offer_minutes" in waitlist:
        changes["offer_minutes"] = waitlist["offer_minutes"]
    return changes


def read_offer(body: dict[str, Any], facility_id: int) -> Offer:
    return Offer(**{**read_changes(body), "facility_id": facility_id,
                    "audience": read_audience(body.get("audience"))})


def show_audience(audience: Audience) -> dict[str, Any]:
    facts = {"min_age": audience.min_age, "max_age": audience.max_age,
             "sex": audience.sex.value if audience.sex else None, "disability": audience.disability or None,
             "communities": list(audience.communities) or None}
    return {name: value for name, value in facts.items() if value is not None}


def show_programme(programme: Programme) -> dict[str, Any]:
    return {"id": programme.id, "name": programme.name, "name_en": programme.name_en,
            "facility_kind": programme.facility_kind.value, "audience": show_audience(programme.audience),
            "limits": asdict(programme.limits), "records_time": programme.records_time,
            "provider_type": programme.provider_type.value, "volunteer": programme.volunteer}


def show_session(session: ActivitySession) -> dict[str, Any]:
    window = session.booking_window
    return {
        "id": session.id, "title": session.title, "title_en": session.title_en, "details": session.details,
        "programme": session.programme, "facility": session.facility, "space": session.space,
        "starts_at": session.starts_at, "ends_at": session.ends_at, "status": session.status.value,
        "capacity": session.capacity, "places_taken": session.places_taken, "places_left": session.places_left,
        "waitlist_length": session.waiting,
        "booking_opens_at": window.booking_opens_at, "booking_closes_at": window.closes_at,
        "cancellation_closes_at": window.last_cancellation_at, "cancel_reason": session.cancel_reason,
        "audience": show_audience(session.audience),
        "waitlist": {"mode": session.waitlist_mode.value, "capacity": session.waitlist_capacity,
                     "offer_minutes": session.offer_minutes},
        "series_id": session.series_id, "draw_id": session.draw_id,
    }
