"""The page that finds what makes figures wrong, with a way to mend each."""

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from facilities.attendance import queries as attendance
from facilities.engine.eligibility import Sex
from facilities.infra.db import unit_of_work
from facilities.kernel.ids import read_id
from facilities.kernel.refusals import Invalid, NotVisible
from facilities.kernel.text import read_choice
from facilities.programmes.views import runnable
from facilities.quality import policy, queries, services
from facilities.quality.forms import AcceptForm, BirthForm, TokenForm
from facilities.quality.models import WhyRight
from facilities.quality.queries import Finding
from facilities.quality.wording import LIKENESS, MEANING, TITLES
from facilities.web.guards import administrator, counter_staff, current_actor
from facilities.web.paging import read_position

blueprint = Blueprint("quality", __name__)

PAGE = 25


@blueprint.get("/quality")
@counter_staff
def overview() -> ResponseReturnValue:
    actor = current_actor()
    numbers = queries.numbers(policy.findings(actor), policy.reach(actor))
    return render_template("quality/overview.html", titles=TITLES, meaning=MEANING,
                           numbers={finding: number for finding, number in numbers.items() if number})


@blueprint.get("/quality/<finding>")
@counter_staff
def listed(finding: str) -> ResponseReturnValue:
    """One finding, row by row. One about people is for administrators, and nowhere for anybody else."""
    actor, found = current_actor(), read_choice(Finding, finding)
    if found is None or found not in policy.findings(actor):
        raise NotVisible
    return _list(found)


def _list(finding: Finding, form: AcceptForm | None = None, session_id: int | None = None) -> ResponseReturnValue:
    """`session_id`: whose form is to be corrected."""
    reach, start = policy.reach(current_actor()), read_position(request.args.get("cursor"))
    part = queries.part(finding, reach, start, PAGE)
    page = render_template(
        "quality/list.html", finding=finding, title=TITLES[finding], meaning=MEANING[finding], number=part.number,
        rows=part.rows, start=start, page=PAGE, likeness=LIKENESS,
        manager_days=attendance.manager_limit().days, token=TokenForm(formdata=None),
        accept=form or AcceptForm(formdata=None), wrong=session_id)
    return page, 422 if form else 200


@blueprint.route("/quality/residents/<resident_id>", methods=["GET", "POST"])
@administrator
def complete(resident_id: str) -> ResponseReturnValue:
    actor, number, form = current_actor(), read_id(resident_id), BirthForm()
    resident = queries.one_without_birth_date(number)
    if resident is None:
        raise NotVisible
    if request.method == "GET":
        form.sex.data = resident.sex.value
    elif form.validate():
        try:
            unit_of_work(lambda: services.complete(actor, number, form.birth_date.data, Sex(form.sex.data)))
        except Invalid as invalid:
            form.show_invalid(invalid)
        else:
            flash(_("Kept. From now on the figures know the age."))
            return redirect(url_for("quality.listed", finding=Finding.NO_BIRTH_DATE.value))
    page = render_template("quality/complete.html", form=form, resident=queries.one_without_birth_date(number))
    return page, 422 if form.errors else 200


@blueprint.post("/quality/sessions/<session_id>/right")
@counter_staff
def accept(session_id: str) -> ResponseReturnValue:
    actor, session, form = current_actor(), runnable(session_id), AcceptForm()
    if not form.validate():
        return _list(Finding.CROWDED, form, session.id)
    why = WhyRight(form.why.data)
    unit_of_work(lambda: services.accept(actor, session.id, why))
    flash(_("Kept: the number is right. You are asked again only if it changes."))
    return redirect(url_for("quality.listed", finding=Finding.CROWDED.value))


@blueprint.post("/quality/records/<first_id>/<second_id>/different")
@administrator
def tell_apart(first_id: str, second_id: str) -> ResponseReturnValue:
    actor, first, second = current_actor(), read_id(first_id), read_id(second_id)
    unit_of_work(lambda: services.tell_apart(actor, first, second))
    flash(_("Kept: these are two persons. You are not asked about them again."))
    return redirect(url_for("quality.listed", finding=Finding.LIKELY_TWICE.value))
