"""Your data: what is held and why, to see, to take along, to erase; and who looked at it."""

from flask import Blueprint, Response, current_app, flash, json, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_login import logout_user

from facilities.infra.db import unit_of_work
from facilities.kernel.refusals import Invalid, NotVisible, Refused
from facilities.privacy import queries, services, wording
from facilities.privacy.asking import ask_again
from facilities.privacy.forms import DownloadForm, EraseForm
from facilities.privacy.schemas import HeldOut, show_held
from facilities.web.guards import current_actor, signed_in
from facilities.web.limits import limiter
from facilities.web.paging import After, page_of, read_cursor
from facilities.web.wording import words_for

blueprint = Blueprint("privacy", __name__)

ON_A_PAGE = 30
# What others build: a link where it leads somewhere.
CONSENTS, FAMILY_MEMBER = "/me/consents", "/me/family/{}"


@blueprint.get("/me/privacy")
@signed_in
def overview() -> ResponseReturnValue:
    return render_template("privacy/overview.html", kept=wording.overview(), consents=_address(CONSENTS))


def _address(path: str) -> str | None:
    """The path, where the app has a page for it."""
    wanted = path.replace("{}", "<resident_id>")
    rules = current_app.url_map.iter_rules()
    return path if any(rule.rule == wanted and "GET" in (rule.methods or ()) for rule in rules) else None


@blueprint.route("/me/data", methods=["GET", "POST"])
@signed_in
@limiter.limit("30 per minute", methods=["POST"])
def data() -> ResponseReturnValue:
    """The page; with the password, the file. Numbers in full are in the file alone."""
    form, actor, refusal = DownloadForm(), current_actor(), None
    if form.validate_on_submit():
        try:
            ask_again(actor, form.password.data)
        except Invalid as invalid:
            form.show_invalid(invalid)
        except Refused as refused:
            refusal = words_for(refused.refusal)
        else:
            return _file(services.everything_held(actor, with_numbers=True))
    held = services.everything_held(actor, with_numbers=False)
    page = render_template("privacy/data.html", form=form, refusal=refusal, sections=wording.sections(held),
                           looks=len(held.looks), correct=_address(FAMILY_MEMBER), people=held.tables["residents"])
    return page, 422 if form.errors or refusal else 200


def _file(held: services.Held) -> Response:
    text = json.dumps(HeldOut().dump(show_held(held)), ensure_ascii=False, indent=2)
    return Response(text, mimetype="application/json",
                    headers={"Content-Disposition": 'attachment; filename="my-data.json"'})


@blueprint.get("/me/looked-at")
@signed_in
def looked_at() -> ResponseReturnValue:
    try:
        after = read_cursor(request.args.get("cursor"))
    except Invalid as error:
        raise NotVisible from error
    rows = queries.looks_at(queries.reach(current_actor()), limit=ON_A_PAGE + 1, before=after.id if after else None)
    page = page_of(rows, ON_A_PAGE, lambda look: After(look.entry.at, look.entry.id), lambda look: look)
    return render_template("privacy/looked_at.html", looks=page["items"], older=page["next"], is_first=after is None,
                           what=wording.what_for)


@blueprint.route("/me/erase", methods=["GET", "POST"])
@signed_in
@limiter.limit("30 per minute", methods=["POST"])
def erase() -> ResponseReturnValue:
    form, actor, refusal = EraseForm(), current_actor(), None
    if form.validate_on_submit():
        try:
            ask_again(actor, form.password.data)
            unit_of_work(lambda: services.erase_account(actor))
        except Invalid as invalid:
            form.show_invalid(invalid)
        except Refused as refused:
            refusal = words_for(refused.refusal)
        else:
            logout_user()
            flash(_("Your account and your data are erased. Thank you for having been with us."))
            return redirect(url_for("pages.home"))
    status = 422 if form.errors or refusal else 200
    return render_template("privacy/erase.html", form=form, refusal=refusal), status
