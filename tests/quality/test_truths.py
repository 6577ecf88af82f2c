"""What the database itself holds of what somebody said is right."""

from datetime import date, timedelta

import pytest
from sqlalchemy import insert
from sqlalchemy.exc import IntegrityError

from facilities.engine.eligibility import Sex
from facilities.households.models import DifferentPersons
from facilities.households.services import register_at_desk
from facilities.infra.db import Model, db, unit_of_work
from facilities.kernel import clock
from facilities.quality.models import Accepted, WhyRight
from tests.world import World


def refused(model: type[Model], values: dict[str, object]) -> bool:
    try:
        db.session.execute(insert(model).values(values))
    except IntegrityError:
        return True
    finally:
        db.session.rollback()
    return False


@pytest.mark.parametrize(("people", "is_refused"), [(0, True), (-1, True), (1, False)])
def test_nobody_accepts_that_nobody_was_there(world: World, people: int, is_refused: bool) -> None:
    session = world.session(starts_in=-timedelta(days=3))
    row = {"session_id": session.id, "people": people, "why": WhyRight.OTHER, "accepted_at": clock.now()}
    assert refused(Accepted, row) is is_refused


def test_two_records_are_told_apart_once_and_nobody_from_themselves(world: World) -> None:
    one, two = (
        unit_of_work(lambda: register_at_desk("陈晓梅", Sex.FEMALE, date(1961, 5, 2), None)).id for _ in range(2)
    )
    values = {"first_id": one, "second_id": two, "said_at": clock.now()}
    assert refused(DifferentPersons, values | {"second_id": one})
    assert refused(DifferentPersons, {**values, "first_id": two, "second_id": one})
    unit_of_work(lambda: db.session.execute(insert(DifferentPersons).values(values)))
    assert refused(DifferentPersons, values)
