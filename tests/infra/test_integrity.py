"""Every refusal that a constraint stands for has words, and every code has them in the table."""

import ast
from pathlib import Path

from flask import Flask

from config import ROOT
from facilities.infra.db import Model
from facilities.infra.integrity import named_rules
from facilities.web.wording import INPUT_MESSAGES, KNOWN_CODES


def calls(names: set[str]) -> list[ast.Call]:
    found = []
    for path in Path(ROOT, "facilities").rglob("*.py"):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        found += [
            node
            for node in ast.walk(tree)
            if isinstance(node, ast.Call) and getattr(node.func, "id", getattr(node.func, "attr", "")) in names
        ]
    return found


def test_every_constraint_that_refuses_has_words(app: Flask) -> None:
    codes = {rule.info["refusal"] for rule in named_rules(Model.metadata) if "refusal" in rule.info}
    assert codes >= {"session_full", "already_booked", "overlaps_own_booking", "space_taken", "login_taken"}
    assert codes <= KNOWN_CODES


def test_every_code_in_the_code_has_words() -> None:
    codes = {
        node.args[0].value
        for node in calls({"Refusal", "Refused"})
        if node.args and isinstance(node.args[0], ast.Constant)
    }
    assert "session_cancelled" in codes
    assert codes - {""} <= KNOWN_CODES


def test_every_message_about_input_has_words() -> None:
    keys = {
        keyword.value.value
        for node in calls({"Invalid"})
        for keyword in node.keywords
        if keyword.arg and isinstance(keyword.value, ast.Constant)
    }
    assert "bad_phone" in keys
    assert keys <= set(INPUT_MESSAGES)


def test_every_constraint_has_a_name(app: Flask) -> None:
    assert all(rule.name for rule in named_rules(Model.metadata))
