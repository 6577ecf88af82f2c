"""What did not arrive: an administrator sees it and sends it again; a provider reports what became of the rest."""

import hashlib
import hmac
import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from config import Sms
from facilities.infra.audit import AuditEntry
from facilities.infra.db import db
from facilities.kernel import clock
from facilities.notices.channels.message import Outcome, Undelivered
from facilities.notices.models import Delivery
from tests.client import Caller, Counter
from tests.notices.ways import Kept, out
from tests.world import World

KEY = "the provider's key"


@pytest.fixture(autouse=True)
def gateway(app: Flask) -> Iterator[None]:
    before = app.config["HUIMIN_SETTINGS"]
    app.config["HUIMIN_SETTINGS"] = replace(before, sms=Sms("https://sms.example.org", KEY, "惠民", {}))
    yield
    app.config["HUIMIN_SETTINGS"] = before


def given_up(world: World, people: int) -> list[str]:
    """Messages that a provider refused; who they were for."""
    session = world.session(capacity=people)
    residents = [world.resident() for _ in range(people)]
    for resident in residents:
        resident.ask(session)
    out(Kept(*[Undelivered("refused", for_good=True)] * people))
    return [resident.login for resident in residents]


def state() -> list[str]:
    db.session.rollback()
    return sorted(row.value for row in db.session.scalars(select(Delivery.state)))


def test_an_administrator_sees_what_was_given_up_without_names_and_sends_it_again(world: World) -> None:
    phones, administrator = given_up(world, 3), world.administrator()
    browser = world.browser(administrator)
    page = browser.get("/staff/messages")
    assert page.text.count("the provider refused it") == 3
    assert not [phone for phone in phones if phone in page.html]
    numbers = [str(v) for v in page.tree.xpath("//li//input[@name='delivery_id']/@value")]
    page = browser.send("/staff/messages/send-again", delivery_id=numbers[0])
    assert "1 message is on its way again" in page.text
    page = browser.send("/staff/messages/send-again", delivery_id=numbers)
    assert "2 messages are on their way again" in page.text
    assert "Everything has arrived" in page.text
    assert state() == ["waiting"] * 3
    way = Kept()
    out(way)
    assert {m.recipient for m in way.sent} == set(phones)
    noted = db.session.scalars(select(AuditEntry.about_id).where(AuditEntry.verb == "sent_again")).all()
    assert sorted(noted) == sorted(int(number) for number in numbers)


def test_the_same_over_the_api(world: World) -> None:
    given_up(world, 2)
    api = world.administrator().api
    items = api.get("/deliveries")["items"]
    assert [(item["channel"], item["failure"], item["kind"]) for item in items] == [("sms", "refused", "booked")] * 2
    ids = [item["id"] for item in items]
    assert api.post("/deliveries/send-again", {"ids": ids}, status=200) == {"sent_again": 2}
    assert api.get("/deliveries")["items"] == []
    assert api.post("/deliveries/send-again", {"ids": ids}, status=200) == {"sent_again": 0}


def test_the_page_asks_no_more_because_there_is_more(world: World, queries: Counter) -> None:
    browser, counts = world.browser(world.administrator()), []
    for people in (1, 6):
        given_up(world, people)
        queries.clear()
        browser.get("/staff/messages")
        counts.append(len(queries))
    assert counts[0] == counts[1] <= 8


def test_more_than_fit_on_a_page_are_each_shown_once(world: World) -> None:
    given_up(world, 31)
    browser = world.browser(world.administrator())
    first = browser.get("/staff/messages")
    (older,) = [link for link in first.links if "cursor=" in link]
    second = browser.get(older)
    found = [str(v) for page in (first, second) for v in page.tree.xpath("//li//input[@name='delivery_id']/@value")]
    assert len(found) == len(set(found)) == 31


def report(anyone: Caller, key: str = KEY, status: int = 204, **body: Any) -> None:
    raw = json.dumps(body).encode()
    headers = {"X-Signature": hmac.new(key.encode(), raw, hashlib.sha256).hexdigest()}
    anyone.call("POST", "/receipts/sms", status=status, data=raw, content_type="application/json", headers=headers)


def accepted(world: World) -> str:
    world.resident().ask(world.session())
    way = Kept(outcome=Outcome.ACCEPTED)
    out(way)
    assert state() == ["accepted"]
    return way.sent[0].reference


def test_a_receipt_counts_once_however_often_it_comes(world: World, anyone: Caller) -> None:
    reference = accepted(world)
    for _ in range(3):
        report(anyone, reference=reference, outcome="delivered")
        assert state() == ["sent"]
    report(anyone, reference=reference, outcome="failed", final=True)
    assert state() == ["sent"]


def test_a_receipt_of_a_failure_is_tried_again_or_given_up(world: World, anyone: Caller) -> None:
    reference = accepted(world)
    report(anyone, reference=reference, outcome="failed")
    assert state() == ["waiting"]
    report(anyone, reference=reference, outcome="failed")
    assert db.session.scalars(select(Delivery.attempts)).all() == [1], "the same report again is no second failure"
    with clock.frozen(clock.now() + timedelta(minutes=2)):
        out(Kept(outcome=Outcome.ACCEPTED))
        report(anyone, reference=reference, outcome="failed", final=True)
    assert state() == ["dead"]


def test_a_receipt_that_nobody_signed_changes_nothing(world: World, anyone: Caller) -> None:
    reference = accepted(world)
    report(anyone, key="another key", status=401, reference=reference, outcome="delivered")
    anyone.post("/receipts/sms", {"reference": reference, "outcome": "delivered"}, status=401)
    report(anyone, status=422, reference=reference, outcome="perhaps")
    assert state() == ["accepted"]


def test_a_receipt_of_what_we_never_sent_is_answered_alike(anyone: Caller) -> None:
    report(anyone, reference="0190-nobody", outcome="delivered")


def test_without_a_provider_there_are_no_receipts(app: Flask, world: World, anyone: Caller) -> None:
    reference = accepted(world)
    app.config["HUIMIN_SETTINGS"] = replace(app.config["HUIMIN_SETTINGS"], sms=None)
    report(anyone, status=401, reference=reference, outcome="delivered")
    assert state() == ["accepted"]
