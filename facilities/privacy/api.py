"""One's own data: see, download, erase; who looked at it."""

from typing import Any

from facilities.infra.db import unit_of_work
from facilities.privacy import queries, services
from facilities.privacy.asking import ask_again
from facilities.privacy.schemas import HeldOut, LookOut, Password, show_held, show_look
from facilities.web.api import ApiBlueprint
from facilities.web.guards import current_actor, signed_in
from facilities.web.idempotency import asked
from facilities.web.limits import limiter
from facilities.web.paging import After, page_of, read_cursor
from facilities.web.schemas import PageQuery, page_schema

blueprint = ApiBlueprint("privacy", __name__)


@blueprint.route("/me/data")
@signed_in
@blueprint.response(200, HeldOut)
def data() -> dict[str, Any]:
    """Everything that is held, identity numbers masked."""
    return show_held(services.everything_held(current_actor(), with_numbers=False))


@blueprint.route("/me/data", methods=["POST"])
@signed_in
@limiter.limit("30 per minute")
@blueprint.arguments(Password)
@blueprint.response(200, HeldOut)
def download(body: dict[str, Any]) -> dict[str, Any]:
    """With one's own number, and those of minors, in full: for who knows the password."""
    actor = current_actor()
    ask_again(actor, body["password"])
    if key := asked():
        key.is_kept = True  # a copy of all this is not kept to be given again: asking again is harmless
    return show_held(services.everything_held(actor, with_numbers=True))


@blueprint.route("/me/looked-at")
@signed_in
@blueprint.arguments(PageQuery, location="query")
@blueprint.response(200, page_schema(LookOut))
def looked_at(query: dict[str, Any]) -> dict[str, Any]:
    """Newest first."""
    after = read_cursor(query["cursor"])
    rows = queries.looks_at(queries.reach(current_actor()), limit=query["limit"] + 1,
                            before=after.id if after else None)
    return page_of(rows, query["limit"], lambda look: After(look.entry.at, look.entry.id), show_look)


@blueprint.route("/me", methods=["DELETE"])
@signed_in
@limiter.limit("30 per minute")
@blueprint.arguments(Password)
@blueprint.response(204)
def erase(body: dict[str, Any]) -> None:
    """For good: the account, and every resident for whom nobody else acts."""
    actor = current_actor()
    ask_again(actor, body["password"])
    unit_of_work(lambda: services.erase_account(actor))
