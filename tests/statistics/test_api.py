"""Beneficiary figures over the API: who was there, split so that the parts add up, for those who answer for them."""

import csv
import io
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from openpyxl import load_workbook

from facilities.engine.eligibility import Sex
from facilities.engine.roll_call import Counts, EventKind
from facilities.kernel import clock
from facilities.places.models import Facility
from facilities.programmes.models import ActivitySession
from tests.client import Caller
from tests.world import Someone, World

CSV = "text/csv"
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
MEASURES = ("sessions_held", "person_times", "persons", "unidentified_person_times")
SEPTEMBER = {"from": "2026-09-01", "to": "2026-09-30"}
DAY = date(2026, 9, 10)


def figures(caller: Caller, status: int = 200, **query: Any) -> Any:
    period = {"from": query.pop("from_", SEPTEMBER["from"]), "to": query.pop("to", SEPTEMBER["to"])}
    return caller.call("GET", "/statistics/beneficiaries", query_string={**period, **query}, status=status).get_json()


def measures(row: dict[str, Any]) -> tuple[int, ...]:
    return tuple(row[name] for name in MEASURES)


def read(cells: list[str]) -> tuple[float, ...]:
    """A row of a file: whole numbers, and hours at its end."""
    return (*(int(cell) for cell in cells[:4]), float(cells[4]))


def rows_by(answer: dict[str, Any], *dimensions: str) -> dict[Any, tuple[int, ...]]:
    """`{value: measures}`, or `{(value, value): measures}` for several dimensions."""
    return {
        tuple(row[d] for d in dimensions) if len(dimensions) > 1 else row[dimensions[0]]: measures(row)
        for row in answer["rows"]
    }


class Scene:
    """A facility and what happened there; the roll is taken as each session ends."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.facility = world.facility()
        self.programme = world.programme()
        self.manager = world.manager(self.facility)
        self.administrator = world.administrator()
        self.household = world.resident(birth_date=date(1986, 5, 1), sex=Sex.FEMALE)

    def session(
        self, facility: Facility | None = None, *, starts_at: datetime | None = None, **more: Any
    ) -> ActivitySession:
        starts_at = starts_at or datetime.combine(DAY, datetime.min.time(), UTC) + timedelta(hours=2)
        return self.world.session(
            facility or self.facility, more.pop("programme", self.programme), starts_at=starts_at, **more
        )

    def person(self, birth_date: date, sex: Sex) -> int:
        return self.world.resident(birth_date=birth_date, sex=sex).resident_id

    def came(self, session: ActivitySession, *residents: int, kind: EventKind = EventKind.PRESENT) -> None:
        with clock.frozen(session.ends_at):
            for resident_id in residents:
                self.world.record(self.administrator, session, kind, resident_id)

    def counted(self, session: ActivitySession, counts: Counts, device: str = "door") -> None:
        with clock.frozen(session.ends_at):
            self.world.record(self.administrator, session, EventKind.HEAD_COUNT, counts=counts, device=device)

    def walked_in(self, session: ActivitySession, number: int = 1) -> None:
        with clock.frozen(session.ends_at):
            for _ in range(number):
                self.world.record(self.administrator, session, EventKind.WALK_IN)


@pytest.fixture
def scene(world: World) -> Scene:
    return Scene(world)


# -- what counts


def test_nothing_happened_is_zero_everywhere(scene: Scene) -> None:
    scene.session()
    answer = figures(scene.administrator.api)
    assert measures(answer["total"]) == (0, 0, 0, 0)
    assert all(measures(row) == (0, 0, 0, 0) for row in answer["rows"])
    assert figures(scene.administrator.api, by="month")["rows"] == []


@pytest.mark.parametrize(
    ("what", "expected"),
    [
        pytest.param("somebody came", (1, 1, 1, 0), id="somebody came"),
        pytest.param("somebody walked in", (1, 1, 1, 0), id="somebody walked in"),
        pytest.param("somebody unknown walked in", (1, 2, 0, 2), id="two of whom nothing is known walked in"),
        pytest.param("heads were counted", (1, 6, 0, 6), id="heads were counted; elders are among them"),
        pytest.param("nobody was counted", (0, 0, 0, 0), id="nobody was counted"),
        pytest.param("somebody was absent", (0, 0, 0, 0), id="somebody was absent"),
        pytest.param("somebody was excused", (0, 0, 0, 0), id="somebody was excused"),
        pytest.param("somebody had booked", (0, 0, 0, 0), id="a booking alone is no person-time"),
        pytest.param("it was a mistake", (0, 0, 0, 0), id="a presence that was taken back"),
        pytest.param("all of it", (1, 9, 1, 8), id="all of it together"),
    ],
)
def test_a_session_was_held_where_somebody_was_there(scene: Scene, what: str, expected: tuple[int, ...]) -> None:
    session, someone = scene.session(), scene.person(date(1990, 1, 1), Sex.MALE)
    counts = Counts(women=3, children=2, men=1, elders=2, disabled=1)
    if what == "somebody had booked":
        with clock.frozen(session.starts_at - timedelta(days=1)):
            scene.world.book(scene.household, session)
    if what in ("somebody came", "all of it"):
        scene.came(session, someone)
    if what == "somebody walked in":
        scene.came(session, someone, kind=EventKind.WALK_IN)
    if what in ("somebody unknown walked in", "all of it"):
        scene.walked_in(session, 2)
    if what in ("heads were counted", "all of it"):
        scene.counted(session, counts)
    if what == "nobody was counted":
        scene.counted(session, Counts())
    if what == "somebody was absent":
        scene.came(session, someone, kind=EventKind.ABSENT)
    if what == "somebody was excused":
        scene.came(session, someone, kind=EventKind.EXCUSED)
    if what == "it was a mistake":
        with clock.frozen(session.ends_at):
            wrong = scene.world.record(scene.administrator, session, EventKind.PRESENT, someone)
            scene.world.record(scene.administrator, session, EventKind.VOID, voids=wrong.id)
    answer = figures(scene.administrator.api)
    assert measures(answer["total"]) == expected
    assert [measures(row) for row in answer["rows"]] in ([expected], [] if not any(expected) else [expected])


def test_persons_are_distinct_and_person_times_are_not(scene: Scene) -> None:
    woman, man = scene.person(date(1990, 1, 1), Sex.FEMALE), scene.person(date(1990, 1, 1), Sex.MALE)
    first, second = scene.session(), scene.session(starts_at=datetime(2026, 9, 11, 2, tzinfo=UTC))
    scene.came(first, woman, man)
    scene.came(second, woman)
    answer = figures(scene.administrator.api, by="category")
    assert measures(answer["total"]) == (2, 3, 2, 0)
    assert rows_by(answer, "category") == {"women": (2, 2, 1, 0), "men": (1, 1, 1, 0)}


@pytest.mark.parametrize(
    ("birth_date", "sex", "categories"),
    [
        pytest.param(date(2008, 9, 11), Sex.FEMALE, {"children"}, id="a girl, 18 tomorrow"),
        pytest.param(date(2008, 9, 10), Sex.FEMALE, {"women"}, id="a woman, 18 today"),
        pytest.param(date(2008, 9, 11), Sex.MALE, {"children"}, id="a boy, 18 tomorrow"),
        pytest.param(date(2008, 9, 10), Sex.MALE, {"men"}, id="a man, 18 today"),
        pytest.param(date(1966, 9, 11), Sex.FEMALE, {"women"}, id="60 tomorrow"),
        pytest.param(date(1966, 9, 10), Sex.FEMALE, {"women", "elders"}, id="60 today"),
        pytest.param(date(1966, 9, 10), Sex.MALE, {"men", "elders"}, id="a man of 60"),
        pytest.param(date(2026, 9, 10), Sex.FEMALE, {"children"}, id="born today"),
    ],
)
def test_the_age_of_the_day_says_whom_a_person_time_counts_for(
    scene: Scene, birth_date: date, sex: Sex, categories: set[str]
) -> None:
    """Born on the day is possible: the day is before today."""
    session = scene.session()
    scene.came(session, scene.person(birth_date, sex))
    answer = figures(scene.administrator.api, by="category")
    assert rows_by(answer, "category") == dict.fromkeys(categories, (1, 1, 1, 0))
    assert measures(answer["total"]) == (1, 1, 1, 0)


def test_the_age_is_that_of_the_day_and_not_of_today(scene: Scene) -> None:
    """Who turned 18 between two sessions is a child in the first and grown up in the second, and one person."""
    girl = scene.person(date(2008, 9, 11), Sex.FEMALE)
    scene.came(scene.session(), girl)
    scene.came(scene.session(starts_at=datetime(2026, 9, 11, 2, tzinfo=UTC)), girl)
    answer = figures(scene.administrator.api, by="category")
    assert rows_by(answer, "category") == {"children": (1, 1, 1, 0), "women": (1, 1, 1, 0)}
    assert measures(answer["total"]) == (2, 2, 1, 0)


@pytest.fixture
def busy(scene: Scene) -> Scene:
    """Two sessions with people of every kind, named, counted and unknown."""
    first, second = scene.session(), scene.session(starts_at=datetime(2026, 9, 20, 2, tzinfo=UTC))
    people = [
        scene.person(born, sex)
        for born, sex in (
            (date(1990, 1, 1), Sex.FEMALE),
            (date(1950, 1, 1), Sex.FEMALE),
            (date(2018, 1, 1), Sex.FEMALE),
            (date(2025, 1, 1), Sex.MALE),
            (date(1980, 1, 1), Sex.MALE),
            (date(1940, 1, 1), Sex.MALE),
        )
    ]
    scene.came(first, *people)
    scene.came(second, *people[:3])
    scene.counted(first, Counts(women=4, children=3, men=2, elders=5, disabled=2))
    scene.counted(second, Counts(women=1, children=0, men=0, elders=1, disabled=1), device="door")
    scene.counted(second, Counts(women=0, children=0, men=7, elders=0, disabled=0), device="gate")
    scene.walked_in(second, 2)
    return scene


TOTAL = (2, 9 + 9 + 8 + 2, 6, 9 + 8 + 2)


def test_categories_split_everyone_and_elders_and_disabled_overlap(busy: Scene) -> None:
    answer = figures(busy.administrator.api, by="category")
    rows = rows_by(answer, "category")
    assert measures(answer["total"]) == TOTAL
    assert rows == {
        "women": (2, 4 + 5, 2, 5),
        "children": (2, 3 + 3, 2, 3),
        "men": (2, 2 + 9, 2, 9),
        "unknown": (1, 2, 0, 2),
        "elders": (2, 3 + 6, 2, 6),
        "disabled": (2, 3, 0, 3),
    }
    split = [rows[name] for name in ("women", "children", "men", "unknown")]
    assert sum(row[1] for row in split) == TOTAL[1]
    assert sum(row[3] for row in split) == TOTAL[3]


@pytest.mark.parametrize(
    "by", ["sex", "age_band", "month", "facility", "programme", "sub_district", "month,sex", "facility,age_band,sex"]
)
def test_person_times_of_the_rows_add_up_to_the_total(busy: Scene, by: str) -> None:
    """Along each dimension but the categories, of which two overlap."""
    answer = figures(busy.administrator.api, by=by)
    assert measures(answer["total"]) == TOTAL
    assert sum(row["person_times"] for row in answer["rows"]) == TOTAL[1]
    assert sum(row["unidentified_person_times"] for row in answer["rows"]) == TOTAL[3]
    for row in answer["rows"]:
        assert set(by.split(",")) <= set(row)
        assert 0 <= row["persons"] <= row["person_times"]
        assert row["sessions_held"] in (1, 2)


def test_without_a_dimension_there_is_the_total_alone(busy: Scene) -> None:
    answer = figures(busy.administrator.api)
    assert [measures(row) for row in answer["rows"]] == [TOTAL] == [measures(answer["total"])]


def test_dimensions_are_separated_by_commas_or_repeated(busy: Scene) -> None:
    api = busy.administrator.api
    base = figures(api, by="month,category")
    assert base["rows"]
    assert figures(api, by=["month", "category"]) == base
    assert figures(api, by="month, category,") == base
    assert figures(api, by="month,category,month") == base


# -- when

LAST_OF_AUGUST = datetime(2026, 8, 31, 16, 30, tzinfo=UTC)  # half past midnight on 1 September in the district


@pytest.mark.parametrize(
    ("starts_at", "month"),
    [
        pytest.param(LAST_OF_AUGUST, "2026-09", id="16:30Z on the last day of August"),
        pytest.param(LAST_OF_AUGUST - timedelta(minutes=30), "2026-09", id="the month's first instant"),
        pytest.param(LAST_OF_AUGUST - timedelta(minutes=31), "2026-08", id="the month's last minute"),
        pytest.param(datetime(2025, 12, 31, 16, 30, tzinfo=UTC), "2026-01", id="16:30Z on New Year's Eve"),
        pytest.param(datetime(2024, 2, 29, 15, 59, tzinfo=UTC), "2024-02", id="the last minute of a leap day"),
    ],
)
def test_the_month_is_the_districts_month(scene: Scene, starts_at: datetime, month: str) -> None:
    scene.walked_in(scene.session(starts_at=starts_at))
    answer = figures(scene.administrator.api, from_="2024-01-01", to="2026-12-31", by="month")
    assert rows_by(answer, "month") == {month: (1, 1, 0, 1)}


@pytest.mark.parametrize(
    ("first", "last", "found"),
    [
        pytest.param("2026-09-01", "2026-09-01", 1, id="the day itself"),
        pytest.param("2026-08-01", "2026-08-31", 0, id="the month before"),
        pytest.param("2026-08-31", "2026-09-01", 1, id="both ends included"),
        pytest.param("2026-09-02", "2026-09-30", 0, id="from the day after"),
    ],
)
def test_a_period_is_of_the_districts_days_both_included(scene: Scene, first: str, last: str, found: int) -> None:
    scene.walked_in(scene.session(starts_at=LAST_OF_AUGUST))
    assert figures(scene.administrator.api, from_=first, to=last)["total"]["person_times"] == found


def test_a_session_that_runs_over_midnight_counts_for_the_day_on_which_it_starts(scene: Scene) -> None:
    starts_at = datetime(2026, 8, 31, 15, 0, tzinfo=UTC)  # 23:00 in the district
    scene.walked_in(scene.session(starts_at=starts_at, lasts=timedelta(hours=3)))
    assert figures(scene.administrator.api)["total"]["person_times"] == 0
    assert figures(scene.administrator.api, from_="2026-08-31", to="2026-08-31")["total"]["person_times"] == 1


# -- narrowing


def test_figures_are_narrowed_to_a_facility_a_programme_and_a_sub_district(scene: Scene) -> None:
    world, api = scene.world, scene.administrator.api
    elsewhere, yoga = world.facility(), world.programme()
    scene.walked_in(scene.session(), 1)
    scene.walked_in(scene.session(programme=yoga), 2)
    scene.walked_in(scene.session(elsewhere), 4)
    code = "500104004"
    assert figures(api)["total"]["person_times"] == 7
    assert figures(api, facility=str(elsewhere.id))["total"]["person_times"] == 4
    assert figures(api, programme=str(yoga.id))["total"]["person_times"] == 2
    here = {"facility": str(scene.facility.id), "programme": str(scene.programme.id)}
    assert figures(api, **here)["total"]["person_times"] == 1
    assert figures(api, sub_district=code)["total"]["person_times"] == 7
    assert figures(api, sub_district="500104001")["total"]["person_times"] == 0
    assert rows_by(figures(api, by="facility,programme"), "facility", "programme") == {
        (str(scene.facility.id), str(scene.programme.id)): (1, 1, 0, 1),
        (str(scene.facility.id), str(yoga.id)): (1, 2, 0, 2),
        (str(elsewhere.id), str(scene.programme.id)): (1, 4, 0, 4),
    }
    assert rows_by(figures(api, by="sub_district"), "sub_district") == {code: (3, 7, 0, 7)}


# -- who sees what


def test_a_manager_sees_the_figures_of_the_own_facilities_only(scene: Scene) -> None:
    world = scene.world
    foreign, second = world.facility(), world.facility()
    for facility, number in ((scene.facility, 1), (foreign, 2), (second, 4)):
        scene.walked_in(scene.session(facility), number)
    both = world.manager(scene.facility, second)
    assert figures(scene.manager.api)["total"]["person_times"] == 1
    assert set(rows_by(figures(scene.manager.api, by="facility"), "facility")) == {str(scene.facility.id)}
    assert figures(both.api)["total"]["person_times"] == 5
    assert figures(both.api, facility=str(second.id))["total"]["person_times"] == 4
    for someone in (scene.manager, both):
        assert figures(someone.api, status=403, facility=str(foreign.id))["code"] == "not_permitted"
        assert figures(someone.api, status=404, facility="987654")["code"] == "not_found"
    assert figures(scene.administrator.api, facility=str(foreign.id))["total"]["person_times"] == 2


@pytest.mark.parametrize("accept", ["application/json", CSV, XLSX])
def test_figures_are_for_staff_in_every_form(scene: Scene, anyone: Caller, accept: str) -> None:
    asks: dict[str, Any] = {
        "query_string": {**SEPTEMBER, "facility": str(scene.facility.id)},
        "headers": {"Accept": accept},
    }
    anyone.call("GET", "/statistics/beneficiaries", status=401, **asks)
    scene.household.api.call("GET", "/statistics/beneficiaries", status=403, **asks)
    stranger = scene.world.manager(scene.world.facility())
    stranger.api.call("GET", "/statistics/beneficiaries", status=403, **asks)
    scene.manager.api.call("GET", "/statistics/beneficiaries", status=200, **asks)


# -- files


def table(someone: Someone, accept: str, **query: str) -> list[list[str]]:
    response = someone.api.call(
        "GET", "/statistics/beneficiaries", status=200, headers={"Accept": accept}, query_string={**SEPTEMBER, **query}
    )
    assert "attachment" in response.headers["Content-Disposition"]
    if accept == CSV:
        assert response.content_type.replace(" ", "") == "text/csv;charset=utf-8"
        assert response.data.startswith(b"\xef\xbb\xbf"), "spreadsheets need the mark to read Chinese"
        return list(csv.reader(io.StringIO(response.data.decode("utf-8-sig"))))
    assert response.mimetype == XLSX
    sheet = load_workbook(io.BytesIO(response.data)).worksheets[0]
    numbers = sheet.iter_rows(min_row=2, min_col=sheet.max_column - 4, values_only=True)
    assert all(isinstance(cell, int | float) for row in numbers for cell in row), "numbers are numbers in a spreadsheet"
    return [["" if cell is None else str(cell) for cell in row] for row in sheet.values]


@pytest.mark.parametrize("accept", [CSV, XLSX])
@pytest.mark.parametrize("by", ["category", "month,facility", "facility,sex,age_band"])
def test_a_file_has_the_same_numbers(busy: Scene, accept: str, by: str) -> None:
    answer = figures(busy.administrator.api, by=by)
    header, *rows, total = table(busy.administrator, accept, by=by)
    width = len(by.split(","))
    assert len(header) == width + len(MEASURES) + 1
    assert [read(row[width:]) for row in rows] == [(*measures(row), row["hours"]) for row in answer["rows"]]
    assert read(total[width:]) == (*measures(answer["total"]), answer["total"]["hours"])
    assert measures(answer["total"]) == TOTAL


@pytest.mark.parametrize("accept", [CSV, XLSX])
def test_a_file_without_a_dimension_has_the_total(busy: Scene, accept: str) -> None:
    _, row = table(busy.administrator, accept)
    assert read(row)[:-1] == TOTAL


@pytest.mark.parametrize("accept", [CSV, XLSX])
def test_a_file_of_a_manager_ends_at_the_own_facilities(busy: Scene, accept: str) -> None:
    foreign = busy.world.facility(name="别处")
    busy.walked_in(busy.session(foreign), 3)
    mine = table(busy.manager, accept, by="facility")
    assert not any("别处" in cell for row in mine for cell in row)
    assert int(mine[-1][2]) == TOTAL[1]


@pytest.mark.parametrize("accept", [CSV, XLSX])
def test_a_name_that_would_be_a_formula_is_text_in_a_file(scene: Scene, accept: str) -> None:
    facility = scene.world.facility(name="=1+1", name_en="=1+1")
    scene.walked_in(scene.session(facility))
    rows = table(scene.administrator, accept, by="facility")
    assert any("=1+1" in cell for row in rows for cell in row)
    assert not any(cell.startswith("=") for row in rows for cell in row)
