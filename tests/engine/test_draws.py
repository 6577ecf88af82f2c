import hmac
import math
import re
from collections import Counter
from decimal import localcontext
from hashlib import sha256
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from facilities.engine.draws import (
    Entry,
    WeightRule,
    commitment,
    draw_order,
    entries_digest,
    entry_hash,
    new_seed,
    weight,
)

unhurried = settings(deadline=None)  # a busy machine is no failure
SEED = "00112233445566778899aabbccddeeff" * 2

# Worked out with sha256sum, `openssl dgst -sha256 -hmac SEED` and bc, not by this program.
PUBLISHED = {
    "T-1": "e21716a5e2c14be5e3e09660366ecf1f9f87e2b23ec646b20988b334c76dce68",
    "T-2": "f49bf3f847d071423a1bf13d40f5202f05dceba1514237671901d80952dd656a",
    "T-3": "8d3e2bee69f3ea9fb53222b301c9d6e65fbdd96e885ca96e8f48e93795f2d85e",
    "T-4": "47575b3785b14b31567f96297c215a2c9e7bfdf17084d68224fec38c668da30f",
}
WEIGHTS = {"T-1": 1000, "T-2": 2000, "T-3": 500, "T-4": 1000}
DIGEST = "1c664d7136c1d8c5f232a2846fdc517f9da8fe856ff672f51d0c634640bc917d"
ORDER = ["T-4", "T-1", "T-3", "T-2"]
COMMITMENT = "2a8abfa8cb9906290437854193ca6bca41d4d4e26d1d454bd66a35158095e737"


def ticket(number: int, weight: int = 1000) -> Entry:
    return Entry(entry_hash("D-2026-1", str(number)), weight)


tickets = st.lists(
    st.builds(ticket, st.integers(0, 999), st.integers(1, 10_000)), max_size=12, unique_by=lambda e: e.hash
)
seeds = st.binary(min_size=32, max_size=32).map(bytes.hex)


def test_a_draw_comes_out_as_it_was_published() -> None:
    assert commitment(SEED) == COMMITMENT
    assert {name: entry_hash("D-2026-1", name) for name in PUBLISHED} == PUBLISHED
    entries = {Entry(hash_, WEIGHTS[name]): name for name, hash_ in PUBLISHED.items()}
    assert entries_digest(entries) == DIGEST
    assert [entries[entry] for entry in draw_order(SEED, list(entries))] == ORDER


@unhurried
@given(seeds, tickets)
def test_anybody_gets_the_same_order_with_a_few_lines_of_their_own(seed: str, entries: list[Entry]) -> None:
    lines = sorted(f"{entry.hash}:{entry.weight}\n" for entry in entries)
    digest = sha256("".join(lines).encode()).hexdigest()

    def key(entry: Entry) -> float:
        number = int.from_bytes(hmac.digest(seed.encode(), f"{digest}:{entry.hash}".encode(), "sha256"))
        return -math.log((1 + number) / (2**256 + 1)) / entry.weight

    assert entries_digest(entries) == digest
    assert draw_order(seed, entries) == sorted(entries, key=key)


@unhurried
@given(seeds, tickets, st.randoms())
def test_the_order_in_which_entries_are_given_does_not_matter(seed: str, entries: list[Entry], random: Random) -> None:
    shuffled = list(entries)
    random.shuffle(shuffled)
    assert entries_digest(shuffled) == entries_digest(entries)
    assert draw_order(seed, shuffled) == draw_order(seed, entries)
    assert sorted(draw_order(seed, entries), key=str) == sorted(entries, key=str), "everybody has one place in it"


@pytest.mark.parametrize(
    "changed",
    [
        pytest.param([ticket(1), ticket(2), ticket(3, 1001)], id="a weight"),
        pytest.param([ticket(1), ticket(2), ticket(4)], id="an entry"),
        pytest.param([ticket(1), ticket(2)], id="one fewer"),
        pytest.param([ticket(1), ticket(2), ticket(3), ticket(4)], id="one more"),
        pytest.param([ticket(1, 1001), ticket(2, 999), ticket(3)], id="weight handed over"),
        pytest.param([], id="nobody"),
    ],
)
def test_whoever_changes_an_entry_changes_the_digest_and_the_draw(changed: list[Entry]) -> None:
    entries = [ticket(1), ticket(2), ticket(3)]
    assert entries_digest(changed) != entries_digest(entries)
    seeds = [f"{n:064x}" for n in range(40)]
    common = [entry.hash for entry in entries if entry.hash in {each.hash for each in changed}]
    before = [[e.hash for e in draw_order(seed, entries) if e.hash in common] for seed in seeds]
    after = [[e.hash for e in draw_order(seed, changed) if e.hash in common] for seed in seeds]
    assert before != after or not common


def test_an_entry_is_in_a_draw_once() -> None:
    with pytest.raises(ValueError, match="twice"):
        draw_order(SEED, [ticket(1), ticket(2), ticket(1, 2000)])


def test_the_callers_precision_does_not_matter() -> None:
    entries = [ticket(n, 900 + n) for n in range(60)]
    order = draw_order(SEED, entries)
    with localcontext(prec=2):
        assert draw_order(SEED, entries) == order


def with_numbers(monkeypatch: pytest.MonkeyPatch, numbers: dict[str, int]) -> None:
    """HMACs to order, by the entry's hash."""

    class Hmac:
        def __init__(self, key: bytes, message: bytes, algorithm: object) -> None:
            self.number = numbers[message.decode().split(":")[1]]

        def hexdigest(self) -> str:
            return f"{self.number:064x}"

    monkeypatch.setattr("facilities.engine.draws.hmac.new", Hmac)


def test_the_least_and_the_greatest_number_have_their_places(monkeypatch: pytest.MonkeyPatch) -> None:
    last, middle, first = (Entry(digit * 64) for digit in "123")
    with_numbers(monkeypatch, {last.hash: 0, middle.hash: 2**255, first.hash: 2**256 - 1})
    assert draw_order(SEED, [last, middle, first]) == [first, middle, last]


def test_numbers_that_differ_in_the_45th_digit_are_told_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    second, first = (Entry(digit * 64) for digit in "12")
    with_numbers(monkeypatch, {second.hash: 2**255, first.hash: 2**255 + 2**110})
    assert draw_order(SEED, [second, first]) == [first, second]


def test_of_equal_numbers_the_smaller_hash_comes_first(monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = (Entry(digit * 64) for digit in "12")
    with_numbers(monkeypatch, {first.hash: 7, second.hash: 7})
    assert draw_order(SEED, [second, first]) == draw_order(SEED, [first, second]) == [first, second]


def first_places(entries: list[Entry], draws: int) -> Counter[str]:
    return Counter(draw_order(commitment(f"draw {n}"), entries)[0].hash for n in range(draws))


def chi_square(found: Counter[str], expected: dict[str, float]) -> float:
    return sum((found[name] - number) ** 2 / number for name, number in expected.items())


@pytest.mark.parametrize(
    "weights",
    [
        pytest.param([1000, 1000], id="two alike"),
        pytest.param([1000, 2000], id="one twice the other"),
        pytest.param([1000, 2000, 1000, 500, 1500], id="priorities and past wins"),
        pytest.param([10_000, 1000], id="the greatest priority"),
    ],
)
def test_who_comes_first_is_in_proportion_to_the_weights(weights: list[int]) -> None:
    draws = 3000
    entries = [ticket(n, weight) for n, weight in enumerate(weights)]
    expected = {entry.hash: draws * entry.weight / sum(weights) for entry in entries}
    critical = {1: 10.83, 4: 18.47}[len(weights) - 1]  # exceeded once in a thousand; the seeds are fixed
    assert chi_square(first_places(entries, draws), expected) < critical


def test_all_orders_of_equals_are_equally_likely() -> None:
    entries = [ticket(n) for n in range(3)]
    orders = Counter("".join(e.hash for e in draw_order(commitment(f"draw {n}"), entries)) for n in range(3000))
    assert len(orders) == 6
    assert chi_square(orders, dict.fromkeys(orders, 500.0)) < 20.52  # five degrees of freedom, once in a thousand


def test_who_is_second_is_drawn_among_the_others_by_weight() -> None:
    """One after the other without putting back: P(2000 second) = 1/4 · 2/3 + 1/4 · 2/3 = 1/3."""
    entries = [ticket(0, 1000), ticket(1, 2000), ticket(2, 1000)]
    draws = 3000
    second = sum(draw_order(commitment(f"draw {n}"), entries)[1].weight == 2000 for n in range(draws))
    assert abs(second - draws / 3) < 3.3 * math.sqrt(draws * 2 / 9)


def test_seeds_are_new_and_long() -> None:
    seeds = {new_seed() for _ in range(20)}
    assert len(seeds) == 20
    assert all(re.fullmatch("[0-9a-f]{64}", seed) for seed in seeds)


@unhurried
@given(seeds)
def test_the_commitment_is_that_of_the_text_and_of_no_other(seed: str) -> None:
    assert commitment(seed) == sha256(seed.encode()).hexdigest()
    assert commitment(seed) != commitment(seed.upper() + "0")


references = st.text(max_size=20)


@unhurried
@given(references, references, references, references)
def test_two_pairs_of_references_never_read_the_same(draw: str, entry: str, other_draw: str, other_entry: str) -> None:
    same = (draw, entry) == (other_draw, other_entry)
    assert (entry_hash(draw, entry) == entry_hash(other_draw, other_entry)) is same


def test_where_one_reference_ends_is_part_of_the_hash() -> None:
    assert (
        len({entry_hash(*pair) for pair in [("ab", "c"), ("a", "bc"), ("", "abc"), ('a","b', "c"), ("a", 'b","c')]})
        == 5
    )


GROUPS = {"disabled": 200, "elders": 150, "children": 150, "winners": 50}


@pytest.mark.parametrize(
    ("rule", "past_wins", "groups", "expected"),
    [
        pytest.param(WeightRule(), 0, [], 1000, id="no rule"),
        pytest.param(WeightRule(), 7, ["elders"], 1000, id="no rule, whoever it is"),
        pytest.param(WeightRule(priority=GROUPS), 0, ["elders"], 1500, id="a group"),
        pytest.param(WeightRule(priority=GROUPS), 0, ["elders", "disabled"], 2000, id="the greatest counts alone"),
        pytest.param(WeightRule(priority=GROUPS), 0, ["women"], 1000, id="a group without priority"),
        pytest.param(WeightRule(priority=GROUPS), 0, ["winners"], 500, id="a group that stands back"),
        pytest.param(WeightRule(priority=GROUPS), 0, ["winners", "elders"], 1500, id="stands back and is favoured"),
        pytest.param(WeightRule(priority=GROUPS), 3, ["elders"], 1500, id="wins that do not count"),
        pytest.param(WeightRule(halve_per_win=True), 0, [], 1000, id="never won"),
        pytest.param(WeightRule(halve_per_win=True), 1, [], 500, id="won once"),
        pytest.param(WeightRule(halve_per_win=True), 3, [], 125, id="won three times"),
        pytest.param(WeightRule(halve_per_win=True), 9, [], 1, id="won nine times"),
        pytest.param(WeightRule(halve_per_win=True), 10, [], 1, id="won so often that nothing would be left"),
        pytest.param(WeightRule(halve_per_win=True), 10_000, [], 1, id="won always"),
        pytest.param(WeightRule(True, GROUPS), 1, ["disabled"], 1000, id="a priority, and won once"),
        pytest.param(WeightRule(priority={"all": 1}), 0, ["all"], 10, id="the least percentage"),
        pytest.param(WeightRule(priority={"all": 1000}), 0, ["all"], 10_000, id="the greatest percentage"),
    ],
)
def test_weights_follow_the_rule(rule: WeightRule, past_wins: int, groups: list[str], expected: int) -> None:
    assert weight(rule, past_wins=past_wins, groups=groups) == expected


@unhurried
@given(
    st.dictionaries(st.sampled_from("abcd"), st.integers(1, 1000)),
    st.integers(0, 40),
    st.sets(st.sampled_from("abcde")),
)
def test_winning_never_adds_weight_and_never_takes_the_last_of_it(
    priority: dict[str, int], wins: int, groups: set[str]
) -> None:
    rule = WeightRule(halve_per_win=True, priority=priority)
    now, next_time = (weight(rule, past_wins=n, groups=groups) for n in (wins, wins + 1))
    assert next_time == max(now // 2, 1)
    assert Entry(entry_hash("D", "1"), next_time).weight >= 1


@pytest.mark.parametrize("percent", [-100, 0, 1001])
def test_a_percentage_beyond_all_sense_is_an_error(percent: int) -> None:
    with pytest.raises(ValueError, match="percent"):
        WeightRule(priority={"elders": 150, "disabled": percent})


def test_nobody_has_won_less_than_never() -> None:
    with pytest.raises(ValueError, match="never"):
        weight(WeightRule(), past_wins=-1, groups=[])


@pytest.mark.parametrize(
    ("hash_", "number"),
    [
        pytest.param("ab" * 32, 0, id="weight 0"),
        pytest.param("ab" * 32, -1, id="weight below 0"),
        pytest.param("ab" * 31, 1000, id="a short hash"),
        pytest.param("AB" * 32, 1000, id="capitals"),
        pytest.param("ab" * 32 + "\n", 1000, id="a line break"),
        pytest.param("", 1000, id="no hash"),
    ],
)
def test_an_entry_that_cannot_be_is_an_error(hash_: str, number: int) -> None:
    with pytest.raises(ValueError, match="an entry's"):
        Entry(hash_, number)
