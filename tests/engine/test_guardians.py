"""Until when somebody acts for a child: the eighteenth birthday, and no correction puts it off for a big one."""

from datetime import date

import pytest

from facilities.engine.ages import ADULT_AGE, age_on
from facilities.engine.guardians import acts_until, needs_guardians_consent, until_after_correction

TODAY = date(2026, 9, 16)


@pytest.mark.parametrize(
    ("relation", "birth_date", "until"),
    [
        pytest.param("child", date(2010, 5, 1), date(2028, 5, 1), id="a child"),
        pytest.param("grandchild", date(2010, 5, 1), date(2028, 5, 1), id="a grandchild"),
        pytest.param("child", date(2008, 2, 29), date(2026, 3, 1), id="born on 29 February"),
        pytest.param("child", None, None, id="nobody knows when"),
        *(pytest.param(r, date(2010, 5, 1), None, id=r) for r in ("self", "parent", "spouse", "grandparent", "other")),
    ],
)
def test_a_child_is_acted_for_up_to_its_eighteenth_birthday(
    relation: str, birth_date: date | None, until: date | None
) -> None:
    assert acts_until(relation, birth_date) == until
    if until and birth_date:
        assert age_on(birth_date, until) == ADULT_AGE


@pytest.mark.parametrize(
    ("until", "relation", "birth_date", "after"),
    [
        pytest.param(date(2036, 3, 8), "child", date(2019, 3, 8), date(2037, 3, 8), id="a small child, later"),
        pytest.param(date(2036, 3, 8), "child", date(2017, 3, 8), date(2035, 3, 8), id="a small child, earlier"),
        pytest.param(date(2027, 3, 8), "child", date(2019, 3, 8), date(2027, 3, 8), id="a big child, later"),
        pytest.param(date(2027, 3, 8), "child", date(2009, 3, 7), date(2027, 3, 7), id="a big child, earlier"),
        pytest.param(date(2026, 3, 8), "child", date(2019, 3, 8), date(2026, 3, 8), id="over, and not revived"),
        pytest.param(date(2036, 3, 8), "other", date(2018, 3, 8), date(2036, 3, 8), id="another relation"),
        pytest.param(None, "child", date(2018, 3, 8), date(2036, 3, 8), id="a relation that ends"),
        pytest.param(None, "parent", date(1950, 3, 8), None, id="a relation that does not"),
    ],
)
def test_a_correction_puts_the_end_off_for_a_small_child_only(
    until: date | None, relation: str, birth_date: date, after: date | None
) -> None:
    assert until_after_correction(until, relation, birth_date, TODAY) == after


@pytest.mark.parametrize(
    ("birth_date", "needed"),
    [(date(2012, 9, 17), True), (date(2012, 9, 16), False), (None, False)],
    ids=["13", "14 today", "unknown"],
)
def test_below_14_a_guardian_consents(birth_date: date | None, needed: bool) -> None:
    assert needs_guardians_consent(birth_date, TODAY) is needed
