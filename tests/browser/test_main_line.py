"""The line on which everything hangs: a resident books, the manager ticks, the district's figure rises by one."""

import re
from typing import Literal

import pytest
from playwright.sync_api import Browser, expect

from facilities.demo.loading import ADMINISTRATOR, MANAGER, RESIDENT
from tests.browser.conftest import Reader, all_sent
from tests.servers import Server

pytestmark = pytest.mark.browser

WORDS = {
    "zh": {
        "locale": "zh-CN",
        "search": "茶话",
        "title": "邻里茶话 · 随到随坐",
        "book": "预约",
        "booked": "预约成功",
        "here": "到了",
        "total": "合计",
    },
    "en": {
        "locale": "en-GB",
        "search": "tea",
        "title": "Neighbours' tea: drop in",
        "book": "Book a place",
        "booked": "Booked. See you there!",
        "here": "Here",
        "total": "Total",
    },
}
SCREENS = {390: 844, 1280: 900}


def person_times(reader: Reader, total: str) -> int:
    reader.goto("/statistics?from=2024-01-01&to=2026-12-31&by=category")
    cells = reader.page.locator("tfoot tr", has_text=total).locator("td").all_inner_texts()
    return int(re.sub(r"\D", "", cells[1]))


def test_a_resident_books_the_manager_ticks_and_the_total_rises_by_one(
    demo: Server, chromium: Browser, kind: str
) -> None:
    """Each language, each screen and each database once; not every one of the eight together."""
    language, width = ("zh", 390) if kind == "sqlite" else ("en", 1280)
    words = WORDS[language]

    def reader() -> Reader:
        context = chromium.new_context(
            locale=words["locale"], viewport={"width": width, "height": SCREENS[width]}, has_touch=width < 500
        )
        return Reader(context, demo.address)

    administrator = reader()
    administrator.sign_in(*ADMINISTRATOR[1:])
    before = person_times(administrator, words["total"])

    resident = reader()
    resident.goto("/")
    resident.page.fill("#q", words["search"])
    resident.page.press("#q", "Enter")
    resident.click("link", words["title"])
    session_path = resident.page.url.removeprefix(demo.address)
    resident.page.locator("section.book a.btn-primary").click()
    resident.page.fill("#login", RESIDENT[1])
    resident.page.fill("#password", RESIDENT[2])
    resident.page.press("#password", "Enter")
    resident.page.wait_for_url(f"**{session_path}")
    resident.click("button", "陈晓梅")
    expect(resident.page.get_by_role("heading", level=1)).to_contain_text(words["booked"])
    reference = resident.page.locator(".pass-code").inner_text()

    manager = reader()
    manager.sign_in(*MANAGER[1:])
    manager.goto("/desk")
    manager.click("link", words["title"])
    row = manager.page.locator(".roll-row", has_text=reference)
    expect(row).to_contain_text("陈晓梅")
    row.get_by_role("button", name=words["here"]).first.click()
    manager.check()
    expect(manager.page.locator(".roll-row", has_text=reference)).to_have_class(re.compile("roll-present"))
    all_sent(manager.page)

    assert person_times(administrator, words["total"]) == before + 1
    assert "all figures agree" in demo.manage("statistics", "verify")
    for someone in (administrator, resident, manager):
        someone.close()


PUBLIC = (
    "/",
    "/find",
    "/find?kind=parking_lot",
    "/find?q=周六 亲子",
    "/week",
    "/facilities",
    "/facilities/1",
    "/sessions/150",
    "/sign-in",
    "/register",
    "/rooms",
    "/spaces/1",
    "/no-such-page",
)
RESIDENTS = (
    "/me",
    "/me/family/new",
    "/me/family/1",
    "/me/family/1/guardians",
    "/me/family/join",
    "/me/consents",
    "/my/bookings",
    "/my/messages",
    "/my/reservations",
    "/my/no-shows",
    "/sessions/150",
    "/spaces/1/reserve",
)
STAFF = (
    "/desk",
    "/desk/sessions/1/roll",
    "/desk/sessions/1/history",
    "/desk/sessions/1/newcomer",
    "/desk/waiting",
    "/desk/reopened",
    "/desk/facilities/1/poster",
    "/desk/appeals",
    "/staff/no-shows",
    "/desk/sessions/new",
    "/desk/sessions/150/edit",
    "/desk/sessions/150/cancel",
    "/desk/sessions/150/bookings",
    "/desk/series/new",
    "/desk/closures",
    "/desk/closures/new",
    "/desk/draws/new",
    "/statistics",
    "/statistics?by=facility",
    "/reports",
    "/quality",
    "/quality/no_birth_date",
    "/quality/no_roll",
    "/quality/crowded",
    "/quality/likely_twice",
)


def test_every_page_is_usable_by_everybody(demo: Server, chromium: Browser, kind: str) -> None:
    """axe on each page, on a phone: dark, and light in large type; no page knows what database is behind it."""
    scheme: Literal["light", "dark"] = "light" if kind == "postgresql" else "dark"
    for account, pages in ((None, PUBLIC), (RESIDENT, RESIDENTS), (ADMINISTRATOR, STAFF)):
        context = chromium.new_context(locale="zh-CN", viewport={"width": 390, "height": 844}, color_scheme=scheme)
        reader = Reader(context, demo.address)
        if account is not None:
            reader.sign_in(*account[1:])
        if kind == "postgresql":
            reader.goto(pages[0])
            reader.page.locator("button[name=elder]").click()
        for path in pages:
            reader.goto(path)
        reader.close()


@pytest.mark.parametrize("kind", ["sqlite"])
def test_targets_are_large_enough_for_a_thumb(demo: Server, chromium: Browser, kind: str) -> None:
    """44 pixels for everything in a page's own controls; links inside sentences are left out, as WCAG 2.5.8 does."""
    reader = Reader(chromium.new_context(locale="zh-CN", viewport={"width": 390, "height": 844}), demo.address)
    reader.sign_in(*ADMINISTRATOR[1:])
    for path in ("/", "/find", "/week", "/desk", "/desk/sessions/1/roll", "/statistics", "/me"):
        reader.goto(path)
        small = reader.page.evaluate("""() => [...document.querySelectorAll(
            'button, .btn, .chip, .bottom a, .side a, select, input')]
            .filter(e => !['hidden', 'radio', 'checkbox'].includes(e.type))
            .filter(e => e.offsetParent && e.getBoundingClientRect().height < 43.5)
            .map(e => e.outerHTML.slice(0, 120))""")
        assert not small, f"{path}: {small}"
    reader.close()
