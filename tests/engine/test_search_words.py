from datetime import date, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from facilities.engine.search_words import Wish, read_wish

unhurried = settings(deadline=None)  # a busy machine is no failure
WEDNESDAY = date(2026, 9, 16)
THURSDAY = date(2026, 9, 17)
FRIDAY = date(2026, 9, 18)
SATURDAY = date(2026, 9, 19)
SUNDAY = date(2026, 9, 20)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("", Wish(), id="empty"),
        pytest.param("　 ", Wish(), id="nothing but blanks"),
        pytest.param("亲子", Wish(("亲子",)), id="one word"),
        pytest.param("亲子 阅读", Wish(("亲子", "阅读")), id="two words"),
        pytest.param("周六 亲子", Wish(("亲子",), (5,)), id="day and word"),
        pytest.param("亲子 周六", Wish(("亲子",), (5,)), id="word and day"),
        pytest.param("周六亲子", Wish(("亲子",), (5,)), id="no blank between"),
        pytest.param("亲子周六", Wish(("亲子",), (5,)), id="no blank between, day last"),
        pytest.param("亲子周六阅读", Wish(("亲子", "阅读"), (5,)), id="a day between two words"),
        pytest.param("周末亲子", Wish(("亲子",), (5, 6)), id="weekend"),
        pytest.param("星期天", Wish((), (6,)), id="星期天 leaves no 天"),
        pytest.param("礼拜天", Wish((), (6,)), id="礼拜天 leaves no 天"),
        pytest.param("周天", Wish((), (6,)), id="周天"),
        pytest.param("周日", Wish((), (6,)), id="周日"),
        pytest.param("星期一", Wish((), (0,)), id="星期一"),
        pytest.param("礼拜五 瑜伽", Wish(("瑜伽",), (4,)), id="礼拜五"),
        pytest.param("周三、周五", Wish((), (2, 4)), id="two days, 顿号"),
        pytest.param("周五周三", Wish((), (2, 4)), id="two days, together, in the week's order"),
        pytest.param("周六 周末", Wish((), (5, 6)), id="a day twice is said once"),
        pytest.param("今天", Wish(day=WEDNESDAY), id="today, in Chinese"),
        pytest.param("明天 yoga", Wish(("yoga",), day=THURSDAY), id="tomorrow and an English word"),
        pytest.param("明天yoga", Wish(("yoga",), day=THURSDAY), id="tomorrow, no blank between"),
        pytest.param("后天亲子", Wish(("亲子",), day=FRIDAY), id="the day after tomorrow"),
        pytest.param("yoga today", Wish(("yoga",), day=WEDNESDAY), id="today, in English"),
        pytest.param("yoga tomorrow", Wish(("yoga",), day=THURSDAY), id="tomorrow, in English"),
        pytest.param("Saturday children", Wish(("children",), (5,)), id="English, upper case"),
        pytest.param("weekend", Wish((), (5, 6)), id="weekend, in English"),
        pytest.param("weekends", Wish((), (5, 6)), id="weekends, in English"),
        pytest.param("Sat, Sun", Wish((), (5, 6)), id="short names, a comma between"),
        pytest.param(
            "Sundial wedding monthly", Wish(("sundial", "wedding", "monthly")), id="words that begin like days"
        ),
        pytest.param("todays", Wish(("todays",)), id="a word that begins like today"),
        pytest.param("　周六　亲子　", Wish(("亲子",), (5,)), id="full-width blanks"),
        pytest.param("ＳＵＮＤＡＹ　ＹＯＧＡ", Wish(("yoga",), (6,)), id="full-width letters"),
        pytest.param("周六，亲子", Wish(("亲子",), (5,)), id="full-width comma"),
        pytest.param("亲子 亲子", Wish(("亲子",)), id="a word twice is looked for once"),
        pytest.param("Yoga YOGA", Wish(("yoga",)), id="a word twice but for case"),
        pytest.param("周年庆", Wish(("周年庆",)), id="周 alone is no day"),
        pytest.param("天文", Wish(("天文",)), id="天 alone is no day"),
    ],
)
def test_a_sentence_is_read_as_days_and_words(text: str, expected: Wish) -> None:
    assert read_wish(text, WEDNESDAY) == expected


@pytest.mark.parametrize(
    ("names", "number"),
    [
        pytest.param("周一 星期一 礼拜一 monday mon", 0, id="Monday"),
        pytest.param("周二 星期二 礼拜二 tuesday tue", 1, id="Tuesday"),
        pytest.param("周三 星期三 礼拜三 wednesday wed", 2, id="Wednesday"),
        pytest.param("周四 星期四 礼拜四 thursday thu", 3, id="Thursday"),
        pytest.param("周五 星期五 礼拜五 friday fri", 4, id="Friday"),
        pytest.param("周六 星期六 礼拜六 saturday sat", 5, id="Saturday"),
        pytest.param("周日 星期日 礼拜日 周天 星期天 礼拜天 sunday sun", 6, id="Sunday"),
    ],
)
def test_every_name_of_a_weekday_means_that_day(names: str, number: int) -> None:
    assert [read_wish(name, WEDNESDAY) for name in names.split()] == [Wish(weekdays=(number,))] * len(names.split())


@pytest.mark.parametrize(
    ("today", "expected"),
    [
        pytest.param(date(2026, 9, 30), date(2026, 10, 1), id="crosses the month"),
        pytest.param(date(2026, 12, 31), date(2027, 1, 1), id="crosses the year"),
        pytest.param(date(2028, 2, 28), date(2028, 2, 29), id="29 February"),
    ],
)
def test_tomorrow_is_the_day_after_today(today: date, expected: date) -> None:
    assert read_wish("明天", today).day == expected


@pytest.mark.parametrize(
    ("text", "admitted"),
    [
        pytest.param("亲子", [WEDNESDAY, THURSDAY, FRIDAY, SATURDAY, SUNDAY], id="no day: any day"),
        pytest.param("周六", [SATURDAY], id="one weekday"),
        pytest.param("周末", [SATURDAY, SUNDAY], id="weekend"),
        pytest.param("周三周日", [WEDNESDAY, SUNDAY], id="two weekdays"),
        pytest.param("明天", [THURSDAY], id="one day"),
        pytest.param("明天 周四", [THURSDAY], id="a day and its weekday"),
        pytest.param("明天 周六", [], id="a day that is another weekday"),
    ],
)
def test_a_wish_admits_the_days_that_were_named(text: str, admitted: list[date]) -> None:
    wish = read_wish(text, WEDNESDAY)
    assert [day for day in (WEDNESDAY, THURSDAY, FRIDAY, SATURDAY, SUNDAY) if wish.admits(day)] == admitted


def test_a_weekday_admits_that_day_of_every_week_and_a_day_only_itself() -> None:
    assert read_wish("周六", WEDNESDAY).admits(SATURDAY + timedelta(weeks=5))
    assert not read_wish("明天", WEDNESDAY).admits(THURSDAY + timedelta(weeks=1))


words = st.lists(st.sampled_from(["亲子", "阅读", "yoga", "周六", "周日", "明天", "sunday", "儿童画"]), max_size=6)


@unhurried
@given(words, st.sampled_from([" ", "　", "，", ",", "、", "  "]))
def test_what_stands_between_the_words_does_not_matter(said: list[str], between: str) -> None:
    assert read_wish(between.join(said), WEDNESDAY) == read_wish(" ".join(said), WEDNESDAY)


@unhurried
@given(words)
def test_days_never_remain_as_words_and_words_keep_their_order(said: list[str]) -> None:
    wish = read_wish(" ".join(said), WEDNESDAY)
    assert wish.words == tuple(dict.fromkeys(w for w in said if w not in ("周六", "周日", "明天", "sunday")))
    assert wish.weekdays == tuple(sorted({{"周六": 5, "周日": 6, "sunday": 6}.get(w, 0) for w in said} - {0}))
    assert wish.day == (THURSDAY if "明天" in said else None)


@unhurried
@given(st.text(max_size=40))
def test_any_text_at_all_is_read_into_words_without_blanks(text: str) -> None:
    wish = read_wish(text, WEDNESDAY)
    assert all(word and word.split() == [word] for word in wish.words)
    assert len(set(wish.words)) == len(wish.words)
    assert set(wish.weekdays) <= set(range(7))
