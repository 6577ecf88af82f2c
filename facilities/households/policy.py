"""Who may let others act for a resident, and who may end that."""

from datetime import date

from facilities.engine.ages import ADULT_AGE, age_on
from facilities.households.models import Guardianship, Relation
from facilities.kernel import clock


def is_of_age(birth_date: date | None) -> bool:
    """Of who is 18, or of whom nothing is known."""
    return birth_date is None or age_on(birth_date, clock.today()) >= ADULT_AGE


def may_invite(link: Guardianship, owner: int | None) -> bool:
    """Whoever acts for the resident; for a grown-up with an account of their own (`owner`), only that grown-up."""
    return owner in (None, link.user_id) or not is_of_age(link.resident.birth_date)


def may_end(link: Guardianship, user_id: int) -> bool:
    """`link` is the actor's: a grown-up ends the right of account `user_id` over them. One's own ends by leaving."""
    return user_id != link.user_id and link.relation is Relation.SELF and is_of_age(link.resident.birth_date)
