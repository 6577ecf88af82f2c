"""The form by which a manager announces or changes a session."""

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from flask_babel import lazy_gettext as _l
from wtforms import BooleanField, DateField, IntegerField, SelectChoice, SelectField, TimeField
from wtforms.validators import NumberRange, Optional

from facilities.engine.waitlist import WaitlistMode
from facilities.kernel import clock
from facilities.kernel.refusals import Invalid
from facilities.places.models import Space
from facilities.programmes.models import ActivitySession, Programme
from facilities.programmes.services import audience_of
from facilities.web.addresses import EARLIEST_PAGE, LATEST_PAGE
from facilities.web.forms import BaseForm, needed, text
from facilities.web.language import in_language
from facilities.web.parts import WORDS


def _number(label: Any, low: int, high: int, *, optional: bool = True) -> IntegerField:  # noqa: ANN401 - lazy strings
    return IntegerField(
        label, [Optional() if optional else needed(),
                NumberRange(low, high, message=_l("Enter a whole number from %(min)s to %(max)s."))],
        render_kw={"inputmode": "numeric", "min": low, "max": high})


class SessionForm(BaseForm):
    programme_id = SelectField(_l("Programme"), [needed()], coerce=int)
    title = text(_l("Title"), longest=80)
    title_en = text(_l("Title in English"), longest=120, optional=True)
    day = DateField(_l("Day"), [needed()], description=_l("An end before the start means the next day."))
    starts = TimeField(_l("From"), [needed()])
    ends = TimeField(_l("To"), [needed()])
    space_id = SelectField(_l("Space"), [Optional()], coerce=int, description=_l("It is held for the session."))
    capacity = _number(_l("Number of places"), 1, 100_000, optional=False)
    min_age = _number(_l("From age"), 0, 130)
    max_age = _number(_l("Up to age"), 0, 130)
    sex = SelectField(_l("For"), [Optional()], choices=[
        SelectChoice("", _l("Everyone")), SelectChoice("female", _l("Women and girls")),
        SelectChoice("male", _l("Men and boys"))])
    disability = BooleanField(_l("Only for residents with disabilities"))
    waitlist_mode = SelectField(_l("When it is full"), [Optional()], default="confirm", choices=[
        SelectChoice("confirm", _l("Waiting list: the next one has the place and is told")),
        SelectChoice("offer", _l("Waiting list: the next one is asked first")),
        SelectChoice("off", _l("No waiting list"))])
    waitlist_capacity = _number(_l("Longest waiting list"), 1, 100_000)
    offer_minutes = _number(_l("Minutes to answer an offer"), 1, 7 * 24 * 60)
    details = text(_l("What to expect, what to bring"), longest=1000, optional=True, multiline=True, rows=4)

    def offer_choices(self, programmes: list[Programme], spaces: list[Space]) -> None:
        self.programme_id.choices = [SelectChoice(p.id, in_language(p)) for p in programmes]
        self.space_id.choices = [SelectChoice(0, WORDS["none"]["space"]),
                                 *(SelectChoice(s.id, in_language(s)) for s in spaces)]

    def show(self, session: ActivitySession) -> None:
        """Start from what is announced."""
        start, end = clock.local(session.starts_at), clock.local(session.ends_at)
        self.day.data, self.starts.data, self.ends.data = start.date(), start.time(), end.time()
        for name in ("programme_id", "title", "title_en", "capacity", "min_age", "max_age", "details", "disability",
                     "waitlist_capacity", "offer_minutes"):
            self[name].data = getattr(session, name)
        self.space_id.data = session.space_id or 0
        self.sex.data = session.sex.value if session.sex else ""
        self.waitlist_mode.data = session.waitlist_mode.value

    def values(self, communities: Iterable[str] = ()) -> dict[str, Any]:
        """What the service takes; `communities` are not asked for and stay. Invalid where ages or times do not fit."""
        if not EARLIEST_PAGE < self.day.data < LATEST_PAGE:
            raise Invalid(day="day_too_far")
        if self.starts.data == self.ends.data:  # a whole day is hardly ever meant
            raise Invalid(ends="ends_before_it_starts")
        starts_at = clock.at(self.day.data, self.starts.data)
        ends_at = clock.at(self.day.data, self.ends.data)
        return {
            "programme_id": self.programme_id.data, "title": self.title.data, "title_en": self.title_en.data or None,
            "starts_at": starts_at, "ends_at": ends_at if ends_at > starts_at else ends_at + timedelta(days=1),
            "space_id": self.space_id.data or None, "capacity": self.capacity.data,
            "details": self.details.data or None,
            "audience": audience_of(self.min_age.data, self.max_age.data, self.sex.data or None,
                                    disability=self.disability.data, communities=communities),
            "waitlist_mode": WaitlistMode(self.waitlist_mode.data),
            "waitlist_capacity": self.waitlist_capacity.data, "offer_minutes": self.offer_minutes.data,
        }
