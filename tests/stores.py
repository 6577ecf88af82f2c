"""The two databases that every test which needs one runs on, each test on a fresh copy of a migrated template.

The template is made by the migrations, not by `create_all`, so that what is tested is what is installed. A copy takes
milliseconds, and a test may commit, race and drop constraints as it likes.
"""

import contextlib
import os
import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
from sqlalchemy import make_url

KINDS = ("sqlite", "postgresql")


class Store:
    """A database at a fixed address, and the template that it is reset from."""

    url: str
    template_url: str
    let_go: Callable[[], None]  # called before the database goes from under those who hold connections to it

    def __init__(self) -> None:
        self.let_go = lambda: None

    def reset(self) -> None:
        raise AssertionError("each kind of store says how")

    def keep(self, at: Path) -> None:
        """As it is now, for `bring_back` in any process; nobody may be connected. Afterwards `at` exists."""
        raise AssertionError("each kind of store says how")

    def bring_back(self, at: Path) -> None:
        raise AssertionError("each kind of store says how")

    def remove(self) -> None:
        """After each test."""
        raise AssertionError("each kind of store says how")

    def close(self) -> None:
        """After the last."""
        self.let_go()


class SqliteStore(Store):
    def __init__(self, folder: Path) -> None:
        super().__init__()
        self.path, self.template = folder / "test.sqlite3", folder / "template.sqlite3"
        self.url, self.template_url = f"sqlite:///{self.path}", f"sqlite:///{self.template}"

    def reset(self) -> None:
        self._copy(self.template)

    def _copy(self, source: Path) -> None:
        self.let_go()
        for leftover in ("-wal", "-shm"):
            Path(f"{self.path}{leftover}").unlink(missing_ok=True)
        shutil.copyfile(source, self.path)

    def keep(self, at: Path) -> None:
        self.let_go()
        with contextlib.closing(sqlite3.connect(self.path)) as connection:
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        shutil.copyfile(self.path, at)

    def bring_back(self, at: Path) -> None:
        self._copy(at)

    def remove(self) -> None:
        self.let_go()
        self.path.unlink(missing_ok=True)


REFERENCE = ("alembic_version", "sub_districts", "calendar_days")

# What a test leaves as it found it nearly always: schema, triggers and reference data, as one line.
FINGERPRINT = """
SELECT concat_ws(' ', (SELECT count(*) FROM pg_class), (SELECT count(*) FROM pg_constraint),
  (SELECT count(*) FROM pg_trigger), (SELECT count(*) FROM pg_proc), (SELECT version_num FROM alembic_version),
  (SELECT md5(string_agg(t::text, '' ORDER BY t::text)) FROM sub_districts t),
  (SELECT md5(string_agg(t::text, '' ORDER BY t::text)) FROM calendar_days t))"""

# The tables that were written to since they were last empty as new, each with its size in bytes.
WRITTEN = """
SELECT quote_ident(relname), pg_relation_size(oid) FROM pg_class
WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' AND relname <> ALL (%s) AND pg_relation_size(oid) > 0"""
PAGE = 8192

RESTART = """
SELECT setval(format('%I.%I', schemaname, sequencename)::regclass, start_value, false) FROM pg_sequences
WHERE last_value IS NOT NULL"""


class PostgresqlStore(Store):
    """Copying a database costs 0.2 s here, emptying all its tables a fifth, the few that a test wrote to a twentieth.

    Each is done where the cheaper one does not do. Its own connection stays open, and so may the app's: what they know
    of the schema by heart is what a new one would have to read.
    """

    def __init__(self, worker: str) -> None:
        super().__init__()
        server = os.environ.get("POSTGRESQL_URL")
        if not server:
            raise RuntimeError("POSTGRESQL_URL is not set: run the tests through bin/test, which starts a PostgreSQL")
        url = make_url(server)
        self.admin = url.set(drivername="postgresql")
        self.name, self.template = f"huimin_{worker}", f"huimin_template_{worker}"
        self.url = url.set(database=self.name).render_as_string(hide_password=False)
        self.template_url = url.set(database=self.template).render_as_string(hide_password=False)
        self._fingerprint: str | None = None
        self._inside: psycopg.Connection[tuple[Any, ...]] | None = None
        self._say(f'DROP DATABASE IF EXISTS "{self.template}" WITH (FORCE)', f'CREATE DATABASE "{self.template}"')

    def _connect(self, database: str | None = None) -> "psycopg.Connection[tuple[Any, ...]]":
        url = self.admin.set(database=database) if database else self.admin
        return psycopg.connect(url.render_as_string(hide_password=False), autocommit=True)

    def _say(self, *statements: str) -> None:
        with self._connect() as connection:
            for statement in statements:
                connection.execute(statement.encode())

    def reset(self) -> None:
        if not self._emptied():
            self._copy(self.template)
            self._inside = self._connect(self.name)
            self._fingerprint = self._only(FINGERPRINT)

    def keep(self, at: Path) -> None:
        name = f"huimin_{at.name}"
        self._leave()
        self._say(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)', f'CREATE DATABASE "{name}" TEMPLATE "{self.name}"')
        at.write_text(name)

    def bring_back(self, at: Path) -> None:
        self._copy(at.read_text())

    def _copy(self, template: str) -> None:
        self._leave()
        self._say(
            f'DROP DATABASE IF EXISTS "{self.name}" WITH (FORCE)',
            f'CREATE DATABASE "{self.name}" TEMPLATE "{template}"',
        )

    def _leave(self) -> None:
        self.let_go()
        if self._inside is not None:
            self._inside.close()
        self._inside = None

    def _emptied(self) -> bool:
        """True where the last test left the schema and the reference data alone, and what it added is gone."""
        if self._inside is None:
            return False
        try:
            found = self._only(FINGERPRINT)
        except psycopg.errors.UndefinedTable:
            return False
        if found != self._fingerprint:
            return False
        written = self._inside.execute(WRITTEN.encode(), (list(REFERENCE),)).fetchall()
        if all(size <= PAGE for _, size in written):
            self._delete([table for table, _ in written])
        else:
            self._truncate()
        return True

    def _delete(self, tables: list[str]) -> None:
        """Of what was deleted a page keeps its place, so that rows still lie in the order in which they came."""
        assert self._inside is not None
        with self._inside.transaction():
            self._inside.execute("SET LOCAL session_replication_role = replica")  # no trigger, no foreign key
            for table in tables:
                self._inside.execute(f"DELETE FROM {table}".encode())
            self._inside.execute(RESTART.encode())

    def _truncate(self) -> None:
        assert self._inside is not None
        tables = self._only(
            "SELECT string_agg(quote_ident(tablename), ', ') FROM pg_tables "
            "WHERE schemaname = 'public' AND tablename <> ALL (%s)",
            list(REFERENCE),
        )
        self._inside.execute(f"TRUNCATE {tables} RESTART IDENTITY".encode())

    def _only(self, sql: str, *given: object) -> str:
        """The one value that a question has."""
        assert self._inside is not None
        row = self._inside.execute(sql.encode(), given or None).fetchone()
        assert row is not None
        return str(row[0])

    def remove(self) -> None:
        """What is left is emptied when it is needed, or goes with the server."""

    def close(self) -> None:
        self._leave()
