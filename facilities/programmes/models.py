"""What is on offer: programmes and their activity sessions."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import JSON, ForeignKey, ForeignKeyConstraint, Index, String, UniqueConstraint, false
from sqlalchemy.orm import Mapped, mapped_column, relationship

from facilities.engine.deadlines import BookingWindow
from facilities.engine.eligibility import Audience, Sex
from facilities.engine.limits import Limits
from facilities.engine.on_offer import OnOffer
from facilities.engine.waitlist import WaitlistMode
from facilities.engine.working_days import OnRestDays
from facilities.infra.columns import BigId, UtcDateTime, enum_type
from facilities.infra.db import Model
from facilities.infra.exclusion import check
from facilities.places.models import Facility, FacilityKind, Space


class SessionStatus(StrEnum):
    SCHEDULED = "scheduled"
    CANCELLED = "cancelled"
    HELD = "held"  # with at least one person there; follows the roll, never typed in


class ProviderType(StrEnum):
    """Who gives what is on offer (the article: 第三方服务+企业入驻+公益)."""

    OWN = "own"  # the facility itself
    THIRD_PARTY = "third_party"
    COMPANY = "company"
    PUBLIC_BENEFIT = "public_benefit"


class AudienceColumns:
    """For whom, in whole years on the day; null means anyone."""

    min_age: Mapped[int | None]
    max_age: Mapped[int | None]
    sex: Mapped[Sex | None] = mapped_column(enum_type(Sex, "sex"))
    disability: Mapped[bool] = mapped_column(default=False, server_default=false())
    communities: Mapped[list[str] | None] = mapped_column(JSON(none_as_null=True))

    @property
    def audience(self) -> Audience:
        return Audience(self.min_age, self.max_age, self.sex, self.disability, tuple(self.communities or ()))


AGES_IN_ORDER = "(min_age IS NULL OR min_age >= 0) AND (max_age IS NULL OR max_age >= coalesce(min_age, 0))"


class Programme(AudienceColumns, Model):
    """A service line (服务项目) that sessions belong to; its audience is what a new session starts from."""

    __tablename__ = "programmes"
    __table_args__ = (
        check(AGES_IN_ORDER, "ages_in_order", refusal="ages_out_of_order"),
        check("per_resident_per_week > 0", "per_resident_per_week"),
        check("per_household_per_session > 0", "per_household_per_session"),
        Index("uq_programmes_name", "name", unique=True, info={"refusal": "name_taken"}),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    name: Mapped[str] = mapped_column(String(80))
    name_en: Mapped[str | None] = mapped_column(String(120))
    facility_kind: Mapped[FacilityKind] = mapped_column(enum_type(FacilityKind, "facility_kind"))
    summary: Mapped[str | None] = mapped_column(String(400))
    summary_en: Mapped[str | None] = mapped_column(String(600))
    per_resident_per_week: Mapped[int | None]  # places that one person may hold in a week, Monday to Sunday
    per_household_per_session: Mapped[int | None]
    records_time: Mapped[bool] = mapped_column(default=False, server_default=false())  # in and out, as day care does
    provider_type: Mapped[ProviderType] = mapped_column(
        enum_type(ProviderType, "provider_type"), default=ProviderType.OWN, server_default="own")
    volunteer: Mapped[bool] = mapped_column(default=False, server_default=false())  # by people who are not paid for it

    @property
    def limits(self) -> Limits:
        return Limits(self.per_resident_per_week, self.per_household_per_session)


class Series(AudienceColumns, Model):
    """A repetition (系列): the rule and what its occurrences start from. They are sessions, each with its own life."""

    __tablename__ = "series"
    __table_args__ = (
        check("duration_minutes > 0", "duration_above_zero"),
        check("capacity > 0", "capacity_above_zero"),
        check(AGES_IN_ORDER, "ages_in_order", refusal="ages_out_of_order"),
        ForeignKeyConstraint(["facility_id", "space_id"], ["spaces.facility_id", "spaces.id"],
                             name="fk_series_space_in_the_facility"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    programme_id: Mapped[int] = mapped_column(ForeignKey("programmes.id"))
    facility_id: Mapped[int] = mapped_column(ForeignKey("facilities.id"), index=True)
    space_id: Mapped[int | None] = mapped_column(BigId)
    title: Mapped[str] = mapped_column(String(80))
    title_en: Mapped[str | None] = mapped_column(String(120))
    details: Mapped[str | None] = mapped_column(String(1000))
    rrule: Mapped[str] = mapped_column(String(200))  # RFC 5545, in the district's wall-clock time
    starts_at: Mapped[datetime] = mapped_column(UtcDateTime)
    duration_minutes: Mapped[int]
    capacity: Mapped[int]
    on_rest_days: Mapped[OnRestDays] = mapped_column(enum_type(OnRestDays, "on_rest_days"))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    created_by: Mapped[int | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))


class LeftOutDate(Model):
    """An occurrence of the rule that is not held, and why; it stays out whatever is changed later."""

    __tablename__ = "left_out_dates"

    series_id: Mapped[int] = mapped_column(ForeignKey("series.id", ondelete="CASCADE"), primary_key=True)
    starts_at: Mapped[datetime] = mapped_column(UtcDateTime, primary_key=True)
    code: Mapped[str] = mapped_column(String(40))


class ActivitySession(AudienceColumns, Model):
    """One occurrence (场次). `places_taken` is the counter that bookings go through: the scarce thing itself.

    `waiting` counts the waitlist alike. `version` moves with every change by staff, so that a booking can see in its
    one statement that the rules which it was checked against still stand.
    """

    __tablename__ = "activity_sessions"
    __table_args__ = (
        check("starts_at < ends_at", "starts_before_it_ends", refusal="ends_before_it_starts"),
        check("capacity > 0", "capacity_above_zero"),
        check("places_taken BETWEEN 0 AND capacity", "places_taken_within_capacity", refusal="session_full"),
        check("waiting BETWEEN 0 AND coalesce(waitlist_capacity, waiting)", "waiting_within_waitlist",
              refusal="waitlist_full"),
        check("offer_minutes > 0", "offer_minutes_above_zero"),
        check("(series_id IS NULL) = (occurs_at IS NULL)", "occurrence_of_its_series"),
        Index("uq_activity_sessions_series_occurs_at", "series_id", "occurs_at", unique=True),
        Index("ix_activity_sessions_draw", "draw_id"),
        check(AGES_IN_ORDER, "ages_in_order", refusal="ages_out_of_order"),
        check("(status = 'cancelled') = (cancelled_at IS NOT NULL)", "cancelled_with_its_time"),
        # what bookings and occupancies point at, so that their spans follow the session's
        UniqueConstraint("id", "starts_at", "ends_at", name="uq_activity_sessions_id_span"),
        ForeignKeyConstraint(["facility_id", "space_id"], ["spaces.facility_id", "spaces.id"],
                             name="fk_activity_sessions_space_in_the_facility"),
        Index("ix_activity_sessions_facility_start", "facility_id", "starts_at"),
        Index("ix_activity_sessions_programme_start", "programme_id", "starts_at"),
        Index("ix_activity_sessions_start", "starts_at", "id"),
        # what is due some time after a session: each round of the background looks, and nearly all are long over
        Index("ix_activity_sessions_end", "ends_at"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    programme_id: Mapped[int] = mapped_column(ForeignKey("programmes.id"))
    facility_id: Mapped[int] = mapped_column(ForeignKey("facilities.id"))
    space_id: Mapped[int | None] = mapped_column(BigId, index=True)
    title: Mapped[str] = mapped_column(String(80))
    title_en: Mapped[str | None] = mapped_column(String(120))
    details: Mapped[str | None] = mapped_column(String(1000))
    starts_at: Mapped[datetime] = mapped_column(UtcDateTime)
    ends_at: Mapped[datetime] = mapped_column(UtcDateTime)
    capacity: Mapped[int]
    places_taken: Mapped[int] = mapped_column(default=0, server_default="0")
    status: Mapped[SessionStatus] = mapped_column(enum_type(SessionStatus, "status"), default=SessionStatus.SCHEDULED)
    booking_opens_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    booking_closes_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    cancellation_closes_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    cancelled_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    cancel_reason: Mapped[str | None] = mapped_column(String(200))
    waitlist_mode: Mapped[WaitlistMode] = mapped_column(
        enum_type(WaitlistMode, "waitlist_mode"), default=WaitlistMode.CONFIRM, server_default="confirm")
    waitlist_capacity: Mapped[int | None]
    offer_minutes: Mapped[int | None]
    waiting: Mapped[int] = mapped_column(default=0, server_default="0")
    version: Mapped[int] = mapped_column(default=0, server_default="0")
    series_id: Mapped[int | None] = mapped_column(ForeignKey("series.id"))
    occurs_at: Mapped[datetime | None] = mapped_column(UtcDateTime)  # its place in the series, wherever it was moved
    draw_id: Mapped[int | None] = mapped_column(ForeignKey("draws.id"))
    awaits_draw: Mapped[bool] = mapped_column(default=False, server_default=false())
    feedback_asked_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    created_by: Mapped[int | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))

    programme: Mapped[Programme] = relationship(lazy="raise")
    facility: Mapped[Facility] = relationship(lazy="raise", overlaps="space")
    space: Mapped[Space | None] = relationship(
        lazy="raise", viewonly=True, primaryjoin="foreign(ActivitySession.space_id) == Space.id")

    @property
    def places_left(self) -> int:
        return self.capacity - self.places_taken

    @property
    def is_cancelled(self) -> bool:
        return self.status is SessionStatus.CANCELLED

    @property
    def on_offer(self) -> OnOffer:
        return OnOffer(self.booking_window, self.ends_at, self.audience, self.is_cancelled, self.awaits_draw)

    @property
    def booking_window(self) -> BookingWindow:
        return BookingWindow(self.starts_at, self.booking_opens_at, self.booking_closes_at, self.cancellation_closes_at)
