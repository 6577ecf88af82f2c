"""An attacker asks for everything that anyone may ask, and calculates.

They know how figures come about: which cells have anybody in them, that numbers are whole, and every answer. They add
and subtract whatever can be added and subtracted (an exact elimination over all answers together holds sums,
complements, neighbouring periods and other dimensions at once) and narrow bounds until nothing moves. The same attack
on figures that hide small numbers in each answer by itself succeeds, so it is one that can.
"""

import random
from collections.abc import Iterator
from datetime import UTC, date, datetime
from itertools import chain, combinations
from typing import Any

import pytest

from facilities.background import publish_open_data
from facilities.engine.eligibility import Sex
from facilities.engine.roll_call import Counts, EventKind
from facilities.engine.suppression import is_small
from facilities.kernel import clock
from facilities.statistics import queries as ledger
from facilities.statistics.dimensions import Dimension, Scope
from facilities.statistics.rows import Row
from tests.client import Caller
from tests.world import World

MONTHS = [("2026-06-01", "2026-06-30"), ("2026-07-01", "2026-07-31"), ("2026-08-01", "2026-08-31")]
PERIODS = [(MONTHS[a][0], MONTHS[b][1]) for a in range(3) for b in range(a, 3)]
SPLITS = ["facility", "programme", "category", "sex", "age_band"]
PRIME = 2**61 - 1  # a number that is a combination of others is one in this field, too
Key = tuple[tuple[str, str], ...]
Known = dict[frozenset[int], int]


class District:
    """Three summer months in a few places; from many groups only a few people came."""

    def __init__(self, world: World, seed: int) -> None:
        dice = random.Random(seed)
        boss = world.administrator()
        people = [
            world.resident(birth_date=date(born, 1, 9), sex=sex).resident_id
            for born in (1950, 1990, 1996, 2015)
            for sex in (Sex.FEMALE, Sex.MALE, Sex.FEMALE)
        ]
        programmes = [world.programme() for _ in range(2)]
        self.facilities = [world.facility() for _ in range(2 + seed % 2)]
        for month in (6, 7, 8):
            for facility in self.facilities:
                for programme in programmes[: dice.choice((1, 2, 2))]:
                    starts_at = datetime(2026, month, dice.randint(2, 27), 2, tzinfo=UTC)
                    session = world.session(facility, programme, capacity=99, starts_at=starts_at)
                    self._hold(world, dice, boss, people, session)
        self.cells = [
            row
            for row in ledger.beneficiaries(Scope(date(2026, 6, 1), date(2026, 8, 31)), list(Dimension))
            if row.of[Dimension.CATEGORY] not in ("elders", "disabled")
        ]

    @staticmethod
    def _hold(world: World, dice: random.Random, boss: Any, people: list[int], session: Any) -> None:
        with clock.frozen(session.ends_at):
            some = [dice.choice((0, 2, 3, 9, 16, 30)) for _ in range(3)]
            world.record(boss, session, EventKind.HEAD_COUNT, counts=Counts(*some))
            for resident_id in dice.sample(people, dice.choice((0, 3, 9))):
                world.record(boss, session, EventKind.PRESENT, resident_id)


class Attacker:
    """What is known, as sums over cells: a cell twice, by those with and those without a name."""

    def __init__(self, cells: list[Row]) -> None:
        self.cells = cells
        self.known: Known = {}
        named = [row.figures.person_times - row.figures.unidentified_person_times for row in cells]
        unnamed = [row.figures.unidentified_person_times for row in cells]
        self.true = [*named, *unnamed]

    def inside(self, of: dict[str, str], unnamed_only: bool = False) -> frozenset[int]:
        first, last = of.get("from", ""), of.get("to", "9")
        found = [
            i
            for i, row in enumerate(self.cells)
            if first <= f"{row.of[Dimension.MONTH]}-15" <= last
            and all(row.of[Dimension(name)] == value for name, value in of.items() if name not in ("from", "to"))
        ]
        both = [i + len(self.cells) for i in found] if unnamed_only else [*found, *(i + len(self.cells) for i in found)]
        return frozenset(i for i in both if self.true[i])

    def hear(self, of: dict[str, str], figures: dict[str, Any]) -> None:
        for name, unnamed_only in (("person_times", False), ("unidentified_person_times", True)):
            if figures[name] is not None:
                cells = self.inside(of, unnamed_only)
                assert self.known.setdefault(cells, figures[name]) == figures[name], "two answers that disagree"

    def recovered(self, secrets: set[frozenset[int]]) -> set[frozenset[int]]:
        bounds = self._bounds()
        basis = self._basis()
        return {
            cells
            for cells in secrets
            if not self._reduce(basis, cells) or sum(bounds[i][1] for i in cells) - sum(bounds[i][0] for i in cells) < 2
        }

    def _reduce(self, basis: dict[int, dict[int, int]], cells: frozenset[int]) -> dict[int, int]:
        rest = dict.fromkeys(cells, 1)
        while any(pivot in basis for pivot in rest):
            pivot = next(i for i in rest if i in basis)
            factor = rest[pivot]
            for i, n in basis[pivot].items():
                rest[i] = (rest.get(i, 0) - factor * n) % PRIME
                if not rest[i]:
                    del rest[i]
        return rest

    def _basis(self) -> dict[int, dict[int, int]]:
        """Reduced: no row has another's pivot, so that one pass over a sum is enough."""
        basis: dict[int, dict[int, int]] = {}
        for cells in sorted(self.known, key=lambda c: (len(c), sorted(c))):
            rest = self._reduce(basis, cells)
            if rest:
                pivot = min(rest)
                inverse = pow(rest[pivot], -1, PRIME)
                rest = {i: n * inverse % PRIME for i, n in rest.items()}
                for other, row in basis.items():
                    if pivot in row:
                        factor = row[pivot]
                        merged = {i: row.get(i, 0) - factor * rest.get(i, 0) for i in row.keys() | rest.keys()}
                        basis[other] = {i: n % PRIME for i, n in merged.items() if n % PRIME}
                basis[pivot] = rest
        return basis

    def _bounds(self) -> list[tuple[int, int]]:
        bounds = [(1, 10**6) if n else (0, 0) for n in self.true]
        sums = {cells: (n, n) for cells, n in self.known.items()}
        for one, other in combinations(sorted(self.known, key=len), 2):  # a part of another: what remains is known, too
            if one < other:
                rest = self.known[other] - self.known[one]
                sums.setdefault(other - one, (rest, rest))
        moved = True
        while moved:
            moved = False
            for cells, (least, most) in sums.items():
                low, high = sum(bounds[i][0] for i in cells), sum(bounds[i][1] for i in cells)
                for i in cells:
                    new = max(bounds[i][0], least - high + bounds[i][1]), min(bounds[i][1], most - low + bounds[i][0])
                    if new != bounds[i]:
                        bounds[i], moved = new, True
        return bounds


def questions(district: District) -> Iterator[tuple[dict[str, str], tuple[str, ...]]]:
    """(period and filters, dimensions): each that can bring something new."""
    for first, last in PERIODS:
        most = len(SPLITS) if (first, last) in MONTHS else 1
        for by in chain.from_iterable(combinations(SPLITS, n) for n in range(most + 1)):
            yield {"from": first, "to": last}, by
    yield {"from": PERIODS[2][0], "to": PERIODS[2][1]}, ("month", *SPLITS)
    for facility in district.facilities:
        for by in ((), ("category",), ("programme", "sex"), ("sex", "age_band"), ("month", "category")):
            yield {"from": PERIODS[1][0], "to": PERIODS[1][1], "facility": str(facility.id)}, by


def places_of(asked: dict[str, str], row: dict[str, Any], by: tuple[str, ...]) -> dict[str, str]:
    of = {**asked, **{name: row[name] for name in by}}
    month = of.pop("month", None)
    return of if month is None else {**of, "from": f"{month}-01", "to": f"{month}-31"}


def secrets_of(attacker: Attacker, told: list[tuple[dict[str, str], dict[str, Any]]]) -> set[frozenset[int]]:
    """All small numbers among what was asked for."""
    sums = {attacker.inside(of, unnamed) for of, _ in told for unnamed in (False, True)}
    return {cells for cells in sums if is_small(sum(attacker.true[i] for i in cells))}


def asked_of_everything(district: District, anyone: Caller) -> list[tuple[dict[str, str], dict[str, Any]]]:
    told = []
    for asked, by in questions(district):
        answer = anyone.call(
            "GET", "/public/statistics/beneficiaries", query_string={**asked, "by": ",".join(by)}, status=200
        ).get_json()
        rows = [row for row in answer["rows"] if row.get("category") not in ("elders", "disabled")]
        told += [(places_of(asked, row, by), row) for row in rows]
        told.append((dict(asked), answer["total"]))
        for measure in ("sessions_held", "person_times", "persons", "unidentified_person_times"):
            hidden = [row for row in answer["rows"] if row[measure] is None]
            assert len(hidden) != 1 or answer["total"][measure] is None, (asked, by, measure)
            assert all(row["suppressed"] for row in hidden)
        assert not any(is_small(row[m]) for row in rows for m in ("person_times", "persons") if row[m] is not None)
    return told


@pytest.mark.parametrize(("kind", "seed"), [("sqlite", 1), ("sqlite", 2)], indirect=["kind"])
def test_no_small_number_is_recovered_from_all_answers_together(world: World, anyone: Caller, seed: int) -> None:
    """What is hidden follows from figures alone, whichever database adds them up: one of them is enough."""
    district = District(world, seed)
    assert publish_open_data().done == len(MONTHS)
    attacker = Attacker(district.cells)
    told = asked_of_everything(district, anyone)
    for of, figures in told:
        attacker.hear(of, figures)
    secrets = secrets_of(attacker, told)
    assert len(secrets) > 20
    assert sum(figures["person_times"] is not None for _, figures in told) > 20, "nothing is told, so nothing is proved"
    assert attacker.recovered(secrets) == set()


@pytest.mark.parametrize(("kind", "seed"), [("sqlite", 2)], indirect=["kind"])
def test_the_same_attack_succeeds_where_each_answer_hides_for_itself(world: World, anyone: Caller, seed: int) -> None:
    """Rows under five, and the total where one row alone is hidden: safe in each answer, and not in two."""
    district = District(world, seed)
    attacker = Attacker(district.cells)
    told: list[tuple[dict[str, str], dict[str, Any]]] = []
    for asked, by in questions(district):
        groups: dict[Key, dict[str, str]] = {}
        for cell in district.cells:
            of = places_of(asked, {name: cell.of[Dimension(name)] for name in by}, by)
            groups[tuple(of.items())] = of
        rows = [(of, _hide(attacker, of)) for of in groups.values()]
        total = _hide(attacker, asked)
        if [figures["person_times"] for _, figures in rows].count(None) == 1:
            total["person_times"] = None
        told += [*rows, (asked, total)]
    for of, figures in told:
        attacker.hear(of, {**figures, "unidentified_person_times": None})
    assert attacker.recovered(secrets_of(attacker, told))


def _hide(attacker: Attacker, of: dict[str, str]) -> dict[str, Any]:
    number = sum(attacker.true[i] for i in attacker.inside(of))
    return {"person_times": None if is_small(number) else number}
