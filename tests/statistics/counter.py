"""The figures counted by hand, from the log of events on: slowly, row by row, with no code of the ledger's.

Who was there is said by the recount of the log that the drill uses (benchmarks.roll.recount); ages, groups and rates
are worked out here from the contract's words.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any
from uuid import UUID

from sqlalchemy import text

from benchmarks.roll.log import Happening
from benchmarks.roll.recount import head_count, standing_entries, who_stands
from facilities.infra.db import db

CHINA = timezone(timedelta(hours=8))
BANDS = ((0, 2), (3, 6), (7, 17), (18, 34), (35, 59), (60, 69), (70, 79))


@dataclass(frozen=True)
class Fact:
    """`group`: women, children, men or unknown; '' for what only elders or disabled are counted by."""

    session: int
    day: date
    facility: str
    facility_kind: str
    programme: str
    sub_district: str
    community: str
    provider_type: str
    volunteer: str
    resident: int | None
    sex: str
    age_band: str
    disability_category: str
    disability_grade: str
    groups: frozenset[str]
    splits: bool
    number: int
    minutes: int
    came: int = 0
    missed: int = 0
    waited: tuple[int, ...] = ()

    def of(self, dimension: str) -> str:
        if dimension == "month":
            return f"{self.day:%Y-%m}"
        if dimension == "quarter":
            return f"{self.day.year}-Q{(self.day.month - 1) // 3 + 1}"
        if dimension == "year":
            return str(self.day.year)
        return str(getattr(self, dimension))


def _rows(sql: str) -> list[dict[str, Any]]:
    return [dict(row._mapping) for row in db.session.execute(text(sql))]


def _instant(value: object) -> datetime:
    found = value if isinstance(value, datetime) else datetime.fromisoformat(str(value))
    return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)


def _day(value: object) -> date | None:
    return None if value is None else value if isinstance(value, date) else date.fromisoformat(str(value))


def _age(born: date, day: date) -> int:
    return day.year - born.year - ((day.month, day.day) < (born.month, born.day))


def _band(age: int) -> str:
    return next((f"{low}-{high}" for low, high in BANDS if age <= high), "80+")


def all_facts() -> list[Fact]:
    db.session.rollback()
    kept = {row["gone_id"]: row["kept_id"] for row in _rows("SELECT * FROM merges WHERE undone_at IS NULL")}
    people = {row["id"]: row for row in _rows("SELECT * FROM residents")}
    places = {row["id"]: row for row in _rows("SELECT * FROM facilities")}
    programmes = {row["id"]: row for row in _rows("SELECT * FROM programmes")}
    logs: dict[int, list[Happening]] = {}
    for e in _rows("SELECT * FROM attendance_events"):
        counts = tuple(e[name] for name in ("women", "children", "men", "elders", "disabled"))
        logs.setdefault(e["session_id"], []).append(
            Happening(
                UUID(str(e["id"])),
                e["session_id"],
                e["kind"],
                _instant(e["occurred_at"]),
                e["device"],
                e["resident_id"],
                UUID(str(e["voids"])) if e["voids"] else None,
                counts=counts if e["women"] is not None else None,
            )
        )  # type: ignore[arg-type]
    bookings: dict[int, list[dict[str, Any]]] = {}
    for b in _rows("SELECT * FROM bookings"):
        bookings.setdefault(b["session_id"], []).append(b)
    facts: list[Fact] = []
    for s in _rows("SELECT * FROM activity_sessions WHERE status <> 'cancelled'"):
        facts += _of_session(s, logs.get(s["id"], []), bookings.get(s["id"], []), kept, people, places, programmes)
    return facts


def _of_session(
    s: dict[str, Any],
    log: list[Happening],
    bookings: list[dict[str, Any]],
    kept: dict[int, int],
    people: Any,
    places: Any,
    programmes: Any,
) -> Iterable[Fact]:
    starts, ends = _instant(s["starts_at"]), _instant(s["ends_at"])
    place, programme, day = places[s["facility_id"]], programmes[s["programme_id"]], starts.astimezone(CHINA).date()
    length = int((ends - starts).total_seconds() // 60)
    where = {
        "session": s["id"], "day": day, "facility": str(place["id"]),
        "facility_kind": place["kind"], "programme": str(programme["id"]),
        "sub_district": place["sub_district_code"], "community": str(place["community_id"] or "unknown"),
        "provider_type": programme["provider_type"], "volunteer": "yes" if programme["volunteer"] else "no",
    }  # fmt: skip

    def person(number: int) -> dict[str, Any]:
        row = people[number]
        born = _day(row["birth_date"])
        age = None if born is None else _age(born, day)
        group = "unknown" if age is None else "children" if age < 18 else "women" if row["sex"] == "female" else "men"
        more = {"elders"} if age is not None and age >= 60 else set[str]()
        if row["disability_category"] is not None:
            more |= {"disabled"}
        return {
            "resident": number, "sex": row["sex"], "age_band": "unknown" if age is None else _band(age),
            "disability_category": str(row["disability_category"] or "unknown"),
            "disability_grade": str(row["disability_grade"] or "unknown"),
            "groups": frozenset({group, *more}), "splits": True,
        }  # fmt: skip

    nobody = {"resident": None, "age_band": "unknown", "disability_category": "unknown", "disability_grade": "unknown"}
    entries = standing_entries(log)
    present = _present(entries, kept)
    counts, unnamed = head_count(entries)
    for resident, minutes in present.items():
        yield Fact(**where, **person(resident), number=1, minutes=length if minutes is None else minutes)
    sexes = {"women": "female", "men": "male"}
    for group, number in zip(("women", "children", "men", "elders", "disabled"), counts, strict=True):
        if number:
            yield Fact(
                **where,
                **nobody,
                sex=sexes.get(group, "unknown"),
                groups=frozenset({group}),
                splits=group not in ("elders", "disabled"),
                number=number,
                minutes=number * length,
            )
    if unnamed:
        yield Fact(
            **where,
            **nobody,
            sex="unknown",
            groups=frozenset({"unknown"}),
            splits=True,
            number=unnamed,
            minutes=unnamed * length,
        )
    held = bool(present or unnamed or sum(counts[:3]))
    for b in bookings if held else ():
        waited = ()
        if b["promoted_at"] is not None and b["state"] in ("confirmed", "attended", "no_show"):
            waited = (int((_instant(b["promoted_at"]) - _instant(b["created_at"])).total_seconds() // 60),)
        yield Fact(
            **where,
            **person(b["resident_id"]),
            number=0,
            minutes=0,
            came=int(b["state"] == "attended"),
            missed=int(b["state"] == "no_show"),
            waited=waited,
        )


def _present(entries: list[Happening], kept: dict[int, int]) -> dict[int, int | None]:
    """By person, the minutes spent. Of two records made one, whoever was there by either was; the later one says."""
    found: dict[int, tuple[datetime, str, int | None]] = {}
    for record, (state, entry, minutes) in who_stands(entries).items():
        person, says = kept.get(record, record), (entry.moment, str(entry.id), minutes)
        if state == "present" and (person not in found or says[:2] > found[person][:2]):
            found[person] = says
    return {person: minutes for person, (_, _, minutes) in found.items()}


def counted(facts: Iterable[Fact], rooms: dict[int, tuple[int, int]], *, of_people: bool) -> tuple[Any, ...]:
    """Sessions held, person-times, persons, without a name, hours, fill rate, no-show rate, hours waited.

    `rooms`: of each session held, places taken and capacity.
    """
    facts = list(facts)
    there = [fact for fact in facts if fact.number]
    held = {fact.session for fact in there}
    came, missed = sum(fact.came for fact in facts), sum(fact.missed for fact in facts)
    waited = [minutes for fact in facts for minutes in fact.waited]
    capacity = sum(rooms[session][1] for session in held)
    return (
        len(held), sum(fact.number for fact in there),
        len({fact.resident for fact in there if fact.resident is not None}),
        sum(fact.number for fact in there if fact.resident is None),
        round(sum(fact.minutes for fact in there) / 60, 1),
        None if of_people or not capacity else round(sum(rooms[s][0] for s in held) / capacity, 4),
        round(missed / (came + missed), 4) if came + missed else None,
        round(sum(waited) / len(waited) / 60, 1) if waited else None,
    )  # fmt: skip


def rooms() -> dict[int, tuple[int, int]]:
    return {row["id"]: (row["places_taken"], row["capacity"]) for row in _rows("SELECT * FROM activity_sessions")}


def by(facts: Sequence[Fact], dimensions: Sequence[str], category: str | None) -> dict[tuple[str, ...], list[Fact]]:
    """The facts of each combination that has a person-time. Groups of whom some are elders or disabled overlap."""
    found: dict[tuple[str, ...], list[Fact]] = {}
    splitting = ("women", "children", "men", "unknown")
    for fact in facts:
        if "category" in dimensions and category is None:
            groups = [g for g in fact.groups if not (g in splitting and not fact.splits)]
        elif category is not None:
            groups = [category] if category in fact.groups else []
        else:
            groups = [""] if fact.splits else []
        for group in groups:
            key = tuple(group if d == "category" else fact.of(d) for d in dimensions)
            found.setdefault(key, []).append(fact)
    return {key: some for key, some in found.items() if any(fact.number for fact in some)}
