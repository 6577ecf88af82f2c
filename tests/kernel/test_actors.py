import pytest

from facilities.kernel.actors import Actor, Granted, Role

HERE, THERE = 7, 8
MANAGER_HERE = Granted(Role.MANAGER, HERE)
MANAGER_THERE = Granted(Role.MANAGER, THERE)
ADMINISTRATOR = Granted(Role.ADMINISTRATOR)


def actor(*grants: Granted) -> Actor:
    return Actor(user_id=1, sign_in_id=1, login="13800001234", display_name="王小明", grants=grants)


@pytest.mark.parametrize(
    ("grants", "staff", "administrator"),
    [
        pytest.param((), False, False, id="resident"),
        pytest.param((MANAGER_HERE,), True, False, id="manager"),
        pytest.param((MANAGER_HERE, MANAGER_THERE), True, False, id="manager of two"),
        pytest.param((ADMINISTRATOR,), True, True, id="administrator"),
        pytest.param((MANAGER_HERE, ADMINISTRATOR), True, True, id="manager and administrator"),
    ],
)
def test_grants_make_staff_and_one_of_them_makes_an_administrator(
    grants: tuple[Granted, ...], staff: bool, administrator: bool
) -> None:
    assert actor(*grants).is_staff is staff
    assert actor(*grants).is_administrator is administrator


@pytest.mark.parametrize(
    ("grants", "here", "there"),
    [
        pytest.param((), False, False, id="resident manages nothing"),
        pytest.param((MANAGER_HERE,), True, False, id="manager here alone"),
        pytest.param((MANAGER_HERE, MANAGER_THERE), True, True, id="manager of both"),
        pytest.param((ADMINISTRATOR,), True, True, id="administrator everywhere"),
        pytest.param((MANAGER_THERE, ADMINISTRATOR), True, True, id="administrator, whatever else"),
    ],
)
def test_managers_manage_their_own_facilities_and_administrators_all(
    grants: tuple[Granted, ...], here: bool, there: bool
) -> None:
    assert actor(*grants).manages(HERE) is here
    assert actor(*grants).manages(THERE) is there


@pytest.mark.parametrize(
    ("grants", "expected"),
    [
        pytest.param((), frozenset(), id="resident"),
        pytest.param((MANAGER_HERE, MANAGER_THERE), frozenset({HERE, THERE}), id="manager of two"),
        pytest.param((ADMINISTRATOR,), frozenset(), id="administrator"),
        pytest.param((MANAGER_HERE, ADMINISTRATOR), frozenset({HERE}), id="manager and administrator"),
    ],
)
def test_managed_facilities_are_those_that_were_granted_by_name(
    grants: tuple[Granted, ...], expected: frozenset[int]
) -> None:
    assert actor(*grants).managed_facility_ids == expected
