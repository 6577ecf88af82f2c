import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from facilities.kernel.ids import new_reference, read_id
from facilities.kernel.refusals import NotVisible

unhurried = settings(deadline=None)  # a busy machine is no failure
LARGEST = 9_223_372_036_854_775_807  # of a signed 64-bit column


@unhurried
@given(st.integers(1, LARGEST))
def test_an_id_that_was_shown_is_read_back(number: int) -> None:
    assert read_id(str(number)) == number


@pytest.mark.parametrize(
    "number",
    [
        pytest.param(1, id="smallest"),
        pytest.param(LARGEST, id="largest that a row can have"),
    ],
)
def test_ids_at_the_ends_are_read(number: int) -> None:
    assert read_id(str(number)) == number


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("", id="empty"),
        pytest.param(str(LARGEST + 1), id="one too large"),
        pytest.param("0" * 19 + "1", id="twenty digits"),
        pytest.param("9" * 5000, id="more digits than Python reads"),
        pytest.param("-1", id="negative"),
        pytest.param("+1", id="signed"),
        pytest.param(" 1", id="blank before"),
        pytest.param("1 ", id="blank after"),
        pytest.param("1\n", id="newline after"),
        pytest.param("1.0", id="fraction"),
        pytest.param("1e3", id="exponent"),
        pytest.param("1_000", id="underscore"),
        pytest.param("0x1f", id="hexadecimal"),
        pytest.param("１２", id="full-width digits"),
        pytest.param("١٢", id="Arabic-Indic digits"),
        pytest.param("²", id="superscript"),
        pytest.param("1\x00", id="NUL"),
        pytest.param("abc", id="letters"),
        pytest.param("1 OR 1=1", id="not a number at all"),
    ],
)
def test_what_no_row_could_have_is_not_visible(text: str) -> None:
    with pytest.raises(NotVisible):
        read_id(text)


@unhurried
@given(st.text(max_size=25))
def test_any_text_is_an_id_or_not_visible(text: str) -> None:
    try:
        number = read_id(text)
    except NotVisible:
        is_a_number = text.isascii() and text.isdecimal() and text[0] != "0"
        assert not (is_a_number and int(text) <= LARGEST and len(text) <= 19)
    else:
        assert 1 <= number <= LARGEST
        assert text == str(number)


@pytest.mark.parametrize("length", [1, 8, 12])
def test_a_reference_has_the_wanted_length_and_no_sign_that_is_misheard(length: int) -> None:
    signs = {sign for _ in range(500) for sign in new_reference(length)}
    assert len(new_reference(length)) == length
    assert not signs & set("01ILO")
    assert signs <= set("23456789ABCDEFGHJKMNPQRSTUVWXYZ")


def test_a_reference_has_eight_signs_unless_told_otherwise() -> None:
    assert len(new_reference()) == 8


def test_references_do_not_repeat() -> None:
    assert len({new_reference() for _ in range(500)}) == 500
