"""What cannot be right is refused with the contract's status and code, and leaves no trace in any table."""

import base64
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cache
from typing import Any
from uuid import uuid4

import pytest
from flask import Flask
from sqlalchemy import Select, func, select
from werkzeug.test import TestResponse

from facilities.attendance.days import make_poster
from facilities.engine.roll_call import EventKind
from facilities.infra.db import Model, db, unit_of_work
from facilities.kernel import clock
from facilities.no_shows import services as no_shows
from tests.client import Caller
from tests.conftest import NOW
from tests.world import PASSWORD, Someone, World

JSON = "application/json"
OVER_ONE_MIB = 1024 * 1024 + 1
TOO_MANY_DIGITS = 10**30


@cache
def _counts() -> Select[Any]:
    tables = Model.metadata.sorted_tables
    return select(*(select(func.count()).select_from(t).scalar_subquery().label(t.name) for t in tables))


def census() -> dict[str, int]:
    """How many rows each table has; one question, for it is asked after every request."""
    db.session.rollback()
    return dict(db.session.execute(_counts()).one()._mapping)


@dataclass
class Here:
    """One of everything, and callers who may do something to it."""

    world: World
    ids: dict[str, str] = field(default_factory=dict)
    callers: dict[str, Caller] = field(default_factory=dict)
    people: dict[str, Someone] = field(default_factory=dict)

    def path(self, template: str) -> str:
        return template.format(**self.ids)

    def body(self, template: dict[str, Any]) -> dict[str, Any]:
        """The template with `{name}` replaced by ids, at any depth."""
        return {key: self._filled(value) for key, value in template.items()}

    def _filled(self, template: object) -> object:
        if isinstance(template, dict):
            return self.body(template)
        if isinstance(template, list):
            return [self._filled(value) for value in template]
        if isinstance(template, str) and template.startswith("{"):
            return self.path(template)
        return template


@pytest.fixture
def here(app: Flask, world: World, monkeypatch: pytest.MonkeyPatch) -> Iterator[Here]:
    monkeypatch.setitem(app.config, "ANSWER_UNEXPECTED", True)  # as in production: a 500 is seen as a 500
    found = Here(world)
    facility, foreign = world.facility(), world.facility()
    space, programme = world.space(facility), world.programme()
    session, foreign_session = world.session(facility, programme), world.session(foreign, programme)
    today = world.session(facility, programme, starts_in=timedelta(minutes=30))
    resident, neighbour, staff = world.resident(), world.resident(), world.manager(facility)
    child = world.member(resident)
    booking = world.book(resident, session, child)
    attended = world.book(resident, today)
    world.record(staff, today, EventKind.PRESENT, resident.resident_id)
    neighbours_booking = world.book(neighbour, session)
    found.people = {
        "resident": resident,
        "neighbour": neighbour,
        "manager": staff,
        "administrator": world.administrator(),
    }
    found.callers = {"nobody": Caller(app), **{name: someone.api for name, someone in found.people.items()}}
    found.ids = {
        name: str(number)
        for name, number in {
            "facility": facility.id,
            "foreign_facility": foreign.id,
            "space": space.id,
            "programme": programme.id,
            "session": session.id,
            "foreign_session": foreign_session.id,
            "today": today.id,
            "self": resident.resident_id,
            "child": child,
            "neighbours_resident": neighbour.resident_id,
            "booking": booking.id,
            "attended": attended.id,
            "neighbours_booking": neighbours_booking.id,
            "staff": staff.user.id,
        }.items()
    }
    found.ids |= {"uuid": str(uuid4()), "another_uuid": str(uuid4())}
    found.ids["poster"] = unit_of_work(lambda: make_poster(staff.actor, facility.id)).code
    administrator = found.people["administrator"]
    with clock.frozen(NOW - timedelta(days=5)):
        unit_of_work(lambda: no_shows.change_rule(administrator.actor, {"is_on": True}))
    for name, days in (("appealed", 4), ("missed", 3)):
        with clock.frozen(NOW - timedelta(days=days)):
            past = world.session(facility, programme, starts_in=timedelta(minutes=30))
            found.ids[name] = str(world.book(resident, past).id)
            world.record(staff, past, EventKind.ABSENT, resident.resident_id)
    unit_of_work(lambda: no_shows.appeal(resident.actor, int(found.ids["appealed"]), "我在场"))
    drawn, to_draw = (world.session(facility, programme, starts_in=timedelta(days=n)) for n in (8, 9))
    wish = {"session_ids": [str(drawn.id)], "title": "书法", "entries_close_at": "2026-09-20T20:00:00+08:00"}
    found.ids["draw"] = staff.api.post("/draws", wish)["id"]
    entry = {"resident_ids": [found.ids["self"]]}
    found.ids["entry"] = resident.api.post(f"/draws/{found.ids['draw']}/entries", entry)["id"]
    found.ids |= {"to_draw": str(to_draw.id), "notice": resident.api.get("/notices")["items"][0]["id"]}
    series = found.body({**SERIES, "space_id": None, "starts_at": "2026-09-21T09:00:00+08:00"})
    found.ids["series"] = staff.api.post("/series", series)["id"]
    for name, someone, day in (("reservation", resident, 23), ("neighbours_reservation", neighbour, 24)):
        wish = {
            "space_id": str(space.id),
            "resident_id": str(someone.resident_id),
            "starts_at": f"2026-09-{day}T09:00:00+08:00",
            "ends_at": f"2026-09-{day}T10:00:00+08:00",
            "purpose": "排练",
        }
        found.ids[name] = someone.api.post("/reservations", wish)["id"]
    yield found
    db.session.rollback()


# -- one endpoint after the other: a body that is accepted, and what each of its fields holds


@dataclass(frozen=True)
class Endpoint:
    caller: str
    method: str
    path: str
    body: dict[str, Any]
    fields: dict[str, str]  # where (dots lead inside, `0` into a list) → what kind of value belongs there
    required: tuple[str, ...] = ()
    status: int = 201


EVENT = {
    "id": "{uuid}",
    "session_id": "{today}",
    "kind": "walk_in",
    "occurred_at": "2026-09-16T10:30:00+08:00",
    "device": "tablet",
}

SERIES = {
    "programme_id": "{programme}",
    "facility_id": "{facility}",
    "space_id": "{space}",
    "title": "书法",
    "rrule": "FREQ=WEEKLY;COUNT=2",
    "starts_at": "2026-11-02T09:00:00+08:00",
    "duration_minutes": 90,
    "capacity": 8,
    "on_rest_days": "skip",
}

ENDPOINTS: dict[str, Endpoint] = {
    "register": Endpoint(
        "nobody",
        "POST",
        "/accounts",
        {
            "phone": "13912345678",
            "password": PASSWORD,
            "name": "李敏",
            "birth_date": "1990-01-31",
            "sex": "female",
            "consent": True,
        },
        {
            "phone": "text 30",
            "password": "secret",
            "name": "text 64",
            "birth_date": "date",
            "sex": "choice",
            "consent": "flag",
        },
        required=("phone", "password", "name", "birth_date", "sex", "consent"),
    ),
    "sign in": Endpoint(
        "nobody",
        "POST",
        "/tokens",
        {"login": "nobody-here", "password": "wrong wrong wrong", "otp": "123456"},
        {"login": "text 64", "password": "secret", "otp": "text 16"},
        required=("login", "password"),
        status=401,
    ),
    "change password": Endpoint(
        "resident",
        "POST",
        "/me/password",
        {"password": PASSWORD, "new_password": "a much better one"},
        {"password": "secret", "new_password": "secret"},
        required=("password", "new_password"),
        status=204,
    ),
    "take one's data along": Endpoint(
        "resident",
        "POST",
        "/me/data",
        {"password": PASSWORD},
        {"password": "secret"},
        required=("password",),
        status=200,
    ),
    "erase an account": Endpoint(
        "neighbour",
        "DELETE",
        "/me",
        {"password": PASSWORD},
        {"password": "secret"},
        required=("password",),
        status=204,
    ),
    "add to household": Endpoint(
        "resident",
        "POST",
        "/residents",
        {"name": "陈思涵", "birth_date": "2019-05-01", "sex": "female", "relation": "child", "phone": "13800001234"},
        {"name": "text 64", "birth_date": "date", "sex": "choice", "relation": "choice", "phone": "text 30"},
        required=("name", "birth_date", "sex", "relation"),
    ),
    "join by invitation": Endpoint(
        "resident",
        "POST",
        "/invitations/accept",
        {"code": "AAAA2222", "relation": "child"},
        {"code": "text 40", "relation": "choice"},
        required=("code", "relation"),
        status=409,
    ),
    "change resident": Endpoint(
        "resident",
        "PATCH",
        "/residents/{child}",
        {"name": "陈思涵"},
        {"name": "text 64", "birth_date": "date", "sex": "choice", "relation": "choice", "phone": "text 30"},
        status=200,
    ),
    "open a facility": Endpoint(
        "administrator",
        "POST",
        "/facilities",
        {
            "kind": "yuxin_home",
            "name": "渝馨家园",
            "name_en": "Yuxin Home",
            "address": "春晖路街道",
            "sub_district_code": "500104005",
            "opening_hours": {"mon": [["09:00", "17:00"]]},
        },
        {
            "kind": "choice",
            "name": "text 80",
            "name_en": "text 120",
            "address": "text 160",
            "sub_district_code": "text 9",
            "opening_hours": "object",
            "opening_hours.mon": "list",
            "opening_hours.mon.0": "list",
            "opening_hours.mon.0.0": "time of day",
        },
        required=("kind", "name", "address", "sub_district_code"),
    ),
    "add a space": Endpoint(
        "administrator",
        "POST",
        "/facilities/{facility}/spaces",
        {"name": "大厅", "kind": "hall", "capacity": 30, "parent_id": "{space}"},
        {"name": "text 80", "kind": "choice", "capacity": "optional count", "parent_id": "optional id"},
        required=("name", "kind"),
    ),
    "add a space with rules": Endpoint(
        "administrator",
        "POST",
        "/facilities/{facility}/spaces",
        {"name": "大厅", "kind": "hall", "reservable": True, "rules": {"min_minutes": 30, "per_resident": 2}},
        {
            "reservable": "flag",
            "rules": "optional object",
            "rules.min_minutes": "optional count",
            "rules.max_minutes": "optional count",
            "rules.grid_minutes": "optional count",
            "rules.notice_minutes": "optional count",
            "rules.days_ahead": "optional count",
            "rules.per_resident": "optional count",
        },
        required=("name", "kind"),
    ),
    "say how it was": Endpoint(
        "resident",
        "PUT",
        "/bookings/{attended}/feedback",
        {"rating": 4, "comment": "老师很耐心"},
        {"rating": "count", "comment": "optional text 500"},
        required=("rating",),
        status=200,
    ),
    "say something to a missed session": Endpoint(
        "resident",
        "POST",
        "/bookings/{missed}/appeal",
        {"words": "我在场"},
        {"words": "text 500"},
        required=("words",),
    ),
    "answer it": Endpoint(
        "manager",
        "POST",
        "/appeals/{appealed}/answer",
        {"answer": "accepted", "reply": "已核实"},
        {"answer": "choice", "reply": "text 500"},
        required=("answer", "reply"),
        status=200,
    ),
    "set the rule about missed sessions": Endpoint(
        "administrator",
        "PUT",
        "/no-show-rule",
        {"is_on": True, "within_days": 60, "warn_at": 1, "pause_at": 4, "pause_days": 14, "exempt_disabled": False},
        {
            "is_on": "flag",
            "within_days": "count",
            "warn_at": "count",
            "pause_at": "count",
            "pause_days": "count",
            "exempt_disabled": "flag",
        },
        status=200,
    ),
    "set a calendar day": Endpoint(
        "administrator",
        "PUT",
        "/calendar/days/2026-10-08",
        {"kind": "rest", "name": "国庆节"},
        {"kind": "choice", "name": "optional text 32"},
        required=("kind",),
        status=200,
    ),
    "add a programme": Endpoint(
        "administrator",
        "POST",
        "/programmes",
        {
            "name": "书法",
            "name_en": "Calligraphy",
            "facility_kind": "yuhao_space",
            "audience": {"min_age": 6, "max_age": 12, "sex": "female"},
        },
        {
            "name": "text 80",
            "name_en": "text 120",
            "facility_kind": "choice",
            "audience": "object",
            "audience.min_age": "optional count",
            "audience.sex": "optional choice",
        },
        required=("name", "facility_kind"),
    ),
    "add staff": Endpoint(
        "administrator",
        "POST",
        "/users",
        {
            "login": "wang.li",
            "password": "twelve or more",
            "display_name": "王丽",
            "grants": [
                {
                    "role": "manager",
                    "scope": {"facility_id": "{facility}"},
                    "starts_at": "2026-10-01T00:00:00+08:00",
                    "ends_at": "2026-11-01T00:00:00+08:00",
                }
            ],
        },
        {
            "login": "text 64",
            "password": "secret",
            "display_name": "text 64",
            "grants": "list",
            "grants.0": "object",
            "grants.0.role": "choice",
            "grants.0.scope": "object",
            "grants.0.scope.facility_id": "id",
            "grants.0.starts_at": "optional instant",
            "grants.0.ends_at": "optional instant",
        },
        required=("login", "password", "display_name", "grants", "grants.0.role"),
    ),
    "change staff": Endpoint(
        "administrator",
        "PATCH",
        "/users/{staff}",
        {"display_name": "王丽"},
        {"disabled": "flag", "display_name": "text 64", "password": "secret", "grants": "list"},
        status=200,
    ),
    "announce a session": Endpoint(
        "manager",
        "POST",
        "/sessions",
        {
            "programme_id": "{programme}",
            "facility_id": "{facility}",
            "space_id": "{space}",
            "title": "竹编",
            "starts_at": "2026-09-20T09:00:00+08:00",
            "ends_at": "2026-09-20T10:30:00+08:00",
            "capacity": 12,
            "booking_opens_at": "2026-09-17T09:00:00+08:00",
            "audience": {"min_age": 6},
        },
        {
            "programme_id": "id",
            "facility_id": "id",
            "space_id": "optional id",
            "title": "text 80",
            "starts_at": "instant",
            "ends_at": "instant",
            "capacity": "count",
            "booking_opens_at": "optional instant",
            "booking_closes_at": "optional instant",
            "cancellation_closes_at": "optional instant",
            "audience": "optional object",
            "audience.max_age": "optional count",
        },
        required=("programme_id", "facility_id", "title", "starts_at", "ends_at", "capacity"),
    ),
    "change a session": Endpoint(
        "manager",
        "PATCH",
        "/sessions/{session}",
        {"title": "竹编"},
        {
            "programme_id": "id",
            "space_id": "optional id",
            "title": "text 80",
            "starts_at": "instant",
            "capacity": "count",
            "booking_closes_at": "optional instant",
        },
        status=200,
    ),
    "cancel a session": Endpoint(
        "manager",
        "POST",
        "/sessions/{session}/cancel",
        {"reason": "停电"},
        {"reason": "text 200"},
        required=("reason",),
        status=200,
    ),
    "announce a series": Endpoint(
        "manager",
        "POST",
        "/series",
        SERIES,
        {
            "programme_id": "id",
            "facility_id": "id",
            "space_id": "optional id",
            "title": "text 80",
            "title_en": "optional text 120",
            "rrule": "text 200",
            "starts_at": "instant",
            "duration_minutes": "count",
            "capacity": "count",
            "on_rest_days": "choice",
            "audience": "optional object",
            "audience.max_age": "optional count",
            "waitlist": "object",
        },
        required=("programme_id", "facility_id", "title", "rrule", "starts_at", "duration_minutes", "capacity"),
    ),
    "look at a series beforehand": Endpoint(
        "manager",
        "POST",
        "/series/preview",
        SERIES,
        {"rrule": "text 200", "starts_at": "instant", "duration_minutes": "count"},
        required=("rrule", "starts_at"),
        status=200,
    ),
    "change a series": Endpoint(
        "manager",
        "PATCH",
        "/series/{series}",
        {"title": "国画"},
        {
            "space_id": "optional id",
            "title": "text 80",
            "details": "optional text 1000",
            "starts_at": "instant",
            "duration_minutes": "count",
            "capacity": "count",
            "audience": "optional object",
        },
        status=200,
    ),
    "call off a series": Endpoint(
        "manager",
        "POST",
        "/series/{series}/cancel",
        {"reason": "停电"},
        {"reason": "text 200"},
        required=("reason",),
        status=200,
    ),
    "take a date out of a series": Endpoint(
        "manager",
        "POST",
        "/series/{series}/remove",
        {"starts_at": "2026-09-21T09:00:00+08:00"},
        {"starts_at": "instant"},
        required=("starts_at",),
        status=200,
    ),
    "look at a closure beforehand": Endpoint(
        "manager",
        "POST",
        "/facilities/{facility}/closures/preview",
        {"space_id": "{space}", "ends_at": "2026-09-18T18:00:00+08:00"},
        {"space_id": "optional id", "starts_at": "optional instant", "ends_at": "instant"},
        required=("ends_at",),
        status=200,
    ),
    "close a period": Endpoint(
        "administrator",
        "POST",
        "/reports",
        {"kind": "month", "first": "2026-08-01", "signed_name": "周敏", "signed_position": "区民生实事办 主任"},
        {"kind": "choice", "first": "date", "signed_name": "text 64", "signed_position": "text 80"},
        required=("kind", "first", "signed_name", "signed_position"),
    ),
    "close a place": Endpoint(
        "manager",
        "POST",
        "/facilities/{facility}/closures",
        {
            "space_id": "{space}",
            "starts_at": "2026-09-18T08:00:00+08:00",
            "ends_at": "2026-09-18T18:00:00+08:00",
            "reason": "装修",
            "moves": {},
        },
        {
            "space_id": "optional id",
            "starts_at": "optional instant",
            "ends_at": "instant",
            "reason": "text 200",
            "moves": "map",
            "moves.9": "id",
            "reservation_moves": "map",
        },
        required=("ends_at", "reason"),
    ),
    "book": Endpoint(
        "resident",
        "POST",
        "/bookings",
        {"session_id": "{session}", "resident_ids": ["{self}"], "if_full": "refuse", "party": "together"},
        {"session_id": "id", "resident_ids": "list", "resident_ids.0": "id", "if_full": "choice", "party": "choice"},
        required=("session_id", "resident_ids"),
    ),
    "reserve": Endpoint(
        "resident",
        "POST",
        "/reservations",
        {
            "space_id": "{space}",
            "resident_id": "{self}",
            "starts_at": "2026-09-20T09:00:00+08:00",
            "ends_at": "2026-09-20T10:30:00+08:00",
            "purpose": "排练",
        },
        {
            "space_id": "id",
            "resident_id": "id",
            "starts_at": "instant",
            "ends_at": "instant",
            "purpose": "text 200",
        },
        required=("space_id", "resident_id", "starts_at", "ends_at", "purpose"),
    ),
    "move a reservation": Endpoint(
        "resident",
        "PATCH",
        "/reservations/{reservation}",
        {"starts_at": "2026-09-21T09:00:00+08:00", "ends_at": "2026-09-21T10:30:00+08:00"},
        {"starts_at": "instant", "ends_at": "instant"},
        status=200,
    ),
    "record attendance": Endpoint(
        "manager",
        "POST",
        "/attendance/events",
        {"events": [EVENT]},
        {
            "events": "list",
            "events.0": "object",
            "events.0.id": "uuid",
            "events.0.session_id": "id",
            "events.0.kind": "choice",
            "events.0.occurred_at": "instant",
            "events.0.device": "optional text 64",
            "events.0.resident_id": "optional id",
            "events.0.reference": "optional text 40",
            "events.0.voids": "optional uuid",
            "events.0.check_in_code": "optional text 200",
            "events.0.late": "flag",
        },
        required=("events", "events.0.id", "events.0.session_id", "events.0.kind", "events.0.occurred_at"),
        status=200,
    ),
    "take an entry back": Endpoint(
        "manager",
        "POST",
        "/attendance/events",
        {"events": [{**EVENT, "kind": "void", "voids": "{uuid}", "id": "{another_uuid}", "reason": "mistake"}]},
        {"events.0.voids": "uuid", "events.0.reason": "optional choice"},
        required=("events.0.voids",),
        status=200,
    ),
    "check in at the door": Endpoint(
        "resident",
        "POST",
        "/bookings/{attended}/check-in",
        {"poster": "{poster}"},
        {"poster": "text 40"},
        required=("poster",),
        status=200,
    ),
    "reopen a day": Endpoint(
        "administrator",
        "POST",
        "/facilities/{facility}/reopened-days",
        {"day": "2026-09-01", "days": 2, "reason": "停电"},
        {"day": "date", "days": "count", "reason": "text 200"},
        required=("day", "reason"),
    ),
    "count heads": Endpoint(
        "manager",
        "POST",
        "/attendance/events",
        {"events": [{**EVENT, "kind": "head_count", "counts": {"women": 3, "children": 2, "men": 1, "elders": 2}}]},
        {"events.0.counts": "object", "events.0.counts.women": "count", "events.0.counts.elders": "count"},
        required=("events.0.counts", "events.0.counts.women", "events.0.counts.men"),
        status=200,
    ),
    "open a draw": Endpoint(
        "manager",
        "POST",
        "/draws",
        {
            "session_ids": ["{to_draw}"],
            "title": "书法",
            "entries_close_at": "2026-09-20T20:00:00+08:00",
            "weights": {"halve_per_win": True, "priority": {"children": 150}},
        },
        {
            "session_ids": "list",
            "session_ids.0": "id",
            "title": "text 80",
            "entries_close_at": "instant",
            "weights": "object",
            "weights.halve_per_win": "flag",
            "weights.priority": "object",
            "weights.priority.children": "count",
        },
        required=("session_ids", "title", "entries_close_at"),
    ),
    "enter a draw": Endpoint(
        "resident",
        "POST",
        "/draws/{draw}/entries",
        {"resident_ids": ["{child}"]},
        {"resident_ids": "list", "resident_ids.0": "id"},
        required=("resident_ids",),
    ),
    "read messages": Endpoint(
        "resident",
        "POST",
        "/notices/read",
        {"ids": ["{notice}"]},
        {"ids": "list", "ids.0": "id", "all": "flag"},
        status=200,
    ),
}

UNPRINTABLE = {"NUL": "a\x00b", "bell": "a\x07b", "escape": "\x1b[2J", "delete": "a\x7fb", "lone surrogate": "a\ud800b"}
NOT_TEXT = {"a number": 7, "true": True, "a list": ["a"], "an object": {"a": 1}}
WRONG: dict[str, dict[str, Any]] = {
    "text": {**NOT_TEXT, **UNPRINTABLE, "null": None, "empty": "", "blanks": " \u3000 "},
    "secret": {**NOT_TEXT, **UNPRINTABLE, "null": None},
    "id": {**NOT_TEXT, "NUL": "1\x00", "lone surrogate": "\ud800", "null": None},
    "choice": {**NOT_TEXT, "unheard of": "purple", "lone surrogate": "\ud800", "null": None},
    "count": {
        "text": "3",
        "true": True,
        "a fraction": 1.5,
        "a float": 3.0,
        "a list": [3],
        "below zero": -1,
        "beyond a database's integers": 2**31,
        "huge": TOO_MANY_DIGITS,
        "null": None,
    },
    "instant": {
        **NOT_TEXT,
        "a day": "2026-09-20",
        "words": "next week",
        "a 13th month": "2026-13-01T09:00:00+08:00",
        "the first instant": "0001-01-01T00:00:00+14:00",
        "the last instant": "9999-12-31T23:59:59-14:00",
        "an offset of a day": "2026-09-20T09:00:00+24:00",
        "NUL": "2026-09-20T09:00:00+08:00\x00",
        "lone surrogate": "2026-09-20T09:00:00\ud800",
        "null": None,
    },
    "date": {
        **NOT_TEXT,
        "30 February": "2026-02-30",
        "words": "yesterday",
        "in the future": "2026-09-17",
        "the first day": "0001-01-01",
        "the last day": "9999-12-31",
        "an instant": "2019-05-01T00:00:00+08:00",
        "lone surrogate": "2019-05-0\ud800",
        "null": None,
    },
    "flag": {"text": "true", "a word": "yes", "one": 1, "zero": 0, "a list": [True], "null": None},
    "list": {"text": "a", "a number": 7, "an object": {"0": 1}, "null": None},
    "map": {"text": "a", "a number": 7, "a list": [["a", 1]], "true": True, "null": None, "no ids": {"a": "b"}},
    "object": {"text": "a", "a number": 7, "a list": [["a", 1]], "true": True, "null": None},
    "uuid": {
        "text": "not-a-uuid",
        "a number": 7,
        "a list": [1],
        "NUL": "\x00",
        "lone surrogate": "\ud800",
        "null": None,
    },
    "time of day": {"a number": 9, "words": "nine", "25 o'clock": "25:00", "NUL": "09:00\x00", "null": None},
}


def wrong_values(kind: str) -> dict[str, Any]:
    """The table's row for a kind like `optional text 80`: null is right where it may be missing."""
    words = kind.removeprefix("optional ").split()
    name, longest = (words[0], int(words[1])) if words[-1].isdigit() else (" ".join(words), None)
    values = dict(WRONG[name])
    if longest is not None:
        values["over-long"] = "9" * (longest + 1)
    if kind.startswith("optional "):
        del values["null"]
    return values


def put(body: dict[str, Any], where: str, value: object) -> dict[str, Any]:
    """A copy of the body with the value at a place; a place inside something that is missing makes it."""
    copy: dict[str, Any] = json.loads(json.dumps(body))
    *way, last = where.split(".")
    inside: Any = copy
    for step in way:
        inside = inside[int(step)] if isinstance(inside, list) else inside.setdefault(step, {})
    inside[int(last) if isinstance(inside, list) else last] = value
    return copy


def take_away(body: dict[str, Any], where: str) -> dict[str, Any]:
    copy: dict[str, Any] = json.loads(json.dumps(body))
    *way, last = where.split(".")
    inside: Any = copy
    for step in way:
        inside = inside[int(step)] if isinstance(inside, list) else inside[step]
    del inside[last]
    return copy


def surprises(
    here: Here,
    answers: dict[str, Callable[[], TestResponse]],
    status: int = 422,
    code: str = "invalid",
) -> dict[str, str]:
    """Which of these requests are answered otherwise, or leave a trace."""
    found = {}
    before = census()
    for name, ask in answers.items():
        response = ask()
        problem = response.get_json(silent=True) or {}
        if (response.status_code, problem.get("code")) != (status, code):
            found[name] = f"{response.status_code} {response.get_data(as_text=True)[:160]}"
        elif status == 422 and not problem.get("fields"):
            found[name] = "no field is named"
        after = census()
        if after != before:
            found[name] = f"{found.get(name, '')} leaves a trace: {set(after.items()) - set(before.items())}"
            before = after
    return found


def sends(here: Here, endpoint: Endpoint, body: dict[str, Any]) -> Callable[[], TestResponse]:
    return lambda: here.callers[endpoint.caller].call(endpoint.method, here.path(endpoint.path), json=here.body(body))


def sends_raw(here: Here, endpoint: Endpoint, data: bytes, content_type: str = JSON) -> Callable[[], TestResponse]:
    return lambda: here.callers[endpoint.caller].call(
        endpoint.method, here.path(endpoint.path), data=data, content_type=content_type
    )


every_endpoint = pytest.mark.parametrize("endpoint", ENDPOINTS.values(), ids=ENDPOINTS)


@every_endpoint
def test_the_body_that_the_bad_ones_are_made_from_is_itself_accepted(here: Here, endpoint: Endpoint) -> None:
    assert sends(here, endpoint, endpoint.body)().status_code == endpoint.status


def a_wrong_value_is_invalid_and_leaves_no_trace(here: Here, endpoint: Endpoint) -> None:
    answers = {
        f"{where}: {name}": sends(here, endpoint, put(endpoint.body, where, value))
        for where, kind in endpoint.fields.items()
        for name, value in wrong_values(kind).items()
    }
    assert surprises(here, answers) == {}


def an_instant_without_an_offset_has_its_own_code(here: Here, endpoint: Endpoint) -> None:
    naive = {
        f"{where}: {text}": sends(here, endpoint, put(endpoint.body, where, text))
        for where, kind in endpoint.fields.items()
        if kind.endswith("instant")
        for text in ("2026-09-20T09:00:00", "2026-09-20T09:00", "2026-09-20T09:00:00.5")
    }
    assert surprises(here, naive, code="naive_datetime") == {}


def a_field_that_is_missing_or_unknown_is_invalid(here: Here, endpoint: Endpoint) -> None:
    answers = {
        f"without {where}": sends(here, endpoint, take_away(endpoint.body, where)) for where in endpoint.required
    }
    answers["with another field"] = sends(here, endpoint, {**endpoint.body, "is_administrator": True})
    answers["with a field of no name"] = sends(here, endpoint, {**endpoint.body, "": 1})
    answers["with a field of half a character"] = sends(here, endpoint, {**endpoint.body, "\ud800": 1})
    answers["with a field named NUL"] = sends(here, endpoint, {**endpoint.body, "\x00": 1})
    for where in (w for w, kind in endpoint.fields.items() if kind.endswith("object") and "opening_hours" not in w):
        answers[f"with another field in {where}"] = sends(here, endpoint, put(endpoint.body, f"{where}.colour", "red"))
    assert surprises(here, answers) == {}


NOT_AN_OBJECT: dict[str, bytes] = {
    "nothing": b"",
    "not JSON": b"{",
    "a form": b"name=x",
    "single quotes": b"{'a': 1}",
    "not UTF-8": b'{"a": "\xff\xfe"}',
    "an array": b"[]",
    "an array of an object": b"[{}]",
    "a number": b"7",
    "null": b"null",
    "true": b"true",
    "text": b'"text"',
    "two objects": b"{} {}",
    "brackets without end": b"[" * 100_000,
    "a number of 5,000 digits": b'{"a": ' + b"1" * 5000 + b"}",
}


def what_is_not_a_json_object_is_invalid(here: Here, endpoint: Endpoint) -> None:
    bodies = dict(NOT_AN_OBJECT)
    if not endpoint.required:
        del bodies["nothing"]  # nothing to change is no mistake
    assert surprises(here, {name: sends_raw(here, endpoint, data) for name, data in bodies.items()}) == {}


def a_body_that_does_not_say_it_is_json_is_not_quietly_left_aside(here: Here, endpoint: Endpoint) -> None:
    data = json.dumps(here.body(endpoint.body)).encode()
    before = census()
    for content_type in ("text/plain", "application/x-www-form-urlencoded", "application/octet-stream"):
        assert sends_raw(here, endpoint, data, content_type)().status_code in (415, 422), content_type
    assert census() == before


def a_body_over_one_mebibyte_is_too_large(here: Here, endpoint: Endpoint) -> None:
    padded = json.dumps({**here.body(endpoint.body), "x": "y" * OVER_ONE_MIB}).encode()
    assert surprises(here, {"padded": sends_raw(here, endpoint, padded)}, 413, "too_large") == {}


@every_endpoint
def test_a_body_that_cannot_be_right_is_refused_and_leaves_no_trace(here: Here, endpoint: Endpoint) -> None:
    """All that can be wrong, one after the other: none of it leaves a trace, so one town does for all."""
    a_wrong_value_is_invalid_and_leaves_no_trace(here, endpoint)
    an_instant_without_an_offset_has_its_own_code(here, endpoint)
    a_field_that_is_missing_or_unknown_is_invalid(here, endpoint)
    what_is_not_a_json_object_is_invalid(here, endpoint)
    a_body_that_does_not_say_it_is_json_is_not_quietly_left_aside(here, endpoint)
    a_body_over_one_mebibyte_is_too_large(here, endpoint)


@pytest.mark.parametrize(
    ("caller", "method", "path"),
    [
        pytest.param("resident", "POST", "/bookings/{booking}/cancel", id="cancel a booking"),
        pytest.param("resident", "DELETE", "/residents/{child}", id="leave the household"),
        pytest.param("resident", "POST", "/residents/{child}/invitations", id="invite somebody"),
        pytest.param("manager", "DELETE", "/sessions/{session}", id="delete a session"),
        pytest.param("resident", "DELETE", "/tokens/current", id="sign out"),
    ],
)
def test_a_body_over_one_mebibyte_is_too_large_where_none_is_needed(
    here: Here, caller: str, method: str, path: str
) -> None:
    before = census()
    here.callers[caller].call(method, here.path(path), data=b"x" * OVER_ONE_MIB, content_type=JSON, status=413)
    assert census() == before


def test_a_body_of_exactly_one_mebibyte_is_read(here: Here) -> None:
    start = json.dumps(here.body(ENDPOINTS["book"].body)).encode()
    here.callers["resident"].call(
        "POST", "/bookings", data=start + b" " * (1024 * 1024 - len(start)), content_type=JSON, status=201
    )


def test_folding_never_makes_a_login_longer_than_it_may_be(here: Here) -> None:
    """One character can become eighteen: U+FDFA."""
    body = put(ENDPOINTS["add staff"].body, "login", "\ufdfa" * 64)
    assert surprises(here, {"unfolds": sends(here, ENDPOINTS["add staff"], body)}) == {}


# -- ids that lead nowhere

NO_IDS = {
    "zero": "0",
    "below zero": "-1",
    "Arabic three": "٣",
    "full-width three": "３",
    "a fraction": "1.5",
    "a word": "abc",
    "a plus": "+1",
    "a blank before": "%201",
    "beyond 64 bits": str(2**63),
    "10^30": str(TOO_MANY_DIGITS),
    "unused": "987654321",
    "hexadecimal": "0x1",
    "an underscore": "1_0",
    "NUL": "%00",
    "NUL behind": "1%00",
    "not UTF-8": "%ff",
}

BY_ID = {
    "a facility": ("nobody", "GET", "/facilities/{id}", None),
    "add a space": ("administrator", "POST", "/facilities/{id}/spaces", {"name": "大厅", "kind": "hall"}),
    "a resident": ("resident", "GET", "/residents/{id}", None),
    "change resident": ("resident", "PATCH", "/residents/{id}", {"name": "陈思涵"}),
    "remove resident": ("resident", "DELETE", "/residents/{id}", None),
    "who acts for a resident": ("resident", "GET", "/residents/{id}/guardians", None),
    "invite somebody": ("resident", "POST", "/residents/{id}/invitations", None),
    "open invitations": ("resident", "GET", "/residents/{id}/invitations", None),
    "withdraw an invitation": ("resident", "DELETE", "/invitations/{id}", None),
    "withdraw consent": ("resident", "DELETE", "/residents/{id}/consents/guardian", None),
    "a session": ("nobody", "GET", "/sessions/{id}", None),
    "change a session": ("manager", "PATCH", "/sessions/{id}", {"title": "竹编"}),
    "cancel a session": ("manager", "POST", "/sessions/{id}/cancel", {"reason": "停电"}),
    "delete a session": ("manager", "DELETE", "/sessions/{id}", None),
    "a series": ("nobody", "GET", "/series/{id}", None),
    "change a series": ("manager", "PATCH", "/series/{id}", {"title": "竹编"}),
    "call off a series": ("manager", "POST", "/series/{id}/cancel", {"reason": "停电"}),
    "take a date out": ("manager", "POST", "/series/{id}/remove", {"starts_at": "2026-09-21T09:00:00+08:00"}),
    "closures": ("nobody", "GET", "/facilities/{id}/closures", None),
    "look at a closure beforehand": (
        "manager",
        "POST",
        "/facilities/{id}/closures/preview",
        {"ends_at": "2026-09-18T18:00:00+08:00"},
    ),
    "close a place": (
        "manager",
        "POST",
        "/facilities/{id}/closures",
        {"ends_at": "2026-09-18T18:00:00+08:00", "reason": "装修"},
    ),
    "open a place again": ("manager", "POST", "/closures/{id}/lift", None),
    "a roster": ("manager", "GET", "/sessions/{id}/roster", None),
    "attendance": ("manager", "GET", "/sessions/{id}/attendance", None),
    "everything entered": ("manager", "GET", "/sessions/{id}/attendance/history", None),
    "reopen a day": (
        "administrator",
        "POST",
        "/facilities/{id}/reopened-days",
        {"day": "2026-09-01", "reason": "停电"},
    ),
    "a booking": ("resident", "GET", "/bookings/{id}", None),
    "a booking's code": ("resident", "GET", "/bookings/{id}/code", None),
    "check in at the door": ("resident", "POST", "/bookings/{id}/check-in", {"poster": "ABCDEFGHJK"}),
    "cancel a booking": ("resident", "POST", "/bookings/{id}/cancel", None),
    "a space's availability": ("nobody", "GET", "/spaces/{id}/availability", None),
    "a reservation": ("resident", "GET", "/reservations/{id}", None),
    "move a reservation": ("resident", "PATCH", "/reservations/{id}", {"starts_at": "2026-09-21T09:00:00+08:00"}),
    "cancel a reservation": ("resident", "POST", "/reservations/{id}/cancel", None),
    "a draw": ("nobody", "GET", "/draws/{id}", None),
    "a draw's script": ("nobody", "GET", "/draws/{id}/recompute.py", None),
    "enter a draw": ("resident", "POST", "/draws/{id}/entries", {"resident_ids": ["1"]}),
    "own tickets": ("resident", "GET", "/draws/{id}/entries", None),
    "withdraw a ticket": ("resident", "POST", "/draws/entries/{id}/withdraw", None),
    "hold a draw": ("manager", "POST", "/draws/{id}/hold", None),
    "change staff": ("administrator", "PATCH", "/users/{id}", {"display_name": "王丽"}),
    "say how it was": ("resident", "PUT", "/bookings/{id}/feedback", {"rating": 4}),
    "what was said": ("resident", "GET", "/bookings/{id}/feedback", None),
    "a report": ("administrator", "GET", "/reports/{id}", None),
    "correct a report": ("administrator", "POST", "/reports/{id}/corrections", None),
    "set a calendar day": ("administrator", "PUT", "/calendar/days/{id}", {"kind": "rest"}),
}


def test_an_id_that_nothing_has_is_not_found(here: Here) -> None:
    def asks(text: str, caller: str, method: str, path: str, body: dict[str, Any] | None) -> Callable[[], TestResponse]:
        return lambda: here.callers[caller].call(method, path.replace("{id}", text), json=body)

    answers = {f"{door}: {name}": asks(text, *where) for door, where in BY_ID.items() for name, text in NO_IDS.items()}
    assert surprises(here, answers, 404, "not_found") == {}


@pytest.mark.parametrize("where", ["session_id", "resident_ids.0"])
def test_an_id_in_a_booking_that_nothing_has_is_not_found(here: Here, where: str) -> None:
    wanted = {name: text for name, text in NO_IDS.items() if "%" not in text}
    answers = {
        name: sends(here, ENDPOINTS["book"], put(ENDPOINTS["book"].body, where, text)) for name, text in wanted.items()
    }
    assert surprises(here, answers, 404, "not_found") == {}


@pytest.mark.parametrize("where", ["space_id", "resident_id"])
def test_an_id_in_a_reservation_that_nothing_has_is_not_found(here: Here, where: str) -> None:
    wanted = {name: text for name, text in NO_IDS.items() if "%" not in text}
    reserve = ENDPOINTS["reserve"]
    answers = {name: sends(here, reserve, put(reserve.body, where, text)) for name, text in wanted.items()}
    assert surprises(here, answers, 404, "not_found") == {}


def test_an_id_in_an_attendance_event_that_nothing_has_is_refused_for_itself(here: Here) -> None:
    for where in ("session_id", "resident_id"):
        for name, text in NO_IDS.items():
            if "%" in text:
                continue
            event = {**here.body(EVENT), "id": str(uuid4()), where: text}
            (result,) = here.callers["manager"].post("/attendance/events", {"events": [event]}, status=200)["results"]
            assert (result["outcome"], result.get("code")) == ("refused", "not_found"), (where, name)


OTHERS: dict[str, tuple[str, str, str, dict[str, Any] | None]] = {
    "see a neighbour": ("resident", "GET", "/residents/{neighbours_resident}", None),
    "rename a neighbour": ("resident", "PATCH", "/residents/{neighbours_resident}", {"name": "x"}),
    "remove a neighbour": ("resident", "DELETE", "/residents/{neighbours_resident}", None),
    "see a neighbour's booking": ("resident", "GET", "/bookings/{neighbours_booking}", None),
    "cancel a neighbour's booking": ("resident", "POST", "/bookings/{neighbours_booking}/cancel", None),
    "book for a neighbour": (
        "resident",
        "POST",
        "/bookings",
        {"session_id": "{session}", "resident_ids": ["{neighbours_resident}"]},
    ),
    "enter for a neighbour": ("resident", "POST", "/draws/{draw}/entries", {"resident_ids": ["{neighbours_resident}"]}),
    "withdraw a neighbour's ticket": ("neighbour", "POST", "/draws/entries/{entry}/withdraw", None),
    "read a neighbour's message": ("neighbour", "POST", "/notices/read", {"ids": ["{notice}"]}),
    "see their reservation": ("resident", "GET", "/reservations/{neighbours_reservation}", None),
    "move theirs": ("resident", "PATCH", "/reservations/{neighbours_reservation}", {"ends_at": "x"}),
    "cancel theirs": ("resident", "POST", "/reservations/{neighbours_reservation}/cancel", None),
    "a manager has closures instead": ("manager", "GET", "/reservations/{reservation}", None),
    "say how it was for them": ("resident", "PUT", "/bookings/{neighbours_booking}/feedback", {"rating": 9}),
    "a manager sees no one's household": ("manager", "GET", "/residents/{self}", None),
    "nor does an administrator": ("administrator", "GET", "/residents/{self}", None),
    "a manager has the roster instead": ("manager", "GET", "/bookings/{booking}", None),
    "an administrator cancels sessions": ("administrator", "POST", "/bookings/{booking}/cancel", None),
}


def test_what_is_other_peoples_is_not_found(here: Here) -> None:
    def asks(caller: str, method: str, path: str, body: dict[str, Any] | None) -> Callable[[], TestResponse]:
        return lambda: here.callers[caller].call(method, here.path(path), json=here.body(body) if body else None)

    assert surprises(here, {name: asks(*wish) for name, wish in OTHERS.items()}, 404, "not_found") == {}


# -- questions in an address


def _cursor(content: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(content).encode()).decode()


BAD_CURSORS = {
    "words": "next",
    "not base64": "%%%",
    "Chinese": "下一页",
    "base64 of nothing": "=",
    "empty list": _cursor([]),
    "a number": _cursor(7),
    "an object": _cursor({"a": 1, "b": 2}),
    "null": _cursor(None),
    "one of two": _cursor(["2026-09-16T02:00:00+00:00"]),
    "without offset": _cursor(["2026-09-16T02:00:00", 1]),
    "the first instant": _cursor(["0001-01-01T00:00:00+14:00", 1]),
    "the last instant": _cursor(["9999-12-31T23:59:59-14:00", 1]),
    "beyond 64 bits": _cursor(["2026-09-16T02:00:00+00:00", 2**63]),
    "10^30": _cursor(["2026-09-16T02:00:00+00:00", TOO_MANY_DIGITS]),
    "infinite": _cursor(["2026-09-16T02:00:00+00:00", float("inf")]),
    "not a number": _cursor(["2026-09-16T02:00:00+00:00", float("nan")]),
    "a list for a number": _cursor(["2026-09-16T02:00:00+00:00", [1]]),
    "brackets without end": base64.urlsafe_b64encode(b"[" * 20_000).decode(),
}
LISTS = {
    "facilities": ("nobody", "/facilities"),
    "sessions": ("nobody", "/sessions"),
    "programmes": ("nobody", "/programmes"),
    "bookings": ("resident", "/bookings"),
    "residents": ("resident", "/residents"),
    "reservations": ("resident", "/reservations"),
    "own tickets": ("resident", "/draws/{draw}/entries"),
    "notices": ("resident", "/notices"),
}


def gets(here: Here, caller: str, path: str, **query: str) -> Callable[[], TestResponse]:
    return lambda: here.callers[caller].call("GET", here.path(path), query_string=query)


def test_a_cursor_that_was_not_given_out_is_invalid(here: Here) -> None:
    asked = {
        f"{what}, {name}": gets(here, *door, cursor=text)
        for what, door in LISTS.items()
        for name, text in BAD_CURSORS.items()
    }
    assert surprises(here, asked) == {}


def test_a_page_has_from_one_to_200_rows(here: Here) -> None:
    wrong = ("0", "-1", "201", "x", "1.5", "1e1", "", "٣", "1_0", "true", str(TOO_MANY_DIGITS), "9" * 5000)
    for caller, path in LISTS.values():
        assert surprises(here, {text: gets(here, caller, path, limit=text) for text in wrong}) == {}
        assert len(here.callers[caller].get(f"{here.path(path)}?limit=1")["items"]) == 1
        assert here.callers[caller].get(f"{here.path(path)}?limit=200")["items"]


YEAR = {"from": "2026-01-01", "to": "2026-12-31"}
QUESTIONS: dict[str, tuple[str, str, dict[str, str]]] = {
    "from words": ("nobody", "/sessions", {"from": "words"}),
    "from 30 February": ("nobody", "/sessions", {"from": "2026-02-30"}),
    "from the first day": ("nobody", "/sessions", {"from": "0001-01-01"}),
    "to the first instant": ("nobody", "/sessions", {"to": "0001-01-01T00:00:00+14:00"}),
    "to the last instant": ("nobody", "/sessions", {"to": "9999-12-31T23:59:59-14:00"}),
    "sessions at no kind of facility": ("nobody", "/sessions", {"kind": "purple"}),
    "perhaps available": ("nobody", "/sessions", {"available": "perhaps"}),
    "NUL in an id": ("nobody", "/sessions", {"facility": "1\x00"}),
    "NUL where nobody looks": ("nobody", "/sessions", {"anything": "a\x00"}),
    "free for an hour in words": ("nobody", "/spaces/free", {"minutes": "an hour"}),
    "free to the last day": ("nobody", "/spaces/free", {"minutes": "60", "to": "9999-12-31"}),
    "free without end": ("nobody", "/spaces/{space}/availability", {"from": "2026-09-17"}),
    "free backwards": ("nobody", "/spaces/{space}/availability", {"from": "2026-09-18", "to": "2026-09-17"}),
    "no kind of facility": ("nobody", "/facilities", {"kind": "purple"}),
    "a search for NUL": ("nobody", "/facilities", {"q": "a\x00b"}),
    "a search for too much": ("nobody", "/facilities", {"q": "x" * 101}),
    "calendar without a period": ("resident", "/calendar/days", {}),
    "calendar to no day": ("resident", "/calendar/days", {"from": "2026-01-01", "to": "x"}),
    "calendar backwards": ("resident", "/calendar/days", {"from": "2026-02-01", "to": "2026-01-01"}),
    "figures from no day": ("manager", "/statistics/beneficiaries", {"to": "2026-01-31"}),
    "figures backwards": ("manager", "/statistics/beneficiaries", {"from": "2026-01-31", "to": "2026-01-01"}),
    "figures from the first day": ("manager", "/statistics/beneficiaries", {"from": "0001-01-01", "to": "2026-01-01"}),
    "figures of no group": ("manager", "/statistics/sessions", {**YEAR, "category": "giants"}),
    "figures of no grade": ("manager", "/statistics/beneficiaries", {**YEAR, "disability_grade": "5"}),
    "figures compared with nothing": ("manager", "/statistics/beneficiaries", {**YEAR, "compare": "later"}),
    "figures to the last day": ("manager", "/statistics/beneficiaries", {"from": "2026-01-01", "to": "9999-12-31"}),
    "figures by height": (
        "manager",
        "/statistics/beneficiaries",
        {"from": "2026-01-01", "to": "2026-01-31", "by": "height"},
    ),
    "open figures of a part of a month": (
        "nobody",
        "/public/statistics/beneficiaries",
        {"from": "2026-01-02", "to": "2026-01-31"},
    ),
    "open figures of a month that is not over": (
        "nobody",
        "/public/statistics/beneficiaries",
        {"from": "2026-09-01", "to": "2026-09-30"},
    ),
    "open figures of all time": (
        "nobody",
        "/public/statistics/beneficiaries",
        {"from": "0001-01-01", "to": "9999-12-31"},
    ),
}


def test_a_question_that_cannot_be_answered_is_invalid(here: Here) -> None:
    asked = {name: gets(here, caller, path, **query) for name, (caller, path, query) in QUESTIONS.items()}
    assert surprises(here, asked) == {}


def test_a_naive_instant_in_an_address_has_its_own_code(here: Here) -> None:
    asks = {name: gets(here, "nobody", "/sessions", **{name: "2026-09-16T10:00:00"}) for name in ("from", "to")}
    assert surprises(here, asks, code="naive_datetime") == {}


def test_a_filter_for_an_id_that_nothing_has_finds_nothing(here: Here) -> None:
    for name in ("facility", "programme"):
        for text in NO_IDS.values():
            if "%" not in text:
                response = here.callers["nobody"].call("GET", "/sessions", query_string={name: text})
                assert (response.status_code, response.get_json().get("items")) == (200, []), (name, text)


# -- what every refusal looks like


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        pytest.param("GET", "/nowhere", 404, "not_found", id="no such address"),
        pytest.param("PUT", "/facilities", 405, "method_not_allowed", id="no such method"),
        pytest.param("GET", "/sessions/1/%00", 404, "not_found", id="NUL in an address"),
    ],
)
def test_the_address_itself_is_answered_for_as_a_problem(
    anyone: Caller, method: str, path: str, status: int, code: str
) -> None:
    problem = anyone.call(method, path, status=status).get_json()
    assert problem["code"] == code


def test_a_problem_names_its_request_and_speaks_the_callers_language(anyone: Caller) -> None:
    answers = {
        language: anyone.call("GET", "/sessions/0", status=404, headers={"Accept-Language": language})
        for language in ("zh-CN", "en")
    }
    details = {language: answer.get_json()["detail"] for language, answer in answers.items()}
    assert details["en"].isascii()
    assert not details["zh-CN"].isascii()
    for answer in answers.values():
        assert answer.get_json()["request_id"] == answer.headers["X-Request-Id"]
        assert answer.headers["X-Request-Id"]


def test_an_unknown_field_is_named_and_so_is_where_it_stands(here: Here) -> None:
    body = here.body({"session_id": "{session}", "resident_ids": ["{self}"], "colour": "red"})
    assert set(here.callers["resident"].post("/bookings", body, status=422)["fields"]) == {"colour"}


def test_a_refused_request_does_not_repeat_what_was_typed(here: Here) -> None:
    """A password that was typed into the wrong field is not sent back, nor kept by whoever logs answers."""
    response = here.callers["nobody"].call(
        "POST", "/tokens", status=422, json={"login": ["hunter2-hunter2"], "password": 5}
    )
    assert "hunter2" not in response.get_data(as_text=True)
