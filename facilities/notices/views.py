"""My messages."""

from typing import Any

from flask import Blueprint, current_app, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from facilities.bookings.forms import BookForm
from facilities.infra.db import unit_of_work
from facilities.kernel.refusals import Invalid, NotVisible
from facilities.notices import queries, services, wording
from facilities.notices.queries import Message
from facilities.web.guards import actor_or_none, current_actor, signed_in
from facilities.web.paging import After, page_of, read_cursor

blueprint = Blueprint("notices", __name__)

ON_A_PAGE = 30
# What a message is about → the page that shows it, and what that page calls its number.
PAGES = {"booking": ("bookings.booked", "booking_id"), "draw": ("draws.draw", "draw_id"),
         "reservation": ("reservations.reserved", "reservation_id"), "resident": ("households.member", "resident_id")}
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
                           unread=queries.unread(actor), heading=wording.heading, text=wording.text, form=BookForm())


def _address(message: Message) -> str | None:
    """None where the reader could not open it."""
    endpoint, argument = PAGES.get(message.notice.about_kind, ("", ""))
    if endpoint not in current_app.view_functions:
        return None
    if message.name is None and message.notice.about_kind not in OF_EVERYBODY:
        return None
    where: dict[str, Any] = {argument: message.notice.about_id}
    return url_for(endpoint, **where)


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
