"""Who did what to what, and on what ground: rows that are added and never changed.

What staff change, and every look at personal records, is chained: each entry's hash covers the one before, so that one
that is edited, removed, put elsewhere or cut off is found (`verify`). The chain has one end, for which all would queue:
so its entries wait until the transaction commits, and what residents do for themselves is not in it.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import JSON, Index, String, event, insert, select, text
from sqlalchemy.orm import Mapped, Session, SessionTransaction, mapped_column

from facilities.infra.columns import BigId, UtcDateTime
from facilities.infra.db import Model, db
from facilities.infra.exclusion import check, hold_unchanged
from facilities.kernel import clock
from facilities.kernel.actors import Actor

_WAITING = "audit entries that wait for the commit"
_BEGINNING = "0" * 64
_AT_A_TIME = 1000


class AuditEntry(Model):
    """The user's id without a foreign key: an account may be erased, what it did stays."""

    __tablename__ = "audit_entries"
    __table_args__ = (
        Index("ix_audit_entries_about", "about_kind", "about_id"),
        Index("uq_audit_entries_number", "number", unique=True),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    user_id: Mapped[int | None] = mapped_column(BigId)
    verb: Mapped[str] = mapped_column(String(40))
    about_kind: Mapped[str] = mapped_column(String(20))
    about_id: Mapped[int] = mapped_column(BigId)
    facts: Mapped[dict[str, object]] = mapped_column(JSON)
    number: Mapped[int | None] = mapped_column(BigId)  # in the chain
    chained: Mapped[str | None] = mapped_column(String(64))  # SHA-256 over the one before and this


class AuditHead(Model):
    """The chain's last entry. One row, locked by whoever adds to the chain."""

    __tablename__ = "audit_heads"
    __table_args__ = (check("id = 1", "only_one"),)

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    number: Mapped[int] = mapped_column(BigId)
    chained: Mapped[str] = mapped_column(String(64))


hold_unchanged(AuditEntry.__table__)  # type: ignore[arg-type]


def note(actor: Actor | None, verb: str, about_kind: str, about_ids: Iterable[int],
         facts: Mapping[str, object] | None = None, *, sensitive: bool = False) -> None:
    """One entry for each thing that it was done to; `sensitive` where personal records were looked at."""
    now = clock.now()
    rows = [{"at": now, "user_id": actor.user_id if actor else None, "verb": verb, "about_kind": about_kind,
             "about_id": about_id, "facts": dict(facts or {})} for about_id in about_ids]
    if sensitive or (actor is not None and actor.is_staff):
        db.session.connection()  # a transaction, where nothing else has begun one
        db.session.info.setdefault(_WAITING, []).extend(rows)
    elif rows:
        db.session.execute(insert(AuditEntry), rows)


_HEAD = select(AuditHead).with_for_update().execution_options(populate_existing=True)
_BEGIN = text("INSERT INTO audit_heads (id, number, chained) VALUES (1, 0, :beginning) ON CONFLICT DO NOTHING")


@event.listens_for(db.session, "before_commit")
def _chain(session: Session) -> None:
    """The end of the chain is locked last and for the shortest time."""
    if not (rows := session.info.pop(_WAITING, [])):
        return
    head = session.scalar(_HEAD) or _first_head(session)
    for row in rows:
        head.number += 1
        head.chained = _hash(head.chained, head.number, row)
        row |= {"number": head.number, "chained": head.chained}
    session.execute(insert(AuditEntry), rows)
    session.flush()


def _first_head(session: Session) -> AuditHead:
    session.execute(_BEGIN, {"beginning": _BEGINNING})
    return session.scalars(_HEAD).one()


@event.listens_for(db.session, "after_soft_rollback")
def _forget(session: Session, _transaction: SessionTransaction) -> None:
    session.info.pop(_WAITING, None)


def _hash(before: str, number: int, row: Mapping[Any, Any]) -> str:
    said = [before, number, row["at"].astimezone(UTC).isoformat(), row["user_id"], row["verb"], row["about_kind"],
            row["about_id"], row["facts"]]
    return hashlib.sha256(json.dumps(said, sort_keys=True, ensure_ascii=False).encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Verified:
    """How far the chain goes, the hash at its end, and what is wrong with it, in words."""

    number: int
    chained: str
    faults: tuple[str, ...]


def verify(anchor: tuple[int, str] | None = None) -> Verified:
    """`anchor`: number and hash of the end as `verify` gave it earlier; what came before it must still be there."""
    faults: list[str] = []
    number, before = 0, _BEGINNING
    entries = db.session.execute(
        select(AuditEntry.number, AuditEntry.chained, AuditEntry.at, AuditEntry.user_id, AuditEntry.verb,
               AuditEntry.about_kind, AuditEntry.about_id, AuditEntry.facts)
        .where(AuditEntry.number.is_not(None)).order_by(AuditEntry.number).execution_options(yield_per=_AT_A_TIME))
    for row in entries.mappings():
        if row["number"] != number + 1:
            faults.append(f"entries {number + 1} to {row['number'] - 1} are missing")
        elif _hash(before, row["number"], row) != row["chained"]:
            faults.append(f"entry {row['number']} is not what was written, or not where")
        number, before = row["number"], row["chained"]
        if anchor and anchor[0] == number and anchor[1] != before:
            faults.append(f"entry {number} is not the one of the anchor")
    head = db.session.scalar(select(AuditHead))
    if (head.number, head.chained) != (number, before) if head else number:
        faults.append(f"the chain ends at {number}, and should at {head.number if head else 0}")
    if anchor and anchor[0] > number:
        faults.append(f"the chain ends at {number}, before the anchor at {anchor[0]}")
    return Verified(number, before, tuple(faults))
