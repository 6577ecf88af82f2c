"""Registering, and the people for whom one account acts."""

from flask import Blueprint, current_app, flash, redirect, render_template, request, session, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from facilities.accounts.entrance import let_in, safe_next, start_browsing
from facilities.accounts.models import SignInKind, User
from facilities.accounts.services import hash_password
from facilities.engine.eligibility import Sex
from facilities.engine.guardians import needs_guardians_consent
from facilities.households import consent, invitations, policy, queries, registration, services
from facilities.households.forms import CodeForm, JoinForm, MemberForm, PhoneCodeForm, RegisterForm
from facilities.households.models import ConsentKind, Guardianship, Relation
from facilities.households.registration import Wanted
from facilities.infra.db import unit_of_work
from facilities.kernel import clock
from facilities.kernel.ids import read_id
from facilities.kernel.refusals import Invalid, NotVisible, Refusal, Refused
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
    form, refusal = PhoneCodeForm(next=request.args.get("next", "")), None
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
    links = queries.guardianships_of(current_actor())
    return render_template("households/me.html", links=links,
                           acting=queries.everyone_who_acts_for([link.resident_id for link in links]))


@blueprint.route("/me/family/new", methods=["GET", "POST"])
@signed_in
def add_member() -> ResponseReturnValue:
    form, actor, refusal = MemberForm(), current_actor(), None
    if form.validate_on_submit():
        try:
            form.check(clock.today())
            unit_of_work(lambda: services.add_resident(
                actor, Relation(form.relation.data), form.name.data, form.birth_date.data, Sex(form.sex.data),
                form.phone.data or None, form.details))
        except Invalid as invalid:
            form.show_invalid(invalid)
        except Refused as refused:
            refusal = words_for(refused.refusal)
        else:
            flash(_("Added. You can now book for this person."))
            return redirect(safe_next(request.args.get("next")) or url_for("households.me"))
    status = 422 if form.errors or refusal else 200
    return render_template("households/member_form.html", form=form, refusal=refusal, link=None), status


def _own(resident_id: str) -> Guardianship:
    link = queries.guardianship_of(current_actor(), read_id(resident_id))
    if link is None:
        raise NotVisible
    return link


@blueprint.route("/me/family/<resident_id>", methods=["GET", "POST"])
@signed_in
def member(resident_id: str) -> ResponseReturnValue:
    link, form, actor, refusal = _own(resident_id), MemberForm(), current_actor(), None
    form.for_known(link)
    if request.method == "GET":
        form.show(link)
    elif form.validate():
        try:
            form.check(clock.today())
            unit_of_work(lambda: services.change_resident(actor, link.resident_id, form.changes))
        except Invalid as invalid:
            form.show_invalid(invalid)
        except Refused as refused:
            refusal = words_for(refused.refusal)
        else:
            flash(_("Changed."))
            return redirect(url_for("households.me"))
    status = 422 if form.errors or refusal else 200
    if request.method == "POST":
        link = _own(resident_id)  # read again: an attempt to write lies between
        form.say_what_is_kept(link)
    return render_template("households/member_form.html", form=form, refusal=refusal, link=link), status


@blueprint.route("/me/family/<resident_id>/guardians", methods=["GET", "POST"])
@signed_in
def guardians(resident_id: str) -> ResponseReturnValue:
    """Who may act for the person; a POST makes an invitation, whose code this one page shows."""
    link, actor, made, refusal = _own(resident_id), current_actor(), None, None
    if request.method == "POST":
        try:
            made = unit_of_work(lambda: invitations.invite(actor, link.resident_id))
        except Refused as refused:
            refusal = words_for(refused.refusal)
        link = _own(resident_id)
    page = render_template(
        "households/guardians.html", link=link, made=made, refusal=refusal, may_end=policy.may_end,
        people=queries.everyone_who_acts_for([link.resident_id])[link.resident_id],
        invitations=queries.open_invitations(link.resident_id, clock.now()),
        may_invite=policy.may_invite(link, queries.owner_of(link.resident_id)))
    return page, 409 if refusal else 200


@blueprint.post("/me/family/<resident_id>/guardians/<user_id>/end")
@signed_in
def end_right(resident_id: str, user_id: str) -> ResponseReturnValue:
    actor, number, who = current_actor(), read_id(resident_id), read_id(user_id)
    unit_of_work(lambda: services.end_right(actor, number, who))
    flash(_("Ended. What was booked stays."))
    return redirect(url_for("households.guardians", resident_id=number))


@blueprint.post("/me/invitations/<invitation_id>/withdraw")
@signed_in
def withdraw_invitation(invitation_id: str) -> ResponseReturnValue:
    actor, number = current_actor(), read_id(invitation_id)
    resident_id = unit_of_work(lambda: invitations.withdraw(actor, number))
    flash(_("The invitation is withdrawn. Its code does not work any more."))
    return redirect(url_for("households.guardians", resident_id=resident_id))


@blueprint.route("/me/family/join", methods=["GET", "POST"])
@signed_in
@limiter.limit("20 per minute", methods=["POST"])
def join() -> ResponseReturnValue:
    """First the code, then a look at whom it is about, then yes."""
    confirms = "confirmed" in request.form
    form, found, refusal = JoinForm() if confirms else CodeForm(), None, None
    if form.validate_on_submit():
        try:
            if confirms:
                invitations.accept(current_actor(), form.code.data, Relation(form.relation.data))
                flash(_("Done. You can now book for this person."))
                return redirect(url_for("households.me"))
            found, form = invitations.find(current_actor(), form.code.data), JoinForm()
        except Invalid as invalid:
            form.show_invalid(invalid)
            found = invitations.find(current_actor(), form.code.data)
        except Refused as refused:
            refusal, form = words_for(refused.refusal), CodeForm()
    status = 422 if form.errors or refusal else 200
    return render_template("households/join.html", form=form, found=found, refusal=refusal,
                           guardian_words=consent.words_of(ConsentKind.GUARDIAN),
                           is_small=found and needs_guardians_consent(found.resident.birth_date, clock.today())), status
