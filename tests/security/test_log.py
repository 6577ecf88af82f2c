"""The log's own form: one line each, in UTC, of fixed words; and what the real server writes."""

import json
import logging
import socket
import sys
import urllib.request
from pathlib import Path
from typing import Any

import pytest

from facilities.web.log import Line
from tests.servers import running
from tests.stores import SqliteStore

NAME = "罗玉兰 13800138000"


def written(message: Any, *arguments: Any, logger: str = "somewhere.else", error: bool = False) -> dict[str, Any]:
    failure = None
    if error:
        try:
            raise ValueError(NAME)
        except ValueError:
            failure = sys.exc_info()
    record = logging.LogRecord(logger, logging.ERROR, __file__, 1, message, arguments, failure)
    line = Line().format(record)
    assert "\n" not in line
    assert line.isascii()
    found: dict[str, Any] = json.loads(line)
    return found


def test_v16_2_1_and_v16_2_2_an_entry_says_when_in_utc_how_grave_and_where() -> None:
    entry = written("kept")
    assert entry["at"].endswith("+00:00")
    assert (entry["level"], entry["from"], entry["what"]) == ("error", "somewhere.else", "kept")


def test_v16_2_5_of_an_error_its_type_and_place_and_never_its_words() -> None:
    entry = written("it failed", logger="facilities.background", error=True)
    assert entry["error"] == "ValueError"
    assert entry["trace"][-1].startswith("test_log.py:")
    assert entry["trace"][-1].endswith(" written")
    assert NAME not in str(entry)


@pytest.mark.parametrize(
    ("message", "arguments", "shown"),
    [
        pytest.param(
            "Worker (pid:%s) exited with code %s.", (7, 3), "Worker (pid:7) exited with code 3.", id="numbers"
        ),
        pytest.param("Error handling request %s %s", ("GET", f"/?q={NAME}"), "Error handling request … …", id="words"),
        pytest.param(f"Invalid request from ip=10.0.0.1: {NAME}", (), "Invalid request from ip", id="ready-made"),
        pytest.param(f"Exception on /find?q={NAME} [GET]", (), "Exception on", id="an address"),
        pytest.param(f"Invalid Method '{NAME}'", (), "Invalid Method", id="quoted"),
        pytest.param("%d of %s", (NAME, NAME), "%d of %s", id="what does not fit"),
        pytest.param(ValueError(NAME), (), "ValueError", id="an exception for a message"),
    ],
)
def test_v16_2_5_of_a_librarys_words_the_fixed_part(message: Any, arguments: tuple[Any, ...], shown: str) -> None:
    assert written(message, *arguments)["what"] == shown


def test_v16_4_1_nobody_writes_a_line_of_their_own() -> None:
    forged = 'x\n{"level": "info"}\r\n\u2028\x1b[2J\ud800'
    assert written("kept %s", forged, logger="facilities.test")["what"] == f"kept {forged}"


def raw(address: str, request: bytes) -> bytes:
    """What the server answers to bytes that no well-behaved client would send."""
    host, _, port = address.removeprefix("http://").partition(":")
    with socket.create_connection((host, int(port)), timeout=20) as connection:
        connection.sendall(request)
        connection.shutdown(socket.SHUT_WR)
        answer = b""
        while piece := connection.recv(65536):
            answer += piece
    return answer


def test_v16_2_5_the_servers_log_has_no_address_of_a_request_in_it(tmp_path: Path) -> None:
    """The whole way: requests that are answered, and those that gunicorn refuses before the app sees them."""
    store = SqliteStore(tmp_path)
    secret = "13800138000"
    with running(store.url, tmp_path, workers=1, prepare=lambda s: s.manage("db", "upgrade")) as server:
        with urllib.request.urlopen(f"{server.address}/find?q={secret}", timeout=20) as answer:  # noqa: S310 - our own
            assert answer.status == 200
        head = f"GET /find?q={secret} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n".encode()
        for request, status in (
            (f"GET /{secret} x y HTTP/1.1\r\n\r\n".encode(), 400),
            (f"{secret} / HTTP/9.9\r\n\r\n".encode(), 400),
            (head + f"X\x00: {secret}\r\n\r\n".encode(), 400),
            (head + b"X: " + b"y" * 9000 + f"{secret}\r\n\r\n".encode(), 431),
            (head + b"".join(b"X-%d: 1\r\n" % n for n in range(120)) + b"\r\n", 431),
            (b"GET /?" + b"y" * 5000 + f"{secret} HTTP/1.1\r\n\r\n".encode(), 414),
            (head.replace(b"GET /", b"GET /\xff") + b"\r\n", 400),
            (head.replace(b"GET /", b"GET /%ff") + b"\r\n", 404),
            (b"POST /sign-in HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: x\r\n\r\n" + secret.encode(), 501),
        ):
            told = raw(server.address, request)
            assert told.startswith(f"HTTP/1.1 {status} ".encode()), (request[:60], told[:200])
        chunks = b"".join(b"10000\r\n" + b"x" * 65536 + b"\r\n" for _ in range(20)) + b"0\r\n\r\n"
        form = b"Content-Type: application/x-www-form-urlencoded\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n"
        answer_to_chunks = raw(server.address, b"POST /sign-in HTTP/1.1\r\nHost: a\r\n" + form + b"\r\n" + chunks)
        assert answer_to_chunks.startswith(b"HTTP/1.1 413 "), answer_to_chunks[:200]
    log = (tmp_path / "server.log").read_text()
    assert secret not in log
    lines = [json.loads(line) for line in log.splitlines() if line.startswith("{")]
    assert [line for line in log.splitlines() if not line.startswith(("{", "ready\t"))] == []
    asked = {(line["rule"], line["status"], line["caller"]) for line in lines if line["what"] == "request"}
    assert asked >= {("/find", 200, "anonymous"), (None, 404, "anonymous"), ("/sign-in", 413, "anonymous")}
    assert "Invalid request from ip" in {line["what"] for line in lines}
