"""Forms for registering and for the people in a household."""

from datetime import date
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import BooleanField, DateField, HiddenField, RadioField, SelectChoice, SelectField
from wtforms.validators import InputRequired, Optional

from facilities.engine.eligibility import Sex
from facilities.engine.guardians import needs_guardians_consent
from facilities.households.consent import words_of
from facilities.households.identity import masked
from facilities.households.models import ConsentKind, Guardianship, Relation
from facilities.kernel.refusals import Invalid
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
        words_of(ConsentKind.REGISTRATION),
        [InputRequired(_l("We may keep your data only with your consent."))])
    next = HiddenField()


class PhoneCodeForm(BaseForm):
    code = text(_l("Code from the message"), longest=10, autofocus=True, autocomplete="one-time-code",
                inputmode="numeric", hint=_l("Six digits. It can take a minute to arrive."))
    next = HiddenField()


def _relations(*, but: Relation | None = None) -> list[SelectChoice]:
    return [SelectChoice(r.value, WORDS["relation"][r.value]) for r in Relation if r is not but]


def _number(value: str | int | None) -> int | None:
    """An empty choice is None; what is no number is refused, being none of the choices."""
    return int(value) if value else None


class MemberForm(PersonForm):
    """A person of the household, added or corrected. `guardian_consent` counts for a child under 14."""

    relation = SelectField(_l("Who is this?"), [needed()], choices=_relations(but=Relation.SELF))
    phone = phone(_l("Mobile number"), optional=True)
    community_code = text(_l("Number of the community"), longest=12, optional=True, inputmode="numeric",
                          hint=_l("12 digits. The community office tells you; leave it empty if you do not know it."))
    disability_category = SelectField(
        _l("Disability"), [Optional()], coerce=_number,
        choices=[SelectChoice("", _l("None, or not to be kept")),
                 *(SelectChoice(str(n), words) for n, words in WORDS["disability_category"].items())],
        description=_l("Only for services for people with disabilities. As on the certificate."))
    disability_grade = SelectField(
        _l("Grade on the certificate"), [Optional()], coerce=_number,
        choices=[SelectChoice("", _l("None")), *(SelectChoice(str(n), str(n)) for n in range(1, 5))])
    disability_certificate = text(_l("Number of the certificate"), longest=40, optional=True, autocomplete="off")
    disability_consent = BooleanField(words_of(ConsentKind.DISABILITY))
    id_number = text(_l("Identity number"), longest=40, optional=True, autocomplete="off",
                     hint=_l("You need not give it. It is kept locked, and shows that nobody is entered twice."))
    guardian_consent = BooleanField(words_of(ConsentKind.GUARDIAN), description=_l("For a child under 14:"))

    def for_known(self, link: Guardianship) -> None:
        """Who is there already: consent for a child was given then, and who one is oneself does not change."""
        del self.guardian_consent
        if link.relation is Relation.SELF:
            del self.relation

    def show(self, link: Guardianship) -> None:
        person = link.resident
        self.name.data, self.birth_date.data, self.sex.data = person.name, person.birth_date, person.sex.value
        self.phone.data, self.community_code.data = person.phone, person.community_code
        self.disability_category.data, self.disability_grade.data = person.disability_category, person.disability_grade
        self.disability_consent.data = person.disability_category is not None
        if "relation" in self:
            self.relation.data = link.relation.value
        self.say_what_is_kept(link)

    def say_what_is_kept(self, link: Guardianship) -> None:
        """Numbers are not shown again, only that they are there."""
        kept = masked(link.resident.identity)
        for field, number in ((self.id_number, kept["id_number_masked"]),
                              (self.disability_certificate, kept["certificate_masked"])):
            if number:
                field.description = _("%(number)s is kept. Leave this empty to keep it.", number=number)

    def check(self, today: date) -> None:
        """Invalid where consent is missing, or a disability is only half entered."""
        if (self.disability_category.data is None) != (self.disability_grade.data is None):
            raise Invalid(disability_grade="disability_whole")
        says = self.disability_category.data is not None or self.disability_certificate.data
        if says and not self.disability_consent.data:
            raise Invalid(disability_consent="disability_consent_needed")
        if ("guardian_consent" in self and not self.guardian_consent.data
                and needs_guardians_consent(self.birth_date.data, today)):
            raise Invalid(guardian_consent="guardian_consent_needed")

    @property
    def details(self) -> dict[str, Any]:
        numbers = {field.name: field.data for field in (self.id_number, self.disability_certificate) if field.data}
        return {"disability_category": self.disability_category.data, "disability_grade": self.disability_grade.data,
                "community_code": self.community_code.data or None, **numbers}

    @property
    def changes(self) -> dict[str, Any]:
        """Under the columns' names."""
        relation = {"relation": Relation(self.relation.data)} if "relation" in self else {}
        return {"name": self.name.data, "birth_date": self.birth_date.data, "sex": Sex(self.sex.data),
                "phone": self.phone.data or None, **relation, **self.details}


class CodeForm(BaseForm):
    """A code that somebody else was given, and, once it is known whom it is about, what they are to the reader."""

    code = text(_l("Code"), longest=40, autocomplete="off", autocapitalize="characters",
                hint=_l("Eight letters and digits that the other person told you."))


class JoinForm(CodeForm):
    relation = SelectField(_l("Who is this?"), [needed()], choices=_relations())
