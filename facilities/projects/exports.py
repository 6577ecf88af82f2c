"""The monthly form as a spreadsheet: its columns are those of the city's (domain facts, section 10)."""

from decimal import Decimal

from flask import Response
from flask_babel import gettext as _

from facilities.projects.models import Project
from facilities.projects.queries import Overview, Standing, month_of
from facilities.projects.wording import amount_in_words
from facilities.web import exports
from facilities.web.formats import month_label, percent
from facilities.web.parts import word


def monthly_form(found: Overview) -> Response:
    """As it stood on the overview's day. Who fills it in, reviews and stamps it signs by hand."""
    month = f"{found.of.year}-{month_of(found.of.year, found.day):02}"
    header = [_("No."), _("Project"), _("Subproject"), _("Unit in charge"), _("Partner units"), _("Target"), _("Unit"),
              _("Done this month"), _("Done so far"), _("Completion"), _("Should be"), _("Light"), _("Problems"),
              _("What is done about it")]
    rows: list[list[exports.Cell]] = [
        [number, *_row(project, standing)] for number, (project, standing) in enumerate(
            ((project, standing) for project, standings in found.projects for standing in standings), start=1)]
    rows += [[None, _("not published"), one.figure.name, None, None, None, one.figure.unit, None,
              _published(one.figure.as_printed, is_confirmed=one.figure.confirmed)] for one in found.unplaced]
    above = [[_("Livelihood projects, monthly report of %(month)s", month=month_label(month))],
             [_("Reporting unit (seal):"), "", "", _("Filled in by:"), "", "", _("Reviewed by:"), "", "", _("Date:")]]
    return exports.as_xlsx(f"projects-{month}", _("Monthly report"), header, rows,
                           [(_("State of"), str(found.day)), (_("Published in"), found.of.source)], above)


def _row(project: Project, standing: Standing) -> list[exports.Cell]:
    subproject, report = standing.subproject, standing.report
    return [
        project.name or project.code, subproject.name or _("%(code)s (name not published)", code=subproject.code),
        subproject.lead_unit, subproject.partner_units, _cell(standing.target.value if standing.target else None),
        subproject.unit, _cell(standing.this_month), _done(standing), _share(standing.rate),
        _share(standing.expected_rate), word("light", standing.light.value) if standing.light else None,
        report.problems if report else None, report.remedies if report else None,
    ]


def _done(standing: Standing) -> exports.Cell:
    """A number where it is one; what was published otherwise, as it was printed."""
    amount, figure = standing.done.amount, standing.figure
    if amount is not None and amount.exact is not None:
        return _cell(amount.exact)
    if standing.is_published and figure is not None:
        return _published(figure.as_printed, is_confirmed=figure.confirmed)
    return amount_in_words(amount, None) if amount else None


def _published(as_printed: str, *, is_confirmed: bool) -> str:
    return as_printed if is_confirmed else _("%(figure)s (not confirmed)", figure=as_printed)


def _cell(value: Decimal | None) -> exports.Cell:
    if value is None:
        return None
    return int(value) if value == int(value) else float(value)


def _share(value: Decimal | None) -> str | None:
    return None if value is None else percent(value)
