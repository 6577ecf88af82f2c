"""Months that are over, for tests of what anyone may know of them."""

from datetime import UTC, datetime

from facilities.engine.roll_call import Counts, EventKind
from facilities.kernel import clock
from facilities.places.models import Facility
from facilities.programmes.models import Programme
from tests.world import Someone, World


class Summer:
    """What happened in months that are over, entered by an administrator as each session ended."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.facility, self.programme = world.facility(), world.programme()
        self.administrator = world.administrator()

    def held(
        self,
        *,
        women: int = 0,
        children: int = 0,
        men: int = 0,
        elders: int = 0,
        month: int = 8,
        day: int = 12,
        facility: Facility | None = None,
        programme: Programme | None = None,
        named: list[Someone] | None = None,
    ) -> None:
        session = self.world.session(
            facility or self.facility,
            programme or self.programme,
            capacity=99,
            starts_at=datetime(2026, month, day, 2, tzinfo=UTC),
        )
        with clock.frozen(session.ends_at):
            counts = Counts(women=women, children=children, men=men, elders=elders)
            self.world.record(self.administrator, session, EventKind.HEAD_COUNT, counts=counts)
            for someone in named or []:
                self.world.record(self.administrator, session, EventKind.PRESENT, someone.resident_id)
