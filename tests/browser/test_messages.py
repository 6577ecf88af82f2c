"""How somebody is told, on a phone: chosen, answered from a message, followed in a calendar; who looks after it."""

import json
import re
from dataclasses import replace
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from facilities.demo.loading import ADMINISTRATOR, RESIDENT
from tests.browser.conftest import Reader
from tests.servers import Server

pytestmark = pytest.mark.browser


@pytest.mark.parametrize("kind", ["postgresql"])
def test_a_resident_chooses_is_told_and_answers_without_signing_in(
    demo: Server, chromium: Browser, tmp_path: Path, kind: str
) -> None:
    def reader() -> Reader:
        context = chromium.new_context(
            locale="zh-CN", viewport={"width": 390, "height": 844}, has_touch=True, color_scheme="dark"
        )
        return Reader(context, demo.address)

    resident = reader()
    resident.sign_in(*RESIDENT[1:])
    resident.goto("/my/calendar")
    resident.click("button", "生成我的日历地址")
    expect(resident.page.locator("#address")).to_have_value(re.compile(r"/calendar/[\w-]{43}\.ics$"))
    resident.goto("/my/notifications")
    resident.page.select_option("#quiet_from", "22:00")
    resident.click("button", "保存设置")
    expect(resident.page.locator("#quiet_from")).to_have_value("22:00")
    resident.goto("/find?q=茶话")
    resident.page.locator(".session-card a").first.click()
    resident.click("button", "陈晓梅")
    expect(resident.page.get_by_role("link", name="加入我的日历")).to_be_visible()

    folder = tmp_path / "out"
    replace(demo, environment={**demo.environment, "HUIMIN_NOTICE_DIR": str(folder)}).manage("worker", "--once")
    told = [json.loads(path.read_text(encoding="utf-8")) for path in folder.glob("*.json")]
    (booked,) = [message for message in told if message["template"] == "booked"]
    assert booked["recipient"] == RESIDENT[1]
    code = re.findall(r"[2-9A-HJ-NP-Z]{10}", booked["text"])[-1]

    anyone = reader()
    anyone.goto("/a")
    anyone.page.fill("#code", code.lower())
    anyone.click("button", "继续")
    anyone.click("button", "我来不了")
    expect(anyone.page.get_by_role("status")).to_contain_text("已取消")
    expect(anyone.page.locator("main")).to_contain_text("链接已使用")

    administrator = reader()
    administrator.sign_in(*ADMINISTRATOR[1:])
    administrator.goto("/staff/messages")
    administrator.goto("/staff/jobs")
    expect(administrator.page.get_by_role("heading", level=3, name="发送短信").first).to_be_visible()
    expect(administrator.page.locator("main")).not_to_contain_text("后台没有运行")
    for one in (resident, anyone, administrator):
        one.close()
