"""What is added up does not depend on how it is packed, cut or told apart."""

from dataclasses import asdict

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from facilities.engine.ledger import COUNTS_SIZE, FACT, SESSION, Page, divide, gather, opened, pack
from facilities.engine.profiles import SIZE, counts_for
from facilities.engine.spans import dekad_of, month_of
from facilities.engine.tally import People, Question, Total

DAYS = (20260901, 20260902, 20260930)
EVERYBODY = Question(counts_for(None), np.zeros(SIZE, np.int64), 1, [0])
visits = st.lists(st.tuples(st.integers(0, 90), st.integers(1, 12), st.integers(0, 3)), min_size=1, max_size=60)


def made(happened: list[tuple[int, int, int]], first_resident: int = 0) -> list[Page]:
    """Pages of (session, resident, age band) on three days."""
    numbers = sorted({session for session, _, _ in happened})
    sessions, facts = np.zeros(len(numbers), SESSION), np.zeros(len(happened), FACT)
    sessions["id"] = numbers
    sessions["day"] = [DAYS[number % len(DAYS)] for number in numbers]
    facts["session"] = [session for session, _, _ in happened]
    facts["resident"] = [first_resident + resident for _, resident, _ in happened]
    facts["profile"] = [band << 1 for *_, band in happened]
    facts["times"], facts["minutes"] = 1, 90
    return pack(sessions, facts)


def total(pages: list[Page]) -> dict[str, list[int]]:
    """Of everybody, people told apart over all the pages."""
    added, group = Total(EVERYBODY, 1), np.zeros(len(pages), np.int64)
    added.add_counts([page.counts[:COUNTS_SIZE] for page in pages], 0, group, np.zeros(len(pages), np.bool_))
    people = People(1)
    people.add_pages([page.people for page in pages], None, group)
    return {name: np.asarray(values).reshape(-1).tolist() for name, values in asdict(added.result(people)).items()}


@given(visits)
def test_days_and_sheets_say_what_pages_say(happened: list[tuple[int, int, int]]) -> None:
    pages = made(happened)
    assert total([gather(pages)]) == total(pages)
    for period in (dekad_of, month_of):
        assert total(list(divide(pages, period).values())) == total(pages)
    days = divide(pages, lambda day: day, with_facts=True)
    assert total(list(days.values())) == total(pages)
    nothing = Page(*[b""] * 7, (DAYS[0], DAYS[0]))
    found, expected = opened([nothing, *days.values(), nothing], *DAYS[:2]), opened(pages, *DAYS[:2])
    assert [one.tobytes() for one in found] == [one.tobytes() for one in expected]
    assert [len(one) for one in opened([nothing], *DAYS[:2])] == [0, 0, 0]
    assert total(pages)["persons"] == [len({resident for _, resident, _ in happened})]
    assert total(pages)["held"] == [len({session for session, _, _ in happened})]


@given(visits)
def test_residents_with_large_numbers_are_told_apart_as_those_with_small_ones(
    happened: list[tuple[int, int, int]],
) -> None:
    """Group and resident together need more than 32 bits."""
    few, many = (_in_the_last_of_eight_groups(made(happened, first)) for first in (0, 1_000_000_000))
    assert few == many == [*[0] * 7, len({resident for _, resident, _ in happened})]


def _in_the_last_of_eight_groups(pages: list[Page]) -> list[int]:
    people = People(8)
    people.add_pages([page.people for page in pages], None, np.full(len(pages), 7))
    counted: list[int] = people.count(EVERYBODY).tolist()
    return counted


@given(visits)
def test_cells_and_bits_say_what_was_counted_beforehand(happened: list[tuple[int, int, int]]) -> None:
    pages = made(happened)
    apart = Question(EVERYBODY.who, EVERYBODY.parts, 1, None)
    added, group = Total(apart, 1), np.zeros(len(pages), np.int64)
    added.add_cells([page.cells for page in pages], group)
    added.add_bits([page.bits for page in pages], group)
    people = People(1)
    people.add_pages([page.people for page in pages], [page.runs for page in pages], group)
    found, expected = added.result(people), total(pages)
    assert [found.held[0], found.times[0], found.persons[0]] == [
        expected[name][0] for name in ("held", "times", "persons")
    ]  # fmt: skip
