"""Forms that mend what makes figures wrong."""

from flask_babel import lazy_gettext as _l
from wtforms import SelectChoice, SelectField

from facilities.households.forms import PersonForm
from facilities.quality.wording import WHY_RIGHT
from facilities.web.forms import BaseForm, needed


class BirthForm(PersonForm):
    """Of somebody whose name is known."""

    name = None


class AcceptForm(BaseForm):
    why = SelectField(_l("Why it is right"), [needed()],
                      choices=[SelectChoice(why.value, words) for why, words in WHY_RIGHT.items()])


class TokenForm(BaseForm):
    """Only the token."""
