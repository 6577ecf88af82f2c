"""From the outbox to the channels: at least once, repeats under the same reference, and never what is no longer true.

A message is written with what it tells of; the worker makes deliveries of it, one for each way to its reader, takes
those that are due for the length of a lease, sends them outside any transaction, and says what came of it. A worker
that dies in between leaves a lease that ends: another one sends again, which the provider knows by the reference. What
a provider has only accepted is sent again, too, where its receipt does not come.
"""

import logging
from collections.abc import Collection, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

from flask import Flask, current_app
from sqlalchemy import insert, select, update
from sqlalchemy.orm import joinedload
from uuid6 import uuid7

from facilities.engine.deliveries import LEASE, RECEIPT_WITHIN, held_until, next_attempt
from facilities.engine.messages import Channel
from facilities.infra.db import db, unit_of_work
from facilities.infra.outbox import Notice
from facilities.kernel import clock
from facilities.notices import answers, queries
from facilities.notices.channels.message import Message, Outcome, Undelivered, Way
from facilities.notices.models import OPEN, Delivery, DeliveryState, WechatSubscription
from facilities.notices.queries import Thing
from facilities.notices.reaching import Planned, Reader, readers, ways_for
from facilities.notices.rendering import Outgoing, render

log = logging.getLogger(__name__)

FAULT = "fault"  # of our own
AT_A_TIME = 100
SENDERS = 8  # threads; the lease is longer than a batch in which every attempt waits for its patience to end


def dispatch(installed: Collection[Channel]) -> int:
    """Plan the ways of what was written since the last time, and of how many messages."""
    notices = list(db.session.scalars(
        select(Notice).where(Notice.dispatched_at.is_(None)).order_by(Notice.id).limit(AT_A_TIME)
        .with_for_update(skip_locked=True)))
    now, reached, rows = clock.now(), readers(notices), list[dict[str, Any]]()
    answerable = list[Notice]()
    for notice in notices:
        ways = [way for way in ways_for(notice, reached[notice.id], installed) if _may_use(notice, way)]
        rows += [{"notice_id": notice.id, "channel": way.channel, "carer_id": way.carer_id, "reference": str(uuid7()),
                  "state": DeliveryState.WAITING, "due_at": now} for way in ways]
        if any(way.carer_id is None for way in ways):
            answerable.append(notice)
    if rows:
        db.session.execute(insert(Delivery), rows)
    answers.offer(answerable)
    db.session.execute(update(Notice).where(Notice.id.in_([n.id for n in notices])).values(dispatched_at=now),
                       execution_options={"synchronize_session": False})
    return len(notices)


def _may_use(notice: Notice, way: Planned) -> bool:
    """Each agreement on WeChat is good for one message: this uses it up."""
    if way.channel is not Channel.WECHAT:
        return True
    used = db.session.execute(
        update(WechatSubscription)
        .where(WechatSubscription.user_id == notice.user_id, WechatSubscription.kind == notice.kind,
               WechatSubscription.remaining > 0)
        .values(remaining=WechatSubscription.remaining - 1).returning(WechatSubscription.user_id))
    return used.first() is not None


@dataclass(frozen=True, slots=True)
class Taken:
    """A delivery that is this worker's until its lease ends."""

    delivery_id: int
    notice_id: int
    attempts: int
    message: Message | None  # None where nobody can be reached


def take(channel: Channel) -> list[Taken] | None:
    """What is due on a channel, for the length of a lease; None where nothing was.

    What quiet hours hold is put off until their end. What was accepted as often as may be, and never reported, is over.
    """
    now = clock.now()
    rows = list(db.session.scalars(
        select(Delivery).where(Delivery.channel == channel, Delivery.state.in_(OPEN), Delivery.due_at <= now)
        .order_by(Delivery.due_at, Delivery.id).limit(AT_A_TIME).with_for_update(skip_locked=True, of=Delivery)
        .options(joinedload(Delivery.notice))))
    notices = [row.notice for row in rows]
    things, reached, codes = queries.things(notices), readers(notices), answers.codes(notices)
    entries = queries.entries(notices) if channel is Channel.EMAIL else {}
    taken: list[Taken] = []
    for row in rows:
        notice, reader = row.notice, reached[row.notice_id]
        thing = things.get((notice.about_kind, notice.about_id))
        if until := _held(notice, thing, reader, now):
            row.due_at = until
            continue
        if row.state is DeliveryState.ACCEPTED and next_attempt(row.attempts, now) is None:
            row.state, row.failure, row.ended_at = DeliveryState.DEAD, "no_receipt", now
            continue
        row.attempts, row.due_at = row.attempts + 1, now + LEASE
        answer = codes.get(notice.id) if row.carer_id is None else None
        out = Outgoing(notice, thing, reader, channel, row.reference, row.carer_id, answer,
                       entries.get((notice.about_kind, notice.about_id)))
        try:
            taken.append(Taken(row.id, notice.id, row.attempts, render(out)))
        except Exception as error:  # noqa: BLE001 - one that cannot be written keeps no other from going
            log.error("%s for %s: writing failed with %s", notice.kind, channel, type(error).__name__)  # noqa: TRY400 - as in background
            row.state, row.failure, row.ended_at = DeliveryState.DEAD, FAULT, now
    db.session.flush()
    return taken if rows else None


def _held(notice: Notice, thing: Thing | None, reader: Reader, now: datetime) -> datetime | None:
    """What has moved is to be known before it would have begun."""
    was = notice.facts.get("was")
    known = (notice.facts.get("offer_expires_at"), was.get("starts_at") if isinstance(was, dict) else None)
    needed = [datetime.fromisoformat(str(moment)) for moment in known if moment]
    return held_until(notice.kind, now, reader.quiet, thing.starts_at if thing else None, min(needed, default=None))


def deliver(channel: Channel, way: Way) -> tuple[int, int]:
    """Send all that is due on a channel; how many went out, or need not, and how many did not."""
    app: Flask = current_app._get_current_object()  # type: ignore[attr-defined]  # noqa: SLF001 - for other threads
    done = failed = 0
    while (taken := unit_of_work(partial(take, channel))) is not None:
        with ThreadPoolExecutor(SENDERS) as pool:
            ends = list(pool.map(partial(_send, app, way), taken))
        unit_of_work(partial(_note, taken, ends))
        failed += sum(isinstance(end, Undelivered) for end in ends)
        done += len(taken)
    return done - failed, failed


def _send(app: Flask, way: Way, taken: Taken) -> Outcome | Undelivered | None:
    """None where it is no longer true: asked at the last moment, because others before it may have taken a while."""
    if taken.message is None:
        return None
    with app.app_context():
        if not queries.is_still_true(taken.notice_id):
            return None
    try:
        return way.send(taken.message)
    except Undelivered as failure:
        return failure
    except Exception as error:  # noqa: BLE001 - as in `take`; it is tried again, for it may have gone out
        log.error("sending failed with %s", type(error).__name__)  # noqa: TRY400 - its words may hold an address
        return Undelivered(FAULT)


def _note(taken: Sequence[Taken], ends: Sequence[Outcome | Undelivered | None]) -> None:
    """What came of each; one that another worker has taken over meanwhile is that one's to note."""
    for one, end in zip(taken, ends, strict=True):
        db.session.execute(
            update(Delivery).where(Delivery.id == one.delivery_id, Delivery.attempts == one.attempts,
                                   Delivery.state.in_(OPEN)).values(_after(one.attempts, end)),
            execution_options={"synchronize_session": False})


def _after(attempts: int, end: Outcome | Undelivered | None) -> dict[str, object]:
    now = clock.now()
    if isinstance(end, Undelivered):
        return _after_failure(attempts, end.kind, now, for_good=end.for_good)
    if end is Outcome.ACCEPTED:
        return {"state": DeliveryState.ACCEPTED, "due_at": now + RECEIPT_WITHIN, "failure": None}
    state = DeliveryState.SENT if end is Outcome.DELIVERED else DeliveryState.DROPPED
    return {"state": state, "failure": None, "ended_at": now}


def _after_failure(attempts: int, kind: str, now: datetime, *, for_good: bool) -> dict[str, object]:
    again = None if for_good else next_attempt(attempts, now)
    if again is None:
        return {"state": DeliveryState.DEAD, "failure": kind, "ended_at": now}
    return {"state": DeliveryState.WAITING, "failure": kind, "ended_at": None, "due_at": again}


def note_receipt(reference: str, *, delivered: bool, for_good: bool = False) -> None:
    """What a provider reports of a message that it accepted; the same report again changes nothing."""
    row = db.session.scalar(select(Delivery).where(Delivery.reference == reference).with_for_update())
    if row is None or row.state in (DeliveryState.SENT, DeliveryState.DROPPED):
        return
    if delivered:
        row.state, row.failure, row.ended_at = DeliveryState.SENT, None, clock.now()
    elif row.state is DeliveryState.ACCEPTED:
        for name, value in _after_failure(row.attempts, "reported", clock.now(), for_good=for_good).items():
            setattr(row, name, value)
    db.session.flush()


def send_again(delivery_ids: Collection[int]) -> list[int]:
    """By an administrator's hand, of those that were given up; under the same reference. Which they were."""
    done = db.session.execute(
        update(Delivery).where(Delivery.id.in_(delivery_ids), Delivery.state == DeliveryState.DEAD)
        .values(state=DeliveryState.WAITING, attempts=0, due_at=clock.now(), ended_at=None, failure=None)
        .returning(Delivery.id))
    return list(done.scalars())
