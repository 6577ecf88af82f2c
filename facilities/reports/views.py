"""Official reports, for administrators: the list with the form that closes a period, a report, and its files."""

import json
from datetime import date

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import ngettext

from facilities.engine.official_reports import periods_over
from facilities.infra.db import unit_of_work
from facilities.kernel import clock
from facilities.kernel.ids import read_id
from facilities.kernel.refusals import NotVisible, Refused
from facilities.reports import queries, services
from facilities.reports.contents import period_label
from facilities.reports.exports import FORMATS, as_file
from facilities.reports.forms import CloseForm
from facilities.reports.models import OfficialReport
from facilities.reports.queries import Listed
from facilities.statistics.dimensions import Scope
from facilities.statistics.queries import first_day_with_figures
from facilities.web.formats import is_chinese
from facilities.web.guards import administrator, current_actor
from facilities.web.wording import words_for

blueprint = Blueprint("reports", __name__)


@blueprint.route("/reports", methods=["GET", "POST"])
@administrator
def reports() -> ResponseReturnValue:
    listed, form, refusal = queries.listed(), CloseForm(), None
    _offer(form, listed)
    if request.method == "POST" and form.validate():
        actor, (kind, first), signer = current_actor(), form.chosen(), form.signer()
        try:
            made = unit_of_work(lambda: services.close(actor, kind, first, signer))
        except Refused as refused:
            refusal = words_for(refused.refusal)
        else:
            flash(_("Closed. These figures stay as they are."))
            return redirect(url_for("reports.report", report_id=made.id))
    page = render_template("reports/list.html", listed=listed, form=form, refusal=refusal, period_label=period_label)
    return page, 409 if refusal else 422 if form.errors else 200


def _offer(form: CloseForm, listed: list[Listed]) -> None:
    """What is over and not closed, from the year on in which something was held first."""
    today = clock.today()
    start = first_day_with_figures(Scope(date.min, date.max)) or today
    closed = {row.report.period for row in listed}
    form.offer([period for period in periods_over(date(min(start, today).year, 1, 1), today) if period not in closed])


@blueprint.post("/reports/corrections")
@administrator
def correct() -> ResponseReturnValue:
    actor = current_actor()
    made = unit_of_work(lambda: services.note_corrections(actor))
    flash(ngettext("%(num)d report has a new correction.", "%(num)d reports have a new correction.", made) if made
          else _("All closed reports agree with the figures of today and what was corrected before."))
    return redirect(url_for("reports.reports"))


def _existing(report_id: str) -> OfficialReport:
    found = queries.report(read_id(report_id))
    if found is None:
        raise NotVisible
    return found


@blueprint.get("/reports/<report_id>")
@administrator
def report(report_id: str) -> ResponseReturnValue:
    """Words and names are those that were frozen, in the reader's language."""
    found = _existing(report_id)
    corrections = [(row, json.loads(row.content)) for row in queries.corrections(found.id)]
    return render_template("reports/report.html", report=found, said=json.loads(found.content), formats=FORMATS,
                           corrections=corrections, tongue="zh" if is_chinese() else "en")


@blueprint.get("/reports/<report_id>/file")
@administrator
def file(report_id: str) -> ResponseReturnValue:
    found, kind = _existing(report_id), request.args.get("format", "json")
    if kind not in FORMATS:
        raise NotVisible
    return as_file(found, kind)
