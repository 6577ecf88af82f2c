"""The figures as a file, the same rows as on the page and in the API."""

from collections.abc import Sequence
from dataclasses import asdict

from flask import Response
from flask_babel import gettext as _

from facilities.kernel import clock
from facilities.statistics.charts import word_for
from facilities.statistics.queries import Dimension, Figures, Row, Scope
from facilities.statistics.schemas import names_of
from facilities.web import exports


def as_file(kind: str, scope: Scope, by: Sequence[Dimension], rows: Sequence[Row], total: Figures) -> Response:
    header = [*(word_for(d) for d in by), _("Sessions held"), _("Person-times"), _("Persons"),
              _("Person-times without a name"), _("Hours"), _("Places taken, share"), _("Did not come, share"),
              _("Hours on the waitlist, on average")]
    names = names_of(rows, by)
    table: list[list[exports.Cell]] = [
        [*(names.get(d, {}).get(v) or word_for(d, v) for d, v in row.of.items()), *asdict(row.figures).values()]
        for row in rows]
    if by:
        table.append([_("Total"), *[""] * (len(by) - 1), *asdict(total).values()])
    name = "-".join(["beneficiaries", *(d.value for d in by), f"{scope.first}-{scope.last}"])
    if kind == exports.CSV:
        return exports.as_csv(name, header, table)
    notes = [(_("From"), str(scope.first)), (_("To"), str(scope.last)),
             (_("Made"), clock.local(clock.now()).strftime("%Y-%m-%d %H:%M")),
             (_("Persons"), _("Distinct residents; not additive over rows."))]
    return exports.as_xlsx(name, _("Beneficiaries"), header, table, notes)
