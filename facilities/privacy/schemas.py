"""The shape of what is held about somebody, as it is downloaded."""

from datetime import date, datetime, time
from enum import StrEnum
from typing import Any

from marshmallow import fields

from facilities.kernel import clock
from facilities.privacy.queries import Look
from facilities.privacy.services import Held
from facilities.web.schemas import BaseSchema, Id, Instant, Secret


class Password(BaseSchema):
    password = Secret(required=True)


class LookOut(BaseSchema):
    at = Instant()
    who = fields.String(allow_none=True)
    facilities = fields.List(fields.String())
    verb = fields.String()
    about_kind = fields.String()
    about_id = Id()
    session = fields.String(allow_none=True)
    ground = fields.String(allow_none=True)


class HeldOut(BaseSchema):
    """`data`: table → rows with the columns that docs/privacy.md lists; `looked_at`: who looked at the records."""

    made_at = Instant()
    data = fields.Dict(keys=fields.String(), values=fields.List(fields.Dict()))
    looked_at = fields.List(fields.Nested(LookOut))


def show_held(held: Held) -> dict[str, Any]:
    tables = {name: [{**{field: _plain(value) for field, value in row.items()}, **_names(held, row)} for row in rows]
              for name, rows in held.tables.items()}
    return {"made_at": held.made_at, "data": tables, "looked_at": [show_look(look) for look in held.looks]}


def _plain(value: object) -> object:
    """As JSON has it: instants in the district's time, numbers of rows as text."""
    if isinstance(value, datetime):
        return clock.local(value).isoformat()
    if isinstance(value, date | time):
        return value.isoformat()
    if isinstance(value, StrEnum):
        return value.value
    return value


def _names(held: Held, row: dict[str, Any]) -> dict[str, str]:
    """What the row's numbers stand for, as it is called in Chinese."""
    named = {"session": held.names.sessions.get(row.get("session_id", 0)),
             "facility": held.names.facilities.get(row.get("facility_id", 0)),
             "space": held.names.spaces.get(row.get("space_id", 0))}
    return {field: names[0] for field, names in named.items() if names}


def show_look(look: Look) -> dict[str, Any]:
    ground = look.entry.facts.get("ground")
    return {"at": look.entry.at, "who": look.who or None, "facilities": [f.name for f in look.facilities],
            "verb": look.entry.verb, "about_kind": look.entry.about_kind, "about_id": look.entry.about_id,
            "session": look.session.title if look.session else None, "ground": str(ground) if ground else None}
