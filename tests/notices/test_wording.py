"""Every kind of message has words, in both languages, whatever its facts hold."""

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask_babel import force_locale

from config import ROOT
from facilities.engine.messages import ANSWERS, TOPIC_OF, Topic
from facilities.notices.short import SHORT
from facilities.notices.wording import WORDS, heading, text

SESSION = {
    "title": "非遗竹编",
    "title_en": "Bamboo weaving",
    "session_id": 7,
    "starts_at": "2026-09-19T09:00:00+08:00",
    "ends_at": "2026-09-19T10:30:00+08:00",
}
LATER = {**SESSION, "starts_at": "2026-09-20T14:00:00+08:00", "ends_at": "2026-09-20T15:30:00+08:00"}
SPACE = {
    "space": "书法室",
    "space_en": "Studio",
    "facility": "桥口",
    "facility_en": "Qiaokou",
    "starts_at": SESSION["starts_at"],
    "ends_at": SESSION["ends_at"],
}
NAMES = {"en": ("Bamboo weaving", "Studio"), "zh": ("非遗竹编", "书法室")}
KINDS = {
    "booked",
    "waitlisted",
    "promoted",
    "offered",
    "offer_expired",
    "moved",
    "session_cancelled",
    "reserved",
    "reservation_moved",
    "reservation_cancelled",
    "drawn",
    "not_drawn",
    "reminder_day",
    "reminder_hour",
    "feedback",
    "no_show_warned",
    "no_show_paused",
    "no_show_pause_lifted",
    "appeal_answered",
}
ABOUT_THE_ACCOUNT = {kind for kind, topic in TOPIC_OF.items() if topic is Topic.SECURITY}


ABOUT_PEOPLE = {"guardian_joined", "guardian_left", "right_ended", "right_ended_by_age", "came_of_age"}


def kinds_told() -> Iterator[str]:
    """What stands where a kind belongs in each `tell(kind, …)` and `_tell(…, …, kind)`, names looked up in the file."""
    for path in Path(ROOT, "facilities").rglob("*.py"):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        named = {
            target.id: node.value
            for node in ast.walk(tree)
            if isinstance(node, ast.Assign)
            for target in node.targets
            if isinstance(target, ast.Name)
        }
        for node in ast.walk(tree):
            if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name):
                continue
            if node.func.id == "tell":
                said: list[ast.expr] = node.args[:1]
            elif node.func.id == "_tell":
                said = node.args
            else:
                continue
            for argument in said:
                value = named.get(argument.id, argument) if isinstance(argument, ast.Name) else argument
                options = [value.body, value.orelse] if isinstance(value, ast.IfExp) else [value]
                yield from (o.value for o in options if isinstance(o, ast.Constant) and isinstance(o.value, str))


def test_every_kind_that_is_told_anywhere_has_words() -> None:
    told = set(kinds_told())
    assert told >= {"booked", "waitlisted", "promoted", "offered", "offer_expired", "moved", "drawn", "not_drawn"}
    assert told <= set(WORDS)
    assert set(WORDS) == KINDS | ABOUT_THE_ACCOUNT | ABOUT_PEOPLE
    assert set(WORDS) == set(SHORT) == set(TOPIC_OF)
    assert set(ANSWERS) <= KINDS


@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize("kind", sorted(KINDS))
def test_a_kind_says_what_and_when(speaking_app: Flask, kind: str, language: str) -> None:
    facts = SPACE if kind.startswith("reserv") else SESSION
    with speaking_app.test_request_context(), force_locale(language):
        said = text(kind, {**facts, "sessions": 1})
        assert heading(kind)
        assert any(name in said for name in NAMES[language])
        assert kind == "not_drawn" or "09:00–10:30" in said
        assert "%(" not in said
        assert "None" not in said


@pytest.mark.parametrize("kind", sorted(WORDS))
def test_a_kind_has_words_for_facts_that_are_few(speaking_app: Flask, kind: str) -> None:
    with speaking_app.test_request_context(), force_locale("en"):
        assert "None" not in text(kind, {"title": "书法室"})
        assert text(kind, {})


@pytest.mark.parametrize(
    ("kind", "facts", "says"),
    [
        pytest.param("moved", {**LATER, "was": SESSION}, ["Sat 19 Sep 09:00", "Sun 20 Sep 14:00"], id="another time"),
        pytest.param("moved", {**SESSION, "was": SESSION}, ["at another place now"], id="another place"),
        pytest.param(
            "moved",
            {**SESSION, "space_en": "Room 2", "was": {**SESSION, "space_en": "Room 1"}},
            ["Room 1 to", "Room 2"],
            id="from room to room",
        ),
        pytest.param("session_cancelled", {**SESSION, "reason": "停电"}, ["does not take place", "停电"], id="why"),
        pytest.param("session_cancelled", SESSION, ["does not take place"], id="no reason"),
        pytest.param("reservation_cancelled", {**SESSION, "reason": "停电"}, ["停电"], id="why a reservation"),
        pytest.param("reserved", SPACE, ["Qiaokou · Studio", "Sat 19 Sep 09:00–10:30"], id="a space"),
        pytest.param(
            "reservation_moved",
            {**SPACE, "space_en": "Hall", "was": SPACE},
            ["from Sat 19 Sep 09:00–10:30 · Qiaokou · Studio to", "Qiaokou · Hall"],
            id="a reservation in another space",
        ),
        pytest.param(
            "offered",
            {**SESSION, "offer_expires_at": "2026-09-18T20:00:00+08:00"},
            ["until Fri 18 Sep 20:00"],
            id="until when",
        ),
        pytest.param("drawn", {**SESSION, "sessions": 6}, ["all its sessions", "Sat 19 Sep"], id="a season"),
    ],
)
def test_what_a_message_says(speaking_app: Flask, kind: str, facts: dict[str, Any], says: list[str]) -> None:
    with speaking_app.test_request_context(), force_locale("en"):
        said = text(kind, facts)
    assert all(part in said for part in says), said
