"""Registering, and the people for whom one account acts."""

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from facilities.accounts.entrance import let_in, safe_next, start_browsing
from facilities.accounts.models import SignInKind, User
from facilities.accounts.services import hash_password
from facilities.engine.eligibility import Sex
from facilities.households import queries, services
from facilities.households.forms import MemberForm, RegisterForm
from facilities.households.models import Relation
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
            user = _register(form)
        except Invalid as invalid:
            form.show_invalid(invalid)
        except Refused as refused:
            taken = refused.refusal.code == "login_taken"
            refusal = words_for(Refusal("phone_taken") if taken else refused.refusal)
        else:
            start_browsing(let_in(user, SignInKind.BROWSER))
            flash(_("Welcome! You can book now."))
            return redirect(safe_next(form.next.data) or url_for("pages.find"))
    status = 422 if form.errors or refusal else 200
    return render_template("households/register.html", form=form, refusal=refusal), status


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
