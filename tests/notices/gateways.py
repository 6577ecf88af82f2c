"""Other people's servers, on this machine: they answer over real sockets what a test tells them to."""

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.message import EmailMessage
from email.parser import BytesParser
from email.policy import default
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from tests.servers import free_port

Answer = tuple[int, Mapping[str, Any]]  # status and JSON; 0: the connection is closed without a word


@dataclass
class Asked:
    method: str
    path: str
    body: dict[str, Any]
    raw: bytes
    headers: Mapping[str, str]


@dataclass
class Provider:
    """`answer` decides; `asked` is what came."""

    answer: Callable[[Asked], Answer] = lambda _asked: (200, {})
    asked: list[Asked] = field(default_factory=list)
    address: str = ""


@contextmanager
def provider(answer: Callable[[Asked], Answer] | None = None) -> Iterator[Provider]:
    found = Provider(answer) if answer else Provider()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            raw = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            asked = Asked(self.command, self.path, json.loads(raw or b"{}"), raw, dict(self.headers))
            found.asked.append(asked)
            status, said = found.answer(asked)
            if not status:
                self.close_connection = True
                return
            content = json.dumps(said).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def do_GET(self) -> None:
            self.do_POST()

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    found.address = f"http://127.0.0.1:{server.server_port}"
    Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield found
    finally:
        server.shutdown()
        server.server_close()


@dataclass
class Mailbox:
    """`refuses`: what the server says to a recipient instead of taking it."""

    port: int
    letters: list[EmailMessage] = field(default_factory=list)
    refuses: str | None = None

    async def handle_RCPT(  # noqa: N802 - as aiosmtpd calls it
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        if self.refuses:
            return self.refuses
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(  # noqa: N802 - as above
        self, _server: SMTP, _session: Session, envelope: Envelope
    ) -> str:
        content = envelope.original_content or b""
        letter = BytesParser(policy=default).parsebytes(content)
        assert isinstance(letter, EmailMessage)
        self.letters.append(letter)
        return "250 OK"


@contextmanager
def mail_server(host: str = "127.0.0.1") -> Iterator[Mailbox]:
    mailbox = Mailbox(free_port())
    controller = Controller(mailbox, hostname=host, port=mailbox.port, server_hostname="mail.example.org")
    controller.start()
    try:
        yield mailbox
    finally:
        controller.stop()
