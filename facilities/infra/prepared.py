"""A statement that is put together once and then run on the driver itself.

For the few that everybody waits for: SQLAlchemy writes the SQL and converts the values, for each database once, and its
machinery of a single execution, which costs more than the statement, is left out. Constants stand in the SQL, so that
only what changes goes over the wire. Errors are SQLAlchemy's.
"""

import re
import sqlite3
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from psycopg import RawCursor
from sqlalchemy import Connection, Dialect, Engine, Executable
from sqlalchemy.exc import DBAPIError

Convert = Callable[[Any], Any]


@dataclass(frozen=True, slots=True)
class _Ready:
    """SQL with numbered parameters: their names in order, and what makes a value the driver's and back."""

    sql: str
    parameters: tuple[tuple[str, Convert | None], ...]
    results: tuple[Convert | None, ...]
    cursor: Callable[[Any], Any]


class Prepared:
    def __init__(self, build: Callable[[], Executable]) -> None:
        self._build = build
        self._ready: dict[str, _Ready] = {}

    def rows(self, connection: Connection, values: Mapping[str, Any]) -> list[tuple[Any, ...]]:
        """The rows that it gives, within the connection's transaction; `values` by the names of its parameters."""
        return self._rows(connection.engine, connection.connection.driver_connection, values)

    def run(self, connection: Connection, values: Mapping[str, Any]) -> int:
        """How many rows it changed."""
        ready = self._for(connection.dialect)
        return int(_run(connection.engine, connection.connection.driver_connection, ready, values).rowcount)

    def alone(self, engine: Engine, values: Mapping[str, Any]) -> list[tuple[Any, ...]]:
        """The rows of a statement that needs no other: it is its own transaction, with no BEGIN or COMMIT on the wire.
        """
        pooled = engine.raw_connection()
        try:
            return self._rows(engine, pooled.driver_connection, values)
        finally:
            pooled.close()

    def _rows(self, engine: Engine, driver: Any, values: Mapping[str, Any]) -> list[tuple[Any, ...]]:  # noqa: ANN401
        ready = self._for(engine.dialect)
        return [tuple(c(v) if c and v is not None else v for c, v in zip(ready.results, row, strict=True))
                for row in _run(engine, driver, ready, values).fetchall()]

    def _for(self, dialect: Dialect) -> _Ready:
        if dialect.name not in self._ready:
            self._ready[dialect.name] = _prepare(self._build(), dialect)
        return self._ready[dialect.name]


def _run(engine: Engine, driver: Any, ready: _Ready, values: Mapping[str, Any]) -> Any:  # noqa: ANN401 - driver, cursor
    """A connection that is lost is found out and thrown away when it goes back to the pool."""
    given = [convert(values[name]) if convert else values[name] for name, convert in ready.parameters]
    if watchers := engine.dispatch.before_cursor_execute:  # those who count queries
        watchers(None, None, ready.sql, given, None, False)
    try:
        return ready.cursor(driver).execute(ready.sql, given)
    except engine.dialect.loaded_dbapi.Error as error:
        raise DBAPIError.instance(ready.sql, None, error, engine.dialect.loaded_dbapi.Error,
                                  hide_parameters=True, dialect=engine.dialect) from error


_PARAMETER = re.compile(r"%\((\w+)\)s")
_CURSORS: Mapping[str, tuple[str, Callable[[Any], Any]]] = {
    "postgresql": ("$", RawCursor), "sqlite": ("?", sqlite3.Connection.cursor)}


def _prepare(statement: Executable, dialect: Dialect) -> _Ready:
    named: Dialect = type(dialect)(paramstyle="pyformat")  # type: ignore[call-arg]
    compiled: Any = statement.compile(dialect=named)  # type: ignore[attr-defined]
    mark, cursor = _CURSORS[dialect.name]
    types = {name: bind.type.dialect_impl(dialect) for bind, name in compiled.bind_names.items()}
    order: list[str] = []

    def put(found: re.Match[str]) -> str:
        name = found[1]
        if (constant := compiled.params[name]) is not None:
            return str(types[name].literal_processor(dialect)(constant))
        if name not in order:
            order.append(name)
        return f"{mark}{order.index(name) + 1}"

    sql = _PARAMETER.sub(put, compiled.string).replace("%%", "%")
    columns: Any = getattr(statement, "exported_columns", ())
    results = tuple(c.type.dialect_impl(dialect).result_processor(dialect, None) for c in columns)
    return _Ready(sql, tuple((name, types[name].bind_processor(dialect)) for name in order), results, cursor)


def packed_rows(connection: Connection, sql: str) -> list[tuple[Any, ...]]:
    """The rows of a query that has its values in it, answered in the database's own binary form.

    For rows that hold megabytes: as text, PostgreSQL writes each byte as two letters, which are then read again.
    """
    if watchers := connection.engine.dispatch.before_cursor_execute:
        watchers(None, None, sql, (), None, False)
    driver: Any = connection.connection.driver_connection
    cursor = driver.cursor(binary=True) if connection.dialect.name == "postgresql" else driver.cursor()
    try:
        rows: list[tuple[Any, ...]] = cursor.execute(sql).fetchall()
    finally:
        cursor.close()
    return rows
