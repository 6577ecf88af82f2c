"""Staff and their rights, for administrators: who may do what, where and until when; add, give, end, disable."""

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from facilities.accounts import queries, second_factors, services
from facilities.accounts.entrance import read_login
from facilities.accounts.models import User
from facilities.infra.db import unit_of_work
from facilities.kernel.ids import read_id
from facilities.kernel.refusals import Invalid, NotVisible, Refused
from facilities.places import queries as places
from facilities.staff.forms import GrantForm, PasswordForm, StaffForm, show_objections
from facilities.web.guards import administrator, current_actor
from facilities.web.wording import words_for

blueprint = Blueprint("staff", __name__)


def _member(user_id: str) -> User:
    """A member of staff; residents' accounts are nobody's to look at here."""
    user = queries.user_by_id(read_id(user_id))
    if user is None or not services.is_staff_account(user):
        raise NotVisible
    return user


@blueprint.get("/staff")
@administrator
def everybody() -> ResponseReturnValue:
    return render_template("staff/everybody.html", people=queries.staff(), **_names())


def _names() -> dict[str, object]:
    """What scopes are called."""
    return {"facilities": {row.id: row for row in places.managed_facilities(current_actor())},
            "sub_districts": {row.code: row for row in places.sub_districts()}}


@blueprint.route("/staff/new", methods=["GET", "POST"])
@administrator
def add() -> ResponseReturnValue:
    form, refusal = StaffForm(), None
    form.offer(places.managed_facilities(current_actor()), places.sub_districts())
    if form.validate_on_submit():
        try:
            user = _add(form)
        except Invalid as invalid:
            show_objections(form, invalid)
        except Refused as refused:
            refusal = words_for(refused.refusal)
        else:
            flash(_("Added. Tell them their login and password in person."))
            return redirect(url_for("staff.one", user_id=user.id))
    return render_template("staff/add.html", form=form, refusal=refusal), 422 if form.errors or refusal else 200


def _add(form: StaffForm) -> User:
    actor, wanted = current_actor(), form.wanted()
    password_hash = services.hash_password(form.password.data, staff=True)
    return unit_of_work(lambda: services.create_user(
        read_login(form.login.data), form.display_name.data, password_hash, [wanted], actor))


@blueprint.get("/staff/<user_id>")
@administrator
def one(user_id: str) -> ResponseReturnValue:
    return _page(_member(user_id))


def _page(user: User, granting: GrantForm | None = None, setting: PasswordForm | None = None) -> ResponseReturnValue:
    granting = granting or GrantForm(formdata=None)
    granting.offer(places.managed_facilities(current_actor()), places.sub_districts())
    setting = setting or PasswordForm(formdata=None)
    status = 422 if granting.errors or setting.errors else 200
    return render_template(
        "staff/one.html", user=user, grants=queries.grant_rows(user.id), granting=granting, setting=setting,
        has_second_factor=second_factors.is_on(user.id), **_names()), status


@blueprint.post("/staff/<user_id>/grants")
@administrator
def give(user_id: str) -> ResponseReturnValue:
    actor, user, form = current_actor(), _member(user_id), GrantForm()
    form.offer(places.managed_facilities(actor), places.sub_districts())
    if form.validate_on_submit():
        try:
            unit_of_work(lambda: services.give_grant(_member(user_id), form.wanted(), actor))
        except Invalid as invalid:
            show_objections(form, invalid)
        else:
            flash(_("The rights are changed. They have to sign in again."))
            return redirect(url_for("staff.one", user_id=user.id))
    return _page(_member(user_id), granting=form)


@blueprint.post("/staff/<user_id>/grants/<grant_id>/end")
@administrator
def end(user_id: str, grant_id: str) -> ResponseReturnValue:
    actor, number = current_actor(), read_id(grant_id)
    unit_of_work(lambda: services.end_grant(_member(user_id), number, actor))
    flash(_("The rights are changed. They have to sign in again."))
    return redirect(url_for("staff.one", user_id=read_id(user_id)))


@blueprint.post("/staff/<user_id>/disable")
@administrator
def disable(user_id: str) -> ResponseReturnValue:
    """Or enable again: what the pressed button says."""
    actor, disabled = current_actor(), request.form.get("disabled") == "on"
    unit_of_work(lambda: services.set_disabled(_member(user_id), disabled=disabled, by=actor))
    flash(_("The account is closed, and signed out everywhere.") if disabled else _("The account is open again."))
    return redirect(url_for("staff.one", user_id=read_id(user_id)))


@blueprint.post("/staff/<user_id>/password")
@administrator
def set_password(user_id: str) -> ResponseReturnValue:
    actor, user, form = current_actor(), _member(user_id), PasswordForm()
    if form.validate_on_submit():
        try:
            password_hash = services.hash_password(form.password.data, staff=True)
            unit_of_work(lambda: services.set_staff_password(_member(user_id), password_hash, actor))
        except Invalid as invalid:
            form.show_invalid(invalid)
        else:
            flash(_("The password is changed. Hand the new one over in person."))
            return redirect(url_for("staff.one", user_id=user.id))
    return _page(_member(user_id), setting=form)


@blueprint.post("/staff/<user_id>/second-factor/remove")
@administrator
def forget_second_factor(user_id: str) -> ResponseReturnValue:
    """For somebody who lost the phone."""
    actor = current_actor()
    unit_of_work(lambda: second_factors.forget(_member(user_id), actor))
    flash(_("Removed. They can set up a new one after signing in."))
    return redirect(url_for("staff.one", user_id=read_id(user_id)))
