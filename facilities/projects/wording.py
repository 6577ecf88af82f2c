"""How a number is said: never more exactly than its source gives it."""

from flask_babel import gettext as _

from facilities.engine.projects import Amount, Qualifier
from facilities.web.formats import number


def amount_in_words(amount: Amount, unit: str | None) -> str:
    said = f"{number(amount.number)} {unit}" if unit else number(amount.number)
    if amount.qualifier is Qualifier.MORE_THAN:
        return _("more than %(amount)s", amount=said)
    if amount.qualifier is Qualifier.AT_LEAST:
        return _("at least %(amount)s", amount=said)
    if amount.qualifier is Qualifier.ABOUT:
        return _("about %(amount)s", amount=said)
    return said
