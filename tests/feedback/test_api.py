"""Feedback over the API: put, read, put again."""

from datetime import timedelta

import pytest

from facilities.engine.roll_call import EventKind
from facilities.kernel import clock
from tests.conftest import NOW
from tests.feedback.classes import Class
from tests.world import World


@pytest.fixture
def here(world: World) -> Class:
    return Class.attended_by(world, 1)


def test_what_was_put_is_read_and_replaced_whole(here: Class) -> None:
    path, api = f"/bookings/{here.bookings[0]}/feedback", here.people[0].api
    assert api.get(path, status=404)["code"] == "not_found"
    said = here.put(0, rating=4, comment="  老师很耐心\n下次还来  ")
    assert said == {
        "booking_id": str(here.bookings[0]),
        "rating": 4,
        "comment": "老师很耐心\n下次还来",
        "created_at": "2026-09-16T10:00:00+08:00",
        "changeable_until": "2026-09-30T10:00:00+08:00",
    }
    assert api.get(path) == said
    with clock.frozen(NOW + timedelta(days=1)):
        assert here.put(0, rating=5) == {**said, "rating": 5, "comment": None}
        assert here.put(0, rating=5, comment=None) == {**said, "rating": 5, "comment": None}
    assert len(here.said()) == 1


def test_refusals_have_their_codes(here: Class) -> None:
    here.one_more(EventKind.ABSENT)
    assert here.put(1, 409, rating=4)["code"] == "not_attended"
    here.put(0, rating=4)
    with clock.frozen(NOW + timedelta(days=15)):
        assert here.put(0, 409, rating=5)["code"] == "feedback_closed"
        assert here.people[0].api.get(f"/bookings/{here.bookings[0]}/feedback")["rating"] == 4


@pytest.mark.parametrize("rating", [0, 6, -1, 2.5, "4", True, None])
def test_a_rating_is_a_whole_number_from_one_to_five(here: Class, rating: object) -> None:
    assert set(here.put(0, 422, rating=rating)["fields"]) == {"rating"}
    assert here.said() == []


def test_a_comment_has_at_most_500_characters(here: Class) -> None:
    assert set(here.put(0, 422, rating=4, comment="好" * 501)["fields"]) == {"comment"}
    here.put(0, rating=4, comment="好" * 500)


def test_what_is_not_ones_own_is_not_there_whatever_is_wrong_with_the_body(here: Class) -> None:
    here.put(0, rating=4)
    path = f"/bookings/{here.bookings[0]}/feedback"
    for someone in (here.world.resident(), here.manager):
        someone.api.call("PUT", path, json={"rating": 99}, status=404)
        someone.api.get(path, status=404)
