"""A provider of text messages over HTTP: the message as JSON, signed with the key that it gave us.

It gets the text, and for platforms that register texts its number and what fills it. It puts its 【signature】 before
the text and drops a reference that it has seen. 200 means that the message is on its way; 202 that a receipt will
follow, at `POST /api/v1/receipts/sms`, signed with the same key.
"""

import httpx

from config import Sms
from facilities.engine.short_texts import parts
from facilities.notices.channels.http import PATIENCE, Http
from facilities.notices.channels.message import Message, Outcome


class SmsGateway(Http):
    def __init__(self, settings: Sms, patience: httpx.Timeout = PATIENCE) -> None:
        super().__init__(patience)
        self.settings = settings

    def send(self, message: Message) -> Outcome:
        answer = self.post(self.settings.url, {
            "to": message.recipient, "template": self.settings.templates.get(message.template, message.template),
            "parameters": message.parameters, "text": message.text, "signature": self.settings.signature,
            "parts": parts(message.text, self.settings.signature), "reference": message.reference,
        }, key=self.settings.key)
        return Outcome.ACCEPTED if answer.status_code == httpx.codes.ACCEPTED else Outcome.DELIVERED
