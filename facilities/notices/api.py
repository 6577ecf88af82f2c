"""The caller's own messages, and how they come; receipts of providers; for administrators what did not arrive."""

import hmac
from collections.abc import Callable
from typing import Any

from flask import abort, current_app, request

from config import Settings
from facilities.infra.db import unit_of_work
from facilities.kernel.actors import Actor
from facilities.kernel.ids import read_id
from facilities.kernel.refusals import Invalid, NotVisible, Refused
from facilities.notices import delivery, preferences, queries, services
from facilities.notices.channels.http import signature
from facilities.notices.channels.installed import installed
from facilities.notices.channels.message import Undelivered
from facilities.notices.channels.wechat import WechatAccounts
from facilities.notices.schemas import (
    AgreedIn,
    CarerIn,
    CodeIn,
    DeliveriesQuery,
    DeliveryOut,
    EmailIn,
    NoticeOut,
    PreferencesIn,
    PreferencesOut,
    ReadIn,
    ReadOut,
    ReceiptIn,
    SendAgainIn,
    SentAgainOut,
    WechatIn,
    read_choices,
    show_delivery,
    show_notice,
    show_preferences,
)
from facilities.web.api import ApiBlueprint
from facilities.web.guards import administrator, current_actor, public, signed_in
from facilities.web.limits import limiter
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


# -- how messages come


def _settings() -> Settings:
    settings: Settings = current_app.config["HUIMIN_SETTINGS"]
    return settings


def _shown() -> dict[str, Any]:
    return show_preferences(preferences.of(current_actor()), installed(_settings()))


@blueprint.route("/me/notifications")
@signed_in
@blueprint.response(200, PreferencesOut)
def notifications() -> dict[str, Any]:
    return _shown()


@blueprint.route("/me/notifications", methods=["PATCH"])
@signed_in
@blueprint.arguments(PreferencesIn)
@blueprint.response(200, PreferencesOut)
def change_notifications(body: dict[str, Any]) -> dict[str, Any]:
    actor, quiet = current_actor(), body.get("quiet")
    unit_of_work(lambda: preferences.change(
        actor, language=body.get("language"), quiet=(quiet["begins"], quiet["ends"]) if quiet else None,
        large_type=body.get("large_type"), choices=read_choices(body.get("ways", []))))
    return _shown()


@blueprint.route("/me/email", methods=["POST"])
@signed_in
@limiter.limit("10 per minute")
@blueprint.arguments(EmailIn)
@blueprint.response(202)
def set_email(body: dict[str, Any]) -> None:
    actor = current_actor()
    unit_of_work(lambda: preferences.begin_email(actor, body["email"]))


@blueprint.route("/me/email/confirm", methods=["POST"])
@signed_in
@limiter.limit("10 per minute")
@blueprint.arguments(CodeIn)
@blueprint.response(204)
def confirm_email(body: dict[str, Any]) -> None:
    _confirm(preferences.confirm_email, body["code"])


@blueprint.route("/me/email", methods=["DELETE"])
@signed_in
@blueprint.response(204)
def remove_email() -> None:
    actor = current_actor()
    unit_of_work(lambda: preferences.remove_email(actor))


@blueprint.route("/me/carers", methods=["POST"])
@signed_in
@limiter.limit("10 per minute")
@blueprint.arguments(CarerIn)
@blueprint.response(202)
def add_carer(body: dict[str, Any]) -> None:
    actor = current_actor()
    unit_of_work(lambda: preferences.begin_carer(actor, body["phone"]))


@blueprint.route("/me/carers/confirm", methods=["POST"])
@signed_in
@limiter.limit("10 per minute")
@blueprint.arguments(CodeIn)
@blueprint.response(204)
def confirm_carer(body: dict[str, Any]) -> None:
    _confirm(preferences.confirm_carer, body["code"])


def _confirm(verb: Callable[[Actor, str], bool], code: str) -> None:
    """Committed whatever the answer: each attempt counts."""
    actor = current_actor()
    if not unit_of_work(lambda: verb(actor, code)):
        raise Refused("code_not_right")


@blueprint.route("/me/carers/<carer_id>", methods=["DELETE"])
@signed_in
@blueprint.response(204)
def remove_carer(carer_id: str) -> None:
    actor, number = current_actor(), read_id(carer_id)
    unit_of_work(lambda: preferences.remove_carer(actor, number))


@blueprint.route("/me/wechat", methods=["PUT"])
@signed_in
@limiter.limit("10 per minute")
@blueprint.arguments(WechatIn)
@blueprint.response(204)
def link_wechat(body: dict[str, Any]) -> None:
    """WeChat is asked before anything is written: it may take its time."""
    settings, actor = _settings().wechat, current_actor()
    if settings is None:
        raise NotVisible
    accounts = WechatAccounts(settings)
    try:
        openid = accounts.openid(body["code"])
    except Undelivered as error:
        raise Refused("wechat_unavailable") from error
    finally:
        accounts.close()
    if openid is None:
        raise Invalid(code="not_a_wechat_code")
    unit_of_work(lambda: preferences.link_wechat(actor, openid))


@blueprint.route("/me/wechat", methods=["DELETE"])
@signed_in
@blueprint.response(204)
def unlink_wechat() -> None:
    actor = current_actor()
    unit_of_work(lambda: preferences.unlink_wechat(actor))


@blueprint.route("/me/wechat/agreed", methods=["POST"])
@signed_in
@blueprint.arguments(AgreedIn)
@blueprint.response(204)
def agree(body: dict[str, Any]) -> None:
    """After `wx.requestSubscribeMessage`: one more message of each kind that was allowed there."""
    actor = current_actor()
    unit_of_work(lambda: preferences.agree(actor, set(body["kinds"])))


# -- what became of them


@blueprint.route("/receipts/sms", methods=["POST"])
@public
@blueprint.arguments(ReceiptIn)
@blueprint.response(204)
def receipt(body: dict[str, Any]) -> None:
    """From the provider, signed with its key. A reference that we do not know is answered alike."""
    settings = _settings().sms
    given = request.headers.get("X-Signature", "").encode()
    if settings is None or not hmac.compare_digest(given, signature(settings.key, request.get_data()).encode()):
        abort(401)
    unit_of_work(lambda: delivery.note_receipt(
        body["reference"], delivered=body["outcome"] == "delivered", for_good=body["final"]))


@blueprint.route("/deliveries")
@administrator
@blueprint.arguments(DeliveriesQuery, location="query")
@blueprint.response(200, page_schema(DeliveryOut))
def deliveries(query: dict[str, Any]) -> dict[str, Any]:
    """Those that were given up."""
    after = read_cursor(query["cursor"])
    rows = queries.given_up(query["limit"] + 1, before=after.id if after else None)
    return page_of(rows, query["limit"], lambda row: After(row.notice.created_at, row.id), show_delivery)


@blueprint.route("/deliveries/send-again", methods=["POST"])
@administrator
@blueprint.arguments(SendAgainIn)
@blueprint.response(200, SentAgainOut)
def send_again(body: dict[str, Any]) -> dict[str, Any]:
    actor, numbers = current_actor(), [read_id(text) for text in body["ids"]]
    return {"sent_again": unit_of_work(lambda: services.send_again(actor, numbers))}
