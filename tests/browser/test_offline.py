"""The desk without network: what is ticked there is kept, sent once, and counted once, whoever else ticked it too."""

import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from facilities.accounts.services import end_sign_ins
from facilities.attendance import queries
from facilities.engine.roll_call import AttendanceState, EventKind
from facilities.infra.db import db, unit_of_work
from tests.browser.conftest import Reader, all_sent, wait_until
from tests.conftest import NOW
from tests.servers import running
from tests.stores import Store
from tests.world import PASSWORD, Someone, World

pytestmark = pytest.mark.browser

NAMES = [
    "陈晓梅", "罗玉兰", "向德福", "周建林", "曾静英", "李诗悦", "王佳芳", "秦子平", "蒋诗芳", "冉浩林",
    "何美玲", "邓志强",
]  # fmt: skip


# Where it is the browser that is asked, and what the server does with it is asked on both databases elsewhere.
of_the_browser = pytest.mark.parametrize("kind", ["sqlite"])


class Desk:
    """A session with people booked, a server that shows it, and browsers of its manager."""

    def __init__(self, world: World, chromium: Browser) -> None:
        self.world, self.chromium = world, chromium
        facility = world.facility()
        session = world.session(facility, starts_in=timedelta(minutes=10), capacity=30)
        self.session_id = session.id
        self.manager, self.colleague = world.manager(facility), world.manager(facility)
        names = [*NAMES, *(f"{name}儿" for name in NAMES)]
        self.people = [world.resident(name=name) for name in names]
        for someone in self.people:
            world.book(someone, session)
        self.path = f"/desk/sessions/{self.session_id}/roll"
        self.address, self.clock_file = "", Path()
        self.contexts: list[BrowserContext] = []

    def browser(self, someone: Someone | None = None) -> Reader:
        context = self.chromium.new_context(locale="zh-CN", viewport={"width": 390, "height": 844}, has_touch=True)
        self.contexts.append(context)
        reader = Reader(context, self.address)
        if someone is not None:
            reader.sign_in(someone.login, PASSWORD)
            reader.goto("/desk")
            reader.page.evaluate("navigator.serviceWorker.ready.then(() => undefined)")
            kept = f"caches.open('desk-pages').then(pages => pages.match('{self.path}')).then(Boolean)"
            wait_until(reader.page, lambda: reader.page.evaluate(kept))
        return reader

    def row(self, page: Page, n: int) -> Any:
        return page.locator(f"#resident-{self.people[n].resident_id}")

    def tick(self, page: Page, n: int) -> None:
        self.row(page, n).locator(".roll-main").click()
        expect(self.row(page, n)).to_have_class(re.compile("roll-present"))

    def log(self) -> list[Any]:
        db.session.rollback()
        return queries.logs([self.session_id]).get(self.session_id, [])

    def present(self) -> set[int]:
        db.session.rollback()
        rows = queries.attendances([self.session_id])
        return {row.resident_id for row in rows if row.state is AttendanceState.PRESENT}

    def ids(self, *numbers: int) -> set[int]:
        return {self.people[n].resident_id for n in numbers}


@pytest.fixture
def desk(world: World, store: Store, chromium: Browser, tmp_path: Any) -> Iterator[Desk]:
    clock_file = tmp_path / "clock"
    clock_file.write_text(NOW.isoformat())
    made = Desk(world, chromium)
    assert made.manager.login != made.colleague.login  # loaded, for when nothing can be loaded any more
    db.session.expunge_all()
    db.session.remove()
    with running(store.url, tmp_path, HUIMIN_CLOCK_FILE=str(clock_file)) as server:
        made.address = server.address
        made.clock_file = clock_file
        yield made
        for context in made.contexts:
            context.close()


@of_the_browser
def test_a_roll_taken_without_network_is_sent_once_and_is_what_was_ticked(desk: Desk, kind: str) -> None:
    reader = desk.browser(desk.manager)
    page, context = reader.page, reader.context
    reader.goto(desk.path)
    context.set_offline(True)
    for n in range(20):
        desk.tick(page, n)
    page.fill("#women", "7")
    page.fill("#children", "2")
    page.locator("#head-count button").click()
    expect(page.locator("#strip")).to_contain_text("21")
    reader.check()  # axe, with the strip in sight
    page.reload()
    expect(desk.row(page, 19)).to_have_class(re.compile("roll-present"))
    expect(page.locator("[data-sum=named]")).to_have_text("20")
    assert page.input_value("#women") == "7"
    desk.tick(page, 20)
    desk.row(page, 0).locator(".roll-main").click()  # a second tap takes it back
    expect(desk.row(page, 0)).to_have_class(re.compile("roll-open"))
    assert desk.log() == []
    page.goto(desk.address + "/desk/waiting")
    expect(page.locator("#waiting li")).to_have_count(23)
    assert "陈晓梅" not in page.content(), "names are shortened where they are kept"
    page.goto(desk.address + desk.path)
    context.set_offline(False)
    all_sent(page)
    assert desk.present() == desk.ids(*range(1, 21))
    assert len(desk.log()) == 23
    counts = queries.head_counts([desk.session_id])[desk.session_id]
    assert (counts.women, counts.children, counts.men) == (7, 2, 0)
    page.reload()
    expect(page.locator("[data-sum=named]")).to_have_text("20")
    all_sent(page)
    assert len(desk.log()) == 23, "nothing is sent twice"


@of_the_browser
def test_two_browsers_without_network_that_tick_the_same_person_count_one(desk: Desk, kind: str) -> None:
    one, two = desk.browser(desk.manager), desk.browser(desk.colleague)
    for reader in (one, two):
        reader.goto(desk.path)
        reader.context.set_offline(True)
    for n in (0, 1):
        desk.tick(one.page, n)
    for n in (1, 2):
        desk.tick(two.page, n)
    for reader, women in ((one, "3"), (two, "4")):
        reader.page.fill("#women", women)
        reader.page.locator("#head-count button").click()
    for reader in (two, one):
        reader.context.set_offline(False)
        all_sent(reader.page)
    assert desk.present() == desk.ids(0, 1, 2)
    assert queries.head_counts([desk.session_id])[desk.session_id].women == 7, "devices add up"
    one.page.reload()
    expect(one.page.locator("[data-sum=named]")).to_have_text("3")
    expect(one.page.locator("[data-people=women]")).to_have_text("10")


@of_the_browser
def test_what_is_refused_is_shown_with_its_reason_and_stays(desk: Desk, kind: str) -> None:
    reader = desk.browser(desk.manager)
    page = reader.page
    reader.goto(desk.path)
    reader.context.set_offline(True)
    desk.tick(page, 0)
    administrator = desk.world.administrator()
    administrator.api.post(f"/sessions/{desk.session_id}/cancel", {"reason": "停电"}, status=200)
    reader.context.set_offline(False)
    expect(page.locator("#strip")).to_contain_text("没有被接受")
    page.locator("#strip a").click()
    expect(page.locator("#refused li")).to_contain_text("取消")
    reader.check()
    page.get_by_role("button", name="再试一次").click()
    expect(page.locator("#refused li")).to_have_count(1)
    page.get_by_role("button", name="先放一边").click()
    page.locator("#aside summary").click()
    expect(page.locator("#aside li")).to_have_count(1)
    expect(page.locator("#strip")).to_be_hidden()


@of_the_browser
def test_who_leaves_takes_the_lists_along_and_leaves_what_is_not_sent(desk: Desk, kind: str) -> None:
    """By signing out, or because somebody ended it: one way on each database, for it is the browser that is asked."""
    reader = desk.browser(desk.manager)
    page, context = reader.page, reader.context
    reader.goto(desk.path)
    context.set_offline(True)
    desk.tick(page, 3)
    if kind == "postgresql":
        unit_of_work(lambda: end_sign_ins(desk.manager.actor.user_id))
        context.set_offline(False)
        page.goto(desk.address + "/desk")
    else:
        # the cookie's session ends at the server; the tick could not be sent before
        context.route("**/desk/events", lambda route: route.abort())
        context.set_offline(False)
        page.goto(desk.address + "/me")
        page.get_by_role("button", name="退出").click()
        page.wait_for_url(desk.address + "/")
        context.unroute("**/desk/events")
        page.goto(desk.address + "/sign-in")
    expect(page.locator("#strip")).to_contain_text("1")
    assert page.evaluate("caches.has('desk-pages')") is False, "no list of names is left"
    assert desk.present() == set()
    reader.sign_in(desk.colleague.login, PASSWORD)
    reader.goto("/desk")
    all_sent(page)
    assert desk.present() == desk.ids(3)


@of_the_browser
def test_the_roll_is_taken_by_the_keyboard_alone_and_every_control_has_a_name(desk: Desk, kind: str) -> None:
    reader = desk.browser(desk.manager)
    page = reader.page
    reader.goto(desk.path)
    page.locator("#find").focus()
    page.keyboard.type("lyl")  # 罗玉兰, and her namesake
    expect(page.locator("#find-said")).to_contain_text("2")
    page.keyboard.press("Tab")
    reach(page, str(desk.people[1].resident_id))
    page.keyboard.press("Enter")
    expect(desk.row(page, 1)).to_have_class(re.compile("roll-present"))
    page.keyboard.press("Enter")  # of a shaking hand: it is still so
    page.wait_for_timeout(500)
    expect(desk.row(page, 1)).to_have_class(re.compile("roll-present"))
    page.keyboard.press("Enter")
    expect(desk.row(page, 1)).to_have_class(re.compile("roll-open"))
    page.wait_for_timeout(500)
    page.keyboard.press("Tab")  # to what else there is for her
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(desk.row(page, 1)).to_have_class(re.compile("roll-late"))
    page.locator("#find").focus()
    page.keyboard.press("ControlOrMeta+a")
    page.keyboard.type("xdfe")  # one alone: Enter ticks
    page.keyboard.press("Enter")
    expect(desk.row(page, 14)).to_have_class(re.compile("roll-present"))
    main = desk.row(page, 1).locator(".roll-main")
    expect(main).to_have_accessible_name(re.compile("罗玉兰.*迟到.*撤销"))
    controls = "main button, main a, main summary, main input:not([type=hidden])"
    nameless = f"[...document.querySelectorAll('{controls}')].filter(e => !e.textContent.trim() && !e.labels?.length)"
    assert page.evaluate(f"{nameless}.length") == 0
    reader.check()
    all_sent(page)
    assert desk.present() == desk.ids(1, 14)


def reach(page: Page, resident_id: str) -> None:
    """Somebody's row, by the tabulator."""
    for _ in range(12):
        if page.evaluate("document.activeElement.closest('li')?.dataset.resident") == resident_id:
            return
        page.keyboard.press("Tab")
    raise AssertionError("not reached")


CAMERA = """
window.BarcodeDetector = class {
  static async getSupportedFormats() { return ["qr_code"]; }
  async detect() { return window.shown ? [{ rawValue: window.shown }] : []; }
};
navigator.mediaDevices.getUserMedia = async () => document.createElement("canvas").captureStream();
"""


@of_the_browser
def test_codes_are_scanned_or_typed(desk: Desk, kind: str) -> None:
    reader = desk.browser(desk.manager)
    page = reader.page
    page.add_init_script(CAMERA)
    reader.goto(desk.path)
    codes = [desk.row(page, n).get_attribute("data-code") for n in (0, 1)]
    page.locator("#scan summary").click()
    page.locator("#camera").click()
    page.evaluate("code => { window.shown = code; }", codes[0])
    expect(desk.row(page, 0)).to_have_class(re.compile("roll-present"))
    reader.context.set_offline(True)
    page.evaluate("code => { window.shown = code; }", codes[1])
    expect(desk.row(page, 1)).to_have_class(re.compile("roll-present"))
    page.locator("#camera").click()
    page.fill("#code", str(desk.row(page, 2).get_attribute("data-reference")).lower())
    page.keyboard.press("Enter")
    expect(desk.row(page, 2)).to_have_class(re.compile("roll-present"))
    reader.context.set_offline(False)
    page.fill("#code", "made.up")
    page.keyboard.press("Enter")
    expect(page.locator("#scan-said")).to_contain_text("这不是我们的码")
    all_sent(page)
    assert desk.present() == desk.ids(0, 1, 2)
    assert {e.kind for e in desk.log()} == {EventKind.PRESENT}


@of_the_browser
def test_where_a_device_can_keep_nothing_each_tap_goes_to_the_server(desk: Desk, kind: str) -> None:
    reader = desk.browser(desk.manager)
    page = reader.page
    full = "throw new DOMException('full', 'QuotaExceededError')"
    page.add_init_script(f"IDBObjectStore.prototype.add = () => {{ {full}; }}")
    page.goto(desk.address + desk.path)
    for n in (0, 1):
        desk.tick(page, n)
        page.wait_for_load_state("load")
    assert desk.present() == desk.ids(0, 1)


@of_the_browser
def test_who_signs_out_without_network_is_signed_out_as_soon_as_there_is_one(desk: Desk, kind: str) -> None:
    reader = desk.browser(desk.manager)
    page = reader.page
    reader.goto("/me")
    reader.context.set_offline(True)
    page.get_by_role("button", name="退出登录").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("存在本机的内容")
    assert page.evaluate("caches.has('desk-pages')") is False
    reader.context.set_offline(False)
    page.wait_for_url(re.compile("/sign-in"))  # by itself
    page.goto(desk.address + "/desk")
    assert "/sign-in" in page.url


@of_the_browser
def test_a_place_that_is_given_back_meanwhile_is_not_ticked_and_another_devices_count_is_not_ones_own(
    desk: Desk, kind: str
) -> None:
    colleague = desk.world.browser(desk.colleague)
    colleague.send(f"/desk/sessions/{desk.session_id}/head-count", event_id="", women=3, children=0, men=0)
    reader = desk.browser(desk.manager)
    page = reader.page
    reader.goto(desk.path)
    expect(page.locator("[data-people=women]")).to_have_text("3")
    assert page.input_value("#women") == "0"
    (whose,) = desk.ids(1)
    gone = db.text("UPDATE bookings SET state = 'cancelled', cancelled_at = created_at WHERE resident_id = :whose")
    unit_of_work(lambda: db.session.execute(gone, {"whose": whose}))
    desk.tick(page, 5)  # what other devices and people did is seen with what is sent
    expect(desk.row(page, 1)).to_have_count(0)
    page.locator("button[value=present][data-all]").click()
    expect(page.locator("[data-sum=named]")).to_have_text(str(len(desk.people) - 1))
    all_sent(page)
    assert desk.ids(1).isdisjoint(desk.present())
    assert len(desk.present()) == len(desk.people) - 1


@of_the_browser
def test_on_a_later_day_the_last_of_several_taps_stands(desk: Desk, kind: str) -> None:
    """All are dated to the last moment for an entry: then the ids decide, which grow with time."""
    desk.clock_file.write_text((NOW + timedelta(days=3)).isoformat())
    reader = desk.browser()
    reader.sign_in(desk.manager.login, PASSWORD)
    page = reader.page
    reader.goto(desk.path)
    for n in range(6):
        for pressed in ("late", "absent"):
            desk.row(page, n).locator(".roll-more summary").click()
            desk.row(page, n).locator(f".roll-buttons button[value={pressed}]").click()
            expect(desk.row(page, n)).to_have_class(re.compile(f"roll-{pressed}"))
            page.wait_for_timeout(400)
    all_sent(page)
    assert desk.present() == set()
    assert all(event.occurred_at == desk.log()[0].occurred_at for event in desk.log())
