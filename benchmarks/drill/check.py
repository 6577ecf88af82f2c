"""What the database says afterwards, read by SQL and held against the ledger. State sets are written out here on
purpose: an oracle that borrows the code's own would share its mistakes."""

from collections import Counter, defaultdict
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any, NamedTuple

from sqlalchemy import Connection, Engine, inspect, text

from benchmarks.drill.ledger import Cancel, Kind, Ledger, Promise

STATES = {"occupying": "('confirmed', 'offered', 'attended', 'no_show')",
          "live": "('confirmed', 'offered', 'attended', 'no_show', 'waitlisted')"}
BECOMES = {"confirmed": {"confirmed"}, "waitlisted": {"waitlisted", "offered", "confirmed"},
           "offered": {"offered", "expired"}}  # as acknowledged: as it may be found, if nobody cancels

# Each gives a row for each time that it is not true.
TRUTHS = {
    "over capacity": """
        SELECT s.id, s.capacity, s.places_taken, count(b.id) FROM activity_sessions s
        LEFT JOIN bookings b ON b.session_id = s.id AND b.state IN {occupying}
        GROUP BY s.id, s.capacity, s.places_taken HAVING count(b.id) > s.capacity OR s.places_taken > s.capacity""",
    "counter differs": """
        SELECT s.id, s.places_taken, count(b.id) FROM activity_sessions s
        LEFT JOIN bookings b ON b.session_id = s.id AND b.state IN {occupying}
        GROUP BY s.id, s.places_taken HAVING count(b.id) <> s.places_taken""",
    "booked twice in a session": """
        SELECT session_id, resident_id, count(*) FROM bookings WHERE state IN {live}
        GROUP BY session_id, resident_id HAVING count(*) > 1""",
    "resident in two places": """
        SELECT a.resident_id, a.id, b.id FROM bookings a JOIN bookings b
        ON a.resident_id = b.resident_id AND a.id < b.id AND a.starts_at < b.ends_at AND b.starts_at < a.ends_at
        WHERE a.state IN {occupying} AND b.state IN {occupying}""",
    "span differs": """
        SELECT b.id FROM bookings b JOIN activity_sessions s ON s.id = b.session_id
        WHERE b.starts_at <> s.starts_at OR b.ends_at <> s.ends_at""",
    "space held twice": """
        SELECT a.space_id, a.id, b.id FROM occupancies a JOIN occupancies b
        ON a.space_id = b.space_id AND a.id < b.id AND a.starts_at < b.ends_at AND b.starts_at < a.ends_at""",
}
WAITING_TRUTHS = {
    "waiting differs": """
        SELECT s.id, s.waiting, count(b.id) FROM activity_sessions s
        LEFT JOIN bookings b ON b.session_id = s.id AND b.state = 'waitlisted'
        GROUP BY s.id, s.waiting HAVING count(b.id) <> s.waiting""",
}
# A leaf is held by one row; spaces inside spaces are counted in Python, which both databases' SQL can be spared.
HOLDINGS = """
    SELECT r.id, r.state, r.space_id, count(o.id) FROM reservations r
    LEFT JOIN occupancies o ON o.reservation_id = r.id AND o.starts_at = r.starts_at AND o.ends_at = r.ends_at
    GROUP BY r.id, r.state, r.space_id"""


class Violation(NamedTuple):
    rule: str
    what: str


def violations(engine: Engine, ledger: Ledger, *, keys: bool) -> list[Violation]:
    """`keys`: the server knows Idempotency-Key, so that a repeated request may leave one row and no more."""
    found = [Violation("answer", complaint) for complaint in ledger.complaints]
    looked_at = inspect(engine)
    has_reservations = looked_at.has_table(Kind.RESERVATION.value)
    truths = dict(TRUTHS)
    if "waiting" in {column["name"] for column in looked_at.get_columns("activity_sessions")}:
        truths |= WAITING_TRUTHS
    with engine.connect() as connection:
        for rule, query in truths.items():
            found += [Violation(rule, str(tuple(row))) for row in connection.execute(text(query.format_map(STATES)))]
        found += _kept(Kind.BOOKING, _rows(connection, "bookings", "session_id"), ledger, keys=keys)
        if has_reservations:
            found += _kept(Kind.RESERVATION, _rows(connection, "reservations", "space_id"), ledger, keys=keys)
            found += _held(connection)
    return found


def _rows(connection: Connection, table: str, target: str) -> dict[int, Any]:
    rows = connection.execute(text(
        f"SELECT id, reference, {target} AS target, resident_id, state, starts_at, ends_at FROM {table}"))
    return {row.id: row for row in rows}


def _kept(kind: Kind, rows: dict[int, Any], ledger: Ledger, *, keys: bool) -> Iterable[Violation]:
    """Every acknowledged promise is there as it was told, and every row was told to somebody or may have been."""
    promises = [p for p in ledger.promises if p.kind is kind]
    told: defaultdict[int, list[Promise]] = defaultdict(list)
    for promise in promises:
        if promise.number is not None:
            told[promise.number].append(promise)
    for number, holders in told.items():
        if len(holders) > 1:
            yield Violation("told twice", f"{number} to the keys {', '.join(p.key for p in holders)}")
        for promise in holders:
            if number not in rows:
                yield Violation("acknowledged and lost", str(promise))
            else:
                yield from _as_told(promise, rows[number])
    yield from _nobodys(kind, [row for number, row in rows.items() if number not in told], promises, keys=keys)


def _as_told(promise: Promise, row: Any) -> Iterable[Violation]:  # noqa: ANN401 - a row
    if (row.target, row.resident_id) != (promise.target, promise.resident) or (
            promise.reference is not None and row.reference != promise.reference):
        yield Violation("another's row", f"{promise}: {tuple(row)}")
    if promise.starts_at and (_instant(row.starts_at), _instant(row.ends_at)) != (promise.starts_at, promise.ends_at):
        yield Violation("another span", f"{promise}: {tuple(row)}")
    may_be = {"cancelled"}
    if promise.cancel is not Cancel.ACKNOWLEDGED:
        may_be = BECOMES.get(promise.status or "", set()) | (may_be if promise.cancel is Cancel.SENT else set())
    if row.state not in may_be:
        rule = "cancelled and not kept so" if promise.cancel is Cancel.ACKNOWLEDGED else "another state"
        yield Violation(rule, f"{promise}: told {promise.status}, cancelled: {promise.cancel}, is {row.state}")


def _nobodys(kind: Kind, rows: list[Any], promises: list[Promise], *, keys: bool) -> Iterable[Violation]:
    """Rows that no answer spoke of must be of requests that had none; each such request may have made one.

    Without keys, a request that was repeated and then refused may have made one as well.
    """
    unknown = Counter((p.target, p.resident) for p in promises
                      if p.number is None and (p.refusal is None or (not keys and p.tries > 1)))
    if not keys:  # a repeat that is acknowledged, after a first try whose row was cancelled by nobody: not possible
        unknown.update((p.target, p.resident) for p in promises if p.number is not None and p.tries > 1)
    for row in rows:
        if unknown[(row.target, row.resident_id)] > 0:
            unknown[(row.target, row.resident_id)] -= 1
        else:
            yield Violation("a row that nobody was told of", f"{kind}: {tuple(row)}")


def _held(connection: Connection) -> Iterable[Violation]:
    """A confirmed reservation holds each leaf of its space, a cancelled one nothing."""
    children: defaultdict[int, list[int]] = defaultdict(list)
    for space, parent in connection.execute(text("SELECT id, parent_id FROM spaces")):
        children[parent].append(space)

    def leaves(space: int) -> int:
        return sum(leaves(child) for child in children[space]) if children.get(space) else 1

    for number, state, space, held in connection.execute(text(HOLDINGS)):
        wanted = leaves(space) if state == "confirmed" else 0
        if held != wanted:
            yield Violation("space not held as promised", f"reservation {number}, {state}, holds {held} of {wanted}")


def _instant(value: datetime | str) -> datetime:
    """SQLite keeps UTC as text without offset."""
    found = datetime.fromisoformat(value) if isinstance(value, str) else value
    return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
