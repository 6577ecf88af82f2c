"""No-shows over the API: the rule, one's own, what one says to them, and what staff answer."""

from datetime import timedelta

import pytest
from flask_babel import force_locale

from facilities.infra.db import db
from facilities.infra.outbox import Notice
from facilities.kernel import clock
from facilities.notices.addresses import page_about
from facilities.notices.queries import is_true, things
from facilities.notices.rendering import facts_outside
from facilities.notices.wording import text
from facilities.places.models import FacilityKind
from tests.client import Counter
from tests.conftest import NOW
from tests.no_shows.misses import DAY, KINDS, District, follow
from tests.world import World

OFF = {
    "is_on": False,
    "within_days": 90,
    "warn_at": 2,
    "pause_at": 3,
    "pause_days": 30,
    "exempt_disabled": True,
    "counts_from": None,
}


@pytest.fixture
def here(world: World) -> District:
    return District.of(world)


def test_the_rule_is_off_and_what_is_put_replaces_what_is_named(here: District) -> None:
    api = here.administrator.api
    assert api.get("/no-show-rule") == OFF
    on = {**OFF, "is_on": True, "counts_from": "2026-09-16T10:00:00+08:00"}
    assert api.put("/no-show-rule", {"is_on": True}) == on
    with clock.frozen(NOW + DAY):
        assert api.put("/no-show-rule", {"warn_at": 3, "pause_at": 5}) == {**on, "warn_at": 3, "pause_at": 5}
        assert api.put("/no-show-rule", {"is_on": False})["counts_from"] is None
    assert api.get("/no-show-rule") == {**OFF, "warn_at": 3, "pause_at": 5}


def test_a_rule_that_cannot_be_is_refused(here: District) -> None:
    api = here.administrator.api
    for body, fields in (
        ({"warn_at": 3}, {"pause_at"}),
        ({"pause_at": 2}, {"pause_at"}),
        ({"within_days": 6}, {"within_days"}),
        ({"pause_days": 0, "within_days": 181}, {"within_days", "pause_days"}),
        ({"is_on": None}, {"is_on"}),
        ({"counts_from": "2020-01-01T00:00:00+08:00"}, {"counts_from"}),
    ):
        assert set(api.put("/no-show-rule", body, status=422)["fields"]) == fields
        assert api.get("/no-show-rule") == OFF


def test_ones_own_are_told_with_what_counts_and_what_follows(here: District) -> None:
    here.rule()
    first, second, third = here.miss_three()
    here.miss(120)
    follow()
    found = here.someone.api.get("/no-shows")
    assert [(row["booking_id"], row["counts"], row["standing"]) for row in found["items"]] == [
        (str(number), True, "counts") for number in (third, second, first)
    ]
    assert {row["programme_id"] for row in found["items"]} == {str(here.programme.id)}
    assert found["items"][0]["appeal"] is None
    assert found["next"] is None
    assert found["pauses"] == [
        {
            "resident_id": str(here.someone.resident_id),
            "programme_id": str(here.programme.id),
            "booking_id": str(third),
            "since": "2026-09-16T10:00:00+08:00",
            "until": "2026-10-16T00:00:00+08:00",
        }
    ]
    assert here.world.resident().api.get("/no-shows") == {"items": [], "next": None, "pauses": []}
    assert len(here.someone.api.get("/no-shows?limit=2")["items"]) == 2


def test_an_appeal_goes_all_the_way(here: District) -> None:
    here.rule()
    numbers = here.miss_three()
    follow()
    path = f"/bookings/{numbers[1]}/appeal"
    made = here.someone.api.post(path, {"words": "  我在场\n在后排  "})
    assert made == {
        "booking_id": str(numbers[1]),
        "words": "我在场\n在后排",
        "made_at": "2026-09-16T10:00:00+08:00",
        "answer": None,
        "reply": None,
        "answered_at": None,
    }
    assert here.someone.api.post(path, {"words": "又来"}, status=409)["code"] == "already_appealed"
    (row,) = here.manager.api.get("/appeals")["items"]
    assert (row["booking_id"], row["name"], row["words"], row["counted"]) == (
        str(numbers[1]), "陈晓梅", "我在场\n在后排", 3,
    )  # fmt: skip
    answered = here.manager.api.post(
        f"/appeals/{numbers[1]}/answer", {"answer": "accepted", "reply": "已核实"}, status=200
    )
    assert (answered["answer"], answered["reply"]) == ("accepted", "已核实")
    assert here.manager.api.get("/appeals")["items"] == []
    found = here.someone.api.get("/no-shows")
    assert found["pauses"] == []
    assert [row["standing"] for row in found["items"]] == ["counts", "forgiven", "counts"]
    assert found["items"][1]["appeal"] == answered
    again = {"answer": "refused", "reply": "看错了"}
    assert here.manager.api.post(f"/appeals/{numbers[1]}/answer", again, status=409)["code"] == "answered_already"


def test_what_counts_against_nobody_cannot_be_appealed(here: District) -> None:
    number = here.miss(3)
    body = {"words": "我在场"}
    assert here.someone.api.post(f"/bookings/{number}/appeal", body, status=409)["code"] == "no_show_does_not_count"


def test_checks_come_in_the_contracts_order(here: District) -> None:
    here.rule()
    number, bad = here.miss(3), {"answer": "perhaps"}
    path = f"/appeals/{number}/answer"
    here.manager.api.post(path, bad, status=404)
    here.someone.api.post(f"/bookings/{number}/appeal", {"words": "我在场"})
    stranger, elsewhere = here.world.resident(), here.world.manager(here.world.facility())
    for someone in (stranger, elsewhere):
        someone.api.post(path, bad, status=404)
        someone.api.post(f"/bookings/{number}/appeal", {}, status=404)
    here.someone.api.post(path, bad, status=403)
    assert set(here.manager.api.post(path, bad, status=422)["fields"]) == {"answer", "reply"}
    assert elsewhere.api.get("/appeals")["items"] == []
    assert len(here.administrator.api.get("/appeals")["items"]) == 1


def test_lists_are_as_many_queries_for_many_rows_as_for_one(here: District, queries: Counter) -> None:
    here.rule()
    counts: dict[str, list[int]] = {"/no-shows": [], "/appeals": []}
    for earlier in (0, 1):
        for number in here.miss_three(earlier=earlier):
            here.someone.api.post(f"/bookings/{number}/appeal", {"words": "我在场"})
        for path, found in counts.items():
            api = here.manager.api if path == "/appeals" else here.someone.api
            api.get(path)  # the first look of the day is noted
            queries.clear()
            api.get(path)
            found.append(len(queries))
        here.facility, here.programme = here.world.facility(), here.world.programme()
        here.manager = here.administrator
    assert all(one == many for one, many in counts.values()), counts


# -- messages


def told(here: District) -> dict[str, Notice]:
    db.session.rollback()
    return {notice.kind: notice for notice in db.session.query(Notice).filter(Notice.kind.in_(KINDS))}


def test_each_message_leads_to_its_page_and_is_worth_telling_afterwards(here: District) -> None:
    here.rule()
    numbers = [here.miss(16), here.miss(9)]
    follow()
    numbers.append(here.miss(3))
    follow()
    here.someone.api.post(f"/bookings/{numbers[0]}/appeal", {"words": "我在场"})
    here.manager.api.post(f"/appeals/{numbers[0]}/answer", {"answer": "accepted", "reply": "好"}, status=200)
    found = told(here)
    assert set(found) == set(KINDS)
    for notice in found.values():
        assert page_about(notice.kind, notice.about_kind) == ("no_shows.one", "booking_id")
        thing = things([notice])["booking", notice.about_id]
        assert is_true(notice, thing, NOW + timedelta(hours=20))
    with here.world.app.test_request_context(), force_locale("en"):
        said = text("no_show_paused", found["no_show_paused"].facts)
        assert "Fri 16 Oct" in said
        assert f"{here.programme.name} (English)" in said
        assert "it does not count" in text("appeal_answered", found["appeal_answered"].facts)
        assert "still counts" in text("appeal_answered", {**found["appeal_answered"].facts, "accepted": False})


def test_of_a_doctors_station_neither_session_nor_programme_goes_outside(world: World) -> None:
    here = District.of(world)
    here.facility = world.facility(FacilityKind.DOCTOR_STATION)
    here.manager = world.manager(here.facility)
    here.rule()
    here.miss_three()
    follow()
    notice = told(here)["no_show_paused"]
    facts = facts_outside(notice, things([notice])["booking", notice.about_id])
    with world.app.test_request_context(), force_locale("en"):
        said = text("no_show_paused", facts)
    assert "非遗竹编" not in said
    assert here.programme.name not in said
    assert "activities of this kind" in said
