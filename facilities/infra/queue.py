"""Huey's queue: which job is to run when.

It is in a SQLite file of its own, or in the PostgreSQL that the app uses, where several machines share it. What there
is to do is read from the app's own tables, so that a lost queue loses nothing.
"""

from typing import Any

from huey import Huey, SqliteHuey
from huey.contrib.sql_huey import SqlHuey
from peewee import PostgresqlDatabase
from sqlalchemy import make_url

from config import Settings

NAME = "huimin"
SCHEMA = "huey"  # apart from the app's own tables, which migrations look after


_MAKING = 73052024  # a lock of PostgreSQL's, for workers that start at the same moment


def make_queue(settings: Settings) -> Huey:
    """Asked for by the worker alone: nobody else needs a connection to it."""
    if settings.database_url.startswith("sqlite"):
        return SqliteHuey(NAME, filename=str(settings.instance / "jobs.sqlite3"), results=False)
    database = _database(settings.database_url)
    queue = SqlHuey(NAME, database=database, results=False, create_tables=False)
    with database:
        database.execute_sql("SELECT pg_advisory_xact_lock(%s)", (_MAKING,))
        database.execute_sql(f"CREATE SCHEMA IF NOT EXISTS {SCHEMA}")
        queue.storage.create_tables()
    return queue


def _database(address: str) -> Any:  # noqa: ANN401 - peewee's words have no types
    url = make_url(address)
    given: dict[str, Any] = {"user": url.username, "password": url.password, "host": url.host, "port": url.port,
                             **url.query}
    return PostgresqlDatabase(
        url.database, prefer_psycopg3=True, options=f"-c search_path={SCHEMA}",
        **{name: value for name, value in given.items() if value is not None})
