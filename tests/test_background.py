"""What time alone brings about: one thing that fails keeps no other from its turn."""

from datetime import timedelta

import pytest

from facilities import background
from facilities.kernel import clock
from tests.conftest import NOW
from tests.world import World


def test_a_session_that_cannot_be_settled_keeps_no_other_from_it(
    world: World, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    sessions = [
        world.full_session(waitlist_mode="offer", offer_minutes=10, starts_in=timedelta(days=n))[0] for n in (3, 4)
    ]
    for session in sessions:
        world.resident().wait(session)
        world.administrator().api.patch(f"/sessions/{session.id}", {"capacity": 2})
    settle = background.settle_session

    def stumbles(session_id: int) -> None:
        if session_id == sessions[0].id:
            raise ZeroDivisionError("somebody's name")
        settle(session_id)

    monkeypatch.setattr(background, "settle_session", stumbles)
    with clock.frozen(NOW + timedelta(minutes=11)):
        done = {name: (well, failed) for name, well, failed in background.do_what_is_due()}
    assert done["sessions settled"] == (1, 1)
    assert [world.fresh(session).places_taken for session in sessions] == [2, 1]
    assert "ZeroDivisionError" in caplog.text
    assert "somebody's name" not in caplog.text
