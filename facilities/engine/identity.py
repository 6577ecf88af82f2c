"""Identity numbers (GB 11643) and the numbers of disability certificates, as people write them.

A certificate's number is the holder's identity number, then the category, the grade and perhaps a reissue (B1 … B9):
《中华人民共和国残疾人证管理办法》, annex on numbering.
"""

import re
import unicodedata
from dataclasses import dataclass
from datetime import date

from facilities.engine.eligibility import Sex

_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_CHECK_CHARACTERS = "10X98765432"  # by the weighted sum's rest mod 11 (ISO 7064, MOD 11-2)
_NUMBER = re.compile(r"[0-9]{17}[0-9X]")
_CERTIFICATE = re.compile(r"([0-9]{17}[0-9X])([1-7])([1-4])(?:B[0-9])?")
LENGTH = 18


@dataclass(frozen=True, slots=True)
class IdNumber:
    """`number` in the one form that is stored: half-width, without blanks, X as a capital."""

    number: str
    birth_date: date
    sex: Sex


@dataclass(frozen=True, slots=True)
class Certificate:
    """`number` with the reissue, where there is one; category and grade as `residents` has them."""

    number: str
    holder: IdNumber
    category: int
    grade: int


def read_id_number(text: str, today: date) -> IdNumber | str:
    """What the number says, or the key of the message that says what is wrong with it.

    The region in its first six digits is not looked at: it may be long gone, and numbers do not change.
    """
    number = _in_one_form(text)
    if not _NUMBER.fullmatch(number) or check_character(number) != number[-1]:
        return "id_number_check"
    try:
        born = date(int(number[6:10]), int(number[10:12]), int(number[12:14]))
    except ValueError:
        return "id_number_check"
    if born > today:
        return "id_number_check"
    return IdNumber(number, born, Sex.MALE if int(number[16]) % 2 else Sex.FEMALE)


def read_certificate(text: str, today: date) -> Certificate | str:
    """As `read_id_number`, for 20 digits and a reissue: `certificate_check` where it cannot be."""
    match = _CERTIFICATE.fullmatch(number := _in_one_form(text))
    holder = read_id_number(match[1], today) if match else None
    if match is None or not isinstance(holder, IdNumber):
        return "certificate_check"
    return Certificate(number, holder, int(match[2]), int(match[3]))


def check_character(number: str) -> str:
    """The eighteenth, from the seventeen digits before it."""
    return _CHECK_CHARACTERS[sum(w * int(digit) for w, digit in zip(_WEIGHTS, number[:17], strict=True)) % 11]


def mask_number(number: str) -> str:
    """`11010519491231002X` → `110*************2X`: enough to know one's own again, too little to use."""
    return number[:3] + "*" * (len(number) - 5) + number[-2:]


def _in_one_form(text: str) -> str:
    return "".join(unicodedata.normalize("NFKC", text).split()).upper()
