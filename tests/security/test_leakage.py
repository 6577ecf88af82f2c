"""200 planted names, numbers and illnesses, and the whole app asked about them by all whom they do not concern."""

import logging
import re
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy.exc import DataError
from werkzeug.test import TestResponse

from facilities.accounts.models import SignIn
from facilities.infra.db import db
from facilities.places import queries as places
from facilities.web.guards import OPEN_ENDPOINTS
from facilities.web.log import OURS, Line
from tests import commands
from tests.security.district import District
from tests.security.planting import Planted, copy_of, plant, whole
from tests.stores import Store
from tests.world import PASSWORD, Someone, World

WALKERS = ("anonymous", "other resident", "other facility's manager", "reviewer", "guard")


class Heard(logging.Handler):
    """All that was logged: as the app writes it, and what it was given to write by its own code."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.lines: list[str] = []
        self.as_written = Line()

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(self.as_written.format(record))
        if record.name.startswith(OURS):
            self.lines.append(logging.Formatter().format(record))

    @property
    def text(self) -> str:
        return "\n".join(self.lines)


@pytest.fixture
def heard() -> Iterator[Heard]:
    handler, ours = Heard(), logging.getLogger(OURS)
    level = ours.level
    logging.getLogger().addHandler(handler)
    ours.setLevel(logging.DEBUG)
    yield handler
    ours.setLevel(level)
    logging.getLogger().removeHandler(handler)


@pytest.fixture
def town(world: World, heard: Heard, monkeypatch: pytest.MonkeyPatch) -> "Town":
    monkeypatch.setitem(world.app.config, "ANSWER_UNEXPECTED", True)
    return Town(world, heard)


class Town:
    """A district in which all is planted at one facility, and people of whom none has to do with it."""

    def __init__(self, world: World, heard: Heard) -> None:
        self.world, self.heard = world, heard
        facility = world.facility()
        self.manager = world.manager(facility)
        self.planted: Planted = plant(world, self.manager, facility.id)

    @cached_property
    def district(self) -> District:
        return District.of(self.world)

    @cached_property
    def ids(self) -> dict[str, str]:
        return {**self.district.ids["foreign"], **self.planted.ids}

    def asks(self, who: str | Someone, path: str, **kwargs: Any) -> TestResponse:
        someone = who if isinstance(who, Someone) else self.district.people.get(who)
        if path.startswith("/api/"):
            kwargs.setdefault("headers", {"Authorization": f"Bearer {someone.token}"} if someone else {})
            return self.world.app.test_client().open(path, **kwargs)
        browser = self.district.browsers[who] if isinstance(who, str) else self.world.browser(who)
        return browser.client.open(path, **kwargs)

    def questions(self) -> list[str]:
        """Every address that answers to GET, about what is planted; and the files and searches that go with them."""
        found = []
        for rule in self.world.app.url_map.iter_rules():
            if rule.endpoint in OPEN_ENDPOINTS or "GET" not in (rule.methods or ()):
                continue
            path = rule.rule
            for argument in rule.arguments:
                path = path.replace(f"<{argument}>", self.ids.get(argument.removesuffix("_id"), "1"))
            found.append(path)
        here, period = self.ids["facility"], "from=2026-01-01&to=2026-12-31"
        return [
            *found,
            "/api/v1/openapi.json",
            f"/week?facility={here}",
            f"/statistics?format=csv&facility={here}",
            "/statistics?format=csv&by=facility",
            "/statistics?format=xlsx",
            f"/api/v1/statistics/beneficiaries?{period}&by=facility,sex,age_band",
            f"/api/v1/statistics/beneficiaries?{period}&facility={here}",
            f"/api/v1/sessions?facility={here}",
            f"/api/v1/spaces/{self.ids['space']}/availability?from=2026-09-16&to=2026-10-16",
            f"/rooms?facility={here}",
            "/desk?date=2026-09-16",
            f"/desk/closures?facility={here}",
        ]


def test_v14_2_4_nobody_reads_of_others_what_does_not_concern_them(town: Town) -> None:
    walked = 0
    for who in WALKERS:
        for path in town.questions():
            said = whole(town.asks(who, path))
            assert town.planted.in_(said) == [], (who, path)
            walked += 1
    assert walked > 300


def test_v14_2_6_and_each_reads_their_own_and_no_more(town: Town) -> None:
    """A neighbour from the same session: what stands there of oneself is not there of the others."""
    neighbour, seen = town.planted.people[0], []
    own = town.planted.in_(whole(town.asks(neighbour, "/api/v1/me")) + whole(town.asks(neighbour, "/my/reservations")))
    own += [phone for phone in town.planted.phones if phone == neighbour.login]
    browser = town.world.browser(neighbour)
    for path in town.questions():
        answer = town.asks(neighbour, path) if path.startswith("/api/") else browser.raw(path)
        said = whole(answer)
        assert town.planted.in_(said, but=own) == [], path
        seen += town.planted.in_(said)
    assert set(seen) >= {town.planted.names[0], town.planted.illnesses[0]}, "one's own name and purpose"


def test_what_is_shown_on_purpose_is_found(town: Town) -> None:
    """Else the search would prove nothing: the roll has the names, and the numbers in no more than part."""
    session = town.planted.ids["session"]
    for path in (
        f"/desk/sessions/{session}/bookings",
        f"/api/v1/sessions/{session}/roster",
        f"/api/v1/sessions/{session}/roster?format=csv",
    ):
        found = town.planted.in_(whole(town.asks(town.manager, path)))
        assert set(town.planted.names) <= set(found), path
        assert not set(found) & {*town.planted.phones, *town.planted.numbers}, path
    logging.getLogger(f"{OURS}.test").warning("somebody wrote %s", town.planted.names[7])
    assert town.planted.in_(town.heard.text) == [town.planted.names[7]]
    first_page = town.world.app.test_client().get("/")
    assert '{"csrf_token":' in whole(first_page), "a cookie's content is read"


def broken(planted: Planted) -> Any:
    def fails(*_: object, **__: object) -> None:
        said = f"{planted.names[3]} {planted.phones[3]} {planted.numbers[3]} {planted.illnesses[3]}"
        raise DataError(f"INSERT … {said}", {"name": said}, ValueError(said))

    return fails


def test_v16_2_5_no_mistake_of_theirs_or_ours_is_said_aloud(
    town: Town, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """Errors of every kind, made with what is planted: no answer to a program repeats it, and no log ever."""
    planted, answers = town.planted, []
    name, phone, number, illness = planted.names[2], planted.phones[2], planted.numbers[2], planted.illnesses[2]
    someone = planted.people[1]
    guesses = [{"login": phone, "password": f"{name}{n}"} for n in range(12)]  # until it is too many
    answers += [town.asks("anonymous", "/api/v1/tokens", method="POST", json=guess) for guess in guesses]
    for body in (
        {"name": [name], "phone": phone, "password": number, "birth_date": illness, "sex": name, "consent": number},
        {"name": name, "phone": number, "sex": illness, "colour": name},
        {"name": f"{name}\x00", "birth_date": f"{number}"},
    ):
        answers.append(town.asks("anonymous", "/api/v1/accounts", method="POST", json=body))
        answers.append(town.asks(someone, "/api/v1/residents", method="POST", json=body))
    answers += [
        town.asks("anonymous", "/api/v1/accounts", method="POST", data=f"{{{name} {number}", content_type="text/json"),
        town.asks("anonymous", f"/api/v1/facilities/{phone}"),
        town.asks(someone, f"/api/v1/bookings/{number}"),
        town.asks(someone, f"/api/v1/{name}"),
        town.asks("anonymous", f"/api/v1/sessions?from={phone}&to={illness}"),
        town.asks("other facility's manager", "/api/v1/users", method="POST", json={"login": phone}),
    ]
    for path in (f"/{name}/{number}", f"/find?q={name}{phone}%00", f"/bookings/{phone}", f"/me?{illness}={number}"):
        for who in WALKERS:
            town.asks(who, path)  # a page may hold the address that was typed, for the reader alone
    token = {"csrf_token": town.district.tokens["anonymous"]}
    for fields in ({"login": phone, "password": number}, {"login": name + "\x00"}, {name: phone}):
        town.asks("anonymous", "/sign-in", method="POST", data={**fields, **token})
        town.asks("anonymous", "/sign-in", method="POST", data=fields)
        town.asks("anonymous", "/register", method="POST", data={**fields, **token, "name": name, "phone": phone})
    monkeypatch.setattr(places, "facilities", broken(planted))
    for path in ("/facilities", "/api/v1/facilities"):
        answers += [town.asks(who, path) for who in ("anonymous", "resident", "administrator")]
    statuses = {answer.status_code for answer in answers}
    assert statuses >= {401, 403, 404, 422, 429, 500}
    for answer in answers:
        assert planted.in_(whole(answer)) == [], (answer.status_code, answer.request.path)
    assert town.heard.text.count('"error": "DataError"') == 6
    assert planted.in_(town.heard.text) == []
    out, err = capfd.readouterr()
    assert planted.in_(out + err) == []


def test_v16_2_5_a_line_for_each_request_says_what_was_asked_and_not_about_whom(town: Town) -> None:
    paths = town.questions()
    town.asks("resident", "/")
    before = len(town.heard.lines)
    for path in paths:
        town.asks("resident", f"{path}{'&' if '?' in path else '?'}x={town.planted.phones[0]}")
    requests = [line for line in town.heard.lines[before:] if '"what": "request"' in line]
    assert len(requests) == len(paths)
    assert all(re.search(r'"method": "GET", "rule": "[^"?]+", "status": \d+, "ms": [\d.]+', line) for line in requests)
    assert {re.search(r'"caller": "(\w+)"', line)[1] for line in requests} <= {"resident", "anonymous"}  # type: ignore[index]
    said = town.heard.text
    assert town.planted.in_(said) == []
    assert town.planted.ids["booking"] != "1"
    assert f"/bookings/{town.planted.ids['booking']}" not in said


def test_v7_2_and_v14_2_1_no_secret_is_in_an_address_a_cookie_or_a_log(town: Town) -> None:
    """The cookie names the sign-in, whose secret is nowhere else; nothing about the person is in it."""
    browser = town.world.browser()
    browser.sign_in(town.planted.people[2].login, PASSWORD)
    sent = [whole(browser.raw(path)) for path in ("/", "/me", "/my/bookings")]
    cookie = browser.client.get_cookie("session")
    assert cookie is not None
    held = whole_cookie(cookie.value)
    assert town.planted.in_(held) == []
    secret = re.search(r'"_user_id":"([\w-]{43})"', held)
    assert secret, held
    for said in (*sent, town.heard.text):
        assert secret[1] not in re.sub(r"Set-Cookie.*|{\"_.*", "", said)
        assert town.planted.people[2].token not in said
    db.session.rollback()
    hashes = set(db.session.scalars(db.select(SignIn.secret_hash)))
    assert secret[1] not in hashes


def whole_cookie(value: str) -> str:
    answer = TestResponse(b"", "200 OK", [("Set-Cookie", f"session={value}; Path=/")], None)  # type: ignore[call-overload]
    return whole(answer)


def test_v11_3_and_v14_2_4_a_plain_copy_of_the_database_names_nobody_by_number(town: Town, store: Store) -> None:
    found = copy_of(store)
    assert set(town.planted.in_(found)) & set(town.planted.numbers) == set()
    assert set(town.planted.names) <= set(town.planted.in_(found)), "what is not encrypted is found: the search works"
    for secret in (PASSWORD, town.manager.token, *(someone.token for someone in town.planted.people[:5])):
        assert secret.encode() not in found


@pytest.fixture
def environment(store: Store, tmp_path: Path, app: Flask) -> dict[str, str]:
    return {
        "PATH": "/usr/bin:/bin",
        "DATABASE_URL": store.url,
        "HUIMIN_ENV": "test",
        "HUIMIN_INSTANCE": str(tmp_path),
        "IDENTITY_KEYS": ",".join(app.config["HUIMIN_SETTINGS"].identity_keys),
    }


def test_v16_2_5_no_command_says_a_name(town: Town, environment: dict[str, str]) -> None:
    """Also where one fails: an account for somebody who has one, and a database that says whom it stumbled over."""
    taken = ["users", "create", "--login", town.planted.phones[0], "--role", "administrator", "--password-stdin"]
    for arguments in (["worker", "--once"], ["statistics", "verify"], taken):
        done = commands.run(*arguments, environment=environment, typed="a long enough phrase\n")
        assert done.returncode == (1 if arguments is taken else 0), done.stderr
        assert town.planted.in_(done.stdout + done.stderr) == [], arguments
