"""The database: one metadata, one session a request, one place that commits."""

import sqlite3
from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass
from threading import RLock
from typing import Any, TypeVar

from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import Connection, Engine, MetaData, event, text
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.orm import DeclarativeBase
from sqlalchemy.pool import ConnectionPoolEntry

from facilities.infra.integrity import refused_by

T = TypeVar("T")

ATTEMPTS = 3
RETRIED = {"40001", "40P01"}  # serialization failure, deadlock: another try may succeed
SQLITE_BUSY_SECONDS = 20

NAMES = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}


class Model(DeclarativeBase):
    metadata = MetaData(naming_convention=NAMES)


db = SQLAlchemy(metadata=Model.metadata, session_options={"expire_on_commit": False})


@dataclass(slots=True)
class _Unit:
    """`undone`: a part of it failed and everything was rolled back; what comes after stands on its own.

    `turns`: how many transactions it began on SQLite, for each of which this process has nobody else write.
    """

    undone: bool = False
    turns: int = 0


_writer = RLock()
_around: ContextVar[_Unit | None] = ContextVar("unit_of_work", default=None)


def unit_of_work(work: Callable[[], T]) -> T:
    """Run `work` in one writing transaction and commit it; the only place that does.

    Inside another unit it is a part of that one, which commits for both, or undoes both where either fails.
    Raises `Refused` where a named constraint says no, so that the database's refusal and the engine's look alike.
    The transaction begins with the first statement, so that nobody waits while a request is still being read. On SQLite
    that is BEGIN IMMEDIATE: a reader that turns writer half-way would be thrown out.
    """
    around = _around.get()
    if around is not None and not around.undone:
        return _as_part_of(around, work)
    for attempt in range(1, ATTEMPTS + 1):
        _end_reading()
        unit = _Unit()
        token = _around.set(unit)
        try:
            result = work()
            if not unit.undone and db.session().in_transaction():
                db.session.commit()
        except IntegrityError as error:
            db.session.rollback()
            refusal = refused_by(error, Model.metadata)
            if refusal is None:
                raise
            raise refusal from error
        except DBAPIError as error:
            db.session.rollback()
            if attempt == ATTEMPTS or getattr(error.orig, "sqlstate", None) not in RETRIED:
                raise
        except BaseException:
            db.session.rollback()
            raise
        else:
            return result
        finally:
            for _ in range(unit.turns):
                _writer.release()
            _around.reset(token)
    raise AssertionError("unreachable: the last attempt returns or raises")


def _as_part_of(around: _Unit, work: Callable[[], T]) -> T:
    _forget_what_was_read()
    try:
        result = work()
        db.session.flush()
    except BaseException as error:
        around.undone = True
        db.session.rollback()
        if isinstance(error, IntegrityError) and (refusal := refused_by(error, Model.metadata)):
            raise refusal from error
        raise
    return result


def refresh_planner() -> None:
    """Tell the planner what the tables hold, after many rows were written at once and committed.

    PostgreSQL's own round may have come by while the rows were still uncommitted; until it comes again it takes the
    tables for empty, and a query that joins four of them was seen to take 49 s instead of 20 ms.
    """
    db.session.execute(text("ANALYZE"))
    db.session.commit()


def _end_reading() -> None:
    """What was read before the unit began may be out of date inside it."""
    if db.session().in_transaction():
        db.session.commit()
    _forget_what_was_read()


def _forget_what_was_read() -> None:
    session = db.session()
    if session.identity_map:
        session.expire_all()


@event.listens_for(Engine, "connect")
def _prepare_connection(connection: Any, _entry: ConnectionPoolEntry) -> None:  # noqa: ANN401 - any driver's
    """Transactions begin where `_begin` says so, on both: a statement alone needs none around it (infra.prepared).

    PostgreSQL answers in one process: until it has started others it could have answered what anybody here waits for
    (a question of the ledger takes 6 ms instead of 14), and the other cores have somebody else to answer.
    """
    if not isinstance(connection, sqlite3.Connection):
        connection.autocommit = True
        connection.execute("SET max_parallel_workers_per_gather = 0")
        return
    connection.isolation_level = None
    for pragma in ("journal_mode = WAL", "synchronous = FULL", "foreign_keys = ON",
                   f"busy_timeout = {SQLITE_BUSY_SECONDS * 1000}"):
        connection.execute(f"PRAGMA {pragma}")


@event.listens_for(Engine, "begin")
def _begin(connection: Connection) -> None:
    unit = _around.get()
    if connection.dialect.name != "sqlite" or unit is None:
        connection.exec_driver_sql("BEGIN")
        return
    _writer.acquire()  # SQLite lets whoever would write second sleep and try again: within a process they queue instead
    unit.turns += 1
    connection.exec_driver_sql("BEGIN IMMEDIATE")
