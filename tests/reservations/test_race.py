"""Wishes at the same moment: one has the space, and nobody has more than is allowed."""

from collections import Counter
from collections.abc import Callable, Sequence
from threading import Barrier, Thread

from facilities.infra.db import db, unit_of_work
from facilities.kernel.refusals import Refused
from facilities.places.models import Space
from facilities.reservations import services
from tests.reservations.rooms import NINE_TO_SIX, at, room
from tests.world import Someone, World


def wish(someone: Someone, space: Space, first: str, last: str) -> Callable[[], object]:
    """Numbers are read here: a row belongs to the session of the thread that loaded it."""
    actor, space_id, resident_id = someone.actor, space.id, someone.resident_id
    starts_at, ends_at = at(first), at(last)
    return lambda: services.reserve(actor, space_id, resident_id, starts_at, ends_at, "排练")


def at_once(world: World, wishes: Sequence[Callable[[], object]]) -> Counter[str]:
    """What became of them: `ok`, or the code of the refusal; nothing else may come out."""
    outcomes: list[str] = []
    start = Barrier(len(wishes))

    def send(wish: Callable[[], object]) -> None:
        with world.app.app_context():
            db.session()  # of this thread's own
            start.wait()
            try:
                unit_of_work(wish)
                outcomes.append("ok")
            except Refused as refused:
                outcomes.append(refused.refusal.code)
            finally:
                db.session.remove()

    threads = [Thread(target=send, args=(one,)) for one in wishes]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(outcomes) == len(wishes)
    return Counter(outcomes)


def test_of_many_at_once_one_has_the_hall_or_each_of_its_rooms(world: World) -> None:
    facility = world.facility(hours=NINE_TO_SIX)
    hall = room(world, facility)
    spaces = [hall, *(room(world, facility, parent=hall) for _ in range(2))]
    people = [world.resident() for _ in range(6)]
    came = at_once(world, [wish(one, spaces[n % 3], "17 10:00", "17 11:00") for n, one in enumerate(people)])
    assert set(came) == {"ok", "space_taken"}
    assert came["ok"] in (1, 2)


def test_a_resident_who_asks_six_times_at_once_has_two(world: World) -> None:
    someone, space = world.resident(), room(world)
    hours = [(f"17 {n:02}:00", f"17 {n + 1:02}:00") for n in range(9, 15)]
    assert at_once(world, [wish(someone, space, *ends) for ends in hours]) == {"ok": 2, "limit_reached": 4}
