"""The administrator's page of figures in a browser: for everybody's eyes, and on one sheet of paper."""

import re

import pytest
from playwright.sync_api import Browser, expect

from facilities.demo.loading import ADMINISTRATOR
from tests.browser.conftest import Reader
from tests.servers import Server

pytestmark = pytest.mark.browser

YEAR = "from=2024-01-01&to=2024-12-31"


def test_the_page_of_figures_is_for_everybody_and_prints_on_one_sheet(
    demo: Server, chromium: Browser, kind: str
) -> None:
    """Each language, each screen, each light and each database once."""
    locale, width = ("zh-CN", 390) if kind == "sqlite" else ("en-GB", 1280)
    context = chromium.new_context(
        locale=locale,
        viewport={"width": width, "height": 900},
        color_scheme="dark" if kind == "sqlite" else "light",
    )
    reader = Reader(context, demo.address)
    reader.sign_in(*ADMINISTRATOR[1:])
    reader.goto(f"/statistics?{YEAR}&by=category")
    for summary in reader.page.locator("summary").all():
        summary.click()
    expect(reader.page.locator("figure table").first).to_be_visible()
    reader.check()
    reader.goto("/statistics")  # of several years, whose charts are wider than a phone
    reader.goto(f"/statistics/print?{YEAR}")
    for question in (YEAR, ""):
        reader.page.goto(f"{demo.address}/statistics/print?{question}")
        paper = reader.page.pdf(prefer_css_page_size=True)
        assert len(re.findall(rb"/Type\s*/Page\b", paper)) == 1, "one sheet of paper"
        assert re.search(rb"/MediaBox\s*\[0 0 59[45]\.?\d* 84[12]", paper), "A4"
    reader.close()
