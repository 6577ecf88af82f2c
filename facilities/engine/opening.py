"""Opening hours, closures, free time, and the rules for reserving a space."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class SpaceRules:
    """None: no rule."""

    min_minutes: int | None = None
    max_minutes: int | None = None
    grid_minutes: int | None = None
    notice_minutes: int | None = None
    days_ahead: int | None = None
    per_resident: int | None = None
