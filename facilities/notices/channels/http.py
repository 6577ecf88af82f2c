"""What ways over HTTP share: one client for a round of messages, signed bodies, and what an answer's status means."""

import hashlib
import hmac
import json
from collections.abc import Callable, Mapping
from threading import Lock
from typing import Any

import httpx

from facilities.notices.channels.message import Undelivered

PATIENCE = httpx.Timeout(10, connect=5)  # seconds


class Http:
    """Connections are kept for a round, and made when the first message goes."""

    def __init__(self, patience: httpx.Timeout = PATIENCE) -> None:
        self._patience, self._lock = patience, Lock()
        self._client: httpx.Client | None = None

    def post(self, url: str, body: Mapping[str, Any], *, key: str | None = None) -> httpx.Response:
        """`key` signs the body. 4xx is the other side's last word, 408 and 429 excepted."""
        content = json.dumps(body, ensure_ascii=False).encode()
        headers = {"Content-Type": "application/json"}
        if key:
            headers["X-Signature"] = signature(key, content)
        return self._read(lambda client: client.post(url, content=content, headers=headers))

    def get(self, url: str, parameters: Mapping[str, str]) -> httpx.Response:
        return self._read(lambda client: client.get(url, params=parameters))

    def _read(self, ask: Callable[[httpx.Client], httpx.Response]) -> httpx.Response:
        try:
            answer = ask(self._opened())
        except httpx.HTTPError as error:
            raise Undelivered("unreachable") from error
        if answer.is_client_error and answer.status_code not in (
                httpx.codes.REQUEST_TIMEOUT, httpx.codes.TOO_MANY_REQUESTS):
            raise Undelivered("refused", for_good=True)
        if not answer.is_success:
            raise Undelivered("unavailable")
        return answer

    def _opened(self) -> httpx.Client:
        with self._lock:
            self._client = self._client or httpx.Client(timeout=self._patience)
            return self._client

    def close(self) -> None:
        if self._client:
            self._client.close()


def signature(key: str, content: bytes) -> str:
    """HMAC-SHA256 of a body, hex."""
    return hmac.new(key.encode(), content, hashlib.sha256).hexdigest()
