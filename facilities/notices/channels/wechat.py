"""WeChat's subscription messages. The address and the names of fields are those of its server API.

Of its errors, 43101 says that the reader has withdrawn, and 40001, 40014, 42001 that our token has run out.
"""

from threading import Lock
from typing import Any

import httpx

from config import Wechat
from facilities.notices.channels.http import PATIENCE, Http
from facilities.notices.channels.message import Message, Outcome, Undelivered

STALE_TOKEN = (40001, 40014, 42001)
BUSY = (-1, 45009, 45011)
LONGEST_THING = 20  # characters of a `thing`; platforms cut off what is longer, or refuse it


class WechatAccounts(Http):
    """The mini-program's side: who somebody is there, for whoever brings a code of theirs."""

    def __init__(self, settings: Wechat, patience: httpx.Timeout = PATIENCE) -> None:
        super().__init__(patience)
        self.settings = settings

    def openid(self, code: str) -> str | None:
        """None where WeChat does not know the code. Undelivered where WeChat cannot be asked."""
        answer = self.get(f"{self.settings.url}/sns/jscode2session", {
            "appid": self.settings.app_id, "secret": self.settings.secret, "js_code": code,
            "grant_type": "authorization_code"})
        found = _read(answer).get("openid")
        return str(found) if found else None


class WechatMessages(Http):
    def __init__(self, settings: Wechat, patience: httpx.Timeout = PATIENCE) -> None:
        super().__init__(patience)
        self.settings = settings
        self._token, self._asking = "", Lock()

    def send(self, message: Message) -> Outcome:
        template = self.settings.templates.get(message.template)
        if template is None:
            raise Undelivered("no_template", for_good=True)
        data = {field: {"value": message.details.get(name, "")[:LONGEST_THING]}
                for name, field in template.items() if name != "id"}
        body = {"touser": message.recipient, "template_id": template["id"], "data": data}
        used = self._current()
        code = self._send(body, used)
        if code in STALE_TOKEN:
            code = self._send(body, self._current(stale=used))
        if code:
            raise Undelivered("unavailable" if code in (*BUSY, *STALE_TOKEN) else "refused",
                              for_good=code not in (*BUSY, *STALE_TOKEN))
        return Outcome.DELIVERED

    def _send(self, body: dict[str, Any], token: str) -> int:
        answer = self.post(f"{self.settings.url}/cgi-bin/message/subscribe/send?access_token={token}", body)
        return int(_read(answer).get("errcode") or 0)

    def _current(self, stale: str | None = None) -> str:
        """One for all threads. The stable kind, so that another machine's asking does not end ours."""
        with self._asking:
            if not self._token or self._token == stale:
                answer = self.post(f"{self.settings.url}/cgi-bin/stable_token", {
                    "grant_type": "client_credential", "appid": self.settings.app_id,
                    "secret": self.settings.secret, "force_refresh": stale is not None})
                self._token = str(_read(answer).get("access_token") or "")
            if not self._token:
                raise Undelivered("unavailable")
            return self._token


def _read(answer: httpx.Response) -> dict[str, Any]:
    try:
        found = answer.json()
    except ValueError as error:
        raise Undelivered("unavailable") from error
    if not isinstance(found, dict):
        raise Undelivered("unavailable")
    return found
