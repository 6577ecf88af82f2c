"""The geometry of each chart, and the files made of it."""

import re
import zlib
from collections.abc import Iterator
from itertools import pairwise
from struct import unpack

import pytest
from lxml import etree

from config import ROOT
from facilities.engine.beneficiaries import SPLITTING
from facilities.statistics.charts import (
    Slice,
    heat_map,
    ranking,
    shown_hours,
    small_multiples,
    stacked_bars,
    trend,
)
from facilities.statistics.drawing import MARGIN, ZOOM, as_png, as_svg, file_style
from facilities.statistics.pictures import CARD, WIDE, Picture, fitted, round_up, text_width
from tests.conftest import Apps

SERIES = [category.value for category in SPLITTING]
DAYS = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"]
MONTHS = ["2026-01", "2026-02", "2026-03"]
KEYS = ("Person-times", "A year before")
SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture(autouse=True)
def english(apps: Apps) -> Iterator[None]:
    """Words need a reader; nothing here needs a database."""
    app, _ = apps.get("sqlite")
    with app.test_request_context(headers={"Accept-Language": "en"}):
        yield


def months(number: int) -> list[str]:
    return [f"{2020 + place // 12}-{place % 12 + 1:02}" for place in range(number)]


# -- stacked bars


def test_the_parts_of_a_bar_lie_on_each_other_and_are_as_high_as_their_numbers() -> None:
    values = {("2026-01", "women"): 30, ("2026-01", "children"): 10, ("2026-02", "men"): 20}
    picture = stacked_bars(MONTHS, SERIES, values)
    women, children, men = picture.rects
    assert [rect.style for rect in picture.rects] == ["series-women", "series-children", "series-men"]
    assert women.height == pytest.approx(3 * children.height, abs=0.2)
    assert men.height == pytest.approx(2 * children.height, abs=0.2)
    assert children.y + children.height == pytest.approx(women.y, abs=0.2)
    assert women.x == children.x != men.x
    assert women.y + women.height == pytest.approx(men.y + men.height, abs=0.2), "they stand on the same ground"


@pytest.mark.parametrize("number", [1, 12, 13, 40])
def test_nothing_lies_outside_a_picture(number: int) -> None:
    columns = months(number)
    numbers = [3 * place for place in range(number)]
    values = {(month, name): 7 for month in columns for name in SERIES}
    for picture in (stacked_bars(columns, SERIES, values), trend(columns, numbers, [None] * number, KEYS)):
        assert picture.width == (CARD if number <= 12 else WIDE)
        for rect in picture.rects:
            assert 0 <= rect.x <= rect.x + rect.width <= picture.width
            assert 0 <= rect.y <= rect.y + rect.height <= picture.height
        for x, y in (point for line in (*picture.lines, *picture.lines_below) for point in line.points):
            assert 0 <= x <= picture.width
            assert 0 <= y <= picture.height


def test_words_under_many_months_do_not_run_into_each_other() -> None:
    picture = stacked_bars(months(60), SERIES, {("2020-01", "women"): 1})
    below = sorted((word.x, word.text) for word in picture.words if word.style == "chart-middle")
    assert len(below) < 60
    assert all(right - left > text_width("12") for (left, _), (right, _) in pairwise(below))
    assert {word.text for word in picture.words} >= {"2020", "2021", "2022", "2023", "2024"}


@pytest.mark.parametrize(("value", "top"), [(0, 4), (4, 4), (5, 8), (33, 40), (81, 120), (1001, 1200)])
def test_the_axis_ends_at_a_number_that_four_marks_divide(value: int, top: int) -> None:
    assert round_up(value) == top
    assert top % 4 == 0


# -- the trend


def test_the_same_number_is_as_high_in_both_years_and_a_larger_one_higher() -> None:
    before, now = trend(MONTHS, [10, 20, 30], [30, 20, 5], KEYS).lines
    assert (before.style, now.style) == ("line-before", "line-now")
    (_, low), (_, middle), (_, high) = now.points
    assert low > middle > high
    assert before.points[0] == (now.points[0][0], high)
    assert before.points[1] == now.points[1]


def test_no_line_is_drawn_over_months_that_nobody_knows() -> None:
    picture = trend(MONTHS, [1, 2, 3], [None, 5, None], KEYS)
    assert [len(line.points) for line in picture.lines if line.style == "line-before"] == [1]
    assert [line.style for line in trend(MONTHS, [1, 2, 3], [None] * 3, KEYS).lines] == ["line-now"]


# -- the heat map


def test_the_heat_map_has_a_cell_for_each_weekday_and_hour_and_the_fullest_is_the_darkest() -> None:
    busy = {(0, 9): 100, (6, 19): 1, (2, 14): 40}
    picture = heat_map(busy, DAYS)
    assert len(picture.rects) == 7 * len(shown_hours(busy)) == 7 * 13
    by_label = {rect.label: rect.style for rect in picture.rects}
    assert by_label["Monday 09:00: 100"] == "heat-5"
    assert by_label["Wednesday 14:00: 40"] == "heat-2"
    assert by_label["Sunday 19:00: 1"] == "heat-1", "a single one is not nothing"
    assert by_label["Sunday 09:00: 0"] == "heat-0"
    assert {word.text for word in picture.words} >= {"100", "1", "40", *DAYS}, "never by colour alone"


def test_hours_outside_the_usual_ones_are_shown_where_somebody_came_then() -> None:
    assert shown_hours({}) == list(range(8, 21))
    assert shown_hours({(0, 6): 1, (3, 22): 2}) == list(range(6, 23))


# -- the ranking


def test_bars_are_as_long_as_their_numbers_and_say_their_whole_name() -> None:
    long = "大渡口区跳磴镇石盘社区新时代文明实践综合服务中心"
    picture = ranking([Slice(long, 40, "40"), Slice("桥口", 10, "10"), Slice("空", 0, "0")])
    first, second = picture.rects
    assert first.width == pytest.approx(4 * second.width, abs=0.2)
    assert first.label == f"{long}: 40"
    named = [word.text for word in picture.words if "chart-name" in word.style]
    assert named[0].endswith("…")
    assert named[1:] == ["桥口", "空"]
    assert len({word.y for word in picture.words}) == 3


def test_a_bar_that_is_longer_than_the_room_ends_there_and_a_number_stands_clear_of_the_mark() -> None:
    far, near = ranking([Slice("A", 5.0, "500%", mark=0.9), Slice("B", 0.88, "88%", mark=0.9)], full=1.25).rects
    assert far.x + far.width < CARD
    picture = ranking([Slice("B", 0.88, "88%", mark=0.9)], full=1.25)
    (goal,) = picture.lines
    (said,) = [word for word in picture.words if word.text == "88%"]
    assert said.x > goal.points[0][0] > near.x + near.width


# -- small multiples


def test_each_little_line_has_its_own_scale_and_a_dot_at_its_highest() -> None:
    picture = small_multiples([("Women", "max 400", [100, 400, 200]), ("Men", "max 4", [1, 2, 4])])
    women, men = picture.lines
    assert min(y for _, y in women.points) == min(y for _, y in men.points)
    assert [(dot.x, dot.y) for dot in picture.dots] == [women.points[1], men.points[2]]


def test_a_single_month_and_none_are_drawn_too() -> None:
    assert small_multiples([("Women", "max 0", [0])]).dots == ()
    assert small_multiples([]).height == 0


def test_a_text_is_cut_where_it_does_not_fit() -> None:
    assert fitted("渝好空间", 100) == "渝好空间"
    assert fitted("渝好空间活动中心", 60) == "渝好空…"
    assert text_width("渝") > text_width("a")


# -- files


@pytest.fixture(params=["trend", "groups", "hours", "facilities", "categories"])
def picture(request: pytest.FixtureRequest) -> Picture:
    made = {
        "trend": lambda: trend(MONTHS, [1, 2, 3], [4, None, 2], KEYS),
        "groups": lambda: stacked_bars(MONTHS, SERIES, {("2026-01", name): 3 for name in SERIES}),
        "hours": lambda: heat_map({(0, 9): 100, (3, 10): 20}, DAYS),
        "facilities": lambda: ranking([Slice("桥口 <1> & “2”", 3, "3"), Slice("rest", 1, "1", "chart-rest", 0.5)]),
        "categories": lambda: small_multiples([("妇女", "max 3", [1, 3, 2])]),
    }
    return made[request.param]()


def test_an_svg_file_is_whole_on_its_own(picture: Picture) -> None:
    text = as_svg(picture, "谁来了？ <&>", "妇女最多。", ["全部站点 · 2026年", "a" * 200])
    tree = etree.fromstring(text.encode())
    assert tree.findtext(f"{SVG}title") == "谁来了？ <&>"
    assert tree.findtext(f"{SVG}desc") == "妇女最多。"
    width, height = (int(tree.get(name)) for name in ("width", "height"))
    assert tree.get("viewBox") == f"0 0 {width} {height}"
    assert (width, height > picture.height) == (picture.width + 2 * MARGIN, True)
    style = tree.findtext(f"{SVG}style")
    assert "var(" not in style
    known = set(re.findall(r"\.([\w-]+) \{", style))
    used = {name for names in tree.xpath("//@class") for name in names.split()}
    assert used <= known, "each class has a rule"
    assert not tree.xpath("//*[local-name()='script' or local-name()='image'] | //@href | //@style")
    assert len(tree.findall(f".//{SVG}rect")) > len(picture.rects), "the shapes, on paper"


def test_a_png_file_has_the_size_of_the_picture_and_is_not_blank(picture: Picture) -> None:
    svg = as_svg(picture, "Title", "Description", ["Filters"])
    tree = etree.fromstring(svg.encode())
    width, height, rows = read_png(as_png(svg))
    assert (width, height) == (ZOOM * int(tree.get("width")), ZOOM * int(tree.get("height")))
    assert len(set(rows)) > 30, "rows of a blank picture are all alike"


def test_chinese_is_drawn_with_signs_of_its_own() -> None:
    """Without a font that has them, all would be the same empty box."""
    pictures = [as_png(as_svg(Picture(CARD, 10), title, "", [])) for title in ("渝好空间", "家庭医生", "家庭医生")]
    assert pictures[0] != pictures[1] == pictures[2]


def test_files_have_the_light_colours_of_the_pages() -> None:
    named = (ROOT / "static" / "css" / "huimin.css").read_text(encoding="utf-8")
    (light,) = re.findall(r"--primary: (#\w+);", named)[:1]
    assert f".chart-bar {{ fill: {light}; }}" in file_style()


def read_png(data: bytes) -> tuple[int, int, list[bytes]]:
    """Width, height, and the rows as they are packed."""
    assert data.startswith(b"\x89PNG\r\n\x1a\n")
    width, height, depth, colour = unpack(">IIBB", data[16:26])
    packed, at = b"", 8
    while at < len(data):
        (length,), name = unpack(">I", data[at : at + 4]), data[at + 4 : at + 8]
        if name == b"IDAT":
            packed += data[at + 8 : at + 8 + length]
        at += 12 + length
    raw = zlib.decompress(packed)
    row = 1 + width * {2: 3, 6: 4}[colour] * depth // 8
    return width, height, [raw[start : start + row] for start in range(0, len(raw), row)]
