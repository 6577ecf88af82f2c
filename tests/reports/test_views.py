"""The pages of official reports and their files: from the frozen text alone, and the same bytes each time."""

import csv
import hashlib
import io
import json
import zipfile
from datetime import date, timedelta

import pytest
from openpyxl import load_workbook
from sqlalchemy import insert, update

from facilities.infra.db import db, unit_of_work
from facilities.kernel import clock
from facilities.places.models import Facility
from facilities.reports import exports, services
from facilities.reports.models import OfficialReport
from tests.client import Counter, Page
from tests.conftest import NOW
from tests.reports.august import SIGNER, August
from tests.stores import Store
from tests.world import Someone, World

FORM = {"period": "month:2026-08-01", "signed_name": SIGNER.name, "signed_position": SIGNER.position}


@pytest.fixture
def august(world: World) -> August:
    return August.of(world)


def page_of(august: August, path: str, language: str = "en") -> Page:
    return august.world.browser(august.administrator, language).get(path)


def close(august: August, status: int = 200, **fields: str) -> Page:
    return august.world.browser(august.administrator).send(
        "/reports", status=status, token_from="/reports", **FORM | fields
    )


# -- closing


def test_a_period_is_closed_with_the_line_that_signs_it(august: August) -> None:
    listed = page_of(august, "/reports")
    assert "No period has been closed yet" in listed.text
    offered = [option.text.strip() for option in listed.tree.xpath("//select[@id='period']/option")]
    assert offered[:3] == ["Aug 2026", "Jul 2026", "Jun 2026"]
    assert offered[3] == "Quarter 2 of 2026"
    assert "Sep 2026" not in offered
    page = close(august)
    assert "Closed. These figures stay as they are." in page.text
    assert f"{SIGNER.name} · {SIGNER.position}" in page.text
    again = page_of(august, "/reports")
    assert "No. 1 · closed on 16 September 2026" in again.text
    assert "Aug 2026" not in [option.text.strip() for option in again.tree.xpath("//select[@id='period']/option")]


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        pytest.param({"signed_name": " "}, "This is needed.", id="nobody signs"),
        pytest.param({"signed_position": ""}, "This is needed.", id="without an office"),
        pytest.param({"signed_name": "长" * 65}, "Use at most 64 characters.", id="too long"),
        pytest.param({"period": "month:2026-09-01"}, "Not a valid choice", id="a month that is not over"),
        pytest.param({"period": "month"}, "Not a valid choice", id="no period at all"),
    ],
)
def test_what_is_not_right_is_said_and_closes_nothing(august: August, fields: dict[str, str], says: str) -> None:
    assert says in close(august, 422, **fields).text
    assert "No period has been closed yet" in page_of(august, "/reports").text


def test_who_comes_second_is_told_and_changes_nothing(august: August, monkeypatch: pytest.MonkeyPatch) -> None:
    report = august.close()
    monkeypatch.setattr("facilities.reports.views.queries.listed", list)  # as the list was before the other closed it
    assert "This period is closed already" in close(august, 409).text
    assert db.session.get_one(OfficialReport, report.id).sha256 == report.sha256


# -- reading


def test_a_report_shows_its_figures_its_hash_and_who_signed(august: August) -> None:
    before, report = august.close(first=date(2026, 7, 1)), august.closed()
    page = page_of(august, f"/reports/{report.id}")
    assert report.previous == before.sha256
    terms, values = (page.tree.xpath(f"//dl[@class='numbers']//{tag}/text()") for tag in ("dt", "dd"))
    numbers = dict(zip(terms, values, strict=True))
    assert (numbers["Person-times"], numbers["Persons"], numbers["Sessions held"]) == ("6", "2", "2")
    assert {report.sha256, report.previous} <= set(page.tree.xpath("//code/text()"))
    assert len(page.tree.xpath("//section[@class='report-tables']//table")) == 8
    assert "None: the figures are still as they were published." in page.text
    assert august.facility.name_en in page.text
    assert f"{SIGNER.name} · {SIGNER.position}" in page.text


def test_the_page_keeps_names_and_words_of_the_day_in_both_languages(august: August) -> None:
    report, name, english = august.closed(), august.facility.name, august.facility.name_en
    unit_of_work(lambda: db.session.execute(update(Facility).values(name_en="Renamed", address="搬走了")))
    text = page_of(august, f"/reports/{report.id}").text
    assert english in text
    assert "Renamed" not in text
    chinese = page_of(august, f"/reports/{report.id}", "zh")
    assert name in chinese.text
    assert "人次" in chinese.text


def test_corrections_stand_below_with_their_day_from_old_to_new(august: August) -> None:
    report = august.closed()
    august.came(august.world.resident(birth_date=date(1950, 1, 1)).resident_id)
    browser = august.world.browser(august.administrator)
    said = browser.send("/reports/corrections", token_from="/reports")
    assert "1 report has a new correction." in said.text
    assert "1 correction" in said.text
    page = browser.get(f"/reports/{report.id}")
    assert "Corrected 1 time since" in page.text
    assert "Correction 1 of 16 September 2026" in page.text
    lines = {
        " ".join(row.findtext("th").split()): [" ".join(cell.text_content().split()) for cell in row.findall("td")]
        for row in page.tree.xpath("//section[@id='corrections']//tbody/tr")
    }
    assert lines["Total · Person-times"] == ["6", "→ 7"]
    assert lines[f"{august.facility.name_en} · Women · Persons"] == ["1", "→ 2"]
    assert lines["70–79 years · Persons"] == ["0", "→ 1"]
    numbers = page.tree.xpath("//dl[@class='numbers']//dd/text()")
    assert "6" in numbers, "what was published stands above as it was"
    assert "All closed reports agree" in browser.send("/reports/corrections", token_from="/reports").text


def test_more_reports_and_more_corrections_cost_no_more_queries(august: August, queries: Counter) -> None:
    report = august.closed()
    browser = august.world.browser(august.administrator)

    def asked(path: str) -> int:
        browser.get(path)
        queries.clear()
        browser.get(path)
        return len(queries)

    before = [asked("/reports"), asked(f"/reports/{report.id}")]
    for month in (3, 4, 5):
        august.close(first=date(2026, month, 1))
        august.came(august.world.resident().resident_id)
        unit_of_work(services.note_corrections)
    assert [asked("/reports"), asked(f"/reports/{report.id}")] == before
    assert max(before) <= 8


@pytest.mark.parametrize(
    "path", ["/reports/987654", "/reports/abc", "/reports/987654/file", "/reports/{}/file?format=pdf"]
)
def test_what_is_not_there_is_not_found(august: August, path: str) -> None:
    august.world.browser(august.administrator).get(path.format(august.close().id), status=404)


def test_managers_do_not_see_the_figures_of_all(august: August) -> None:
    report = august.closed()
    browser = august.world.browser(august.world.manager(august.facility))
    for path in ("/reports", f"/reports/{report.id}", f"/reports/{report.id}/file"):
        browser.get(path, status=403)


# -- files


def file(world: World, someone: Someone, report_id: int, kind: str, language: str = "en") -> bytes:
    response = world.browser(someone, language).raw(f"/reports/{report_id}/file?format={kind}")
    assert response.status_code == 200
    assert f".{kind}" in response.headers["Content-Disposition"]
    return response.data


@pytest.fixture(params=exports.FORMATS)
def form(request: pytest.FixtureRequest) -> str:
    """Of a file; `kind` is the database's."""
    return str(request.param)


def test_a_file_is_the_same_whenever_and_for_whomever_it_is_made(world: World, form: str) -> None:
    """Later, in another language, after names and figures have changed."""
    august = August.of(world)
    report = august.closed()
    made = file(world, august.administrator, report.id, form)
    august.came(world.resident().resident_id)
    unit_of_work(lambda: db.session.execute(update(Facility).values(name_en="Renamed")))
    with clock.frozen(NOW + timedelta(days=9)):
        unit_of_work(services.note_corrections)
        assert file(world, world.administrator(), report.id, form, "zh") == made


def test_a_file_is_made_from_the_frozen_row_alone(world: World, store: Store, form: str) -> None:
    """On an installation that has nothing else: no facility, no session, nobody."""
    august = August.of(world)
    report = august.closed()
    made = file(world, august.administrator, report.id, form)
    row = {column.name: getattr(report, column.name) for column in OfficialReport.__table__.columns}
    anew(store)
    unit_of_work(lambda: db.session.execute(insert(OfficialReport).values(row)))
    with clock.frozen(NOW + timedelta(days=400)):
        again = World(world.app)
        assert file(again, again.administrator(), report.id, form) == made


def test_an_installation_that_was_built_anew_from_the_same_events_closes_with_the_same_hash(
    world: World, store: Store
) -> None:
    """Its events have other ids; the report is the same, byte for byte."""
    first = August.of(world).closed()
    anew(store)
    august = August.of(World(world.app))
    second = august.closed()
    assert second.content == first.content
    assert second.sha256 == first.sha256


def anew(store: Store) -> None:
    db.session.remove()
    db.engine.dispose()
    store.reset()


def test_the_json_is_what_was_hashed(august: August) -> None:
    report = august.closed()
    made = file(august.world, august.administrator, report.id, "json")
    assert made.decode() == report.content
    assert hashlib.sha256(made).hexdigest() == report.sha256


def test_a_spreadsheet_opens_with_numbers_as_numbers_and_no_time_but_that_of_closing(august: August) -> None:
    unit_of_work(lambda: db.session.execute(
        update(Facility).where(Facility.id == august.facility.id).values(name_en="=1+1 <&> \ufffe")))  # fmt: skip
    report = august.closed()
    made = file(august.world, august.administrator, report.id, "xlsx")
    book, said = load_workbook(io.BytesIO(made)), json.loads(report.content)
    assert len(book.worksheets) == 1 + len(said["tables"])
    assert book.properties.created == book.properties.modified == report.closed_at.replace(tzinfo=None)
    assert {entry.date_time for entry in zipfile.ZipFile(io.BytesIO(made)).infolist()} == {(1980, 1, 1, 0, 0, 0)}
    front = [cell for row in book.worksheets[0].values for cell in row]
    assert {report.sha256, SIGNER.name, said["total"]["person_times"]} <= set(front)
    (by_facility,) = [sheet for sheet in book.worksheets if sheet.title.endswith(said["words"]["facility"]["zh"])]
    header, *rows = by_facility.values
    assert header[2 + said["measures"].index("person_times")].endswith("Person-times")
    counted = {row[1]: row[2 + said["measures"].index("person_times")] for row in rows}
    assert counted["=1+1 <&> "] == 2
    assert all(cell.data_type != "f" for row in by_facility.rows for cell in row)


def test_a_period_in_which_nothing_was_held_has_a_page_and_files(world: World, form: str) -> None:
    august = August.of(world)
    report = august.close(first=date(2026, 5, 1))
    assert page_of(august, f"/reports/{report.id}").text.count("Nothing was held in this period.") == 8
    assert file(world, august.administrator, report.id, form)


def test_csv_has_one_table_below_the_other_and_no_formulas(august: August) -> None:
    unit_of_work(lambda: db.session.execute(update(Facility).values(name_en="=1+1")))
    report = august.closed()
    made = file(august.world, august.administrator, report.id, "csv")
    assert made.startswith(b"\xef\xbb\xbf"), "spreadsheets need the mark to read Chinese"
    lines = list(csv.reader(io.StringIO(made.decode("utf-8-sig"))))
    assert lines.count([]) == 10  # after each of nine tables, and before the totals
    assert any("'=1+1" in line for line in lines)
    assert not any(cell.startswith("=") for line in lines for cell in line)
