"""Half-open spans of time: the start belongs to a span, the end does not."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """`[starts_at, ends_at)`, both aware; ValueError where it is empty or runs backwards."""

    starts_at: datetime
    ends_at: datetime

    def __post_init__(self) -> None:
        if self.starts_at.tzinfo is None or self.ends_at.tzinfo is None:
            raise ValueError("a span needs aware instants")
        if self.starts_at >= self.ends_at:
            raise ValueError("a span ends after it starts")

    def overlaps(self, other: "Span") -> bool:
        return self.starts_at < other.ends_at and other.starts_at < self.ends_at

    def __contains__(self, instant: datetime) -> bool:
        return self.starts_at <= instant < self.ends_at
