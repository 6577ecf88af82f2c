import pytest

from facilities.engine.name_search import search_keys


@pytest.mark.parametrize(
    ("name", "found_by"),
    [
        pytest.param("陈晓梅", ["陈晓梅", "chenxiaomei", "cxm"], id="a name"),
        pytest.param("欧阳娜娜", ["oynn", "ouyangnana"], id="a double surname"),
        pytest.param("曾静英", ["zjy", "cjy"], id="a surname that is read differently"),
        pytest.param("单雄信", ["sxx", "dxx"], id="another"),
        pytest.param("Li Mei", ["limei", "lm"], id="Latin letters"),
        pytest.param("阿依古丽·买买提", ["aygl"], id="a long name with a dot"),
    ],
)
def test_a_name_is_found_by_its_parts_its_pinyin_and_the_first_letters_of_it(name: str, found_by: list[str]) -> None:
    keys = search_keys(name).split()
    for piece in found_by:
        assert any(piece in key for key in keys), piece


def test_a_name_of_many_readings_has_no_endless_list_of_keys() -> None:
    assert len(search_keys("曾单解曾单解曾单解").split()) < 30
