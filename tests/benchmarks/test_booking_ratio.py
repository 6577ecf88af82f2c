"""The floor that the app is measured against must itself be right, or the ratio flatters nobody."""

import json
import os
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import create_engine, text

from benchmarks import load, postgresql
from benchmarks.floor import app as floor
from benchmarks.processes import Server, environment
from config import ROOT

CLIENTS, PLACES, SESSION, PLENTY = 60, 7, 1, 2


@pytest.fixture
def url(kind: str, tmp_path: Path, worker_id: str) -> Iterator[str]:
    """The floor's own schema, with users 1 … CLIENTS, a session with few places and one with many."""
    name = f"huimin_floor_{worker_id}"
    server = os.environ.get("POSTGRESQL_URL", "")
    address = f"sqlite:///{tmp_path / 'floor.sqlite3'}"
    if kind == "postgresql":
        address = postgresql.create_database(server, name)
    floor.create_schema(address)
    floor.add_users(address, ((n, f"token-{n}") for n in range(1, CLIENTS + 1)))
    floor.add_sessions(address, [(SESSION, PLACES), (PLENTY, CLIENTS)])
    yield address
    if kind == "postgresql":
        postgresql.drop_database(server, name)


@pytest.fixture
def app(url: str) -> Iterator[Flask]:
    """The floor, whose connections are closed afterwards."""
    app = floor.create_app(url)
    yield app
    app.extensions["floor"].close()


def kept(url: str, session: int) -> tuple[int, int]:
    """The session's counter and its rows."""
    engine = create_engine(url)
    with engine.connect() as connection:
        taken = connection.scalar(text("SELECT places_taken FROM sessions WHERE id = :s"), {"s": session})
        rows = connection.scalar(text("SELECT count(*) FROM bookings WHERE session_id = :s"), {"s": session})
    engine.dispose()
    return int(taken), int(rows)


def test_the_floor_never_books_over_capacity_and_never_twice(app: Flask, url: str) -> None:
    together = threading.Barrier(10)

    def book(user: int) -> tuple[int, str]:
        headers = {"Authorization": f"Bearer token-{user}"}
        if user <= 10:
            together.wait(timeout=30)
        answer = app.test_client().post("/api/v1/bookings", json={"session_id": str(SESSION)}, headers=headers)
        return answer.status_code, (answer.json or {}).get("code", "")

    with ThreadPoolExecutor(10) as pool:
        answers = Counter(pool.map(book, range(1, 21)))
    assert answers == {(201, ""): PLACES, (409, "session_full"): 20 - PLACES}
    assert kept(url, SESSION) == (PLACES, PLACES)


def test_nobody_books_the_same_session_twice_or_without_a_token(app: Flask, url: str) -> None:
    client = app.test_client()
    known, unknown = ({"Authorization": f"Bearer {token}"} for token in ("token-1", "token-x"))
    answers = [
        client.post("/api/v1/bookings", json={"session_id": str(PLENTY)}, headers=headers).status_code
        for headers in (known, known, unknown, {})
    ]
    assert answers == [201, 409, 401, 401]
    assert kept(url, PLENTY) == (1, 1)


@pytest.mark.race
def test_the_load_books_each_line_once_through_the_apps_own_server(url: str, tmp_path: Path) -> None:
    server = Server(environment(url, tmp_path / "instance", workers=2), tmp_path / "log", ("benchmarks.floor.serve",))
    server.start()
    try:
        server.wait()
        assert server.ask("/readyz") == (200, b"floor")
        plan = "\n".join(f"token-{n} {session} {n}" for session in (SESSION, PLENTY) for n in range(1, CLIENTS + 1))
        done = subprocess.run(
            [sys.executable, "-m", "benchmarks.load", str(server.port), "--seconds", "30"],
            cwd=ROOT,
            input=plan,
            capture_output=True,
            text=True,
            timeout=90,
            check=True,
        )
    finally:
        server.stop()
    assert json.loads(done.stdout)["statuses"] == {"201": PLACES + CLIENTS, "409": CLIENTS - PLACES}
    assert (kept(url, SESSION), kept(url, PLENTY)) == ((PLACES, PLACES), (CLIENTS, CLIENTS))


def test_a_request_of_the_load_is_what_the_contract_says() -> None:
    head, _, body = load.request_of("secret 3 7", 8000).decode().partition("\r\n\r\n")
    assert head.startswith("POST /api/v1/bookings HTTP/1.1\r\n")
    assert "\r\nAuthorization: Bearer secret\r\n" in head
    assert "\r\nIdempotency-Key: " in head
    assert json.loads(body) == {"session_id": "3", "resident_ids": ["7"]}
    assert f"\r\nContent-Length: {len(body)}" in head
