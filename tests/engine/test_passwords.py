import pytest

from facilities.engine.passwords import check_password

COMMON = frozenset({"password", "iloveyou", "qwertyuiopasdf"})


@pytest.mark.parametrize(
    ("password", "staff", "expected"),
    [
        pytest.param("", False, "password_too_short", id="empty"),
        pytest.param("x" * 7, False, "password_too_short", id="resident, 7"),
        pytest.param("x" * 8, False, None, id="resident, 8"),
        pytest.param("x" * 11, True, "password_too_short_staff", id="staff, 11"),
        pytest.param("x" * 12, True, None, id="staff, 12"),
        pytest.param("x" * 8, True, "password_too_short_staff", id="staff, enough for a resident"),
        pytest.param("x" * 128, False, None, id="resident, 128"),
        pytest.param("x" * 129, False, "password_too_long", id="resident, 129"),
        pytest.param("x" * 128, True, None, id="staff, 128"),
        pytest.param("x" * 129, True, "password_too_long", id="staff, 129"),
    ],
)
def test_a_password_is_long_enough_and_not_too_long(password: str, staff: bool, expected: str | None) -> None:
    assert check_password(password, common=COMMON, staff=staff) == expected


@pytest.mark.parametrize(
    ("password", "staff", "expected"),
    [
        pytest.param("password", False, "password_too_common", id="on the list"),
        pytest.param("PassWord", False, "password_too_common", id="on the list but for upper case"),
        pytest.param("password1", False, None, id="begins like one on the list"),
        pytest.param("qwertyuiopasdf", True, "password_too_common", id="staff, on the list"),
        pytest.param("password", True, "password_too_short_staff", id="staff, too short before too common"),
    ],
)
def test_what_everybody_tries_first_is_no_password(password: str, staff: bool, expected: str | None) -> None:
    assert check_password(password, common=COMMON, staff=staff) == expected


@pytest.mark.parametrize(
    "password",
    [
        pytest.param("zzzzzzzz", id="one letter"),
        pytest.param("73910462", id="digits alone"),
        pytest.param("        ", id="blanks alone"),
        pytest.param("早睡早起身体健康", id="eight Chinese signs"),
        pytest.param("🌊🌉🌳🐟🌊🌉🌳🐟", id="eight emoji"),
    ],
)
def test_there_are_no_rules_of_composition(password: str) -> None:
    assert check_password(password, common=COMMON, staff=False) is None


def test_length_is_counted_in_characters_not_bytes() -> None:
    assert check_password("早睡早起身体好", common=COMMON, staff=False) == "password_too_short"
    assert check_password("早" * 128, common=COMMON, staff=False) is None
