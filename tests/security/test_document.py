"""docs/security.md names tests that are there."""

import re

from config import ROOT

# Of modules whose tests say so themselves elsewhere, only the file is looked for, and only where it is there.
HERE = re.compile(r"^tests/(security|infra|web|engine|test_)")


def test_every_test_that_the_document_names_is_there() -> None:
    said = (ROOT / "docs" / "security.md").read_text(encoding="utf-8")
    named = re.findall(r"`(tests/[\w/]+\.py)(?:::(test_\w+)(…?))?`", said)
    assert len(named) > 40
    missing = []
    for file, test, _ in named:
        path = ROOT / file
        if path.exists():
            found = re.findall(r"^def (test_\w+)", path.read_text(encoding="utf-8"), re.MULTILINE)
            if test and not any(name.startswith(test) for name in found):
                missing.append(f"{file}::{test}")
        elif HERE.match(file):
            missing.append(file)
    assert missing == []


def test_every_item_is_in_one_table_once() -> None:
    said = (ROOT / "docs" / "security.md").read_text(encoding="utf-8")
    chapters = {"3", "6", "7", "8", "11", "14", "16"}
    items = [
        item
        for row in re.findall(r"^\| (\d+\.\d+\.\d+[^|]*)\|", said, re.MULTILINE)
        for item in re.findall(r"\d+\.\d+\.\d+", row)
    ]
    assert {item.partition(".")[0] for item in items} == chapters
    assert sorted(items) == sorted(set(items))
