"""The load: a few clients that book as fast as they are answered, in one cheap process of its own.

    python -m benchmarks.load PORT --clients 8 --seconds 6 < PLAN

PLAN has one booking a line: token, session, resident. Requests are put together before the clock starts, and answers
are only looked at for their status, so that what is measured is the server. Prints one JSON object.
"""

import argparse
import json
import selectors
import socket
import sys
import time
import uuid
from collections import Counter
from collections.abc import Iterator
from typing import Any

PATIENCE = 30.0  # seconds without any answer
# A connection that is kept stays with one of the server's processes, and eight of them spread unevenly over two for a
# whole run: the same server was seen at 600 and at 1,300 a second. Nobody books more than this at a stretch.
ASKS = 25


def request_of(line: str, port: int) -> bytes:
    token, session, resident = line.split()
    body = json.dumps({"session_id": session, "resident_ids": [resident]})
    return (f"POST /api/v1/bookings HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nAuthorization: Bearer {token}\r\n"
            f"Content-Type: application/json\r\nIdempotency-Key: {uuid.uuid4()}\r\n"
            f"Content-Length: {len(body)}\r\n\r\n{body}").encode()


class Connection:
    """One client: a connection that is kept alive, and the answer that is coming in on it."""

    def __init__(self, port: int) -> None:
        self.port, self.data, self.asked = port, b"", 0
        self.socket = self._open()

    def _open(self) -> socket.socket:
        opened = socket.create_connection(("127.0.0.1", self.port), timeout=PATIENCE)
        opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return opened

    def send(self, request: bytes) -> None:
        self.data, self.asked = b"", self.asked + 1
        self.socket.sendall(request)

    def receive(self) -> tuple[int, bytes] | None:
        """Status and whole answer, None while there is more to come. Status 0 where the server hung up."""
        chunk = self.socket.recv(65536)
        if not chunk:
            return 0, self.data
        self.data += chunk
        head, mark, body = self.data.partition(b"\r\n\r\n")
        if not mark:
            return None
        length = head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0]
        return None if len(body) < int(length) else (int(head[9:12]), self.data)

    def must_reopen(self) -> bool:
        return self.asked >= ASKS or b"connection: close" in self.data.partition(b"\r\n\r\n")[0].lower()

    def reopen(self) -> None:
        self.socket.close()
        self.socket, self.asked = self._open(), 0


def run(port: int, requests: Iterator[bytes], clients: int, seconds: float) -> dict[str, Any]:
    """Book until the time is up or the requests are; then wait for what is under way."""
    selector = selectors.DefaultSelector()
    statuses: Counter[int] = Counter()
    bad = ""
    under_way = 0
    started = last = time.perf_counter()
    for request in (r for _, r in zip(range(clients), requests, strict=False)):
        connection = Connection(port)
        selector.register(connection.socket, selectors.EVENT_READ, connection)
        connection.send(request)
        under_way += 1
    while under_way:
        ready = selector.select(PATIENCE)
        if not ready:
            statuses[0] += under_way
            bad = bad or f"no answer within {PATIENCE:.0f} s"
            break
        for key, _ in ready:
            connection = key.data
            answer = connection.receive()
            if answer is None:
                continue
            status, text = answer
            last = time.perf_counter()
            statuses[status] += 1
            under_way -= 1
            if status != 201 and not bad:
                bad = text.decode("utf-8", "replace")[-600:]
            following = next(requests, None) if last - started < seconds else None
            if following is None or status == 0:
                selector.unregister(connection.socket)
                connection.socket.close()
                continue
            if connection.must_reopen():
                selector.unregister(connection.socket)
                connection.reopen()
                selector.register(connection.socket, selectors.EVENT_READ, connection)
            connection.send(following)
            under_way += 1
    return {"seconds": last - started, "statuses": dict(statuses), "bad": bad}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("port", type=int)
    parser.add_argument("--clients", type=int, default=8)
    parser.add_argument("--seconds", type=float, default=6.0)
    chosen = parser.parse_args()
    requests = iter([request_of(line, chosen.port) for line in sys.stdin if line.strip()])
    json.dump(run(chosen.port, requests, chosen.clients, chosen.seconds), sys.stdout)


if __name__ == "__main__":
    main()
