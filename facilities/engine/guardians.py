"""Until when somebody acts for a person, as law and common sense have it.

Whoever is 18 decides for themselves (Civil Code, art. 17 and 18): the right of those who brought them up ends with the
day before. A grown-up who cannot act alone, and a grandmother without a telephone, are not lost: whoever looks after
them does so as `other`, `parent` or `grandparent`, is invited, or asks at the counter.
"""

from datetime import date

from facilities.engine.ages import ADULT_AGE, age_on

CONSENT_AGE = 14  # below it a guardian consents: Personal Information Protection Law, art. 31
BROUGHT_UP = frozenset({"child", "grandchild"})  # relations that end with childhood


def eighteenth_birthday(birth_date: date) -> date:
    """As engine.ages has it: of who is born on 29 February, 1 March of a common year."""
    try:
        return birth_date.replace(year=birth_date.year + ADULT_AGE)
    except ValueError:
        return date(birth_date.year + ADULT_AGE, 3, 1)


def acts_until(relation: str, birth_date: date | None) -> date | None:
    """The first day on which somebody no longer acts for their `relation`; None where no day ends it."""
    if relation not in BROUGHT_UP or birth_date is None:
        return None
    return eighteenth_birthday(birth_date)


def until_after_correction(until: date | None, relation: str, birth_date: date | None, today: date) -> date | None:
    """The end of a link whose birth date or relation is corrected by somebody it concerns.

    What is typed wrongly for a small child can be put right. Later (our choice: from the year on in which it is 14,
    when a child has a say of its own) a correction brings the end nearer and never puts it off, and no other relation
    takes it away.
    """
    corrected = acts_until(relation, birth_date)
    if until is None:
        return corrected
    if corrected is None:
        return until
    is_small = until.year - today.year > ADULT_AGE - CONSENT_AGE
    return corrected if is_small else min(until, corrected)


def needs_guardians_consent(birth_date: date | None, today: date) -> bool:
    return birth_date is not None and age_on(birth_date, today) < CONSENT_AGE
