"""A picture as a file of its own: SVG that needs no style sheet, and PNG made of it.

The rules are those of the pages (`charts.css`), with the light colours of `huimin.css` put in for their names: a file
is looked at on white paper, and whoever draws PNG knows no variables.
"""

import re
from functools import cache

import resvg_py
from flask import render_template

from config import ROOT
from facilities.statistics.pictures import Key, Picture, fitted, text_width
from facilities.web.formats import is_chinese

MARGIN, LINE = 20, 19
FONTS = '"Noto Sans CJK SC", "Source Han Sans SC", "PingFang SC", "Microsoft YaHei", sans-serif'
ZOOM = 2  # pixels for each unit: sharp on a page that is printed

_STYLES = ROOT / "static" / "css"
_TOKEN = re.compile(r"(--[\w-]+):\s*([^;]+);")
_USE = re.compile(r"var\((--[\w-]+)\)")


@cache
def file_style() -> str:
    """The charts' rules with the light colours for their names."""
    named = (_STYLES / "huimin.css").read_text(encoding="utf-8")
    tokens = dict(_TOKEN.findall(named[named.index(":root {"):named.index("}")]))
    rules = re.sub(r"/\*.*?\*/", "", (_STYLES / "charts.css").read_text(encoding="utf-8"), flags=re.DOTALL)
    while _USE.search(rules):  # a colour may be named after another
        rules = _USE.sub(lambda use: tokens[use[1]], rules)
    return f"text {{ font-family: {FONTS}; }} " + " ".join(rules.split())


def as_svg(picture: Picture, title: str, desc: str, under: list[str]) -> str:
    """`under`: lines below the title, such as the filters; `desc` says what the picture shows."""
    width = picture.width + 2 * MARGIN
    lines = [part for line in under for part in _wrapped(line, picture.width)]
    keys = _placed(picture.keys)
    keys_at = 56 + LINE * len(lines)
    picture_at = keys_at + (LINE if keys else 0)
    return render_template(
        "statistics/drawing.svg", picture=picture, title=title, desc=desc, under=lines, style=file_style(),
        keys=keys, keys_at=keys_at, picture_at=picture_at, margin=MARGIN, width=width,
        height=picture_at + picture.height + MARGIN, tag="zh-CN" if is_chinese() else "en")


def as_png(svg: str) -> bytes:
    """Needs a font of the server's that has the signs: see docs/deploy.md."""
    return resvg_py.svg_to_bytes(svg_string=svg, zoom=ZOOM, sans_serif_family="Noto Sans CJK SC")


def _placed(keys: tuple[Key, ...]) -> list[tuple[float, Key]]:
    """Beside each other, each with its x."""
    x, placed = float(MARGIN), []
    for key in keys:
        placed.append((round(x, 1), key))
        x += text_width(key.text) + (24 if key.is_line else 18) + 16
    return placed


def _wrapped(text: str, room: float) -> list[str]:
    """Lines that fit, broken where a Latin word or a Chinese sign ends; two at most."""
    if text_width(text) <= room:
        return [text]
    head = fitted(text, room).rstrip("…")
    cut = head.rfind(" ") if " " in head and text_width(head) < len(head) * 10 else -1
    head = head[:cut] if cut > 0 else head
    return [head, fitted(text[len(head):].lstrip(), room)]
