"""What people say of a session afterwards: when they are asked, for how long they may change it, what staff read of it.

All numbers are our choice.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

from facilities.kernel.refusals import Refusal

WORST, BEST = 1, 5
ASKED_FROM = timedelta(hours=2)  # after the end, when people are at home again
ASKED_UNTIL = timedelta(days=3)  # and still know how it was
CHANGEABLE_FOR = timedelta(days=14)
FEWEST_ANSWERS = 3  # of fewer, staff would know who said what


@dataclass(frozen=True, slots=True)
class Answer:
    rating: int
    words: str | None = None


@dataclass(frozen=True, slots=True)
class Summary:
    """`comments`: those answers that have words."""

    answers: int
    mean: float
    comments: tuple[Answer, ...]


def changeable_until(given_at: datetime) -> datetime:
    """From the first answer on: changing it does not prolong it."""
    return given_at + CHANGEABLE_FOR


def check_changeable(given_at: datetime, now: datetime) -> Refusal | None:
    return Refusal("feedback_closed") if now > changeable_until(given_at) else None


def summarise(answers: Collection[Answer]) -> Summary | None:
    """None where they are too few to show.

    Comments are in an order that has nothing to do with when they came, or with who came when: the best first, and of
    the same rating by their words.
    """
    if len(answers) < FEWEST_ANSWERS:
        return None
    mean = sum(answer.rating for answer in answers) / len(answers)
    comments = sorted((a for a in answers if a.words), key=lambda answer: (-answer.rating, answer.words))
    return Summary(len(answers), mean, tuple(comments))
