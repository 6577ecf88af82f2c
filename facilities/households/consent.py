"""What people agree to, in which words. Words that change get a new version; the old ones stay for who agreed."""

from collections.abc import Mapping
from typing import Any

from flask_babel import lazy_gettext as _l

from facilities.households.models import ConsentKind

CURRENT: Mapping[ConsentKind, str] = {
    ConsentKind.REGISTRATION: "2026-09",
    ConsentKind.GUARDIAN: "2026-09",
    ConsentKind.DISABILITY: "2026-09",
    ConsentKind.HEALTH: "2026-09",
}

# PIPL art. 17: who is asked is told what is kept and what for; art. 29 and 31: separately for what is sensitive
_TEXTS: Mapping[tuple[ConsentKind, str], Any] = {
    (ConsentKind.REGISTRATION, "2026-09"): _l(
        "I agree that my name, date of birth, sex and phone number are kept for my bookings, "
        "and that attendance is counted without names."),
    (ConsentKind.GUARDIAN, "2026-09"): _l(
        "I look after this child and agree that the child's name, date of birth and sex are kept for bookings."),
    (ConsentKind.DISABILITY, "2026-09"): _l(
        "I agree that the kind and grade of disability are kept, so that services for people with disabilities can be "
        "booked and places drawn by the rules. Apart from that they are only counted, without names."),
    (ConsentKind.HEALTH, "2026-09"): _l(
        "I agree that visits to the doctor and health groups are kept, so that the doctor's station can look after "
        "this person. Apart from that they are only counted, without names."),
}

HEADINGS: Mapping[ConsentKind, Any] = {
    ConsentKind.REGISTRATION: _l("Your account"),
    ConsentKind.GUARDIAN: _l("A child under 14"),
    ConsentKind.DISABILITY: _l("Disability"),
    ConsentKind.HEALTH: _l("Health"),
}


def words_of(kind: ConsentKind, version: str | None = None) -> Any:  # noqa: ANN401 - a lazy string
    """What was agreed to, or what is asked at present; in the reader's language."""
    return _TEXTS.get((kind, version or CURRENT[kind]), _TEXTS[kind, CURRENT[kind]])
