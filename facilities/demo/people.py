"""Residents who do not exist: names put together from common syllables with a fixed seed, without phone numbers."""

from dataclasses import dataclass
from datetime import date, timedelta
from random import Random

from facilities.engine.eligibility import Sex

_SURNAMES = "陈李张王刘杨罗唐周黄何邓蒋谭冉彭向田曾吴徐秦胡"
_FIRST = {Sex.FEMALE: "晓雨欣思佳雅诗梦静慧春秀玉美", Sex.MALE: "浩宇子俊明志建国天文家永海一"}
_SECOND = {Sex.FEMALE: "梅涵怡琪悦婷兰芳华英霞雪云", Sex.MALE: "轩然杰辉强军平泽涛林峰阳东"}


@dataclass(frozen=True, slots=True)
class Person:
    name: str
    sex: Sex
    birth_date: date


def make_people(seed: int, number: int, sex: Sex | None, ages: tuple[int, int], on: date) -> list[Person]:
    """`number` people whose ages on the day `on` lie within `ages`; the same for the same seed."""
    dice = Random(seed)
    people = []
    for _ in range(number):
        whose = sex or dice.choice((Sex.FEMALE, Sex.MALE))
        youngest = date(on.year - ages[0], on.month, on.day)
        days = (ages[1] - ages[0]) * 365 + 360
        name = dice.choice(_SURNAMES) + dice.choice(_FIRST[whose]) + dice.choice(_SECOND[whose])
        people.append(Person(name, whose, youngest - timedelta(days=dice.randrange(days))))
    return people
