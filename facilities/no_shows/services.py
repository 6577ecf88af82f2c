"""The verbs about no-shows: follow the rule, lift what is no longer right, appeal and answer, set the rule, exempt.

Order of locks: the rule, the resident, then what hangs on a booking. Whoever changes the rule waits for those who act
on it, and each resident is followed by one worker at a time.
"""

from collections.abc import Collection, Mapping
from dataclasses import asdict
from datetime import date, timedelta

from sqlalchemy import insert
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert

from facilities.bookings import queries as bookings
from facilities.bookings.models import Booking, BookingPause
from facilities.bookings.promotion import facts_of
from facilities.engine.no_shows import Decision, NoShowPolicy, What, check_policy, counted, decide, is_justified
from facilities.households import queries as households
from facilities.infra import audit
from facilities.infra.db import db
from facilities.infra.outbox import tell_each
from facilities.kernel import clock
from facilities.kernel.actors import Actor
from facilities.kernel.refusals import Invalid, NotPermitted, NotVisible, Refused
from facilities.no_shows import policy as may
from facilities.no_shows import queries
from facilities.no_shows.models import Answer, Appeal, Exemption, Ground, NoShowRule, NoShowTold

FOUND_FOR = timedelta(days=1)  # (our choice) whoever was looked up can be named by id for a day
CHANGEABLE = ("is_on", "within_days", "warn_at", "pause_at", "pause_days", "exempt_disabled")


# -- following the rule


def follow(booking_id: int) -> None:
    """What the rule says of whoever did not come to this booking: they are warned or paused, or a pause is lifted.

    A second time there is nothing to say any more.
    """
    policy, resident_id = queries.policy(to_act=True), queries.whose(booking_id)
    if resident_id is None:
        return
    households.lock_residents([resident_id])
    for programme_id in queries.programmes_of(booking_id, resident_id):
        _review(policy, resident_id, programme_id)


def _review(policy: NoShowPolicy, resident_id: int, programme_id: int) -> None:
    """The resident is locked."""
    now, pair = clock.now(), (resident_id, programme_id)
    those = counted(policy, queries.missed_of(policy, [pair]).get(pair, ()), now)
    _lift([pause for pause in queries.pauses_in_force(
        now, BookingPause.resident_id == resident_id, BookingPause.programme_id == programme_id)
        if not is_justified(policy, those, pause.booking_id)])
    if decision := decide(policy, those, now):
        _act(decision, resident_id, programme_id)


def _act(decision: Decision, resident_id: int, programme_id: int) -> None:
    """A pause begins when it is told, not before."""
    now = clock.now()
    db.session.execute(insert(NoShowTold), [
        {"booking_id": number, "what": decision.what, "at": now} for number in decision.settles])
    if decision.until is None:
        _tell("no_show_warned", [decision.about])
    else:
        db.session.add(BookingPause(resident_id=resident_id, programme_id=programme_id, booking_id=decision.about,
                                    since=now, until=decision.until))
        _tell("no_show_paused", [decision.about], until=clock.local(decision.until).isoformat())
    db.session.flush()
    verb = "paused" if decision.what is What.PAUSED else "warned"
    audit.note(None, verb, "booking", [decision.about])


def _lift(pauses: Collection[BookingPause]) -> None:
    if not pauses:
        return
    for pause in pauses:
        pause.lifted_at = clock.now()
    db.session.flush()
    numbers = [pause.booking_id for pause in pauses]
    _tell("no_show_pause_lifted", numbers)
    audit.note(None, "pause_lifted", "booking", numbers)


def _tell(kind: str, booking_ids: Collection[int], **more: object) -> None:
    facts = {number: {**facts_of(session), "programme": programme.name, "programme_en": programme.name_en, **more}
             for number, session, programme in queries.sessions_of(booking_ids)}
    whom = db.session.execute(bookings.whom(Booking.id.in_(booking_ids))).tuples().all()
    tell_each(kind, "booking", [(number, resident_id, user_id, facts[number]) for number, resident_id, user_id in whom])


# -- appeals


def appeal(actor: Actor, booking_id: int, words: str) -> Appeal:
    """What somebody says to a no-show of their household's, once. NotVisible.

    Refused `no_show_does_not_count`, `already_appealed`. Who acts for the resident is locked before the booking: an
    account that is being erased leaves no words behind.
    """
    booking = bookings.own_booking(actor, booking_id)
    if booking is None or not households.residents_of(actor, [booking.resident_id], to_promise=True):
        raise NotVisible
    bookings.lock_booking(booking_id)  # said twice at once, it is said once
    told, now = queries.own_one(actor, booking_id), clock.now()
    if told is None:
        raise Refused("no_show_does_not_count")
    if told.appeal is not None:
        raise Refused("already_appealed")
    policy = queries.policy()
    found = queries.standings(policy, queries.missed(policy, Booking.id == booking_id).values(), now)
    if not may.can_appeal(told, found.get(booking_id)):
        raise Refused("no_show_does_not_count")
    made = Appeal(booking_id=booking_id, words=words, made_by=actor.user_id, made_at=now)
    db.session.add(made)
    db.session.flush()
    audit.note(actor, "appealed", "booking", [booking_id])
    return made


def answer(actor: Actor, booking_id: int, answer: Answer, reply: str) -> Appeal:
    """Who runs the session answers, once; the same answer sent again is one. What is accepted counts no longer.

    NotVisible, NotPermitted; Refused `answered_already`.
    """
    policy, resident_id = queries.policy(to_act=True), queries.whose(booking_id)
    if resident_id is None:
        raise NotVisible
    households.lock_residents([resident_id])
    bookings.lock_booking(booking_id)
    told = queries.appealed(booking_id)
    if told is None or told.appeal is None:
        raise NotVisible
    if not may.can_answer(actor, told):
        raise NotPermitted
    found = told.appeal
    if found.answer is not None:
        if found.answer is answer and found.answered_by == actor.user_id:
            return found
        raise Refused("answered_already")
    found.answer, found.reply = answer, reply
    found.answered_by, found.answered_at = actor.user_id, clock.now()
    db.session.flush()
    accepted = answer is Answer.ACCEPTED
    _tell("appeal_answered", [booking_id], accepted=accepted)
    audit.note(actor, f"appeal_{answer.value}", "booking", [booking_id])  # the words are with the appeal
    if accepted:
        for programme_id in queries.programmes_of(booking_id, resident_id):
            _review(policy, resident_id, programme_id)
    return found


# -- the rule


def change_rule(actor: Actor, changes: Mapping[str, object]) -> NoShowRule:
    """What is given; the rest stays. Switched on, it counts from now; switched off, every pause is lifted at once.

    Invalid `pause_at`. NotPermitted.
    """
    if not actor.is_administrator:
        raise NotPermitted
    now, row = clock.now(), _rule_to_change()
    before = {name: getattr(row, name) for name in CHANGEABLE}
    for name in CHANGEABLE:
        setattr(row, name, changes.get(name, before[name]))
    if wrong := check_policy(row.policy):
        raise Invalid(**wrong)
    if row.is_on is not before["is_on"]:
        row.counts_from = now if row.is_on else None
    row.changed_at, row.changed_by = now, actor.user_id
    db.session.flush()
    after = {name: getattr(row, name) for name in CHANGEABLE}
    changed = {name: [before[name], after[name]] for name in CHANGEABLE if before[name] != after[name]}
    audit.note(actor, "changed", "no_show_rule", [row.id], changed)
    if not row.is_on:
        _lift(queries.pauses_in_force(now))
    return row


def _rule_to_change() -> NoShowRule:
    """Written as it is without a row, by the first who changes anything; two who are first at once meet at its key."""
    if queries.rule_to_change() is None:
        insert_once = postgresql_insert if db.engine.dialect.name == "postgresql" else sqlite_insert
        first = {name: value for name, value in asdict(NoShowPolicy()).items() if name in CHANGEABLE}
        db.session.execute(insert_once(NoShowRule).values(id=1, **first, changed_at=clock.now())
                           .on_conflict_do_nothing())
    found = queries.rule_to_change()
    assert found is not None  # noqa: S101 - for the type checker: it was there, or has just been written
    return found


# -- exemptions


def exempt(actor: Actor, resident_id: int, ground: Ground, from_day: date, until_day: date | None) -> Exemption:
    """For somebody whom the actor has looked up. What is no longer right because of it is lifted at once.

    NotVisible, NotPermitted. Invalid: `until_day`.
    """
    if not actor.is_administrator:
        raise NotPermitted
    if until_day is not None and until_day < from_day:
        raise Invalid(until_day="period_backwards")
    policy = queries.policy(to_act=True)
    households.lock_residents([resident_id])
    if (not households.has_been_found(actor, [resident_id], clock.now() - FOUND_FOR)
            or not households.residents([resident_id])):
        raise NotVisible
    made = Exemption(resident_id=resident_id, ground=ground, from_day=from_day, until_day=until_day,
                     granted_by=actor.user_id, granted_at=clock.now())
    db.session.add(made)
    db.session.flush()
    audit.note(actor, "granted", "exemption", [made.id])  # on what ground is with it: that can be erased
    for pause in queries.pauses_in_force(clock.now(), BookingPause.resident_id == resident_id):
        _review(policy, resident_id, pause.programme_id)
    return made


def end_exemption(actor: Actor, exemption_id: int) -> Exemption:
    """From today on no-shows count again; what was before today stays as it was. A second time changes nothing."""
    if not actor.is_administrator:
        raise NotPermitted
    found = queries.exemption(exemption_id)
    if found is None:
        raise NotVisible
    if found.ended_at is None:
        found.ended_at = clock.now()
        db.session.flush()
        audit.note(actor, "ended", "exemption", [found.id])
    return found
