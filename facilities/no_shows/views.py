"""Missed sessions: for whoever missed them, for who answers, and for who sets the rule."""

from dataclasses import dataclass

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from facilities.bookings.models import BookingState
from facilities.engine.phones import read_phone
from facilities.households import desk
from facilities.households.desk import Found
from facilities.infra.db import unit_of_work
from facilities.kernel import clock
from facilities.kernel.actors import Actor
from facilities.kernel.ids import read_id
from facilities.kernel.refusals import Invalid, NotVisible, Refused
from facilities.kernel.text import read_choice
from facilities.no_shows import policy as may
from facilities.no_shows import queries, services
from facilities.no_shows.forms import AnswerForm, AppealForm, ExemptionForm, RuleForm, TokenForm
from facilities.no_shows.looks import note_looks
from facilities.no_shows.models import Answer, Ground
from facilities.web.guards import administrator, counter_staff, current_actor, signed_in, staff
from facilities.web.wording import words_for

blueprint = Blueprint("no_shows", __name__)


@blueprint.get("/my/no-shows")
@signed_in
def mine() -> ResponseReturnValue:
    actor, now, policy = current_actor(), clock.now(), queries.policy()
    return render_template(
        "no_shows/mine.html", policy=policy, rows=queries.own(actor, now - policy.window), can_appeal=may.can_appeal,
        pauses=queries.own_pauses(actor, now), standings=queries.own_standings(actor, policy, now))


@blueprint.route("/my/no-shows/<booking_id>", methods=["GET", "POST"])
@signed_in
def one(booking_id: str) -> ResponseReturnValue:
    """Whether it counts, what was said to it, and a few words to say where something can be said."""
    actor, number, form, refusal = current_actor(), read_id(booking_id), AppealForm(), None
    if queries.own_one(actor, number) is None:
        raise NotVisible
    if form.validate_on_submit():
        try:
            unit_of_work(lambda: services.appeal(actor, number, form.words.data))
        except Refused as refused:
            refusal = words_for(refused.refusal)
        else:
            flash(_("Thank you. Somebody of the place looks at it, and you hear from us."))
            return redirect(url_for("no_shows.one", booking_id=number))
    told, now, policy = queries.own_one(actor, number), clock.now(), queries.policy()
    if told is None:
        raise NotVisible
    standing = queries.own_standings(actor, policy, now).get(number)
    pauses = [found for found in queries.own_pauses(actor, now) if found.pause.booking_id == number]
    page = render_template(
        "no_shows/one.html", told=told, standing=standing, policy=policy, form=form, refusal=refusal, pauses=pauses,
        can_appeal=may.can_appeal(told, standing), is_one=told.booking.state is BookingState.NO_SHOW)
    return page, 409 if refusal else 422 if form.errors else 200


# -- for those who answer


@blueprint.get("/desk/appeals")
@counter_staff
def appeals() -> ResponseReturnValue:
    return _appeals(AnswerForm(formdata=None))


@blueprint.post("/desk/appeals/<booking_id>")
@staff
def answer(booking_id: str) -> ResponseReturnValue:
    """The button that was pressed says yes or no."""
    actor, number, form = current_actor(), read_id(booking_id), AnswerForm()
    told, given = queries.appealed(number), read_choice(Answer, request.form.get("answer"))
    if told is None or not may.can_answer(actor, told):
        raise NotVisible
    if not form.validate() or given is None:
        return _appeals(form, number)
    try:
        unit_of_work(lambda: services.answer(actor, number, given, form.reply.data))
    except Refused as refused:
        return _appeals(AnswerForm(formdata=None), refusal=words_for(refused.refusal))
    flash(_("Answered. The person is told."))
    return redirect(url_for("no_shows.appeals"))


def _appeals(form: AnswerForm, number: int | None = None, refusal: str | None = None) -> ResponseReturnValue:
    """`number`: the one whose reply is to be corrected."""
    actor, now = current_actor(), clock.now()
    rows = queries.open_appeals(actor)
    if note_looks([told.booking.resident_id for told in rows]):
        rows = queries.open_appeals(actor)
    policy = queries.policy()
    page = render_template("no_shows/appeals.html", rows=rows, form=form, number=number, refusal=refusal,
                           counted=queries.how_many_count(policy, rows, now), within_days=policy.within_days)
    return page, 409 if refusal else 422 if number else 200


# -- for administrators


@dataclass(frozen=True, slots=True)
class Sought:
    """What was looked for, and what came of it; `wrong`: it is neither kind of number."""

    text: str
    found: Found
    wrong: bool = False


@blueprint.route("/staff/no-shows", methods=["GET", "POST"])
@administrator
def rule() -> ResponseReturnValue:
    actor, form = current_actor(), RuleForm()
    if request.method == "GET":
        form.show(queries.policy())
    elif form.validate():
        try:
            unit_of_work(lambda: services.change_rule(actor, form.values()))
        except Invalid as invalid:
            form.show_invalid(invalid)
        else:
            flash(_("Changed."))
            return redirect(url_for("no_shows.rule"))
    return _rule_page(form)


def _rule_page(form: RuleForm | None = None, exempting: ExemptionForm | None = None, sought: Sought | None = None,
               resident_id: int | None = None) -> ResponseReturnValue:
    """`resident_id`: who is about to be exempted."""
    exemptions = queries.exemptions(clock.today())
    if note_looks([row.resident_id for row in exemptions]):
        exemptions = queries.exemptions(clock.today())
    policy = queries.policy()
    if form is None:
        form = RuleForm(formdata=None)
        form.show(policy)
    wrong = form.errors or (exempting and exempting.errors) or (sought and sought.wrong)
    page = render_template(
        "no_shows/rule.html", policy=policy, form=form, exempting=exempting, sought=sought, resident_id=resident_id,
        token=TokenForm(formdata=None), exemptions=exemptions)
    return page, 422 if wrong else 200


@blueprint.post("/staff/no-shows/look-up")
@administrator
def look_up() -> ResponseReturnValue:
    """Posted: a number has no place in an address."""
    actor, text = current_actor(), request.form.get("sought", "").strip()[:40]
    sought = _find(actor, text)
    resident = sought.found.resident
    form = ExemptionForm(formdata=None) if resident else None
    return _rule_page(None, form, sought, resident.id if resident else None)


def _find(actor: Actor, text: str) -> Sought:
    phone = read_phone(text)
    try:
        found = unit_of_work(lambda: desk.find(actor, desk.Ground.COUNTER, phone, None if phone else text))
    except Invalid:
        return Sought(text, Found(), wrong=True)
    return Sought(text, found)


@blueprint.post("/staff/no-shows/exemptions")
@administrator
def exempt() -> ResponseReturnValue:
    actor, form, number = current_actor(), ExemptionForm(), read_id(request.form.get("resident_id", ""))
    if form.validate():
        try:
            form.check_days()
            ground, days = Ground(form.ground.data), (form.from_day.data, form.until_day.data)
            unit_of_work(lambda: services.exempt(actor, number, ground, *days))
        except Invalid as invalid:
            form.show_invalid(invalid)
        else:
            flash(_("Kept. Missed sessions on these days do not count."))
            return redirect(url_for("no_shows.rule"))
    return _rule_page(None, form, None, number)


@blueprint.post("/staff/no-shows/exemptions/<exemption_id>/end")
@administrator
def end_exemption(exemption_id: str) -> ResponseReturnValue:
    actor, number = current_actor(), read_id(exemption_id)
    unit_of_work(lambda: services.end_exemption(actor, number))
    flash(_("Ended. From today on missed sessions count again."))
    return redirect(url_for("no_shows.rule"))
