"""Where: sub-districts, communities, facilities, their spaces and hours, and the working calendar."""

from datetime import date, datetime
from enum import StrEnum
from typing import ClassVar

from sqlalchemy import Date, ForeignKey, ForeignKeyConstraint, Index, String, UniqueConstraint, false, true
from sqlalchemy.dialects.postgresql import ExcludeConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from facilities.engine.opening import SpaceRules
from facilities.engine.working_days import DayKind
from facilities.infra.columns import BigId, UtcDateTime, enum_type
from facilities.infra.db import Model
from facilities.infra.exclusion import check, hold_on_sqlite, never_twice_at_once


class FacilityKind(StrEnum):
    YUHAO_SPACE = "yuhao_space"  # 渝好空间
    YUXIN_HOME = "yuxin_home"  # 渝馨家园
    DOCTOR_STATION = "doctor_station"  # 家庭医生驿站
    PARKING_LOT = "parking_lot"  # 错时共享停车
    CHILDCARE = "childcare"
    SCHOOL = "school"
    PARK = "park"
    TRAINING_CENTRE = "training_centre"
    OTHER = "other"


# Whoever goes there says something about their health by it: what leaves the app does not name the place.
DISCREET_KINDS = frozenset({FacilityKind.YUXIN_HOME, FacilityKind.DOCTOR_STATION})


class SpaceKind(StrEnum):
    ROOM = "room"
    HALL = "hall"
    ZONE = "zone"
    CONSULTING_ROOM = "consulting_room"
    COURT = "court"
    STALL = "stall"
    OTHER = "other"


class AccessFeature(StrEnum):
    STEP_FREE = "step_free"
    ACCESSIBLE_TOILET = "accessible_toilet"
    LIFT = "lift"
    TACTILE_PAVING = "tactile_paving"
    HEARING_LOOP = "hearing_loop"
    WHEELCHAIR_LOAN = "wheelchair_loan"
    NURSING_ROOM = "nursing_room"
    ACCESSIBLE_PARKING = "accessible_parking"


class SubDistrict(Model):
    """街道 or 镇; the code is the statistics bureau's, nine digits."""

    __tablename__ = "sub_districts"

    code: Mapped[str] = mapped_column(String(9), primary_key=True)
    name: Mapped[str] = mapped_column(String(32), unique=True)
    name_en: Mapped[str] = mapped_column(String(64))


class Community(Model):
    __tablename__ = "communities"
    __table_args__ = (Index("uq_communities_sub_district_name", "sub_district_code", "name", unique=True),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    sub_district_code: Mapped[str] = mapped_column(ForeignKey("sub_districts.code"))
    name: Mapped[str] = mapped_column(String(32))
    name_en: Mapped[str | None] = mapped_column(String(64))


class Facility(Model):
    __tablename__ = "facilities"
    __table_args__ = (Index("uq_facilities_name", "name", unique=True, info={"refusal": "name_taken"}),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    kind: Mapped[FacilityKind] = mapped_column(enum_type(FacilityKind, "kind"), index=True)
    name: Mapped[str] = mapped_column(String(80))
    name_en: Mapped[str | None] = mapped_column(String(120))
    address: Mapped[str] = mapped_column(String(160))
    phone: Mapped[str | None] = mapped_column(String(20))
    summary: Mapped[str | None] = mapped_column(String(400))
    summary_en: Mapped[str | None] = mapped_column(String(600))
    sub_district_code: Mapped[str] = mapped_column(ForeignKey("sub_districts.code"), index=True)
    community_id: Mapped[int | None] = mapped_column(ForeignKey("communities.id"), index=True)

    sub_district: Mapped[SubDistrict] = relationship(lazy="raise")
    community: Mapped[Community | None] = relationship(lazy="raise")
    spaces: Mapped[list["Space"]] = relationship(lazy="raise", order_by="Space.id", back_populates="facility")
    hours: Mapped[list["OpeningHours"]] = relationship(
        lazy="raise", order_by="(OpeningHours.weekday, OpeningHours.opens_minute)", cascade="all, delete-orphan")
    access_features: Mapped[list["FacilityAccess"]] = relationship(lazy="raise", cascade="all, delete-orphan")


class OpeningHours(Model):
    """An interval of one weekday (Monday is 0), in minutes after midnight. A facility without any is always open."""

    __tablename__ = "opening_hours"
    __table_args__ = (
        check("weekday BETWEEN 0 AND 6", "weekday"),
        check("0 <= opens_minute AND opens_minute < closes_minute AND closes_minute <= 1440", "opens_before_closing"),
    )

    facility_id: Mapped[int] = mapped_column(ForeignKey("facilities.id", ondelete="CASCADE"), primary_key=True)
    weekday: Mapped[int] = mapped_column(primary_key=True)
    opens_minute: Mapped[int] = mapped_column(primary_key=True)
    closes_minute: Mapped[int]


class FacilityAccess(Model):
    """A feature that makes a facility usable for more people."""

    __tablename__ = "facility_access"

    facility_id: Mapped[int] = mapped_column(ForeignKey("facilities.id", ondelete="CASCADE"), primary_key=True)
    feature: Mapped[AccessFeature] = mapped_column(enum_type(AccessFeature, "feature"), primary_key=True)


class Space(Model):
    """What can be held inside a facility; a space may lie inside another one of the same facility."""

    __tablename__ = "spaces"
    __table_args__ = (
        check("capacity IS NULL OR capacity > 0", "capacity_above_zero"),
        check("parent_id IS NULL OR parent_id <> id", "not_inside_itself"),
        check("min_minutes > 0 AND max_minutes >= coalesce(min_minutes, 1)", "lengths_in_order",
              refusal="lengths_out_of_order"),
        check("grid_minutes > 0 AND notice_minutes >= 0 AND days_ahead >= 0 AND per_resident > 0", "rules_above_zero"),
        Index("uq_spaces_facility_name", "facility_id", "name", unique=True, info={"refusal": "name_taken"}),
        UniqueConstraint("facility_id", "id", name="uq_spaces_facility_id"),
        ForeignKeyConstraint(["facility_id", "parent_id"], ["spaces.facility_id", "spaces.id"],
                             name="fk_spaces_parent_in_the_same_facility"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    facility_id: Mapped[int] = mapped_column(ForeignKey("facilities.id"))
    parent_id: Mapped[int | None] = mapped_column(BigId, index=True)
    name: Mapped[str] = mapped_column(String(80))
    name_en: Mapped[str | None] = mapped_column(String(120))
    kind: Mapped[SpaceKind] = mapped_column(enum_type(SpaceKind, "kind"))
    capacity: Mapped[int | None]
    quantity: Mapped[int] = mapped_column(default=1, server_default="1")
    # what a resident who reserves it must keep to; null: no rule
    reservable: Mapped[bool] = mapped_column(default=True, server_default=true())
    min_minutes: Mapped[int | None]
    max_minutes: Mapped[int | None]
    grid_minutes: Mapped[int | None]  # starts and ends on multiples, counted from midnight
    notice_minutes: Mapped[int | None]
    days_ahead: Mapped[int | None]
    per_resident: Mapped[int | None]  # reservations ahead that one resident may have

    facility: Mapped[Facility] = relationship(lazy="raise", back_populates="spaces")

    @property
    def rules(self) -> SpaceRules:
        return SpaceRules(self.min_minutes, self.max_minutes, self.grid_minutes, self.notice_minutes, self.days_ahead,
                          self.per_resident)


class Occupancy(Model):
    """A leaf space is held for a span, by a session or by a reservation: the same rows, so that they never meet.

    Holding a hall holds each room in it: one row for each leaf. The span is the holder's own (a composite foreign key
    that follows it), so the two can never disagree.
    """

    __tablename__ = "occupancies"
    no_overlap: ClassVar[ExcludeConstraint] = never_twice_at_once(
        "ex_occupancies_space_never_held_twice", "space_id", refusal="space_taken")
    __table_args__ = (
        ForeignKeyConstraint(
            ["session_id", "starts_at", "ends_at"],
            ["activity_sessions.id", "activity_sessions.starts_at", "activity_sessions.ends_at"],
            name="fk_occupancies_session_and_its_span", onupdate="CASCADE", ondelete="CASCADE"),
        ForeignKeyConstraint(
            ["reservation_id", "starts_at", "ends_at"],
            ["reservations.id", "reservations.starts_at", "reservations.ends_at"],
            name="fk_occupancies_reservation_and_its_span", onupdate="CASCADE", ondelete="CASCADE"),
        check("(session_id IS NULL) <> (reservation_id IS NULL)", "one_holder"),
        Index("uq_occupancies_session_space", "session_id", "space_id", unique=True),
        Index("uq_occupancies_reservation_space", "reservation_id", "space_id", unique=True),
        Index("ix_occupancies_space_span", "space_id", "ends_at", "starts_at"),
        no_overlap,
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    space_id: Mapped[int] = mapped_column(ForeignKey("spaces.id"))
    held_space_id: Mapped[int] = mapped_column(ForeignKey("spaces.id"), index=True)  # what was asked for
    session_id: Mapped[int | None] = mapped_column(BigId)
    reservation_id: Mapped[int | None] = mapped_column(BigId)
    starts_at: Mapped[datetime] = mapped_column(UtcDateTime)
    ends_at: Mapped[datetime] = mapped_column(UtcDateTime)


class Closure(Model):
    """A facility, or one space of it with all that lies inside, is closed for a span; `lifted_at` takes it back."""

    __tablename__ = "closures"
    __table_args__ = (
        check("starts_at < ends_at", "starts_before_it_ends", refusal="ends_before_it_starts"),
        ForeignKeyConstraint(["facility_id", "space_id"], ["spaces.facility_id", "spaces.id"],
                             name="fk_closures_space_in_the_facility"),
        Index("ix_closures_facility_span", "facility_id", "ends_at", "starts_at"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    facility_id: Mapped[int] = mapped_column(ForeignKey("facilities.id"))
    space_id: Mapped[int | None] = mapped_column(BigId)
    starts_at: Mapped[datetime] = mapped_column(UtcDateTime)
    ends_at: Mapped[datetime] = mapped_column(UtcDateTime)
    reason: Mapped[str] = mapped_column(String(200))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    created_by: Mapped[int | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))
    lifted_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class CalendarDay(Model):
    """A day of the working calendar; `provisional` until the State Council's notice for its year is known."""

    __tablename__ = "calendar_days"

    date: Mapped[date] = mapped_column(Date, primary_key=True)
    kind: Mapped[DayKind] = mapped_column(enum_type(DayKind, "kind"))
    name: Mapped[str | None] = mapped_column(String(32))
    provisional: Mapped[bool] = mapped_column(server_default=false())
    edited: Mapped[bool] = mapped_column(server_default=false())  # by hand: a refill leaves it alone


hold_on_sqlite(Occupancy.__table__, Occupancy.no_overlap)  # type: ignore[arg-type]
