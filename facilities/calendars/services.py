"""The verbs about a household's calendar: follow it, and no longer."""

import hashlib
import secrets

from sqlalchemy import delete, select

from facilities.accounts.models import User
from facilities.calendars.models import CalendarFeed
from facilities.infra import audit
from facilities.infra.db import db
from facilities.kernel import clock
from facilities.kernel.actors import Actor


def follow(actor: Actor, language: str) -> str:
    """The token, which is kept nowhere; the one before opens nothing any more."""
    db.session.execute(select(User.id).where(User.id == actor.user_id).with_for_update())  # asked for twice at once
    _take_back(actor)
    token = secrets.token_urlsafe(32)
    db.session.add(CalendarFeed(user_id=actor.user_id, token_hash=fingerprint(token), language=language,
                                created_at=clock.now()))
    audit.note(actor, "followed", "calendar", [actor.user_id])
    db.session.flush()
    return token


def revoke(actor: Actor) -> None:
    """The address opens nothing any more; a second time does nothing."""
    if _take_back(actor):
        audit.note(actor, "revoked", "calendar", [actor.user_id])


def _take_back(actor: Actor) -> bool:
    gone = db.session.execute(
        delete(CalendarFeed).where(CalendarFeed.user_id == actor.user_id).returning(CalendarFeed.user_id))
    return gone.first() is not None


def fingerprint(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
