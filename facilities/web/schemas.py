"""The base of every API schema: unknown fields are refused, text is storable, instants have an offset."""

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from flask_babel import lazy_gettext as _l
from marshmallow import RAISE, Schema, ValidationError, fields, validate

from facilities.kernel import clock
from facilities.kernel.text import has_unprintable
from facilities.web.paging import DEFAULT_PAGE, LARGEST_PAGE
from facilities.web.problems import Message

_REQUIRED = {"required": _l("This is needed."), "null": _l("This may not be empty."),
             "validator_failed": _l("This is not right.")}
fields.Field.default_error_messages.update(_REQUIRED)
fields.String.default_error_messages.update({
    "invalid": _l("This must be text."), "invalid_utf8": _l("This is not UTF-8.")})
fields.Integer.default_error_messages.update({"invalid": _l("This must be a whole number.")})
fields.Number.default_error_messages.update({"too_large": _l("This number is too large.")})
fields.Boolean.default_error_messages.update({"invalid": _l("This must be true or false.")})
fields.Date.default_error_messages.update({
    "invalid": _l("This must be a date like 2026-11-28."), "format": _l("This must be a date like 2026-11-28.")})
fields.List.default_error_messages.update({"invalid": _l("This must be a list.")})
fields.Nested.default_error_messages.update({"type": _l("This must be an object.")})
fields.UUID.default_error_messages.update({"invalid_uuid": _l("This must be a UUID.")})
Schema.error_messages = {"unknown": _l("There is no such field."), "type": _l("This must be an object."),
                         "invalid": _l("This must be an object.")}

EARLIEST, LATEST = date(1900, 1, 1), date(2200, 1, 1)


class BaseSchema(Schema):
    class Meta:
        unknown = RAISE


def at_most(length: int) -> validate.Length:
    return validate.Length(max=length, error=_l("Use at most %(n)s characters.", n=length))


def at_most_items(number: int, least: int = 0) -> validate.Length:
    return validate.Length(least, number, error=_l("Give from %(low)s to %(high)s entries.", low=least, high=number))


def between(low: int, high: int) -> validate.Range:
    return validate.Range(low, high, error=_l("This must be from %(low)s to %(high)s.", low=low, high=high))


def one_of(*choices: str) -> validate.OneOf:
    return validate.OneOf(choices, error=_l("This must be one of: %(choices)s.", choices=", ".join(choices)))


class Text(fields.String):
    """Trimmed text without control characters or lone surrogates; empty is as good as missing."""

    def __init__(self, *, longest: int = 200, multiline: bool = False, blank: bool = False, **kwargs: Any) -> None:
        self.longest, self.multiline, self.blank = longest, multiline, blank
        super().__init__(**kwargs)
        self.validators.append(at_most(longest))

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        text = super()._deserialize(value, attr, data, **kwargs)
        if has_unprintable(text, multiline=self.multiline):
            raise ValidationError(str(_l("Remove the control characters.")))
        text = text.strip()
        if not text and not self.blank:
            raise self.make_error("required")
        return text


class Secret(fields.String):
    """A password, exactly as typed."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        text = super()._deserialize(value, attr, data, **kwargs)
        if has_unprintable(text):
            raise ValidationError(str(_l("Remove the control characters.")))
        return text


class Count(fields.Integer):
    """A whole number within bounds that the database can hold; `1.5`, `"1"` and `true` are not numbers."""

    def __init__(self, low: int = 0, high: int = 1_000_000, **kwargs: Any) -> None:
        super().__init__(strict=True, validate=between(low, high), **kwargs)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> int:
        if isinstance(value, (bool, str)):
            raise self.make_error("invalid", input=value)
        return super()._deserialize(value, attr, data, **kwargs)


class Flag(fields.Boolean):
    """true or false; words and numbers are neither."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> bool:
        if not isinstance(value, bool):
            raise self.make_error("invalid", input=value)
        return value


class Limit(fields.Integer):
    """How many rows of a list are wanted, written in plain digits."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> int:
        if not (str(value).isascii() and str(value).isdigit()):
            raise self.make_error("invalid", input=value)
        return super()._deserialize(value, attr, data, **kwargs)


class Reference(Text):
    """An opaque id on its way in. What no row can have is simply not found, however long it is."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(longest=200, **kwargs)


class Day(fields.Date):
    """A date that is near enough for the calendar and the databases alike."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> date:
        day = super()._deserialize(value, attr, data, **kwargs)
        if not EARLIEST < day < LATEST:
            raise self.make_error("invalid", input=value, obj_type="date")
        return day


class Instant(fields.Field[datetime]):
    """RFC 3339 with an offset, shown in the district's time. In queries a bare date is the district's midnight."""

    default_error_messages = {  # noqa: RUF012 - marshmallow declares it like this
        "invalid": _l("This must be an instant like 2026-11-28T09:00:00+08:00."),
        "naive_datetime": _l("The time needs an offset, as in 2026-11-28T09:00:00+08:00."),
        "out_of_range": _l("This instant is too far away."),
    }

    def __init__(self, *, bare_dates: bool = False, **kwargs: Any) -> None:
        self.bare_dates = bare_dates
        super().__init__(**kwargs)

    def _serialize(self, value: datetime | None, attr: str | None, obj: Any, **kwargs: Any) -> str | None:
        return None if value is None else clock.local(value).isoformat()

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> datetime:
        if not isinstance(value, str) or has_unprintable(value):  # the standard library reads past a final NUL
            raise self.make_error("invalid")
        text = value.strip()
        if self.bare_dates and len(text) == 10:
            return clock.at(Day().deserialize(text, attr, data))
        if "T" not in text.upper():
            raise self.make_error("invalid")
        try:
            instant = datetime.fromisoformat(text.upper())
        except ValueError as error:
            raise self.make_error("invalid") from error
        if instant.tzinfo is None:
            message = Message(str(self.error_messages["naive_datetime"]))
            message.code = "naive_datetime"
            raise ValidationError([message])
        # bounded first: at the calendar's ends a change of offset overflows
        if not EARLIEST < instant.date() < LATEST:
            raise self.make_error("out_of_range")
        return instant.astimezone(UTC)

    def _jsonschema_type_mapping(self) -> dict[str, str]:
        return {"type": "string", "format": "date-time"}


class Id(fields.String):
    """An opaque id, on its way out."""

    def _serialize(self, value: Any, attr: str | None, obj: Any, **kwargs: Any) -> str | None:
        return None if value is None else str(value)


class Quantity(fields.Field[Decimal]):
    """A JSON number on its way out: whole where it is, else with its decimals."""

    def _serialize(self, value: Decimal | None, attr: str | None, obj: Any, **kwargs: Any) -> int | float | None:
        if value is None:
            return None
        return int(value) if value == int(value) else float(value)

    def _jsonschema_type_mapping(self) -> dict[str, str]:
        return {"type": "number"}


class PageQuery(BaseSchema):
    limit = Limit(load_default=DEFAULT_PAGE, validate=between(1, LARGEST_PAGE))
    cursor = fields.String(load_default=None)


class Problem(Schema):
    """RFC 9457, as every error of the API is."""

    status = fields.Integer()
    title = fields.String()
    code = fields.String()
    detail = fields.String()
    facts = fields.Dict()
    fields_ = fields.Dict(data_key="fields")
    request_id = fields.String()


def page_schema(item: type[Schema]) -> type[Schema]:
    """`{"items": […], "next": cursor}` of an item's schema."""
    name = item.__name__.removesuffix("Out")
    schema: type[Schema] = BaseSchema.from_dict(
        {"items": fields.List(fields.Nested(item)), "next": fields.String(allow_none=True)}, name=f"{name}Page")
    return schema
