"""Answers to what goes wrong: RFC 9457 for the API, a page that says what to do for people."""

import logging
from http import HTTPStatus
from typing import Any

from flask import Flask, Response, current_app, g, json, render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_login import AnonymousUserMixin
from flask_wtf.csrf import CSRFError
from werkzeug.exceptions import HTTPException

from facilities.kernel.refusals import Invalid, NotPermitted, NotVisible, Refusal, Refused
from facilities.web.guards import is_api
from facilities.web.wording import words_for, words_for_input

log = logging.getLogger(__name__)

_CODES = {400: "bad_request", 401: "unauthorized", 403: "not_permitted", 404: "not_found", 405: "method_not_allowed",
          406: "not_acceptable", 409: "conflict", 413: "too_large", 415: "unsupported_media_type", 422: "invalid",
          429: "too_many_attempts", 500: "internal_error", 503: "unavailable"}
_TEXTS: dict[int, Any] = {
    400: _l("The request could not be read."),
    401: _l("Please sign in: the request needs a valid token."),
    403: _l("You may not do this."),
    404: _l("This does not exist, or not for you."),
    405: _l("This address does not answer to that method."),
    413: _l("That is too large: a request has at most 1 MiB."),
    415: _l("Send JSON, with the content type application/json."),
    422: _l("Some of the input is not right. See the fields."),
    429: _l("Too many attempts. Please wait a while and try again."),
    500: _l("Something went wrong on our side. It has been noted; please try again later."),
}


def problem(status: int, *, code: str | None = None, detail: str | None = None, **more: Any) -> Response:  # noqa: ANN401
    body = {
        "status": status,
        "title": HTTPStatus(status).phrase,
        "code": code or _CODES.get(status, "error"),
        "detail": detail or str(_TEXTS.get(status, HTTPStatus(status).phrase)),
        "facts": {},
        "request_id": g.get("request_id"),
        **more,
    }
    return current_app.response_class(json.dumps(body), status, mimetype="application/problem+json")


def invalid(fields: dict[str, Any]) -> Response:
    """422 with a message for each field. An instant without an offset is its own code, being the commonest mistake."""
    from_naive = any("naive_datetime" in str(_codes(m)) for m in fields.values())
    texts = {name: _strings(messages) for name, messages in fields.items()}
    return problem(422, code="naive_datetime" if from_naive else "invalid", fields=texts)


class Message(str):
    """A message that remembers its code."""

    __slots__ = ("code",)
    code: str


def _codes(messages: Any) -> list[str]:  # noqa: ANN401 - marshmallow nests lists and dicts
    if isinstance(messages, dict):
        return [code for m in messages.values() for code in _codes(m)]
    if isinstance(messages, list):
        return [code for m in messages for code in _codes(m)]
    return [getattr(messages, "code", "")]


def _strings(messages: Any) -> list[str]:  # noqa: ANN401 - marshmallow nests lists and dicts
    """Nested messages as a flat list, each with the way to it where it lies deeper."""
    if isinstance(messages, dict):
        return [f"{name}: {text}" for name, inner in messages.items() for text in _strings(inner)]
    if isinstance(messages, list):
        return [text for m in messages for text in _strings(m)]
    return [str(messages)]


def page(status: int, message: str, title: str | None = None) -> ResponseReturnValue:
    return render_template("errors/error.html", status=status, message=message, title=title), status


def answer_refusal(refusal: Refusal) -> ResponseReturnValue:
    status = {"bad_credentials": 401, "otp_required": 401, "too_many_attempts": 429}.get(refusal.code, 409)
    if is_api():
        response = problem(status, code=refusal.code, detail=words_for(refusal), facts=dict(refusal.facts))
        if "retry_after" in refusal.facts:
            response.headers["Retry-After"] = str(refusal.facts["retry_after"])
        return response
    return page(status, words_for(refusal), _("That did not work"))


def register_problems(app: Flask) -> None:
    @app.errorhandler(Refused)
    def refused(error: Refused) -> ResponseReturnValue:
        return answer_refusal(error.refusal)

    @app.errorhandler(NotVisible)
    def not_visible(_error: NotVisible) -> ResponseReturnValue:
        return problem(404) if is_api() else page_for(404)

    @app.errorhandler(NotPermitted)
    def not_permitted(_error: NotPermitted) -> ResponseReturnValue:
        return problem(403) if is_api() else page_for(403)

    @app.errorhandler(Invalid)
    def not_valid(error: Invalid) -> ResponseReturnValue:
        texts = {name: words_for_input(key) for name, key in error.fields.items()}
        return invalid(texts) if is_api() else page(422, " ".join(texts.values()), _("Please check your input"))

    @app.errorhandler(CSRFError)
    def stale_form(_error: CSRFError) -> ResponseReturnValue:
        return page(400, _("This form was open for too long. Go back, reload the page and send it again."),
                    _("Please send it again"))

    @app.errorhandler(HTTPException)
    def http_error(error: HTTPException) -> ResponseReturnValue:
        status = error.code or 500
        if status < 400:
            return error.get_response()
        if is_api():
            data = getattr(error, "data", {})
            if status == 422 and "messages" in data:
                return invalid(_by_field(data["messages"]))
            if status == 400 and request.is_json:
                return invalid({"body": _("This is not JSON that can be read.")})
            response = problem(status)
            retry = dict(error.get_headers()).get("Retry-After")
            if retry:
                response.headers["Retry-After"] = retry
            return response
        return page_for(status)

    @app.errorhandler(Exception)
    def unexpected(error: Exception) -> ResponseReturnValue:
        if app.testing and not app.config.get("ANSWER_UNEXPECTED"):
            raise error
        # the message of a database error can hold what somebody typed: only the kind and place are logged
        log.error("unexpected %s in %s", type(error).__name__, request.endpoint,
                  exc_info=_bare(error), extra={"said": {"request": g.get("request_id")}})
        if is_api():
            return problem(500)
        g._login_user = AnonymousUserMixin()  # noqa: SLF001 - the page must not ask the database who reads it
        return page_for(500)


def _by_field(messages: dict[str, Any]) -> dict[str, Any]:
    """webargs files messages under the place they came from: json, query."""
    fields: dict[str, Any] = {}
    for inner in messages.values():
        fields.update(inner if isinstance(inner, dict) else {"body": inner})
    return {"body" if name == "_schema" else name: text for name, text in fields.items()}


def _bare(error: Exception) -> Exception:
    """The same traceback without the message."""
    return type("Unexpected", (Exception,), {})(type(error).__name__).with_traceback(error.__traceback__)


def page_for(status: int) -> ResponseReturnValue:
    titles: dict[int, str] = {
        403: _("You may not do this"), 404: _("There is nothing here"), 429: _("Please wait a moment"),
        500: _("Something went wrong"),
    }
    texts: dict[int, str] = {
        403: _("This page is for staff, or for those of another place. "
               "If you should have access, ask your administrator."),
        404: _("The page does not exist, has moved, or is not for you. Search, or start from the home page."),
    }
    return page(status, texts.get(status) or str(_TEXTS.get(status, _TEXTS[400])), titles.get(status))
