"""The form by which a place is closed."""

from typing import Any

from flask_babel import lazy_gettext as _l
from wtforms import BooleanField, DateField, SelectChoice, SelectField, TimeField
from wtforms.validators import Optional

from facilities.closures.services import Closing
from facilities.kernel import clock
from facilities.kernel.refusals import Invalid
from facilities.places.models import Space
from facilities.web.addresses import EARLIEST_PAGE, LATEST_PAGE
from facilities.web.forms import BaseForm, needed, text
from facilities.web.language import in_language


class ClosureForm(BaseForm):
    space_id = SelectField(_l("What is closed"), [needed()], coerce=int,
                           description=_l("A space is closed with all that lies inside it and around it."))
    at_once = BooleanField(_l("At once"))
    first_day = DateField(_l("Or from"), [Optional()])
    starts = TimeField(_l("Starting at"), [Optional()])
    last_day = DateField(_l("Until"), [needed()])
    ends = TimeField(_l("Ending at"), [needed()])
    reason = text(_l("Reason"), longest=200, rows=2,
                  hint=_l("Everyone sees it on the page of the place, and everyone concerned is told."))

    def offer_spaces(self, spaces: list[Space]) -> None:
        self.space_id.choices = [SelectChoice(0, _l("The whole facility")),
                                 *(SelectChoice(space.id, in_language(space)) for space in spaces)]

    def closing(self, facility_id: int) -> Closing:
        """Invalid where a day is missing or too far away."""
        at_once = self.at_once.data
        if not at_once and (self.first_day.data is None or self.starts.data is None):
            raise Invalid(first_day="when_it_starts")
        for field in (self.last_day,) if at_once else (self.first_day, self.last_day):
            if not EARLIEST_PAGE < field.data < LATEST_PAGE:
                raise Invalid(**{field.name: "day_too_far"})
        starts_at = None if at_once else clock.at(self.first_day.data, self.starts.data)
        return Closing(facility_id, self.space_id.data or None, starts_at,
                       clock.at(self.last_day.data, self.ends.data))

    def show_invalid(self, error: Invalid) -> None:
        """Instants are two fields each here."""
        fields: dict[str, Any] = {"starts_at": "first_day", "ends_at": "last_day"}
        super().show_invalid(Invalid(**{fields.get(name, name): key for name, key in error.fields.items()}))


class LiftForm(BaseForm):
    """Only the token."""
