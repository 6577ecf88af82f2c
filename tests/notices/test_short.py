"""Texts for where there is little room: neutral, short, nobody's name, and as providers register them."""

import re
from typing import Any

import pytest
from flask import Flask
from flask_babel import force_locale

from facilities.engine.messages import ANSWERS, TOPIC_OF
from facilities.engine.short_texts import LONGEST, is_neutral, parts
from facilities.notices import wording
from facilities.notices.short import SHORT, registered, short
from tests.notices.test_wording import SESSION, SPACE

LANGUAGES = ["zh", "en"]
PAGE = "huimin.example.org/a"
# As long as things may be, with names and a condition where staff might write them.
LONG: dict[str, Any] = {
    **SESSION,
    "title": "非遗竹编与蜀绣体验周末亲子专场" * 5,
    "title_en": "Bamboo weaving and embroidery for families " * 3,
    "reason": "王桂芳老师生病，13900000001",
    "reference": "ABCD2345",
    "code": "123456",
    "at": SESSION["starts_at"],
    "device": "Chrome on Android",
    "offer_expires_at": "2026-09-18T20:00:00+08:00",
    "sessions": 6,
}


def said(speaking_app: Flask, kind: str, language: str, facts: dict[str, Any], **more: Any) -> str:
    with speaking_app.test_request_context(), force_locale(language):
        return short(kind, facts, **more).text


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("kind", sorted(SHORT))
def test_a_text_is_neutral_short_and_about_nobody(speaking_app: Flask, kind: str, language: str) -> None:
    text = said(speaking_app, kind, language, LONG, page=PAGE, answer="ABCDEFGHJK")
    assert len(text) <= LONGEST
    assert parts(text, "惠民大渡口") <= (2 if language == "zh" else 4)
    assert is_neutral(text)
    assert not any(sign in text for sign in ("【", "】", "%(", "None", "王桂芳", "13900000001", "\n"))


@pytest.mark.parametrize("kind", sorted(SHORT))
def test_a_usual_text_in_chinese_is_one_message_or_two_with_an_answer(speaking_app: Flask, kind: str) -> None:
    usual = {**SPACE, "title": None} if kind.startswith("reserv") else SESSION
    facts = {**LONG, **usual}
    assert parts(said(speaking_app, kind, "zh", facts), "惠民大渡口") == 1
    assert parts(said(speaking_app, kind, "zh", facts, page=PAGE, answer="ABCDEFGHJK"), "惠民大渡口") <= 2


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("kind", sorted(SHORT))
def test_what_a_provider_registers_is_what_it_is_sent(speaking_app: Flask, kind: str, language: str) -> None:
    """Variables are not adjacent and not the whole; filled in, in order, they give the text; addresses are constant."""
    with speaking_app.test_request_context(), force_locale(language):
        text = registered(kind, PAGE)
        found = short(kind, LONG, page=PAGE, answer="ABCDEFGHJK")
    assert not re.search(r"\}\s*\{", text)
    assert len(re.sub(r"\{\d+\}", "", text)) > 6
    numbers = [int(n) for n in re.findall(r"\{(\d+)\}", text)]
    assert numbers == list(range(1, len(found.parameters) + 1))
    filled = re.sub(r"\{(\d+)\}", lambda n: found.parameters[int(n[1]) - 1], text)
    assert filled == found.text
    assert (PAGE in text) is (kind in ANSWERS)
    assert not any(PAGE in parameter for parameter in found.parameters)


@pytest.mark.parametrize("kind", sorted(SHORT))
def test_a_kind_has_a_text_for_facts_that_are_few(speaking_app: Flask, kind: str) -> None:
    assert "None" not in said(speaking_app, kind, "en", {})


def test_the_copy_for_a_carer_says_that_it_is_one(speaking_app: Flask) -> None:
    assert said(speaking_app, "booked", "en", LONG, copy=True).startswith("Copy. Booked:")
    assert said(speaking_app, "booked", "zh", LONG, copy=True).startswith("抄送：已预约：")


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("kind", sorted(TOPIC_OF))
def test_no_message_holds_a_persons_name_or_number(speaking_app: Flask, kind: str, language: str) -> None:
    """Facts that somebody might add one day are not said by accident; only a reason is said as it was given."""
    planted = {"name": "向德福", "phone": "13900000009", "id_number": "500104198804120025", "resident": "罗玉兰"}
    facts = {key: value for key, value in LONG.items() if key != "reason"} | planted
    with speaking_app.test_request_context(), force_locale(language):
        text = f"{short(kind, facts).text} {wording.text(kind, facts)} {wording.heading(kind)}"
    assert [value for value in planted.values() if value in text] == []


@pytest.mark.parametrize("kind", sorted(TOPIC_OF))
def test_a_long_text_fits_a_letter_and_a_phone(speaking_app: Flask, kind: str) -> None:
    with speaking_app.test_request_context(), force_locale("zh"):
        assert len(wording.text(kind, LONG)) <= LONGEST
        assert len(wording.heading(kind)) <= 20
