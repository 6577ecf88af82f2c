"""An official report in a browser: closed by hand, usable by everybody, on paper the totals on a page of their own."""

import io
from typing import Literal

import pytest
from openpyxl import load_workbook
from playwright.sync_api import Browser

from facilities.demo.loading import ADMINISTRATOR
from tests.browser.conftest import Reader
from tests.servers import Server

A4_IN_PIXELS = (680, 986)  # what 18 and 15 mm of margin leave of 210 by 297 mm
PARTS = """() => ({
    front: document.querySelector(".report-front").getBoundingClientRect().height,
    breaks: getComputedStyle(document.querySelector(".report-front")).breakAfter,
    page: getComputedStyle(document.body).page,
    wide: document.documentElement.scrollWidth - document.documentElement.clientWidth,
    shown: [...document.querySelectorAll(".top, .side, .bottom, .foot, .btn")]
        .filter(part => part.getClientRects().length).length,
})"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("kind", ["sqlite"])
def test_a_year_is_closed_and_its_report_read_printed_and_taken_along(
    demo: Server, chromium: Browser, kind: str, scheme: Literal["light", "dark"]
) -> None:
    context = chromium.new_context(locale="zh-CN", viewport={"width": 390, "height": 844}, color_scheme=scheme)
    reader = Reader(context, demo.address)
    reader.sign_in(*ADMINISTRATOR[1:])
    reader.goto("/reports")
    reader.page.select_option("#period", "year:2024-01-01")
    reader.page.fill("#signed_name", "周敏")
    reader.page.fill("#signed_position", "区民生实事办 主任")
    reader.page.press("#signed_position", "Enter")
    reader.page.wait_for_url(lambda url: url.rstrip("/").rpartition("/")[2].isdigit())
    reader.check()
    with reader.page.expect_download() as found:
        reader.page.locator("a[href*='format=xlsx']").click()
    with found.value.path().open("rb") as file:
        assert len(load_workbook(io.BytesIO(file.read())).worksheets) == 9
    reader.page.set_viewport_size({"width": A4_IN_PIXELS[0], "height": A4_IN_PIXELS[1]})
    reader.page.emulate_media(media="print")
    parts = reader.page.evaluate(PARTS)
    assert parts["front"] <= A4_IN_PIXELS[1], "the totals and who signs fit on one page"
    assert (parts["breaks"], parts["page"], parts["wide"], parts["shown"]) == ("page", "report", 0, 0)
    reader.page.emulate_media(media="screen")
    reader.goto("/reports")
    reader.close()
