"""Proof that the drill can see: damage behind the constraints' back, of which each must be found."""

import random

from sqlalchemy import Connection, Engine, inspect, text

from benchmarks.drill.ledger import Cancel, Kind, Ledger, Promise


def damage(engine: Engine, ledger: Ledger, chance: random.Random) -> set[str]:
    """Break what can be broken; the rules (`check.Violation.rule`) that must be found broken afterwards."""
    told = [p for p in ledger.promises if p.number is not None]
    bookings = [p for p in told if p.kind is Kind.BOOKING]
    standing = [p for p in bookings if p.status == "confirmed" and p.cancel is Cancel.NO]
    cancelled = [p for p in bookings if p.cancel is Cancel.ACKNOWLEDGED]
    held = [p for p in told if p.kind is Kind.RESERVATION and p.cancel is Cancel.NO]
    chance.shuffle(standing)
    expected: set[str] = set()
    with engine.begin() as connection:
        _disarm(connection)
        if len(standing) > 1:
            _run(connection, "UPDATE activity_sessions SET places_taken = capacity + 1 WHERE id = :target", standing[1])
            _twin(connection, "bookings", standing[1])  # before the next, whose number SQLite would give it
            _run(connection, "DELETE FROM bookings WHERE id = :id", standing[0])
            expected |= {"acknowledged and lost", "over capacity", "counter differs", "booked twice in a session",
                         "resident in two places", "a row that nobody was told of"}
        if cancelled:
            _run(connection, "UPDATE bookings SET state = 'confirmed', cancelled_at = NULL WHERE id = :id",
                 cancelled[0])
            expected.add("cancelled and not kept so")
        if held:
            number = connection.scalar(text("SELECT id FROM occupancies WHERE reservation_id = :id"),
                                       {"id": held[0].number})
            _copy(connection, "occupancies", number)
            expected |= {"space held twice", "space not held as promised"}
    return expected


def _run(connection: Connection, statement: str, promise: Promise) -> None:
    connection.execute(text(statement), {"id": promise.number, "target": promise.target})


def _twin(connection: Connection, table: str, promise: Promise) -> None:
    _copy(connection, table, promise.number, reference="'TWIN'")


def _copy(connection: Connection, table: str, number: int | None, **other: str) -> None:
    columns = [c["name"] for c in inspect(connection).get_columns(table) if c["name"] != "id"]
    values = ", ".join(other.get(name, name) for name in columns)
    connection.execute(text(f"INSERT INTO {table} ({', '.join(columns)}) SELECT {values} FROM {table} WHERE id = :id"),
                       {"id": number})


def _disarm(connection: Connection) -> None:
    """Take away everything that would refuse the damage: checks, unique indexes, exclusions, triggers."""
    if connection.dialect.name == "sqlite":
        for statement in ("COMMIT", "PRAGMA foreign_keys = OFF", "PRAGMA ignore_check_constraints = ON",
                          "BEGIN IMMEDIATE"):  # inside a transaction the first pragma does nothing
            connection.exec_driver_sql(statement)
        dropped = connection.execute(text(
            "SELECT type, name FROM sqlite_master WHERE tbl_name IN ('bookings', 'occupancies', 'activity_sessions') "
            "AND (type = 'trigger' OR (type = 'index' AND sql LIKE 'CREATE UNIQUE%'))"))
        for kind, name in dropped.all():
            connection.execute(text(f'DROP {kind} "{name}"'))
        return
    connection.execute(text("SET LOCAL session_replication_role = replica"))  # foreign keys and triggers rest
    dropped = connection.execute(text(
        "SELECT conrelid::regclass, conname FROM pg_constraint WHERE contype IN ('c', 'x') "
        "AND conrelid::regclass::text IN ('bookings', 'occupancies', 'activity_sessions')"))
    for table, name in dropped.all():
        connection.execute(text(f'ALTER TABLE {table} DROP CONSTRAINT "{name}"'))
    for index in ("uq_bookings_one_live_for_a_resident_in_a_session", "uq_occupancies_session_space",
                  "uq_occupancies_reservation_space"):
        connection.execute(text(f"DROP INDEX IF EXISTS {index}"))
