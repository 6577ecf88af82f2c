"""Forms for what asks for the password again."""

from flask_babel import lazy_gettext as _l
from wtforms import BooleanField
from wtforms.validators import InputRequired

from facilities.web.forms import BaseForm, password


class DownloadForm(BaseForm):
    password = password(_l("Your password, once more"))


class EraseForm(BaseForm):
    password = password(_l("Your password, once more"))
    understood = BooleanField(
        _l("I understand that this cannot be undone."), [InputRequired(_l("Tick this box if you are sure."))])
