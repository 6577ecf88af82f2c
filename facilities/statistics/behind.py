"""What is behind a figure: the sessions that it counts, and of a session everybody who counts in it."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

import numpy as np
from sqlalchemy import select
from sqlalchemy.orm import joinedload

from facilities.accounts.models import User
from facilities.attendance.models import Attendance, AttendanceEvent
from facilities.engine.beneficiaries import SPLITTING
from facilities.engine.ledger import BITS, SESSION, Array
from facilities.engine.profiles import COUNTED, HEADS, Profile
from facilities.engine.profiles import read as read_profile
from facilities.infra.db import db
from facilities.programmes.models import ActivitySession
from facilities.statistics import facts
from facilities.statistics.dimensions import Scope, who_counts
from facilities.statistics.queries import Ledger, Start, start_of
from facilities.statistics.rows import Figures


@dataclass(frozen=True, slots=True)
class Counted:
    """A session, and what it adds to the figure."""

    session: ActivitySession
    figures: Figures


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who counts, and the entry that says so. `number`: the resident's."""

    number: int
    name: str
    profile: Profile
    minutes: int
    event_id: UUID
    recorded_by: str | None


@dataclass(frozen=True, slots=True)
class Group:
    """People without a name who count."""

    profile: Profile
    of: str
    number: int


def session_ids(scope: Scope, at: Start | None = None) -> list[int]:
    """Those that the figure counts, the latest first; only those that start then, where that is asked."""
    who, opened = who_counts(scope, scope.group), Ledger(scope).opened()
    found: list[tuple[int, int]] = []
    for packed_bits, packed_sessions in zip(opened.rows.bits, opened.rows.sessions, strict=True):
        bits, rows = np.frombuffer(packed_bits, BITS), np.frombuffer(packed_sessions, SESSION)
        held = np.bitwise_or.reduce(bits["held"][who[bits["profile"]]], initial=np.uint64(0))
        counts = (held >> np.arange(len(rows), dtype=np.uint64)) & np.uint64(1) == 1
        found += rows[counts][["starts", "id"]].tolist()
    there = np.unique(opened.place[who[opened.facts["profile"]] & (opened.facts["times"] > 0)])
    found += opened.sessions[there][["starts", "id"]].tolist()
    return [number for minutes, number in sorted(found, reverse=True) if at is None or start_of(minutes) == at]


def sessions(scope: Scope, ids: Sequence[int]) -> list[Counted]:
    """These sessions in this order, each with what it adds."""
    rows, happened = facts.read(facts.happened(ids))
    who = who_counts(scope, scope.group)
    happened = happened[who[happened["profile"]]]
    loaded = {s.id: s for s in db.session.scalars(
        select(ActivitySession).where(ActivitySession.id.in_(ids))
        .options(joinedload(ActivitySession.facility), joinedload(ActivitySession.programme)))}
    known = {int(row["id"]): row for row in rows}
    return [Counted(loaded[i], _figures(known[i], happened[happened["session"] == i], scope))
            for i in ids if i in known]


def _figures(session: np.void, happened: Array, scope: Scope) -> Figures:
    there, named = happened["times"] > 0, happened["resident"] > 0
    came, missed = int(happened["came"].sum()), int(happened["missed"].sum())
    waits = int(happened["waits"].sum())
    return Figures(
        int(there.any()), int(happened["times"].sum()), int((there & named).sum()),
        int(happened["times"][~named].sum()), round(int(happened["minutes"].sum()) / 60, 1),
        None if scope.of_people else round(int(session["places"]) / int(session["capacity"]), 4),
        round(missed / (came + missed), 4) if came + missed else None,
        round(int(happened["waited"].sum()) / waits / 60, 1) if waits else None)


def everybody(scope: Scope, session_id: int) -> tuple[list[Person], list[Group]]:
    """Of one session: who counts by name, in the order of their numbers, and how many more without."""
    _, happened = facts.read(facts.happened([session_id]))
    who = who_counts(scope, scope.group)
    happened = happened[who[happened["profile"]] & (happened["times"] > 0)]
    entries = {row.resident_id: (row, by) for row, by in db.session.execute(
        select(Attendance, User.display_name)
        .join(AttendanceEvent, AttendanceEvent.id == Attendance.event_id)
        .outerjoin(User, User.id == AttendanceEvent.recorded_by)
        .where(Attendance.session_id == session_id).options(joinedload(Attendance.resident)))}
    people, groups = [], []
    for fact in np.sort(happened, order=["resident", "profile"]):
        profile, number = read_profile(int(fact["profile"])), int(fact["resident"])
        if number == 0:
            groups.append(Group(profile, HEADS[int(fact["profile"]) - COUNTED].value, int(fact["times"])))
            continue
        row, by = entries[number]
        people.append(Person(number, row.resident.name, profile, int(fact["minutes"]), row.event_id, by))
    return people, sorted(groups, key=lambda group: group.of not in [c.value for c in SPLITTING])
