"""What a report holds: the figures of a period, and every name and word on it in both languages, as one text.

The text is all that pages and files are made from, so that a facility that is renamed, a translation that is bettered
or a clock that has gone on changes nothing. It is canonical JSON (keys in order, no blanks, UTF-8), for it is hashed.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask_babel import force_locale
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from facilities.engine.official_reports import Cell, Delta, Number, Period, PeriodKind
from facilities.kernel import clock
from facilities.kernel.refusals import Refused
from facilities.statistics import queries
from facilities.statistics.charts import word_for
from facilities.statistics.dimensions import Dimension, Scope
from facilities.statistics.rows import Figures, Row
from facilities.web.formats import month_label
from facilities.web.language import LANGUAGES

By = tuple[Dimension, ...]
TABLES: tuple[By, ...] = (
    (Dimension.MONTH,), (Dimension.FACILITY,), (Dimension.PROGRAMME,), (Dimension.SUB_DISTRICT,),
    (Dimension.CATEGORY,), (Dimension.SEX,), (Dimension.AGE_BAND,), (Dimension.FACILITY, Dimension.CATEGORY))
NAMED = (Dimension.FACILITY, Dimension.PROGRAMME, Dimension.SUB_DISTRICT)
NOTHING: dict[str, Number] = Figures()._asdict()
READINGS = 4

_MEASURES: dict[str, Any] = {
    "sessions_held": _l("Sessions held"), "person_times": _l("Person-times"), "persons": _l("Persons"),
    "unidentified_person_times": _l("Person-times without a name"), "hours": _l("Hours"),
    "fill_rate": _l("Places filled"), "no_show_rate": _l("Did not come"),
    "waiting_hours": _l("Hours on the waiting list"),
}
_WORDS: dict[str, Any] = {
    "title": _l("Official report of what was held and who came"), "total": _l("Total"), "period": _l("Period"),
    "number": _l("Number"), "closed": _l("Closed and frozen on"),
    "signed": _l("Signed for the unit"), "seal": _l("(seal)"),
    "sha256": _l("SHA-256 of the report as JSON"), "previous": _l("SHA-256 of the report before it"),
    "note": _l("Persons are distinct residents and do not add up over rows. Elders and residents with disabilities "
               "are among the others."),
}


@dataclass(frozen=True, slots=True)
class Counted:
    """The ledger's figures of a period, along one or two dimensions each."""

    total: Figures
    tables: tuple[tuple[By, tuple[Row, ...]], ...]


def count(period: Period, tables: Sequence[By] = TABLES) -> Counted:
    """Figures that belong together: read until two readings agree, for somebody may be entering attendance.

    Refused `figures_changing`.
    """
    scope = Scope(period.first, period.last)
    before = _read(scope, tables)
    for _again in range(READINGS):
        now = _read(scope, tables)
        if now == before:
            return now
        before = now
    raise Refused("figures_changing")


def _read(scope: Scope, tables: Sequence[By]) -> Counted:
    return Counted(queries.total(scope), tuple((by, tuple(queries.beneficiaries(scope, list(by)))) for by in tables))


def cells(counted: Counted) -> dict[Cell, Number]:
    rows: list[tuple[str, tuple[str, ...], Figures]] = [("", (), counted.total)]
    rows += [(_table(by), tuple(row.of[d] for d in by), row.figures) for by, those in counted.tables for row in those]
    return {(table, of, measure): value for table, of, figures in rows for measure, value in figures._asdict().items()}


def _table(by: Iterable[str]) -> str:
    return ",".join(by)


def tables_of(published: Mapping[str, Any]) -> list[By]:
    return [tuple(Dimension(name) for name in table["by"]) for table in published["tables"]]


def published_cells(published: Mapping[str, Any], corrections: Iterable[Mapping[str, Any]]) -> dict[Cell, Number]:
    """As they were published, with what was corrected since."""
    found: dict[Cell, Number] = {("", (), measure): value for measure, value in published["total"].items()}
    for table in published["tables"]:
        for row in table["rows"]:
            key = (_table(table["by"]), tuple(row["of"]))
            found |= {(*key, measure): value for measure, value in row["figures"].items()}
    for correction in corrections:
        found |= {(_table(cell["by"]), tuple(cell["of"]), cell["measure"]): cell["new"] for cell in correction["cells"]}
    return found


# -- the texts


def report(period: Period, counted: Counted, number: int, previous: str, closed_at: datetime,
           signed: Mapping[str, str]) -> str:
    measures = list(counted.total._asdict())
    values = [(d, row.of[d]) for by, rows in counted.tables for row in rows for d in by]
    words = {
        **_both(_WORDS), **_both({name: _MEASURES.get(name, name) for name in measures}),
        **{d.value: _in_both(lambda d=d: word_for(d)) for by, _rows in counted.tables for d in by}}
    return canonical({
        "kind": period.kind.value, "first": str(period.first), "last": str(period.last), "code": period.code,
        "period": _in_both(lambda: period_label(period)), "number": number, "previous": previous,
        "closed_at": moment(closed_at), "signed": dict(signed), "measures": measures,
        "total": counted.total._asdict(),
        "tables": [{"by": list(by), "rows": [{"of": [row.of[d] for d in by], "figures": row.figures._asdict()}
                                             for row in rows]} for by, rows in counted.tables],
        "names": {d.value: {} for by, _rows in counted.tables for d in by} | _names(values), "words": words,
    })


def correction(report_hash: str, number: int, previous: str, made_at: datetime, found: Sequence[Delta]) -> str:
    """`previous`: the hash of the correction before, or of the report."""
    found_cells: list[dict[str, Any]] = [{"by": table.split(",") if table else [], "of": list(of), "measure": measure,
                    "old": delta.old, "new": delta.new} for delta in found for table, of, measure in (delta.cell,)]
    values = [(Dimension(d), v) for cell in found_cells for d, v in zip(cell["by"], cell["of"], strict=True)]
    return canonical({"report": report_hash, "number": number, "previous": previous, "made_at": moment(made_at),
                      "cells": found_cells, "names": _names(values)})


def canonical(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False)


def digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def moment(instant: datetime) -> str:
    return clock.local(instant).isoformat(timespec="seconds")


def period_label(period: Period) -> str:
    """In the language that is spoken at the moment."""
    if period.kind is PeriodKind.MONTH:
        return month_label(period.code)
    if period.kind is PeriodKind.YEAR:
        return str(_("Year %(year)s", year=period.first.year))
    return str(_("Quarter %(quarter)s of %(year)s", quarter=(period.first.month + 2) // 3, year=period.first.year))


def _names(values: Iterable[tuple[Dimension, str]]) -> dict[str, dict[str, dict[str, str]]]:
    """Dimension → value → language → name: one query for each dimension whose values are rows of a table."""
    wanted: dict[Dimension, set[str]] = {}
    for dimension, value in values:
        wanted.setdefault(dimension, set()).add(value)
    found: dict[str, dict[str, dict[str, str]]] = {}
    for dimension, those in wanted.items():
        rows = queries.names(dimension, those) if dimension in NAMED else {}
        found[dimension.value] = {
            value: ({"zh": rows[value].name, "en": rows[value].name_en or rows[value].name} if value in rows
                    else _in_both(lambda d=dimension, v=value: word_for(d, v))) for value in those}
    return found


def _both(words: Mapping[str, Any]) -> dict[str, dict[str, str]]:
    return {name: _in_both(lambda word=word: str(word)) for name, word in words.items()}


def _in_both(say: Any) -> dict[str, str]:  # noqa: ANN401 - a lambda that binds what it says
    found = {}
    for language in LANGUAGES:
        with force_locale(language):
            found[language] = say()
    return found
