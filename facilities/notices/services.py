"""The verbs about messages: they have been read; those that did not arrive go out again."""

from collections.abc import Collection

from sqlalchemy import update

from facilities.infra import audit
from facilities.infra.db import db
from facilities.infra.outbox import Notice
from facilities.kernel import clock
from facilities.kernel.actors import Actor
from facilities.kernel.refusals import NotVisible
from facilities.notices import delivery, queries


def mark_read(actor: Actor, notice_ids: Collection[int] | None = None) -> int:
    """These, or all of the actor's; when it was first read stays. NotVisible where one is not the actor's.

    Returns how many are left unread.
    """
    read = update(Notice).where(Notice.user_id == actor.user_id, Notice.read_at.is_(None), queries.SHOWN)
    if notice_ids is not None:
        if queries.own_among(actor, notice_ids) != set(notice_ids):
            raise NotVisible
        read = read.where(Notice.id.in_(notice_ids))
    db.session.execute(read.values(read_at=clock.now()), execution_options={"synchronize_session": False})
    return queries.unread(actor)


def send_again(actor: Actor, delivery_ids: Collection[int]) -> int:
    """How many of these had been given up, and are on their way again."""
    done = delivery.send_again(delivery_ids)
    audit.note(actor, "sent_again", "delivery", done)
    return len(done)
