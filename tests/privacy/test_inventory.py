"""Nothing is kept that the inventory does not name."""

import pytest

from facilities.infra.db import Model
from facilities.privacy import wording
from facilities.privacy.inventory import INVENTORY
from facilities.privacy.retention import CARRIED_OUT, PERIODS
from facilities.privacy.terms import Erased, Kept, Kind


def test_every_column_of_every_table_is_in_the_inventory_and_nothing_else_is() -> None:
    schema = {(table.name, column.name) for table in Model.metadata.tables.values() for column in table.columns}
    declared = {(name, column) for name, table in INVENTORY.items() for column in (*table.columns, *table.impersonal)}
    assert schema - declared == set(), "say what these columns hold, in privacy/inventory.py"
    assert declared - schema == set(), "these columns are gone"


def test_a_column_is_about_somebody_or_about_nobody_and_not_both() -> None:
    assert [name for name, table in INVENTORY.items() if table.columns.keys() & table.impersonal] == []


@pytest.mark.parametrize("name", [name for name, table in INVENTORY.items() if table.columns])
def test_what_is_personal_says_why_and_for_how_long(name: str) -> None:
    table = INVENTORY[name]
    assert table.why in wording.WHY
    assert table.kept in wording.HOW_LONG


def test_names_numbers_and_conditions_do_not_outlive_an_account() -> None:
    kinds = (Kind.NAME, Kind.CONTACT, Kind.IDENTITY, Kind.HEALTH, Kind.SECURITY)
    kept = [
        (name, column)
        for name, table in INVENTORY.items()
        for column, said in table.columns.items()
        if said.kind in kinds and said.erased not in (Erased.REMOVED, Erased.REPLACED)
    ]
    assert kept == []


def test_secrets_are_not_downloaded() -> None:
    secrets = [
        (name, column)
        for name, table in INVENTORY.items()
        for column, said in table.columns.items()
        if said.kind is Kind.SECURITY and said.exported and column != "disabled"
    ]
    assert secrets == []


def test_every_period_is_carried_out() -> None:
    assert set(PERIODS) - set(CARRIED_OUT) == {Kept.KEYS}  # which infra.idempotency forgets


def test_every_column_that_is_downloaded_has_a_label_or_is_a_number_of_ours() -> None:
    exported = {column for name, table in INVENTORY.items() if name != "audit_entries" for column in table.exported}
    numbers = {column for column in exported if column == "id" or column.endswith("_id")}
    assert exported - numbers - set(wording.LABELS) == {"about_kind", "facts"}  # the messages' own page says these
