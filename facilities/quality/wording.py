"""The words of the findings, for pages: what each is called, what it means, and what mends it."""

from typing import Any

from flask_babel import lazy_gettext as _l

from facilities.engine.likeness import Likeness
from facilities.quality.models import WhyRight
from facilities.quality.queries import Finding

TITLES: dict[Finding, Any] = {
    Finding.NO_BIRTH_DATE: _l("Nobody knows their age"),
    Finding.NO_ROLL: _l("Over, and nobody is entered"),
    Finding.CROWDED: _l("Far more people than places"),
    Finding.LIKELY_TWICE: _l("Perhaps registered twice"),
}
MEANING: dict[Finding, Any] = {
    Finding.NO_BIRTH_DATE: _l(
        "These people came to something, and without a birth date they count neither as women, nor children, nor men."),
    Finding.NO_ROLL: _l(
        "These sessions ended more than a day ago, and as long as nobody is entered they count as not held."),
    Finding.CROWDED: _l(
        "Far more people were entered at these sessions than there are places: half as many again, and ten at least."),
    Finding.LIKELY_TWICE: _l(
        "These records look like one person's, who is then counted as two persons; nothing is merged by itself."),
}
LIKENESS: dict[Likeness, Any] = {
    Likeness.SAME_NAME: _l("Same name, sex and birth date"),
    Likeness.SAME_SOUND: _l("Same sex and birth date, a name that sounds the same"),
    Likeness.ONE_CHARACTER: _l("Same sex and birth date, one character of the name differs"),
    Likeness.SAME_PHONE: _l("Same name and mobile number"),
}
WHY_RIGHT: dict[WhyRight, Any] = {
    WhyRight.OPEN_EVENT: _l("An open event: everybody could come"),
    WhyRight.LARGER_PLACE: _l("It was held in a larger place"),
    WhyRight.IN_TURNS: _l("People came in turns"),
    WhyRight.OTHER: _l("Counted again, and it is right"),
}
