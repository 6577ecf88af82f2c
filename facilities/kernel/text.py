"""Text from outside: what cannot be stored or said, and how it is shown without saying too much."""

import unicodedata
from enum import StrEnum
from typing import TypeVar


def has_unprintable(text: str, *, multiline: bool = False) -> bool:
    """True where the text holds control characters (NUL among them) or lone surrogates."""
    allowed = "\n\r\t" if multiline else ""
    return any(unicodedata.category(c) in ("Cc", "Cs") and c not in allowed for c in text)


def folded(text: str) -> str:
    """One form for comparing: NFKC (full-width becomes half-width), lower case, single blanks."""
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


def plain_digits(text: str) -> str:
    """A code as it was meant: half-width, without blanks."""
    return "".join(unicodedata.normalize("NFKC", text).split())


def mask_name(name: str) -> str:
    """`王小明` → `王**`; a name of one character shows nothing."""
    return name[:1] + "*" * (len(name) - 1) if len(name) > 1 else "*"


def mask_phone(phone: str) -> str:
    """`13800001234` → `138****1234`."""
    return f"{phone[:3]}****{phone[-4:]}" if len(phone) >= 8 else "****"


Choice = TypeVar("Choice", bound=StrEnum)


def read_choice(kind: type[Choice], text: str | None) -> Choice | None:
    """The member whose value `text` is, or None: what an address says may be anything."""
    return next((member for member in kind if member.value == text), None)
