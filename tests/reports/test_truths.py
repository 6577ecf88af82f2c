"""What must never be false of official reports, tried by raw SQL: the services are not asked."""

import pytest

from facilities.infra.db import unit_of_work
from facilities.reports import services
from tests.no_shows.test_truths import AT
from tests.reports.august import August
from tests.truths import name_of_violation
from tests.world import World

HASH = f"'{'a' * 64}'"


def report(**more: str) -> str:
    said = {
        "number": "1", "kind": "'month'", "first": "'2026-07-01'", "last": "'2026-07-31'", "content": "'{}'",
        "sha256": HASH, "previous": HASH, "closed_at": AT, "closed_by": "7", "signed_name": "'周敏'",
        "signed_position": "'主任'",
    } | more  # fmt: skip
    return f"INSERT INTO official_reports ({', '.join(said)}) VALUES ({', '.join(said.values())})"


def test_a_report_is_one_for_its_period_has_a_place_in_the_chain_and_is_signed(world: World) -> None:
    tried = {
        report(): None,
        report(number="0"): "ck_official_reports_number",
        report(kind="'week'"): "ck_official_reports_kind",
        report(last="'2026-06-30'"): "ck_official_reports_days_in_order",
        report(sha256="'a'"): "ck_official_reports_hashes",
        report(previous="'a'"): "ck_official_reports_hashes",
        report(content="''"): "ck_official_reports_content_not_blank",
        report(signed_name="''"): "ck_official_reports_signed_by_somebody",
        report(signed_position="''"): "ck_official_reports_signed_by_somebody",
    }
    assert {statement: name_of_violation(statement) for statement in tried} == tried
    assert name_of_violation(report(), report(number="2")) == "uq_official_reports_kind_first"
    assert name_of_violation(report(), report(kind="'quarter'")) == "uq_official_reports_number"
    assert name_of_violation(report(), report(kind="'quarter'", number="2")) is None


def correction(report_id: int, **more: str) -> str:
    said = {"number": "1", "made_at": AT, "content": "'{}'", "sha256": HASH} | more
    said = {"report_id": str(report_id)} | said
    return f"INSERT INTO report_corrections ({', '.join(said)}) VALUES ({', '.join(said.values())})"


def test_a_correction_has_its_number_and_its_hash(world: World) -> None:
    number = August.of(world).close().id
    tried = {
        correction(number): None,
        correction(number, number="0"): "ck_report_corrections_number",
        correction(number, sha256="'a'"): "ck_report_corrections_hash",
        correction(number, content="''"): "ck_report_corrections_content_not_blank",
    }
    assert {statement: name_of_violation(statement) for statement in tried} == tried
    assert name_of_violation(correction(number), correction(number)) == "uq_report_corrections_report_id_number"


CHANGES = {
    "UPDATE official_reports SET content = '{}'": "official_reports_never_updated",
    "UPDATE official_reports SET signed_name = '吴刚'": "official_reports_never_updated",
    "DELETE FROM official_reports": "official_reports_never_deleted",
    "UPDATE report_corrections SET content = '{}'": "report_corrections_never_updated",
    "DELETE FROM report_corrections": "report_corrections_never_deleted",
}


@pytest.mark.parametrize("statement", CHANGES)
def test_what_was_published_is_never_changed_nor_removed(world: World, statement: str) -> None:
    august = August.of(world)
    august.close()
    august.came(world.resident().resident_id)
    unit_of_work(services.note_corrections)
    assert name_of_violation(statement) == CHANGES[statement]
