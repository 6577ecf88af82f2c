"""What every request and answer passes: a request id, text that can be stored, headers that protect."""

import secrets

from flask import Flask, Request, Response, abort, g, request
from flask.sessions import SecureCookieSession, SecureCookieSessionInterface
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from facilities.kernel.text import has_unprintable
from facilities.web.guards import actor_or_none, is_api
from facilities.web.problems import invalid

LARGEST_BODY = 1024 * 1024
CONTENT_POLICY = ("default-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'self'; "
                  "form-action 'self'; frame-ancestors 'none'")


class CookieSessions(SecureCookieSessionInterface):
    """Without a cookie there is no signature to look at: phone clients are spared the making of keys."""

    def open_session(self, app: Flask, request: Request) -> SecureCookieSession | None:
        if self.get_cookie_name(app) not in request.cookies:
            return self.session_class()
        return super().open_session(app, request)


def register_edge(app: Flask) -> None:
    app.session_interface = CookieSessions()
    app.config["MAX_CONTENT_LENGTH"] = LARGEST_BODY
    app.config["MAX_FORM_MEMORY_SIZE"] = LARGEST_BODY

    @app.before_request
    def name_the_request() -> None:
        g.request_id = secrets.token_hex(8)

    @app.before_request
    def know_who_acts() -> None:
        """Before any view reads: noting that somebody was seen writes, and forgets what was read before."""
        if request.endpoint and not _is_impersonal(request.endpoint):
            actor_or_none()

    @app.before_request
    def refuse_large_bodies() -> None:
        """Also where nobody would read them."""
        if (request.content_length or 0) > LARGEST_BODY:
            abort(413)

    @app.before_request
    def refuse_unprintable_text() -> ResponseReturnValue | None:
        """NUL and its kin in an address or a form; JSON bodies are read by their schemas."""
        view = app.view_functions.get(request.endpoint or "")
        if is_api() and getattr(view, "__guard__", "public") != "public" and actor_or_none() is None:
            return None  # the guard answers first
        sources = [*request.args.items(multi=True)]
        if not is_api():
            sources += request.form.items(multi=True)
        for name, value in sources:
            if has_unprintable(name) or has_unprintable(value, multiline=True):
                if is_api():
                    where = "query" if has_unprintable(name) else name
                    return invalid({where: _("Remove the control characters.")})
                abort(400)
        if has_unprintable(request.path):
            abort(404)
        return None

    @app.after_request
    def protect(response: Response) -> Response:
        response.headers.setdefault("Content-Security-Policy", CONTENT_POLICY)
        response.headers.setdefault("X-Content-Type-Options", "nosniff")
        response.headers.setdefault("Referrer-Policy", "same-origin")
        response.headers["X-Request-Id"] = g.get("request_id", "")
        if request.endpoint and not _is_impersonal(request.endpoint) and actor_or_none():
            response.headers["Cache-Control"] = "no-store"
        return response


def _is_impersonal(endpoint: str) -> bool:
    """Files and health say the same to everybody, and health must answer without a database."""
    return endpoint.endswith("static") or endpoint in ("pages.healthz", "pages.readyz")
