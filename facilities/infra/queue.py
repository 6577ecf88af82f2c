"""Huey's queue: which job is to run when.

It is in a SQLite file of its own, or in the PostgreSQL that the app uses, where several machines share it. What there
is to do is read from the app's own tables, so that a lost queue loses nothing.
"""

import json
import sqlite3
from datetime import datetime
from pathlib import Path
from typing import Any

from huey import Huey, SqliteHuey
from huey.contrib.sql_huey import SqlHuey
from huey.registry import Message
from huey.serializer import Serializer
from peewee import PostgresqlDatabase
from sqlalchemy import make_url

from config import Settings

NAME = "huimin"
SCHEMA = "huey"  # apart from the app's own tables, which migrations look after


_MAKING = 73052024  # a lock of PostgreSQL's, for workers that start at the same moment


class PlainMessages(Serializer):  # type: ignore[misc] # Huey has no types
    """JSON instead of pickles: whoever could write to the queue would otherwise run code in the worker."""

    def _serialize(self, data: Any) -> bytes:  # noqa: ANN401 - Huey's message
        said = {name: value for name, value in data._asdict().items() if value is not None}
        if eta := said.get("eta"):
            said["eta"] = eta.isoformat()
        return json.dumps(said).encode()

    def _deserialize(self, data: bytes) -> Any:  # noqa: ANN401 - as above
        said = json.loads(data)
        if eta := said.get("eta"):
            said["eta"] = datetime.fromisoformat(eta)
        return Message(**said)


def make_queue(settings: Settings) -> Huey:
    """Asked for by the worker alone: nobody else needs a connection to it."""
    if settings.database_url.startswith("sqlite"):
        return _in_file(settings.instance / "jobs.sqlite3")
    database = _database(settings.database_url)
    queue = SqlHuey(NAME, database=database, results=False, create_tables=False, serializer=PlainMessages())
    with database:
        database.execute_sql("SELECT pg_advisory_xact_lock(%s)", (_MAKING,))
        database.execute_sql(f"CREATE SCHEMA IF NOT EXISTS {SCHEMA}")
        queue.storage.create_tables()
    return queue


def _in_file(path: Path) -> Huey:
    """A file that is no database is made anew: it holds nothing that is not in the app's own tables."""
    try:
        return _opened(path)
    except sqlite3.OperationalError:  # busy, or no room: that is no reason to throw it away
        raise
    except sqlite3.DatabaseError:
        for leftover in ("", "-wal", "-shm"):
            Path(f"{path}{leftover}").unlink(missing_ok=True)
        return _opened(path)


def _opened(path: Path) -> Huey:
    return SqliteHuey(NAME, filename=str(path), results=False, fsync=True, serializer=PlainMessages())


def _database(address: str) -> Any:  # noqa: ANN401 - peewee's words have no types
    url = make_url(address)
    given: dict[str, Any] = {"user": url.username, "password": url.password, "host": url.host, "port": url.port,
                             **url.query}
    given["options"] = f"{given.get('options', '')} -c search_path={SCHEMA}".strip()
    return PostgresqlDatabase(
        url.database, prefer_psycopg3=True,
        **{name: value for name, value in given.items() if value is not None})
