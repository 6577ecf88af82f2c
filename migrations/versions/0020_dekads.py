"""Sheets of dekads: the ledger's sessions say where they were, so that every page there is has to be made anew."""

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"


def dekad(day: str) -> str:
    return f"{day} / 100 * 10 + CASE WHEN {day} % 100 > 20 THEN 3 ELSE ({day} % 100 + 9) / 10 END"


def upgrade() -> None:
    op.execute(
        "INSERT INTO stale_pages (month, facility_id, programme_id) "
        "SELECT DISTINCT period, facility_id, programme_id FROM ledger_pages "
        "WHERE period BETWEEN 100000 AND 999999 AND facility_id > 0 AND programme_id > 0"
    )
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
