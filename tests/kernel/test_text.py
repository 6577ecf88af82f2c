from enum import StrEnum

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from facilities.kernel.text import folded, has_unprintable, mask_name, mask_phone, read_choice

unhurried = settings(deadline=None)  # a busy machine is no failure


@pytest.mark.parametrize(
    "sign",
    [
        pytest.param("\x00", id="NUL"),
        pytest.param("\x07", id="bell"),
        pytest.param("\x1b", id="escape"),
        pytest.param("\x1f", id="last of the first controls"),
        pytest.param("\x7f", id="delete"),
        pytest.param("\x80", id="first of the second controls"),
        pytest.param("\x9f", id="last of the second controls"),
        pytest.param("\ud800", id="first lone surrogate"),
        pytest.param("\udfff", id="last lone surrogate"),
    ],
)
@pytest.mark.parametrize("place", ["{}亲子", "亲{}子", "亲子{}"], ids=["first", "between", "last"])
def test_controls_and_lone_surrogates_are_found_wherever_they_are(sign: str, place: str) -> None:
    assert has_unprintable(place.format(sign))
    assert has_unprintable(place.format(sign), multiline=True)


@pytest.mark.parametrize(
    "sign",
    [
        pytest.param("\n", id="newline"),
        pytest.param("\r", id="carriage return"),
        pytest.param("\t", id="tab"),
    ],
)
def test_breaks_and_tabs_are_for_text_of_several_lines(sign: str) -> None:
    assert has_unprintable(f"一{sign}二")
    assert not has_unprintable(f"一{sign}二", multiline=True)


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("", id="empty"),
        pytest.param("亲子阅读 Story time", id="two languages"),
        pytest.param("　", id="full-width blank"),
        pytest.param("\u00a0", id="no-break space, just after the controls"),
        pytest.param(" ~", id="first and last printable of ASCII"),
        pytest.param("👨\u200d👩\u200d👧", id="joined emoji"),
        pytest.param("𠮷", id="beyond the basic plane"),
        pytest.param("\ud7ff\ue000", id="neighbours of the surrogates"),
    ],
)
def test_what_people_write_is_printable(text: str) -> None:
    assert not has_unprintable(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("ＹＯＧＡ", "yoga", id="full-width letters"),
        pytest.param("１３８", "138", id="full-width digits"),
        pytest.param("周六　亲子", "周六 亲子", id="full-width blank"),
        pytest.param("  two \t\n words ", "two words", id="blanks of any kind"),
        pytest.param("Yoga", "yoga", id="upper case"),
        pytest.param("STRASSE", folded("Straße"), id="folds further than lower case"),
        pytest.param("cafe\u0301", "caf\u00e9", id="composed"),
        pytest.param("，！", ",!", id="full-width punctuation"),
        pytest.param("　", "", id="nothing but a blank"),
        pytest.param("", "", id="empty"),
    ],
)
def test_folding_brings_what_is_written_differently_to_one_form(text: str, expected: str) -> None:
    assert folded(text) == expected


@unhurried
@given(st.text())
def test_folding_twice_changes_nothing_more(text: str) -> None:
    assert folded(folded(text)) == folded(text)


@unhurried
@given(st.text())
def test_folded_text_has_single_blanks_and_no_case(text: str) -> None:
    result = folded(text)
    assert result == " ".join(result.split())
    assert result == result.casefold()


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        pytest.param("王小明", "王**", id="three signs"),
        pytest.param("王明", "王*", id="two signs"),
        pytest.param("欧阳小明", "欧***", id="double surname"),
        pytest.param("王", "*", id="one sign shows nothing"),
        pytest.param("", "*", id="empty"),
        pytest.param("𠮷田", "𠮷*", id="beyond the basic plane"),
    ],
)
def test_a_masked_name_shows_the_first_sign_at_most(name: str, expected: str) -> None:
    assert mask_name(name) == expected


@pytest.mark.parametrize(
    ("phone", "expected"),
    [
        pytest.param("13800001234", "138****1234", id="mobile"),
        pytest.param("12345678", "123****5678", id="eight digits"),
        pytest.param("1234567", "****", id="seven digits show nothing"),
        pytest.param("", "****", id="empty"),
    ],
)
def test_a_masked_phone_hides_its_middle(phone: str, expected: str) -> None:
    assert mask_phone(phone) == expected


class Colour(StrEnum):
    RED = "red"
    DARK_BLUE = "dark-blue"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("red", Colour.RED, id="a value"),
        pytest.param("dark-blue", Colour.DARK_BLUE, id="another value"),
        pytest.param("RED", None, id="the name of a member"),
        pytest.param("DARK_BLUE", None, id="the name of another"),
        pytest.param(" red", None, id="blank before"),
        pytest.param("green", None, id="unknown"),
        pytest.param("", None, id="empty"),
        pytest.param(None, None, id="absent"),
    ],
)
def test_a_choice_is_read_by_its_value_alone(text: str | None, expected: Colour | None) -> None:
    assert read_choice(Colour, text) is expected
