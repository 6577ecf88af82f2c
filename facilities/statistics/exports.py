"""The figures as a file, the same rows as on the page and in the API."""

from collections.abc import Sequence

from flask import Response
from flask_babel import gettext as _

from facilities.kernel import clock
from facilities.statistics.addresses import narrowed_to
from facilities.statistics.dimensions import Dimension, Scope
from facilities.statistics.overview import Overview
from facilities.statistics.rows import Figures, Row
from facilities.statistics.schemas import names_of
from facilities.statistics.wording import COUNTED, MEASURES, Measure, overlap_note, persons_note, word_for
from facilities.web import exports
from facilities.web.exports import Sheet

# The workbook's sheets after the overview; more divisions are on the page and in the API.
SHEETS = (Dimension.MONTH, Dimension.FACILITY, Dimension.PROGRAMME, Dimension.SUB_DISTRICT, Dimension.CATEGORY,
          Dimension.SEX, Dimension.AGE_BAND)


def as_file(kind: str, scope: Scope, by: Sequence[Dimension], rows: Sequence[Row], total: Figures) -> Response:
    """What was counted, by any combination of divisions."""
    header = [*(word_for(d) for d in by), *(str(measure.name) for measure in COUNTED)]
    names = names_of(rows, by)
    table: list[list[exports.Cell]] = [
        [*(names.get(d, {}).get(v) or word_for(d, v) for d, v in row.of.items()), *_numbers(row.figures)]
        for row in rows]
    if by:
        table.append([_("Total"), *[""] * (len(by) - 1), *_numbers(total)])
    name = "-".join(["beneficiaries", *(d.value for d in by), f"{scope.first}-{scope.last}"])
    if kind == exports.CSV:
        return exports.as_csv(name, header, table)
    notes = [(_("From"), str(scope.first)), (_("To"), str(scope.last)),
             (_("Made"), made_at()),
             (_("Persons"), _("Distinct residents; not additive over rows."))]
    return exports.as_xlsx(name, _("Beneficiaries"), header, table, notes)


def _numbers(figures: Figures) -> list[exports.Cell]:
    return [measure.of(figures) for measure in COUNTED]


def as_workbook(overview: Overview) -> Response:
    """Everything of a scope: an overview with what was filtered, and a sheet for each division."""
    scope = overview.scope
    sheets = [_summary(overview), *(_divided(overview, by) for by in SHEETS)]
    return exports.as_workbook(f"figures-{scope.first}-{scope.last}", sheets)


def _summary(overview: Overview) -> Sheet:
    """A line for each number, beside those of the period before and of the year before; what was filtered below."""
    header = [_("Figure"), _("In this period"), _("In the period before"), _("A year before"), _("Meaning")]
    beside = (overview.total, overview.before, overview.a_year_before)
    rows: list[list[exports.Cell]] = [
        [str(measure.name), *(None if figures is None else _cell(measure, figures) for figures in beside),
         str(measure.explains)] for measure in MEASURES]
    return Sheet(_("Overview"), header, rows, below=[("",), *_filters(overview)])


def _divided(overview: Overview, by: Dimension) -> Sheet:
    """Months as text, so that no spreadsheet makes a day of them."""
    named = [(row.of[by] if by is Dimension.MONTH else overview.name(by, row.of[by]), row.figures)
             for row in overview.rows(by)]
    rows = [[name, *(_cell(measure, figures) for measure in MEASURES)]
            for name, figures in [*named, (_("Total"), overview.total)]]
    notes = [("",), (persons_note(by),)]
    if by is Dimension.CATEGORY:
        notes.append((overlap_note(),))
    return Sheet(word_for(by), [word_for(by), *(str(measure.name) for measure in MEASURES)], rows, below=notes)


def _cell(measure: Measure, figures: Figures) -> exports.Cell:
    value = measure.of(figures)
    return exports.Share(value) if measure.is_share and value is not None else value


def _filters(overview: Overview) -> list[tuple[str, str]]:
    scope = overview.scope
    notes = [(_("From"), str(scope.first)), (_("To"), str(scope.last))]
    notes += [(word_for(dimension), overview.name(dimension, value))
              for dimension, value in narrowed_to(scope).items()]
    if scope.facility_ids is not None:
        notes.append((_("Places"), _("Those that you manage.")))
    before, year = overview.scope_before, overview.scope_a_year_before
    notes.append((_("The period before"), f"{before.first} – {before.last}"))
    if year is not None:
        notes.append((_("A year before"), f"{year.first} – {year.last}"))
    return [*notes, (_("Made"), made_at())]


def made_at() -> str:
    """The district's time, with its year: a file or a sheet of paper is looked at later."""
    return clock.local(clock.now()).strftime("%Y-%m-%d %H:%M")
