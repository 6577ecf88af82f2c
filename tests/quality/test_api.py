"""What makes figures wrong, over the API."""

from datetime import date, timedelta

from facilities.engine.eligibility import Sex
from facilities.engine.roll_call import Counts, EventKind
from facilities.households.services import register_at_desk
from facilities.infra.db import unit_of_work
from tests.client import Counter
from tests.world import World


def test_it_counts_each_finding_and_shows_its_first_rows_without_names(world: World, queries: Counter) -> None:
    administrator, facility = world.administrator(), world.facility()
    manager = world.manager(facility)
    session = world.session(facility, starts_in=-timedelta(days=3), capacity=10)
    foreign = world.session(starts_in=-timedelta(days=3))
    ageless = unit_of_work(lambda: register_at_desk("周桂芳", Sex.FEMALE, None, None)).id
    one, two = (unit_of_work(lambda: register_at_desk("陈晓梅", Sex.FEMALE, date(1961, 5, 2), None)).id for _ in "ab")
    world.record(administrator, session, EventKind.WALK_IN, ageless)
    world.record(administrator, session, EventKind.HEAD_COUNT, counts=Counts(children=24))
    found = {entry["finding"]: entry for entry in administrator.api.get("/quality")["findings"]}
    assert {name: entry["number"] for name, entry in found.items()} == {
        "no_birth_date": 1,
        "no_roll": 1,
        "crowded": 1,
        "likely_twice": 1,
    }
    assert found["no_birth_date"]["items"] == [{"resident_id": str(ageless), "name_masked": "周**", "attendances": 1}]
    (crowded,) = found["crowded"]["items"]
    assert (crowded["session_id"], crowded["people"], crowded["capacity"]) == (str(session.id), 25, 10)
    assert [row["session_id"] for row in found["no_roll"]["items"]] == [str(foreign.id)]
    assert found["likely_twice"]["items"] == [{"resident_ids": [str(one), str(two)], "likeness": "same_name"}]
    own = {entry["finding"]: entry["number"] for entry in manager.api.get("/quality")["findings"]}
    assert own == {"no_roll": 0, "crowded": 1}
    world.resident().api.get("/quality", status=403)
    queries.clear()
    administrator.api.get("/quality")
    assert len(queries) <= 16
