"""The verb that makes a month open: what of its figures anyone may see is decided once, and written down (decision 16).

A month is looked at every night, and published anew where its own true figures have changed. What that takes is worked
out before anything is written, so that nobody waits for it.
"""

import hashlib
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import partial
from itertools import groupby, product

from sqlalchemy import delete, insert, select
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert

from facilities.engine.ages import ELDER_AGE
from facilities.engine.beneficiaries import OF_WHOM, Category
from facilities.engine.profiles import NOT_KNOWN
from facilities.engine.suppression import Box, Cell, cover, is_small
from facilities.infra.db import db
from facilities.kernel import clock
from facilities.statistics import queries
from facilities.statistics.dimensions import Dimension, Scope
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
from facilities.statistics.rows import Figures, Row

RULES = 1  # raised with what is hidden, or how it is decided: every month is then published anew
LATE_ENTRIES = timedelta(days=2)  # the roll of a month's last day is closed within the day after it, and looked at
_ANY = "*"
_FINEST, _GATHERINGS = ",".join(LABELS), ",".join(d for d in LABELS if d not in WHO)
_OF_PLACES = [split for split, dimensions in SPLITS.items() if not {*dimensions} & {*WHO}]

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


def looks(periods: Sequence[str]) -> Iterator[tuple[str, Callable[[], Statement | None]]]:
    """Each period with what finds out what is to be said of it: None where that is published already, or cannot be said
    now. The months of a year are read together, when it is their turn."""
    for _, year in groupby((period for period in periods if not is_year(period)), lambda month: month[:4]):
        months = list(year)
        tables = _read_months(months)
        for month in months:
            yield month, partial(_of_month, month, tables.get(month, {}))
    for period in periods:
        if is_year(period):
            yield period, partial(_of_year, period)


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


def _of_month(month: str, tables: Tables) -> Statement | None:
    fingerprint = _fingerprint(tables)
    if fingerprint == _published_fingerprint(month):
        return None
    rows = _Public(month, tables).rows()
    if fingerprint != _fingerprint(_read_months([month]).get(month, {})):  # somebody corrects it at this moment
        return None
    return Statement(month, fingerprint, rows)


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
    whole = Scope(_first_day(f"{year}-01"), _last_day(last))
    several = {key: persons for key, parts in said.items() if len(persons := _persons(parts)) > 1}
    for split in {split for (split, _), persons in several.items() if None not in persons}:
        for row in queries.beneficiaries(whole, SPLITS[split]):
            key, number = (split, tuple(row.of.values())), row.figures.persons
            if key in several and not any(n is None or is_small(number - n) for n in several[key]):
                rows[key]["persons"] = number
    return Statement(year, fingerprint, rows)


def _persons(parts: Sequence[Said]) -> list[int | None]:
    """Of the months that have any."""
    return [part["persons"] for part in parts if part["persons"] != 0]


def _read_months(months: Sequence[str]) -> dict[str, Tables]:
    """By month, where anything was held in it: the finest rows, and those of the places with all who came there."""
    scope = Scope(_first_day(months[0]), _last_day(months[-1]))
    found: dict[str, Tables] = {}
    for split in (_FINEST, *_OF_PLACES):
        dimensions = SPLITS[split]
        for row in queries.beneficiaries(scope, (Dimension.MONTH, *dimensions)):
            of = {dimension: row.of[dimension] for dimension in dimensions}
            found.setdefault(row.of[Dimension.MONTH], {}).setdefault(split, []).append(Row(of, row.figures))
    return found


def _first_day(month: str) -> date:
    return date.fromisoformat(f"{month}-01")


def _last_day(month: str) -> date:
    return (_first_day(month) + timedelta(days=31)).replace(day=1) - timedelta(days=1)


def _fingerprint(tables: Tables) -> str:
    """Of all that was counted in a month; what else a statement needs of it follows from the same people."""
    content = [RULES, [[split, [[*row.of.values(), *(getattr(row.figures, measure) for measure in MEASURES)]
                                for row in rows]] for split, rows in tables.items()]]
    return hashlib.sha256(json.dumps(content).encode()).hexdigest()


def _published_fingerprint(period: str) -> str | None:
    return db.session.scalar(select(OpenPeriod.fingerprint).where(OpenPeriod.name == period))


class _Public:
    """A month: its cover, and the places where a few persons came to something."""

    def __init__(self, month: str, tables: Tables) -> None:
        self.scope, self.tables = Scope(_first_day(month), _last_day(month)), tables
        self.finest = tables.get(_FINEST, [])
        table: dict[Cell, int] = {}
        for row in self.finest:
            for cell, number in _cells(row):
                table[cell] = table.get(cell, 0) + number
        self.hidden = cover(table).hidden
        self.few = {place for row in tables.get(_GATHERINGS, ()) if is_small(row.figures.persons)
                    for place in _places(row.of)}
        # where anything is hidden of the groups there, or one of them has a few persons only
        self.closed = {place for row in self.finest if is_small(row.figures.persons)
                       or not self.is_shown(row.of, _ANY) or not self.is_shown(row.of, "counted")
                       for place in _places(row.of)}

    def rows(self) -> dict[Key, Said]:
        return {(split, tuple(row.of.values())): self.shown(row.of, row.figures)
                for split in SPLITS for row in self._split(split) if row.figures.person_times}

    def _split(self, split: str) -> list[Row]:
        """As the ledger has it, which is not asked where nobody may know of sessions and persons: then it is enough
        whether anybody was named."""
        if split in self.tables:
            return self.tables[split]
        dimensions = SPLITS[split]
        added: dict[tuple[str, ...], list[int]] = {}
        for row in self.finest:
            if Dimension.CATEGORY in dimensions or row.of[Dimension.CATEGORY] not in OF_WHOM:
                numbers = added.setdefault(tuple(row.of[dimension] for dimension in dimensions), [0, 0])
                numbers[0] += row.figures.person_times
                numbers[1] += row.figures.unidentified_person_times
        rows = {key: Row(dict(zip(dimensions, key, strict=True)), Figures(0, times, times - unnamed, unnamed))
                for key, (times, unnamed) in added.items()}
        if all(_box(row.of, _ANY)[:2] in self.closed for row in rows.values()):
            return list(rows.values())
        return queries.beneficiaries(self.scope, dimensions)

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
