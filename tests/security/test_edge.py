"""What every answer carries, and what does not come in: headers, cookies, hosts, proxies, sizes, characters.

A name that begins with `v3_4_3` is the number of the requirement of OWASP ASVS 5.0 that the test stands for.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from config import ROOT
from facilities.app import create_app
from facilities.background import publish_open_data
from facilities.infra.db import db
from facilities.web.guards import OPEN_ENDPOINTS
from facilities.web.limits import limiter
from tests.client import Client
from tests.conftest import Apps
from tests.pages.test_queries import PAGES, Town
from tests.stores import Store
from tests.world import PASSWORD, World

HOST = "huimin.example.org"
Answers = dict[str, TestResponse]


@pytest.fixture
def production(
    app: Flask, apps: Apps, kind: str, store: Store, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[..., FlaskClient]]:
    """A client of the app as production starts it, on the same database."""
    for name in ("enabled", "initialized"):  # one limiter serves every app of the process
        monkeypatch.setattr(limiter, name, getattr(limiter, name))
    made: list[Flask] = []

    def make(**more: object) -> FlaskClient:
        settings = replace(apps.settings(kind, store.url), environment="production", hosts=(HOST, "127.0.0.1"))
        app = create_app(replace(settings, **more))  # type: ignore[arg-type]
        app.config["ANSWER_UNEXPECTED"] = True
        app.test_client_class = Client
        made.append(app)
        return app.test_client()

    yield make
    for app in made:
        with app.app_context():
            db.session.remove()
            db.engine.dispose()


def directives(answer: TestResponse) -> dict[str, list[str]]:
    parts = (part.split() for part in answer.headers["Content-Security-Policy"].split(";"))
    return {name: sources for name, *sources in parts}


@pytest.fixture(scope="module")
def asked() -> Iterator[dict[str, Answers]]:
    """By kind of database: only looked at, so they are asked for once."""
    kept: dict[str, Answers] = {}
    yield kept
    for answers in kept.values():
        for answer in answers.values():
            answer.close()


@pytest.fixture
def answers(world: World, kind: str, asked: dict[str, Answers]) -> Answers:
    """Every page and question that is known, a file, and errors of each kind."""
    if kind not in asked:
        asked[kind] = ask(world)
    return asked[kind]


def ask(world: World) -> Answers:
    town = Town(world)
    publish_open_data()
    found = {}
    for name, (who, address, _) in PAGES.items():
        someone = getattr(town, who) if who else None
        path = town.path(address)
        if path.startswith("/api/"):
            headers = {"Authorization": f"Bearer {someone.token}"} if someone else {}
            found[name] = world.app.test_client().get(path, headers=headers)
        else:
            found[name] = world.browser(someone).raw(path)
        assert found[name].status_code == 200, name
    nobody, resident = world.browser(), world.browser(town.resident)
    found |= {
        "a file": nobody.raw("/static/css/huimin.css"),
        "a package's file": nobody.raw("/bootstrap/static/css/bootstrap.min.css"),
        "health": nobody.raw("/healthz"),
        "the API's description": nobody.raw("/api/v1/openapi.json"),
        "no such page": nobody.raw("/nothing-here"),
        "no such page, signed in": resident.raw("/nothing-here"),
        "not permitted": resident.raw("/desk"),
        "to the door": nobody.raw("/me"),
        "a stale form": nobody.client.post("/sign-in"),
        "no such address of the API": nobody.raw("/api/v1/nothing-here"),
        "without a token": nobody.raw("/api/v1/me"),
        "another method": nobody.client.put("/api/v1/facilities"),
        "too large": nobody.client.post("/sign-in", data=b"x" * 2_000_000),
        "the figures as a file": world.browser(town.administrator).raw("/statistics?format=csv"),
    }
    return found


# -- V3.4: headers


def test_v3_4_3_and_v3_4_6_each_answer_says_what_it_may_load_and_that_nobody_frames_it(answers: Answers) -> None:
    nonces = []
    for name, answer in answers.items():
        policy = directives(answer)
        for directive in ("default-src", "object-src", "base-uri", "frame-ancestors"):
            assert policy[directive] == ["'none'"], (name, directive)
        assert "unsafe" not in answer.headers["Content-Security-Policy"], name
        if answer.mimetype == "text/html":
            (source,) = policy["script-src"]
            assert re.fullmatch(r"'nonce-[\w-]{22}'", source), name
            assert (policy["style-src"], policy["form-action"]) == (["'self'"], ["'self'"]), name
            nonces.append(source)
        else:
            assert "script-src" not in policy, name
            assert policy["form-action"] == ["'none'"], name
    assert len(nonces) == len(set(nonces)) > 40


def test_v3_4_4_v3_4_5_and_v3_4_8_each_answer_has_the_other_headers_too(answers: Answers) -> None:
    for name, answer in answers.items():
        assert answer.headers["X-Content-Type-Options"] == "nosniff", name
        assert answer.headers["Referrer-Policy"] == "same-origin", name
        assert answer.headers["Cross-Origin-Opener-Policy"] == "same-origin", name
        assert answer.headers["Cross-Origin-Resource-Policy"] == "same-origin", name
        camera = "camera=(self)" if name == "roll-call" else "camera=()"  # which scans codes
        assert camera in answer.headers["Permissions-Policy"], name
        assert answer.headers["X-Request-Id"], name


def test_v3_4_2_no_other_site_is_let_in_to_read(answers: Answers) -> None:
    for name, answer in answers.items():
        assert not [header for header in answer.headers.keys() if header.startswith("Access-Control")], name  # noqa: SIM118


def test_v3_4_1_production_is_only_ever_encrypted(production: Callable[..., FlaskClient], answers: Answers) -> None:
    client = production()
    for path in ("/", "/nothing-here", "/api/v1/me", "/static/css/huimin.css", "/healthz"):
        with client.get(path, base_url=f"https://{HOST}") as answer:
            sent = answer.headers
        assert sent["Strict-Transport-Security"] == "max-age=31536000; includeSubDomains", path
    for name, answer in answers.items():
        assert "Strict-Transport-Security" not in answer.headers, f"{name}: a demonstration has no certificate"


# Letters are no pages of ours: mail programs know no other styles than those in the tags.
TEMPLATES = sorted(path for path in (ROOT / "templates").rglob("*.html") if path.parent != ROOT / "templates" / "mail")


@pytest.mark.parametrize("path", TEMPLATES, ids=[str(path.relative_to(ROOT / "templates")) for path in TEMPLATES])
def test_v3_4_3_no_template_holds_code_or_style_and_each_script_has_the_nonce(path: Path) -> None:
    """Pages are looked over when they are fetched; this also finds what no test fetches."""
    markup = re.sub(r"{#.*?#}|{%.*?%}", "", path.read_text(encoding="utf-8"), flags=re.DOTALL)
    assert not re.search(r"<style\b", markup, re.IGNORECASE)
    # what stands between the brackets of a tag; expressions may hold brackets of their own
    for tag in re.findall(r"<[a-z][^>]*>", re.sub(r"{{.*?}}", "…", markup, flags=re.DOTALL), re.IGNORECASE):
        assert not re.search(r"\s(style|on[a-z]+)\s*=", tag, re.IGNORECASE), tag
        assert "javascript:" not in tag.lower(), tag
    for tag in re.findall(r"<script\b[^>]*", markup, re.IGNORECASE):
        assert 'nonce="{{ csp_nonce() }}"' in tag, tag
        assert "src=" in tag, f"code belongs into a file: {tag}"


def test_v3_2_2_what_people_type_is_text_and_never_markup(world: World) -> None:
    typed = "<img src=x onerror=alert(1)>"
    facility = world.facility()
    session, resident = world.session(facility, title=typed), world.resident(name=typed)
    world.book(resident, session)
    for someone, path in (
        (resident, "/me"),
        (resident, f"/sessions/{session.id}"),
        (resident, "/my/bookings"),
        (None, "/week"),
        (world.manager(facility), f"/desk/sessions/{session.id}/roll"),
    ):
        page = world.browser(someone).get(path)
        assert typed in page.text, path
        assert typed not in page.html, path


# -- V3.3: cookies


def test_v3_3_1_to_v3_3_5_the_cookie_of_production_is_for_this_host_and_no_script(
    world: World, production: Callable[..., FlaskClient]
) -> None:
    someone, client = world.resident(), production()
    page = client.get("/sign-in", base_url=f"https://{HOST}")
    token = re.findall(r'name="csrf_token" value="([^"]+)"|id="csrf_token"[^>]+value="([^"]+)"', page.text)
    fields = {"csrf_token": "".join(token[0]), "login": someone.login, "password": PASSWORD}
    headers = {"Referer": f"https://{HOST}/sign-in"}
    answer = client.post("/sign-in", data=fields, base_url=f"https://{HOST}", headers=headers)
    assert answer.status_code == 302, answer.text
    names = set()
    for cookie in (*page.headers.getlist("Set-Cookie"), *answer.headers.getlist("Set-Cookie")):
        name, _, attributes = cookie.partition("=")
        names.add(name)
        said = {part.strip().partition("=")[0].lower() for part in attributes.split(";")[1:]}
        assert {"secure", "httponly", "path", "samesite"} <= said
        assert "domain" not in said
        assert "SameSite=Lax" in cookie
        assert "Path=/;" in cookie
        assert len(cookie.partition(";")[0]) < 4096
    assert names == {"__Host-session", "__Host-device"}
    assert client.get("/me", base_url=f"https://{HOST}").status_code == 200


# -- hosts and proxies


@pytest.mark.parametrize("path", ["/", "/sign-in", "/nothing-here", "/api/v1/facilities", "/static/css/huimin.css"])
def test_a_host_that_is_not_ours_is_refused(production: Callable[..., FlaskClient], path: str) -> None:
    client = production()
    for host in ("evil.example.com", "huimin.example.org.evil.example.com", "xhuimin.example.org", "10.0.0.1"):
        answer = client.get(path, base_url=f"https://{host}")
        assert (answer.status_code, host in answer.text) == (400, False), host
        assert answer.headers["X-Request-Id"]
    for host in (HOST, f"{HOST}:8443", "127.0.0.1:8000"):
        with client.get(path, base_url=f"https://{host}") as answer:
            assert answer.status_code in (200, 404), host


def wrong_guess(client: FlaskClient, forwarded: str) -> int:
    body = {"login": "nobody-here", "password": "wrong"}
    headers = {"X-Forwarded-For": forwarded}
    return client.post("/api/v1/tokens", json=body, base_url=f"https://{HOST}", headers=headers).status_code


def test_v6_3_1_a_limit_counts_the_client_and_not_the_proxy(
    production: Callable[..., FlaskClient], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("facilities.accounts.api.enter", lambda *_: (_ for _ in ()).throw(ZeroDivisionError))
    client = production(proxies=1)
    statuses = [wrong_guess(client, f"203.0.113.{n}, 198.51.100.7") for n in range(32)]
    assert statuses[-1] == 429, "what a client says about itself is not believed"
    assert wrong_guess(client, "198.51.100.8") != 429


def test_v6_3_1_without_a_proxy_nobody_chooses_their_address(
    production: Callable[..., FlaskClient], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("facilities.accounts.api.enter", lambda *_: (_ for _ in ()).throw(ZeroDivisionError))
    client = production()
    assert [wrong_guess(client, f"203.0.113.{n}") for n in range(32)][-1] == 429


# -- V14.3.2: nothing personal is kept on the way


def test_v14_3_2_no_personal_answer_is_kept_by_a_browser_or_on_the_way(world: World) -> None:
    """Every route that is not public, whatever it answers; and whatever is sent rather than asked."""
    town = Town(world)
    resident, staff = world.browser(town.resident), world.browser(town.administrator)
    walked = 0
    for rule in world.app.url_map.iter_rules():
        if rule.endpoint in OPEN_ENDPOINTS:
            continue
        guard = world.app.view_functions[rule.endpoint].__guard__  # type: ignore[attr-defined]
        path = rule.rule
        for argument in rule.arguments:
            known = re.sub("_id$", "", argument)
            number = {"resident": town.resident.resident_id, "user": town.manager.user.id, "entry": town.ticket.id}
            found = number.get(known) or getattr(town, known, None)
            path = path.replace(f"<{argument}>", str(getattr(found, "id", found) or "2026-01-01"))
        for someone, browser in ((town.resident, resident), (town.administrator, staff)):
            if path.startswith("/api/"):
                headers = {"Authorization": f"Bearer {someone.token}"}
                answer = world.app.test_client().get(path, headers=headers)
            else:
                answer = browser.raw(path)
            if answer.status_code != 405 and rule.endpoint not in ("pages.healthz", "pages.readyz"):
                assert answer.headers["Cache-Control"] == "no-store", (guard, path)
                walked += 1
    assert walked > 120
    assert resident.raw("/nothing-here").headers["Cache-Control"] == "no-store"


def test_v14_3_2_secrets_that_are_given_to_a_stranger_are_not_kept_either(world: World) -> None:
    someone = world.resident()
    body = {"login": someone.login, "password": PASSWORD}
    answer = world.app.test_client().post("/api/v1/tokens", json=body)
    assert (answer.status_code, answer.headers["Cache-Control"]) == (201, "no-store")


# -- sizes and characters


def test_a_form_of_too_many_fields_is_too_large(world: World) -> None:
    browser = world.browser()
    for fields, status in ((1001, 413), (1000, 400)):  # 400: it has no token
        answer = browser.client.post(
            "/sign-in", data="&".join(["a=b"] * fields), content_type="application/x-www-form-urlencoded"
        )
        assert answer.status_code == status
        parts = {f"a{n}": "b" for n in range(fields)}
        answer = browser.client.post("/sign-in", data=parts, content_type="multipart/form-data")
        assert answer.status_code == status


def test_a_form_over_one_mebibyte_is_too_large(world: World) -> None:
    client = world.browser().client
    long = b"x" * 1_100_000
    for data, kind in (
        (b'--y\r\nContent-Disposition: form-data; name="login"\r\n\r\n' + long + b"\r\n--y--", "multipart/form-data"),
        (b"login=" + long, "application/x-www-form-urlencoded"),
    ):
        answer = client.post("/sign-in", data=data, content_type=f"{kind}; boundary=y")
        assert answer.status_code == 413


def test_nul_and_half_characters_are_refused_at_every_door(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """In the path, in the question, in each form; nothing gets as far as a database, which would answer 500."""
    town = Town(world)
    browser = world.browser(town.administrator)
    monkeypatch.setitem(world.app.config, "WTF_CSRF_ENABLED", False)  # characters are tried here, not the form's token
    headers = {"Authorization": f"Bearer {town.administrator.token}"}
    for rule in world.app.url_map.iter_rules():
        if rule.endpoint in OPEN_ENDPOINTS:
            continue
        path = re.sub("<[^>]+>", "1", rule.rule)
        client, said = browser.client, headers if path.startswith("/api/") else {}
        assert client.get(f"{path}%00", headers=said).status_code in (404, 405), path
        if "GET" in (rule.methods or ()) and "health" not in path and "ready" not in path:
            expected = (422, 404) if said else (400,)
            assert client.get(f"{path}?q=%00", headers=said).status_code in expected, path
        if "POST" in (rule.methods or ()) and not said:
            for bad in ("a=%00", "%00=a", "a=%1b"):
                form = "application/x-www-form-urlencoded"
                assert client.post(path, data=bad, content_type=form).status_code == 400, (path, bad)
