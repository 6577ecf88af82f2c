"""Sheets of days and quarters: the ledger's pages are packed in another way, and made anew from the rows."""

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"

MONTH = {
    "postgresql": "CAST(to_char(s.starts_at AT TIME ZONE 'Asia/Shanghai', 'YYYYMM') AS integer)",
    "sqlite": "CAST(strftime('%Y%m', s.starts_at, '+8 hours') AS INTEGER)",
}
PACKED = ("sessions", "facts", "cells", "bits", "people", "runs", "counts")


def upgrade() -> None:
    op.drop_table("ledger_pages")
    op.create_table(
        "ledger_pages",
        sa.Column("period", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("facility_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("programme_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("part", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("first_day", sa.Integer(), nullable=False),
        sa.Column("last_day", sa.Integer(), nullable=False),
        sa.Column("disabled_cells", sa.Integer(), nullable=False),
        sa.Column("disabled_bits", sa.Integer(), nullable=False),
        sa.Column("disabled_people", sa.Integer(), nullable=False),
        *(sa.Column(name, sa.LargeBinary(), nullable=False) for name in PACKED),
        sa.CheckConstraint(
            "first_day <= last_day AND (first_day / 100 = period AND last_day / 100 = period OR "
            "first_day / 10000 = period AND last_day / 10000 = period OR "
            "first_day / 10000 * 10 + (first_day / 100 % 100 + 2) / 3 = period AND "
            "last_day / 10000 * 10 + (last_day / 100 % 100 + 2) / 3 = period OR "
            "first_day = period AND last_day = period)",
            name=op.f("ck_ledger_pages_days_of_the_period"),
        ),
        sa.CheckConstraint("part >= 0", name=op.f("ck_ledger_pages_part_from_zero")),
        sa.PrimaryKeyConstraint("period", "facility_id", "programme_id", "part", name=op.f("pk_ledger_pages")),
    )
    if op.get_bind().dialect.name == "postgresql":
        # as in the first form of this table: packed as tightly as it goes, and only what is seldom read lies apart
        op.execute("ALTER TABLE ledger_pages SET (toast_tuple_target = 8160)")
        for name in PACKED:
            op.execute(f"ALTER TABLE ledger_pages ALTER COLUMN {name} SET STORAGE EXTERNAL")
    op.execute("DELETE FROM stale_sheets")
    op.execute("DELETE FROM stale_pages")
    op.execute(
        "INSERT INTO stale_pages (month, facility_id, programme_id) "
        f"SELECT DISTINCT {MONTH[op.get_bind().dialect.name]}, s.facility_id, s.programme_id "
        "FROM activity_sessions AS s WHERE s.status = 'held'"
    )
