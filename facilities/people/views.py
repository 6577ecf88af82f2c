"""Two records of one person: found, looked at side by side, merged, and merges undone. For administrators."""

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from facilities.infra.db import unit_of_work
from facilities.kernel.ids import read_id
from facilities.kernel.refusals import Invalid, NotVisible, Refused
from facilities.people import queries, services
from facilities.people.forms import MergeForm, PairForm, UndoForm
from facilities.web.guards import administrator, current_actor
from facilities.web.wording import words_for

blueprint = Blueprint("people", __name__)


@blueprint.get("/people/merge")
@administrator
def merges() -> ResponseReturnValue:
    return _page(PairForm(formdata=None))


@blueprint.post("/people/merge")
@administrator
def compare() -> ResponseReturnValue:
    """Posted: a number has no place in an address."""
    form, actor = PairForm(), current_actor()
    if not form.validate():
        return _page(form)
    try:
        kept_id, gone_id = unit_of_work(lambda: services.find_pair(actor, form.first.data, form.second.data))
    except Invalid as invalid:
        form.show_invalid(invalid)
        return _page(form)
    return _preview(kept_id, gone_id, MergeForm(formdata=None))


@blueprint.post("/people/merge/<kept_id>/<gone_id>")
@administrator
def merge(kept_id: str, gone_id: str) -> ResponseReturnValue:
    """The button that was pressed says: the other way round, or together now."""
    kept, gone, form, actor = read_id(kept_id), read_id(gone_id), MergeForm(), current_actor()
    if request.form.get("step") == "swap":
        return _preview(gone, kept, MergeForm(formdata=None))
    if not form.validate():
        return _preview(kept, gone, form)
    try:
        unit_of_work(lambda: services.merge(actor, kept, gone, form.reason.data))
    except Refused as refused:
        return _preview(kept, gone, form, words_for(refused.refusal))
    flash(_("The two records are one now. You can undo it below."))
    return redirect(url_for("people.merges"))


@blueprint.post("/people/merges/<merge_id>/undo")
@administrator
def undo(merge_id: str) -> ResponseReturnValue:
    actor, number = current_actor(), read_id(merge_id)
    try:
        unit_of_work(lambda: services.undo(actor, number))
    except Refused as refused:
        return _page(PairForm(formdata=None), words_for(refused.refusal))
    flash(_("Undone. There are two records again."))
    return redirect(url_for("people.merges"))


def _page(form: PairForm, refusal: str | None = None) -> ResponseReturnValue:
    page = render_template("people/merges.html", form=form, undo_form=UndoForm(formdata=None), refusal=refusal,
                           past=queries.past_merges())
    return page, 409 if refusal else 422 if form.errors else 200


def _preview(kept_id: int, gone_id: int, form: MergeForm, refusal: str | None = None) -> ResponseReturnValue:
    actor = current_actor()
    if kept_id == gone_id:
        raise NotVisible
    shown = unit_of_work(lambda: services.preview(actor, kept_id, gone_id))
    refusal = refusal or (words_for(shown.refusal) if shown.refusal else None)
    page = render_template("people/preview.html", preview=shown, form=form, refusal=refusal)
    return page, 409 if refusal else 422 if form.errors else 200
