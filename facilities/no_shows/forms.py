"""Forms for the rule, for exemptions, for saying something to a no-show and for answering."""

from typing import Any

from flask_babel import lazy_gettext as _l
from wtforms import BooleanField, DateField, IntegerField, RadioField, SelectChoice
from wtforms.validators import NumberRange, Optional

from facilities.engine.no_shows import LONGEST_PAUSE, LONGEST_WINDOW, MOST_COUNTED, SHORTEST_WINDOW, NoShowPolicy
from facilities.kernel.refusals import Invalid
from facilities.no_shows.models import Ground
from facilities.no_shows.services import CHANGEABLE
from facilities.web.addresses import EARLIEST_PAGE, LATEST_PAGE
from facilities.web.forms import BaseForm, needed, text
from facilities.web.parts import WORDS


class AppealForm(BaseForm):
    words = text(_l("What should we know?"), longest=500, multiline=True, rows=4, hint=_l(
        "For example that you were there, or gave the place back by telephone. Only staff of the place read it."))


class AnswerForm(BaseForm):
    """Which button was pressed says the rest."""

    reply = text(_l("Your reply"), longest=500, multiline=True, rows=2)


def _number(label: Any, low: int, high: int) -> IntegerField:  # noqa: ANN401 - lazy strings
    return IntegerField(
        label, [needed(), NumberRange(low, high, message=_l("Enter a whole number from %(min)s to %(max)s."))],
        render_kw={"inputmode": "numeric", "min": low, "max": high})


class RuleForm(BaseForm):
    is_on = BooleanField(_l("Missed sessions have consequences"))
    within_days = _number(_l("Days back that count"), SHORTEST_WINDOW, LONGEST_WINDOW)
    warn_at = _number(_l("Missed sessions until a reminder"), 1, MOST_COUNTED)
    pause_at = _number(_l("Missed sessions until a pause"), 2, MOST_COUNTED)
    pause_days = _number(_l("Days that a pause lasts"), 1, LONGEST_PAUSE)
    exempt_disabled = BooleanField(_l("Nothing counts for residents with a registered disability"))

    def show(self, policy: NoShowPolicy) -> None:
        for name in CHANGEABLE:
            self[name].data = getattr(policy, name)

    def values(self) -> dict[str, object]:
        return {name: self[name].data for name in CHANGEABLE}


class ExemptionForm(BaseForm):
    ground = RadioField(_l("Reason"), [needed()], choices=[
        SelectChoice(ground.value, WORDS["exemption_ground"][ground.value]) for ground in Ground])
    from_day = DateField(_l("From"), [needed()])
    until_day = DateField(_l("Until"), [Optional()], description=_l("Leave it empty where no end is known."))

    def check_days(self) -> None:
        """Invalid where a day is too far away for the calendar."""
        for field in (self.from_day, self.until_day):
            if field.data and not EARLIEST_PAGE < field.data < LATEST_PAGE:
                raise Invalid(**{field.name: "day_too_far"})


class TokenForm(BaseForm):
    """Only the token."""
