"""Forms for registering and for the people in a household."""

from flask_babel import lazy_gettext as _l
from wtforms import BooleanField, DateField, HiddenField, RadioField, SelectChoice, SelectField
from wtforms.validators import InputRequired

from facilities.engine.eligibility import Sex
from facilities.households.models import Relation
from facilities.web.forms import BaseForm, needed, password, phone, text
from facilities.web.parts import WORDS


class _BirthDate(DateField):
    """A date field that says in the reader's language what is wrong with it."""

    def process_formdata(self, valuelist: list[str]) -> None:
        try:
            super().process_formdata(valuelist)
        except ValueError as error:
            raise ValueError(str(_l("Enter a date with year, month and day."))) from error


class PersonForm(BaseForm):
    name = text(_l("Name"), longest=64, autocomplete="name")
    birth_date = _BirthDate(_l("Date of birth"), [needed()], description=_l("Decides which classes a person can join."))
    sex = RadioField(_l("Sex"), [needed()], choices=[SelectChoice(s.value, WORDS["sex"][s.value]) for s in Sex])


class RegisterForm(PersonForm):
    phone = phone(_l("Mobile number"), autocomplete="tel", autofocus=True)
    password = password(_l("Password"), new=True,
                        hint=_l("At least 8 characters. A short sentence is easy to remember."))
    consent = BooleanField(
        _l("I agree that my name, date of birth, sex and phone number are kept for my bookings, "
           "and that attendance is counted without names."),
        [InputRequired(_l("We may keep your data only with your consent."))])
    next = HiddenField()


class CodeForm(BaseForm):
    code = text(_l("Code from the message"), longest=10, autofocus=True, autocomplete="one-time-code",
                inputmode="numeric", hint=_l("Six digits. It can take a minute to arrive."))
    next = HiddenField()


class MemberForm(PersonForm):
    relation = SelectField(
        _l("Who is this?"), [needed()],
        choices=[SelectChoice(r.value, WORDS["relation"][r.value]) for r in Relation if r is not Relation.SELF])
