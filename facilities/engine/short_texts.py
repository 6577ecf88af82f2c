"""Text messages as Chinese platforms take them: neutral words, no 【】, 70 characters a part (domain facts, 8)."""

import math

LONGEST = 500  # characters
IN_ONE, IN_EACH_OF_SEVERAL = 70, 67
LONGEST_TITLE = 30

# Platforms refuse medical, training, recruitment and sign-up wording; some of it would also say something about health.
REFUSED = ("医", "药", "诊", "病", "疗", "康复", "残", "障碍", "精神", "心理", "癌", "孕", "培训", "招聘", "求职",
           "就业", "报名", "签约", "贷", "免费", "优惠", "抽奖", "doctor", "clinic", "medic",
           "therap", "rehab", "disab", "counsel", "training", "recruit", "job fair", "sign up")


def is_neutral(text: str) -> bool:
    folded = text.casefold()
    return not any(word in folded for word in REFUSED)


def tidy(text: str) -> str:
    """What somebody typed, as a part of a text message: no signature's brackets, no line ends, not too long."""
    flat = " ".join(text.translate(str.maketrans("【】", "（）")).split())
    return flat if len(flat) <= LONGEST_TITLE else f"{flat[:LONGEST_TITLE - 1]}…"


def parts(text: str, signature: str = "") -> int:
    """Of how many messages a text is made, with the 【signature】 that the provider puts before it."""
    length = len(text) + (len(signature) + 2 if signature else 0)
    return 1 if length <= IN_ONE else math.ceil(length / IN_EACH_OF_SEVERAL)
