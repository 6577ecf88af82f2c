"""The projects of 2024 as they were published, and two administrators who work on them."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from sqlalchemy import select

from facilities.engine.projects import Kind, SetBy
from facilities.infra.db import db, unit_of_work
from facilities.projects import services
from facilities.projects.loading import load_projects
from facilities.projects.models import MonthlyReport, ReportedFigure, Subproject, Target
from facilities.projects.services import Details, Entry
from tests.world import Someone, World

JANUARY = date(2024, 1, 1)


@dataclass
class Year:
    world: World
    administrator: Someone
    other: Someone

    @classmethod
    def of(cls, world: World) -> "Year":
        unit_of_work(lambda: load_projects(2024))
        return cls(world, world.administrator(), world.administrator())

    def place(self, code: str) -> int:
        return db.session.scalars(select(Subproject.id).where(Subproject.code == code)).one()

    def named(self, code: str, kind: Kind = Kind.CUMULATIVE, *, figure: str | None = None, **more: Any) -> int:
        """A place that somebody has filled in."""
        number = self.place(code)
        found = db.session.scalar(select(ReportedFigure.id).where(ReportedFigure.code == figure)) if figure else None
        self.change(number, Details(name=f"子项目{code}", kind=kind, unit="个", figure_id=found, **more))
        return number

    def change(self, subproject_id: int, details: Details) -> None:
        unit_of_work(lambda: services.change_subproject(self.administrator.actor, subproject_id, details))

    def target(
        self, subproject_id: int, value: int | str, set_by: SetBy = SetBy.MUNICIPAL, day: date = JANUARY
    ) -> Target:
        actor = self.administrator.actor
        return unit_of_work(lambda: services.set_target(actor, subproject_id, set_by, day, Decimal(value)))

    def report(
        self, subproject_id: int, month: int, value: int | str | None, *, submit: bool = True, **more: Any
    ) -> MonthlyReport:
        number = None if value is None else Decimal(value)
        entry = Entry(number, evidence=more.pop("evidence", "验收单"), **more)
        actor = self.administrator.actor
        return unit_of_work(lambda: services.enter_report(actor, subproject_id, month, entry, submit=submit))

    def lock(self, report: MonthlyReport) -> MonthlyReport:
        return unit_of_work(lambda: services.review(self.other.actor, report.id, lock=True))

    def locked(self, subproject_id: int, month: int, value: int | str | None, **more: Any) -> MonthlyReport:
        return self.lock(self.report(subproject_id, month, value, **more))
