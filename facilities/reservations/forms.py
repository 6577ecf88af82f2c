"""The form by which a resident reserves a space."""

from collections.abc import Sequence

from flask_babel import lazy_gettext as _l
from wtforms import RadioField, SelectChoice

from facilities.households.models import Guardianship
from facilities.web.forms import BaseForm, needed, text


class ReserveForm(BaseForm):
    """The time is in the address: it was chosen on the space's own page."""

    resident_id = RadioField(_l("For whom?"), [needed()], validate_choice=False)  # whose it may be, the service knows
    purpose = text(_l("What for?"), longest=200, hint=_l("A few words, for example: choir practice."))

    def offer_choices(self, links: Sequence[Guardianship]) -> None:
        self.resident_id.choices = [SelectChoice(str(link.resident_id), link.resident.name) for link in links]
        if self.resident_id.data is None and links:
            self.resident_id.data = str(links[0].resident_id)


class ButtonForm(BaseForm):
    """Only the token: the choice is the button."""
