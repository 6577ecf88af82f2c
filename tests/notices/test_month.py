"""A month of the demonstration, half hour by half hour: who is told what, and when.

What is expected is worked out here from the bookings alone, by a rule of thumb of its own, and compared with what went
out; what happens on the way (called off, moved, cancelled, somebody came) is looked at one by one.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta

import pytest
from flask import Flask
from sqlalchemy import select

from facilities.accounts import queries as accounts
from facilities.bookings import sessions
from facilities.bookings.models import Booking, BookingState
from facilities.demo.loading import ADMINISTRATOR, RESIDENT, load_demonstration
from facilities.engine.messages import Channel
from facilities.households.models import Resident
from facilities.infra.db import db, unit_of_work
from facilities.kernel import clock
from facilities.kernel.actors import Actor, Granted, Role
from facilities.notices.channels.message import Message, Outcome
from facilities.notices.delivery import deliver, dispatch
from facilities.notices.models import EmailAddress
from facilities.notices.reminders import remind
from facilities.programmes.models import ActivitySession
from tests.conftest import NOW

STEP, DAYS = timedelta(minutes=30), 28
DAY, HOUR = "reminder_day", "reminder_hour"


@dataclass
class Diary:
    """What went out, and when by the app's clock."""

    channel: Channel
    entries: list[tuple[datetime, Message]] = field(default_factory=list)

    def send(self, message: Message) -> Outcome:
        self.entries.append((clock.now(), message))
        return Outcome.DELIVERED

    def of(self, booking_id: int) -> list[tuple[datetime, str]]:
        return [(at, m.template) for at, m in self.entries if m.about == {"kind": "booking", "id": str(booking_id)}]


def actor(login: str, *grants: Granted) -> Actor:
    user = accounts.user_by_login(login)
    assert user is not None
    return Actor(user.id, 0, user.login, user.display_name, grants)


def at(day: int, wall: str) -> datetime:
    """On the so manieth day of the month, by the district's clock."""
    return clock.at(clock.local_date(NOW) + timedelta(days=day), time.fromisoformat(wall))


def moments() -> Iterator[datetime]:
    moment = NOW
    while moment < NOW + timedelta(days=DAYS):
        if time(7, 30) <= clock.local(moment).time() <= time(22) or clock.local(moment).hour % 3 == 0:
            yield moment  # the dead of night more coarsely
        moment += STEP


@dataclass(frozen=True)
class Booked:
    """A booking as it was when the month began."""

    id: int
    session_id: int
    starts_at: datetime
    created_at: datetime


def expected(booked: Booked) -> dict[str, datetime]:
    """By the rule as a person would say it: the day before at the same hour, and an hour before, but never at night."""
    starts = clock.local(booked.starts_at)
    day = starts - timedelta(days=1)
    if not time(8) <= starts.time() < time(21):
        day = day.replace(hour=8, minute=0) + (timedelta(days=1) if starts.time() >= time(21) else timedelta())
    hour = starts - timedelta(hours=1)
    if hour.time() < time(8):
        hour = (hour - timedelta(days=1)).replace(hour=20, minute=30)
    elif hour.time() >= time(21):
        hour = hour.replace(hour=20, minute=30)
    return {kind: moment for kind, moment in ((DAY, day), (HOUR, hour)) if moment > booked.created_at}


@dataclass
class Month:
    """`touched`: bookings to which something happens, by what."""

    sms: Diary
    email: Diary
    loaded: list[Booked]
    called_off: ActivitySession
    moved: ActivitySession
    moves_to: datetime
    touched: dict[int, str]


def pick(sessions: list[ActivitySession], first_day: int) -> ActivitySession:
    """The first from a day on that begins between ten and eight, with people in it."""
    return next(
        s
        for s in sessions
        if s.starts_at >= at(first_day, "00:00")
        and time(10) <= clock.local(s.starts_at).time() < time(20)
        and s.places_taken >= 2
    )


def evening_before(session: ActivitySession, wall: str) -> datetime:
    return clock.at(clock.local_date(session.starts_at) - timedelta(days=1), time.fromisoformat(wall))


def new_start(session: ActivitySession) -> datetime:
    """Two days later at ten."""
    return clock.at(clock.local_date(session.starts_at) + timedelta(days=2), time(10))


@pytest.fixture
def month(app: Flask) -> Month:
    with clock.frozen(NOW):
        unit_of_work(lambda: load_demonstration(lambda *_: None))
        unit_of_work(_give_phones)
        rows = select(Booking.id, Booking.session_id, Booking.starts_at, Booking.created_at).where(
            Booking.starts_at > NOW, Booking.state == BookingState.CONFIRMED
        )
        loaded = [Booked(*row) for row in db.session.execute(rows).tuples()]
        sessions = list(db.session.scalars(
            select(ActivitySession).where(ActivitySession.starts_at > NOW).order_by(ActivitySession.starts_at,
                                                                                     ActivitySession.id)))  # fmt: skip
        unit_of_work(_with_email)
    called_off, moved = pick(sessions, 5), pick(sessions, 9)
    month = Month(Diary(Channel.SMS), Diary(Channel.EMAIL), loaded, called_off, moved, new_start(moved), {})
    month.touched = {b.id: "called off" for b in loaded if b.session_id == month.called_off.id}
    month.touched |= {b.id: "moved" for b in loaded if b.session_id == month.moved.id}
    live_through(month)
    return month


def _give_phones() -> None:
    """The demonstration's people have none; whoever booked gets one."""
    people = db.session.scalars(
        select(Resident).where(Resident.id.in_(select(Booking.resident_id).where(Booking.starts_at > NOW)))
    ).all()
    for person in people:
        person.phone = f"137{person.id:08}"


def _with_email() -> None:
    user = accounts.user_by_login(RESIDENT[1])
    assert user is not None
    db.session.add(EmailAddress(user_id=user.id, address="chen@example.org", confirmed_at=NOW))


def live_through(month: Month) -> None:
    """With what happens on the way."""
    district = actor(ADMINISTRATOR[1], Granted(Role.ADMINISTRATOR))
    starts_at, called_off, moved = month.moves_to, month.called_off.id, month.moved.id
    later = {"starts_at": starts_at, "ends_at": starts_at + timedelta(hours=1)}
    events = {
        evening_before(month.called_off, "21:30"): lambda: sessions.cancel_session(district, called_off, "停电"),
        evening_before(month.moved, "22:00"): lambda: sessions.change_session(district, moved, later),
    }
    for moment in moments():
        with clock.frozen(moment):
            if event := events.get(moment):
                unit_of_work(event)  # type: ignore[arg-type]
            unit_of_work(remind)
            while unit_of_work(lambda: dispatch((Channel.SMS, Channel.EMAIL))):
                pass
            for diary in (month.sms, month.email):
                deliver(diary.channel, diary)
            db.session.remove()


def within_a_step(found: datetime, wanted: datetime) -> bool:
    return wanted <= found < wanted + STEP


@pytest.mark.parametrize("kind", ["sqlite"])  # a month is long; each statement in it is asked on both elsewhere
def test_everyone_is_reminded_at_their_time_and_nobody_at_night(month: Month, kind: str) -> None:
    undisturbed = [booked for booked in month.loaded if booked.id not in month.touched]
    ends = NOW + timedelta(days=DAYS) - STEP
    assert len(undisturbed) > 200
    wrong = []
    for booked in undisturbed:
        wanted = {kind: moment for kind, moment in expected(booked).items() if moment <= ends}
        got = {kind: moment for moment, kind in month.sms.of(booked.id) if kind in (DAY, HOUR)}
        if got.keys() != wanted.keys() or not all(within_a_step(got[kind], wanted[kind]) for kind in got):
            wrong.append((booked.starts_at, wanted, got))
    assert wrong == []
    moved = [booked for booked, what in month.touched.items() if what == "moved"]
    twice = Counter(
        (m.template, m.about["id"], m.recipient) for _, m in month.sms.entries if int(m.about["id"]) not in moved
    )
    assert [key for key, times in twice.items() if times > 1] == []
    night = [m.template for moment, m in month.sms.entries if not time(8) <= clock.local(moment).time() < time(21)]
    assert night == []

    called_off = [booked for booked, what in month.touched.items() if what == "called off"]
    assert len(called_off) >= 2
    for booked in called_off:
        told = [(clock.local(moment).strftime("%H:%M"), kind) for moment, kind in month.sms.of(booked)]
        reminded = [kind for _, kind in told if kind in (DAY, HOUR)]
        assert ("08:00", "session_cancelled") in told, "called off late in the evening, told in the morning"
        assert reminded in ([], [DAY]), "nobody is reminded an hour before of what is off"

    assert len(moved) >= 2
    for booked in moved:
        told = month.sms.of(booked)
        kinds = Counter(kind for _, kind in told)
        assert kinds["moved"] == 1
        assert kinds[HOUR] == 1
        last_day = max(moment for moment, kind in told if kind == DAY)
        last_hour = max(moment for moment, kind in told if kind == HOUR)
        assert within_a_step(last_day, month.moves_to - timedelta(days=1))
        assert within_a_step(last_hour, month.moves_to - timedelta(hours=1))

    family = {m.recipient for _, m in month.email.entries}
    assert family <= {"chen@example.org"}
    assert Counter(m.template for _, m in month.email.entries).keys() <= {"booked", "waitlisted", DAY, HOUR}
