"""Ways out of the app. Each can be down without a booking noticing: only the worker calls them."""

import hashlib
import hmac
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Protocol

import httpx

from config import Settings
from facilities.notices.models import ChannelKind

PATIENCE = httpx.Timeout(10, connect=5)  # seconds


@dataclass(frozen=True, slots=True)
class Message:
    """Ready to go. `template` names the text for providers that register texts; `about`: the thing's kind and id."""

    recipient: str
    channel: str
    template: str
    text: str
    reference: str
    about: Mapping[str, str]


class Undelivered(Exception):
    """It did not go out. `kind` says why in one word; where `for_good`, another attempt would not help."""

    def __init__(self, kind: str, *, for_good: bool = False) -> None:
        super().__init__(kind)
        self.kind, self.for_good = kind, for_good


class Channel(Protocol):
    def send(self, message: Message) -> None:
        """Undelivered where it did not go out, or may not have."""


class Folder:
    """HUIMIN_NOTICE_DIR: one JSON file for each message, written whole or not at all; a repeat writes the same file."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def send(self, message: Message) -> None:
        target = self.folder / f"{message.reference}.json"
        part = target.with_suffix(".part")
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            part.write_text(json.dumps(asdict(message), ensure_ascii=False), encoding="utf-8")
            part.replace(target)
        except OSError as error:
            raise Undelivered("folder") from error


class SmsGateway:
    """A provider over HTTP: the message as JSON, signed with the key that it gave us (HMAC-SHA256 of the body).

    The provider adds its 【signature】 and drops a reference that it has seen. 4xx is its last word, 429 excepted.
    """

    def __init__(self, url: str, key: str, patience: httpx.Timeout = PATIENCE) -> None:
        self.url, self.key, self.patience = url, key, patience

    def send(self, message: Message) -> None:
        body = json.dumps({"to": message.recipient, "template": message.template, "text": message.text,
                           "reference": message.reference}, ensure_ascii=False).encode()
        signature = hmac.new(self.key.encode(), body, hashlib.sha256).hexdigest()
        try:
            answer = httpx.post(self.url, content=body, timeout=self.patience, headers={
                "Content-Type": "application/json", "X-Signature": signature})
        except httpx.HTTPError as error:
            raise Undelivered("unreachable") from error
        if answer.status_code != httpx.codes.TOO_MANY_REQUESTS and answer.is_client_error:
            raise Undelivered("refused", for_good=True)
        if not answer.is_success:
            raise Undelivered("unavailable")


def channels(settings: Settings) -> dict[ChannelKind, Channel]:
    """Those that this installation has. The folder stands in for all of them."""
    if settings.notice_dir:
        return dict.fromkeys(ChannelKind, Folder(settings.notice_dir))
    return {ChannelKind.SMS: SmsGateway(*settings.sms)} if settings.sms else {}
