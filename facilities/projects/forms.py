"""Forms for what a subproject is, its targets, its monthly reports and their review, and the lights."""

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from flask_babel import lazy_gettext as _l
from wtforms import DateField, DecimalField, IntegerField, RadioField, SelectChoice, SelectField
from wtforms.validators import NumberRange, Optional, Regexp

from facilities.engine.projects import MONTHS, Kind, Qualifier, SetBy, Thresholds
from facilities.kernel.refusals import Invalid
from facilities.kernel.text import read_choice
from facilities.projects.measures import MEASURES
from facilities.projects.models import MonthlyReport, ReportedFigure, Subproject
from facilities.projects.services import Details, Entry
from facilities.web.addresses import EARLIEST_PAGE, LATEST_PAGE
from facilities.web.forms import BaseForm, needed, text
from facilities.web.parts import WORDS


def _choices(group: str, values: Iterable[str], nothing: Any = None) -> list[SelectChoice]:  # noqa: ANN401 - lazy strings
    first = [] if nothing is None else [SelectChoice("", nothing)]
    return first + [SelectChoice(value, WORDS[group].get(value, value)) for value in values]


def _check_day(field: DateField) -> None:
    """Invalid where the day is too far away for the calendar."""
    if field.data and not EARLIEST_PAGE < field.data < LATEST_PAGE:
        raise Invalid(**{field.name: "day_too_far"})


class SubprojectForm(BaseForm):
    project_name = text(_l("Name of the project"), longest=120, optional=True,
                        hint=_l("Of the whole project, to which its other subprojects belong as well."))
    name = text(_l("Name of the subproject"), longest=120, optional=True)
    kind = SelectField(_l("What is counted"), [Optional()], choices=_choices("project_kind", Kind, _l("Not known")))
    unit = text(_l("Unit of measure"), longest=20, optional=True, hint=_l("As in: places, kilometres, %."))
    lead_unit = text(_l("Unit in charge"), longest=80, optional=True)
    partner_units = text(_l("Partner units"), longest=300, optional=True)
    measure = SelectField(_l("Counted by the app"), [Optional()], choices=_choices(
        "measure", MEASURES, _l("No: it is reported every month")))
    plan = text(_l("Plan"), longest=80, optional=True, hint=_l(
        "Percent of the year's work by the end of each month: twelve numbers with blanks between, the last 100. "
        "Empty: it grows with the days of the year."))
    figure_id = SelectField(_l("Published figure that belongs here"), [Optional()])
    accepted_on = DateField(_l("Finished and accepted on"), [Optional()])

    def offer(self, figures: list[ReportedFigure]) -> None:
        self.figure_id.choices = [SelectChoice("", _l("None, or not known")), *(
            SelectChoice(str(figure.id), f"{figure.name} · {figure.as_printed}") for figure in figures)]

    def show(self, subproject: Subproject, figures: list[ReportedFigure]) -> None:
        for name in ("name", "unit", "lead_unit", "partner_units", "measure", "accepted_on"):
            self[name].data = getattr(subproject, name)
        self.project_name.data = subproject.project.name
        self.kind.data = subproject.kind.value if subproject.kind else ""
        self.plan.data = " ".join(str(share) for share in subproject.plan or ())
        self.figure_id.data = next((str(f.id) for f in figures if f.subproject_id == subproject.id), "")

    def details(self) -> Details:
        """Invalid where the plan holds no whole numbers, or a day is too far away."""
        _check_day(self.accepted_on)
        words = (self.plan.data or "").replace(",", " ").split()
        if not all(word.isascii() and word.isdigit() and len(word) <= 3 for word in words):
            raise Invalid(plan="bad_plan")
        return Details(
            self.project_name.data or None, self.name.data or None, read_choice(Kind, self.kind.data),
            self.unit.data or None, self.lead_unit.data or None, self.partner_units.data or None,
            self.measure.data or None, tuple(int(word) for word in words) or None, self.accepted_on.data,
            int(self.figure_id.data) if self.figure_id.data else None)


def _number(label: Any, *, optional: bool = False, hint: Any = "") -> DecimalField:  # noqa: ANN401 - lazy strings
    return DecimalField(label, [Optional() if optional else needed()], places=None, description=hint,
                        render_kw={"inputmode": "decimal", "maxlength": 20})


class TargetForm(BaseForm):
    set_by = RadioField(_l("Set by"), [needed()], choices=_choices("set_by", SetBy))
    from_day = DateField(_l("Holds from"), [needed()])
    target = _number(_l("Target"))

    def check_day(self) -> None:
        _check_day(self.from_day)


class ReportForm(BaseForm):
    """Which button was pressed says whether it is handed in."""

    month = SelectField(_l("Month"), [needed()], coerce=int,
                        choices=[SelectChoice(month, str(month)) for month in range(1, MONTHS + 1)])
    value = _number(_l("The year's total at the end of the month"), optional=True)
    qualifier = SelectField(_l("How exact it is"), [Optional()], choices=_choices(
        "qualifier", Qualifier, _l("Exactly that")))
    evidence = text(_l("What shows it"), longest=1000, optional=True, multiline=True, rows=3, hint=_l(
        "A list, an inspection, a contract. Without names of residents."))
    link = text(_l("Where it lies"), longest=300, optional=True, hint=_l("An address that begins with https://"))
    problems = text(_l("Problems"), longest=1000, optional=True, multiline=True, rows=2)
    remedies = text(_l("What is done about it"), longest=1000, optional=True, multiline=True, rows=2)

    def validate_link(self, field: Any) -> None:  # noqa: ANN401 - WTForms' own
        if field.data:
            Regexp(r"https?://[^\s]+\Z", message=_l("Enter an address that begins with https://"))(self, field)

    def show(self, report: MonthlyReport) -> None:
        for name in ("month", "value", "evidence", "link", "problems", "remedies"):
            self[name].data = getattr(report, name)
        self.qualifier.data = report.qualifier.value if report.qualifier else ""

    def entry(self) -> Entry:
        value: Decimal | None = self.value.data
        return Entry(value, read_choice(Qualifier, self.qualifier.data), self.evidence.data or None,
                     self.link.data or None, self.problems.data or None, self.remedies.data or None)


class ReviewForm(BaseForm):
    """Which button was pressed says the rest."""

    because = text(_l("Why it goes back"), longest=300, optional=True)


def _points(label: Any) -> IntegerField:  # noqa: ANN401 - lazy strings
    return IntegerField(label, [needed(), NumberRange(0, 100, message=_l(
        "Enter a whole number from %(min)s to %(max)s."))], render_kw={"inputmode": "numeric", "min": 0, "max": 100})


class ThresholdsForm(BaseForm):
    yellow = _points(_l("Yellow: behind the plan by more than so many points"))
    red = _points(_l("Red: by more than so many"))

    def show(self, thresholds: Thresholds) -> None:
        self.yellow.data, self.red.data = thresholds.yellow, thresholds.red
