"""A class that is over, with people who were there."""

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from facilities.engine.roll_call import EventKind
from facilities.feedback import services
from facilities.feedback.models import Feedback
from facilities.infra.db import db, unit_of_work
from facilities.kernel import clock
from facilities.programmes.models import ActivitySession
from tests.conftest import NOW
from tests.world import Someone, World

STARTS = NOW + timedelta(minutes=30)
ENDS = STARTS + timedelta(minutes=90)
LATER = ENDS + timedelta(hours=2)  # when they are asked


@dataclass
class Class:
    world: World
    manager: Someone
    session: ActivitySession
    people: list[Someone] = field(default_factory=list)
    bookings: list[int] = field(default_factory=list)

    @classmethod
    def attended_by(cls, world: World, number: int) -> "Class":
        facility = world.facility()
        session = world.session(facility, starts_in=timedelta(minutes=30), capacity=30)
        found = cls(world, world.manager(facility), session)
        for _ in range(number):
            found.one_more()
        return found

    def one_more(self, kind: EventKind | None = EventKind.PRESENT) -> int:
        """Somebody who booked; the booking's number."""
        someone = self.world.resident()
        self.people.append(someone)
        self.bookings.append(self.world.book(someone, self.session).id)
        if kind is not None:
            self.world.record(self.manager, self.session, kind, someone.resident_id)
        return self.bookings[-1]

    def say(self, number: int, rating: int, words: str | None = None) -> Feedback:
        """The first one says so, or the second …"""
        actor, booking_id = self.people[number].actor, self.bookings[number]
        return unit_of_work(lambda: services.give(actor, booking_id, rating, words))

    def put(self, number: int, status: int = 200, **body: Any) -> Any:
        path = f"/bookings/{self.bookings[number]}/feedback"
        return self.people[number].api.call("PUT", path, json=body, status=status).get_json()

    def said(self) -> list[tuple[int, int, str | None]]:
        db.session.rollback()
        rows = db.session.query(Feedback).order_by(Feedback.booking_id).execution_options(populate_existing=True)
        return [(row.booking_id, row.rating, row.words) for row in rows]

    def summary(self) -> Any:
        db.session.rollback()
        return services.said_of(self.session.id)

    @staticmethod
    def at(moment: Any) -> Any:
        return clock.frozen(moment)
