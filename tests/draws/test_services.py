"""A draw from its opening to the places: one ticket a party, an order that is computed, counters that agree."""

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import func, select, update

from facilities.background import do_what_is_due
from facilities.bookings.models import OCCUPYING, Booking, BookingState
from facilities.draws import services
from facilities.draws.models import Draw, DrawEntrant, DrawEntry
from facilities.engine.draws import Entry, WeightRule, commitment, draw_order, entry_hash
from facilities.engine.eligibility import Audience
from facilities.engine.limits import Limits
from facilities.engine.waitlist import WaitlistMode
from facilities.households.models import Resident
from facilities.infra.audit import AuditEntry
from facilities.infra.db import db, unit_of_work
from facilities.infra.outbox import Notice
from facilities.kernel import clock
from facilities.kernel.refusals import Invalid, NotPermitted, NotVisible, Refused
from facilities.programmes.models import ActivitySession
from tests.conftest import NOW
from tests.world import Someone, World

CLOSES = NOW + timedelta(days=1)
PLAIN = WeightRule()


def opened(world: World, *sessions: ActivitySession, weights: WeightRule = PLAIN, closes: Any = CLOSES) -> Draw:
    manager = world.administrator()
    ids = [session.id for session in sessions]
    return unit_of_work(lambda: services.open_draw(manager.actor, ids, "秋季书法", closes, weights))


def entered(draw: Draw, someone: Someone, *residents: int) -> DrawEntry:
    numbers = residents or (someone.resident_id,)
    return unit_of_work(lambda: services.enter(someone.actor, draw.id, numbers))


def held(draw: Draw, at: Any = None) -> Draw:
    with clock.frozen(at or max(draw.entries_close_at, clock.now())):
        return unit_of_work(lambda: services.hold(draw.id))


def entries(draw: Draw) -> list[DrawEntry]:
    """By rank."""
    db.session.rollback()
    return list(db.session.scalars(select(DrawEntry).where(DrawEntry.draw_id == draw.id).order_by(DrawEntry.rank)))


def residents_on(entry: DrawEntry) -> list[int]:
    return list(
        db.session.scalars(
            select(DrawEntrant.resident_id).where(DrawEntrant.entry_id == entry.id).order_by(DrawEntrant.resident_id)
        )
    )


def bookings(session: ActivitySession, *states: BookingState) -> list[Booking]:
    return list(
        db.session.scalars(
            select(Booking).where(Booking.session_id == session.id, Booking.state.in_(states)).order_by(Booking.id)
        )
    )


def check_counters(*sessions: ActivitySession) -> None:
    for session in sessions:
        db.session.refresh(session)
        assert session.places_taken == len(bookings(session, *OCCUPYING))
        assert session.waiting == len(bookings(session, BookingState.WAITLISTED))


def notices(kind: str) -> Sequence[Notice]:
    return db.session.scalars(select(Notice).where(Notice.kind == kind).order_by(Notice.id)).all()


# -- opening


def test_a_draw_promises_its_seed_and_shuts_booking(world: World) -> None:
    session, resident = world.session(), world.resident()
    draw = opened(world, session, weights=WeightRule(halve_per_win=True, priority={"elders": 150}))
    assert draw.commitment == commitment(draw.seed)
    assert (draw.weights, draw.drawn_at) == ({"halve_per_win": True, "priority": {"elders": 150}}, None)
    session = world.fresh(session)
    assert (session.draw_id, session.awaits_draw, session.version) == (draw.id, True, 1)
    with pytest.raises(Refused, match="draw_pending"):
        world.book(resident, session)
    assert db.session.scalar(select(func.count()).select_from(AuditEntry).where(AuditEntry.verb == "opened")) == 1


def test_a_draw_is_opened_by_who_runs_the_sessions(world: World) -> None:
    session = world.session()
    foreign = world.manager(world.facility())
    with pytest.raises(NotPermitted):
        unit_of_work(lambda: services.open_draw(foreign.actor, [session.id], "x", CLOSES, PLAIN))
    with pytest.raises(NotVisible):
        unit_of_work(lambda: services.open_draw(foreign.actor, [session.id, 987654], "x", CLOSES, PLAIN))
    assert world.fresh(session).draw_id is None


def test_only_coming_sessions_without_bookings_are_drawn(world: World) -> None:
    facility = world.facility()
    booked, called_off, taken = (world.session(facility, starts_in=timedelta(days=n)) for n in (3, 4, 5))
    past = world.session(facility, starts_in=timedelta(days=-1))
    overlapping = world.session(facility, starts_in=timedelta(days=5, minutes=30))
    world.book(world.resident(), booked)
    world.administrator().api.post(f"/sessions/{called_off.id}/cancel", {"reason": "停电"}, status=200)
    with pytest.raises(Refused, match="places_given_already"):
        opened(world, booked)
    with pytest.raises(Refused, match="session_cancelled"):
        opened(world, called_off)
    with pytest.raises(Invalid, match="session_ids"):
        opened(world, past, closes=NOW - timedelta(days=2))
    with pytest.raises(Invalid, match="session_ids"):
        opened(world, taken, overlapping)
    with pytest.raises(Invalid, match="session_ids"):
        opened(world, taken, world.session(starts_in=timedelta(days=9)))
    opened(world, taken)
    with pytest.raises(Refused, match="in_another_draw"):
        opened(world, taken)


@pytest.mark.parametrize(
    ("closes", "right"),
    [
        pytest.param(NOW, False, id="now"),
        pytest.param(NOW + timedelta(seconds=1), True, id="in a second"),
        pytest.param(NOW + timedelta(days=2) - timedelta(seconds=1), True, id="a second before booking closes"),
        pytest.param(NOW + timedelta(days=2), False, id="as booking closes"),
        pytest.param(NOW + timedelta(days=4), False, id="after the session"),
    ],
)
def test_entries_close_before_booking_does(world: World, closes: Any, right: bool) -> None:
    session = world.session(starts_in=timedelta(days=3), booking_closes_at=NOW + timedelta(days=2))
    if right:
        assert opened(world, session, closes=closes).id
    else:
        with pytest.raises(Invalid, match="entries_close_at"):
            opened(world, session, closes=closes)


# -- entering and withdrawing


def test_a_ticket_is_the_hash_of_its_references(world: World) -> None:
    draw, someone = opened(world, world.session()), world.resident()
    entry = entered(draw, someone)
    assert entry.entry_hash == entry_hash(draw.reference, entry.reference)
    assert (entry.weight, entry.rank, entry.won) == (1000, None, None)


def test_a_party_has_one_ticket_and_nobody_is_in_a_draw_twice(world: World) -> None:
    draw, mother = opened(world, world.session()), world.resident()
    child, second = world.member(mother), world.member(mother)
    entry = entered(draw, mother, mother.resident_id, child)
    assert residents_on(entry) == [mother.resident_id, child]
    with pytest.raises(Refused, match="already_entered"):
        entered(draw, mother, second, child)
    assert residents_on(entered(draw, mother, second)) == [second]
    assert len(entries(draw)) == 2


def test_who_is_not_meant_by_every_session_cannot_enter(world: World) -> None:
    facility = world.facility()
    first = world.session(facility, audience=Audience(max_age=8))
    second = world.session(facility, starts_in=timedelta(days=400), audience=Audience(max_age=8))
    draw, mother = opened(world, first, second), world.resident()
    child, nearly_too_old = world.member(mother), world.member(mother, birth_date=date(2018, 2, 1))
    with pytest.raises(Refused, match="not_eligible") as refused:
        entered(draw, mother)
    assert refused.value.refusal.facts["resident_id"] == str(mother.resident_id)
    with pytest.raises(Refused, match="not_eligible"):
        entered(draw, mother, nearly_too_old)  # eight today, nine on the second day
    young = world.member(mother, birth_date=date(2020, 2, 1))
    assert entered(draw, mother, young)
    assert child


def test_a_party_is_not_larger_than_the_smallest_session(world: World) -> None:
    facility = world.facility()
    draw = opened(
        world, world.session(facility, capacity=9), world.session(facility, starts_in=timedelta(days=4), capacity=2)
    )
    mother = world.resident()
    family = [mother.resident_id, world.member(mother), world.member(mother)]
    with pytest.raises(Refused, match="session_full") as refused:
        entered(draw, mother, *family)
    assert refused.value.refusal.facts["capacity"] == 2
    assert entered(draw, mother, *family[:2])


def test_a_household_has_no_more_people_in_the_draw_than_the_programme_allows(world: World) -> None:
    programme = world.programme()
    unit_of_work(lambda: setattr(db.session.merge(programme), "per_household_per_session", 2))
    draw, mother = opened(world, world.session(programme=programme)), world.resident()
    family = [mother.resident_id, world.member(mother), world.member(mother)]
    assert programme.limits == Limits(None, 2)
    with pytest.raises(Refused, match="limit_reached"):
        entered(draw, mother, *family)
    entered(draw, mother, *family[:2])
    with pytest.raises(Refused, match="limit_reached"):
        entered(draw, mother, family[2])


def test_other_peoples_residents_and_tickets_do_not_exist(world: World) -> None:
    draw, someone, other = opened(world, world.session()), world.resident(), world.resident()
    entry = entered(draw, someone)
    with pytest.raises(NotVisible):
        entered(draw, other, someone.resident_id)
    with pytest.raises(NotVisible):
        unit_of_work(lambda: services.withdraw(other.actor, entry.id))
    with pytest.raises(NotVisible):
        unit_of_work(lambda: services.enter(other.actor, 987654, [other.resident_id]))


def test_entries_are_taken_until_the_last_moment_and_not_at_it(world: World) -> None:
    draw, early, late = opened(world, world.session()), world.resident(), world.resident()
    with clock.frozen(CLOSES - timedelta(microseconds=1)):
        entry = entered(draw, early)
    with clock.frozen(CLOSES):
        with pytest.raises(Refused, match="entries_closed"):
            entered(draw, late)
        with pytest.raises(Refused, match="entries_closed"):
            unit_of_work(lambda: services.withdraw(early.actor, entry.id))
    assert len(entries(draw)) == 1


def test_who_withdraws_may_enter_again(world: World) -> None:
    draw, someone = opened(world, world.session()), world.resident()
    first = entered(draw, someone)
    unit_of_work(lambda: services.withdraw(someone.actor, first.id))
    assert entries(draw) == []
    assert db.session.scalar(select(func.count()).select_from(DrawEntrant)) == 0
    with pytest.raises(NotVisible):
        unit_of_work(lambda: services.withdraw(someone.actor, first.id))
    assert entered(draw, someone).entry_hash != first.entry_hash


# -- holding


def test_a_draw_is_not_held_before_entries_close(world: World) -> None:
    draw = opened(world, world.session())
    entered(draw, world.resident())
    with pytest.raises(Refused, match="entries_open"):
        held(draw, CLOSES - timedelta(microseconds=1))
    assert entries(draw)[0].rank is None


def test_places_go_in_the_order_of_the_draw_and_the_others_wait_in_it(world: World) -> None:
    session = world.session(capacity=2)
    draw = opened(world, session)
    tickets = [entered(draw, world.resident()) for _ in range(5)]
    draw = held(draw)
    assert draw.drawn_at == CLOSES
    expected = draw_order(draw.seed, [Entry(t.entry_hash, 1000) for t in tickets])
    drawn = entries(draw)
    assert [e.entry_hash for e in drawn] == [e.hash for e in expected]
    assert ([e.rank for e in drawn], [e.won for e in drawn]) == (
        [1, 2, 3, 4, 5],
        [True, True, False, False, False],
    )
    order = [residents_on(entry)[0] for entry in drawn]
    confirmed, waiting = bookings(session, BookingState.CONFIRMED), bookings(session, BookingState.WAITLISTED)
    assert [b.resident_id for b in confirmed] == order[:2]
    assert [b.resident_id for b in waiting] == order[2:]
    check_counters(session)
    assert not session.awaits_draw
    assert [n.resident_id for n in notices("drawn")] == sorted(order[:2])
    assert [n.resident_id for n in notices("not_drawn")] == sorted(order[2:])
    assert {(n.about_kind, n.about_id) for n in notices("drawn")} == {("draw", draw.id)}
    assert [*notices("booked"), *notices("waitlisted")] == []


def test_a_second_holding_changes_nothing(world: World) -> None:
    session = world.session(capacity=1)
    draw = opened(world, session)
    for _ in range(3):
        entered(draw, world.resident())
    before = [(e.rank, e.won, e.weight) for e in entries(held(draw))]
    version, told = world.fresh(session).version, len(notices("drawn")) + len(notices("not_drawn"))
    again = held(draw, CLOSES + timedelta(hours=1))
    assert again.drawn_at == CLOSES
    assert [(e.rank, e.won, e.weight) for e in entries(draw)] == before
    assert world.fresh(session).version == version
    assert len(bookings(session, *BookingState)) == 3
    assert len(notices("drawn")) + len(notices("not_drawn")) == told
    check_counters(session)


def held_by_the_worker() -> int:
    return next(done for name, done, _ in do_what_is_due() if name == "draws_held")


def test_every_draw_that_is_due_is_held_once(world: World) -> None:
    facility = world.facility()
    first, second = world.session(facility), world.session(facility, starts_in=timedelta(days=4))
    later = world.session(facility, starts_in=timedelta(days=9))
    draws = [opened(world, first), opened(world, second), opened(world, later, closes=NOW + timedelta(days=5))]
    for draw in draws:
        entered(draw, world.resident())
    assert held_by_the_worker() == 0
    with clock.frozen(CLOSES + timedelta(minutes=1)):
        assert held_by_the_worker() == 2
        assert held_by_the_worker() == 0
    assert [world.fresh(draw).drawn_at is not None for draw in draws] == [True, True, False]
    assert [world.fresh(s).awaits_draw for s in (first, second, later)] == [False, False, True]


def test_a_party_comes_together_or_waits_together(world: World) -> None:
    session = world.session(capacity=3)
    draw = opened(world, session)
    for _ in range(3):
        mother = world.resident()
        entered(draw, mother, mother.resident_id, world.member(mother))
    drawn = entries(held(draw))
    assert [e.won for e in drawn] == [True, False, False]
    waiting = bookings(session, BookingState.WAITLISTED)
    assert [b.resident_id for b in waiting] == [r for e in drawn[1:] for r in residents_on(e)]
    parties = [b.party for b in waiting]
    assert parties[0] == parties[1] != parties[2] == parties[3]
    assert None not in parties
    check_counters(session)
    assert session.places_left == 1


def test_a_smaller_ticket_takes_what_a_larger_one_cannot_use(world: World) -> None:
    session = world.session(capacity=3)
    draw = opened(world, session)
    for size in (2, 2, 1):
        mother = world.resident()
        entered(draw, mother, mother.resident_id, *(world.member(mother) for _ in range(size - 1)))
    drawn = entries(held(draw))
    sizes = {len(residents_on(e)) for e in drawn if e.won}
    assert sizes == {1, 2}
    check_counters(session)
    assert session.places_left == 0


def test_a_season_is_won_whole(world: World) -> None:
    facility = world.facility()
    season = [world.session(facility, starts_in=timedelta(days=7 * n), capacity=3 - n % 2) for n in range(1, 4)]
    draw = opened(world, *season)
    for _ in range(4):
        entered(draw, world.resident())
    drawn = entries(held(draw))
    assert [e.won for e in drawn] == [True, True, False, False]
    winners = [residents_on(e)[0] for e in drawn[:2]]
    for session in season:
        assert [b.resident_id for b in bookings(session, BookingState.CONFIRMED)] == winners
        assert len(bookings(session, BookingState.WAITLISTED)) == 2
    check_counters(*season)


def test_who_is_elsewhere_at_the_time_of_one_session_waits(world: World) -> None:
    facility = world.facility()
    season = [world.session(facility, starts_in=timedelta(days=n)) for n in (3, 4)]
    draw, busy, free = opened(world, *season), world.resident(), world.resident()
    entered(draw, busy)
    entered(draw, free)
    world.book(busy, world.session(starts_in=timedelta(days=4, minutes=10)))
    results = {residents_on(e)[0]: e.won for e in entries(held(draw))}
    assert results == {busy.resident_id: False, free.resident_id: True}
    for session in season:
        assert [b.resident_id for b in bookings(session, BookingState.WAITLISTED)] == [busy.resident_id]
    check_counters(*season)


def test_who_has_reached_the_weeks_limit_elsewhere_waits(world: World) -> None:
    facility, programme = world.facility(), world.programme()
    unit_of_work(lambda: setattr(db.session.merge(programme), "per_resident_per_week", 1))
    session = world.session(facility, programme)
    draw, someone = opened(world, session), world.resident()
    entered(draw, someone)
    world.book(someone, world.session(facility, programme, starts_in=timedelta(days=2)))
    assert [e.won for e in entries(held(draw))] == [False]
    check_counters(session)


def test_a_waiting_list_that_is_short_or_off_takes_no_more(world: World) -> None:
    facility = world.facility()
    off = world.session(facility, capacity=1, waitlist_mode=WaitlistMode.OFF)
    short = world.session(facility, starts_in=timedelta(days=4), capacity=1, waitlist_capacity=1)
    draw = opened(world, off, short)
    for _ in range(4):
        entered(draw, world.resident())
    drawn = entries(held(draw))
    assert bookings(off, BookingState.WAITLISTED) == []
    assert [b.resident_id for b in bookings(short, BookingState.WAITLISTED)] == residents_on(drawn[1])
    check_counters(off, short)


def test_what_was_called_off_or_moved_meanwhile_does_not_stop_the_draw(world: World) -> None:
    facility = world.facility()
    called_off, stays = world.session(facility), world.session(facility, starts_in=timedelta(days=4))
    draw = opened(world, called_off, stays)
    entered(draw, world.resident())
    world.administrator().api.post(f"/sessions/{called_off.id}/cancel", {"reason": "停电"}, status=200)
    assert [e.won for e in entries(held(draw))] == [True]
    assert bookings(called_off, *BookingState) == []
    check_counters(called_off, stays)


def test_a_session_that_awaits_its_draw_keeps_its_hour_and_is_not_deleted(world: World) -> None:
    """People have entered for this hour; calling it off is still possible."""
    facility = world.facility()
    session = world.session(facility)
    draw = opened(world, session)
    entered(draw, world.resident())
    api = world.administrator().api
    later = (session.starts_at + timedelta(hours=1)).isoformat()
    assert api.patch(f"/sessions/{session.id}", {"starts_at": later}, status=409)["code"] == "draw_pending"
    assert api.delete(f"/sessions/{session.id}", status=409)["code"] == "draw_pending"
    api.patch(f"/sessions/{session.id}", {"title": "非遗竹编（二）"})
    api.post(f"/sessions/{session.id}/cancel", {"reason": "停电"}, status=200)


def test_a_draw_gives_nobody_more_in_a_week_than_the_programme_allows(world: World) -> None:
    facility, programme = world.facility(), world.programme(limits=Limits(per_resident_per_week=1))
    first = world.session(facility, programme)
    same_week, next_week = (world.session(facility, programme, starts_in=timedelta(days=n)) for n in (4, 10))
    with pytest.raises(Invalid) as invalid:
        opened(world, first, same_week)
    assert invalid.value.fields == {"session_ids": "too_many_in_a_week"}
    opened(world, first, next_week)


def test_a_draw_without_entries_opens_the_session_for_booking(world: World) -> None:
    session = world.session()
    held(opened(world, session))
    assert not world.fresh(session).awaits_draw
    world.book(world.resident(), session)
    check_counters(session)


def test_the_free_place_of_who_was_drawn_goes_to_the_next_of_the_draw(world: World) -> None:
    session = world.session(capacity=1)
    draw = opened(world, session)
    people = {p.resident_id: p for p in (world.resident() for _ in range(3))}
    for person in people.values():
        entered(draw, person)
    order = [residents_on(e)[0] for e in entries(held(draw))]
    (place,) = bookings(session, BookingState.CONFIRMED)
    people[order[0]].api.post(f"/bookings/{place.id}/cancel", status=200)
    assert [b.resident_id for b in bookings(session, BookingState.CONFIRMED)] == [order[1]]
    check_counters(session)


# -- weights


def test_who_won_here_within_the_year_weighs_half(world: World) -> None:
    facility, winner, other = world.facility(), world.resident(), world.resident()
    rule = WeightRule(halve_per_win=True)
    for n in (3, 4):
        draw = opened(world, world.session(facility, starts_in=timedelta(days=n)))
        entered(draw, winner)
        held(draw)
    elsewhere = opened(world, world.session(starts_in=timedelta(days=5)))
    entered(elsewhere, winner)
    held(elsewhere)
    closes = CLOSES + timedelta(days=1)
    with clock.frozen(CLOSES + timedelta(hours=1)):
        draw = opened(world, world.session(facility, starts_in=timedelta(days=9)), weights=rule, closes=closes)
        entered(draw, winner)
        entered(draw, other)
    weights = {residents_on(e)[0]: e.weight for e in entries(held(draw))}
    assert weights == {winner.resident_id: 250, other.resident_id: 1000}


def test_a_win_counts_for_a_year_and_to_the_moment_when_entries_close(world: World) -> None:
    facility, someone = world.facility(), world.resident()
    rule = WeightRule(halve_per_win=True)
    old = opened(world, world.session(facility, starts_in=timedelta(days=3)))
    entered(old, someone)
    held(old)
    a_year_on = CLOSES + timedelta(days=365)
    draws = [
        opened(world, world.session(facility, starts_in=timedelta(days=380 + n)), weights=rule, closes=closes)
        for n, closes in enumerate((a_year_on - timedelta(seconds=1), a_year_on))
    ]
    for draw in draws:
        entered(draw, someone)
    late = a_year_on + timedelta(hours=1)  # both are held late, one after the other: the first's win comes too late
    found = [entries(held(draw, late))[0].weight for draw in draws]
    assert found == [500, 1000]


def test_groups_count_on_the_day_of_the_first_session(world: World) -> None:
    session = world.session(starts_in=timedelta(days=3), capacity=20)
    rule = WeightRule(priority={"children": 150, "elders": 200, "disabled": 300})
    draw = opened(world, session, weights=rule)
    day = clock.local_date(session.starts_at)
    people = {
        "still a child": world.resident(birth_date=day.replace(year=day.year - 18) + timedelta(days=1)),
        "of age that day": world.resident(birth_date=day.replace(year=day.year - 18)),
        "sixty that day": world.resident(birth_date=day.replace(year=day.year - 60)),
        "not yet sixty": world.resident(birth_date=day.replace(year=day.year - 60) + timedelta(days=1)),
    }
    for person in people.values():
        entered(draw, person)
    mother = world.resident()
    entered(draw, mother, mother.resident_id, world.member(mother))
    by_resident = {n: e.weight for e in entries(held(draw)) for n in residents_on(e)}
    assert {name: by_resident[p.resident_id] for name, p in people.items()} == {
        "still a child": 1500,
        "of age that day": 1000,
        "sixty that day": 2000,
        "not yet sixty": 1000,
    }
    assert by_resident[mother.resident_id] == 1500


def test_a_disability_counts_without_being_told_to_anybody(world: World) -> None:
    draw = opened(world, world.session(), weights=WeightRule(priority={"disabled": 300}))
    someone = world.resident()
    values = {"disability_category": 4, "disability_grade": 2}
    unit_of_work(lambda: db.session.execute(update(Resident).where(Resident.id == someone.resident_id).values(values)))
    entered(draw, someone)
    assert [e.weight for e in entries(held(draw))] == [3000]
    told = [n.facts for n in (*notices("drawn"), *notices("not_drawn"))]
    assert "disab" not in str(told)
