"""Callers: of the API with a token, of the pages as a browser that looks at what it gets; and a counter of queries."""

import contextlib
import re
import secrets
from collections import Counter as Multiset
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import lxml.html
from flask import Flask
from flask.testing import FlaskClient
from itsdangerous import URLSafeTimedSerializer
from sqlalchemy import Engine, event
from werkzeug.test import TestResponse

from facilities.infra.db import db

PREFIX = "/api/v1"


class Client(FlaskClient):
    """Each request in a context of its own, as on a server: nothing that a test has loaded or said is shared."""

    def open(self, *args: Any, **kwargs: Any) -> TestResponse:
        try:
            with self.application.app_context():
                return super().open(*args, **kwargs)
        finally:
            db.session.rollback()  # what the test itself has read is out of date now


class Caller:
    """Talks to the API; each answer is checked for the contract's common form."""

    def __init__(self, app: Flask, token: str | None = None) -> None:
        self.client = app.test_client()
        self.token = token

    def call(
        self, method: str, path: str, *, status: int | None = None, headers: dict[str, str] | None = None, **kwargs: Any
    ) -> TestResponse:
        headers = {**({"Authorization": f"Bearer {self.token}"} if self.token else {}), **(headers or {})}
        response = self.client.open(f"{PREFIX}{path}", method=method, headers=headers, **kwargs)
        if response.status_code >= 400:
            assert response.mimetype == "application/problem+json", response.get_data(as_text=True)[:500]
            problem = response.get_json()
            assert problem["status"] == response.status_code
            assert {"title", "code", "detail", "facts", "request_id"} <= set(problem)
            assert problem["detail"]
        if status is not None:
            assert response.status_code == status, response.get_data(as_text=True)[:1000]
        return response

    def get(self, path: str, status: int = 200, **kwargs: Any) -> Any:
        return self.call("GET", path, status=status, **kwargs).get_json()

    def post(self, path: str, body: Any = None, status: int = 201, **kwargs: Any) -> Any:
        return self.call("POST", path, status=status, json=body, **kwargs).get_json(silent=True)

    def patch(self, path: str, body: Any, status: int = 200) -> Any:
        return self.call("PATCH", path, status=status, json=body).get_json()

    def put(self, path: str, body: Any, status: int = 200) -> Any:
        return self.call("PUT", path, status=status, json=body).get_json(silent=True)

    def delete(self, path: str, status: int = 204) -> Any:
        return self.call("DELETE", path, status=status).get_json(silent=True)


class Page:
    """A page that was fetched: parsed, and looked over for what every page owes its readers."""

    def __init__(self, response: TestResponse) -> None:
        self.response = response
        self.status = response.status_code
        self.html = response.get_data(as_text=True)
        self.tree = lxml.html.document_fromstring(self.html)
        self.look_over()

    def look_over(self) -> None:
        tree = self.tree
        assert tree.get("lang") in ("zh-CN", "en")
        assert tree.findtext(".//title").strip(" ·")
        assert len(tree.findall(".//h1")) == 1, "a page has one heading of the first order"
        twice = [i for i, n in Multiset(tree.xpath("//@id")).items() if n > 1]
        assert not twice, f"ids that stand twice: {twice}"
        for form in tree.xpath("//form[@method='post']"):
            assert form.xpath(".//input[@name='csrf_token']"), "a form without its token"
        for control in tree.xpath("//main//input[not(@type='hidden')] | //main//select | //main//textarea"):
            named = tree.xpath(f"//label[@for='{control.get('id')}']") or control.xpath("ancestor::label")
            assert named, f"no label for {control.get('name')}"
        for reference in tree.xpath("//@aria-describedby"):
            for name in reference.split():
                assert tree.xpath(f"//*[@id='{name}']"), f"nothing describes: {name}"
        for table in tree.xpath("//table"):
            assert table.find("caption") is not None, "a table without a caption"
        assert not tree.xpath("//*[@style] | //style | //script[not(@src)]"), "inline code, which the policy forbids"

    @property
    def text(self) -> str:
        return re.sub(r"\s+", " ", self.tree.text_content())

    def hidden(self, name: str, inside: str = "//main") -> str:
        """The value of a hidden field, the first of that name."""
        return str(self.tree.xpath(f"{inside}//input[@name='{name}']/@value")[0])

    @property
    def links(self) -> list[str]:
        return [str(link) for link in self.tree.xpath("//a/@href")]


class Browser:
    """Fetches pages as a signed-in person, and sends forms with their token."""

    def __init__(self, client: FlaskClient, language: str = "en") -> None:
        self.client = client
        self.headers = {"Accept-Language": language}

    def get(self, path: str, status: int = 200) -> Page:
        response = self.client.get(path, headers=self.headers, follow_redirects=True)
        assert response.status_code == status, response.get_data(as_text=True)[:2000]
        return Page(response)

    def raw(self, path: str) -> TestResponse:
        return self.client.get(path, headers=self.headers)

    def send(self, path: str, status: int = 200, token_from: str | None = None, **fields: Any) -> Page:
        """Post a form; the token is read off the page that has the form, where that is named."""
        if token_from is None:
            fields["csrf_token"] = self.csrf_token()
        else:
            found = Page(self.client.get(token_from, headers=self.headers, follow_redirects=True))
            fields["csrf_token"] = found.tree.xpath("//input[@name='csrf_token']/@value")[0]
        response = self.client.post(path, data=fields, headers=self.headers, follow_redirects=True)
        assert response.status_code == status, response.get_data(as_text=True)[:2000]
        return Page(response)

    def csrf_token(self) -> str:
        """As any page of this browser has it: what the session holds, signed."""
        with self.client.session_transaction() as session:
            secret = session.setdefault("csrf_token", secrets.token_hex(20))
        key = self.client.application.secret_key
        assert key is not None, "the app signs with a key"
        return str(URLSafeTimedSerializer(key, salt="wtf-csrf-token").dumps(secret))

    def sign_in(self, login: str, password: str) -> Page:
        return self.send("/sign-in", token_from="/sign-in", login=login, password=password)


@dataclass
class Counter:
    statements: list[str] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.statements)

    def clear(self) -> None:
        self.statements.clear()


@contextlib.contextmanager
def count_queries(engine: Engine) -> Iterator[Counter]:
    counter = Counter()

    def note(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        if not statement.startswith(("BEGIN", "SAVEPOINT", "RELEASE", "PRAGMA")):
            counter.statements.append(statement)

    event.listen(engine, "before_cursor_execute", note)
    try:
        yield counter
    finally:
        event.remove(engine, "before_cursor_execute", note)
