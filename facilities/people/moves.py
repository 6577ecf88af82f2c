"""What a merge does to rows, written down as it is done, so that it can be taken back step by step.

Steps are plain JSON in `merges.moves`. Each says which rows, what they were and what they are now; on the way back a
row that is no longer what it was made refuses the whole, for then something was done since that would be lost.
"""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from enum import Enum as PythonEnum
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, CursorResult, Date, Enum, Table, Uuid, and_, delete, insert, or_, select, update
from sqlalchemy.exc import IntegrityError

from facilities.infra.columns import UtcDateTime
from facilities.infra.db import Model, db
from facilities.kernel.refusals import Refused

Step = dict[str, Any]
Values = Mapping[str, Any]


class Moves:
    """Does each step and keeps it."""

    def __init__(self) -> None:
        self.steps: list[Step] = []

    def move(self, table: Table, column: str, before: int, after: int, *also: ColumnElement[bool]) -> None:
        """All rows that refer to one record refer to the other."""
        where = and_(table.c[column] == before, *also)
        keys = [tuple(row) for row in db.session.execute(select(*table.primary_key).where(where))]
        if not keys:
            return
        db.session.execute(update(table).where(where).values({column: after}))
        place = [c.name for c in table.primary_key].index(column) if column in table.primary_key.columns else None
        if place is not None:
            keys = [(*key[:place], after, *key[place + 1:]) for key in keys]
        self._note("set", table, keys=[_plain(key) for key in keys], before={column: before}, after={column: after})

    def set(self, table: Table, key: Sequence[Any], before: Values, after: Values) -> None:
        """One row's columns, where they change."""
        changed = {name: value for name, value in after.items() if before[name] != value}
        if changed:
            db.session.execute(update(table).where(_at(table, key)).values(changed))
            self._note("set", table, keys=[_plain(key)], before=_plain_values({name: before[name] for name in changed}),
                       after=_plain_values(changed))

    def drop(self, table: Table, where: ColumnElement[bool]) -> list[dict[str, Any]]:
        """Rows are set aside: they are kept here alone."""
        rows = [dict(row) for row in db.session.execute(select(table).where(where)).mappings()]
        if rows:
            db.session.execute(delete(table).where(where))
            self._note("drop", table, rows=[_plain_values(row) for row in rows])
        return rows

    def add(self, table: Table, values: Values) -> None:
        key = db.session.execute(insert(table).values(dict(values)).returning(*table.primary_key)).one()
        self._note("add", table, keys=[_plain(tuple(key))])

    def count(self, table: Table, key: Sequence[Any], column: str, by: int) -> None:
        """A counter, whatever else moves it since."""
        db.session.execute(update(table).where(_at(table, key)).values({column: table.c[column] + by}))
        self._note("count", table, keys=[_plain(key)], column=column, by=by)

    def stays(self, table: Table, key: Sequence[Any], *columns: str) -> None:
        """What must still be so when this is taken back."""
        row = db.session.execute(select(*(table.c[name] for name in columns)).where(_at(table, key))).mappings().one()
        self._note("stays", table, keys=[_plain(key)], after=_plain_values(dict(row)))

    def _note(self, step: str, table: Table, **what: object) -> None:
        self.steps.append({"step": step, "table": table.name, **what})


def take_back(steps: Sequence[Step]) -> None:
    """In the opposite order. Refused `changed_since` where a row, or its place, is no longer as it was left."""
    try:
        for step in reversed(steps):
            if step["step"] in _BACK:
                _BACK[step["step"]](Model.metadata.tables[step["table"]], step)
        db.session.flush()
    except IntegrityError as error:
        raise Refused("changed_since") from error


def _unset(table: Table, step: Step) -> None:
    as_left = (_any_of(table, step["keys"]), _is(table, step["after"]))
    _as_left(db.session.execute(update(table).where(*as_left).values(_read(table, step["before"]))), len(step["keys"]))


def _undrop(table: Table, step: Step) -> None:
    db.session.execute(insert(table), [_read(table, row) for row in step["rows"]])


def _unadd(table: Table, step: Step) -> None:
    _as_left(db.session.execute(delete(table).where(_any_of(table, step["keys"]))), len(step["keys"]))


def _uncount(table: Table, step: Step) -> None:
    column = table.c[step["column"]]
    _as_left(db.session.execute(
        update(table).where(_any_of(table, step["keys"])).values({column.name: column - step["by"]})), 1)


def _check_stays(table: Table, step: Step) -> None:
    if db.session.execute(
            select(*table.primary_key).where(_any_of(table, step["keys"]), _is(table, step["after"]))).first() is None:
        raise Refused("changed_since")


_BACK = {"set": _unset, "drop": _undrop, "add": _unadd, "count": _uncount, "stays": _check_stays}


def _as_left(result: Any, rows: int) -> None:  # noqa: ANN401 - of an UPDATE or DELETE, which has a count
    if isinstance(result, CursorResult) and result.rowcount != rows:
        raise Refused("changed_since")


def _at(table: Table, key: Sequence[Any]) -> ColumnElement[bool]:
    return and_(*(column == value for column, value in zip(table.primary_key, key, strict=True)))


def _any_of(table: Table, keys: Sequence[Sequence[Any]]) -> ColumnElement[bool]:
    columns = list(table.primary_key)
    read = [[_value(column.type, value) for column, value in zip(columns, key, strict=True)] for key in keys]
    if len(columns) == 1:
        return columns[0].in_([key[0] for key in read])
    return or_(*(_at(table, key) for key in read))


def _is(table: Table, values: Values) -> ColumnElement[bool]:
    return and_(*(table.c[name].is_not_distinct_from(value) for name, value in _read(table, values).items()))


def _plain(key: Sequence[Any]) -> list[Any]:
    return [_say(value) for value in key]


def _plain_values(values: Values) -> dict[str, Any]:
    return {name: _say(value) for name, value in values.items()}


def _say(value: Any) -> Any:  # noqa: ANN401 - any column's
    if isinstance(value, PythonEnum):
        return value.value
    if isinstance(value, date):  # instants too
        return value.isoformat()
    return str(value) if isinstance(value, UUID) else value


def _read(table: Table, values: Values) -> dict[str, Any]:
    return {name: _value(table.c[name].type, value) for name, value in values.items()}


def _value(kind: Any, value: Any) -> Any:  # noqa: ANN401 - any column's
    if value is None:
        return None
    if isinstance(kind, UtcDateTime):
        return datetime.fromisoformat(value)
    if isinstance(kind, Date):
        return date.fromisoformat(value)
    if isinstance(kind, Uuid):
        return UUID(value)
    return kind.enum_class(value) if isinstance(kind, Enum) and kind.enum_class else value
