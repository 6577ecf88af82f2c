"""Forms of the desk. Each tap carries the id of the event that it would make: sent twice, it counts once."""

from typing import Any

from flask_babel import lazy_gettext as _l
from wtforms import HiddenField, IntegerField
from wtforms.validators import NumberRange, Optional

from facilities.web.forms import BaseForm, phone


def _count(label: Any) -> IntegerField:  # noqa: ANN401 - lazy strings
    return IntegerField(label, [Optional(), NumberRange(0, 100_000, message=_l("Enter a whole number from 0."))],
                        default=0, render_kw={"inputmode": "numeric", "min": 0})


class TickForm(BaseForm):
    event_id = HiddenField()


class WalkInForm(TickForm):
    phone = phone(_l("Mobile number, if known"), optional=True, autocomplete="off")


class HeadCountForm(TickForm):
    women = _count(_l("Women"))
    children = _count(_l("Children"))
    men = _count(_l("Men"))
    elders = _count(_l("of whom 60 or older"))
    disabled = _count(_l("of whom with a disability"))
