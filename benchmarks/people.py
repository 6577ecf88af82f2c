"""Rows for the app, written at once through its models: residents who can sign in, and what they can book."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta

from sqlalchemy import Connection, insert

import facilities.app  # noqa: F401 - every table there is, so that models find those that they point at
from facilities.accounts.models import SignIn, SignInKind, User
from facilities.accounts.services import fingerprint
from facilities.engine.eligibility import Sex
from facilities.households.models import Guardianship, Relation, Resident
from facilities.kernel import clock
from facilities.places.models import Facility, FacilityKind, Space, SpaceKind
from facilities.programmes.models import ActivitySession, Programme

SUB_DISTRICT = "500104004"  # of the reference data
FIRST = 1_000_000  # ids from here on are chosen by us; the database numbers its own rows from 1


def token_of(person: int) -> str:
    return f"benchmark-token-of-resident-{person:015}"


def add_people(connection: Connection, first: int, count: int) -> None:
    """A user, a token and one resident each, all three with the ids `first` … `first + count - 1`."""
    now = clock.now()
    people = range(first, first + count)
    if not people:
        return
    connection.execute(insert(User), [
        {"id": n, "login": f"b{n}", "display_name": "陈晓梅", "password_hash": "!", "created_at": now} for n in people])
    connection.execute(insert(SignIn), [
        {"user_id": n, "kind": SignInKind.TOKEN, "secret_hash": fingerprint(token_of(n)), "created_at": now,
         "last_seen_at": now, "ends_at": now + timedelta(days=90)} for n in people])
    connection.execute(insert(Resident), [
        {"id": n, "name": "陈晓梅", "sex": Sex.FEMALE, "birth_date": date(1988, 4, 12), "created_at": now}
        for n in people])
    connection.execute(insert(Guardianship), [
        {"user_id": n, "resident_id": n, "relation": Relation.SELF, "consented_at": now} for n in people])


def add_facility(connection: Connection) -> int:
    """Without opening hours: always open."""
    connection.execute(insert(Facility), [
        {"id": FIRST, "kind": FacilityKind.YUHAO_SPACE, "name": "桥口社区“渝好空间”", "address": "茄子溪街道桥口社区",
         "sub_district_code": SUB_DISTRICT}])
    connection.execute(insert(Programme), [
        {"id": FIRST, "name": "好育课堂", "facility_kind": FacilityKind.YUHAO_SPACE}])
    return FIRST


def add_sessions(connection: Connection, facility: int,
                 sessions: Sequence[tuple[int, int, datetime, timedelta]]) -> None:
    """From (id, capacity, start, length)."""
    connection.execute(insert(ActivitySession), [
        {"id": n, "programme_id": FIRST, "facility_id": facility, "title": "非遗竹编", "capacity": capacity,
         "starts_at": starts_at, "ends_at": starts_at + lasts} for n, capacity, starts_at, lasts in sessions])


def add_spaces(connection: Connection, facility: int, spaces: Sequence[tuple[int, int | None]]) -> None:
    """From (id, id of the space around it)."""
    for n, parent in spaces:
        connection.execute(insert(Space), [
            {"id": n, "facility_id": facility, "parent_id": parent, "name": f"活动室{n}", "kind": SpaceKind.ROOM}])
