"""The base of every form: trimmed, storable text; messages that say what to do; a file input is never needed."""

from typing import Any

from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from markupsafe import Markup
from wtforms import Field, PasswordField, SelectMultipleField, StringField, TelField, TextAreaField, ValidationError
from wtforms.validators import InputRequired, Length, Optional, StopValidation
from wtforms.widgets import CheckboxInput, ListWidget

from facilities.kernel.refusals import Invalid
from facilities.kernel.text import has_unprintable
from facilities.web.wording import words_for_input


class BaseForm(FlaskForm):
    def show_invalid(self, error: Invalid) -> None:
        """Put a service's objections beside the fields that they are about."""
        for name, key in error.fields.items():
            field = self._fields.get(name)
            errors = field.errors if field is not None else self.form_errors
            if not isinstance(errors, list):
                errors = list(errors)
                field.errors = errors
            errors.append(words_for_input(key))


def _storable(_form: FlaskForm, field: Field) -> None:
    if field.data and has_unprintable(field.data, multiline=isinstance(field, TextAreaField)):
        raise ValidationError(_l("Remove the control characters."))


def _not_blank(_form: FlaskForm, field: Field) -> None:
    """Blanks alone are input to `needed`, which looks before they are trimmed."""
    if not field.data:
        raise StopValidation(_l("This is needed."))


def _trim(value: str | None) -> str | None:
    return value.strip() if value else value


class Ticks(SelectMultipleField):
    """Several of a list, each with its own box."""

    widget = ListWidget(prefix_label=False)
    option_widget = CheckboxInput()


def needed() -> InputRequired:
    return InputRequired(_l("This is needed."))


def text(label: Any, *, longest: int, optional: bool = False, multiline: bool = False, hint: Any = None,  # noqa: ANN401 - lazy strings
         **attributes: Any) -> StringField:  # noqa: ANN401
    kind = TextAreaField if multiline else StringField
    return kind(label, [*([Optional()] if optional else [needed(), _not_blank]), _storable,
                        Length(max=longest, message=_l("Use at most %(max)d characters."))],
                filters=[_trim], description=hint or "", render_kw={"maxlength": longest, **attributes})


def phone(label: Any, *, optional: bool = False, **attributes: Any) -> TelField:  # noqa: ANN401 - lazy strings
    return TelField(label, [Optional() if optional else needed(), _storable, Length(max=30)], filters=[_trim],
                    render_kw={"inputmode": "tel", **attributes})


def password(label: Any, *, hint: Any = None, new: bool = False) -> PasswordField:  # noqa: ANN401 - lazy strings
    return PasswordField(label, [needed(), _storable, Length(max=1000)], description=hint or "",
                         render_kw={"autocomplete": "new-password" if new else "current-password"})


def described_by(field: Field) -> Markup:
    """The ids of a field's hint and error, for `aria-describedby`."""
    ids = [f"{field.id}-hint"] if field.description else []
    ids += [f"{field.id}-error"] if field.errors else []
    return Markup(" ").join(ids)
