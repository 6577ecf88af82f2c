"""What happened: the log of attendance events, and what it says at present."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Date, ForeignKey, Index, String, Uuid, false
from sqlalchemy.orm import Mapped, mapped_column, relationship

from facilities.engine.roll_call import CAME, OF_SOMEONE, AttendanceState, Counts, Event, EventKind, VoidReason
from facilities.households.models import Resident
from facilities.infra.columns import BigId, UtcDateTime, enum_type
from facilities.infra.db import Model
from facilities.infra.exclusion import check, hold_unchanged
from facilities.places.models import Facility

COUNTS_ADD_UP = ("women >= 0 AND children >= 0 AND men >= 0 AND elders >= 0 AND disabled >= 0 "
                 "AND elders <= women + men AND disabled <= women + children + men")


def _among(kinds: tuple[EventKind, ...]) -> str:
    return f"({', '.join(f'{kind.value!r}' for kind in kinds)})"


class AttendanceEvent(Model):
    """One tick, as a device recorded it. Rows are added and never changed; a mistake is voided by another row."""

    __tablename__ = "attendance_events"
    __table_args__ = (
        Index("ix_attendance_events_session_resident", "session_id", "resident_id"),
        check("(kind = 'void') = (voids IS NOT NULL)", "void_names_what_it_voids"),
        check("(kind = 'head_count') = (women IS NOT NULL)", "head_count_has_counts"),
        check(f"kind NOT IN {_among(OF_SOMEONE)} OR resident_id IS NOT NULL", "state_of_someone"),
        check(f"kind IN {_among(CAME)} OR NOT late", "late_who_came"),
        check("kind = 'void' OR reason IS NULL", "reason_of_a_void"),
        check(f"women IS NULL OR ({COUNTS_ADD_UP})", "counts_add_up", refusal="counts_do_not_add_up"),
    )

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)  # the client's: the same event twice is one row
    session_id: Mapped[int] = mapped_column(ForeignKey("activity_sessions.id"))
    kind: Mapped[EventKind] = mapped_column(enum_type(EventKind, "kind"))
    resident_id: Mapped[int | None] = mapped_column(ForeignKey("residents.id"), index=True)
    voids: Mapped[UUID | None] = mapped_column(Uuid)  # no foreign key: a void may arrive before what it voids
    reason: Mapped[VoidReason | None] = mapped_column(enum_type(VoidReason, "reason"))
    late: Mapped[bool] = mapped_column(default=False, server_default=false())
    women: Mapped[int | None]
    children: Mapped[int | None]
    men: Mapped[int | None]
    elders: Mapped[int | None]
    disabled: Mapped[int | None]
    device: Mapped[str] = mapped_column(String(64))
    occurred_at: Mapped[datetime] = mapped_column(UtcDateTime)
    received_at: Mapped[datetime] = mapped_column(UtcDateTime)
    recorded_by: Mapped[int | None] = mapped_column(ForeignKey("users.id"))

    def as_event(self) -> Event:
        """The engine's view of the row."""
        return Event(self.id, self.kind, self.occurred_at, self.resident_id, self.voids, self.device, counts_of(self),
                     self.late)


def counts_of(row: Any) -> Counts | None:  # noqa: ANN401 - an event, or a row of its columns
    if row.women is None:
        return None
    return Counts(row.women, row.children or 0, row.men or 0, row.elders or 0, row.disabled or 0)


class Attendance(Model):
    """The present state of one resident in one session: a projection of the log, rebuilt with each event."""

    __tablename__ = "attendances"
    __table_args__ = (
        check("state = 'present' OR (NOT late AND minutes IS NULL)", "time_of_who_came"),
        check("minutes >= 0", "minutes_from_zero"),
    )

    session_id: Mapped[int] = mapped_column(ForeignKey("activity_sessions.id"), primary_key=True)
    resident_id: Mapped[int] = mapped_column(ForeignKey("residents.id"), primary_key=True, index=True)
    state: Mapped[AttendanceState] = mapped_column(enum_type(AttendanceState, "state"))
    walk_in: Mapped[bool] = mapped_column(default=False, server_default=false())
    late: Mapped[bool] = mapped_column(default=False, server_default=false())
    minutes: Mapped[int | None]  # spent there, where going was written down; else it is the session's own length
    event_id: Mapped[UUID] = mapped_column(ForeignKey("attendance_events.id"))
    recorded_by: Mapped[int | None] = mapped_column(ForeignKey("users.id"))

    resident: Mapped[Resident] = relationship(lazy="raise")


class HeadCount(Model):
    """People of a session who are not named, all devices added up; walk-ins of whom nothing is known apart."""

    __tablename__ = "head_counts"
    __table_args__ = (check(f"{COUNTS_ADD_UP} AND unnamed_walk_ins >= 0", "counts_add_up"),)

    session_id: Mapped[int] = mapped_column(ForeignKey("activity_sessions.id"), primary_key=True, autoincrement=False)
    women: Mapped[int] = mapped_column(default=0)
    children: Mapped[int] = mapped_column(default=0)
    men: Mapped[int] = mapped_column(default=0)
    elders: Mapped[int] = mapped_column(default=0)
    disabled: Mapped[int] = mapped_column(default=0)
    unnamed_walk_ins: Mapped[int] = mapped_column(default=0)

    @property
    def people(self) -> int:
        return self.women + self.children + self.men + self.unnamed_walk_ins


class AttendanceRule(Model):
    """The district's own rule for entering late, in one row; without it the contract's default holds."""

    __tablename__ = "attendance_rules"
    __table_args__ = (
        check("id = 1", "only_one"),
        check("manager_days BETWEEN 1 AND 365", "manager_days"),
    )

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    manager_days: Mapped[int]  # after a session's end; from then on an administrator enters, or reopens the day
    changed_at: Mapped[datetime] = mapped_column(UtcDateTime)
    changed_by: Mapped[int | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))


class ReopenedDay(Model):
    """A day of a facility for which its managers may enter late, by an administrator's leave and until an instant."""

    __tablename__ = "reopened_days"
    __table_args__ = (
        Index("ix_reopened_days_facility_day", "facility_id", "day"),
        check("reopened_at < until", "reopened_before_it_ends"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    facility_id: Mapped[int] = mapped_column(ForeignKey("facilities.id"))
    day: Mapped[date] = mapped_column(Date)  # the local day on which its sessions start
    until: Mapped[datetime] = mapped_column(UtcDateTime, index=True)
    reason: Mapped[str] = mapped_column(String(200))
    reopened_at: Mapped[datetime] = mapped_column(UtcDateTime)
    reopened_by: Mapped[int | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))

    facility: Mapped[Facility] = relationship(lazy="raise")


class Poster(Model):
    """What hangs at a facility's door: whoever scans it there checks in. A new one makes the one before worthless."""

    __tablename__ = "posters"

    facility_id: Mapped[int] = mapped_column(ForeignKey("facilities.id"), primary_key=True, autoincrement=False)
    code: Mapped[str] = mapped_column(String(16), unique=True)
    made_at: Mapped[datetime] = mapped_column(UtcDateTime)
    made_by: Mapped[int | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))


hold_unchanged(AttendanceEvent.__table__)  # type: ignore[arg-type]
