"""How long an answer can be changed, and what staff read of several."""

import random
from datetime import UTC, datetime, timedelta

import pytest

from facilities.engine.feedback import Answer, check_changeable, summarise

GIVEN = datetime(2026, 9, 16, 2, 0, tzinfo=UTC)
MOMENT = timedelta(microseconds=1)


@pytest.mark.parametrize(
    ("after", "changeable"),
    [(timedelta(0), True), (timedelta(days=14), True), (timedelta(days=14) + MOMENT, False)],
    ids=["at once", "the last moment", "just late"],
)
def test_an_answer_can_be_changed_for_two_weeks(after: timedelta, changeable: bool) -> None:
    refusal = check_changeable(GIVEN, GIVEN + after)
    assert (refusal is None) is changeable
    assert refusal is None or refusal.code == "feedback_closed"


@pytest.mark.parametrize(("number", "shown"), [(0, False), (1, False), (2, False), (3, True), (4, True)])
def test_fewer_than_three_answers_are_not_shown_whatever_they_say(number: int, shown: bool) -> None:
    summary = summarise([Answer(5, "很好")] * number)
    assert (summary is not None) is shown


def test_the_mean_is_of_all_answers_and_comments_are_those_with_words() -> None:
    summary = summarise([Answer(5), Answer(4, "好"), Answer(1)])
    assert summary is not None
    assert (summary.answers, round(summary.mean, 2), summary.comments) == (3, 3.33, (Answer(4, "好"),))


def test_the_order_of_comments_is_the_same_whoever_answered_first() -> None:
    answers = [Answer(rating, words) for rating in (1, 3, 5) for words in ("乙", "甲", None)]
    orders = set()
    for seed in range(20):
        random.Random(seed).shuffle(answers)
        summary = summarise(answers)
        assert summary is not None
        orders.add(summary.comments)
    (order,) = orders
    assert [answer.rating for answer in order] == [5, 5, 3, 3, 1, 1]
