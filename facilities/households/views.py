"""Registering, and the people for whom one account acts."""

from flask import Blueprint, current_app, flash, redirect, render_template, request, session, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from facilities.accounts.entrance import let_in, safe_next, start_browsing
from facilities.accounts.models import SignInKind, User
from facilities.accounts.services import hash_password
from facilities.engine.eligibility import Sex
from facilities.households import queries, registration, services
from facilities.households.forms import CodeForm, MemberForm, RegisterForm
from facilities.households.models import Relation
from facilities.households.registration import Wanted
from facilities.infra.db import unit_of_work
from facilities.kernel.refusals import Invalid, Refusal, Refused
from facilities.web.guards import current_actor, public, signed_in
from facilities.web.limits import limiter
from facilities.web.wording import words_for

blueprint = Blueprint("households", __name__)


@blueprint.route("/register", methods=["GET", "POST"])
@public
@limiter.limit("30 per minute", methods=["POST"])
def register() -> ResponseReturnValue:
    form = RegisterForm(next=request.args.get("next", ""))
    refusal = None
    if form.validate_on_submit():
        try:
            if current_app.config["HUIMIN_SETTINGS"].confirms_phones:
                return _ask_for_the_code(form)
            user = _register(form)
        except Invalid as invalid:
            form.show_invalid(invalid)
        except Refused as refused:
            taken = refused.refusal.code == "login_taken"
            refusal = words_for(Refusal("phone_taken") if taken else refused.refusal)
        else:
            return _welcome(user, form.next.data)
    status = 422 if form.errors or refusal else 200
    return render_template("households/register.html", form=form, refusal=refusal), status


def _ask_for_the_code(form: RegisterForm) -> ResponseReturnValue:
    wanted = Wanted(form.phone.data, hash_password(form.password.data, staff=False), form.name.data,
                    form.birth_date.data, Sex(form.sex.data))
    number = unit_of_work(lambda: registration.ask(wanted))
    session["registers"] = {"phone": form.phone.data, "number": number}
    return redirect(url_for("households.confirm", next=safe_next(form.next.data)))


@blueprint.route("/register/confirm", methods=["GET", "POST"])
@public
@limiter.limit("30 per minute", methods=["POST"])
def confirm() -> ResponseReturnValue:
    """With the code that went to the phone; only what was typed in this browser is made true."""
    form, refusal = CodeForm(next=request.args.get("next", "")), None
    waiting = session.get("registers")
    if waiting is None:
        return redirect(url_for("households.register"))
    if form.validate_on_submit():
        try:
            user = unit_of_work(lambda: registration.confirm(waiting["phone"], form.code.data, waiting["number"]))
        except Refused as refused:
            user, refusal = None, words_for(refused.refusal)
        if user is not None:
            session.pop("registers")
            return _welcome(user, form.next.data)
        refusal = refusal or words_for(Refusal("code_not_right"))
    status = 422 if form.errors or refusal else 200
    return render_template("households/confirm.html", form=form, refusal=refusal), status


def _welcome(user: User, target: str | None) -> ResponseReturnValue:
    start_browsing(let_in(user, SignInKind.BROWSER))
    flash(_("Welcome! You can book now."))
    return redirect(safe_next(target) or url_for("pages.find"))


def _register(form: RegisterForm) -> User:
    password_hash = hash_password(form.password.data, staff=False)
    return unit_of_work(lambda: services.register(
        form.phone.data, password_hash, form.name.data, form.birth_date.data, Sex(form.sex.data)))


@blueprint.get("/me")
@signed_in
def me() -> ResponseReturnValue:
    return render_template("households/me.html", links=queries.guardianships_of(current_actor()))


@blueprint.route("/me/family/new", methods=["GET", "POST"])
@signed_in
def add_member() -> ResponseReturnValue:
    form, actor, refusal = MemberForm(), current_actor(), None
    if form.validate_on_submit():
        try:
            unit_of_work(lambda: services.add_resident(
                actor, Relation(form.relation.data), form.name.data, form.birth_date.data, Sex(form.sex.data)))
        except Invalid as invalid:
            form.show_invalid(invalid)
        except Refused as refused:
            refusal = words_for(refused.refusal)
        else:
            flash(_("Added. You can now book for this person."))
            return redirect(safe_next(request.args.get("next")) or url_for("households.me"))
    status = 422 if form.errors or refusal else 200
    return render_template("households/add_member.html", form=form, refusal=refusal), status
