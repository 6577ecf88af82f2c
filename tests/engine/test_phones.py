import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from facilities.engine.phones import read_phone

unhurried = settings(deadline=None)  # a busy machine is no failure
PHONE = "13800001234"


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("13800001234", id="digits alone"),
        pytest.param("138 0000 1234", id="blanks"),
        pytest.param(" 13800001234\n", id="blanks around"),
        pytest.param("138-0000-1234", id="dashes"),
        pytest.param("１３８００００１２３４", id="full-width digits"),
        pytest.param("１３８　００００　１２３４", id="full-width blanks"),
        pytest.param("１３８－００００－１２３４", id="full-width dashes"),
        pytest.param("+8613800001234", id="+86"),
        pytest.param("+86 138 0000 1234", id="+86 and blanks"),
        pytest.param("+86-138-0000-1234", id="+86 and dashes"),
        pytest.param("＋８６　１３８００００１２３４", id="full-width +86"),
        pytest.param("138\u00a00000\u00a01234", id="no-break spaces"),
    ],
)
def test_what_people_put_between_the_digits_is_forgiven(text: str) -> None:
    assert read_phone(text) == PHONE


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("", id="empty"),
        pytest.param("+86", id="+86 alone"),
        pytest.param("1380000123", id="ten digits"),
        pytest.param("+861380000123", id="+86 and ten digits"),
        pytest.param("138000012345", id="twelve digits"),
        pytest.param("23800001234", id="begins with 2"),
        pytest.param("02368900000", id="a landline"),
        pytest.param("+85213800001234", id="another country"),
        pytest.param("+86+8613800001234", id="+86 twice"),
        pytest.param("13800001234+86", id="+86 behind"),
        pytest.param("1380000123x", id="a letter"),
        pytest.param("1380000123４５", id="twelve digits, two full-width"),
        pytest.param("1٣٨٠٠٠٠١٢٣٤", id="Arabic-Indic digits"),
        pytest.param("13800001234\x00", id="NUL"),
        pytest.param("13800001234,13800001235", id="two numbers"),
    ],
)
def test_what_is_no_mobile_number_is_none(text: str) -> None:
    assert read_phone(text) is None


@unhurried
@given(
    st.from_regex(r"\A1[0-9]{10}\Z"),
    st.lists(st.sampled_from(["", " ", "-", "　", "－"]), min_size=11, max_size=11),
    st.sampled_from(["", "+86", "＋86"]),
    st.booleans(),
)
def test_any_mobile_number_is_read_however_it_is_written(
    phone: str, between: list[str], prefix: str, full_width: bool
) -> None:
    shown = phone.translate({ord("0") + n: ord("０") + n for n in range(10)}) if full_width else phone
    written = prefix + "".join(blank + digit for blank, digit in zip(between, shown, strict=True))
    assert read_phone(written) == phone


@unhurried
@given(st.text(alphabet="+0123456789１８６ -x", max_size=16))
def test_what_is_read_is_eleven_digits_that_read_as_themselves(text: str) -> None:
    phone = read_phone(text)
    digits = [c for c in text if c not in " -"]
    if phone is None:
        assert len(digits) != 11 or digits[0] not in "1１" or not all(c.isdecimal() for c in digits)
    else:
        assert len(phone) == 11
        assert phone.isascii()
        assert phone.isdecimal()
        assert read_phone(phone) == phone
