"""Reads about who acts."""

from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Select, String, bindparam, select

from facilities.accounts.models import Grant, SignIn, SignInFailures, SignInKind, User
from facilities.infra.columns import UtcDateTime
from facilities.infra.db import db
from facilities.infra.prepared import Prepared
from facilities.kernel.actors import Actor, Granted


class LiveSignIn(NamedTuple):
    """A sign-in that still holds, who acts through it, and when it was last seen."""

    actor: Actor
    last_seen_at: datetime


def user_by_login(login: str) -> User | None:
    return db.session.scalar(select(User).where(User.login == login))


def user_by_id(user_id: int) -> User | None:
    return db.session.get(User, user_id)


def failures_of(login_hash: str) -> SignInFailures | None:
    return db.session.get(SignInFailures, login_hash)


def grants_of(user_id: int) -> list[Granted]:
    rows = db.session.execute(
        select(Grant.role, Grant.facility_id).where(Grant.user_id == user_id).order_by(Grant.id))
    return [Granted(role, facility_id) for role, facility_id in rows]


def _find_sign_in() -> Select[Any]:
    """The sign-in, its user and the grants: every request asks it."""
    return (
        select(SignIn.id, SignIn.last_seen_at, User.id, User.login, User.display_name, Grant.role, Grant.facility_id)
        .select_from(SignIn).join(User, User.id == SignIn.user_id)
        .outerjoin(Grant, Grant.user_id == User.id)
        .where(SignIn.secret_hash == bindparam("a_hash", type_=String),
               SignIn.kind == bindparam("a_kind", type_=SignIn.kind.type), SignIn.revoked_at.is_(None),
               SignIn.ends_at > bindparam("at_present", type_=UtcDateTime),
               SignIn.last_seen_at > bindparam("idle_since", type_=UtcDateTime), User.disabled.is_(False))
        .order_by(Grant.id))


_LIVE_SIGN_IN = Prepared(_find_sign_in)


def live_sign_in(secret_hash: str, kind: SignInKind, now: datetime, idle_since: datetime) -> LiveSignIn | None:
    """One query outside a transaction; None where the sign-in ended, was revoked or the user is disabled."""
    rows = _LIVE_SIGN_IN.alone(db.engine, {
        "a_hash": secret_hash, "a_kind": kind, "at_present": now, "idle_since": idle_since})
    if not rows:
        return None
    sign_in_id, last_seen_at, user_id, login, display_name = rows[0][:5]
    grants = tuple(Granted(role, facility_id) for *_, role, facility_id in rows if role is not None)
    return LiveSignIn(Actor(user_id, sign_in_id, login, display_name, grants), last_seen_at)
