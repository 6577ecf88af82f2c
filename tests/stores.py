"""The two databases that every test which needs one runs on, each test on a fresh copy of a migrated template.

The template is made by the migrations, not by `create_all`, so that what is tested is what is installed. A copy takes
milliseconds, and a test may commit, race and drop constraints as it likes.
"""

import contextlib
import os
import shutil
import sqlite3
from pathlib import Path

import psycopg
from sqlalchemy import make_url

KINDS = ("sqlite", "postgresql")


class Store:
    """A database at a fixed address, and the template that it is reset from."""

    url: str
    template_url: str

    def freeze_template(self) -> None:
        """Called once, after the template has been migrated and let go of."""

    def reset(self) -> None:
        raise AssertionError("each kind of store says how")

    def keep(self, at: Path) -> None:
        """As it is now, for `bring_back` in any process; nobody may be connected. Afterwards `at` exists."""
        raise AssertionError("each kind of store says how")

    def bring_back(self, at: Path) -> None:
        raise AssertionError("each kind of store says how")

    def remove(self) -> None:
        raise AssertionError("each kind of store says how")


class SqliteStore(Store):
    def __init__(self, folder: Path) -> None:
        self.path, self.template = folder / "test.sqlite3", folder / "template.sqlite3"
        self.url, self.template_url = f"sqlite:///{self.path}", f"sqlite:///{self.template}"

    def reset(self) -> None:
        self._copy(self.template)

    def _copy(self, source: Path) -> None:
        for leftover in ("-wal", "-shm"):
            Path(f"{self.path}{leftover}").unlink(missing_ok=True)
        shutil.copyfile(source, self.path)

    def keep(self, at: Path) -> None:
        with contextlib.closing(sqlite3.connect(self.path)) as connection:
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        shutil.copyfile(self.path, at)

    def bring_back(self, at: Path) -> None:
        self._copy(at)

    def remove(self) -> None:
        self.path.unlink(missing_ok=True)


# What a test leaves as it found it nearly always: schema, triggers and reference data, as one line.
FINGERPRINT = """
SELECT concat_ws(' ', (SELECT count(*) FROM pg_class), (SELECT count(*) FROM pg_constraint),
  (SELECT count(*) FROM pg_trigger), (SELECT count(*) FROM pg_proc), (SELECT version_num FROM alembic_version),
  (SELECT md5(string_agg(t::text, '' ORDER BY t::text)) FROM sub_districts t),
  (SELECT md5(string_agg(t::text, '' ORDER BY t::text)) FROM calendar_days t))"""
REFERENCE = ("alembic_version", "sub_districts", "calendar_days")


class PostgresqlStore(Store):
    """Copying a database costs 0.4 s here, emptying its tables a tenth of that: a copy is made where it is needed."""

    def __init__(self, worker: str) -> None:
        server = os.environ.get("POSTGRESQL_URL")
        if not server:
            raise RuntimeError("POSTGRESQL_URL is not set: run the tests through bin/test, which starts a PostgreSQL")
        url = make_url(server)
        self.admin = url.set(drivername="postgresql")
        self.name, self.template = f"huimin_{worker}", f"huimin_template_{worker}"
        self.url = url.set(database=self.name).render_as_string(hide_password=False)
        self.template_url = url.set(database=self.template).render_as_string(hide_password=False)
        self._fingerprint: str | None = None
        self._say(f'DROP DATABASE IF EXISTS "{self.template}" WITH (FORCE)', f'CREATE DATABASE "{self.template}"')

    def _connect(self, database: str | None = None) -> "psycopg.Connection[tuple[str]]":
        url = self.admin.set(database=database) if database else self.admin
        return psycopg.connect(url.render_as_string(hide_password=False), autocommit=True)

    def _say(self, *statements: str) -> None:
        with self._connect() as connection:
            for statement in statements:
                connection.execute(statement.encode())

    def reset(self) -> None:
        if not self._emptied():
            self._say(
                f'DROP DATABASE IF EXISTS "{self.name}" WITH (FORCE)',
                f'CREATE DATABASE "{self.name}" TEMPLATE "{self.template}"',
            )
            with self._connect(self.name) as connection:
                self._fingerprint = connection.execute(FINGERPRINT.encode()).fetchone()[0]  # type: ignore[index]

    def keep(self, at: Path) -> None:
        name = f"huimin_{at.name}"
        self._say(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)', f'CREATE DATABASE "{name}" TEMPLATE "{self.name}"')
        at.write_text(name)

    def bring_back(self, at: Path) -> None:
        self._say(
            f'DROP DATABASE IF EXISTS "{self.name}" WITH (FORCE)',
            f'CREATE DATABASE "{self.name}" TEMPLATE "{at.read_text()}"',
        )

    def _emptied(self) -> bool:
        """True where the last test left the schema and the reference data alone, and what it added is gone."""
        if self._fingerprint is None:
            return False
        with self._connect(self.name) as connection:
            try:
                found = connection.execute(FINGERPRINT.encode()).fetchone()
            except psycopg.errors.UndefinedTable:
                return False
            if found != (self._fingerprint,):
                return False
            tables = connection.execute(
                b"SELECT string_agg(quote_ident(tablename), ', ') FROM pg_tables "
                b"WHERE schemaname = 'public' AND tablename <> ALL (%s)",
                (list(REFERENCE),),
            ).fetchone()
            connection.execute(f"TRUNCATE {tables[0]} RESTART IDENTITY".encode())  # type: ignore[index]
        return True

    def remove(self) -> None:
        """What is left goes with the server."""
