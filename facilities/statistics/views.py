"""The page of figures for those who answer for them: on the screen, on paper, and as files."""

from flask import Blueprint, Response, render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from facilities.kernel.refusals import NotVisible
from facilities.kernel.text import read_choice
from facilities.statistics import wording
from facilities.statistics.addresses import address, narrowed_to, read_scope, years_with_figures
from facilities.statistics.choosers import choosers
from facilities.statistics.dimensions import Dimension
from facilities.statistics.drawing import as_png, as_svg
from facilities.statistics.exports import as_file, as_workbook, made_at
from facilities.statistics.overview import Overview
from facilities.statistics.presentation import CHARTS, all_charts, chart, division
from facilities.web import exports
from facilities.web.formats import date_only
from facilities.web.guards import current_actor, staff

blueprint = Blueprint("statistics", __name__)

TABLES = (Dimension.MONTH, Dimension.CATEGORY, Dimension.FACILITY, Dimension.PROGRAMME, Dimension.SUB_DISTRICT,
          Dimension.AGE_BAND, Dimension.SEX)
DIVISIONS = (*TABLES, Dimension.QUARTER, Dimension.YEAR, Dimension.FACILITY_KIND, Dimension.COMMUNITY,
             Dimension.DISABILITY_CATEGORY, Dimension.DISABILITY_GRADE, Dimension.PROVIDER_TYPE, Dimension.VOLUNTEER)
FILES = {"csv": exports.CSV, "xlsx": exports.XLSX}
PICTURES = {"svg": "image/svg+xml", "png": "image/png"}


@blueprint.get("/statistics")
@staff
def beneficiaries() -> ResponseReturnValue:
    """The whole question stands in the address: from, to, what it is narrowed to, by."""
    years = years_with_figures()
    overview = Overview(read_scope(years))
    by = read_choice(Dimension, request.args.get("by")) or Dimension.MONTH
    kind = FILES.get(request.args.get("format", ""))
    if kind == exports.XLSX:
        return as_workbook(overview)
    if kind is not None:
        return as_file(kind, overview.scope, [by], overview.rows(by), overview.total)
    return render_template(
        "statistics/beneficiaries.html", **_shown(overview), by=by, division=division(overview, by), years=years,
        divisions=DIVISIONS, choosers=choosers(current_actor(), overview.scope))


@blueprint.get("/statistics/print")
@staff
def on_paper() -> ResponseReturnValue:
    """One sheet: the sentence, the numbers and the charts, with what was filtered and when it was made."""
    overview = Overview(read_scope(years_with_figures()))
    return render_template("statistics/print.html", **_shown(overview), made_at=made_at())


@blueprint.get("/statistics/charts/<name>.<picture_kind>")
@staff
def picture(name: str, picture_kind: str) -> ResponseReturnValue:
    """A chart as a file of its own, of the same question as the page."""
    overview = Overview(read_scope(years_with_figures()))
    shown = chart(name, overview) if name in CHARTS and picture_kind in PICTURES else None
    if shown is None:
        raise NotVisible
    under = [text for text in (shown.sentence, filters_line(overview), shown.note) if text]
    svg = as_svg(shown.picture, shown.question, shown.sentence, under)
    scope = overview.scope
    file = f"{name}-{scope.first}-{scope.last}.{picture_kind}"
    return Response(svg if picture_kind == "svg" else as_png(svg), mimetype=PICTURES[picture_kind],
                    headers={"Content-Disposition": f'attachment; filename="{file}"'})


def _shown(overview: Overview) -> dict[str, object]:
    """What the screen and the sheet of paper have in common."""
    return {
        "overview": overview, "scope": overview.scope, "total": overview.total, "by_group": overview.by_group,
        "numbers": [(measure, measure.said(overview.total), wording.changes_in_words(
            measure, overview.total, overview.before, overview.a_year_before)) for measure in wording.MEASURES],
        "charts": all_charts(overview), "narrowed": _narrowed(overview), "word_for": wording.word_for,
        "filters_line": filters_line(overview), "address": address, "gap": wording.gap()}


def _narrowed(overview: Overview) -> list[tuple[Dimension, str]]:
    return [(dimension, overview.name(dimension, value)) for dimension, value in narrowed_to(overview.scope).items()]


def filters_line(overview: Overview) -> str:
    """The question in words: the days, and all that it is narrowed to."""
    scope, narrowed = overview.scope, dict(_narrowed(overview))
    parts = [_("%(first)s to %(last)s", first=date_only(scope.first), last=date_only(scope.last)),
             narrowed.pop(Dimension.FACILITY, None) or (
                 _("All facilities") if scope.facility_ids is None else _("All facilities that you manage")),
             narrowed.pop(Dimension.PROGRAMME, None) or _("All programmes")]
    parts += [_("%(filter)s: %(value)s", filter=wording.word_for(dimension), value=name)
              for dimension, name in narrowed.items()]
    return " · ".join(parts)
