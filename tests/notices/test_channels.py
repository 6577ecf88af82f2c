"""Each way out, to a server of its kind over a real socket; and what it makes of what goes wrong there."""

import hashlib
import hmac
import socket
from dataclasses import replace

import pytest

from config import Mail, Platform, Sms, Wechat
from facilities.notices.channels.mail import MailServer
from facilities.notices.channels.message import Message, Outcome, Undelivered
from facilities.notices.channels.platform import PlatformHook
from facilities.notices.channels.sms import SmsGateway
from facilities.notices.channels.wechat import WechatAccounts, WechatMessages
from tests.notices.gateways import Answer, Asked, mail_server, provider
from tests.servers import free_port

MESSAGE = Message(
    "chen@example.org",
    "email",
    "promoted",
    "有人退出了，名额归您：非遗竹编。",
    "0190-r",
    {"kind": "booking", "id": "7"},
    heading="有名额了",
    html="<p>有人退出了</p>",
    calendar=b"BEGIN:VCALENDAR\r\nEND:VCALENDAR\r\n",
    details={
        "what": "非遗竹编与蜀绣体验周末亲子专场第二期加场再加场",
        "when": "9月19日 周六 09:00",
        "note": "有名额了",
    },
)
SENDER = "惠民大渡口 <noreply@huimin.example.org>"


def wechat(address: str) -> Wechat:
    return Wechat(address, "wx1", "s", {"promoted": {"id": "T7", "what": "thing1", "when": "time2", "note": "thing3"}})


def test_a_letter_has_text_and_type_and_the_calendar_and_one_name_for_all_repeats() -> None:
    with mail_server() as mailbox:
        server = MailServer(Mail(f"smtp://127.0.0.1:{mailbox.port}", SENDER))
        assert [server.send(MESSAGE) for _ in range(2)] == [Outcome.DELIVERED] * 2
    first, second = mailbox.letters
    assert first["Message-ID"] == second["Message-ID"] == "<0190-r@huimin.example.org>"
    assert first["Subject"] == "有名额了"
    assert first["To"] == "chen@example.org"
    assert "惠民大渡口" in first["From"]
    assert first["Auto-Submitted"] == "auto-generated"
    plain, typeset = first.get_body(("plain",)), first.get_body(("html",))
    assert plain is not None
    assert typeset is not None
    assert "非遗竹编" in plain.get_content()
    assert "<p>" in typeset.get_content()
    (attached,) = first.iter_attachments()
    assert (attached.get_content_type(), attached.get_filename()) == ("text/calendar", "huimin.ics")


@pytest.mark.parametrize(
    ("refusal", "for_good"),
    [("550 no such mailbox", True), ("450 the mailbox is busy", False), ("452 too many letters", False)],
)
def test_a_mail_server_that_refuses_for_good_is_not_asked_again(refusal: str, for_good: bool) -> None:
    with mail_server() as mailbox:
        mailbox.refuses = refusal
        with pytest.raises(Undelivered) as failure:
            MailServer(Mail(f"smtp://127.0.0.1:{mailbox.port}", SENDER)).send(MESSAGE)
    assert failure.value.for_good is for_good
    assert mailbox.letters == []


def test_a_mail_server_that_is_not_there_is_asked_again() -> None:
    with pytest.raises(Undelivered) as failure:
        MailServer(Mail(f"smtp://127.0.0.1:{free_port()}", SENDER), patience=1).send(MESSAGE)
    assert (failure.value.kind, failure.value.for_good) == ("unreachable", False)


def test_a_mail_server_that_says_nothing_is_waited_for_no_longer_than_patience() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        server = MailServer(Mail(f"smtp://127.0.0.1:{silent.getsockname()[1]}", SENDER), patience=0.3)
        with pytest.raises(Undelivered, match="unreachable"):
            server.send(MESSAGE)


def test_a_mail_server_elsewhere_is_spoken_to_only_in_private() -> None:
    """It offers no encryption, so it gets nothing. (Another address of this machine stands for elsewhere.)"""
    with mail_server("127.0.0.2") as mailbox:
        server = MailServer(Mail(f"smtp://127.0.0.2:{mailbox.port}", SENDER), patience=2)
        with pytest.raises(Undelivered):
            server.send(MESSAGE)
    assert mailbox.letters == []


def test_the_citys_platform_gets_a_signed_document() -> None:
    with provider() as city:
        hook = PlatformHook(Platform(f"{city.address}/in", "key"))
        assert hook.send(replace(MESSAGE, recipient="13900000001")) is Outcome.DELIVERED
        hook.close()
    (asked,) = city.asked
    assert asked.body["recipient"] == "13900000001"
    assert asked.body["about"] == {"kind": "booking", "id": "7"}
    assert asked.headers["X-Signature"] == hmac.new(b"key", asked.raw, hashlib.sha256).hexdigest()


def test_one_connection_serves_a_round_of_messages() -> None:
    with provider() as gateway:
        way = SmsGateway(Sms(gateway.address, "key", "惠民", {}))
        for _ in range(3):
            way.send(MESSAGE)
        way.close()
    assert len(gateway.asked) == 3


class Weixin:
    """As WeChat's server answers: tokens run out, readers withdraw."""

    def __init__(self) -> None:
        self.tokens, self.valid = 0, ""
        self.errors: list[int] = []

    def __call__(self, asked: Asked) -> Answer:
        if asked.path == "/cgi-bin/stable_token":
            self.tokens += 1
            self.valid = f"token-{self.tokens}"
            return 200, {"access_token": self.valid, "expires_in": 7200}
        if asked.path.startswith("/sns/jscode2session"):
            return 200, {"openid": "o-7"} if "js_code=good" in asked.path else {"errcode": 40029}
        if asked.path != f"/cgi-bin/message/subscribe/send?access_token={self.valid}":
            return 200, {"errcode": 40001}
        return 200, {"errcode": self.errors.pop(0) if self.errors else 0}


def test_wechat_gets_the_registered_fields_and_no_more_than_fits() -> None:
    with provider(Weixin()) as server:
        way = WechatMessages(wechat(server.address))
        for _ in range(2):
            assert way.send(replace(MESSAGE, recipient="o-7")) is Outcome.DELIVERED
        way.close()
    token, *sent = server.asked
    assert token.path == "/cgi-bin/stable_token"
    assert [asked.body["touser"] for asked in sent] == ["o-7"] * 2
    assert sent[0].body["template_id"] == "T7"
    assert sent[0].body["data"]["thing1"] == {"value": "非遗竹编与蜀绣体验周末亲子专场第二期加场"}
    assert sent[0].body["data"]["time2"] == {"value": "9月19日 周六 09:00"}


def test_a_token_that_ran_out_is_fetched_again_once() -> None:
    weixin = Weixin()
    with provider(weixin) as server:
        way = WechatMessages(wechat(server.address))
        way.send(MESSAGE)
        weixin.valid = "another machine's"
        way.send(MESSAGE)
        weixin.errors = [42001, 42001]
        with pytest.raises(Undelivered) as failure:
            way.send(MESSAGE)
        way.close()
    assert not failure.value.for_good
    assert weixin.tokens == 3


@pytest.mark.parametrize(("error", "for_good"), [(43101, True), (47003, True), (-1, False), (45009, False)])
def test_a_reader_who_withdrew_is_not_asked_again_and_a_busy_server_is(error: int, for_good: bool) -> None:
    weixin = Weixin()
    weixin.errors = [error]
    with provider(weixin) as server:
        way = WechatMessages(wechat(server.address))
        with pytest.raises(Undelivered) as failure:
            way.send(MESSAGE)
        way.close()
    assert failure.value.for_good is for_good


def test_what_is_not_registered_on_wechat_is_not_sent() -> None:
    way = WechatMessages(wechat("http://127.0.0.1:1"))
    with pytest.raises(Undelivered) as failure:
        way.send(replace(MESSAGE, template="feedback"))
    assert (failure.value.kind, failure.value.for_good) == ("no_template", True)


def test_who_somebody_is_on_wechat() -> None:
    with provider(Weixin()) as server:
        accounts = WechatAccounts(wechat(server.address))
        assert (accounts.openid("good"), accounts.openid("bad")) == ("o-7", None)
        accounts.close()


@pytest.mark.parametrize("said", ["[]", "no JSON"])
def test_an_answer_that_cannot_be_read_is_a_fault_of_the_other_side(said: str) -> None:
    with provider(lambda _asked: (200, [] if said == "[]" else {"access_token": ""})) as server:  # type: ignore[arg-type, return-value]
        way = WechatMessages(wechat(server.address))
        with pytest.raises(Undelivered, match="unavailable"):
            way.send(MESSAGE)
        way.close()
