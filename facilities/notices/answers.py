"""Messages that are answered straight away: a code that opens once, in a link or typed in, and says yes or no.

Whoever holds the code holds what the message's reader may do with that one booking, and nothing else; whether they may
still do it is asked again when they answer. Looking at the page changes nothing, because mail programs look, too.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import insert, select
from sqlalchemy.orm import joinedload

from facilities.accounts.models import User
from facilities.bookings import queries as bookings
from facilities.bookings import services
from facilities.bookings.models import Booking, BookingState
from facilities.engine.messages import ANSWERS, Answer
from facilities.infra.db import db
from facilities.infra.encryption import Unreadable, cipher
from facilities.infra.outbox import Notice
from facilities.kernel import clock
from facilities.kernel.actors import Actor
from facilities.kernel.ids import new_reference
from facilities.kernel.refusals import NotVisible, Refused
from facilities.notices.models import AnswerLink
from facilities.web.addresses import whole_address

LENGTH = 10  # of 31 signs: 8e14, and few of them open anything at any time


@dataclass(frozen=True, slots=True)
class Asked:
    """What a code opens. `answers`: those that can still be given; none where it is used, or too late."""

    link: AnswerLink
    booking: Booking
    answers: tuple[Answer, ...]


def offer(notices: Sequence[Notice]) -> None:
    """A code for each that can be answered, where the installation knows its own address."""
    if whole_address("notices.enter_answer") is None:
        return
    rows = []
    for notice in notices:
        ends_at = notice.facts.get("offer_expires_at") or notice.facts.get("starts_at")
        if notice.kind in ANSWERS and notice.about_kind == "booking" and notice.user_id is not None and ends_at:
            code = new_reference(LENGTH)
            rows.append({"notice_id": notice.id, "code_hash": cipher().lookup(code), "sealed": cipher().encrypt(code),
                         "ends_at": datetime.fromisoformat(str(ends_at))})
    if rows:
        db.session.execute(insert(AnswerLink), rows)


def codes(notices: Sequence[Notice]) -> dict[int, str]:
    """By message: to be sent, and sent again as they were."""
    now, found = clock.now(), {}
    for link in db.session.scalars(select(AnswerLink).where(
            AnswerLink.notice_id.in_([n.id for n in notices]), AnswerLink.used_at.is_(None), AnswerLink.ends_at > now)):
        try:
            found[link.notice_id] = cipher().decrypt(link.sealed)
        except Unreadable:  # under a key that was taken away: the message goes without it
            continue
    return found


def find(code: str, *, lock: bool = False) -> Asked:
    """NotVisible where no message has the code, or its reader no longer acts for whom it is about."""
    wanted = select(AnswerLink).where(AnswerLink.code_hash.in_(cipher().lookups(code.strip().upper()))).options(
        joinedload(AnswerLink.notice, innerjoin=True))
    link = db.session.scalar(wanted.with_for_update(of=AnswerLink) if lock else wanted)
    if link is None:
        raise NotVisible
    booking = bookings.own_booking(_reader(link), link.notice.about_id)
    if booking is None:
        raise NotVisible
    over = link.used_at is not None or link.ends_at <= clock.now()
    return Asked(link, booking, () if over else tuple(
        answer for answer in ANSWERS[link.notice.kind] if booking.state in _POSSIBLE[answer]))


_POSSIBLE = {
    Answer.ACCEPT: (BookingState.OFFERED,), Answer.DECLINE: (BookingState.OFFERED,),
    Answer.COMING: (BookingState.CONFIRMED,),
    Answer.CANCEL: (BookingState.CONFIRMED, BookingState.OFFERED, BookingState.WAITLISTED),
}


def give(code: str, answer: Answer) -> Booking:
    """Once; the same answer sent twice is one. Refused `answered_already` where it cannot be given any more, and as
    the verb refuses.
    """
    asked = find(code, lock=True)
    if asked.link.answer is answer:
        return asked.booking
    if answer not in asked.answers:
        raise Refused("answered_already")
    actor = _reader(asked.link)
    verbs = {Answer.CANCEL: services.cancel_booking, Answer.ACCEPT: services.accept_offer,
             Answer.DECLINE: services.decline_offer, Answer.COMING: services.say_coming}
    booking = verbs[answer](actor, asked.booking.id)
    asked.link.used_at, asked.link.answer = clock.now(), answer
    db.session.flush()
    return booking


def _reader(link: AnswerLink) -> Actor:
    """The account that the message went to, with no more than every resident may."""
    user = db.session.get(User, link.notice.user_id)
    if user is None or user.disabled:
        raise NotVisible
    return Actor(user.id, 0, user.login, user.display_name)
