"""Livelihood projects: for everyone, and for administrators who enter and review what is reported of them."""

from calendar import monthrange
from datetime import date

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from facilities.engine.projects import Light, SetBy, Thresholds
from facilities.infra.db import unit_of_work
from facilities.kernel import clock
from facilities.kernel.ids import read_id
from facilities.kernel.refusals import Invalid, NotVisible, Refused
from facilities.projects import queries, services
from facilities.projects.exports import monthly_form
from facilities.projects.forms import ReportForm, ReviewForm, SubprojectForm, TargetForm, ThresholdsForm
from facilities.projects.models import MonthlyReport, ReportState, Source
from facilities.projects.queries import Overview
from facilities.projects.wording import amount_in_words
from facilities.web.guards import administrator, current_actor, public
from facilities.web.wording import words_for

blueprint = Blueprint("projects", __name__)


@blueprint.get("/projects")
@public
def overview() -> ResponseReturnValue:
    years, found = queries.years(), None
    if years:
        found = queries.overview(_year(years), clock.today())
    lights = [standing.light for standing in found.standings] if found else []
    return render_template(
        "projects/overview.html", years=years, found=found, Source=Source, amount_in_words=amount_in_words,
        lights={light: lights.count(light) for light in Light if light in lights})


def _year(years: list[int]) -> int:
    """What the address asks for where something is known of it, else the newest."""
    return next((year for year in years if str(year) == request.args.get("year")), years[0])


# -- for administrators


@blueprint.get("/staff/projects")
@administrator
def manage() -> ResponseReturnValue:
    return _manage()


def _manage(thresholds: ThresholdsForm | None = None, reviewed: ReviewForm | None = None, number: int | None = None,
            refusal: str | None = None) -> ResponseReturnValue:
    """`number`: the report whose review is to be corrected."""
    years = queries.years()
    found = queries.overview(_year(years), clock.today()) if years else None
    if thresholds is None:
        thresholds = ThresholdsForm(formdata=None)
        if found:
            thresholds.show(found.of.thresholds)
    page = render_template(
        "projects/manage.html", years=years, found=found, waiting=queries.waiting(), thresholds=thresholds,
        reviewing=reviewed or ReviewForm(formdata=None), number=number, refusal=refusal,
        amount_in_words=amount_in_words, month=queries.month_of(found.of.year, found.day) if found else 1)
    return page, 409 if refusal else 422 if thresholds.errors or number else 200


@blueprint.get("/staff/projects/monthly-form")
@administrator
def form() -> ResponseReturnValue:
    """The month in the address, or the present one; as things stood at its end."""
    years = queries.years()
    found = _at_month_end(_year(years), request.args.get("month", "")) if years else None
    if found is None:
        raise NotVisible
    return monthly_form(found)


def _at_month_end(year: int, text: str) -> Overview | None:
    today = clock.today()
    month = int(text) if text in {str(number) for number in range(1, 13)} else queries.month_of(year, today)
    return queries.overview(year, min(date(year, month, monthrange(year, month)[1]), today))


@blueprint.post("/staff/projects/thresholds")
@administrator
def set_thresholds() -> ResponseReturnValue:
    actor, form = current_actor(), ThresholdsForm()
    years = queries.years()
    if not years:
        raise NotVisible
    if form.validate():
        year, wanted = _year(years), Thresholds(form.yellow.data, form.red.data)
        try:
            unit_of_work(lambda: services.set_thresholds(actor, year, wanted))
        except Invalid as invalid:
            form.show_invalid(invalid)
        else:
            flash(_("Changed."))
            return redirect(url_for("projects.manage", year=year))
    return _manage(form)


@blueprint.post("/staff/projects/reports/<report_id>/review")
@administrator
def review(report_id: str) -> ResponseReturnValue:
    """The button that was pressed says whether it is locked or goes back."""
    actor, number, form = current_actor(), read_id(report_id), ReviewForm()
    lock = request.form.get("answer") == "lock"
    if not form.validate():
        return _manage(None, form, number)
    try:
        unit_of_work(lambda: services.review(actor, number, lock=lock, because=form.because.data or None))
    except Invalid as invalid:
        form.show_invalid(invalid)
        return _manage(None, form, number)
    except Refused as refused:
        return _manage(refusal=words_for(refused.refusal))
    flash(_("Locked.") if lock else _("Sent back."))
    return redirect(url_for("projects.manage"))


@blueprint.route("/staff/projects/<subproject_id>", methods=["GET", "POST"])
@administrator
def subproject(subproject_id: str) -> ResponseReturnValue:
    actor, number, form = current_actor(), read_id(subproject_id), SubprojectForm()
    found = queries.subproject(number)
    if found is None:
        raise NotVisible
    figures = queries.figures_for(found.project.year, number)
    form.offer(figures)
    if request.method == "GET":
        form.show(found, figures)
    elif form.validate():
        try:
            details = form.details()
            unit_of_work(lambda: services.change_subproject(actor, number, details))
        except Invalid as invalid:
            form.show_invalid(invalid)
        else:
            flash(_("Changed."))
            return redirect(url_for("projects.subproject", subproject_id=number))
    return _subproject(number, form)


def _subproject(number: int, form: SubprojectForm | None = None, target: TargetForm | None = None,
                report: ReportForm | None = None, refusal: str | None = None) -> ResponseReturnValue:
    found = queries.subproject(number)
    if found is None:
        raise NotVisible
    if form is None:
        figures = queries.figures_for(found.project.year, number)
        form = SubprojectForm(formdata=None)
        form.offer(figures)
        form.show(found, figures)
    reports = queries.reports(number)
    page = render_template(
        "projects/subproject.html", found=found, form=form, target=target or TargetForm(formdata=None),
        report=report or _next_report(reports), targets=queries.targets(number), reports=reports, refusal=refusal,
        amount_in_words=amount_in_words)
    wrong = form.errors or (target and target.errors) or (report and report.errors)
    return page, 409 if refusal else 422 if wrong else 200


def _next_report(reports: list[MonthlyReport]) -> ReportForm:
    """A draft to go on with, or the month after the last."""
    form = ReportForm(formdata=None)
    drafts = [report for report in reports if report.state is ReportState.DRAFT]
    if drafts:
        form.show(drafts[-1])
    else:
        form.month.data = min(reports[-1].month + 1, 12) if reports else 1
    return form


@blueprint.post("/staff/projects/<subproject_id>/targets")
@administrator
def set_target(subproject_id: str) -> ResponseReturnValue:
    actor, number, form = current_actor(), read_id(subproject_id), TargetForm()
    if form.validate():
        try:
            form.check_day()
            set_by, day, value = SetBy(form.set_by.data), form.from_day.data, form.target.data
            unit_of_work(lambda: services.set_target(actor, number, set_by, day, value))
        except Invalid as invalid:
            form.show_invalid(invalid)
        else:
            flash(_("The target is kept."))
            return redirect(url_for("projects.subproject", subproject_id=number))
    return _subproject(number, target=form)


@blueprint.post("/staff/projects/<subproject_id>/reports")
@administrator
def report(subproject_id: str) -> ResponseReturnValue:
    """The button that was pressed says whether it is handed in."""
    actor, number, form = current_actor(), read_id(subproject_id), ReportForm()
    submit = request.form.get("answer") == "submit"
    if form.validate():
        try:
            unit_of_work(lambda: services.enter_report(actor, number, form.month.data, form.entry(), submit=submit))
        except Invalid as invalid:
            form.show_invalid(invalid)
        except Refused as refused:
            return _subproject(number, report=form, refusal=words_for(refused.refusal))
        else:
            flash(_("Handed in. Another administrator reviews it.") if submit else _("Kept as a draft."))
            return redirect(url_for("projects.subproject", subproject_id=number))
    return _subproject(number, report=form)
