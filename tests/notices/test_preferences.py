"""How somebody wants to be told: on the page, over the API, and what then goes out."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from config import Wechat
from facilities.engine.messages import Channel, Topic
from facilities.infra.db import db, unit_of_work
from facilities.kernel import clock
from facilities.notices import preferences
from facilities.notices.models import ChannelChoice, WechatSubscription
from facilities.places.models import FacilityKind
from tests.client import Counter
from tests.notices.gateways import provider
from tests.notices.test_channels import Weixin
from tests.notices.ways import Kept, out
from tests.world import Someone, World

EVERYWHERE = tuple(Channel)


@pytest.fixture(autouse=True)
def all_ways(app: Flask, tmp_path: Path) -> Iterator[None]:
    """An installation with every way out."""
    before = app.config["HUIMIN_SETTINGS"]
    app.config["HUIMIN_SETTINGS"] = replace(before, notice_dir=tmp_path, address="https://huimin.example.org")
    yield
    app.config["HUIMIN_SETTINGS"] = before


def sent(channel: Channel) -> Kept:
    way = Kept()
    out(way, channel, EVERYWHERE)
    return way


def with_email(someone: Someone, address: str = "chen@example.org") -> None:
    someone.api.post("/me/email", {"email": address}, status=202)
    someone.api.post("/me/email/confirm", {"code": _digits(sent(Channel.EMAIL), address)}, status=204)


def with_carer(someone: Someone, phone: str = "13800138000") -> str:
    someone.api.post("/me/carers", {"phone": phone}, status=202)
    someone.api.post("/me/carers/confirm", {"code": _digits(sent(Channel.SMS), phone)}, status=204)
    return str(someone.api.get("/me/notifications")["carers"][-1]["id"])


def _digits(way: Kept, recipient: str) -> str:
    (message,) = [m for m in way.sent if m.recipient == recipient and m.template in ("code", "carer_code")]
    return "".join(c for c in message.parameters[0] if c.isdigit()) if message.parameters else ""


def test_at_first_a_phone_gets_everything_in_chinese_and_nights_are_quiet(world: World) -> None:
    found = world.resident().api.get("/me/notifications")
    assert found["language"] == "zh"
    assert found["quiet"] == {"from": "21:00", "until": "08:00"}
    assert found["channels"] == ["sms", "email", "wechat", "platform"]
    assert (found["email"], found["carers"], found["wechat"]) == (None, [], None)
    wanted = {(way["topic"], way["channel"]): way["wanted"] for way in found["ways"]}
    assert all(wanted[topic, "sms"] for topic, _ in wanted)
    assert not any(wanted[topic, "platform"] for topic, _ in wanted)


def test_what_is_changed_is_kept_and_the_rest_stays(world: World) -> None:
    someone = world.resident()
    ways = [{"topic": "feedback", "channel": "sms", "wanted": False}]
    someone.api.patch("/me/notifications", {"ways": ways, "quiet": {"from": "22:30", "until": "07:00"}})
    found = someone.api.patch("/me/notifications", {"language": "en", "large_type": True})
    assert (found["language"], found["large_type"]) == ("en", True)
    assert found["quiet"] == {"from": "22:30", "until": "07:00"}
    assert {"topic": "feedback", "channel": "sms", "wanted": False} in found["ways"]
    someone.api.patch("/me/notifications", {"ways": [{**ways[0], "wanted": True}]})
    assert db.session.scalars(select(ChannelChoice)).all() == [], "what is as at first is not kept"


@pytest.mark.parametrize(
    "body",
    [
        {"language": "fr"},
        {"quiet": {"from": "21:00"}},
        {"quiet": {"from": "25:00", "until": "08:00"}},
        {"quiet": {"from": 21, "until": 8}},
        {"ways": [{"topic": "bookings", "channel": "pigeon", "wanted": True}]},
        {"ways": [{"topic": "bookings", "channel": "sms", "wanted": "yes"}]},
        {"colour": "red"},
    ],
    ids=str,
)
def test_what_cannot_be_is_refused(world: World, body: dict[str, Any]) -> None:
    world.resident().api.patch("/me/notifications", body, status=422)


def test_what_is_not_wanted_on_a_channel_stands_in_the_inbox_alone(world: World) -> None:
    someone = world.resident()
    someone.api.patch("/me/notifications", {"ways": [{"topic": "bookings", "channel": "sms", "wanted": False}]})
    someone.ask(world.session())
    assert sent(Channel.SMS).sent == []
    assert someone.api.get("/notices")["items"][0]["kind"] == "booked"


def test_the_accounts_safety_goes_to_the_phone_whatever_was_chosen(world: World) -> None:
    someone = world.resident()
    ways = [{"topic": "security", "channel": "sms", "wanted": False}]
    found = someone.api.patch("/me/notifications", {"ways": ways})
    assert {"topic": "security", "channel": "sms", "wanted": True} in found["ways"]


def test_messages_come_in_the_language_that_was_chosen(world: World) -> None:
    chinese, english, session = world.resident(), world.resident(), world.session(title="竹编", title_en="Bamboo")
    english.api.patch("/me/notifications", {"language": "en"})
    for someone in (chinese, english):
        someone.ask(session)
    by_phone = {m.recipient: m.text for m in sent(Channel.SMS).sent}
    assert by_phone[chinese.login].startswith("已预约")
    assert by_phone[english.login].startswith("Booked: Bamboo")


def test_quiet_hours_are_ones_own(world: World, now: datetime) -> None:
    """Wednesday at ten in the morning, for somebody who sleeps by day."""
    someone = world.resident()
    someone.api.patch("/me/notifications", {"quiet": {"from": "09:00", "until": "17:00"}})
    someone.ask(world.session(starts_at=now + timedelta(days=5)))
    assert sent(Channel.SMS).sent == []
    with clock.frozen(now + timedelta(hours=7)):
        assert sent(Channel.SMS).kinds == ["booked"]


# -- letters


def test_letters_go_to_an_address_once_it_is_confirmed(world: World) -> None:
    someone, session = world.resident(), world.session()
    someone.api.post("/me/email", {"email": " Chen@Example.org"}, status=202)
    assert someone.api.get("/me/notifications")["email"] == {"address": "Chen@example.org", "confirmed": False}
    code = _digits(sent(Channel.EMAIL), "Chen@example.org")
    someone.ask(session)
    assert sent(Channel.EMAIL).sent == []
    someone.api.post("/me/email/confirm", {"code": "000000" if code != "000000" else "111111"}, status=409)
    someone.api.post("/me/email/confirm", {"code": code}, status=204)
    someone.ask(world.session(starts_in=timedelta(days=8)))
    (letter,) = sent(Channel.EMAIL).sent
    assert (letter.recipient, letter.template) == ("Chen@example.org", "booked")
    someone.api.delete("/me/email")
    someone.ask(world.session(starts_in=timedelta(days=9)))
    assert sent(Channel.EMAIL).sent == []


def test_another_address_has_to_be_confirmed_anew(world: World) -> None:
    someone = world.resident()
    with_email(someone)
    someone.api.post("/me/email", {"email": "other@example.org"}, status=202)
    sent(Channel.EMAIL)
    someone.ask(world.session())
    assert sent(Channel.EMAIL).sent == []


def test_a_code_is_tried_only_so_often(world: World) -> None:
    someone = world.resident()
    someone.api.post("/me/email", {"email": "chen@example.org"}, status=202)
    code = _digits(sent(Channel.EMAIL), "chen@example.org")
    for _ in range(5):
        someone.api.post("/me/email/confirm", {"code": f"{(int(code) + 1) % 10**6:06}"}, status=409)
    someone.api.post("/me/email/confirm", {"code": code}, status=409)


def test_strangers_cannot_be_flooded_with_codes(world: World) -> None:
    someone = world.resident()
    for n in range(10):
        someone.api.post("/me/carers", {"phone": f"1380013{n:04}"}, status=202)
    assert someone.api.post("/me/carers", {"phone": "13800138888"}, status=429)["code"] == "too_many_attempts"


def test_large_type_is_large(world: World) -> None:
    someone = world.resident()
    with_email(someone)
    someone.ask(world.session())
    (usual,) = sent(Channel.EMAIL).sent
    someone.api.patch("/me/notifications", {"large_type": True})
    someone.ask(world.session(starts_in=timedelta(days=8)))
    (large,) = sent(Channel.EMAIL).sent
    assert usual.html is not None
    assert large.html is not None
    assert "font: 17px" in usual.html
    assert "font: 24px" in large.html


# -- carers


def test_a_carer_gets_copies_once_they_have_passed_on_the_code(world: World) -> None:
    someone, session = world.resident(name="罗玉兰"), world.session(title="太极")
    someone.api.post("/me/carers", {"phone": "138 0013 8000"}, status=202)
    first = sent(Channel.SMS)
    assert {m.recipient for m in first.sent} == {"13800138000"}
    someone.ask(session)
    assert {m.recipient for m in sent(Channel.SMS).sent} == {someone.login}, "nobody has agreed yet"
    someone.api.post("/me/carers/confirm", {"code": _digits(first, "13800138000")}, status=204)
    someone.ask(world.session(title="太极", starts_in=timedelta(days=8)))
    copies = {m.recipient: m for m in sent(Channel.SMS).sent}
    assert set(copies) == {someone.login, "13800138000"}
    copy = copies["13800138000"]
    assert copy.text.startswith("抄送")
    assert "太极" in copy.text
    assert "罗" not in copy.text
    assert copy.reference != copies[someone.login].reference


def test_a_carer_does_not_get_what_concerns_the_account_and_cannot_answer(world: World) -> None:
    someone = world.resident()
    with_carer(someone)
    someone.api.post("/me/password", {"password": "correct horse battery", "new_password": "another river walk"}, 204)
    for message in sent(Channel.SMS).sent:
        assert message.recipient == someone.login
    session, _ = world.full_session()
    someone.wait(session)
    copies = [m for m in sent(Channel.SMS).sent if m.recipient == "13800138000"]
    assert [m.template for m in copies] == ["waitlisted"]
    assert "huimin.example.org" not in copies[0].text


def test_a_carer_who_is_removed_gets_nothing_more_not_even_what_waits(world: World) -> None:
    someone = world.resident()
    number = with_carer(someone)
    someone.ask(world.session())
    someone.api.delete(f"/me/carers/{number}")
    assert {m.recipient for m in sent(Channel.SMS).sent} == {someone.login}
    someone.api.delete(f"/me/carers/{number}", status=404)


def test_two_carers_at_most_and_never_oneself(world: World) -> None:
    someone, other = world.resident(), world.resident()
    someone.api.post("/me/carers", {"phone": someone.login}, status=422)
    someone.api.post("/me/carers", {"phone": "12"}, status=422)
    first = with_carer(someone, "13800138000")
    with_carer(someone, "13800138001")
    problem = someone.api.post("/me/carers", {"phone": "13800138002"}, status=409)
    assert problem["code"] == "limit_reached"
    other.api.delete(f"/me/carers/{first}", status=404)


def test_what_nobody_confirmed_is_not_kept(world: World, now: datetime) -> None:
    someone, other = world.resident(), world.resident()
    with_email(other)
    with_carer(other)
    someone.api.post("/me/email", {"email": "chen@example.org"}, status=202)
    someone.api.post("/me/carers", {"phone": "13800138009"}, status=202)
    assert unit_of_work(preferences.forget_unconfirmed) == 0, "the codes still hold"
    with clock.frozen(now + timedelta(minutes=11)):
        assert unit_of_work(preferences.forget_unconfirmed) == 2
    found = someone.api.get("/me/notifications")
    assert (found["email"], found["carers"]) == (None, [])
    kept = other.api.get("/me/notifications")
    assert kept["email"]["confirmed"]
    assert len(kept["carers"]) == 1


# -- WeChat


def test_each_agreement_on_wechat_is_good_for_one_message(app: Flask, world: World) -> None:
    someone = world.resident()
    with provider(Weixin()) as server:
        settings = app.config["HUIMIN_SETTINGS"]
        app.config["HUIMIN_SETTINGS"] = replace(settings, wechat=Wechat(server.address, "wx1", "s", {}))
        someone.api.post("/me/wechat/agreed", {"kinds": ["booked"]}, status=409)
        someone.api.put("/me/wechat", {"code": "bad"}, status=422)
        someone.api.put("/me/wechat", {"code": "good"}, status=204)
    assert someone.api.get("/me/notifications")["wechat"] == {}
    someone.api.post("/me/wechat/agreed", {"kinds": ["booked"]}, status=204)
    for days in (3, 4):
        someone.ask(world.session(starts_in=timedelta(days=days)))
    (message,) = sent(Channel.WECHAT).sent
    assert (message.recipient, message.template) == ("o-7", "booked")
    assert db.session.scalars(select(WechatSubscription.remaining)).all() == [0]
    someone.api.delete("/me/wechat")
    assert someone.api.get("/me/notifications")["wechat"] is None


def test_without_wechat_there_is_nothing_to_connect(app: Flask, world: World) -> None:
    world.resident().api.put("/me/wechat", {"code": "good"}, status=404)


def test_wechat_that_cannot_be_reached_is_said_so(app: Flask, world: World) -> None:
    settings = app.config["HUIMIN_SETTINGS"]
    app.config["HUIMIN_SETTINGS"] = replace(settings, wechat=Wechat("http://127.0.0.1:1", "wx1", "s", {}))
    problem = world.resident().api.put("/me/wechat", {"code": "good"}, status=409)
    assert problem["code"] == "wechat_unavailable"


# -- what is said, and where


@pytest.mark.parametrize("of_kind", [FacilityKind.YUXIN_HOME, FacilityKind.DOCTOR_STATION])
def test_outside_the_app_nothing_says_where_somebody_is_treated(world: World, of_kind: FacilityKind) -> None:
    facility = world.facility(of_kind, name="古渡春色“渝馨家园”", name_en="Gudu Yuxin Home")
    someone, session = world.resident(), world.session(facility, title="手工", title_en="Crafts")
    with_email(someone)
    preferences_of_all = [{"topic": "bookings", "channel": "platform", "wanted": True}]
    someone.api.patch("/me/notifications", {"ways": preferences_of_all})
    someone.ask(session)
    for channel in (Channel.SMS, Channel.EMAIL, Channel.PLATFORM):
        (message,) = sent(channel).sent
        said = f"{message.text} {message.html} {message.heading} {message.details} {message.parameters}"
        assert "手工" not in said
        assert "渝馨" not in said
        assert "09" in said or "10" in said, "the time is said"
    assert "手工" in someone.api.get("/notices")["items"][0]["text"]


def test_a_title_that_platforms_refuse_is_left_out_of_text_messages_alone(world: World) -> None:
    someone = world.resident()
    with_email(someone)
    someone.ask(world.session(title="春季招聘会"))
    (text,), (letter,) = sent(Channel.SMS).sent, sent(Channel.EMAIL).sent
    assert "招聘" not in text.text
    assert "您的预约" in text.text
    assert "招聘" in letter.text


# -- the page


def test_the_page_shows_and_keeps_what_is_chosen(world: World) -> None:
    someone = world.resident()
    browser = world.browser(someone)
    page = browser.get("/my/notifications")
    ticked = {str(v) for v in page.tree.xpath("//input[@name='ways'][@checked]/@value")}
    assert "reminders-sms" in ticked
    assert "security-sms" not in ticked, "which cannot be switched off, and so is no box"
    page = browser.send(
        "/my/notifications", language="en", quiet_from="never", quiet_until="08:00", ways=["changes-sms"]
    )
    assert "Kept" in page.text
    found = someone.api.get("/me/notifications")
    assert (found["language"], found["quiet"]) == ("en", {"from": "00:00", "until": "00:00"})
    wanted = {way["topic"] for way in found["ways"] if way["wanted"] and way["channel"] == "sms"}
    assert wanted == {"changes", "security"}
    assert page.tree.xpath("//select[@name='quiet_from']/option[@selected]/@value") == ["never"]


def test_an_address_and_a_carer_are_confirmed_on_the_page(world: World) -> None:
    someone = world.resident()
    browser = world.browser(someone)
    assert "e-mail address" in browser.send("/my/notifications/email", status=422, email="chen").text
    assert "chen@example.org" in browser.send("/my/notifications/email", email="chen@example.org").text
    code = _digits(sent(Channel.EMAIL), "chen@example.org")
    assert "not right" in browser.send("/my/notifications/email/confirm", status=422, code="12").text
    assert "Letters go to chen@example.org" in browser.send("/my/notifications/email/confirm", code=code).text
    assert "Waits for the code" in browser.send("/my/notifications/carers", phone="13800138000").text
    code = _digits(sent(Channel.SMS), "13800138000")
    page = browser.send("/my/notifications/carers/confirm", **{"carer-code": code})
    assert "138****8000" in page.text
    assert "13800138000" not in page.html
    carer = someone.api.get("/me/notifications")["carers"][0]["id"]
    assert "no copies" in browser.send(f"/my/notifications/carers/{carer}/remove").text
    assert "removed" in browser.send("/my/notifications/email/remove").text


def test_the_page_asks_no_more_because_there_is_more(world: World, queries: Counter) -> None:
    someone, other = world.resident(), world.resident()
    with_carer(other)
    with_email(other)
    nothing = {(topic, channel): False for topic in Topic for channel in Channel}
    unit_of_work(lambda: preferences.change(other.actor, choices=nothing))
    counts = []
    for who in (someone, other):
        browser = world.browser(who)
        queries.clear()
        browser.get("/my/notifications")
        counts.append(len(queries))
    assert counts[0] == counts[1] <= 12
