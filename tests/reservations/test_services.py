"""What staff do to reservations: call them off with a reason, or give them another space."""

import pytest
from sqlalchemy import delete, select

from facilities.households.models import Guardianship
from facilities.infra.audit import AuditEntry
from facilities.infra.db import db, unit_of_work
from facilities.infra.outbox import Notice
from facilities.kernel import clock
from facilities.kernel.refusals import Invalid, NotPermitted, NotVisible, Refused
from facilities.places.models import Occupancy, Space
from facilities.reservations import services
from facilities.reservations.models import Reservation, ReservationState
from tests.reservations.rooms import NINE_TO_SIX, at, close, reserve, room
from tests.world import World


def held(space: Space) -> int:
    db.session.rollback()
    return len(db.session.scalars(select(Occupancy.id).where(Occupancy.space_id == space.id)).all())


def code_of(refused: pytest.ExceptionInfo[Refused]) -> str:
    return refused.value.refusal.code


def test_staff_call_reservations_off_with_a_reason_that_everyone_concerned_reads(world: World) -> None:
    facility = world.facility(hours=NINE_TO_SIX)
    space, someone, other, manager = room(world, facility), world.resident(), world.resident(), world.manager(facility)
    made = [reserve(someone, space, "17 10:00-11:00"), reserve(other, space, "17 14:00-15:00")]
    ids = [r.id for r in reversed(made)]
    gone = unit_of_work(lambda: services.cancel_by_staff(manager.actor, ids, "停电"))
    assert [r.id for r in gone] == sorted(ids)
    assert {(r.state, r.cancel_reason) for r in gone} == {(ReservationState.CANCELLED, "停电")}
    assert held(space) == 0
    notices = db.session.scalars(
        select(Notice).where(Notice.kind == "reservation_cancelled").order_by(Notice.about_id)
    ).all()
    assert [(n.about_id, n.user_id, n.facts["reason"], n.read_at) for n in notices] == [
        (made[0].id, someone.user.id, "停电", None),
        (made[1].id, other.user.id, "停电", None),
    ]
    assert len(db.session.scalars(select(AuditEntry).where(AuditEntry.verb == "cancelled")).all()) == 2


def test_what_is_cancelled_or_over_is_left_alone(world: World) -> None:
    facility = world.facility(hours=NINE_TO_SIX)
    space, someone, manager = room(world, facility), world.resident(), world.manager(facility)
    gone, over = reserve(someone, space, "17 14:00-15:00"), reserve(someone, space, "17 10:00-11:00")
    unit_of_work(lambda: services.cancel(someone.actor, gone.id))
    with clock.frozen(at("17 11:00")):
        unit_of_work(lambda: services.cancel_by_staff(manager.actor, [gone.id, over.id], "停电"))
    assert world.fresh(gone).cancel_reason is None
    assert world.fresh(over).state is ReservationState.CONFIRMED


def test_what_goes_on_at_the_moment_can_be_called_off(world: World) -> None:
    facility = world.facility(hours=NINE_TO_SIX)
    space, manager = room(world, facility), world.manager(facility)
    made = reserve(world.resident(), space, "17 14:00-15:00")
    with clock.frozen(at("17 14:30")):
        unit_of_work(lambda: services.cancel_by_staff(manager.actor, [made.id], "停电"))
    assert world.fresh(made).state is ReservationState.CANCELLED


def test_only_who_runs_the_facility_may(world: World) -> None:
    facility = world.facility(hours=NINE_TO_SIX)
    space, other, stranger = room(world, facility), room(world, facility), world.manager(world.facility())
    administrator = world.administrator()
    made = reserve(world.resident(), space, "17 14:00-15:00")
    with pytest.raises(NotPermitted):
        unit_of_work(lambda: services.cancel_by_staff(stranger.actor, [made.id], "停电"))
    with pytest.raises(NotPermitted):
        unit_of_work(lambda: services.move_to_space(stranger.actor, made.id, other.id))
    with pytest.raises(NotVisible):
        unit_of_work(lambda: services.cancel_by_staff(administrator.actor, [made.id, 999], "停电"))
    assert world.fresh(made).state is ReservationState.CONFIRMED


def test_a_reservation_moves_to_another_space_at_the_same_time(world: World) -> None:
    facility = world.facility(hours=NINE_TO_SIX)
    space, manager, someone = room(world, facility), world.manager(facility), world.resident()
    hall = room(world, facility, reservable=False)
    inside = [room(world, facility, parent=hall) for _ in range(2)]
    made = reserve(someone, space, "17 14:00-15:00")
    moved = unit_of_work(lambda: services.move_to_space(manager.actor, made.id, hall.id))
    assert (moved.space_id, moved.space.name) == (hall.id, hall.name)
    assert (moved.starts_at, moved.ends_at) == (at("17 14:00"), at("17 15:00"))
    assert [held(s) for s in (space, *inside)] == [0, 1, 1]
    notice = db.session.scalars(select(Notice).where(Notice.kind == "reservation_moved")).one()
    assert notice.facts["space"] == hall.name
    assert notice.facts["was"]["space"] == space.name  # type: ignore[index]
    assert notice.read_at is None
    again = unit_of_work(lambda: services.move_to_space(manager.actor, made.id, hall.id))
    assert again.space_id == hall.id


def test_from_a_room_into_the_hall_around_it_and_back(world: World) -> None:
    facility = world.facility(hours=NINE_TO_SIX)
    hall, manager = room(world, facility), world.manager(facility)
    inside = [room(world, facility, parent=hall) for _ in range(2)]
    made = reserve(world.resident(), inside[0], "17 14:00-15:00")
    unit_of_work(lambda: services.move_to_space(manager.actor, made.id, hall.id))
    assert [held(s) for s in inside] == [1, 1]
    unit_of_work(lambda: services.move_to_space(manager.actor, made.id, inside[1].id))
    assert [held(s) for s in inside] == [0, 1]


@pytest.mark.parametrize("why", ["space_taken", "closed", "reservation_cancelled"])
def test_a_refused_move_to_another_space_leaves_the_reservation_where_it_was(world: World, why: str) -> None:
    facility = world.facility(hours=NINE_TO_SIX)
    space, other = room(world, facility), room(world, facility)
    someone, manager = world.resident(), world.manager(facility)
    made = reserve(someone, space, "17 14:00-15:00")
    if why == "space_taken":
        reserve(world.resident(), other, "17 14:30-15:30")
    elif why == "closed":
        close(facility, "17 14:30-15:30", other)
    else:
        unit_of_work(lambda: services.cancel(someone.actor, made.id))
    with pytest.raises(Refused) as refused:
        unit_of_work(lambda: services.move_to_space(manager.actor, made.id, other.id))
    assert code_of(refused) == why
    assert db.session.get_one(Reservation, made.id).space_id == space.id
    assert held(space) == (0 if why == "reservation_cancelled" else 1)


def test_a_reservation_does_not_move_to_another_facility(world: World) -> None:
    facility = world.facility(hours=NINE_TO_SIX)
    made = reserve(world.resident(), room(world, facility), "17 14:00-15:00")
    elsewhere, administrator = room(world), world.administrator()
    with pytest.raises(Invalid):
        unit_of_work(lambda: services.move_to_space(administrator.actor, made.id, elsewhere.id))


def test_a_hall_that_is_divided_while_it_is_reserved_stays_reserved(world: World) -> None:
    facility = world.facility(hours=NINE_TO_SIX)
    hall, someone = room(world, facility), world.resident()
    made = reserve(someone, hall, "17 14:00-15:00")
    inside = room(world, facility, parent=hall)
    assert [held(hall), held(inside)] == [0, 1]
    unit_of_work(lambda: services.cancel(someone.actor, made.id))
    assert held(inside) == 0


def test_who_is_told_is_everyone_who_acts_for_the_resident(world: World) -> None:
    """A resident whom no account acts for has a row all the same."""
    facility = world.facility(hours=NINE_TO_SIX)
    space, mother, manager = room(world, facility), world.resident(), world.manager(facility)
    child = world.member(mother)
    made = unit_of_work(lambda: services.reserve(mother.actor, space.id, child, at("17 14:00"), at("17 15:00"), "生日"))
    unit_of_work(lambda: db.session.execute(delete(Guardianship).where(Guardianship.resident_id == child)))
    unit_of_work(lambda: services.cancel_by_staff(manager.actor, [made.id], "停电"))
    notice = db.session.scalars(select(Notice).where(Notice.kind == "reservation_cancelled")).one()
    assert (notice.user_id, notice.resident_id) == (None, child)
