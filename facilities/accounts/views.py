"""Signing in and out, and the language."""

from flask import Blueprint, redirect, render_template, request, session, url_for
from flask.typing import ResponseReturnValue
from flask_login import logout_user

from facilities.accounts import services
from facilities.accounts.entrance import enter, safe_next, start_browsing
from facilities.accounts.forms import SignInForm
from facilities.accounts.models import SignInKind
from facilities.infra.db import unit_of_work
from facilities.kernel.refusals import Refused
from facilities.web.guards import current_actor, public, signed_in
from facilities.web.language import LANGUAGES
from facilities.web.limits import limiter
from facilities.web.wording import words_for

blueprint = Blueprint("accounts", __name__)


@blueprint.route("/sign-in", methods=["GET", "POST"])
@public
@limiter.limit("30 per minute", methods=["POST"])
def sign_in() -> ResponseReturnValue:
    form = SignInForm(next=request.args.get("next", ""))
    refusal = None
    if form.validate_on_submit():
        try:
            entered = enter(form.login.data, form.password.data, SignInKind.BROWSER)
        except Refused as refused:
            refusal = words_for(refused.refusal)
        else:
            actor = start_browsing(entered)
            start = "attendance.desk" if actor is not None and actor.is_staff else "pages.home"
            return redirect(safe_next(form.next.data) or url_for(start))
    return render_template("accounts/sign_in.html", form=form, refusal=refusal), 422 if form.errors or refusal else 200


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
