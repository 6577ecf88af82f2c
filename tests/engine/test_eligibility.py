from datetime import date, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from facilities.engine.eligibility import Audience, Candidate, Sex, check_eligible, is_community_code
from facilities.kernel.refusals import Refusal

unhurried = settings(deadline=None)  # a busy machine is no failure
DAY = date(2026, 9, 18)  # of the session


def born(birth_date: date | None, sex: Sex = Sex.FEMALE) -> Candidate:
    return Candidate(birth_date, sex)


def rule(refusal: Refusal | None) -> object:
    assert refusal is None or refusal.code == "not_eligible"
    return refusal.facts["rule"] if refusal else None


@pytest.mark.parametrize(
    ("birth_date", "expected"),
    [
        pytest.param(date(2023, 9, 19), "min_age", id="third birthday is tomorrow"),
        pytest.param(date(2023, 9, 18), None, id="third birthday is today"),
        pytest.param(date(2023, 9, 17), None, id="third birthday was yesterday"),
        pytest.param(date(2019, 9, 19), None, id="seventh birthday is tomorrow"),
        pytest.param(date(2019, 9, 18), "max_age", id="seventh birthday is today"),
        pytest.param(date(2026, 9, 18), "min_age", id="born today"),
        pytest.param(date(1926, 9, 18), "max_age", id="a hundred"),
    ],
)
def test_both_ends_of_the_ages_are_included_on_the_day(birth_date: date, expected: str | None) -> None:
    assert rule(check_eligible(Audience(min_age=3, max_age=6), born(birth_date), DAY)) == expected


@pytest.mark.parametrize(
    ("day", "expected"),
    [
        pytest.param(date(2026, 2, 28), "min_age", id="last of February"),
        pytest.param(date(2026, 3, 1), None, id="first of March"),
    ],
)
def test_who_is_born_on_29_february_comes_of_age_on_1_march_of_a_common_year(day: date, expected: str | None) -> None:
    assert rule(check_eligible(Audience(min_age=18), born(date(2008, 2, 29)), day)) == expected


@pytest.mark.parametrize(
    ("audience", "candidate", "expected"),
    [
        pytest.param(Audience(), born(None), None, id="for anyone, birth date unknown"),
        pytest.param(Audience(), born(date(1900, 1, 1), Sex.MALE), None, id="for anyone, of any age"),
        pytest.param(Audience(sex=Sex.FEMALE), born(None, Sex.FEMALE), None, id="for women, a woman of unknown age"),
        pytest.param(Audience(sex=Sex.FEMALE), born(None, Sex.MALE), "sex", id="for women, a man"),
        pytest.param(Audience(sex=Sex.MALE), born(None, Sex.MALE), None, id="for men, a man"),
        pytest.param(Audience(sex=Sex.MALE), born(None, Sex.FEMALE), "sex", id="for men, a woman"),
        pytest.param(Audience(min_age=18), born(None), "birth_date_unknown", id="from an age, birth date unknown"),
        pytest.param(Audience(max_age=6), born(None), "birth_date_unknown", id="up to an age, birth date unknown"),
        pytest.param(Audience(min_age=0), born(None), "birth_date_unknown", id="from nought, birth date unknown"),
        pytest.param(Audience(max_age=0), born(date(2025, 9, 19)), None, id="up to nought, not yet one"),
        pytest.param(Audience(max_age=0), born(date(2025, 9, 18)), "max_age", id="up to nought, one today"),
        pytest.param(Audience(min_age=18), born(date(1926, 1, 1)), None, id="no greatest age"),
        pytest.param(Audience(max_age=6), born(DAY), None, id="no least age"),
        pytest.param(Audience(6, 6), born(date(2020, 9, 18)), None, id="one age alone, today"),
        pytest.param(Audience(6, 6), born(date(2020, 9, 19)), "min_age", id="one age alone, tomorrow"),
        pytest.param(Audience(18, None, Sex.FEMALE), born(None, Sex.MALE), "sex", id="the sex is looked at first"),
    ],
)
def test_the_first_rule_that_is_not_met_is_named(
    audience: Audience, candidate: Candidate, expected: str | None
) -> None:
    assert rule(check_eligible(audience, candidate, DAY)) == expected


@pytest.mark.parametrize(
    ("audience", "candidate", "facts"),
    [
        pytest.param(
            Audience(min_age=18), born(date(2008, 9, 19)), {"rule": "min_age", "min_age": 18, "age": 17}, id="too young"
        ),
        pytest.param(
            Audience(max_age=6), born(date(2019, 9, 18)), {"rule": "max_age", "max_age": 6, "age": 7}, id="too old"
        ),
        pytest.param(Audience(sex=Sex.FEMALE), born(None, Sex.MALE), {"rule": "sex", "sex": "female"}, id="sex"),
        pytest.param(Audience(min_age=18), born(None), {"rule": "birth_date_unknown"}, id="birth date unknown"),
    ],
)
def test_a_refusal_says_what_is_asked_for(audience: Audience, candidate: Candidate, facts: dict[str, object]) -> None:
    assert check_eligible(audience, candidate, DAY) == Refusal("not_eligible", facts)


def test_the_age_on_the_day_of_the_session_counts() -> None:
    seventeen_until_then = born(date(2008, 9, 18))
    assert check_eligible(Audience(min_age=18), seventeen_until_then, DAY - timedelta(days=1)) is not None
    assert check_eligible(Audience(min_age=18), seventeen_until_then, DAY) is None


ages = st.none() | st.integers(0, 100)


@unhurried
@given(ages, ages, st.integers(0, 110), st.integers(0, 364))
def test_those_within_the_ages_may_come_and_no_others(
    least: int | None, greatest: int | None, age: int, days_since_birthday: int
) -> None:
    birth_date = date(DAY.year - age, DAY.month, DAY.day) - timedelta(days=days_since_birthday)
    welcome = (least is None or age >= least) and (greatest is None or age <= greatest)
    assert (check_eligible(Audience(least, greatest), born(birth_date), DAY) is None) is welcome


@pytest.mark.parametrize(
    ("audience", "open_to_all"),
    [
        pytest.param(Audience(), True, id="no condition"),
        pytest.param(Audience(min_age=0), False, id="from nought: the birth date must be known"),
        pytest.param(Audience(max_age=130), False, id="greatest age"),
        pytest.param(Audience(sex=Sex.MALE), False, id="sex"),
    ],
)
def test_an_audience_without_conditions_is_open_to_all(audience: Audience, open_to_all: bool) -> None:
    assert audience.is_open_to_all() is open_to_all


# -- disability and communities

QIEZIXI, QIAOKOU, HEXIE, BAQIAO = "500104004", "500104004006", "500104004007", "500104101001"


def living_in(code: str | None, *, has_disability: bool = False) -> Candidate:
    return Candidate(date(1960, 1, 1), Sex.FEMALE, has_disability, code)


@pytest.mark.parametrize(
    ("communities", "code", "welcome"),
    [
        pytest.param((), None, True, id="for every community, of none known"),
        pytest.param((QIAOKOU,), QIAOKOU, True, id="for a community, of it"),
        pytest.param((QIAOKOU,), HEXIE, False, id="for a community, of its neighbour"),
        pytest.param((QIAOKOU,), None, False, id="for a community, of none known"),
        pytest.param((QIEZIXI,), QIAOKOU, True, id="for a sub-district, of a community in it"),
        pytest.param((QIEZIXI,), HEXIE, True, id="for a sub-district, of another community in it"),
        pytest.param((QIEZIXI,), BAQIAO, False, id="for a sub-district, of another one"),
        pytest.param((QIEZIXI,), None, False, id="for a sub-district, of none known"),
        pytest.param((BAQIAO, QIAOKOU), QIAOKOU, True, id="for two communities, of the second"),
        pytest.param((BAQIAO, QIEZIXI), HEXIE, True, id="for a community and a sub-district, of the sub-district"),
        pytest.param((BAQIAO, QIAOKOU), HEXIE, False, id="for two communities, of a third"),
        pytest.param((QIAOKOU,), "510104004006", False, id="the same ending elsewhere in the country"),
    ],
)
def test_a_session_for_communities_takes_those_who_live_there(
    communities: tuple[str, ...], code: str | None, welcome: bool
) -> None:
    refusal = check_eligible(Audience(communities=communities), living_in(code), DAY)
    assert refusal == (None if welcome else Refusal("not_eligible", {"rule": "communities"}))


@pytest.mark.parametrize(
    ("audience", "has_disability", "expected"),
    [
        pytest.param(Audience(disability=True), True, None, id="for residents with disabilities, one of them"),
        pytest.param(Audience(disability=True), False, "disability", id="for residents with disabilities, another"),
        pytest.param(Audience(), True, None, id="for anyone"),
        pytest.param(Audience(disability=True, communities=(BAQIAO,)), False, "disability", id="disability is first"),
        pytest.param(Audience(disability=True, communities=(BAQIAO,)), True, "communities", id="then the community"),
        pytest.param(Audience(70, communities=(BAQIAO,)), True, "communities", id="the community, then the age"),
        pytest.param(Audience(70, disability=True), True, "min_age", id="the age is last"),
        pytest.param(Audience(60, 70, disability=True, communities=(QIAOKOU,)), True, None, id="all conditions met"),
    ],
)
def test_a_session_for_residents_with_disabilities_takes_them(
    audience: Audience, has_disability: bool, expected: str | None
) -> None:
    assert rule(check_eligible(audience, living_in(QIAOKOU, has_disability=has_disability), DAY)) == expected


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        (QIAOKOU, True),
        (QIEZIXI, False),
        ("50010400400", False),
        ("5001040040061", False),
        ("50010400400x", False),
        ("５００１０４００４００６", False),
        ("", False),
    ],
    ids=["twelve digits", "nine digits", "eleven", "thirteen", "a letter", "full-width digits", "nothing"],
)
def test_a_residents_community_has_twelve_digits(code: str, expected: bool) -> None:
    assert is_community_code(code) is expected


@pytest.mark.parametrize("audience", [Audience(disability=True), Audience(communities=(QIEZIXI,))], ids=str)
def test_these_conditions_too_close_an_audience(audience: Audience) -> None:
    assert not audience.is_open_to_all()
