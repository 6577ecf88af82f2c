"""Addresses of letters, as far as every mail server takes them."""

import re

LONGEST = 254  # RFC 5321
_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_ADDRESS = re.compile(rf"[A-Za-z0-9.!#$%&'*+/=?^_`{{|}}~-]{{1,64}}@(?:{_LABEL}\.)+[A-Za-z]{{2,63}}")


def read_mail_address(text: str) -> str | None:
    """As it is kept, the part behind the @ in small letters; None where it is none."""
    local, _, domain = text.strip().rpartition("@")
    address = f"{local}@{domain.lower()}"
    fits = len(address) <= LONGEST and _ADDRESS.fullmatch(address) and ".." not in local
    return address if fits and not (local.startswith(".") or local.endswith(".")) else None
