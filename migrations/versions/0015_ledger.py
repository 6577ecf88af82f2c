"""The ledger's pages, the marks on them, and when somebody who waited was given a place."""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"

MONTH = {
    "postgresql": "CAST(to_char({0}starts_at AT TIME ZONE 'Asia/Shanghai', 'YYYYMM') AS integer)",
    "sqlite": "CAST(strftime('%Y%m', {0}starts_at, '+8 hours') AS INTEGER)",
}
MARK = "INSERT INTO stale_pages (month, facility_id, programme_id) "
SESSION = "facility_id, programme_id, starts_at, ends_at, capacity, status"
PERSON = "sex, birth_date, disability_category, disability_grade"
PROVIDERS = "('own', 'third_party', 'company', 'public_benefit')"
PACKED = ("sessions", "facts", "cells", "people", "counts")
EVERYTHING = "FROM activity_sessions AS s WHERE s.status = 'held'"


def _big_id() -> sa.types.TypeEngine[int]:
    return sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def _triggers(dialect: str) -> dict[str, list[tuple[str, str, str, str]]]:
    month = MONTH[dialect]

    def of(session_id: str, only: str = "") -> str:
        return (
            f"{MARK}SELECT {month.format('s.')}, s.facility_id, s.programme_id "
            f"FROM activity_sessions AS s WHERE s.id = {session_id}{only}"
        )

    def itself(row: str) -> str:
        return f"{MARK}VALUES ({month.format(f'{row}.')}, {row}.facility_id, {row}.programme_id)"

    of_a_roll = [
        ("entered", "INSERT", "", of("NEW.session_id")),
        ("changed", "UPDATE", "", of("NEW.session_id")),
        ("removed", "DELETE", "", of("OLD.session_id")),
    ]
    its_sessions = (
        "s.id IN (SELECT session_id FROM attendances WHERE resident_id = NEW.id UNION "
        "SELECT session_id FROM bookings WHERE resident_id = NEW.id)"
    )
    return {
        "attendances": of_a_roll,
        "head_counts": of_a_roll,
        "bookings": [
            ("entered", "INSERT", "NEW.state IN ('attended', 'no_show')", of("NEW.session_id")),
            (
                "changed",
                "UPDATE OF state, resident_id, promoted_at",
                "",
                of("NEW.session_id", " AND s.status = 'held'"),
            ),
            ("removed", "DELETE", "OLD.state IN ('attended', 'no_show')", of("OLD.session_id")),
        ],
        "activity_sessions": [
            ("moved", f"UPDATE OF {SESSION}", "", f"{itself('OLD')}; {itself('NEW')}"),
            ("filled", "UPDATE OF places_taken", "OLD.status = 'held'", itself("NEW")),
        ],
        "residents": [
            (
                "corrected",
                f"UPDATE OF {PERSON}",
                "",
                f"{MARK}SELECT DISTINCT {month.format('s.')}, s.facility_id, s.programme_id "
                f"FROM activity_sessions AS s WHERE {its_sessions}",
            ),
        ],
    }


def upgrade() -> None:
    op.create_table(
        "ledger_pages",
        sa.Column("period", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("facility_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("programme_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("part", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("first_day", sa.Integer(), nullable=False),
        sa.Column("last_day", sa.Integer(), nullable=False),
        *(sa.Column(name, sa.LargeBinary(), nullable=False) for name in PACKED),
        sa.CheckConstraint(
            "first_day <= last_day AND (first_day / 100 = period AND last_day / 100 = period OR "
            "first_day / 10000 = period AND last_day / 10000 = period)",
            name=op.f("ck_ledger_pages_days_of_the_period"),
        ),
        sa.CheckConstraint("part >= 0", name=op.f("ck_ledger_pages_part_from_zero")),
        sa.PrimaryKeyConstraint("period", "facility_id", "programme_id", "part", name=op.f("pk_ledger_pages")),
    )
    if op.get_bind().dialect.name == "postgresql":
        # packed as tightly as it goes, so no time is spent on trying again; only the facts, which are seldom read, and
        # the people of sheets lie apart from their row
        op.execute("ALTER TABLE ledger_pages SET (toast_tuple_target = 8160)")
        for name in PACKED:
            op.execute(f"ALTER TABLE ledger_pages ALTER COLUMN {name} SET STORAGE EXTERNAL")
    op.create_table(
        "stale_sheets",
        sa.Column("period", sa.Integer(), autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint("period", name=op.f("pk_stale_sheets")),
    )
    op.create_table(
        "stale_pages",
        sa.Column("id", _big_id(), nullable=False),
        sa.Column("month", sa.Integer(), nullable=False),
        sa.Column("facility_id", sa.Integer(), nullable=False),
        sa.Column("programme_id", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_stale_pages")),
    )
    op.add_column("bookings", sa.Column("promoted_at", sa.DateTime(timezone=True), nullable=True))
    column, rule = "provider_type VARCHAR(32) DEFAULT 'own' NOT NULL", f"CHECK (provider_type IN {PROVIDERS})"
    op.execute(f"ALTER TABLE programmes ADD COLUMN {column} CONSTRAINT ck_programmes_provider_type {rule}")
    op.add_column("programmes", sa.Column("volunteer", sa.Boolean(), server_default=sa.false(), nullable=False))
    dialect = op.get_bind().dialect.name
    month = MONTH[dialect].format("s.")
    op.execute(f"{MARK}SELECT DISTINCT {month}, s.facility_id, s.programme_id {EVERYTHING}")
    for table, triggers in _triggers(dialect).items():
        for what, on, when, does in triggers:
            name = f"{table}_{what}_marks_pages"
            condition = f"WHEN ({when}) " if when else ""
            if dialect == "sqlite":
                op.execute(f"CREATE TRIGGER {name} AFTER {on} ON {table} {condition}BEGIN {does}; END")
                continue
            op.execute(f"CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {does}; RETURN NULL; END $$")
            op.execute(f"CREATE TRIGGER {name} AFTER {on} ON {table} FOR EACH ROW {condition}EXECUTE FUNCTION {name}()")
