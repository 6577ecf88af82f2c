"""Ids as the outside sees them: opaque strings, read back strictly."""

import secrets

from facilities.kernel.refusals import NotVisible

_ALPHABET = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"  # nothing that is mistaken for something else aloud
_LARGEST = 2**63 - 1


def read_id(text: str) -> int:
    """The row number behind a public id; NotVisible where no row could have it."""
    if not (text.isascii() and text.isdigit()) or len(text) > 19 or int(text) > _LARGEST or text[0] == "0":
        raise NotVisible
    return int(text)


def new_reference(length: int = 8) -> str:
    """A code to be said at a counter: 31^8, about 8.5e11, are possible. The machine's randomness is asked once."""
    number, letters = secrets.randbelow(len(_ALPHABET) ** length), []
    for _ in range(length):
        number, digit = divmod(number, len(_ALPHABET))
        letters.append(_ALPHABET[digit])
    return "".join(letters)
