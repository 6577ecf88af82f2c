"""An answer for anyone as JSON, as a file and as a feed: the same rows, with the same ones hidden."""

from collections.abc import Sequence
from typing import Any

from flask import Response
from flask_babel import gettext as _

from facilities.engine.suppression import THRESHOLD
from facilities.statistics.charts import word_for
from facilities.statistics.dimensions import Dimension
from facilities.statistics.open_data import MEASURES, Answer, OpenRow
from facilities.statistics.rows import Row
from facilities.statistics.schemas import names_of
from facilities.web import exports


def names_in(rows: Sequence[OpenRow], by: Sequence[Dimension]) -> dict[Dimension, dict[str, str]]:
    return names_of([Row(row.of) for row in rows], by)


def show_answer(answer: Answer) -> dict[str, Any]:
    return {"rows": show_open_rows(answer.rows, answer.by), "total": _figures(answer.total)}


def show_open_rows(rows: Sequence[OpenRow], by: Sequence[Dimension]) -> list[dict[str, Any]]:
    names, shown = names_in(rows, by), []
    for row in rows:
        cells: dict[str, Any] = {}
        for dimension, value in row.of.items():
            cells[dimension.value] = value
            if dimension in names:
                cells[f"{dimension.value}_name"] = names[dimension].get(value, value)
        shown.append({**cells, **_figures(row)})
    return shown


def _figures(row: OpenRow) -> dict[str, Any]:
    return {**row.figures, "suppressed": row.suppressed}


def as_open_file(kind: str, answer: Answer) -> Response:
    by, names = answer.by, names_in(answer.rows, answer.by)
    header = [*(word_for(d) for d in by), _("Sessions held"), _("Person-times"), _("Persons"),
              _("Person-times without a name"), _("Suppressed")]
    table = [_line([names.get(d, {}).get(v) or word_for(d, v) for d, v in row.of.items()], row) for row in answer.rows]
    if by:
        table.append(_line([_("Total"), *[""] * (len(by) - 1)], answer.total))
    name = "-".join(["open-data", *(d.value for d in by), f"{answer.scope.first}-{answer.scope.last}"])
    if kind == exports.CSV:
        return exports.as_csv(name, header, table)
    notes = [(_("From"), str(answer.scope.first)), (_("To"), str(answer.scope.last)),
             (_("Persons"), _("Distinct residents; not additive over rows.")), (_("Suppressed"), why_hidden())]
    return exports.as_xlsx(name, _("Beneficiaries"), header, table, notes)


def _line(words: Sequence[str], row: OpenRow) -> list[exports.Cell]:
    return [*words, *(row.figures[measure] for measure in MEASURES), _("yes") if row.suppressed else _("no")]


def why_hidden() -> str:
    return _("Numbers from 1 to %(most)s are hidden, because they could say something about a single person. So are "
             "other numbers from which a hidden one could be worked out.", most=THRESHOLD - 1)
