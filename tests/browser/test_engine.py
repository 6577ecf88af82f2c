"""What the engine decides, as those see it whom it concerns: waiting, an offer, a party, a room, a draw."""

import json
import urllib.request
from datetime import datetime, timedelta
from typing import Any

import pytest
from playwright.sync_api import Browser, expect

from facilities.demo.loading import ADMINISTRATOR, MANAGER, RESIDENT
from tests.browser.conftest import NOW, Reader
from tests.servers import Server

pytestmark = pytest.mark.browser

# What the server decides is asked on both databases elsewhere; what is seen of it, on one or the other.
on_sqlite = pytest.mark.parametrize("kind", ["sqlite"])
on_postgresql = pytest.mark.parametrize("kind", ["postgresql"])

START = datetime.fromisoformat(NOW) + timedelta(days=4)


class Desk:
    """The district's office, over the API: it announces what the pages are then tried on."""

    def __init__(self, server: Server) -> None:
        self.address, self.token = f"{server.address}/api/v1", ""
        self.token = self.send("POST", "/tokens", {"login": ADMINISTRATOR[1], "password": ADMINISTRATOR[2]})["token"]

    def send(self, method: str, path: str, body: dict[str, Any]) -> Any:
        request = urllib.request.Request(  # noqa: S310 - our own address
            self.address + path,
            json.dumps(body).encode(),
            {"Content-Type": "application/json", "Authorization": f"Bearer {self.token}"},
            method=method,
        )
        with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310 - our own address
            return json.load(answer)

    def session(self, title: str, capacity: int, days: int = 0, **more: Any) -> str:
        starts_at = START + timedelta(days=days)
        body = {
            "programme_id": "1",
            "facility_id": "1",
            "title": title,
            "title_en": title,
            "starts_at": starts_at.isoformat(),
            "ends_at": (starts_at + timedelta(hours=1)).isoformat(),
            "capacity": capacity,
            **more,
        }
        return str(self.send("POST", "/sessions", body)["id"])

    def somebody_books(self, session: str) -> None:
        self.send("POST", f"/sessions/{session}/desk-bookings", {"resident": {"name": "王桂芳", "sex": "female"}})


@on_sqlite
def test_waiting_an_offer_and_a_yes(demo: Server, chromium: Browser, kind: str) -> None:
    desk = Desk(demo)
    session = desk.session("太极", 1, waitlist={"mode": "offer", "offer_minutes": 60})
    desk.somebody_books(session)
    reader = Reader(chromium.new_context(locale="zh-CN", viewport={"width": 390, "height": 844}), demo.address)
    reader.sign_in(*RESIDENT[1:])
    reader.goto(f"/sessions/{session}")
    reader.click("button", "陈晓梅")
    expect(reader.page.get_by_role("heading", level=1)).to_contain_text("1")
    place = reader.page.url
    desk.send("PATCH", f"/sessions/{session}", {"capacity": 2})
    reader.goto("/my/messages")
    expect(reader.page.locator("main")).to_contain_text("太极")
    reader.page.goto(place)
    reader.check()
    reader.page.locator("button[name=answer][value=accept]").click()
    reader.check()
    expect(reader.page.locator(".pass-code")).to_be_visible()
    manager = Reader(chromium.new_context(locale="en-GB", viewport={"width": 390, "height": 844}), demo.address)
    manager.sign_in(*MANAGER[1:])
    manager.goto(f"/desk/sessions/{session}/bookings")
    expect(manager.page.locator("main")).to_contain_text("陈晓梅")
    for someone in (reader, manager):
        someone.close()


@on_postgresql
def test_a_family_books_together(demo: Server, chromium: Browser, kind: str) -> None:
    session = Desk(demo).session("亲子阅读", 3)
    reader = Reader(chromium.new_context(locale="en-GB", viewport={"width": 390, "height": 844}), demo.address)
    reader.sign_in(*RESIDENT[1:])
    reader.goto(f"/sessions/{session}")
    reader.page.locator("summary", has_text="several").click()
    for box in reader.page.locator("input[type=checkbox][name=resident_id]").all():
        box.check()
    reader.click("button", "Book for those chosen")
    expect(reader.page.locator(".pass", has_text="亲子阅读")).to_have_count(3)
    reader.close()


@on_sqlite
def test_a_room_is_reserved_and_given_back(demo: Server, chromium: Browser, kind: str) -> None:
    reader = Reader(chromium.new_context(locale="en-GB", viewport={"width": 390, "height": 844}), demo.address)
    reader.sign_in(*RESIDENT[1:])
    reader.goto("/rooms")
    reader.page.locator(".session-card a").first.click()
    reader.check()
    reader.page.locator("nav.filters a").first.click()
    reader.check()
    reader.page.fill("#purpose", "合唱排练")
    reader.page.locator("main form button[type=submit]").last.click()
    reader.check()
    reader.goto("/my/reservations")
    expect(reader.page.locator("main")).to_contain_text("合唱排练")
    reader.page.get_by_role("button", name="Cancel").first.click()
    reader.check()
    reader.close()


@on_postgresql
def test_a_draw_is_opened_entered_and_explained(demo: Server, chromium: Browser, kind: str) -> None:
    desk = Desk(demo)
    session = desk.session("陶艺", 2, days=3)
    closes = (START + timedelta(days=1)).isoformat()
    draw = desk.send("POST", "/draws", {"session_ids": [session], "title": "陶艺班", "entries_close_at": closes})
    reader = Reader(chromium.new_context(locale="zh-CN", viewport={"width": 390, "height": 844}), demo.address)
    reader.sign_in(*RESIDENT[1:])
    reader.goto(f"/sessions/{session}")
    reader.page.locator("section.book a.btn-primary").click()
    reader.check()
    reader.page.locator("main input[type=checkbox]").first.check()
    reader.page.locator("main form button[type=submit]").first.click()
    reader.check()
    expect(reader.page.locator("main")).to_contain_text("陈晓梅")
    reader.goto(f"/draws/{draw['id']}/check")
    expect(reader.page.locator("main")).to_contain_text(draw["commitment"])
    reader.close()
