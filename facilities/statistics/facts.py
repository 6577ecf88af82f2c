"""What happened, read from the rows themselves: the facts of a session, as engine.ledger takes them.

Every attendance is one person-time of a resident; every head count is several without one; every booking whose outcome
is known says who came and who did not, and how long who waited had waited. The same facts make pages, and the lists
behind a figure, so that they cannot disagree.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import ColumnElement, Select, case, func, select

from facilities.attendance.models import Attendance, HeadCount
from facilities.bookings.models import Booking, BookingState
from facilities.engine.eligibility import Sex
from facilities.engine.ledger import FACT, SESSION, Array
from facilities.engine.profiles import COUNTED, codes_of
from facilities.engine.roll_call import AttendanceState
from facilities.households.models import Resident
from facilities.infra.db import db
from facilities.infra.sql import day_number, epoch_minutes, local_day, minutes_between
from facilities.programmes.models import ActivitySession, SessionStatus

GIVEN = (BookingState.CONFIRMED, BookingState.ATTENDED, BookingState.NO_SHOW)

_LENGTH = minutes_between(ActivitySession.starts_at, ActivitySession.ends_at)
_DAY = local_day(ActivitySession.starts_at)


def read(which: Sequence[ColumnElement[bool]]) -> tuple[Array, Array]:
    """Of the sessions that fulfil the conditions: rows of SESSION in the order of ids, rows of FACT.

    Cancelled sessions count for nothing. Four queries, however many sessions.
    """
    s = ActivitySession
    asked = {"id": s.id, "facility": s.facility_id, "programme": s.programme_id, "day": _DAY,
             "starts": epoch_minutes(s.starts_at), "capacity": s.capacity, "places": s.places_taken}
    columns = _columns(select(*asked.values()).where(*_counts(which)).order_by(s.id))
    sessions = np.zeros(len(columns[0]), SESSION)
    for name, values in zip(asked, columns, strict=True):
        sessions[name] = values
    return sessions, np.concatenate([_named(which), *_counted(which), _promised(which)])


def _counts(which: Sequence[ColumnElement[bool]]) -> Sequence[ColumnElement[bool]]:
    return (*which, ActivitySession.status != SessionStatus.CANCELLED)


def _columns(found: Select[Any]) -> list[NDArray[np.int64]]:
    """One array a column; every column is a whole number."""
    rows = db.session.execute(found).all()
    return list(np.array(rows, dtype=np.int64).reshape(len(rows), len(found.selected_columns)).T)


def _person() -> tuple[ColumnElement[Any], ...]:
    return (case((Resident.sex == Sex.FEMALE, 1), else_=0), func.coalesce(day_number(Resident.birth_date), 0),
            func.coalesce(Resident.disability_category, 0), func.coalesce(Resident.disability_grade, 0))


def _named(which: Sequence[ColumnElement[bool]]) -> Array:
    session, resident, minutes, day, *person = _columns(
        select(Attendance.session_id, Attendance.resident_id, func.coalesce(Attendance.minutes, _LENGTH), _DAY,
               *_person())
        .join(ActivitySession, ActivitySession.id == Attendance.session_id)
        .join(Resident, Resident.id == Attendance.resident_id)
        .where(*_counts(which), Attendance.state == AttendanceState.PRESENT))
    facts = _facts(session, resident, day, person)
    facts["times"], facts["minutes"] = 1, minutes
    return facts


def _promised(which: Sequence[ColumnElement[bool]]) -> Array:
    waited = case((Booking.promoted_at.is_(None), -1), else_=minutes_between(Booking.created_at, Booking.promoted_at))
    session, resident, state, waits, day, *person = _columns(
        select(Booking.session_id, Booking.resident_id,
               case((Booking.state == BookingState.ATTENDED, 1), (Booking.state == BookingState.NO_SHOW, 2), else_=0),
               waited, _DAY, *_person())
        .join(ActivitySession, ActivitySession.id == Booking.session_id)
        .join(Resident, Resident.id == Booking.resident_id)
        .where(*_counts(which), ActivitySession.status == SessionStatus.HELD, Booking.state.in_(GIVEN)))
    facts = _facts(session, resident, day, person)
    facts["came"], facts["missed"], facts["waits"] = state == 1, state == 2, waits >= 0
    facts["waited"] = np.maximum(waits, 0)
    return facts[(facts["came"] > 0) | (facts["missed"] > 0) | (facts["waits"] > 0)]


def _facts(session: Array, resident: Array, day: Array, person: Sequence[Array]) -> Array:
    female, born, disability, grade = person
    facts = np.zeros(len(session), FACT)
    facts["session"], facts["resident"] = session, resident
    facts["profile"] = codes_of(female == 1, born, day, disability, grade)
    return facts


def _counted(which: Sequence[ColumnElement[bool]]) -> list[Array]:
    """The groups of a head count in the order of engine.profiles.HEADS."""
    h = HeadCount
    session, length, *groups = _columns(
        select(h.session_id, _LENGTH, h.women, h.children, h.men, h.unnamed_walk_ins, h.elders, h.disabled)
        .join(ActivitySession, ActivitySession.id == h.session_id).where(*_counts(which)))
    found = []
    for number, people in enumerate(groups):
        facts = np.zeros(len(session), FACT)
        facts["session"], facts["profile"] = session, COUNTED + number
        facts["times"], facts["minutes"] = people, people * length
        found.append(facts[people > 0])
    return found


def happened(session_ids: Sequence[int]) -> Sequence[ColumnElement[bool]]:
    return (ActivitySession.id.in_(session_ids),)


