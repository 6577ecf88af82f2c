"""Which language a reader gets, and a thing's name in it."""

from typing import Any

from flask import has_request_context, request, session

from facilities.web.formats import is_chinese
from facilities.web.guards import is_api

LANGUAGES = {"zh": "中文", "en": "English"}
LANGUAGE_TAGS = {"zh": "zh-CN", "en": "en"}
DEFAULT = "zh"


def choose_language() -> str:
    """Pages: what the reader chose, else what the browser asks for. The API: what the client asks for."""
    if not has_request_context():  # a terminal
        return DEFAULT
    chosen = None if is_api() else session.get("language")
    if chosen in LANGUAGES:
        return str(chosen)
    return request.accept_languages.best_match(list(LANGUAGES), DEFAULT) or DEFAULT


def in_language(thing: Any, field: str = "name") -> str:  # noqa: ANN401 - any row with `field` and `field_en`
    """The English form where the page is English and there is one, else the Chinese."""
    english = None if is_chinese() else getattr(thing, f"{field}_en", None)
    return english or getattr(thing, field) or ""
