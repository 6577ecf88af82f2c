from facilities.engine.beneficiaries import OF_WHOM, SPLITTING, Category


def test_each_category_either_splits_everyone_or_is_of_whom() -> None:
    assert sorted([*SPLITTING, *OF_WHOM]) == sorted(Category)


def test_categories_are_called_as_the_contract_calls_them() -> None:
    assert set(SPLITTING) == {"women", "children", "men", "unknown"}
    assert set(OF_WHOM) == {"elders", "disabled"}
