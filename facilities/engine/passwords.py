"""What a password must be: long enough and not one that everybody tries first; no composition rules."""

RESIDENT_MINIMUM = 8
STAFF_MINIMUM = 12
MAXIMUM = 128  # a bound for the hash function's work, far above what people type


def check_password(password: str, *, common: frozenset[str], staff: bool) -> str | None:
    """A message key, or None where the password is fit."""
    if len(password) < (STAFF_MINIMUM if staff else RESIDENT_MINIMUM):
        return "password_too_short_staff" if staff else "password_too_short"
    if len(password) > MAXIMUM:
        return "password_too_long"
    if password.casefold() in common:
        return "password_too_common"
    return None
