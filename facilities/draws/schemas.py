"""The shape of draws in the API. What is public of a draw is enough to compute its order again."""

from collections.abc import Mapping, Sequence
from typing import Any

from marshmallow import fields

from facilities.draws.models import Draw, DrawEntry
from facilities.draws.queries import Ticket
from facilities.draws.services import LEAST_PERCENT, MOST_PERCENT, rule_of
from facilities.engine.draws import WeightRule
from facilities.programmes.models import ActivitySession
from facilities.programmes.schemas import ReferenceOut
from facilities.web.schemas import BaseSchema, Count, Flag, Id, Instant, Reference, Text, at_most_items

MOST_SESSIONS = 60
LARGEST_PARTY = 12


class PriorityIn(BaseSchema):
    """Percent of an ordinary ticket's weight."""

    children = Count(LEAST_PERCENT, MOST_PERCENT)
    elders = Count(LEAST_PERCENT, MOST_PERCENT)
    disabled = Count(LEAST_PERCENT, MOST_PERCENT)


class WeightsIn(BaseSchema):
    halve_per_win = Flag(load_default=False)
    priority = fields.Nested(PriorityIn, load_default=dict)


class DrawIn(BaseSchema):
    session_ids = fields.List(Reference(), required=True, validate=at_most_items(MOST_SESSIONS, least=1))
    title = Text(required=True, longest=80)
    entries_close_at = Instant(required=True)
    weights = fields.Nested(WeightsIn)


class WeightsOut(BaseSchema):
    halve_per_win = fields.Boolean()
    priority = fields.Dict(keys=fields.String(), values=fields.Integer())


class DrawnSessionOut(BaseSchema):
    id = Id()
    title = fields.String()
    title_en = fields.String(allow_none=True)
    starts_at = Instant()
    ends_at = Instant()
    capacity = fields.Integer()
    status = fields.String()


class TicketOut(BaseSchema):
    hash = fields.String()
    weight = fields.Integer()
    rank = fields.Integer(allow_none=True)


class DrawOut(BaseSchema):
    id = Id()
    reference = fields.String()
    title = fields.String()
    facility = fields.Nested(ReferenceOut)
    sessions = fields.List(fields.Nested(DrawnSessionOut))
    entries_close_at = Instant()
    status = fields.String()
    drawn_at = Instant(allow_none=True)
    weights = fields.Nested(WeightsOut)
    rule = fields.List(fields.String())
    number_of_entries = fields.Integer()
    commitment = fields.String()
    seed = fields.String(allow_none=True)
    entries_digest = fields.String(allow_none=True)
    entries = fields.List(fields.Nested(TicketOut), allow_none=True)


class EntryIn(BaseSchema):
    resident_ids = fields.List(Reference(), required=True, validate=at_most_items(LARGEST_PARTY, least=1))


class EntryOut(BaseSchema):
    id = Id()
    draw_id = Id()
    reference = fields.String()
    hash = fields.String()
    status = fields.String()
    rank = fields.Integer(allow_none=True)
    resident_ids = fields.List(Id())


def read_weights(body: Mapping[str, Any] | None) -> WeightRule:
    """Without any, every ticket weighs the same."""
    weights = body or {"halve_per_win": False, "priority": {}}
    return WeightRule(halve_per_win=weights["halve_per_win"], priority=dict(weights["priority"]))


def show_draw(draw: Draw, sessions: Sequence[ActivitySession], tickets: Sequence[Ticket] | None, *, status: str,
              number: int, rule: Sequence[str], digest: str | None) -> dict[str, Any]:
    """The seed is told when it is used, and no earlier."""
    weights = rule_of(draw)
    return {
        "id": draw.id, "reference": draw.reference, "title": draw.title, "facility": draw.facility,
        "sessions": [{"id": s.id, "title": s.title, "title_en": s.title_en, "starts_at": s.starts_at,
                      "ends_at": s.ends_at, "capacity": s.capacity, "status": s.status.value} for s in sessions],
        "entries_close_at": draw.entries_close_at, "status": status, "drawn_at": draw.drawn_at,
        "weights": {"halve_per_win": weights.halve_per_win, "priority": dict(weights.priority)}, "rule": list(rule),
        "number_of_entries": number, "commitment": draw.commitment, "seed": draw.seed if draw.drawn_at else None,
        "entries_digest": digest,
        "entries": None if tickets is None else [
            {"hash": t.entry_hash, "weight": t.weight, "rank": t.rank} for t in tickets],
    }


def status_of(entry: DrawEntry) -> str:
    return {None: "entered", True: "drawn", False: "not_drawn"}[entry.won]


def show_entry(entry: DrawEntry, status: str | None = None) -> dict[str, Any]:
    return {"id": entry.id, "draw_id": entry.draw_id, "reference": entry.reference, "hash": entry.entry_hash,
            "status": status or status_of(entry), "rank": entry.rank,
            "resident_ids": [e.resident_id for e in entry.entrants]}
