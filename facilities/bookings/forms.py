"""Forms for booking and for calling a session off."""

from flask_babel import lazy_gettext as _l
from wtforms import BooleanField, DateField, RadioField, SelectChoice
from wtforms.validators import Optional

from facilities.households.desk import Ground
from facilities.kernel.text import read_choice
from facilities.web.forms import BaseForm, needed, phone, text


class BookForm(BaseForm):
    """Only the token: the choice of a person is a row of buttons, each with its own value."""


class DeskForm(BaseForm):
    """For somebody at the counter who is not known yet; for a known person only what follows the numbers is asked."""

    name = text(_l("Name"), longest=64)
    sex = RadioField(_l("Sex"), [needed()], choices=[
        SelectChoice("female", _l("Female")), SelectChoice("male", _l("Male"))])
    birth_date = DateField(_l("Birth date"), [Optional()])
    phone = phone(_l("Mobile number"), optional=True)
    id_number = text(_l("Identity number"), longest=40, optional=True, autocomplete="off",
                     hint=_l("As on the card. It says the date of birth too."))
    ground = RadioField(_l("How are they asking?"), [Optional()], default=Ground.COUNTER.value, validate_choice=False,
                        choices=[SelectChoice(Ground.COUNTER.value, _l("Here at the counter")),
                                 SelectChoice(Ground.TELEPHONE.value, _l("By telephone")),
                                 SelectChoice(Ground.HOME_VISIT.value, _l("During a home visit"))])
    or_wait = BooleanField(_l("On the waiting list if it is full"))
    override = text(_l("Reason for an exception"), longest=200, optional=True,
                    hint=_l("Only where the booking time, the age or a limit stands in the way. It is kept on record."))

    @property
    def chosen_ground(self) -> Ground:
        return read_choice(Ground, self.ground.data) or Ground.COUNTER

    def for_known(self) -> None:
        for name in ("name", "sex", "birth_date", "phone", "id_number"):
            del self[name]


class CallOffForm(BaseForm):
    reason = text(_l("Reason"), longest=200, hint=_l("Everyone who has booked will read it."), rows=2)
