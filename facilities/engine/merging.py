"""Two records of one person become one: which of two promises stands where the person cannot have both."""

from collections.abc import Iterable
from dataclasses import dataclass

from facilities.kernel.spans import Span


@dataclass(frozen=True, slots=True)
class Promise:
    """A live booking of either record. `strength`: the lower stands; `occupies`: holds a place, and so the time."""

    id: int
    session_id: int
    span: Span
    strength: int
    occupies: bool


def set_aside(promises: Iterable[Promise]) -> list[int]:
    """Those that give way, in id order: nobody is twice in a session, or in two places at once.

    What has happened stands before what is promised, what is promised before what is hoped for; of equals the earlier.
    """
    standing: list[Promise] = []
    gone: list[int] = []
    for promise in sorted(promises, key=lambda p: (p.strength, p.id)):
        if any(_collide(promise, other) for other in standing):
            gone.append(promise.id)
        else:
            standing.append(promise)
    return sorted(gone)


def _collide(one: Promise, other: Promise) -> bool:
    return one.session_id == other.session_id or (one.occupies and other.occupies and one.span.overlaps(other.span))
