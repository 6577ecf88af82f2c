"""Chromium from the system, driving a running server; every page that a test opens is checked by axe."""

import fcntl
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from tests.servers import Server, running
from tests.stores import Store

NOW = "2026-09-16T10:20:00+08:00"  # in the morning, so that 'in an hour' is still today
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-quic",
]


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    path = next((p for name in ("chromium", "chromium-browser", "google-chrome") if (p := shutil.which(name))), None)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def shared(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Path:
    """A folder of this run, for all its processes."""
    folder = tmp_path_factory.getbasetemp()
    return folder if worker_id == "master" else folder.parent


@pytest.fixture
def demo(store: Store, kind: str, shared: Path, tmp_path: Path) -> Iterator[Server]:
    """A server with the demonstration data, at a fixed hour."""
    clock_file = tmp_path / "clock"
    clock_file.write_text(NOW)

    def load(server: Server) -> None:
        """Loading is dearer than most tests: who comes first loads, and keeps a copy for all."""
        kept = shared / f"demo-{kind}"
        with kept.with_suffix(".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if kept.exists():
                store.bring_back(kept)
                return
            server.manage("db", "upgrade")
            server.manage("demo", "load")
            store.keep(kept)

    with running(
        store.url,
        tmp_path,
        prepare=load,
        HUIMIN_ENV="demo",
        HUIMIN_CLOCK_FILE=str(clock_file),
    ) as server:
        yield server


class Reader:
    """Somebody at a browser: goes to pages and looks whether everybody could use them."""

    def __init__(self, context: BrowserContext, address: str) -> None:
        self.context, self.address = context, address
        self.page: Page = context.new_page()
        self.page.set_default_timeout(30_000)
        self.axe = Axe()

    def goto(self, path: str) -> None:
        self.page.goto(self.address + path)
        self.check()

    def check(self) -> None:
        """No violation that axe knows, and nothing wider than the screen."""
        self.page.wait_for_load_state("load")
        found = self.axe.run(self.page).response["violations"]
        said = [f"{v['id']}: {v['help']}: {[n['target'] for n in v['nodes']][:3]}" for v in found]
        assert not said, f"{self.page.url}: {said}"
        wide = self.page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert wide <= 0, f"{self.page.url} is {wide} pixels wider than the screen"

    def click(self, role: str, name: str, *, exact: bool = False) -> None:
        self.page.get_by_role(role, name=name, exact=exact).first.click()  # type: ignore[arg-type]
        self.check()

    def sign_in(self, login: str, password: str) -> None:
        self.goto("/sign-in")
        self.page.fill("#login", login)
        self.page.fill("#password", password)
        self.page.press("#password", "Enter")
        self.page.wait_for_url(lambda url: "/sign-in" not in url)
        self.check()

    def close(self) -> None:
        self.context.close()


WAITING = """() => new Promise(done => {
    const opening = indexedDB.open("huimin-desk", 1);
    opening.onsuccess = () => {
        const all = opening.result.transaction("events").objectStore("events").getAll();
        all.onsuccess = () => {
            opening.result.close();
            done(all.result.filter(event => event.standing === "waiting").length);
        };
    };
})"""


def all_sent(page: Page) -> None:
    """Nothing waits on the device any more."""
    wait_until(page, lambda: page.evaluate(WAITING) == 0)


def wait_until(page: Page, holds: Callable[[], bool]) -> None:
    for _ in range(100):
        if holds():
            return
        page.wait_for_timeout(100)
    raise AssertionError("waited for ten seconds")
