"""My messages, how I get them, and answers to them; for administrators those that did not arrive."""

from collections.abc import Callable
from typing import Any

from flask import Blueprint, current_app, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import ngettext

from facilities.bookings.models import BookingState
from facilities.engine.messages import Answer, Channel, Topic
from facilities.infra.db import unit_of_work
from facilities.kernel.actors import Actor
from facilities.kernel.ids import read_id
from facilities.kernel.refusals import Invalid, NotVisible, Refusal, Refused
from facilities.kernel.text import read_choice
from facilities.notices import answers, queries, services, wording
from facilities.notices import preferences as chosen
from facilities.notices.addresses import page_about
from facilities.notices.channels.installed import installed
from facilities.notices.forms import AnswerCodeForm, CarerForm, CodeForm, EmailForm, PreferencesForm, ticked
from facilities.notices.queries import Message
from facilities.web.forms import BaseForm
from facilities.web.guards import actor_or_none, administrator, current_actor, public, signed_in
from facilities.web.limits import limiter
from facilities.web.paging import After, page_of, read_cursor
from facilities.web.wording import words_for

blueprint = Blueprint("notices", __name__)

ON_A_PAGE = 30
OF_EVERYBODY = {"draw"}  # may be looked at by who no longer acts for the resident, too


@blueprint.get("/my/messages")
@signed_in
def mine() -> ResponseReturnValue:
    actor = current_actor()
    try:
        after = read_cursor(request.args.get("cursor"))
    except Invalid as error:
        raise NotVisible from error
    rows = queries.inbox(actor, limit=ON_A_PAGE + 1, before=after.id if after else None)
    page = page_of(rows, ON_A_PAGE, lambda m: After(m.notice.created_at, m.notice.id), lambda m: (m, _address(m)))
    return render_template("notices/mine.html", messages=page["items"], older=page["next"], is_first=after is None,
                           unread=queries.unread(actor), heading=wording.heading, text=wording.text)


def _address(message: Message) -> str | None:
    """None where the reader could not open it."""
    found = page_about(message.notice.kind, message.notice.about_kind)
    if found is None or (message.name is None and message.notice.about_kind not in OF_EVERYBODY):
        return None
    where: dict[str, Any] = {found[1]: message.notice.about_id}
    return url_for(found[0], **where)


@blueprint.post("/my/messages/read")
@signed_in
def mark_read() -> ResponseReturnValue:
    actor = current_actor()
    unit_of_work(lambda: services.mark_read(actor))
    flash(_("All messages are marked as read."))
    return redirect(url_for("notices.mine"))


@blueprint.app_template_global("unread_messages")
def unread_messages() -> int:
    """For the navigation; one query, and only where a template asks."""
    actor = actor_or_none()
    return queries.unread(actor) if actor else 0


# -- how messages come


@blueprint.route("/my/notifications", methods=["GET", "POST"])
@signed_in
def preferences() -> ResponseReturnValue:
    actor, form = current_actor(), PreferencesForm()
    if form.validate_on_submit():
        choices = ticked(request.form.getlist("ways"), _shown(chosen.of(actor)))
        unit_of_work(lambda: chosen.change(
            actor, language=form.language.data, quiet=form.quiet, large_type=form.large_type.data, choices=choices))
        flash(_("Kept. From now on you are told like this."))
        return redirect(url_for("notices.preferences"))
    return _preferences_page(actor, form)


def _preferences_page(actor: Actor, form: PreferencesForm, refusal: str | None = None, **forms: BaseForm,
                      ) -> ResponseReturnValue:
    found = chosen.of(actor)
    if not form.is_submitted() or forms:
        form.show(found)
    wrong = refusal or any(one.errors for one in (form, *forms.values()))
    parts = {"email_form": EmailForm(formdata=None), "carer_form": CarerForm(formdata=None),
             "code_form": CodeForm(formdata=None), "carer_code_form": CodeForm(formdata=None, prefix="carer-")} | forms
    page = render_template(
        "notices/preferences.html", found=found, form=form, refusal=refusal, topics=tuple(Topic), sms=Channel.SMS,
        security=Topic.SECURITY, channels=_shown(found), has=installed(current_app.config["HUIMIN_SETTINGS"]),
        most_carers=chosen.MOST_CARERS, **parts)
    return page, 422 if wrong else 200


def _shown(found: chosen.Preferences) -> list[Channel]:
    """Of the ways that this installation has, those that lead to somebody."""
    ready = {Channel.SMS: True, Channel.PLATFORM: True, Channel.WECHAT: found.wechat is not None,
             Channel.EMAIL: found.email is not None and found.email.confirmed_at is not None}
    return [channel for channel in installed(current_app.config["HUIMIN_SETTINGS"]) if ready[channel]]


def _step(form: BaseForm, name: str, verb: Callable[[Actor], object], said: str) -> ResponseReturnValue:
    """One of the small forms on the page of preferences; what is wrong stands beside it."""
    actor, refusal = current_actor(), None
    if form.validate_on_submit():
        try:
            if unit_of_work(lambda: verb(actor)) is not False:
                flash(said)
                return redirect(url_for("notices.preferences"))
            refusal = words_for(Refusal("code_not_right"))
        except Invalid as invalid:
            form.show_invalid(invalid)
        except Refused as refused:
            refusal = words_for(refused.refusal)
    return _preferences_page(actor, PreferencesForm(formdata=None), refusal, **{name: form})


@blueprint.post("/my/notifications/email")
@signed_in
@limiter.limit("10 per minute")
def set_email() -> ResponseReturnValue:
    form = EmailForm()
    return _step(form, "email_form", lambda actor: chosen.begin_email(actor, form.email.data),
                 _("A letter with a code is on its way. Enter the code here."))


@blueprint.post("/my/notifications/email/confirm")
@signed_in
@limiter.limit("10 per minute")
def confirm_email() -> ResponseReturnValue:
    form = CodeForm()
    return _step(form, "code_form", lambda actor: chosen.confirm_email(actor, form.code.data),
                 _("The address is yours. Letters go there from now on."))


@blueprint.post("/my/notifications/email/remove")
@signed_in
def remove_email() -> ResponseReturnValue:
    actor = current_actor()
    unit_of_work(lambda: chosen.remove_email(actor))
    flash(_("The address is removed."))
    return redirect(url_for("notices.preferences"))


@blueprint.post("/my/notifications/carers")
@signed_in
@limiter.limit("10 per minute")
def add_carer() -> ResponseReturnValue:
    form = CarerForm()
    return _step(form, "carer_form", lambda actor: chosen.begin_carer(actor, form.phone.data),
                 _("A message with a code is on its way to that phone. Whoever gets it tells you the code."))


@blueprint.post("/my/notifications/carers/confirm")
@signed_in
@limiter.limit("10 per minute")
def confirm_carer() -> ResponseReturnValue:
    form = CodeForm(prefix="carer-")
    return _step(form, "carer_code_form", lambda actor: chosen.confirm_carer(actor, form.code.data),
                 _("From now on that phone gets a copy of your messages."))


@blueprint.post("/my/notifications/carers/<carer_id>/remove")
@signed_in
def remove_carer(carer_id: str) -> ResponseReturnValue:
    actor, number = current_actor(), read_id(carer_id)
    unit_of_work(lambda: chosen.remove_carer(actor, number))
    flash(_("That phone gets no copies any more."))
    return redirect(url_for("notices.preferences"))


# -- answers from a message, without signing in: the code is the key


@blueprint.route("/a", methods=["GET", "POST"])
@public
@limiter.limit("20 per minute", methods=["POST"])
def enter_answer() -> ResponseReturnValue:
    form, refusal = AnswerCodeForm(), None
    if form.validate_on_submit():
        code = "".join(form.code.data.split()).upper()
        try:
            answers.find(code)
        except NotVisible:
            refusal = words_for(Refusal("code_not_right"))
        else:
            return redirect(url_for("notices.answer", code=code))
    status = 422 if form.errors or refusal else 200
    return render_template("notices/enter_answer.html", form=form, refusal=refusal), status


@blueprint.route("/a/<code>", methods=["GET", "POST"])
@public
@limiter.limit("60 per minute")
def answer(code: str) -> ResponseReturnValue:
    refusal = None
    if request.method == "POST":
        said = read_choice(Answer, request.form.get("answer"))
        if said is None:  # no button of ours
            return redirect(url_for("notices.answer", code=code))
        try:
            booking = unit_of_work(lambda: answers.give(code, said))
        except Refused as refused:
            refusal = words_for(refused.refusal)
        else:
            flash(_("The time to accept this place is over, and it has gone to the next.")
                  if booking.state is BookingState.EXPIRED else str(wording.ANSWERED[said]))
            return redirect(url_for("notices.answer", code=code))
    asked = answers.find(code)
    page = render_template("notices/answer.html", asked=asked, session=asked.booking.session, code=code,
                           refusal=refusal, words=wording.ANSWERS)
    return page, 409 if refusal else 200


# -- what did not arrive


@blueprint.get("/staff/messages")
@administrator
def undelivered() -> ResponseReturnValue:
    try:
        after = read_cursor(request.args.get("cursor"))
    except Invalid as error:
        raise NotVisible from error
    rows = queries.given_up(ON_A_PAGE + 1, before=after.id if after else None)
    page = page_of(rows, ON_A_PAGE, lambda row: After(row.notice.created_at, row.id), lambda row: row)
    return render_template("notices/undelivered.html", deliveries=page["items"], older=page["next"],
                           is_first=after is None, heading=wording.heading, waiting=queries.how_many_wait(),
                           has=installed(current_app.config["HUIMIN_SETTINGS"]))


@blueprint.post("/staff/messages/send-again")
@administrator
def send_again() -> ResponseReturnValue:
    """Those that the page showed, or one of them."""
    numbers = [read_id(text) for text in request.form.getlist("delivery_id")[:ON_A_PAGE]]
    actor = current_actor()
    done = unit_of_work(lambda: services.send_again(actor, numbers))
    flash(ngettext("%(num)d message is on its way again.", "%(num)d messages are on their way again.", done))
    return redirect(url_for("notices.undelivered"))
