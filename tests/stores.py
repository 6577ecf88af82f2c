"""The two databases that every test which needs one runs on, each test on a fresh copy of a migrated template.

The template is made by the migrations, not by `create_all`, so that what is tested is what is installed. A copy takes
milliseconds, and a test may commit, race and drop constraints as it likes.
"""

import os
import shutil
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

    def remove(self) -> None:
        raise AssertionError("each kind of store says how")


class SqliteStore(Store):
    def __init__(self, folder: Path) -> None:
        self.path, self.template = folder / "test.sqlite3", folder / "template.sqlite3"
        self.url, self.template_url = f"sqlite:///{self.path}", f"sqlite:///{self.template}"

    def reset(self) -> None:
        for leftover in ("-wal", "-shm"):
            Path(f"{self.path}{leftover}").unlink(missing_ok=True)
        shutil.copyfile(self.template, self.path)

    def remove(self) -> None:
        self.path.unlink(missing_ok=True)


class PostgresqlStore(Store):
    def __init__(self, worker: str) -> None:
        server = os.environ.get("POSTGRESQL_URL")
        if not server:
            raise RuntimeError("POSTGRESQL_URL is not set: run the tests through bin/test, which starts a PostgreSQL")
        url = make_url(server)
        self.admin = url.set(drivername="postgresql").render_as_string(hide_password=False)
        self.name, self.template = f"huimin_{worker}", f"huimin_template_{worker}"
        self.url = url.set(database=self.name).render_as_string(hide_password=False)
        self.template_url = url.set(database=self.template).render_as_string(hide_password=False)
        self._say(f'DROP DATABASE IF EXISTS "{self.template}" WITH (FORCE)', f'CREATE DATABASE "{self.template}"')

    def _say(self, *statements: str) -> None:
        with psycopg.connect(self.admin, autocommit=True) as connection:
            for statement in statements:
                connection.execute(statement.encode())

    def reset(self) -> None:
        self._say(
            f'DROP DATABASE IF EXISTS "{self.name}" WITH (FORCE)',
            f'CREATE DATABASE "{self.name}" TEMPLATE "{self.template}" STRATEGY = FILE_COPY',
        )

    def remove(self) -> None:
        self._say(f'DROP DATABASE IF EXISTS "{self.name}" WITH (FORCE)')
