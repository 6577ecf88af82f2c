"""Which records may be two of one person, without a database."""

import random
from datetime import date
from itertools import combinations

import pytest

from facilities.engine.eligibility import Sex
from facilities.engine.likeness import SMALL_BLOCK, Likeness, Pair, Record, alike, likely_pairs

DAY = date(1961, 5, 2)


def record(number: int, name: str, birth_date: date | None = DAY, phone: str | None = None,
           sex: Sex = Sex.FEMALE) -> Record:  # fmt: skip
    return Record(number, name, sex, birth_date, phone)


@pytest.mark.parametrize(
    ("one", "other", "likeness"),
    [
        pytest.param("陈晓梅", "陈晓梅", Likeness.SAME_NAME, id="the same"),
        pytest.param("陈晓梅", " 陈 晓梅 ", Likeness.SAME_NAME, id="blanks do not count"),
        pytest.param("阿依·古丽", "阿依古丽", Likeness.SAME_NAME, id="nor does the dot in a name"),
        pytest.param("Li Mei", "LI MEI", Likeness.SAME_NAME, id="nor capitals"),
        pytest.param("陈晓梅", "陈小梅", Likeness.SAME_SOUND, id="written as it is heard"),
        pytest.param("张伟", "章炜", Likeness.SAME_SOUND, id="not one character in common"),
        pytest.param("曾丽", "增丽", Likeness.SAME_SOUND, id="in one of two readings"),
        pytest.param("陈晓梅", "陈晓海", Likeness.ONE_CHARACTER, id="another one at the end"),
        pytest.param("陈晓梅", "除晓梅", Likeness.ONE_CHARACTER, id="another one at the start"),
        pytest.param("陈晓梅", "陈梅", Likeness.ONE_CHARACTER, id="one is missing"),
        pytest.param("欧阳晓梅", "欧晓梅", Likeness.ONE_CHARACTER, id="one is missing of four"),
        pytest.param("王芳", "王英", None, id="of two characters one is half the name"),
        pytest.param("王", "王芳", None, id="the surname alone"),
        pytest.param("陈晓梅", "陈大海", None, id="two others"),
        pytest.param("陈晓梅", "梅晓陈", None, id="the other way round"),
        pytest.param("陈晓梅", "晓梅云", None, id="one left out and one added"),
    ],
)
def test_names_are_alike_or_not_whichever_comes_first(one: str, other: str, likeness: Likeness | None) -> None:
    assert alike(one, other) == alike(other, one) == likeness


def test_names_count_only_with_the_same_birth_date_and_sex() -> None:
    same = record(7, "陈晓梅"), record(3, "陈小梅")
    assert likely_pairs(same) == [Pair(3, 7, Likeness.SAME_SOUND)]
    assert likely_pairs([record(1, "陈晓梅"), record(2, "陈晓梅", date(1961, 5, 3))]) == []
    assert likely_pairs([record(1, "陈晓梅"), record(2, "陈晓梅", sex=Sex.MALE)]) == []
    assert likely_pairs([record(1, "陈晓梅", None), record(2, "陈晓梅", None)]) == [], "nothing is known of either"


def test_the_same_phone_counts_with_the_same_name_alone() -> None:
    one = record(1, "陈晓梅", None, "13900000001")
    assert likely_pairs([one, record(2, "陈晓梅", DAY, "13900000001")]) == [Pair(1, 2, Likeness.SAME_PHONE)]
    assert likely_pairs([one, record(2, "陈子轩", None, "13900000001")]) == [], "a child with the mother's phone"
    assert likely_pairs([one, record(2, "陈晓梅", None, "13900000002")]) == []


def test_a_pair_is_said_once_however_much_speaks_for_it() -> None:
    pair = [record(1, "陈晓梅", DAY, "13900000001"), record(2, "陈晓梅", DAY, "13900000001")]
    assert likely_pairs(pair) == [Pair(1, 2, Likeness.SAME_NAME)]
    three = [record(n, "陈晓梅") for n in (1, 2, 3)]
    assert [(p.first, p.second) for p in likely_pairs(three)] == [(1, 2), (1, 3), (2, 3)]


def test_of_many_with_one_birthday_no_pair_is_missed() -> None:
    """1 January: looked up by keys, and compared here with looking at every pair."""
    dice = random.Random(7)
    names = ["".join(dice.choice("陈除晓小梅海曾增伟炜") for _ in range(dice.randint(1, 4))) for _ in range(400)]
    many = [record(number, name) for number, name in enumerate(names, start=1)]
    assert len(many) > SMALL_BLOCK
    expected = [
        Pair(one.id, other.id, likeness)
        for one, other in combinations(many, 2)
        if (likeness := alike(one.name, other.name)) is not None
    ]
    assert len(expected) > 100
    assert likely_pairs(many) == expected
