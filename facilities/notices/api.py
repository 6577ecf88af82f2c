"""The caller's own messages."""

from typing import Any

from facilities.infra.db import unit_of_work
from facilities.kernel.ids import read_id
from facilities.notices import queries, services
from facilities.notices.schemas import NoticeOut, ReadIn, ReadOut, show_notice
from facilities.web.api import ApiBlueprint
from facilities.web.guards import current_actor, signed_in
from facilities.web.paging import After, page_of, read_cursor
from facilities.web.schemas import PageQuery, page_schema

blueprint = ApiBlueprint("notices", __name__)


@blueprint.route("/notices")
@signed_in
@blueprint.arguments(PageQuery, location="query")
@blueprint.response(200, page_schema(NoticeOut))
def notices(query: dict[str, Any]) -> dict[str, Any]:
    after = read_cursor(query["cursor"])
    rows = queries.inbox(current_actor(), limit=query["limit"] + 1, before=after.id if after else None)
    return page_of(rows, query["limit"], lambda m: After(m.notice.created_at, m.notice.id), show_notice)


@blueprint.route("/notices/read", methods=["POST"])
@signed_in
@blueprint.arguments(ReadIn)
@blueprint.response(200, ReadOut)
def mark_read(body: dict[str, Any]) -> dict[str, Any]:
    actor = current_actor()
    ids = [read_id(text) for text in body["ids"]] if "ids" in body else None
    return {"unread": unit_of_work(lambda: services.mark_read(actor, ids))}
