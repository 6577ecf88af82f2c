"""A statement that is put together once and then run on the driver itself.

For the few that everybody waits for: SQLAlchemy writes the SQL and converts the values, for each database once, and its
machinery of a single execution, which costs more than the statement, is left out. Errors are SQLAlchemy's.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Dialect, Engine, Executable
from sqlalchemy.exc import DBAPIError

Convert = Callable[[Any], Any]


@dataclass(frozen=True, slots=True)
class _Ready:
    """SQL in the driver's own style. `order`: the parameters' names where the style is positional."""

    sql: str
    fixed: Mapping[str, Any]
    converts: Mapping[str, Convert]
    order: tuple[str, ...] | None
    results: tuple[Convert | None, ...]


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

    def read(self, engine: Engine, values: Mapping[str, Any]) -> list[tuple[Any, ...]]:
        """The rows of a single look that needs no transaction around it: no BEGIN, no ROLLBACK on the wire."""
        pooled = engine.raw_connection()
        driver: Any = pooled.driver_connection
        on_the_wire = engine.dialect.name == "postgresql"
        try:
            if on_the_wire:
                driver.autocommit = True
            return self._rows(engine, driver, values)
        finally:
            if on_the_wire and not driver.closed:
                driver.autocommit = False
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
    given = {**ready.fixed, **values}
    for name, convert in ready.converts.items():
        given[name] = convert(given[name])
    if watchers := engine.dispatch.before_cursor_execute:  # those who count queries
        watchers(None, None, ready.sql, given, None, False)
    try:
        return driver.execute(ready.sql, given if ready.order is None else [given[name] for name in ready.order])
    except engine.dialect.loaded_dbapi.Error as error:
        raise DBAPIError.instance(ready.sql, None, error, engine.dialect.loaded_dbapi.Error,
                                  hide_parameters=True, dialect=engine.dialect) from error


def _prepare(statement: Executable, dialect: Dialect) -> _Ready:
    compiled: Any = statement.compile(dialect=dialect)  # type: ignore[attr-defined]
    converts = {name: convert for bind, name in compiled.bind_names.items()
                if (convert := bind.type.dialect_impl(dialect).bind_processor(dialect)) is not None}
    columns: Any = getattr(statement, "exported_columns", ())
    results = tuple(c.type.dialect_impl(dialect).result_processor(dialect, None) for c in columns)
    order = tuple(compiled.positiontup) if compiled.positional else None
    fixed = {name: value for name, value in compiled.params.items() if value is not None}
    return _Ready(compiled.string, fixed, converts, order, results)
