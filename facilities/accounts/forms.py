"""Forms for signing in, and for what holds a sign-in safe."""

from typing import Any

from flask_babel import lazy_gettext as _l
from wtforms import HiddenField

from facilities.web.forms import BaseForm, password, phone, text

_DIGITS: dict[str, Any] = {"inputmode": "numeric", "autocomplete": "one-time-code"}


class SignInForm(BaseForm):
    login = text(_l("Mobile number or staff login"), longest=64, autocomplete="username")
    password = password(_l("Password"))
    next = HiddenField()


class AppCodeForm(BaseForm):
    code = text(_l("Code from the app on your phone"), longest=16, hint=_l("Six digits, new every half minute."),
                **_DIGITS)
    next = HiddenField()


class PhoneForm(BaseForm):
    phone = phone(_l("Mobile number"), autocomplete="tel")
    next = HiddenField()


class _SentCode(BaseForm):
    phone = phone(_l("Mobile number"), autocomplete="tel")
    code = text(_l("Code from the text message"), longest=16, hint=_l("Six digits. They hold for ten minutes."),
                **_DIGITS)


class ResetForm(_SentCode):
    new_password = password(_l("New password"), new=True,
                            hint=_l("At least 8 characters. A short sentence is easy to remember."))


class SentCodeForm(_SentCode):
    next = HiddenField()


class ConfirmForm(BaseForm):
    code = text(_l("Code from the app"), longest=16, hint=_l("Six digits, new every half minute."), **_DIGITS)


class PasswordForm(BaseForm):
    password = password(_l("Your password"))
