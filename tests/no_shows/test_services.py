"""Whoever does not come is reminded, and then books on the day itself for a while; what is not right is put right."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import func, select

from facilities import background
from facilities.bookings.models import Booking, BookingPause
from facilities.draws import services as draws
from facilities.engine.draws import WeightRule
from facilities.engine.no_shows import NoShowPolicy
from facilities.engine.roll_call import EventKind
from facilities.households.models import Resident
from facilities.infra.audit import AuditEntry
from facilities.infra.audit import verify as verify_audit
from facilities.infra.db import db, unit_of_work
from facilities.infra.outbox import Notice
from facilities.kernel import clock
from facilities.kernel.refusals import Invalid, NotPermitted, NotVisible, Refused
from facilities.no_shows import queries, services
from facilities.no_shows.models import Answer, Exemption, Ground, NoShowRule
from facilities.people.services import merge, undo
from facilities.programmes import services as programmes
from tests.client import Counter
from tests.conftest import NOW
from tests.no_shows.misses import DAY, District, follow, pauses, said, settled
from tests.world import PASSWORD, Someone, World


@pytest.fixture
def here(world: World) -> District:
    return District.of(world)


def appeal(here: District, booking_id: int, words: str = "我在场", whom: Someone | None = None) -> None:
    actor = (whom or here.someone).actor
    unit_of_work(lambda: services.appeal(actor, booking_id, words))


def answer(here: District, booking_id: int, given: Answer, by: Someone | None = None) -> None:
    actor = (by or here.manager).actor
    unit_of_work(lambda: services.answer(actor, booking_id, given, "已核实"))


# -- following the rule


def test_nothing_follows_until_the_district_switches_it_on(here: District) -> None:
    here.miss_three()
    assert queries.policy() == NoShowPolicy()
    assert follow() == []
    here.rule(at=NOW)
    assert follow() == [], "what was over by then does not count"
    assert (said(), pauses()) == ([], [])


def test_the_second_is_a_reminder_and_the_third_a_pause_and_each_is_told_once(here: District) -> None:
    here.rule()
    here.miss(16)
    assert follow() == []
    second = here.miss(9)
    assert follow() == [second]
    third = here.miss(3)
    assert follow() == [third]
    assert follow() == []
    assert said() == [("no_show_warned", second), ("no_show_paused", third)]
    assert pauses() == [(third, True)]
    pause = db.session.scalars(select(BookingPause)).one()
    assert (pause.since, pause.until) == (NOW, clock.at(clock.local_date(NOW) + 30 * DAY))
    assert (pause.resident_id, pause.programme_id) == (here.someone.resident_id, here.programme.id)
    assert verify_audit().faults == ()


def test_it_waits_until_no_tick_can_happen_any_more(here: District) -> None:
    here.rule()
    here.miss(9)
    here.miss(0.5)
    assert follow() == []
    with clock.frozen(NOW + DAY):
        assert len(follow()) == 1


def test_what_comes_together_is_told_together_and_the_first_word_is_a_reminder(here: District) -> None:
    """A tablet that was offline for weeks: nobody is paused who has not been warned."""
    here.rule()
    numbers = [here.miss(days) for days in (16, 9, 3)]
    assert follow() == [numbers[2]]
    assert said() == [("no_show_warned", numbers[2])]
    assert settled() == dict.fromkeys(numbers, "warned")
    fourth = here.miss(2)
    assert follow() == [fourth]
    assert pauses() == [(fourth, True)]


def test_each_person_and_each_programme_is_counted_apart(here: District) -> None:
    here.rule()
    child, other = here.world.member(here.someone), here.world.programme()
    here.miss(30)
    here.miss(20, programme=other)
    here.miss(10, resident_id=child)
    assert follow() == []


def test_who_is_excused_or_came_has_missed_nothing(here: District) -> None:
    here.rule()
    here.miss(20)
    here.miss(9, kind=EventKind.EXCUSED)
    here.miss(3, kind=EventKind.PRESENT)
    assert follow() == []


def test_a_registered_disability_needs_no_exemption_while_the_rule_says_so(here: District) -> None:
    here.rule()
    person = db.session.get_one(Resident, here.someone.resident_id)
    person.disability_category, person.disability_grade = 4, 2
    db.session.commit()
    here.miss_three()
    assert follow() == []
    here.rule(at=NOW, exempt_disabled=False)
    assert len(follow()) == 1


def test_the_job_does_it_and_a_second_time_there_is_nothing_to_do(here: District) -> None:
    here.rule()
    here.miss_three()
    assert ("no_shows_followed", 1, 0) in list(background.do_what_is_due())
    assert sum(done for _, done, _ in background.do_what_is_due()) == 0
    assert len(said("no_show_paused")) == 1


def test_each_who_acts_for_a_child_is_told_and_the_message_has_no_name(here: District) -> None:
    here.rule()
    child = here.world.member(here.someone, name="陈子轩")
    father = here.world.resident(name="陈建国")
    here.world.also_acts_for(father, child)
    here.miss(9, resident_id=child)
    number = here.miss(3, resident_id=child)
    follow()
    notices = db.session.scalars(select(Notice).where(Notice.kind == "no_show_warned")).all()
    assert {notice.user_id for notice in notices} == {here.someone.user.id, father.user.id}
    assert {(n.about_kind, n.about_id, n.resident_id) for n in notices} == {("booking", number, child)}
    assert "陈" not in str(notices[0].facts)


def test_whom_to_follow_is_asked_in_as_many_queries_for_many_as_for_one(here: District, queries: Counter) -> None:
    from_one, from_many = 0, 0
    here.rule()
    for number, people in ((0, [here.someone]), (1, [here.world.resident() for _ in range(4)])):
        for someone in people:
            for days in (16, 9):
                here.miss(days, someone)
        db.session.rollback()
        queries.clear()
        assert len(services.queries.to_follow(NOW)) == (5 if number else 1)
        from_one, from_many = (from_one, len(queries)) if number else (len(queries), 0)
    assert from_one == from_many <= 5


# -- what a pause keeps from


@pytest.fixture
def paused(here: District) -> District:
    here.rule()
    here.miss_three()
    follow()
    assert [in_force for _, in_force in pauses()] == [True]
    return here


def test_while_paused_nothing_is_booked_ahead_and_on_the_day_a_free_place_is(paused: District) -> None:
    world, someone = paused.world, paused.someone
    ahead, today = (world.session(paused.facility, paused.programme, starts_in=timedelta(hours=n)) for n in (50, 5))
    other = world.session(paused.facility, starts_in=timedelta(hours=80))
    problem = someone.ask(ahead, status=409)
    assert (problem["code"], problem["facts"]["until"]) == ("paused_after_no_shows", "2026-10-16T00:00:00+08:00")
    assert "16" in problem["detail"]
    someone.ask(today)
    someone.ask(other)
    child = world.member(someone)
    assert someone.ask(ahead, child)["items"], "the pause is one person's"
    with clock.frozen(NOW + 31 * DAY):
        world.book(someone, world.session(paused.facility, paused.programme, starts_in=timedelta(hours=50)))


def test_nor_is_a_turn_on_the_list_taken_ahead_but_one_that_was_taken_before_is_kept(here: District) -> None:
    here.rule()
    full, ((first, held),) = here.world.full_session(facility=here.facility, programme=here.programme)
    (turn,) = here.someone.wait(full)
    here.miss_three()
    follow()
    second, _ = here.world.full_session(facility=here.facility, programme=here.programme, starts_in=timedelta(days=5))
    assert here.someone.ask(second, if_full="waitlist", status=409)["code"] == "paused_after_no_shows"
    first.cancel(held)
    assert here.someone.state(turn) == "confirmed"


def test_nor_is_a_draw_entered(paused: District) -> None:
    world, closes = paused.world, NOW + DAY
    session = world.session(paused.facility, paused.programme, starts_in=timedelta(days=3))
    manager, actor = paused.manager.actor, paused.someone.actor
    draw = unit_of_work(lambda: draws.open_draw(manager, [session.id], "书法", closes, WeightRule()))
    with pytest.raises(Refused, match="paused_after_no_shows"):
        unit_of_work(lambda: draws.enter(actor, draw.id, [paused.someone.resident_id]))
    page = world.browser(paused.someone).get(f"/draws/{draw.id}")
    assert "only on the day itself" in page.text


def test_at_the_desk_it_can_be_set_aside_with_a_reason(paused: District) -> None:
    session = paused.world.session(paused.facility, paused.programme)
    path, body = f"/sessions/{session.id}/desk-bookings", {"resident_id": str(paused.someone.resident_id)}
    assert paused.manager.api.post(path, body, status=409)["code"] == "paused_after_no_shows"
    paused.manager.api.post(path, {**body, "override": "电话说明"}, status=201)


def test_the_sessions_page_says_why_before_anybody_tries(paused: District) -> None:
    session = paused.world.session(paused.facility, paused.programme)
    page = paused.world.browser(paused.someone).get(f"/sessions/{session.id}")
    assert "only on the day itself" in page.text
    assert not page.tree.xpath("//button[@name='resident_id']")


# -- what is put right


def late_excuse(here: District, numbers: list[int]) -> None:
    here.tick(numbers[0], EventKind.EXCUSED)


def late_presence(here: District, numbers: list[int]) -> None:
    here.tick(numbers[1], EventKind.PRESENT)


def milder(here: District, numbers: list[int]) -> None:
    here.rule(at=NOW, pause_at=4)


def another_programme(here: District, numbers: list[int]) -> None:
    session = db.session.get_one(Booking, numbers[2]).session_id
    other = here.world.programme()
    unit_of_work(lambda: programmes.change(session, {"programme_id": other.id}))


@pytest.mark.parametrize("happens", [late_excuse, late_presence, milder, another_programme])
def test_a_pause_that_is_no_longer_right_is_lifted_at_the_next_round(
    here: District, happens: Callable[[District, list[int]], None]
) -> None:
    here.rule()
    numbers = here.miss_three()
    follow()
    happens(here, numbers)
    assert follow() == [numbers[2]]
    assert pauses() == [(numbers[2], False)]
    assert said("no_show_pause_lifted") == [("no_show_pause_lifted", numbers[2])]
    assert follow() == []
    here.someone.ask(here.world.session(here.facility, here.programme))


def test_an_accepted_appeal_lifts_it_at_once_and_is_told(here: District) -> None:
    here.rule()
    numbers = here.miss_three()
    follow()
    appeal(here, numbers[0])
    answer(here, numbers[0], Answer.ACCEPTED)
    assert pauses() == [(numbers[2], False)]
    assert said()[2:] == [("appeal_answered", numbers[0]), ("no_show_pause_lifted", numbers[2])]
    assert follow() == []


def test_a_refused_appeal_changes_nothing_and_is_told(here: District) -> None:
    here.rule()
    numbers = here.miss_three()
    follow()
    appeal(here, numbers[2])
    answer(here, numbers[2], Answer.REFUSED)
    assert pauses() == [(numbers[2], True)]
    assert said()[2:] == [("appeal_answered", numbers[2])]
    assert follow() == []


def test_an_exemption_lifts_it_at_once_and_ended_it_counts_from_today_on(paused: District) -> None:
    number = paused.exempt()
    assert [in_force for _, in_force in pauses()] == [False]
    actor = paused.administrator.actor
    unit_of_work(lambda: services.end_exemption(actor, number))
    unit_of_work(lambda: services.end_exemption(actor, number))
    assert follow() == [], "what was exempt then is exempt still"
    with clock.frozen(NOW + 4 * DAY):
        assert follow() == []


def test_switched_off_everything_is_lifted_at_once_and_switched_on_again_it_begins_anew(paused: District) -> None:
    other = paused.world.resident()
    paused.miss_three(other)
    follow()
    paused.switch_off()
    assert [in_force for _, in_force in pauses()] == [False, False]
    assert len(said("no_show_pause_lifted")) == 2
    paused.rule(at=NOW)
    assert follow() == []
    assert queries.policy().counts_from == NOW


def test_a_pause_that_was_lifted_does_not_come_back_for_the_same_no_show(here: District) -> None:
    here.rule()
    numbers = here.miss_three()
    follow()
    here.tick(numbers[0], EventKind.PRESENT)
    follow()
    booking = db.session.get_one(Booking, numbers[0], populate_existing=True)
    booking.state = "no_show"
    db.session.commit()
    assert follow() == []


# -- appeals


def test_an_appeal_is_made_once_about_what_counts_and_by_ones_own_household(here: District) -> None:
    here.rule()
    number = here.miss(3)
    came = here.miss(4, kind=EventKind.PRESENT)
    with pytest.raises(NotVisible):
        appeal(here, number, whom=here.world.resident())
    with pytest.raises(Refused, match="no_show_does_not_count"):
        appeal(here, came)
    appeal(here, number)
    with pytest.raises(Refused, match="already_appealed"):
        appeal(here, number, "再说一次")
    here.switch_off()
    with pytest.raises(Refused, match="no_show_does_not_count"):
        appeal(here, here.miss(5))


def test_only_who_runs_the_session_answers_and_once(here: District) -> None:
    here.rule()
    number = here.miss(3)
    appeal(here, number)
    with pytest.raises(NotPermitted):
        answer(here, number, Answer.ACCEPTED, here.world.manager(here.world.facility()))
    answer(here, number, Answer.REFUSED)
    answer(here, number, Answer.REFUSED)
    with pytest.raises(Refused, match="answered_already"):
        answer(here, number, Answer.ACCEPTED, here.administrator)
    assert len(said("appeal_answered")) == 1
    verbs = db.session.scalars(select(AuditEntry.verb).where(AuditEntry.about_id == number)).all()
    assert {"appealed", "appeal_refused"} <= set(verbs)


def test_nothing_that_anybody_wrote_is_in_messages_or_in_the_audit(here: District) -> None:
    here.rule()
    number = here.miss(3)
    appeal(here, number, "我中风住院")
    actor = here.manager.actor
    unit_of_work(lambda: services.answer(actor, number, Answer.ACCEPTED, "祝早日康复"))
    facts = [*db.session.scalars(select(Notice.facts)), *db.session.scalars(select(AuditEntry.facts))]
    assert not any(word in str(fact) for fact in facts for word in ("中风", "康复"))


# -- the rule, exemptions


def test_a_pause_without_a_warning_before_it_is_refused(here: District) -> None:
    for changes in ({"warn_at": 3}, {"pause_at": 2}):
        with pytest.raises(Invalid, match="pause_at"):
            here.rule(**changes)
    assert queries.rule() is None


def test_who_changed_the_rule_and_how_is_on_record(here: District) -> None:
    here.rule(at=NOW, pause_days=14)
    facts = db.session.scalars(select(AuditEntry.facts).where(AuditEntry.about_kind == "no_show_rule")).one()
    assert facts == {"is_on": [False, True], "pause_days": [30, 14]}
    row = db.session.scalars(select(NoShowRule)).one()
    assert (row.changed_by, row.counts_from) == (here.administrator.user.id, NOW)
    actor = here.manager.actor
    with pytest.raises(NotPermitted):
        unit_of_work(lambda: services.change_rule(actor, {"is_on": False}))


def test_only_who_was_looked_up_is_exempted_and_the_ground_is_not_in_the_audit(here: District) -> None:
    actor, stranger = here.administrator.actor, here.world.resident().resident_id
    day = clock.local_date(NOW)
    with pytest.raises(NotVisible):
        unit_of_work(lambda: services.exempt(actor, stranger, Ground.ILLNESS, day, None))
    here.exempt()
    with pytest.raises(Invalid, match="until_day"):
        unit_of_work(lambda: services.exempt(actor, here.someone.resident_id, Ground.OTHER, day, day - DAY))
    assert db.session.scalars(select(Exemption.ground)).all() == [Ground.ILLNESS]
    assert "illness" not in str(db.session.scalars(select(AuditEntry.facts)).all())


# -- two records of one person, an account that is erased


def test_a_pause_and_an_exemption_go_with_the_record_and_come_back(paused: District) -> None:
    someone, kept = paused.someone, paused.world.resident()
    paused.exempt(Ground.OTHER, days_ago=0)
    actor = paused.administrator.actor
    done = unit_of_work(lambda: merge(actor, kept.resident_id, someone.resident_id, "同一人"))

    def whose() -> set[int]:
        db.session.rollback()
        return {row.resident_id for model in (BookingPause, Exemption) for row in db.session.query(model)}

    assert whose() == {kept.resident_id}
    assert follow() == []
    unit_of_work(lambda: undo(actor, done.id))
    assert whose() == {someone.resident_id}
    assert follow() == []


def test_what_two_records_missed_counts_together_once_they_are_one(here: District) -> None:
    here.rule()
    other = here.world.resident()
    here.miss(16)
    here.miss(9, other)
    number = here.miss(3, other)
    assert follow() == [number]
    actor = here.administrator.actor
    unit_of_work(lambda: merge(actor, here.someone.resident_id, other.resident_id, "同一人"))
    assert len(follow()) == 1
    assert [in_force for _, in_force in pauses()] == [True]


def test_who_is_erased_leaves_neither_words_nor_a_pause(paused: District) -> None:
    number = db.session.scalars(select(BookingPause.booking_id)).one()
    appeal(paused, number, "我中风住院")
    paused.exempt(Ground.ILLNESS, days_ago=0)
    assert paused.someone.api.call("DELETE", "/me", json={"password": PASSWORD}).status_code == 204
    db.session.rollback()
    for model in (BookingPause, Exemption, services.Appeal, services.NoShowTold):
        assert db.session.scalar(select(func.count()).select_from(model)) == 0
    assert follow() == []


# -- at the same moment


def at_once(world: World, *work: Callable[[], object]) -> None:
    app = world.app
    db.session.expunge_all()
    db.session.remove()

    def do(one: Callable[[], Any]) -> None:
        with app.app_context():
            try:
                unit_of_work(one)
            finally:
                db.session.remove()

    with ThreadPoolExecutor(len(work)) as pool:
        list(pool.map(do, work))


@pytest.mark.race
def test_two_workers_at_once_say_it_once(here: District) -> None:
    here.rule()
    third = here.miss_three()[2]
    at_once(here.world, *(lambda: services.follow(third) for _ in range(6)))
    assert said("no_show_paused") == [("no_show_paused", third)]
    assert pauses() == [(third, True)]


@pytest.mark.race
def test_whoever_switches_it_off_while_workers_pause_leaves_nobody_paused(here: District) -> None:
    """Either the pause is written first and lifted, or the worker finds the rule off."""
    here.rule()
    numbers = [here.miss_three(here.world.resident())[2] for _ in range(3)]
    actor = here.administrator.actor
    at_once(
        here.world,
        *(lambda number=number: services.follow(number) for number in numbers),
        lambda: services.change_rule(actor, {"is_on": False}),
    )
    assert not any(in_force for _, in_force in pauses())


@pytest.mark.race
def test_two_administrators_who_are_first_at_once_leave_one_rule(here: District) -> None:
    actor = here.administrator.actor
    at_once(here.world, *(lambda n=n: services.change_rule(actor, {"within_days": n}) for n in (30, 60, 90)))
    assert len(db.session.scalars(select(NoShowRule)).all()) == 1
