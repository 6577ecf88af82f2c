"""Draws over the API: what is public, what is one's own, and that anyone can compute the order again."""

import json
import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from facilities.kernel import clock
from facilities.programmes.models import ActivitySession
from tests.client import Caller
from tests.conftest import NOW
from tests.world import Someone, World

CLOSES = NOW + timedelta(days=1)


def wish(*sessions: ActivitySession, **more: Any) -> dict[str, Any]:
    return {
        "session_ids": [str(session.id) for session in sessions],
        "title": "秋季书法",
        "entries_close_at": clock.local(CLOSES).isoformat(),
        **more,
    }


def enter(draw: dict[str, Any], someone: Someone, *residents: int, status: int = 201) -> Any:
    ids = [str(number) for number in residents or (someone.resident_id,)]
    return someone.api.post(f"/draws/{draw['id']}/entries", {"resident_ids": ids}, status=status)


def hold(draw: dict[str, Any], manager: Someone) -> Any:
    with clock.frozen(CLOSES):
        return manager.api.post(f"/draws/{draw['id']}/hold", status=200)


def opened(world: World, capacity: int = 2, **more: Any) -> tuple[Someone, dict[str, Any]]:
    facility = world.facility()
    manager = world.manager(facility)
    return manager, manager.api.post("/draws", wish(world.session(facility, capacity=capacity), **more))


def test_a_draw_is_public_from_the_first_moment_but_for_its_seed(world: World, anyone: Caller) -> None:
    manager, draw = opened(world, weights={"halve_per_win": True, "priority": {"children": 150}})
    assert anyone.get(f"/draws/{draw['id']}") == draw
    assert (draw["status"], draw["seed"], draw["entries"], draw["number_of_entries"]) == ("open", None, None, 0)
    assert len(draw["commitment"]) == 64
    assert draw["weights"] == {"halve_per_win": True, "priority": {"children": 150}}
    assert "150" in " ".join(draw["rule"])
    (session,) = draw["sessions"]
    assert anyone.get(f"/sessions/{session['id']}")["draw_id"] == draw["id"]
    assert clock.parse_instant(draw["entries_close_at"]) == CLOSES
    assert manager.api.get(f"/draws/{draw['id']}/entries")["items"] == []


def test_nothing_of_the_entries_is_told_before_they_close_and_no_seed_before_the_draw(
    world: World, anyone: Caller
) -> None:
    manager, draw = opened(world)
    ticket = enter(draw, world.resident())
    address = f"/draws/{draw['id']}"
    before = anyone.get(address)
    assert (before["number_of_entries"], before["entries"]) == (1, None)
    with clock.frozen(CLOSES):
        closed = anyone.get(address)
    assert (closed["status"], closed["seed"]) == ("closed", None)
    assert closed["entries"] == [{"hash": ticket["hash"], "weight": 1000, "rank": None}]
    drawn = hold(draw, manager)
    assert (drawn["status"], drawn["entries_digest"]) == ("drawn", closed["entries_digest"])
    assert drawn["entries"] == [{"hash": ticket["hash"], "weight": 1000, "rank": 1}]
    assert anyone.get(address) == drawn


def test_weights_that_are_shown_as_entries_close_are_those_of_the_draw(world: World, anyone: Caller) -> None:
    """What somebody wins between the closing and the draw does not change them."""
    facility, someone = world.facility(), world.resident()
    manager = world.manager(facility)
    first, second = (
        manager.api.post(
            "/draws", wish(world.session(facility, starts_in=timedelta(days=n)), weights={"halve_per_win": True})
        )
        for n in (3, 4)
    )
    enter(first, someone)
    enter(second, someone)
    with clock.frozen(CLOSES + timedelta(minutes=1)):
        shown = anyone.get(f"/draws/{second['id']}")["entries"]
        manager.api.post(f"/draws/{first['id']}/hold", status=200)
    with clock.frozen(CLOSES + timedelta(hours=1)):
        drawn = manager.api.post(f"/draws/{second['id']}/hold", status=200)["entries"]
    assert [row["weight"] for row in shown] == [row["weight"] for row in drawn] == [1000]


def test_a_ticket_is_its_owners_alone(world: World, anyone: Caller) -> None:
    manager, draw = opened(world)
    mother, other = world.resident(), world.resident()
    child = world.member(mother)
    ticket = enter(draw, mother, mother.resident_id, child)
    assert ticket["status"] == "entered"
    assert ticket["resident_ids"] == [str(mother.resident_id), str(child)]
    address = f"/draws/{draw['id']}/entries"
    assert mother.api.get(address) == {"items": [ticket], "next": None}
    assert other.api.get(address)["items"] == []
    anyone.get(address, status=401)
    other.api.post(f"/draws/entries/{ticket['id']}/withdraw", status=404)
    public = json.dumps([anyone.get(f"/draws/{draw['id']}"), hold(draw, manager)])
    assert ticket["reference"] not in public
    assert f'"{mother.resident_id}"' not in json.dumps(anyone.get(f"/draws/{draw['id']}")["entries"])
    (mine,) = mother.api.get(address)["items"]
    assert (mine["status"], mine["rank"]) == ("drawn", 1)


def test_a_ticket_is_withdrawn_until_entries_close(world: World, anyone: Caller) -> None:
    _, draw = opened(world)
    someone = world.resident()
    ticket = enter(draw, someone)
    assert enter(draw, someone, status=409)["code"] == "already_entered"
    gone = someone.api.post(f"/draws/entries/{ticket['id']}/withdraw", status=200)
    assert (gone["id"], gone["status"]) == (ticket["id"], "withdrawn")
    assert anyone.get(f"/draws/{draw['id']}")["number_of_entries"] == 0
    again = enter(draw, someone)
    with clock.frozen(CLOSES):
        refused = someone.api.post(f"/draws/entries/{again['id']}/withdraw", status=409)
    assert refused["code"] == "entries_closed"


def test_while_entries_are_open_nobody_books_and_nobody_draws(world: World) -> None:
    manager, draw = opened(world)
    someone = world.resident()
    body = {"session_id": draw["sessions"][0]["id"], "resident_ids": [str(someone.resident_id)]}
    assert someone.api.post("/bookings", body, status=409)["code"] == "draw_pending"
    assert manager.api.post(f"/draws/{draw['id']}/hold", status=409)["code"] == "entries_open"


def test_who_may_open_and_hold(world: World, anyone: Caller) -> None:
    facility = world.facility()
    session, foreign, resident = world.session(facility), world.manager(world.facility()), world.resident()
    for caller, status in ((anyone, 401), (resident.api, 403), (foreign.api, 403)):
        caller.post("/draws", wish(session), status=status)
    manager = world.manager(facility)
    manager.api.post("/draws", {**wish(session), "session_ids": ["987654"]}, status=404)
    draw = manager.api.post("/draws", wish(session))
    for caller, status in ((anyone, 401), (resident.api, 403), (foreign.api, 403)):
        caller.post(f"/draws/{draw['id']}/hold", status=status)


def test_sessions_at_the_same_time_are_not_drawn_together(world: World) -> None:
    facility = world.facility()
    problem = world.manager(facility).api.post(
        "/draws", wish(world.session(facility), world.session(facility)), status=422
    )
    assert set(problem["fields"]) == {"session_ids"}


@pytest.mark.parametrize("when", [NOW, NOW + timedelta(days=3)], ids=["now", "as the session begins"])
def test_entries_close_between_now_and_the_booking(world: World, when: Any) -> None:
    facility = world.facility()
    body = wish(world.session(facility), entries_close_at=clock.local(when).isoformat())
    assert set(world.manager(facility).api.post("/draws", body, status=422)["fields"]) == {"entries_close_at"}


# -- transparency


def recompute(folder: Path, script: bytes, draw: dict[str, Any], *more: str) -> tuple[int, list[str]]:
    """The downloaded script, in an interpreter of its own without the project's packages."""
    (folder / "recompute.py").write_bytes(script)
    (folder / "draw.json").write_text(json.dumps(draw), encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-I", "recompute.py", "draw.json", *more],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.stderr == ""
    return done.returncode, done.stdout.splitlines()


def drawn(world: World) -> tuple[dict[str, Any], dict[str, Any], bytes]:
    """A draw with weights of all sizes, somebody's ticket in it, and the script."""
    rule = {"halve_per_win": True, "priority": {"children": 150, "elders": 333}}
    manager, draw = opened(world, capacity=4, weights=rule)
    for n in range(12):
        person = world.resident(birth_date=clock.local_date(NOW).replace(year=2020 - 7 * n))
        ticket = enter(draw, person)
    script = Caller(world.app).call("GET", f"/draws/{draw['id']}/recompute.py", status=200)
    assert script.mimetype == "text/x-python"
    return hold(draw, manager), ticket, script.data


def test_the_order_is_recomputed_from_the_public_data_alone(world: World, tmp_path: Path) -> None:
    draw, ticket, script = drawn(world)
    assert len({row["weight"] for row in draw["entries"]}) == 3
    code, lines = recompute(tmp_path, script, draw, ticket["reference"])
    assert code == 0
    order = [line.split("\t") for line in lines if "\t" in line]
    assert order == [[str(row["rank"]), row["hash"], str(row["weight"])] for row in draw["entries"]]
    rank = next(row["rank"] for row in draw["entries"] if row["hash"] == ticket["hash"])
    assert f"Ticket {ticket['reference']} came out at {rank}." in lines


def _other_seed(draw: dict[str, Any]) -> None:
    draw["seed"] = "0" * 64


def _other_weight(draw: dict[str, Any]) -> None:
    draw["entries"][3]["weight"] += 1


def _other_order(draw: dict[str, Any]) -> None:
    first, second = draw["entries"][:2]
    first["rank"], second["rank"] = second["rank"], first["rank"]


def _one_less(draw: dict[str, Any]) -> None:
    draw["entries"].pop()


@pytest.mark.parametrize("change", [_other_seed, _other_weight, _other_order, _one_less])
def test_the_script_sees_what_does_not_agree(world: World, tmp_path: Path, change: Any) -> None:
    draw, _, script = drawn(world)
    change(draw)
    code, lines = recompute(tmp_path, script, draw)
    assert code == 1
    assert any(line.startswith("NO: ") for line in lines)


def test_the_script_says_when_there_is_nothing_to_compute_yet(world: World, tmp_path: Path) -> None:
    _, draw = opened(world)
    script = Caller(world.app).call("GET", f"/draws/{draw['id']}/recompute.py", status=200).data
    assert recompute(tmp_path, script, draw)[0] == 2
