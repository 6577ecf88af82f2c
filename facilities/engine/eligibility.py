"""For whom a session is, as of the day on which it takes place."""

from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from facilities.engine.ages import age_on
from facilities.kernel.refusals import Refusal


class Sex(StrEnum):
    FEMALE = "female"
    MALE = "male"


@dataclass(frozen=True, slots=True)
class Audience:
    """None means: anyone. Ages are whole years on the day, both ends included."""

    min_age: int | None = None
    max_age: int | None = None
    sex: Sex | None = None
    disability: bool = False
    communities: tuple[str, ...] = ()  # codes of the statistics bureau: 9 digits a sub-district, 12 a community

    def is_open_to_all(self) -> bool:
        return self == Audience()


@dataclass(frozen=True, slots=True)
class Candidate:
    birth_date: date | None
    sex: Sex
    has_disability: bool = False
    community_code: str | None = None


def is_community_code(code: str) -> bool:
    """Twelve digits, as the statistics bureau gives them to every community of the country."""
    return len(code) == 12 and code.isascii() and code.isdigit()


def check_eligible(audience: Audience, candidate: Candidate, day: date) -> Refusal | None:
    """The first rule that the candidate does not meet, named in `facts.rule`."""
    if audience.sex is not None and candidate.sex is not audience.sex:
        return Refusal("not_eligible", {"rule": "sex", "sex": audience.sex.value})
    if audience.disability and not candidate.has_disability:
        return Refusal("not_eligible", {"rule": "disability"})
    if audience.communities and not (candidate.community_code or "").startswith(audience.communities):
        return Refusal("not_eligible", {"rule": "communities"})
    if audience.min_age is None and audience.max_age is None:
        return None
    if candidate.birth_date is None:
        return Refusal("not_eligible", {"rule": "birth_date_unknown"})
    age = age_on(candidate.birth_date, day)
    youngest = audience.min_age or 0  # nobody is there before being born
    if age < youngest:
        return Refusal("not_eligible", {"rule": "min_age", "min_age": youngest, "age": age})
    if audience.max_age is not None and age > audience.max_age:
        return Refusal("not_eligible", {"rule": "max_age", "max_age": audience.max_age, "age": age})
    return None
