"""Expressions that both databases compute alike: the district's dates, ages, word search."""

from typing import Any

from sqlalchemy import Integer, String
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.orm import InstrumentedAttribute
from sqlalchemy.sql import ColumnElement, func, or_
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement


class local_day(FunctionElement[int]):  # noqa: N801 - written like the SQL functions that it stands beside
    """The district's date of an instant, as the number 20240501."""

    type = Integer()
    inherit_cache = True


class day_number(FunctionElement[int]):  # noqa: N801 - as above
    """A date as the number 20240501, for ages: (day - birth) / 10000 (engine.ages)."""

    type = Integer()
    inherit_cache = True


class minutes_between(FunctionElement[int]):  # noqa: N801 - as above
    """Whole minutes from one instant to a later one."""

    type = Integer()
    inherit_cache = True


class epoch_minutes(FunctionElement[int]):  # noqa: N801 - as above
    """Whole minutes from the beginning of 1970."""

    type = Integer()
    inherit_cache = True


class local_instant(FunctionElement[str]):  # noqa: N801 - as above
    """An instant as clients see it, 2024-05-01T09:00:00+08:00. PostgreSQL only."""

    type = String()
    inherit_cache = True


@compiles(local_instant, "postgresql")
def _local_instant_postgresql(element: local_instant, compiler: SQLCompiler, **kw: Any) -> str:  # noqa: ANN401
    inner = compiler.process(element.clauses, **kw)
    return f"to_char({inner} AT TIME ZONE 'Asia/Shanghai', 'YYYY-MM-DD\"T\"HH24:MI:SS\"+08:00\"')"


@compiles(local_day, "postgresql")
def _local_day_postgresql(element: local_day, compiler: SQLCompiler, **kw: Any) -> str:  # noqa: ANN401
    inner = compiler.process(element.clauses, **kw)
    return f"CAST(to_char({inner} AT TIME ZONE 'Asia/Shanghai', 'YYYYMMDD') AS integer)"


@compiles(local_day, "sqlite")
def _local_day_sqlite(element: local_day, compiler: SQLCompiler, **kw: Any) -> str:  # noqa: ANN401
    inner = compiler.process(element.clauses, **kw)
    return f"CAST(strftime('%Y%m%d', {inner}, '+8 hours') AS INTEGER)"


@compiles(day_number, "postgresql")
def _day_number_postgresql(element: day_number, compiler: SQLCompiler, **kw: Any) -> str:  # noqa: ANN401
    return f"CAST(to_char({compiler.process(element.clauses, **kw)}, 'YYYYMMDD') AS integer)"


@compiles(day_number, "sqlite")
def _day_number_sqlite(element: day_number, compiler: SQLCompiler, **kw: Any) -> str:  # noqa: ANN401
    return f"CAST(strftime('%Y%m%d', {compiler.process(element.clauses, **kw)}) AS INTEGER)"


@compiles(minutes_between, "postgresql")
def _minutes_postgresql(element: minutes_between, compiler: SQLCompiler, **kw: Any) -> str:  # noqa: ANN401 - the compiler's own
    start, end = (compiler.process(clause, **kw) for clause in element.clauses)
    return f"CAST(floor(extract(epoch FROM {end} - {start}) / 60) AS integer)"


@compiles(minutes_between, "sqlite")
def _minutes_sqlite(element: minutes_between, compiler: SQLCompiler, **kw: Any) -> str:  # noqa: ANN401 - the compiler's own
    start, end = (compiler.process(clause, **kw) for clause in element.clauses)
    return f"((CAST(strftime('%s', {end}) AS INTEGER) - CAST(strftime('%s', {start}) AS INTEGER)) / 60)"


@compiles(epoch_minutes, "postgresql")
def _epoch_postgresql(element: epoch_minutes, compiler: SQLCompiler, **kw: Any) -> str:  # noqa: ANN401 - the compiler's own
    return f"CAST(floor(extract(epoch FROM {compiler.process(element.clauses, **kw)}) / 60) AS integer)"


@compiles(epoch_minutes, "sqlite")
def _epoch_sqlite(element: epoch_minutes, compiler: SQLCompiler, **kw: Any) -> str:  # noqa: ANN401 - the compiler's own
    return f"(CAST(strftime('%s', {compiler.process(element.clauses, **kw)}) AS INTEGER) / 60)"


def says(word: str, *columns: InstrumentedAttribute[Any]) -> ColumnElement[bool]:
    """True where one of the columns contains the word, whatever its case."""
    return or_(*(func.lower(func.coalesce(c, "", type_=String())).contains(word.lower(), autoescape=True)
                 for c in columns))


