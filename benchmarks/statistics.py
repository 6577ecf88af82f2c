"""How fast figures are answered from the ledger's pages, and what keeping the pages costs.

    python -m benchmarks.statistics [--rows 5000000] [--residents 50000] [--rounds 3] [--by-chance 40] [--seed 1]
                                    [--check] [--markdown FILE]

On a PostgreSQL of its own: attendance of three years, made up. Each question is asked three ways, in turn: of
the ledger (`statistics.queries`, as page, export and API ask it), by plain SQL with COUNT(DISTINCT) over the indexed
rows, and by DuckDB over Parquet of the same rows with nothing left to join. The three must agree to the last person.
Beside the questions with names, others by chance: any period, filters and dimensions that may be asked.
`--check`: exit 1 where a question takes more than 1/50 of plain SQL's time (or 20 ms where that would be less) or more
than 1/3 of DuckDB's, or keeping the pages more than 20 % on top of recording.
"""

import argparse
import gc
import os
import platform
import random
import secrets
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import psycopg
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import text

from benchmarks import postgresql
from benchmarks.ledger.cost import cost_of_keeping
from benchmarks.ledger.district import (
    COMMUNITIES,
    FACILITIES,
    FIRST_DAY,
    MONTHS,
    PROGRAMMES,
    SUB_DISTRICTS,
    District,
    load,
    made_up,
)
from benchmarks.ledger.plain import as_parquet, duckdb_sql, postgresql_sql
from benchmarks.processes import environment, hard_deadline, manage
from config import Settings
from facilities.accounts.services import create_user, hash_password
from facilities.app import create_app
from facilities.engine.beneficiaries import Category
from facilities.infra.db import db, unit_of_work
from facilities.kernel.actors import Granted, Role
from facilities.programmes.models import ProviderType
from facilities.statistics import pages, queries
from facilities.statistics.dimensions import Dimension, Scope
from facilities.statistics.periods import period_before, year_before

D = Dimension

OF_PLAIN, OF_DUCKDB, AT_LEAST, ON_TOP = 1 / 50, 1 / 3, 0.020, 0.20
YEAR = (date(2025, 1, 1), date(2025, 12, 31))
LAST_DAY = FIRST_DAY.replace(year=FIRST_DAY.year + MONTHS // 12 - 1, month=12, day=31)
QUESTIONS: dict[str, tuple[Scope, tuple[Dimension, ...]]] = {
    "a year, in all": (Scope(*YEAR), ()),
    "a year by month": (Scope(*YEAR), (D.MONTH,)),
    "a year by facility, month and category": (Scope(*YEAR), (D.FACILITY, D.MONTH, D.CATEGORY)),
    "a year by programme, sex and age band": (Scope(*YEAR), (D.PROGRAMME, D.SEX, D.AGE_BAND)),
    "a year by facility, programme, month": (Scope(*YEAR), (D.FACILITY, D.PROGRAMME, D.MONTH)),
    "a year by sub-district and kind of disability": (Scope(*YEAR), (D.SUB_DISTRICT, D.DISABILITY_CATEGORY)),
    "women of a year by quarter": (Scope(*YEAR, category=Category.WOMEN.value), (D.QUARTER,)),
    "three years by year and category": (Scope(FIRST_DAY, LAST_DAY), (D.YEAR, D.CATEGORY)),
    "one facility, a year by month": (Scope(*YEAR, facility_id=7), (D.MONTH,)),
    "one facility, one month by category": (Scope(date(2025, 3, 1), date(2025, 3, 31), facility_id=7), (D.CATEGORY,)),
    "a year until 27 November by facility": (Scope(YEAR[0], date(2025, 11, 27)), (D.FACILITY,)),
    "from 10 March to 20 October by category": (Scope(date(2025, 3, 10), date(2025, 10, 20)), (D.CATEGORY,)),
}


NARROWED: dict[str, tuple[object, ...]] = {
    "facility_id": tuple(range(1, FACILITIES + 1)), "programme_id": tuple(range(1, PROGRAMMES + 1)),
    "facility_kind": ("yuhao_space", "yuxin_home"),
    "sub_district_code": SUB_DISTRICTS, "community_id": tuple(range(1, COMMUNITIES + 1)),
    "provider_type": tuple(kind.value for kind in ProviderType), "volunteer": ("yes", "no"),
    "category": ("women", "children", "men", "elders", "disabled"), "sex": ("female", "male"),
    "age_band": ("3-6", "18-34", "60-69"), "disability_category": ("1", "4", "unknown"), "disability_grade": ("2", "3"),
}


def any_question(chance: random.Random) -> tuple[Scope, tuple[D, ...]]:
    """Any period, up to two filters, up to five dimensions."""
    year, length = chance.choice((2024, 2025, 2026)), chance.choice(("days", "days", "months", "year", "all"))
    first, last = date(year, 1, 1), date(year, 12, 31)
    if length == "days":
        first = FIRST_DAY + timedelta(days=chance.randrange(0, 1000))
        last = min(first + timedelta(days=chance.choice((7, 45, 200, 500))), LAST_DAY)
    elif length == "months":
        months = sorted(chance.sample(range(1, 13), 2))
        first, last = date(year, months[0], 1), date(year, months[1], 1) - timedelta(days=1)
    elif length == "all":
        first, last = FIRST_DAY, LAST_DAY
    chosen = chance.sample(sorted(NARROWED), chance.choice((0, 0, 1, 2)))
    narrowed: dict[str, Any] = {name: chance.choice(NARROWED[name]) for name in chosen}
    return Scope(first, last, **narrowed), tuple(chance.sample(list(D), chance.choice((0, 1, 2, 3, 4, 5))))


def said(scope: Scope, by: Sequence[D]) -> str:
    """A question in words, for the table."""
    narrowed = [f"{name.removesuffix('_id').removesuffix('_code').replace('_', ' ')} {value}" for name in NARROWED
                if (value := getattr(scope, name)) is not None]
    divided = [f"by {', '.join(d.value.replace('_', ' ') for d in by)}"] if by else []
    return "; ".join([f"{scope.first} to {scope.last}", *narrowed, *divided])


PASSWORD = secrets.token_urlsafe()
THE_PAGE = "the administrator's page of a year"
ASKED_BY_THE_PAGE: tuple[tuple[Scope, tuple[D, ...]], ...] = (
    (Scope(*YEAR), ()), (period_before(Scope(*YEAR)), ()), (Scope(*YEAR), (D.MONTH,)),
    (Scope(*YEAR), (D.MONTH, D.CATEGORY)), (Scope(*YEAR), (D.CATEGORY,)), (Scope(*YEAR), (D.FACILITY,)),
    (year_before(Scope(*YEAR)), (D.MONTH,)),
)


class Failed(Exception):
    """The figures mean nothing; the text says why."""


@dataclass
class Times:
    """Seconds of each round."""

    ledger: list[float] = field(default_factory=list)
    plain: list[float] = field(default_factory=list)
    duckdb: list[float] = field(default_factory=list)


Answer = dict[tuple[str, ...], tuple[int, int, int]]  # values of the dimensions: sessions held, person-times, persons


def of_ledger(scope: Scope, by: Sequence[Dimension]) -> Answer:
    found = {tuple(row.of[d] for d in by): (row.figures.sessions_held, row.figures.person_times, row.figures.persons)
             for row in queries.beneficiaries(scope, by)}
    return found or ({} if by else {(): (0, 0, 0)})


def _answer(rows: Sequence[Any]) -> Answer:
    return {tuple(str(value) for value in values): (int(held), int(times), int(persons))
            for *values, held, times, persons in rows}


def of_plain_sql(sql: str) -> Sequence[Any]:
    """With as many processes as the server likes; the app itself asks for none (infra.db)."""
    db.session.execute(text("SET LOCAL max_parallel_workers_per_gather TO DEFAULT"))
    return db.session.execute(text(sql)).all()


def _timed(into: list[float], ask: Callable[..., Answer], *arguments: object) -> Answer:
    began = time.perf_counter()
    answer = ask(*arguments)
    into.append(time.perf_counter() - began)
    db.session.rollback()
    return answer


Questions = dict[str, tuple[Scope, tuple[Dimension, ...]]]


def by_chance(number: int, seed: int) -> Questions:
    chance = random.Random(seed)
    return {said(*question): question for question in (any_question(chance) for _ in range(number))}


def asked(rows: "duckdb.DuckDBPyConnection", name: str, question: tuple[Scope, Sequence[Dimension]], times: Times
          ) -> None:
    scope, by = question
    plain, duck = postgresql_sql(scope, by), duckdb_sql(scope, by)
    ledger = _timed(times.ledger, of_ledger, scope, by)
    by_plain = _timed(times.plain, lambda sql: _answer(of_plain_sql(sql)), plain)
    by_duck = _timed(times.duckdb, lambda sql: _answer(rows.execute(sql).fetchall()), duck)
    for who, other in (("plain SQL", by_plain), ("DuckDB", by_duck)):
        if other != ledger:
            wrong = [key for key in ledger.keys() | other.keys() if ledger.get(key) != other.get(key)]
            raise Failed(f"{name}: {len(wrong)} rows differ from {who}'s, such as "
                         f"{[(key, ledger.get(key), other.get(key)) for key in wrong[:3]]}")


def signed_in(app: Flask) -> FlaskClient:
    """An administrator's browser."""
    app.config["WTF_CSRF_ENABLED"] = False
    with app.app_context():
        hashed = hash_password(PASSWORD, staff=True)
        unit_of_work(lambda: create_user("district", "区办", hashed, [Granted(Role.ADMINISTRATOR)]))
        db.session.remove()
    browser = app.test_client()
    answer = browser.post("/sign-in", data={"login": "district", "password": PASSWORD})
    if answer.status_code != 302:
        raise Failed(f"signing in was answered with {answer.status_code}")
    return browser


def the_page(browser: FlaskClient, rows: "duckdb.DuckDBPyConnection", times: Times) -> None:
    """The whole page with its charts, as it is sent; beside it the questions alone that it asks of the ledger."""
    began = time.perf_counter()
    answer = browser.get(f"/statistics?from={YEAR[0]}&to={YEAR[1]}")
    times.ledger.append(time.perf_counter() - began)
    if answer.status_code != 200 or b"<svg" not in answer.data:
        raise Failed(f"the page was answered with {answer.status_code}")
    for into, ask in (
            (times.plain, lambda scope, by: of_plain_sql(postgresql_sql(scope, by))),
            (times.duckdb, lambda scope, by: rows.execute(duckdb_sql(scope, by)).fetchall())):
        began = time.perf_counter()
        for scope, by in ASKED_BY_THE_PAGE:
            ask(scope, by)
        into.append(time.perf_counter() - began)
        db.session.rollback()


def fill(app: Flask, url: str, district: District) -> None:
    load(url, district)
    with app.app_context():
        began = time.perf_counter()
        number = sum(unit_of_work(partial(pages.compare, month, mend=True))[0] for month in pages.months())
        made = time.perf_counter()
        while unit_of_work(pages.settle):
            pass
        size, rows = (db.session.scalar(text(f"SELECT pg_total_relation_size('{table}')"))
                      for table in ("ledger_pages", "attendances"))
        with psycopg.connect(url.replace("+psycopg", ""), autocommit=True) as connection:
            connection.execute("VACUUM ANALYZE ledger_pages")  # as autovacuum would, in the middle of a round
        print(f"{number:,} pages of {len(district.session):,} attendances made in {made - began:.1f} s, "
              f"their sheets in {time.perf_counter() - made:.1f} s; "
              f"{size / 1e6:.0f} MB beside {rows / 1e6:.0f} MB", flush=True)


def measure(url: str, folder: Path, district: District, rounds: int,
            others: Questions) -> tuple[dict[str, Times], list[float]]:
    environ = environment(url, folder / "instance")
    manage(environ, "db", "upgrade")
    app = create_app(Settings.read(environ))
    gc.freeze()  # as wsgi.py
    fill(app, url, district)
    rows = as_parquet(district, folder / "rows.parquet")
    questions = QUESTIONS | others
    times = {name: Times() for name in (*QUESTIONS, THE_PAGE, *others)}
    browser = signed_in(app)
    with app.app_context():
        for name, question in questions.items():
            asked(rows, name, question, Times())  # until everything is warm, for each of the three
            for _ in range(rounds):
                asked(rows, name, question, times[name])
        the_page(browser, rows, Times())
        for _ in range(rounds):
            the_page(browser, rows, times[THE_PAGE])
        costs = cost_of_keeping(len(district.born), rounds)
        db.session.remove()
        db.engine.dispose()
    return times, costs


def _milliseconds(seconds: Sequence[float]) -> str:
    return f"{statistics.median(seconds) * 1000:,.1f}"


HEAD = (
    "| question | ledger, ms | plain SQL, ms | DuckDB, ms | of plain SQL | of DuckDB |",
    "|---|---|---|---|---|---|",
)


def _line(name: str, found: Times) -> str:
    plain, duck = (statistics.median(ours / theirs for ours, theirs in zip(found.ledger, other, strict=True))
                   for other in (found.plain, found.duckdb))
    return (f"| {name} | {_milliseconds(found.ledger)} | {_milliseconds(found.plain)} | "
            f"{_milliseconds(found.duckdb)} | 1/{1 / plain:.0f} | 1/{1 / duck:.1f} |")


def table(times: dict[str, Times], costs: Sequence[float], others: Questions) -> list[str]:
    lines = [*HEAD, *(_line(name, found) for name, found in times.items() if name not in others)]
    cost = f"{statistics.median(costs):.1%} on top of recording ({min(costs):.1%}–{max(costs):.1%})"
    lines += ["", f"Keeping the pages costs {cost}.", ""]
    if not others:
        return lines
    chosen = {name: times[name] for name in others}
    missed = [name for name, found in chosen.items() if not _is_met(found)]
    long = [found for found in chosen.values() if statistics.median(found.plain) >= AT_LEAST / OF_PLAIN]
    met = sum(statistics.median(found.ledger) <= OF_PLAIN * statistics.median(found.plain)
              and statistics.median(found.ledger) <= OF_DUCKDB * statistics.median(found.duckdb) for found in long)
    slowest = max(statistics.median(found.ledger) for found in chosen.values()) * 1000
    said_of_them = (
        f"{len(chosen)} questions by chance: {len(long)} take plain SQL a second or more, of which {met} take the "
        f"ledger at most 1/{1 / OF_PLAIN:.0f} of that and 1/{1 / OF_DUCKDB:.0f} of DuckDB. The others take the ledger "
        f"at most {AT_LEAST * 1000:.0f} ms or these shares, but for "
        f"{sum(chosen[name] not in long for name in missed)}. The slowest answer of all takes {slowest:,.0f} ms. "
        "Where they are not reached:")
    lines += [said_of_them, "", *HEAD]
    return lines + [_line(name, chosen[name]) for name in missed]


def _is_met(found: Times) -> bool:
    """Of what takes the others less than a second, a fiftieth is less than the way to the database and back."""
    ledger = statistics.median(found.ledger)
    return (ledger <= max(OF_PLAIN * statistics.median(found.plain), AT_LEAST)
            and ledger <= max(OF_DUCKDB * statistics.median(found.duckdb), AT_LEAST))


def is_met(times: dict[str, Times], costs: Sequence[float]) -> bool:
    return statistics.median(costs) <= ON_TOP and all(_is_met(found) for found in times.values())


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=5_000_000)
    parser.add_argument("--residents", type=int, default=50_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--by-chance", type=int, default=40)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--markdown", type=Path, help="write the table there as well")
    chosen = parser.parse_args()
    print(f"{os.cpu_count()} cores, Python {platform.python_version()}, numpy {np.__version__}, "
          f"DuckDB {duckdb.__version__}, {chosen.rounds} rounds; medians", flush=True)
    others = by_chance(chosen.by_chance, chosen.seed)
    try:
        with hard_deadline(3000), tempfile.TemporaryDirectory(prefix="huimin-figures.") as folder, \
                postgresql.server() as server:
            url = postgresql.create_database(server, "huimin_benchmark_figures")
            try:
                district = made_up(chosen.rows, chosen.residents)
                times, costs = measure(url, Path(folder), district, chosen.rounds, others)
            finally:
                postgresql.drop_database(server, "huimin_benchmark_figures")
    except Failed as failed:
        print(f"FAILED: {failed}", file=sys.stderr)
        return 1
    lines = table(times, costs, others)
    print(*lines, sep="\n", flush=True)
    if chosen.markdown:
        chosen.markdown.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return 0 if is_met(times, costs) or not chosen.check else 1


if __name__ == "__main__":
    sys.exit(main())
