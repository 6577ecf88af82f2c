"""Text messages as platforms take them, and addresses of letters."""

import pytest

from facilities.engine.mail_addresses import read_mail_address
from facilities.engine.short_texts import LONGEST_TITLE, is_neutral, parts, tidy


@pytest.mark.parametrize(
    ("length", "signature", "count"),
    [(70, "", 1), (71, "", 2), (134, "", 2), (135, "", 3), (63, "惠民大渡口", 1), (64, "惠民大渡口", 2)],
)
def test_how_many_messages_a_text_makes(length: int, signature: str, count: int) -> None:
    assert parts("字" * length, signature) == count


@pytest.mark.parametrize(
    ("title", "neutral"),
    [
        ("非遗竹编", True),
        ("亲子绘本", True),
        ("Neighbours' tea", True),
        ("心理疗愈室", False),
        ("康复训练", False),
        ("家庭医生签约", False),
        ("技能培训", False),
        ("春季招聘会", False),
        ("Family DOCTOR hour", False),
        ("Job fair", False),
    ],
)
def test_what_platforms_let_pass(title: str, neutral: bool) -> None:
    assert is_neutral(title) is neutral


def test_a_title_has_no_signature_no_line_end_and_is_short() -> None:
    assert tidy("【惠民】竹编\r\n第二讲") == "（惠民）竹编 第二讲"
    assert tidy("字" * 31) == "字" * 29 + "…"
    assert len(tidy("字" * 200)) == LONGEST_TITLE


@pytest.mark.parametrize(
    ("text", "address"),
    [
        pytest.param(" chen.xm@Example.ORG ", "chen.xm@example.org", id="blanks and capitals"),
        pytest.param("a+b@sub.example.org", "a+b@sub.example.org", id="a plus"),
        pytest.param("chen@example", None, id="no dot"),
        pytest.param("chen", None, id="no at"),
        pytest.param("@example.org", None, id="nobody"),
        pytest.param("a..b@example.org", None, id="two dots"),
        pytest.param(".a@example.org", None, id="begins with a dot"),
        pytest.param("a@-example.org", None, id="a dash first"),
        pytest.param("a@b.org\r\nBcc: all@example.org", None, id="a header of its own"),
        pytest.param("a b@example.org", None, id="a blank inside"),
        pytest.param("陈@example.org", None, id="letters that not every server takes"),
        pytest.param("a" * 65 + "@example.org", None, id="too long a name"),
        pytest.param("a@" + "b." * 130 + "org", None, id="too long"),
        pytest.param("<a@example.org>", None, id="brackets"),
    ],
)
def test_what_is_an_address(text: str, address: str | None) -> None:
    assert read_mail_address(text) == address
