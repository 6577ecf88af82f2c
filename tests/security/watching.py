"""Whether anything was written, and to which tables: cheap while nothing was, exact where something might have been."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Engine, Table

from facilities.infra.db import Model

# What a refusal may leave behind: that somebody was seen, or tried; and who looked.
MAY_CHANGE = {"sign_in_failures", "idempotency_keys", "audit_entries", "audit_heads", "known_devices"}
MAY_CHANGE_COLUMNS = {("sign_ins", "last_seen_at"), ("grants", "last_used_at")}


# On PostgreSQL a count of the statements that wrote, of this database alone: its transactions are counted for all
# databases together, and other processes test at the same time. A sequence is never rolled back.
COUNTED = """
CREATE SEQUENCE writes;
CREATE FUNCTION count_writes() RETURNS trigger LANGUAGE plpgsql AS
  $$ BEGIN PERFORM nextval('writes'); RETURN NULL; END $$"""
COUNT = """
CREATE TRIGGER counted AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON "{}"
  FOR EACH STATEMENT EXECUTE FUNCTION count_writes()"""


class Watch:
    """A connection of its own that sees what others commit."""

    def __init__(self, engine: Engine) -> None:
        self.connection = engine.raw_connection()  # no transaction around what it asks: each answer is the newest
        self.sqlite = engine.dialect.name == "sqlite"
        self.tables = [table for table in Model.metadata.sorted_tables if table.name not in MAY_CHANGE]
        if not self.sqlite:
            self._say(COUNTED, *(COUNT.format(table.name) for table in self.tables))
        self.sums = self._sums()
        self.mark = self._mark()

    def changed(self) -> set[str]:
        """The tables whose content is not what it was when this was last asked."""
        mark = self._mark()
        if mark == self.mark:
            return set()
        before, self.sums = self.sums, self._sums()
        self.mark = self._mark()
        return {name for name, said in self.sums.items() if before[name] != said}

    def close(self) -> None:
        self.connection.close()

    def _mark(self) -> str:
        """Different wherever something may have been written in between."""
        asked = "PRAGMA data_version" if self.sqlite else "SELECT last_value + is_called::int FROM writes"
        return str(self._ask(asked)[0][0])

    def _say(self, *statements: str) -> None:
        cursor = self.connection.cursor()
        try:
            for statement in statements:
                cursor.execute(statement)
        finally:
            cursor.close()

    def _ask(self, statement: str) -> list[Any]:
        cursor = self.connection.cursor()
        try:
            cursor.execute(statement)
            return list(cursor.fetchall())
        finally:
            cursor.close()

    def _sums(self) -> Mapping[str, str]:
        """Of each table, in one query: how many rows, and a sum over all that stands in them."""
        parts = " UNION ALL ".join(self._sum(table) for table in self.tables)
        return dict(self._ask(parts))

    def _sum(self, table: Table) -> str:
        columns = [c.name for c in table.columns if (table.name, c.name) not in MAY_CHANGE_COLUMNS]
        if self.sqlite:
            row = " || ',' || ".join(f'quote("{name}")' for name in columns)
            key = ", ".join(f'"{c.name}"' for c in table.primary_key)
            rows = f'SELECT {row} AS r FROM "{table.name}" ORDER BY {key}'
            return f"SELECT '{table.name}', count(*) || ':' || coalesce(group_concat(r, ';'), '') FROM ({rows})"
        row = ", ".join(f'"{name}"' for name in columns)
        whole = "md5(coalesce(string_agg(r::text, ';' ORDER BY r::text), ''))"
        rows = f'SELECT ROW({row}) AS r FROM "{table.name}"'
        return f"SELECT '{table.name}', count(*) || '-' || {whole} FROM ({rows}) AS rows"
