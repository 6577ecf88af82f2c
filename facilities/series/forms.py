"""The forms by which a manager repeats a session, and changes what is still to come of a series."""

from typing import Any

from flask_babel import lazy_gettext as _l
from wtforms import DateField, IntegerField, RadioField, SelectChoice
from wtforms.validators import NumberRange, Optional
from wtforms.widgets import HiddenInput

from facilities.engine.recurrence import MOST_OCCURRENCES
from facilities.engine.working_days import OnRestDays
from facilities.kernel.refusals import Invalid
from facilities.programmes.forms import SessionForm
from facilities.programmes.models import ActivitySession
from facilities.web.forms import BaseForm, Ticks, needed, text
from facilities.web.parts import WORDS

WEEKDAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")


class SeriesForm(SessionForm):
    """A session, and how it is repeated."""

    day = DateField(_l("First day"), [needed()], description=_l("An end before the start means the next day."))
    repeat = RadioField(_l("Repeat"), [needed()], default="weekly", choices=[
        SelectChoice("weekly", _l("Every week")), SelectChoice("daily", _l("Every day")),
        SelectChoice("monthly", _l("Every month, on the same weekday"))])
    weekdays = Ticks(_l("On these days of the week"), [Optional()], coerce=int,
                     description=_l("For every week. Without a choice: on the weekday of the first day."),
                     choices=[SelectChoice(number, name) for number, name in WORDS["weekday"].items()])
    last_day = DateField(_l("Until"), [Optional()])
    times = IntegerField(_l("Or how many times"), [Optional(), NumberRange(
        1, MOST_OCCURRENCES, message=_l("Enter a whole number from %(min)s to %(max)s."))],
        render_kw={"inputmode": "numeric", "min": 1, "max": MOST_OCCURRENCES})
    on_rest_days = RadioField(
        _l("On rest days and public holidays"), [needed()], default=OnRestDays.SKIP.value,
        choices=[SelectChoice(OnRestDays.SKIP.value, _l("Leave out")),
                 SelectChoice(OnRestDays.HOLD.value, _l("Hold as well"))])

    def plan(self) -> dict[str, Any]:
        """What `Plan` takes besides the facility. Invalid where it does not say, or says twice, when it ends."""
        if (self.last_day.data is None) == (self.times.data is None):
            raise Invalid(last_day="one_end")
        values = self.values()
        lasts = values.pop("ends_at") - values["starts_at"]
        return {**values, "duration_minutes": int(lasts.total_seconds()) // 60, "rrule": self._rule(),
                "on_rest_days": OnRestDays(self.on_rest_days.data)}

    def _rule(self) -> str:
        """RFC 5545. A fifth weekday, which not every month has, is taken for the last one."""
        first = self.day.data
        weekday, turn = WEEKDAYS[first.weekday()], (first.day - 1) // 7 + 1
        how = {
            "daily": "FREQ=DAILY",
            "weekly": "FREQ=WEEKLY;BYDAY=" + (",".join(WEEKDAYS[n] for n in sorted(self.weekdays.data)) or weekday),
            "monthly": f"FREQ=MONTHLY;BYDAY={turn if turn < 5 else -1}{weekday}",
        }[self.repeat.data]
        if self.times.data is not None:
            return f"{how};COUNT={self.times.data}"
        return f"{how};UNTIL={self.last_day.data:%Y%m%d}"

    def show_invalid(self, error: Invalid) -> None:
        """What is wrong with the rule is said where its end is given, which is what can be mended."""
        super().show_invalid(Invalid(**{"last_day" if name == "rrule" else name: key
                                        for name, key in error.fields.items()}))


class SeriesChangeForm(SessionForm):
    """What the occurrences to come shall be like; filled in from the first of them."""

    programme_id = IntegerField(widget=HiddenInput())

    def changes(self, first: ActivitySession) -> dict[str, Any]:
        """What was changed on the form and nothing else, so that the rest may differ from one to the other."""
        values = self.values(first.communities or ())
        lasts = values.pop("ends_at") - values["starts_at"]
        changes = {name: value for name, value in values.items() if getattr(first, name) != value}
        changes.pop("programme_id", None)
        if lasts != first.ends_at - first.starts_at:
            changes["duration_minutes"] = int(lasts.total_seconds()) // 60
        return changes


class SeriesCallOffForm(BaseForm):
    reason = text(_l("Reason"), longest=200, hint=_l("Everyone who has booked will read it."), rows=2)


class RemoveForm(BaseForm):
    """Only the token."""
