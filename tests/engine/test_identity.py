"""Identity numbers and certificate numbers: what is read, what is found out, and what is shown of them."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from facilities.engine.eligibility import Sex
from facilities.engine.identity import (
    Certificate,
    IdNumber,
    check_character,
    mask_number,
    read_certificate,
    read_id_number,
)

TODAY = date(2026, 9, 16)
KNOWN = "11010519491231002X"  # the standard's own example

births = st.dates(date(1900, 1, 1), TODAY)


def number_of(region: int, born: date, serial: int) -> str:
    digits = f"{region:06}{born:%Y%m%d}{serial:03}"
    return digits + check_character(digits)


numbers = st.builds(number_of, st.integers(0, 999_999), births, st.integers(0, 999))


def test_the_standards_example_is_read() -> None:
    assert read_id_number(KNOWN, TODAY) == IdNumber(KNOWN, date(1949, 12, 31), Sex.FEMALE)


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("11010519491231002x", id="lower case"),
        pytest.param("１１０１０５１９４９１２３１００２Ｘ", id="full width"),
        pytest.param("１１０１０５１９４９１２３１００２ｘ", id="full width, lower case"),
        pytest.param(" 110105 19491231 002X\u3000", id="in groups"),
    ],
)
def test_every_usual_writing_is_one_number(text: str) -> None:
    read = read_id_number(text, TODAY)
    assert isinstance(read, IdNumber)
    assert read.number == KNOWN


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("", id="nothing"),
        pytest.param("110105491231002", id="the fifteen digits of before 1999"),
        pytest.param(KNOWN + "1", id="a character too many"),
        pytest.param("X" + KNOWN[1:], id="X in front"),
        pytest.param("1101051949123100２²", id="a superscript"),
        pytest.param("١١٠١٠٥١٩٤٩١٢٣١٠٠٢X", id="other digits"),
        pytest.param(number_of(110105, date(2026, 9, 17), 2), id="born tomorrow"),
        pytest.param("11010519490230002" + check_character("11010519490230002"), id="30 February"),
        pytest.param("11010519490001002" + check_character("11010519490001002"), id="no month"),
        pytest.param("11010500000101002" + check_character("11010500000101002"), id="the year nought"),
    ],
)
def test_what_cannot_be_is_refused(text: str) -> None:
    assert read_id_number(text, TODAY) == "id_number_check"


def test_who_is_born_today_has_a_number() -> None:
    assert isinstance(read_id_number(number_of(1, TODAY, 3), TODAY), IdNumber)


@given(st.integers(0, 999_999), births, st.integers(0, 999))
def test_a_number_says_birth_and_sex(region: int, born: date, serial: int) -> None:
    read = read_id_number(number_of(region, born, serial), TODAY)
    assert isinstance(read, IdNumber)
    assert (read.birth_date, read.sex) == (born, Sex.MALE if serial % 2 else Sex.FEMALE)


@given(numbers)
def test_every_single_wrong_digit_is_found(number: str) -> None:
    for place in range(18):
        for other in "0123456789X" if place == 17 else "0123456789":
            if other != number[place]:
                wrong = number[:place] + other + number[place + 1 :]
                assert read_id_number(wrong, TODAY) == "id_number_check", (number, wrong)


@given(numbers)
def test_every_exchange_of_neighbours_is_found(number: str) -> None:
    """The check character itself too: no two weights side by side are the same."""
    for place in range(17):
        left, right = number[place], number[place + 1]
        if left != right:
            wrong = number[:place] + right + left + number[place + 2 :]
            assert read_id_number(wrong, TODAY) == "id_number_check", (number, wrong)


@given(st.text(max_size=30))
def test_any_text_gets_an_answer(text: str) -> None:
    assert read_id_number(text, TODAY) == "id_number_check" or len(text) >= 18
    assert read_certificate(text, TODAY) == "certificate_check" or len(text) >= 20


@given(numbers, st.integers(1, 7), st.integers(1, 4), st.sampled_from(["", "B1", "B9", "b2"]))
def test_a_certificate_says_its_holder_category_and_grade(number: str, category: int, grade: int, again: str) -> None:
    read = read_certificate(f"{number}{category}{grade}{again}".lower(), TODAY)
    assert isinstance(read, Certificate)
    assert (read.holder.number, read.category, read.grade) == (number, category, grade)
    assert read.number == f"{number}{category}{grade}{again}".upper()


@pytest.mark.parametrize("end", ["", "4", "04", "84", "40", "45", "44B", "44B10", "44C1", "44B1B2"])
def test_a_certificate_that_cannot_be_is_refused(end: str) -> None:
    assert read_certificate(KNOWN + end, TODAY) == "certificate_check"


def test_a_certificate_of_a_wrong_number_is_refused() -> None:
    assert read_certificate("11010519491231003X44", TODAY) == "certificate_check"


@given(numbers)
def test_five_characters_of_a_number_are_shown(number: str) -> None:
    shown = mask_number(number)
    assert (len(shown), shown.count("*"), shown[:3], shown[-2:]) == (18, 13, number[:3], number[-2:])


def test_masks_look_as_on_other_papers() -> None:
    assert mask_number(KNOWN) == "110*************2X"
    assert mask_number(KNOWN + "44B1") == "110*****************B1"
