"""The municipal platform: each message as one signed JSON document. It knows people by their mobile number."""

import httpx

from config import Platform
from facilities.notices.channels.http import PATIENCE, Http
from facilities.notices.channels.message import Message, Outcome


class PlatformHook(Http):
    def __init__(self, settings: Platform, patience: httpx.Timeout = PATIENCE) -> None:
        super().__init__(patience)
        self.settings = settings

    def send(self, message: Message) -> Outcome:
        self.post(self.settings.url, {
            "recipient": message.recipient, "kind": message.template, "heading": message.heading,
            "text": message.text, "reference": message.reference, "about": dict(message.about),
        }, key=self.settings.key)
        return Outcome.DELIVERED
