"""The form that closes a period: which one, and who signs for the unit."""

from collections.abc import Sequence
from datetime import date

from flask_babel import lazy_gettext as _l
from wtforms import SelectChoice, SelectField

from facilities.engine.official_reports import Period, PeriodKind
from facilities.reports.contents import period_label
from facilities.reports.services import Signer
from facilities.web.forms import BaseForm, needed, text


class CloseForm(BaseForm):
    period = SelectField(_l("Period"), [needed()])
    signed_name = text(_l("Signed for the unit by"), longest=64)
    signed_position = text(_l("Office and position"), longest=80, hint=_l("Both are printed below the figures."))

    def offer(self, periods: Sequence[Period]) -> None:
        self.period.choices = [
            SelectChoice(f"{period.kind.value}:{period.first}", period_label(period)) for period in periods]

    def chosen(self) -> tuple[PeriodKind, date]:
        kind, _, first = self.period.data.partition(":")
        return PeriodKind(kind), date.fromisoformat(first)

    def signer(self) -> Signer:
        return Signer(self.signed_name.data, self.signed_position.data)
