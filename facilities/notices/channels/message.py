"""What every way out of the app is given, and how it says what came of it. Only the worker calls them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Message:
    """Ready to go. `template` names the text for providers that register texts; `about`: the thing's kind and id.

    `parameters` are what fills the registered text, in its order; `details` the same by name. `html` and `calendar`
    (an iCalendar object) are for letters.
    """

    recipient: str
    channel: str
    template: str
    text: str
    reference: str
    about: Mapping[str, str]
    heading: str = ""
    parameters: tuple[str, ...] = ()
    details: Mapping[str, str] = field(default_factory=dict)
    html: str | None = None
    calendar: bytes | None = None


class Outcome(StrEnum):
    DELIVERED = "delivered"
    ACCEPTED = "accepted"  # a receipt will say what became of it


class Undelivered(Exception):
    """It did not go out. `kind` says why in one word; where `for_good`, another attempt would not help."""

    def __init__(self, kind: str, *, for_good: bool = False) -> None:
        super().__init__(kind)
        self.kind, self.for_good = kind, for_good


class Way(Protocol):
    def send(self, message: Message) -> Outcome:
        """Undelivered where it did not go out, or may not have."""
