"""Official reports over the API."""

import hashlib
import json
from typing import Any

import pytest

from tests.reports.august import August
from tests.world import World

BODY = {"kind": "month", "first": "2026-08-01", "signed_name": "周敏", "signed_position": "区民生实事办 主任"}


@pytest.fixture
def august(world: World) -> August:
    return August.of(world)


def test_a_period_is_closed_listed_and_read(august: August) -> None:
    api = august.administrator.api
    made = api.post("/reports", BODY)
    assert (made["code"], made["first"], made["last"], made["number"]) == ("2026-08", "2026-08-01", "2026-08-31", 1)
    assert hashlib.sha256(made["content"].encode()).hexdigest() == made["sha256"]
    assert json.loads(made["content"]) == made["report"]
    assert made["report"]["total"]["person_times"] == 6
    assert api.get(f"/reports/{made['id']}") == made
    (listed,) = api.get("/reports")["items"]
    assert listed == {name: made[name] for name in listed if name != "corrections"} | {"corrections": 0}
    assert "content" not in listed


def test_the_list_has_each_report_once_the_latest_period_first(august: August) -> None:
    api = august.administrator.api
    for month in ("2026-05", "2026-07", "2026-06"):
        api.post("/reports", BODY | {"first": f"{month}-01"})
    api.post("/reports", BODY | {"kind": "quarter", "first": "2026-04-01"})
    codes, cursor = [], None
    while True:
        page = api.get(f"/reports?limit=1{f'&cursor={cursor}' if cursor else ''}")
        codes += [item["code"] for item in page["items"]]
        if (cursor := page["next"]) is None:
            break
    assert codes == ["2026-07", "2026-06", "2026-Q2", "2026-05"]


@pytest.mark.parametrize(
    ("changed", "status", "code"),
    [
        ({"first": "2026-09-01"}, 409, "period_not_over"),
        ({"first": "2026-08-02"}, 422, "invalid"),
        ({"kind": "quarter"}, 422, "invalid"),
        ({"kind": "week"}, 422, "invalid"),
        ({"signed_name": ""}, 422, "invalid"),
    ],
    ids=["not over", "within a month", "within a quarter", "a week", "nobody signs"],
)
def test_what_cannot_be_closed_is_refused(august: August, changed: dict[str, Any], status: int, code: str) -> None:
    assert august.administrator.api.post("/reports", BODY | changed, status=status)["code"] == code
    assert august.administrator.api.get("/reports")["items"] == []


def test_a_period_is_closed_once(august: August) -> None:
    api = august.administrator.api
    made = api.post("/reports", BODY)
    assert api.post("/reports", BODY, status=409)["code"] == "period_closed"
    key = {"Idempotency-Key": "closing-july"}
    first = api.post("/reports", BODY | {"first": "2026-07-01"}, headers=key)
    assert api.post("/reports", BODY | {"first": "2026-07-01"}, headers=key) == first
    assert first["previous"] == made["sha256"]


def test_a_correction_is_made_where_something_differs_and_not_twice(august: August) -> None:
    api = august.administrator.api
    path = f"/reports/{api.post('/reports', BODY)['id']}"
    assert api.post(f"{path}/corrections", status=200) == {"correction": None}
    august.came(august.world.resident().resident_id)
    made = api.post(f"{path}/corrections", status=201)["correction"]
    total = {cell["measure"]: (cell["old"], cell["new"]) for cell in made["cells"] if not cell["by"]}
    assert total["person_times"] == (6, 7)
    assert hashlib.sha256(made["content"].encode()).hexdigest() == made["sha256"]
    assert api.post(f"{path}/corrections", status=200) == {"correction": None}
    assert api.get(path)["corrections"] == [made]
    assert api.get(path)["report"]["total"]["person_times"] == 6
    assert api.get("/reports")["items"][0]["corrections"] == 1


def test_reports_are_administrators_alone(august: August) -> None:
    number = august.closed().id
    for someone in (august.world.manager(august.facility), august.world.resident()):
        for path in ("/reports", f"/reports/{number}", "/reports/987654"):
            assert someone.api.get(path, status=403)["code"] == "not_permitted"
        someone.api.post("/reports", BODY, status=403)
        someone.api.post(f"/reports/{number}/corrections", status=403)
    for path in ("/reports/987654", "/reports/0", "/reports/abc"):
        august.administrator.api.get(path, status=404)
        august.administrator.api.post(f"{path}/corrections", status=404)
