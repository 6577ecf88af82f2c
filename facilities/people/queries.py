"""Reads about two records of one person, for administrators alone."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import exists, func, or_, select
from sqlalchemy.orm import joinedload

from facilities.attendance.models import Attendance, AttendanceEvent
from facilities.bookings.models import LIVE, Booking
from facilities.draws.models import Draw, DrawEntrant
from facilities.households.models import Consent, Guardianship, Merge, Resident
from facilities.infra.audit import AuditEntry
from facilities.infra.db import db
from facilities.programmes.models import ActivitySession
from facilities.reservations.models import Reservation

# What is counted of each record in a preview.
COUNTED: dict[str, Any] = {
    "bookings": Booking, "attendances": Attendance, "reservations": Reservation, "draws": DrawEntrant,
    "accounts": Guardianship, "consents": Consent,
}


class Past(NamedTuple):
    """A merge, whose records it joined, and the reason that was given."""

    merge: Merge
    kept: Resident
    gone: Resident
    reason: str


@dataclass(frozen=True, slots=True)
class Scene:
    """A session in which both records have a live booking or an attendance."""

    session_id: int
    title: str
    title_en: str | None
    starts_at: datetime


def pair(kept_id: int, gone_id: int) -> dict[int, Resident]:
    """The two records that are there; whoever was erased is not."""
    rows = db.session.scalars(
        select(Resident).where(Resident.id.in_((kept_id, gone_id)), Resident.erased_at.is_(None))
        .options(joinedload(Resident.identity)).execution_options(populate_existing=True))
    return {row.id: row for row in rows}


def live_merges_of(resident_ids: Collection[int]) -> list[Merge]:
    """Merges that hold, into which one of these went."""
    return list(db.session.scalars(select(Merge).where(Merge.gone_id.in_(resident_ids), Merge.undone_at.is_(None))))


def merge_to_undo(merge_id: int) -> Merge | None:
    return db.session.scalar(
        select(Merge).where(Merge.id == merge_id).with_for_update().execution_options(populate_existing=True))


def is_followed(merge: Merge) -> bool:
    """A later merge into the same record stands on this one: they are undone in the opposite order."""
    return db.session.scalar(
        select(Merge.id).where(Merge.kept_id == merge.kept_id, Merge.id > merge.id, Merge.undone_at.is_(None))
        .limit(1)) is not None


def to_gather(_now: datetime) -> list[int]:
    """Merges whose gone record something came to afterwards."""
    late = (exists().where(model.resident_id == Merge.gone_id) for model in (Booking, Reservation, Guardianship))
    return list(db.session.scalars(
        select(Merge.id).where(Merge.undone_at.is_(None), or_(*late)).order_by(Merge.id)))


def past_merges(limit: int = 50) -> list[Past]:
    """The newest first."""
    merges = list(db.session.scalars(select(Merge).order_by(Merge.id.desc()).limit(limit)))
    ids = {m.kept_id for m in merges} | {m.gone_id for m in merges}
    people = {r.id: r for r in db.session.scalars(select(Resident).where(Resident.id.in_(ids)))}
    reasons = dict(db.session.execute(
        select(AuditEntry.about_id, AuditEntry.facts).where(
            AuditEntry.about_kind == "merge", AuditEntry.verb == "merged",
            AuditEntry.about_id.in_([m.id for m in merges]))).tuples().all())
    return [Past(m, people[m.kept_id], people[m.gone_id], str(reasons.get(m.id, {}).get("reason", "")))
            for m in merges]


def counts(resident_ids: Collection[int]) -> dict[int, dict[str, int]]:
    """Of each record, how many rows of each kind refer to it."""
    found: dict[int, dict[str, int]] = {resident_id: dict.fromkeys(COUNTED, 0) for resident_id in resident_ids}
    for name, model in COUNTED.items():
        rows = db.session.execute(
            select(model.resident_id, func.count()).where(model.resident_id.in_(resident_ids))
            .group_by(model.resident_id))
        for resident_id, number in rows:
            found[resident_id][name] = number
    return found


def live_bookings(resident_ids: Collection[int]) -> list[Booking]:
    return list(db.session.scalars(
        select(Booking).where(Booking.resident_id.in_(resident_ids), Booking.state.in_(LIVE)).order_by(Booking.id)
        .execution_options(populate_existing=True)))


def attended(resident_id: int) -> set[int]:
    """Sessions on whose roll the record stands."""
    return set(db.session.scalars(select(Attendance.session_id).where(Attendance.resident_id == resident_id)))


def scenes(session_ids: Collection[int]) -> list[Scene]:
    rows = db.session.execute(
        select(ActivitySession.id, ActivitySession.title, ActivitySession.title_en, ActivitySession.starts_at)
        .where(ActivitySession.id.in_(session_ids)).order_by(ActivitySession.starts_at, ActivitySession.id))
    return [Scene(*row) for row in rows]


def accounts_of(resident_id: int) -> dict[int, Guardianship]:
    rows = db.session.scalars(
        select(Guardianship).where(Guardianship.resident_id == resident_id).order_by(Guardianship.user_id)
        .execution_options(populate_existing=True))
    return {row.user_id: row for row in rows}


def consents_that_hold(resident_id: int) -> set[tuple[int, str]]:
    """(account, kind) of each."""
    rows = db.session.execute(
        select(Consent.user_id, Consent.kind).where(Consent.resident_id == resident_id, Consent.withdrawn_at.is_(None)))
    return {(user_id, kind.value) for user_id, kind in rows}


def lock_draws(resident_ids: Collection[int]) -> list[Draw]:
    """In which either record is entered, in id order."""
    entered = select(DrawEntrant.draw_id).where(DrawEntrant.resident_id.in_(resident_ids))
    return list(db.session.scalars(
        select(Draw).where(Draw.id.in_(entered)).order_by(Draw.id).with_for_update()
        .execution_options(populate_existing=True)))


def tickets(resident_id: int) -> dict[int, int]:
    """Draw → ticket."""
    rows = db.session.execute(
        select(DrawEntrant.draw_id, DrawEntrant.entry_id).where(DrawEntrant.resident_id == resident_id))
    return dict(rows.tuples().all())


def is_empty(entry_id: int) -> bool:
    return db.session.scalar(select(DrawEntrant.entry_id).where(DrawEntrant.entry_id == entry_id).limit(1)) is None


def logged(record_ids: Collection[int]) -> dict[int, int]:
    """Sessions with entries for one of these records → how many entries the whole log of the session has."""
    theirs = select(AttendanceEvent.session_id).where(AttendanceEvent.resident_id.in_(record_ids))
    rows = db.session.execute(
        select(AttendanceEvent.session_id, func.count()).where(AttendanceEvent.session_id.in_(theirs))
        .group_by(AttendanceEvent.session_id))
    return dict(rows.tuples().all())
