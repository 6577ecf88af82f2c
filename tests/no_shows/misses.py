"""Somebody who books and does not come, and a district that has a rule about it."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select

from facilities.bookings.models import Booking, BookingPause
from facilities.engine.roll_call import EventKind
from facilities.infra.db import db, unit_of_work
from facilities.infra.outbox import Notice
from facilities.kernel import clock
from facilities.no_shows import queries, services
from facilities.no_shows.models import Ground, NoShowTold
from facilities.places.models import Facility
from facilities.programmes.models import ActivitySession, Programme
from tests.conftest import NOW
from tests.world import Someone, World

DAY = timedelta(days=1)
KINDS = ("no_show_warned", "no_show_paused", "no_show_pause_lifted", "appeal_answered")


@dataclass
class District:
    world: World
    facility: Facility
    programme: Programme
    manager: Someone
    administrator: Someone
    someone: Someone

    @classmethod
    def of(cls, world: World) -> "District":
        facility = world.facility()
        return cls(world, facility, world.programme(), world.manager(facility), world.administrator(), world.resident())

    def rule(self, at: datetime = NOW - 300 * DAY, **changes: Any) -> None:
        """Switched on long ago, unless something else is said."""
        with clock.frozen(at):
            actor = self.administrator.actor
            unit_of_work(lambda: services.change_rule(actor, {"is_on": True, **changes}))

    def switch_off(self) -> None:
        actor = self.administrator.actor
        unit_of_work(lambda: services.change_rule(actor, {"is_on": False}))

    def session(self, days_ago: float, programme: Programme | None = None) -> ActivitySession:
        with clock.frozen(NOW - timedelta(days=days_ago) - timedelta(hours=1)):
            return self.world.session(self.facility, programme or self.programme, starts_in=timedelta(hours=1))

    def miss(
        self,
        days_ago: float,
        whom: Someone | None = None,
        resident_id: int | None = None,
        programme: Programme | None = None,
        kind: EventKind = EventKind.ABSENT,
    ) -> int:
        """The booking's number."""
        session, whom = self.session(days_ago, programme), whom or self.someone
        resident_id = resident_id or whom.resident_id
        with clock.frozen(session.starts_at - timedelta(minutes=5)):
            booking = self.world.book(whom, session, resident_id)
            self.world.record(self.manager, session, kind, resident_id)
        return booking.id

    def miss_three(self, whom: Someone | None = None, earlier: float = 0) -> list[int]:
        """One after the other: of the second, whoever it is has been reminded when the third comes."""
        missed = [self.miss(days + earlier, whom) for days in (16, 9)]
        follow()
        return [*missed, self.miss(3 + earlier, whom)]

    def tick(self, booking_id: int, kind: EventKind) -> None:
        """Of another tablet that was offline: it arrives now."""
        booking = db.session.get_one(Booking, booking_id)
        session = db.session.get_one(ActivitySession, booking.session_id)
        late = session.starts_at + timedelta(minutes=30)
        self.world.record(self.manager, session, kind, booking.resident_id, occurred_at=late)

    def exempt(self, ground: Ground = Ground.ILLNESS, days_ago: int = 60, whom: Someone | None = None) -> int:
        actor, resident = self.administrator.actor, whom or self.someone
        self.administrator.api.post("/desk/residents/find", {"phone": resident.login}, status=200)
        day = clock.local_date(NOW) - timedelta(days=days_ago)
        return unit_of_work(lambda: services.exempt(actor, resident.resident_id, ground, day, None)).id


def follow() -> list[int]:
    """As the background does: what is due, each a unit of its own."""
    due = unit_of_work(lambda: queries.to_follow(clock.now()))
    for number in due:
        unit_of_work(lambda number=number: services.follow(number))
    return due


def said(kind: str | None = None) -> list[tuple[str, int]]:
    """What anybody was told, and about which booking, in order."""
    db.session.rollback()
    rows = db.session.execute(select(Notice.kind, Notice.about_id).where(Notice.kind.in_(KINDS)).order_by(Notice.id))
    return [(said, number) for said, number in rows if kind in (None, said)]


def settled() -> dict[int, str]:
    db.session.rollback()
    return {number: what.value for number, what in db.session.execute(select(NoShowTold.booking_id, NoShowTold.what))}


def pauses() -> list[tuple[int, bool]]:
    """(Booking, whether it is in force)."""
    db.session.rollback()
    rows = db.session.scalars(select(BookingPause).order_by(BookingPause.id).execution_options(populate_existing=True))
    return [(row.booking_id, row.lifted_at is None and row.until > clock.now()) for row in rows]
