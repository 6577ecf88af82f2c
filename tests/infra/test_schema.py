"""What the migrations make is what the models say: columns, constraints, indexes, triggers, all of it."""

import re

from flask import Flask
from sqlalchemy import Connection, text

from facilities.infra.db import Model, db

POSTGRESQL = {
    "columns": "SELECT table_name, column_name, data_type, character_maximum_length, is_nullable, column_default, "
    "is_identity FROM information_schema.columns WHERE table_schema = current_schema()",
    "constraints": "SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid) FROM pg_constraint "
    "WHERE connamespace = current_schema()::regnamespace",
    "indexes": "SELECT tablename, indexname, regexp_replace(indexdef, ' ON \\w+\\.', ' ON ') FROM pg_indexes "
    "WHERE schemaname = current_schema()",
    "triggers": "SELECT tgrelid::regclass::text, tgname, regexp_replace(pg_get_triggerdef(oid), ' ON \\w+\\.', ' ON ') "
    "FROM pg_trigger WHERE NOT tgisinternal AND tgrelid IN "
    "(SELECT oid FROM pg_class WHERE relnamespace = current_schema()::regnamespace)",
}


def dump(connection: Connection) -> set[str]:
    if connection.dialect.name == "sqlite":
        rows = connection.execute(text("SELECT type, name, sql FROM sqlite_master WHERE name NOT LIKE 'sqlite_%'"))
        return {part for kind, name, sql in rows for part in _parts(kind, name, sql or "")}
    schema = connection.execute(text("SELECT current_schema()")).scalar_one()
    return {
        f"{what}: {tuple(row)}".replace(f"{schema}.", "")
        for what, query in POSTGRESQL.items()
        for row in connection.execute(text(query))
    }


def _parts(kind: str, name: str, sql: str) -> set[str]:
    """A table's statement as the set of its columns and rules: their order and blanks say nothing."""
    flat = re.sub(r"\s+", " ", sql.replace('"', "")).strip()
    if kind != "table":
        return {f"{kind} {name}: {flat}"}
    parts, depth = [""], 0
    for sign in flat[flat.index("(") + 1 : flat.rindex(")")]:
        depth += {"(": 1, ")": -1}.get(sign, 0)
        if sign == "," and depth == 0:
            parts.append("")
        else:
            parts[-1] += sign
    # what SQLite lets be added to a table is written beside the column; it says the same
    parts = [piece for part in parts for piece in re.split(r"(?<=NULL) (?=CONSTRAINT \w+ CHECK)", part.strip())]
    return {f"table {name}: {part}" for part in parts}


def test_the_migrated_schema_is_what_the_models_say(app: Flask) -> None:
    with db.engine.connect() as connection:
        migrated = {line for line in dump(connection) if "alembic_version" not in line}
    assert len(migrated) > 100
    with db.engine.begin() as connection:
        if connection.dialect.name == "postgresql":
            connection.execute(text("CREATE SCHEMA modelled"))
            connection.execute(text("SET LOCAL search_path TO modelled, public"))
            Model.metadata.create_all(connection, checkfirst=False)
        else:
            connection.execute(text("PRAGMA defer_foreign_keys = ON"))
            for table in reversed(Model.metadata.sorted_tables):
                connection.execute(text(f"DROP TABLE {table.name}"))
            Model.metadata.create_all(connection, checkfirst=False)
        modelled = {line for line in dump(connection) if "alembic_version" not in line}
    assert sorted(migrated - modelled) == []
    assert sorted(modelled - migrated) == []
