"""Forms for signing in."""

from flask_babel import lazy_gettext as _l
from wtforms import HiddenField

from facilities.web.forms import BaseForm, password, text


class SignInForm(BaseForm):
    login = text(_l("Mobile number or staff login"), longest=64, autocomplete="username")
    password = password(_l("Password"))
    next = HiddenField()
