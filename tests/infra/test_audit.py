"""The chain of what staff did and looked at: whoever meddles with it is found out."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from flask import Flask
from sqlalchemy import func, select, text
from sqlalchemy.exc import IntegrityError

from facilities.infra import audit
from facilities.infra.audit import AuditEntry
from facilities.infra.db import db, unit_of_work
from facilities.infra.exclusion import never_changed_triggers
from facilities.kernel.actors import Actor, Granted, Role

STAFF = Actor(1, 1, "someone", "Someone", (Granted(Role.ADMINISTRATOR),))
RESIDENT = Actor(2, 2, "somebody", "Somebody")


def noted(count: int = 6) -> tuple[int, str]:
    """The anchor."""
    for number in range(count):
        unit_of_work(lambda number=number: audit.note(STAFF, "changed", "session", [number], {"reason": "整修"}))
    found = audit.verify()
    assert found.faults == ()
    return found.number, found.chained


def tamper(*statements: str) -> None:
    """With the triggers out of the way, as somebody who owns the database could."""
    db.session.rollback()
    with db.engine.begin() as connection:
        for verb in ("update", "delete"):
            on = " ON audit_entries" if connection.dialect.name == "postgresql" else ""
            connection.execute(text(f"DROP TRIGGER audit_entries_never_{verb}d{on}"))
        for statement in statements:
            connection.execute(text(statement))
        for trigger in never_changed_triggers("audit_entries", connection.dialect.name):
            connection.execute(text(trigger))


def test_what_staff_do_is_chained_and_what_residents_do_is_not(app: Flask) -> None:
    noted(3)
    unit_of_work(lambda: audit.note(RESIDENT, "cancelled", "booking", [1]))
    assert db.session.scalars(select(AuditEntry.number).order_by(AuditEntry.id)).all() == [1, 2, 3, None]
    assert audit.verify().number == 3


def test_a_look_at_personal_records_is_chained_whoever_looks(app: Flask) -> None:
    unit_of_work(lambda: audit.note(RESIDENT, "looked_at", "resident", [1, 2], sensitive=True))
    assert audit.verify().number == 2


def test_what_is_undone_leaves_no_entry(app: Flask) -> None:
    def fails() -> None:
        audit.note(STAFF, "changed", "session", [1])
        raise RuntimeError

    with pytest.raises(RuntimeError):
        unit_of_work(fails)
    unit_of_work(lambda: db.session.execute(text("SELECT 1")))
    assert db.session.scalar(select(func.count()).select_from(AuditEntry)) == 0


@pytest.mark.parametrize(
    ("statements", "says"),
    [
        (["UPDATE audit_entries SET user_id = 9 WHERE number = 3"], "entry 3 is not what was written"),
        (["UPDATE audit_entries SET facts = '{}' WHERE number = 1"], "entry 1 is not what was written"),
        (["DELETE FROM audit_entries WHERE number IN (2, 3)"], "entries 2 to 3 are missing"),
        (["DELETE FROM audit_entries WHERE number = 6"], "the chain ends at 5, and should at 6"),
        (
            [
                "UPDATE audit_entries SET number = 99 WHERE number = 2",
                "UPDATE audit_entries SET number = 2 WHERE number = 3",
                "UPDATE audit_entries SET number = 3 WHERE number = 99",
            ],
            "entry 2 is not what was written, or not where",
        ),
        (["DELETE FROM audit_entries WHERE number IS NOT NULL", "DELETE FROM audit_heads"], "before the anchor at 6"),
    ],
    ids=["edited", "emptied", "removed", "cut off", "reordered", "begun anew"],
)
def test_meddling_is_found_out(app: Flask, statements: list[str], says: str) -> None:
    anchor = noted()
    tamper(*statements)
    assert says in "; ".join(audit.verify(anchor).faults)


def test_a_chain_that_was_cut_and_ended_properly_is_found_out_by_the_anchor_alone(app: Flask) -> None:
    anchor = noted()
    tamper(
        "DELETE FROM audit_entries WHERE number > 4",
        "UPDATE audit_heads SET number = 4, chained = (SELECT chained FROM audit_entries WHERE number = 4)",
    )
    assert audit.verify().faults == ()
    assert audit.verify(anchor).faults == ("the chain ends at 4, before the anchor at 6",)


def test_a_chain_that_was_written_anew_is_found_out_by_the_anchor_alone(app: Flask) -> None:
    anchor = noted(2)
    tamper("DELETE FROM audit_entries", "DELETE FROM audit_heads")
    unit_of_work(lambda: audit.note(STAFF, "changed", "session", [7, 8, 9]))
    assert audit.verify().faults == ()
    assert audit.verify(anchor).faults == ("entry 2 is not the one of the anchor",)


@pytest.mark.parametrize("statement", ["UPDATE audit_entries SET verb = 'x'", "DELETE FROM audit_entries"])
def test_entries_are_not_changed_by_who_forgets_the_triggers(app: Flask, statement: str) -> None:
    noted(1)
    db.session.rollback()
    with pytest.raises(IntegrityError), db.engine.begin() as connection:
        connection.execute(text(statement))


def test_many_who_write_at_once_make_one_chain(app: Flask) -> None:
    def write(number: int) -> None:
        with app.app_context():
            unit_of_work(lambda: audit.note(STAFF, "changed", "session", [number, number + 100]))

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(write, range(24)))
    found = audit.verify()
    assert (found.number, found.faults) == (48, ())
