"""The verbs about a household's calendar: follow it, and no longer."""

import hashlib
import secrets

from sqlalchemy import select, update

from facilities.accounts.models import User
from facilities.calendars.models import CalendarFeed
from facilities.infra.db import db
from facilities.kernel import clock
from facilities.kernel.actors import Actor


def follow(actor: Actor, language: str) -> str:
    """The token, which is kept nowhere; the one before opens nothing any more."""
    db.session.execute(select(User.id).where(User.id == actor.user_id).with_for_update())  # asked for twice at once
    revoke(actor)
    token = secrets.token_urlsafe(32)
    db.session.add(CalendarFeed(user_id=actor.user_id, token_hash=fingerprint(token), language=language,
                                created_at=clock.now()))
    db.session.flush()
    return token


def revoke(actor: Actor) -> None:
    db.session.execute(
        update(CalendarFeed).where(CalendarFeed.user_id == actor.user_id, CalendarFeed.revoked_at.is_(None))
        .values(revoked_at=clock.now()))


def fingerprint(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
