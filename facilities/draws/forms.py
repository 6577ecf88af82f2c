"""The form by which a manager opens a draw, and the one by which a household enters."""

from typing import Any

from flask_babel import lazy_gettext as _l
from wtforms import (
    BooleanField,
    DateField,
    Field,
    IntegerField,
    SelectChoice,
    TimeField,
    ValidationError,
)
from wtforms.validators import InputRequired, NumberRange, Optional

from facilities.draws.services import GROUPS, LEAST_PERCENT, MOST_PERCENT
from facilities.engine.draws import WeightRule
from facilities.kernel import clock
from facilities.kernel.refusals import Invalid
from facilities.programmes.models import ActivitySession
from facilities.web.addresses import EARLIEST_PAGE, LATEST_PAGE
from facilities.web.formats import day, span
from facilities.web.forms import BaseForm, Ticks, needed, text
from facilities.web.language import in_language


def _percent(label: Any) -> IntegerField:  # noqa: ANN401 - lazy strings
    return IntegerField(
        label, [Optional(), NumberRange(LEAST_PERCENT, MOST_PERCENT,
                                        message=_l("Enter a whole number from %(min)s to %(max)s."))],
        render_kw={"inputmode": "numeric", "min": LEAST_PERCENT, "max": MOST_PERCENT})


class DrawForm(BaseForm):
    session_ids = Ticks(_l("Sessions"), [InputRequired(_l("Choose at least one session."))], coerce=int,
                        description=_l("Who is drawn has a place in all of them."))
    title = text(_l("Title"), longest=80)
    day = DateField(_l("Entries close on"), [needed()])
    time = TimeField(_l("At"), [needed()])
    halve_per_win = BooleanField(
        _l("Who was drawn here in the past year stands back: each time halves the ticket's weight"), default=True)
    children = _percent(_l("With children under 18"))
    elders = _percent(_l("With people of 60 and over"))
    disabled = _percent(_l("With a disability"))

    def validate_title(self, field: Field) -> None:
        """Blanks alone are trimmed to nothing after `needed` has seen them."""
        if not field.data:
            raise ValidationError(str(_l("This is needed.")))

    def offer(self, sessions: list[ActivitySession]) -> None:
        self.session_ids.choices = [
            SelectChoice(s.id, f"{day(s.starts_at)} {span(s.starts_at, s.ends_at)} · {in_language(s, 'title')}")
            for s in sessions]

    def values(self) -> dict[str, Any]:
        """What the service takes, as the fields of the same names."""
        if not EARLIEST_PAGE < self.day.data < LATEST_PAGE:
            raise Invalid(day="day_too_far")
        priority = {name: self[name].data for name in GROUPS if self[name].data}
        return {"session_ids": self.session_ids.data, "title": self.title.data,
                "entries_close_at": clock.at(self.day.data, self.time.data),
                "weights": WeightRule(halve_per_win=self.halve_per_win.data, priority=priority)}

    def show_invalid(self, error: Invalid) -> None:
        """The instant of closing is two fields here."""
        super().show_invalid(Invalid(**{"day" if name == "entries_close_at" else name: key
                                        for name, key in error.fields.items()}))


class TokenForm(BaseForm):
    """Only the token: people are boxes to tick, each with its own value."""
