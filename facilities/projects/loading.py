"""A year's projects as they were published, out of a file beside this one.

Found again by year and code: loading twice changes nothing, and nothing that somebody entered since is written over.
"""

import tomllib
from collections.abc import Iterator, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

from sqlalchemy import select

from facilities.engine.projects import Qualifier, Thresholds
from facilities.infra.db import db
from facilities.projects.models import Project, ProjectYear, ReportedFigure, Source, Subproject

FOLDER = Path(__file__).parent


def published_years() -> list[int]:
    return sorted(int(path.stem) for path in FOLDER.glob("[0-9]*.toml"))


def load_projects(year: int) -> tuple[int, int, int]:
    """Inside a unit of work: how many projects, subprojects and figures were added."""
    plan = tomllib.loads((FOLDER / f"{year}.toml").read_text(encoding="utf-8"))
    if db.session.get(ProjectYear, year) is None:
        first = Thresholds()
        db.session.add(ProjectYear(year=year, quote=plan["quote"], source=plan["source"],
                                   yellow_points=first.yellow, red_points=first.red))
        db.session.flush()
    projects, subprojects = _places(plan)
    return projects, subprojects, _figures(plan)


def _places(plan: Mapping[str, Any]) -> tuple[int, int]:
    known = {p.code: p for p in db.session.scalars(select(Project).where(Project.year == plan["year"]))}
    filled = set(db.session.execute(select(Subproject.project_id, Subproject.code)).tuples())
    projects = subprojects = 0
    for row in plan["places"]:
        for code, its_codes in _numbered(row["letter"], row["projects"], row["subprojects"]):
            project = known.get(code)
            if project is None:
                project = Project(year=plan["year"], code=code, source=Source(row["source"]))
                db.session.add(project)
                db.session.flush()
                projects += 1
            missing = [its_code for its_code in its_codes if (project.id, its_code) not in filled]
            db.session.add_all(Subproject(project_id=project.id, code=its_code) for its_code in missing)
            subprojects += len(missing)
    db.session.flush()
    return projects, subprojects


def _numbered(letter: str, projects: int, subprojects: int) -> Iterator[tuple[str, list[str]]]:
    """Places for as many as were published, spread evenly: how they divide was not published."""
    each, more = divmod(subprojects, projects)
    for number in range(1, projects + 1):
        code = f"{letter}{number:02}"
        yield code, [f"{code}-{place:02}" for place in range(1, each + (number <= more) + 1)]


def _figures(plan: Mapping[str, Any]) -> int:
    known = set(db.session.scalars(select(ReportedFigure.code).where(ReportedFigure.year == plan["year"])))
    new = [row for row in plan["figure"] if row["code"] not in known]
    db.session.add_all(ReportedFigure(
        year=plan["year"], code=row["code"], heading=row["heading"], name=row["name"], unit=row.get("unit"),
        as_printed=row["as_printed"], number=Decimal(row["number"]) if "number" in row else None,
        qualifier=Qualifier(row["qualifier"]) if "qualifier" in row else None, quote=row["quote"],
        source=plan["source"], confirmed=row.get("confirmed", True), note=row.get("note"),
        measure=row.get("measure")) for row in new)
    db.session.flush()
    return len(new)
