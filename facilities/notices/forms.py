"""Forms about how somebody is told, and about answers to what they were told."""

from datetime import time

from flask_babel import lazy_gettext as _l
from wtforms import BooleanField, RadioField, SelectChoice, SelectField

from facilities.engine.deliveries import QUIET
from facilities.engine.messages import Channel, Topic
from facilities.notices.preferences import Choices, Preferences
from facilities.web.forms import BaseForm, needed, phone, text
from facilities.web.language import LANGUAGES

NEVER = "never"
_EVENINGS = ("20:00", "21:00", "22:00", "23:00")
_MORNINGS = ("06:00", "07:00", "08:00", "09:00", "10:00")


class PreferencesForm(BaseForm):
    """The boxes of the grid are named `topic-channel`; one that is not sent is not ticked."""

    language = RadioField(_l("Language of messages"), [needed()],
                          choices=[SelectChoice(tag, name) for tag, name in LANGUAGES.items()])
    quiet_from = SelectField(_l("Nothing after"), choices=[
        SelectChoice(NEVER, _l("At any time")), *(SelectChoice(t, t) for t in _EVENINGS)])
    quiet_until = SelectField(_l("And nothing before"), choices=[
        SelectChoice(t, t) for t in _MORNINGS])
    large_type = BooleanField(_l("Letters in large type"))

    def show(self, preferences: Preferences) -> None:
        quiet = preferences.quiet
        self.language.data, self.large_type.data = preferences.language, preferences.large_type
        if quiet.begins == quiet.ends:
            self.quiet_from.data, self.quiet_until.data = NEVER, f"{QUIET.ends:%H:%M}"
        else:
            self.quiet_from.data, self.quiet_until.data = f"{quiet.begins:%H:%M}", f"{quiet.ends:%H:%M}"
        for field in (self.quiet_from, self.quiet_until):  # one that was set over the API
            if field.data not in {choice.value for choice in field.choices}:
                field.choices = [*field.choices, SelectChoice(field.data, field.data)]

    @property
    def quiet(self) -> tuple[time, time]:
        if self.quiet_from.data == NEVER:
            return time(0), time(0)
        return time.fromisoformat(self.quiet_from.data), time.fromisoformat(self.quiet_until.data)


def ticked(names: list[str], channels: list[Channel]) -> Choices:
    """The grid as it was sent; only of those channels that it showed."""
    sent = set(names)
    return {(topic, channel): f"{topic}-{channel}" in sent for topic in Topic for channel in channels}


class EmailForm(BaseForm):
    email = text(_l("E-mail address"), longest=254, autocomplete="email", inputmode="email")


class CarerForm(BaseForm):
    phone = phone(_l("Mobile number of who looks after you"))


class CodeForm(BaseForm):
    code = text(_l("Code from the message"), longest=10, autocomplete="one-time-code", inputmode="numeric",
                hint=_l("Six digits. It can take a minute to arrive."))


class AnswerCodeForm(BaseForm):
    code = text(_l("Code from the message"), longest=20, autofocus=True, autocomplete="off",
                autocapitalize="characters", hint=_l("Ten letters and digits, at the end of the message."))
