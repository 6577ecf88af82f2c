"""What the ledger keeps so that it need not count again: pages, and which of them no longer say what is so.

Triggers on the tables that figures are counted from mark a page as stale in the transaction that changes it, whichever
way the change comes. Until a page is made anew, its sessions are counted from their rows: figures are never behind.

And what is published for anyone: a period that is over, and what may be said of it (decision 16). Nothing that is
hidden is in there, and public answers are made of these rows alone, so that what was once said of a month stays said
until the month as a whole is published anew.
"""

from datetime import datetime

from sqlalchemy import Connection, ForeignKey, LargeBinary, String, event
from sqlalchemy.orm import Mapped, mapped_column

from facilities.attendance.models import Attendance, HeadCount
from facilities.bookings.models import Booking
from facilities.engine.suppression import THRESHOLD
from facilities.households.models import Resident
from facilities.infra.columns import BigId, UtcDateTime
from facilities.infra.db import Model
from facilities.infra.exclusion import check
from facilities.programmes.models import ActivitySession


def _dekad(day: str) -> str:
    """engine.spans.dekad_of, in words that both databases know."""
    return f"{day} / 100 * 10 + CASE WHEN {day} % 100 > 20 THEN 3 ELSE ({day} % 100 + 9) / 10 END"


class LedgerPage(Model):
    """A page: up to 64 sessions of a programme at a facility in a month (202409), packed as engine.ledger says.

    Or a sheet, which gathers pages: facility 0 or programme 0 stands for all of them, other periods (engine.spans) for
    a day, a dekad, a quarter or a year. `part`: 0 where a page is the only one of its key, else from 1.
    """

    __tablename__ = "ledger_pages"
    __table_args__ = (
        check("first_day <= last_day AND (first_day / 100 = period AND last_day / 100 = period OR "
              "first_day / 10000 = period AND last_day / 10000 = period OR "
              f"{_dekad('first_day')} = period AND {_dekad('last_day')} = period OR "
              "first_day / 10000 * 10 + (first_day / 100 % 100 + 2) / 3 = period AND "
              "last_day / 10000 * 10 + (last_day / 100 % 100 + 2) / 3 = period OR "
              "first_day = period AND last_day = period)", "days_of_the_period"),
        check("part >= 0", "part_from_zero"),
    )

    period: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    facility_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    programme_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    part: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    first_day: Mapped[int]  # 20240903
    last_day: Mapped[int]
    disabled_cells: Mapped[int]  # so many come first
    disabled_bits: Mapped[int]
    disabled_people: Mapped[int]
    sessions: Mapped[bytes] = mapped_column(LargeBinary)
    facts: Mapped[bytes] = mapped_column(LargeBinary)
    cells: Mapped[bytes] = mapped_column(LargeBinary)
    bits: Mapped[bytes] = mapped_column(LargeBinary)
    people: Mapped[bytes] = mapped_column(LargeBinary)
    runs: Mapped[bytes] = mapped_column(LargeBinary)
    counts: Mapped[bytes] = mapped_column(LargeBinary)


class StalePage(Model):
    """A mark: something that the page is counted from has changed. As many as there are changes: nobody waits here."""

    __tablename__ = "stale_pages"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    month: Mapped[int]
    facility_id: Mapped[int]  # no foreign key: a mark outlives nothing, and costs a writer nothing
    programme_id: Mapped[int]


class StaleSheets(Model):
    """A month, a quarter or a year whose pages have changed since its sheets were gathered; a month's days with it."""

    __tablename__ = "stale_sheets"

    period: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)


class OpenPeriod(Model):
    """A month (`2026-08`), or a calendar year (`2026`), whose distinct persons are not the sum of its months'.

    `fingerprint`: of the true figures that it was made of, so that a correction is noticed.
    """

    __tablename__ = "open_periods"

    name: Mapped[str] = mapped_column(String(7), primary_key=True)
    fingerprint: Mapped[str] = mapped_column(String(64))
    published_at: Mapped[datetime] = mapped_column(UtcDateTime)


class OpenFigures(Model):
    """One row of a period's figures, of all that it can be divided by. A measure without a value is hidden.

    `split_by`: the dimensions that it is divided by, in the order of `open_data.SPLITS`; the others are empty.
    """

    __tablename__ = "open_figures"
    __table_args__ = (
        check(f"person_times >= {THRESHOLD}", "no_small_person_times"),
        check(f"persons = 0 OR persons >= {THRESHOLD}", "no_small_persons"),
        check(f"unidentified_person_times = 0 OR unidentified_person_times >= {THRESHOLD}", "no_small_unidentified"),
        check(f"person_times = unidentified_person_times OR person_times - unidentified_person_times >= {THRESHOLD}",
              "no_small_rest"),
        check("sessions_held > 0", "sessions_held"),
        check("person_times IS NOT NULL OR (sessions_held IS NULL AND unidentified_person_times IS NULL)",
              "hidden_with_person_times"),
        check("unidentified_person_times IS NOT NULL OR persons IS NULL", "persons_with_unidentified"),
    )

    split_by: Mapped[str] = mapped_column(String(60), primary_key=True)
    period: Mapped[str] = mapped_column(ForeignKey("open_periods.name"), primary_key=True, index=True)
    sub_district: Mapped[str] = mapped_column(String(20), primary_key=True)
    facility: Mapped[str] = mapped_column(String(20), primary_key=True)
    programme: Mapped[str] = mapped_column(String(20), primary_key=True)
    category: Mapped[str] = mapped_column(String(20), primary_key=True)
    sex: Mapped[str] = mapped_column(String(20), primary_key=True)
    age_band: Mapped[str] = mapped_column(String(20), primary_key=True)
    sessions_held: Mapped[int | None]
    person_times: Mapped[int | None]
    persons: Mapped[int | None]
    unidentified_person_times: Mapped[int | None]


MONTH = {
    "postgresql": "CAST(to_char({0}starts_at AT TIME ZONE 'Asia/Shanghai', 'YYYYMM') AS integer)",
    "sqlite": "CAST(strftime('%Y%m', {0}starts_at, '+8 hours') AS INTEGER)",
}
MARK = "INSERT INTO stale_pages (month, facility_id, programme_id) "
CHANGES_A_SESSION = ("facility_id", "programme_id", "starts_at", "ends_at", "capacity", "status")
CHANGES_A_PERSON = ("sex", "birth_date", "disability_category", "disability_grade")


def _marks(dialect: str) -> dict[str, list[tuple[str, str, str, str]]]:
    """By table: (what it is called, on what it fires, when, what it does) of each trigger."""
    month = MONTH[dialect]

    def of(session_id: str, only: str = "") -> str:
        return (f"{MARK}SELECT {month.format('s.')}, s.facility_id, s.programme_id "
                f"FROM activity_sessions AS s WHERE s.id = {session_id}{only}")

    def itself(row: str) -> str:
        return f"{MARK}VALUES ({month.format(f'{row}.')}, {row}.facility_id, {row}.programme_id)"

    of_a_roll = [("entered", "INSERT", "", of("NEW.session_id")), ("changed", "UPDATE", "", of("NEW.session_id")),
                 ("removed", "DELETE", "", of("OLD.session_id"))]
    its_sessions = ("s.id IN (SELECT session_id FROM attendances WHERE resident_id = NEW.id UNION "
                    "SELECT session_id FROM bookings WHERE resident_id = NEW.id)")
    return {
        "attendances": of_a_roll,
        "head_counts": of_a_roll,
        "bookings": [
            ("entered", "INSERT", "NEW.state IN ('attended', 'no_show')", of("NEW.session_id")),
            ("changed", "UPDATE OF state, resident_id, promoted_at", "",
             of("NEW.session_id", " AND s.status = 'held'")),
            ("removed", "DELETE", "OLD.state IN ('attended', 'no_show')", of("OLD.session_id")),
        ],
        "activity_sessions": [
            ("moved", f"UPDATE OF {', '.join(CHANGES_A_SESSION)}", "", f"{itself('OLD')}; {itself('NEW')}"),
            ("filled", "UPDATE OF places_taken", "OLD.status = 'held'", itself("NEW")),
        ],
        "residents": [
            ("corrected", f"UPDATE OF {', '.join(CHANGES_A_PERSON)}", "",
             (f"{MARK}SELECT DISTINCT {month.format('s.')}, s.facility_id, s.programme_id "
              f"FROM activity_sessions AS s WHERE {its_sessions}")),
        ],
    }


def marking_triggers(dialect: str) -> dict[str, list[str]]:
    """The statements that make the triggers, by table."""
    made: dict[str, list[str]] = {}
    for table, triggers in _marks(dialect).items():
        made[table] = []
        for what, on, when, does in triggers:
            name = f"{table}_{what}_marks_pages"
            condition = f"WHEN ({when}) " if when else ""
            if dialect == "sqlite":
                made[table].append(f"CREATE TRIGGER {name} AFTER {on} ON {table} {condition}BEGIN {does}; END")
                continue
            made[table].append(f"CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS "
                               f"$$ BEGIN {does}; RETURN NULL; END $$")
            made[table].append(f"CREATE TRIGGER {name} AFTER {on} ON {table} FOR EACH ROW {condition}"
                               f"EXECUTE FUNCTION {name}()")
    return made


def _hold() -> None:
    """Attach the triggers to the creation of the tables."""
    for model in (Attendance, HeadCount, Booking, ActivitySession, Resident):
        def make(table: object, connection: Connection, **_: object) -> None:
            for statement in marking_triggers(connection.dialect.name)[str(getattr(table, "name", ""))]:
                connection.exec_driver_sql(statement)
        event.listen(model.__table__, "after_create", make)


_hold()
