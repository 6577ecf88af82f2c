"""What goes wrong unexpectedly is answered in words, and logged without what anybody typed."""

import logging

import pytest
from sqlalchemy.exc import DataError

from facilities.places import queries
from tests.client import Caller
from tests.world import World

SECRET = "罗玉兰 13800138000"


def broken(*_args: object, **_kwargs: object) -> None:
    raise DataError("INSERT …", {"name": SECRET}, ValueError(SECRET))


@pytest.fixture
def failing(world: World, monkeypatch: pytest.MonkeyPatch) -> World:
    monkeypatch.setitem(world.app.config, "ANSWER_UNEXPECTED", True)
    monkeypatch.setattr(queries, "facilities", broken)
    return world


def test_a_page_says_that_it_is_our_fault_and_the_log_has_no_name_in_it(
    failing: World, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.ERROR):
        page = failing.browser().get("/facilities", status=500)
    assert "Something went wrong" in page.text
    assert "DataError" in caplog.text
    assert "places.facilities" in caplog.text
    assert "罗玉兰" not in caplog.text + page.html
    assert "13800138000" not in caplog.text + page.html


def test_the_api_answers_a_problem_with_a_request_id(failing: World) -> None:
    problem = Caller(failing.app).call("GET", "/facilities", status=500).get_json()
    assert problem["code"] == "internal_error"
    assert problem["request_id"]
    assert "罗玉兰" not in str(problem)


@pytest.mark.parametrize(
    ("path", "status", "words"),
    [
        ("/nothing-here", 404, "There is nothing here"),
        ("/facilities/999", 404, "There is nothing here"),
        ("/desk", 403, "You may not do this"),
    ],
)
def test_error_pages_say_what_to_do(world: World, path: str, status: int, words: str) -> None:
    page = world.browser(world.resident()).get(path, status=status)
    assert words in page.text
    assert "/find" in page.links
