"""What tests stand on: an app on each of the two databases, a clock that stands still, people and places."""

import gc
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from flask import Flask
from flask_migrate import upgrade

from config import ROOT, Settings
from facilities.app import create_app
from facilities.infra.db import db, unit_of_work
from facilities.kernel import clock
from facilities.places.reference import load_reference_data
from tests.client import Caller, Client, Counter, count_queries
from tests.stores import KINDS, PostgresqlStore, SqliteStore, Store
from tests.templates import keep_compiled
from tests.world import World

keep_compiled()
NOW = datetime(2026, 9, 16, 2, 0, tzinfo=UTC)  # Wednesday, 10:00 in the district


# Where tests are long: they come first, so that at the end nobody waits for the one who has just begun with one.
LONG = ("browser/", "race/", "benchmarks/", "security/", "people/test_services", "pages/", "demo/", "jobs/test_worker",
        "notices/test_month", "bookings/test_machine", "engine/test_machines", "test_cli")  # fmt: skip


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: not item.nodeid.removeprefix("tests/").startswith(LONG))


class Apps:
    """One app for each kind of database and test process, made when it is first asked for."""

    def __init__(self, folder: Path, worker: str) -> None:
        self.folder, self.worker = folder, worker
        self._ready: dict[str, tuple[Flask, Store]] = {}

    def get(self, kind: str) -> tuple[Flask, Store]:
        assert kind in KINDS, f"no kind of database: {kind!r}; a test means something else by the name"
        if kind not in self._ready:
            self._ready[kind] = self._make(kind)
        return self._ready[kind]

    def close(self) -> None:
        for _, store in self._ready.values():
            store.close()

    def settings(self, kind: str, url: str) -> Settings:
        return replace(
            Settings.read({"HUIMIN_ENV": "test", "HUIMIN_INSTANCE": str(self.folder / kind)}), database_url=url
        )

    def _make(self, kind: str) -> tuple[Flask, Store]:
        folder = self.folder / kind
        folder.mkdir()
        store: Store = SqliteStore(folder) if kind == "sqlite" else PostgresqlStore(self.worker)
        template = create_app(self.settings(kind, store.template_url))
        with template.app_context():
            upgrade(directory=str(ROOT / "migrations"))
            with clock.frozen(NOW):
                unit_of_work(load_reference_data)
            db.session.remove()
            if kind == "sqlite":
                with db.engine.connect() as connection:
                    connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
            db.engine.dispose()
        app = create_app(self.settings(kind, store.url))
        app.config["TESTING"] = True
        app.test_client_class = Client
        with app.app_context():
            store.let_go = db.engine.dispose
        return app, store


@pytest.fixture(scope="session")
def apps(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Iterator[Apps]:
    made = Apps(tmp_path_factory.mktemp("apps"), worker_id)
    yield made
    made.close()


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest) -> str:
    """The kind of database: a test that asks for anything that stands on it runs on both."""
    return str(request.param)


@pytest.fixture
def store(apps: Apps, kind: str) -> Iterator[Store]:
    _, store = apps.get(kind)
    store.reset()
    yield store
    store.remove()


@pytest.fixture
def app(apps: Apps, kind: str, store: Store) -> Iterator[Flask]:
    """The app on a fresh database, with its context pushed."""
    app, _ = apps.get(kind)
    with app.app_context():
        yield app
        db.session.remove()
    gc.collect(0)


@pytest.fixture
def now() -> Iterator[datetime]:
    with clock.frozen(NOW):
        yield NOW


@pytest.fixture
def world(app: Flask, now: datetime) -> World:
    return World(app)


@pytest.fixture
def anyone(app: Flask, now: datetime) -> Caller:
    """A caller of the API without a token."""
    return Caller(app)


@pytest.fixture
def queries(app: Flask) -> Iterator[Counter]:
    with count_queries(db.engine) as counter:
        yield counter
