"""Which records may be two of one person: what they have in common, and how near their names are to each other.

Only records that share a birth date and sex, or a telephone number, are looked at together; whoever is asked decides.
Names are alike where they are the same, sound the same (a clerk wrote 晓 for 小), or differ in one character of three
or more: of two characters, half the name is another one (our choice).
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from itertools import combinations

from facilities.engine.eligibility import Sex
from facilities.engine.name_search import readings_of
from facilities.kernel.text import folded

SMALL_BLOCK = 20  # up to here each pair is looked at; 1 January may be the birthday of thousands
SHORTEST_WITH_A_SLIP = 3  # characters

_Named = tuple[int, str]  # a record's number, and its name as it is compared


class Likeness(StrEnum):
    """Why two records may be one person's."""

    SAME_NAME = "same_name"  # with birth date and sex
    SAME_SOUND = "same_sound"  # the same
    ONE_CHARACTER = "one_character"  # the same
    SAME_PHONE = "same_phone"  # with the name


@dataclass(frozen=True, slots=True)
class Record:
    id: int
    name: str
    sex: Sex
    birth_date: date | None
    phone: str | None


@dataclass(frozen=True, slots=True)
class Pair:
    """`first` is the older record, of the smaller number."""

    first: int
    second: int
    likeness: Likeness


def likely_pairs(records: Iterable[Record]) -> list[Pair]:
    """Each pair once, by the numbers of its records; the same name and phone say it where names alone do not."""
    born, phones = defaultdict[object, list[_Named]](list), defaultdict[object, list[_Named]](list)
    for record in records:
        named = record.id, _plain(record.name)
        if record.birth_date is not None:
            born[record.birth_date, record.sex].append(named)
        if record.phone is not None:
            phones[record.phone, named[1]].append(named)
    found: dict[tuple[int, int], Likeness] = {}
    for block in phones.values():
        for one, other in combinations(block, 2):
            found[_in_order(one, other)] = Likeness.SAME_PHONE
    for block in born.values():
        for one, other in _candidates(block):
            if (likeness := _compared(one[1], other[1])) is not None:
                found[_in_order(one, other)] = likeness
    return [Pair(first, second, likeness) for (first, second), likeness in sorted(found.items())]


def alike(one: str, other: str) -> Likeness | None:
    """Of two names, the strongest that holds."""
    return _compared(_plain(one), _plain(other))


def _compared(one: str, other: str) -> Likeness | None:
    if one == other:
        return Likeness.SAME_NAME
    if _sound_the_same(one, other):
        return Likeness.SAME_SOUND
    return Likeness.ONE_CHARACTER if _is_a_slip(one, other) else None


def _sound_the_same(one: str, other: str) -> bool:
    """In some reading of each character: 曾 is ceng and zeng."""
    return len(one) == len(other) and all(
        a == b or not readings_of(a).isdisjoint(readings_of(b)) for a, b in zip(one, other, strict=True))


def _is_a_slip(one: str, other: str) -> bool:
    """One character is another one, is missing or is too many."""
    short, long = sorted((one, other), key=len)
    if len(long) < SHORTEST_WITH_A_SLIP or len(long) - len(short) > 1:
        return False
    start = next((i for i, (a, b) in enumerate(zip(short, long, strict=False)) if a != b), len(short))
    return short[start + (len(short) == len(long)):] == long[start + 1:]


def _candidates(block: Sequence[_Named]) -> Iterator[tuple[_Named, _Named]]:
    """Of a block: all pairs, or in a large one those whose names have a key in common. No alike pair is left out."""
    if len(block) <= SMALL_BLOCK:
        yield from combinations(block, 2)
        return
    by_key = defaultdict[str, list[_Named]](list)
    for named in block:
        for key in _keys(named[1]):
            by_key[key].append(named)
    seen = set()
    for sharing in by_key.values():
        for one, other in combinations(sharing, 2):
            if (pair := _in_order(one, other)) not in seen:
                seen.add(pair)
                yield one, other


def _keys(name: str) -> set[str]:
    """The name, each way to leave a character out or not to know it, and its sounds."""
    keys = {name, *(f"~{reading}" for reading in _sounds(name))}
    for place in range(len(name)):
        keys |= {name[:place] + name[place + 1:], f"{name[:place]}?{name[place + 1:]}"}
    return keys


def _sounds(name: str) -> set[str]:
    """Joined readings of the characters one by one."""
    sounds = {""}
    for character in name:
        sounds = {f"{before} {reading}" for before in sounds for reading in readings_of(character)}
    return sounds


def _plain(name: str) -> str:
    return folded(name).replace(" ", "").replace("·", "")


def _in_order(one: _Named, other: _Named) -> tuple[int, int]:
    return min(one[0], other[0]), max(one[0], other[0])
