"""Closing a period, what is noted afterwards, and a chain of which nothing can be taken."""

import hashlib
import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from threading import Barrier
from typing import Any

import pytest
from sqlalchemy import select, update

from facilities import background
from facilities.engine.official_reports import PeriodKind
from facilities.engine.roll_call import Counts, EventKind
from facilities.infra.audit import AuditEntry
from facilities.infra.db import db, unit_of_work
from facilities.kernel import clock
from facilities.kernel.refusals import Invalid, NotPermitted, NotVisible, Refused
from facilities.places.models import Facility
from facilities.reports import contents, queries, services
from facilities.reports.models import BEGINNING
from facilities.reports.verifying import verify
from facilities.statistics.dimensions import Scope
from facilities.statistics.queries import beneficiaries, total
from tests.conftest import NOW
from tests.reports.august import FIRST, SIGNER, August, tamper, today_in_the_ledger
from tests.world import World


@pytest.fixture
def august(world: World) -> August:
    return August.of(world)


def rows(content: dict[str, Any], *by: str) -> dict[tuple[str, ...], dict[str, Any]]:
    (table,) = [table for table in content["tables"] if table["by"] == list(by)]
    return {tuple(row["of"]): row["figures"] for row in table["rows"]}


# -- closing


def test_a_closed_period_holds_the_ledgers_figures_along_every_dimension(august: August) -> None:
    report = august.closed()
    content, scope = json.loads(report.content), Scope(FIRST, date(2026, 8, 31))
    assert content["total"]["person_times"] == total(scope).person_times == 6
    assert content["total"]["persons"] == 2
    for by in contents.TABLES:
        found = {tuple(row.of[d] for d in by): row.figures for row in beneficiaries(scope, list(by))}
        assert {key: row["person_times"] for key, row in rows(content, *by).items()} == {
            key: figures.person_times for key, figures in found.items()
        }
    assert len(rows(content, "facility")) == 2
    assert rows(content, "facility", "category")[str(august.facility.id), "women"]["person_times"] == 1
    assert content["signed"] == {"name": SIGNER.name, "position": SIGNER.position}
    assert (report.number, report.previous, report.last) == (1, BEGINNING, date(2026, 8, 31))


def test_the_content_is_canonical_and_its_hash_is_anybodys_to_compute(august: August) -> None:
    report = august.closed()
    again = json.dumps(json.loads(report.content), ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    assert report.content == again
    assert report.sha256 == hashlib.sha256(report.content.encode("utf-8")).hexdigest()


def test_names_and_words_are_frozen_in_both_languages(august: August) -> None:
    content = json.loads(august.closed().content)
    number = str(august.facility.id)
    assert content["names"]["facility"][number] == {"zh": august.facility.name, "en": august.facility.name_en}
    assert content["names"]["category"]["women"] == {"zh": "妇女", "en": "Women"}
    assert content["words"]["person_times"]["en"] == "Person-times"
    assert content["words"]["person_times"]["zh"] == "人次"
    assert content["period"]["en"] == "Aug 2026"
    assert set(content["measures"]) <= set(content["words"])


def test_a_period_in_which_nothing_was_held_can_be_closed(august: August) -> None:
    report = august.close(first=date(2026, 5, 1))
    content = json.loads(report.content)
    assert set(content["total"].values()) <= {0, None}
    assert all(table["rows"] == [] for table in content["tables"])


@pytest.mark.parametrize(
    ("period", "first", "refused"),
    [
        pytest.param(PeriodKind.MONTH, date(2026, 9, 1), "period_not_over", id="the present month"),
        pytest.param(PeriodKind.MONTH, date(2026, 10, 1), "period_not_over", id="a month to come"),
        pytest.param(PeriodKind.QUARTER, date(2026, 7, 1), "period_not_over", id="the present quarter"),
        pytest.param(PeriodKind.YEAR, date(2026, 1, 1), "period_not_over", id="the present year"),
        pytest.param(PeriodKind.QUARTER, date(2026, 4, 1), None, id="the quarter before"),
        pytest.param(PeriodKind.YEAR, date(2025, 1, 1), None, id="the year before"),
    ],
)
def test_only_what_is_over_is_closed(august: August, period: PeriodKind, first: date, refused: str | None) -> None:
    if refused is None:
        assert august.close(period, first).number == 1
        return
    with pytest.raises(Refused) as refusal:
        august.close(period, first)
    assert refusal.value.refusal.code == refused


def test_the_last_day_of_a_period_is_the_districts(august: August) -> None:
    midnight = datetime(2026, 8, 31, 16, tzinfo=UTC)  # 1 September in the district
    with clock.frozen(midnight - timedelta(seconds=1)), pytest.raises(Refused):
        august.close()
    with clock.frozen(midnight):
        assert august.close().number == 1


def test_a_period_is_closed_once_and_begins_where_one_begins(august: August) -> None:
    august.close()
    with pytest.raises(Refused) as refusal:
        august.close()
    assert refusal.value.refusal.code == "period_closed"
    with pytest.raises(Invalid) as invalid:
        august.close(first=date(2026, 8, 2))
    assert invalid.value.fields == {"first": "no_period_begins"}


def test_managers_close_nothing_and_correct_nothing(august: August) -> None:
    report = august.close()
    manager = august.world.manager(august.facility)
    with pytest.raises(NotPermitted):
        august.close(first=date(2026, 7, 1), actor=manager.actor)
    with pytest.raises(NotPermitted):
        unit_of_work(lambda: services.note_correction(report.id, manager.actor))


def test_figures_that_change_while_they_are_read_are_read_again(
    august: August, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody enters attendance between two of the queries: what is frozen belongs together."""
    counted, left = queries_total(), [2]

    def moves(scope: Scope) -> Any:
        if left[0]:
            left[0] -= 1
            return counted(scope, left[0] + 1)
        return counted(scope, 0)

    monkeypatch.setattr(contents.queries, "total", moves)
    content = json.loads(august.close().content)
    assert content["total"]["person_times"] == 6
    left[0] = 100
    with pytest.raises(Refused) as refusal:
        august.close(first=date(2026, 7, 1))
    assert refusal.value.refusal.code == "figures_changing"


def queries_total() -> Callable[[Scope, int], Any]:
    ledger = total

    def counted(scope: Scope, more: int) -> Any:
        found = ledger(scope)
        return type(found)(found.sessions_held, found.person_times + more, found.persons) if more else found

    return counted


def test_closing_is_in_the_audit_log_with_the_hash(august: August) -> None:
    report = august.close()
    entry = db.session.scalars(
        select(AuditEntry).where(AuditEntry.about_kind == "official_report", AuditEntry.verb == "closed")
    ).one()
    assert (entry.user_id, entry.about_id) == (august.administrator.user.id, report.id)
    assert entry.facts["sha256"] == report.sha256
    assert entry.number is not None


# -- what differs afterwards


def test_what_was_published_stays_as_it_is_after_later_ticks_and_new_names(august: August) -> None:
    report = august.closed()
    before = (report.content, report.sha256)
    august.came(august.world.resident().resident_id)
    unit_of_work(lambda: db.session.execute(update(Facility).values(name_en="Renamed")))
    assert august.corrected(report) is not None
    fresh = queries.report(report.id)
    assert fresh is not None
    assert (fresh.content, fresh.sha256) == before
    assert verify().faults == ()


def test_a_correction_is_dated_and_says_each_cell_that_differs(august: August) -> None:
    report = august.closed()
    august.came(august.world.resident(birth_date=date(1950, 1, 1)).resident_id)
    made = august.corrected(report)
    assert made is not None
    content = json.loads(made.content)
    assert content["made_at"] == "2026-09-16T10:00:00+08:00"
    assert (made.made_at, made.number, content["previous"]) == (NOW, 1, report.sha256)
    said = {(*cell["by"], *cell["of"], cell["measure"]): (cell["old"], cell["new"]) for cell in content["cells"]}
    number = str(august.facility.id)
    assert said["person_times",] == (6, 7)
    assert said["persons",] == (2, 3)
    assert said["facility", number, "person_times"] == (2, 3)
    assert said["facility", "category", number, "women", "persons"] == (1, 2)
    assert said["age_band", "70-79", "persons"] == (0, 1)
    assert not any(key[0] == "facility" and key[1] != number and key[1] != "category" for key in said)
    assert content["names"]["age_band"]["70-79"]["en"] == "70–79 years"


def test_twice_in_a_row_adds_nothing(august: August) -> None:
    report = august.closed()
    assert unit_of_work(services.note_corrections) == 0
    august.came(august.world.resident().resident_id)
    assert [unit_of_work(services.note_corrections) for _ in range(2)] == [1, 0]
    assert len(queries.corrections(report.id)) == 1


def test_what_is_published_and_every_correction_make_the_ledger_of_today(august: August) -> None:
    """Whatever happens afterwards: more people, fewer, another facility, a session that is off after all."""
    report, world = august.closed(), august.world

    def agrees() -> bool:
        august.corrected(report)
        published = json.loads(report.content)
        corrections = [json.loads(row.content) for row in queries.corrections(report.id)]
        said = contents.published_cells(published, corrections)
        ledger = today_in_the_ledger(report)
        return {cell: value for cell, value in said.items() if value} == ledger

    assert agrees()
    august.came(world.resident().resident_id)
    assert agrees()
    with clock.frozen(august.session.starts_at - timedelta(days=2)):
        elsewhere = world.session(world.facility(), starts_at=august.session.starts_at)
    august.counted(Counts(women=2, children=5), session=elsewhere)
    assert agrees()
    with clock.frozen(elsewhere.ends_at):
        world.record(august.administrator, elsewhere, EventKind.HEAD_COUNT, counts=Counts(), device="door",
                     occurred_at=elsewhere.ends_at)  # fmt: skip
    assert agrees()
    with clock.frozen(august.session.ends_at):
        wrong = world.record(august.administrator, august.session, EventKind.WALK_IN)
    assert agrees()
    with clock.frozen(august.session.ends_at):
        world.record(august.administrator, august.session, EventKind.VOID, voids=wrong.id)
    assert agrees()
    numbers = [row.number for row in queries.corrections(report.id)]
    assert numbers == [1, 2, 3, 4, 5]
    assert verify().faults == ()
    deltas = [json.loads(row.content)["cells"] for row in queries.corrections(report.id)]
    summed = sum(cell["new"] - cell["old"] for cells in deltas for cell in cells
                 if not cell["by"] and cell["measure"] == "person_times")  # fmt: skip
    assert 6 + summed == total(Scope(report.first, report.last)).person_times


def test_a_report_that_is_not_there_cannot_be_corrected(august: August) -> None:
    with pytest.raises(NotVisible):
        unit_of_work(lambda: services.note_correction(987654))


def test_the_nightly_job_notes_what_differs_once_and_one_report_keeps_no_other_from_it(
    august: August, monkeypatch: pytest.MonkeyPatch
) -> None:
    month, quarter = august.close(), august.close(PeriodKind.QUARTER, date(2026, 4, 1))
    august.came(august.world.resident().resident_id)
    note = background.note_correction

    def stumbles(number: int) -> Any:
        if number == quarter.id:
            raise ZeroDivisionError
        return note(number)

    monkeypatch.setattr(background, "note_correction", stumbles)
    outcome = background._correct_reports()
    assert (outcome.done, outcome.failed, outcome.failure) == (1, 1, "ZeroDivisionError")
    assert [len(queries.corrections(report.id)) for report in (month, quarter)] == [1, 0]
    monkeypatch.undo()
    assert ("reports_corrected", 0, 0) in list(background.do_what_is_due())


def test_who_compares_at_the_same_moment_makes_one_correction(august: August) -> None:
    report, app = august.closed(), august.world.app
    august.came(august.world.resident().resident_id)
    together = Barrier(3)

    def compare(_: int) -> int:
        with app.app_context():
            together.wait()
            return unit_of_work(services.note_corrections)

    db.session.rollback()
    with ThreadPoolExecutor(3) as pool:
        assert sum(pool.map(compare, range(3))) == 1
    assert [row.number for row in queries.corrections(report.id)] == [1]


# -- the chain


@pytest.fixture
def chain(august: August) -> August:
    """Three reports, the second corrected twice."""
    for month in (6, 8, 7):
        august.close(first=date(2026, month, 1))
    for _ in range(2):
        august.came(august.world.resident().resident_id)
        unit_of_work(services.note_corrections)
    found = verify()
    assert (found.reports, found.corrections, found.faults) == (3, 2, ())
    return august


def test_each_report_names_the_one_before_in_what_is_hashed(chain: August) -> None:
    reports = queries.whole_chain()
    assert [report.number for report in reports] == [1, 2, 3]
    named = [json.loads(report.content)["previous"] for report in reports]
    assert named == [BEGINNING, reports[0].sha256, reports[1].sha256]
    assert verify().end == reports[2].sha256


def test_periods_that_are_closed_at_the_same_moment_make_one_chain(august: August) -> None:
    """Who comes second is refused, or waits and comes after; of one period there is one report in the end."""
    app, months = august.world.app, (4, 5, 6, 6)
    together = Barrier(len(months))

    def close(month: int) -> str:
        with app.app_context():
            together.wait()
            try:
                return august.close(first=date(2026, month, 1)).period.code
            except Refused as refused:
                return refused.refusal.code

    db.session.rollback()
    with ThreadPoolExecutor(len(months)) as pool:
        outcomes = list(pool.map(close, months))
    codes = [report.period.code for report in queries.whole_chain()]
    assert sorted(outcome for outcome in outcomes if outcome.startswith("2026")) == sorted(codes)
    assert set(outcomes) - set(codes) <= {"closed_meanwhile", "period_closed"}
    assert len(codes) == len(set(codes)) >= 1
    assert verify().faults == ()


EDITED = "replace(content, '\"person_times\":6', '\"person_times\":9')"


@pytest.mark.parametrize(
    ("statement", "says"),
    [
        (f"UPDATE official_reports SET content = {EDITED} WHERE number = 2", "report 2: the content is not what was"),
        ("UPDATE official_reports SET content = '[' WHERE number = 2", "report 2: the content cannot be read"),
        ("UPDATE official_reports SET signed_name = '吴刚' WHERE number = 1", "does not agree with signed"),
        ("UPDATE official_reports SET closed_at = '2026-01-01 00:00:00' WHERE number = 1", "agree with closed_at"),
        ("UPDATE official_reports SET first = '2026-06-02' WHERE number = 1", "does not agree with first"),
        (f"UPDATE official_reports SET previous = '{'a' * 64}' WHERE number = 3", "the one before it is not the one"),
        ("DELETE FROM official_reports WHERE number = 1", "reports 1 to 1 are missing"),
        ("DELETE FROM official_reports WHERE number = 3", "says that this was closed, and it is not there"),
        ("DELETE FROM report_corrections WHERE number = 1", "report 2: corrections 1 to 1 are missing"),
        ("DELETE FROM report_corrections WHERE number = 2", "says that this was corrected, and it is not there"),
        ("UPDATE report_corrections SET content = '{}' WHERE number = 1", "correction 1: the content is not what was"),
        ("UPDATE report_corrections SET made_at = '2026-01-01 00:00:00' WHERE number = 2", "agree with made_at"),
    ],
    ids=["figures", "unreadable", "signature", "time", "period", "link", "first gone", "last gone", "correction gone",
         "last correction gone", "correction edited", "correction moved"],
)  # fmt: skip
def test_meddling_is_found_out(chain: August, statement: str, says: str) -> None:
    tamper(statement)
    assert says in "; ".join(verify().faults)


def test_who_edits_and_hashes_again_is_found_out_by_the_next_report_and_the_audit_log(chain: August) -> None:
    report = queries.whole_chain()[1]
    edited = report.content.replace('"person_times":6', '"person_times":9')
    assert edited != report.content
    quoted = edited.replace("'", "''")
    tamper(f"UPDATE official_reports SET content = '{quoted}', sha256 = '{contents.digest(edited)}' WHERE number = 2")
    faults = "; ".join(verify().faults)
    assert "report 3: the one before it is not the one that it names" in faults
    assert "does not say that this was closed" in faults
