"""A provider of text messages on a bad day: it fails, hangs, takes messages silently, loses them, reports twice."""

import hashlib
import hmac
import http.client
import json
import random
import threading
import time
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

KEY = "the drill's key"


@dataclass(frozen=True, slots=True)
class Arrival:
    at: float  # seconds, monotonic
    recipient: str
    reference: str


@dataclass
class Gateway:
    """`app_port`: where receipts go. What reached a phone is `delivered`: a repeat under a known reference does not."""

    app_port: int
    chance: random.Random
    arrivals: list[Arrival] = field(default_factory=list)
    delivered: dict[str, str] = field(default_factory=dict)  # reference → recipient
    wrong: list[str] = field(default_factory=list)
    faults: dict[str, int] = field(default_factory=dict)
    hangs_until: float = 0.0
    receipts: int = 0

    def __post_init__(self) -> None:
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        self._lost_once: set[str] = set()
        gateway = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                raw = self.rfile.read(int(self.headers["Content-Length"]))
                status = gateway.take(raw, self.headers.get("X-Signature", ""))
                if status is None:
                    self.close_connection = True
                    return
                self.send_response(status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        class Server(ThreadingHTTPServer):
            daemon_threads = True
            request_queue_size = 128

            def handle_error(self, *_: object) -> None:
                """The worker was killed in the middle: that is what the drill is for."""

        self._server = Server(("127.0.0.1", 0), Handler)
        self.address = f"http://127.0.0.1:{self._server.server_port}/send"
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._stopping.set()
        self._server.shutdown()
        self._server.server_close()

    def take(self, raw: bytes, signature: str) -> int | None:
        """The answer's status; None where the connection is closed without one."""
        body = json.loads(raw)
        recipient, reference = body["to"], body["reference"]
        with self._lock:
            self.arrivals.append(Arrival(time.monotonic(), recipient, reference))
            if signature != hmac.new(KEY.encode(), raw, hashlib.sha256).hexdigest():
                self.wrong.append(reference)
            fault = self.chance.choices(
                ("none", "fails", "drops", "silent", "loses", "reports"), (44, 12, 8, 8, 8, 20))[0]
            self.faults[fault] = self.faults.get(fault, 0) + 1
        if (hang := self.hangs_until - time.monotonic()) > 0:
            self._stopping.wait(hang)
            return None
        if fault == "fails":
            return 503
        if fault == "drops":  # taken, and the connection is gone before the answer
            self._deliver(reference, recipient)
            return None
        if fault == "loses" and reference not in self._lost_once:  # accepted, and then nothing
            self._lost_once.add(reference)
            return 202
        self._deliver(reference, recipient)
        if fault == "silent":  # delivered, but it never says so
            return 202
        if fault == "reports":
            threading.Thread(target=self._report, args=(reference,), daemon=True).start()
            return 202
        return 200

    def _deliver(self, reference: str, recipient: str) -> None:
        with self._lock:
            self.delivered.setdefault(reference, recipient)

    def _report(self, reference: str) -> None:
        """The same receipt up to three times, and sometimes before it a failure that was none."""
        times = self.chance.randint(1, 3)
        outcomes = (["failed"] if self.chance.random() < 0.1 else []) + ["delivered"] * times
        for outcome in outcomes:
            self._stopping.wait(self.chance.uniform(0.05, 1))
            raw = json.dumps({"reference": reference, "outcome": outcome}).encode()
            connection = http.client.HTTPConnection("127.0.0.1", self.app_port, timeout=10)
            try:
                connection.request("POST", "/api/v1/receipts/sms", raw, {
                    "Content-Type": "application/json",
                    "X-Signature": hmac.new(KEY.encode(), raw, hashlib.sha256).hexdigest()})
                connection.getresponse().read()
                self.receipts += 1
            except (OSError, http.client.HTTPException):  # like a provider's, a receipt may get lost
                continue
            finally:
                connection.close()
