"""A household about which something is kept in every table."""

from dataclasses import dataclass
from datetime import date, time, timedelta
from typing import Any

from sqlalchemy import delete, insert, select

from facilities.accounts.models import (
    CodePurpose,
    KnownDevice,
    OneTimeCode,
    SecondFactor,
    SignIn,
    SignInFailures,
)
from facilities.accounts.services import fingerprint
from facilities.bookings.models import Booking, BookingPause, BookingState
from facilities.calendars.models import CalendarFeed
from facilities.draws import services as draws
from facilities.draws.models import DrawEntry
from facilities.engine.draws import WeightRule
from facilities.engine.no_shows import What
from facilities.engine.roll_call import EventKind
from facilities.feedback.models import Feedback
from facilities.households.models import (
    Consent,
    ConsentKind,
    Guardianship,
    Identity,
    Invitation,
    Merge,
    PastGuardianship,
    Relation,
    Resident,
)
from facilities.infra.db import Model, db, unit_of_work
from facilities.infra.encryption import cipher
from facilities.infra.idempotency import IdempotencyKey
from facilities.infra.outbox import Notice
from facilities.kernel import clock
from facilities.no_shows.models import Answer, Appeal, Exemption, Ground, NoShowTold
from facilities.notices.models import (
    Carer,
    ChannelChoice,
    EmailAddress,
    NoticeSettings,
    WechatAccount,
    WechatSubscription,
)
from facilities.programmes.models import ActivitySession
from facilities.reservations.models import Reservation, ReservationState
from tests.client import Browser
from tests.world import Someone, World

NUMBER, CERTIFICATE = "500104198804120025", "50010419880412002544"
CHILDS_NUMBER = "500104201803080017"


@dataclass
class Family:
    """A mother with an account, her child, and what is kept about both."""

    world: World
    mother: Someone
    child: int
    manager: Someone
    past: ActivitySession
    ahead: ActivitySession
    drawn: int
    reservation: int

    @property
    def people(self) -> list[int]:
        return [self.mother.resident_id, self.child]

    def browser(self) -> Browser:
        """The mother's, without the planted second factor, for which nobody has a code."""
        db.session.execute(delete(SecondFactor))
        db.session.commit()
        return self.world.browser(self.mother)


def family(world: World) -> Family:
    """Yesterday they came to a class; tomorrow they come to another, have a room, and are in a draw."""
    mother = world.resident(name="邹雨霏")
    child = world.member(mother, name="邹小满")
    facility, programme = world.facility(), world.programme()
    manager, now = world.manager(facility), clock.now()
    with clock.frozen(now - timedelta(days=1, hours=1)):
        past = world.session(facility, programme, starts_in=timedelta(minutes=30), title="剪纸")
        for resident_id in (mother.resident_id, child):
            world.book(mother, past, resident_id)
        manager.api.get(f"/sessions/{past.id}/roster")
    with clock.frozen(now - timedelta(days=1)):
        for resident_id in (mother.resident_id, child):
            world.record(manager, past, EventKind.PRESENT, resident_id)
            world.record(manager, past, EventKind.LEAVE, resident_id, occurred_at=past.ends_at)
    ahead = world.session(facility, programme, starts_in=timedelta(days=1), title="合唱")
    world.book(mother, ahead)
    space = world.space(facility)
    wish = {"space_id": str(space.id), "resident_id": str(mother.resident_id), "purpose": "邹家聚会"}
    wish |= {
        "starts_at": (now + timedelta(days=3)).isoformat(),
        "ends_at": (now + timedelta(days=3, hours=1)).isoformat(),
    }
    reservation = int(mother.api.post("/reservations", wish)["id"])
    later = {name: (now + timedelta(days=4, hours=n)).isoformat() for n, name in enumerate(("starts_at", "ends_at"))}
    given_back = mother.api.post("/reservations", {**wish, **later, "purpose": "邹家另一次"})["id"]
    mother.api.post(f"/reservations/{given_back}/cancel", status=200)
    mother.cancel(world.book(mother, world.session(facility, programme, starts_in=timedelta(days=2))).id)
    to_draw = world.session(facility, programme, starts_in=timedelta(days=9))
    draw = unit_of_work(
        lambda: draws.open_draw(manager.actor, [to_draw.id], "书法", now + timedelta(days=5), WeightRule())
    )
    unit_of_work(lambda: draws.enter(mother.actor, draw.id, [mother.resident_id, child]))
    found = Family(world, mother, child, manager, past, ahead, draw.id, reservation)
    unit_of_work(lambda: plant(found))
    return found


def plant(of: Family) -> None:
    """What no service writes yet, or not for everybody: a value in every column."""
    now, user, mother, child = clock.now(), of.mother.user.id, of.mother.resident_id, of.child
    day = timedelta(days=1)
    box = cipher()
    person, little = db.session.get_one(Resident, mother), db.session.get_one(Resident, child)
    person.disability_category, person.disability_grade, person.community_code = 4, 2, "500104004001"
    little.phone = "13700000077"
    gone = Resident(name="邹雨菲", sex=person.sex, birth_date=date(1988, 4, 12), phone="13700000066", created_at=now)
    db.session.add(gone)
    db.session.flush()
    rows: list[tuple[type[Model], dict[str, Any]]] = [
        (
            Identity,
            {
                "resident_id": mother,
                "id_number": box.encrypt(NUMBER),
                "id_number_hash": box.lookup(NUMBER),
                "certificate": box.encrypt(CERTIFICATE),
                "certificate_hash": box.lookup(CERTIFICATE),
            },
        ),
        (
            Identity,
            {
                "resident_id": child,
                "id_number": box.encrypt(CHILDS_NUMBER),
                "id_number_hash": box.lookup(CHILDS_NUMBER),
            },
        ),
        (
            Consent,
            {
                "resident_id": child,
                "user_id": user,
                "kind": ConsentKind.GUARDIAN,
                "text_version": "2026-09",
                "given_at": now - day,
                "withdrawn_at": now,
            },
        ),
        (
            Invitation,
            {
                "resident_id": child,
                "invited_by": user,
                "code_hash": "c" * 64,
                "created_at": now,
                "ends_at": now + day,
                "accepted_at": now,
                "withdrawn_at": now,
            },
        ),
        (
            PastGuardianship,
            {
                "user_id": user,
                "resident_id": gone.id,
                "relation": Relation.PARENT,
                "since": now - day,
                "ended_at": now,
                "why": "left",
            },
        ),
        (
            Merge,
            {
                "kept_id": mother,
                "gone_id": gone.id,
                "moves": [{"phone": "13700000066"}],
                "merged_at": now,
                "merged_by": of.manager.user.id,
            },
        ),
        (
            Merge,
            {
                "kept_id": mother,
                "gone_id": gone.id,
                "moves": [],
                "merged_at": now,
                "undone_at": now,
                "merged_by": of.manager.user.id,
            },
        ),
        (
            Merge,
            {
                "kept_id": mother,
                "gone_id": gone.id,
                "moves": [],
                "merged_at": now,
                "merged_by": of.manager.user.id,
                "undone_at": now,
            },
        ),
        (KnownDevice, {"user_id": user, "token_hash": "d" * 64, "seen_at": now}),
        (
            NoticeSettings,
            {"user_id": user, "language": "en", "quiet_from": time(22), "quiet_until": time(7), "large_type": True},
        ),
        (ChannelChoice, {"user_id": user, "topic": "feedback", "channel": "sms", "wanted": False}),
        (EmailAddress, {"user_id": user, "address": "zou@example.org", "confirmed_at": now}),
        (
            CalendarFeed,
            {"user_id": user, "token_hash": "8" * 64, "language": "zh", "created_at": now},
        ),
        (Carer, {"user_id": user, "phone": "13700000088", "confirmed_at": now}),
        (WechatAccount, {"user_id": user, "openid": "o-zou"}),
        (WechatSubscription, {"user_id": user, "kind": "promoted", "remaining": 2}),
        (SecondFactor, {"user_id": user, "secret": box.encrypt("s"), "confirmed_at": now, "last_step": 7}),
        (
            OneTimeCode,
            {
                "user_id": user,
                "purpose": CodePurpose.RESET,
                "code_hash": "e" * 64,
                "created_at": now,
                "ends_at": now + day,
            },
        ),
        (SignInFailures, {"login": fingerprint(of.mother.login), "failures": 3, "first_failed_at": now}),
        (
            IdempotencyKey,
            {
                "user_id": user,
                "key": "k",
                "fingerprint": "f" * 64,
                "status": 201,
                "media_type": "x/y",
                "body": "邹雨霏",
                "created_at": now,
            },
        ),
    ]
    for model, values in rows:
        db.session.execute(insert(model).values(values))
    booking = db.session.scalars(
        select(Booking).where(Booking.session_id == of.past.id, Booking.resident_id == mother)
    ).one()
    booking.override_reason, booking.party, booking.offer_expires_at = "邹女士行动不便", "P7", now
    booking.coming_at = booking.promoted_at = now
    db.session.add(Feedback(booking_id=booking.id, rating=4, words="邹老师讲得好", created_at=now))
    db.session.add(
        BookingPause(
            resident_id=mother, programme_id=of.past.programme_id, booking_id=booking.id, since=now, until=now + day,
            lifted_at=now,
        )
    )  # fmt: skip
    db.session.add(NoShowTold(booking_id=booking.id, what=What.WARNED, at=now))
    db.session.add(
        Appeal(
            booking_id=booking.id, words="邹老师住院", made_by=user, made_at=now, answer=Answer.ACCEPTED,
            reply="祝邹老师早日康复", answered_by=of.manager.user.id, answered_at=now,
        )
    )  # fmt: skip
    db.session.add(
        Exemption(
            resident_id=mother, ground=Ground.ILLNESS, from_day=date(2026, 9, 1), until_day=date(2026, 9, 15),
            granted_by=of.manager.user.id, granted_at=now, ended_at=now,
        )
    )  # fmt: skip
    called_off = db.session.scalars(select(Booking).where(Booking.state == BookingState.CANCELLED)).one()
    called_off.cancel_reason = "老师生病"
    given_back = db.session.scalars(select(Reservation).where(Reservation.state == ReservationState.CANCELLED)).one()
    given_back.cancel_reason = "邹女士来电"
    entry = db.session.scalars(select(DrawEntry)).one()
    entry.rank, entry.won = 1, False
    sign_in = db.session.scalars(select(SignIn).where(SignIn.user_id == user)).first()
    assert sign_in is not None
    sign_in.device = "手机上的浏览器"
    db.session.add(
        SignIn(
            user_id=user, kind="browser", secret_hash="9" * 64, created_at=now, last_seen_at=now, ends_at=now,
            revoked_at=now,
        )
    )  # fmt: skip
    link = db.session.get_one(Guardianship, (user, child))
    link.until = date(2036, 3, 8)
    notice = db.session.scalars(select(Notice).where(Notice.user_id == user)).first()
    assert notice is not None
    notice.read_at = now


def everything() -> str:
    """All that the database holds, as text."""
    db.session.rollback()
    return "\n".join(
        repr(tuple(row)) for table in Model.metadata.sorted_tables for row in db.session.execute(select(table))
    )
