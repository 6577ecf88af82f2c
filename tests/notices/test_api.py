"""One's own messages over the API: newest first, read once, seen by nobody else."""

from datetime import timedelta

from sqlalchemy import select

from facilities.infra.db import db
from facilities.infra.outbox import Notice
from facilities.kernel import clock
from facilities.notices.queries import inbox, unread
from tests.client import Caller, Counter
from tests.world import Someone, World


def called_off(world: World, *who: Someone, reason: str = "停电") -> None:
    """Each is told twice: booked, which they did themselves, and cancelled."""
    session = world.session()
    for someone in who:
        world.book(someone, session)
    world.administrator().api.post(f"/sessions/{session.id}/cancel", {"reason": reason}, status=200)


def test_messages_come_newest_first_with_what_they_are_about(world: World) -> None:
    someone = world.resident()
    called_off(world, someone)
    cancelled, booked = someone.api.get("/notices")["items"]
    assert (cancelled["kind"], booked["kind"]) == ("session_cancelled", "booked")
    assert (cancelled["read"], booked["read"]) == (False, True)  # one knows what one has done oneself
    assert "停电" in cancelled["text"]
    assert cancelled["about"]["kind"] == "booking"
    assert someone.api.get(f"/bookings/{cancelled['about']['id']}")["status"] == "cancelled"
    assert cancelled["resident_id"] == str(someone.resident_id)


def test_each_message_comes_once_however_long_the_list(world: World) -> None:
    someone = world.resident()
    for _ in range(3):
        called_off(world, someone)
    found, path = [], "/notices?limit=2"
    while path:
        page = someone.api.get(path)
        found += [row["id"] for row in page["items"]]
        path = f"/notices?limit=2&cursor={page['next']}" if page["next"] else ""
    assert len(found) == len(set(found)) == 6
    assert found == sorted(found, key=int, reverse=True)


def test_messages_are_ones_own(world: World, anyone: Caller) -> None:
    someone, other = world.resident(), world.resident()
    called_off(world, someone)
    assert other.api.get("/notices")["items"] == []
    anyone.get("/notices", status=401)
    anyone.post("/notices/read", {}, status=401)
    number = someone.api.get("/notices")["items"][0]["id"]
    other.api.post("/notices/read", {"ids": [number]}, status=404)
    assert not someone.api.get("/notices")["items"][0]["read"]


def test_some_or_all_are_marked_as_read(world: World) -> None:
    someone = world.resident()
    for _ in range(3):
        called_off(world, someone)
    waiting = [row["id"] for row in someone.api.get("/notices")["items"] if not row["read"]]
    assert len(waiting) == 3
    assert someone.api.post("/notices/read", {"ids": waiting[:1]}, status=200) == {"unread": 2}
    assert someone.api.post("/notices/read", {"ids": waiting[:1]}, status=200) == {"unread": 2}
    assert someone.api.post("/notices/read", {"all": True}, status=200) == {"unread": 0}
    assert someone.api.post("/notices/read", {}, status=200) == {"unread": 0}


def test_when_a_message_was_first_read_stays(world: World) -> None:
    someone = world.resident()
    called_off(world, someone)
    someone.api.post("/notices/read", {}, status=200)
    first = db.session.scalars(select(Notice.read_at).where(Notice.user_id == someone.user.id)).all()
    with clock.frozen(clock.now() + timedelta(hours=1)):
        someone.api.post("/notices/read", {}, status=200)
    assert db.session.scalars(select(Notice.read_at).where(Notice.user_id == someone.user.id)).all() == first


def test_who_has_left_the_household_is_named_no_more(world: World) -> None:
    mother, session = world.resident(), world.session()
    child = world.member(mother)
    world.book(mother, session, child)
    world.administrator().api.post(f"/sessions/{session.id}/cancel", {"reason": "停电"}, status=200)
    assert mother.api.get("/notices")["items"][0]["resident_id"] == str(child)
    mother.api.delete(f"/residents/{child}")
    rows = mother.api.get("/notices")["items"]
    assert [row["resident_id"] for row in rows] == [None, None]
    assert all(message.name is None for message in inbox(mother.actor))


def test_the_number_for_the_navigation_is_one_query(world: World, queries: Counter) -> None:
    someone, other = world.resident(), world.resident()
    called_off(world, someone, other)
    queries.clear()
    assert unread(someone.actor) == 1
    assert len(queries) == 1
    someone.api.post("/notices/read", {}, status=200)
    assert (unread(someone.actor), unread(other.actor)) == (0, 1)
