"""What a name is found by on a list: a part of it, its pinyin, or the first letters of that (`cxm` for 陈晓梅)."""

from functools import cache
from itertools import islice, product

from facilities.kernel.text import folded

MOST_READINGS = 8  # of a name whose characters are read in several ways: 曾, 单, 解 …


def search_keys(name: str) -> str:
    """Everything that a typed piece is looked for in, separated by blanks; the piece is `folded` and without blanks."""
    from pypinyin import Style, pinyin  # noqa: PLC0415 - its dictionaries take a fifth of a second of every start

    plain = folded(name).replace(" ", "")
    syllables = [list(dict.fromkeys(found)) for found in pinyin(plain, style=Style.NORMAL, heteronym=True)]
    readings = [list(reading) for reading in islice(product(*syllables), MOST_READINGS)]
    whole = ["".join(reading) for reading in readings]
    initials = ["".join(syllable[:1] for syllable in reading) for reading in readings]
    of_words = "".join(word[:1] for word in folded(name).split())  # Li Mei: lm
    return " ".join(dict.fromkeys([plain, *whole, *initials, of_words]))


@cache
def readings_of(character: str) -> frozenset[str]:
    """The pinyin of one character, in every reading and without tones; what has none stands for itself."""
    from pypinyin import Style, pinyin  # noqa: PLC0415 - as above

    return frozenset(pinyin(character, style=Style.NORMAL, heteronym=True)[0])
