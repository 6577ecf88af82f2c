"""Every string has a translation, every translation a string, and a translation keeps what the program puts in."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog, Message
from babel.messages.extract import DEFAULT_KEYWORDS, extract_from_dir
from babel.messages.frontend import parse_mapping_cfg
from babel.messages.pofile import read_po

from config import ROOT

KEYWORDS = {**DEFAULT_KEYWORDS, "_l": None, "lazy_gettext": None}  # as in bin/translations
CATALOGUES = sorted((ROOT / "translations").glob("*/LC_MESSAGES/messages.po"))
PLACEHOLDER = re.compile(r"%(?:\(\w+\))?[-#0 +]*\d*(?:\.\d+)?[a-zA-Z%]")
HALF_WIDTH_IN_CHINESE = re.compile(r"(?<=[\u4e00-\u9fff])[,;?!]|[,;?!](?=\s*[\u4e00-\u9fff])")
RUN = "Run bin/translations, then fill in what is empty."

Key = tuple[str, str | None]  # msgid and plural


def key_of(msgid: str | list[str] | tuple[str, ...]) -> Key:
    return (msgid, None) if isinstance(msgid, str) else (msgid[0], msgid[1])


def read_catalogue(path: Path) -> Catalog:
    with path.open("rb") as file:
        return read_po(file, locale=path.parts[-3], abort_invalid=True)


def entries(catalogue: Catalog) -> Iterator[Message]:
    """Without the header, which has no msgid."""
    return (message for message in catalogue if message.id)


def translations_of(message: Message) -> list[str]:
    forms = [message.string] if isinstance(message.string, str) else message.string or [""]
    return [form or "" for form in forms]


def placeholders(text: str) -> list[str]:
    return sorted(PLACEHOLDER.findall(text))


@pytest.fixture(scope="module")
def strings_in_the_code() -> set[Key]:
    with (ROOT / "babel.cfg").open() as file:
        methods, options = parse_mapping_cfg(file)
    found = extract_from_dir(ROOT, methods, options, keywords=KEYWORDS)
    return {key_of(msgid) for _path, _line, msgid, _comments, _context in found}


@pytest.fixture(scope="module", params=CATALOGUES, ids=lambda path: path.parts[-3])
def catalogue(request: pytest.FixtureRequest) -> Catalog:
    return read_catalogue(request.param)


def test_every_string_in_the_code_is_in_the_catalogue(strings_in_the_code: set[Key], catalogue: Catalog) -> None:
    missing = strings_in_the_code - {key_of(message.id) for message in entries(catalogue)}
    assert not missing, RUN


def test_the_catalogue_holds_no_string_that_is_not_used(strings_in_the_code: set[Key], catalogue: Catalog) -> None:
    unused = {key_of(message.id) for message in entries(catalogue)} - strings_in_the_code
    assert not unused, RUN
    assert not catalogue.obsolete, RUN


def test_every_string_is_translated(catalogue: Catalog) -> None:
    untranslated = [
        message.id
        for message in entries(catalogue)
        if message.fuzzy or not all(text.strip() for text in translations_of(message))
    ]
    assert not untranslated, RUN


def test_every_plural_form_is_there(catalogue: Catalog) -> None:
    assert not [
        message.id
        for message in entries(catalogue)
        if message.pluralizable and len(translations_of(message)) != catalogue.num_plurals
    ]


def test_a_translation_has_the_placeholders_of_its_string(catalogue: Catalog) -> None:
    differing = []
    for message in entries(catalogue):
        singular, plural = key_of(message.id)
        wanted = placeholders(plural or singular)
        differing += [(message.id, text) for text in translations_of(message) if text and placeholders(text) != wanted]
    assert not differing


def test_chinese_has_full_width_punctuation(catalogue: Catalog) -> None:
    assert not [
        text
        for message in entries(catalogue)
        for text in translations_of(message)
        if HALF_WIDTH_IN_CHINESE.search(text)
    ]
