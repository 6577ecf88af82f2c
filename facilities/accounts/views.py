"""Signing in and out, a forgotten password, the second factor, one's own sign-ins; and the language."""

from collections.abc import Callable

import segno
from flask import Blueprint, flash, redirect, render_template, request, session, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_login import logout_user

from facilities.accounts import codes, queries, second_factors, services
from facilities.accounts.entrance import (
    Entered,
    attempts_key_of,
    enter_with_code,
    half_signed_in,
    let_in,
    read_login,
    safe_next,
    second_factor_required,
    start_browsing,
    verify_password,
    wait_for_code,
)
from facilities.accounts.forms import (
    AppCodeForm,
    ConfirmForm,
    PasswordForm,
    PhoneForm,
    ResetForm,
    SentCodeForm,
    SignInForm,
)
from facilities.accounts.models import CodePurpose, SignInKind, User
from facilities.engine.phones import read_phone
from facilities.infra.db import unit_of_work
from facilities.kernel.actors import Actor
from facilities.kernel.ids import read_id
from facilities.kernel.refusals import Invalid, Refusal, Refused, raise_if
from facilities.web.guards import current_actor, public, signed_in, staff
from facilities.web.language import LANGUAGES
from facilities.web.limits import limiter
from facilities.web.wording import words_for, words_for_input

blueprint = Blueprint("accounts", __name__)


@blueprint.route("/sign-in", methods=["GET", "POST"])
@public
@limiter.limit("30 per minute", methods=["POST"])
def sign_in() -> ResponseReturnValue:
    form = SignInForm(next=request.args.get("next", ""))
    refusal = None
    if form.validate_on_submit():
        try:
            verified = verify_password(form.login.data, form.password.data)
            return _go_on(verified.user, form.next.data, verified.key)
        except Refused as refused:
            refusal = words_for(refused.refusal)
    return render_template("accounts/sign_in.html", form=form, refusal=refusal), 422 if form.errors or refusal else 200


def _go_on(user: User, back: str | None, key: str | None = None) -> ResponseReturnValue:
    """To the second step, where there is one; else in."""
    if second_factors.is_on(user.id):
        wait_for_code(user)
        return redirect(url_for("accounts.enter_code", next=safe_next(back)))
    return _come_in(let_in(user, SignInKind.BROWSER, key=key), back)


def _come_in(entered: Entered, back: str | None) -> ResponseReturnValue:
    actor = start_browsing(entered)
    start = "attendance.desk" if actor is not None and actor.is_staff else "pages.home"
    return redirect(safe_next(back) or url_for(start))


@blueprint.route("/sign-in/code", methods=["GET", "POST"])
@public
@limiter.limit("30 per minute", methods=["POST"])
def enter_code() -> ResponseReturnValue:
    """The second step of who has a second factor."""
    form, refusal = AppCodeForm(next=request.args.get("next", "")), None
    user = half_signed_in()
    if user is None:
        return redirect(url_for("accounts.sign_in", next=safe_next(form.next.data)))
    if form.validate_on_submit():
        try:
            return _come_in(enter_with_code(user, form.code.data), form.next.data)
        except Refused as refused:
            wrong = refused.refusal.code == "bad_credentials"
            refusal = words_for_input("wrong_code") if wrong else words_for(refused.refusal)
    status = 422 if form.errors or refusal else 200
    return render_template("accounts/enter_code.html", form=form, refusal=refusal), status


@blueprint.route("/forgot", methods=["GET", "POST"])
@public
@limiter.limit("10 per minute", methods=["POST"])
def forgot() -> ResponseReturnValue:
    """What is answered is the same for a phone that is known and one that is not."""
    form = PhoneForm()
    if form.validate_on_submit() and _send_code(form, CodePurpose.RESET):
        return _reset_page(ResetForm(formdata=None, phone=form.phone.data))
    return render_template("accounts/forgot.html", form=form), 422 if form.errors else 200


@blueprint.route("/reset", methods=["GET", "POST"])
@public
@limiter.limit("10 per minute", methods=["POST"])
def reset() -> ResponseReturnValue:
    form, refusal = ResetForm(), None
    if form.validate_on_submit():
        try:
            if _reset_password(form):
                flash(_("Your password is changed. Please sign in with the new one."))
                return redirect(url_for("accounts.sign_in"))
            refusal = words_for(Refusal("code_not_right"))
        except Invalid as invalid:
            form.show_invalid(invalid)
    return _reset_page(form, refusal)


def _reset_page(form: ResetForm, refusal: str | None = None) -> ResponseReturnValue:
    return render_template("accounts/reset.html", form=form, refusal=refusal), 422 if form.errors or refusal else 200


def _reset_password(form: ResetForm) -> bool:
    """Hashed before it is known whether the code is right, so that nothing shows in the time it takes."""
    new_password = form.new_password.data
    password_hash = services.hash_password(new_password, staff=False, field="new_password")
    user = queries.user_by_login(read_login(form.phone.data))
    return unit_of_work(lambda: codes.reset_password(user, form.code.data, new_password, password_hash))


@blueprint.route("/sign-in/message", methods=["GET", "POST"])
@public
@limiter.limit("10 per minute", methods=["POST"])
def ask_for_code() -> ResponseReturnValue:
    """For who would rather have a text message than remember a password."""
    form = PhoneForm(next=request.args.get("next", ""))
    if form.validate_on_submit() and _send_code(form, CodePurpose.SIGN_IN):
        return _sent_page(SentCodeForm(formdata=None, phone=form.phone.data, next=form.next.data))
    return render_template("accounts/ask_for_code.html", form=form), 422 if form.errors else 200


@blueprint.route("/sign-in/message/code", methods=["GET", "POST"])
@public
@limiter.limit("10 per minute", methods=["POST"])
def enter_sent_code() -> ResponseReturnValue:
    form, refusal = SentCodeForm(), None
    if form.validate_on_submit():
        user = queries.user_by_login(read_login(form.phone.data))
        right = unit_of_work(lambda: codes.redeem(user, CodePurpose.SIGN_IN, form.code.data))
        if right and user is not None:
            return _go_on(user, form.next.data)
        refusal = words_for(Refusal("code_not_right"))
    return _sent_page(form, refusal)


def _sent_page(form: SentCodeForm, refusal: str | None = None) -> ResponseReturnValue:
    status = 422 if form.errors or refusal else 200
    return render_template("accounts/enter_sent_code.html", form=form, refusal=refusal), status


def _send_code(form: PhoneForm, purpose: CodePurpose) -> bool:
    """Whether the number can be one; nothing tells whether it is known."""
    number = read_phone(form.phone.data)
    if number is None:
        form.show_invalid(Invalid(phone="bad_phone"))
        return False
    unit_of_work(lambda: codes.send(number, queries.user_by_login(number), purpose))
    return True


@blueprint.route("/me/second-factor", methods=["GET", "POST"])
@staff
def second_factor() -> ResponseReturnValue:
    """Set it up, or see that it is."""
    actor, form = current_actor(), ConfirmForm()
    if form.validate_on_submit():
        try:
            _counted(actor, "code", lambda: second_factors.confirm(actor, form.code.data))
        except Invalid as invalid:
            form.show_invalid(invalid)
        else:
            flash(_("Done. From now on we ask for a code from the app when you sign in."))
            return redirect(url_for("accounts.second_factor"))
    return _second_factor_page(form, PasswordForm(formdata=None))


@blueprint.post("/me/second-factor/start")
@staff
def start_second_factor() -> ResponseReturnValue:
    actor = current_actor()
    unit_of_work(lambda: second_factors.start(actor))
    return redirect(url_for("accounts.second_factor"))


@blueprint.post("/me/second-factor/remove")
@staff
def remove_second_factor() -> ResponseReturnValue:
    actor, form = current_actor(), PasswordForm()
    if form.validate_on_submit():
        try:
            _counted(actor, "password", lambda: second_factors.remove(
                actor, form.password.data, required=second_factor_required()))
        except Invalid as invalid:
            form.show_invalid(invalid)
        else:
            flash(_("Removed. Your password alone opens your account now."))
            return redirect(url_for("accounts.second_factor"))
    return _second_factor_page(ConfirmForm(formdata=None), form)


def _counted(actor: Actor, field: str, work: Callable[[], None]) -> None:
    """Guessing here counts like guessing at the door."""
    key = attempts_key_of(actor)
    raise_if(services.refuse_if_too_many_failures(key))
    try:
        unit_of_work(work)
    except Invalid as invalid:
        if field in invalid.fields:
            unit_of_work(lambda: services.note_failure(key))
        raise


def _second_factor_page(form: ConfirmForm, removing: PasswordForm) -> ResponseReturnValue:
    actor, key, picture = current_actor(), None, None
    factor = queries.second_factor_of(actor.user_id)
    if factor is not None and factor.confirmed_at is None:
        key = second_factors.key_to_show(factor)
        picture = segno.make(second_factors.address_to_scan(factor, actor.login)).svg_data_uri(border=4, light="#fff")
    status = 422 if form.errors or removing.errors else 200
    return render_template("accounts/second_factor.html", form=form, removing=removing, factor=factor, key=key,
                           picture=picture, required=second_factor_required()), status


@blueprint.get("/me/sign-ins")
@signed_in
def sign_ins() -> ResponseReturnValue:
    return render_template("accounts/sign_ins.html", rows=services.sign_ins_of(current_actor()))


@blueprint.post("/me/sign-ins/<sign_in_id>/end")
@signed_in
def end_sign_in(sign_in_id: str) -> ResponseReturnValue:
    actor, number = current_actor(), read_id(sign_in_id)
    unit_of_work(lambda: services.end_own_sign_in(actor, number))
    if number == actor.sign_in_id:
        logout_user()
        return redirect(url_for("pages.home"))
    flash(_("That device is signed out."))
    return redirect(url_for("accounts.sign_ins"))


@blueprint.post("/me/sign-ins/end-others")
@signed_in
def end_other_sign_ins() -> ResponseReturnValue:
    actor = current_actor()
    unit_of_work(lambda: services.end_sign_ins(actor.user_id, but=actor.sign_in_id))
    flash(_("You are signed out everywhere else."))
    return redirect(url_for("accounts.sign_ins"))


@blueprint.post("/sign-out")
@signed_in
def sign_out() -> ResponseReturnValue:
    sign_in_id = current_actor().sign_in_id
    unit_of_work(lambda: services.end_sign_in(sign_in_id))
    logout_user()
    return redirect(url_for("pages.home"))


@blueprint.post("/language")
@public
def choose_language() -> ResponseReturnValue:
    if request.form.get("language") in LANGUAGES:
        session["language"] = request.form["language"]
        session.permanent = True
    return redirect(safe_next(request.form.get("next")) or url_for("pages.home"))


@blueprint.post("/appearance")
@public
def choose_appearance() -> ResponseReturnValue:
    """Elder mode: larger type and targets."""
    session["elder"] = request.form.get("elder") == "on"
    session.permanent = True
    return redirect(safe_next(request.form.get("next")) or url_for("pages.home"))
