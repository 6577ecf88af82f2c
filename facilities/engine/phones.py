"""Mobile numbers of the mainland: `1` and ten digits."""

import re
import unicodedata

_MOBILE = re.compile(r"1\d{10}", re.ASCII)


def read_phone(text: str) -> str | None:
    """The eleven digits, or None; blanks, dashes, full-width digits and +86 are forgiven."""
    digits = re.sub(r"[\s\-]", "", unicodedata.normalize("NFKC", text)).removeprefix("+86")
    return digits if _MOBILE.fullmatch(digits) else None
