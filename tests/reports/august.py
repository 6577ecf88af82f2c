"""A month that is over, of which something was held, and the administrator who closes it."""

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any

from sqlalchemy import text

from facilities.engine.eligibility import Sex
from facilities.engine.official_reports import Cell, Number, PeriodKind
from facilities.engine.roll_call import Counts, EventKind
from facilities.infra.db import db, unit_of_work
from facilities.infra.exclusion import never_changed_triggers
from facilities.kernel import clock
from facilities.places.models import Facility
from facilities.programmes.models import ActivitySession
from facilities.reports import contents, services
from facilities.reports.models import OfficialReport, ReportCorrection
from facilities.reports.services import Signer
from tests.world import Someone, World

FIRST = date(2026, 8, 1)
SIGNER = Signer("周敏", "区民生实事办 主任")
JUST_OVER = datetime(2026, 9, 1, 2, tzinfo=UTC)


@dataclass
class August:
    world: World
    administrator: Someone
    facility: Facility
    session: ActivitySession
    people: list[int] = field(default_factory=list)

    @classmethod
    def of(cls, world: World) -> "August":
        """Two facilities, a woman and a boy by name, heads that were counted."""
        administrator, here, there = world.administrator(), world.facility(), world.facility()
        programme = world.programme()
        starts = datetime(2026, 8, 20, 1, tzinfo=UTC)
        with clock.frozen(starts - timedelta(days=1)):
            session = world.session(here, programme, starts_at=starts)
            other = world.session(there, programme, starts_at=starts)
        found = cls(world, administrator, here, session)
        for born, sex in ((date(1990, 1, 1), Sex.FEMALE), (date(2018, 1, 1), Sex.MALE)):
            found.people.append(world.resident(birth_date=born, sex=sex).resident_id)
        found.came(*found.people)
        found.counted(Counts(women=3, children=1, elders=2), session=other)
        return found

    def came(self, *residents: int, session: ActivitySession | None = None) -> None:
        session = session or self.session
        with clock.frozen(session.ends_at):
            for resident_id in residents:
                self.world.record(self.administrator, session, EventKind.WALK_IN, resident_id)

    def counted(self, counts: Counts, *, session: ActivitySession | None = None, device: str = "door") -> None:
        session = session or self.session
        with clock.frozen(session.ends_at):
            self.world.record(self.administrator, session, EventKind.HEAD_COUNT, counts=counts, device=device)

    def close(self, kind: PeriodKind = PeriodKind.MONTH, first: date = FIRST, **more: Any) -> OfficialReport:
        actor = more.pop("actor", self.administrator.actor)
        return unit_of_work(lambda: services.close(actor, kind, first, SIGNER))

    def closed(self) -> OfficialReport:
        """On the first day after."""
        with clock.frozen(JUST_OVER):
            return self.close()

    @staticmethod
    def corrected(report: OfficialReport) -> ReportCorrection | None:
        return unit_of_work(lambda: services.note_correction(report.id))


def today_in_the_ledger(report: OfficialReport) -> dict[Cell, Number]:
    """Cells that are nothing are left out: a row that is gone is one of nothing."""
    return {cell: value for cell, value in contents.cells(contents.count(report.period)).items() if value}


def tamper(*statements: str) -> None:
    """With the triggers out of the way, as somebody who owns the database could."""
    db.session.rollback()
    with db.engine.begin() as connection:
        dialect = connection.dialect.name
        for table in ("official_reports", "report_corrections", "audit_entries"):
            for verb in ("update", "delete"):
                on = f" ON {table}" if dialect == "postgresql" else ""
                connection.execute(text(f"DROP TRIGGER {table}_never_{verb}d{on}"))
        for statement in statements:
            connection.execute(text(statement.replace(":", "\\:")))  # no parameters
        for table in ("official_reports", "report_corrections", "audit_entries"):
            for trigger in never_changed_triggers(table, dialect):
                connection.execute(text(trigger))
