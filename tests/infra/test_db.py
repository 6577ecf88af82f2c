"""One place that commits: whole or not at all, and again where another try may succeed."""

import contextlib
import sqlite3
from datetime import UTC, datetime, timedelta, timezone

import psycopg
import pytest
from flask import Flask
from sqlalchemy import func, select, text
from sqlalchemy.exc import IntegrityError, OperationalError, StatementError

from facilities.accounts.models import User
from facilities.infra import db as infra
from facilities.infra.db import db, unit_of_work
from facilities.kernel.refusals import Refused
from tests.world import World


def add_user(login: str) -> User:
    user = User(login=login, display_name=login, password_hash="-", created_at=datetime(2026, 9, 16, tzinfo=UTC))
    db.session.add(user)
    db.session.flush()
    return user


def users() -> int:
    db.session.rollback()
    return db.session.scalar(select(func.count()).select_from(User)) or 0


def test_a_unit_of_work_commits_what_it_returns_from(app: Flask) -> None:
    unit_of_work(lambda: add_user("one"))
    assert users() == 1


def test_a_unit_of_work_that_raises_leaves_nothing(app: Flask) -> None:
    def half() -> None:
        add_user("one")
        raise KeyError

    with pytest.raises(KeyError):
        unit_of_work(half)
    assert users() == 0


def test_a_named_constraint_becomes_its_refusal(app: Flask) -> None:
    unit_of_work(lambda: add_user("one"))
    with pytest.raises(Refused) as refused:
        unit_of_work(lambda: add_user("one"))
    assert refused.value.refusal.code == "login_taken"
    assert users() == 1


def test_a_constraint_that_no_user_can_reach_stays_an_error(app: Flask) -> None:
    with pytest.raises(IntegrityError):
        unit_of_work(lambda: db.session.execute(text("INSERT INTO calendar_days (date) VALUES ('2030-01-01')")))


class Deadlock(psycopg.errors.DeadlockDetected):
    sqlstate = "40P01"


@pytest.mark.parametrize(("failures", "succeeds"), [(1, True), (2, True), (3, False)])
def test_deadlocks_are_tried_again_at_most_three_times(app: Flask, failures: int, succeeds: bool) -> None:
    tries = []

    def unlucky() -> str:
        tries.append(1)
        if len(tries) <= failures:
            raise OperationalError("UPDATE", {}, Deadlock())
        return add_user("one").login

    if succeeds:
        assert unit_of_work(unlucky) == "one"
        assert users() == 1
    else:
        with pytest.raises(OperationalError):
            unit_of_work(unlucky)
        assert users() == 0
    assert len(tries) == min(failures + 1, infra.ATTEMPTS)


def test_what_was_read_before_is_read_again_inside(world: World) -> None:
    session = world.session(capacity=5)
    with db.engine.begin() as connection:
        connection.execute(text(f"UPDATE activity_sessions SET capacity = 7 WHERE id = {session.id}"))
    assert unit_of_work(lambda: session.capacity) == 7


def test_sqlite_takes_the_write_lock_with_the_first_statement(app: Flask) -> None:
    if db.engine.dialect.name != "sqlite":
        assert db.session.execute(text("SHOW transaction_isolation")).scalar_one() == "read committed"
        return

    def inside() -> None:
        db.session.execute(text("SELECT 1"))
        with (
            contextlib.closing(sqlite3.connect(db.engine.url.database or "", timeout=0.05)) as other,
            pytest.raises(sqlite3.OperationalError, match="locked"),
        ):
            other.execute("BEGIN IMMEDIATE")

    unit_of_work(inside)


def test_sqlite_loses_nothing_and_keeps_its_references(app: Flask) -> None:
    if db.engine.dialect.name == "sqlite":
        with db.engine.connect() as connection:
            found = [
                connection.exec_driver_sql(f"PRAGMA {name}").scalar()
                for name in ("journal_mode", "synchronous", "foreign_keys")
            ]
        assert found == ["wal", 2, 1]
    else:
        with db.engine.connect() as connection:
            assert connection.execute(text("SELECT 1 FROM pg_extension WHERE extname = 'btree_gist'")).scalar() == 1


def test_naive_instants_never_reach_a_column(app: Flask) -> None:
    user = User(login="one", display_name="one", password_hash="-", created_at=datetime(2026, 9, 16))  # noqa: DTZ001 - the point
    db.session.add(user)
    with pytest.raises(StatementError, match="offset"):
        db.session.flush()


def test_instants_come_back_as_utc_whatever_offset_they_had(app: Flask) -> None:
    beijing = datetime(2026, 9, 16, 8, 30, tzinfo=timezone(timedelta(hours=8)))
    user = unit_of_work(lambda: add_user("one"))
    unit_of_work(lambda: setattr(user, "created_at", beijing))
    db.session.expire_all()
    assert user.created_at == beijing
    assert user.created_at.tzinfo is UTC


@pytest.mark.parametrize("kind", ["postgresql"])  # SQLite has no other processes
def test_no_question_waits_until_postgresql_has_started_further_processes(app: Flask, kind: str) -> None:
    assert db.session.scalar(text("SHOW max_parallel_workers_per_gather")) == "0"
