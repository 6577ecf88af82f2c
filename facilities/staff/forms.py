"""Forms by which administrators look after staff and their rights."""

from collections.abc import Sequence

from flask_babel import lazy_gettext as _l
from wtforms import DateField, SelectChoice, SelectField
from wtforms.validators import Optional

from facilities.accounts.grants import AT_A_FACILITY, Wanted
from facilities.kernel import clock
from facilities.kernel.actors import Granted, Role
from facilities.kernel.refusals import Invalid
from facilities.places.models import Facility, SubDistrict
from facilities.web.addresses import filter_id
from facilities.web.forms import BaseForm, needed, password, text
from facilities.web.language import in_language
from facilities.web.parts import WORDS

ROLES = tuple(role for role in Role if role is not Role.RESIDENT)


class GrantForm(BaseForm):
    role = SelectField(_l("Role"), [needed()],
                       choices=[SelectChoice(role.value, WORDS["role"][role.value]) for role in ROLES])
    facility = SelectField(_l("Facility"), [Optional()], description=_l("For managers and guards."))
    sub_district = SelectField(_l("Sub-district"), [Optional()],
                               description=_l("For reviewers; leave it open for all."))
    first_day = DateField(_l("From"), [Optional()], description=_l("Leave it open to begin at once."))
    last_day = DateField(_l("Last day"), [Optional()], description=_l("Leave it open for no end."))

    def offer(self, facilities: Sequence[Facility], sub_districts: Sequence[SubDistrict]) -> None:
        none = SelectChoice("", "–")
        self.facility.choices = [none, *(SelectChoice(str(row.id), in_language(row)) for row in facilities)]
        self.sub_district.choices = [none, *(SelectChoice(row.code, in_language(row)) for row in sub_districts)]

    def wanted(self) -> Wanted:
        """What the fields say; a facility or sub-district that the role has no use for is left out."""
        role = Role(self.role.data)
        facility_id = filter_id(self.facility.data) if role in AT_A_FACILITY and self.facility.data else None
        sub_district = self.sub_district.data or None if role is Role.REVIEWER else None
        starts_at = clock.at(self.first_day.data) if self.first_day.data else None
        ends_at = clock.day_span(self.last_day.data, self.last_day.data)[1] if self.last_day.data else None
        return Wanted(Granted(role, facility_id, sub_district), starts_at, ends_at)


class PasswordForm(BaseForm):
    password = password(_l("New password"), new=True, hint=_l("At least 12 characters. Hand it over in person."))


class StaffForm(GrantForm, PasswordForm):
    login = text(_l("Staff login"), longest=64, autocomplete="off", hint=_l("A name to sign in with, such as wang.li."))
    display_name = text(_l("Name"), longest=64, autocomplete="off")


def show_objections(form: BaseForm, invalid: Invalid) -> None:
    """What is wrong with the rights as a whole stands beside the field that most likely needs a change."""
    beside = {"grant_needs_facility": "facility", "unknown_facility": "facility",
              "unknown_sub_district": "sub_district", "ends_before_it_starts": "last_day"}
    form.show_invalid(Invalid(**{beside.get(key, "role") if name == "grants" else name: key
                                 for name, key in invalid.fields.items()}))
