"""Truths about several rows of one table: never twice at once, never changed.

PostgreSQL has EXCLUDE over ranges; SQLite gets triggers that raise the same name. Both come from one call, so that
they cannot drift apart.
"""

from sqlalchemy import DDL, CheckConstraint, Table, event, text
from sqlalchemy.dialects.postgresql import ExcludeConstraint

NEVER_CHANGED_FUNCTION = """
CREATE OR REPLACE FUNCTION huimin_never_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION USING ERRCODE = 'check_violation', CONSTRAINT = TG_NAME, MESSAGE = TG_NAME;
END $$"""


def never_twice_at_once(name: str, key: str, *, refusal: str, where: str | None = None) -> ExcludeConstraint:
    """No two rows with the same `key`, both matching `where` (one condition on a column), overlap in time."""
    rule = ExcludeConstraint(
        (text(key), "="), (text("tstzrange(starts_at, ends_at)"), "&&"),
        name=name, using="gist", where=text(where) if where else None,
        info={"refusal": refusal, "key": key, "where": where},
    )
    return rule.ddl_if(dialect="postgresql")


def sqlite_overlap_triggers(table: str, name: str, key: str, where: str | None) -> list[str]:
    """The same truth for SQLite: one trigger for new rows, one for changed ones."""
    new, other = (f"WHEN NEW.{where} ", f"other.{where} AND ") if where else ("", "")
    body = (
        f"{new}BEGIN SELECT RAISE(ABORT, '{name}') WHERE EXISTS (SELECT 1 FROM {table} AS other "  # noqa: S608 - names
        f"WHERE other.{key} = NEW.{key} AND {other}other.id <> NEW.id "
        f"AND other.starts_at < NEW.ends_at AND other.ends_at > NEW.starts_at); END"
    )
    # A new row's id is not known before it is in; afterwards it is, and an abort takes the row out again.
    return [f"CREATE TRIGGER {name}_{verb} AFTER {event_} ON {table} {body}"
            for verb, event_ in (("insert", "INSERT"), ("update", "UPDATE"))]


def never_changed_triggers(table: str, dialect: str, once: str | None = None) -> list[str]:
    """Rows of `table` are added and never changed or removed; from when on, where `once` (a condition on a column)."""
    statements = [NEVER_CHANGED_FUNCTION] if dialect == "postgresql" else []
    for verb in ("UPDATE", "DELETE"):
        name = f"{table}_never_{verb.lower()}d"
        when = f"WHEN (OLD.{once}) " if once else ""
        action = (f"FOR EACH ROW {when}EXECUTE FUNCTION huimin_never_changed()" if dialect == "postgresql"
                  else f"{when}BEGIN SELECT RAISE(ABORT, '{name}'); END")
        statements.append(f"CREATE TRIGGER {name} BEFORE {verb} ON {table} {action}")
    return statements


def hold_on_sqlite(table: Table, rule: ExcludeConstraint) -> None:
    """Attach the triggers to a table's creation, beside the EXCLUDE that the model declares."""
    for statement in sqlite_overlap_triggers(table.name, str(rule.name), rule.info["key"], rule.info["where"]):
        _after_create(table, statement, "sqlite")


def hold_unchanged(table: Table, once: str | None = None) -> None:
    for dialect in ("postgresql", "sqlite"):
        for statement in never_changed_triggers(table.name, dialect, once):
            _after_create(table, statement, dialect)


def _after_create(table: Table, statement: str, dialect: str) -> None:
    event.listen(table, "after_create", DDL(statement).execute_if(dialect=dialect))  # type: ignore[no-untyped-call]


def check(rule: str, name: str, *, refusal: str | None = None) -> CheckConstraint:
    """A CHECK named for its rule, with the refusal that a user gets who runs into it."""
    return CheckConstraint(rule, name=name, info={"refusal": refusal} if refusal else {})
