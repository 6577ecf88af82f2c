"""From a constraint's name to the refusal that it stands for.

A constraint or index that a user can run into carries `info={"refusal": code}` in its model; the name is what both
databases report. SQLite names CHECKs and triggers, and for a unique index the columns, which are looked up.
"""

import re
from collections.abc import Iterator

from sqlalchemy import Constraint, Index, MetaData, PrimaryKeyConstraint, UniqueConstraint
from sqlalchemy.exc import IntegrityError

from facilities.kernel.refusals import Refused

_SQLITE_UNIQUE = re.compile(r"UNIQUE constraint failed: (?P<columns>.+)")
_SQLITE_CHECK = re.compile(r"CHECK constraint failed: (?P<name>\w+)")


def refused_by(error: IntegrityError, metadata: MetaData) -> Refused | None:
    """The refusal behind a database's error; None where no user should be able to cause it."""
    name = violated(error, metadata)
    for rule in named_rules(metadata):
        if rule.name == name and "refusal" in rule.info:
            return Refused(rule.info["refusal"])
    return Refused("in_use") if _is_about_a_reference(error) else None


def _is_about_a_reference(error: IntegrityError) -> bool:
    """SQLite does not name a foreign key: services look first, and this is what is left to a race."""
    return getattr(error.orig, "sqlstate", None) == "23503" or str(error.orig) == "FOREIGN KEY constraint failed"


def violated(error: IntegrityError, metadata: MetaData) -> str | None:
    """The name of the constraint, unique index or trigger that was violated."""
    diagnostics = getattr(error.orig, "diag", None)
    if diagnostics is not None:
        return str(diagnostics.constraint_name) if diagnostics.constraint_name else None
    message = str(error.orig)
    if match := _SQLITE_CHECK.match(message):
        return match["name"]
    if match := _SQLITE_UNIQUE.match(message):
        columns = {c.strip() for c in match["columns"].split(",")}
        for rule in named_rules(metadata):
            if not isinstance(rule, (PrimaryKeyConstraint, UniqueConstraint, Index)):
                continue
            unique = not isinstance(rule, Index) or rule.unique
            if unique and {f"{c.table.name}.{c.name}" for c in rule.columns} == columns:
                return str(rule.name)
        return None
    return message if message.isidentifier() else None  # a trigger's RAISE gives the bare name


def named_rules(metadata: MetaData) -> Iterator[Constraint | Index]:
    for table in metadata.tables.values():
        yield from table.constraints
        yield from table.indexes
