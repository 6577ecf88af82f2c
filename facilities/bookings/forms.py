"""Forms for booking and for calling a session off."""

from flask_babel import lazy_gettext as _l

from facilities.web.forms import BaseForm, text


class BookForm(BaseForm):
    """Only the token: the choice of a person is a row of buttons, each with its own value."""


class CallOffForm(BaseForm):
    reason = text(_l("Reason"), longest=200, hint=_l("Everyone who has booked will read it."), rows=2)
