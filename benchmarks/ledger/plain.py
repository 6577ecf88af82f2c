"""The same questions without a ledger: plain SQL over the app's rows, DuckDB over Parquet with nothing to join."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import duckdb
import numpy as np

from benchmarks.ledger.district import (
    EPOCH,
    FACILITIES,
    PROGRAMMES,
    District,
    community,
    facility_kind,
    is_voluntary,
    provider_type,
    sub_district,
)
from facilities.engine.ages import AGE_BANDS, as_number, band_of
from facilities.engine.beneficiaries import Category
from facilities.kernel import clock
from facilities.statistics.dimensions import Dimension, Scope

D = Dimension

@dataclass(frozen=True, slots=True)
class Words:
    """How a database says what is asked: an expression for each column, and what divides whole numbers."""

    columns: dict[str, str]
    divide: str

    def __getitem__(self, name: str) -> str:
        return self.columns[name]


POSTGRESQL = Words({
    "day": "CAST(to_char(s.starts_at AT TIME ZONE 'Asia/Shanghai', 'YYYYMMDD') AS integer)",
    "born": "CAST(to_char(r.birth_date, 'YYYYMMDD') AS integer)",
    "facility": "s.facility_id", "programme": "s.programme_id", "sub_district": "f.sub_district_code", "sex": "r.sex",
    "community": "CAST(f.community_id AS text)", "facility_kind": "f.kind", "provider_type": "p.provider_type",
    "volunteer": "CASE WHEN p.volunteer THEN 'yes' ELSE 'no' END",
    "disability_category": "coalesce(CAST(r.disability_category AS text), 'unknown')",
    "disability_grade": "coalesce(CAST(r.disability_grade AS text), 'unknown')",
    "session": "a.session_id", "resident": "a.resident_id",
}, "/")
DUCKDB = Words({name: name for name in POSTGRESQL.columns}, "//")
# only what a question needs is joined
JOINS = {"r": "residents r ON r.id = a.resident_id", "f": "facilities f ON f.id = s.facility_id",
         "p": "programmes p ON p.id = s.programme_id"}
NARROWS = {"facility_id": D.FACILITY, "facility_kind": D.FACILITY_KIND,
           "programme_id": D.PROGRAMME, "sub_district_code": D.SUB_DISTRICT,
           "community_id": D.COMMUNITY, "provider_type": D.PROVIDER_TYPE, "volunteer": D.VOLUNTEER, "sex": D.SEX,
           "age_band": D.AGE_BAND, "disability_category": D.DISABILITY_CATEGORY,
           "disability_grade": D.DISABILITY_GRADE}


def _dimension(d: Dimension, w: Words) -> str:
    age = f"(({w['day']} - {w['born']}) {w.divide} 10000)"
    year, month = f"({w['day']} {w.divide} 10000)", f"({w['day']} {w.divide} 100 % 100)"
    bands = " ".join(f"WHEN {age} >= {start} THEN '{band_of(start)}'" for start in sorted(AGE_BANDS, reverse=True))
    derived = {
        D.MONTH: f"concat({year}, '-', lpad(CAST({month} AS varchar), 2, '0'))",
        D.QUARTER: f"concat({year}, '-Q', ({month} + 2) {w.divide} 3)", D.YEAR: year,
        D.CATEGORY: f"CASE WHEN {age} < 18 THEN 'children' WHEN {w['sex']} = 'female' THEN 'women' ELSE 'men' END",
        D.AGE_BAND: f"CASE {bands} END",
    }
    return derived[d] if d in derived else w[d.value]


def _of_group(category: str, w: Words) -> str:
    """The condition for a group; two of them overlap the others."""
    if category == Category.ELDERS.value:
        return f"({w['day']} - {w['born']}) >= 600000"
    if category == Category.DISABLED.value:
        return f"{w['disability_category']} <> 'unknown'"
    return f"{_dimension(D.CATEGORY, w)} = '{category}'"


def _sql(scope: Scope, by: Sequence[Dimension], w: Words, source: Callable[[str], str], where: Sequence[str]) -> str:
    """Of whom elders and residents with disabilities: further rows where groups are asked, as the ledger gives them."""
    where = [*where, *(f"{_dimension(d, w)} = '{value}'" for name, d in NARROWS.items()
                       if (value := getattr(scope, name)) is not None)]

    def counted(category: str | None) -> str:
        keys = [f"'{category}'" if category and d is D.CATEGORY else _dimension(d, w) for d in by]
        conditions = " AND ".join([*where, *([_of_group(category, w)] if category else [])])
        columns = "".join(f"{key} AS k{n}, " for n, key in enumerate(keys))
        grouped = f" GROUP BY {', '.join(str(n + 1) for n in range(len(keys)))}" if keys else ""
        counts = f"count(DISTINCT {w['session']}), count(*), count(DISTINCT {w['resident']})"
        return f"SELECT {columns}{counts} FROM {source(columns + conditions)} WHERE {conditions}{grouped}"

    if scope.category is not None or D.CATEGORY not in by:
        return counted(scope.category)
    return " UNION ALL ".join(counted(category) for category in (None, "elders", "disabled"))


def postgresql_sql(scope: Scope, by: Sequence[Dimension]) -> str:
    def source(asked: str) -> str:
        needed = [join for name, join in JOINS.items() if re.search(rf"\b{name}\.", asked)]
        return " JOIN ".join(["attendances a JOIN activity_sessions s ON s.id = a.session_id", *needed])

    start, end = clock.day_span(scope.first, scope.last)
    return _sql(scope, by, POSTGRESQL, source, [
        f"s.starts_at >= '{start.isoformat()}'", f"s.starts_at < '{end.isoformat()}'", "a.state = 'present'",
        "s.status <> 'cancelled'"])


def duckdb_sql(scope: Scope, by: Sequence[Dimension]) -> str:
    return _sql(scope, by, DUCKDB, lambda _: "facts",
                [f"day BETWEEN {as_number(scope.first)} AND {as_number(scope.last)}"])


def as_parquet(district: District, path: Path) -> "duckdb.DuckDBPyConnection":
    """One wide row for each attendance, in the order of time."""
    numbers = {n: as_number(EPOCH + timedelta(days=n)) for n in range((date(2029, 1, 1) - EPOCH).days)}
    of_day = np.array([numbers[n] for n in range(len(numbers))])
    born = np.array([as_number(EPOCH + timedelta(days=int(n))) for n in district.born])
    facility, day = district.facility, of_day[(district.starts + 480) // 1440]
    session, resident = district.session - 1, district.resident - 1
    connection = duckdb.connect()
    connection.register("made", {
        "session": district.session, "resident": district.resident, "day": day[session],
        "facility": facility[session], "programme": district.programme[session],
        "female": district.female[resident], "born": born[resident], "disability": district.disability[resident],
    })
    places, programmes = range(1, FACILITIES + 1), range(1, PROGRAMMES + 1)
    connection.register("places", {
        "place": np.array(places), "sub_district": np.array([sub_district(n) for n in places]),
        "community": np.array([str(community(n)) for n in places]),
        "facility_kind": np.array([facility_kind(n) for n in places])})
    connection.register("what", {
        "number": np.array(programmes), "provider_type": np.array([provider_type(n) for n in programmes]),
        "volunteer": np.array(["yes" if is_voluntary(n) else "no" for n in programmes])})
    known = "CASE WHEN disability = 0 THEN 'unknown' ELSE CAST({} AS VARCHAR) END"
    connection.execute(
        "COPY (SELECT session, resident, day, facility, programme, sub_district, community, facility_kind, "
        "provider_type, volunteer, "
        "CASE WHEN female = 1 THEN 'female' ELSE 'male' END AS sex, born, "
        f"{known.format('disability // 10')} AS disability_category, {known.format('disability % 10')} "
        "AS disability_grade FROM made JOIN places ON place = facility JOIN what ON number = programme "
        f"ORDER BY session) TO '{path}' (FORMAT parquet)")
    connection.execute(f"CREATE VIEW facts AS SELECT * FROM '{path}'")
    return connection
