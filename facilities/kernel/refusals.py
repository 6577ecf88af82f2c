"""A refusal is a decision with a stable code; words for it are found in one table, higher up."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Refusal:
    """`code` is snake_case and part of the public contract; `facts` are plain JSON values."""

    code: str
    facts: Mapping[str, object] = field(default_factory=dict)


class Refused(Exception):
    """Raised by services: a rule says no. Nothing has been written when it leaves a unit of work."""

    def __init__(self, code: str, /, **facts: object) -> None:
        super().__init__(code)
        self.refusal = Refusal(code, facts)

    @classmethod
    def because(cls, refusal: Refusal) -> "Refused":
        return cls(refusal.code, **refusal.facts)


class NotVisible(Exception):
    """What was asked for does not exist, or not for this actor; the two are told apart nowhere."""


class NotPermitted(Exception):
    """The actor sees the thing and may not do this to it."""


class Invalid(Exception):
    """Input that has the right shape and still cannot be: `fields` maps a field to message keys."""

    def __init__(self, **fields: str) -> None:
        super().__init__(", ".join(fields))
        self.fields = fields


def raise_if(refusal: Refusal | None) -> None:
    if refusal is not None:
        raise Refused.because(refusal)
