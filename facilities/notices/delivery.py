"""From the outbox to the channels: at least once, repeats under the same reference, and never what is no longer true.

A message is written with what it tells of; the worker makes deliveries of it, takes those that are due for the length
of a lease, sends them outside any transaction, and says what came of it. A worker that dies in between leaves a lease
that ends: another one sends again, which the provider knows by the reference.
"""

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial

from flask_babel import force_locale
from sqlalchemy import insert, select, update
from sqlalchemy.orm import joinedload
from uuid6 import uuid7

from facilities.engine.deliveries import LEASE, next_attempt
from facilities.infra.db import db, unit_of_work
from facilities.infra.encryption import cipher
from facilities.infra.outbox import Notice
from facilities.kernel import clock
from facilities.notices import queries, wording
from facilities.notices.channels import Channel, Message, Undelivered
from facilities.notices.models import ChannelKind, Delivery, DeliveryState

SEALED = ("code", "to")  # facts that are kept encrypted
AT_A_TIME = 100
SENDERS = 8  # threads; the lease is longer than a batch in which every attempt waits for its patience to end


def dispatch(kinds: Sequence[ChannelKind]) -> int:
    """Make deliveries of what was written since the last time, and of how many messages."""
    notices = list(db.session.scalars(
        select(Notice).where(Notice.dispatched_at.is_(None)).order_by(Notice.id).limit(AT_A_TIME)
        .with_for_update(skip_locked=True)))
    now = clock.now()
    rows = [{"notice_id": notice.id, "channel": kind, "reference": str(uuid7()), "state": DeliveryState.WAITING,
             "due_at": now} for notice in notices for kind in kinds]
    if rows:
        db.session.execute(insert(Delivery), rows)
    db.session.execute(update(Notice).where(Notice.id.in_([n.id for n in notices])).values(dispatched_at=now),
                       execution_options={"synchronize_session": False})
    return len(notices)


@dataclass(frozen=True, slots=True)
class Taken:
    """A delivery that is this worker's until its lease ends."""

    delivery_id: int
    attempts: int
    channel: ChannelKind
    message: Message | None  # None where it is no longer true, or nobody can be reached


def take(language: str = "zh") -> list[Taken]:
    """What is due, for the length of a lease."""
    now = clock.now()
    rows = list(db.session.scalars(
        select(Delivery).where(Delivery.state == DeliveryState.WAITING, Delivery.due_at <= now)
        .order_by(Delivery.due_at, Delivery.id).limit(AT_A_TIME).with_for_update(skip_locked=True, of=Delivery)
        .options(joinedload(Delivery.notice))))
    true = queries.still_true([row.notice for row in rows], now)
    phones = queries.phones([row.notice for row in rows])
    for row in rows:
        row.attempts, row.due_at = row.attempts + 1, now + LEASE
    db.session.flush()
    with force_locale(language):
        return [Taken(row.id, row.attempts, row.channel, _message(row, phones) if row.notice_id in true else None)
                for row in rows]


def _message(row: Delivery, phones: Mapping[int, str]) -> Message | None:
    notice = row.notice
    facts = {name: cipher().decrypt(str(value)) if name in SEALED else value for name, value in notice.facts.items()}
    phone = facts.get("to") or phones.get(row.notice_id)
    if phone is None:
        return None
    return Message(str(phone), row.channel.value, notice.kind, wording.text(notice.kind, facts), row.reference,
                   {"kind": notice.about_kind, "id": str(notice.about_id)})


def deliver(channels: Mapping[ChannelKind, Channel]) -> tuple[int, int]:
    """Send all that is due; how many went out, or need not, and how many did not."""
    done = failed = 0
    while unit_of_work(lambda: dispatch(tuple(channels))):
        pass
    while taken := unit_of_work(take):
        with ThreadPoolExecutor(SENDERS) as pool:
            failures = list(pool.map(partial(_send, channels), taken))
        unit_of_work(partial(_note, taken, failures))
        failed += sum(failure is not None for failure in failures)
        done += len(taken)
    return done - failed, failed


def _send(channels: Mapping[ChannelKind, Channel], taken: Taken) -> Undelivered | None:
    if taken.message is None:
        return None
    try:
        channels[taken.channel].send(taken.message)
    except Undelivered as failure:
        return failure
    except KeyError:
        return Undelivered("no_channel")
    return None


def _note(taken: Sequence[Taken], failures: Sequence[Undelivered | None]) -> None:
    """What came of each; one that another worker has taken over meanwhile is that one's to note."""
    now = clock.now()
    for one, failure in zip(taken, failures, strict=True):
        again = next_attempt(one.attempts, now) if failure and not failure.for_good else None
        if failure is None:
            state = DeliveryState.SENT if one.message else DeliveryState.DROPPED
        else:
            state = DeliveryState.WAITING if again else DeliveryState.DEAD
        db.session.execute(
            update(Delivery).where(Delivery.id == one.delivery_id, Delivery.attempts == one.attempts,
                                   Delivery.state == DeliveryState.WAITING)
            .values(state=state, failure=failure.kind if failure else None,
                    ended_at=None if again else now, **({"due_at": again} if again else {})))


def send_again(delivery_id: int) -> bool:
    """By an administrator's hand, one that was given up; under the same reference."""
    done = db.session.execute(
        update(Delivery).where(Delivery.id == delivery_id, Delivery.state == DeliveryState.DEAD)
        .values(state=DeliveryState.WAITING, attempts=0, due_at=clock.now(), ended_at=None).returning(Delivery.id))
    return done.first() is not None
