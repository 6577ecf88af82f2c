"""The tests' own ground: what one test does, the next one never sees."""

import pytest
from sqlalchemy import create_engine, func, select, text

from facilities.accounts.models import User
from facilities.places.models import CalendarDay
from tests.conftest import Apps
from tests.stores import KINDS

USER = "INSERT INTO users (login, display_name, password_hash, created_at)"
CHANGES = {
    "rows": f"{USER} VALUES ('x', 'x', 'x', '2026-01-01')",
    "many rows": f"WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 500) "
    f"{USER} SELECT 'x' || i, 'x', 'x', '2026-01-01' FROM n",
    "reference data": "UPDATE calendar_days SET name = 'x' WHERE date = '2026-01-05'",
    "reference rows": "DELETE FROM calendar_days",
    "a table": "DROP TABLE head_counts",
    "the version": "UPDATE alembic_version SET version_num = '0001'",
}


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("kind", KINDS)
def test_a_reset_undoes(apps: Apps, kind: str, change: str) -> None:
    _, store = apps.get(kind)
    store.reset()
    engine = create_engine(store.url)
    with engine.begin() as connection:
        connection.execute(text(CHANGES[change]))
    engine.dispose()
    store.reset()
    with engine.connect() as connection:
        assert connection.execute(select(func.count()).select_from(User)).scalar_one() == 0
        assert connection.execute(text("SELECT count(*) FROM head_counts")).scalar_one() == 0
        assert connection.execute(text("SELECT version_num FROM alembic_version")).scalar_one() != "0001"
        days = select(func.count()).select_from(CalendarDay)
        assert connection.execute(days).scalar_one() > 1800
        assert connection.execute(days.where(CalendarDay.name == "x")).scalar_one() == 0
        connection.execute(text(CHANGES["rows"]))
        assert connection.execute(select(User.id)).scalar_one() == 1, "numbers begin anew"
    engine.dispose()
