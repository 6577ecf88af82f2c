"""What every request and answer passes: a request id, text that can be stored, headers that protect."""

import secrets

from flask import Flask, Request, Response, abort, current_app, g, request
from flask.sessions import SecureCookieSession, SecureCookieSessionInterface
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from werkzeug.exceptions import SecurityError
from werkzeug.middleware.proxy_fix import ProxyFix

from config import Settings
from facilities.kernel.text import has_unprintable
from facilities.web.guards import actor_or_none, is_api
from facilities.web.log import caller, register_log
from facilities.web.problems import invalid

LARGEST_BODY = 1024 * 1024
MOST_FIELDS = 1000
YEAR = 365 * 24 * 3600

# Pages: our own files, forms to ourselves, in nobody's frame. A script runs if its tag carries this answer's nonce.
PAGE_POLICY = (
    "default-src 'none'; script-src 'nonce-{nonce}'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
    "connect-src 'self'; manifest-src 'self'; worker-src 'self'; object-src 'none'; base-uri 'none'; "
    "form-action 'self'; frame-ancestors 'none'")
# What is no page loads nothing, whoever opens it on its own.
DATA_POLICY = "default-src 'none'; object-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
PERMISSIONS = ", ".join(f"{name}=()" for name in (
    "accelerometer", "browsing-topics", "camera", "display-capture", "geolocation", "gyroscope", "hid", "magnetometer",
    "microphone", "midi", "payment", "serial", "usb"))
PROTECTION = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": PERMISSIONS,
}
ONLY_ENCRYPTED = f"max-age={YEAR}; includeSubDomains"


class CookieSessions(SecureCookieSessionInterface):
    """Without a cookie there is no signature to look at: phone clients are spared the making of keys."""

    def open_session(self, app: Flask, request: Request) -> SecureCookieSession | None:
        if self.get_cookie_name(app) not in request.cookies:
            return self.session_class()
        return super().open_session(app, request)


def register_edge(app: Flask) -> None:
    settings: Settings = app.config["HUIMIN_SETTINGS"]
    app.session_interface = CookieSessions()
    app.config.update(
        MAX_CONTENT_LENGTH=LARGEST_BODY, MAX_FORM_MEMORY_SIZE=LARGEST_BODY, MAX_FORM_PARTS=MOST_FIELDS,
        TRUSTED_HOSTS=list(settings.hosts) or None)
    if settings.is_production:  # the prefix: only from this host, encrypted, for every path; a browser holds us to it
        app.config["SESSION_COOKIE_NAME"] = "__Host-session"
    if settings.proxies:
        app.wsgi_app = ProxyFix(  # type: ignore[method-assign]
            app.wsgi_app, x_for=settings.proxies, x_proto=settings.proxies)
    app.jinja_env.globals["csp_nonce"] = nonce
    register_log(app)

    @app.before_request
    def name_the_request() -> None:
        g.request_id = secrets.token_hex(8)

    @app.before_request
    def refuse_other_hosts() -> ResponseReturnValue | None:
        """Plain words: a page's links could not be made for a host that is not ours."""
        if isinstance(request.routing_exception, SecurityError):
            return Response("400 Bad Request\n", 400, mimetype="text/plain")
        return None

    @app.before_request
    def know_who_acts() -> None:
        """Before any view reads: noting that somebody was seen writes, and forgets what was read before."""
        if request.endpoint and not _is_impersonal(request.endpoint):
            actor_or_none()

    @app.before_request
    def refuse_large_bodies() -> None:
        """Also where nobody would read them; and forms of more fields than ours have, before they are taken apart."""
        if (request.content_length or 0) > LARGEST_BODY:
            abort(413)
        # one that comes in pieces is cut off at the limit without a word: only its length then tells
        if "Transfer-Encoding" in request.headers and len(request.get_data()) >= LARGEST_BODY:
            abort(413)
        if request.mimetype == "application/x-www-form-urlencoded" and request.get_data().count(b"&") >= MOST_FIELDS:
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
        is_page = response.mimetype == "text/html"
        policy = PAGE_POLICY.format(nonce=nonce()) if is_page else DATA_POLICY
        response.headers.setdefault("Content-Security-Policy", policy)
        response.headers.update(PROTECTION)
        if g.get("needs_camera"):
            response.headers["Permissions-Policy"] = PERMISSIONS.replace("camera=()", "camera=(self)")
        if current_app.config["SESSION_COOKIE_SECURE"]:
            response.headers["Strict-Transport-Security"] = ONLY_ENCRYPTED
        response.headers["X-Request-Id"] = g.get("request_id", "")
        if caller() != "anonymous" or request.method not in ("GET", "HEAD") or response.status_code >= 500:
            response.headers["Cache-Control"] = "no-store"
        elif is_page:  # with a cookie of its reader's, and their language
            response.headers["Cache-Control"] = "private, no-cache"
        return response


def nonce() -> str:
    """Of this answer; templates put it into each `<script>`."""
    if "nonce" not in g:
        g.nonce = secrets.token_urlsafe(16)
    return str(g.nonce)


def _is_impersonal(endpoint: str) -> bool:
    """Files and health say the same to everybody, and health must answer without a database."""
    return endpoint.endswith("static") or endpoint in ("pages.healthz", "pages.readyz")
