"""The year's figures against what was aimed at.

Targets belong to livelihood projects, which stand above the figures: whoever knows them says so once, when the app is
made (`provide_targets`).
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from flask import Flask, current_app

from facilities.statistics.dimensions import Dimension


@dataclass(frozen=True, slots=True)
class Against:
    """A figure that the app counts itself, beside its target. Rates are shares of the target, not cut off at 1."""

    name: str
    done: str
    target: str
    rate: Decimal
    expected_rate: Decimal | None
    light: str | None
    of: Mapping[Dimension, str] | None  # what leads to the sessions behind it; None where none are


Provider = Callable[[int, date], Sequence[Against]]
_NAME = "statistics.targets"


def provide_targets(app: Flask, provider: Provider) -> None:
    app.extensions[_NAME] = provider


def targets(year: int, day: date) -> Sequence[Against]:
    """As they stand on a day; nothing where nobody provides them."""
    provider: Provider | None = current_app.extensions.get(_NAME)
    return provider(year, day) if provider else ()
