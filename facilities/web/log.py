"""The log: who could read it learns what the app did, and nothing about anybody.

One line of JSON for each entry, on standard error: when (UTC), how grave, from where, what. Of a request its id,
method, rule (`/bookings/<booking_id>`, not the address), status, milliseconds and the kind of caller; of an exception
its type and where it was raised. Never a message of an exception, an address, a body or what a library put into its
words: each may hold a name, a number or a token. Who did what is in the audit, under the app's own guards.
"""

import json
import logging
import re
import sys
import threading
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from time import perf_counter
from traceback import extract_tb
from types import TracebackType
from typing import Any

from flask import Flask, Response, g, request

OURS = "facilities"
log = logging.getLogger(__name__)
_SAID = "said"
# The first character after which a library's ready-made words may quote what came in.
_QUOTES = re.compile(r"[\"'=/<{\[\n]|: ")
Failure = tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None]


class Line(logging.Formatter):
    """An entry as one line; line breaks and the like are escaped, so that nobody can write a line of their own."""

    def format(self, record: logging.LogRecord) -> str:
        said: dict[str, Any] = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(), "from": record.name, "what": _words(record),
            **getattr(record, _SAID, {})}
        if record.exc_info:
            said |= _failure(record.exc_info)
        return json.dumps(said)


def _words(record: logging.LogRecord) -> str:
    """Our own as they are written; of a library's the fixed part, and numbers."""
    if record.name.partition(".")[0] == OURS:
        return record.getMessage()
    text = str(record.msg) if isinstance(record.msg, str) else type(record.msg).__name__
    if isinstance(record.args, tuple) and record.args:
        shown = tuple(arg if isinstance(arg, int | float) else "…" for arg in record.args)
        with suppress(TypeError, ValueError):  # %d for what is no number, or too few of them
            text = text % shown
    return _QUOTES.split(text, maxsplit=1)[0].rstrip()


def _failure(failure: Failure) -> dict[str, Any]:
    kind, error, trace = failure
    if kind is None or error is None:
        return {}
    name = str(error) if kind.__name__ == "Unexpected" else kind.__name__  # `web.problems` put the type into words
    return {"error": name, "trace": [f"{Path(f.filename).name}:{f.lineno} {f.name}" for f in extract_tb(trace)[-12:]]}


def set_up_log() -> None:
    """For a process of the app, before anything else: every logger writes to standard error, in this form only."""
    handler = logging.StreamHandler()
    handler.setFormatter(Line())
    logging.basicConfig(handlers=[handler], level=logging.WARNING, force=True)
    logging.getLogger(OURS).setLevel(logging.INFO)
    logging.captureWarnings(capture=True)
    logging.raiseExceptions = False  # an entry that cannot be written would be printed with all that was to be left out
    sys.excepthook = _ended
    threading.excepthook = lambda ended: _ended(ended.exc_type, ended.exc_value, ended.exc_traceback)


def _ended(kind: type[BaseException], error: BaseException | None, trace: TracebackType | None) -> None:
    if not issubclass(kind, KeyboardInterrupt | SystemExit):
        log.critical("ended by an error", exc_info=(kind, error or kind(), trace))


def register_log(app: Flask) -> None:
    """A line for each request, also for one that is refused at the door. Registered first: its end is the last."""

    @app.before_request
    def begin() -> None:
        g.began = perf_counter()

    @app.after_request
    def tell(response: Response) -> Response:
        rule = request.url_rule
        log.info("request", extra={_SAID: {
            "request": g.get("request_id"), "method": _method(), "rule": rule.rule if rule else None,
            "status": response.status_code, "ms": round((perf_counter() - g.began) * 1000, 1) if "began" in g else None,
            "caller": caller()}})
        return response


def _method() -> str:
    return request.method if request.method in ("GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE") else "other"


def caller() -> str:
    """`anonymous`, `resident` or `staff`: as far as this request has asked, for asking again may cost a query."""
    user = g.get("_login_user")
    if user is None or not user.is_authenticated:
        return "anonymous"
    return "staff" if user.actor.is_staff else "resident"
