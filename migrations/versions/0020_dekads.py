"""Sheets of dekads: the ledger's sessions say where they were, and its pages are made anew from the rows."""

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"

MONTH = {
    "postgresql": "CAST(to_char(s.starts_at AT TIME ZONE 'Asia/Shanghai', 'YYYYMM') AS integer)",
    "sqlite": "CAST(strftime('%Y%m', s.starts_at, '+8 hours') AS INTEGER)",
}


def dekad(day: str) -> str:
    return f"{day} / 100 * 10 + CASE WHEN {day} % 100 > 20 THEN 3 ELSE ({day} % 100 + 9) / 10 END"


def upgrade() -> None:
    op.execute("DELETE FROM ledger_pages")
    with op.batch_alter_table("ledger_pages") as table:
        table.drop_constraint(op.f("ck_ledger_pages_days_of_the_period"), type_="check")
        table.create_check_constraint(
            op.f("ck_ledger_pages_days_of_the_period"),
            sa.text(
                "first_day <= last_day AND (first_day / 100 = period AND last_day / 100 = period OR "
                "first_day / 10000 = period AND last_day / 10000 = period OR "
                f"{dekad('first_day')} = period AND {dekad('last_day')} = period OR "
                "first_day / 10000 * 10 + (first_day / 100 % 100 + 2) / 3 = period AND "
                "last_day / 10000 * 10 + (last_day / 100 % 100 + 2) / 3 = period OR "
                "first_day = period AND last_day = period)"
            ),
        )
    op.execute("DELETE FROM stale_sheets")
    op.execute("DELETE FROM stale_pages")
    op.execute(
        "INSERT INTO stale_pages (month, facility_id, programme_id) "
        f"SELECT DISTINCT {MONTH[op.get_bind().dialect.name]}, s.facility_id, s.programme_id "
        "FROM activity_sessions AS s WHERE s.status = 'held'"
    )
