"""A request that is sent twice is done once: a key from the client, or from the hidden field of a form.

Whoever comes second at the same moment finds out when keeping the outcome, undoes everything and gives the first
answer. Booking places does not even look the key up beforehand, which costs more than it saves there. The outcome is
kept in the transaction that made it. A request that was refused left nothing, so its outcome is kept in a transaction
of its own. Of pages only a success is kept, which is where it sends the reader.
"""

import hashlib
import hmac
import json
from collections.abc import Callable
from functools import wraps
from typing import Any, cast
from uuid import uuid4

from flask import Flask, Response, current_app, g, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from markupsafe import Markup

from facilities.infra.db import unit_of_work
from facilities.infra.idempotency import LONGEST_KEY, Asked, KeyTaken, Outcome, keep, kept
from facilities.kernel.refusals import Refusal
from facilities.kernel.text import has_unprintable
from facilities.web.guards import actor_or_none, is_api
from facilities.web.problems import answer_refusal, invalid, page, problem
from facilities.web.wording import words_for

HEADER, FIELD = "Idempotency-Key", "idempotency_key"
NOT_KEPT = {401, 429}
NOT_LOOKED_UP = "bookings_api.book"

View = Callable[..., Any]


def register_idempotency(app: Flask) -> None:
    """Wrap every view that takes a POST behind a guard; what is public has no caller to keep a key for."""
    for rule in app.url_map.iter_rules():
        view = app.view_functions[rule.endpoint]
        if "POST" in (rule.methods or ()) and getattr(view, "__guard__", "public") != "public":
            app.view_functions[rule.endpoint] = once(view)
    app.jinja_env.globals["once_key"] = _field


def _field() -> Markup:
    """For each form: sent twice, it is done once."""
    return Markup('<input type="hidden" name="{}" value="{}">').format(FIELD, uuid4())


def once(view: View) -> View:
    @wraps(view)
    def keyed(*args: Any, **kwargs: Any) -> ResponseReturnValue:  # noqa: ANN401 - passes on what it gets
        key = (request.headers.get(HEADER) if is_api() else request.form.get(FIELD)) or ""
        actor = actor_or_none() if key and request.method == "POST" else None
        if actor is None:
            return view(*args, **kwargs)
        if len(key) > LONGEST_KEY or not key.isascii() or has_unprintable(key):
            return _unusable()
        g.asked = Asked(actor.user_id, key, _fingerprint())
        return _Request(g.asked).answer(lambda: view(*args, **kwargs))

    return keyed


def _unusable() -> ResponseReturnValue:
    message = _("A key is at most %(n)d plain characters.", n=LONGEST_KEY)
    return invalid({HEADER: message}) if is_api() else page(422, message)


def _in_progress() -> ResponseReturnValue:
    """The one that was faster has been undone in between: whoever asks again is the first."""
    refusal = Refusal("idempotency_in_progress")
    response = current_app.make_response(answer_refusal(refusal))
    response.headers["Retry-After"] = "1"
    return response


def asked() -> Asked | None:
    """The key of this request, for a service that keeps the answer itself."""
    return cast(Asked | None, g.get("asked"))


def kept_answer(body: str, status: int) -> Response:
    """The answer that such a service gave and, where there is a key, has kept."""
    if key := asked():
        key.is_kept = True
    return current_app.response_class(body, status, mimetype="application/json")


def keep_no_answer() -> None:
    """This answer holds a secret that is shown once: sent again, the request is done again."""
    if key := asked():
        key.is_kept = True


class _Request:
    def __init__(self, asked: Asked) -> None:
        self.asked = asked

    def answer(self, view: Callable[[], ResponseReturnValue]) -> ResponseReturnValue:
        if request.endpoint != NOT_LOOKED_UP and (again := self._kept()):
            return again
        try:
            return unit_of_work(lambda: self._do(view))
        except KeyTaken:
            return self._kept() or _in_progress()
        except Exception as error:  # noqa: BLE001 - what the app's own handlers answer, kept where it may be
            response = current_app.make_response(current_app.handle_user_exception(error))
            return self._refused(response)

    def _do(self, view: Callable[[], ResponseReturnValue]) -> ResponseReturnValue:
        response = current_app.make_response(view())
        if not self._is_worth_keeping(response):  # a form that comes again may stumble over its own success
            return self._kept() or response
        self._keep(response)
        return response

    def _refused(self, response: Response) -> ResponseReturnValue:
        try:
            unit_of_work(lambda: self._keep(response))
        except KeyTaken:  # the other one may have got through
            return self._kept() or response
        return response

    def _keep(self, response: Response) -> None:
        if self._is_worth_keeping(response) and not self.asked.is_kept:
            keep(self.asked, Outcome(
                response.status_code, response.mimetype or "", response.headers.get("Location"),
                response.get_data(as_text=True)))

    @staticmethod
    def _is_worth_keeping(response: Response) -> bool:
        if is_api():
            return response.status_code < 500 and response.status_code not in NOT_KEPT
        return response.status_code in (302, 303)

    def _kept(self) -> ResponseReturnValue | None:
        found = kept(self.asked)
        if found is None:
            return None
        fingerprint, outcome = found
        if fingerprint != self.asked.fingerprint:
            refusal = Refusal("idempotency_key_reused")
            words = words_for(refusal)
            return problem(422, code=refusal.code, detail=words) if is_api() else page(422, words)
        response = current_app.response_class(outcome.body, outcome.status, mimetype=outcome.media_type)
        if outcome.location:
            response.headers["Location"] = outcome.location
        return response


def _fingerprint() -> str:
    """What makes two requests the same: method, path, and the body whatever the order and the blanks of its JSON."""
    if is_api():
        body = request.get_data()
        try:
            said = json.dumps(json.loads(body), sort_keys=True) if body else ""
        except (ValueError, RecursionError):
            said = body.hex()
    else:
        fields = [field for field in request.form.items(multi=True) if field[0] not in ("csrf_token", FIELD)]
        said = json.dumps(sorted(fields))
    sent = f"{request.method} {request.full_path}\n{said}".encode(errors="surrogatepass")
    # keyed, so that whoever reads the table cannot try out what a secret in a body may have been
    return hmac.new(str(current_app.secret_key).encode(), sent, hashlib.sha256).hexdigest()
