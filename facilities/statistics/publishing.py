"""The verb that makes a month open: what of its figures anyone may see is decided once, and written down (decision 16).

A month is looked at every night, and published anew where its own true figures have changed. What that takes is worked
out before anything is written, so that nobody waits for it.
"""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import product

from sqlalchemy import delete, insert, select
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert

from facilities.engine.ages import ELDER_AGE
from facilities.engine.beneficiaries import OF_WHOM, Category
from facilities.engine.suppression import Box, Cell, cover, is_small
from facilities.infra.db import db
from facilities.kernel import clock
from facilities.statistics import queries
from facilities.statistics.models import OpenFigures, OpenPeriod
from facilities.statistics.open_data import (
    LABELS,
    MEASURES,
    SPLITS,
    WHO,
    Said,
    Values,
    add_up,
    is_year,
    months_between,
    months_of,
    published,
)
from facilities.statistics.queries import NOT_KNOWN, Dimension, Figures, Row, Scope

RULES = 1  # raised with what is hidden, or how it is decided: every month is then published anew
LATE_ENTRIES = timedelta(days=2)  # the roll of a month's last day is closed within the day after it, and looked at
_ANY = "*"
_FINEST, _GATHERINGS = ",".join(LABELS), ",".join(d for d in LABELS if d not in WHO)

Key = tuple[str, tuple[str, ...]]  # a split, and the values of its dimensions
Tables = dict[str, list[Row]]  # by split


@dataclass(frozen=True, slots=True)
class Statement:
    """What anyone may know of a period, row by row."""

    period: str
    fingerprint: str
    rows: dict[Key, Said]


def periods_over() -> list[str]:
    """What is to be published: the months that are over and entered, and then the years."""
    last = (clock.today() - LATE_ENTRIES).replace(day=1) - timedelta(days=1)
    begun = queries.first_day_with_figures(Scope(date.min, date.max))
    first = min([f"{last:%Y-%m}", *months_of(published()), *([f"{begun:%Y-%m}"] if begun else [])])
    months = months_between(first, f"{last:%Y-%m}")
    return [*months, *(month[:4] for month in months if month.endswith("-12"))]


def statement_of(period: str) -> Statement | None:
    """None where what is published is still true, or cannot be said now: a month that somebody corrects at this moment,
    a year of which a month is missing."""
    return _of_year(period) if is_year(period) else _of_month(period)


def publish(statement: Statement) -> None:
    """In the place of what was said before. A year's persons fit its months, so that they go with each of them."""
    period, now = statement.period, clock.now()
    upsert = postgresql_insert if db.engine.dialect.name == "postgresql" else sqlite_insert
    said = {"fingerprint": statement.fingerprint, "published_at": now}
    db.session.execute(upsert(OpenPeriod).values(name=period, **said)
                       .on_conflict_do_update(index_elements=[OpenPeriod.name], set_=said))
    db.session.execute(delete(OpenFigures).where(OpenFigures.period.in_({period, period[:4]})))
    if not is_year(period):
        db.session.execute(delete(OpenPeriod).where(OpenPeriod.name == period[:4]))
    if statement.rows:
        db.session.execute(insert(OpenFigures), [
            {**dict.fromkeys(LABELS, ""), **dict(zip(SPLITS[split], values, strict=True)),
             "split_by": split, "period": period, **figures}
            for (split, values), figures in statement.rows.items()])


def _of_month(month: str) -> Statement | None:
    start = date.fromisoformat(f"{month}-01")
    scope = Scope(start, (start + timedelta(days=31)).replace(day=1) - timedelta(days=1))
    tables = _read(scope)
    fingerprint = _fingerprint(tables)
    if fingerprint == _published_fingerprint(month) or fingerprint != _fingerprint(_read(scope)):
        return None
    public = _Public(tables)
    return Statement(month, fingerprint, {
        (split, tuple(row.of.values())): public.shown(row.of, row.figures)
        for split, rows in tables.items() for row in rows if row.figures.person_times})


def _of_year(year: str) -> Statement | None:
    """Its months' numbers together, and how many persons came in the year, where no month's differ from that by a few:
    of two periods, one a month longer, one could read how many came in that month and in no other."""
    periods = published()
    first, last = max(f"{year}-01", min(periods)), f"{year}-12"
    months = months_between(first, last)
    if not set(months) <= set(periods):
        return None
    known = db.session.scalars(
        select(OpenPeriod.fingerprint).where(OpenPeriod.name.in_(months)).order_by(OpenPeriod.name))
    fingerprint = hashlib.sha256("".join(known).encode()).hexdigest()
    if fingerprint == _published_fingerprint(year):
        return None
    said: dict[Key, list[Said]] = {}
    for part in db.session.execute(select(*OpenFigures.__table__.columns).where(OpenFigures.period.in_(months))):
        key = part.split_by, tuple(getattr(part, label) for label in SPLITS[part.split_by])
        said.setdefault(key, []).append({measure: getattr(part, measure) for measure in MEASURES})
    rows = {key: add_up(parts) for key, parts in said.items()}
    whole = Scope(date(int(year), 1, 1), date(int(year), 12, 31))
    for split, table in _read(whole).items():
        for row in table:
            key = split, tuple(row.of.values())
            monthly = [numbers["persons"] for numbers in said.get(key, ()) if numbers["persons"] != 0]
            if len(monthly) > 1 and all(n is not None and not is_small(row.figures.persons - n) for n in monthly):
                rows[key]["persons"] = row.figures.persons
    return Statement(year, fingerprint, rows)


def _read(scope: Scope) -> Tables:
    return {split: queries.beneficiaries(scope, dimensions) for split, dimensions in SPLITS.items()}


def _fingerprint(tables: Tables) -> str:
    """Of all that a statement is made of."""
    content = [RULES, [[split, [[*row.of.values(), *(getattr(row.figures, measure) for measure in MEASURES)]
                                for row in rows]] for split, rows in tables.items()]]
    return hashlib.sha256(json.dumps(content).encode()).hexdigest()


def _published_fingerprint(period: str) -> str | None:
    return db.session.scalar(select(OpenPeriod.fingerprint).where(OpenPeriod.name == period))


class _Public:
    """A month: its cover, and the places where a few persons came to something."""

    def __init__(self, tables: Tables) -> None:
        table: dict[Cell, int] = {}
        for row in tables[_FINEST]:
            for cell, number in _cells(row):
                table[cell] = table.get(cell, 0) + number
        self.hidden = cover(table).hidden
        self.few = {place for row in tables[_GATHERINGS] if is_small(row.figures.persons) for place in _places(row.of)}
        # where anything is hidden of the groups there, or one of them has a few persons only
        self.closed = {place for row in tables[_FINEST] if is_small(row.figures.persons)
                       or not self.is_shown(row.of, _ANY) or not self.is_shown(row.of, "counted")
                       for place in _places(row.of)}

    def is_shown(self, values: Values, kind: str) -> bool:
        return _box(values, kind) not in self.hidden

    def shown(self, values: Values, figures: Figures) -> Said:
        """What of these figures, of the box that `values` says, anyone may see."""
        times = self.is_shown(values, _ANY)
        unnamed = times and self.is_shown(values, "counted")
        place = _box(values, _ANY)[:2]
        split = any(dimension in values for dimension in WHO)
        # neither adds up over groups, so that decoys do not speak for them: no group in these places may be small
        alike = times and (not split or place not in self.closed)
        told = alike and place not in self.few
        persons = unnamed and (told or not figures.persons)  # nobody is named: the other two numbers say so already
        return {
            "sessions_held": figures.sessions_held if alike else None,
            "person_times": figures.person_times if times else None,
            "persons": figures.persons if persons else None,
            "unidentified_person_times": figures.unidentified_person_times if unnamed else None,
        }


def _places(of: Values) -> Iterator[tuple[str, ...]]:
    """All that a row's place is in, as boxes say it."""
    return product(*_place(of))


def _place(of: Values) -> tuple[tuple[str, ...], tuple[str, ...]]:
    return (of[Dimension.FACILITY], f"in {of[Dimension.SUB_DISTRICT]}", _ANY), (of[Dimension.PROGRAMME], _ANY)


def _cells(row: Row) -> Iterator[tuple[Cell, int]]:
    """Person-times with and without a name. Elders and disabled are of whom: only what nobody named is a cell more."""
    of, unnamed = row.of, row.figures.unidentified_person_times
    category, band = of[Dimension.CATEGORY], of[Dimension.AGE_BAND]
    place, who = _place(of), ((of[Dimension.SEX], _ANY), (band, _ANY))
    if category in OF_WHOM:
        yield (*place, (_ANY,), (category,), *who, ("counted", _ANY)), unnamed
        return
    is_elder = band != NOT_KNOWN and int(band.rstrip("+").split("-")[0]) >= ELDER_AGE
    of_whom = (Category.ELDERS.value, _ANY) if is_elder else (_ANY,)
    yield (*place, (category, _ANY), of_whom, *who, ("named", _ANY)), row.figures.person_times - unnamed
    yield (*place, (category, _ANY), (_ANY,), *who, ("counted", _ANY)), unnamed


def _box(values: Values, kind: str) -> Box:
    """The box of the table that these values say; the axes are those of `_cells`."""
    place = values.get(Dimension.FACILITY)
    if place is None and Dimension.SUB_DISTRICT in values:
        place = f"in {values[Dimension.SUB_DISTRICT]}"
    category = values.get(Dimension.CATEGORY, _ANY)
    split, of_whom = (_ANY, category) if category in OF_WHOM else (category, _ANY)
    return (place or _ANY, values.get(Dimension.PROGRAMME, _ANY), split, of_whom,
            values.get(Dimension.SEX, _ANY), values.get(Dimension.AGE_BAND, _ANY), kind)
