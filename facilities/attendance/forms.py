"""Forms of the desk. Each tap carries the id of the event that it would make: sent twice, it counts once."""

from datetime import timedelta
from typing import Any

from flask_babel import lazy_gettext as _l
from flask_babel import ngettext
from wtforms import DateField, HiddenField, IntegerField, RadioField, SelectChoice, SelectField
from wtforms.validators import InputRequired, NumberRange, Optional

from facilities.engine.eligibility import Sex
from facilities.engine.roll_call import VoidReason
from facilities.places.models import Facility
from facilities.web.forms import BaseForm, needed, phone, text
from facilities.web.language import in_language
from facilities.web.parts import WORDS

OPEN_FOR = (1, 3, 7, 14)  # days for which a day can be reopened


def _count(label: Any) -> IntegerField:  # noqa: ANN401 - lazy strings
    return IntegerField(label, [Optional(), NumberRange(0, 100_000, message=_l("Enter a whole number from 0."))],
                        default=0, render_kw={"inputmode": "numeric", "min": 0})


class TickForm(BaseForm):
    event_id = HiddenField()


class WalkInForm(TickForm):
    phone = phone(_l("Mobile number, if known"), optional=True, autocomplete="off")


class NewcomerForm(TickForm):
    """Somebody who comes for the first time and is not known yet."""

    name = text(_l("Name"), longest=64, autocomplete="off")
    sex = RadioField(_l("Sex"), [InputRequired(_l("Choose one."))],
                     choices=[SelectChoice(s.value, WORDS["sex"][s.value]) for s in Sex])
    birth_date = DateField(_l("Birth date, if they say it"), [Optional()],
                           description=_l("Without it they are counted, but not as woman, child or man."))
    phone = phone(_l("Mobile number, if they want messages"), optional=True, autocomplete="off")


class HeadCountForm(TickForm):
    women = _count(_l("Women"))
    children = _count(_l("Children"))
    men = _count(_l("Men"))
    elders = _count(_l("of whom 60 or older"))
    disabled = _count(_l("of whom with a disability"))


class VoidForm(TickForm):
    reason = RadioField(_l("Why is it taken back?"), [InputRequired(_l("Choose one."))],
                        choices=[SelectChoice(r.value, WORDS["void_reason"][r.value]) for r in VoidReason])


class ReopenForm(BaseForm):
    facility_id = SelectField(_l("Place"), [needed()])
    day = DateField(_l("Day"), [needed()])
    days = SelectField(_l("Open for"), [needed()], coerce=int, default=3)
    reason = text(_l("Why"), longest=200, hint=_l("For the record, which the managers see. No names of residents."))

    def offer(self, facilities: list[Facility]) -> None:
        self.facility_id.choices = [SelectChoice(str(f.id), in_language(f)) for f in facilities]
        self.days.choices = [SelectChoice(n, ngettext("%(num)d day", "%(num)d days", n)) for n in OPEN_FOR]

    @property
    def lasts(self) -> timedelta:
        return timedelta(days=self.days.data)


class LimitForm(BaseForm):
    manager_days = IntegerField(
        _l("Days after a session in which its managers may enter or correct"),
        [needed(), NumberRange(1, 365, message=_l("Enter a number from 1 to 365."))],
        render_kw={"inputmode": "numeric", "min": 1, "max": 365},
        description=_l("After that an administrator does it, or reopens the day."))
