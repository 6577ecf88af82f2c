"""The same questions without a ledger: plain SQL over the app's rows, DuckDB over Parquet with nothing to join."""

from collections.abc import Sequence
from datetime import date, timedelta
from pathlib import Path

import duckdb
import numpy as np

from benchmarks.ledger.district import EPOCH, SUB_DISTRICTS, District
from facilities.engine.ages import AGE_BANDS, as_number, band_of
from facilities.engine.beneficiaries import Category
from facilities.kernel import clock
from facilities.statistics.queries import Dimension, Scope

D = Dimension

POSTGRESQL = {
    "day": "CAST(to_char(s.starts_at AT TIME ZONE 'Asia/Shanghai', 'YYYYMMDD') AS integer)",
    "born": "CAST(to_char(r.birth_date, 'YYYYMMDD') AS integer)",
    "facility": "s.facility_id", "programme": "s.programme_id", "sub_district": "f.sub_district_code", "sex": "r.sex",
    "disability": "coalesce(CAST(r.disability_category AS text), 'unknown')",
    "session": "a.session_id", "resident": "a.resident_id",
}
DUCKDB = {
    "day": "day", "born": "born", "facility": "facility", "programme": "programme", "sub_district": "sub_district",
    "sex": "sex", "disability": "disability", "session": "session", "resident": "resident",
}


def _dimension(d: Dimension, c: dict[str, str]) -> str:
    age = f"(({c['day']} - {c['born']}) / 10000)" if c is POSTGRESQL else f"(({c['day']} - {c['born']}) // 10000)"
    divide = "/" if c is POSTGRESQL else "//"
    year, month = f"({c['day']} {divide} 10000)", f"({c['day']} {divide} 100 % 100)"
    bands = " ".join(f"WHEN {age} >= {start} THEN '{band_of(start)}'" for start in sorted(AGE_BANDS, reverse=True))
    return {
        D.MONTH: f"concat({year}, '-', lpad(CAST({month} AS varchar), 2, '0'))",
        D.QUARTER: f"concat({year}, '-Q', ({month} + 2) {divide} 3)",
        D.YEAR: year, D.FACILITY: c["facility"], D.PROGRAMME: c["programme"], D.SUB_DISTRICT: c["sub_district"],
        D.CATEGORY: f"CASE WHEN {age} < 18 THEN 'children' WHEN {c['sex']} = 'female' THEN 'women' ELSE 'men' END",
        D.SEX: c["sex"], D.AGE_BAND: f"CASE {bands} END", D.DISABILITY_CATEGORY: c["disability"],
    }[d]


def _sql(scope: Scope, by: Sequence[Dimension], c: dict[str, str], source: str, where: list[str]) -> str:
    """Of whom elders and residents with disabilities: further rows where groups are asked, as the ledger gives them."""
    def counted(only: str | None, category: str | None) -> str:
        keys = [f"'{category}'" if category and d is D.CATEGORY else _dimension(d, c) for d in by]
        conditions = [*where, *([only] if only else [])]
        return (f"SELECT {''.join(f'{key} AS k{n}, ' for n, key in enumerate(keys))}"
                f"count(DISTINCT {c['session']}), count(*), count(DISTINCT {c['resident']}) FROM {source} "
                f"WHERE {' AND '.join(conditions)}"
                + (f" GROUP BY {', '.join(str(n + 1) for n in range(len(keys)))}" if keys else ""))

    if scope.category == Category.WOMEN.value:
        where = [*where, f"{_dimension(D.CATEGORY, c)} = 'women'"]
    parts = [counted(None, None)]
    if D.CATEGORY in by:
        age = f"({c['day']} - {c['born']}) >= 600000"
        parts += [counted(age, "elders"), counted(f"{c['disability']} <> 'unknown'", "disabled")]
    return " UNION ALL ".join(parts)


def postgresql_sql(scope: Scope, by: Sequence[Dimension]) -> str:
    start, end = clock.day_span(scope.first, scope.last)
    where = [f"s.starts_at >= '{start.isoformat()}'", f"s.starts_at < '{end.isoformat()}'", "a.state = 'present'",
             "s.status <> 'cancelled'"]
    if scope.facility_id:
        where.append(f"s.facility_id = {scope.facility_id}")
    source = ("attendances a JOIN activity_sessions s ON s.id = a.session_id JOIN residents r ON r.id = a.resident_id "
              "JOIN facilities f ON f.id = s.facility_id")
    return _sql(scope, by, POSTGRESQL, source, where)


def duckdb_sql(scope: Scope, by: Sequence[Dimension]) -> str:
    where = [f"day BETWEEN {as_number(scope.first)} AND {as_number(scope.last)}"]
    if scope.facility_id:
        where.append(f"facility = {scope.facility_id}")
    return _sql(scope, by, DUCKDB, "facts", where)


def as_parquet(district: District, path: Path) -> "duckdb.DuckDBPyConnection":
    """One wide row for each attendance, in the order of time."""
    numbers = {n: as_number(EPOCH + timedelta(days=n)) for n in range((date(2029, 1, 1) - EPOCH).days)}
    of_day = np.array([numbers[n] for n in range(len(numbers))])
    born = np.array([as_number(EPOCH + timedelta(days=int(n))) for n in district.born])
    facility, day = district.facility, of_day[(district.starts + 480) // 1440]
    codes = np.array([SUB_DISTRICTS[n % len(SUB_DISTRICTS)] for n in range(int(facility.max()) + 1)])
    session, resident = district.session - 1, district.resident - 1
    rows = {
        "session": district.session, "resident": district.resident, "day": day[session],
        "facility": facility[session], "programme": district.programme[session],
        "sub_district_number": facility[session], "female": district.female[resident], "born": born[resident],
        "disability_number": district.disability[resident] // 10,
    }
    connection = duckdb.connect()
    connection.register("made", rows)
    connection.register("places", {"number": np.arange(len(codes)), "code": codes})
    connection.execute(
        "COPY (SELECT session, resident, day, facility, programme, code AS sub_district, "
        "CASE WHEN female = 1 THEN 'female' ELSE 'male' END AS sex, born, "
        "CASE WHEN disability_number = 0 THEN 'unknown' ELSE CAST(disability_number AS VARCHAR) END AS disability "
        f"FROM made JOIN places ON number = sub_district_number ORDER BY session) TO '{path}' (FORMAT parquet)")
    connection.execute(f"CREATE VIEW facts AS SELECT * FROM '{path}'")
    return connection
